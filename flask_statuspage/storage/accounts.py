"""Accounts elsewhere in whose name something is posted, with what lets us in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..domain.ids import new_id
from .base import Base, Key, Name, Word, utc_now
from .encryption import Encrypted


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
    actor: Mapped[str | None] = mapped_column(Name)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
