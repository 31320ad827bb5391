"""``/metrics`` tells what is measured to whoever has a key."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Attempt, Delivery
from flask_statuspage.storage.session import current_session
from tests.servers.http import Receiver
from tests.servers.smtp import SmtpServer
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker

Samples = dict[tuple[str, ...], float]


def scrape(site: Site, path: str = "/metrics", role: str = "viewer") -> TestResponse:
    return site.get(path, headers={"Authorization": f"Bearer {site.key(role)}"})


def samples(answer: TestResponse) -> Samples:
    """The values by name and labels, with each family described."""
    assert answer.status_code == 200, answer.text
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            found[sample.name, *sample.labels.values()] = sample.value
    return found


def sweep(site: Site) -> None:
    done = site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert done.exit_code == 0, done.output


def test_the_values_are_those_of_what_was_sent(
    make_site: SiteMaker, receiver: Receiver, smtp: SmtpServer
) -> None:
    """After a real run the lag, what is late, pending and held are what the log and the outbox say."""
    site = make_site(
        STATUSPAGE_ALLOW_PRIVATE_TARGETS=True,
        STATUSPAGE_ALLOW_HTTP_TARGETS=True,
        STATUSPAGE_SMTP_URL=f"smtp://127.0.0.1:{smtp.port}",
        STATUSPAGE_EMAIL_FROM="status@example.com",
        STATUSPAGE_NOTICES_PER_HOUR=1,
    )
    site.made("/subscriptions", channel="email", address="ann@example.com")
    site.made("/subscriptions", channel="webhook", address=f"{receiver.url}/hook")
    for title in ("One", "Two", "Three"):
        site.made("/incidents", title=title)
    with site.app.app_context():
        session = current_session()
        hooks = select(Delivery.id).where(Delivery.endpoint != "email").limit(1)
        late = update(Delivery).where(Delivery.id == session.scalar(hooks))
        session.execute(late.values(due_at=utc_now() - timedelta(seconds=200)))
        session.commit()
    sweep(site)
    site.made("/incidents", title="Four")
    found = samples(scrape(site))
    with site.app.app_context():
        waited = {"email": [], "webhook": []}
        for channel, milliseconds in current_session().execute(
            select(Attempt.channel, Attempt.waited)
        ):
            waited[channel].append(milliseconds / 1000)
    assert len(waited["email"]) == 1
    assert len(waited["webhook"]) == 3
    for channel, values in waited.items():
        name = "statuspage_delivery_lag_seconds"
        assert found[name, channel, "mean"] == pytest.approx(sum(values) / len(values), abs=0.001)
        assert found[name, channel, "max"] == pytest.approx(max(values))
        assert found["statuspage_deliveries_last_hour", channel] == len(values)
    assert found["statuspage_delivery_late_ratio", "webhook"] == pytest.approx(1 / 3)
    assert found["statuspage_delivery_late_ratio", "email"] == 0
    assert found["statuspage_delivery_target_seconds", "email"] == 300
    assert found["statuspage_delivery_target_seconds", "webhook"] == 120
    attempts, finished = (
        f"statuspage_{what}_last_hour" for what in ("delivery_attempts", "deliveries_finished")
    )
    assert (found[attempts, "webhook", "ok"], found[attempts, "email", "ok"]) == (3, 1)
    assert (found[finished, "webhook", "done"], found[finished, "webhook", "dead"]) == (3, 0)
    assert found[finished, "email", "done"] == 1
    assert 0 < found["statuspage_delivery_oldest_pending_seconds", "email"] < 60
    assert found["statuspage_deliveries_pending", "email"] == 3
    assert found["statuspage_deliveries_held", "email"] == 2
    assert found["statuspage_deliveries_pending", "webhook"] == 1
    assert 0 < found["statuspage_delivery_oldest_waiting_seconds", "webhook"] < 60
    assert found["statuspage_events_oldest_waiting_seconds",] == 0


def test_it_needs_a_key(site: Site) -> None:
    """Any role will do, in either header; without a key it is a problem document that tells how to send one."""
    for answer in (
        site.get("/metrics"),
        site.get("/metrics", headers={"Authorization": "Bearer x"}),
    ):
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "statuspage_" not in answer.text
    for role in ("viewer", "owner"):
        assert scrape(site, role=role).status_code == 200
        key = {"Authorization-Token": site.key(role)}
        assert site.get("/metrics", headers=key).status_code == 200


@pytest.mark.parametrize("method", ["POST", "DELETE", "FOO"])
def test_it_is_only_read(site: Site, method: str) -> None:
    """Another method is 405 as a problem document, also POST, which pages beside it have at their addresses."""
    for headers in ({}, {"Authorization": f"Bearer {site.key('viewer')}"}):
        answer = site.client.open(f"{site.prefix}/metrics", method=method, headers=headers)
        assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_it_is_never_kept(site: Site) -> None:
    """Each scrape is measured anew, in few statements that change nothing but when the key was last used."""
    answer = scrape(site)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "ETag" not in answer.headers
    before = site.contents()
    with Queries(site) as queries:
        samples(scrape(site))
    assert site.contents() == before
    assert len(queries.sent) <= 12
    head = site.client.head(
        f"{site.prefix}/metrics", headers={"Authorization": f"Bearer {site.key('viewer')}"}
    )
    assert (head.status_code, head.data) == (200, b"")


def test_it_is_one_for_all_pages(site: Site, receiver: Receiver) -> None:
    """What is pending counts whatever page it is of; there is no such path below a page."""
    site.made("/pages", name="Second")
    for page in ("main", "second"):
        address = f"{receiver.url}/{page}"
        site.made("/subscriptions", channel="webhook", address=address, page=page)
        site.made("/incidents", title="Fire", page=page)
    assert samples(scrape(site))["statuspage_deliveries_pending", "webhook"] == 2
    assert scrape(site, "/second/metrics").status_code == 404


def test_the_hosts_own_metrics_stay_its_own(site: Site) -> None:
    """Nothing is added to the registry that the host's own metrics are in, nor taken from it."""
    before = generate_latest(REGISTRY)
    assert b"python_info" in before
    assert "python_info" not in scrape(site).text
    assert b"statuspage_" not in generate_latest(REGISTRY)


@pytest.mark.parametrize("prefix", ["/status", "/deep/er", ""])
def test_it_answers_wherever_the_page_is_mounted(make_site: SiteMaker, prefix: str) -> None:
    """The path follows the blueprint's prefix."""
    site = make_site(prefix=prefix)
    assert samples(scrape(site))
