"""Rows for a page of a given size, inserted in bulk: components, their monitors and history, incidents, maintenance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, text

from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus, Impact, Source
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.storage.components import Component, ComponentGroup, StatusInterval
from flask_statuspage.storage.incidents import AffectedComponent, Incident, IncidentUpdate
from flask_statuspage.storage.maintenances import (
    MaintainedComponent,
    Maintenance,
    MaintenanceUpdate,
)
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.pages import Page

DAYS = 90
INCIDENTS = 50
MAINTENANCES = 6
OUTAGES_PER_COMPONENT = 9
COMPONENTS_PER_GROUP = 10

BODY = (
    "We see **failing requests** to `api.fjordwerk.example` and are looking for the cause.\n\n"
    "* Reading works.\n* Writing fails for [some customers](https://fjordwerk.example/regions).\n"
)
STEPS = ("investigating", "identified", "monitoring", "resolved")

Rows = list[dict[str, Any]]


def page(connection: Connection, slug: str, name: str) -> UUID:
    """Another page beside the default one."""
    ident = new_id()
    connection.execute(insert(Page), [{"id": ident, "slug": slug, "name": name}])
    return ident


def default_page(connection: Connection) -> UUID:
    found: UUID = connection.execute(select(Page.id).where(Page.is_default)).scalar_one()
    return found


def fill(
    connection: Connection, page_id: UUID, *, components: int, incidents: int = INCIDENTS
) -> None:
    """Give a page its content: the same rows at each run, their times counted back from now.

    Each component has a monitor and :data:`OUTAGES_PER_COMPONENT` outages in the last :data:`DAYS` days; each incident
    has four updates and up to three components. One incident in 25 is open.
    """
    dice = random.Random(components)
    now = datetime.now(UTC).replace(microsecond=0)
    parts = _components(connection, page_id, components, now)
    _monitors(connection, page_id, parts, now)
    connection.execute(
        insert(StatusInterval), [row for part in parts for row in _intervals(part, now, dice)]
    )
    _incidents(connection, page_id, parts, incidents, now, dice)
    _maintenances(connection, page_id, parts, now, dice)


def checks(connection: Connection, count: int) -> None:
    """Raw checks for the monitors that are there, spread over them and over the last month, made by the database."""
    if connection.dialect.name == "postgresql":
        numbers = f"SELECT generate_series(0, {count - 1}) AS n"
        at = "now() - make_interval(secs => (numbers.n * 2592000.0 / :count))"
    else:
        numbers = (
            "WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted "
            f"WHERE n < {count - 1}) SELECT n FROM counted"
        )
        at = (
            "strftime('%Y-%m-%d %H:%M:%S.000000', 'now', '-' || "
            "CAST(numbers.n * 2592000.0 / :count AS INTEGER) || ' seconds')"
        )
    statement = f"""
        INSERT INTO statuspage_check_result (region_id, at, outcome, code, milliseconds)
        SELECT regions.id, {at}, 'up', 200, 20 + numbers.n % 200
        FROM ({numbers}) AS numbers
        JOIN (
            SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS many
            FROM statuspage_region
        ) AS regions ON regions.place = numbers.n % regions.many
    """
    connection.execute(text(statement), {"count": count})


def analyse(connection: Connection) -> None:
    """Let the planner know what is there, as a database that runs for a while does by itself."""
    connection.exec_driver_sql("ANALYZE")


def _components(connection: Connection, page_id: UUID, count: int, now: datetime) -> Rows:
    groups = [
        {"id": new_id(), "page_id": page_id, "name": f"Region {number}", "position": number}
        for number in range(-(-count // COMPONENTS_PER_GROUP))
    ]
    rows = [
        {
            "id": new_id(),
            "page_id": page_id,
            "group_id": groups[number // COMPONENTS_PER_GROUP]["id"],
            "slug": f"component-{number}",
            "name": f"Component {number}",
            "description": "Cranes, cables and what else carries weight.",
            "position": number,
            "since": now - timedelta(days=1),
        }
        for number in range(count)
    ]
    connection.execute(insert(ComponentGroup), groups)
    connection.execute(insert(Component), rows)
    return rows


def _monitors(connection: Connection, page_id: UUID, parts: Rows, now: datetime) -> None:
    monitors = [
        {
            "id": new_id(),
            "page_id": page_id,
            "component_id": part["id"],
            "slug": part["slug"],
            "name": part["name"],
            "kind": "http",
            "target": f"https://{part['slug']}.fjordwerk.example/",
            "interval": 60,
            "timeout": 10.0,
            "failure_threshold": 3,
            "recovery_threshold": 2,
            "outage_status": ComponentStatus.MAJOR_OUTAGE,
            "verdict": Verdict.UP,
        }
        for part in parts
    ]
    regions = [
        {
            "monitor_id": monitor["id"],
            "region": "default",
            "verdict": Verdict.UP,
            "last_outcome": Verdict.UP,
            "last_at": now,
            "last_ms": 87,
            "last_code": 200,
        }
        for monitor in monitors
    ]
    connection.execute(insert(Monitor), monitors)
    connection.execute(insert(MonitorRegion), regions)


def _intervals(
    part: dict[str, Any], now: datetime, dice: random.Random
) -> Iterator[dict[str, Any]]:
    bad = (
        ComponentStatus.DEGRADED_PERFORMANCE,
        ComponentStatus.PARTIAL_OUTAGE,
        ComponentStatus.MAJOR_OUTAGE,
    )
    start = now - timedelta(days=DAYS + 10)
    share = timedelta(days=DAYS) / (OUTAGES_PER_COMPONENT + 1)
    for number in range(OUTAGES_PER_COMPONENT):
        begun = now - timedelta(days=DAYS) + share * number + share * dice.random() * 0.9
        ended = begun + timedelta(minutes=dice.randint(2, 300))
        yield _interval(part, ComponentStatus.OPERATIONAL, start, begun)
        yield _interval(part, dice.choice(bad), begun, ended)
        start = ended
    yield _interval(part, ComponentStatus.OPERATIONAL, start, None)


def _interval(
    part: dict[str, Any], status: ComponentStatus, start: datetime, end: datetime | None
) -> dict[str, Any]:
    return {
        "component_id": part["id"],
        "status": status,
        "started_at": start,
        "ended_at": end,
        "source": Source.MONITOR,
    }


def _incidents(
    connection: Connection,
    page_id: UUID,
    parts: Rows,
    count: int,
    now: datetime,
    dice: random.Random,
) -> None:
    incidents: Rows = []
    affected: Rows = []
    updates: Rows = []
    for number in range(count):
        begun = now - timedelta(days=DAYS) * number / max(count, 1) - timedelta(hours=2)
        is_open = number % 25 == 0
        steps = STEPS[:2] if is_open else STEPS
        hit = dice.sample(parts, min(len(parts), dice.randint(1, 3)))
        ident = new_id()
        incidents.append(
            {
                "id": ident,
                "page_id": page_id,
                "title": f"Requests fail in hall {number}",
                "status": IncidentStatus(steps[-1]),
                "impact": Impact.MINOR,
                "started_at": begun,
                "monitoring_at": None if is_open else begun + timedelta(minutes=40),
                "resolved_at": None if is_open else begun + timedelta(minutes=60),
            }
        )
        affected += [
            {
                "incident_id": ident,
                "component_id": part["id"],
                "status": ComponentStatus.DEGRADED_PERFORMANCE
                if is_open
                else ComponentStatus.OPERATIONAL,
                "position": place,
            }
            for place, part in enumerate(hit)
        ]
        updates += [
            {
                "incident_id": ident,
                "number": place + 1,
                "status": IncidentStatus(step),
                "body": BODY,
                "components": [_told(part, "degraded_performance") for part in hit]
                if place == 0
                else [],
                "created_at": begun + timedelta(minutes=20 * place),
                "updated_at": begun + timedelta(minutes=20 * place),
            }
            for place, step in enumerate(steps)
        ]
    for model, rows in ((Incident, incidents), (AffectedComponent, affected)):
        connection.execute(insert(model), rows)
    connection.execute(insert(IncidentUpdate), updates)


def _told(part: dict[str, Any], status: str) -> dict[str, Any]:
    return {
        "id": str(part["id"]),
        "slug": part["slug"],
        "name": part["name"],
        "group": None,
        "status": status,
        "old_status": "operational",
    }


def _maintenances(
    connection: Connection, page_id: UUID, parts: Rows, now: datetime, dice: random.Random
) -> None:
    for number in range(MAINTENANCES):
        start = now + timedelta(days=7 * number - 21, hours=3)
        is_over = start < now
        ident = new_id()
        row = {
            "id": ident,
            "page_id": page_id,
            "title": f"New cables {number}",
            "status": MaintenanceStatus.COMPLETED if is_over else MaintenanceStatus.SCHEDULED,
            "scheduled_start": start,
            "scheduled_end": start + timedelta(hours=4),
            "started_at": start if is_over else None,
            "ended_at": start + timedelta(hours=4) if is_over else None,
        }
        connection.execute(insert(Maintenance), [row])
        connection.execute(
            insert(MaintainedComponent),
            [{"maintenance_id": ident, "component_id": dice.choice(parts)["id"]}],
        )
        update = {
            "maintenance_id": ident,
            "number": 1,
            "status": row["status"],
            "body": BODY,
            "created_at": start - timedelta(days=3),
        }
        connection.execute(insert(MaintenanceUpdate), [update])
