"""Members, API keys, and who changed what."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Select, String, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from ..domain.ids import new_id
from ..domain.roles import Role
from .base import Actor, Base, Json, Key, Name, Serial, Word, utc_now, words
from .encryption import Encrypted

Row = TypeVar("Row", "Member", "Token")


class Member(Base):
    """Somebody of the site's team: ``identity`` is what the host's login calls them, lower case."""

    __tablename__ = "statuspage_member"

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    identity: Mapped[str] = mapped_column(String(254), unique=True)
    role: Mapped[Role] = mapped_column(words(Role))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime | None]
    """To an hour."""

    sessions: Mapped[int] = mapped_column(default=0)
    """Sign-ins by a mailed link count while they bear this number; a new one ends them all."""

    letter: Mapped[str | None] = mapped_column(Word)
    """The mail that is to be sent to them, see :mod:`.letters`; and since when, and when it was tried last."""
    letter_asked_at: Mapped[datetime | None]
    letter_tried_at: Mapped[datetime | None]

    second_factor: Mapped[SecondFactor | None] = relationship(
        back_populates="member", cascade="all, delete-orphan", lazy="select"
    )


class SecondFactor(Base):
    """What a member needs besides their link: codes of an app (RFC 6238), or one of those written down."""

    __tablename__ = "statuspage_second_factor"

    member_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_member.id", ondelete="CASCADE"), primary_key=True
    )
    secret: Mapped[str] = mapped_column(Encrypted)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    confirmed_at: Mapped[datetime | None]
    """None: it was begun only, and is not asked for."""

    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """Codes of this span of time and of earlier ones do not count any more."""

    recovery: Mapped[list[str]] = mapped_column(Json, default=list)
    """SHA-256 of each code that was written down and not used."""

    member: Mapped[Member] = relationship(back_populates="second_factor")


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
    actor: Mapped[str] = mapped_column(Actor)
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


def token(session: Session, token_id: UUID, *, lock: bool = False) -> Token | None:
    """One key; with *lock* as it is now, held until the transaction ends."""
    query = select(Token).where(Token.id == token_id)
    return session.scalar(_as_now(query) if lock else query)


def tokens(*, role: Role | None = None, revoked: bool | None = None) -> Select[Token]:
    """Keys, the newest first. :param revoked: only those that were, or only those that were not."""
    query = select(Token).order_by(Token.created_at.desc(), Token.id.desc())
    if role is not None:
        query = query.where(Token.role == role)
    if revoked is not None:
        at = Token.revoked_at
        query = query.where(at.is_not(None) if revoked else at.is_(None))
    return query


def members(*, role: Role | None = None) -> Select[Member]:
    query = select(Member).order_by(Member.identity)
    return query if role is None else query.where(Member.role == role)


def member_by_id(session: Session, member_id: UUID, *, lock: bool = False) -> Member | None:
    """The same as :func:`member`, by id."""
    query = select(Member).where(Member.id == member_id)
    return session.scalar(_as_now(query) if lock else query)


def member(session: Session, identity: str, *, lock: bool = False) -> Member | None:
    """The member of that identity, which is lower case; with *lock* as it is now, held until the transaction ends."""
    query = select(Member).where(Member.identity == identity)
    if lock:
        query = _as_now(query)
    # Compared here as well: MariaDB takes é for e, and that may be somebody else.
    return next((row for row in session.scalars(query) if row.identity == identity), None)


def with_second_factor(session: Session, member_ids: Collection[UUID]) -> set[UUID]:
    """Those of the members who need a code to sign in."""
    query = select(SecondFactor.member_id).where(
        SecondFactor.member_id.in_(member_ids), SecondFactor.confirmed_at.is_not(None)
    )
    return set(session.scalars(query))


def note_seen(session: Session, member_id: UUID, now: datetime) -> None:
    """Write down when a member was there."""
    session.execute(
        update(Member).where(Member.id == member_id).values(last_seen_at=now),
        execution_options={"synchronize_session": False},
    )


def has_owner(session: Session) -> bool:
    """Whether anybody is one."""
    return session.scalar(select(Member.id).where(Member.role == Role.OWNER).limit(1)) is not None


def has_any(session: Session, roles: Collection[Role]) -> bool:
    """Whether anybody has one of *roles*."""
    return session.scalar(select(Member.id).where(Member.role.in_(roles)).limit(1)) is not None


def hold_owners(session: Session) -> Sequence[Member]:
    """The owners as they are now, held until the transaction ends."""
    query = select(Member).where(Member.role == Role.OWNER).order_by(Member.id)
    return session.scalars(_as_now(query)).all()


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


def latest_entries(
    session: Session, subject: str, subject_ids: Collection[UUID], *, action: str
) -> dict[UUID, int]:
    """The last entry about each thing that tells of *action*, by the thing's id; none: there is none."""
    query = (
        select(AuditEntry.subject_id, func.max(AuditEntry.id))
        .where(
            AuditEntry.subject == subject,
            AuditEntry.subject_id.in_(subject_ids),
            AuditEntry.action == action,
        )
        .group_by(AuditEntry.subject_id)
    )
    return {subject_id: entry for subject_id, entry in session.execute(query)}


def about(subject: str, subject_id: UUID) -> Select[AuditEntry]:
    """The entries about one thing, newest first."""
    query = select(AuditEntry).where(
        AuditEntry.subject == subject, AuditEntry.subject_id == subject_id
    )
    return query.order_by(AuditEntry.id.desc())


def audit_subjects(session: Session) -> list[str]:
    """The kinds of things that there are entries about, by their names.

    One look into the index for each kind, as PostgreSQL would read all of it for ``DISTINCT``.
    """
    found = select(func.min(AuditEntry.subject).label("subject")).cte("subjects", recursive=True)
    following = select(func.min(AuditEntry.subject)).where(AuditEntry.subject > found.c.subject)
    more = select(following.scalar_subquery()).where(found.c.subject.is_not(None))
    found = found.union_all(more)
    return list(session.scalars(select(found.c.subject).where(found.c.subject.is_not(None))))


def _as_now(query: Select[Row]) -> Select[Row]:
    """*query* for rows as they are now, held until the transaction ends."""
    return query.with_for_update().execution_options(populate_existing=True)
