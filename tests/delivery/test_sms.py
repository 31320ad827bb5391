"""Texts: which numbers are taken, what a gateway gets, and what its answers mean."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import Flask

from flask_statuspage import StatusPage
from flask_statuspage.config import Settings
from flask_statuspage.delivery.channels import channels
from flask_statuspage.delivery.channels.sms import UNREACHABLE, gateway_url
from flask_statuspage.delivery.parcel import Failure, Outcome, Parcel
from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.opt_out import STOPPED, Answer, answer_of
from flask_statuspage.domain.retry import Policy
from flask_statuspage.errors import Invalid
from flask_statuspage.state import EXTENSION
from tests.servers.http import Answer as HttpAnswer
from tests.servers.sms_gateway import ACCOUNT, REFUSALS, SENDER, TOKEN, SmsGateway

NUMBER = "+4917123456789"
BODY = json.dumps({"before": "Acme: ", "text": "Payments fail", "after": " https://a.example/i"})


@contextmanager
def host(statuspage: StatusPage | None = None, **config: Any) -> Iterator[Settings]:
    """An app with *config*, in its context; its settings."""
    app = Flask("host")
    app.config.update(SECRET_KEY="a key for tests", **config)
    app.register_blueprint(statuspage or StatusPage(), url_prefix="/status")
    with app.app_context():
        yield app.extensions[EXTENSION].settings


def parcel(body: str = BODY, *, timeout: float = 5) -> Parcel:
    return Parcel(
        delivery_id=new_id(),
        subscription_id=new_id(),
        lease=new_id(),
        attempt=1,
        channel="sms",
        format="sms",
        address=NUMBER,
        event_name="incident.created",
        subject_id=new_id(),
        body=body,
        secret=None,
        policy=Policy(timeout=timeout),
        endpoint="sms",
    )


def sent(settings: dict[str, Any], *parcels: Parcel) -> list[Outcome]:
    """What becomes of *parcels*, one after the other on one line."""
    with host(**settings) as made, channels["sms"].open(made) as line:
        return [line.send(one) for one in parcels or (parcel(),)]


@pytest.mark.parametrize(
    ("typed", "region", "kept"),
    [
        (" +49 171 2345-6789 ", None, NUMBER),
        ("+49 (0171) 23456789", None, NUMBER),
        ("0171 23456789", "DE", NUMBER),
        ("0049 171 23456789", "DE", NUMBER),
        ("\uff0b49\uff11\uff17\uff1123456789", None, NUMBER),
        ("(415) 555-2671", "US", "+14155552671"),
        ("+1 415 555 2671", "DE", "+14155552671"),
        ("tel:+1-415-555-2671", "US", "+14155552671"),
    ],
)
def test_a_number_has_one_spelling(typed: str, region: str | None, kept: str) -> None:
    """However it is typed, a number is kept as E.164, and that spelling stands for itself."""
    settings = replace(Settings(), sms_region=region)
    assert channels["sms"].normalise(typed, settings) == kept
    assert channels["sms"].normalise(kept, settings) == kept


@pytest.mark.parametrize(
    ("typed", "region", "words"),
    [
        ("", None, "Begin with"),
        ("0171 23456789", None, "Begin with"),
        ("171 23456789", None, "Begin with"),
        ("ann@example.com", "DE", "not a phone number"),
        ("+", None, "not a phone number"),
        ("+999 123 4567", None, "not a phone number"),
        ("+49 171", None, "digits"),
        ("+49 171 23456789012345", None, "digits|not a phone"),
        ("+49 171 23456789" + "0" * 500, None, "not a phone number"),
        ("+1 200 555 0199", None, "no such number"),
        ("+1 415 555 2671 ext. 5", None, "extension"),
        ("+49 900 1234567", None, "cost extra"),
        ("+\x00", None, "not a phone number"),
        ("+\ud800", None, "not a phone number"),
    ],
)
def test_what_is_no_number_is_refused(typed: str, region: str | None, words: str) -> None:
    """What cannot be texted names the address and says what is wrong with it."""
    with pytest.raises(Invalid, match=words) as refused:
        channels["sms"].normalise(typed, replace(Settings(), sms_region=region))
    assert [error.field for error in refused.value.errors] == ["address"]


def test_what_is_missing_is_said() -> None:
    """Without a gateway the channel names the settings; a registered sender does instead of them all."""
    with host() as settings:
        missing = channels["sms"].available(settings)
        assert missing
        assert all(name in missing for name in ("SMS_ACCOUNT", "SMS_TOKEN", "SMS_FROM"))
    page = StatusPage()
    page.sms_sender(lambda number, text: None)
    with host(page) as settings:
        assert channels["sms"].available(settings) is None


def test_a_missing_extra_is_said(gateway: SmsGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without phonenumbers there is no channel, whatever is set, and the extra is named."""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with host(**gateway.settings) as settings:
        assert channels["sms"].available(settings) == "install Flask-StatusPage[sms]"


def test_twilio_itself_is_the_gateway_unless_another_is_set() -> None:
    """Without a URL texts go to the account's messages at Twilio, whatever stands in the account's name."""
    settings = replace(Settings(), sms_account="AC/1?")
    known = "https://api.twilio.com/2010-04-01/Accounts/AC%2F1%3F/Messages.json"
    assert gateway_url(settings) == known


def test_a_text_is_posted_as_twilio_documents(gateway: SmsGateway) -> None:
    """The form, the account and the token arrive, and the outcome has the text's sid but not what was answered."""
    (outcome,) = sent(gateway.settings)
    (text,) = gateway.texts
    assert (text.to, text.sender) == (NUMBER, SENDER)
    assert "Payments fail" in text.body
    assert "https://a.example/i" in text.body
    assert (outcome.error, outcome.code, outcome.remote_id) == (None, 201, text.sid)
    assert outcome.answer is None
    assert gateway.complaints == []


def test_a_messaging_service_is_named_as_such(gateway: SmsGateway) -> None:
    """A sender that begins with MG goes out as MessagingServiceSid, without From."""
    service = "MG" + "1" * 32
    sent({**gateway.settings, "STATUSPAGE_SMS_FROM": service})
    assert [text.sender for text in gateway.texts] == [service]
    assert "From" not in parse_qs(gateway.receiver.requests[0].body.decode())


@pytest.mark.parametrize("most", [1, 2, 4])
@pytest.mark.parametrize("words", ["Payments fail again. ", "Zahlungen stocken ☂ ", "€^{}~"])
def test_texts_are_cut_to_their_segments(gateway: SmsGateway, most: int, words: str) -> None:
    """However long the words are, the gateway bills no more segments than set, and the link is whole."""
    long = json.dumps({"before": "Acme: ", "text": words * 200, "after": " https://a.example/i"})
    sent({**gateway.settings, "STATUSPAGE_SMS_SEGMENTS": most}, parcel(long))
    (text,) = gateway.texts
    assert text.segments <= most
    assert text.body.endswith("https://a.example/i")
    assert text.body.startswith("Acme: ")


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_what_a_refusal_means(gateway: SmsGateway, code: int) -> None:
    """A number that nobody can text, and one whose owner said STOP, is suppressed; all else is tried again."""
    gateway.refuse_with = code
    (outcome,) = sent(gateway.settings)
    status, message = REFUSALS[code]
    assert not outcome.delivered
    assert (outcome.code, outcome.kind) == (status, Failure.STATUS)
    assert outcome.suppresses_address is (code == 21610 or code in UNREACHABLE)
    assert (outcome.error == STOPPED) is (code == 21610)
    assert not outcome.ends_subscription
    assert not outcome.final
    assert message.split()[0] in (outcome.answer or "")
    assert gateway.texts == []


def test_our_own_faults_never_suppress(gateway: SmsGateway) -> None:
    """A wrong token is ours, whatever number the text was for."""
    (outcome,) = sent({**gateway.settings, "STATUSPAGE_SMS_TOKEN": "wrong"})
    assert (outcome.code, outcome.suppresses_address) == (401, False)


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), (None, None), ("soon", None)])
def test_the_gateways_patience_is_kept(
    gateway: SmsGateway, said: str | None, seconds: float | None
) -> None:
    """429 with Retry-After waits as long as it says."""
    gateway.refuse_with, gateway.retry_after = 20429, said
    (outcome,) = sent(gateway.settings)
    assert (outcome.code, outcome.retry_after) == (429, seconds)


def test_a_gateway_that_hangs_costs_no_more_than_the_deadline(gateway: SmsGateway) -> None:
    """Without an answer the attempt ends in time and counts as one to repeat."""
    gateway.hangs = True
    began = time.monotonic()
    (outcome,) = sent(gateway.settings, parcel(timeout=0.5))
    assert time.monotonic() - began < 3
    assert (outcome.kind, outcome.suppresses_address) == (Failure.TIMEOUT, False)


def test_a_gateway_that_is_away_is_tried_again() -> None:
    """Nobody listens: the attempt failed, and says so without naming what lies there."""
    url = "http://127.0.0.1:9/x"
    settings = {"STATUSPAGE_SMS_URL": url, "STATUSPAGE_SMS_ACCOUNT": "a"}
    settings |= {"STATUSPAGE_SMS_TOKEN": "b", "STATUSPAGE_SMS_FROM": "+15005550006"}
    (outcome,) = sent(settings)
    assert (outcome.kind, outcome.error) == (Failure.CONNECT, "The gateway could not be reached.")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'"x"', b'{"code": {}}', b'{"code": "21610x"}', b"[" * 5000, b"\xff"],
)
@pytest.mark.parametrize("status", [201, 400, 503])
def test_answers_that_are_none(gateway: SmsGateway, body: bytes, status: int) -> None:
    """What another gateway answers may be anything: by its status it is sent or not, and nobody is suppressed."""
    gateway.receiver.answer = HttpAnswer(status=status, body=body)
    (outcome,) = sent(gateway.settings)
    assert outcome.delivered is (status == 201)
    assert (outcome.remote_id, outcome.suppresses_address) == (None, False)


def test_the_token_is_nowhere(gateway: SmsGateway, caplog: pytest.LogCaptureFixture) -> None:
    """A gateway that echoes what it was sent does not bring the token into the log of attempts, nor into the logs."""
    caplog.set_level(logging.DEBUG)

    def echo(request: Any) -> HttpAnswer:
        said = f"{request.headers['Authorization']} {TOKEN} {ACCOUNT}"
        return HttpAnswer(status=500, body=said.encode())

    gateway.receiver.answer = echo
    (outcome,) = sent(gateway.settings)
    basic = gateway.receiver.requests[0].headers["Authorization"].split()[1]
    assert outcome.answer is not None
    assert ACCOUNT in outcome.answer
    for secret in (TOKEN, basic):
        assert secret not in repr(outcome)
        assert secret not in caplog.text


def test_a_registered_sender_comes_first(gateway: SmsGateway) -> None:
    """The host's function gets number and text in the place of the gateway, in the app's context; it names the text."""
    seen: list[tuple[str, str]] = []
    page = StatusPage()

    @page.sms_sender
    def send(number: str, text: str) -> str | None:
        from flask import current_app

        seen.append((current_app.name, number))
        assert "Payments fail" in text
        return "m-1"

    with host(page, **gateway.settings) as settings, channels["sms"].open(settings) as line:
        outcome = line.send(parcel())
    assert seen == [("host", NUMBER)]
    assert (outcome.delivered, outcome.remote_id) == (True, "m-1")
    assert gateway.receiver.requests == []


def test_a_registered_sender_has_a_deadline() -> None:
    """One that hangs holds up nobody: the attempt fails after the policy's timeout."""
    page, over = StatusPage(), threading.Event()

    @page.sms_sender
    def send(number: str, text: str) -> str | None:
        over.wait(30)
        return None

    with host(page) as settings, channels["sms"].open(settings) as line:
        sent = parcel()
        outcome = line.send(replace(sent, policy=replace(sent.policy, timeout=0.2)))
    over.set()
    assert outcome.error == "The registered sender did not come back in time."
    assert outcome.kind is Failure.TIMEOUT
    assert not outcome.final


def test_a_registered_sender_that_fails_is_tried_again() -> None:
    """Whatever it raises is a failure with the class's name, never its words."""
    page = StatusPage()

    @page.sms_sender
    def send(number: str, text: str) -> str | None:
        raise ConnectionError(f"no way to {number}")

    with host(page) as settings, channels["sms"].open(settings) as line:
        outcome = line.send(parcel())
    assert outcome.error == "The registered sender failed (ConnectionError)."
    assert not outcome.suppresses_address
    assert not outcome.final


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *[(word, Answer.STOP) for word in ("STOP", "stop", " Stop. ", "stop all", "StopAll!")],
        *[(word, Answer.STOP) for word in ("UNSUBSCRIBE", "Cancel", "end", "QUIT", "OPTOUT")],
        *[(word, Answer.STOP) for word in ("opt-out", "revoke", "\u200bSTOP\u200b", "\tSTOP\r\n")],
        *[(word, Answer.STOP) for word in ("\uff33\uff34\uff2f\uff30", "„Stop“", "Stop…")],
        *[(word, Answer.START) for word in ("START", "yes", "Yes!!", "unstop", " y e s ")],
        *[(word, Answer.HELP) for word in ("help", "HELP?", "Info")],
        *[(word, None) for word in ("", "?", "Please don't stop", "stop it", "yes please", "no")],
        *[(word, None) for word in ("STOP 123456", "\x00", "\ud800", "STOP " * 1000)],
    ],
)
def test_words_that_count(text: str, answer: Answer | None) -> None:
    """The words count in any case, with spaces and punctuation; within a sentence they do not."""
    assert answer_of(text) is answer
