"""A delivery policy is a small frozen value; a subscription may adjust the one of its format, within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_RETRY_AFTER = DAY
"""However long a receiver asks to wait, a delivery is tried again within this many seconds."""

STALE_AFTER = DAY
"""An event older than this at its first attempt is marked instead of sent: a restored backup must not mail history."""

MOST_LOSSES = 3
"""So many attempts may end with their worker, or one for each retry if these are more, before a delivery counts as what
kills it."""

SUPERSEDED_AFTER = MINUTE
"""An update that is older than this, or was tried in vain, is left out if a later one waits behind it."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How deliveries of one format are sent.

    :param timeout: seconds for one attempt in all: DNS, connect, headers and body.
    :param delays: seconds before the second, third, … attempt. Its length is the number of retries.
    :param success: the statuses that count as received.
    :param jitter: share of a delay that is added at random, 0 to 1.
    :param rate: requests a minute to one subscription; later ones wait, none is dropped.
    :param spacing: seconds between two requests to one subscription; 0: as they come.
    :param size: bytes of a body; longer texts in it are cut and marked.
    :param disable_after_unreached: failures to connect in a row (DNS, refused, TLS, timeout) that disable the
        subscription; None: it stays.
    :param disable_after_failed: failures of any kind within an hour that disable it; None: it stays.
    """

    timeout: float = 10.0
    delays: tuple[float, ...] = (MINUTE, 5 * MINUTE, 30 * MINUTE)
    success: range = range(200, 300)
    jitter: float = 0.2
    rate: int = 100
    spacing: float = 0.0
    size: int = 1_000_000
    disable_after_unreached: int | None = None
    disable_after_failed: int | None = None

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

    @property
    def span(self) -> float:
        """Seconds from the first attempt to the last one, at most."""
        return sum(self.delays) * (1 + self.jitter) + self.timeout * (len(self.delays) + 1)

    def with_lost(self, losses: int) -> Policy:
        """This policy for a delivery of whose attempts so many ended with their worker, which do not count."""
        return replace(self, delays=(0.0,) * losses + self.delays) if losses else self

    def adjusted(self, changes: Mapping[str, Any]) -> Policy:
        """This policy with what a subscription wants otherwise, as it is stored and as the API shows it.

        :param changes: of this class's fields, plain data that was checked already: ``success`` is ``[200]`` or
            ``[200, 299]``, the first and the last status.
        """
        values = dict(changes)
        if "delays" in values:
            values["delays"] = tuple(float(delay) for delay in values["delays"])
        if "success" in values:
            first, last = values["success"][0], values["success"][-1]
            values["success"] = range(first, last + 1)
        return replace(self, **values)
