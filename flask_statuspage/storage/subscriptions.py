"""Who wants to be told, where, in which format, and of what."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    and_,
    func,
    or_,
    select,
)
from sqlalchemy.orm import (
    Mapped,
    Session,
    column_property,
    load_only,
    mapped_column,
    relationship,
    selectinload,
)

from ..domain.ids import new_id
from . import pages
from .base import Actor, Base, Json, Key, Mailbox, Word, utc_now, words
from .encryption import Encrypted, reveal, seal


class SubscriptionState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    DISABLED = "disabled"
    ENDED = "ended"


class Subscription(Base):
    """``address_digest`` makes one subscription per page, channel and address, whatever the address's length.

    Of an address that is a secret itself ``address`` tells where it leads, no more: ``https://host/…``. The whole of it
    is encrypted in ``sealed_address``.

    ``nonce`` is part of every mailed link; a new one makes the older links useless. ``events`` None: what the format
    sends unasked. ``policy`` is what it wants otherwise than its format, see
    :meth:`~flask_statuspage.domain.retry.Policy.adjusted`. Until ``previous_until`` the secret before the current one
    counts too. ``locale`` and ``time_zone`` are its reader's; None: the page's. ``contact`` is the mailbox of its owner
    where the address is none, to tell when it is disabled.
    """

    __tablename__ = "statuspage_subscription"
    __table_args__ = (
        UniqueConstraint(
            "page_id", "channel", "address_digest", name="uq_statuspage_subscription_address"
        ),
        Index("ix_statuspage_subscription_page_id", "page_id", "id"),
        Index("ix_statuspage_subscription_page_state", "page_id", "state", "id"),
        Index("ix_statuspage_subscription_recipient", "address_digest"),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("statuspage_page.id"))
    channel: Mapped[str] = mapped_column(Word)
    address: Mapped[str] = mapped_column(String(2048))
    address_digest: Mapped[str] = mapped_column(String(64))
    sealed_address: Mapped[str | None] = mapped_column(Text)
    format: Mapped[str] = mapped_column(Word)
    secret: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    previous_secret: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    previous_until: Mapped[datetime | None] = mapped_column(index=True)
    events: Mapped[list[str] | None] = mapped_column(Json(none_as_null=True))
    level: Mapped[str | None] = mapped_column(Word)
    policy: Mapped[dict[str, Any] | None] = mapped_column(Json(none_as_null=True))
    contact: Mapped[str | None] = mapped_column(Mailbox)
    locale: Mapped[str | None] = mapped_column(Word)
    time_zone: Mapped[str | None] = mapped_column(String(64))
    is_signed: ClassVar[Mapped[bool]]
    state: Mapped[SubscriptionState] = mapped_column(words(SubscriptionState))
    reason: Mapped[str | None] = mapped_column(Text)
    nonce: Mapped[str] = mapped_column(Word)
    actor: Mapped[str | None] = mapped_column(Actor)
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
    mailed_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    chosen: Mapped[list[SubscribedComponent]] = relationship(
        lazy="raise_on_sql", cascade="all, delete-orphan"
    )

    @property
    def target(self) -> str:
        """The whole address, to send to.

        :raises SetupError: when it is a secret that none of the app's keys opens.
        """
        return reveal(self.sealed_address) or self.address

    def hide_address(self) -> None:
        """Treat the address, a URL, as a secret from now on."""
        if self.sealed_address is None:
            self.sealed_address, self.address = seal(self.address), origin(self.address)


# Whether there is a secret can be told without a key that opens it.
Subscription.is_signed = column_property(Subscription.__table__.c.secret.is_not(None))


class SubscribedComponent(Base):
    """A component that a subscription chose; no row at all means all components."""

    __tablename__ = "statuspage_subscription_component"
    __table_args__ = (
        UniqueConstraint(
            "subscription_id", "component_id", name="uq_statuspage_subscription_component_pair"
        ),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    subscription_id: Mapped[UUID] = mapped_column(
        ForeignKey(
            "statuspage_subscription.id",
            name="fk_statuspage_subscription_component_subscription",
            ondelete="CASCADE",
        )
    )
    component_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_component.id", ondelete="CASCADE"), index=True
    )


def origin(address: str) -> str:
    """Where a URL leads, without what may be a secret in it: of one that is not HTTP's the host may be one, too."""
    scheme = address.partition("://")[0]
    if scheme not in ("http", "https"):
        return f"{scheme}://…"
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


def digest(address: str) -> str:
    """The fixed-length stand-in for an address that has been normalised already."""
    # A URL's path knows its case. A mailbox could, too, but none does, and its owner is one person in any spelling.
    spelling = address if "://" in address else address.lower()
    return hashlib.sha256(spelling.encode()).hexdigest()


def _whole() -> Select[Subscription]:
    return select(Subscription).options(selectinload(Subscription.chosen))


def get(session: Session, subscription_id: UUID, *, lock: bool = False) -> Subscription | None:
    """One subscription; with *lock* as it is now, held until the transaction ends, and its page's row before it.

    The page comes first everywhere: an event that is written next refers to it, and whoever holds a page writes
    deliveries that refer to subscriptions.
    """
    query = _whole().where(Subscription.id == subscription_id)
    if lock:
        page_id = session.scalar(
            select(Subscription.page_id).where(Subscription.id == subscription_id)
        )
        if page_id is None:
            return None
        pages.hold(session, page_id)
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def by_ids(session: Session, ids: Collection[UUID]) -> dict[UUID, Subscription]:
    """Those of *ids* that are still there."""
    if not ids:
        return {}
    rows = session.scalars(_whole().where(Subscription.id.in_(ids)))
    return {row.id: row for row in rows}


def formats_of(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """The formats of these subscriptions as they are now."""
    if not ids:
        return {}
    query = select(Subscription.id, Subscription.format).where(Subscription.id.in_(ids))
    return {row[0]: row[1] for row in session.execute(query)}


def by_address(
    session: Session, page_id: UUID, channel: str, address: str, *, lock: bool = True
) -> Subscription | None:
    """The one subscription of a normalised address.

    :param lock: held until the transaction ends.
    """
    return by_digest(session, page_id, channel, digest(address), lock=lock)


def by_digest(
    session: Session, page_id: UUID, channel: str, digest: str, *, lock: bool = True
) -> Subscription | None:
    """The same for whoever knows no more of the address than what stands for it."""
    query = _whole().where(
        Subscription.page_id == page_id,
        Subscription.channel == channel,
        Subscription.address_digest == digest,
    )
    if not lock:
        return session.scalar(query)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def at_address(
    session: Session, channel: str, address: str, *, lock: bool = False
) -> Sequence[Subscription]:
    """Those of a normalised address on all pages.

    :param lock: as they are now, and held; the pages must be held before.
    """
    here = (Subscription.channel == channel, Subscription.address_digest == digest(address))
    query = _whole().where(*here).order_by(Subscription.page_id, Subscription.id)
    if not lock:
        return session.scalars(query).all()
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()


def by_addresses(
    session: Session, page_id: UUID, channel: str, addresses: Collection[str]
) -> dict[str, Subscription]:
    """Those of normalised addresses by these."""
    if not addresses:
        return {}
    query = _whole().where(
        Subscription.page_id == page_id,
        Subscription.channel == channel,
        Subscription.address_digest.in_([digest(address) for address in addresses]),
    )
    return {row.address: row for row in session.scalars(query)}


def of_page(page_id: UUID) -> Select[Subscription]:
    return (
        _whole()
        .where(Subscription.page_id == page_id)
        .order_by(Subscription.created_at.desc(), Subscription.id.desc())
    )


def active_after(
    session: Session, page_id: UUID, cursor: UUID | None, *, limit: int
) -> Sequence[Subscription]:
    """The next *limit* active subscriptions of a page in the order of their ids.

    Without their secrets: whom an event concerns must not depend on keys that open them.
    """
    return session.scalars(_active_after(page_id, cursor).limit(limit)).all()


def choices_after(
    session: Session, page_id: UUID, cursor: UUID | None, *, limit: int
) -> Sequence[Subscription]:
    """The same with no more of each than what it chose, for whoever only counts."""
    needed = load_only(
        Subscription.channel, Subscription.format, Subscription.events, Subscription.level
    )
    query = _active_after(page_id, cursor).options(needed)
    return session.scalars(query.limit(limit)).all()


def _active_after(page_id: UUID, cursor: UUID | None) -> Select[Subscription]:
    query = _whole().where(
        Subscription.page_id == page_id, Subscription.state == SubscriptionState.ACTIVE
    )
    if cursor is not None:
        query = query.where(Subscription.id > cursor)
    return query.order_by(Subscription.id)


def waiting_or_active(session: Session, page_id: UUID) -> Sequence[Subscription]:
    """Those that hear of events or would once they are confirmed, held until the transaction ends."""
    states = [SubscriptionState.ACTIVE, SubscriptionState.PENDING]
    query = _whole().where(Subscription.page_id == page_id, Subscription.state.in_(states))
    query = query.order_by(Subscription.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()


def count_active(session: Session, page_id: UUID) -> int:
    query = select(func.count()).where(
        Subscription.page_id == page_id, Subscription.state == SubscriptionState.ACTIVE
    )
    return session.scalar(query) or 0


def formats_among(session: Session, page_id: UUID, names: Collection[str]) -> list[str]:
    """Those of *names* in which the page has active subscriptions."""
    query = select(Subscription.format).distinct()
    query = query.where(
        Subscription.page_id == page_id,
        Subscription.state == SubscriptionState.ACTIVE,
        Subscription.format.in_(list(names)),
    )
    return list(session.scalars(query))


def unconfirmed(session: Session, channels: Collection[str], before: datetime) -> list[UUID]:
    """The sign-ups by these channels that were asked for before that instant and never confirmed.

    Also those whose question came back, or was answered with a no.
    """
    never = and_(
        Subscription.state.in_([SubscriptionState.DISABLED, SubscriptionState.ENDED]),
        Subscription.confirmed_at.is_(None),
    )
    query = select(Subscription.id).where(
        or_(Subscription.state == SubscriptionState.PENDING, never),
        Subscription.channel.in_(channels),
        Subscription.asked_at < before,
    )
    # One that is being confirmed at this moment is held by whoever confirms it.
    return list(session.scalars(query.with_for_update(skip_locked=True)))
