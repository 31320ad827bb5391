"""The channel `slack` against a Slack on loopback that reads what it gets as strictly as Slack says it does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.delivery.channels import channels
from flask_statuspage.delivery.formats import formats
from flask_statuspage.delivery.parcel import Failure, Outcome
from flask_statuspage.domain.retry import Policy
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.errors import Invalid
from tests.outgoing.peer import closed_port
from tests.servers import slack
from tests.servers.http import Answer
from tests.servers.slack import Slack

from .facts import (
    AFFECTED,
    UPDATE,
    component_data,
    event,
    incident_data,
    maintenance_data,
    monitor_data,
    parcel,
    uuid,
)

CHANNEL = channels["slack"]
FORMAT = formats["slack"]
HERE = Settings(
    allow_http_targets=True, allow_private_targets=True, slack_hosts=("127.0.0.1", "LocalHost")
)
INCIDENT = FORMAT.render(event("incident.created", incident=incident_data()))


@pytest.fixture
def workspace() -> Iterator[Slack]:
    with slack.running() as server:
        yield server


def send(
    address: str, body: str = INCIDENT, *, settings: Settings = HERE, **changes: Any
) -> Outcome:
    values: dict[str, Any] = {"policy": FORMAT.policy, "secret_address": True, **changes}
    one = parcel(channel="slack", format="slack", address=address, body=body, **values)
    with CHANNEL.open(settings) as line:
        return line.send(one)


def test_a_message_arrives(workspace: Slack) -> None:
    """Slack shows it; it is identified, so that a proxy may know a double, and nothing of it is signed."""
    address = workspace.webhook()
    outcome = send(address, secret="a secret of mine")
    assert (outcome.delivered, outcome.code, outcome.answer) == (True, 200, "ok")
    (message,) = workspace.taken(address)
    assert message["text"] == "[FacioTech Status] Investigating: API is dówn"
    headers = workspace.requests[0].headers
    assert headers["webhook-id"] == str(uuid(50))
    assert not [name for name, _ in headers if "signature" in name.lower()]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("incident.created", {"incident": incident_data()}),
        ("incident.updated", {"incident": incident_data(updates=[])}),
        ("maintenance.scheduled", {"maintenance": maintenance_data()}),
        ("component.status_change", {"component": component_data()}),
        ("monitor.down", {"monitor": monitor_data()}),
        ("test", {"message": "This is a test."}),
    ],
)
def test_slack_reads_each_message(workspace: Slack, name: str, data: dict[str, Any]) -> None:
    """Fallback, colour, a link, and blocks within the documented limits, of whatever kind the event is."""
    address = workspace.webhook()
    assert send(address, FORMAT.render(event(name, **data))).delivered
    (message,) = workspace.taken(address)
    (attachment,) = message["attachments"]
    assert message["text"]
    assert attachment["color"].startswith("#")
    told = json.dumps(attachment["blocks"])
    assert "<https://status.example.com" in told


@pytest.mark.parametrize("impact", list(Impact))
@pytest.mark.parametrize("body", ["", " \n", "&" * 10_000, "**x** " * 1600, "😀" * 5000])
def test_slack_reads_the_longest(workspace: Slack, impact: Impact, body: str) -> None:
    """Whatever was typed, however long, Slack does not refuse the message."""
    many = [
        {**AFFECTED, "name": "<&>" * 85, "status": status.value}
        for status in ComponentStatus
        for _ in range(60)
    ]
    data = incident_data(
        title="&<|>" * 63,
        impact=impact.value,
        components=many,
        updates=[{**UPDATE, "body": body}],
    )
    outcome = send(workspace.webhook(), FORMAT.render(event("incident.updated", incident=data)))
    assert outcome.error is None


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("{", "invalid_payload"),
        ("[]", "invalid_payload"),
        ("{}", "no_text"),
        ('{"text":""}', "no_text"),
        ('{"text":"x","blocks":[{"type":"section"}]}', "invalid_blocks"),
        (json.dumps({"text": "x", "blocks": [{"type": "divider"}] * 51}), "invalid_blocks"),
        (
            json.dumps(
                {
                    "text": "x",
                    "attachments": [
                        {
                            "blocks": [
                                {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}
                            ]
                        }
                    ],
                }
            ),
            "invalid_blocks",
        ),
        (
            json.dumps(
                {
                    "text": "x",
                    "blocks": [
                        {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
                    ],
                }
            ),
            "invalid_blocks",
        ),
    ],
)
def test_what_slack_cannot_read_is_not_sent_again(workspace: Slack, body: str, word: str) -> None:
    """The same text would be refused again, other messages may be fine: the delivery ends, not the subscription."""
    outcome = send(workspace.webhook(), body)
    assert (outcome.error, outcome.code) == (f"Slack answered 400: {word}.", 400)
    assert (outcome.final, outcome.ends_subscription) == (True, False)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (403, "action_prohibited"),
        (403, "invalid_token"),
        (404, "channel_not_found"),
        (404, "no_service"),
        (410, "channel_is_archived"),
    ],
)
def test_a_closed_webhook_ends_the_subscription(workspace: Slack, status: int, word: str) -> None:
    """With Slack's own word as the reason."""
    address = workspace.webhook()
    workspace.close(address, status, word)
    outcome = send(address)
    assert outcome.ends_subscription
    assert (outcome.error, outcome.kind) == (f"Slack answered {status}: {word}.", Failure.STATUS)


def test_a_webhook_that_never_was(workspace: Slack) -> None:
    """Slack knows no such service, so there is none to post to."""
    outcome = send(workspace.webhook() + "x")
    assert (outcome.error, outcome.ends_subscription) == ("Slack answered 404: no_service.", True)


@pytest.mark.parametrize(
    "said",
    [b"<html>Gone</html>", b"sesame", b"opensesameopensesame", b"open_" * 60, b"", b"\xff\x00"],
)
def test_only_words_of_slack_are_told(workspace: Slack, said: bytes) -> None:
    """What else stands in an answer is no reason that anybody should read."""
    address = workspace.webhook()
    workspace.fail_once(Answer(status=404, body=said))
    outcome = send(address)
    assert (outcome.error, outcome.ends_subscription) == ("Slack answered 404.", True)


def test_an_echoed_address_is_not_told(workspace: Slack) -> None:
    """Neither as the reason nor in the log."""
    address = workspace.webhook()
    token = address.rpartition("/")[2]
    workspace.fail_once(Answer(status=403, body=f"{address} {token}".encode()))
    outcome = send(address)
    assert (outcome.error, outcome.answer) == ("Slack answered 403.", "[secret] [secret]")


def test_slack_asks_for_patience(workspace: Slack) -> None:
    """429 is tried again, not before the time that Slack names."""
    address = workspace.webhook()
    headers = {"Retry-After": "30"}
    workspace.fail_once(Answer(status=429, body=b"rate_limited", headers=headers))
    outcome = send(address)
    assert (outcome.error, outcome.retry_after) == ("Slack answered 429: rate_limited.", 30.0)
    assert (outcome.final, outcome.ends_subscription) == (False, False)
    assert FORMAT.policy.delay_after(1, retry_after=outcome.retry_after) == 30.0
    assert FORMAT.policy.rate == 60


@pytest.mark.parametrize("status", [302, 401, 500, 503])
def test_other_trouble_is_tried_again(workspace: Slack, status: int) -> None:
    """5xx and what Slack does not document: another attempt may get through. A redirect is not followed."""
    address = workspace.webhook()
    workspace.fail_once(Answer(status=status, headers={"Location": workspace.webhook()}))
    outcome = send(address)
    assert (outcome.delivered, outcome.final, outcome.ends_subscription) == (False, False, False)
    assert len(workspace.requests) == 1
    assert send(address).delivered


@pytest.mark.parametrize("body", [b"", b"<html>Please log in</html>", b"OK"])
def test_another_200_is_none_of_slacks(workspace: Slack, body: bytes) -> None:
    """Only 'ok' says that the message was taken; a page of some proxy is tried again."""
    address = workspace.webhook()
    workspace.fail_once(Answer(body=body))
    outcome = send(address)
    assert (outcome.error, outcome.kind) == ("Slack did not answer 'ok'.", Failure.PROTOCOL)
    assert (outcome.final, outcome.code) == (False, 200)


def test_a_slack_that_hangs(workspace: Slack) -> None:
    """It costs the policy's timeout, and no more."""
    workspace.fail_once(Answer(hang=True))
    started = time.monotonic()
    outcome = send(workspace.webhook(), policy=Policy(timeout=0.5))
    assert time.monotonic() - started < 5
    assert outcome.kind is Failure.TIMEOUT
    unreached = send(f"http://127.0.0.1:{closed_port()}/services/T/B/x")
    assert (unreached.error, unreached.kind) == (
        "The endpoint could not be reached.",
        Failure.CONNECT,
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com.example.com/services/T/B/x",
        "https://example.com/services/T/B/x",
        "https://hooks.slack.com@example.com/services/T/B/x",
        "https://example.com/?https://hooks.slack.com/services/T/B/x",
        "https://xhooks.slack.com/services/T/B/x",
        "https://slack.com/services/T/B/x",
        "http://hooks.slack.com/services/T/B/x",
        "https://hooks.slack.com:8443/services/T/B/x",
        "https://hooks.slack.com",
        "https://hooks.slack.com/",
        "hooks.slack.com/services/T/B/x",
        "",
    ],
)
def test_only_slack_is_an_address(address: str) -> None:
    """The host is one of those that are set, exactly, by the site's rules for schemes and ports."""
    with pytest.raises(Invalid, match=r"^address: "):
        CHANNEL.normalise(address, Settings())


def test_an_address_has_one_spelling() -> None:
    """Case and dot of the host do not make another address; the host may be any that is set."""
    written = " https://HOOKS.slack.com.:443/services/T/B/x "
    assert CHANNEL.normalise(written, Settings()) == "https://hooks.slack.com/services/T/B/x"
    gov = "https://hooks.slack-gov.com/services/T/B/x"
    assert CHANNEL.normalise(gov, Settings()) == gov
    local = "http://localhost:5000/services/T/B/x"
    assert CHANNEL.normalise(local, HERE) == local


def test_a_host_that_was_taken_back(workspace: Slack) -> None:
    """What was saved under other settings is not called any more."""
    outcome = send(
        workspace.webhook(),
        settings=Settings(allow_http_targets=True, allow_private_targets=True),
    )
    assert (outcome.delivered, outcome.kind) == (False, Failure.REFUSED_ADDRESS)
    forbidden = send(workspace.webhook(), settings=Settings(slack_hosts=("127.0.0.1",)))
    assert forbidden.kind is Failure.REFUSED_ADDRESS
    assert workspace.requests == []
