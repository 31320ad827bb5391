"""The public JSON API and its badge, as readers of the published document use them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from threading import Barrier, Thread
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from flask_statuspage.state import state_of
from flask_statuspage.web import cache as caching
from tests.servers.http import Answer, Target
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")

DOCUMENTS = (
    "/api/v2/status.json",
    "/api/v2/summary.json",
    "/api/v2/components.json",
    "/api/v2/incidents.json",
    "/api/v2/incidents/unresolved.json",
    "/api/v2/badge.svg",
    "/api/feed.xml",
    "/api/feed.atom",
    "/api/calendar.ics",
    "/api/openapi.json",
    "/statuspage/api/v2/summary.json",
)

STATUSES = {
    "operational": ("up", "operational", "All systems operational"),
    "degraded_performance": ("degraded", "degraded", "Degraded performance"),
    "partial_outage": ("partial_outage", "partial_outage", "Partial outage"),
    "major_outage": ("down", "major_outage", "Major outage"),
    "under_maintenance": ("maintenance", "maintenance", "Maintenance in progress"),
    "unknown": ("unknown", "unknown", "Status not known"),
}


def instant(value: Any) -> bool:
    return isinstance(value, str) and INSTANT.fullmatch(value) is not None


def test_fields_of_the_published_document(site: Site, target: Target) -> None:
    """Every field that the published API document shows is there under its name, with its type."""
    target.answer = Answer(status=200)
    site.made("/component-groups", name="Platform Services")
    site.made("/components", name="Client Portal (WHMCS)", group="Platform Services")
    monitor = site.made(
        "/monitors", name="Portal", target=target.url, component="client-portal-whmcs", interval=60
    )
    assert site.made(f"/monitors/{monitor['id']}/run")["outcome"] == "up"

    status = site.json("/api/v2/status.json")
    assert status["status"] == {
        "indicator": "operational",
        "description": "All systems operational",
    }
    assert status["page"]["name"] == "Status"
    assert status["page"]["url"] == "http://localhost/status"
    assert instant(status["page"]["updated_at"])

    (component,) = site.json("/api/v2/components.json")["components"]
    assert component["name"] == "Client Portal (WHMCS)"
    assert component["group"] == "Platform Services"
    assert component["status"] == "up"
    assert isinstance(component["uptime_percent"], float)
    assert isinstance(component["response_time_ms"], int)
    assert component["check_interval"] == 60
    assert instant(component["last_check"])

    site.made(
        "/incidents",
        title="LiteSpeed Web Server Degraded",
        impact="minor",
        components=["client-portal-whmcs"],
        body="We are investigating reports of slow response times.",
    )
    (incident,) = site.json("/api/v2/incidents.json")["incidents"]
    assert incident["name"] == "LiteSpeed Web Server Degraded"
    assert incident["status"] == "investigating"
    assert incident["impact"] == "minor"
    assert incident["component"] == "Client Portal (WHMCS)"
    assert instant(incident["started_at"])
    assert incident["resolved_at"] is None
    (update,) = incident["updates"]
    assert update["status"] == "investigating"
    assert update["body"] == "We are investigating reports of slow response times."
    assert instant(update["created_at"])


def test_summary_holds_all_the_others(site: Site) -> None:
    """summary.json is status, components, open incidents and scheduled maintenance in one."""
    site.made("/components", name="API")
    old = site.made("/incidents", title="Over")
    site.made(f"/incidents/{old['id']}/resolve", body="Fixed.")
    site.made("/incidents", title="Open", impact="minor", components=["api"])
    summary = site.json("/api/v2/summary.json")
    for name in ("status", "components", "incidents/unresolved"):
        for key, value in site.json(f"/api/v2/{name}.json").items():
            assert summary[key] == value
    assert [item["name"] for item in summary["incidents"]] == ["Open"]
    assert summary["scheduled_maintenances"] == []


def test_incidents_and_unresolved_ones(site: Site) -> None:
    """incidents.json has open and past ones, newest first, unresolved.json only open ones; drafts are in neither."""
    first = site.made("/incidents", title="First", body="It began.")
    site.made("/incidents", title="Second")
    site.made("/incidents", title="Hidden", visibility="draft")
    site.made(f"/incidents/{first['id']}/resolve", body="It is over.")
    everything = site.json("/api/v2/incidents.json")["incidents"]
    assert [item["name"] for item in everything] == ["Second", "First"]
    assert everything[1]["status"] == "resolved"
    assert instant(everything[1]["resolved_at"])
    assert [update["body"] for update in everything[1]["updates"]] == ["It is over.", "It began."]
    unresolved = site.json("/api/v2/incidents/unresolved.json")["incidents"]
    assert [item["name"] for item in unresolved] == ["Second"]


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_in_the_published_words(site: Site, status: str) -> None:
    """Each inner status has its own word in components.json and its own indicator and description of the page."""
    site.made("/components", name="API", status=status)
    word, indicator, description = STATUSES[status]
    assert site.json("/api/v2/components.json")["components"][0]["status"] == word
    assert site.json("/api/v2/status.json")["status"] == {
        "indicator": indicator,
        "description": description,
    }


@pytest.mark.parametrize(
    ("impact", "indicator"),
    [
        ("none", "operational"),
        ("minor", "degraded"),
        ("major", "partial_outage"),
        ("critical", "major_outage"),
    ],
)
def test_an_open_incident_raises_the_page(site: Site, impact: str, indicator: str) -> None:
    """An incident that names no component still raises the page to its impact, until it is resolved."""
    incident = site.made("/incidents", title="Something", impact=impact)
    assert site.json("/api/v2/status.json")["status"]["indicator"] == indicator
    site.made(f"/incidents/{incident['id']}/resolve")
    assert site.json("/api/v2/status.json")["status"]["indicator"] == "operational"


def test_empty_page(site: Site) -> None:
    """A page without anything is well and has empty lists."""
    assert site.json("/api/v2/status.json")["status"]["description"] == "All systems operational"
    summary = site.json("/api/v2/summary.json")
    lists = ("components", "incidents", "scheduled_maintenances")
    assert [summary[name] for name in lists] == [[], [], []]
    assert site.get("/api/v2/badge.svg").status_code == 200
    assert site.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/", *DOCUMENTS])
def test_head(site: Site, path: str) -> None:
    """HEAD answers with the headers of GET and no body."""
    got = site.get(path)
    head = site.client.head(site.prefix + path)
    assert head.status_code == 200
    assert head.data == b""
    assert head.headers["Content-Length"] == str(len(got.data))
    assert head.headers["ETag"] == got.headers["ETag"]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_any_origin_may_read(site: Site, path: str) -> None:
    """Scripts of every site may read every public document: 200, 304, preflight and errors alike."""
    got = site.get(path, headers={"Origin": "https://other.example"})
    etag = got.headers["ETag"]
    answers = {
        200: got,
        304: site.get(path, headers={"If-None-Match": etag}),
        404: site.get("/no-such-page" + path),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
    preflight = site.client.options(
        site.prefix + path,
        headers={
            "Origin": "https://other.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "If-None-Match",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in preflight.headers["Access-Control-Allow-Methods"]
    assert "If-None-Match" in preflight.headers["Access-Control-Allow-Headers"]


def test_only_public_documents_are_open(site: Site) -> None:
    """Pages, forms and the manage API are not readable for scripts of other sites."""
    for path in ("/", "/subscribe", "/admin/api/v1/components"):
        headers = {"Authorization-Token": site.key(), "Origin": "https://other.example"}
        assert "Access-Control-Allow-Origin" not in site.get(path, headers=headers).headers


@pytest.mark.parametrize("path", ["/", *DOCUMENTS])
def test_caching_headers(site: Site, path: str) -> None:
    """Every public document says how long it may be kept, when it changed, and is not to be sniffed."""
    headers = site.get(path).headers
    if path == "/":  # an outage must not look green to whoever comes back to the page
        assert headers["Cache-Control"] == "public, no-cache, stale-if-error=86400"
    else:
        assert "max-age=" in headers["Cache-Control"]
        assert "stale-while-revalidate=" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert parsedate_to_datetime(headers["Last-Modified"]) <= datetime.now(UTC)
    assert headers["ETag"].startswith('"')
    assert "Warning" not in headers


@pytest.mark.parametrize("path", ["/", *DOCUMENTS])
def test_conditional_requests(site: Site, path: str) -> None:
    """A reader who has the document gets 304 by tag, by one of many tags, by any tag and by date."""
    got = site.get(path)
    etag, modified = got.headers["ETag"], got.headers["Last-Modified"]
    past = format_datetime(parsedate_to_datetime(modified) - timedelta(hours=1), usegmt=True)
    expected: list[tuple[dict[str, str], int]] = [
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f"W/{etag}"}, 304),
        ({"If-None-Match": f'"other", {etag}, "third"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": "no quotes, and ,,, odd"}, 200),
        ({"If-Modified-Since": modified}, 304),
        ({"If-Modified-Since": past}, 200),
        ({"If-Modified-Since": "the day before yesterday"}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": modified}, 200),
    ]
    for headers, status in expected:
        answer = site.get(path, headers=headers)
        assert answer.status_code == status, headers
        assert answer.headers["ETag"] == etag
        if status == 304:
            assert answer.data == b""
            assert "stale-if-error=" in answer.headers["Cache-Control"]


def test_a_change_makes_another_tag(site: Site) -> None:
    """After a change the old tag does not match any more; a document that did not change keeps its own."""
    component = site.made("/components", name="API")
    components = site.get("/api/v2/components.json").headers
    incidents = site.get("/api/v2/incidents.json").headers
    site.ask("PATCH", f"/components/{component['id']}", {"description": "Changed"})
    changed = site.get("/api/v2/components.json", headers={"If-None-Match": components["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != components["ETag"]
    same = site.get("/api/v2/incidents.json", headers={"If-None-Match": incidents["ETag"]})
    assert same.status_code == 304
    assert site.get("/api/v2/incidents.json").headers["Last-Modified"] == incidents["Last-Modified"]


def test_badge_label_and_style(site: Site) -> None:
    """The badge says the page's name or the label asked for, in the shape asked for; each is its own document."""

    def title(query: str) -> str:
        answer = site.get(f"/api/v2/badge.svg{query}")
        assert answer.mimetype == "image/svg+xml"
        found = ElementTree.fromstring(answer.text).find("{http://www.w3.org/2000/svg}title")
        assert found is not None
        return found.text or ""

    assert title("") == "Status: operational"
    assert title("?label=None") == "None: operational"
    assert title("?label=Acme+%26+%3Cb%3E") == "Acme & <b>: operational"
    assert title("?label=") == "Status: operational"
    assert title("?label=%00%1b%E2%80%AE") == "Status: operational"
    flat, square = (site.get(f"/api/v2/badge.svg?style={s}").data for s in ("flat", "flat-square"))
    assert flat != square
    site.made("/components", name="API", status="major_outage")
    assert title("") == "Status: major outage"


@pytest.mark.parametrize(
    ("query", "field"),
    [("style=plastic", "style"), ("style=", "style"), ("label=" + "x" * 81, "label")],
)
def test_badge_refuses_what_it_cannot_draw(site: Site, query: str, field: str) -> None:
    """An unknown style and a label that is too long are 400, naming the parameter, readable from any origin."""
    answer = site.get(f"/api/v2/badge.svg?{query}")
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_unknown_page_and_incident(site: Site) -> None:
    """What does not exist is 404: a page to people, problem details to readers of the API."""
    html = {"Accept": "text/html,*/*;q=0.8"}
    for path in (
        "/no-such-page/",
        "/no-such-page/subscribe",
        "/incidents/00000000-0000-0000-0000-000000000000",
        "/%00/",
    ):
        answer = site.get(path, headers=html)
        assert answer.status_code == 404, path
        assert answer.mimetype == "text/html"
        assert "<h1" in answer.text
    for path in DOCUMENTS:
        answer = site.get("/no-such-page" + path)
        assert answer.status_code == 404
        assert answer.mimetype == "application/problem+json"
        assert "no-such-page" in answer.get_json()["detail"]
    assert site.get("/incidents/not-an-id").status_code == 404


def test_incident_page(site: Site) -> None:
    """An incident has a page of its own, below its own status page only; a draft has none."""
    site.made("/pages", name="Second", slug="second")
    here = site.made("/incidents", title="Only here")
    draft = site.made("/incidents", title="Draft", visibility="draft")
    assert "Only here" in site.get(f"/incidents/{here['id']}").text
    assert site.get(f"/second/incidents/{here['id']}").status_code == 404
    assert site.get(f"/incidents/{draft['id']}").status_code == 404


def test_another_page_under_its_slug(site: Site) -> None:
    """A second page lives under its slug with its own components, incidents and links."""
    site.made("/pages", name="Second page", slug="second")
    site.made("/components", name="First")
    site.made("/components", name="Second", page="second", status="major_outage")
    second = site.json("/second/api/v2/summary.json")
    assert second["page"]["name"] == "Second page"
    assert second["page"]["url"] == "http://localhost/status/second"
    assert [item["name"] for item in second["components"]] == ["Second"]
    assert second["status"]["indicator"] == "major_outage"
    first = site.json("/api/v2/summary.json")
    assert [item["name"] for item in first["components"]] == ["First"]
    assert first["status"]["indicator"] == "operational"
    assert 'href="/status/second/subscribe"' in site.get("/second/").text
    assert "major outage" in site.get("/second/api/v2/badge.svg").text
    main = site.ask("GET", "/pages").get_json()["items"][0]["slug"]
    assert site.json(f"/{main}/api/v2/summary.json")["components"] == first["components"]


def test_a_renamed_page_moves(site: Site) -> None:
    """After its slug changed a page answers under the new one only."""
    page = site.made("/pages", name="Second", slug="second")
    assert site.json("/second/api/v2/status.json")
    site.ask("PATCH", f"/pages/{page['id']}", {"slug": "moved"})
    assert site.json("/moved/api/v2/status.json")
    assert site.get("/second/api/v2/status.json").status_code == 404


def test_own_change_is_seen_at_once(site: Site) -> None:
    """Whatever changes a page is in the very next answer of the same process."""

    def indicator() -> str:
        shown: str = site.json("/api/v2/status.json")["status"]["indicator"]
        return shown

    site.made("/components", name="API")
    assert indicator() == "operational"
    site.ask("PUT", "/components/api/status", {"status": "partial_outage"})
    assert indicator() == "partial_outage"
    with site.app.app_context():
        site.statuspage.set_status("api", "major_outage")
        assert indicator() == "partial_outage"
        site.db.session.commit()
    assert indicator() == "major_outage"
    with site.app.app_context():
        site.statuspage.set_status("api", None)
        site.db.session.rollback()
    assert indicator() == "major_outage"


def test_change_of_another_process_is_seen_within_a_second(
    site: Site, make_site: SiteMaker
) -> None:
    """What another process committed is seen as soon as the version is looked up again."""
    other = make_site(url=site.app.config["SQLALCHEMY_DATABASE_URI"])
    assert site.json("/api/v2/status.json")["status"]["indicator"] == "operational"
    other.made("/incidents", title="Fire", impact="critical")
    time.sleep(1.1)
    assert site.json("/api/v2/status.json")["status"]["indicator"] == "major_outage"


def test_version_is_looked_up_once_a_second(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many documents are asked for within a second, the database is asked at most once."""
    now = time.monotonic()
    monkeypatch.setattr(caching, "time", SimpleNamespace(monotonic=lambda: now))
    for path in ("/", *DOCUMENTS):
        site.get(path)
    state_of(site.app).documents.expire_versions()
    with Queries(site) as queries:
        for _ in range(5):
            now += 0.19  # so that it is almost a second in all, however slow the machine is
            for path in ("/", *DOCUMENTS):
                site.get(path)
    assert len(queries.sent) == 1
    assert "version" in queries.sent[0]
    now += 1
    with Queries(site) as queries:
        for path in ("/", *DOCUMENTS):
            site.get(path)
    assert len(queries.sent) == 1


def test_queries_do_not_grow_with_the_page(site: Site) -> None:
    """A page with many components and incidents is read in as many queries as one with few."""

    def cost() -> int:
        with Queries(site) as queries:
            site.json("/api/v2/summary.json")
        return len(queries.sent)

    site.made("/components", name="C 0")
    site.made("/incidents", title="I 0", components=["c-0"])
    few = cost()
    for number in range(1, 12):
        site.made("/components", name=f"C {number}")
        site.made("/incidents", title=f"I {number}", components=[f"c-{number}"])
    assert cost() == few <= 25


def test_one_reader_rebuilds_for_all(site: Site) -> None:
    """Sixteen readers at once after a change cost one rebuild, and all see the change."""
    site.made("/components", name="API")
    site.json("/api/v2/summary.json")
    site.ask("PUT", "/components/api/status", {"status": "major_outage"})
    barrier, seen = Barrier(16), []

    def read() -> None:
        client = site.app.test_client()
        barrier.wait()
        answer = client.get("/status/api/v2/summary.json")
        seen.append((answer.status_code, answer.get_json()["status"]["indicator"]))

    with Queries(site) as queries:
        threads = [Thread(target=read) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [(200, "major_outage")] * 16
    rebuilds = [sent for sent in queries.sent if "statuspage_status_interval" in sent]
    assert len(rebuilds) == 1


def broken_file(site: Site) -> Callable[[], None]:
    """Put something that is no database in the place of the site's file; the answer mends it."""
    path = site.app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    with site.app.app_context():
        site.db.session.remove()
        site.db.engine.dispose()
    with open(path, "rb") as file:
        kept = file.read()
    with open(path, "wb") as file:
        file.write(b"This is no database. " * 500)

    def mend() -> None:
        with site.app.app_context():
            site.db.session.remove()
            site.db.engine.dispose()
        with open(path, "wb") as file:
            file.write(kept)

    return mend


def check_outage(site: Site, break_it: Callable[[], object], mend: Callable[[], object]) -> None:
    """What must hold while the database is away, and once it is back."""
    site.made("/components", name="API", status="partial_outage")
    site.made("/pages", name="Never read", slug="never-read")
    before = {path: site.get(path) for path in ("/", *DOCUMENTS)}
    break_it()
    state_of(site.app).documents.expire_versions()
    for path, fresh in before.items():
        answer = site.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["Warning"].startswith("110 ")
        assert "max-age" not in answer.headers["Cache-Control"]
        if path != "/":
            assert answer.data == fresh.data
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
        else:
            assert "It shows what was known at" in answer.text
            assert "API" in answer.text
    unread = site.get("/never-read/api/v2/status.json")
    assert unread.status_code == 503
    assert "database cannot be reached" in unread.text
    assert unread.headers["Access-Control-Allow-Origin"] == "*"
    page = site.get("/never-read/", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert "database cannot be reached" in page.text
    for answer in (
        site.get("/subscribe"),
        site.post("/?action=subscribe", data={"type": "webhook", "url": "https://1.1.1.1/x"}),
        site.ask("GET", "/components"),
        site.ask("POST", "/components", {"name": "New"}),
    ):
        assert answer.status_code == 503
        assert "Traceback" not in answer.text
        assert "sqlite" not in answer.text.lower()
        assert "psycopg" not in answer.text.lower()
    mend()
    state_of(site.app).documents.expire_versions()
    for path in before:
        answer = site.get(path)
        assert answer.status_code == 200
        assert "Warning" not in answer.headers
        assert "It shows what was known at" not in answer.text
    assert site.ask("POST", "/components", {"name": "New"}).status_code == 201


def test_database_file_taken_away(site: Site) -> None:
    """Without its database the site shows what was known, with a note and a Warning, and 503 where nothing was."""
    mending: list[Callable[[], None]] = []
    site.key()
    check_outage(site, lambda: mending.append(broken_file(site)), lambda: mending[0]())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_stopped(
    database_url: str, make_site: SiteMaker, request: pytest.FixtureRequest
) -> None:
    """The same while PostgreSQL is stopped, and everything comes back with it."""
    server = request.getfixturevalue("postgresql_server")
    site = make_site(url=database_url)
    result = site.app.test_cli_runner().invoke(args=["statuspage", "db", "upgrade"])
    assert result.exit_code == 0, result.output
    site.key()
    check_outage(site, server.stop, server.start)
    # What PostgreSQL alone refuses is an ordinary answer, too.
    for path in ("/%00/api/v2/status.json", "/%00/", "/confirm/%00"):
        assert site.get(path).status_code == 404
    for path in ("/components/%00", "/monitors/%00", "/pages/%00", "/component-groups/%00"):
        assert site.ask("GET", path).status_code == 404, path
    assert site.ask("GET", "/components?status_page=%00").status_code == 404


def test_unmigrated_database(make_site: SiteMaker, tmp_path: Any) -> None:
    """Before the first migration every door answers 503 and names the command that is missing."""
    site = make_site(url=f"sqlite:///{tmp_path / 'new.db'}")
    answers = [site.get(path) for path in ("/", "/subscribe", "/confirm/x", *DOCUMENTS)]
    answers.append(site.post("/subscribe", json={"type": "webhook", "url": "https://1.1.1.1/x"}))
    headers = {"Authorization-Token": "sp_unknown"}
    answers.append(site.get("/admin/api/v1/components", headers=headers))
    for answer in answers:
        if answer.request.path == "/status/confirm/x":
            assert answer.status_code == 404  # an altered link is known without any table
            continue
        assert answer.status_code == 503, answer.request.path
        assert "flask statuspage db upgrade" in answer.text
    site.app.test_cli_runner().invoke(args=["statuspage", "db", "upgrade"])
    assert site.json("/api/v2/status.json")["status"]["indicator"] == "operational"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v2/nothing.json", 404),
        ("GET", "/main/api/v2/nothing.json", 404),
        ("POST", "/api/v2/summary.json", 405),
        ("DELETE", "/api/v2/badge.svg", 405),
    ],
)
def test_errors_of_the_api_are_for_programs(
    site: Site, method: str, path: str, status: int
) -> None:
    """A wrong path or method is told as problem details, readable from any site's scripts."""
    answer = site.client.open(f"/status{path}", method=method)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
