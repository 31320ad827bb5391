"""Texts over a gateway that speaks Twilio's REST shape, or by a function of the host's.

Source: Twilio's "Messages resource" and "Error and warning dictionary". A text is posted as a form to
``…/Accounts/{account}/Messages.json`` under basic authentication; 201 brings JSON with its ``sid``, a refusal JSON with
``code`` and ``message``.
"""

from __future__ import annotations

import json
import logging
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, current_app

from ...config import Settings
from ...domain.opt_out import STOPPED
from ...errors import Invalid
from ...outgoing import Answer, Client, SendFailed
from ...outgoing.limit import Late, within
from ...outgoing.site import operator_client
from ...state import SmsSender, current_state
from ...translation import said
from ..formats.sms import whole
from ..parcel import Failure, Outcome, Parcel
from .channel import Line
from .retry_after import seconds

logger = logging.getLogger(__name__)

USER_AGENT = "Flask-StatusPage"
TWILIO = "https://api.twilio.com/2010-04-01/Accounts/{account}/Messages.json"

UNSUBSCRIBED = 21610
"""The owner of the number has said STOP to the gateway itself."""

UNREACHABLE = frozenset({21211, 21614, 21635})
"""No text from anybody reaches these: no valid number, no mobile one, a landline.

Not among them: 21612 and 21408, which are about the way from our sender or account to a country; another sender, or a
right that the operator is given, mends them.
"""

MESSAGING_SERVICE = "MG"
"""What the SID of a messaging service begins with: then the gateway chooses the number that it sends from."""

READ_LIMIT = 64 * 1024  # bytes: the answer has the whole text in it, each character escaped
KEPT_ANSWER = 4096

_NO_NUMBER = said("This is not a phone number, such as +49 171 2345678.")


class SmsChannel:
    name = "sms"
    default_format = "sms"
    needs_confirmation = True
    confirms_by_code = True
    members_only = False
    secret_address = False
    for_people = True
    replies = False
    target_seconds = 120.0
    parallel: int | None = 4

    def available(self, settings: Settings) -> str | None:
        if find_spec("phonenumbers") is None:
            return "install Flask-StatusPage[sms]"
        if current_state().sms_sender() is not None:
            return None
        if missing := missing_settings(settings):
            return f"{', '.join(missing)} not set, and no sender is registered."
        return None

    def normalise(self, address: str, settings: Settings) -> str:
        """E.164. Possible and valid numbers only, and none whose receiver pays or earns by it."""
        import phonenumbers

        typed = address.strip()
        if not typed.startswith(("+", "＋")) and settings.sms_region is None:  # noqa: RUF001
            raise Invalid.field(
                "address", said("Begin with + and the country's code, such as +49 171 2345678.")
            )
        try:
            number = phonenumbers.parse(typed, settings.sms_region)
        except phonenumbers.NumberParseException as error:
            raise Invalid.field("address", _NO_NUMBER) from error
        if number.extension:
            raise Invalid.field("address", said("Texts cannot be sent to an extension."))
        if not phonenumbers.is_possible_number(number):
            raise Invalid.field("address", said("This number has too few or too many digits."))
        if not phonenumbers.is_valid_number(number):
            raise Invalid.field("address", said("There is no such number. Check its digits."))
        dear = (phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST)
        if phonenumbers.number_type(number) in dear:
            raise Invalid.field("address", said("Texts are not sent to numbers that cost extra."))
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    def vet(self, address: str, settings: Settings) -> None:
        """Only a text to it tells whether a phone is there."""

    def endpoint(self, address: str) -> str:
        return self.name

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Line]:
        sender = current_state().sms_sender()
        yield GatewayLine(settings) if sender is None else SenderLine(sender, settings)


def missing_settings(settings: Settings) -> list[str]:
    """The keys of those settings that a gateway needs and that are not there."""
    needed = ("sms_account", "sms_token", "sms_from")
    return [f"STATUSPAGE_{name.upper()}" for name in needed if not getattr(settings, name)]


def gateway_url(settings: Settings) -> str:
    """Where texts are posted to."""
    return settings.sms_url or TWILIO.format(account=quote(settings.sms_account or "", safe=""))


class SenderLine:
    """By the function that the host registered."""

    def __init__(self, sender: SmsSender, settings: Settings) -> None:
        self._sender = sender
        self._segments = settings.sms_segments

    def send(self, parcel: Parcel) -> Outcome:
        text = whole(parcel.body, self._segments)
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        started = time.monotonic()

        def call() -> str | None:
            # A context for each text: the host's session is not to live as long as the line.
            with app.app_context():
                return self._sender(parcel.address, text)

        try:
            name = within(parcel.policy.timeout, call, cut=lambda: None)
        except Late:
            words = "The registered sender did not come back in time."
            return Outcome(error=words, kind=Failure.TIMEOUT, milliseconds=_since(started))
        except Exception as error:
            logger.exception("status page: the registered SMS sender failed")
            words = f"The registered sender failed ({type(error).__name__})."
            return Outcome(error=words, kind=Failure.CHANNEL, milliseconds=_since(started))
        return Outcome(remote_id=None if name is None else str(name), milliseconds=_since(started))


class GatewayLine:
    """By the gateway of the settings; the process's client keeps its connections."""

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        self._url = gateway_url(settings)
        self._segments = settings.sms_segments
        self._sender = settings.sms_from or ""
        self._client = client or operator_client(settings, USER_AGENT)
        pair = f"{settings.sms_account}:{settings.sms_token}".encode()
        self._authorization = b64encode(pair).decode()
        self._secrets = (settings.sms_token or "", self._authorization)

    def send(self, parcel: Parcel) -> Outcome:
        is_service = self._sender.startswith(MESSAGING_SERVICE)
        form = {
            "To": parcel.address,
            "MessagingServiceSid" if is_service else "From": self._sender,
            "Body": whole(parcel.body, self._segments),
        }
        try:
            answer = self._client.send(
                "POST",
                self._url,
                headers={
                    "Authorization": f"Basic {self._authorization}",
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                },
                body=urlencode(form).encode(),
                timeout=parcel.policy.timeout,
                read_limit=READ_LIMIT,
                keep=READ_LIMIT,
            )
        except SendFailed as failure:
            return Outcome(
                error="The gateway did not answer in time."
                if failure.kind == "timeout" and failure.connected
                else "The gateway could not be reached.",
                kind=Failure(failure.kind),
                milliseconds=round(failure.milliseconds),
            )
        if 200 <= answer.status < 300:
            # The answer repeats the text, which may hold a code: it is not kept.
            return Outcome(
                code=answer.status,
                milliseconds=round(answer.milliseconds),
                remote_id=_text(_said(answer).get("sid")),
            )
        return self._refused(answer)

    def _refused(self, answer: Answer) -> Outcome:
        """All but what is wrong with the number itself is worth a retry: our account (401, 403), our pace (429), our
        sender, or the gateway's state."""
        code = _error_of(answer)
        if code == UNSUBSCRIBED:
            error = STOPPED
        elif code in UNREACHABLE:
            error = f"No text reaches this number (the gateway's error {code})."
        elif code is not None:
            error = f"The gateway answered {answer.status} (its error {code})."
        else:
            error = f"The gateway answered {answer.status}."
        return Outcome(
            error=error,
            kind=Failure.STATUS,
            code=answer.status,
            milliseconds=round(answer.milliseconds),
            answer=self._excerpt(answer),
            retry_after=seconds(answer.headers.get("Retry-After")),
            suppresses_address=code == UNSUBSCRIBED or code in UNREACHABLE,
        )

    def _excerpt(self, answer: Answer) -> str:
        """The beginning of the answer for the log, without our secret, which it may echo."""
        text = answer.body.decode("utf-8", "replace").replace("\x00", "")
        for secret in self._secrets:
            text = text.replace(secret, "[secret]") if secret else text
        return text[:KEPT_ANSWER]


def _said(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer; empty where there is none."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _error_of(answer: Answer) -> int | None:
    """The gateway's own error number."""
    code = _said(answer).get("code")
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10:
        return int(code)
    return code if isinstance(code, int) else None


def _text(value: object) -> str | None:
    return value[:200] if isinstance(value, str) and value else None


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
