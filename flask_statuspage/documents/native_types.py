"""The words and shapes of the native JSON API, version 2. See :mod:`.native_api`, which fills them in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from ..domain.dialects import NATIVE_STATUS
from ..domain.incident import IncidentStatus
from ..domain.maintenance import MaintenanceStatus
from ..domain.status import ComponentStatus, Impact
from .schema import Identifier, Instant, Markdown, Url, one_of

INDICATOR = {
    ComponentStatus.OPERATIONAL: "operational",
    ComponentStatus.DEGRADED_PERFORMANCE: "degraded",
    ComponentStatus.PARTIAL_OUTAGE: "partial_outage",
    ComponentStatus.MAJOR_OUTAGE: "major_outage",
    ComponentStatus.UNDER_MAINTENANCE: "maintenance",
    ComponentStatus.UNKNOWN: "unknown",
}
"""``status.indicator`` of a page."""

DESCRIPTION = {
    ComponentStatus.OPERATIONAL: "All systems operational",
    ComponentStatus.DEGRADED_PERFORMANCE: "Degraded performance",
    ComponentStatus.PARTIAL_OUTAGE: "Partial outage",
    ComponentStatus.MAJOR_OUTAGE: "Major outage",
    ComponentStatus.UNDER_MAINTENANCE: "Maintenance in progress",
    ComponentStatus.UNKNOWN: "Status not known",
}
"""``status.description`` of a page."""

ComponentWord = Annotated[str, one_of(NATIVE_STATUS.values())]
FirstName = Annotated[
    str | None, Field(description="The name of the first component; null without one.")
]


class NativeStatus(TypedDict):
    """The page as a whole."""

    indicator: Annotated[str, one_of(INDICATOR.values())]
    description: Annotated[str, one_of(DESCRIPTION.values())]


class NativePage(TypedDict):
    """The page that a document is about."""

    name: str
    url: Annotated[Url, Field(description="Where people read it, without a slash at the end.")]
    updated_at: Annotated[Instant, Field(description="When what it shows was last changed.")]
    id: Identifier
    slug: str
    time_zone: Annotated[str, Field(description="An IANA name; all times here are in UTC.")]


class NativeComponent(TypedDict):
    """A component, its status and what was measured of it. Null stands for what is not known."""

    name: str
    group: Annotated[str | None, Field(description="The group's name; null: it belongs to none.")]
    status: ComponentWord
    uptime_percent: Annotated[
        float | None,
        Field(description="Of the page's window, by default 90 days; null: nothing observed yet."),
    ]
    response_time_ms: Annotated[
        int | None,
        Field(description="Milliseconds that the latest check took; null while checks fail."),
    ]
    check_interval: Annotated[
        int | None, Field(description="Seconds between checks; null without a monitor.")
    ]
    last_check: Annotated[Instant | None, Field(description="Null: it was never checked.")]
    id: Identifier
    slug: str
    description: Annotated[str, Field(description="May be empty.")]
    status_since: Annotated[Instant, Field(description="When the status that it has began.")]
    updated_at: Instant


class NativeAffected(TypedDict):
    """A component in an incident, a maintenance or an update, with the status that this gave it."""

    name: str
    group: str | None
    status: ComponentWord
    id: Identifier
    slug: str


class NativeUpdate(TypedDict):
    """One word on an incident or a maintenance, and the status that it had from then on."""

    status: Annotated[str, one_of([*IncidentStatus, *MaintenanceStatus])]
    body: Annotated[Markdown, Field(description="May be empty.")]
    created_at: Instant
    id: Identifier
    components: list[NativeAffected]
    updated_at: Annotated[Instant, Field(description="When its text was last corrected.")]


class NativeIncident(TypedDict):
    """An incident. Its updates come newest first."""

    name: str
    status: Annotated[str, one_of(IncidentStatus)]
    impact: Annotated[str, one_of(Impact)]
    component: FirstName
    started_at: Instant
    resolved_at: Annotated[Instant | None, Field(description="Null while it is open.")]
    updates: list[NativeUpdate]
    id: Identifier
    components: Annotated[
        list[NativeAffected], Field(description="With the statuses that the latest update gave.")
    ]
    monitoring_at: Annotated[
        Instant | None, Field(description="Since when a fix is watched; null: there was none yet.")
    ]
    next_update_due: Annotated[
        Instant | None, Field(description="By when news is promised; null: nothing is promised.")
    ]
    created_at: Instant
    updated_at: Instant


class NativeMaintenance(TypedDict):
    """A maintenance window. Its updates come newest first."""

    name: str
    status: Annotated[str, one_of(MaintenanceStatus)]
    component: FirstName
    scheduled_start: Instant
    scheduled_end: Instant
    started_at: Annotated[
        Instant | None, Field(description="When it really began; null: it did not.")
    ]
    ended_at: Annotated[
        Instant | None, Field(description="When it ended or was cancelled; null: not yet.")
    ]
    updates: list[NativeUpdate]
    id: Identifier
    components: Annotated[
        list[NativeAffected], Field(description="Empty: it is about the page as a whole.")
    ]
    overrun: Annotated[bool, Field(description="It should be over and is not.")]
    rrule: Annotated[
        str | None, Field(description="RFC 5545 without DTSTART; null: it does not recur.")
    ]
    created_at: Instant
    updated_at: Instant


class NativeStatusDocument(TypedDict):
    """How the page is as a whole."""

    status: NativeStatus
    page: NativePage


class NativeComponentsDocument(TypedDict):
    """All components, in the order of the page."""

    components: list[NativeComponent]


class NativeIncidentsDocument(TypedDict):
    """Incidents, newest first."""

    incidents: list[NativeIncident]


class NativeMaintenancesDocument(TypedDict):
    """Maintenance windows, the earliest first."""

    scheduled_maintenances: list[NativeMaintenance]


class NativeSummaryDocument(TypedDict):
    """The whole page at once: its open incidents, and the maintenance that goes on or is planned."""

    status: NativeStatus
    page: NativePage
    components: list[NativeComponent]
    incidents: list[NativeIncident]
    scheduled_maintenances: list[NativeMaintenance]
