"""The bodies of the manage API. Unknown fields are refused by name, so that a typing error is not a silent no."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from ...domain.incident import IncidentStatus
from ...domain.markup import MAX_CHARACTERS, has_control
from ...domain.status import ComponentStatus, Impact
from ..storable import UNSTORABLE, is_storable

MAX_NAMED = 1000
"""Components or events in one list: databases take so many parameters in one statement, not any number."""


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError(UNSTORABLE)
    return text


def _one_line(text: str) -> str:
    """URLs stand in the headers of mails."""
    if any(mark.isspace() or not mark.isprintable() for mark in text):
        raise ValueError("Must not have spaces, line breaks or control characters")
    return text


_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.]\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _written(value: object) -> object:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("Must be a time as RFC 3339 writes it, such as '2026-02-19T17:30:00Z'")
    return value


def _usual(moment: datetime) -> datetime:
    """Refuse years that a database or another zone cannot express."""
    if not 1900 <= moment.year < 9999:
        raise ValueError("Must lie between the years 1900 and 9998")
    return moment


Text = Annotated[str, AfterValidator(_storable)]


def _titled(text: str) -> str:
    if has_control(text):
        raise ValueError("Must not have line breaks or control characters")
    return text


Title = Annotated[
    str,
    # Before the check, so that spaces alone are no title.
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_storable),
    AfterValidator(_titled),
]
Word = Annotated[Text, StringConstraints(min_length=1, max_length=80)]
Prose = Annotated[Text, StringConstraints(max_length=MAX_CHARACTERS)]
Url = Annotated[Text, StringConstraints(max_length=500), AfterValidator(_one_line)]
Instant = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_usual)]
Position = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Whole = Annotated[int, Field(strict=True, ge=-(2**31), le=2**31 - 1)]
Named = Annotated[list[Text], Field(max_length=MAX_NAMED)]
Affected = Named | Annotated[dict[Text, ComponentStatus], Field(max_length=MAX_NAMED)]


Visibility = Literal["published", "draft"]


class Body(BaseModel):
    """Base of all bodies."""

    model_config = ConfigDict(extra="forbid")


class NewPage(Body):
    name: Title
    slug: Word | None = None
    url: Url | None = None
    time_zone: Word | None = None


class PageChange(Body):
    name: Title | None = None
    slug: Word = ""
    url: Url | None = None
    time_zone: Word | None = None


class NewGroup(Body):
    page: Text | None = None
    name: Title
    description: Prose = ""
    position: Position = 0


class GroupChange(Body):
    name: Title = ""
    description: Prose = ""
    position: Position = 0


class NewComponent(Body):
    """``group`` is a group's id or name."""

    page: Text | None = None
    name: Title
    slug: Word | None = None
    description: Prose = ""
    group: Text | None = None
    position: Position | None = None
    status: ComponentStatus | None = None
    only_show_if_degraded: bool = False


class ComponentChange(Body):
    name: Title = ""
    slug: Word = ""
    description: Prose = ""
    group: Text | None = None
    position: Position = 0
    status: ComponentStatus | None = None
    only_show_if_degraded: bool = False


class StatusWord(Body):
    """``status`` null takes a person's word back: monitors and incidents decide alone again."""

    status: ComponentStatus | None
    note: Prose = ""
    notify: bool = True
    until: Instant | None = None


class MonitorFields(Body):
    kind: Word = "http"
    target: Annotated[Text, StringConstraints(min_length=1, max_length=2048)] = ""
    component: Text | None = None
    interval: Whole = 60
    timeout: Annotated[float, Field(allow_inf_nan=False)] = 10.0
    regions: Annotated[list[Word], Field(min_length=1, max_length=50)] = Field(
        default_factory=lambda: ["default"]
    )
    quorum: Whole = 1
    failure_threshold: Whole = 3
    recovery_threshold: Whole = 2
    degraded_over_ms: Whole | None = None
    outage_status: ComponentStatus = ComponentStatus.MAJOR_OUTAGE
    open_incident: bool = True
    options: dict[Word, Any] = Field(default_factory=dict)


class NewMonitor(MonitorFields):
    page: Text | None = None
    name: Title
    slug: Word | None = None
    target: Annotated[Text, StringConstraints(min_length=1, max_length=2048)]


class MonitorChange(MonitorFields):
    name: Title = ""
    slug: Word = ""


class NewIncident(Body):
    page: Text | None = None
    title: Title
    body: Prose = ""
    status: IncidentStatus = IncidentStatus.INVESTIGATING
    impact: Impact | None = None
    components: Affected = Field(default_factory=list)
    started_at: Instant | None = None
    visibility: Visibility = "published"
    notify: bool = True


class NewUpdate(Body):
    status: IncidentStatus | None = None
    body: Prose = ""
    components: Affected | None = None
    impact: Impact | None = None
    notify: bool = True


class IncidentChange(Body):
    title: Title | None = None
    impact: Impact | None = None
    components: Affected | None = None
    visibility: Visibility = "published"
    notify: bool = True


class Resolution(Body):
    body: Prose = ""
    notify: bool = True


class NewSubscription(Body):
    """Made by a member, so it is active at once."""

    page: Text | None = None
    channel: Word
    address: Annotated[Text, StringConstraints(min_length=1, max_length=2048)]
    format: Word | None = None
    components: Named = Field(default_factory=list)
    events: Named | None = None
    secret: Annotated[Text, StringConstraints(min_length=1, max_length=200)] | None = None


class SubscriptionChange(Body):
    format: Word = ""
    components: Named = Field(default_factory=list)
    events: Named | None = None
    secret: Annotated[Text, StringConstraints(min_length=1, max_length=200)] = ""
