"""Snapshots made by hand, and an app with just enough around it to render them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Blueprint, Flask
from jinja2 import StrictUndefined

import flask_statuspage
from flask_statuspage.config import Settings
from flask_statuspage.documents.rendering import Frame
from flask_statuspage.documents.snapshot import ComponentState, Snapshot, overall_status
from flask_statuspage.domain.facts import (
    AffectedFact,
    ComponentFact,
    GroupFact,
    IncidentFact,
    MaintenanceFact,
    ShownPage,
    UpdateFact,
)
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.series import Series, Window
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.tally import Tally
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.state import EXTENSION, State
from tests.host import Host

PACKAGE = Path(flask_statuspage.__file__).parent
NOW = datetime(2026, 2, 19, 17, 30, tzinfo=UTC)
FIVE_MINUTES_AGO = NOW - timedelta(minutes=5)


def ago(**parts: float) -> datetime:
    """So long before the snapshots were made."""
    return NOW - timedelta(**parts)


def uuid(number: int) -> UUID:
    return UUID(int=number)


def page_fact(**changes: Any) -> ShownPage:
    values: dict[str, Any] = {
        "id": uuid(1),
        "slug": "status",
        "name": "FacioTech Status",
        "url": "https://status.example.com",
        "time_zone": "UTC",
        "updated_at": NOW,
    }
    return ShownPage(**(values | changes))


def group_fact(number: int, name: str, **changes: Any) -> GroupFact:
    values: dict[str, Any] = {
        "description": "",
        "position": number,
        "created_at": ago(days=100),
        "updated_at": ago(days=100),
    }
    return GroupFact(id=uuid(100 + number), name=name, **(values | changes))


def component_state(
    number: int,
    name: str,
    status: ComponentStatus = ComponentStatus.OPERATIONAL,
    *,
    group: GroupFact | None = None,
    measured: bool = True,
    **changes: Any,
) -> ComponentState:
    """A component; *changes* are for its fact or for what was measured of it."""
    state: dict[str, Any] = {
        "uptime_percent": 100.0 if measured else None,
        "response_ms": 245 if measured else None,
        "check_interval": 60 if measured else None,
        "history": (),
        "last_check_at": NOW if measured else None,
    }
    fact: dict[str, Any] = {
        "id": uuid(200 + number),
        "slug": f"service-{number}",
        "name": name,
        "description": "",
        "group_id": group.id if group else None,
        "group": group.name if group else None,
        "position": number,
        "status": status,
        "only_show_if_degraded": False,
        "showcase": True,
        "start_date": None,
        "since": ago(hours=2),
        "created_at": ago(days=100),
        "updated_at": ago(hours=2),
    }
    state |= {key: value for key, value in changes.items() if key in state}
    fact |= {key: value for key, value in changes.items() if key in fact}
    return ComponentState(fact=ComponentFact(**fact), **state)


def affected(state: ComponentState, **changes: Any) -> AffectedFact:
    fact = state.fact
    values: dict[str, Any] = {
        "id": fact.id,
        "slug": fact.slug,
        "name": fact.name,
        "group": fact.group,
        "status": fact.status,
    }
    return AffectedFact(**(values | changes))


def update_fact(
    number: int,
    status: str,
    body: str,
    at: datetime,
    components: tuple[AffectedFact, ...] = (),
    *,
    kind: type[IncidentStatus] | type[MaintenanceStatus] = IncidentStatus,
    notified: bool = True,
) -> UpdateFact:
    return UpdateFact(
        id=uuid(400 + number),
        status=kind(status),
        body=body,
        components=components,
        created_at=at,
        updated_at=at,
        notified=notified,
    )


def incident_fact(
    number: int,
    title: str,
    status: str = "investigating",
    impact: str = "minor",
    *,
    started_at: datetime = FIVE_MINUTES_AGO,
    resolved_at: datetime | None = None,
    components: tuple[AffectedFact, ...] = (),
    updates: tuple[UpdateFact, ...] = (),
    **changes: Any,
) -> IncidentFact:
    values: dict[str, Any] = {
        "automatic": False,
        "monitoring_at": None,
        "created_at": started_at,
        "updated_at": updates[0].updated_at if updates else started_at,
    }
    return IncidentFact(
        id=uuid(300 + number),
        title=title,
        status=IncidentStatus(status),
        impact=Impact(impact),
        started_at=started_at,
        resolved_at=resolved_at,
        components=components,
        updates=updates,
        **(values | changes),
    )


def maintenance_fact(
    number: int,
    title: str,
    status: str = "scheduled",
    *,
    start: datetime = NOW + timedelta(hours=2),
    end: datetime = NOW + timedelta(hours=3),
    components: tuple[AffectedFact, ...] = (),
    updates: tuple[UpdateFact, ...] = (),
    **changes: Any,
) -> MaintenanceFact:
    values: dict[str, Any] = {
        "started_at": None,
        "ended_at": None,
        "auto_start": True,
        "auto_complete": True,
        "remind_before": (60,),
        "revision": 0,
        "rrule": None,
        "exceptions": (),
        "series_id": None,
        "series_start": None,
        "series_zone": None,
        "occurrence_at": None,
        "created_at": ago(days=1),
        "updated_at": ago(days=1),
    }
    return MaintenanceFact(
        id=uuid(500 + number),
        title=title,
        status=MaintenanceStatus(status),
        scheduled_start=start,
        scheduled_end=end,
        components=components,
        updates=updates,
        **(values | changes),
    )


def snapshot_of(
    *components: ComponentState,
    incidents: tuple[IncidentFact, ...] = (),
    groups: tuple[GroupFact, ...] = (),
    **changes: Any,
) -> Snapshot:
    """A snapshot whose page status follows from its components and incidents unless it is given."""
    open_impacts = [incident.impact for incident in incidents if incident.status.is_open]
    values: dict[str, Any] = {
        "page": page_fact(),
        "version": 7,
        "generated_at": NOW,
        "status": overall_status(components, open_impacts, now=NOW),
        "uptime_days": 90,
        "partial_outage_weight": 0.3,
        "incident_count": len(incidents),
    }
    return Snapshot(components=components, incidents=incidents, groups=groups, **(values | changes))


def series_of(
    *values: Sequence[int | None], names: Sequence[str] = ("default", "us", "ap"), name: str = "1h"
) -> Series:
    """For each region its answers from the oldest to the newest: one of so many milliseconds at each point."""
    window = Window.ending(NOW, name)
    step = window.chosen.step
    return window.series(
        window.region(
            region,
            [
                (window.start + place * step, _answered(value))
                for place, value in enumerate(given)
                if value is not None
            ],
            interval=60,
        )
        for region, given in zip(names, values, strict=False)
    )


def _answered(milliseconds: int) -> Tally:
    tally = Tally()
    tally.add(Verdict.UP, milliseconds)
    return tally


@pytest.fixture
def make_snapshot() -> Callable[..., Snapshot]:
    return snapshot_of


def urls(endpoint: str, /, **values: Any) -> str:
    """Addresses that show what was asked for, safe whatever a value holds."""
    return "/".join(
        ["/status", endpoint, *(quote(str(value), safe="") for value in values.values())]
    )


FRAME = Frame(urls=urls)


def make_app(templates: Path | None = None, **settings: Any) -> Flask:
    """A bare host with the package's templates and its own in the folder *templates*."""
    app = Host("host", template_folder=str(templates) if templates else None)
    app.register_blueprint(
        Blueprint("parts", "parts", root_path=str(PACKAGE), template_folder="templates")
    )
    # A template that asks for more than it is given fails, whatever the host's own setting is.
    app.jinja_env.undefined = StrictUndefined
    app.extensions[EXTENSION] = State(settings=Settings(**settings))
    return app


@pytest.fixture
def app() -> Iterator[Flask]:
    app = make_app()
    with app.test_request_context():
        yield app
