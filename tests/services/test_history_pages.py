"""A month of a page is read whole, by the clock of the page, in a fixed number of statements."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from flask_statuspage.documents import history
from flask_statuspage.documents.history import Events
from flask_statuspage.documents.history_by_month import by_month
from flask_statuspage.documents.neighbours import Neighbours
from flask_statuspage.documents.words import words_in
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import Impact
from flask_statuspage.domain.year_month import Month
from flask_statuspage.errors import Invalid
from flask_statuspage.services import (
    facts,
    history_pages,
    incidents,
    maintenances,
    overview,
    pages,
)
from flask_statuspage.storage import maintenances as stored
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.maintenances import Maintenance
from flask_statuspage.storage.pages import Page

from . import scenes
from .test_overview import statements

BERLIN = "Europe/Berlin"
RESOLVED = IncidentStatus.RESOLVED


def began(
    session: Session,
    page: Page,
    title: str,
    at: datetime,
    *,
    lasted: timedelta | None = timedelta(minutes=30),
    **options: Any,
) -> Incident:
    """An incident of the past; None: it goes on."""
    status = RESOLVED if lasted is not None else IncidentStatus.INVESTIGATING
    row = incidents.open(
        session, page, title=title, status=status, started_at=at, notify=False, **options
    )
    row.resolved_at = at + lasted if lasted is not None else None
    session.commit()
    return row


def took_place(
    session: Session, page: Page, title: str, at: datetime, hours: float = 1, **options: Any
) -> Maintenance:
    row = maintenances.schedule(
        session,
        page,
        title=title,
        scheduled_start=at,
        scheduled_end=at + timedelta(hours=hours),
        status=MaintenanceStatus.COMPLETED,
        **options,
    )
    session.commit()
    return row


def month(session: Session, page: Page, text: str, component: str = "") -> Events:
    snapshot = overview.snapshot(session, page)
    values = {"month": text, "component": component}
    return history_pages.month(session, snapshot, history.chosen(snapshot, values))


def titles(events: Events) -> list[str]:
    return [event.title for event in events.newest_first]


def test_a_month_is_that_of_the_zone_of_the_page(session: Session, page: Page) -> None:
    """What begins a minute before midnight by the page's clock is in the month before, in summer and in winter."""
    page.time_zone = BERLIN
    zone = ZoneInfo(BERLIN)
    for year, number in ((2025, 11), (2026, 4), (2026, 1)):
        first = datetime(year, number, 1, tzinfo=zone)
        began(session, page, f"in {year}-{number:02}", first.astimezone(UTC))
        took_place(session, page, f"before {year}-{number:02}", first - timedelta(minutes=61))
    assert titles(month(session, page, "2025-11")) == ["in 2025-11"]
    assert titles(month(session, page, "2025-10")) == ["before 2025-11"]
    assert titles(month(session, page, "2026-03")) == ["before 2026-04"]
    assert titles(month(session, page, "2026-04")) == ["in 2026-04"]
    assert titles(month(session, page, "2025-12")) == ["before 2026-01"]
    page.time_zone = "Pacific/Kiritimati"
    assert titles(month(session, page, "2026-04")) == ["in 2026-04", "before 2026-04"]


def test_what_lasts_is_in_each_month_that_it_reaches_into(session: Session, page: Page) -> None:
    """No month says that there was nothing while an incident or a maintenance went on."""
    lasted = timedelta(days=41)
    at = datetime(2026, 1, 20, tzinfo=UTC)
    began(session, page, "Long", at, lasted=lasted, impact=Impact.MAJOR)
    took_place(session, page, "Move", datetime(2026, 2, 28, 20, tzinfo=UTC), hours=9)
    began(session, page, "Still", datetime(2026, 4, 2, tzinfo=UTC), lasted=None)
    assert titles(month(session, page, "2026-01")) == ["Long"]
    assert titles(month(session, page, "2026-02")) == ["Move", "Long"]
    assert titles(month(session, page, "2026-03")) == ["Move", "Long"]
    assert titles(month(session, page, "2026-04")) == ["Still"]
    assert titles(month(session, page, "2026-05")) == ["Still"]
    march = month(session, page, "2026-03")
    assert (march.earlier, march.later) == (Month(2026, 2), Month(2026, 4))
    groups = history.days(march, ZoneInfo("UTC"), words_in("en", "UTC"))
    assert [group.date for group in groups] == [None]
    assert history.totals(march, ZoneInfo("UTC"), utc_now()).impaired == 86400.0
    may = month(session, page, "2026-05")
    assert (may.earlier, may.later) == (Month(2026, 4), Month(2026, 6))


def test_neighbouring_months_have_something(session: Session, page: Page) -> None:
    """Links lead over empty months, to drafts they do not; of a service only what is about it counts."""
    scenes.component(session, page, "API")
    scenes.component(session, page, "Web")
    began(session, page, "Web", datetime(2024, 5, 5, tzinfo=UTC), affected=["web"])
    began(session, page, "API", datetime(2025, 2, 5, tzinfo=UTC), affected=["api"])
    took_place(session, page, "All", datetime(2025, 9, 5, tzinfo=UTC))
    draft = began(session, page, "Draft", datetime(2025, 6, 5, tzinfo=UTC))
    draft.visibility = "draft"
    session.commit()
    found = month(session, page, "2025-06")
    assert (found.incidents, found.maintenances) == ([], [])
    assert (found.earlier, found.later) == (Month(2025, 2), Month(2025, 9))
    assert found.first == Month(2024, 5)
    assert found.last == Month.of(utc_now(), ZoneInfo("UTC"))
    web = month(session, page, "2025-06", "web")
    assert (web.earlier, web.later) == (Month(2024, 5), Month(2025, 9))
    assert titles(month(session, page, "2025-02", "web")) == []
    assert titles(month(session, page, "2025-09", "web")) == ["All"]
    first = month(session, page, "2024-05")
    assert (first.earlier, first.later) == (None, Month(2025, 2))


def test_other_pages_have_a_history_of_their_own(session: Session, page: Page) -> None:
    """Neither events nor the way to other months come from another page."""
    other = pages.create(session, name="Other")
    began(session, other, "Theirs", datetime(2025, 2, 5, tzinfo=UTC))
    took_place(session, other, "Theirs too", datetime(2025, 3, 5, tzinfo=UTC))
    found = month(session, page, "2025-02")
    assert titles(found) == []
    assert (found.earlier, found.later, found.first) == (None, None, found.last)


def test_totals_count_time_once(session: Session, page: Page) -> None:
    """Incidents at the same time, or without an impact, do not make more of it; cancelled work is not counted."""
    start = datetime(2026, 2, 5, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    began(session, page, "One", start, lasted=2 * hour, impact=Impact.MAJOR)
    began(session, page, "Within", start + hour / 2, lasted=hour / 2, impact=Impact.MINOR)
    began(session, page, "Over it", start + hour, lasted=2 * hour, impact=Impact.MINOR)
    began(session, page, "Harmless", start + 10 * hour, lasted=hour, impact=Impact.NONE)
    took_place(session, page, "Work", start)
    took_place(session, page, "No work", start).status = MaintenanceStatus.CANCELLED
    session.commit()
    totals = history.totals(month(session, page, "2026-02"), ZoneInfo("UTC"), utc_now())
    assert (totals.incidents, totals.impaired, totals.maintenances) == (4, 3 * 3600.0, 1)


def test_a_hundred_events_cost_as_much_as_one(session: Session, page: Page) -> None:
    """The number of statements does not grow, all are there, and no update is read."""
    scenes.component(session, page, "API")
    counts = []
    for number in range(100):
        at = datetime(2026, 2, 1 + number % 28, number % 24, tzinfo=UTC)
        began(session, page, f"I{number}", at, affected=["api"], body="…")
        took_place(session, page, f"M{number}", at, affected=["api"])
        if number in (0, 99):
            snapshot = overview.snapshot(session, page)
            choice = history.chosen(snapshot, {"month": "2026-02"})
            session.expire_all()
            session.expunge_all()
            with statements(session) as sent:
                found = history_pages.month(session, snapshot, choice)
            assert len(titles(found)) == 2 * (number + 1)
            assert {item.name for fact in found.incidents for item in fact.components} == {"API"}
            assert not [
                one for one in sent if "incident_update" in one or "maintenance_update" in one
            ]
            counts.append(len(sent))
            page = session.get_one(Page, snapshot.page.id)
    assert counts[0] == counts[1] <= 6


def test_neighbours_of_an_incident(session: Session, page: Page) -> None:
    """They are the published ones before and after it; old ones are found in one statement, new ones in none."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [
        began(session, page, f"I{number}", start + timedelta(days=number)) for number in range(60)
    ]
    rows[30].visibility = rows[3].visibility = "draft"
    session.commit()
    snapshot = overview.snapshot(session, page)

    def around(number: int) -> tuple[str | None, str | None, int]:
        fact = overview.incident(session, page.id, rows[number].id)
        with statements(session) as sent:
            found = history_pages.neighbours(session, snapshot, fact)
        return (
            found.earlier[1] if found.earlier else None,
            found.later[1] if found.later else None,
            len(sent),
        )

    assert around(59) == ("I58", None, 0)
    assert around(31) == ("I29", "I32", 0)
    assert around(4) == ("I2", "I5", 1)
    assert around(0) == (None, "I1", 1)
    few = overview.snapshot(session, page)
    assert few.incident_count == 58


def test_neighbours_that_began_at_once(session: Session, page: Page) -> None:
    """Each of several incidents of one instant is met once on the way through."""
    at = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [began(session, page, f"I{number}", at) for number in range(3)]
    snapshot = overview.snapshot(session, page)
    way = []
    fact = snapshot.incidents[0]
    unread = replace(snapshot, incidents=(), incident_count=3)
    found = Neighbours(earlier=(fact.id, fact.title))
    while found.earlier is not None:
        way.append(found.earlier[1])
        fact = overview.incident(session, page.id, found.earlier[0])
        found = history_pages.neighbours(session, unread, fact)
    assert sorted(way) == [row.title for row in rows]


@pytest.mark.parametrize("text", ["1999-12", "2150-01"])
def test_months_far_away_are_refused(session: Session, page: Page, text: str) -> None:
    """Before anything is read."""
    snapshot = overview.snapshot(session, page)
    with pytest.raises(Invalid) as caught:
        history.chosen(snapshot, {"month": text, "component": "none"})
    assert [error.field for error in caught.value.errors] == ["month", "component"]


def test_all_months_at_once(session: Session, page: Page) -> None:
    """What a mirror makes of all that happened is month by month what the database says of each."""
    page.time_zone = BERLIN
    began(session, page, "First", datetime(2025, 3, 31, 22, 30, tzinfo=UTC))
    long = timedelta(days=41)
    began(session, page, "Long", datetime(2025, 8, 20, tzinfo=UTC), lasted=long)
    began(
        session,
        page,
        "To the end",
        datetime(2025, 9, 30, 21, tzinfo=UTC),
        lasted=timedelta(hours=1),
    )
    took_place(session, page, "Move", datetime(2025, 12, 31, 20, tzinfo=UTC), hours=9)
    began(session, page, "Still", datetime(2026, 4, 2, tzinfo=UTC), lasted=None)
    ahead = utc_now() + timedelta(days=70)
    maintenances.schedule(
        session,
        page,
        title="Ahead",
        scheduled_start=ahead,
        scheduled_end=ahead + timedelta(hours=1),
    )
    session.commit()
    snapshot = overview.snapshot(session, page)
    listed = [one for some in overview.all_incidents(snapshot) for one in some]
    windows = [facts.maintenance(row) for row in session.scalars(stored.of_page(page.id))]
    found = by_month(snapshot, listed, windows)
    last = Month.of(ahead, ZoneInfo(BERLIN))
    for one in last.plus(1).back_to(Month(2025, 2)):
        read = month(session, page, str(one))
        if one in found:
            assert replace(found[one], incidents=(), maintenances=()) == replace(
                read, incidents=(), maintenances=()
            ), one
            assert found[one].newest_first == read.newest_first, one
        else:
            assert one > last or read.newest_first == [], one
    assert {Month(2025, 4), Month(2025, 9), last} <= set(found)
    assert Month(2025, 11) not in found
    assert Month.of(utc_now(), ZoneInfo(BERLIN)) in by_month(snapshot, (), ())


def test_what_goes_on_does_so_up_to_now(session: Session, page: Page) -> None:
    """No month to come lists what is open today; maintenance that is going on is in those that it is planned for."""
    now = utc_now()
    present = Month.of(now, ZoneInfo("UTC"))
    began(session, page, "Open", now - timedelta(days=2), lasted=None)
    row = took_place(session, page, "Long works", now - timedelta(days=1))
    row.scheduled_end = now + timedelta(days=40)
    row.status, row.started_at, row.ended_at = (
        MaintenanceStatus.IN_PROGRESS,
        row.scheduled_start,
        None,
    )
    session.commit()
    ends = Month.of(row.scheduled_end, ZoneInfo("UTC"))
    snapshot = overview.snapshot(session, page)
    for number in range(6):
        text = str(present.plus(number))
        choice = history.chosen(snapshot, {"month": text})
        for found in (month(session, page, text), history.known(snapshot, choice)):
            assert ("Open" in titles(found)) is (number == 0)
            assert ("Long works" in titles(found)) is (present.plus(number) <= ends)
            assert (found.later == present.plus(number + 1)) is (present.plus(number) < ends)


def test_months_that_only_something_lasting_reaches_into(session: Session, page: Page) -> None:
    """Links lead to them from both sides, from the next month and from one far away."""
    row = took_place(session, page, "Move", datetime(2025, 1, 31, 20, tzinfo=UTC), hours=29 * 24)
    row.started_at, row.ended_at = row.scheduled_start, row.scheduled_end + timedelta(days=2)
    began(session, page, "Leak", datetime(2025, 5, 30, tzinfo=UTC), lasted=timedelta(days=3))
    began(session, page, "Instant", datetime(2025, 8, 1, tzinfo=UTC), lasted=timedelta(0))
    began(
        session, page, "Till midnight", datetime(2025, 9, 30, tzinfo=UTC), lasted=timedelta(days=1)
    )
    session.commit()
    snapshot = overview.snapshot(session, page)
    ways = {
        "2025-01": (None, 2),
        "2025-02": (1, 3),
        "2025-03": (2, 5),
        "2025-04": (3, 5),
        "2025-05": (3, 6),
        "2025-06": (5, 8),
        "2025-07": (6, 8),
        "2025-08": (6, 9),
        "2025-09": (8, None),
        "2025-10": (9, None),
    }
    for text, (earlier, later) in ways.items():
        choice = history.chosen(snapshot, {"month": text})
        for found in (month(session, page, text), history.known(snapshot, choice)):
            assert found.earlier == (Month(2025, earlier) if earlier else None), text
            assert found.later == (Month(2025, later) if later else None), text


def test_a_month_with_very_many(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest are read, the others are counted, by one more query for each kind."""
    scenes.component(session, page, "API")
    for number in range(5):
        at = datetime(2026, 1, number + 1, tzinfo=UTC)
        affected = ["api"] if number == 0 else []
        began(session, page, f"I{number}", at, affected=affected)
        took_place(session, page, f"M{number}", at)
    assert month(session, page, "2026-01").more == 0
    monkeypatch.setattr("flask_statuspage.storage.month.MOST", 2)
    found = month(session, page, "2026-01")
    assert titles(found) == ["I4", "M4", "I3", "M3"]
    assert found.more == 6
    assert titles(month(session, page, "2026-01", "api"))[-1] == "I0"
