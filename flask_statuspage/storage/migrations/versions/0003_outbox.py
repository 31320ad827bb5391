"""Subscriptions and the outbox.

Every statement can be repeated: MariaDB commits after each one, so an upgrade that was killed is simply run again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import LongText, Serial, UtcDateTime

revision = "0003"
down_revision = "0002"

TABLES = (
    "statuspage_subscription",
    "statuspage_subscription_component",
    "statuspage_signup_attempt",
    "statuspage_event",
    "statuspage_delivery",
    "statuspage_attempt",
)


def upgrade() -> None:
    op.create_table(
        "statuspage_subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=2048), nullable=False),
        sa.Column("address_digest", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=40), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("events", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("nonce", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("mailed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id"], ["statuspage_page.id"], name="fk_statuspage_subscription_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_subscription"),
        sa.UniqueConstraint(
            "page_id", "channel", "address_digest", name="uq_statuspage_subscription_address"
        ),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_subscription_page_state",
        "statuspage_subscription",
        ["page_id", "state", "id"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_subscription_component",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("component_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"],
            ["statuspage_component.id"],
            name="fk_statuspage_subscription_component_component_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["statuspage_subscription.id"],
            name="fk_statuspage_subscription_component_subscription",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_subscription_component"),
        sa.UniqueConstraint(
            "subscription_id", "component_id", name="uq_statuspage_subscription_component_pair"
        ),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_subscription_component_component_id",
        "statuspage_subscription_component",
        ["component_id"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_signup_attempt",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_signup_attempt"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_signup_attempt_digest",
        "statuspage_signup_attempt",
        ["digest", "at"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_event",
        sa.Column("sequence", Serial, autoincrement=True, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("component_ids", sa.JSON(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("fanned_out_at", UtcDateTime(), nullable=True),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["page_id"], ["statuspage_page.id"], name="fk_statuspage_event_page_id"
        ),
        sa.PrimaryKeyConstraint("sequence", name="pk_statuspage_event"),
        sa.UniqueConstraint("id", name="uq_statuspage_event_id"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_event_fanned_out_at",
        "statuspage_event",
        ["fanned_out_at"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_event_page_id",
        "statuspage_event",
        ["page_id"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_event_subject_id",
        "statuspage_event",
        ["subject_id"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", Serial, nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("body", LongText, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["statuspage_event.id"], name="fk_statuspage_delivery_event_id"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["statuspage_subscription.id"],
            name="fk_statuspage_delivery_subscription_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_delivery"),
        sa.UniqueConstraint(
            "event_id", "subscription_id", name="uq_statuspage_delivery_event_id_subscription_id"
        ),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_delivery_lease_token",
        "statuspage_delivery",
        ["lease_token"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_delivery_order",
        "statuspage_delivery",
        ["subscription_id", "subject_id", "state", "sequence"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_delivery_state_due",
        "statuspage_delivery",
        ["state", "due_at"],
        unique=False,
        if_not_exists=True,
    )

    op.create_table(
        "statuspage_attempt",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("answer", LongText, nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["statuspage_delivery.id"],
            name="fk_statuspage_attempt_delivery_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_attempt"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_attempt_delivery_id",
        "statuspage_attempt",
        ["delivery_id"],
        unique=False,
        if_not_exists=True,
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
