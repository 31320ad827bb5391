"""What is known of a page and its things, frozen: the parts of snapshots and of events.

Times are aware UTC. :func:`plain` makes the JSON-able form that events carry.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from .audience import Newly
from .incident import IncidentStatus, ended_at
from .maintenance import MaintenanceStatus
from .status import ComponentStatus, Impact
from .verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class PageFact:
    """``url`` has no trailing slash. ``locale`` is None where nobody chose one. ``logo`` is an image's URL, or None."""

    id: UUID
    slug: str
    name: str
    url: str
    time_zone: str
    updated_at: datetime
    locale: str | None = None
    logo: str | None = None


@dataclass(frozen=True, kw_only=True)
class ShownPage(PageFact):
    """A page with what only its readers need.

    :param visibility: ``public``, ``signed-in`` or ``link``.
    :param link_token: what stands in the place of its slug while its visibility is ``link``, else None.
    :param language: of what every reader gets alike, such as its feeds and its mirror; None: as its locale has it.
    :param colours: pairs of a style token and its colour.
    :param header: Markdown above the page's content, ``footer`` below it.
    """

    visibility: str = "public"
    link_token: str | None = field(default=None, repr=False)
    language: str | None = None
    colours: tuple[tuple[str, str], ...] = ()
    header: str = ""
    footer: str = ""

    @property
    def is_public(self) -> bool:
        return self.visibility == "public"


@dataclass(frozen=True, kw_only=True)
class GroupFact:
    id: UUID
    name: str
    description: str
    position: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class ComponentFact:
    """``group`` is the group's name. ``since`` is when the shown status began.

    ``start_date`` is the day from which its uptime counts, ``showcase`` whether its uptime is shown at all.
    """

    id: UUID
    slug: str
    name: str
    description: str
    group_id: UUID | None
    group: str | None
    position: int
    status: ComponentStatus
    only_show_if_degraded: bool
    since: datetime
    created_at: datetime
    updated_at: datetime
    showcase: bool = True
    start_date: date | None = None


@dataclass(frozen=True, kw_only=True)
class AffectedFact:
    """A component in an incident, maintenance or update. ``old_status`` is None where it was not recorded."""

    id: UUID
    slug: str
    name: str
    group: str | None
    status: ComponentStatus
    old_status: ComponentStatus | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateFact:
    """One word on an incident or maintenance. ``body`` is Markdown, ``notified`` whether subscribers were told."""

    id: UUID
    status: IncidentStatus | MaintenanceStatus
    body: str
    components: tuple[AffectedFact, ...]
    created_at: datetime
    updated_at: datetime
    notified: bool = True


@dataclass(frozen=True, kw_only=True)
class IncidentFact:
    """``updates`` are newest first; ``components`` carry the status of the latest update.

    ``next_update_due`` is when readers were promised news by.
    """

    id: UUID
    title: str
    status: IncidentStatus
    impact: Impact
    automatic: bool
    components: tuple[AffectedFact, ...]
    updates: tuple[UpdateFact, ...]
    started_at: datetime
    monitoring_at: datetime | None
    resolved_at: datetime | None
    created_at: datetime
    updated_at: datetime
    next_update_due: datetime | None = None

    @property
    def ended_at(self) -> datetime | None:
        """When it was over, see :func:`.incident.ended_at`."""
        return ended_at(self.status, self.started_at, self.resolved_at)

    def concerned(self, *, at_its_end: bool) -> list[UUID]:
        """The components whose readers hear what is told now: those that are affected.

        Whoever heard of the incident for the sake of another one hears that it was taken off, and of the end.
        """
        told = self.updates if at_its_end else self.updates[:2]
        lists = [self.components, *(update.components for update in told if update.notified)]
        return list(dict.fromkeys(component.id for known in lists for component in known))

    @property
    def newly(self) -> Newly:
        """For whom the latest update is the first that they are told, or that it is open again."""
        latest, *older = self.updates
        if not older or not self.status.is_open:
            return False
        told = [update for update in older if update.notified]
        if not told or not IncidentStatus(older[0].status).is_open:
            return True
        known = {component.id for update in told for component in update.components}
        return frozenset({component.id for component in latest.components} - known)


@dataclass(frozen=True, kw_only=True)
class MaintenanceFact:
    """``updates`` are newest first. ``started_at`` and ``ended_at`` are when it really began and ended.

    :param revision: how often the window itself was changed.
    :param rrule: RFC 5545 without ``DTSTART``; None: it does not recur. ``exceptions`` are local dates without one.
    :param series_id: what the occurrences of one rule have in common; ``series_start`` is where the rule counts from on
        the clock of ``series_zone``, ``occurrence_at`` what it gave this one, wherever it was moved to.
    """

    id: UUID
    title: str
    status: MaintenanceStatus
    components: tuple[AffectedFact, ...]
    updates: tuple[UpdateFact, ...]
    scheduled_start: datetime
    scheduled_end: datetime
    started_at: datetime | None
    ended_at: datetime | None
    auto_start: bool
    auto_complete: bool
    remind_before: tuple[int, ...]
    revision: int
    rrule: str | None
    exceptions: tuple[str, ...]
    series_id: UUID | None
    series_start: datetime | None
    series_zone: str | None
    occurrence_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def newly(self) -> Newly:
        """Whether it has begun and its latest update is the first that anybody is told."""
        return self.status.is_active and not any(update.notified for update in self.updates[1:])

    def is_overrun(self, now: datetime) -> bool:
        """Whether it should be over by now and is not."""
        return self.status.is_active and now > self.scheduled_end


@dataclass(frozen=True, kw_only=True)
class CheckFact:
    """One answered probe. ``code`` is the protocol's status, ``error`` the class of what failed."""

    outcome: Verdict
    region: str
    at: datetime
    milliseconds: int | None
    code: int | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class RegionFact:
    """A monitor as one region sees it.

    :param outcome: of its latest check, as what follows. :param votes: whether it counts at the moment: it does not
        while its latest result is too old, or says more about the region than about the target.
    """

    region: str
    verdict: Verdict
    votes: bool
    outcome: Verdict | None
    at: datetime | None
    milliseconds: int | None
    code: int | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class MonitorFact:
    """``failures`` is how many checks in a row failed, ``notification_level`` counts the notices of one outage."""

    id: UUID
    slug: str
    name: str
    kind: str
    target: str
    interval: int
    verdict: Verdict
    failures: int
    previous: Verdict | None = None
    check: CheckFact | None = None
    notification_level: int = 1
    regions: tuple[RegionFact, ...] = ()


def plain(value: Any) -> Any:
    """*value* as plain data: dataclasses become dicts, times RFC 3339 in UTC, enums and UUIDs text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, UUID | date):
        return str(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
