"""Which subscription an event concerns."""

from __future__ import annotations

from uuid import UUID

import pytest

from flask_statuspage.domain.audience import Interest, concerns

API, WEB, MAIL = (UUID(int=number) for number in (1, 2, 3))
UNASKED = frozenset({"incident.created", "incident.resolved"})


@pytest.mark.parametrize(
    ("name", "about", "interest", "expected"),
    [
        ("incident.created", [], Interest(), True),
        ("incident.created", [API], Interest(), True),
        ("monitor.down", [API], Interest(), False),
        ("monitor.down", [API], Interest(events=frozenset({"monitor.down"})), True),
        ("incident.created", [API], Interest(events=frozenset({"monitor.down"})), False),
        ("incident.created", [API], Interest(events=frozenset()), False),
        ("incident.created", [API, WEB], Interest(frozenset({WEB, MAIL})), True),
        ("incident.created", [API], Interest(frozenset({WEB, MAIL})), False),
        ("incident.created", [], Interest(frozenset({WEB})), False),
    ],
)
def test_event_reaches_whoever_chose_it(
    name: str, about: list[UUID], interest: Interest, expected: bool
) -> None:
    """No component chosen means all, no event chosen means what the format sends unasked."""
    assert concerns(name, about, interest, unasked=UNASKED) is expected
