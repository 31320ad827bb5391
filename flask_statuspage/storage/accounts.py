"""Accounts elsewhere in whose name something is posted, with what lets us in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Select, String, UniqueConstraint, and_, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, undefer

from ..domain.ids import new_id
from .base import Actor, Base, Key, Name, Word, utc_now
from .encryption import Encrypted
from .subscriptions import Subscription

KINDS = frozenset({"x"})
"""The channels whose addresses are accounts that somebody connected."""


class Account(Base):
    """An account of ``kind`` (``x``) that a member connected to a page.

    ``name`` is what its channel's subscriptions have as their address, ``remote_id`` what the other side calls it.
    ``credentials`` is JSON: the tokens as they were given.
    """

    __tablename__ = "statuspage_account"
    __table_args__ = (
        UniqueConstraint("page_id", "kind", "remote_id", name="uq_statuspage_account_remote"),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("statuspage_page.id"))
    kind: Mapped[str] = mapped_column(Word)
    name: Mapped[str] = mapped_column(Name)
    remote_id: Mapped[str] = mapped_column(String(64))
    credentials: Mapped[str] = mapped_column(Encrypted, deferred=True)
    expires_at: Mapped[datetime | None]
    actor: Mapped[str | None] = mapped_column(Actor)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


def of_page(session: Session, page_id: UUID, kind: str) -> Sequence[Account]:
    """Without their credentials, in the order of their names."""
    query = select(Account).where(Account.page_id == page_id, Account.kind == kind)
    return session.scalars(query.order_by(Account.name)).all()


def is_connected(session: Session, page_id: UUID, kind: str, name: str) -> bool:
    return session.scalar(_named(page_id, kind, name)) is not None


def is_behind(session: Session, subscription: Subscription) -> bool:
    """Whether *subscription* posts by an account that is connected."""
    kind, name = subscription.channel, subscription.address
    return kind in KINDS and is_connected(session, subscription.page_id, kind, name)


def held(session: Session, page_id: UUID, kind: str, remote_id: str) -> Account | None:
    """The account that the other side calls *remote_id*, held until the transaction ends."""
    query = select(Account).where(
        Account.page_id == page_id, Account.kind == kind, Account.remote_id == remote_id
    )
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def of_subscription(session: Session, subscription_id: UUID) -> Account | None:
    """The account that a subscription posts by, with its credentials."""
    query = (
        select(Account)
        .join(
            Subscription,
            and_(
                Subscription.page_id == Account.page_id,
                Subscription.channel == Account.kind,
                Subscription.address == Account.name,
            ),
        )
        .where(Subscription.id == subscription_id)
    )
    return session.scalar(query.options(undefer(Account.credentials)))


def hold(session: Session, account_id: UUID) -> Account | None:
    """An account as it is now, with its credentials, held until the transaction ends."""
    # By itself, not with its subscription: MariaDB would hold that, too, and keep others waiting.
    query = select(Account).where(Account.id == account_id).options(undefer(Account.credentials))
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def forget(session: Session, page_id: UUID, kind: str, name: str) -> None:
    """Delete the account of that name with its credentials, if there is one."""
    ids = session.scalars(_named(page_id, kind, name)).all()
    if ids:
        session.execute(delete(Account).where(Account.id.in_(ids)))


def forget_page(session: Session, page_id: UUID) -> None:
    """Delete all accounts of a page."""
    session.execute(delete(Account).where(Account.page_id == page_id))


def _named(page_id: UUID, kind: str, name: str) -> Select[UUID]:
    return select(Account.id).where(
        Account.page_id == page_id, Account.kind == kind, Account.name == name
    )
