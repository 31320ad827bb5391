"""Remember: models, named queries, the outbox, and what runs after a commit.

Importing the room imports every model, so that the metadata is whole.
"""

from . import (  # noqa: F401
    checks,
    components,
    incidents,
    leases,
    maintenances,
    monitors,
    outbox,
    pages,
    signups,
    subscriptions,
    team,
    templates,
)
