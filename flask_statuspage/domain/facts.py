"""What is known of a page and its things, frozen: the parts of snapshots and of events.

Times are aware UTC. :func:`plain` makes the JSON-able form that events carry.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from .incident import IncidentStatus
from .status import ComponentStatus, Impact
from .verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class PageFact:
    """``url`` has no trailing slash."""

    id: UUID
    slug: str
    name: str
    url: str
    time_zone: str
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class GroupFact:
    id: UUID
    name: str
    description: str
    position: int


@dataclass(frozen=True, kw_only=True)
class ComponentFact:
    """``group`` is the group's name. ``since`` is when the shown status began."""

    id: UUID
    slug: str
    name: str
    description: str
    group_id: UUID | None
    group: str | None
    position: int
    status: ComponentStatus
    only_show_if_degraded: bool
    since: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class AffectedFact:
    """A component in an incident or update. ``old_status`` is None where it was not recorded."""

    id: UUID
    slug: str
    name: str
    group: str | None
    status: ComponentStatus
    old_status: ComponentStatus | None = None


@dataclass(frozen=True, kw_only=True)
class UpdateFact:
    """``body`` is Markdown."""

    id: UUID
    status: IncidentStatus
    body: str
    components: tuple[AffectedFact, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class IncidentFact:
    """``updates`` are newest first; ``components`` carry the status of the latest update."""

    id: UUID
    title: str
    status: IncidentStatus
    impact: Impact
    automatic: bool
    components: tuple[AffectedFact, ...]
    updates: tuple[UpdateFact, ...]
    started_at: datetime
    monitoring_at: datetime | None
    resolved_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class CheckFact:
    """One answered probe. ``code`` is the protocol's status, ``error`` the class of what failed."""

    outcome: Verdict
    region: str
    at: datetime
    milliseconds: int | None
    code: int | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class MonitorFact:
    id: UUID
    slug: str
    name: str
    kind: str
    target: str
    interval: int
    verdict: Verdict
    failures: int
    previous: Verdict | None = None
    check: CheckFact | None = None


def plain(value: Any) -> Any:
    """*value* as plain data: dataclasses become dicts, times RFC 3339 in UTC, enums and UUIDs text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, UUID | date):
        return str(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
