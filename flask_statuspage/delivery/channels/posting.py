"""One POST to an address that somebody typed, and what became of it: what webhooks and Slack's have in common."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ...outgoing import Client, SendFailed
from .. import signing
from ..formats import formats
from ..parcel import Failure, Outcome, Parcel
from .retry_after import seconds

USER_AGENT = "Flask-StatusPage"
KEPT_ANSWER = 4096  # bytes of the answer that the log keeps
HIDDEN = "[secret]"

LEAST_SECRET = 12
"""Characters from which on a piece of a secret address is one by itself, and no word such as ``services``."""

TORN = 4
"""Characters of a secret at the end of an answer that was cut, from which on they are hidden."""

# Fixed words only: they reach the subscriber and must not tell what lies behind the address.
FAILURES = {
    "dns": "The endpoint could not be reached.",
    "connect": "The endpoint could not be reached.",
    "refused_address": "The endpoint could not be reached.",
    "tls": "The endpoint's certificate was not accepted.",
    "timeout": "The endpoint did not answer in time.",
    "protocol": "The endpoint did not answer with HTTP.",
}


def post(client: Client, parcel: Parcel, headers: Mapping[str, str]) -> Outcome:
    """Send the parcel's body to its address; 410 ends the subscription.

    :param headers: those of :func:`identified` and others.
    """
    try:
        answer = client.send(
            "POST",
            parcel.address,
            headers=headers,
            body=parcel.body.encode(),
            timeout=parcel.policy.timeout,
        )
    except SendFailed as failure:
        return Outcome(
            error=_words(failure),
            kind=Failure(failure.kind),
            milliseconds=round(failure.milliseconds),
        )
    delivered = parcel.policy.is_success(answer.status)
    return Outcome(
        error=None if delivered else f"The endpoint answered {answer.status}.",
        kind=None if delivered else Failure.STATUS,
        code=answer.status,
        milliseconds=round(answer.milliseconds),
        answer=_excerpt(answer.body, parcel, is_cut=answer.truncated),
        retry_after=None if delivered else seconds(answer.headers.get("Retry-After")),
        ends_subscription=answer.status == 410,
    )


def endpoint_of(address: str) -> str:
    """``host:port`` of a URL, also of one whose path is hidden."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.hostname}:{port}"


def identified(parcel: Parcel) -> dict[str, str]:
    """What every POST carries, signed or not: a receiver, or a proxy before it, knows a double by its id."""
    return {
        "Content-Type": formats[parcel.format].content_type,
        "webhook-id": str(parcel.delivery_id),
        "webhook-timestamp": str(int(time.time())),
    }


def _words(failure: SendFailed) -> str:
    # A port that swallows connections must look like one that refuses them.
    unreached = failure.kind == "timeout" and not failure.connected
    return FAILURES["connect" if unreached else failure.kind]


def _excerpt(answer: bytes, parcel: Parcel, *, is_cut: bool) -> str:
    """The beginning of the answer for the log, without a secret that it may echo."""
    is_cut = is_cut or len(answer) > KEPT_ANSWER
    text = answer[:KEPT_ANSWER].decode("utf-8", "replace").replace("\x00", "")
    hidden = []
    for secret in (parcel.secret, parcel.previous_secret):
        hidden += _spellings([secret, secret.removeprefix(signing.PREFIX)]) if secret else []
    if parcel.secret_address:
        hidden += _pieces(parcel.address)
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    # The cut may go through a secret, of which the beginning is left.
    for secret in hidden if is_cut else ():
        torn = (n for n in range(len(secret) - 1, TORN - 1, -1) if text.endswith(secret[:n]))
        if kept := next(torn, 0):
            text = text[:-kept] + HIDDEN
    return text


def _pieces(address: str) -> list[str]:
    """What may be echoed of an address that is a secret: all of it, its path, each longer part of that."""
    parts = urlsplit(address)
    path = address.split("://", 1)[-1].partition("/")[2]
    long = [part for part in re.split(r"[/?&=]", path) if len(part) >= LEAST_SECRET]
    return _spellings([address, path, parts.path.strip("/"), *long])


def _spellings(texts: Iterable[str]) -> list[str]:
    """*texts* that are not empty, and as JSON may write them."""
    texts = list(filter(None, texts))
    return list({*texts, *(text.replace("/", r"\/") for text in texts)})
