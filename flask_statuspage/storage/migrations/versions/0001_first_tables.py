"""Pages, components and incidents.

Every statement can be repeated: MariaDB commits after each one, so an upgrade that was killed is simply run again.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from flask_statuspage.domain.ids import new_id
from flask_statuspage.storage.base import LongText, UtcDateTime

revision = "0001"
down_revision = None

TABLES = (
    "statuspage_page",
    "statuspage_component_group",
    "statuspage_component",
    "statuspage_condition",
    "statuspage_status_interval",
    "statuspage_incident",
    "statuspage_incident_component",
    "statuspage_incident_update",
)


def upgrade() -> None:
    op.create_table(
        "statuspage_page",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("url", sa.String(length=500), nullable=True),
        sa.Column("time_zone", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_page"),
        sa.UniqueConstraint("slug", name="uq_statuspage_page_slug"),
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_component_group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["statuspage_page.id"], name="fk_statuspage_component_group_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_component_group"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_component_group_page_id",
        "statuspage_component_group",
        ["page_id"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_component",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("only_show_if_degraded", sa.Boolean(), nullable=False),
        sa.Column("archived_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["statuspage_component_group.id"], name="fk_statuspage_component_group_id"
        ),
        sa.ForeignKeyConstraint(
            ["page_id"], ["statuspage_page.id"], name="fk_statuspage_component_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_component"),
        sa.UniqueConstraint("page_id", "slug", name="uq_statuspage_component_page_id_slug"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_component_group_id",
        "statuspage_component",
        ["group_id"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_condition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("component_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["component_id"],
            ["statuspage_component.id"],
            name="fk_statuspage_condition_component_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_condition"),
        sa.UniqueConstraint(
            "component_id",
            "source",
            "reference",
            name="uq_statuspage_condition_component_id_source_reference",
        ),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_condition_until",
        "statuspage_condition",
        ["until"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_status_interval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("component_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["component_id"],
            ["statuspage_component.id"],
            name="fk_statuspage_status_interval_component_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_status_interval"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_status_interval_component_started",
        "statuspage_status_interval",
        ["component_id", "started_at"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("monitor_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("impact", sa.String(40), nullable=False),
        sa.Column("impact_set", sa.Boolean(), nullable=False),
        sa.Column("visibility", sa.String(length=40), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("monitoring_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["statuspage_page.id"], name="fk_statuspage_incident_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_incident"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_incident_monitor_status",
        "statuspage_incident",
        ["monitor_id", "status"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_incident_page_started",
        "statuspage_incident",
        ["page_id", "started_at"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_incident_component",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("component_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"],
            ["statuspage_component.id"],
            name="fk_statuspage_incident_component_component_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["statuspage_incident.id"],
            name="fk_statuspage_incident_component_incident_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_incident_component"),
        sa.UniqueConstraint(
            "incident_id",
            "component_id",
            name="uq_statuspage_incident_component_incident_id_component_id",
        ),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_incident_component_component_id",
        "statuspage_incident_component",
        ["component_id"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_incident_update",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("body", LongText, nullable=False),
        sa.Column("components", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["statuspage_incident.id"],
            name="fk_statuspage_incident_update_incident_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_incident_update"),
        sa.UniqueConstraint(
            "incident_id", "number", name="uq_statuspage_incident_update_incident_id_number"
        ),
        if_not_exists=True,
    )

    _make_default_page()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _make_default_page() -> None:
    page = sa.table(
        "statuspage_page",
        sa.column("id", sa.Uuid()),
        sa.column("slug", sa.String()),
        sa.column("is_default", sa.Boolean()),
        sa.column("version", sa.Integer()),
        sa.column("created_at", UtcDateTime()),
        sa.column("updated_at", UtcDateTime()),
    )
    connection = op.get_bind()
    if connection.scalar(sa.select(page.c.id).where(page.c.is_default)) is None:
        now = datetime.now(UTC)
        connection.execute(
            page.insert().values(
                id=new_id(),
                slug="main",
                is_default=True,
                version=1,
                created_at=now,
                updated_at=now,
            )
        )
