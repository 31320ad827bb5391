"""Results of single checks, kept small: a row for each check of each monitor."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, func, select, tuple_, union_all
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import (
    Mapped,
    Session,
    contains_eager,
    foreign,
    mapped_column,
    relationship,
)

from ..domain.verdict import Verdict
from .base import Base, Name, words
from .bulk import put_all
from .monitors import MonitorRegion

MOMENT = timedelta(microseconds=1)


class Check(Base):
    """One probe's result, known by its region's number and when it was asked.

    ``code`` is the protocol's status, ``error`` the class of what failed. Without a foreign key, which would be looked
    up for every row, and without an index but the key's: what is too old is found region by region, see
    :mod:`.history`, which also removes what a removed region leaves.
    """

    __tablename__ = "statuspage_check_result"

    # Wide columns first: PostgreSQL pads.
    at: Mapped[datetime] = mapped_column(primary_key=True, sort_order=1)
    region_id: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, sort_order=0
    )
    code: Mapped[int | None]
    milliseconds: Mapped[int | None]
    outcome: Mapped[Verdict] = mapped_column(words(Verdict))
    error: Mapped[str | None] = mapped_column(Name)

    place: Mapped[MonitorRegion] = relationship(
        lazy="raise_on_sql",
        viewonly=True,
        primaryjoin=lambda: foreign(Check.region_id) == MonitorRegion.id,
    )

    @property
    def region(self) -> str:
        """The region's name; :attr:`place` is loaded."""
        return self.place.region


def add_all(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Insert many results in one statement.

    Two of one region with the very same instant are both kept: one is moved on by a microsecond. It happens where a
    clock has a coarse grain, as SQLite's has, or is set back.
    """
    apart = _apart(rows)
    try:
        # A result that is there already must not cost the whole batch.
        with session.begin_nested():
            _put(session, apart)
    except IntegrityError:
        _put(session, _apart(apart, session=session))


def count(session: Session, region_ids: Collection[int]) -> int:
    """How many results there are of these regions."""
    query = select(func.count()).select_from(Check).where(Check.region_id.in_(region_ids))
    return session.scalar(query) or 0


def stored(
    session: Session, keys: Collection[tuple[int, datetime]]
) -> dict[tuple[int, datetime], dict[str, Any]]:
    """The results that have one of *keys*, region and instant, by these, as :func:`add_all` takes them."""
    key = tuple_(Check.region_id, Check.at)
    query = select(*(getattr(Check, name) for name in _COLUMNS)).where(key.in_(list(keys)))
    return {(row.region_id, row.at): dict(row._mapping) for row in session.execute(query)}


def newest(
    session: Session, region_ids: Collection[int], limit: int, offset: int = 0
) -> Sequence[Check]:
    """At most *limit* results of these regions with their regions, newest first, after the *offset* newest ones."""
    # Each region's own newest by the key: a month of all regions is millions of results, which none would sort.
    keys = union_all(
        *(
            select(
                select(Check.region_id, Check.at)
                .where(Check.region_id == region_id)
                .order_by(Check.at.desc())
                .limit(limit + offset)
                .subquery()
            )
            for region_id in region_ids
        )
    ).subquery()
    found = (
        select(keys.c.region_id, keys.c.at)
        .order_by(keys.c.at.desc(), keys.c.region_id)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    query = (
        select(Check)
        .join(found, (Check.region_id == found.c.region_id) & (Check.at == found.c.at))
        .join(Check.place)
        .order_by(Check.at.desc(), Check.region_id)
        .options(contains_eager(Check.place))
    )
    return session.scalars(query).all()


_COLUMNS = ("region_id", "at", "outcome", "code", "milliseconds", "error")


def _put(session: Session, rows: list[dict[str, Any]]) -> None:
    put_all(session, Check, _COLUMNS, [tuple(row[name] for name in _COLUMNS) for row in rows])


def _apart(
    rows: Iterable[dict[str, Any]], *, session: Session | None = None
) -> list[dict[str, Any]]:
    """*rows*, no two with the same key, nor, where *session* is given, with the key of one that is stored."""
    apart: dict[tuple[int, datetime], dict[str, Any]] = {}
    waiting = list(rows)
    while waiting:
        keys = [(row["region_id"], row["at"]) for row in waiting]
        taken = stored(session, keys) if session else {}
        moved = []
        for key, row in zip(keys, waiting, strict=True):
            if key in apart or key in taken:
                moved.append({**row, "at": row["at"] + MOMENT})
            else:
                apart[key] = row
        waiting = moved
    return list(apart.values())
