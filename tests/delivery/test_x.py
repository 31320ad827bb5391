"""The channel X against an X on loopback: threads, tokens that end, limits, doubles, and what ends a subscription."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from flask_statuspage.config import Settings
from flask_statuspage.delivery.channels import channels
from flask_statuspage.delivery.parcel import Failure, Outcome
from flask_statuspage.domain.retry import Policy
from flask_statuspage.errors import AccessRefused, AccessUnreachable, Invalid
from flask_statuspage.state import EXTENSION, State
from tests.servers import x as fake
from tests.servers.http import Answer

from .facts import parcel, uuid

CHANNEL = channels["x"]
Send = Callable[..., Outcome]


@pytest.fixture
def x() -> Iterator[fake.FakeX]:
    with fake.running() as site:
        yield site


class Keys:
    """Hands out tokens of *x* as the service does, and notes what it is asked for."""

    def __init__(self, x: fake.FakeX) -> None:
        self.x = x
        self.token = x.grant()["access_token"]
        self.asked: list[str | None] = []

    def __call__(self, subscription_id: UUID, refused: str | None) -> str:
        assert subscription_id == uuid(51)
        self.asked.append(refused)
        if refused == self.token:
            self.token = self.x.grant()["access_token"]
        return str(self.token)


@pytest.fixture
def keys(x: fake.FakeX) -> Keys:
    return Keys(x)


@pytest.fixture
def send(x: fake.FakeX, keys: Keys) -> Iterator[Send]:
    settings = Settings(x_client_id=fake.CLIENT_ID, x_api_url=x.url)
    app = Flask("host")
    app.extensions[EXTENSION] = State(settings, access_token=keys)

    def post(body: str = "Hello", **changes: Any) -> Outcome:
        values = {"channel": "x", "format": "x", "address": "@acme", "body": body}
        with app.app_context(), CHANNEL.open(settings) as line:
            return line.send(parcel(**values, **changes))

    return post


def test_a_thread(x: fake.FakeX, send: Send) -> None:
    """What X calls a post comes back, and the next one answers it."""
    first = send("One")
    assert (first.delivered, first.code) == (True, 201)
    second = send("Two", reply_to=first.remote_id)
    assert second.delivered
    assert [(post.text, post.reply_to) for post in x.posts] == [
        ("One", None),
        ("Two", first.remote_id),
    ]
    (request, _) = x.receiver.requests
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body) == {"text": "One"}


def test_an_ended_token(x: fake.FakeX, keys: Keys, send: Send) -> None:
    """One that X refuses is exchanged once, and the same post goes out with the new one."""
    old = keys.token
    x.expire()
    assert send().delivered
    assert keys.asked == [None, old]
    assert len(x.posts) == 1


def test_refused_twice(x: fake.FakeX, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """When X refuses the new token, too, that is a failure to be tried again."""
    x.lifetime = 0
    x.expire()
    outcome = send()
    assert (outcome.error, outcome.code) == ("X answered 401.", 401)
    assert not outcome.final
    assert not outcome.ends_subscription
    assert len(x.receiver.requests) == 2


@pytest.mark.parametrize(
    ("error", "ends"),
    [(AccessRefused("X refused."), True), (AccessUnreachable("X is away."), False)],
)
def test_no_token(
    x: fake.FakeX, error: Exception, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token nothing is posted; whether that is for good decides about the subscription."""
    settings = Settings(x_client_id=fake.CLIENT_ID, x_api_url=x.url)

    def none(subscription_id: UUID, refused: str | None) -> str:
        raise error

    app = Flask("host")
    app.extensions[EXTENSION] = State(settings, access_token=none)
    with app.app_context(), CHANNEL.open(settings) as line:
        outcome = line.send(parcel(channel="x", format="x"))
    assert outcome.ends_subscription is ends
    assert outcome.error == (
        "X no longer accepts our access; sign in again." if ends else "X is away."
    )
    assert x.receiver.requests == []


def test_a_double_after_a_timeout(x: fake.FakeX, send: Send) -> None:
    """What X took without answering counts as sent when it is tried again; at a first attempt it is final."""
    x.take_then_hang = 1
    first = send(policy=Policy(timeout=1.5))
    assert first.kind is Failure.TIMEOUT
    assert not first.final
    assert send(attempt=2).delivered
    assert len(x.posts) == 1
    other = send(attempt=1)
    assert not other.delivered
    assert other.final
    assert not other.ends_subscription
    assert "same words" in str(other.error)


def test_a_deleted_post(x: fake.FakeX, send: Send) -> None:
    """When the post before was deleted at X the thread begins anew, and nothing ends."""
    first = send("One")
    x.delete(str(first.remote_id))
    second = send("Two", reply_to=first.remote_id)
    assert second.delivered
    assert [(post.text, post.reply_to) for post in x.posts] == [("Two", None)]


def test_suspended(x: fake.FakeX, send: Send) -> None:
    """An account that may not post any more ends the subscription with X's words."""
    x.suspended.add("1001")
    outcome = send()
    assert outcome.ends_subscription
    assert outcome.error == (
        "X refuses our posts: Your account is suspended and is not permitted to do this."
    )
    # Also when it is tried once more: only a double counts as sent.
    assert send(attempt=2).ends_subscription


LIMITED = [
    ({"x-rate-limit-reset": "+90", "x-rate-limit-remaining": "0"}, 90),
    ({"Retry-After": "30"}, 30),
    (
        {
            "x-rate-limit-reset": "+900",
            "x-rate-limit-remaining": "17",
            "x-user-limit-24hour-reset": "+5000",
            "x-user-limit-24hour-remaining": "0",
        },
        5000,
    ),
    ({"x-rate-limit-reset": "-50"}, 0),
    ({"x-rate-limit-reset": "soon", "Retry-After": "later"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), LIMITED)
def test_limits(x: fake.FakeX, send: Send, headers: dict[str, str], seconds: float | None) -> None:
    """At a 429 it waits until the limit that is used up begins anew, as X tells it."""
    sent = {
        name: str(round(time.time()) + int(value)) if value[0] in "+-" else value
        for name, value in headers.items()
    }
    x.limited = Answer(status=429, body=b'{"title": "Too Many Requests"}', headers=sent)
    outcome = send()
    assert (outcome.code, outcome.final, outcome.ends_subscription) == (429, False, False)
    if seconds is None:
        assert outcome.retry_after is None
    else:
        assert outcome.retry_after == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize(
    ("status", "final"),
    [(500, False), (503, False), (408, False), (400, True), (404, True), (302, False)],
)
def test_other_answers(x: fake.FakeX, send: Send, status: int, final: bool) -> None:
    """A fault of X is tried again, one of the post is not; neither ends the subscription."""
    x.limited = Answer(status=status, body=b"<html>")
    outcome = send()
    assert (outcome.error, outcome.final) == (f"X answered {status}.", final)
    assert not outcome.ends_subscription


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data": []}', b'{"data": {"id": 5}}', b"\xff"])
def test_a_post_without_a_name(x: fake.FakeX, send: Send, body: bytes) -> None:
    """A 201 counts whatever stands in it; the next post has nothing to answer then."""
    x.limited = Answer(status=201, body=body)
    outcome = send()
    assert outcome.delivered
    assert outcome.remote_id is None


def test_nobody_there(x: fake.FakeX, keys: Keys) -> None:
    """An X that cannot be reached is tried again."""
    settings = Settings(x_client_id=fake.CLIENT_ID, x_api_url="http://127.0.0.1:9")
    app = Flask("host")
    app.extensions[EXTENSION] = State(settings, access_token=keys)
    with app.app_context(), CHANNEL.open(settings) as line:
        outcome = line.send(parcel(channel="x", format="x"))
    assert (outcome.kind, outcome.final) == (Failure.CONNECT, False)
    assert outcome.error == "X could not be reached."


@pytest.mark.parametrize(
    ("typed", "kept"), [("@Acme", "@acme"), (" acme_1 ", "@acme_1"), ("A" * 15, "@" + "a" * 15)]
)
def test_names(typed: str, kept: str) -> None:
    """Names are kept in one spelling."""
    assert CHANNEL.normalise(typed, Settings()) == kept


@pytest.mark.parametrize(
    "typed", ["", "@", "@@a", "a b", "a" * 16, "á", "\uff20acme", "x.com/acme"]
)
def test_no_names(typed: str) -> None:
    """Whatever cannot be a name is refused by the field."""
    with pytest.raises(Invalid) as caught:
        CHANNEL.normalise(typed, Settings())
    assert [error.field for error in caught.value.errors] == ["address"]


def test_available() -> None:
    """Without a client ID it is not there, and says why."""
    assert CHANNEL.available(Settings()) == "STATUSPAGE_X_CLIENT_ID is not set."
    assert CHANNEL.available(Settings(x_client_id="id")) is None
