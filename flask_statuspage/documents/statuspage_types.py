"""The shapes of the Statuspage dialect. See :mod:`.statuspage_api`, which fills them in."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from ..domain.dialects import (
    STATUSPAGE_COMPONENT,
    STATUSPAGE_DESCRIPTION,
    STATUSPAGE_IMPACT,
    STATUSPAGE_INCIDENT,
    STATUSPAGE_INDICATOR,
    STATUSPAGE_MAINTENANCE,
    STATUSPAGE_MAINTENANCE_IMPACT,
)
from .schema import Day, Identifier, Instant, Markdown, Url, one_of

ComponentWord = Annotated[str, one_of(STATUSPAGE_COMPONENT.values())]
AlwaysNull = Annotated[None, Field(description="Always null: it is here for clients that read it.")]


class StatuspagePage(TypedDict):
    """The page that a document is about. Every document begins with it."""

    id: Identifier
    name: str
    url: Annotated[Url, Field(description="Where people read it, without a slash at the end.")]
    time_zone: Annotated[str, Field(description="An IANA name; all times here are in UTC.")]
    updated_at: Annotated[Instant, Field(description="When what it shows was last changed.")]


class StatuspageStatus(TypedDict):
    """The page as a whole. One whose status is not known counts as operational."""

    indicator: Annotated[str, one_of(STATUSPAGE_INDICATOR.values())]
    description: Annotated[str, one_of(STATUSPAGE_DESCRIPTION.values())]


class StatuspageComponent(TypedDict):
    """A component, or a group of components: a row of its own whose status is the worst of its members'."""

    id: Identifier
    name: str
    status: ComponentWord
    created_at: Instant
    updated_at: Instant
    position: Annotated[int, Field(description="Among the groups, or among the components.")]
    description: str | None
    showcase: Annotated[bool, Field(description="Its uptime is shown; never of a group.")]
    start_date: Annotated[
        Day | None, Field(description="The day from which its uptime counts; null: always.")
    ]
    group_id: Annotated[
        Identifier | None,
        Field(description="The id of the group's row; null: it belongs to none, or is a group."),
    ]
    page_id: Identifier
    group: Annotated[bool, Field(description="Whether this is the row of a group.")]
    only_show_if_degraded: bool
    components: NotRequired[
        Annotated[
            list[Identifier], Field(description="The ids of its members; only in a group's row.")
        ]
    ]


class StatuspageAffected(TypedDict):
    """A component that an update is about. Both statuses are equal where nobody noted what it was before."""

    code: Annotated[Identifier, Field(description="The component's id.")]
    name: Annotated[str, Field(description="`Group - Name`, or only the name without a group.")]
    old_status: ComponentWord
    new_status: ComponentWord


class StatuspageUpdate(TypedDict):
    """One word on an incident or a maintenance, and the status that it had from then on."""

    id: Identifier
    status: Annotated[
        str, one_of([*STATUSPAGE_INCIDENT.values(), *STATUSPAGE_MAINTENANCE.values()])
    ]
    body: Annotated[Markdown, Field(description="May be empty.")]
    incident_id: Annotated[Identifier, Field(description="Of the incident or the maintenance.")]
    created_at: Instant
    updated_at: Annotated[Instant, Field(description="When its text was last corrected.")]
    display_at: Annotated[Instant, Field(description="The same as `created_at`.")]
    affected_components: Annotated[
        list[StatuspageAffected] | None, Field(description="Null: it names none.")
    ]
    deliver_notifications: Annotated[bool, Field(description="Whether subscribers were told.")]
    custom_tweet: AlwaysNull
    tweet_id: AlwaysNull


class StatuspageIncident(TypedDict):
    """An incident. It has at least one update; they come newest first."""

    id: Identifier
    name: str
    status: Annotated[str, one_of(STATUSPAGE_INCIDENT.values())]
    created_at: Instant
    updated_at: Instant
    monitoring_at: Annotated[
        Instant | None, Field(description="Since when a fix is watched; null: there was none yet.")
    ]
    resolved_at: Annotated[Instant | None, Field(description="Null while it is open.")]
    impact: Annotated[str, one_of(STATUSPAGE_IMPACT.values())]
    shortlink: Annotated[Url, Field(description="Where people read about it.")]
    started_at: Instant
    page_id: Identifier
    incident_updates: list[StatuspageUpdate]
    components: Annotated[
        list[StatuspageComponent],
        Field(description="As they are now; those that left the page are not among them."),
    ]


class StatuspageMaintenance(TypedDict):
    """A maintenance window: an incident with a schedule. One that was cancelled counts as completed."""

    id: Identifier
    name: str
    status: Annotated[str, one_of(STATUSPAGE_MAINTENANCE.values())]
    created_at: Instant
    updated_at: Instant
    monitoring_at: AlwaysNull
    resolved_at: Annotated[
        Instant | None, Field(description="When it ended or was cancelled; null: not yet.")
    ]
    impact: Annotated[str, one_of([STATUSPAGE_MAINTENANCE_IMPACT])]
    shortlink: Annotated[Url, Field(description="Where people read about it.")]
    started_at: Annotated[
        Instant, Field(description="When it really began; until then, when it is to begin.")
    ]
    page_id: Identifier
    incident_updates: list[StatuspageUpdate]
    components: Annotated[
        list[StatuspageComponent],
        Field(description="As they are now; none: it is about the page as a whole."),
    ]
    scheduled_for: Annotated[Instant, Field(description="When it is to begin.")]
    scheduled_until: Annotated[Instant, Field(description="When it is to end.")]


class StatuspageStatusDocument(TypedDict):
    """How the page is as a whole."""

    page: StatuspagePage
    status: StatuspageStatus


class StatuspageComponentsDocument(TypedDict):
    """All components and groups, in the order of the page: each group before its members."""

    page: StatuspagePage
    components: list[StatuspageComponent]


class StatuspageIncidentsDocument(TypedDict):
    """Incidents, newest first."""

    page: StatuspagePage
    incidents: list[StatuspageIncident]


class StatuspageMaintenancesDocument(TypedDict):
    """Maintenance windows."""

    page: StatuspagePage
    scheduled_maintenances: list[StatuspageMaintenance]


class StatuspageSummaryDocument(TypedDict):
    """The whole page at once: its open incidents, and the maintenance that goes on or is planned."""

    page: StatuspagePage
    components: list[StatuspageComponent]
    incidents: list[StatuspageIncident]
    scheduled_maintenances: list[StatuspageMaintenance]
    status: StatuspageStatus
