"""The test button: a real message to a real receiver by the workers, and a page that tells what came of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from html import unescape

import pytest
from werkzeug.test import TestResponse

from flask_statuspage.storage.outbox import Attempt, Delivery
from flask_statuspage.storage.session import current_engine
from flask_statuspage.storage.subscriptions import Subscription
from flask_statuspage.web.admin import integration_tests
from tests.console import endpoints
from tests.console.endpoints import all_pages, webhook, words_of, working
from tests.console.member import ADMIN, Member
from tests.servers import http, slack
from tests.servers.http import Answer, Receiver
from tests.web.conftest import make_site, migrated, migrated_site  # noqa: F401
from tests.web.site import Site, SiteMaker


@pytest.fixture
def site(make_site: SiteMaker) -> Site:  # noqa: F811
    return endpoints.build(make_site)


@pytest.fixture
def ann(site: Site) -> Member:
    return Member(site, ADMIN)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http.receiver() as found:
        yield found


def press(ann: Member, ident: str) -> TestResponse:
    return ann.send(ann.form(f"/integrations/{ident}", "Send a test"))


def outcome(ann: Member, pressed: TestResponse) -> str:
    """The page that tells what came of it, looked at until it does."""
    end = time.monotonic() + 30
    while "The test is under way" in (page := ann.follow(pressed)).text:
        assert time.monotonic() < end, words_of(page.text)
    assert page.status_code == 200
    return page.text


def test_a_webhook(site: Site, ann: Member, receiver: Receiver) -> None:
    """The page tells status, latency and what was answered, of which nothing is markup and no secret is left."""
    made = webhook(site, f"{receiver.url}/hook")
    secret = made["secret"]
    escaped = json.dumps(secret).replace("/", r"\/")
    echo = f"<b>hello</b> {secret} {escaped} {secret.removeprefix('whsec_')} " + "x" * 600
    receiver.answer = Answer(status=201, body=echo.encode())
    with working(site):
        page = outcome(ann, press(ann, made["id"]))
    (request,) = receiver.requests
    assert json.loads(request.body)["event"] == "test"
    assert request.headers["X-Status-Signature"]
    (attempt,) = site.rows(Attempt)
    words = words_of(page)
    assert "The test arrived" in words
    assert "Status 201 " in words
    assert f"Latency {attempt.milliseconds} ms" in words
    assert "&lt;b&gt;hello&lt;/b&gt; [secret]" in page
    shown = unescape(page.partition("<code>")[2].partition("</code>")[0])
    assert len(shown) == 500
    assert shown.endswith("x…")
    for url, text in {**all_pages(ann, ident=made["id"]), "outcome": page}.items():
        for form in (secret, escaped.strip('"'), secret.removeprefix("whsec_")):
            assert form not in unescape(text), url
    card = words_of(ann.get("/integrations").text)
    assert "Last success" in card
    assert "Last failure" not in card


def test_slack(site: Site, ann: Member) -> None:
    """What Slack says of a closed channel is told, without the address that it echoes."""
    with slack.running() as workspace:
        hook = workspace.webhook()
        address = hook.replace("127.0.0.1", "localhost")
        made = site.made("/subscriptions", channel="slack", address=address)
        with working(site):
            assert "The test arrived" in outcome(ann, press(ann, made["id"]))
            assert len(workspace.taken(hook)) == 1
            workspace.fail_once(Answer(status=403, body=f"action_prohibited {address}".encode()))
            page = outcome(ann, press(ann, made["id"]))
    assert "The test failed" in page
    assert "Slack answered 403." in page
    assert "action_prohibited [secret]" in page
    # The log of all that was sent tells nothing either: the subscription is off by now, for Slack's answer.
    for url, text in {**all_pages(ann, ident=made["id"]), "outcome": page}.items():
        assert hook.rpartition("/")[2] not in unescape(text), url
    assert "Slack answered 403." in ann.get(f"/integrations/{made['id']}").text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=500, body=b"broken"), "The endpoint answered 500."),
        (Answer(hang=True), "The endpoint did not answer in time."),
        (Answer(status=302, headers={"Location": "http://127.0.0.1:9/"}), "answered 302."),
    ],
    ids=["500", "hangs", "redirect"],
)
def test_failures_in_words(
    site: Site, ann: Member, receiver: Receiver, answer: Answer, words: str
) -> None:
    """What failed is told, with when it is tried again; the card has it, too."""
    receiver.answer = answer
    made = webhook(site, f"{receiver.url}/hook", policy={"timeout": 1})
    with working(site):
        page = words_of(outcome(ann, press(ann, made["id"])))
    assert words in page
    assert "It is tried again" in page
    assert "Look again" in page
    assert "Last failure, " in words_of(ann.get("/integrations").text)


def test_nothing_listens_and_no_certificate(site: Site, ann: Member, receiver: Receiver) -> None:
    """The team is told what visitors are not: whether it was the connection or the certificate."""
    port = receiver.port
    refused = webhook(site, f"http://127.0.0.1:{unused()}/")
    plain = webhook(site, f"https://127.0.0.1:{port}/")
    with working(site):
        assert "Nothing took the connection" in outcome(ann, press(ann, refused["id"]))
        assert "(TLS)" in outcome(ann, press(ann, plain["id"]))


def unused() -> int:
    with http.receiver() as gone:
        return gone.port


def test_where_the_guard_lets_nothing_lead(make_site: SiteMaker, receiver: Receiver) -> None:  # noqa: F811
    """An address that was let through when it was saved and is not any more is refused at the send, in words."""
    before = endpoints.build(make_site)
    made = webhook(before, f"{receiver.url}/hook")
    url = before.app.config["SQLALCHEMY_DATABASE_URI"]
    options = {**endpoints.HERE, "STATUSPAGE_ALLOW_PRIVATE_TARGETS": False}
    after = make_site(url=url, statuspage=endpoints.console(), **options)
    ann = Member(after, ADMIN)
    with working(after):
        page = outcome(ann, press(ann, made["id"]))
    assert "This site does not call the address" in page
    assert receiver.requests == []


def test_while_no_worker_runs(
    site: Site, ann: Member, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page waits with no connection of the database held, then says that nobody took it; once a worker runs, the
    same page tells the outcome."""
    monkeypatch.setattr(integration_tests, "PATIENCE", 0.5)
    held: list[int] = []
    pause = time.sleep

    def sleep(seconds: float) -> None:
        with site.app.app_context():
            held.append(current_engine().pool.checkedout())  # type: ignore[attr-defined]
        pause(seconds)

    monkeypatch.setattr(integration_tests.time, "sleep", sleep)
    made = webhook(site, f"{receiver.url}/hook")
    pressed = press(ann, made["id"])
    page = ann.follow(pressed).text
    assert "No worker has taken it yet" in page
    assert "flask statuspage doctor" in page
    assert "Look again" in page
    assert held
    assert set(held) == {0}
    with working(site):
        assert "The test arrived" in outcome(ann, pressed)


def test_an_old_test_is_not_waited_for(
    site: Site, ann: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever loads the page of an old test anew holds nobody up."""

    pauses: list[float] = []
    monkeypatch.setattr(integration_tests, "PATIENCE", 0.5)
    monkeypatch.setattr(integration_tests.time, "sleep", pauses.append)
    made = webhook(site, "http://127.0.0.1:9/hook")
    pressed = press(ann, made["id"])
    assert "No worker has taken it yet" in ann.follow(pressed).text
    assert pauses
    pauses.clear()
    monkeypatch.setattr(integration_tests, "FRESH", timedelta(0))
    assert "No worker has taken it yet" in ann.follow(pressed).text
    assert pauses == []


def test_one_that_is_not_sent(site: Site, ann: Member) -> None:
    """A test that was cancelled before its turn says why, and is not called under way."""
    made = webhook(site, "http://127.0.0.1:9/hook")
    pressed = press(ann, made["id"])
    assert ann.send(ann.form(f"/integrations/{made['id']}", "Switch it off")).status_code == 303
    page = words_of(ann.follow(pressed).text)
    assert "The test was not sent" in page
    assert "Disabled by a member." in page


def test_only_tests_of_that_integration(site: Site, ann: Member) -> None:
    """Neither another message nor another integration's test can be looked at there."""
    one, two = (webhook(site, f"http://127.0.0.1:9/{name}") for name in "ab")
    pressed = press(ann, one["id"])
    (test,) = site.rows(Delivery)
    assert pressed.location.endswith(f"/integrations/{one['id']}/tests/{test.id}")
    site.made("/incidents", title="Down", body="Looking.")
    incident = next(row for row in site.rows(Delivery) if row.id != test.id)
    for path in (
        f"/integrations/{two['id']}/tests/{test.id}",
        f"/integrations/{incident.subscription_id}/tests/{incident.id}",
        f"/integrations/{one['id']}/tests/nonsense",
    ):
        assert ann.get(path).status_code == 404, path


def test_on_each_database(
    migrated_site: SiteMaker,  # noqa: F811
    database_url: str,
    receiver: Receiver,
) -> None:
    """Set up by the form, tested and listed on each kind of database."""
    site = endpoints.build(partial(migrated_site, database_url))
    ann = Member(site, ADMIN)
    form = ann.form("/integrations/new?channel=webhook", "Set it up")
    assert "shown this once" in ann.send(form, address=f"{receiver.url}/hook").text
    (row,) = site.rows(Subscription)
    with working(site):
        assert "The test arrived" in outcome(ann, press(ann, str(row.id)))
    card = words_of(ann.get("/integrations").text)
    assert f"{receiver.url}/hook" in card
    assert "Last success" in card
    form = ann.form(f"/integrations/{row.id}", "Save")
    assert ann.send(form, time_zone="Asia/Tokyo").status_code == 303
    assert ann.send(ann.form(f"/integrations/{row.id}", "Remove it")).status_code == 303
    assert site.rows(Subscription) == []
