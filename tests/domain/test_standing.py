"""How a page stands, and what is left of the steps of a transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.standing import (
    OpenIncident,
    RunningMaintenance,
    Standing,
    StandingComponent,
    net_changes,
)
from flask_statuspage.domain.status import ComponentStatus, Impact

S = ComponentStatus
NOW = datetime(2026, 2, 19, 17, 30, tzinfo=UTC)


def component(status: S) -> StandingComponent:
    return StandingComponent(id=UUID(int=1), name="API", group=None, status=status)


def incident(title: str, impact: Impact, minutes: int = 0) -> OpenIncident:
    at = NOW + timedelta(minutes=minutes)
    return OpenIncident(id=UUID(int=2), title=title, impact=impact, started_at=at)


def maintenance(title: str, minutes: int = 0, *, whole_page: bool = False) -> RunningMaintenance:
    at = NOW + timedelta(minutes=minutes)
    return RunningMaintenance(id=UUID(int=3), title=title, started_at=at, whole_page=whole_page)


def step(number: int, previous: S, status: S) -> dict[str, Any]:
    return {
        "id": str(UUID(int=number)),
        "name": f"C{number}",
        "group": None,
        "previous_status": previous.value,
        "status": status.value,
    }


@pytest.mark.parametrize(
    ("standing", "status"),
    [
        (Standing(), S.OPERATIONAL),
        (Standing(components=(component(S.PARTIAL_OUTAGE),)), S.PARTIAL_OUTAGE),
        (Standing(incidents=(incident("", Impact.CRITICAL),)), S.MAJOR_OUTAGE),
        (Standing(maintenances=(maintenance(""),)), S.OPERATIONAL),
        (Standing(maintenances=(maintenance("", whole_page=True),)), S.UNDER_MAINTENANCE),
        (
            Standing(
                components=(component(S.DEGRADED_PERFORMANCE),),
                maintenances=(maintenance("", whole_page=True),),
            ),
            S.DEGRADED_PERFORMANCE,
        ),
    ],
)
def test_the_status_of_the_page(standing: Standing, status: S) -> None:
    """The worst component, at least what open incidents call for; maintenance where nothing is worse."""
    assert standing.status is status


def test_the_topic() -> None:
    """The worst open incident, the latest of equals; without one the latest maintenance; without any nothing."""
    windows = (maintenance("old"), maintenance("new", 1))
    told = (
        incident("a", Impact.MAJOR),
        incident("b", Impact.MAJOR, 1),
        incident("c", Impact.MINOR, 2),
    )
    found = [
        Standing(incidents=told, maintenances=windows).topic,
        Standing(maintenances=windows).topic,
        Standing().topic,
    ]
    assert [topic and topic.title for topic in found] == ["b", "new", None]


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(S), st.booleans()), max_size=12))
def test_each_component_is_left_once(walk: list[tuple[int, S, bool]]) -> None:
    """Whatever happens in between: from the first status to the last, told if any step was; none that is as before."""
    now = dict.fromkeys(range(1, 4), S.OPERATIONAL)
    steps, told = [], dict.fromkeys(range(1, 4), False)
    for number, status, aloud in walk:
        steps.append((step(number, now[number], status), aloud))
        now[number], told[number] = status, told[number] or aloud
    left = {c.id.int: (c.previous_status, c.status, c.told) for c in net_changes(steps)}
    assert left == {
        number: (S.OPERATIONAL, status, told[number])
        for number, status in now.items()
        if status is not S.OPERATIONAL
    }
