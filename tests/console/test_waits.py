"""What the log of deliveries says of one that is not sent yet: it waits, and for what."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import update

from flask_statuspage.jobs.schedule import Heartbeat
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.endpoints import Endpoint
from flask_statuspage.storage.outbox import Delivery
from flask_statuspage.storage.session import current_session
from tests.console import member
from tests.console.conftest import Enter
from tests.console.counting import queries
from tests.console.member import ADMIN
from tests.web.site import Site, SiteMaker

REFUSED = "http://127.0.0.1:9/hook"
NOBODY = "no worker was heard of lately"


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site whose webhooks may lead to this machine, where nobody takes them."""
    return member.build(
        make_site,
        STATUSPAGE_ALLOW_PRIVATE_TARGETS=True,
        STATUSPAGE_ALLOW_HTTP_TARGETS=True,
    )


def sweep(site: Site) -> None:
    swept = site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert swept.exit_code == 0, swept.output


def ids(site: Site) -> list[str]:
    """The deliveries, the oldest first."""
    return [row["id"] for row in reversed(site.ask("GET", "/deliveries").get_json()["items"])]


def told(html: str) -> str:
    """What the page of a delivery says of its being sent."""
    (found,) = re.findall(r"<dt>Sent</dt><dd>(.*?)</dd>", html, re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", found)).split())


def put(site: Site, ident: str, **values: object) -> None:
    with site.app.app_context():
        session = current_session()
        session.execute(update(Delivery).where(Delivery.id == UUID(ident)).values(**values))
        session.commit()


@pytest.fixture
def tested(site: Site) -> str:
    """A delivery that is due, alone; its id."""
    hook = site.made("/subscriptions", channel="webhook", address=REFUSED)["id"]
    site.made(f"/subscriptions/{hook}/test")
    (ident,) = ids(site)
    put(site, ident, endpoint="127.0.0.1:9", due_at=utc_now() - timedelta(minutes=3))
    return ident


def test_one_behind_another_names_that(site: Site, enter: Enter) -> None:
    """Three updates of one incident: the first fails and is tried again, the others lead to it."""
    site.made("/subscriptions", channel="webhook", address=REFUSED)
    incident = site.made("/incidents", title="Down", body="One.")["id"]
    for word in ("Two.", "Three."):
        site.made(f"/incidents/{incident}/updates", body=word)
    sweep(site)
    first, *others = ids(site)
    assert len(others) == 2
    ann = enter(ADMIN)
    assert told(ann.get(f"/deliveries/{first}").text).startswith("Not yet: next attempt ")
    for other in others:
        page = ann.get(f"/deliveries/{other}").text
        assert "waits for an earlier message about the same" in told(page)
        assert f'href="/status/admin/deliveries/{first}"' in page
        assert "It is on its way" not in page
    log = ann.get("/deliveries").text
    assert log.count(f'<a href="/status/admin/deliveries/{first}">an earlier message') == 2


def test_one_that_is_held_says_until_when(site: Site, enter: Enter, tested: str) -> None:
    """Its reader had their share: the time at which the next place opens stands beside it."""
    put(site, tested, held=True, due_at=datetime.fromisoformat("2030-01-05T06:30:00+00:00"))
    page = enter(ADMIN).get(f"/deliveries/{tested}").text
    assert "had their share for this hour, it goes on about 5 Jan 2030, 06:30" in told(page)
    assert "It is on its way" not in page


def test_one_for_an_endpoint_that_rests_says_so(site: Site, enter: Enter, tested: str) -> None:
    """Nothing is sent there before the rest is over, however long it is due."""
    with site.app.app_context():
        until = datetime.fromisoformat("2030-01-05T06:30:00+00:00")
        row = Endpoint(name="127.0.0.1:9", at_once=1, is_slow=True, rests_until=until)
        current_session().add(row)
        current_session().commit()
    page = enter(ADMIN).get(f"/deliveries/{tested}").text
    assert "is left alone until about 5 Jan 2030, 06:30" in told(page)


def test_one_that_nobody_takes_says_that_no_worker_was_heard_of(
    site: Site, enter: Enter, tested: str
) -> None:
    """What is due is no matter of patience then; once a worker is heard of it is."""
    ann = enter(ADMIN)
    assert NOBODY in told(ann.get(f"/deliveries/{tested}").text)
    assert NOBODY in ann.get("/deliveries").text
    with site.app.app_context():
        Heartbeat("scheduler").beat()
    assert NOBODY not in ann.get(f"/deliveries/{tested}").text
    assert NOBODY not in ann.get("/deliveries").text


def test_the_log_costs_the_same_however_many_wait(site: Site, enter: Enter) -> None:
    """What they wait for is read for all of them at once."""
    for _ in range(2):
        site.made("/subscriptions", channel="webhook", address=f"{REFUSED}?{_}")
    incident = site.made("/incidents", title="Down", body="One.")["id"]
    site.made(f"/incidents/{incident}/updates", body="Two.")
    sweep(site)
    ann = enter(ADMIN)
    ann.get("/deliveries")
    few = queries(ann, "/deliveries")
    for word in ("Three.", "Four.", "Five."):
        site.made(f"/incidents/{incident}/updates", body=word)
    sweep(site)
    assert len(ids(site)) == 10
    assert queries(ann, "/deliveries") == few
