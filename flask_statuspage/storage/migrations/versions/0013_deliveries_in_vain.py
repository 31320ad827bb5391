"""An index by which the log finds what failed without reading what arrived.

It is small where a database can leave out the rows that nobody looks for by it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

NAME, TABLE = "ix_statuspage_delivery_vain", "statuspage_delivery"


def upgrade() -> None:
    in_vain = sa.text("state IN ('dead', 'cancelled')")
    op.create_index(
        NAME,
        TABLE,
        ["state", "id"],
        postgresql_where=in_vain,
        sqlite_where=in_vain,
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_index(NAME, TABLE, if_exists=True)
