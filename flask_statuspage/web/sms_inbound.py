"""``POST sms/inbound``: what people answer to texts, as the gateway hands it on.

Source: Twilio's "Messaging webhooks", "Webhooks security" and TwiML. The gateway signs the URL that it was given and
the form with the account's token; whoever cannot do that changes nothing and learns nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from markupsafe import escape
from werkzeug.datastructures import MultiDict

from ..delivery.channels import channels
from ..delivery.links import CODE_DIGITS
from ..documents.cleaning import one_line
from ..domain.opt_out import Answer, answer_of
from ..errors import Invalid
from ..services import addresses, opt_outs
from ..state import current_settings
from ..storage.races import committed
from ..storage.session import current_session
from . import answers, failures

CHANNEL = "sms"
SIGNATURE = "X-Twilio-Signature"
_PORTS = {"https": 443, "http": 80}


def add_routes(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(addresses.SMS_INBOUND, "sms_inbound", receive, methods=["POST"])


def receive() -> Response:
    settings = current_settings()
    channel = channels[CHANNEL]
    if not settings.sms_token or channel.available(settings) is not None:
        return answers.problem(404, "No SMS gateway is configured.")
    failures.check_size()
    if not _is_signed(settings.sms_token):
        return answers.problem(403, "The signature is absent or wrong.")
    # Where OptOutType stands, the gateway knew the word, in whatever language, and has answered by itself.
    told = request.form.get("OptOutType", "").strip().upper()
    body = request.form.get("Body", "")
    said: Answer | str | None = Answer(told) if told in Answer.__members__ else answer_of(body)
    said = said or _code_in(body)
    if said is None:
        # Silence: whatever answers by itself on the other side must not be given something to answer.
        return _twiml()
    try:
        number = channel.normalise(request.form.get("From", ""), settings)
    except Invalid:
        return _twiml()  # no number that could be subscribed
    words = _obey(number, said, request.form.get("MessageSid"))
    return _twiml("" if told else words)


def signature(token: str, url: str, form: MultiDict[str, str]) -> str:
    """What Twilio puts into ``X-Twilio-Signature``: the URL, then the names of the form in order, each with its values,
    every different one once."""
    text = url + "".join(
        name + value for name in sorted(form) for value in sorted(set(form.getlist(name)))
    )
    made = hmac.new(token.encode(), text.encode("utf-8", "replace"), hashlib.sha1).digest()
    return base64.b64encode(made).decode()


def _is_signed(token: str) -> bool:
    sent = request.headers.get(SIGNATURE, "").encode("utf-8", "replace")
    found = [
        hmac.compare_digest(signature(token, url, request.form).encode(), sent) for url in _urls()
    ]
    return any(found)


def _urls() -> Iterable[str]:
    """The public URL of this route, never by the ``Host`` header; with its port and without, as Twilio signs either."""
    parts = urlsplit(addresses.sms_inbound_url())
    query = request.query_string.decode("latin-1")
    port = parts.port or _PORTS[parts.scheme]
    hosts = {parts.netloc, parts.netloc.removesuffix(f":{parts.port}")}
    hosts.add(f"{parts.netloc.removesuffix(f':{parts.port}')}:{port}")
    return [parts._replace(netloc=host, query=query).geturl() for host in hosts]


def _code_in(body: str) -> str | None:
    text = re.sub(r"[\s.\-]", "", body)
    return text if re.fullmatch(f"[0-9]{{{CODE_DIGITS}}}", text) else None


def _obey(number: str, said: Answer | str, message_id: str | None) -> str:
    session = current_session()
    session.rollback()  # whatever the host's own hooks have read
    given: dict[str, Any] = {"channel": CHANNEL, "address": number, "message_id": message_id}
    if isinstance(said, Answer):
        return committed(session, partial(opt_outs.obey, answer=said, **given))
    return committed(session, partial(opt_outs.take_code, code=said, **given))


def _twiml(words: str = "") -> Response:
    message = f"<Message>{escape(one_line(words))}</Message>" if words else ""
    text = f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
    response = Response(text, content_type="text/xml; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
