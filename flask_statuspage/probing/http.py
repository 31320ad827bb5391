"""Probe a URL over HTTP: what it answers, how fast, and until when its certificate is valid."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..config import Settings
from ..domain.verdict import Verdict
from ..outgoing import Answer, Client, SendFailed
from ..outgoing.site import site_client
from . import http_body
from .findings import CERTIFICATE_WORDS, NO_ANSWER, WORDS, since
from .http_options import HttpOptions, authorization, is_secret_header
from .http_redirects import MOST_REDIRECTS, Question, following
from .probe import Finding, ProbeOrder
from .url import UrlProbe

USER_AGENT = "Flask-StatusPage monitor"

_DAY = 86_400
# Of a body that nobody looks at: the client's own limits.
_UNSEARCHED = {"read_limit": 16 * 1024, "keep": 0}
_SEARCHED = {"read_limit": http_body.SEARCHED, "keep": http_body.SEARCHED}


class HttpProbe(UrlProbe):
    kind = "http"
    Options = HttpOptions

    def is_secret(self, path: tuple[str, ...]) -> bool:
        if len(path) != 2:
            return False
        if path[0] == "headers":
            return is_secret_header(path[1])
        return path in (("auth", "password"), ("auth", "token"))

    @contextmanager
    def open(self, settings: Settings) -> Iterator[HttpAsker]:
        yield HttpAsker(site_client(settings, USER_AGENT))


class HttpAsker:
    def __init__(self, client: Client) -> None:
        self._client = client

    def ask(self, order: ProbeOrder) -> Finding:
        options = order.options
        try:
            outcome = self._call(order, options)
        except _NoAnswer as failure:
            return Finding(
                outcome=Verdict.DOWN,
                milliseconds=round(failure.milliseconds),
                code=failure.code,
                error=failure.error,
            )
        verdict, error = _judged(outcome, order)
        return Finding(
            outcome=verdict,
            milliseconds=round(outcome.milliseconds),
            code=outcome.answer.status,
            error=error,
        )

    def _call(self, order: ProbeOrder, options: Mapping[str, Any]) -> _Outcome:
        """The last answer on the way, all within the order's timeout."""
        follows, verify = options.get("follow_redirects", False), options.get("verify_tls", True)
        limits = _SEARCHED if _looks_at_the_body(options) else _UNSEARCHED
        question, timeout = _first_question(order), order.timeout
        asked = [question]
        started, ends = time.monotonic(), None
        for hop in range(MOST_REDIRECTS + 1):
            try:
                answer = self._client.send(
                    question.method,
                    question.url,
                    headers=question.all_headers,
                    body=question.body,
                    timeout=timeout,
                    verify=verify,
                    **limits,
                )
            except SendFailed as failure:
                raise _NoAnswer(_said(failure, hop), since(started)) from failure
            ends = min(filter(None, (ends, answer.certificate_expires)), default=None)
            after = following(question, answer) if follows else None
            if after is None:
                return _Outcome(answer, answer.milliseconds if not hop else since(started), ends)
            if after in asked:
                raise _NoAnswer("The redirects go in a circle", since(started), answer.status)
            asked.append(after)
            question, timeout = after, order.timeout - since(started) / 1000
            if timeout <= 0:
                raise _NoAnswer(NO_ANSWER, since(started))
        raise _NoAnswer("Too many redirects", since(started), answer.status)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The answer that counts, how long it took in all, and when the first certificate on the way ends."""

    answer: Answer
    milliseconds: float
    certificate_expires: datetime | None


class _NoAnswer(Exception):
    """There is no answer that counts, and why in words that everybody may read."""

    def __init__(self, error: str, milliseconds: float, code: int | None = None) -> None:
        super().__init__(error)
        self.error, self.milliseconds, self.code = error, milliseconds, code


def _first_question(order: ProbeOrder) -> Question:
    options = order.options
    headers: Mapping[str, str] = options.get("headers") or {}
    secret: dict[str, str] = {}
    if headers:
        secret = {name: value for name, value in headers.items() if is_secret_header(name)}
        headers = {name: value for name, value in headers.items() if name not in secret}
    if auth := options.get("auth"):
        secret["Authorization"] = authorization(auth)
    body = options.get("body")
    return Question(
        options.get("method", "GET"),
        order.target,
        headers,
        secret,
        None if body is None else body.encode(),
    )


def _looks_at_the_body(options: Mapping[str, Any]) -> bool:
    return bool(
        options.get("keyword") or options.get("keyword_absent") or options.get("json_condition")
    )


def _judged(outcome: _Outcome, order: ProbeOrder) -> tuple[Verdict, str | None]:
    options, status = order.options, outcome.answer.status
    if not any(_matches(status, item) for item in options.get("expected_status", ("2xx",))):
        return Verdict.DOWN, f"Answered {status}"
    limit = options.get("down_over_ms")
    if limit is not None and outcome.milliseconds > limit:
        return Verdict.DOWN, f"Slower than {limit} ms"
    warning = None
    if _looks_at_the_body(options):
        try:
            body, complete = http_body.unpacked(outcome.answer)
            error = _wrong_body(outcome.answer, body, options, complete=complete)
        except http_body.Unreadable:
            error = "The answer cannot be unpacked"
        except ImportError:  # it was there when the option was saved
            return Verdict.UNKNOWN, "The package jmespath is missing"
        if error is not None:
            return Verdict.DOWN, error
        if options.get("keyword_absent") and not complete:
            warning = "The answer is too long to be searched to its end"
    slow = order.degraded_over_ms
    if slow is not None and outcome.milliseconds > slow:
        warning = f"Slower than {slow} ms"
    warning = warning or _expiry(outcome, order)
    return (Verdict.UP if warning is None else Verdict.DEGRADED), warning


def _wrong_body(
    answer: Answer, body: bytes, options: Mapping[str, Any], *, complete: bool
) -> str | None:
    keyword, absent = options.get("keyword"), options.get("keyword_absent")
    if keyword and not http_body.contains(body, answer.headers, keyword):
        return "The keyword is missing" + ("" if complete else " in the first MiB of the answer")
    if absent and http_body.contains(body, answer.headers, absent):
        return "The answer has the keyword that it must not have"
    condition = options.get("json_condition")
    if not condition:
        return None
    return _unmet(condition, body) if complete else "The JSON answer is too long"


def _unmet(condition: str, body: bytes) -> str | None:
    from . import json_condition

    try:
        met = json_condition.is_met(condition, body)
    except (ValueError, RecursionError):
        return "The answer is not JSON"
    except json_condition.Unfit:
        return "The condition does not fit the JSON answer"
    except json_condition.TooLarge:
        return "The JSON answer is too large for the condition"
    return None if met else "The condition on the JSON answer is not met"


def _expiry(outcome: _Outcome, order: ProbeOrder) -> str | None:
    """That a certificate on the way ends soon; None: it does not."""
    days, ends = order.options.get("tls_expiry_days", 14), outcome.certificate_expires
    if not days or ends is None:
        return None
    left = (ends - order.asked_at).total_seconds()
    if left >= days * _DAY:
        return None
    if left <= 0:
        return CERTIFICATE_WORDS["expired"]
    whole = int(left // _DAY)
    if whole == 0:
        return "The certificate expires in less than a day"
    return f"The certificate expires in {whole} {'day' if whole == 1 else 'days'}"


def _said(failure: SendFailed, hop: int) -> str:
    if failure.certificate is not None:
        return CERTIFICATE_WORDS[failure.certificate]
    if hop and failure.kind == "refused_address":
        return "It redirects to an address that may not be called"
    return WORDS[failure.kind]


def _matches(status: int, expected: int | str) -> bool:
    return str(status)[0] == expected[0] if isinstance(expected, str) else status == expected
