"""What the manage API answered to requests with an ``Idempotency-Key``.

Every statement of an upgrade can be repeated: MariaDB commits after each one, so one that was killed is simply run
again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from flask_statuspage.storage.base import LongText, UtcDateTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "statuspage_kept_answer",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("answer", LongText, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_statuspage_kept_answer"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_statuspage_kept_answer_created_at",
        "statuspage_kept_answer",
        ["created_at"],
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("statuspage_kept_answer")
