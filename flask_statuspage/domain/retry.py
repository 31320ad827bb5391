"""A delivery policy is a small frozen value."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_RETRY_AFTER = DAY
"""However long a receiver asks to wait, a delivery is tried again within this many seconds."""

STALE_AFTER = DAY
"""An event older than this at its first attempt is marked instead of sent: a restored backup must not mail history."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How deliveries of one format are sent.

    :param timeout: seconds for one attempt in all: DNS, connect, headers and body.
    :param delays: seconds before the second, third, … attempt. Its length is the number of retries.
    :param success: the statuses that count as received.
    :param jitter: share of a delay that is added at random, 0 to 1.
    """

    timeout: float = 10.0
    delays: tuple[float, ...] = (MINUTE, 5 * MINUTE, 30 * MINUTE)
    success: range = range(200, 300)
    jitter: float = 0.2

    def is_success(self, status: int | None) -> bool:
        return status is not None and status in self.success

    def delay_after(
        self, attempts: int, *, retry_after: float | None = None, chance: float = 0.0
    ) -> float | None:
        """Seconds to wait after *attempts* failed attempts, or None when the delivery is given up.

        :param retry_after: what the receiver asked for, in seconds; the longer one counts.
        :param chance: a random number from 0 to 1 that spreads the retries.
        """
        if attempts > len(self.delays):
            return None
        delay = self.delays[attempts - 1] * (1 + self.jitter * chance)
        if retry_after is None:
            return delay
        return max(delay, min(retry_after, MAX_RETRY_AFTER))
