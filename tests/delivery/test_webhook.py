"""The webhook channel against real receivers."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook

from flask_statuspage.config import Settings
from flask_statuspage.delivery import signing
from flask_statuspage.delivery.channels import channels
from flask_statuspage.delivery.formats import formats
from flask_statuspage.delivery.parcel import Failure, Outcome
from flask_statuspage.domain.retry import Policy
from flask_statuspage.errors import Invalid
from tests.outgoing.peer import closed_port, silent_port
from tests.servers.http import Answer, Receiver

from .facts import LOOPBACK, parcel, uuid

WEBHOOK = channels["webhook"]


def send(url: str, *, settings: Settings = LOOPBACK, **changes: object) -> Outcome:
    with WEBHOOK.open(settings) as line:
        return line.send(parcel(address=url, **changes))


def test_the_exact_bytes_arrive_signed(receiver: Receiver) -> None:
    """Body, both signatures, the delivery's id and a present time reach the endpoint."""
    secret = signing.new_secret()
    outcome = send(receiver.url + "/hook?a=1", secret=secret)
    assert outcome.delivered
    assert (outcome.code, outcome.answer) == (200, "ok")
    (request,) = receiver.requests
    body = '{"event":"incident.created","text":"Grüße"}'.encode()
    assert (request.method, request.path, request.body) == ("POST", "/hook?a=1", body)
    headers = request.headers
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "Flask-StatusPage"
    assert headers["webhook-id"] == str(uuid(50))
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Status-Signature"] == mac
    Webhook(secret).verify(request.body, {key.lower(): value for key, value in headers.items()})


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    """The signature headers are absent, not empty; id and time are there."""
    send(receiver.url)
    headers = receiver.requests[0].headers
    assert "X-Status-Signature" not in headers
    assert "webhook-signature" not in headers
    assert "webhook-id" in headers


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(receiver: Receiver, status: int) -> None:
    """Whatever 2xx the endpoint answers, the message is delivered."""
    receiver.answer = Answer(status=status)
    outcome = send(receiver.url)
    assert (outcome.delivered, outcome.code) == (True, status)


@pytest.mark.parametrize("status", [304, 400, 404, 429, 500, 503])
def test_other_answers_are_failures(receiver: Receiver, status: int) -> None:
    """The attempt is kept with its status and the beginning of the answer, and may be retried."""
    receiver.answer = Answer(status=status, body=b"no\x00pe " * 2000)
    outcome = send(receiver.url)
    assert (outcome.error, outcome.code) == (f"The endpoint answered {status}.", status)
    assert (outcome.final, outcome.ends_subscription) == (False, False)
    assert len(outcome.answer or "") <= 4096
    assert "\x00" not in (outcome.answer or "")


def test_an_echoed_address_is_not_kept_where_it_is_a_secret(receiver: Receiver) -> None:
    """Of Slack's address neither the whole nor the path comes into the log; other answers are kept as they came.

    In whatever format it is sent by now.
    """
    path = "/services/T0/B0/sesame"
    as_json = path.replace("/", r"\/")
    echo = f"No {receiver.url}{path}: {path} {as_json}"
    receiver.answer = Answer(status=404, body=echo.encode())
    assert (send(receiver.url + path).answer or "").count("sesame") == 3
    for format in ("slack", "native"):
        outcome = send(receiver.url + path, format=format, secret_address=True)
        assert outcome.answer == r"No [secret]: /[secret] \/[secret]"


@pytest.mark.parametrize(
    "echo",
    [
        "token opensesameopensesame is unknown",
        r'{"path":"\/services\/T0\/B0\/opensesameopensesame?key=1"}',
        "x" * 4080 + "opensesameopensesame",
        "x" * 4089 + "opensesameopensesame",
        "x" * 4000 + "/services/T0/B0/opensesameopensesame" * 9,
    ],
)
def test_no_piece_of_a_secret_address_is_kept(receiver: Receiver, echo: str) -> None:
    """Nor its last part alone, nor one that JSON wrote otherwise, nor what is left of it where the answer was cut."""
    receiver.answer = Answer(status=404, body=echo.encode())
    address = receiver.url + "/services/T0/B0/opensesameopensesame?key=1"
    answer = send(address, secret_address=True).answer or ""
    assert "[secret]" in answer
    assert "opens" not in answer
    assert not answer.endswith("open")


def test_410_ends_the_subscription(receiver: Receiver) -> None:
    """An endpoint that is gone wants nothing more."""
    receiver.answer = Answer(status=410)
    assert send(receiver.url).ends_subscription


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    """A redirect is a failure, and nothing is sent to where it leads."""
    receiver.answer = Answer(status=302, headers={"Location": receiver.url + "/secret"})
    outcome = send(receiver.url + "/hook")
    assert (outcome.code, outcome.delivered) == (302, False)
    assert [request.path for request in receiver.requests] == ["/hook"]


@pytest.mark.parametrize(
    "answer", [Answer(hang=True), Answer(body=b"x" * 100, drip=0.1), Answer(delay=5)]
)
def test_one_deadline_over_all(receiver: Receiver, answer: Answer) -> None:
    """An endpoint that hangs or drips costs the policy's timeout and not more."""
    receiver.answer = answer
    started = time.monotonic()
    outcome = send(receiver.url, policy=Policy(timeout=0.5))
    assert time.monotonic() - started < 4
    assert outcome.error == "The endpoint did not answer in time."
    assert 400 <= (outcome.milliseconds or 0) <= 4000


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("\xb2", None),
        ("9" * 400, float("inf")),
        ("Mon, 01 Jan 99999 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read(receiver: Receiver, value: str, seconds: float | None) -> None:
    """Seconds or a date; whatever else an endpoint writes there is no reason to fail."""
    receiver.answer = Answer(status=503, headers={"Retry-After": value})
    outcome = send(receiver.url)
    assert (outcome.code, outcome.retry_after) == (503, seconds)


def test_retry_after_may_be_a_date(receiver: Receiver) -> None:
    """A date is counted from now."""
    at = datetime.now(UTC) + timedelta(seconds=100)
    receiver.answer = Answer(status=429, headers={"Retry-After": format_datetime(at, usegmt=True)})
    assert 90 <= (send(receiver.url).retry_after or 0) <= 100


def test_failures_are_fixed_words(receiver: Receiver) -> None:
    """Refused, swallowed, unresolved and forbidden look alike: nobody learns what lies behind an address."""
    words = "The endpoint could not be reached."
    refused = send(f"http://127.0.0.1:{closed_port()}/")
    with silent_port() as port:
        swallowed = send(f"http://127.0.0.1:{port}/", policy=Policy(timeout=0.3))
    unresolved = send("http://nowhere.invalid/")
    forbidden = send(receiver.url, settings=Settings(allow_http_targets=True))
    outcomes = (refused, swallowed, unresolved, forbidden)
    assert {outcome.error for outcome in outcomes} == {words}
    assert {outcome.code for outcome in outcomes} == {None}
    assert receiver.requests == []


def test_an_address_is_checked_when_it_is_saved() -> None:
    """A private or plain-http address is refused, unless the site allows it."""
    for address in ("http://127.0.0.1/", "https://127.0.0.1/", "https://localhost/", "nonsense"):
        with pytest.raises(Invalid, match=r"^address: "):
            WEBHOOK.normalise(address, Settings())
    assert WEBHOOK.normalise(" http://127.0.0.1:5000/x ", LOOPBACK) == "http://127.0.0.1:5000/x"


def test_a_format_that_cannot_sign_ends_its_own_delivery(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No retry helps it; nothing is sent unsigned."""

    def explode(secret: str, body: bytes) -> dict[str, str]:
        raise KeyError("a key that it expected")

    broken = replace(formats["native"], name="broken", sign=explode)
    monkeypatch.setattr(formats, "_all", {**formats._loaded(), "broken": broken})
    outcome = send(receiver.url, format="broken", secret="s" * 16)
    assert (outcome.final, outcome.kind) == (True, Failure.CHANNEL)
    assert outcome.error == "The format could not sign the message (KeyError)."
    assert receiver.requests == []
    assert "format broken could not sign" in caplog.text
