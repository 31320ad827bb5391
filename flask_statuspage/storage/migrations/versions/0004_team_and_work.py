"""API keys, the audit, and who works.

Every statement can be repeated: MariaDB commits after each one, so an upgrade that was killed is simply run again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import Serial, UtcDateTime

revision = "0004"
down_revision = "0003"

TABLES = (
    "statuspage_token",
    "statuspage_audit",
    "statuspage_lease",
    "statuspage_pulse",
)


def upgrade() -> None:
    op.create_table(
        "statuspage_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_token"),
        sa.UniqueConstraint("digest", name="uq_statuspage_token_digest"),
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_audit",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_audit"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_audit_at", "statuspage_audit", ["at"], unique=False, if_not_exists=True
    )
    op.create_index(
        "ix_statuspage_audit_subject",
        "statuspage_audit",
        ["subject", "subject_id"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_statuspage_lease"),
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_pulse",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_pulse"),
        if_not_exists=True,
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
