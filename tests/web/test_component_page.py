"""The page of one component over HTTP."""

from __future__ import annotations

import re

import pytest

from flask_statuspage.domain.series import RANGES
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.services import monitoring, monitors, pages
from flask_statuspage.state import state_of
from flask_statuspage.storage.session import current_session
from tests.services import scenes
from tests.web.queries import Queries
from tests.web.site import Site
from tests.web.test_public import broken_file

HTML = {"Accept": "text/html"}


@pytest.fixture
def site(site: Site) -> Site:
    """A site whose component `api` is watched from two regions."""
    site.made("/components", name="API", description="All of it")
    watch(site, "api", "eu", "us")
    return site


def watch(site: Site, component: str, *regions: str) -> None:
    """A monitor of *component* with one result from each region."""
    with site.app.app_context():
        session = current_session()
        page = pages.find(session, None)
        row = monitors.create(
            session,
            page,
            name=f"Watches {component}",
            target="http://127.0.0.1:9/",
            component=component,
            regions=list(regions),
        )
        session.commit()
        monitoring.record(
            session,
            [
                scenes.result(row, Verdict.UP, region=region, seconds=-ago)
                for region in regions
                for ago in (5, 1000, 8000)
            ],
        )
        session.commit()


def test_the_page_and_what_lies_below_it(site: Site) -> None:
    """The page stands beside the documents of the component, and neither takes the other's place."""
    answer = site.get("/components/api")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "<bdi>API</bdi></h1>" in answer.text
    assert "All of it" in answer.text
    for path, kind in (
        ("feed.xml", "application/rss+xml"),
        ("feed", "application/rss+xml"),
        ("calendar.ics", "text/calendar"),
        ("incidents.csv", "text/csv"),
    ):
        assert site.get(f"/components/api/{path}").mimetype == kind
    assert site.get("/components/api/nothing", headers=HTML).status_code == 404
    assert site.get("/components", headers=HTML).status_code == 404
    assert site.post("/components/api").status_code == 405


@pytest.mark.parametrize("slug", ["feed", "docs", "history", "subscribe", "api-v2", "components"])
def test_slugs_that_are_words_of_ours(site: Site, slug: str) -> None:
    """A component may have the name of any of our paths."""
    site.made("/components", name=f"Named {slug}", slug=slug)
    site.made("/pages", name="Other", slug="other")
    site.made("/components", name=f"Elsewhere {slug}", slug=slug, page="other")
    assert f"<bdi>Named {slug}</bdi></h1>" in site.get(f"/components/{slug}").text
    assert f"<bdi>Elsewhere {slug}</bdi></h1>" in site.get(f"/other/components/{slug}").text
    assert site.get("/feed").mimetype == "application/rss+xml"


def test_links_stay_on_their_page(site: Site) -> None:
    """What the page of another page's component links to is that page's."""
    site.made("/pages", name="Other", slug="other")
    site.made("/components", name="API", page="other")
    text = site.get("/other/components/api").text
    for path in (
        "components/api/incidents.csv",
        "subscribe?components=api",
        "history?component=api",
    ):
        assert f'href="/status/other/{path}"' in text


@pytest.mark.parametrize("name", RANGES)
def test_every_range(site: Site, name: str) -> None:
    """Each is drawn and says so."""
    answer = site.get(f"/components/api?range={name}")
    assert answer.status_code == 200
    # The range, the region, and the language.
    assert answer.text.count('aria-current="true"') == 3
    assert "Response time of <bdi>API</bdi> seen from <bdi>eu</bdi>" in answer.text or (
        "Not enough data yet (first point " in answer.text
    )


def test_regions(site: Site) -> None:
    """One at a time; the choice is kept where another range is chosen."""
    text = site.get("/components/api?range=24h&region=us").text
    assert "seen from <bdi>us</bdi>" in text
    assert 'href="/status/components/api?range=7d&amp;region=us#sp-response"' in text
    assert 'href="/status/components/api?region=eu#sp-response"' in text


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("range=1day", "1h, 24h, 7d, 30d, 90d, 1y"),
        ("range=", "1h, 24h, 7d, 30d, 90d, 1y"),
        ("range=%00", "1h, 24h"),
        ("range=7D", "1h, 24h"),
        ("region=mars", "eu, us"),
        ("region=", "eu, us"),
        ("range=7d&region=%F0%9F%92%A5", "eu, us"),
    ],
)
def test_wrong_queries(site: Site, query: str, named: str) -> None:
    """A page says what is wrong with which parameter and what is allowed; programs get problem details."""
    answer = site.get(f"/components/api?{query}", headers=HTML)
    assert answer.status_code == 400
    assert "<h1" in answer.text
    wrong = "region" if "region" in query else "range"
    assert f"<bdi>{wrong}</bdi>: " in answer.text
    assert named in answer.text
    problem = site.get(f"/components/api?{query}", headers={"Accept": "application/json"})
    assert problem.status_code == 400
    assert [error["field"] for error in problem.get_json()["errors"]] == [wrong]


def test_a_long_range_is_not_told_in_full(site: Site) -> None:
    """What somebody typed is named, not repeated at length, and stays text."""
    answer = site.get("/components/api?range=<b>" + "x" * 3000, headers=HTML)
    assert answer.status_code == 400
    assert "<b>" not in answer.text
    assert "x" * 100 not in answer.text


@pytest.mark.parametrize("slug", ["nothing", "API", "%00", "a%2Fb", "x" * 2000, "%F0%9F%92%A5"])
def test_wrong_slugs(site: Site, slug: str) -> None:
    """What is no component of the page is not found, in whatever letters."""
    assert site.get(f"/components/{slug}", headers=HTML).status_code == 404
    site.made("/pages", name="Other", slug="other")
    assert site.get("/other/components/api", headers=HTML).status_code == 404


def test_an_archived_component_has_no_page(site: Site) -> None:
    """It has left the page, and its page with it."""
    site.made("/components", name="Old")
    site.ask("PUT", "/components/old/status", {"status": "major_outage"})
    site.ask("PUT", "/components/old/status", {"status": None})
    assert site.get("/components/old").status_code == 200
    assert site.ask("DELETE", "/components/old").status_code == 204
    assert site.get("/components/old", headers=HTML).status_code == 404


def test_what_it_costs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much happened the page takes the same few queries, and none while what is kept of it is fresh."""
    monkeypatch.setattr(
        "flask_statuspage.web.cache.VERSION_SECONDS", 3600.0
    )  # however slow the machine is

    def cost(path: str) -> int:
        with Queries(site) as queries:
            assert site.get(path).status_code == 200
        return len(queries.sent)

    site.get("/components/api")
    assert cost("/components/api") == 0
    site.made("/incidents", title="First", components=["api"])
    site.get("/")
    few = cost("/components/api?range=7d")
    assert few <= 6
    for number in range(5):
        made = site.made("/incidents", title=f"I{number}", components=["api"])
        site.ask("POST", f"/incidents/{made['id']}/resolve", {"body": "Done"})
    site.get("/")
    assert cost("/components/api?range=30d") == few
    assert site.get("/components/api").text.count("I4") == 2  # in the list and on its day


def test_home_in_few_queries(site: Site) -> None:
    """The page with its chart, whole, is within its budget, for one component and for many."""

    def cost() -> int:
        site.made("/incidents", title="Any", visibility="draft")
        with Queries(site) as queries:
            assert "Response time of <bdi>API</bdi>" in site.get("/").text
        return len(queries.sent)

    few = cost()
    for number in range(6):
        site.made("/components", name=f"C{number}")
        watch(site, f"c{number}", "eu")
    assert cost() <= few <= 25


@pytest.mark.parametrize(
    "path",
    ["/components/api", "/components/api?range=7d", "/history", "/history?month=2026-01", "OLD"],
)
def test_the_database_goes_within_the_second(
    site: Site, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the snapshot counts as fresh, what cannot be read is told from it, says so, and nobody may keep it."""
    monkeypatch.setattr("flask_statuspage.web.cache.VERSION_SECONDS", 3600.0)
    if path == "OLD":  # the snapshot has it, but not the one before it
        monkeypatch.setattr("flask_statuspage.services.overview.NEWEST_INCIDENTS", 2)
        times = {"started_at": "2026-01-01T00:00:00Z", "resolved_at": "2026-01-01T01:00:00Z"}
        for number in range(4):
            made = site.made("/incidents", title=f"I {number}", status="resolved", **times)
            path = f"/incidents/{made['id']}"
        path = f"/incidents/{site.json('/api/v2/incidents.json')['incidents'][-1]['id']}"
    site.get("/")
    mend = broken_file(site)
    answer = site.get(path, headers=HTML)
    mend()
    assert answer.status_code == 200
    assert answer.headers["Warning"].startswith("110 ")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "may be out of date" in answer.text
    again = site.get(path, headers=HTML)
    assert "Warning" not in again.headers
    assert "may be out of date" not in again.text
    assert again.headers["Cache-Control"].startswith("public")


def test_one_year_for_all_ranges_and_languages(site: Site) -> None:
    """What happened in the year is read once for a snapshot, whoever asks and for whatever range."""
    site.get("/")
    years = 0
    for path in ("?lang=en", "?lang=de", "?range=7d", "?range=30d&lang=de", ""):
        with Queries(site) as queries:
            assert site.get(f"/components/api{path}").status_code == 200
        years += sum("FROM statuspage_status_interval" in sent for sent in queries.sent)
    assert years == 1


def test_a_component_that_is_new(site: Site) -> None:
    """Of a service made just now no year of uptime is told, but since when it is known."""
    text = re.sub(r"\s+", " ", site.get("/components/api").text)
    assert "Uptime, last" not in text
    assert re.search(r"<dt>Uptime</dt><dd>100% uptime since [^<]*20\d\d", text)


@pytest.mark.parametrize("path", ["/components/api", "/components/api?range=7d"])
def test_without_the_database(site: Site, path: str) -> None:
    """Made from what was known before, with a note; the chart only where that holds it. Then all is back."""
    made = site.made("/incidents", title="Disks full", components=["api"])
    site.get("/")
    mend = broken_file(site)
    state_of(site.app).documents.expire_versions()
    answer = site.get(path)
    assert answer.status_code == 200
    assert answer.headers["Warning"].startswith("110 ")
    assert "may be out of date" in answer.text
    assert "Disks full" in answer.text
    assert made["id"] in answer.text
    missing = "The chart cannot be shown at the moment."
    assert (missing in answer.text) is ("range" in path)
    assert site.get("/components/nothing", headers=HTML).status_code == 404
    assert site.get("/components/api?range=x", headers=HTML).status_code == 400
    mend()
    state_of(site.app).documents.expire_versions()
    answer = site.get(path)
    assert "may be out of date" not in answer.text
    assert missing not in answer.text
