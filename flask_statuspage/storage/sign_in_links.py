"""Links to sign in that were mailed: several work for a member at a time, since anybody may ask for one in their name.

What a link bears stands nowhere: its SHA-256 is kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from .base import Base
from .team import Member

LASTS = timedelta(minutes=15)

AT_ONCE = 5
"""So many links of a member may work at a time: no further one is mailed before the oldest is over."""


class SignInLink(Base):
    """A link that was not used. ``failures`` are the wrong codes that were typed under it."""

    __tablename__ = "statuspage_sign_in_link"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_member.id", ondelete="CASCADE"), index=True
    )
    made_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)


def may_have_more(now: datetime) -> ColumnElement[bool]:
    """Whether another link may be mailed to the member that a query is about."""
    working = (
        select(func.count())
        .select_from(SignInLink)
        .where(SignInLink.member_id == Member.id, SignInLink.made_at > now - LASTS)
        .correlate(Member)
        .scalar_subquery()
    )
    return working < AT_ONCE


def add(session: Session, member_id: UUID, digest: str, now: datetime) -> None:
    """Let a link work from now on; those of the member that are over are forgotten."""
    over = SignInLink.member_id == member_id, SignInLink.made_at <= now - LASTS
    _delete(session, *over)
    session.add(SignInLink(digest=digest, member_id=member_id, made_at=now))
    session.flush()


def find(
    session: Session, member_id: UUID, digest: str, *, lock: bool = False
) -> SignInLink | None:
    """The link of that digest, if it works; with *lock* as it is now, held until the transaction ends."""
    query = select(SignInLink).where(SignInLink.digest == digest, SignInLink.member_id == member_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def void(session: Session, digest: str) -> None:
    """Let one link open nothing any more."""
    _delete(session, SignInLink.digest == digest)


def void_all(session: Session, member_id: UUID) -> None:
    """Let none of a member's links open anything any more."""
    _delete(session, SignInLink.member_id == member_id)


def _delete(session: Session, *which: ColumnElement[bool]) -> None:
    session.execute(
        delete(SignInLink).where(*which), execution_options={"synchronize_session": False}
    )
