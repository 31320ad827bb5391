"""An index by which the subscriptions of a page are walked through in the order of their ids, without sorting them all
for each batch.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"

NAME, TABLE = "ix_statuspage_subscription_page_id", "statuspage_subscription"


def upgrade() -> None:
    op.create_index(NAME, TABLE, ["page_id", "id"], if_not_exists=True)


def downgrade() -> None:
    op.drop_index(NAME, TABLE, if_exists=True)
