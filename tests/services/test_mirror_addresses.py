"""Addresses in a mirror: from file to file, to the live site for what is no file, and behind nginx as on the site."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from flask_statuspage.documents import catalogue
from flask_statuspage.documents.mirror_urls import LIVE, MirrorUrls
from flask_statuspage.documents.site_files import PAGES
from tests.servers import nginx
from tests.servers.presence import started
from tests.services.test_mirror import site, write
from tests.web.conftest import make_site, migrated
from tests.web.site import Site

__all__ = ["make_site", "migrated", "site"]  # fixtures

SITE = "https://status.acme.example/s"


def urls_from(here: str, *, folder: str = "", files: dict[str, str] | None = None) -> MirrorUrls:
    return MirrorUrls(
        here,
        files=PAGES | (files or {}),
        months={"2026-10", "2026-11"},
        folder=folder,
        live=SITE,
        dialect="native",
    )


def test_live_addresses_are_those_of_the_site(site: Site) -> None:
    """Every page and file has its address on the live site, as the site itself answers it."""
    assert set(LIVE) >= catalogue.ENDPOINTS - {"static"}
    rules = {
        rule.endpoint.removeprefix("statuspage."): rule.rule.removeprefix(f"{site.prefix}/")
        for rule in site.app.url_map.iter_rules()
        if rule.endpoint.startswith("statuspage.") and "<page_slug>" not in rule.rule
    }
    there = {name: rules[name] for name in LIVE if name in rules}
    assert len(there) > 8
    assert {name: LIVE[name].replace("{", "<").replace("}", ">") for name in there} == there


@pytest.mark.parametrize(
    ("endpoint", "values", "address"),
    [
        ("home", {}, "../index.html"),
        ("docs", {}, "../docs.html"),
        ("incident", {"incident_id": 7}, "7.html"),
        ("openapi", {}, "../api/openapi.json"),
        ("component_feed", {"component_slug": "api"}, "../components/api/feed.xml"),
        ("static", {"filename": "statuspage.js"}, "../assets/statuspage.js"),
        ("history", {"month": "2026-11"}, "../history/2026-11.html"),
        ("history", {"month": "2026-09"}, f"{SITE}/history?month=2026-09"),
        (
            "history",
            {"month": "2026-11", "component": "api"},
            f"{SITE}/history?month=2026-11&component=api",
        ),
        ("incident", {"incident_id": 7, "lang": "de"}, f"{SITE}/incidents/7?lang=de"),
        ("home", {"lang": "de"}, f"{SITE}?lang=de"),
        ("home", {"lang": None}, "../index.html"),
        ("incidents_json", {"page": 2}, f"{SITE}/api/v2/incidents.json?page=2"),
        ("subscribe", {"components": ["a", "b"]}, f"{SITE}/subscribe?components=a&components=b"),
        ("widget", {}, f"{SITE}/widget"),
        ("manage", {"token": "a/b?c"}, f"{SITE}/manage/a%2Fb%3Fc"),
        ("confirm", {"token": "t"}, f"{SITE}/confirm/t"),
    ],
)
def test_addresses(endpoint: str, values: dict[str, object], address: str) -> None:
    """A file is linked to as one; what is none, or is asked by a query that no file answers, on the live site."""
    assert urls_from("incidents/1.html")(endpoint, **values) == address


def test_a_page_below_the_mirror() -> None:
    """A page with a folder of its own shares the assets, and nothing else."""
    urls = urls_from("docs.html", folder="second/")
    assert urls("static", filename="icon.svg") == "../assets/icon.svg"
    assert urls("home") == "index.html"


def test_an_endpoint_that_there_is_not() -> None:
    """A wrong name is an error, as on the live site, and no wrong address."""
    with pytest.raises(LookupError):
        urls_from("index.html")("nowhere")


def test_pages_by_their_addresses_behind_nginx(site: Site, tmp_path: Path) -> None:
    """Without an ending, a month by its query: nginx answers the addresses that the site itself has."""
    place = tmp_path / "m"
    write(site, place)
    for name in (
        "history.html",
        "history/2026-11.html",
        "components/api.html",
        "second/history.html",
        "second/history/2026-10.html",
        "maintenance/7.ics",
        "widget.js",
        "live.json",
    ):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(name, encoding="utf-8")
    (tmp_path / "secret.html").write_text("secret", encoding="utf-8")
    conf = (place / "nginx.example.conf").read_text(encoding="utf-8")
    with ExitStack() as stack:
        url = started(stack, "nginx", lambda: nginx.running(conf))
        for path, name in (
            ("history", "history.html"),
            ("history?month=2026-11", "history/2026-11.html"),
            ("second/history?month=2026-10", "second/history/2026-10.html"),
            ("history/2026-11", "history/2026-11.html"),
            ("components/api", "components/api.html"),
            ("components/api?range=7d", "components/api.html"),
            ("maintenance/7.ics", "maintenance/7.ics"),
            ("widget.js", "widget.js"),
            ("live.json", "live.json"),
        ):
            answer = requests.get(f"{url}/{path}", timeout=5)
            assert (answer.status_code, answer.text) == (200, name), path
        for path, content_type, opened in (
            ("history", "text/html; charset=utf-8", None),
            ("widget.js", "text/javascript; charset=utf-8", "*"),
            ("live.json", "application/json; charset=utf-8", "*"),
            ("maintenance/7.ics", "text/calendar; charset=utf-8", "*"),
        ):
            headers = requests.get(f"{url}/{path}", timeout=5).headers
            assert headers["Content-Type"] == content_type
            assert headers.get("Access-Control-Allow-Origin") == opened
        for path in (
            "second/nothing",
            "history?month=2026-12",
            "history?month=zzz",
            "history?month=../../secret",
            "history?month=..%2f..%2fsecret",
        ):
            assert requests.get(f"{url}/{path}", timeout=5).status_code == 404, path
        page = requests.get(f"{url}/history", timeout=5).headers
        assert "no-cache" in page["Cache-Control"]
