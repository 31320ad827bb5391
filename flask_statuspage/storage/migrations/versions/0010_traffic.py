"""What the site's own blueprints answered, counted by ten seconds.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import LongText, UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "statuspage_traffic",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("histogram", LongText, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_traffic"),
        if_not_exists=True,
    )
    for name, columns in (("name_at", ["name", "at"]), ("at", ["at"])):
        index = f"ix_statuspage_traffic_{name}"
        op.create_index(index, "statuspage_traffic", columns, if_not_exists=True)


def downgrade() -> None:
    op.drop_table("statuspage_traffic")
