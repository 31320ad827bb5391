"""Monitors and their checks.

Every statement can be repeated: MariaDB commits after each one, so an upgrade that was killed is simply run again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import Serial, UtcDateTime

revision = "0002"
down_revision = "0001"

TABLES = (
    "statuspage_monitor",
    "statuspage_monitor_region",
    "statuspage_check",
)


def upgrade() -> None:
    op.create_table(
        "statuspage_monitor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("component_id", sa.Uuid(), nullable=True),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=2048), nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("timeout", sa.Double(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("failure_threshold", sa.Integer(), nullable=False),
        sa.Column("recovery_threshold", sa.Integer(), nullable=False),
        sa.Column("degraded_over_ms", sa.Integer(), nullable=True),
        sa.Column("outage_status", sa.String(40), nullable=False),
        sa.Column("open_incident", sa.Boolean(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("paused_at", UtcDateTime(), nullable=True),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("verdict_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"], ["statuspage_component.id"], name="fk_statuspage_monitor_component_id"
        ),
        sa.ForeignKeyConstraint(
            ["page_id"], ["statuspage_page.id"], name="fk_statuspage_monitor_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_monitor"),
        sa.UniqueConstraint("page_id", "slug", name="uq_statuspage_monitor_page_id_slug"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_monitor_component_id",
        "statuspage_monitor",
        ["component_id"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_monitor_region",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("monitor_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("claim", sa.Uuid(), nullable=True),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("down", sa.Integer(), nullable=False),
        sa.Column("impaired", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("healthy", sa.Integer(), nullable=False),
        sa.Column("last_outcome", sa.String(40), nullable=True),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("last_ms", sa.Integer(), nullable=True),
        sa.Column("last_code", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["monitor_id"],
            ["statuspage_monitor.id"],
            name="fk_statuspage_monitor_region_monitor_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_monitor_region"),
        sa.UniqueConstraint(
            "monitor_id", "region", name="uq_statuspage_monitor_region_monitor_id_region"
        ),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_monitor_region_claim",
        "statuspage_monitor_region",
        ["claim"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_monitor_region_region_due",
        "statuspage_monitor_region",
        ["region", "due_at"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_check",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("monitor_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["monitor_id"],
            ["statuspage_monitor.id"],
            name="fk_statuspage_check_monitor_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_check"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_check_at", "statuspage_check", ["at"], unique=False, if_not_exists=True
    )
    op.create_index(
        "ix_statuspage_check_monitor_at",
        "statuspage_check",
        ["monitor_id", "at"],
        unique=False,
        if_not_exists=True,
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
