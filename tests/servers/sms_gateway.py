"""A gateway for texts on loopback that answers as Twilio documents, refuses what Twilio would, and texts back.

Sources: Twilio's Messages resource, its error dictionary, and the validator of its own library, which signs what is
posted to a site's webhook.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs

from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from . import http
from .http import Answer, Received, Receiver

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "a token of the gateway"
SENDER = "+15005550006"
LONGEST = 1600  # characters that Twilio takes in one Body

REFUSALS: Mapping[int, tuple[int, str]] = {
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21211: (400, "The 'To' number is not a valid phone number."),
    21212: (400, "The 'From' number is not a valid phone number, shortcode, or alphanumeric ID."),
    21408: (400, "Permission to send an SMS has not been enabled for the region"),
    21602: (400, "Message body is required."),
    21604: (400, "A 'To' phone number is required."),
    21612: (400, "Message cannot be sent with the current combination of 'To' and 'From'."),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21635: (400, "'To' number cannot be a landline"),
    20003: (401, "Authenticate"),
    20403: (403, "Forbidden"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal server error"),
}
"""What Twilio's errors come with: the status, and the words."""


@dataclass(frozen=True)
class Sms:
    """A text that the gateway took. ``segments`` is what it would bill."""

    to: str
    sender: str
    body: str
    sid: str
    segments: int


@dataclass
class SmsGateway:
    """A running gateway. ``refuse_with`` is an error that all texts get, or all to the numbers in ``refused``."""

    receiver: Receiver
    refuse_with: int | None = None
    retry_after: str | None = None
    hangs: bool = False
    refused: dict[str, int] = field(default_factory=dict)
    texts: list[Sms] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self.receiver.answer = self._answer

    @property
    def path(self) -> str:
        return f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"

    @property
    def url(self) -> str:
        return self.receiver.url + self.path

    @property
    def settings(self) -> dict[str, Any]:
        """What a site needs to text over this gateway."""
        return {
            "STATUSPAGE_SMS_URL": self.url,
            "STATUSPAGE_SMS_ACCOUNT": ACCOUNT,
            "STATUSPAGE_SMS_TOKEN": TOKEN,
            "STATUSPAGE_SMS_FROM": SENDER,
        }

    def to(self, number: str) -> list[str]:
        """The bodies of the texts to *number*, oldest first."""
        return [text.body for text in self.texts if text.to == number]

    def _answer(self, request: Received) -> Answer:
        if self.hangs:
            return Answer(hang=True)
        if (code := self._fault(request)) is not None:
            return self._refusal(code)
        form = _form(request)
        sid = f"SM{next(self._numbers):032x}"
        body = form["Body"]
        sender = form.get("From") or form["MessagingServiceSid"]
        self.texts.append(Sms(form["To"], sender, body, sid, segments(body)))
        said = {"sid": sid, "status": "queued", "to": form["To"], "body": body, "error_code": None}
        return Answer(status=201, body=json.dumps(said).encode(), headers=_JSON)

    def _fault(self, request: Received) -> int | None:
        pair = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return 20003
        if self.refuse_with is not None:
            return self.refuse_with
        wrong = self._wrong(request)
        if wrong is not None:
            self.complaints.append(f"{wrong}: {request.body!r}")
            return wrong
        return self.refused.get(_form(request)["To"])

    def _wrong(self, request: Received) -> int | None:
        """The error that a malformed request gets."""
        form = _form(request)
        is_form = request.headers.get("Content-Type") == "application/x-www-form-urlencoded"
        if request.method != "POST" or request.path != self.path or not is_form:
            return 20403
        if not form.get("To", "").startswith("+") or not form["To"][1:].isdigit():
            return 21211 if form.get("To") else 21604
        if ("From" in form) == ("MessagingServiceSid" in form):
            return 21212
        if not form.get("Body"):
            return 21602
        return 21617 if len(form["Body"]) > LONGEST else None

    def _refusal(self, code: int) -> Answer:
        status, message = REFUSALS[code]
        said = {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }
        headers = dict(_JSON)
        if self.retry_after is not None:
            headers["Retry-After"] = self.retry_after
        return Answer(status=status, body=json.dumps(said).encode(), headers=headers)


_JSON = {"Content-Type": "application/json"}

Fields = Mapping[str, str | Sequence[str]]


def inbound(
    number: str, body: str, *, sid: str = "SM" + "f" * 32, **more: str | Sequence[str]
) -> MultiDict[str, str]:
    """The form that the gateway posts when *number* texts *body*."""
    form: MultiDict[str, str] = MultiDict()
    fields: dict[str, str | Sequence[str]] = {
        "From": number,
        "To": SENDER,
        "Body": body,
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "NumMedia": "0",
        **more,
    }
    for name, value in fields.items():
        form.setlist(name, [value] if isinstance(value, str) else list(value))
    return form


def signed(url: str, form: MultiDict[str, str], *, token: str = TOKEN) -> dict[str, str]:
    """The headers with which the gateway posts *form* to *url*, signed by Twilio's own library."""
    made = RequestValidator(token).compute_signature(url, form)
    return {"X-Twilio-Signature": made}


def segments(text: str) -> int:
    """The segments that a text is billed as: GSM 03.38 if all its characters are in it, else UCS-2."""
    septets = [2 if mark in _EXTENDED else 1 for mark in text]
    if set(text) <= set(_BASIC) | set(_EXTENDED):
        return 1 if sum(septets) <= 160 else _filled(septets, 153)
    units = [len(mark.encode("utf-16-be")) // 2 for mark in text]
    return 1 if sum(units) <= 70 else _filled(units, 67)


def _filled(costs: list[int], room: int) -> int:
    """How many segments of *room* the characters fill, none of them torn apart."""
    used, number = 0, 1
    for cost in costs:
        if used + cost > room:
            used, number = 0, number + 1
        used += cost
    return number


_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}\\[~]|€"


def _form(request: Received) -> dict[str, str]:
    found = parse_qs(request.body.decode(), keep_blank_values=True, strict_parsing=True)
    return {name: values[-1] for name, values in found.items()}


@contextmanager
def running() -> Iterator[SmsGateway]:
    with http.receiver() as receiver:
        yield SmsGateway(receiver)
