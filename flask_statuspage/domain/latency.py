"""How long checks took, counted by about how long: small, quick to add to, and enough for a median or a percentile."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import ceil

LONGEST = 120_000
"""Milliseconds. What takes longer is counted with what takes this long: no check may."""


def _bounds() -> Iterator[int]:
    low = 0
    while low < LONGEST:
        yield low
        low = max(low + 1, low * 11 // 10)
    yield LONGEST


_BOUNDS = list(_bounds())  # exact to 20 ms, then in steps of 10 %
_NEXT = dict(pairwise(_BOUNDS))


class Histogram:
    """How many values lie in each bucket; a bucket is named by its shortest duration in whole milliseconds.

    Every value up to 20 ms has its own bucket; each bucket after that reaches about a tenth further than the one
    before, up to 120 seconds.

    :param counts: number of values by bucket, as :func:`bucket` names them; kept, not copied.
    """

    __slots__ = ("counts",)

    def __init__(self, counts: dict[int, int] | None = None) -> None:
        self.counts: dict[int, int] = {} if counts is None else counts

    @classmethod
    def of(cls, values: Iterable[int]) -> Histogram:
        """A histogram of these values, in milliseconds."""
        made = cls()
        for value in values:
            made.add(value)
        return made

    @classmethod
    def read(cls, text: str) -> Histogram:
        """The histogram that ``str()`` wrote.

        :raises ValueError: if it is no such text.
        """
        counts: dict[int, int] = {}
        for part in text.split():
            low, _, count = part.partition("*")
            counts[int(low)] = int(count or 1)
        return cls(counts)

    def add(self, ms: int) -> None:
        """Count one value; a negative one, which only a clock set back can make, counts as 0."""
        low = bucket(ms)
        self.counts[low] = self.counts.get(low, 0) + 1

    def merge(self, other: Histogram) -> None:
        """Count all that *other* counted, too."""
        counts = self.counts
        for low, count in other.counts.items():
            counts[low] = counts.get(low, 0) + count

    def percentile(self, share: float) -> int | None:
        """Milliseconds that *share* (0 to 1) of the values do not exceed, by nearest rank; None without values.

        The middle of the bucket that the exact answer lies in: at most half a bucket, 5 %, away from it. Who knows the
        shortest and the longest value keeps the answer between them.
        """
        # Less a hair: 0.07 * 100 is a little more than 7, and that is rank 7.
        rank = max(1, ceil(share * len(self) - 1e-9))
        for low in sorted(self.counts):
            rank -= self.counts[low]
            if rank <= 0:
                return (low + _NEXT.get(low, low + 1) - 1) // 2
        return None

    def __len__(self) -> int:
        """The number of values."""
        return sum(self.counts.values())

    def __str__(self) -> str:
        """Such as ``87 95*3 104``: the buckets in order, each with its number of values where that is not one."""
        return " ".join(
            str(low) if count == 1 else f"{low}*{count}"
            for low, count in sorted(self.counts.items())
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.counts == other.counts

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Histogram({self.counts})"


def bucket(ms: int) -> int:
    """The bucket that a duration is counted in: the shortest one that is counted there too, in milliseconds."""
    return _BOUNDS[bisect_right(_BOUNDS, ms) - 1] if ms > 0 else 0
