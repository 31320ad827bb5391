"""How long after it was possible messages set out, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass

TOLERATED = 0.05
"""This share of an hour's messages may be late before something is wrong with the workers."""


@dataclass(frozen=True, kw_only=True)
class ChannelLag:
    """One channel within the last hour, and now. Times are seconds.

    :param target: within how many of them a message should set out.
    :param count: messages that set out; ``mean`` and ``longest`` are what they waited, ``late`` how many of them waited
        longer than the target.
    :param waiting: how long the oldest one waits that could set out now; 0: there is none.
    :param pending: deliveries that are not finished; ``held`` how many of them wait for their reader's share,
        ``oldest`` how long ago the first of them was written; 0: there is none.
    :param attempts: how the attempts of that hour went: ``ok`` or the class of the failure, and how many.
    :param finished: how deliveries ended in that hour: ``done``, ``dead``, ``cancelled``, and how many.
    """

    channel: str
    target: float
    count: int = 0
    mean: float = 0.0
    longest: float = 0.0
    late: int = 0
    waiting: float = 0.0
    pending: int = 0
    held: int = 0
    oldest: float = 0.0
    attempts: tuple[tuple[str, int], ...] = ()
    finished: tuple[tuple[str, int], ...] = ()

    @property
    def late_ratio(self) -> float:
        return self.late / self.count if self.count else 0.0

    @property
    def is_late(self) -> bool:
        return self.waiting > self.target or self.late_ratio > TOLERATED
