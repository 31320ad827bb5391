"""The list of monitors: what it tells of each, how it is narrowed, and what it costs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.storage.base import utc_now
from tests.console import watching
from tests.console.conftest import Enter
from tests.console.counting import queries
from tests.console.member import EDITOR, VIEWER
from tests.web.site import Site, SiteMaker

UP, DOWN = Verdict.UP, Verdict.DOWN
HOSTILE = "<script>alert(1)</script>\"'&"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;"


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return watching.build(make_site)


def made(site: Site, name: str, **more: Any) -> str:
    more.setdefault("target", "http://127.0.0.1:9/")
    ident: str = site.made("/monitors", name=name, failure_threshold=1, **more)["id"]
    return ident


def listed(html: str) -> list[str]:
    """The names in the list, in its order."""
    return re.findall(r'<div class="sp-row-name"><a href="[^"]+"><bdi>(.*?)</bdi></a>', html)


def test_a_monitor_is_told_of(site: Site, enter: Enter) -> None:
    """Verdict in words, kind, service, since when, the last check, and the last day as a drawing with its words."""
    site.made("/components", name="Shop")
    ident = made(site, "Front", component="shop")
    watching.record(site, ident, UP, UP, milliseconds=250)
    html = enter(VIEWER).get("/monitors").text
    assert listed(html) == ["Front"]
    row = html[html.index('<li class="sp-row-line">') :]
    assert re.search(r'data-tone="operational">.*?</svg> Up</span>', row)
    for words in ("Web address", "<bdi>Shop</bdi>", "since <time", "Last check <time", "250 ms"):
        assert words in row
    assert 'aria-label="Last 24 hours: uptime 100%, median 250 ms"' in row
    assert re.search(r'class="sp-spark-good" d="M\d+ 24v-24', row)
    assert 'class="sp-spark-bad" d=""' in row
    assert "style=" not in row


def test_a_failure_is_told_of(site: Site, enter: Enter) -> None:
    """The error stands in the list; the hour of the failure is marked, and said in words."""
    ident = made(site, "Front")
    watching.record(site, ident, UP, DOWN, error=HOSTILE)
    html = enter(VIEWER).get("/monitors").text
    assert re.search(r'data-tone="major">.*?</svg> Down</span>', html)
    assert f': <bdi class="sp-found">{ESCAPED}</bdi>' in html
    assert re.search(r'class="sp-spark-bad" d="M\d+ 24v-24', html)
    assert "uptime 50.00%, median 12 ms, failures in 1 of 24 hours" in html


def test_of_several_regions_the_slowest_counts(site: Site, enter: Enter) -> None:
    """One that fails in any region fails; the words say whose median it is."""
    ident = made(site, "Front", regions=["default", "eu"])
    watching.record(site, ident, UP, milliseconds=10)
    watching.record(site, ident, UP, region="eu", milliseconds=900)
    html = enter(VIEWER).get("/monitors").text
    assert "uptime 100%, median 900 ms from the slowest region" in html


def test_names_are_only_text(site: Site, enter: Enter) -> None:
    """What anybody typed is escaped in the list, in the page's title and on the page of the monitor."""
    site.made("/components", name=HOSTILE, slug="shop")
    ident = made(site, HOSTILE, component="shop", slug="m")
    watching.record(site, ident, DOWN, error=HOSTILE)
    ann = enter(EDITOR)
    paths = ("/monitors", *(f"/monitors/m{path}" for path in ("", "/edit", "/delete")))
    for path in paths:
        html = ann.get(path).text
        assert ESCAPED in html
        assert "<script>alert" not in html


def test_silence_is_marked(site: Site, enter: Enter) -> None:
    """Paused, under maintenance, behind something that fails, not heard of."""
    site.made("/components", name="Shop")
    gateway = made(site, "Gateway", regions=["default"])
    behind = made(site, "Behind", depends_on="gateway")
    made(site, "Resting")
    made(site, "Worked on", component="shop")
    old = made(site, "Quiet", interval=1, timeout=0.1)
    site.made("/monitors/resting/pause")
    window = site.made(
        "/maintenances",
        title="Disks",
        components=["shop"],
        scheduled_start=(utc_now() - timedelta(minutes=1)).isoformat(),
        scheduled_end=(utc_now() + timedelta(days=1)).isoformat(),
    )
    site.made(f"/maintenances/{window['id']}/start")
    watching.record(site, gateway, DOWN)
    watching.record(site, behind, UP)
    watching.record(site, old, UP, at=utc_now() - timedelta(minutes=5))
    html = enter(VIEWER).get("/monitors").text
    chips = dict(
        re.findall(
            r"<bdi>([\w ]+)</bdi></a> <span.*?</span> <span class=\"sp-chip\">(.*?)</span>", html
        )
    )
    assert chips == {
        "Behind": "Silent: what it depends on fails",
        "Quiet": "Not heard of lately",
        "Resting": "Paused",
        "Worked on": "Silent: under maintenance",
    }


def test_the_list_is_narrowed(site: Site, enter: Enter) -> None:
    """By verdict or pause, kind, service and words; what makes no sense narrows nothing."""
    site.made("/components", name="Shop")
    watching.record(site, made(site, "Alpha", component="shop"), DOWN)
    made(site, "Beta", kind="tcp", target="127.0.0.1:9")
    made(site, "Gamma")
    site.made("/monitors/gamma/pause")
    ann = enter(VIEWER)

    def found(query: str) -> list[str]:
        answer = ann.get(f"/monitors?{query}")
        assert answer.status_code == 200
        return listed(answer.text)

    assert found("") == ["Alpha", "Beta", "Gamma"]
    assert found("state=down") == ["Alpha"]
    assert found("state=unknown") == ["Beta"]
    assert found("state=paused") == ["Gamma"]
    assert found("kind=tcp") == ["Beta"]
    assert found("component=shop") == ["Alpha"]
    assert found("q=ALPH") == ["Alpha"]
    assert found("q=127.0.0.1:9&kind=http") == ["Alpha", "Gamma"]
    assert found("state=up") == []
    assert found("state=%00&kind=nothing&q=%00&page=x") == ["Alpha", "Beta", "Gamma"]
    assert "No such monitor is found." in ann.get("/monitors?state=up").text
    assert ann.get("/monitors?component=nothing").status_code == 404


def test_a_long_list_has_pages_and_costs_no_more(site: Site, enter: Enter) -> None:
    """As many statements for many monitors with regions, parents and services as for two."""
    site.made("/components", name="Shop")
    made(site, "A gateway")
    ann = enter(EDITOR)

    def add(number: int) -> None:
        more = {"regions": ["default", "eu"], "component": "shop", "depends_on": "a-gateway"}
        watching.record(site, made(site, f"M{number:02}", **more), DOWN)

    add(0)
    few = queries(ann, "/monitors")
    for number in range(1, 26):
        add(number)
    assert queries(ann, "/monitors") == few
    first, second = ann.get("/monitors").text, ann.get("/monitors?page=2").text
    assert len(listed(first)) == 25
    assert listed(second) == ["M24", "M25"]
    assert "Next →" in first
    assert "state=down" in ann.get("/monitors?state=down").text.split("sp-pager")[1]


def test_only_those_who_may_change_something_find_ways_to(site: Site, enter: Enter) -> None:
    """A viewer sees list and page, and no button of them."""
    made(site, "Front")
    for who, may in ((EDITOR, True), (VIEWER, False)):
        somebody = enter(who)
        for path in ("/monitors", "/monitors/front"):
            assert ("/monitors/new" in somebody.get(path).text) == (may and path == "/monitors")
            words = [form.words for form in somebody.forms(path)]
            assert any("Pause" in one for one in words) == (may and path != "/monitors")


def test_the_menu_leads_there(site: Site, enter: Enter) -> None:
    """Right after the services."""
    menu = re.findall(r'<li><a href="[^"]+"[^>]*>(\w[\w ]*)</a></li>', enter(VIEWER).get("/").text)
    assert menu[menu.index("Services") + 1] == "Monitors"
    assert "There are no monitors yet." in enter(VIEWER).get("/monitors").text
