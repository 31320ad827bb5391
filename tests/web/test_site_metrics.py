"""``/metrics`` tells how components, monitors, checks, queues and pages are."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, select, update

from flask_statuspage.documents.site_metrics import STATUS_CODE
from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.jobs.queue import queue_of
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Component
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.session import current_session
from tests import tables
from tests.servers.http import Answer, Receiver, Target
from tests.servers.redis import RedisServer
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"
UNITS = ("_seconds", "_ratio", "_info")
COUNTS = ("_jobs", "_due", "_pending", "_held", "_last_hour")
STATES = ("_status", "_up", "_paused")
HOSTILE = 'A "b" \\ {c="d"} # HELP \\n ü ‮ \U0001f525,='


def families(site: Site) -> dict[str, Any]:
    answer = site.get("/metrics", headers={"Authorization": f"Bearer {site.key('viewer')}"})
    assert answer.status_code == 200, answer.text
    found = list(text_string_to_metric_families(answer.text))
    assert len({family.name for family in found}) == len(found)
    return {family.name: family for family in found}


def values(site: Site, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """The samples of one family by the values of *labels*, of which it has no others."""
    found = {}
    for one in families(site)[name].samples:
        assert set(one.labels) == set(labels)
        found[tuple(one.labels[label] for label in labels)] = one.value
    return found


def change(site: Site, model: type[Any], **columns: Any) -> None:
    """Give every row of *model* these values, behind the back of all that would follow from them."""
    with site.app.app_context():
        current_session().execute(update(model).values(**columns))
        current_session().commit()


def test_names_say_what_they_measure(site: Site) -> None:
    """Each is ours, a gauge with a sentence, and ends in its unit or in what is counted; none says it is a counter."""
    site.made("/monitors", name="Probe", target="https://1.1.1.1/")
    for name, family in families(site).items():
        assert re.fullmatch(r"statuspage_[a-z_]+", name)
        assert name.endswith(UNITS + COUNTS + STATES), name
        assert family.type == "gauge", name
        assert re.fullmatch(r".{20,}\.", family.documentation), name


def test_every_metric_is_documented(make_site: SiteMaker, redis_server: RedisServer) -> None:
    """The table names every metric with the labels that it has, and no other."""
    redis_server.start()
    site = make_site(STATUSPAGE_REDIS_URL=redis_server.url)
    site.get("/")
    site.made("/components", name="API")
    site.made("/monitors", name="Probe", target="https://1.1.1.1/")
    change(site, MonitorRegion, last_at=utc_now(), last_outcome=Verdict.UP, last_ms=5)
    change(site, Monitor, verdict=Verdict.UP)
    told = {
        name: {label for sample in family.samples for label in sample.labels}
        for name, family in families(site).items()
    }
    rows = re.findall(r"^\| `(statuspage_\w+)` \|(.*?)\|", DOCS.read_text("utf-8"), re.MULTILINE)
    written = {
        name: set(re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", labels))) for name, labels in rows
    }
    assert len(written) == len(rows)
    without_samples = {"statuspage_delivery_lag_seconds"}
    assert set(written) == set(told)
    assert {name: written[name] for name in told if name not in without_samples} == {
        name: labels for name, labels in told.items() if name not in without_samples
    }
    close(site)


def test_the_status_of_components(site: Site) -> None:
    """One number for each, the worse the greater, and beside it what it is called, also on a page that is hidden."""
    site.made("/component-groups", name="Core")
    site.made("/components", name="API", group="Core", slug="the-api")
    site.made("/pages", name="Inside", visibility="link")
    site.made("/components", name="Payroll", page="inside")
    site.made("/components", name="Gone")
    site.ask("PUT", "/components/gone/status", {"status": "major_outage"})
    site.ask("PATCH", "/components/gone", {"archived": True})
    for status in ComponentStatus:
        site.ask("PUT", "/components/the-api/status", {"status": status.value})
        assert values(site, "statuspage_component_status", "page", "component") == {
            ("inside", "payroll"): 0,
            ("main", "the-api"): STATUS_CODE[status],
        }
    assert sorted(STATUS_CODE.values()) == [-1, 0, 1, 2, 3, 4]
    assert STATUS_CODE[ComponentStatus.OPERATIONAL] == 0
    assert STATUS_CODE[ComponentStatus.MAJOR_OUTAGE] == 4
    link = [row["link"] for row in site.ask("GET", "/pages").get_json()["items"] if row.get("link")]
    assert len(link) == 1
    text = site.get("/metrics", headers={"Authorization": f"Bearer {site.key('viewer')}"}).text
    assert link[0].rpartition("/")[2] not in text
    assert set(values(site, "statuspage_component_info", "page", "component", "name", "group")) == {
        ("main", "the-api", "API", "Core"),
        ("inside", "payroll", "Payroll", ""),
    }


def test_it_is_never_well_by_old_checks(site: Site) -> None:
    """Where checks have stopped it is unknown, as on the page."""
    site.made("/components", name="API")
    site.made("/monitors", name="Probe", target="https://1.1.1.1/", component="api", interval=60)
    change(site, Component, status=ComponentStatus.OPERATIONAL)
    change(site, MonitorRegion, last_at=utc_now())
    assert values(site, "statuspage_component_status", "page", "component")["main", "api"] == 0
    change(site, MonitorRegion, last_at=utc_now() - timedelta(hours=1))
    (shown,) = site.json("/api/v2/components.json")["components"]
    assert shown["status"] == "unknown"
    assert values(site, "statuspage_component_status", "page", "component")["main", "api"] == -1


def test_monitors(site: Site, target: Target) -> None:
    """Whether a target works, how long it took and when, region by region, as the checks themselves found out."""
    site.made("/components", name="API")
    url = target.set("/", Answer(delay=0.05))
    site.made("/monitors", name="Probe", target=url, component="api", regions=["default", "eu"])
    assert values(site, "statuspage_monitor_up", "page", "monitor") == {}
    assert values(site, "statuspage_monitor_paused", "page", "monitor") == {("main", "probe"): 0}
    before = time.time()
    ran = site.ask("POST", "/monitors/probe/run").get_json()
    assert values(site, "statuspage_monitor_up", "page", "monitor") == {("main", "probe"): 1}
    response = values(site, "statuspage_monitor_response_seconds", "page", "monitor", "region")
    ((where, seconds),) = response.items()
    assert where == ("main", "probe", "default")
    assert seconds == ran["milliseconds"] / 1000 >= 0.05
    (checked,) = values(
        site, "statuspage_monitor_last_check_timestamp_seconds", "page", "monitor", "region"
    ).values()
    assert before - 1 < checked < time.time() + 1
    for verdict, up in ((Verdict.DEGRADED, 1), (Verdict.DOWN, 0)):
        change(site, Monitor, verdict=verdict)
        assert values(site, "statuspage_monitor_up", "page", "monitor") == {("main", "probe"): up}
    (info,) = values(
        site, "statuspage_monitor_info", "page", "monitor", "name", "kind", "component"
    )
    assert info == ("main", "probe", "Probe", "http", "api")
    assert site.ask("POST", "/monitors/probe/pause").status_code == 200
    assert values(site, "statuspage_monitor_up", "page", "monitor") == {}
    assert values(site, "statuspage_monitor_paused", "page", "monitor") == {("main", "probe"): 1}


def test_a_failed_check_has_no_response_time(site: Site, target: Target) -> None:
    """An error that is answered at once is no fast response: the check is told of, how long it took is not."""
    url = target.set("/", Answer(status=503))
    site.made("/monitors", name="Probe", target=url)
    ran = site.ask("POST", "/monitors/probe/run").get_json()
    assert (ran["outcome"], type(ran["milliseconds"])) == ("down", int)
    labels = ("page", "monitor", "region")
    assert values(site, "statuspage_monitor_response_seconds", *labels) == {}
    assert list(values(site, "statuspage_monitor_last_check_timestamp_seconds", *labels)) == [
        ("main", "probe", "default")
    ]


def test_how_late_checks_are(site: Site) -> None:
    """In each region: how many are due, and by how much the oldest is late; a region without any is told of, too."""
    for name in ("One", "Two"):
        site.made("/monitors", name=name, target="https://1.1.1.1/", regions=["eu"])
    change(site, MonitorRegion, due_at=utc_now() + timedelta(minutes=1))
    assert values(site, "statuspage_checks_due", "region") == {
        ("default",): 0,
        ("eu",): 0,
        ("us",): 0,
    }
    change(site, MonitorRegion, due_at=utc_now() - timedelta(seconds=90))
    lag = values(site, "statuspage_checks_lag_seconds", "region")
    assert 90 <= lag.pop(("eu",)) < 120
    assert lag == {("default",): 0, ("us",): 0}
    assert values(site, "statuspage_checks_due", "region")["eu",] == 2


def test_hostile_names(site: Site) -> None:
    """Whatever a name holds, it comes out of the parser as it went in, and ends no line."""
    site.made("/component-groups", name="G \\")
    site.made("/components", name="API", group="G \\")
    site.made("/monitors", name="M", target="https://1.1.1.1/", component="api")
    # Our own doors refuse line breaks in names; whoever writes to the tables need not.
    named = f"{HOSTILE}\nstatuspage_redis_up 1"
    change(site, Component, name=named)
    change(site, Monitor, name=named)
    for family in ("statuspage_component_info", "statuspage_monitor_info"):
        (sample,) = families(site)[family].samples
        assert sample.labels["name"] == named
    assert families(site)["statuspage_component_info"].samples[0].labels["group"] == "G \\"
    assert "statuspage_redis_up" not in families(site)


def test_how_many_there_are_costs_no_statement(site: Site) -> None:
    """One component or two hundred, each with a monitor: the same few statements; the lines grow with them alone."""

    def cost() -> tuple[int, int]:
        with Queries(site) as queries:
            found = families(site)
        return len(queries.sent), sum(len(family.samples) for family in found.values())

    site.made("/components", name="C")
    site.made("/monitors", name="M", target="https://1.1.1.1/", component="c")
    families(site)  # the key is new, and its use is noted once
    statements, lines = cost()
    multiply(site, 199)
    more, many = cost()
    assert more == statements <= 12
    assert (
        many - lines == 199 * 4
    )  # two of each component, two of each monitor that was never asked


def test_snapshots(site: Site) -> None:
    """How old is what this process shows of each page; of one that nobody has asked for it shows nothing."""
    site.made("/pages", name="Second")
    assert values(site, "statuspage_page_snapshot_age_seconds", "page") == {}
    site.get("/")
    (age,) = values(site, "statuspage_page_snapshot_age_seconds", "page").values()
    assert 0 <= age < 10
    time.sleep(0.3)
    (later,) = values(site, "statuspage_page_snapshot_age_seconds", "page").values()
    assert later >= age + 0.3
    site.get("/second/")
    assert set(values(site, "statuspage_page_snapshot_age_seconds", "page")) == {
        ("main",),
        ("second",),
    }


def test_the_version(site: Site) -> None:
    """It says which version runs."""
    assert values(site, "statuspage_build_info", "version") == {(version("Flask-StatusPage"),): 1}


def test_without_redis_there_are_no_queues(site: Site) -> None:
    """A site that works without Redis is not told that it is away."""
    assert not {"statuspage_redis_up", "statuspage_queue_jobs"} & set(families(site))


def test_queues(make_site: SiteMaker, redis_server: RedisServer) -> None:
    """What waits in each queue is told; a Redis that is away is a value, soon told, and not an error."""
    redis_server.start()
    redis_server.flushall()
    site = make_site(STATUSPAGE_REDIS_URL=redis_server.url, STATUSPAGE_REGIONS="default,eu")
    trigger = site.app.extensions["statuspage"].wake
    for task in ("deliver", "deliver", "probe:eu"):
        trigger(task)
    assert values(site, "statuspage_redis_up") == {(): 1}
    assert values(site, "statuspage_queue_jobs", "queue") == {
        ("statuspage",): 0,
        ("statuspage-deliver",): 2,
        ("statuspage-deliver-slow",): 0,
        ("statuspage-mirror",): 0,
        (queue_of("probe:default"),): 0,
        (queue_of("probe:eu"),): 1,
    }
    redis_server.kill()
    started = time.monotonic()
    found = families(site)
    assert time.monotonic() - started < 15
    assert found["statuspage_redis_up"].samples[0].value == 0
    assert "statuspage_queue_jobs" not in found
    assert "statuspage_checks_due" in found
    redis_server.start()
    close(site)


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_on_other_databases(make_site: SiteMaker, database_url: str, receiver: Receiver) -> None:
    """The statements are understood by every database, with and without something to measure."""
    site = make_site(
        url=database_url,
        STATUSPAGE_ALLOW_PRIVATE_TARGETS=True,
        STATUSPAGE_ALLOW_HTTP_TARGETS=True,
    )
    tables.fill(database_url)
    assert values(site, "statuspage_component_status", "page", "component") == {}
    site.made("/components", name="API")
    site.made("/monitors", name="Probe", target=f"{receiver.url}/", component="api")
    site.made("/subscriptions", channel="webhook", address=f"{receiver.url}/hook")
    site.made("/incidents", title="Fire", components={"api": "partial_outage"})
    change(site, MonitorRegion, due_at=utc_now() - timedelta(seconds=50))
    assert values(site, "statuspage_component_status", "page", "component") == {("main", "api"): 3}
    assert values(site, "statuspage_checks_lag_seconds", "region")["default",] >= 50
    done = site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert done.exit_code == 0, done.output
    attempts = values(site, "statuspage_delivery_attempts_last_hour", "channel", "outcome")
    told = len([one for one in receiver.requests if one.path == "/hook"])
    assert attempts["webhook", "ok"] == told > 0
    finished = values(site, "statuspage_deliveries_finished_last_hour", "channel", "outcome")
    assert finished["webhook", "done"] == told
    assert finished["webhook", "dead"] == finished["email", "done"] == 0


def multiply(site: Site, times: int) -> None:
    """Add *times* components like the one that there is, each with a monitor like its one, in three statements."""
    with site.app.app_context():
        session = current_session()
        ids = [(new_id(), new_id()) for _ in range(times)]
        rows = {
            Component: [{"id": one, "slug": f"c-{one}"} for one, _ in ids],
            Monitor: [{"id": two, "component_id": one, "slug": f"m-{two}"} for one, two in ids],
            MonitorRegion: [{"monitor_id": two} for _, two in ids],
        }
        for model, changes in rows.items():
            (first,) = session.execute(select(model.__table__)).mappings()
            kept = {name: value for name, value in first.items() if name != "id"}
            session.execute(insert(model.__table__), [{**kept, **change} for change in changes])
        session.commit()


def close(site: Site) -> None:
    site.app.extensions["statuspage"].wake._redis.close()
