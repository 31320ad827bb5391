"""What the manage API answered to requests that may come again, so that nothing is done twice."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import String, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from .base import Base, LongText

KEPT = timedelta(hours=24)


class KeptAnswer(Base):
    """``digest`` stands for who asked what under which key, ``request`` for what was sent.

    ``answer`` is sealed, since it may tell a secret, and empty while the request is being answered.
    """

    __tablename__ = "statuspage_kept_answer"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(LongText)
    created_at: Mapped[datetime] = mapped_column(index=True)


def digest(*parts: str | bytes) -> str:
    """A text of fixed length that stands for *parts*, and for no others."""
    found = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        found.update(b"%d:" % len(raw) + raw)
    return found.hexdigest()


def claim(session: Session, key: str, request: str, now: datetime) -> KeptAnswer | None:
    """Begin to answer *request* under *key* (digests): whoever comes with the same waits until the transaction ends.

    :returns: what was answered already, maybe to another request; None: nothing, and :func:`keep` is up to the caller.
    """
    session.execute(
        delete(KeptAnswer).where(KeptAnswer.digest == key, KeptAnswer.created_at < now - KEPT),
        execution_options={"synchronize_session": False},
    )
    try:
        with session.begin_nested():
            session.add(KeptAnswer(digest=key, request=request, answer="", created_at=now))
    except IntegrityError:
        query = select(KeptAnswer).where(KeptAnswer.digest == key)
        return session.scalars(query.execution_options(populate_existing=True)).one()
    return None


def keep(session: Session, key: str, answer: str) -> None:
    """Keep the sealed *answer* under the claimed *key*."""
    session.get_one(KeptAnswer, key).answer = answer


def forget_before(session: Session, instant: datetime, *, limit: int) -> int:
    """Delete at most *limit* answers that are older; returns how many went."""
    old = session.scalars(
        select(KeptAnswer.digest)
        .where(KeptAnswer.created_at < instant)
        .order_by(KeptAnswer.created_at)
        .limit(limit)
    ).all()
    if old:
        session.execute(
            delete(KeptAnswer).where(KeptAnswer.digest.in_(old)),
            execution_options={"synchronize_session": False},
        )
    return len(old)
