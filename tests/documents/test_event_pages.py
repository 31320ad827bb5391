"""Pages of incidents, maintenance and months: what they say, and what they do not claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

import pytest

from flask_statuspage.documents import history, page
from flask_statuspage.documents.listing import past_days
from flask_statuspage.documents.neighbours import Neighbours, courses, known
from flask_statuspage.documents.repetition import repetition
from flask_statuspage.documents.snapshot import NEWEST_INCIDENTS, Snapshot
from flask_statuspage.documents.words import Words
from flask_statuspage.domain.facts import IncidentFact
from flask_statuspage.domain.status import ComponentStatus

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
    update_fact,
    uuid,
)
from .pages import busy_snapshot, by_class, every_page, history_page, one, parsed, text_of

pytestmark = pytest.mark.usefixtures("app")

ENGLISH = Words("en", ZoneInfo("UTC"))
API = component_state(1, "API")
OPERATIONAL = ComponentStatus.OPERATIONAL
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE


def facts_of(tree: Element) -> dict[str, str]:
    return {
        text_of(pair.find("dt")): text_of(pair.find("dd"))  # type: ignore[arg-type]
        for pair in one(tree, "sp-facts")
    }


def flapping(number: int, *, gap: timedelta = timedelta(hours=1)) -> tuple[IncidentFact, ...]:
    """So many incidents that are over, newest first."""
    return tuple(
        incident_fact(
            n, f"Flap {n}", "resolved", started_at=NOW - n * gap, resolved_at=NOW - n * gap
        )
        for n in range(number)
    )


def cut(snapshot: Snapshot) -> Snapshot:
    """The same of a page that has more incidents than it."""
    return replace(snapshot, incident_count=1000)


def test_the_course_of_a_service() -> None:
    """Each change of its status once, the first one first; what was told late begins with what was wrong before."""
    steps = [(MAJOR, OPERATIONAL), (MAJOR, MAJOR), (PARTIAL, MAJOR), (OPERATIONAL, PARTIAL)]
    updates = tuple(
        update_fact(
            n, "identified", "", ago(minutes=9 - n), (affected(API, status=a, old_status=b),)
        )
        for n, (a, b) in enumerate(steps)
    )
    fact = incident_fact(1, "Down", components=(affected(API),), updates=updates[::-1])
    [course] = courses(fact)
    assert [(step.at, step.status) for step in course.steps] == [
        (ago(minutes=9), MAJOR),
        (ago(minutes=7), PARTIAL),
        (ago(minutes=6), OPERATIONAL),
    ]
    late = incident_fact(1, "Down", components=(affected(API),), updates=(updates[-1],))
    assert [step.status for step in courses(late)[0].steps] == [PARTIAL, OPERATIONAL]
    bare = incident_fact(1, "Down", components=(affected(API),))
    assert [step.status for step in courses(bare)[0].steps] == [OPERATIONAL]
    left = incident_fact(1, "Down", updates=updates[::-1])
    assert [course.service.name for course in courses(left)] == ["API"]


def test_a_postmortem_stands_by_itself() -> None:
    """It is no update among the others, and has an address as they have."""
    updates = (
        update_fact(3, "postmortem", "We learned.", ago(minutes=1)),
        update_fact(2, "resolved", "Over.", ago(minutes=2)),
    )
    fact = incident_fact(1, "Down", "postmortem", resolved_at=ago(minutes=2), updates=updates)
    tree = parsed(page.incident(snapshot_of(incidents=(fact,)), fact, FRAME))
    assert text_of(one(tree, "sp-postmortem")).endswith("We learned.")
    assert one(tree, "sp-postmortem").get("id") == f"u{updates[0].id}"
    assert [text_of(next(li.iter("h3"))) for li in one(tree, "sp-updates")] == ["Resolved"]


def test_an_end_that_nobody_noted() -> None:
    """An incident that is over without a time has no duration, least of all one until now."""
    fact = incident_fact(1, "Down", "resolved", started_at=ago(days=9))
    tree = parsed(page.incident(snapshot_of(incidents=(fact,)), fact, FRAME))
    assert list(facts_of(tree)) == ["Started"]


@pytest.mark.parametrize(
    ("place", "is_cut", "found"),
    [
        (0, False, ("Flap 1", None)),
        (1, False, ("Flap 2", "Flap 0")),
        (59, False, (None, "Flap 58")),
        (48, True, ("Flap 49", "Flap 47")),
        (NEWEST_INCIDENTS - 1, True, None),
        (NEWEST_INCIDENTS + 3, True, None),
    ],
)
def test_neighbours_that_are_known(
    place: int, is_cut: bool, found: tuple[str | None, str | None] | None
) -> None:
    """Only those are told that are the next ones for sure."""
    incidents = flapping(60)
    snapshot = snapshot_of(incidents=incidents)
    told = known(cut(snapshot) if is_cut else snapshot, incidents[place])
    if found is None:
        assert told is None
        return
    assert told is not None
    earlier, later = (side[1] if side else None for side in (told.earlier, told.later))
    assert (earlier, later) == found


def test_links_to_neighbours() -> None:
    """They are named by their titles, and left out where there are none."""
    fact = incident_fact(1, "Down")
    snapshot = snapshot_of(incidents=(fact,))
    neighbours = Neighbours(earlier=(uuid(7), "Before <b>"), later=None)
    tree = parsed(page.incident(snapshot, fact, FRAME, neighbours=neighbours))
    [link] = one(tree, "sp-pager").iter("a")
    assert (text_of(link), link.get("rel")) == ("Previous: Before <b>", "prev")
    assert list(by_class(parsed(page.incident(snapshot, fact, FRAME)), "sp-pager")) == []


def test_days_that_the_snapshot_does_not_reach() -> None:
    """They are left out; the last one is marked, since it may have had more."""
    incidents = flapping(NEWEST_INCIDENTS)
    whole = past_days(snapshot_of(incidents=incidents), ENGLISH)
    assert (len(whole), whole[-1].is_cut) == (14, False)
    days = past_days(cut(snapshot_of(incidents=incidents)), ENGLISH)
    assert [day.date.iso for day in days] == ["2026-02-19", "2026-02-18", "2026-02-17"]
    assert [day.is_cut for day in days] == [False, False, True]
    rare = flapping(NEWEST_INCIDENTS, gap=timedelta(days=1))
    days = past_days(cut(snapshot_of(incidents=rare)), ENGLISH)
    assert (len(days), any(day.is_cut for day in days)) == (14, False)
    html = page.home(cut(snapshot_of(incidents=incidents)), FRAME)
    assert "More incidents of this day and before it" in html
    assert "No incidents reported." not in html


def test_home_without_maintenance() -> None:
    """It says that none is planned, and that work without services is about all of them."""
    text = text_of(parsed(page.home(snapshot_of(API), FRAME)))
    assert "Scheduled maintenance No maintenance is scheduled." in text
    planned = snapshot_of(API, maintenances=(maintenance_fact(1, "Move"),))
    text = text_of(parsed(page.home(planned, FRAME)))
    assert "Affects all services of this page" in text
    assert "No maintenance is scheduled." not in text


def test_collapsed_lists_have_names_of_their_own() -> None:
    """Links and lines that fold are told apart by the title that they are about."""
    tree = parsed(page.home(busy_snapshot(), FRAME))
    assert "1 earlier update on Payments fail" in [text_of(e) for e in tree.iter("summary")]
    assert "Add New racks to your calendar" in [text_of(e) for e in tree.iter("a")]


@pytest.mark.parametrize(
    ("zone", "at", "is_twice"),
    [
        ("UTC", NOW, False),
        ("Europe/Berlin", NOW, True),
        ("Europe/London", NOW, False),
        ("Europe/London", datetime(2026, 7, 1, tzinfo=UTC), True),
    ],
)
def test_a_window_by_two_clocks(zone: str, at: datetime, is_twice: bool) -> None:
    """It is told in UTC as well where the clock of the page shows another time just then."""
    fact = maintenance_fact(1, "Move", start=at, end=at + timedelta(hours=1))
    snapshot = snapshot_of(maintenances=(fact,), page=page_fact(time_zone=zone))
    told = facts_of(parsed(page.maintenance(snapshot, fact, FRAME)))["Planned from"]
    assert (f"{at:%H:%M} UTC" in told and told.count("2026") == 2) == is_twice


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (None, None),
        ("FREQ=DAILY", "Every day"),
        ("FREQ=WEEKLY", "Every week"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "Every 2 weeks"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "Repeats regularly"),
        ("FREQ=MONTHLY;BYDAY=2TU", "Every month"),
        ("FREQ=MONTHLY;BYDAY=MO", "Repeats regularly"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "Repeats regularly"),
        ("FREQ=DAILY;BYMONTH=1", "Repeats regularly"),
        ("FREQ=DAILY;BYDAY=MO", "Repeats regularly"),
        ("FREQ=YEARLY;BYMONTH=1,7", "Repeats regularly"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "Repeats regularly"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "Every month"),
        ("FREQ=MONTHLY;BYDAY=5TU", "Repeats regularly"),
        ("FREQ=YEARLY;BYMONTHDAY=15", "Repeats regularly"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "Every year"),
        ("FREQ=YEARLY", "Every year"),
        ("no rule", "Repeats regularly"),
    ],
)
def test_how_often_it_comes_again(rule: str | None, said: str | None) -> None:
    """In words where these are the truth, in general where they would be less."""
    assert repetition(maintenance_fact(1, "Move", rrule=rule), ENGLISH) == said


@pytest.mark.parametrize(
    ("rule", "month", "day", "said"),
    [
        ("FREQ=MONTHLY", 1, 28, "Every month"),
        ("FREQ=MONTHLY", 1, 29, "Repeats regularly"),
        ("FREQ=MONTHLY", 1, 31, "Repeats regularly"),
        ("FREQ=MONTHLY;BYMONTHDAY=1", 1, 31, "Every month"),
        ("FREQ=YEARLY", 1, 31, "Every year"),
        ("FREQ=YEARLY", 2, 29, "Repeats regularly"),
    ],
)
def test_days_that_not_every_month_has(rule: str, month: int, day: int, said: str) -> None:
    """What begins on the 31st does not come every month, nor on 29 February every year."""
    start = datetime(2028, month, day, 22, tzinfo=UTC)
    fact = maintenance_fact(1, "Move", start=start, end=start, rrule=rule)
    assert repetition(fact, ENGLISH) == said


def test_the_next_ones_of_a_series() -> None:
    """They are linked from the one before, not from the last one, nor from one that is over."""
    values: dict[str, Any] = {"series_id": uuid(9), "rrule": "FREQ=WEEKLY"}
    over = maintenance_fact(1, "Move", "completed", start=ago(days=7), end=ago(days=7), **values)
    first = maintenance_fact(2, "Move", "in_progress", start=ago(), **values)
    second = maintenance_fact(3, "Move", start=ago(days=-7), end=ago(days=-8), **values)
    other = maintenance_fact(4, "Other", start=ago(days=-9), end=ago(days=-10))
    snapshot = snapshot_of(maintenances=(over, first, second, other))

    def linked(number: int) -> list[str]:
        fact = snapshot.maintenances[number]
        tree = parsed(page.maintenance(snapshot, fact, FRAME))
        links = [a.get("href") or "" for ul in by_class(tree, "sp-list") for a in ul.iter("a")]
        return [link.rpartition("/")[2] for link in links]

    assert len(linked(1)) == 1
    assert str(second.id) in linked(1)[0]
    assert (linked(0), linked(2)) == ([], [])


def test_a_month_by_days() -> None:
    """Newest first; maintenance and incidents of one day stand together."""
    text = history_page(busy_snapshot())
    tree = parsed(text)
    days = [text_of(heading) for heading in by_class(tree, "sp-day")]
    assert days == ["19 Feb 2026", "17 Feb 2026"]
    first = next(by_class(tree, "sp-days")).findall("li")[0]
    assert [text_of(a) for a in first.iter("a")] == ["New racks", "Payments fail", "New disks"]
    assert facts_of(tree) == {
        "Incidents": "2",
        "Time with incidents": "47 min",
        "Maintenance": "2",
    }


def test_an_empty_month() -> None:
    """It says so, and has no totals and no days."""
    tree = parsed(history_page(busy_snapshot(), month="2026-01"))
    assert text_of(one(tree, "sp-empty")) == "No incidents in Jan 2026."
    assert list(by_class(tree, "sp-days")) == []
    assert list(by_class(tree, "sp-facts")) == []


def test_the_list_of_months_holds_the_one_that_is_shown() -> None:
    """However long the history is, and where a month beyond its ends is asked for."""
    old = incident_fact(1, "Old", "resolved", started_at=datetime(2001, 1, 1, tzinfo=UTC))
    snapshot = snapshot_of(incidents=(old,))
    for month in ("2000-01", "2003-05", "2026-02", "2030-12"):
        tree = parsed(history_page(snapshot, month=month))
        options = list(tree.iter("option"))
        assert [o.get("value") for o in options if "selected" in o.attrib] == [month]
        assert len(options) <= history.MOST_MONTHS + 2
        values = [o.get("value") or "" for o in options if (o.get("value") or "").startswith("2")]
        assert values == sorted(values, reverse=True)


def test_what_a_page_is_to_other_sites() -> None:
    """Each page says once what kind of thing it is: an incident or a maintenance is an article."""
    articles = set()
    for name, html in every_page().items():
        kinds = [
            meta.get("content")
            for meta in parsed(html).iter("meta")
            if meta.get("property") == "og:type"
        ]
        assert len(kinds) <= 1, name
        if kinds == ["article"]:
            articles.add(name)
    assert {"incident", "maintenance"} <= articles
    assert not articles & {"home", "component", "history"}
