"""The mirror: what the live site answers, as files; pages with relative links; nothing private; little work."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import html5lib  # type: ignore[import-untyped]
import pytest

from flask_statuspage.documents import catalogue
from flask_statuspage.services import mirror, overview
from flask_statuspage.storage.folder import Outcome
from tests.web.conftest import make_site, migrated  # noqa: F401
from tests.web.site import Site, SiteMaker

LIVE = "https://status.acme.example/s"


@pytest.fixture
def site(make_site: SiteMaker) -> Site:  # noqa: F811
    """A site with a component, an open and a closed incident, and a maintenance."""
    site = make_site(STATUSPAGE_PAGE_URL=LIVE)
    site.made("/component-groups", name="Core")
    site.made("/components", name="API", group="Core", status="degraded_performance")
    site.made("/components", name="Web", group="Core")
    site.made("/incidents", title="Slow answers", components=["api"], body="We *look*.")
    over = site.made("/incidents", title="It was dark", components=["web"])
    site.made(f"/incidents/{over['id']}/resolve", body="Light again.")
    start = datetime.now(UTC) + timedelta(days=2)
    window = {
        "scheduled_start": start.isoformat(),
        "scheduled_end": (start + timedelta(hours=1)).isoformat(),
    }
    site.made("/maintenances", title="New disks", components=["api"], **window)
    return site


def write(site: Site, path: Path) -> Outcome:
    with site.app.app_context():
        return mirror.write(str(path))


def files(path: Path) -> dict[str, Path]:
    """All files but hidden ones, by their path below *path*."""
    return {
        item.relative_to(path).as_posix(): item
        for item in sorted(path.rglob("*"))
        if item.is_file() and not item.name.startswith(".")
    }


def expected_documents(slugs: tuple[str, ...]) -> set[str]:
    """The paths of documents below a page's folder."""
    found = {"api/openapi.json"}
    for document in catalogue.documents().values():
        if document.of_component:
            path = document.paths[0]
            found |= {path.replace("<component_slug>", slug) for slug in slugs}
        else:
            found |= set(document.paths)
    return found


def test_documents_are_the_live_ones(site: Site, tmp_path: Path) -> None:
    """Every public document is a file under its path, byte for byte what the live site answers."""
    write(site, tmp_path / "m")
    there = files(tmp_path / "m")
    expected = expected_documents(("api", "web"))
    assert expected <= set(there)
    for path in expected:
        assert there[path].read_bytes() == site.get("/" + path).data, path
    for name in ("statuspage.css", "icon.svg"):
        with site.get(f"/assets/{name}") as answer:
            assert there[f"assets/{name}"].read_bytes() == answer.data


def test_every_page_is_there_and_nothing_else(site: Site, tmp_path: Path) -> None:
    """The page, its history, forms, documentation, components, incidents and maintenance are files; besides them only
    how to serve them."""
    write(site, tmp_path / "m")
    incidents = site.ask("GET", "/incidents").get_json()["items"]
    maintenances = site.ask("GET", "/maintenances").get_json()["items"]
    pages = {"index.html", "history.html", "subscribe.html", "docs.html"}
    pages |= {"live.json", "widget.js", "widget.json"}
    pages |= {f"incidents/{item['id']}.html" for item in incidents}
    pages |= {f"maintenance/{item['id']}.html" for item in maintenances}
    pages |= {f"maintenance/{item['id']}.ics" for item in maintenances}
    begun = [item["started_at"] for item in incidents]
    begun += [item["scheduled_start"] for item in maintenances]
    pages |= {f"history/{text[:7]}.html" for text in begun}
    pages |= {"components/api.html", "components/web.html"}
    others = {path for path in files(tmp_path / "m") if not path.startswith("assets/")}
    assert others == expected_documents(("api", "web")) | pages | {
        "nginx.example.conf",
        "_headers",
    }


def links(html: str) -> Iterator[tuple[str, str]]:
    """Element and address of everything that an HTML text leads to."""
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    for element in tree.iter():
        for name in ("href", "src", "action"):
            if element.get(name):
                yield element.tag, element.get(name)


def test_every_link_leads_somewhere(site: Site, tmp_path: Path) -> None:
    """Every link of every page leads to a file of the mirror, or to what the live site answers; forms post there."""
    site.made("/pages", name="Second", slug="second", url=f"{LIVE}/second")
    site.made("/components", name="Else", page="second")
    site.made("/incidents", title="Elsewhere", components=["else"], page="second")
    write(site, tmp_path / "m")
    there = files(tmp_path / "m")
    seen = 0
    asked: dict[str, int] = {}
    for path, file in there.items():
        if not path.endswith(".html"):
            continue
        for tag, address in links(file.read_text(encoding="utf-8")):
            parts = urlsplit(address)
            if parts.scheme or tag == "form":
                assert address.startswith(LIVE), f"{path} → {address}"
                live = urlsplit(address.removeprefix(LIVE) or "/")._replace(fragment="").geturl()
                if live not in asked:
                    with site.get(live, headers={"Accept": "text/html"}) as answer:
                        asked[live] = answer.status_code
                assert asked[live] == 200, f"{path} → {address}"
                continue
            assert not parts.netloc, address
            assert not address.startswith("/"), address
            assert not parts.query, address
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), parts.path))
            if parts.path:
                assert target in there, f"{path} → {address}"
            seen += 1
    assert seen > 60
    assert "second/incidents/" in "".join(there)
    assert {"/subscribe", "/second/subscribe"} <= set(asked)


def without_links(html: str) -> str:
    return re.sub(r'(href|src|action|data-sp-live)="[^"]*"', "", html)


def test_pages_look_as_the_live_ones(
    make_site: SiteMaker,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But for the addresses in it, and for the choice of a language, a page of the mirror is the live one."""
    site = make_site(STATUSPAGE_PAGE_URL=LIVE, STATUSPAGE_LOCALES="en")
    site.made("/components", name="API", status="degraded_performance")
    of_api: dict[str, Any] = {"components": ["api"]}
    over = of_api | {"status": "resolved"}
    made = [
        site.made("/incidents", title=title, **over, started_at=start, resolved_at=end)["id"]
        for title, start, end in (
            ("Years ago", "2023-06-01T00:00:00Z", "2023-06-01T01:00:00Z"),
            ("Over a month's end", "2025-01-31T22:00:00Z", "2025-02-01T03:00:00Z"),
        )
    ]
    made.append(site.made("/incidents", title="Slow answers", body="We *look*.", **of_api)["id"])
    # Both are asked at different times, and tell how long something has lasted.
    now = datetime.now(UTC) + timedelta(hours=1)
    window = {
        "scheduled_start": (now + timedelta(days=40)).isoformat(),
        "scheduled_end": (now + timedelta(days=41)).isoformat(),
    }
    planned = site.made("/maintenances", title="New disks", **of_api, **window)["id"]
    monkeypatch.setattr(overview, "utc_now", lambda: now)
    write(site, tmp_path / "m")
    pages = {
        "index.html": "/",
        "history.html": "/history",
        "history/2023-06.html": "/history?month=2023-06",
        "history/2025-01.html": "/history?month=2025-01",
        "history/2025-02.html": "/history?month=2025-02",
        "subscribe.html": "/subscribe",
        "docs.html": "/docs",
        "components/api.html": "/components/api",
        f"maintenance/{planned}.html": f"/maintenance/{planned}",
    }
    month = f"{now + timedelta(days=40):%Y-%m}"
    pages[f"history/{month}.html"] = f"/history?month={month}"
    pages |= {f"incidents/{ident}.html": f"/incidents/{ident}" for ident in made}
    there = files(tmp_path / "m")
    for path, live in pages.items():
        text = there[path].read_text(encoding="utf-8")
        assert without_links(text) == without_links(site.get(live).text), path
    calendar = f"maintenance/{planned}.ics"
    assert there[calendar].read_bytes() == site.get(f"/{calendar}").data


def test_ways_through_the_history(site: Site, tmp_path: Path) -> None:
    """Months and incidents lead to the files of those beside them; other choices are asked of the live site."""
    times = [f"2025-{month:02}-10T00:00:00Z" for month in (3, 7)]
    first, second = (
        site.made("/incidents", title=at, status="resolved", started_at=at, resolved_at=at)["id"]
        for at in times
    )
    site.made("/monitors", name="API", kind="heartbeat", component="api")
    write(site, tmp_path / "m")
    there = files(tmp_path / "m")
    assert not {"history/2025-02.html", "history/2025-05.html"} & set(there)
    march = there["history/2025-03.html"].read_text(encoding="utf-8")
    assert {
        ("a", "2025-07.html"),
        ("a", "../history.html"),
        ("a", f"../incidents/{first}.html"),
        ("form", f"{LIVE}/history"),
    } <= set(links(march))
    page = there[f"incidents/{first}.html"].read_text(encoding="utf-8")
    assert ("a", f"{second}.html") in set(links(page))
    component = there["components/api.html"].read_text(encoding="utf-8")
    assert {
        ("a", f"{LIVE}/history?component=api"),
        ("a", f"{LIVE}/components/api?range=7d#sp-response"),
        ("a", "api.html#sp-response"),
    } <= set(links(component))


def test_what_is_over_is_made_once(site: Site, tmp_path: Path) -> None:
    """A month that is over, and a page of an incident, are left as they are until what they tell of changes: a title
    that is mended is mended beside it, too."""
    times = [f"2025-{month:02}-10T00:00:00Z" for month in (3, 5, 7)]
    old, middle, late = (
        site.made("/incidents", title=at, status="resolved", started_at=at, resolved_at=at)["id"]
        for at in times
    )
    place = tmp_path / "m"
    write(site, place)
    paths = [f"history/2025-{month:02}.html" for month in (3, 5, 7)]
    paths += [f"incidents/{ident}.html" for ident in (old, middle, late)]
    paths += [
        f"maintenance/{item['id']}.ics"
        for item in site.ask("GET", "/maintenances").get_json()["items"]
    ]
    # What is made again would be written again.
    for path in paths:
        (place / path).write_text("as it was", encoding="utf-8")
    site.ask("PATCH", f"/incidents/{late}", {"title": "Mended"})
    write(site, place)
    kept = {path for path in paths if (place / path).read_text(encoding="utf-8") == "as it was"}
    assert kept == {paths[0], paths[1], paths[3], *paths[6:]}
    assert "Next: <bdi>Mended" in (place / paths[4]).read_text(encoding="utf-8")


def test_what_scripts_ask_of_the_mirror(site: Site, tmp_path: Path) -> None:
    """An open page and badges of other sites ask the mirror where they came from it."""
    write(site, tmp_path / "m")
    for name in ("live.json", "widget.json", "widget.js"):
        assert (tmp_path / "m" / name).read_bytes() == site.get(f"/{name}").data, name
    assert 'data-sp-live="live.json"' in (tmp_path / "m" / "index.html").read_text(encoding="utf-8")


def test_statuspage_dialect(make_site: SiteMaker, tmp_path: Path) -> None:  # noqa: F811
    """With Statuspage's dialect at api/v2 the mirror has it there, too."""
    site = make_site(STATUSPAGE_API_DIALECT="statuspage")
    write(site, tmp_path / "m")
    for name in ("status", "incidents/unresolved"):
        made = (tmp_path / "m" / "api/v2" / f"{name}.json").read_bytes()
        assert made == site.get(f"/api/v2/{name}.json").data
        assert made == site.get(f"/statuspage/api/v2/{name}.json").data


@pytest.mark.parametrize("visibility", ["signed-in", "link"])
def test_private_pages_are_not_written(site: Site, tmp_path: Path, visibility: str) -> None:
    """A page that is not public is no file; when it ceases to be public its files are removed."""
    site.made("/pages", name="Moonshot", slug="moon")
    site.made("/incidents", title="Moonshot burns", page="moon")
    write(site, tmp_path / "m")
    assert "moon/index.html" in files(tmp_path / "m")
    site.ask("PATCH", "/pages/moon", {"visibility": visibility})
    outcome = write(site, tmp_path / "m")
    assert outcome.removed > 20
    for path, file in files(tmp_path / "m").items():
        assert not path.startswith("moon"), path
        assert b"Moonshot" not in file.read_bytes(), path
    assert not (tmp_path / "m" / "moon").exists()


def test_unchanged_files_are_untouched(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a change nothing is written but what time itself changes; a change touches what tells of it."""
    place = tmp_path / "m"
    assert write(site, place).written == len(files(place))
    times = {path: os.stat(file).st_mtime_ns for path, file in files(place).items()}
    again = write(site, place)
    assert again.removed == 0
    changed = {p for p, f in files(place).items() if os.stat(f).st_mtime_ns != times[p]}
    (still_open,) = site.ask("GET", "/incidents?status=investigating").get_json()["items"]
    # These tell how long it lasts, or which days are shown.
    tell_the_time = {"index.html", f"incidents/{still_open['id']}.html"}
    assert changed <= tell_the_time
    with monkeypatch.context() as patch:
        patch.setattr(overview, "utc_now", lambda: datetime.now(UTC) + timedelta(days=3))
        write(site, place)
    changed = {p for p, f in files(place).items() if os.stat(f).st_mtime_ns != times.get(p)}
    days_later = tell_the_time | {"components/api.html", "components/web.html"}
    # Of the history where a month ended meanwhile.
    assert days_later <= changed <= days_later | {p for p in files(place) if "history" in p}
    site.ask("PUT", "/components/web/status", {"status": "major_outage"})
    write(site, place)
    assert b"down" in (place / "api/v2/components.json").read_bytes()
    assert (
        os.stat(place / "components/api/feed.xml").st_mtime_ns == times["components/api/feed.xml"]
    )
    assert os.stat(place / "theme.css").st_mtime_ns == times["theme.css"]


def test_what_is_gone_is_removed(site: Site, tmp_path: Path) -> None:
    """Files of a deleted incident and an archived component go, with their folders."""
    write(site, tmp_path / "m")
    first = site.ask("GET", "/incidents").get_json()["items"][0]["id"]
    site.ask("DELETE", f"/incidents/{first}")
    site.ask("PATCH", "/components/web", {"archived": True})
    write(site, tmp_path / "m")
    there = files(tmp_path / "m")
    assert f"incidents/{first}.html" not in there
    assert not any("/web/" in path for path in there)
    assert not (tmp_path / "m" / "components" / "web").exists()


def test_old_incidents_have_their_pages(
    site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Incidents that the page itself no longer shows have files too, made once and again when they are mended."""
    monkeypatch.setattr(overview, "NEWEST_INCIDENTS", 5)
    made = []
    for number in range(12):
        at = datetime(2026, 1, 1 + number, tzinfo=UTC)
        body: dict[str, Any] = {"title": f"Old {number}", "status": "resolved"}
        body |= {"started_at": at.isoformat(), "resolved_at": (at + timedelta(hours=1)).isoformat()}
        made.append(site.made("/incidents", **body)["id"])
    place = tmp_path / "m"
    write(site, place)
    paths = [place / f"incidents/{ident}.html" for ident in made]
    assert all(path.is_file() for path in paths)
    times = [os.stat(path).st_mtime_ns for path in paths]
    write(site, place)
    assert [os.stat(path).st_mtime_ns for path in paths] == times
    site.ask("PATCH", f"/incidents/{made[0]}", {"title": "Mended"})
    site.ask("PATCH", "/pages/main", {"footer": "A new footer"})
    write(site, place)
    assert "Mended" in paths[0].read_text(encoding="utf-8")
    assert all("A new footer" in path.read_text(encoding="utf-8") for path in paths)


def test_logo_of_the_live_site(site: Site, tmp_path: Path) -> None:
    """A logo that is a path on the live site is fetched there, and the policy beside the files lets it in."""
    site.ask("PATCH", "/pages/main", {"logo": "/static/logo.png"})
    write(site, tmp_path / "m")
    page = (tmp_path / "m" / "index.html").read_text(encoding="utf-8")
    assert 'src="https://status.acme.example/static/logo.png"' in page
    for name in ("nginx.example.conf", "_headers"):
        text = (tmp_path / "m" / name).read_text(encoding="utf-8")
        assert "img-src 'self' https://status.acme.example" in text
        assert "form-action 'self' https://status.acme.example" in text


def test_hostile_names(make_site: SiteMaker, tmp_path: Path) -> None:  # noqa: F811
    """Whatever is typed, no file leaves the folder and no page holds live markup of it."""
    site = make_site(STATUSPAGE_PAGE_URL=LIVE)
    for number, name in enumerate(
        ("../../etc/x", "<script>alert(1)</script>", "=1+1", "a/b\\c", "..")
    ):
        site.made("/components", name=name)
        site.made("/incidents", title=name, components=[], body=name, notify=bool(number))
    write(site, tmp_path / "m")
    assert {item.name for item in tmp_path.iterdir()} <= {"m"} | {
        item.name for item in tmp_path.iterdir() if item.name.startswith("site-")
    }
    for path, file in files(tmp_path / "m").items():
        if path.endswith(".html"):
            assert "<script>alert" not in file.read_text(encoding="utf-8"), path


def test_a_hundred_components(make_site: SiteMaker, tmp_path: Path) -> None:  # noqa: F811
    """The mirror of a large page is whole: some files for each component, and the queries do not grow with them."""
    from tests.web.queries import Queries

    def cost(site: Site, place: Path) -> int:
        with Queries(site) as queries:
            write(site, place)
        return len(queries.sent)

    site = make_site(STATUSPAGE_PAGE_URL=LIVE)
    site.made("/components", name="C 0")
    few = cost(site, tmp_path / "few")
    for number in range(1, 100):
        site.made("/components", name=f"C {number}")
    assert cost(site, tmp_path / "m") == few
    assert write(site, tmp_path / "m").files > 700


def test_a_quiet_component_of_a_busy_page(site: Site, tmp_path: Path) -> None:
    """What is about one component is as live, also where the page's newest incidents are others."""
    for number in range(55):
        site.made(
            "/incidents",
            title=f"Old {number}",
            status="resolved",
            started_at="2025-01-01T00:00:00Z",
            components=["web" if number else "api"],
        )
    write(site, tmp_path / "m")
    for slug in ("api", "web"):
        for file in ("feed.xml", "feed.atom", "calendar.ics", "incidents.csv"):
            path = f"components/{slug}/{file}"
            assert (tmp_path / "m" / path).read_bytes() == site.get(f"/{path}").data, path
    assert "Old 0" in (tmp_path / "m" / "components/api/feed.xml").read_text(encoding="utf-8")
