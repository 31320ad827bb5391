"""Policies, levels, owners and two live secrets of subscriptions; endpoints' behaviour; an attempt log to count in.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import UtcDateTime

revision = "0007"
down_revision = "0006"

OLD = (
    ("ix_statuspage_delivery_state_due", "statuspage_delivery", ["state", "due_at"]),
    ("ix_statuspage_delivery_lease_token", "statuspage_delivery", ["lease_token"]),
)
PARTIAL = {
    "ix_statuspage_delivery_leased": sa.text("lease_until IS NOT NULL"),
    "ix_statuspage_delivery_neighbours": sa.text("coalesce(state, '') = 'pending'"),
}
INDEXES = (
    ("ix_statuspage_delivery_line", "statuspage_delivery", ["state", "due_at", "sequence"]),
    ("ix_statuspage_delivery_leased", "statuspage_delivery", ["lease_until"]),
    (
        "ix_statuspage_delivery_neighbours",
        "statuspage_delivery",
        ["subscription_id", "subject_id", "sequence"],
    ),
    ("ix_statuspage_delivery_finished_at", "statuspage_delivery", ["finished_at"]),
    (
        "ix_statuspage_subscription_previous_until",
        "statuspage_subscription",
        ["previous_until"],
    ),
    ("ix_statuspage_event_occurred_at", "statuspage_event", ["occurred_at"]),
    ("ix_statuspage_attempt_subscription", "statuspage_attempt", ["subscription_id", "started_at"]),
    ("ix_statuspage_attempt_started", "statuspage_attempt", ["started_at"]),
    ("ix_statuspage_endpoint_updated_at", "statuspage_endpoint", ["updated_at"]),
)


def _columns() -> dict[str, list[sa.Column[Any]]]:
    """What is added, by table. A column is made anew for each use, as it belongs to one table only."""
    return {
        "statuspage_subscription": [
            sa.Column("previous_secret", sa.Text(), nullable=True),
            sa.Column("previous_until", UtcDateTime(), nullable=True),
            sa.Column("level", sa.String(length=40), nullable=True),
            sa.Column("policy", sa.JSON(none_as_null=True), nullable=True),
            sa.Column("contact", sa.String(length=254), nullable=True),
        ],
        "statuspage_delivery": [
            sa.Column("endpoint", sa.String(length=260), nullable=True),
            sa.Column("notice_to", sa.String(length=254), nullable=True),
            sa.Column("losses", sa.Integer(), nullable=False, server_default="0"),
            # What was written by an older version keeps its order.
            sa.Column("in_order", sa.Boolean(), nullable=False, server_default=sa.true()),
        ],
        "statuspage_attempt": [
            sa.Column("subscription_id", sa.Uuid(), nullable=True),
            sa.Column("kind", sa.String(length=40), nullable=True),
        ],
    }


def upgrade() -> None:
    inspector = sa.inspect(op.get_bind())
    for table, columns in _columns().items():
        there = {column["name"] for column in inspector.get_columns(table)}
        for column in columns:
            if column.name not in there:
                op.add_column(table, column)
    op.create_table(
        "statuspage_endpoint",
        sa.Column("name", sa.String(length=260), nullable=False),
        sa.Column("milliseconds", sa.Float(), nullable=False),
        sa.Column("timeouts", sa.Integer(), nullable=False),
        sa.Column("at_once", sa.Integer(), nullable=False),
        sa.Column("is_slow", sa.Boolean(), nullable=False),
        sa.Column("rests_until", UtcDateTime(), nullable=True),
        sa.Column("rests", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_statuspage_endpoint"),
        if_not_exists=True,
    )
    for name, table, names in INDEXES:
        only = PARTIAL.get(name)
        op.create_index(
            name, table, names, postgresql_where=only, sqlite_where=only, if_not_exists=True
        )
    for name, table, _ in OLD:
        op.drop_index(name, table, if_exists=True)


def downgrade() -> None:
    for name, table, names in OLD:
        op.create_index(name, table, names)
    op.drop_table("statuspage_endpoint")
    for name, table, _ in INDEXES[:-1]:
        op.drop_index(name, table)
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
