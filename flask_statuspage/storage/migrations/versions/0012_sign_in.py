"""How members sign in by a mailed link, and their second factor.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import UtcDateTime

revision = "0012"
down_revision = "0011"


def _columns() -> list[sa.Column[Any]]:
    """What members get. A column is made anew for each use, as it belongs to one table only."""
    return [
        sa.Column("last_seen_at", UtcDateTime(), nullable=True),
        sa.Column("sessions", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("letter", sa.String(length=40), nullable=True),
        sa.Column("letter_asked_at", UtcDateTime(), nullable=True),
        sa.Column("letter_tried_at", UtcDateTime(), nullable=True),
        sa.Column("link_digest", sa.String(length=64), nullable=True),
        sa.Column("link_failures", sa.Integer(), nullable=False, server_default="0"),
    ]


def upgrade() -> None:
    there = {
        column["name"] for column in sa.inspect(op.get_bind()).get_columns("statuspage_member")
    }
    for column in _columns():
        if column.name not in there:
            op.add_column("statuspage_member", column)
    op.create_table(
        "statuspage_second_factor",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("recovery", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name="pk_statuspage_second_factor"),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["statuspage_member.id"],
            name="fk_statuspage_second_factor_member_id",
            ondelete="CASCADE",
        ),
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("statuspage_second_factor")
    with op.batch_alter_table("statuspage_member") as batch:
        for column in _columns():
            batch.drop_column(column.name)
