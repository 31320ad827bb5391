"""The delivery log in the console: looked through, one delivery with its attempts, and sending again."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select, update

from flask_statuspage.domain.ids import first_id, new_id
from flask_statuspage.jobs.embedded import Runner
from flask_statuspage.services import deliveries, events
from flask_statuspage.storage.outbox import Attempt, Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_session
from tests.console import member
from tests.console.conftest import Enter
from tests.console.counting import queries
from tests.console.member import ADMIN, EDITOR, VIEWER, forms_of
from tests.servers.http import Answer, Receiver
from tests.servers.wsgi import serving
from tests.story.site import eventually
from tests.web.site import Site, SiteMaker

DEAD, DONE, PENDING = DeliveryState.DEAD, DeliveryState.DONE, DeliveryState.PENDING
CANCELLED = DeliveryState.CANCELLED
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site whose webhooks may lead to this machine."""
    built = member.build(
        make_site,
        STATUSPAGE_ALLOW_PRIVATE_TARGETS=True,
        STATUSPAGE_ALLOW_HTTP_TARGETS=True,
        STATUSPAGE_SLACK_HOSTS="1.1.1.1",  # an address that needs no look-up
    )
    built.made("/components", name="API")
    return built


@pytest.fixture
def working(site: Site) -> Iterator[Site]:
    """The same site with workers that send."""
    runner = Runner(site.app)
    runner.start()
    try:
        yield site
    finally:
        runner.stop()


def hook(site: Site, url: str = "http://127.0.0.1:9/hook", **options: Any) -> str:
    """The id of a subscription by webhook, or by another channel."""
    options = {"channel": "webhook", "address": url, **options}
    return str(site.made("/subscriptions", **options)["id"])


def written(
    site: Site, to: str, *states: DeliveryState, event: str = "test", at: datetime = NOW
) -> list[str]:
    """Deliveries to a subscription, one of each state, written (and ended) at that instant; their ids."""
    made = []
    with site.app.app_context():
        session = current_session()
        page_id = session.scalars(select(Page.id).where(Page.is_default)).one()
        for state in states:
            told = EventRow(page_id=page_id, name=event, subject_id=new_id(), data={})
            told.fanned_out_at = at
            session.add(told)
            session.flush()
            row = Delivery(
                id=UUID(int=first_id(at).int + secrets.randbits(60)),
                event_id=told.id,
                subscription_id=UUID(to),
                subject_id=told.subject_id,
                sequence=told.sequence,
                due_at=at,
                created_at=at,
                state=state,
                attempts=0 if state is PENDING else 2,
                finished_at=None if state is PENDING else at,
            )
            session.add(row)
            session.flush()
            made.append(str(row.id))
        session.commit()
    return made


def tried(site: Site, delivery: str, number: int, **columns: Any) -> None:
    """Note an attempt of a delivery."""
    values = {"started_at": NOW, "milliseconds": 1234, "code": 200, **columns}
    with site.app.app_context():
        session = current_session()
        row = session.get_one(Delivery, UUID(delivery))
        session.add(
            Attempt(
                delivery_id=row.id, subscription_id=row.subscription_id, number=number, **values
            )
        )
        session.commit()


def state(site: Site, delivery: str) -> str:
    return str(site.ask("GET", f"/deliveries/{delivery}").get_json()["state"])


def shown_ids(html: str) -> list[str]:
    """Which deliveries a page of the log lists, in its order."""
    return re.findall(
        r'<div class="sp-row-name"><a href="/status/admin/deliveries/([0-9a-f-]{36})', html
    )


def once_failed(receiver: Receiver, status: int = 500, body: bytes = b"no") -> None:
    receiver.answer = Answer(status=status, body=body)


NO_RETRY = {"delays": []}


def failed_for_real(site: Site, receiver: Receiver, **options: Any) -> str:
    """A delivery that a worker gave up, after its only attempt; its id."""
    to = hook(site, f"{receiver.url}/hook", policy=NO_RETRY, **options)
    site.made(f"/subscriptions/{to}/test")

    def items() -> Any:
        return site.ask("GET", "/deliveries?state=dead").get_json()["items"]

    (found,) = eventually(items, within=30, what="the delivery is given up")
    return str(found["id"])


def test_what_failed_is_sent_again_and_arrives(
    working: Site, enter: Enter, receiver: Receiver
) -> None:
    """The log tells code, time and answer of a real failure; after the receiver recovered one button delivers it."""
    once_failed(receiver, 503, b"<script>alert(1)</script> & gone")
    ident = failed_for_real(working, receiver)
    ann = enter(ADMIN)
    log = ann.get("/deliveries?state=dead").text
    assert shown_ids(log) == [ident]
    assert "code 503" in log
    assert f"{receiver.url}/hook" in log
    page = ann.get(f"/deliveries/{ident}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; gone" in page
    assert "<script>alert" not in page + log
    receiver.answer = Answer()
    answer = ann.follow(ann.send(ann.form(f"/deliveries/{ident}", "Redeliver")))
    assert "The delivery is on its way again." in answer.text
    eventually(lambda: state(working, ident) == "done", within=30, what="it is delivered")
    ids = {request.headers["webhook-id"] for request in receiver.requests}
    assert ids == {ident}
    page = ann.get(f"/deliveries/{ident}").text
    assert page.count("<strong>Attempt 1</strong>") == 2
    assert ">code 503<" in page
    assert ">code 200<" in page


def test_a_deleted_incident_is_not_sent_again(site: Site, enter: Enter, receiver: Receiver) -> None:
    """Its text goes to nobody any more: neither list nor page has a button, and all ways say why."""
    hook(site, f"{receiver.url}/hook")
    incident = site.made("/incidents", title="Leak", body="Told by mistake.")["id"]
    with site.app.app_context():
        while events.expand_waiting(current_session()):
            current_session().commit()
    (ident,) = [one["id"] for one in site.ask("GET", "/deliveries").get_json()["items"]]
    ann = enter(ADMIN)
    assert site.ask("DELETE", f"/incidents/{incident}").status_code == 204
    assert state(site, ident) == "cancelled"
    reason = "The incident that it tells of was deleted."
    page = ann.get(f"/deliveries/{ident}").text
    assert f"It cannot be sent again now. {reason}" in page
    assert "Redeliver" not in page
    assert "Redeliver incident" not in ann.get("/deliveries").text
    refused = site.ask("POST", f"/deliveries/{ident}/redeliver")
    assert (refused.status_code, refused.get_json()["detail"]) == (409, reason)
    assert state(site, ident) == "cancelled"


def test_pressed_twice_it_is_sent_once(working: Site, enter: Enter, receiver: Receiver) -> None:
    """The second press is refused in words, whether the first one is on its way or has arrived already."""
    once_failed(receiver)
    ident = failed_for_real(working, receiver)
    ann = enter(ADMIN)
    form = ann.form(f"/deliveries/{ident}", "Redeliver")
    receiver.answer = Answer()
    assert ann.send(form).status_code == 303
    eventually(lambda: state(working, ident) == "done", within=30, what="it is delivered")
    again = ann.send(form)
    assert again.status_code == 409
    assert "was sent again meanwhile" in again.text
    assert len(receiver.requests) == 2
    # What has arrived can be sent once more by whoever has seen that it did.
    seen = next(one for one in forms_of(again.text) if "Redeliver" in one.words)
    assert ann.send(seen).status_code == 303
    eventually(lambda: len(receiver.requests) == 3, within=30, what="it is sent once more")


def test_of_two_presses_at_once_one_counts(site: Site, enter: Enter) -> None:
    """Two browsers press at the same moment: one is on its way, the other is told so."""
    (ident,) = written(site, hook(site), DEAD)
    members = [enter(ADMIN), enter(ADMIN)]
    forms = [one.form(f"/deliveries/{ident}", "Redeliver") for one in members]
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda pair: pair[0].send(pair[1]), zip(members, forms, strict=True))
        )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    (refused,) = [answer.text for answer in answers if answer.status_code == 409]
    assert "on its way already" in refused
    audit = site.ask("GET", "/audit").get_json()["items"]
    assert [entry["actor"] for entry in audit if entry["action"] == "redeliver"] == [ADMIN]


def test_what_a_worker_has_in_hand_is_left_to_it(site: Site, enter: Enter) -> None:
    """While a worker sends it there is no button, and one that was pressed all the same is refused."""
    site.made(f"/subscriptions/{hook(site)}/test")
    with site.app.app_context():
        (parcel,) = deliveries.claim(current_session(), limit=5).parcels
        current_session().commit()
    ident, ann = str(parcel.delivery_id), enter(ADMIN)
    before = site.contents()
    answer = ann.post(f"/deliveries/{ident}/redeliver", {"ended": NOW.isoformat()})
    assert answer.status_code == 409
    assert "on its way already" in answer.text
    assert "a worker is sending it" in answer.text
    assert "Redeliver<" not in answer.text
    assert site.contents() == before
    log = ann.get("/deliveries").text
    assert "a worker is sending it" in log
    assert "Redeliver<" not in log


@pytest.mark.parametrize("ended", [None, "", "x", "2026-01-01", "\x00"], ids=repr)
def test_a_form_that_says_nothing_of_what_was_seen(
    site: Site, enter: Enter, ended: str | None
) -> None:
    """A post without the time that a form carries does nothing and says so."""
    (ident,) = written(site, hook(site), DEAD)
    ann = enter(ADMIN)
    data = {} if ended is None else {"ended": ended}
    before = site.contents()
    answer = ann.post(f"/deliveries/{ident}/redeliver", data)
    assert answer.status_code in (409, 422)
    assert "There is a problem" in answer.text
    assert site.contents() == before


def test_one_whose_subscription_is_off(site: Site, enter: Enter) -> None:
    """The page says why there is no button; a press that comes too late is refused with the service's words."""
    to = hook(site)
    (ident,) = written(site, to, CANCELLED)
    ann = enter(ADMIN)
    form = ann.form(f"/deliveries/{ident}", "Redeliver")
    site.ask("POST", f"/subscriptions/{to}/disable")
    page = ann.get(f"/deliveries/{ident}").text
    assert "The subscription is disabled." in page
    assert "Redeliver<" not in page
    answer = ann.send(form)
    assert answer.status_code == 409
    assert "enable it first" in answer.text
    assert state(site, ident) == "cancelled"


def test_each_filter_narrows_alone_and_with_others(site: Site, enter: Enter) -> None:
    """State, channel, event, subscription and time, each in the address and in the form again."""
    first = hook(site)
    second = hook(site, "ann@example.com", channel="email")
    old = NOW - timedelta(days=3)
    a, b = written(site, first, DEAD, DONE)
    (c,) = written(site, second, DEAD, event="incident.created")
    (d,) = written(site, second, CANCELLED, event="incident.created", at=old)
    (e,) = written(site, first, PENDING)
    ann = enter(ADMIN)

    def found(**asked: str) -> set[str]:
        answer = ann.get(f"/deliveries?{urlencode(asked)}")
        assert answer.status_code == 200
        return set(shown_ids(answer.text))

    assert found() == {a, b, c, d, e}
    assert found(state="dead") == {a, c}
    assert found(state="pending") == {e}
    assert found(state="done") == {b}
    assert found(state="cancelled") == {d}
    assert found(channel="email") == {c, d}
    assert found(event="incident.created") == {c, d}
    assert found(subscription=first) == {a, b, e}
    yesterday = f"{NOW - timedelta(days=1):%Y-%m-%dT%H:%M}"
    assert found(since=yesterday) == {a, b, c, e}
    assert found(until=yesterday) == {d}
    assert found(state="dead", channel="email", event="incident.created", since=yesterday) == {c}
    assert found(state="dead", subscription=second, event="test") == set()
    asked = {"state": "dead", "channel": "email", "event": "test", "since": yesterday}
    page = ann.get(f"/deliveries?{urlencode({**asked, 'subscription': second})}").text
    assert "Nothing was found." in page
    for value in ("dead", "email", "test"):
        assert re.search(rf'<option value="{value}" selected>', page)
    assert f'type="datetime-local" value="{yesterday}"' in page
    assert re.search(rf'name="subscription"[^>]* value="{second}"', page)
    assert "ann@example.com" in page


@pytest.mark.parametrize("name", ["state", "channel", "event", "subscription", "since", "until"])
@pytest.mark.parametrize("value", ["<b>", "00000000-0000-4000-8000-000000000000"])
def test_a_filter_that_is_wrong_is_named(site: Site, enter: Enter, name: str, value: str) -> None:
    """What no such thing is called lists nothing and stands at its field, in the log and before sending again."""
    (ident,) = written(site, hook(site), DEAD)
    ann = enter(ADMIN)
    for path in ("/deliveries", "/deliveries/redeliver"):
        page = ann.get(f"{path}?{urlencode({name: value})}").text
        assert "There is a problem" in page
        assert f'href="#f-{name}"' in page
        assert f'id="f-{name}"' in page
        assert "<b>" not in page
        assert ident not in page
    before = site.contents()
    answer = ann.post("/deliveries/redeliver", {name: value, "shown": NOW.isoformat()})
    assert answer.status_code == 422
    assert site.contents() == before


def test_hostile_addresses_are_answered(site: Site, enter: Enter) -> None:
    """Places in the list and texts that no database holds narrow nothing and break nothing."""
    written(site, hook(site), DEAD)
    ann = enter(ADMIN)
    for query in ("before=x", "after=%00", "state=%00", "since=%00", "before=" + "9" * 9000):
        assert ann.get(f"/deliveries?{query}").status_code == 200
    for ident in ("x", "00000000-0000-4000-8000-000000000000", "%00"):
        assert ann.get(f"/deliveries/{ident}").status_code == 404


def test_sixty_rows_have_three_pages(site: Site, enter: Enter) -> None:
    """Each stands on one page, newest first, there and back, also when newer ones come in meanwhile."""
    to = hook(site)
    ids = sorted(written(site, to, *[DONE] * 60), reverse=True)
    ann = enter(ADMIN)

    def way(html: str, word: str) -> str | None:
        found = re.search(rf'<a href="/status/admin([^"]+)">{word}</a>', html)
        return unescape(found[1]) if found else None

    pages = [ann.get("/deliveries?state=done").text]
    assert way(pages[0], "← Previous") is None
    written(site, to, DONE, at=NOW + timedelta(seconds=1))
    while older := way(pages[-1], "Next →"):
        assert "state=done" in older
        pages.append(ann.get(older).text)
    assert [len(shown_ids(page)) for page in pages] == [25, 25, 10]
    assert [ident for page in pages for ident in shown_ids(page)] == ids
    newer = way(pages[2], "← Previous")
    assert newer
    second = ann.get(newer).text
    assert shown_ids(second) == ids[25:50]
    newer = way(second, "← Previous")
    assert newer
    first = ann.get(newer).text
    assert shown_ids(first) == ids[:25]
    newer = way(first, "← Previous")
    assert newer, "one came in meanwhile"
    assert len(shown_ids(ann.get(newer).text)) == 1


def test_as_many_queries_for_much_as_for_little(site: Site, enter: Enter) -> None:
    """Whatever the log holds, the database is asked as often, and never for all rows of it."""
    hooks = [hook(site, f"http://127.0.0.1:9/{number}") for number in range(3)]
    (ident,) = written(site, hooks[0], DEAD)
    tried(site, ident, 1)
    paths = ("/deliveries", "/deliveries?state=dead", f"/deliveries/{ident}")
    ann = enter(ADMIN)
    few = {path: queries(ann, path) for path in paths}
    for to in hooks:
        for one in written(site, to, *[DEAD] * 10):
            tried(site, one, 1)
            tried(site, one, 2)
    for number in range(2, 12):
        tried(site, ident, number)
    assert few == {path: queries(ann, path) for path in paths}


def test_one_delivery_with_all_its_attempts(site: Site, enter: Enter) -> None:
    """Time, code, duration, error and answer of each, oldest first, in pages; what others wrote is escaped."""
    (ident,) = written(site, hook(site), DEAD)
    for number in range(1, 27):
        tried(site, ident, number, code=None, kind="timeout", error=f"<i>{number}</i> s")
    tried(site, ident, 27, code=502, kind="status", answer='"><script>x</script>')
    ann = enter(ADMIN)
    log = ann.get("/deliveries").text
    assert "attempt 27: code 502" in log
    assert "1.234 s" in log
    page = ann.get(f"/deliveries/{ident}").text
    assert "&lt;i&gt;1&lt;/i&gt; s" in page
    assert page.count('<li class="sp-entry">') == 25
    last = ann.get(f"/deliveries/{ident}?page=2").text
    assert "Attempt 27" in last
    assert "&#34;&gt;&lt;script&gt;x&lt;/script&gt;" in last
    assert "<script>x" not in last
    assert "<i>" not in page + last


def test_an_address_that_is_a_secret_is_not_told(site: Site, enter: Enter) -> None:
    """Of Slack's address the log shows where it leads, as the manage API does."""
    secret = "https://1.1.1.1/services/T0/B0/abcdefgh"
    to = hook(site, secret, channel="slack")
    (ident,) = written(site, to, DEAD)
    ann = enter(ADMIN)
    paths = (
        "/deliveries",
        f"/deliveries?subscription={to}",
        f"/deliveries/{ident}",
        f"/deliveries/redeliver?subscription={to}",
    )
    for path in paths:
        page = ann.get(path).text
        assert "https://1.1.1.1/…" in page, path
        assert "abcdefgh" not in page
        assert "/T0/" not in page


def test_all_that_failed_of_a_filter(site: Site, enter: Enter) -> None:
    """The confirmation names how many; no other one is sent again, nor is anything by a second press."""
    first = hook(site)
    second = hook(site, "ann@example.com", channel="email")
    off = hook(site, "bob@example.com", channel="email")
    mine = written(site, second, DEAD, DEAD)
    others = written(site, first, DEAD, DONE)
    others += written(site, second, DONE, CANCELLED)
    others += written(site, second, DEAD, event="incident.created")
    others += written(site, second, DEAD, at=NOW - timedelta(days=3))
    others += written(site, off, DEAD)
    site.ask("POST", f"/subscriptions/{off}/disable")
    before = {one: state(site, one) for one in others}
    ann = enter(ADMIN)
    since = f"{NOW - timedelta(days=1):%Y-%m-%dT%H:%M}"
    asked = urlencode({"state": "dead", "channel": "email", "event": "test", "since": since})
    log = ann.get(f"/deliveries?{asked}").text
    (way,) = re.findall(r'href="/status/admin(/deliveries/redeliver\?[^"]+)"', log)
    form = ann.form(unescape(way), "Redeliver 2 deliveries")
    page = ann.follow(ann.send(form))
    assert "What had failed is on its way again." in page.text
    assert [state(site, one) for one in mine] == ["pending"] * 2
    assert {one: state(site, one) for one in others} == before
    again = ann.send(form)
    assert again.status_code == 409
    assert "Nothing was left to send again" in again.text
    (entry,) = [
        entry
        for entry in site.ask("GET", "/audit").get_json()["items"]
        if entry["action"] == "redeliver_failed"
    ]
    assert entry["actor"] == ADMIN
    assert entry["after"]["redelivered"] == 2
    assert (entry["after"]["channel"], entry["after"]["event"]) == ("email", "test")


def test_what_failed_after_the_count_is_not_meant(site: Site, enter: Enter) -> None:
    """Who confirms two sends two: what failed while they read stays; the form of one subscription names it."""
    to = hook(site)
    counted = written(site, to, DEAD, DEAD)
    ann = enter(ADMIN)
    form = ann.form(f"/deliveries/redeliver?subscription={to}", "Redeliver 2 deliveries")
    (late,) = written(site, to, DEAD, at=datetime.now(UTC) + timedelta(seconds=60))
    assert ann.send(form).status_code == 303
    assert [state(site, one) for one in counted] == ["pending"] * 2
    assert state(site, late) == "dead"
    site.ask("POST", f"/subscriptions/{to}/disable")
    assert "Nothing that failed can be sent again here" in ann.get("/deliveries/redeliver").text


def test_so_many_are_sent_at_once(
    site: Site, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of very many the page says that so many are sent, and afterwards that some are left."""
    monkeypatch.setattr("flask_statuspage.services.redelivery.AT_MOST", 3)
    to = hook(site)
    many = written(site, to, DEAD, DEAD, DEAD, DEAD)
    ann = enter(ADMIN)
    path = "/deliveries/redeliver"
    assert "More than these have failed." in ann.get(path).text
    page = ann.follow(ann.send(ann.form(path, "Redeliver 3 deliveries"))).text
    assert "Some are left: redeliver those as well." in page
    assert sorted(state(site, one) for one in many) == ["dead", "pending", "pending", "pending"]
    assert "More than these have failed." not in ann.get(path).text
    page = ann.follow(ann.send(ann.form(path, "Redeliver 1 delivery"))).text
    assert "What had failed is on its way again." in page
    assert {state(site, one) for one in many} == {"pending"}


def test_who_may_look(site: Site, enter: Enter) -> None:
    """Admins alone: others find neither the area nor a delivery, and nobody reads a page that is not theirs."""
    (ident,) = written(site, hook(site), DEAD)
    for who in (VIEWER, EDITOR):
        somebody = enter(who)
        assert "/admin/deliveries" not in somebody.get("/").text
        for path in ("/deliveries", f"/deliveries/{ident}", "/deliveries/redeliver"):
            assert somebody.get(path).status_code == 403
    site.made("/pages", name="Other", slug="other")
    ann = enter(ADMIN)
    assert ann.get(f"/deliveries/{ident}?status_page=other").status_code == 404
    assert ident not in ann.get("/deliveries?status_page=other").text
    body = {"status_page": "other", "ended": NOW.isoformat()}
    assert ann.post(f"/deliveries/{ident}/redeliver", body).status_code == 404
    assert state(site, ident) == "dead"


def test_the_dashboard_leads_to_what_failed(site: Site, enter: Enter) -> None:
    """Its figure is the way to the log of those that failed."""
    written(site, hook(site), DEAD, DONE)
    page = enter(ADMIN).get("/").text
    assert '<a href="/status/admin/deliveries?state=dead">Failed deliveries, 24 h</a>' in page


def test_an_empty_log_says_what_to_do(site: Site, enter: Enter) -> None:
    """Before anything was sent the log says how to try it."""
    page = enter(ADMIN).get("/deliveries").text
    assert "No deliveries yet." in page
    way = re.search(r'<a href="([^"]+)">Send a test to an integration</a>', page)
    assert way
    assert "<h1" in enter(ADMIN).open(way[1]).text
    assert way[1] == "/status/admin/integrations"
    assert "Redeliver" not in page


def test_one_that_waits_says_for_what(site: Site, enter: Enter) -> None:
    """The next attempt, or the share of its reader that is used up."""
    first, second = written(site, hook(site), PENDING, PENDING)
    with site.app.app_context():
        session = current_session()
        due = NOW + timedelta(hours=5)
        for ident, values in ((first, {"attempts": 1, "due_at": due}), (second, {"held": True})):
            session.execute(update(Delivery).where(Delivery.id == UUID(ident)).values(**values))
        session.commit()
    ann = enter(ADMIN)
    log = ann.get("/deliveries").text
    assert "next attempt <time" in log
    assert "had their share for this hour" in log
    assert "next attempt" in ann.get(f"/deliveries/{first}").text


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_redeliver(browser: Browser, working: Site, receiver: Receiver, scripts: bool) -> None:
    """On a phone: from the dashboard to what failed, the answer read, sent again, and seen to arrive."""
    once_failed(receiver, 500, b"Tomorrow, perhaps. " * 30)
    ident = failed_for_real(working, receiver)
    receiver.answer = Answer()
    with serving(working.app) as root:
        context = browser.new_context(
            java_script_enabled=scripts,
            extra_http_headers={"X-Who": ADMIN},
            viewport={"width": 390, "height": 844},
            base_url=f"{root}/status/admin/",
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto("")
        page.get_by_role("link", name="Failed deliveries, 24 h").click()
        expect(page.get_by_label("State")).to_have_value("dead")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("link", name=re.compile("^test to http")).click()
        page.get_by_text("What the receiver answered").click()
        expect(page.get_by_text("Tomorrow, perhaps.").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name=re.compile("^Redeliver test to http")).click()
        expect(page.get_by_role("status")).to_contain_text("on its way again")
        eventually(lambda: state(working, ident) == "done", within=30, what="it is delivered")
        page.reload()
        expect(page.get_by_text("Delivered", exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.set_viewport_size({"width": 320, "height": 700})
        page.goto("deliveries")
        expect(page.get_by_label("State")).to_have_value("")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        context.close()
    assert troubles == []
    assert len(receiver.requests) == 2
