"""Leadership among schedulers, and signs of life of workers, both in the database that all of them share."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from .base import Base, Key, Name, Word


class Lease(Base):
    """One job that only one process may do at a time; or a note of what was done last, in ``holder``."""

    __tablename__ = "statuspage_lease"

    name: Mapped[str] = mapped_column(Word, primary_key=True)
    holder: Mapped[UUID | None] = mapped_column(Key)
    until: Mapped[datetime | None]


class Pulse(Base):
    """A worker or scheduler that lives, and when it said so last."""

    __tablename__ = "statuspage_pulse"

    id: Mapped[UUID] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(Word)
    name: Mapped[str] = mapped_column(Name)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


def take(session: Session, name: str, holder: UUID, now: datetime, *, lasts: timedelta) -> bool:
    """Take or renew the lease *name*; False while another holder's one runs.

    :param now: by the database's clock. A lease that ends later than any can, as that was set back, is over.
    :param lasts: the same for all who want it.
    """
    if session.scalar(select(Lease.name).where(Lease.name == name)) is None:
        # Asked first: on MariaDB an UPDATE that meets no row locks the gap, and two of those cannot both insert.
        try:
            with session.begin_nested():
                session.add(Lease(name=name, holder=holder, until=now + lasts))
        except IntegrityError:
            return False  # another process was first to write the row
        return True
    result = session.execute(
        update(Lease)
        .where(
            Lease.name == name,
            or_(
                Lease.holder == holder,
                Lease.until.is_(None),
                Lease.until < now,
                # Twice: of two who ask at once, the later one may write first.
                Lease.until > now + 2 * lasts,
            ),
        )
        .values(holder=holder, until=now + lasts),
        execution_options={"synchronize_session": False},
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]


def give_back(session: Session, name: str, holder: UUID) -> None:
    """End the lease now, so that another process need not wait until it runs out."""
    session.execute(
        update(Lease)
        .where(Lease.name == name, Lease.holder == holder)
        .values(holder=None, until=None),
        execution_options={"synchronize_session": False},
    )


def note(session: Session, name: str, mark: UUID, *, until: datetime) -> None:
    """Note under *name* what was done last, whatever is noted there."""
    if session.scalar(select(Lease.name).where(Lease.name == name)) is None:
        try:
            with session.begin_nested():
                session.add(Lease(name=name, holder=mark, until=until))
        except IntegrityError:
            pass  # another process was first; what is missing in its note is done again
        return
    session.execute(
        update(Lease).where(Lease.name == name).values(holder=mark, until=until),
        execution_options={"synchronize_session": False},
    )


def is_noted(session: Session, name: str, mark: UUID, now: datetime, *, lasts: timedelta) -> bool:
    """Whether *mark* was noted last under *name*, and still counts.

    :param lasts: for how long one counts at most; a clock that was ahead then makes none count for longer.
    """
    query = select(Lease.name).where(
        Lease.name == name,
        Lease.holder == mark,
        Lease.until > now,
        Lease.until <= now + 2 * lasts,
    )
    return session.scalar(query) is not None


def beat(session: Session, pulse_id: UUID, *, kind: str, name: str, now: datetime) -> None:
    """Say that a process lives."""
    pulse = session.get(Pulse, pulse_id)
    if pulse is None:
        session.add(Pulse(id=pulse_id, kind=kind, name=name, started_at=now, seen_at=now))
    else:
        pulse.seen_at = now


def stop(session: Session, pulse_id: UUID) -> None:
    session.execute(delete(Pulse).where(Pulse.id == pulse_id))


def seen_since(session: Session, instant: datetime) -> list[Pulse]:
    query = select(Pulse).where(Pulse.seen_at >= instant).order_by(Pulse.kind, Pulse.name)
    return list(session.scalars(query))


def forget_before(session: Session, instant: datetime) -> None:
    """Drop the pulses of processes that died without saying so."""
    session.execute(
        delete(Pulse).where(Pulse.seen_at < instant),
        execution_options={"synchronize_session": False},
    )
