"""Policies, levels, owners and two live secrets of subscriptions; endpoints' behaviour; an attempt log to count in.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import UtcDateTime
from flask_statuspage.storage.encryption import reveal, seal
from flask_statuspage.storage.subscriptions import origin

revision = "0007"
down_revision = "0006"

OLD = (
    ("ix_statuspage_delivery_state_due", "statuspage_delivery", ["state", "due_at"]),
    ("ix_statuspage_delivery_lease_token", "statuspage_delivery", ["lease_token"]),
)
PARTIAL = {
    "ix_statuspage_delivery_leased": sa.text("lease_until IS NOT NULL"),
}
INDEXES = (
    ("ix_statuspage_delivery_line", "statuspage_delivery", ["state", "due_at", "sequence"]),
    ("ix_statuspage_delivery_leased", "statuspage_delivery", ["lease_until"]),
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

SUBSCRIPTION = sa.table(
    "statuspage_subscription",
    sa.column("id", sa.Uuid()),
    sa.column("format", sa.String()),
    sa.column("address", sa.String()),
    sa.column("sealed_address", sa.Text()),
)
DELIVERY = sa.table(
    "statuspage_delivery", sa.column("id", sa.Uuid()), sa.column("subscription_id", sa.Uuid())
)
EVENT = sa.table(
    "statuspage_event",
    sa.column("sequence", sa.BigInteger()),
    sa.column("subject_id", sa.Uuid()),
    sa.column("data", sa.JSON()),
)


def _columns() -> dict[str, list[sa.Column[Any]]]:
    """What is added, by table. A column is made anew for each use, as it belongs to one table only."""
    return {
        "statuspage_subscription": [
            sa.Column("sealed_address", sa.Text(), nullable=True),
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
    _seal_addresses()


def _seal_addresses() -> None:
    """Encrypt the addresses of the one format here whose addresses are secrets, also where events tell them."""
    bind = op.get_bind()
    open_ones = sa.select(SUBSCRIPTION.c.id, SUBSCRIPTION.c.address).where(
        SUBSCRIPTION.c.format == "slack", SUBSCRIPTION.c.sealed_address.is_(None)
    )
    for ident, address in bind.execute(open_ones).all():
        shown = origin(address)
        sent = sa.select(DELIVERY.c.id).where(DELIVERY.c.subscription_id == ident)
        about = sa.or_(EVENT.c.subject_id == ident, EVENT.c.subject_id.in_(sent))
        events = sa.select(EVENT.c.sequence, EVENT.c.data).where(about)
        for sequence, data in bind.execute(events).all():
            if (data.get("subscription") or {}).get("address") == address:
                data["subscription"]["address"] = shown
                one = EVENT.c.sequence == sequence
                bind.execute(sa.update(EVENT).where(one).values(data=data))
        # Last: a row that has it is done.
        values = {"address": shown, "sealed_address": seal(address)}
        bind.execute(sa.update(SUBSCRIPTION).where(SUBSCRIPTION.c.id == ident).values(values))


def _open_addresses() -> None:
    bind = op.get_bind()
    columns = (SUBSCRIPTION.c.id, SUBSCRIPTION.c.sealed_address)
    sealed = sa.select(*columns).where(SUBSCRIPTION.c.sealed_address.is_not(None))
    for ident, text in bind.execute(sealed).all():
        one = SUBSCRIPTION.c.id == ident
        bind.execute(sa.update(SUBSCRIPTION).where(one).values(address=reveal(text)))


def downgrade() -> None:
    _open_addresses()
    for name, table, names in OLD:
        op.create_index(name, table, names)
    op.drop_table("statuspage_endpoint")
    for name, table, _ in INDEXES[:-1]:
        op.drop_index(name, table)
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
