"""Slack and Apprise over HTTP: form, programs and manage API; whose they are, and that no answer has an address."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from flask_statuspage.errors import Invalid
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SLACK = "https://1.1.1.1/services/T0000/B0000/opensesameopensesame"
APPRISE = "discord://4174216298/opensesameopensesame"


@pytest.fixture
def slack_site(make_site: SiteMaker) -> Site:
    """One for which Slack is at an address that needs no look-up."""
    return make_site(STATUSPAGE_SLACK_HOSTS="1.1.1.1")


def only(site: Site) -> Subscription:
    (row,) = site.rows(Subscription)
    return row


def named(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["message"] for error in answer.get_json()["errors"]}


def test_a_person_subscribes_slack(slack_site: Site) -> None:
    """The form offers it with a name for its address; the answer says that it was received, without the address."""
    form = slack_site.get("/subscribe", headers=HTML).text
    assert 'value="slack"' in form
    assert "Incoming webhook URL of Slack" in form
    sent = {"channel": "slack", "address": SLACK, "secret": "filled in by the browser"}
    answer = slack_site.post("/subscribe", data=sent, headers=HTML)
    assert answer.status_code == 200
    assert 'role="status"' in answer.text
    assert "opensesame" not in answer.text
    row = only(slack_site)
    assert (row.channel, row.format, row.address) == ("slack", "slack", "https://1.1.1.1/…")
    assert not row.is_signed


@pytest.mark.parametrize(
    "fields",
    [
        {"channel": "slack", "address": SLACK},
        {"type": "slack", "url": SLACK},
        {"url": SLACK},
        {"type": "webhook", "url": SLACK, "format": "slack"},
    ],
)
@pytest.mark.parametrize("kind", ["json", "data"])
def test_a_program_subscribes_slack(slack_site: Site, kind: str, fields: dict[str, str]) -> None:
    """By the channel, or by a webhook that leads there: once."""
    for _ in range(2):
        answer = slack_site.post("/subscribe", **{kind: fields})
        assert answer.status_code == 201, answer.text
        told = answer.get_json()
        assert (told["channel"], told["state"]) == ("slack", "active")
        assert "opensesame" not in answer.text
    assert only(slack_site).channel == "slack"


@pytest.mark.parametrize(
    ("signup", "status", "state"), [("approval", 201, "pending"), ("closed", 422, None)]
)
def test_sign_up_can_be_limited(
    make_site: SiteMaker, signup: str, status: int, state: str | None
) -> None:
    """What is set for webhooks counts for Slack, too."""
    site = make_site(STATUSPAGE_SLACK_HOSTS="1.1.1.1", STATUSPAGE_WEBHOOK_SIGNUP=signup)
    answer = site.post("/subscribe", json={"channel": "slack", "address": SLACK})
    assert answer.status_code == status
    form = site.get("/subscribe", headers=HTML).text
    assert ('value="slack"' in form) is (state is not None)
    if state is None:
        assert set(named(answer)) == {"channel"}
        assert site.rows(Subscription) == []
    else:
        assert only(site).state.value == state


def test_mistakes_with_slack(slack_site: Site) -> None:
    """Another host and half an address are named; the form keeps what was typed."""
    for address in ("https://8.8.8.8/services/T/B/x", "https://1.1.1.1/", "nonsense"):
        answer = slack_site.post("/subscribe", json={"channel": "slack", "address": address})
        assert set(named(answer)) == {"address"}
    page = slack_site.post(
        "/subscribe", data={"channel": "slack", "address": "https://8.8.8.8/x"}, headers=HTML
    )
    assert page.status_code == 422
    assert 'id="sp-slack-address-problem"' in page.text
    assert 'value="https://8.8.8.8/x"' in page.text
    assert slack_site.rows(Subscription) == []


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [("slack", SLACK, "https://1.1.1.1/…"), ("apprise", APPRISE, "discord://…")],
)
def test_a_member_subscribes(slack_site: Site, channel: str, address: str, shown: str) -> None:
    """From the creation to the log: no answer has more of the address than where it leads."""
    ask = slack_site.ask
    made = {"channel": channel, "address": address}
    answers = [first := ask("POST", "/subscriptions", made)]
    path = f"/subscriptions/{first.get_json()['id']}"
    assert (first.get_json()["address"], first.get_json()["secret"]) == (shown, None)
    answers += [
        ask("GET", path),
        ask("GET", "/subscriptions"),
        ask("PATCH", path, {"events": ["incident.created"]}),
        ask("POST", f"{path}/test"),
        ask("POST", f"{path}/disable"),
        ask("POST", f"{path}/enable"),
        ask("GET", "/deliveries"),
        ask("GET", "/audit"),
        ask("POST", "/subscriptions", made),
    ]
    assert {answer.status_code for answer in answers} <= {200, 201, 202}
    assert not [answer.text for answer in answers if "opensesame" in answer.text]
    assert answers[-1].get_json()["id"] == first.get_json()["id"]
    assert "opensesame" not in str(slack_site.contents())
    assert set(named(ask("PATCH", path, {"format": "native"}))) == {"format"}
    assert set(named(ask("PATCH", path, {"secret": "a secret of mine"}))) == {"secret"}
    assert set(named(ask("POST", "/subscriptions", {**made, "secret": "x" * 20}))) == {"secret"}
    assert ask("POST", f"{path}/rotate-secret").status_code == 409


def test_mistakes_of_a_member(slack_site: Site) -> None:
    """What Apprise does not know, and what acts on this machine, is named without being repeated."""
    for address in ("nonsense", "discord://opensesame", "syslog://", "json://127.0.0.1/opensesame"):
        answer = slack_site.ask(
            "POST", "/subscriptions", {"channel": "apprise", "address": address}
        )
        assert set(named(answer)) == {"address"}
        assert "opensesame" not in answer.text
    assert slack_site.rows(Subscription) == []


@pytest.mark.parametrize("kind", ["json", "data"])
def test_apprise_is_not_for_visitors(slack_site: Site, kind: str) -> None:
    """A visitor's answer is that for a channel which is not there, and names it as little as the form does."""
    fields = {"channel": "apprise", "address": APPRISE}
    answer = slack_site.post("/subscribe", **{kind: fields})
    unknown = slack_site.post("/subscribe", **{kind: {**fields, "channel": "pigeon"}})
    assert named(answer) == named(unknown)
    missing = slack_site.post("/subscribe", **{kind: {"address": APPRISE}})
    for one in (answer, unknown, missing, slack_site.get("/subscribe", headers=HTML)):
        assert "apprise" not in one.text
    assert slack_site.rows(Subscription) == []


def test_host_code_may_have_it(slack_site: Site) -> None:
    """``statuspage.subscribe`` speaks for the site."""
    app: Flask = slack_site.app
    with app.app_context():
        slack_site.statuspage.subscribe(APPRISE, channel="apprise")
        with pytest.raises(Invalid, match="address"):
            slack_site.statuspage.subscribe("json://10.0.0.1/", channel="apprise")
        current_session().commit()
    row = only(slack_site)
    assert (row.channel, row.state.value, row.address) == ("apprise", "active", "discord://…")
