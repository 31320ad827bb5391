"""The contract of a format: a pure function of an event, and the policy that its receivers were promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...domain.events import Event
from ...domain.retry import Policy


def _unsigned(secret: str, body: bytes) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Format:
    """How one published system words events.

    :param channels: the channels that can carry it.
    :param render: event → the exact text that is sent.
    :param unasked: events that a subscription gets without choosing them.
    :param offered: all events that the format can word.
    :param sign: secret, body → the format's own signature headers.
    """

    name: str
    channels: frozenset[str]
    render: Callable[[Event], str]
    unasked: frozenset[str]
    offered: frozenset[str]
    policy: Policy = field(default_factory=Policy)
    content_type: str = "application/json"
    sign: Callable[[str, bytes], Mapping[str, str]] = _unsigned
