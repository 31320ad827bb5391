"""What happened or is planned in a stretch of time, such as a month, without what was told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, selectinload

from ..domain.happenings import INSTANT
from ..domain.incident import OPEN
from ..domain.maintenance import ACTIVE
from .base import UtcDateTime
from .components import Component
from .incidents import AffectedComponent, Incident
from .maintenances import MaintainedComponent, Maintenance

MOST = 500
"""So many incidents, and so many maintenances, of a stretch are read: it may have any number of them."""


@dataclass(frozen=True)
class Edges:
    """Instants of what there is around a stretch; None: there is none.

    :param first: when the first thing that the page has begins, ``last`` the latest.
    :param before: the latest instant before the stretch at which something began or went on, ``after`` the earliest one
        from its end on at which something begins.
    """

    first: datetime | None
    last: datetime | None
    before: datetime | None
    after: datetime | None


def incidents_within(
    session: Session,
    page_id: UUID,
    since: datetime,
    until: datetime,
    *,
    component_id: UUID | None,
    now: datetime,
) -> tuple[list[Incident], int]:
    """The published incidents of a page that began in the stretch or went on in it, newest first, and their number.

    They come without their updates, and :data:`MOST` at most. What lasts goes on up to *now*.

    :param component_id: only those that affect it.
    """
    reaches = [Incident.started_at >= since, Incident.resolved_at > since]
    if since <= now:
        reaches.append(and_(Incident.resolved_at.is_(None), Incident.status.in_(list(OPEN))))
    within = [*_of_incidents(page_id, component_id), Incident.started_at < until, or_(*reaches)]
    query = select(Incident).where(*within).order_by(Incident.started_at.desc(), Incident.id.desc())
    query = query.options(
        selectinload(Incident.affected)
        .joinedload(AffectedComponent.component)
        .joinedload(Component.group)
    )
    rows = list(session.scalars(query.limit(MOST)))
    return rows, _count(session, rows, select(func.count(Incident.id)).where(*within))


def maintenances_within(
    session: Session,
    page_id: UUID,
    since: datetime,
    until: datetime,
    *,
    component_id: UUID | None,
    now: datetime,
) -> tuple[list[Maintenance], int]:
    """The maintenance of a page that is planned to begin in the stretch or goes on in it, latest first, and its number.

    It comes without its updates, and :data:`MOST` at most. What goes on does so up to *now*, or to its planned end.

    :param component_id: only what is about it, or about the page as a whole.
    """
    lasts = [_maintenance_end() > since]
    if since <= now:
        lasts.append(Maintenance.status.in_(list(ACTIVE)))
    within = [
        *_of_maintenances(page_id, component_id),
        Maintenance.scheduled_start < until,
        or_(
            Maintenance.scheduled_start >= since,
            and_(Maintenance.started_at.is_not(None), or_(*lasts)),
        ),
    ]
    query = select(Maintenance).where(*within)
    query = query.order_by(Maintenance.scheduled_start.desc(), Maintenance.id.desc()).options(
        selectinload(Maintenance.affected)
        .joinedload(MaintainedComponent.component)
        .joinedload(Component.group)
    )
    rows = list(session.scalars(query.limit(MOST)))
    return rows, _count(session, rows, select(func.count(Maintenance.id)).where(*within))


def edges(
    session: Session, page_id: UUID, since: datetime, until: datetime, *, component_id: UUID | None
) -> Edges:
    """Where a reader can go from the stretch of time, in one query.

    :param component_id: ``before`` and ``after`` are only about what affects it.
    """
    incident, maintenance = Incident.started_at, Maintenance.scheduled_start
    all_incidents, all_maintenances = _of_incidents(page_id, None), _of_maintenances(page_id, None)
    over = _maintenance_end()
    incidents = _of_incidents(page_id, component_id)
    maintenances = _of_maintenances(page_id, component_id)
    row = session.execute(
        select(
            _one(select(func.min(incident)).where(*all_incidents)),
            _one(select(func.min(maintenance)).where(*all_maintenances)),
            _one(select(func.max(incident)).where(*all_incidents)),
            _one(select(func.max(maintenance)).where(*all_maintenances)),
            _one(select(func.max(incident)).where(*incidents, incident < since)),
            _one(select(func.max(maintenance)).where(*maintenances, maintenance < since)),
            _one(select(func.min(incident)).where(*incidents, incident >= until)),
            _one(select(func.min(maintenance)).where(*maintenances, maintenance >= until)),
            # What was over by then may have reached into a month in which nothing began.
            _one(
                select(func.max(Incident.resolved_at)).where(
                    *incidents, Incident.resolved_at <= since, Incident.resolved_at > incident
                )
            ),
            _one(
                select(func.max(over)).where(
                    *maintenances, Maintenance.started_at.is_not(None), over <= since
                )
            ),
        )
    ).one()
    pairs = [[found for found in row[at : at + 2] if found is not None] for at in (0, 2, 4, 6)]
    pairs[2] += [found - INSTANT for found in row[8:] if found is not None]
    return Edges(
        first=min(pairs[0], default=None),
        last=max(pairs[1], default=None),
        before=max(pairs[2], default=None),
        after=min(pairs[3], default=None),
    )


def neighbours(
    session: Session, page_id: UUID, started_at: datetime, ident: UUID
) -> tuple[tuple[UUID, str] | None, tuple[UUID, str] | None]:
    """Id and title of the published incident before the one that began at *started_at*, and of the one after it."""
    start, key = Incident.started_at, Incident.id
    older = or_(start < started_at, and_(start == started_at, key < ident))
    newer = or_(start > started_at, and_(start == started_at, key > ident))
    query = select(Incident.id, Incident.title).where(*_of_incidents(page_id, None)).limit(1)
    before = query.where(older).order_by(start.desc(), key.desc())
    after = query.where(newer).order_by(start, key)
    # Each in parentheses of its own: not every database takes an order in the parts of a union.
    both = [
        select(part, literal(number).label("place"))
        for number, part in enumerate((before.subquery(), after.subquery()))
    ]
    found = {row.place: (row.id, row.title) for row in session.execute(union_all(*both))}
    return found.get(0), found.get(1)


def _of_incidents(page_id: UUID, component_id: UUID | None) -> list[ColumnElement[bool]]:
    conditions = [Incident.page_id == page_id, Incident.visibility == "published"]
    if component_id is not None:
        conditions.append(Incident.affected.any(AffectedComponent.component_id == component_id))
    return conditions


def _of_maintenances(page_id: UUID, component_id: UUID | None) -> list[ColumnElement[bool]]:
    conditions = [Maintenance.page_id == page_id]
    if component_id is not None:
        is_about = Maintenance.affected.any(MaintainedComponent.component_id == component_id)
        conditions.append(or_(is_about, ~Maintenance.affected.any()))
    return conditions


def _maintenance_end() -> ColumnElement[datetime]:
    """When maintenance ended, or is to end. A coalesce has no type of its own that makes times aware."""
    return func.coalesce(Maintenance.ended_at, Maintenance.scheduled_end, type_=UtcDateTime())


def _count(session: Session, rows: Sequence[object], query: Select[int]) -> int:
    """How many there are; counted only where not all of them were read."""
    return len(rows) if len(rows) < MOST else session.scalar(query) or 0


def _one(query: Select[Any]) -> ScalarSelect[Any]:
    return query.scalar_subquery()
