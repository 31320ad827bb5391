"""Readers' languages and clocks, what other sides call our messages, suppressed addresses, accounts, members.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import Serial, UtcDateTime

revision = "0008"
down_revision = "0007"

SLACK_HOSTS = ("https://hooks.slack.com/", "https://hooks.slack-gov.com/")
SUBSCRIPTION = sa.table(
    "statuspage_subscription",
    sa.column("id", sa.Uuid()),
    sa.column("page_id", sa.Uuid()),
    sa.column("channel", sa.String()),
    sa.column("format", sa.String()),
    sa.column("address", sa.String()),
    sa.column("address_digest", sa.String()),
    sa.column("secret", sa.Text()),
    sa.column("previous_secret", sa.Text()),
    sa.column("previous_until", UtcDateTime()),
)

TABLES = ("statuspage_suppression", "statuspage_account", "statuspage_member")

RECIPIENT_INDEX = "ix_statuspage_subscription_recipient"


def _columns() -> dict[str, list[sa.Column[Any]]]:
    """What is added, by table. A column is made anew for each use, as it belongs to one table only."""
    return {
        "statuspage_subscription": [
            sa.Column("locale", sa.String(length=40), nullable=True),
            sa.Column("time_zone", sa.String(length=64), nullable=True),
        ],
        "statuspage_delivery": [
            sa.Column("remote_id", sa.String(length=200), nullable=True),
            sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()),
        ],
        "statuspage_attempt": [
            sa.Column("channel", sa.String(length=40), nullable=True),
            sa.Column("waited", sa.Integer(), nullable=True),
        ],
    }


def upgrade() -> None:
    inspector = sa.inspect(op.get_bind())
    for table, columns in _columns().items():
        there = {column["name"] for column in inspector.get_columns(table)}
        for column in columns:
            if column.name not in there:
                op.add_column(table, column)
    op.create_index(
        RECIPIENT_INDEX, "statuspage_subscription", ["address_digest"], if_not_exists=True
    )
    op.create_table(
        "statuspage_suppression",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_suppression"),
        sa.UniqueConstraint("channel", "digest", name="uq_statuspage_suppression_address"),
        if_not_exists=True,
    )
    op.create_table(
        "statuspage_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("remote_id", sa.String(length=64), nullable=False),
        sa.Column("credentials", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_account"),
        sa.ForeignKeyConstraint(
            ["page_id"], ["statuspage_page.id"], name="fk_statuspage_account_page_id"
        ),
        sa.UniqueConstraint("page_id", "kind", "remote_id", name="uq_statuspage_account_remote"),
        if_not_exists=True,
    )
    op.create_table(
        "statuspage_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("identity", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_statuspage_member"),
        sa.UniqueConstraint("identity", name="uq_statuspage_member_identity"),
        if_not_exists=True,
    )
    # Slack reads no signature, so its channel has no secret.
    unsigned = {"secret": None, "previous_secret": None, "previous_until": None}
    leads_to_slack = sa.or_(*(SUBSCRIPTION.c.address.startswith(host) for host in SLACK_HOSTS))
    _move("webhook", "slack", leads_to_slack, unsigned)


def _move(old: str, new: str, which: sa.ColumnElement[bool], values: dict[str, None]) -> None:
    """Give what is sent in Slack's format to another channel, unless that has the page's address already."""
    bind = op.get_bind()
    other = SUBSCRIPTION.alias()
    taken = sa.exists().where(
        other.c.channel == new,
        other.c.page_id == SUBSCRIPTION.c.page_id,
        other.c.address_digest == SUBSCRIPTION.c.address_digest,
    )
    found = sa.select(SUBSCRIPTION.c.id).where(
        SUBSCRIPTION.c.channel == old, SUBSCRIPTION.c.format == "slack", which, ~taken
    )
    # Read first: MySQL does not update what the same statement reads.
    for ident in bind.scalars(found).all():
        one = sa.update(SUBSCRIPTION).where(SUBSCRIPTION.c.id == ident)
        bind.execute(one.values(channel=new, **values))


def downgrade() -> None:
    _move("slack", "webhook", sa.true(), {})
    for table in TABLES:
        op.drop_table(table)
    op.drop_index(RECIPIENT_INDEX, "statuspage_subscription")
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
