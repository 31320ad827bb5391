"""What a subscription may want otherwise than its format's policy, within bounds that spare workers and receivers.

A policy that was asked for is plain data, of which only what was given is kept: it goes on to count when the format
changes. The bounds are the same for all formats and for whoever asks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..delivery.formats import formats
from ..domain.retry import DAY, Policy
from ..errors import FieldError, Invalid
from ..storage.subscriptions import Subscription


@dataclass(frozen=True)
class Bounds:
    """The least and the most of a number, and what it counts."""

    low: int
    high: int
    unit: str = ""

    def __str__(self) -> str:
        return f"from {self.low:,} to {self.high:,}{self.unit}"


TIMEOUT = Bounds(1, 30, " seconds")
DELAY = Bounds(1, round(7 * DAY), " seconds")
STATUS = Bounds(200, 299)
RATE = Bounds(1, 600, " requests a minute")
SIZE = Bounds(1_000, 1_000_000, " bytes")
UNREACHED = Bounds(1, 100)
FAILED = Bounds(1, 1_000)

MAX_RETRIES = 30
MAX_SPAN_DAYS = 31
"""All delays of one delivery together last at most so long."""


def checked(changes: object) -> dict[str, Any] | None:
    """The policy that is to be stored; None: nothing differs from the format's.

    :param changes: of the fields of :class:`~flask_statuspage.domain.retry.Policy` but for ``jitter``, as
        :meth:`~flask_statuspage.domain.retry.Policy.adjusted` takes them; or None.
    :raises Invalid: naming every wrong field as ``policy.timeout``.
    """
    if changes is None:
        return None
    if not isinstance(changes, Mapping):
        raise Invalid.field("policy", "Must be an object.")
    kept: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, value in changes.items():
        try:
            if name not in _FIELDS:
                raise ValueError("There is no such field.")
            kept[name] = _FIELDS[name](value)
        except ValueError as error:
            errors.append(FieldError(f"policy.{name}", str(error)))
    if errors:
        raise Invalid(*errors)
    return kept or None


def check_size(policy: Mapping[str, Any] | None, format: str) -> None:
    """:raises Invalid: where a body of the size of *policy* has no room for all that *format* always tells."""
    least = formats[format].least_size
    if policy is not None and policy.get("size", least) < least:
        raise Invalid.field(
            "policy.size", f"Must be {least:,} bytes at least for the format {format}."
        )


def effective(subscription: Subscription) -> Policy | None:
    """What its deliveries are sent by; None while its format is not installed."""
    if subscription.format not in formats:
        return None
    return formats[subscription.format].policy.adjusted(subscription.policy or {})


def described(policy: Policy) -> dict[str, Any]:
    """A policy as the API shows it, in the notation that it takes."""
    return {
        "timeout": policy.timeout,
        "delays": list(policy.delays),
        "success": sorted({policy.success[0], policy.success[-1]}),
        "rate": policy.rate,
        "size": policy.size,
        "disable_after_unreached": policy.disable_after_unreached,
        "disable_after_failed": policy.disable_after_failed,
    }


def _number(bounds: Bounds) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("Must be a number.")
        if not math.isfinite(value) or not bounds.low <= value <= bounds.high:
            raise ValueError(f"Must be {bounds}.")
        return float(value)

    return read


def _whole(bounds: Bounds) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("Must be a whole number.")
        if not bounds.low <= value <= bounds.high:
            raise ValueError(f"Must be {bounds}.")
        return value

    return read


def _whole_or_none(bounds: Bounds) -> Callable[[object], int | None]:
    read_whole = _whole(bounds)

    def read(value: object) -> int | None:
        return None if value is None else read_whole(value)

    return read


def _delays(value: object) -> list[float]:
    if not isinstance(value, list | tuple) or len(value) > MAX_RETRIES:
        raise ValueError(f"Must be a list of at most {MAX_RETRIES} numbers.")
    delays = [_number(DELAY)(delay) for delay in value]
    if sum(delays) > MAX_SPAN_DAYS * DAY:
        raise ValueError(f"Must be {MAX_SPAN_DAYS} days together at most.")
    return delays


def _success(value: object) -> list[int]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= 2:
        raise ValueError("Must be one status, or the first and the last of several.")
    statuses = [_whole(STATUS)(status) for status in value]
    if statuses[0] > statuses[-1]:
        raise ValueError("The first status must not be above the last.")
    return statuses


_FIELDS: dict[object, Callable[[object], Any]] = {
    "timeout": _number(TIMEOUT),
    "delays": _delays,
    "success": _success,
    "rate": _whole(RATE),
    "size": _whole(SIZE),
    "disable_after_unreached": _whole_or_none(UNREACHED),
    "disable_after_failed": _whole_or_none(FAILED),
}
