"""Who is subscribed, for members who look after them: narrowed, counted, walked through, and many looked up at once."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from . import lists
from .session import in_pages
from .subscriptions import Subscription, SubscriptionState
from .suppressions import Suppression

AT_ONCE = 500
"""Addresses that one statement asks for."""


def of_page(
    page_id: UUID,
    *,
    channel: str | None = None,
    state: SubscriptionState | None = None,
    component_id: UUID | None = None,
    search: str | None = None,
    silenced: bool = False,
) -> Select[Subscription]:
    """As :func:`.lists.subscriptions` has them, in the order of their ids, the newest first.

    :param silenced: only those to whose address nothing may be sent.
    """
    query = lists.subscriptions(
        page_id, channel=channel, state=state, component_id=component_id, search=search
    )
    query = query.order_by(None).order_by(Subscription.id.desc())
    return query.where(_is_silenced()) if silenced else query


def after(query: Select[Subscription], cursor: UUID | None, *, limit: int) -> Select[Subscription]:
    """The next *limit* of them in the order of their ids."""
    query = query.order_by(None).order_by(Subscription.id).limit(limit)
    return query if cursor is None else query.where(Subscription.id > cursor)


def count_states(session: Session, page_id: UUID) -> dict[SubscriptionState, int]:
    """How many subscriptions of the page are in each state."""
    query = select(Subscription.state, func.count()).where(Subscription.page_id == page_id)
    return {row[0]: row[1] for row in session.execute(query.group_by(Subscription.state))}


def count_silenced(session: Session, page_id: UUID) -> int:
    """Of how many subscriptions of the page nothing may be sent to the address."""
    query = select(func.count(Subscription.id)).where(Subscription.page_id == page_id)
    return session.scalar(query.where(_is_silenced())) or 0


def known(
    session: Session, page_id: UUID, channel: str, digests: Collection[str]
) -> dict[str, SubscriptionState]:
    """How those of these addresses are that the page knows, by what stands for them."""
    found: dict[str, SubscriptionState] = {}
    for some in in_pages(digests, AT_ONCE):
        query = select(Subscription.address_digest, Subscription.state).where(
            Subscription.page_id == page_id,
            Subscription.channel == channel,
            Subscription.address_digest.in_(some),
        )
        found |= {row[0]: row[1] for row in session.execute(query)}
    return found


def silenced(session: Session, channel: str, digests: Collection[str]) -> dict[str, Suppression]:
    """Why nothing may be sent to those of these addresses of which that is so, by what stands for them."""
    found: dict[str, Suppression] = {}
    for some in in_pages(digests, AT_ONCE):
        query = select(Suppression).where(
            Suppression.channel == channel, Suppression.digest.in_(some)
        )
        found |= {row.digest: row for row in session.scalars(query)}
    return found


def _is_silenced() -> ColumnElement[bool]:
    here = select(Suppression.id).where(
        Suppression.channel == Subscription.channel,
        Suppression.digest == Subscription.address_digest,
    )
    return here.exists()
