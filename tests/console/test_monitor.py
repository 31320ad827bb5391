"""The page of one monitor: what it tells, and its buttons, with a real server as target."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import QueuePool, text

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.storage.base import utc_now
from tests.console import watching
from tests.console.conftest import Enter
from tests.console.counting import queries
from tests.console.member import EDITOR, VIEWER, forms_of
from tests.servers.http import Answer, Receiver, Target
from tests.web.site import Site, SiteMaker

UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return watching.build(make_site)


def test_all_facts_are_told(site: Site, enter: Enter) -> None:
    """Target, rule, regions with their verdicts, parent, template, notices, options without their secrets."""
    site.made("/components", name="Shop")
    site.made("/templates", kind="incident", name="Outage", title="Down")
    site.made("/monitors", name="Gateway", target="http://127.0.0.1:9/")
    ident = site.made(
        "/monitors",
        name="Front",
        target="http://127.0.0.1:9/health",
        component="shop",
        regions=["default", "eu"],
        quorum=2,
        interval=90,
        failure_threshold=4,
        degraded_threshold=5,
        degraded_over_ms=800,
        template="Outage",
        depends_on="gateway",
        escalation_intervals=[300, 900],
        options={"auth": {"type": "basic", "username": "ann", "password": "hunter2"}},
    )["id"]
    watching.record(site, ident, UP, UP, UP, milliseconds=70)
    watching.record(site, ident, *[DOWN] * 4, region="eu", error="Answered <b>500</b>")
    html = enter(VIEWER).get("/monitors/front").text
    for words in (
        "http://127.0.0.1:9/health",
        "<bdi>Shop</bdi>",
        "Every 90 s",
        "Down after 4 failed in a row",
        "Up after 2 good in a row",
        "Degraded after 5 slow or failed in a row",
        "Slow from 800 ms on",
        "2 of 2 regions must agree",
        "Major outage",
        "<bdi>Outage</bdi>",
        "<bdi>gateway</bdi>",
        "Again after 300, 900 s",
        "Set, and not shown",
        "<bdi>ann</bdi>",
        "Answered &lt;b&gt;500&lt;/b&gt;",
    ):
        assert words in html, words
    regions = html[html.index(">Regions</h") : html.index('id="chart"')]
    looks = re.findall(r"<bdi>(\w+)</bdi></strong> <span.*?</svg> ([\w ]+)</span>", regions)
    assert looks == [("default", "Up"), ("eu", "Down")]
    assert "hunter2" not in html
    assert "********" not in html


def test_the_last_checks_are_a_table(site: Site, enter: Enter) -> None:
    """Fifty of them, the newest first, each with time, result, region, time taken, status and error."""
    ident = site.made("/monitors", name="Front", target="http://127.0.0.1:9/")["id"]
    watching.record(site, ident, *[UP] * 60, milliseconds=34)
    watching.record(site, ident, DOWN, at=utc_now() + timedelta(seconds=1))
    html = enter(VIEWER).get("/monitors/front").text
    table = html[html.index('id="checks"') :]
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", table)
    assert len(rows) == 50
    assert "Down</span>" in rows[0]
    assert "No answer in time" in rows[0]
    for words in (
        r"\d\d:\d\d:\d\d UTC</time>",
        "Up</span>",
        "<bdi>default</bdi>",
        "34 ms",
        "<td>200</td>",
    ):
        assert re.search(words, rows[1]), words


def test_chart_and_uptime_follow_the_range(site: Site, enter: Enter) -> None:
    """The same chart as readers see, with its table; the formula beside the uptime; nonsense is the usual."""
    ident = site.made(
        "/monitors", name="Front", target="http://127.0.0.1:9/", regions=["default", "eu"]
    )["id"]
    now = utc_now()
    for hours in (1, 2, 3):
        watching.record(site, ident, UP, at=now - timedelta(hours=hours), milliseconds=40)
        watching.record(site, ident, DOWN, region="eu", at=now - timedelta(hours=hours))
    watching.record(site, ident, UP, region="eu", at=now, milliseconds=77)
    ann = enter(VIEWER)
    html = ann.get("/monitors/front").text
    assert "Response times of <bdi>Front</bdi> as a table" in html
    assert "seen from <bdi>default</bdi>, last 24 hours: median 40 ms" in html
    assert "Uptime: <strong>57.14%</strong>, <bdi>default</bdi> 100%, <bdi>eu</bdi> 25.00%" in html
    assert "Uptime is the share of the checks that did not fail" in html
    link = re.search(r'<a href="([^"]+)"><bdi>7 days</bdi></a>', html)
    assert link
    week = ann.open(link[1].replace("&amp;", "&").split("#")[0]).text
    assert 'aria-current="true"><bdi>7 days</bdi>' in week
    assert "last 7 days" in week
    other = ann.get("/monitors/front?region=eu&range=1h").text
    assert 'aria-current="true"><bdi>1 hour</bdi>' in other
    for query in ("range=x&region=x", "range=%00", "ran=x&from=y", "ran=2026-01-01T00:00:00"):
        odd = ann.get(f"/monitors/front?{query}")
        assert odd.status_code == 200
        assert 'aria-current="true"><bdi>24 hours</bdi>' in odd.text


def test_run_now_asks_and_tells(site: Site, enter: Enter, target: Target) -> None:
    """The target is asked at once, the result counts, is told and is in the log."""
    url = target.set("/health", Answer(status=503))
    site.made("/monitors", name="Front", target=url, failure_threshold=1)
    ann = enter(EDITOR)
    page = ann.follow(ann.send(ann.form("/monitors/front", "Run now")))
    assert target.count("/health") == 1
    notice = re.search(r'<div class="sp-notice" role="status".*?</div>', page.text, re.DOTALL)
    assert notice
    assert "It was checked. Down, status 503, " in notice[0]
    assert ' ms: <bdi class="sp-found">Answered 503</bdi>' in notice[0]
    assert watching.monitor(site, "front")["verdict"] == "down"
    entry = site.ask("GET", "/audit").get_json()["items"][0]
    assert (entry["action"], entry["actor"]) == ("run", EDITOR)
    assert entry["after"]["error"] == "Answered 503"
    target.set("/health", Answer())
    page = ann.follow(ann.send(ann.form("/monitors/front", "Run now")))
    assert "It was checked. Up, status 200, " in page.text


@pytest.mark.parametrize("regions", [["eu"], ["eu", "default"]])
def test_run_now_says_what_it_counts_as(
    site: Site, enter: Enter, target: Target, regions: list[str]
) -> None:
    """Where there are several regions the page says for which one this server stands in."""
    url = target.set("/health", Answer())
    site.made("/monitors", name="Front", target=url, regions=regions)
    site.made("/monitors", name="Job", kind="heartbeat", regions=regions)
    ann, words = enter(EDITOR), "“Run now” asks from this server, and is counted as <bdi>"
    (said,) = re.findall(f"{words}(.*?)</bdi>", ann.get("/monitors/front").text)
    ann.send(ann.form("/monitors/front", "Run now"))
    (check,) = site.ask("GET", "/monitors/front/checks").get_json()["items"]
    assert check["region"] == said
    assert words not in enter(VIEWER).get("/monitors/front").text
    assert words not in ann.get("/monitors/job").text


def test_a_run_of_a_paused_monitor_says_that_nothing_follows(
    site: Site, enter: Enter, target: Target
) -> None:
    """What came of it is told; the verdict stays."""
    url = target.set("/health", Answer(status=503))
    site.made("/monitors", name="Front", target=url, failure_threshold=1)
    ann = enter(EDITOR)
    ann.send(ann.form("/monitors/front", "Pause"))
    page = ann.follow(ann.send(ann.form("/monitors/front", "Run now"))).text
    assert "It is paused, so that nothing follows from what came of it: Down, status 503" in page
    assert watching.monitor(site, "front")["verdict"] == "unknown"


def test_nobody_can_run_a_heartbeat(site: Site, enter: Enter) -> None:
    """It reports by itself: neither the console nor the API says that it was checked."""
    site.made("/components", name="Shop")
    site.made("/monitors", name="Backup", kind="heartbeat", interval=3600)
    ann = enter(EDITOR)
    before = site.contents()
    answer = ann.post("/monitors/backup/run", {})
    assert (answer.status_code, "It reports by itself; nobody" in answer.text) == (409, True)
    assert site.ask("POST", "/monitors/backup/run").status_code == 409
    assert site.contents() == before


def test_an_address_alone_says_nothing_of_results(site: Site, enter: Enter) -> None:
    """Whoever makes up the notice's address shows only its fixed words."""
    ident = site.made("/monitors", name="Front", target="http://127.0.0.1:9/")["id"]
    watching.record(site, ident, DOWN)
    page = (
        enter(EDITOR)
        .get("/monitors/front?done=monitor_ran&ran=2026-01-01T00:00:00%2B00:00&from=default")
        .text
    )
    assert "<span>It was checked.</span>" in page


def test_no_transaction_is_open_while_the_target_answers(
    site: Site, enter: Enter, receiver: Receiver
) -> None:
    """No connection to the database is in use meanwhile, and what somebody else writes then stays."""
    site.made("/monitors", name="Front", target=receiver.url)
    ann = enter(EDITOR)
    form = ann.form("/monitors/front", "Run now")
    with site.app.app_context():
        engine = site.db.engine
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    in_use: list[int] = []

    def answer(_: object) -> Answer:
        in_use.append(pool.checkedout())
        with engine.begin() as connection:
            connection.execute(text("UPDATE statuspage_monitor SET interval = 77"))
        return Answer()

    receiver.answer = answer
    assert "Up, status 200" in ann.follow(ann.send(form)).text
    assert in_use == [0]
    assert watching.monitor(site, "front")["interval"] == 77


def test_pause_and_resume(site: Site, enter: Enter) -> None:
    """Each once, by the button that stands there; twice is once."""
    ident = site.made("/monitors", name="Front", target="http://127.0.0.1:9/")["id"]
    watching.record(site, ident, UP)
    ann = enter(EDITOR)
    form = ann.form("/monitors/front", "Pause")
    for _ in range(2):
        page = ann.follow(ann.send(form))
        assert "The monitor is paused." in page.text
    assert '<span class="sp-chip">Paused</span>' in page.text
    assert watching.monitor(site, "front")["paused"] is True
    assert [form.words.strip() for form in ann.forms("/monitors/front")] == ["Run now", "Resume"]
    page = ann.follow(ann.send(ann.form("/monitors/front", "Resume")))
    assert "The monitor is resumed." in page.text
    assert watching.monitor(site, "front")["paused"] is False


def test_a_heartbeat_gets_its_address_once(site: Site, enter: Enter) -> None:
    """It is shown by the answer alone, to be copied; reports count there, and at the one before no more."""
    old = site.made("/monitors", name="Backup", kind="heartbeat", interval=3600)["heartbeat_url"]
    ann = enter(EDITOR)
    html = ann.get("/monitors/backup").text
    assert old.rpartition("/")[2] not in html
    assert "Run now" not in html
    shown = ann.send(ann.form("/monitors/backup", "Make a new address"))
    assert shown.status_code == 200
    assert shown.headers["Cache-Control"] == "no-store"
    new = watching.monitor(site, "backup")["heartbeat_url"]
    assert new != old
    assert f'value="{new}"' in shown.text
    assert new.rpartition("/")[2] not in ann.get("/monitors/backup").text
    path = "/heartbeat/"
    assert site.get(path + new.rpartition("/")[2]).status_code == 200
    assert site.get(path + old.rpartition("/")[2]).status_code == 404
    assert watching.monitor(site, "backup")["verdict"] == "up"
    assert "Make a new address" not in enter(VIEWER).get("/monitors/backup").text


@pytest.mark.parametrize("mark", ["as it was", "none"])
def test_an_address_is_made_once_by_a_button_that_is_sent_twice(
    site: Site, enter: Enter, mark: str
) -> None:
    """Loaded anew, as a phone does that restores the tab, it leaves the address that was copied as it is."""
    site.made("/monitors", name="Backup", kind="heartbeat", interval=3600)
    ann = enter(EDITOR)
    form = ann.form("/monitors/backup", "Make a new address")
    assert ann.send(form).status_code == 200
    new = watching.monitor(site, "backup")["heartbeat_url"]
    before = site.contents()
    again = ann.send(form) if mark == "as it was" else ann.send(form, seen=None)
    assert again.status_code == 409
    assert "perhaps by this very button" in again.text
    assert site.contents() == before
    assert new.rpartition("/")[2] not in again.text
    meant = next(one for one in forms_of(again.text) if "Make a new address" in one.words)
    assert ann.send(meant).status_code == 200
    assert watching.monitor(site, "backup")["heartbeat_url"] != new


def test_only_heartbeats_have_an_address(site: Site, enter: Enter) -> None:
    """The words of the API stand above the page."""
    site.made("/components", name="Shop")
    site.made("/monitors", name="Front", target="http://127.0.0.1:9/")
    answer = enter(EDITOR).post("/monitors/front/rotate-token", {})
    assert answer.status_code == 409
    said = site.ask("POST", "/monitors/front/rotate-token").get_json()["detail"]
    assert said.replace("'", "&#39;") in answer.text
    assert "Pause" in answer.text


def test_the_page_costs_the_same_however_much_there_is(site: Site, enter: Enter) -> None:
    """Checks, regions and history do not make it ask more often."""
    ident = site.made(
        "/monitors", name="Front", target="http://127.0.0.1:9/", regions=["default", "eu"]
    )["id"]
    ann = enter(EDITOR)
    watching.record(site, ident, UP)
    few = queries(ann, "/monitors/front")
    watching.record(site, ident, *[UP, DOWN, UNKNOWN] * 10)
    watching.record(site, ident, *[UP] * 10, region="eu")
    assert queries(ann, "/monitors/front") == few


@pytest.mark.parametrize("path", ["", "/edit", "/delete"])
def test_a_monitor_of_another_page_is_not_found(site: Site, enter: Enter, path: str) -> None:
    """Under another status page there is no such monitor, to look at or to change."""
    site.made("/components", name="Shop")
    ident = site.made("/monitors", name="Front", target="http://127.0.0.1:9/")["id"]
    site.made("/pages", name="Other", slug="other")
    ann = enter(EDITOR)
    before = site.contents()
    ann.token()
    assert ann.get(f"/monitors/{ident}{path}?status_page=other").status_code == 404
    for way in (path or "/run", "/pause", "/rotate-token"):
        sent = ann.post(f"/monitors/{ident}{way}", {"status_page": "other", "name": "Front"})
        assert sent.status_code == 404
    assert site.contents() == before
