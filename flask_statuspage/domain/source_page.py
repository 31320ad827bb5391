"""What a status page elsewhere tells of itself in the public v2 documents of Statuspage, in the words of this house.

Source of the format: the documents that every Statuspage publishes under ``/api/v2/``. Pages leave out what they do not
use; times come with milliseconds or microseconds, with ``Z`` or an offset.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import date, datetime

from .foreign import Node, distinct
from .incident import IncidentStatus
from .maintenance import ACTIVE, OVER, MaintenanceStatus
from .markup import MAX_CHARACTERS
from .status import ComponentStatus, Impact

API = "/api/v2"
"""Where a page's documents lie, below its own address."""

MAX_COMPONENTS = 2000
MAX_INCIDENTS = 1000
MAX_UPDATES = 500
MAX_NAME = 200

COMPONENT_STATUS: dict[str, ComponentStatus] = {
    status.value: status for status in ComponentStatus if status is not ComponentStatus.UNKNOWN
}
INCIDENT_STATUS = {status.value: status for status in IncidentStatus}
MAINTENANCE_STATUS = {status.value: status for status in MaintenanceStatus} | {
    "resolved": MaintenanceStatus.COMPLETED,
    "postmortem": MaintenanceStatus.COMPLETED,
    "canceled": MaintenanceStatus.CANCELLED,
}
IMPACT = {impact.value: impact for impact in Impact} | {"maintenance": Impact.NONE}


@dataclass(frozen=True, kw_only=True)
class SourceGroup:
    id: str
    name: str
    description: str
    position: int


@dataclass(frozen=True, kw_only=True)
class SourceComponent:
    """None stands for what is not told."""

    id: str
    name: str
    description: str
    position: int
    group_id: str | None
    status: ComponentStatus
    only_show_if_degraded: bool | None
    showcase: bool | None
    start_date: date | None


@dataclass(frozen=True)
class SourceAffected:
    """The status that an update gave the component *id*."""

    id: str
    status: ComponentStatus
    old_status: ComponentStatus | None


@dataclass(frozen=True, kw_only=True)
class SourceUpdate:
    """``at`` is when its readers saw it."""

    id: str
    status: IncidentStatus | MaintenanceStatus
    body: str
    at: datetime
    components: tuple[SourceAffected, ...]


@dataclass(frozen=True, kw_only=True)
class SourceIncident:
    """``components`` are ids with the status that the incident gives them now; ``updates`` are oldest first."""

    id: str
    title: str
    status: IncidentStatus
    impact: Impact
    started_at: datetime
    monitoring_at: datetime | None
    resolved_at: datetime | None
    created_at: datetime
    updated_at: datetime
    components: tuple[tuple[str, ComponentStatus], ...]
    updates: tuple[SourceUpdate, ...]


@dataclass(frozen=True, kw_only=True)
class SourceMaintenance:
    """``started_at`` and ``ended_at`` are when it really began and ended; ``updates`` are oldest first."""

    id: str
    title: str
    status: MaintenanceStatus
    scheduled_start: datetime
    scheduled_end: datetime
    started_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    updated_at: datetime
    components: tuple[str, ...]
    updates: tuple[SourceUpdate, ...]


@dataclass(frozen=True, kw_only=True)
class SourcePage:
    groups: tuple[SourceGroup, ...]
    components: tuple[SourceComponent, ...]
    incidents: tuple[SourceIncident, ...]
    maintenances: tuple[SourceMaintenance, ...]


def page_address(url: str) -> str:
    """The address of the page, of which *url* is the address or that of one of its documents."""
    return url.strip().partition(API)[0].rstrip("/")


def read(
    *, summary: object, components: object, incidents: object, maintenances: object
) -> SourcePage:
    """The page that the four documents tell of, each as JSON was parsed.

    The lists of incidents and maintenance end after the newest ones; *summary* has those that are not over.

    :raises Invalid: naming the place, such as ``incidents[3].impact`` or ``summary.incidents[0].impact``.
    """
    short = Node.root(summary, "summary", name="summary.json")
    listed = Node.root(components, name="components.json").rows(
        "components", at_most=MAX_COMPONENTS, required=True
    )
    rows = list(enumerate(distinct(listed), start=1))
    return SourcePage(
        groups=tuple(_group(row, place) for place, row in rows if row.flag("group")),
        components=tuple(_component(row, place) for place, row in rows if not row.flag("group")),
        incidents=tuple(
            _incident(row)
            for row in _all(Node.root(incidents, name="incidents.json"), short, "incidents")
        ),
        maintenances=tuple(
            _maintenance(row)
            for row in _all(
                Node.root(maintenances, name="scheduled-maintenances.json"),
                short,
                "scheduled_maintenances",
            )
        ),
    )


def _all(whole: Node, short: Node, name: str) -> list[Node]:
    listed = distinct(whole.rows(name, at_most=MAX_INCIDENTS, required=True))
    known = {row.id() for row in listed}
    more = distinct(short.rows(name, at_most=MAX_INCIDENTS))
    return [*listed, *(row for row in more if row.id() not in known)]


def _group(row: Node, place: int) -> SourceGroup:
    position = row.integer("position")
    return SourceGroup(
        id=row.id(),
        name=row.line("name", at_most=MAX_NAME),
        description=row.body("description", at_most=MAX_CHARACTERS),
        position=place if position is None else position,
    )


def _component(row: Node, place: int) -> SourceComponent:
    position = row.integer("position")
    return SourceComponent(
        id=row.id(),
        name=row.line("name", at_most=MAX_NAME),
        description=row.body("description", at_most=MAX_CHARACTERS),
        position=place if position is None else position,
        group_id=row.optional_id("group_id"),
        status=row.word("status", COMPONENT_STATUS) or ComponentStatus.OPERATIONAL,
        only_show_if_degraded=row.flag("only_show_if_degraded"),
        showcase=row.flag("showcase"),
        start_date=row.day("start_date"),
    )


def _incident(row: Node) -> SourceIncident:
    status = row.word("status", INCIDENT_STATUS) or row.fail("status", "Is missing.")
    created_at, updated_at = _written(row)
    updates = _updates(row, INCIDENT_STATUS, status, created_at)
    over = None
    if not status.is_open:
        over = row.instant("resolved_at") or _last(updates, {IncidentStatus.RESOLVED})
        over = over or max([updated_at, *(update.at for update in updates)])
    watched = row.instant("monitoring_at") or _first(updates, {IncidentStatus.MONITORING})
    return SourceIncident(
        id=row.id(),
        title=row.line("name", at_most=MAX_NAME),
        status=status,
        impact=row.word("impact", IMPACT) or Impact.NONE,
        started_at=row.instant("started_at")
        or min([created_at, *(update.at for update in updates)]),
        monitoring_at=watched,
        resolved_at=over,
        created_at=created_at,
        updated_at=updated_at,
        components=_affected(row, updates, is_open=status.is_open),
        updates=updates,
    )


def _maintenance(row: Node) -> SourceMaintenance:
    status = row.word("status", MAINTENANCE_STATUS) or row.fail("status", "Is missing.")
    created_at, updated_at = _written(row)
    updates = _updates(row, MAINTENANCE_STATUS, status, created_at)
    start = row.instant("scheduled_for") or row.instant("started_at") or created_at
    begun = ended = None
    if status.is_over:
        ended = row.instant("resolved_at") or _last(updates, OVER)
    end = row.instant("scheduled_until") or ended or start
    if status is not MaintenanceStatus.SCHEDULED:
        begun = _first(updates, ACTIVE) or row.instant("started_at") or start
    return SourceMaintenance(
        id=row.id(),
        title=row.line("name", at_most=MAX_NAME),
        status=status,
        scheduled_start=start,
        scheduled_end=max(start, end),
        started_at=begun,
        ended_at=max(begun or start, ended or max(start, end)) if status.is_over else None,
        created_at=created_at,
        updated_at=updated_at,
        components=tuple(
            component_id for component_id, _ in _affected(row, updates, is_open=False)
        ),
        updates=updates,
    )


def _written(row: Node) -> tuple[datetime, datetime]:
    """When it was written first and last."""
    created_at = row.instant("created_at") or row.instant("started_at")
    if created_at is None:
        row.fail("created_at", "Is missing.")
    return created_at, row.instant("updated_at") or created_at


def _updates(
    row: Node,
    meanings: dict[str, IncidentStatus] | dict[str, MaintenanceStatus],
    status: IncidentStatus | MaintenanceStatus,
    created_at: datetime,
) -> tuple[SourceUpdate, ...]:
    """The updates, oldest first; two of one instant as they were listed, which is newest first."""
    words: dict[str, IncidentStatus | MaintenanceStatus] = {**meanings}
    listed = distinct(row.rows("incident_updates", at_most=MAX_UPDATES))
    read = [
        SourceUpdate(
            id=update.id(),
            status=update.word("status", words) or status,
            body=update.body("body", at_most=MAX_CHARACTERS),
            at=update.instant("display_at") or update.instant("created_at") or created_at,
            components=tuple(_of_update(update)),
        )
        for update in reversed(listed)
    ]
    return tuple(sorted(read, key=lambda update: update.at))


def _of_update(update: Node) -> Iterable[SourceAffected]:
    seen = set()
    for item in update.rows("affected_components", at_most=MAX_COMPONENTS):
        component_id, status = item.optional_id("code"), item.word("new_status", COMPONENT_STATUS)
        if component_id is not None and status is not None and component_id not in seen:
            seen.add(component_id)
            yield SourceAffected(component_id, status, item.word("old_status", COMPONENT_STATUS))


def _affected(
    row: Node, updates: Iterable[SourceUpdate], *, is_open: bool
) -> tuple[tuple[str, ComponentStatus], ...]:
    """Each component once. What an open incident says of it is its latest word, else how the component is now."""
    found = {
        component.id(): component.word("status", COMPONENT_STATUS) or ComponentStatus.OPERATIONAL
        for component in row.rows("components", at_most=MAX_COMPONENTS)
    }
    for update in updates:
        for affected in update.components:
            found[affected.id] = affected.status
    if not is_open:
        found = dict.fromkeys(found, ComponentStatus.OPERATIONAL)
    return tuple(found.items())


def _first(
    updates: Iterable[SourceUpdate], statuses: Set[IncidentStatus] | Set[MaintenanceStatus]
) -> datetime | None:
    return min((update.at for update in updates if update.status in statuses), default=None)


def _last(
    updates: Iterable[SourceUpdate], statuses: Set[IncidentStatus] | Set[MaintenanceStatus]
) -> datetime | None:
    return max((update.at for update in updates if update.status in statuses), default=None)
