"""Posts in the name of an account of X that a member connected.

Source of the protocol: X's "Create Post" (``POST /2/tweets``), "Rate limits" and "Response codes". The token of the
account comes from :attr:`.State.access_token`, which knows how to get a new one.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from ...config import Settings
from ...errors import AccessRefused, AccessUnreachable, Invalid
from ...outgoing import Answer, Client, SendFailed
from ...outgoing.site import operator_client
from ...state import current_state
from ..parcel import Failure, Outcome, Parcel
from .channel import Line

USER_AGENT = "Flask-StatusPage"
CALL_SECONDS = 10.0
"""For one call; the policy's timeout is for all that one attempt takes."""

SIGN_IN_AGAIN = "X no longer accepts our access; sign in again."

_NAME = re.compile(r"@?([A-Za-z0-9_]{1,15})", re.ASCII)
_DUPLICATE = re.compile(r"duplicate", re.IGNORECASE)
_GONE = re.compile(r"reply to a (tweet|post)", re.IGNORECASE)

FAILURES = {
    "timeout": "X did not answer in time.",
    "protocol": "X did not answer with HTTP.",
    "tls": "X's certificate was not accepted.",
}


class XChannel:
    name = "x"
    default_format = "x"
    needs_confirmation = False
    confirms_by_code = False
    members_only = True
    secret_address = False
    # Nobody is interrupted by a timeline, and a post that comes an hour late says something untrue.
    for_people = False
    replies = True
    target_seconds = 120.0
    # One after another: what answers a post must come after it, and X counts by account.
    parallel: int | None = 1

    def available(self, settings: Settings) -> str | None:
        if not settings.x_client_id:
            return "STATUSPAGE_X_CLIENT_ID is not set."
        if find_spec("requests_oauthlib") is None:
            return "install Flask-StatusPage[x]."
        return None

    def normalise(self, address: str, settings: Settings) -> str:
        found = _NAME.fullmatch(address.strip())
        if found is None:
            raise Invalid.field(
                "address", "This is not the name of an account of X, such as @acme."
            )
        return f"@{found[1].lower()}"

    def vet(self, address: str, settings: Settings) -> None:
        """Only whoever signs in with X proves that the account is theirs."""

    def endpoint(self, address: str) -> str:
        return self.name

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Line]:
        url = f"{settings.x_api_url}/2/tweets"
        yield XLine(operator_client(settings, USER_AGENT), url)


class XLine:
    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, parcel: Parcel) -> Outcome:
        started = time.monotonic()
        try:
            outcome = self._post(_Attempt(parcel, started + parcel.policy.timeout))
        except AccessRefused as refused:
            outcome = Outcome(
                error=SIGN_IN_AGAIN,
                kind=Failure.STATUS,
                answer=str(refused),
                final=True,
                ends_subscription=True,
            )
        except AccessUnreachable as error:
            outcome = Outcome(error=str(error), kind=Failure.CONNECT)
        except SendFailed as failure:
            words = FAILURES.get(failure.kind, "X could not be reached.")
            outcome = Outcome(error=words, kind=Failure(failure.kind))
        return replace(outcome, milliseconds=round((time.monotonic() - started) * 1000))

    def _post(self, attempt: _Attempt) -> Outcome:
        parcel = attempt.parcel
        access_token = current_state().access_token
        token = access_token(parcel.subscription_id, None)
        answer = self._call(attempt, token, parcel.reply_to)
        if answer.status == 401:
            # It ended early, or another worker got a new one just now.
            token = access_token(parcel.subscription_id, token)
            answer = self._call(attempt, token, parcel.reply_to)
        if answer.status in (400, 403) and parcel.reply_to and _GONE.search(_detail(answer)):
            # Somebody deleted the post before: this one begins the thread anew.
            answer = self._call(attempt, token, None)
        return _judged(answer, parcel)

    def _call(self, attempt: _Attempt, token: str, reply_to: str | None) -> Answer:
        body: dict[str, Any] = {"text": attempt.parcel.body}
        if reply_to is not None:
            body["reply"] = {"in_reply_to_tweet_id": reply_to}
        return self._client.send(
            "POST",
            self._url,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=json.dumps(body).encode(),
            timeout=attempt.seconds,
            keep=16 * 1024,
        )


@dataclass(frozen=True)
class _Attempt:
    """A parcel, and ``time.monotonic()`` at which its attempt ends."""

    parcel: Parcel
    ends: float

    @property
    def seconds(self) -> float:
        """How long the next call may take.

        :raises AccessUnreachable: when the time is over before it.
        """
        left = self.ends - time.monotonic()
        if left < 1:
            raise AccessUnreachable("X did not answer in time.")
        return min(CALL_SECONDS, left)


def _judged(answer: Answer, parcel: Parcel) -> Outcome:
    detail = _detail(answer)
    if answer.status == 201:
        return Outcome(code=201, remote_id=_id(answer))
    is_duplicate = answer.status == 403 and _DUPLICATE.search(detail) is not None
    if is_duplicate and parcel.attempt > 1:
        # An earlier attempt got no answer, but X took it. What it calls that post is not told.
        return Outcome(code=403, answer=detail)
    failed = Outcome(
        error=f"X answered {answer.status}.",
        kind=Failure.STATUS,
        code=answer.status,
        answer=detail,
        retry_after=_seconds(answer.headers) if answer.status == 429 else None,
    )
    if is_duplicate:
        return replace(failed, error="X refuses it: it has just had the same words.", final=True)
    if answer.status == 403:
        # Suspended, locked, or without the right to write: no post will be taken.
        words = f"X refuses our posts: {detail}"[:200]
        return replace(failed, error=words, final=True, ends_subscription=True)
    is_lasting = 400 <= answer.status < 500 and answer.status not in (401, 408, 429)
    return replace(failed, final=is_lasting)


def _document(answer: Answer) -> Mapping[str, Any]:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _id(answer: Answer) -> str | None:
    data = _document(answer).get("data")
    found = data.get("id") if isinstance(data, dict) else None
    return found if isinstance(found, str) and found else None


def _detail(answer: Answer) -> str:
    """What X says, in its own words, else the beginning of the body."""
    document = _document(answer)
    for key in ("detail", "title"):
        if isinstance(document.get(key), str):
            return str(document[key])
    return answer.body[:1000].decode("utf-8", "replace").replace("\x00", "")


def _seconds(headers: Mapping[str, str]) -> float | None:
    """How long to wait: until the limits that are used up begin anew, all of them; None where X does not say."""
    now, waits = time.time(), []
    for limit in ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour"):
        reset = headers.get(f"{limit}-reset", "")
        used_up = headers.get(f"{limit}-remaining", "0").strip() == "0"
        if used_up and re.fullmatch(r"\s*[0-9]{1,12}\s*", reset):
            waits.append(int(reset) - now)
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", headers.get("Retry-After", "")):
        waits.append(float(headers["Retry-After"]))
    return max(0.0, *waits) if waits else None
