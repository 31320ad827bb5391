"""More about pages, components and incidents: branding, visibility, sources of statuses, origins of imports.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import UtcDateTime

revision = "0006"
down_revision = "0005"


def _columns() -> dict[str, list[sa.Column[Any]]]:
    """What is added, by table. A column is made anew for each use, as it belongs to one table only."""
    return {
        "statuspage_page": [
            sa.Column("locale", sa.String(length=40), nullable=True),
            sa.Column("visibility", sa.String(length=40), nullable=False, server_default="public"),
            sa.Column("link_token", sa.String(length=64), nullable=True),
            sa.Column("logo", sa.String(length=500), nullable=True),
            sa.Column("colours", sa.JSON(none_as_null=True), nullable=True),
            sa.Column("header", sa.Text(), nullable=True),
            sa.Column("footer", sa.Text(), nullable=True),
        ],
        "statuspage_component_group": [sa.Column("origin", sa.String(length=200), nullable=True)],
        "statuspage_component": [
            sa.Column("showcase", sa.Boolean(), nullable=False, server_default=sa.true()),
            sa.Column("start_date", sa.Date(), nullable=True),
            sa.Column("origin", sa.String(length=200), nullable=True),
        ],
        "statuspage_status_interval": [
            sa.Column("source", sa.String(length=40), nullable=True),
            sa.Column("actor", sa.String(length=200), nullable=True),
        ],
        "statuspage_incident": [
            sa.Column("automatic", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("next_update_due", UtcDateTime(), nullable=True),
            sa.Column("origin", sa.String(length=200), nullable=True),
        ],
        "statuspage_incident_update": [
            sa.Column("notified", sa.Boolean(), nullable=False, server_default=sa.true()),
            sa.Column("origin", sa.String(length=200), nullable=True),
        ],
    }


UNIQUE = {
    "uq_statuspage_page_link_token": ("statuspage_page", ["link_token"]),
    "uq_statuspage_component_group_origin": ("statuspage_component_group", ["page_id", "origin"]),
    "uq_statuspage_component_origin": ("statuspage_component", ["page_id", "origin"]),
    "uq_statuspage_incident_origin": ("statuspage_incident", ["page_id", "origin"]),
}


def upgrade() -> None:
    inspector = sa.inspect(op.get_bind())
    added = set()
    for table, columns in _columns().items():
        there = {column["name"] for column in inspector.get_columns(table)}
        for column in columns:
            if column.name not in there:
                op.add_column(table, column)
                added.add(column.name)
    for name, (table, names) in UNIQUE.items():
        op.create_index(name, table, names, unique=True, if_not_exists=True)
    if "automatic" not in added:
        return
    # Until now an incident that a monitor is linked to was always opened by it. Only now: once the column is there,
    # people link theirs, too.
    incident = sa.table(
        "statuspage_incident", sa.column("automatic", sa.Boolean), sa.column("monitor_id", sa.Uuid)
    )
    op.execute(
        incident.update().where(incident.c.monitor_id.is_not(None)).values(automatic=sa.true())
    )


def downgrade() -> None:
    for name, (table, _) in UNIQUE.items():
        op.drop_index(name, table)
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
