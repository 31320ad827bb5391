"""``monitors``, with ``run``, ``pause``, ``resume``, ``checks`` and ``series``"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from flask import request
from pydantic import Field, StringConstraints

from ...domain.facts import CheckFact, RegionFact
from ...domain.rights import Right
from ...domain.series import DEFAULT, RANGES, Series
from ...domain.status import ComponentStatus
from ...domain.verdict import Verdict
from ...errors import Invalid, Problems
from ...services import addresses, facts, heartbeats, monitor_fields, monitor_runs, monitors, series
from ...services.monitor_fields import MAX_ESCALATIONS
from ...storage import checks, lists
from ...storage.monitors import Monitor
from ...storage.session import database_now
from .answering import told
from .call import COMPONENT, Call
from .door import Door
from .fields import Body, Change, Flag, Text, Title, Whole, Word
from .reading import asked, choice, sought, truth, words
from .things import Thing


class MonitorFields(Body):
    kind: Word = "http"
    target: Annotated[Text, StringConstraints(max_length=2048)] = ""
    component: Text | None = None
    interval: Whole = 60
    timeout: Annotated[float, Field(strict=True, allow_inf_nan=False)] = 10.0
    regions: Annotated[list[Word], Field(min_length=1, max_length=50)] = Field(
        default_factory=lambda: ["default"]
    )
    quorum: Whole = 1
    failure_threshold: Whole = 3
    degraded_threshold: Whole | None = None
    recovery_threshold: Whole = 2
    degraded_over_ms: Whole | None = None
    outage_status: ComponentStatus = ComponentStatus.MAJOR_OUTAGE
    open_incident: Flag = True
    template: Text | None = None
    depends_on: Text | None = None
    escalation_intervals: Annotated[list[Whole], Field(max_length=MAX_ESCALATIONS)] = Field(
        default_factory=list
    )
    options: dict[Word, Any] = Field(default_factory=dict)


class NewMonitor(MonitorFields):
    page: Text | None = None
    name: Title
    slug: Word | None = None


class MonitorChange(MonitorFields, Change):
    name: Title = ""
    slug: Word = ""


@dataclass(frozen=True, kw_only=True)
class MonitorAnswer:
    """A monitor with what is believed of its target. ``component`` is the slug of the one that it watches, or None.

    :param interval: seconds, as ``timeout``.
    :param quorum: how many regions must agree.
    :param template: name of the template that gives incidents their text.
    :param depends_on: slug of the monitor while whose failure it is silent.
    :param escalation_intervals: seconds from one notice to the next while it stays down.
    :param verdict_at: when that began.
    :param notification_level: how many notices were sent of its being down; 0 while it is not.
    :param flapping: whether its verdict changed so often lately that it must be well for longer.
    :param heartbeat_url: where its target reports to; None for other kinds, and for viewers.
    :param results: what each region knows.
    """

    id: UUID
    name: str
    slug: str
    kind: str
    target: str
    interval: int
    timeout: float
    regions: list[str]
    quorum: int
    failure_threshold: int
    degraded_threshold: int | None
    recovery_threshold: int
    degraded_over_ms: int | None
    outage_status: ComponentStatus
    open_incident: bool
    template: str | None
    depends_on: str | None
    escalation_intervals: list[int]
    options: dict[str, Any]
    component: str | None
    paused: bool
    verdict: Verdict
    verdict_at: datetime | None
    notification_level: int
    flapping: bool
    heartbeat_url: str | None
    results: list[RegionFact]
    created_at: datetime
    updated_at: datetime


REGION = words("region", "Only what was checked from this region.")
KIND = words("kind", "Only those of this kind, such as `http`.")
VERDICT = choice("verdict", tuple(Verdict), "Only those with this verdict.")
PAUSED = truth("paused", "Only those that are paused, or that are not.")
SEARCH = sought("search", "Only those with this text in name, slug or target.")
FILTERS = (COMPONENT, KIND, VERDICT, PAUSED, SEARCH)
MEASURED = ("verdict", "verdict_at", "notification_level", "flapping", "results")
"""What changes with each check."""

RANGE = choice("range", list(RANGES), "How far back it reaches.", default=DEFAULT)


def add_routes(door: Door) -> None:
    every, one = "/monitors", "/monitors/<ident>"
    door.thing("monitors", Thing((MonitorAnswer,), show, _hold, moving=MEASURED))
    read = partial(door.route, right=Right.SEE, answer=MonitorAnswer)
    write = partial(door.route, right=Right.WATCH, answer=MonitorAnswer)
    read("GET", every, index, paged=True, parameters=FILTERS)
    write("POST", every, create, body=NewMonitor, status=201)
    read("GET", one, show)
    write("PATCH", one, change, body=MonitorChange)
    write("DELETE", one, remove, answer=None)
    write("POST", f"{one}/run", run, answer=CheckFact)
    write("POST", f"{one}/pause", pause)
    write("POST", f"{one}/resume", resume)
    write("POST", f"{one}/rotate-token", rotate_token)
    read("GET", f"{one}/checks", list_checks, answer=CheckFact, paged=True, parameters=(REGION,))
    read("GET", f"{one}/series", show_series, answer=Series, parameters=(RANGE,))


def described(call: Call, monitor: Monitor) -> dict[str, Any]:
    names = monitor_fields.names(call.session, call.page, [monitor])
    return _described(call, monitor, names, database_now(call.session))


def _described(
    call: Call, monitor: Monitor, names: Mapping[UUID, str], now: datetime
) -> dict[str, Any]:
    # Whoever knows the URL can report, so only those read it who may change the monitor.
    reports = monitor.token if call.may(Right.WATCH) else None
    return told(
        MonitorAnswer,
        monitor_fields.described(monitor, names),
        id=monitor.id,
        paused=monitor.paused_at is not None,
        verdict=monitor.verdict,
        verdict_at=monitor.verdict_at,
        notification_level=monitor.notification_level,
        flapping=any(row.streak.is_flapping for row in monitor.regions),
        heartbeat_url=addresses.heartbeat_url(reports) if reports else None,
        results=[facts.region(row, monitor, now) for row in monitor.regions],
        created_at=monitor.created_at,
        updated_at=monitor.updated_at,
    )


def index(call: Call) -> dict[str, Any]:
    """List the monitors of the page."""
    # Once, not for each monitor.
    names, now = monitor_fields.names(call.session, call.page), database_now(call.session)
    verdict = asked(VERDICT)
    query = lists.monitors(
        call.page.id,
        component_id=call.component_sought(),
        kind=asked(KIND),
        verdict=Verdict(verdict) if verdict else None,
        paused=asked(PAUSED),
        search=asked(SEARCH),
    )
    return call.listed(query, lambda monitor: _described(call, monitor, names, now))


def create(call: Call) -> dict[str, Any]:
    """Make a monitor."""
    problems = Problems()
    with call.outside(), problems.gathered():
        monitors.vet(call.body.kind, call.body.target)
    with problems.gathered():
        monitor = monitors.create(call.session, call.page, **call.values(), actor=call.actor)
    problems.tell()
    return described(call, monitor)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a monitor."""
    return described(call, monitors.get(call.session, call.page, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Change a monitor; what is not sent stays."""
    values, problems = call.values(), Problems()
    if not values.keys().isdisjoint(("kind", "target")):
        monitor = monitors.get(call.session, call.page, ident)
        kind, target = values.get("kind", monitor.kind), values.get("target", monitor.target)
        with call.outside(), problems.gathered():
            monitors.vet(kind, target)
    elif "depends_on" in values:
        # What others have changed by the time that the page is held must be seen, or two could close a circle.
        with call.outside():
            pass
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    with problems.gathered():
        monitors.change(call.session, call.page, monitor, values, actor=call.actor)
    problems.tell()
    return described(call, monitor)


def remove(call: Call, ident: str) -> None:
    """Delete a monitor with its results."""
    monitor = monitors.get(call.session, call.page, ident, lock=True, dependants=True)
    monitors.remove(call.session, call.page, monitor, actor=call.actor)


def run(call: Call, ident: str) -> dict[str, Any]:
    """Check now; the result counts like any other."""
    _, result = monitor_runs.run(
        call.session, call.page, ident, outside=call.outside, actor=call.actor
    )
    return told(CheckFact, facts.check(result))


def pause(call: Call, ident: str) -> dict[str, Any]:
    """Stop checking until the monitor is resumed."""
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    return described(call, monitors.pause(call.session, call.page, monitor, actor=call.actor))


def resume(call: Call, ident: str) -> dict[str, Any]:
    """Check again after a pause."""
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    return described(call, monitors.resume(call.session, call.page, monitor, actor=call.actor))


def rotate_token(call: Call, ident: str) -> dict[str, Any]:
    """Give a heartbeat another URL; the old one leads nowhere from then on."""
    monitor = monitors.get(call.session, call.page, ident, lock=True)
    return described(call, heartbeats.rotate(call.session, call.page, monitor, actor=call.actor))


def list_checks(call: Call, ident: str) -> dict[str, Any]:
    """List the results of a monitor, newest first."""
    monitor = monitors.get(call.session, call.page, ident)
    region = asked(REGION)
    wanted = [row.id for row in monitor.regions if region is None or row.region == region]
    if not wanted:
        raise Invalid.field("region", f"The monitor is not checked from {region!r}.")
    return call.page_of(
        checks.count(call.session, wanted),
        lambda size, offset: [
            told(CheckFact, row) for row in checks.newest(call.session, wanted, size, offset)
        ],
    )


def show_series(call: Call, ident: str) -> dict[str, Any]:
    """Response times and uptime over a range of time, per region, in at most 120 points."""
    monitor = monitors.get(call.session, call.page, ident)
    return told(Series, series.of_monitor(call.session, monitor, asked(RANGE)))


def _hold(call: Call, ident: str) -> None:
    family = request.method == "DELETE"
    monitors.get(call.session, call.page, ident, lock=True, dependants=family)
