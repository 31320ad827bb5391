"""How the endpoints behaved that are called: slow ones have a lane of their own, silent ones are left alone a while.

An endpoint that always answers fast has no row. The rules are in :mod:`flask_statuspage.domain.pace`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..domain.pace import Behaviour, Call
from .base import Base, EndpointName, utc_now


class Endpoint(Base):
    """One ``host:port``.

    :ivar milliseconds: of its answers, the latest counting most.
    :ivar timeouts: in a row.
    :ivar at_once: how many calls it may have in flight.
    :ivar is_slow: its deliveries wait in the slow lane.
    :ivar rests_until: nothing is sent to it before; ``rests`` counts such breaks in a row.
    """

    __tablename__ = "statuspage_endpoint"

    name: Mapped[str] = mapped_column(EndpointName, primary_key=True)
    milliseconds: Mapped[float] = mapped_column(default=0.0)
    timeouts: Mapped[int] = mapped_column(default=0)
    at_once: Mapped[int]
    is_slow: Mapped[bool] = mapped_column(default=False)
    rests_until: Mapped[datetime | None]
    rests: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)

    @property
    def behaviour(self) -> Behaviour:
        return Behaviour(
            at_once=self.at_once,
            milliseconds=self.milliseconds,
            timeouts=self.timeouts,
            is_slow=self.is_slow,
            rests=self.rests,
            rests_until=self.rests_until,
        )


def limits(session: Session, names: Collection[str]) -> dict[str, int]:
    """Calls at once of those of *names* that gave trouble."""
    if not names:
        return {}
    query = select(Endpoint.name, Endpoint.at_once).where(Endpoint.name.in_(names))
    return {name: at_once for name, at_once in session.execute(query)}


def note(
    session: Session, calls: Mapping[str, Sequence[Call]], now: datetime, *, most: int
) -> list[str]:
    """Remember how endpoints answered; returns those that begin to rest.

    :param calls: by endpoint, oldest first.
    :param most: calls at once of an endpoint without trouble.
    """
    if not calls:
        return []
    # In one order, so that two workers do not wait for each other.
    query = select(Endpoint).where(Endpoint.name.in_(calls)).order_by(Endpoint.name)
    query = query.with_for_update().execution_options(populate_existing=True)
    rows = {row.name: row for row in session.scalars(query)}
    resting = []
    for name in sorted(calls):
        row = rows.get(name)
        before = row.behaviour if row else Behaviour(at_once=most)
        after = before.after(calls[name], now, most=most)
        if after.is_unremarkable(most=most):
            if row is not None:
                session.execute(delete(Endpoint).where(Endpoint.name == name))
            continue
        if after.rests > before.rests:
            resting.append(name)
        _keep(session, name, row, after, now)
    session.flush()
    return resting


def _keep(
    session: Session, name: str, row: Endpoint | None, known: Behaviour, now: datetime
) -> None:
    values = {
        "milliseconds": known.milliseconds or 0.0,
        "timeouts": known.timeouts,
        "at_once": known.at_once,
        "is_slow": known.is_slow,
        "rests_until": known.rests_until,
        "rests": known.rests,
        "updated_at": now,
    }
    if row is not None:
        for field, value in values.items():
            setattr(row, field, value)
        return
    try:
        with session.begin_nested():
            session.add(Endpoint(name=name, **values))
    except IntegrityError:
        pass  # another worker was first; what this one saw shows again at the next call
