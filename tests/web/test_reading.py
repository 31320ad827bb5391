"""The read path over HTTP: every public document, its caching, compression, pages of lists, and its errors."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage.documents import catalogue
from flask_statuspage.documents.document import Document
from flask_statuspage.services import overview
from flask_statuspage.state import state_of
from tests.web.queries import Queries
from tests.web.site import Furnished, Site, SiteMaker, furnished

DOCUMENTS = list(catalogue.documents().values())
PATHS = [(document, path) for document in DOCUMENTS for path in document.paths]
SLUG = "api"
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def below(path: str) -> str:
    return "/" + path.replace("<component_slug>", SLUG)


def canonical(document: Document) -> str:
    return below(document.paths[0])


ALL = pytest.mark.parametrize(
    ("document", "path"), PATHS, ids=[path.replace("<component_slug>", "x") for _, path in PATHS]
)
EACH = pytest.mark.parametrize("document", DOCUMENTS, ids=[item.name for item in DOCUMENTS])


def furnish(site: Site) -> None:
    site.made("/components", name="API", slug=SLUG)
    site.made("/incidents", title="Slow answers", components=[SLUG], body="We look into it.")
    start = datetime.now(UTC) + timedelta(days=2)
    site.made(
        "/maintenances",
        title="New disks",
        components=[SLUG],
        scheduled_start=start.isoformat(),
        scheduled_end=(start + timedelta(hours=1)).isoformat(),
    )


@pytest.fixture(scope="module")
def furnished_once(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Furnished[None]:
    return furnished(tmp_path_factory.mktemp("reading"), migrated, furnish)


@pytest.fixture
def site(make_site: SiteMaker, furnished_once: Furnished[None]) -> Site:
    """A site with a component that an incident and a maintenance are about."""
    return furnished_once.site(make_site)


def add_incidents(site: Site, count: int, **more: Any) -> None:
    """*count* closed incidents, one on each day from the first of January on."""
    for number in range(count):
        start = FIRST_DAY + timedelta(days=number)
        site.made(
            "/incidents",
            title=f"Incident {number}",
            started_at=start.isoformat(),
            resolved_at=(start + timedelta(hours=1)).isoformat(),
            status="resolved",
            **more,
        )


@ALL
def test_every_path_of_every_document(site: Site, document: Document, path: str) -> None:
    """Each path answers its document, with the type it says, to readers of any site, without a key."""
    answer = site.get(below(path))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == document.content_type
    assert answer.data == site.get(canonical(document)).data
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    control = answer.headers["Cache-Control"]
    assert re.fullmatch(
        r"public, max-age=\d+, stale-while-revalidate=\d+, stale-if-error=\d+", control
    )
    assert re.fullmatch('"[^"]+"', answer.headers["ETag"])
    assert answer.headers["Last-Modified"].endswith("GMT")


@EACH
def test_head_and_preflight(site: Site, document: Document) -> None:
    """HEAD has the headers of GET and no body; a preflight allows reads from anywhere."""
    got, head = site.get(canonical(document)), site.client.head(site.prefix + canonical(document))
    assert head.status_code == 200
    assert head.data == b""
    for name in ("Content-Type", "ETag", "Last-Modified", "Cache-Control", "Vary"):
        assert head.headers.get(name) == got.headers.get(name), name
    asked = site.client.options(
        site.prefix + canonical(document),
        headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"},
    )
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in asked.headers["Access-Control-Allow-Methods"]


@EACH
def test_conditions(site: Site, document: Document) -> None:
    """304 to whoever names the tag or a time that is not older; 200 to all others; the tag wins over the time."""
    path = canonical(document)
    fresh = site.get(path)
    etag, changed = fresh.headers["ETag"], fresh.headers["Last-Modified"]
    old = format_datetime(datetime.now(UTC) - timedelta(days=9), usegmt=True)
    for headers, status in (
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f"W/{etag}"}, 304),
        ({"If-None-Match": f'"other", {etag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": changed}, 304),
        ({"If-Modified-Since": old}, 200),
        ({"If-Modified-Since": "not a time"}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": changed}, 200),
        ({"If-None-Match": etag, "If-Modified-Since": old}, 304),
    ):
        answer = site.get(path, headers=headers)
        assert answer.status_code == status, headers
        if status == 304:
            assert answer.data == b""
            assert answer.headers["ETag"] == etag
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert "Content-Length" not in answer.headers


def test_compressed_once(site: Site) -> None:
    """gzip is sent to whoever accepts it, with a tag of its own, made once per version; both say that they vary."""
    path = "/api/v2/summary.json"
    plain = site.get(path)
    zipped = site.get(path, headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert len(zipped.data) < len(plain.data)
    assert zipped.headers["Content-Length"] == str(len(zipped.data))
    assert zipped.headers["ETag"] != plain.headers["ETag"]
    for answer in (plain, zipped):
        assert "Accept-Encoding" in answer.headers["Vary"]
    etag = zipped.headers["ETag"]
    known = site.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": etag})
    assert known.status_code == 304
    assert known.headers["ETag"] == etag
    kept = state_of(site.app).documents._documents.get((None, "summary_json"))
    assert kept is not None
    (variants,) = kept.variants.values()
    site.get(path, headers={"Accept-Encoding": "gzip"})
    assert next(iter(kept.variants.values())) is variants


@pytest.mark.parametrize(
    "accepted", ["", "identity", "gzip;q=0", "br", "*;q=0", "gzip;q=0, *", "deflate, gzip;q=0.000"]
)
def test_not_compressed_for_others(site: Site, accepted: str) -> None:
    """Whoever does not accept gzip gets the plain bytes."""
    answer = site.get("/api/v2/summary.json", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.get_json()["components"]


def test_pages_of_incidents(site: Site) -> None:
    """The newest 50 come first; `?page=` goes on without doubles or gaps, and `Link` leads from page to page."""
    add_incidents(site, 119)
    seen: list[str] = []
    relations: list[set[str]] = []
    for number in (1, 2, 3):
        answer = site.get(f"/api/v2/incidents.json?page={number}")
        seen += [item["name"] for item in answer.get_json()["incidents"]]
        links = re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["Link"])
        for link, _ in links:
            assert re.fullmatch(r"http://localhost/status/api/v2/incidents\.json\?page=\d", link)
        relations.append({relation for _, relation in links})
    newest = [f"Incident {number}" for number in reversed(range(119))]
    assert seen == ["Slow answers", *newest]
    assert relations == [
        {"first", "next", "last"},
        {"first", "prev", "next", "last"},
        {"first", "prev", "last"},
    ]
    default = site.get("/api/v2/incidents.json")
    assert default.data == site.get("/api/v2/incidents.json?page=1").data
    assert len(default.get_json()["incidents"]) == 50
    assert site.json("/api/v2/incidents.json?page=4") == {"incidents": []}
    other = site.json("/statuspage/api/v2/incidents.json?page=2")
    assert [item["name"] for item in other["incidents"]] == seen[50:100]


def test_an_open_incident_is_never_lost(site: Site) -> None:
    """However many newer ones there are, an open incident stands in unresolved.json and summary.json."""
    site.made("/incidents", title="Since long", started_at="2025-12-01T00:00:00Z")
    add_incidents(site, 55)
    for path in ("incidents/unresolved", "summary"):
        names = [item["name"] for item in site.json(f"/api/v2/{path}.json")["incidents"]]
        assert names == ["Slow answers", "Since long"]
    assert "Since long" not in str(site.json("/api/v2/incidents.json"))
    assert "Since long" in str(site.json("/api/v2/incidents.json?page=2"))


NUMBERS = ["0", "-1", "1.5", "x", "", "1e3", "٣", "99999999999999999999", " 1", "1_0"]


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v2/incidents.json", "page"),
        ("/statuspage/api/v2/incidents.json", "page"),
        (f"/api/v2/components/{SLUG}/uptime.svg", "days"),
    ],
)
def test_numbers_that_are_none(site: Site, path: str, field: str, value: str) -> None:
    """A page or a number of days that is none is 400, and the problem names the parameter."""
    answer = site.get(path, query_string={field: value})
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_days_of_an_uptime(site: Site) -> None:
    """As many days as the window has can be asked for, and not one more."""
    path = f"/api/v2/components/{SLUG}/uptime.svg"
    assert site.get(f"{path}?days=90").data == site.get(path).data
    assert site.get(f"{path}?days=7").status_code == 200
    answer = site.get(f"{path}?days=91")
    assert answer.status_code == 400
    assert "90" in answer.get_json()["errors"][0]["message"]


def test_every_wrong_parameter_is_named(site: Site) -> None:
    """Two wrong parameters are told together, in one problem."""
    answer = site.get(f"/api/v2/components/{SLUG}/uptime.svg?days=x&style=round&label=Fine")
    assert answer.status_code == 400
    assert {error["field"] for error in answer.get_json()["errors"]} == {"days", "style"}


def test_foreign_parameters_are_not_ours(site: Site) -> None:
    """What a mail program or a CDN adds to an address changes nothing, and is not kept as another document."""
    path = "/api/v2/summary.json"
    expected = site.get(path)
    answer = site.get(f"{path}?utm_source=mail&_=123")
    assert answer.data == expected.data
    assert len(state_of(site.app).documents._rare) == 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/nothing.json",
        "/api/nothing",
        "/statuspage/api/v2/nothing.json",
        "/components/nothing/feed.xml",
        "/components/nothing/incidents.csv",
        "/components/nothing/api/calendar.ics",
        "/api/components/nothing/feed.atom",
        "/api/v2/components/nothing/status.svg",
        "/nothing/api/v2/status.json",
        "/nothing/feed",
        "/nothing/components/api/feed.xml",
        "/api/v2/components/%00/uptime.svg",
    ],
)
def test_unknown_things_of_the_api(site: Site, path: str) -> None:
    """What the API does not have is 404 as problem details, readable from any site."""
    answer = site.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@EACH
def test_only_reads(site: Site, document: Document) -> None:
    """Documents can be read, nothing else."""
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = site.client.open(site.prefix + canonical(document), method=method)
        assert answer.status_code == 405, method
        assert {"GET", "HEAD"} <= set(answer.headers["Allow"].replace(" ", "").split(","))


def test_statuspage_as_the_api(make_site: SiteMaker) -> None:
    """By setting, Statuspage's JSON stands at api/v2 too, byte for byte; badges stay where they are."""
    site = make_site(STATUSPAGE_API_DIALECT="statuspage")
    site.made("/components", name="API", slug=SLUG)
    for document in DOCUMENTS:
        if document.name.startswith("statuspage_"):
            path = canonical(document)
            assert site.get(path.removeprefix("/statuspage")).data == site.get(path).data
    assert site.json("/api/v2/status.json")["status"]["indicator"] == "none"
    assert site.get("/api/v2/badge.svg").mimetype == "image/svg+xml"


def test_components_have_their_own(site: Site) -> None:
    """What is about one component holds its incidents, not those of others, and maintenance of the whole page."""
    site.made("/components", name="Other")
    site.made("/incidents", title="Elsewhere", components=["other"])
    site.made("/incidents", title="Nowhere in particular")
    for file in ("feed.xml", "feed.atom", "calendar.ics", "incidents.csv"):
        text = site.get(f"/components/{SLUG}/{file}").text
        assert "Slow answers" in text, file
        assert "Elsewhere" not in text
        assert "Nowhere in particular" not in text
        assert ("New disks" in text) == (file != "incidents.csv")


def test_one_snapshot_for_all(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """All documents of one version are made of one snapshot: reading them all costs one."""
    monkeypatch.setattr(
        "flask_statuspage.web.cache.VERSION_SECONDS", 3600.0
    )  # however slow the machine is
    state_of(site.app).documents.expire_versions()
    site.get("/api/v2/status.json")
    with Queries(site) as queries:
        for document in DOCUMENTS:
            if not document.stream:
                site.get(canonical(document))
    assert queries.sent == []


def test_csv_is_read_in_batches(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many incidents there are, they are read some at a time, and each of them once."""
    monkeypatch.setattr(overview, "BATCH", 7)
    add_incidents(site, 30, components=[SLUG])
    with site.app.app_context():
        site.db.session.commit()
    with Queries(site) as queries:
        lines = site.get("/api/incidents.csv").text.split("\r\n")
    assert len(lines) == 1 + 31 + 1
    assert len(set(lines)) == len(lines)
    reads = [sent for sent in queries.sent if "LIMIT" in sent and "started_at DESC" in sent]
    assert len(reads) >= 5
    assert len(site.get(f"/components/{SLUG}/incidents.csv").text.split("\r\n")) == 1 + 31 + 1


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
def test_csv_goes_on_where_starts_are_equal(
    database_url: str, migrated_site: SiteMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Incidents that began at the same instant are neither left out nor told twice between two batches."""
    site = migrated_site(database_url)
    monkeypatch.setattr(overview, "BATCH", 3)
    for number in range(10):
        site.made("/incidents", title=f"Same {number}", started_at="2026-01-01T00:00:00Z")
    text = site.get("/api/incidents.csv").text
    for number in range(10):
        assert text.count(f"Same {number}") == 1


def test_csv_while_the_database_is_away(site: Site) -> None:
    """CSV then holds what the last snapshot does, and says so."""
    from tests.web.test_public import broken_file

    before = site.get("/api/incidents.csv")
    assert site.get("/api/v2/status.json").status_code == 200
    mend: Callable[[], None] = broken_file(site)
    answer = site.get("/api/incidents.csv")
    mend()
    assert answer.status_code == 200
    assert answer.headers["Warning"].startswith("110 ")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.data == before.data


def test_drafts_are_nowhere(site: Site) -> None:
    """A draft is in none of the documents."""
    site.made("/incidents", title="Not yet", visibility="draft", components=[SLUG])
    for document in DOCUMENTS:
        assert "Not yet" not in site.get(canonical(document)).text


def test_a_quiet_component_of_a_busy_page(site: Site) -> None:
    """A component's feeds and calendar have its own newest incidents, however many the page has had since."""
    for number in range(3):
        site.made(
            "/incidents",
            title=f"Quiet {number}",
            status="resolved",
            started_at="2025-06-01T00:00:00Z",
            components=[SLUG],
        )
    site.made("/components", name="Busy")
    add_incidents(site, 60, components=["busy"])
    for file in ("feed.xml", "feed.atom", "calendar.ics"):
        text = site.get(f"/components/{SLUG}/{file}").text
        for title in ("Slow answers", "Quiet 0", "Quiet 1", "Quiet 2"):
            assert title in text, (file, title)
        busy = site.get(f"/components/busy/{file}").text
        assert "Incident 59" in busy
        assert "Incident 9<" not in busy  # the newest fifty only
        assert "Quiet" not in busy


@EACH
def test_options_say_what_is_possible(site: Site, document: Document) -> None:
    """OPTIONS names the methods that work, and no other."""
    answer = site.client.options(site.prefix + canonical(document))
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    "path",
    [
        "/incidents/nope",
        "/maintenance/0",
        "/incidents/{0}",
        "/incidents/urn:uuid:00000000-0000-0000-0000-000000000000",
        "/incidents/00000000000000000000000000000000",
    ],
)
def test_ids_that_are_none(site: Site, path: str) -> None:
    """What can be no id, or is one in another spelling, is the page's own 404."""
    answer = site.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "Go to the current status" in answer.text


@pytest.mark.parametrize("path", ["/", "/api/v2/status.json", "/api/incidents.csv"])
def test_no_shared_answer_carries_a_cookie(make_site: SiteMaker, path: str) -> None:
    """An answer with a cookie of the host's session is for its reader alone."""
    from flask import Flask, session

    def host(app: Flask) -> None:
        @app.before_request
        def remember() -> None:
            session.permanent = True
            session["name"] = "Ann"

    site = make_site(host=host)
    for _ in range(2):
        answer = site.get(path)
        assert "session=" in answer.headers["Set-Cookie"]
        assert answer.headers["Cache-Control"] == "private, no-cache"
    plain = make_site().get(path)
    assert "Set-Cookie" not in plain.headers
    assert plain.headers["Cache-Control"].startswith("public")
