"""Room for the longest names of who did something: a member's identity has up to 254 characters.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

BEFORE, NOW = sa.String(length=200), sa.String(length=260)

NULLABLE = {
    "statuspage_account": True,
    "statuspage_audit": False,
    "statuspage_condition": True,
    "statuspage_incident_update": True,
    "statuspage_maintenance_update": True,
    "statuspage_status_interval": True,
    "statuspage_subscription": True,
}
"""Each table whose ``actor`` it is, and whether there may be none."""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return  # it holds no text to a length, and would copy every table
    for table, nullable in NULLABLE.items():
        op.alter_column(table, "actor", type_=NOW, existing_type=BEFORE, existing_nullable=nullable)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, nullable in NULLABLE.items():
        row = sa.table(table, sa.column("actor", NOW))
        cut = sa.func.substr(row.c.actor, 1, BEFORE.length)
        op.execute(
            row.update().where(sa.func.char_length(row.c.actor) > BEFORE.length).values(actor=cut)
        )
        op.alter_column(table, "actor", type_=BEFORE, existing_type=NOW, existing_nullable=nullable)
