"""Members, API keys, and who changed what."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Select, String, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..domain.ids import new_id
from ..domain.roles import Role
from .base import Base, Json, Key, Name, Serial, Word, utc_now, words


class Member(Base):
    """Somebody of the site's team: ``identity`` is what the host's login calls them, lower case."""

    __tablename__ = "statuspage_member"

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    identity: Mapped[str] = mapped_column(String(254), unique=True)
    role: Mapped[Role] = mapped_column(words(Role))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Token(Base):
    """An API key. Only its SHA-256 is kept: the key has 256 random bits, so no slow hash is needed."""

    __tablename__ = "statuspage_token"

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(Name)
    role: Mapped[Role] = mapped_column(words(Role))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class AuditEntry(Base):
    """Who did what to which thing, with the values before and after. Secrets are never among them."""

    __tablename__ = "statuspage_audit"
    __table_args__ = (Index("ix_statuspage_audit_subject", "subject", "subject_id"),)

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    page_id: Mapped[UUID | None] = mapped_column(Key)  # no foreign key: an entry outlives its page
    actor: Mapped[str] = mapped_column(Name)
    action: Mapped[str] = mapped_column(Word)
    subject: Mapped[str] = mapped_column(Word)
    subject_id: Mapped[UUID] = mapped_column(Key)
    before: Mapped[dict[str, Any] | None] = mapped_column(Json(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(Json(none_as_null=True))


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def by_key(session: Session, key: str) -> Token | None:
    """The token of *key*. The look-up is by digest, so its time says nothing of the key."""
    return session.scalar(select(Token).where(Token.digest == digest(key)))


def members() -> Select[Member]:
    return select(Member).order_by(Member.identity)


def member(session: Session, identity: str, *, lock: bool = False) -> Member | None:
    """The member of that identity, which is lower case; with *lock* as it is now, held until the transaction ends."""
    query = select(Member).where(Member.identity == identity)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    # Compared here as well: MariaDB takes é for e, and that may be somebody else.
    return next((row for row in session.scalars(query) if row.identity == identity), None)


def hold_owners(session: Session) -> Sequence[Member]:
    """The owners as they are now, held until the transaction ends."""
    query = select(Member).where(Member.role == Role.OWNER).order_by(Member.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()


def audit_log(
    page_id: UUID,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    subject_id: UUID | None = None,
    **words: str,
) -> Select[AuditEntry]:
    """The entries of a page and those that belong to no page (keys, pages themselves), newest first.

    :param since: aware; the entries of this instant and later ones. ``until``: those before it.
    :param words: what ``actor``, ``action`` or ``subject`` must be.
    """
    query = select(AuditEntry).where(
        or_(AuditEntry.page_id == page_id, AuditEntry.page_id.is_(None))
    )
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if until is not None:
        query = query.where(AuditEntry.at < until)
    if subject_id is not None:
        query = query.where(AuditEntry.subject_id == subject_id)
    return query.filter_by(**words).order_by(AuditEntry.id.desc())
