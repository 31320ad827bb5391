"""A session of requests over our client: one deadline, no redirects, no proxies, the body as it was sent."""

from __future__ import annotations

import time

import pytest
import requests

from flask_statuspage.outgoing import AddressPolicy, Client, SendFailed
from flask_statuspage.outgoing.adapter import ClientAdapter
from tests.servers.http import Answer, Receiver


def opened(*, timeout: float = 5.0, plain: bool = False) -> requests.Session:
    client = Client(AddressPolicy(allow_http=True, allow_private=True))
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, ClientAdapter(client, timeout=timeout, plain=plain))
    return session


def test_a_request_and_its_answer(receiver: Receiver) -> None:
    """Method, headers and body go out as the session made them; status, headers and body come back."""
    receiver.answer = Answer(status=418, body="Grüße".encode(), headers={"X-One": "1"})
    with opened() as session:
        answer = session.post(
            receiver.url, data={"a": "b c"}, headers={"X-Two": "2"}, auth=("u", "p")
        )
    assert (answer.status_code, answer.text, answer.headers["x-one"]) == (418, "Grüße", "1")
    (request,) = receiver.requests
    assert (request.method, request.body) == ("POST", b"a=b+c")
    assert request.headers["X-Two"] == "2"
    assert request.headers["Authorization"].startswith("Basic ")
    assert request.headers["User-Agent"] == "Flask-StatusPage"


def test_no_redirect(receiver: Receiver) -> None:
    """Where an answer leads is not followed: what was sent is for nobody else."""
    receiver.answer = Answer(status=307, headers={"Location": receiver.url + "/elsewhere"})
    with opened() as session:
        assert session.post(receiver.url, data={"a": "b"}).status_code == 307
    assert len(receiver.requests) == 1


def test_one_deadline(receiver: Receiver) -> None:
    """A body that drips ends the call at the deadline, whatever the session asks for."""
    receiver.answer = Answer(body=b"x" * 100, drip=0.1)
    began = time.monotonic()
    with opened(timeout=0.5) as session, pytest.raises(SendFailed) as caught:
        session.get(receiver.url, timeout=60)
    assert caught.value.kind == "timeout"
    assert time.monotonic() - began < 3


def test_no_proxy(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies of the environment are not used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with opened() as session:
        assert session.get(receiver.url).status_code == 200


def test_plain(receiver: Receiver) -> None:
    """What a library insists to address to https goes to http where the operator said so."""
    with opened(plain=True) as session:
        answer = session.get(receiver.url.replace("http", "https"))
    assert answer.status_code == 200
    assert answer.url.startswith("https://")
