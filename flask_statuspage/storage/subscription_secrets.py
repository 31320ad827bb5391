"""The secrets of subscriptions as they are stored, and the end of those that count no more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, select, type_coerce, update
from sqlalchemy.orm import Session

from .subscriptions import Subscription


def sealed_secrets(
    session: Session, ids: Collection[UUID]
) -> dict[UUID, tuple[str | None, str | None]]:
    """The secrets of *ids* as they are stored, and those before them; :func:`.encryption.reveal` opens one."""
    query = select(
        Subscription.id,
        type_coerce(Subscription.secret, Text),
        type_coerce(Subscription.previous_secret, Text),
    )
    rows = session.execute(query.where(Subscription.id.in_(ids)))
    return {row[0]: (row[1], row[2]) for row in rows}


def sealed_secret(session: Session, subscription_id: UUID) -> str | None:
    """The secret of a subscription that is held, as it is stored, and as it is now.

    With a lock, as MariaDB reads what this transaction saw first otherwise, and that may be before the row was made.
    """
    query = select(type_coerce(Subscription.secret, Text)).where(Subscription.id == subscription_id)
    return session.scalar(query.with_for_update())


def erase_previous_secrets(session: Session, before: datetime, *, limit: int) -> int:
    """Erase at most *limit* previous secrets that counted until *before*; returns how many."""
    query = select(Subscription.id).where(Subscription.previous_until <= before).limit(limit)
    ids = session.scalars(query).all()
    if ids:
        # The instant once more: one that is changed at this moment has another previous secret.
        session.execute(
            update(Subscription)
            .where(Subscription.id.in_(ids), Subscription.previous_until <= before)
            .values(previous_secret=None, previous_until=None),
            execution_options={"synchronize_session": False},
        )
    return len(ids)
