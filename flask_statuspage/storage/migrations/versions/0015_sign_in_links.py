"""Several links to sign in work for a member at a time.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import UtcDateTime

revision = "0015"
down_revision = "0014"

TABLE, INDEX = "statuspage_sign_in_link", "ix_statuspage_sign_in_link_member_id"


def _columns() -> list[sa.Column[Any]]:
    """What knew the one link that worked before."""
    return [
        sa.Column("link_digest", sa.String(length=64), nullable=True),
        sa.Column("link_failures", sa.Integer(), nullable=False, server_default="0"),
    ]


def _there() -> set[str]:
    columns = sa.inspect(op.get_bind()).get_columns("statuspage_member")
    return {column["name"] for column in columns}


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_statuspage_sign_in_link"),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["statuspage_member.id"],
            name="fk_statuspage_sign_in_link_member_id",
            ondelete="CASCADE",
        ),
        if_not_exists=True,
    )
    op.create_index(INDEX, TABLE, ["member_id"], if_not_exists=True)
    if op.get_bind().dialect.name == "sqlite" and sqlite3.sqlite_version_info < (3, 35):
        return  # it drops no column; copying the table would take second factors along. Nothing reads them.
    there = _there()
    for column in _columns():
        if column.name in there:
            op.drop_column("statuspage_member", column.name)


def downgrade() -> None:
    there = _there()
    for column in _columns():
        if column.name not in there:
            op.add_column("statuspage_member", column)
    op.drop_table(TABLE)
