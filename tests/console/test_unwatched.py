"""What the console says where nobody does the work: no status is green by old checks, and what is to be started."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.jobs.schedule import Heartbeat
from flask_statuspage.storage.base import utc_now
from tests.console import member, watching
from tests.console.conftest import Enter
from tests.console.counting import queries
from tests.console.member import EDITOR, VIEWER, Member
from tests.web.site import Site, SiteMaker

NOBODY = "No worker was heard of lately"


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return watching.build(make_site)


def watched(site: Site, name: str, *, ago: timedelta) -> None:
    """A service with a monitor that answered last so long *ago*."""
    slug = name.lower()
    site.made("/components", name=name)
    target = {"target": "http://127.0.0.1:9/", "interval": 60}
    ident = site.made("/monitors", name=f"{name} answers", component=slug, **target)["id"]
    watching.record(site, ident, Verdict.UP, at=utc_now() - ago)


def shown_of(html: str, name: str) -> str:
    """The row of a service, as text."""
    (row,) = re.findall(
        rf'<div class="sp-row-line"[^>]*>\s*<div[^>]*><strong><bdi>{name}</bdi>.*?</div>',
        html,
        re.S,
    )
    return unescape(re.sub(r"<[^>]+>", " ", row))


@pytest.mark.parametrize("path", ["/", "/services"], ids=["dashboard", "services"])
def test_no_service_is_green_by_old_checks(site: Site, enter: Enter, path: str) -> None:
    """Nobody asks its monitor any more: members see what readers see."""
    watched(site, "Shop", ago=timedelta(hours=1))
    watched(site, "Desk", ago=timedelta(0))
    found = site.get("/api/v2/components.json").get_json()["components"]
    assert {one["name"]: one["status"] for one in found} == {
        "Shop": "unknown",
        "Desk": "up",
    }
    html = enter(VIEWER).get(path).text
    assert "Operational" not in shown_of(html, "Shop")
    assert "Not known" in shown_of(html, "Shop")
    assert "Operational" in shown_of(html, "Desk")


def test_a_status_is_said_of_a_service_that_is_not_watched_any_more(
    site: Site, enter: Enter
) -> None:
    """That it is shown otherwise than it is kept is nobody's change meanwhile."""
    watched(site, "Shop", ago=timedelta(hours=1))
    ann = enter(EDITOR)
    form = ann.form("/", "Save status changes")
    assert "Not known" in shown_of(ann.get("/").text, "Shop")
    assert ann.send(form, **{"status.shop": "partial_outage"}).status_code == 303
    assert site.ask("GET", "/components/shop").get_json()["status"] == "partial_outage"


def test_the_dashboard_says_what_is_to_be_started(site: Site, enter: Enter) -> None:
    """Until a scheduler is heard of, which works as well where there is no Redis."""
    ann = enter(VIEWER)
    page = ann.get("/").text
    assert NOBODY in page
    assert "<code>flask statuspage run</code>" in page
    assert 'href="/status/admin/monitors"' in page
    with site.app.app_context():
        Heartbeat("scheduler").beat()
    assert NOBODY not in ann.get("/").text


def test_a_sweep_is_work_too(site: Site, enter: Enter) -> None:
    """A cron job's last run within the hour is enough, also right after it."""
    swept = site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert swept.exit_code == 0, swept.output
    assert NOBODY not in enter(VIEWER).get("/").text
    told = site.app.test_cli_runner().invoke(args=["statuspage", "doctor"]).output
    assert "ok   workers: swept within the last hour" in told


@pytest.mark.parametrize(
    ("alive", "commands"),
    [
        ([], ["flask statuspage scheduler", "flask statuspage worker"]),
        (["scheduler"], ["flask statuspage worker"]),
        (["worker statuspage"], ["flask statuspage scheduler"]),
    ],
    ids=["nobody", "scheduler", "worker"],
)
def test_with_redis_scheduler_and_worker_are_named(
    make_site: SiteMaker, alive: list[str], commands: list[str]
) -> None:
    """Only those of them that nobody runs; the doctor says the same of a scheduler that is missing."""
    site = member.build(make_site, STATUSPAGE_REDIS_URL="redis://127.0.0.1:9/0")
    with site.app.app_context():
        for kind in alive:
            Heartbeat(kind).beat()
    page = Member(site, VIEWER).get("/").text
    (notice,) = re.findall(rf"{NOBODY}.*?</p>", page, re.S)
    assert re.findall("<code>(.*?)</code>", notice) == [*commands, "flask statuspage doctor"]
    told = site.app.test_cli_runner().invoke(args=["statuspage", "doctor"]).output
    (line,) = [line for line in told.splitlines() if " workers: " in line]
    assert "flask statuspage run" not in line
    if "scheduler" not in alive:
        assert line.endswith("start " + " and ".join(f"'{command}'" for command in commands))


def test_the_lists_cost_the_same_however_many_are_watched(site: Site, enter: Enter) -> None:
    """What was heard last is read for all services at once."""
    watched(site, "Shop", ago=timedelta(hours=1))
    ann = enter(VIEWER)
    ann.get("/")
    few = [queries(ann, path) for path in ("/", "/services")]
    for name in ("Desk", "Mail", "Search"):
        watched(site, name, ago=timedelta(hours=1))
    assert [queries(ann, path) for path in ("/", "/services")] == few
