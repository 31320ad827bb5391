"""Monitors of every kind, regions by number, compact check results, rollups.

Single check results from before are dropped: they told the same in twice the room, and nothing was made of them yet.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import LongText, Serial, UtcDateTime

revision = "0009"
down_revision = "0008"

KEPT = (
    "monitor_id",
    "region",
    "due_at",
    "verdict",
    "down",
    "impaired",
    "answered",
    "healthy",
    "last_outcome",
    "last_at",
    "last_ms",
    "last_code",
    "last_error",
)
"""What is known of a monitor in a region, before and after."""

INDEXED = {"escalates_at": False, "depends_on_id": False, "token": True}
"""New columns of a monitor with an index, and whether it is unique."""


def _columns() -> list[sa.Column[Any]]:
    """What a monitor gets. A column is made anew for each use, as it belongs to one table only."""
    return [
        sa.Column("degraded_threshold", sa.Integer(), nullable=True),
        sa.Column("escalation_intervals", sa.JSON(), nullable=True),
        sa.Column("notification_level", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("escalates_at", UtcDateTime(), nullable=True),
        sa.Column("depends_on_id", sa.Uuid(), nullable=True),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("secrets", LongText, nullable=True),
        sa.Column("token", sa.String(length=64), nullable=True),
        sa.Column("observed", sa.JSON(), nullable=True),
    ]


def upgrade() -> None:
    inspector = sa.inspect(op.get_bind())
    there = {column["name"] for column in inspector.get_columns("statuspage_monitor")}
    for column in _columns():
        if column.name not in there:
            op.add_column("statuspage_monitor", column)
    for indexed, unique in INDEXED.items():
        op.create_index(
            f"ix_statuspage_monitor_{indexed}",
            "statuspage_monitor",
            [indexed],
            unique=unique,
            if_not_exists=True,
        )
    _regions(inspector)
    op.create_table(
        "statuspage_check_result",
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("region_id", "at", name="pk_statuspage_check_result"),
        if_not_exists=True,
    )
    op.create_table(
        "statuspage_rollup",
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("span", sa.Integer(), nullable=False),
        sa.Column("up", sa.Integer(), nullable=False),
        sa.Column("degraded", sa.Integer(), nullable=False),
        sa.Column("down", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("maintained", sa.Integer(), nullable=False),
        sa.Column("maintained_down", sa.Integer(), nullable=False),
        sa.Column("ms_count", sa.Integer(), nullable=False),
        sa.Column("ms_sum", sa.BigInteger(), nullable=False),
        sa.Column("ms_min", sa.Integer(), nullable=True),
        sa.Column("ms_max", sa.Integer(), nullable=True),
        sa.Column("histogram", LongText, nullable=False),
        sa.PrimaryKeyConstraint("region_id", "span", "at", name="pk_statuspage_rollup"),
        if_not_exists=True,
    )
    if op.get_bind().dialect.name == "postgresql":
        # Most rows are written many times: room on the page lets PostgreSQL leave the index alone.
        op.execute("ALTER TABLE statuspage_rollup SET (fillfactor = 80)")
    op.create_table(
        "statuspage_removed_region",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_removed_region"),
        if_not_exists=True,
    )


def _regions(inspector: sa.Inspector) -> None:
    """Regions get numbers instead of UUIDs, as every result of a check names one."""
    op.create_table(
        "statuspage_region",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("monitor_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("down", sa.Integer(), nullable=False),
        sa.Column("impaired", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("healthy", sa.Integer(), nullable=False),
        sa.Column("swings", sa.Integer(), nullable=False),
        sa.Column("abstained_at", UtcDateTime(), nullable=True),
        sa.Column("begun_at", UtcDateTime(), nullable=True),
        sa.Column("woken_at", UtcDateTime(), nullable=True),
        sa.Column("rhythm", sa.Double(), nullable=True),
        sa.Column("last_outcome", sa.String(40), nullable=True),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("last_ms", sa.Integer(), nullable=True),
        sa.Column("last_code", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["monitor_id"],
            ["statuspage_monitor.id"],
            name="fk_statuspage_region_monitor_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_region"),
        sa.UniqueConstraint("monitor_id", "region", name="uq_statuspage_region_monitor_id_region"),
        if_not_exists=True,
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_statuspage_region_region_due",
        "statuspage_region",
        ["region", "due_at"],
        if_not_exists=True,
    )
    if inspector.has_table("statuspage_monitor_region"):
        kept = ", ".join(KEPT)
        op.execute(
            f"INSERT INTO statuspage_region ({kept}, swings) SELECT {kept}, 0 "
            "FROM statuspage_monitor_region AS old WHERE NOT EXISTS (SELECT 1 FROM statuspage_region AS new "
            "WHERE new.monitor_id = old.monitor_id AND new.region = old.region)"
        )
    for table in ("statuspage_check", "statuspage_monitor_region"):
        op.drop_table(table, if_exists=True)


def downgrade() -> None:
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
    )
    for name, columns in (("claim", ["claim"]), ("region_due", ["region", "due_at"])):
        op.create_index(
            f"ix_statuspage_monitor_region_{name}", "statuspage_monitor_region", columns
        )
    bind = op.get_bind()
    new = sa.table("statuspage_region", *(sa.column(name) for name in KEPT))
    old = sa.table(
        "statuspage_monitor_region", sa.column("id", sa.Uuid()), *(sa.column(name) for name in KEPT)
    )
    for row in bind.execute(sa.select(new)).mappings().all():
        bind.execute(sa.insert(old).values(id=uuid4(), **row))
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
    )
    op.create_index("ix_statuspage_check_at", "statuspage_check", ["at"])
    op.create_index("ix_statuspage_check_monitor_at", "statuspage_check", ["monitor_id", "at"])
    for table in ("removed_region", "rollup", "check_result", "region"):
        op.drop_table(f"statuspage_{table}")
    for indexed in INDEXED:
        op.drop_index(f"ix_statuspage_monitor_{indexed}", "statuspage_monitor")
    with op.batch_alter_table("statuspage_monitor") as batch:
        for column in _columns():
            batch.drop_column(column.name)
