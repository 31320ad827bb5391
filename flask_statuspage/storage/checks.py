"""Results of single checks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Select, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..domain.verdict import Verdict
from .base import Base, Name, Serial, Word, words


class Check(Base):
    """One probe's result. ``code`` is the protocol's status, ``error`` the class of what failed."""

    __tablename__ = "statuspage_check"
    __table_args__ = (
        Index("ix_statuspage_check_monitor_at", "monitor_id", "at"),
        Index("ix_statuspage_check_at", "at"),
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    monitor_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_monitor.id", ondelete="CASCADE")
    )
    at: Mapped[datetime]
    region: Mapped[str] = mapped_column(Word)
    outcome: Mapped[Verdict] = mapped_column(words(Verdict))
    code: Mapped[int | None]
    milliseconds: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Name)


def add_all(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Insert many results in one statement."""
    if rows := list(rows):
        session.execute(insert(Check), rows)


def of_monitor(monitor_id: UUID) -> Select[Check]:
    return select(Check).where(Check.monitor_id == monitor_id).order_by(Check.id.desc())


def delete_before(session: Session, instant: datetime, *, limit: int) -> int:
    """Delete at most *limit* results older than *instant*; returns how many went."""
    ids = list(
        session.scalars(select(Check.id).where(Check.at < instant).order_by(Check.at).limit(limit))
    )
    if ids:
        session.execute(
            delete(Check).where(Check.id.in_(ids)),
            execution_options={"synchronize_session": False},
        )
    return len(ids)
