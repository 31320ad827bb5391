"""Remember: models, named queries, the outbox, and what runs after a commit.

Importing the room imports every model, so that the metadata is whole.
"""

from . import (  # noqa: F401
    accounts,
    checks,
    claims,
    components,
    endpoints,
    history,
    incidents,
    kept_answers,
    leases,
    maintenances,
    monitors,
    outbox,
    pages,
    rollups,
    sign_in_links,
    signups,
    subscriptions,
    suppressions,
    team,
    templates,
    traffic,
)
