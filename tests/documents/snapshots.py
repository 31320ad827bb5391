"""Snapshots of every kind for property tests: hostile names, odd times, statuses in every mixture."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from flask_statuspage.documents.snapshot import ComponentState, Snapshot
from flask_statuspage.domain.facts import (
    AffectedFact,
    GroupFact,
    IncidentFact,
    MaintenanceFact,
    UpdateFact,
)
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus, Impact

from .conftest import (
    component_state,
    group_fact,
    incident_fact,
    maintenance_fact,
    page_fact,
    snapshot_of,
)

HOSTILE = (
    "<script>alert(1)</script>",
    "]]>",
    "a\r\nSet-Cookie: b",
    "\u202egnihton",
    "\U0001f692 \U0001d518\U0001d52b",
    '=HYPERLINK("http://example.com")',
    '"},{"id":null',
    "\u2028\u2029",
    "' OR 1=1 --",
    "{{ 7*7 }}",
)

texts = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
names = texts.filter(
    lambda text: any(letter.isprintable() and not letter.isspace() for letter in text)
)
instants = st.datetimes(
    datetime(1990, 1, 1),
    datetime(2100, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
)
maybe_instants = st.none() | instants
statuses = st.sampled_from(ComponentStatus)

# A snapshot is many draws, which a busy machine takes its time for.
patient = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A page; its incidents and maintenances also name components that have left it."""
    groups = tuple(
        group_fact(
            number,
            draw(names),
            description=draw(texts),
            created_at=draw(instants),
            updated_at=draw(instants),
        )
        for number in range(draw(st.integers(0, 2)))
    )
    states = tuple(_component(draw, number, groups) for number in range(draw(st.integers(0, 4))))
    gone = component_state(99, draw(names))
    nameable = (*states, gone)
    incidents = tuple(
        _incident(draw, number, nameable) for number in range(draw(st.integers(0, 3)))
    )
    maintenances = tuple(
        _maintenance(draw, number, nameable) for number in range(draw(st.integers(0, 3)))
    )
    return snapshot_of(
        *states,
        incidents=incidents,
        groups=groups,
        maintenances=maintenances,
        status=draw(statuses),
        generated_at=draw(instants),
        page=page_fact(name=draw(names), updated_at=draw(instants)),
    )


def _component(draw: st.DrawFn, number: int, groups: tuple[GroupFact, ...]) -> ComponentState:
    return component_state(
        number,
        draw(names),
        draw(statuses),
        group=draw(st.sampled_from((None, *groups))),
        measured=draw(st.booleans()),
        description=draw(texts),
        only_show_if_degraded=draw(st.booleans()),
        showcase=draw(st.booleans()),
        since=draw(instants),
        start_date=draw(st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1))),
        created_at=draw(instants),
        updated_at=draw(instants),
    )


def _affected(draw: st.DrawFn, states: tuple[ComponentState, ...]) -> tuple[AffectedFact, ...]:
    chosen = draw(st.lists(st.sampled_from(states), unique_by=lambda s: s.fact.id, max_size=3))
    return tuple(
        AffectedFact(
            id=state.fact.id,
            slug=state.fact.slug,
            name=draw(names),
            group=draw(st.none() | names),
            status=draw(statuses),
            old_status=draw(st.none() | statuses),
        )
        for state in chosen
    )


def _updates(
    draw: st.DrawFn,
    kind: type[IncidentStatus] | type[MaintenanceStatus],
    states: tuple[ComponentState, ...],
) -> tuple[UpdateFact, ...]:
    return tuple(
        UpdateFact(
            id=draw(st.uuids()),
            status=draw(st.sampled_from(kind)),
            body=draw(texts),
            components=_affected(draw, states),
            created_at=draw(instants),
            updated_at=draw(instants),
            notified=draw(st.booleans()),
        )
        for _ in range(draw(st.integers(0, 2)))
    )


def _incident(draw: st.DrawFn, number: int, states: tuple[ComponentState, ...]) -> IncidentFact:
    return incident_fact(
        number,
        draw(names),
        draw(st.sampled_from(IncidentStatus)),
        draw(st.sampled_from(Impact)),
        started_at=draw(instants),
        resolved_at=draw(maybe_instants),
        components=_affected(draw, states),
        updates=_updates(draw, IncidentStatus, states),
        monitoring_at=draw(maybe_instants),
        next_update_due=draw(maybe_instants),
    )


def _maintenance(
    draw: st.DrawFn, number: int, states: tuple[ComponentState, ...]
) -> MaintenanceFact:
    more: dict[str, Any] = {"started_at": draw(maybe_instants), "ended_at": draw(maybe_instants)}
    return maintenance_fact(
        number,
        draw(names),
        draw(st.sampled_from(MaintenanceStatus)),
        start=draw(instants),
        end=draw(instants),
        components=_affected(draw, states),
        updates=_updates(draw, MaintenanceStatus, states),
        rrule=draw(st.sampled_from([None, "FREQ=WEEKLY"])),
        **more,
    )
