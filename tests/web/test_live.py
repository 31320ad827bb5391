"""``live.json``: what an open page asks for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from flask_statuspage.documents import live
from tests.documents.conftest import FRAME, ago, component_state, make_app, snapshot_of

from .site import Site, SiteMaker


def test_it_says_what_the_banner_says(site: Site) -> None:
    """Sentence, tone and version are those of the page, and follow a change at once."""
    site.made("/components", name="API")
    before = site.json("/live.json")
    assert (before["sentence"], before["tone"]) == ("All systems operational", "operational")
    site.ask("PUT", "/components/api/status", {"status": "major_outage"})
    now = site.json("/live.json")
    html = site.get("/").text
    assert (now["sentence"], now["tone"]) == ("Major outage: API", "major")
    assert now["version"] > before["version"]
    assert f'data-sp-version="{now["version"]}"' in html
    assert f'd="{now["icon"]}"' in html
    told = now["checked"]
    assert told["said"] == "Last updated {time}"
    assert f'Last updated <time datetime="{told["iso"]}">{told["text"]}</time>' in html
    assert now["stale"] is None


def test_who_has_it_is_told_so(site: Site) -> None:
    """An unchanged document is answered with 304 and its headers."""
    first = site.get("/live.json")
    again = site.get("/live.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Cache-Control"].startswith("public, no-cache")
    assert first.mimetype == "application/json"


def test_language(site: Site) -> None:
    """It is in the language of the page that asks: the chosen one, else what the browser prefers."""
    chosen = site.get("/live.json?lang=de", headers={"Accept-Language": "fr"})
    assert chosen.headers["Content-Language"] == "de"
    asked = site.get("/live.json", headers={"Accept-Language": "ar"})
    assert asked.headers["Content-Language"] == "ar"
    assert "Accept-Language" in asked.headers["Vary"]
    html = site.get("/?lang=de").text
    assert re.search(r'data-sp-live="/status/live\.json\?lang=de"', html)


def test_it_is_for_our_own_pages(site: Site) -> None:
    """Scripts of other sites read the public API instead."""
    assert "Access-Control-Allow-Origin" not in site.get("/live.json").headers


def test_each_page_has_its_own(make_site: SiteMaker) -> None:
    """A page under its slug has one, too; there is none where there is no page."""
    site = make_site()
    site.made("/pages", name="Second", slug="second")
    site.made("/components", name="Else", page="second", status="degraded_performance")
    assert site.json("/second/live.json")["sentence"] == "Degraded performance: Else"
    assert site.json("/live.json")["tone"] != "degraded"
    assert 'data-sp-live="/status/second/live.json"' in site.get("/second/").text
    assert site.get("/nowhere/live.json").status_code == 404


def test_of_a_page_that_is_not_public(make_site: SiteMaker) -> None:
    """Strangers learn nothing, members read it and no cache keeps it."""
    site = make_site()
    site.made("/pages", name="Team", slug="team")
    site.ask("PATCH", "/pages/team", {"visibility": "signed-in"})
    assert site.get("/team/live.json").status_code == 403
    site.statuspage.member_loader(lambda: "ann")
    answer = site.get("/team/live.json")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_stale_and_unknown(tmp_path: Path) -> None:
    """What could not be renewed says so, and what was last seen of silent monitors is called that."""
    old = component_state(1, "API", last_check_at=ago(hours=1))
    with make_app(tmp_path).test_request_context():
        said = live.live(snapshot_of(old), replace(FRAME, stale_since=ago(minutes=9)))
    assert '"stale":"This page may be out of date."' in said
    assert '"said":"The last check was {time}"' in said
    assert '"tone":"unknown"' in said
