"""What checks leave behind, deleted in portions: what is too old, and what belonged to a region that was removed.

Rows are found region by region through their key, in its order. An index of instants would be no help: rows come in the
order of time, but the room of deleted ones is filled again, and with that a BRIN index, which only knows the first and
the last instant of a stretch of the table, comes to say that every stretch may hold something old.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    CursorResult,
    Integer,
    TextClause,
    bindparam,
    delete,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from .base import Base, UtcDateTime
from .bulk import array
from .checks import Check
from .monitors import MonitorRegion
from .rollups import Rollup
from .session import begin_read_committed


class RemovedRegion(Base):
    """The number of a region that is gone, until nothing is kept of it any more."""

    __tablename__ = "statuspage_removed_region"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)


def forget(session: Session, region_ids: Collection[int]) -> None:
    """Let the housekeeping delete what is kept of these regions.

    A monitor can have millions of results: to delete them here would hold its page for as long as that takes. Nobody
    sees them any more, as they are found by their region only, and its number is not given to another one.
    """
    session.add_all(RemovedRegion(id=region_id) for region_id in region_ids)


def regions_after(session: Session, region_id: int, *, limit: int) -> list[int]:
    """The numbers of the next *limit* regions."""
    query = select(MonitorRegion.id).where(MonitorRegion.id > region_id)
    return list(session.scalars(query.order_by(MonitorRegion.id).limit(limit)))


def last_region(session: Session) -> int:
    """The highest number of a region; 0 without any."""
    query = select(MonitorRegion.id).order_by(MonitorRegion.id.desc()).limit(1)
    return session.scalar(query) or 0


def delete_old(
    session: Session,
    region_ids: Collection[int],
    before: datetime,
    *,
    limit: int,
    span: int | None = None,
) -> int:
    """Delete at most *limit* results of these regions older than *before*; returns how many went.

    :param span: rollups of so many seconds instead of results.
    """
    begin_read_committed(
        session
    )  # else MariaDB holds the gaps between rows, where new ones are written
    given = {"before": before, "most": limit}
    if span is None:
        return _delete(session, Check, region_ids, "AND at < :before", given)
    condition = "AND span = :span AND at < :before"
    return _delete(session, Rollup, region_ids, condition, {**given, "span": span})


def delete_removed(session: Session, *, limit: int) -> int:
    """Delete at most *limit* rows of regions that were removed; returns how many went, less when nothing is left."""
    begin_read_committed(session)
    deleted = 0
    while deleted < limit:
        gone = session.scalar(select(RemovedRegion.id).order_by(RemovedRegion.id).limit(1))
        if gone is None:
            break
        for model in (Check, Rollup):
            if deleted < limit:
                deleted += _delete(session, model, [gone], "", {"most": limit - deleted})
        if deleted < limit:
            session.execute(
                delete(RemovedRegion).where(RemovedRegion.id == gone),
                execution_options={"synchronize_session": False},
            )
    return deleted


def _delete(
    session: Session,
    model: type[Check | Rollup],
    region_ids: Collection[int],
    condition: str,
    given: dict[str, Any],
) -> int:
    """Delete at most ``most`` rows of these regions for which *condition* holds, too; returns how many went."""
    dialect = session.get_bind().dialect.name
    regions = array(region_ids) if dialect == "postgresql" else list(region_ids)
    statement = _statement(dialect, model.__tablename__, condition)
    result = session.execute(statement, {**given, "regions": regions})
    return cast("CursorResult[Any]", result).rowcount


@cache
def _statement(dialect: str, table: str, condition: str) -> TextClause:
    """A DELETE with a limit, which each database wants to be told in its own way."""
    if dialect == "postgresql":
        # Region by region, each in the order of the key: for all of them at once it may choose to read the whole table.
        statement = (
            f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT old.row FROM "
            "unnest(CAST(:regions AS integer[])) AS asked (id) CROSS JOIN LATERAL "
            f"(SELECT ctid AS row FROM {table} WHERE region_id = asked.id {condition} "
            "ORDER BY at LIMIT :most) AS old LIMIT :most))"
        )
    elif dialect in ("mysql", "mariadb"):
        key = "region_id, at" if table == Check.__tablename__ else "region_id, span, at"
        statement = f"DELETE FROM {table} WHERE region_id IN :regions {condition} ORDER BY {key} LIMIT :most"
    else:
        statement = (
            f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} "
            f"WHERE region_id IN :regions {condition} LIMIT :most)"
        )
    binds: list[BindParameter[Any]] = []
    if dialect != "postgresql":
        binds.append(bindparam("regions", expanding=True))
    if ":before" in condition:
        binds.append(bindparam("before", type_=UtcDateTime()))
    return text(statement).bindparams(*binds)
