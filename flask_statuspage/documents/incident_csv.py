"""Incidents as CSV (RFC 4180) for spreadsheets: UTF-8 without a byte order mark, with a header line.

What members typed can look like a formula: such cells are :func:`~..domain.cells.defused`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import StringIO

from ..domain.cells import defused
from ..domain.facts import IncidentFact
from .snapshot import Snapshot

COLUMNS = (
    "id",
    "name",
    "status",
    "impact",
    "components",
    "started_at",
    "resolved_at",
    "duration_minutes",
    "updates",
    "latest_update_at",
    "latest_update",
    "url",
)
"""``components`` are names between semicolons; times are RFC 3339 in UTC, as in the JSON API, so that their order is
that of their text; ``duration_minutes`` and ``resolved_at`` are empty while it is open; ``updates`` is their number and
``latest_update`` the Markdown of the latest one."""

ROWS_PER_CHUNK = 50


def document(snapshot: Snapshot) -> bytes:
    """The incidents of *snapshot*, in its order."""
    return b"".join(stream(snapshot.incidents, page_url=snapshot.page.url))


def stream(incidents: Iterable[IncidentFact], page_url: str) -> Iterator[bytes]:
    """The document piece by piece, as *incidents* come: the header, then some whole lines at a time.

    :param page_url: without a slash at its end.
    """
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    yield _taken(buffer)
    waiting = 0
    for incident in incidents:
        writer.writerow([defused(cell) for cell in _row(incident, page_url)])
        waiting += 1
        if waiting == ROWS_PER_CHUNK:
            yield _taken(buffer)
            waiting = 0
    if waiting:
        yield _taken(buffer)


def _row(incident: IncidentFact, page_url: str) -> tuple[str, ...]:
    latest = incident.updates[0] if incident.updates else None
    return (
        str(incident.id),
        incident.title,
        incident.status.value,
        incident.impact.value,
        "; ".join(component.name for component in incident.components),
        _instant(incident.started_at),
        _instant(incident.resolved_at),
        _minutes(incident.started_at, incident.resolved_at),
        str(len(incident.updates)),
        _instant(latest.created_at if latest else None),
        latest.body if latest else "",
        f"{page_url}/incidents/{incident.id}",
    )


def _taken(buffer: StringIO) -> bytes:
    lines = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return lines


def _instant(when: datetime | None) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds") if when else ""


def _minutes(start: datetime, end: datetime | None) -> str:
    return str(max(0, int((end - start).total_seconds() // 60))) if end else ""
