"""Attempts to sign up, counted for an hour by where they came from and where messages would go."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Index, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from .base import Base, Serial


class SignupAttempt(Base):
    """One attempt. ``digest`` stands for the network or target: neither is kept in clear."""

    __tablename__ = "statuspage_signup_attempt"
    __table_args__ = (Index("ix_statuspage_signup_attempt_digest", "digest", "at"),)

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


def count(session: Session, key: str, *, since: datetime) -> int:
    """How many attempts were counted under *key* since that instant."""
    query = select(func.count()).where(
        SignupAttempt.digest == _digest(key), SignupAttempt.at >= since
    )
    return session.scalar(query) or 0


def add(session: Session, key: str, now: datetime) -> None:
    session.add(SignupAttempt(digest=_digest(key), at=now))
    session.flush()


def forget_before(session: Session, instant: datetime) -> None:
    session.execute(
        delete(SignupAttempt).where(SignupAttempt.at < instant),
        execution_options={"synchronize_session": False},
    )


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
