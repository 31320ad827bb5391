"""How many requests the site's own blueprints answered, by ten seconds and process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..domain.latency import Histogram
from .base import Base, Key, LongText, Name
from .pages import begin_writing
from .session import begin_read_committed

SECONDS = 10
"""The length of a bucket."""

MERGED = ""
"""The name of rows whose counts are in another one by now; no window asks for it."""


class Traffic(Base):
    """What one process counted for ``name`` in the ten seconds from ``at`` on, UTC.

    Rows are only added, with ids that their process chose: processes do not wait for each other, and what is sent again
    after a lost answer counts once. :func:`merge` puts what several processes counted into one of their rows. The
    others stay, empty and without a name, so that they too are known when they are sent again. ``histogram`` has how
    many took about how long, see :mod:`..domain.latency`.
    """

    __tablename__ = "statuspage_traffic"
    __table_args__ = (
        Index("ix_statuspage_traffic_name_at", "name", "at"),
        Index("ix_statuspage_traffic_at", "at"),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(Name)
    at: Mapped[datetime]
    requests: Mapped[int]
    errors: Mapped[int]
    histogram: Mapped[str] = mapped_column(LongText)


def add_all(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert those of *rows* that are not there yet; each has an ``id``."""
    ids = [row["id"] for row in rows]
    there = set(session.scalars(select(Traffic.id).where(Traffic.id.in_(ids))))
    if fresh := [row for row in rows if row["id"] not in there]:
        session.execute(insert(Traffic), fresh)


def since(session: Session, names: Collection[str], begins: datetime) -> Sequence[Any]:
    """``name``, ``at``, ``requests``, ``errors`` and ``histogram`` of what was counted for *names* since then."""
    query = select(
        Traffic.name, Traffic.at, Traffic.requests, Traffic.errors, Traffic.histogram
    ).where(Traffic.name.in_(names), Traffic.at >= begins)
    return session.execute(query).all()


def merge(session: Session, begins: datetime, ends: datetime, *, limit: int) -> int:
    """Put what was counted of one name in the same ten seconds, from *begins* until *ends*, into one row each.

    :param limit: at most so many such rows in one transaction.
    :returns: how many rows were emptied.
    """
    begin_read_committed(session)
    begin_writing(session)
    several = (
        select(Traffic.name, Traffic.at)
        .where(Traffic.at >= begins, Traffic.at < ends, Traffic.name != MERGED)
        .group_by(Traffic.name, Traffic.at)
        .having(func.count() > 1)
        .order_by(Traffic.at, Traffic.name)
        .limit(limit)
    )
    instants: dict[str, list[datetime]] = defaultdict(list)
    for name, at in session.execute(several):
        instants[name].append(at)
    emptied = 0
    for name, those in instants.items():
        # Held, and as they are then: another process may be about to merge the same ones.
        query = (
            select(Traffic.id, Traffic.at, Traffic.requests, Traffic.errors, Traffic.histogram)
            .where(Traffic.name == name, Traffic.at.in_(those))
            .order_by(Traffic.id)
            .with_for_update()
        )
        by_instant: dict[datetime, list[Any]] = defaultdict(list)
        for row in session.execute(query):
            by_instant[row.at].append(row)
        emptied += _keep_first(session, [rows for rows in by_instant.values() if len(rows) > 1])
    return emptied


def _keep_first(session: Session, groups: Sequence[Sequence[Any]]) -> int:
    sums, empty = [], []
    for first, *others in groups:
        took = Histogram.read(first.histogram)
        for other in others:
            took.merge(Histogram.read(other.histogram))
            empty.append(
                {"id": other.id, "name": MERGED, "requests": 0, "errors": 0, "histogram": ""}
            )
        sums.append(
            {
                "id": first.id,
                "requests": sum((other.requests for other in others), first.requests),
                "errors": sum((other.errors for other in others), first.errors),
                "histogram": str(took),
            }
        )
    for changes in (sums, empty):
        if changes:
            session.execute(update(Traffic), changes)
    return len(empty)


def delete_before(session: Session, instant: datetime, *, limit: int) -> int:
    """Delete at most *limit* rows older than *instant*; returns how many went."""
    old = session.scalars(
        select(Traffic.id).where(Traffic.at < instant).order_by(Traffic.at).limit(limit)
    ).all()
    if old:
        session.execute(
            delete(Traffic).where(Traffic.id.in_(old)),
            execution_options={"synchronize_session": False},
        )
    return len(old)
