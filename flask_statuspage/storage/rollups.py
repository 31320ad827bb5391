"""What many checks of one monitor in one region amount to, for five minutes, an hour and a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Integer, and_, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..domain.latency import Histogram
from ..domain.tally import Tally
from .base import Base, LongText
from .bulk import array, put_all

FINE, HOUR, DAY = 300, 3_600, 86_400
KEPT = {FINE: timedelta(days=7), HOUR: timedelta(days=90), DAY: None}
"""The spans in seconds, and how long each is kept; None: for ever."""

BRANCHES = 60
"""How many different spans are looked up in one statement; a batch has three, late results a few more."""


class Rollup(Base):
    """The results whose ``at`` lies in the *span* seconds from ``at`` on, UTC.

    The columns after the key are those of :class:`~..domain.tally.Tally`. There is no other index than the key's: all
    who read, write or delete rollups name regions, and every further index would be written 1,500 times a second.
    """

    __tablename__ = "statuspage_rollup"

    at: Mapped[datetime] = mapped_column(primary_key=True, sort_order=2)
    region_id: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, sort_order=0
    )
    span: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, sort_order=1)
    up: Mapped[int]
    degraded: Mapped[int]
    down: Mapped[int]
    unknown: Mapped[int]
    maintained: Mapped[int]
    maintained_down: Mapped[int]
    ms_count: Mapped[int]
    ms_sum: Mapped[int] = mapped_column(BigInteger)
    ms_min: Mapped[int | None]
    ms_max: Mapped[int | None]
    histogram: Mapped[str] = mapped_column(LongText)


class Place(NamedTuple):
    """Which row: ``start`` is in seconds since 1970, a multiple of ``span``."""

    region_id: int
    span: int
    start: int


def add_all(session: Session, news: Mapping[Place, Tally]) -> None:
    """Add *news* to what is kept: all rows are read in one statement and written in another.

    Whoever calls holds the monitors of all regions, so nobody else writes these rows.
    """
    if not news:
        return
    rows = dict(news)
    for region_id, span, start, kept in _kept(session, list(rows)):
        place = Place(region_id, span, start)
        kept.merge(rows[place])
        rows[place] = kept
    instants = {start: datetime.fromtimestamp(start, UTC) for _, _, start in rows}
    put_all(
        session,
        Rollup,
        ("region_id", "span", "at", *_COUNTS),
        [
            (place[0], place[1], instants[place[2]], *_counts(tally))
            for place, tally in rows.items()
        ],
        replacing=True,
    )


def of_regions(
    session: Session, region_ids: Collection[int], span: int, since: datetime, until: datetime
) -> Iterator[tuple[int, int, Tally]]:
    """Region, start in seconds since 1970 and tally of all rows that begin at *since* or later and before *until*, in
    one query."""
    query = select(*_READ).where(
        Rollup.region_id.in_(region_ids),
        Rollup.span == span,
        Rollup.at >= since,
        Rollup.at < until,
    )
    for row in session.execute(query):
        yield row[0], int(row[2].timestamp()), _tally(row)


_COUNTS = (
    "up",
    "degraded",
    "down",
    "unknown",
    "maintained",
    "maintained_down",
    "ms_count",
    "ms_sum",
    "ms_min",
    "ms_max",
    "histogram",
)
_READ = (Rollup.region_id, Rollup.span, Rollup.at, *(getattr(Rollup, name) for name in _COUNTS))

_BY_PLACES = text(
    "SELECT kept.region_id, kept.span, asked.start, "
    + ", ".join(f"kept.{name}" for name in _COUNTS)
    + " FROM unnest(CAST(:regions AS integer[]), CAST(:spans AS integer[]), CAST(:starts AS bigint[])) "
    "AS asked (region_id, span, start) JOIN statuspage_rollup AS kept ON kept.region_id = asked.region_id "
    "AND kept.span = asked.span AND kept.at = to_timestamp(asked.start)"
)


def _kept(session: Session, places: list[Place]) -> Iterator[tuple[int, int, int, Tally]]:
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        # A join, as conditions by OR make it read all rows of each region, depending on what it last counted.
        given = zip(("regions", "spans", "starts"), zip(*places, strict=True), strict=True)
        for row in session.execute(_BY_PLACES, {name: array(values) for name, values in given}):
            yield row[0], row[1], row[2], _tally(row)
        return
    by_span: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place in places:
        by_span[place.span, place.start].append(place.region_id)
    waiting = iter(by_span.items())
    while some := list(islice(waiting, BRANCHES)):
        wanted = [
            and_(
                Rollup.span == span,
                Rollup.at == datetime.fromtimestamp(start, UTC),
                Rollup.region_id.in_(ids),
            )
            for (span, start), ids in some
        ]
        query = select(*_READ).where(or_(*wanted))
        if dialect in ("mysql", "mariadb"):
            # It would show what was there when the transaction began, before the monitors were waited for.
            query = query.with_for_update()
        for row in session.execute(query):
            yield row[0], row[1], int(row[2].timestamp()), _tally(row)


def _tally(row: Any) -> Tally:
    tally = Tally(*row[3:13])
    tally.histogram = Histogram.read(row[13])
    return tally


def _counts(tally: Tally) -> tuple[Any, ...]:
    return (
        tally.up,
        tally.degraded,
        tally.down,
        tally.unknown,
        tally.maintained,
        tally.maintained_down,
        tally.ms_count,
        tally.ms_sum,
        tally.ms_min,
        tally.ms_max,
        str(tally.histogram),
    )
