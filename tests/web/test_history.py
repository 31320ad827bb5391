"""The history over HTTP: filters, bad input, few queries, and what is left of it without a database."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import request
from sqlalchemy import event

from flask_statuspage.state import state_of
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker
from tests.web.test_public import broken_file

NOW = datetime.now(UTC)
NOBODY = "00000000-0000-0000-0000-000000000000"
HTML = {"Accept": "text/html,*/*;q=0.8"}


def closed(site: Site, title: str, at: str, **more: Any) -> str:
    body = {"title": title, "status": "resolved", "started_at": at, **more}
    ident: str = site.made("/incidents", **body)["id"]
    return ident


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site with two services and something in February and in May 2026."""
    site = make_site(STATUSPAGE_LOCALES="en,de", STATUSPAGE_TIME_ZONE="Europe/Berlin")
    site.made("/components", name="API")
    site.made("/components", name="Web")
    closed(site, "Slow API", "2026-02-05T12:00:00Z", components=["api"])
    closed(site, "Broken web", "2026-05-05T12:00:00Z", components=["web"])
    site.made(
        "/maintenances",
        title="New racks",
        status="completed",
        scheduled_start="2026-05-07T12:00:00Z",
        scheduled_end="2026-05-07T13:00:00Z",
    )
    # It lasted since then, so that it is in all months up to this one.
    with site.app.app_context():
        site.db.session.execute(
            site.db.text("UPDATE statuspage_incident SET resolved_at = started_at")
        )
        site.db.session.commit()
    return site


def links(text: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'href="([^"]*)"', text)]


def titles(text: str) -> list[str]:
    return [name for name in ("Slow API", "Broken web", "New racks") if name in text]


def renewed(site: Site) -> None:
    """What the next answer shows is looked up again."""
    state_of(site.app).documents.expire_versions()


def test_a_month_and_its_neighbours(site: Site) -> None:
    """A month shows what is in it, and leads to the nearest ones with something and to the present one."""
    answer = site.get("/history?month=2026-05")
    assert answer.status_code == 200
    assert titles(answer.text) == ["Broken web", "New racks"]
    assert "/status/history?month=2026-02" in links(answer.text)
    assert "/status/history" in links(answer.text)
    february = site.get("/history?month=2026-02").text
    assert titles(february) == ["Slow API"]
    assert "/status/history?month=2026-05" in links(february)
    empty = site.get("/history?month=2026-03").text
    assert titles(empty) == []
    assert "No incidents in Mar 2026." in empty
    assert {"/status/history?month=2026-02", "/status/history?month=2026-05"} <= set(links(empty))


def test_the_present_month_needs_no_query(site: Site) -> None:
    """It is the one on the clock of the page."""
    closed(site, "Just now", NOW.isoformat())
    assert "Just now" in site.get("/history").text
    assert "Just now" in site.get("/history?month=&component=").text


def test_one_service(site: Site) -> None:
    """Only what is about it is shown; work on all of the page is; links keep the choice."""
    text = site.get("/history?month=2026-05&component=api").text
    assert titles(text) == ["New racks"]
    assert "No incidents in May 2026." in text
    assert "/status/history?month=2026-02&component=api" in links(text)
    assert '<option value="api" selected>' in text
    assert '<option value="2026-05" selected>' in text


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("month=2026-13", ["month"]),
        ("month=1066-10", ["month"]),
        ("month=9999-12", ["month"]),
        ("month=%00", ["month"]),
        ("month=" + "9" * 3000, ["month"]),
        ("component=none", ["component"]),
        ("component=%F0%9F%92%A5%00", ["component"]),
        ("month=<b>&component=<i>", ["month", "component"]),
    ],
)
def test_what_is_not_there_is_said(site: Site, query: str, fields: list[str]) -> None:
    """400 with a summary that leads to each wrong field, which keeps what was sent; never a 500."""
    answer = site.get(f"/history?{query}", headers=HTML)
    assert answer.status_code == 400
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<title>Error: History" in answer.text
    for name in ("month", "component"):
        assert (f'<a href="#sp-{name}">' in answer.text) == (name in fields)
        assert (f'aria-describedby="sp-{name}-problem"' in answer.text) == (name in fields)
    assert answer.text.count('aria-invalid="true"') == len(fields)
    assert "<b>" not in answer.text
    if "<b>" in query:
        assert '<option value="&lt;b&gt;" selected>' in answer.text
    problem = site.get(f"/history?{query}", headers={"Accept": "application/json"})
    assert problem.status_code == 400
    assert [error["field"] for error in problem.get_json()["errors"]] == fields


def test_languages_are_kept(site: Site) -> None:
    """A chosen language stays in links and in the form, which would drop its address' query."""
    answer = site.get("/history?month=2026-05&lang=de")
    assert answer.headers["Content-Language"] == "de"
    assert '<input type="hidden" name="lang" value="de">' in answer.text
    assert "/status/history?month=2026-02&lang=de" in links(answer.text)
    assert 'name="lang"' not in site.get("/history?month=2026-05").text
    assert (
        site.get("/history?month=2026-13&lang=de")
        .headers.get("Content-Type", "")
        .startswith("text/html")
    )


def test_other_pages_and_strangers(site: Site) -> None:
    """Each page has a history of its own; one for signed-in visitors has none for strangers."""
    site.statuspage.member_loader(lambda: request.cookies.get("member"))
    site.made("/pages", name="Inside", slug="inside", visibility="signed-in")
    closed(site, "Secret", "2026-05-06T12:00:00Z", page="inside")
    assert "Secret" not in site.get("/history?month=2026-05").text
    assert site.get("/inside/history?month=2026-05").status_code == 403
    assert site.get("/inside/history?month=2026-13").status_code == 403
    assert site.get("/nonesuch/history").status_code == 404
    site.client.set_cookie("member", "ann")
    answer = site.get("/inside/history?month=2026-05")
    assert "Secret" in answer.text
    assert titles(answer.text) == []
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_month_has_all_that_there_was(site: Site) -> None:
    """More than a page's snapshot has, in as many queries as for one; the second reader costs none."""
    counts = []
    for number in range(100):
        at = f"2026-06-{1 + number % 28:02}T{number % 24:02}:00:00Z"
        closed(site, f"Event {number}.", at, components=["api", "web"])
        if number in (0, 99):
            site.get("/")
            with Queries(site) as queries:
                answer = site.get("/history?month=2026-06")
            assert answer.text.count(">Event ") == number + 1
            counts.append(len(_beside_looks(queries)))
            with Queries(site) as queries:
                again = site.get("/history?month=2026-06")
            assert _beside_looks(queries) == []
            same = {"If-None-Match": again.headers["ETag"]}
            assert site.get("/history?month=2026-06", headers=same).status_code == 304
    assert counts[0] == counts[1] <= 8


def test_without_a_database(site: Site) -> None:
    """What the snapshot knows is shown with a note; bad input is still told as such."""
    site.get("/")
    mend = broken_file(site)
    renewed(site)
    answer = site.get("/history?month=2026-05")
    assert answer.status_code == 200
    assert titles(answer.text) == ["Broken web", "New racks"]
    assert "This page may be out of date." in answer.text
    assert answer.headers["Warning"].startswith("110 ")
    wrong = site.get("/history?month=2026-13", headers=HTML)
    assert wrong.status_code == 400
    assert "This page may be out of date." in wrong.text
    mend()
    renewed(site)
    assert "out of date" not in site.get("/history?month=2026-05").text


def test_a_month_that_the_snapshot_does_not_reach(site: Site) -> None:
    """Without a database it does not say that there was nothing."""
    for number in range(50):
        closed(site, f"Late {number}", f"2026-06-{1 + number % 28:02}T10:00:00Z")
    site.get("/")
    mend = broken_file(site)
    renewed(site)
    text = site.get("/history?month=2026-02").text
    mend()
    assert "Not all of this month can be shown at the moment." in text
    assert "No incidents in" not in text


def test_a_database_that_fails_in_between(site: Site) -> None:
    """Where it still told the version and then fails, the page is what the snapshot knows."""
    site.get("/")

    def fail(*arguments: Any) -> None:
        from sqlalchemy.exc import OperationalError

        raise OperationalError("gone", {}, Exception("gone"))

    with site.app.app_context():
        engine = site.db.engine
    event.listen(engine, "before_cursor_execute", fail)
    try:
        answer = site.get("/history?month=2026-05")
    finally:
        event.remove(engine, "before_cursor_execute", fail)
    assert answer.status_code == 200
    assert titles(answer.text) == ["Broken web", "New racks"]
    assert "This page may be out of date." in answer.text


def test_home_ends_its_days_where_it_knows_no_more(site: Site) -> None:
    """With many incidents it does not call a day quiet that it knows nothing of: the history follows."""
    for number in range(60):
        at = NOW - timedelta(days=number // 12, minutes=number % 12)
        closed(site, f"Flap {number}.", at.isoformat())
    text = site.get("/").text
    assert text.count(">Flap ") == 50
    assert "More incidents of this day and before it" in text
    assert text.count('class="sp-day"') in (5, 6)
    last = text.rpartition('class="sp-day"')[2]
    assert "No incidents reported." not in last


def test_more_than_a_page_has_room_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A month of very many says how many are not listed, and gives no totals that would leave them out."""
    monkeypatch.setattr("flask_statuspage.storage.month.MOST", 1)
    assert "not listed" not in site.get("/history?month=2026-02").text.replace("\n", " ")
    closed(site, "Another", "2026-02-06T12:00:00Z")
    closed(site, "And one", "2026-02-07T12:00:00Z", components=["api"])
    text = site.get("/history?month=2026-02").text
    assert "2 more in this month are not listed: choose a service." in text
    assert ("And one" in text, "Another" in text, "sp-totals" in text) == (True, False, False)


def _beside_looks(queries: Queries) -> list[str]:
    """What was asked but for the page's version, which is looked up once a second."""
    return [sent for sent in queries.sent if "FROM statuspage_page" not in sent]
