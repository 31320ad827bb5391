"""The http probe against a real server."""

from __future__ import annotations

import time
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Invalid
from tests.outgoing.peer import closed_port
from tests.probing.asking_http import HTTP, LOOPBACK, ask, order
from tests.servers.http import Answer, Target


def test_a_site_that_answers_is_up(target: Target) -> None:
    """A 2xx is up, with its status and its time."""
    result = ask(target.set("/health", Answer(status=204)))
    assert (result.outcome, result.code, result.error) == (Verdict.UP, 204, None)
    assert 0 <= (result.milliseconds or 0) < 2000
    assert target.requests[0].headers["User-Agent"] == "Flask-StatusPage monitor"


@pytest.mark.parametrize(
    ("status", "expected", "outcome"),
    [
        (200, None, Verdict.UP),
        (299, None, Verdict.UP),
        (301, None, Verdict.DOWN),
        (404, None, Verdict.DOWN),
        (500, None, Verdict.DOWN),
        (404, 404, Verdict.UP),
        (200, 404, Verdict.DOWN),
        (302, "3xx", Verdict.UP),
        (200, "3xx", Verdict.DOWN),
        (401, ["2xx", 401], Verdict.UP),
        (403, ["2xx", 401], Verdict.DOWN),
        (200, ["2xx", 401], Verdict.UP),
    ],
)
def test_the_expected_status_decides(
    target: Target, status: int, expected: Any, outcome: Verdict
) -> None:
    """A status, a class of statuses or a list of both is expected; 2xx unless something is said."""
    options = {} if expected is None else {"expected_status": expected}
    result = ask(target.set("/health", Answer(status=status)), **options)
    assert (result.outcome, result.code) == (outcome, status)
    assert result.error == (None if outcome is Verdict.UP else f"Answered {status}")


def test_a_slow_answer_is_degraded(target: Target) -> None:
    """A right answer that took longer than the threshold is degraded; a wrong one is down all the same."""
    url = target.set("/slow", Answer(delay=0.2))
    result = ask(url, degraded_over_ms=100)
    assert (result.outcome, result.code) == (Verdict.DEGRADED, 200)
    assert result.error == "Slower than 100 ms"
    assert ask(url, degraded_over_ms=5000).outcome is Verdict.UP
    target.set("/slow", Answer(delay=0.2, status=500))
    assert ask(url, degraded_over_ms=100).error == "Answered 500"


@pytest.mark.parametrize("answer", [Answer(hang=True), Answer(body=b"x" * 100, drip=0.1)])
def test_no_answer_in_time_is_down(target: Target, answer: Answer) -> None:
    """A site that hangs or drips is down when the monitor's own timeout is over, not later."""
    url = target.set("/hang", answer)
    started = time.monotonic()
    result = ask(url, timeout=0.4)
    assert time.monotonic() - started < 5
    assert (result.outcome, result.code) == (Verdict.DOWN, None)
    assert result.error == "No answer in time"


def test_failures_to_connect_are_down() -> None:
    """Refused and unresolved are told apart: the monitor's owner may know."""
    refused = ask(f"http://127.0.0.1:{closed_port()}/")
    assert (refused.outcome, refused.error) == (Verdict.DOWN, "Connection failed")
    unresolved = ask("http://nowhere.invalid/")
    assert unresolved.error == "The name could not be resolved"


def test_a_private_address_is_not_called(target: Target) -> None:
    """Where private targets are not allowed a loopback address is refused, saved or not."""
    strict = Settings(allow_http_targets=True)
    result = ask(target.url, settings=strict)
    assert (result.outcome, result.error) == (Verdict.DOWN, "The address may not be called")
    assert target.requests == []
    with pytest.raises(Invalid, match=r"^target: "):
        HTTP.normalise(target.url, strict)
    assert HTTP.normalise(f" {target.url} ", LOOPBACK) == target.url


def test_a_name_that_does_not_resolve_may_be_watched() -> None:
    """To find out when a name comes to life, or dies, is what a monitor is for."""
    target = "https://does-not-exist.flask-statuspage-tests.com/"
    assert HTTP.normalise(target, Settings()) == target


def test_the_method_is_the_monitors(target: Target) -> None:
    """A HEAD is a HEAD, and a redirect is answered for itself."""
    url = target.set("/there", Answer(status=302, headers={"Location": target.url + "/here"}))
    assert ask(url, method="HEAD", expected_status=302).outcome is Verdict.UP
    assert [(one.method, one.path) for one in target.requests] == [("HEAD", "/there")]


def test_too_slow_an_answer_is_none(target: Target) -> None:
    """Beyond a second threshold a right answer counts as an outage, whatever the first one says."""
    url = target.set("/slow", Answer(delay=0.15))
    result = ask(url, down_over_ms=100, degraded_over_ms=50)
    assert (result.outcome, result.code, result.error) == (Verdict.DOWN, 200, "Slower than 100 ms")
    assert ask(url, down_over_ms=5000).outcome is Verdict.UP


def test_headers_and_body_are_sent(target: Target) -> None:
    """As they were written; the body as UTF-8."""
    ask(
        target.url,
        method="POST",
        headers={"X-Who": "monitor", "Content-Type": "text/plain", "user-agent": "ours"},
        body="grüße",
    )
    (request,) = target.requests
    assert (request.method, request.body) == ("POST", "grüße".encode())
    assert request.headers["X-Who"] == "monitor"
    assert request.headers["Content-Type"] == "text/plain"
    assert request.headers.get_all("User-Agent") == ["ours"]


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (
            {"type": "basic", "username": "Aladdin", "password": "open sesame"},
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",  # RFC 7617, 2
        ),
        ({"type": "basic", "username": "test", "password": "123£"}, "Basic dGVzdDoxMjPCow=="),
        ({"type": "basic", "username": "u", "password": ""}, "Basic dTo="),
        ({"type": "bearer", "token": "mF_9.B5f-4.1JqM"}, "Bearer mF_9.B5f-4.1JqM"),  # RFC 6750, 2.1
    ],
)
def test_credentials_are_sent(target: Target, auth: dict[str, str], header: str) -> None:
    """By the schemes basic, in UTF-8, and bearer."""
    ask(target.url, auth=auth)
    assert target.requests[0].headers["Authorization"] == header


def test_an_order_does_not_show_its_options() -> None:
    """Logs may show orders, and options hold secrets."""
    assert "hunter2" not in repr(order("https://example.com/", options={"password": "hunter2"}))
