"""Probe a URL over HTTP: method, expected status, one total timeout, a latency threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ..config import Settings
from ..domain.verdict import Verdict
from ..errors import FieldError, Invalid
from ..outgoing import AddressRefused, Client, SendFailed, vet_address, vet_url
from ..outgoing.site import site_client, site_policy
from .probe import CheckResult, ProbeOrder

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
DEFAULTS: dict[str, Any] = {"method": "GET", "expected_status": ["2xx"]}
USER_AGENT = "Flask-StatusPage monitor"

FAILURES = {
    "dns": "The name could not be resolved",
    "connect": "Connection failed",
    "refused_address": "The address may not be called",
    "tls": "The certificate was not accepted",
    "timeout": "No answer in time",
    "protocol": "The answer was not HTTP",
}


class HttpProbe:
    kind = "http"

    def normalise(self, target: str, settings: Settings) -> str:
        target = target.strip()
        try:
            vet_url(target, site_policy(settings))
        except AddressRefused as error:
            raise Invalid.field("target", str(error)) from error
        return target

    def vet(self, target: str, settings: Settings) -> None:
        try:
            vet_address(target.strip(), site_policy(settings))
        except AddressRefused as error:
            # A name that does not resolve is what a monitor is there to find out.
            if error.reason != "dns":
                raise Invalid.field("target", str(error)) from error

    def check_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        errors = [
            FieldError(f"options.{name}", f"Unknown; an http monitor knows {', '.join(DEFAULTS)}.")
            for name in options
            if name not in DEFAULTS
        ]
        merged = {**DEFAULTS, **options}
        if merged["method"] not in METHODS:
            errors.append(FieldError("options.method", f"Must be one of {', '.join(METHODS)}."))
        expected = merged["expected_status"]
        expected = expected if isinstance(expected, list) else [expected]
        if not expected or not all(_is_status(item) for item in expected):
            errors.append(
                FieldError(
                    "options.expected_status",
                    "Must be a status such as 200, a class such as '2xx', or a list of them.",
                )
            )
        if errors:
            raise Invalid(*errors)
        return {**merged, "expected_status": expected}

    @contextmanager
    def open(self, settings: Settings) -> Iterator[HttpAsker]:
        yield HttpAsker(site_client(settings, USER_AGENT))


class HttpAsker:
    def __init__(self, client: Client) -> None:
        self._client = client

    def ask(self, order: ProbeOrder) -> CheckResult:
        at = datetime.now(UTC)
        options = {**DEFAULTS, **order.options}
        try:
            answer = self._client.send(
                options["method"], order.target, headers={}, body=None, timeout=order.timeout
            )
        except SendFailed as failure:
            return CheckResult(
                monitor_id=order.monitor_id,
                region=order.region,
                outcome=Verdict.DOWN,
                at=at,
                milliseconds=round(failure.milliseconds),
                error=FAILURES[failure.kind],
            )
        expected = any(_matches(answer.status, item) for item in options["expected_status"])
        slow = order.degraded_over_ms is not None and answer.milliseconds > order.degraded_over_ms
        if not expected:
            outcome, error = Verdict.DOWN, f"Answered {answer.status}"
        elif slow:
            outcome, error = Verdict.DEGRADED, f"Slower than {order.degraded_over_ms} ms"
        else:
            outcome, error = Verdict.UP, None
        return CheckResult(
            monitor_id=order.monitor_id,
            region=order.region,
            outcome=outcome,
            at=at,
            milliseconds=round(answer.milliseconds),
            code=answer.status,
            error=error,
        )


def _is_status(item: Any) -> bool:
    if isinstance(item, str):
        return len(item) == 3 and item[0] in "12345" and item[1:] == "xx"
    return isinstance(item, int) and not isinstance(item, bool) and 100 <= item <= 599


def _matches(status: int, expected: int | str) -> bool:
    return str(status)[0] == expected[0] if isinstance(expected, str) else status == expected
