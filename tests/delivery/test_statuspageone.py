"""StatusPageOne's webhook, field for field as its document has it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from flask_statuspage.delivery.formats import formats
from flask_statuspage.delivery.formats.statuspageone import STATUS, public_part
from flask_statuspage.domain.events import Event
from flask_statuspage.domain.verdict import Verdict

from .facts import event, monitor_data

ONE = formats["statuspageone"]
GOOD = {
    "outcome": "up",
    "region": "us-east-1",
    "at": "2026-02-19T18:30:00+01:00",
    "milliseconds": 245,
    "code": 200,
    "error": None,
}


def rendered(name: str, **data: Any) -> dict[str, Any]:
    return json.loads(ONE.render(event(name, **data)))


def test_an_incident_literally() -> None:
    """Every byte of an incident alert, in the order of the document."""
    assert ONE.render(event("monitor.down", monitor=monitor_data())) == (
        '{"event_type":"monitor_alert","monitor":{"id":"00000000-0000-0000-0000-000000000028",'
        '"name":"API check","url":"https://api.example.com/","status":"DOWN"},'
        '"check_result":{"status":"DOWN","timestamp":"2026-02-19T17:30:00Z","region":"eu",'
        '"error_message":"No answer in time","response_time_ms":10000,"status_code":null},'
        '"context":{"consecutive_failures":3,"previous_status":"UP","notification_level":1,'
        '"notification_type":"incident"}}'
    )


def test_a_recovery_literally() -> None:
    """Every byte of a recovery alert: no error_message, no failures, an instant of another zone in UTC."""
    data = monitor_data(verdict="up", previous="down", failures=0, check=GOOD)
    assert ONE.render(event("monitor.recovered", monitor=data)) == (
        '{"event_type":"monitor_alert","monitor":{"id":"00000000-0000-0000-0000-000000000028",'
        '"name":"API check","url":"https://api.example.com/","status":"UP"},'
        '"check_result":{"status":"UP","timestamp":"2026-02-19T17:30:00Z","region":"us-east-1",'
        '"response_time_ms":245,"status_code":200},'
        '"context":{"consecutive_failures":0,"previous_status":"DOWN","notification_level":1,'
        '"notification_type":"recovery"}}'
    )


@pytest.mark.parametrize(("kind", "status"), [("http", 503), ("upstream", 503), ("dns", None)])
def test_the_status_code_is_one_of_http(kind: str, status: int | None) -> None:
    """The number of another protocol, such as that of a DNS answer, is none."""
    check = {**GOOD, "code": 503}
    body = rendered("monitor.down", monitor=monitor_data(kind=kind, check=check))
    assert body["check_result"]["status_code"] == status


def test_a_test_literally() -> None:
    """A test is the document's: the monitor `test` is down, and the error says that it is a test."""
    assert ONE.render(event("test", message="This is a test.")) == (
        '{"event_type":"monitor_alert","monitor":{"id":"test","name":"Test Monitor",'
        '"url":"https://status.example.com","status":"DOWN"},'
        '"check_result":{"status":"DOWN","timestamp":"2026-02-19T17:30:05Z","region":"test",'
        '"error_message":"This is a test.","response_time_ms":null,"status_code":null},'
        '"context":{"consecutive_failures":1,"previous_status":"UP","notification_level":1,'
        '"notification_type":"incident"}}'
    )


def test_a_repeated_notice() -> None:
    """While it stays down the level counts up, and it was down before."""
    data = monitor_data(previous="down", failures=9, notification_level=3)
    assert rendered("monitor.down", monitor=data)["context"] == {
        "consecutive_failures": 9,
        "previous_status": "DOWN",
        "notification_level": 3,
        "notification_type": "incident",
    }


def test_a_recovery_without_a_check() -> None:
    """A monitor that starts anew recovers at the moment of the event, with nothing measured."""
    data = monitor_data(verdict="unknown", previous="down", failures=2, check=None)
    body = rendered("monitor.recovered", monitor=data)
    assert body["check_result"] == {
        "status": "UP",
        "timestamp": "2026-02-19T17:30:05Z",
        "region": None,
        "response_time_ms": None,
        "status_code": None,
    }
    assert body["context"]["consecutive_failures"] == 0


@pytest.mark.parametrize(("name", "word"), [("monitor.down", "DOWN"), ("monitor.recovered", "UP")])
@pytest.mark.parametrize("outcome", ["up", "degraded", "down"])
def test_both_statuses_agree(name: str, word: str, outcome: str) -> None:
    """The check that decided may say otherwise than its monitor; receivers read the check's status."""
    body = rendered(name, monitor=monitor_data(check={**GOOD, "outcome": outcome}))
    assert (body["monitor"]["status"], body["check_result"]["status"]) == (word, word)
    assert ("error_message" in body["check_result"]) is (word == "DOWN")


@pytest.mark.parametrize("previous", list(Verdict))
def test_two_words_for_all_verdicts(previous: Verdict) -> None:
    """Whatever is not down is up."""
    assert STATUS[previous] == ("DOWN" if previous is Verdict.DOWN else "UP")
    body = rendered("monitor.down", monitor=monitor_data(previous=previous.value))
    assert body["context"]["previous_status"] == STATUS[previous]


def test_a_previous_verdict_that_nobody_knows() -> None:
    """It was the opposite, for something has changed."""
    for name, word in (("monitor.down", "UP"), ("monitor.recovered", "DOWN")):
        body = rendered(name, monitor=monitor_data(previous=None))
        assert body["context"]["previous_status"] == word


def test_the_level_of_a_repeated_notice() -> None:
    """A monitor that stays down is told again with the level that the event gives."""
    body = rendered("monitor.down", monitor=monitor_data(notification_level=3, previous="down"))
    assert body["context"]["notification_level"] == 3


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("https://api.example.com/health", "https://api.example.com/health"),
        ("https://api.example.com:8443/h?key=1", "https://api.example.com:8443/h"),
        ("https://api.example.com?key=a@b", "https://api.example.com"),
        ("https://api.example.com/h#key", "https://api.example.com/h"),
        ("https://api.example.com/h#a?b", "https://api.example.com/h"),
        ("https://me:secret@api.example.com/h", "https://api.example.com/h"),
        ("https://me:se@cret@api.example.com/h", "https://api.example.com/h"),
        ("https://api.example.com/@me", "https://api.example.com/@me"),
        ("redis://:secret@cache:6379/0", "redis://cache:6379/0"),
        ("me:secret@db.example.com:5432", "db.example.com:5432"),
        ("db.example.com:5432", "db.example.com:5432"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
        ("https://[2001:db8::1", "https://[2001:db8::1"),
        ("", ""),
    ],
)
def test_the_target_without_keys(target: str, shown: str) -> None:
    """User, query and fragment are left out, whatever kind of target it is; the rest is as it was typed."""
    assert public_part(target) == shown
    body = rendered("monitor.down", monitor=monitor_data(target=target))
    assert body["monitor"]["url"] == shown


def test_the_signature() -> None:
    """`sha256=` and the lower-case hex HMAC-SHA256 of the exact body."""
    body = ONE.render(event("monitor.down", monitor=monitor_data(name="Grüße"))).encode()
    mac = hmac.new(b"a secret", body, hashlib.sha256).hexdigest()
    assert ONE.sign("a secret", body) == {"X-StatusPageOne-Signature": "sha256=" + mac}


def test_monitors_only_and_for_members() -> None:
    """Incidents, recoveries or both can be chosen; both come unasked, and only to the site's team."""
    assert ONE.unasked == ONE.offered == {"monitor.down", "monitor.recovered"}
    assert ONE.members_only


def test_the_documented_policy() -> None:
    """Thirty seconds, any 2xx, five retries each four times later, 100 a minute, 1 MB."""
    policy = ONE.policy
    assert (policy.timeout, policy.rate, policy.size) == (30.0, 100, 1_000_000)
    assert policy.delays == (30.0, 120.0, 480.0, 1920.0, 7680.0)
    assert (policy.is_success(204), policy.is_success(302)) == (True, False)


def test_the_same_event_has_the_same_bytes() -> None:
    """Rendering changes nothing in the event and depends on nothing else."""
    fact: Event = event("monitor.down", monitor=monitor_data())
    before = json.dumps(fact.data)
    assert ONE.render(fact) == ONE.render(fact)
    assert json.dumps(fact.data) == before
