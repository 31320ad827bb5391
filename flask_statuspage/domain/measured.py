"""What is measured of a whole site, as plain values. Times are seconds unless the name says otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from .status import ComponentStatus
from .verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class MeasuredComponent:
    """A component as its page shows it. ``page`` and ``slug`` together name it for good."""

    page: str
    slug: str
    name: str
    group: str
    status: ComponentStatus


@dataclass(frozen=True, kw_only=True)
class MeasuredRegion:
    """What a region found last.

    :param milliseconds: None: its last check failed, or was not timed.
    :param last_at: aware; None: it has made no check yet.
    """

    region: str
    milliseconds: int | None
    last_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class MeasuredMonitor:
    """A monitor and what each of its regions found. ``component`` is a slug, empty where it is about none."""

    page: str
    slug: str
    name: str
    kind: str
    component: str
    verdict: Verdict
    is_paused: bool
    regions: list[MeasuredRegion] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """The checks of one region that are due and not made.

    :param lag: by how much the oldest of them is late; 0.0: there is none.
    """

    region: str
    due: int = 0
    lag: float = 0.0


def complete(found: Iterable[Backlog], regions: Iterable[str]) -> list[Backlog]:
    """*found*, and each of *regions* in which nothing is due, by name."""
    by_name = {name: Backlog(region=name) for name in regions}
    by_name |= {backlog.region: backlog for backlog in found}
    return [by_name[name] for name in sorted(by_name)]
