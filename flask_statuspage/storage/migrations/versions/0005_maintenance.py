"""Maintenance windows and templates.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import LongText, UtcDateTime

revision = "0005"
down_revision = "0004"

TABLES = (
    "statuspage_maintenance",
    "statuspage_maintenance_component",
    "statuspage_maintenance_update",
    "statuspage_template",
)


def upgrade() -> None:
    op.create_table(
        "statuspage_maintenance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("scheduled_start", UtcDateTime(), nullable=False),
        sa.Column("scheduled_end", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("auto_start", sa.Boolean(), nullable=False),
        sa.Column("auto_complete", sa.Boolean(), nullable=False),
        sa.Column("remind_before", sa.JSON(), nullable=False),
        sa.Column("reminded", sa.JSON(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("rrule", sa.String(length=200), nullable=True),
        sa.Column("exceptions", sa.JSON(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("series_start", UtcDateTime(), nullable=True),
        sa.Column("series_zone", sa.String(length=200), nullable=True),
        sa.Column("occurrence_at", UtcDateTime(), nullable=True),
        sa.Column("origin", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["statuspage_page.id"], name="fk_statuspage_maintenance_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_maintenance"),
        sa.UniqueConstraint(
            "series_id", "occurrence_at", name="uq_statuspage_maintenance_series_id_occurrence_at"
        ),
        if_not_exists=True,
    )
    _index("ix_statuspage_maintenance_next_at", "statuspage_maintenance", "next_at")
    _index(
        "ix_statuspage_maintenance_page_start",
        "statuspage_maintenance",
        "page_id",
        "scheduled_start",
    )
    _index("ix_statuspage_maintenance_status_page", "statuspage_maintenance", "status", "page_id")
    op.create_index(
        "uq_statuspage_maintenance_origin",
        "statuspage_maintenance",
        ["page_id", "origin"],
        unique=True,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_maintenance_component",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("maintenance_id", sa.Uuid(), nullable=False),
        sa.Column("component_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"],
            ["statuspage_component.id"],
            name="fk_statuspage_maintenance_component_component_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["maintenance_id"],
            ["statuspage_maintenance.id"],
            name="fk_statuspage_maintenance_component_maintenance_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_maintenance_component"),
        sa.UniqueConstraint(
            "maintenance_id", "component_id", name="uq_statuspage_maintenance_component"
        ),
        if_not_exists=True,
    )
    _index(
        "ix_statuspage_maintenance_component_component_id",
        "statuspage_maintenance_component",
        "component_id",
    )

    op.create_table(
        "statuspage_maintenance_update",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("maintenance_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("body", LongText, nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=True),
        sa.Column("notified", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["maintenance_id"],
            ["statuspage_maintenance.id"],
            name="fk_statuspage_maintenance_update_maintenance_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_maintenance_update"),
        sa.UniqueConstraint(
            "maintenance_id",
            "number",
            name="uq_statuspage_maintenance_update_maintenance_id_number",
        ),
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", LongText, nullable=False),
        sa.Column("status", sa.String(length=40), nullable=True),
        sa.Column("impact", sa.String(length=40), nullable=True),
        sa.Column("components", sa.JSON(), nullable=False),
        sa.Column("placeholders", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["statuspage_page.id"], name="fk_statuspage_template_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_template"),
        sa.UniqueConstraint(
            "page_id", "kind", "name", name="uq_statuspage_template_page_id_kind_name"
        ),
        if_not_exists=True,
    )


def _index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, list(columns), unique=False, if_not_exists=True)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
