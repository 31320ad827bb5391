"""Addresses that nothing may be sent to, whoever signs them up: they bounced, or their owner said STOP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, UniqueConstraint, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..domain.opt_out import STOPPED
from .base import Base, Name, Serial, Word
from .subscriptions import digest


class Suppression(Base):
    """One address of one channel, over all pages. The address itself is not kept, ``digest`` stands for it."""

    __tablename__ = "statuspage_suppression"
    __table_args__ = (
        UniqueConstraint("channel", "digest", name="uq_statuspage_suppression_address"),
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    channel: Mapped[str] = mapped_column(Word)
    digest: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Name)
    at: Mapped[datetime]


def of(session: Session, channel: str, address: str, *, latest: bool = False) -> Suppression | None:
    """That of a normalised address, if there is one.

    :param latest: also one that was committed since this transaction began to read, and held until it ends.
    """
    query = select(Suppression).where(
        Suppression.channel == channel, Suppression.digest == digest(address)
    )
    if latest:  # MariaDB would else look at what this transaction saw first
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def add(session: Session, channel: str, address: str, reason: str, now: datetime) -> None:
    """Suppress a normalised address; one that is suppressed already gets the newer reason, unless its owner said STOP.

    Of two transactions that do it, or do it and lift it, at the same moment none fails: statements decide, not the row
    that this one read before.
    """
    values: dict[str, Any] = {"reason": reason[:200], "at": now}
    if of(session, channel, address) is None:
        row = Suppression(channel=channel, digest=digest(address), **values)
        session.flush()
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:
            pass
        else:
            return
    session.execute(
        update(Suppression)
        .where(
            Suppression.channel == channel,
            Suppression.digest == digest(address),
            Suppression.reason != STOPPED,
        )
        .values(values),
        execution_options={"synchronize_session": "fetch"},
    )


def lift(session: Session, channel: str, address: str) -> bool:
    """Let an address be written to again; returns whether it was suppressed."""
    if of(session, channel, address) is None:
        return False
    session.execute(
        delete(Suppression).where(
            Suppression.channel == channel, Suppression.digest == digest(address)
        ),
        execution_options={"synchronize_session": False},
    )
    return True
