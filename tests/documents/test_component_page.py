"""The page of one component as HTML."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from flask_statuspage.documents import component_page, page
from flask_statuspage.documents.snapshot import ComponentState, ResponseTimes, Snapshot
from flask_statuspage.domain.happenings import ComponentPast, Happening
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.months import first_day
from flask_statuspage.domain.series import Series
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.uptime import Interval

from .conftest import FRAME, NOW, ago, component_state, series_of, snapshot_of, uuid
from .pages import busy_snapshot, by_class, one, parsed, text_of

pytestmark = pytest.mark.usefixtures("app")

GOOD, PARTIAL = ComponentStatus.OPERATIONAL, ComponentStatus.PARTIAL_OUTAGE

API = component_state(1, "API", PARTIAL, description="All of it", group=None)


def past(
    *history: Interval, happenings: tuple[Happening, ...] = (), **changes: Any
) -> ComponentPast:
    values: dict[str, Any] = {
        "since": first_day(NOW.date()),
        "observed_from": ago(days=366),
    }
    return ComponentPast(history=history, happenings=happenings, **(values | changes))


def incident(number: int, title: str, start: float, end: float | None, **changes: Any) -> Happening:
    """From so many days ago until so many days ago."""
    values: dict[str, Any] = {"status": IncidentStatus.RESOLVED, "impact": Impact.MAJOR}
    return Happening(
        id=uuid(number),
        title=title,
        start=ago(days=start),
        end=None if end is None else ago(days=end),
        **(values | changes),
    )


BAD_DAY = (
    Interval(GOOD, ago(days=40), ago(days=3, hours=2)),
    Interval(PARTIAL, ago(days=3, hours=2), ago(days=3)),
    Interval(ComponentStatus.DEGRADED_PERFORMANCE, ago(days=3), ago(days=3, minutes=-12)),
    Interval(GOOD, ago(days=3, minutes=-12)),
)


def html(
    what: ComponentPast,
    series: Series | None = None,
    *,
    state: ComponentState = API,
    snapshot: Snapshot | None = None,
    **options: Any,
) -> str:
    frame = options.pop("frame", FRAME)
    shown = snapshot or snapshot_of(state)
    return component_page.component(shown, state, what, series, frame, **options)


def tree(what: ComponentPast, *arguments: Any, **options: Any) -> Element:
    return parsed(html(what, *arguments, **options))


def hrefs(element: Element) -> list[str]:
    return [link.get("href") or "" for link in element.iter("a")]


def test_how_it_is_stands_first() -> None:
    """Name, status and since when, description and the uptimes that are known."""
    found = tree(past(*BAD_DAY))
    (heading,) = found.iter("h1")
    assert text_of(heading) == "API"
    assert text_of(one(found, "sp-chips")) == "Partial outage Since 19 Feb 2026, 15:30 UTC"
    assert text_of(one(found, "sp-lead")) == "All of it"
    facts = text_of(one(found, "sp-facts"))
    assert facts.startswith("Uptime, last 7 days99.62% Uptime, last 30 days99.91%")
    # Longer windows would begin before there was anything: they are told by when it began.
    assert facts.endswith("last 30 days99.91% Uptime99.93% uptime since 10 Jan 2026")
    longer = past(Interval(GOOD, ago(days=400), BAD_DAY[0].start), *BAD_DAY)
    assert "Uptime, last 365 days99.99%" in text_of(one(tree(longer), "sp-facts"))


def test_uptimes_only_of_what_is_known() -> None:
    """A window that reaches back further than the history that was read is not told."""
    longer = (Interval(GOOD, ago(days=400), BAD_DAY[0].start), *BAD_DAY)
    facts = text_of(one(tree(past(*longer, observed_from=ago(days=90))), "sp-facts"))
    assert "90 days" in facts
    assert "365 days" not in facts
    assert "since" not in facts
    assert not list(by_class(tree(past()), "sp-facts"))


def test_twelve_months_as_tables() -> None:
    """A table for each month with its name, its weekdays and all of its days, the newest first."""
    found = tree(past(*BAD_DAY))
    tables = list(by_class(found, "sp-month"))
    captions = [text_of(next(table.iter("caption"))) for table in tables]
    assert captions[:3] == ["Feb 2026 Uptime 99.86%", "Jan 2026 Uptime 100%", "Dec 2025 No data"]
    assert captions[-1] == "Mar 2025 No data"
    assert len(captions) == 12
    february = tables[0]
    assert [text_of(cell) for cell in february.iter("th")][::6] == ["Mon", "Sun"]
    assert {cell.get("scope") for cell in february.iter("th")} == {"col"}
    days = [text_of(cell) for cell in february.iter("td") if text_of(cell)]
    assert len(days) == 19  # until today
    assert days[0] == "1 Operational"
    assert days[15] == "16 Partial outage 2 h, degraded 12 min, 97.50%"
    rows = [len(list(row.iter("td"))) for body in february.iter("tbody") for row in body]
    assert rows == [7] * 5
    # 1 March 2025 is a Saturday.
    march = [text_of(cell) for cell in tables[-1].iter("td")]
    assert march[:6] == ["", "", "", "", "", "1 No data"]


def test_months_without_data_are_folded() -> None:
    """Those before the first data are there, and do not stand in the way."""
    found = tree(past(*BAD_DAY))
    folded = [d for d in found.iter("details") if "without data" in text_of(next(iter(d)))]
    assert text_of(next(iter(folded[0]))) == "10 earlier months without data"
    assert len(list(by_class(folded[0], "sp-month"))) == 10
    nothing = tree(past())
    assert text_of(nothing).count("11 earlier months without data") == 1


def test_days_are_told_by_more_than_colour() -> None:
    """What was not well has an icon of its own shape, and is told in full in a list with its incidents."""
    happenings = (
        incident(7, "Disks full", 3.1, 3),
        incident(8, "No harm", 9, 9),
        incident(9, "New disks", 16, 15.9, status=MaintenanceStatus.COMPLETED, impact=None),
        incident(10, "Later", -1, -2, status=MaintenanceStatus.SCHEDULED, impact=None),
    )
    found = tree(past(*BAD_DAY, happenings=happenings))
    cells = {
        text_of(cell).split()[0]: cell
        for cell in next(by_class(found, "sp-month")).iter("td")
        if text_of(cell)
    }
    assert [len(list(by_class(cells[day], "sp-icon"))) for day in ("16", "15", "10")] == [1, 0, 0]
    assert hrefs(cells["16"]) == ["#sp-day-2026-02-16"]
    assert hrefs(cells["15"]) == []
    days = {e.get("id"): e for e in found.iter("li") if (e.get("id") or "").startswith("sp-day-")}
    assert list(days) == ["sp-day-2026-02-16", "sp-day-2026-02-10", "sp-day-2026-02-03"]
    told = text_of(days["sp-day-2026-02-16"])
    assert told == ("16 Feb 2026 Partial outage 2 h, degraded 12 min, 97.50% Disks full")
    assert hrefs(days["sp-day-2026-02-16"]) == [f"/status/incident/{uuid(7)}"]
    assert hrefs(days["sp-day-2026-02-03"]) == [f"/status/maintenance/{uuid(9)}"]
    assert text_of(days["sp-day-2026-02-10"]) == "10 Feb 2026 Operational No harm"


def test_uptime_that_is_not_shown() -> None:
    """A component whose uptime its page keeps to itself has neither figures nor calendar, but all else."""
    state = replace(API, fact=replace(API.fact, showcase=False))
    said = html(past(*BAD_DAY, happenings=(incident(7, "Disks full", 3.1, 3),)), state=state)
    assert "Disks full" in said
    assert "sp-month" not in said
    assert "ptime" not in text_of(one(parsed(said), "sp-content"))
    assert "component_uptime_badge" not in said


def test_ways_on() -> None:
    """Feeds, calendar, spreadsheet, badges, the whole history and a subscription, each of this component."""
    links = set(hrefs(tree(past())))
    below = ("component_atom", "component_feed", "component_calendar", "component_csv")
    badges = ("component_status_badge", "component_uptime_badge", "component_response_badge")
    assert {f"/status/{name}/service-1" for name in (*below, *badges)} <= links
    assert {"/status/history/service-1", "/status/subscribe/service-1"} <= links


def test_happenings_are_listed() -> None:
    """The newest with state and length; a link leads to all others."""
    many = tuple(incident(number, f"No. {number}", number, number - 0.5) for number in range(1, 40))
    found = tree(past(happenings=many))
    listed = [e for e in found.iter("ol")][-1]
    assert len(list(listed)) == component_page.LISTED
    assert text_of(next(iter(listed))) == "18 Feb 2026 No. 1 Partial outage Resolved · 12 h"
    assert "No incidents reported." in text_of(tree(past()))


def test_chart_and_its_choices() -> None:
    """The chart says in words what it shows; links lead to other ranges and regions and tell which is shown."""
    found = tree(past(), series_of([90, 110], [5, 5], name="7d"), shown_range="7d", region="us")
    (caption,) = found.iter("figcaption")
    assert text_of(caption) == (
        "Response time of API seen from us, last 7 days: median 5 ms, 95th percentile 5 ms, longest 5 ms."
    )
    chosen = [text_of(e) for e in found.iter("a") if e.get("aria-current") == "true"]
    assert chosen == ["7 days", "us"]
    links = hrefs(found)
    assert "/status/component/service-1/us#sp-response" in links  # the usual range needs no word
    assert "/status/component/service-1/30d/us#sp-response" in links
    assert "/status/component/service-1/7d/default#sp-response" in links
    (region,) = (e for e in found.iter() if e.get("role") == "region")
    assert region.get("tabindex") == "0"
    assert region.get("aria-labelledby") == "sp-chart-table"


def test_chart_stays_left_to_right() -> None:
    """Time runs from the left to the right in all languages, in the drawing and its labels."""
    found = tree(past(), series_of([90, 110]), frame=replace(FRAME, language="ar"))
    assert [e.get("dir") for e in by_class(found, "sp")][1] == "rtl"
    plot = one(found, "sp-plot")
    assert plot.get("dir") == "ltr"
    assert len(list(by_class(plot, "sp-times"))) == 1


def test_no_chart() -> None:
    """Too little, nothing to be read, and nobody who watches are three things."""
    one_point = text_of(tree(past(), series_of([90])))
    assert "Not enough data yet (first point 19 Feb 2026, 16:35 UTC)." in one_point
    assert "Not enough data yet." in text_of(tree(past(), series_of([None])))
    assert "The chart cannot be shown at the moment." in text_of(tree(past(), None))
    unwatched = component_state(1, "API", measured=False)
    assert "Response time" not in text_of(tree(past(), series_of(), state=unwatched))


def test_home_shows_one_chart_and_the_way_to_the_others() -> None:
    """The chart of the service that was measured first, and links to all others that are watched."""
    states = (
        component_state(1, "API"),
        component_state(2, "Search"),
        component_state(3, "Paper", measured=False),
    )
    told = ResponseTimes(slug="service-2", series=series_of([5, 5]))
    found = parsed(page.home(snapshot_of(*states, response=told), FRAME))
    (caption,) = found.iter("figcaption")
    assert text_of(caption).startswith("Response time of Search, last hour: median 5 ms")
    links = [link for link in hrefs(found) if "/component/" in link and "response" in link]
    assert links == ["/status/component/service-1#sp-response"]
    assert "/status/component/service-2" in hrefs(found)
    assert "Response time" not in text_of(parsed(page.home(snapshot_of(*states), FRAME)))
    gone = ResponseTimes(slug="service-9", series=series_of([5, 5]))
    assert not list(
        parsed(page.home(snapshot_of(*states, response=gone), FRAME)).iter("figcaption")
    )


def test_many_other_services_are_folded() -> None:
    """A hundred links stay out of the way."""
    states = [component_state(number, f"S{number}") for number in range(1, 9)]
    told = ResponseTimes(slug="service-1", series=series_of([5, 5]))
    said = text_of(parsed(page.home(snapshot_of(*states, response=told), FRAME)))
    assert "Response times of 7 other services" in said


def test_nothing_but_numbers_in_drawings() -> None:
    """Paths are commands and numbers, whatever was measured: no `nan`, no exponent, no word."""
    values = [0, 1, 119_999, None, 7] * 2
    for region in busy_snapshot().components:
        said = html(past(), series_of(values), state=region)
        for path in re.findall(r'<path class="sp-(?:grid|band|p95|median)" d="([^"]*)"', said):
            assert re.fullmatch(r"[MHVZ\d. ]+", path)


def test_a_day_that_lasts() -> None:
    """What is still going on stands on every day since it began."""
    lasting = incident(7, "Still on", 2, None, status=IncidentStatus.IDENTIFIED)
    bad = (Interval(GOOD, ago(days=40), ago(days=2)), Interval(PARTIAL, ago(days=2)))
    found = tree(past(*bad, happenings=(lasting,)))
    days = [e for e in found.iter("li") if (e.get("id") or "").startswith("sp-day-")]
    assert [text_of(e)[:11] for e in days] == ["19 Feb 2026", "18 Feb 2026", "17 Feb 2026"]
    assert all("Still on" in text_of(e) for e in days)
    assert NOW - timedelta(days=2) == lasting.start
