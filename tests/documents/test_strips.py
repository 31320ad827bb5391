"""Uptime strips: what they say of a day, how they are drawn, and how little they weigh."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from flask_statuspage.documents import page, strips
from flask_statuspage.documents.day_text import DayText, day_text
from flask_statuspage.documents.snapshot import ComponentState, Snapshot
from flask_statuspage.documents.strips import UptimeStrip, uptime_formula, uptime_strips
from flask_statuspage.documents.words import words_in
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.strip import Day
from flask_statuspage.domain.uptime import Interval, uptime_percent

from .conftest import (
    FRAME,
    NOW,
    affected,
    ago,
    component_state,
    incident_fact,
    maintenance_fact,
    page_fact,
    snapshot_of,
)
from .pages import by_class, parsed, text_of

pytestmark = pytest.mark.usefixtures("app")

UNKNOWN = ComponentStatus.UNKNOWN
OPERATIONAL = ComponentStatus.OPERATIONAL
MAINTENANCE = ComponentStatus.UNDER_MAINTENANCE
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE
WORDS = words_in("en", "UTC")
DAY = 86_400


def history(*stretches: tuple[ComponentStatus, datetime]) -> tuple[Interval, ...]:
    """Statuses by when they began, the last of them lasts."""
    ends = [start for _, start in stretches[1:]]
    return tuple(
        Interval(status, start, end)
        for (status, start), end in zip(stretches, [*ends, None], strict=True)
    )


CALM = history((OPERATIONAL, ago(days=400)))


def bad_day(
    status: ComponentStatus, start: datetime, **lasted: float
) -> tuple[tuple[ComponentStatus, datetime], tuple[ComponentStatus, datetime]]:
    return (status, start), (OPERATIONAL, start + timedelta(**lasted))


def state_of(*stretches: tuple[ComponentStatus, datetime], **changes: Any) -> ComponentState:
    begun = history((OPERATIONAL, ago(days=400)), *stretches)
    return component_state(1, "REST API", **{"history": begun, **changes})


def line(told: DayText) -> str:
    """What the readout shows of a day."""
    return f"{told.date.text}: {told.named}"


def drawn(state: ComponentState, **changes: Any) -> UptimeStrip:
    snapshot = snapshot_of(state, **changes)
    return uptime_strips(snapshot, FRAME.words(snapshot.page))[state.fact.id]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (
            {PARTIAL: 9000, DEGRADED: 720, OPERATIONAL: DAY - 9720},
            "12 Oct 2026: Partial outage 2 h 30 min, degraded 12 min, 96.87%",
        ),
        (
            {MAJOR: 5400, OPERATIONAL: DAY - 5400},
            "12 Oct 2026: Major outage 1 h 30 min, 93.75%",
        ),
        ({MAINTENANCE: 2100, OPERATIONAL: DAY - 2100}, "12 Oct 2026: Under maintenance 35 min"),
        ({OPERATIONAL: DAY}, "12 Oct 2026: Operational"),
        ({UNKNOWN: DAY}, "12 Oct 2026: No data"),
        (
            {MAJOR: 20, OPERATIONAL: DAY - 20},
            "12 Oct 2026: Operational, major outage less than a minute, 99.97%",
        ),
        (
            {MAJOR: 30, PARTIAL: 600, UNKNOWN: 7200, OPERATIONAL: DAY - 7830},
            "12 Oct 2026: Partial outage 10 min, major outage less than a minute, no data 2 h, 99.73%",
        ),
        ({MAJOR: DAY}, "12 Oct 2026: Major outage 1 d, 0.00%"),
    ],
)
def test_text_of_a_day(seconds: dict[ComponentStatus, float], expected: str) -> None:
    """What happened, first what has the colour, then the worst, with the day's uptime where something was lost."""
    told = day_text(Day(date(2026, 10, 12), seconds), WORDS, partial_weight=0.3)
    assert line(told) == expected
    assert told.date.iso == "2026-10-12"


def test_titles_of_a_day() -> None:
    """The worst incident is named with the number of others; every other one has its link in the list."""
    state = state_of(
        *bad_day(PARTIAL, ago(days=3), hours=2, minutes=30),
        *bad_day(MAINTENANCE, ago(days=1), minutes=35),
    )
    hit = (affected(state),)
    other = (affected(component_state(2, "Other")),)
    over = {"resolved_at": ago(days=3, hours=-3), "components": hit}
    incidents = (
        incident_fact(1, "Slow", "resolved", "minor", started_at=ago(days=3), **over),
        incident_fact(2, "Elevated errors", "resolved", "major", started_at=ago(days=3), **over),
        incident_fact(3, "Not here", "investigating", "critical", components=other),
    )
    work = maintenance_fact(
        1,
        "Billing database upgrade",
        "completed",
        components=hit,
        started_at=ago(days=1),
        ended_at=ago(days=1, minutes=-35),
    )
    planned = maintenance_fact(2, "Not begun", components=hit)
    strip = drawn(state, incidents=incidents, maintenances=(work, planned))
    assert [(place, line(told)) for place, told, _ in strip.events] == [
        (88, "18 Feb 2026: Under maintenance 35 min · Billing database upgrade"),
        (86, "16 Feb 2026: Partial outage 2 h 30 min, 96.87% · Elevated errors (+1)"),
    ]
    links = [[(one.id, one.title) for one in told.happenings] for _, told, _ in strip.events]
    assert links == [
        [(work.id, work.title)],
        [(incidents[1].id, "Elevated errors"), (incidents[0].id, "Slow")],
    ]


def test_maintenance_of_the_whole_page_is_everywhere() -> None:
    """What names no service is about all of them."""
    work = maintenance_fact(
        1, "New building", "completed", components=(), started_at=ago(days=1), ended_at=ago(days=1)
    )
    (event,) = drawn(state_of(), maintenances=(work,)).events
    assert line(event[1]) == "18 Feb 2026: Operational · New building"


def test_an_incident_without_an_effect_has_its_days() -> None:
    """Each day from its beginning to its end, also where the service was operational all along; open ones until now."""
    state = state_of()
    fact = incident_fact(
        1,
        "Odd",
        "resolved",
        "none",
        started_at=ago(days=2),
        resolved_at=ago(days=1),
        components=(affected(state),),
    )
    texts = [line(told) for _, told, _ in drawn(state, incidents=(fact,)).events]
    assert texts == ["18 Feb 2026: Operational · Odd", "17 Feb 2026: Operational · Odd"]
    still = replace(
        fact, status=IncidentStatus.MONITORING, resolved_at=None, started_at=ago(days=300)
    )
    assert len(drawn(state, incidents=(still,)).events) == 90
    # Over, and nobody noted since when.
    imported = replace(fact, resolved_at=None)
    texts = [line(told) for _, told, _ in drawn(state, incidents=(imported,)).events]
    assert texts == ["17 Feb 2026: Operational · Odd"]


def test_titles_of_another_direction_are_kept_apart() -> None:
    """In attributes there is no markup: a title that runs the other way is isolated by characters."""
    state = state_of()
    hit = (affected(state),)
    for title, language, expected in (
        ("Errors", "en", "· Errors"),
        ("بطيء", "en", "· \u2068بطيء\u2069"),
        ("Errors", "ar", "· \u2068Errors\u2069"),
    ):
        fact = incident_fact(1, title, components=hit)
        snapshot = snapshot_of(state, incidents=(fact,))
        strip = uptime_strips(snapshot, words_in(language, "UTC"))[state.fact.id]
        assert strip.events[0][1].named.endswith(expected)


def test_one_path_for_each_status_each_in_its_own_shape() -> None:
    """Statuses differ by more than their colour; rows of days that are alike are one line."""
    begun = history(
        (OPERATIONAL, ago(days=6)),
        *bad_day(DEGRADED, ago(days=5), hours=1),
        *bad_day(PARTIAL, ago(days=4), hours=1),
        *bad_day(MAJOR, ago(days=3), hours=1),
        *bad_day(MAINTENANCE, ago(days=2), hours=1),
    )
    strip = drawn(state_of(history=begun), uptime_days=9)
    assert {shape.tone: shape.path for shape in strip.shapes} == {
        "unknown": "M1 31h14",
        "operational": "M17 20h6M57 20h14",
        "degraded": "M28 0v3m0 3v28",
        "partial": "M36 0v14m0 3v17",
        "major": "M44 0v34",
        "maintenance": "M52 6v11m0 6v11",
    }
    assert strip.view == "0 0 72 34"
    assert strip.plain == "2-7o"


def test_every_status_has_a_shape() -> None:
    """A status without one would be drawn as not known: never green, and noticed here."""
    known = strips._DASHED.keys() | strips._UPRIGHT.keys()
    assert known == set(ComponentStatus)
    (shape,) = strips._shapes([("new", 2)])  # type: ignore[list-item]
    assert shape.tone == "unknown"


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (366, [("wide", 90), ("middling", 60), ("narrow", 30)]),
        (90, [("wide", 90), ("middling", 60), ("narrow", 30)]),
        (75, [("wide", 75), ("middling", 60), ("narrow", 30)]),
        (45, [("wide middling", 45), ("narrow", 30)]),
        (30, [("wide middling narrow", 30)]),
        (7, [("wide middling narrow", 7)]),
    ],
)
def test_windows(kept: int, expected: list[tuple[str, int]]) -> None:
    """A strip shows what is kept, and what is said of it is the uptime of what is seen."""
    lost = bad_day(MAJOR, ago(days=40), hours=10)
    state = state_of(*lost)
    strip = drawn(state, uptime_days=kept)
    assert [(w.at, w.ago) for w in strip.windows] == [(at, f"{n} days ago") for at, n in expected]
    for window, (_, number) in zip(strip.windows, expected, strict=True):
        since = NOW.replace(hour=0, minute=0) - timedelta(days=number - 1)
        percent = uptime_percent(state.history, since=since, until=NOW, partial_weight=0.3)
        said = "100%" if percent == 100 else f"{percent:.2f}%"
        assert window.uptime == f"{said} uptime over {number} days"
        assert (percent == 100) == (number < 40)
    assert strip.plain == f"{min(kept, 90)}o"


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("UTC", "100%", "99.95%"),
        ("Europe/Helsinki", "99.95%", "99.95%"),
        ("America/Lima", "100%", "100%"),
    ],
)
def test_uptime_of_the_days_that_are_seen(zone: str, before: str, after: str) -> None:
    """What was lost counts from the midnight on, in the page's zone, at which the first day begins; not from so many
    times 24 hours ago."""
    midnight = NOW.replace(hour=0, minute=0) - timedelta(days=29)
    for lost, expected in ((midnight - timedelta(minutes=20), before), (midnight, after)):
        state = state_of(*bad_day(MAJOR, lost, minutes=20))
        snapshot = snapshot_of(state, page=page_fact(time_zone=zone), uptime_days=30)
        (window,) = uptime_strips(snapshot, FRAME.words(snapshot.page))[state.fact.id].windows
        assert window.uptime == f"{expected} uptime over 30 days"


def test_a_single_day() -> None:
    """Then it is today's only."""
    (window,) = drawn(state_of(), uptime_days=1).windows
    assert (window.ago, window.uptime) == ("", "100% uptime over 1 day")


def test_a_younger_history() -> None:
    """The uptime of a window that reaches back further than what is known names the first day of that."""
    state = state_of(history=history((OPERATIONAL, ago(days=40))))
    strip = drawn(state)
    assert [w.uptime for w in strip.windows] == [
        "100% uptime since 10 Jan 2026",
        "100% uptime since 10 Jan 2026",
        "100% uptime over 30 days",
    ]
    assert strip.label == "REST API: 100% uptime since 10 Jan 2026, 49 days without data"
    assert strip.events == ()  # that the history begins is no event
    nothing = drawn(state_of(history=()))
    assert {w.uptime for w in nothing.windows} == {"No data"}
    assert nothing.label == "REST API: No data"


def test_label() -> None:
    """Who does not see the drawing learns its uptime, how many days have events, and how many no data."""
    state = state_of(
        *bad_day(DEGRADED, ago(days=9), minutes=3),
        *bad_day(PARTIAL, ago(days=3), hours=2, minutes=30),
    )
    expected = "REST API: 99.96% uptime over 90 days, 2 days with events"
    assert drawn(state).label == expected
    gap = (UNKNOWN, ago(days=20, hours=-10)), (OPERATIONAL, ago(days=15))
    assert drawn(state_of(*gap)).label.endswith("2 days with events, 3 days without data")


def test_page_zone() -> None:
    """Days begin at midnight in the page's zone."""
    state = state_of(*bad_day(MAJOR, datetime(2026, 2, 10, 23, tzinfo=UTC), minutes=90))
    snapshot = snapshot_of(state, page=page_fact(time_zone="Asia/Tokyo"))
    strip = uptime_strips(snapshot, FRAME.words(snapshot.page))[state.fact.id]
    assert [line(told) for _, told, _ in strip.events] == [
        "11 Feb 2026: Major outage 1 h 30 min, 93.75%"
    ]


def strip_of(snapshot: Snapshot) -> Element:
    (found,) = by_class(parsed(page.home(snapshot, FRAME)), "sp-uptime")
    return found


def test_markup() -> None:
    """A picture with a name, a list with links, and for the script only what it cannot know."""
    state = state_of(*bad_day(PARTIAL, ago(days=3), hours=2, minutes=30))
    fact = incident_fact(
        1,
        "Slow <b>",
        "resolved",
        started_at=ago(days=3),
        resolved_at=ago(days=3, hours=-3),
        components=(affected(state),),
    )
    found = strip_of(snapshot_of(state, incidents=(fact,)))
    picture = found.find(".//{*}svg")
    assert picture is not None
    assert (picture.get("role"), picture.get("width")) == ("img", "150%")
    assert "99.96% uptime over 90 days, 1 day with events" in (picture.get("aria-label") or "")
    assert found.get("data-end") == "2026-02-19"
    assert found.get("data-words") == "Operational|No data|{date}: {text}"
    (item,) = [e for e in found.iter("li")]
    assert text_of(item) == "16 Feb 2026: Partial outage 2 h 30 min, 96.87% · Slow <b>"
    assert item.get("data-text") is None
    assert item.get("data-day") == "86"
    assert next(item.iter("a")).get("href") == f"/status/incident/{fact.id}"
    summary = next(found.iter("summary"))
    assert (text_of(summary), summary.get("aria-label")) == (
        "1 day with events",
        "1 day with events of REST API",
    )
    calm = strip_of(snapshot_of(state_of()))
    assert list(calm.iter("details")) == []


def test_size_of_many_strips() -> None:
    """Sixty services: at most 100 KB, 6 KB on the wire, and some ten nodes each besides the days with events."""
    states = [
        component_state(
            number,
            f"Service {number}",
            history=history(
                (OPERATIONAL, ago(days=400)),
                *bad_day(PARTIAL, ago(days=80 - number), minutes=7 * number),
                *bad_day(DEGRADED, ago(days=61 - number, hours=3), minutes=3),
                *bad_day(MAINTENANCE, ago(hours=24 + number), minutes=2 * number),
            ),
        )
        for number in range(60)
    ]
    html = page.home(snapshot_of(*states), FRAME)
    found = list(by_class(parsed(html), "sp-uptime"))
    assert len(found) == 60
    parts = re.findall(r'<div class="sp-uptime".*?\n</div>', html, re.DOTALL)
    assert len(parts) == 60
    whole = "".join(parts).encode()
    print(f"60 strips: {len(whole)} bytes, {len(gzip.compress(whole))} on the wire")
    assert len(whole) <= 100_000
    assert len(gzip.compress(whole)) <= 6_000
    nodes = [
        sum(1 for _ in strip.iter())
        - sum(1 for details in strip.iter("details") for _ in details.iter())
        for strip in found
    ]
    assert max(nodes) <= 16
    assert (
        sum(len(list(picture.iter())) for strip in found for picture in strip.findall(".//{*}svg"))
        <= 300
    )


@pytest.mark.parametrize(
    ("weight", "share", "german"),
    [
        (0.0, "0%", "0\xa0%"),
        (0.3, "30%", "30\xa0%"),
        (0.125, "12.5%", "12,5\xa0%"),
        (1.0, "100%", "100\xa0%"),
    ],
)
def test_formula(weight: float, share: str, german: str) -> None:
    """The page says what a partial outage costs here, with the number as its reader writes it."""
    said = uptime_formula(WORDS, partial_weight=weight)
    assert f"a partial outage by {share}, degraded performance not at all." in said
    assert "Time under maintenance or without data is not observed." in said
    assert "it is 100% only without any outage." in said
    assert f" {german}" in uptime_formula(words_in("de", "UTC"), partial_weight=weight)
    html = page.home(snapshot_of(component_state(1, "A"), partial_outage_weight=weight), FRAME)
    (details,) = by_class(parsed(html), "sp-formula")
    assert text_of(details) == f"How uptime is calculated Uptime covers the last 90 days. {said}"


def test_strip_box() -> None:
    """A host's page gets the service, its status and its strip without any id, so that it may hold several."""
    state = state_of(*bad_day(PARTIAL, ago(days=3), hours=2), showcase=True)
    html = strips.strip_box(snapshot_of(state), state, FRAME)
    assert 'href="/status/component/service-1"' in html
    assert "1 day with events" in html
    assert " id=" not in html
    hidden = state_of(showcase=False)
    bare = strips.strip_box(snapshot_of(hidden), hidden, FRAME)
    assert "REST API" in bare
    assert "sp-uptime" not in bare


def test_now_is_in_the_last_day() -> None:
    """The newest day is the day of the snapshot."""
    assert drawn(state_of()).end == NOW.date()
