"""The pages of single things in a mirror. There may be thousands, most of them of what is over.

So each has a stamp, and is made again only where what it is made of has changed.

A further kind is one function that yields :class:`Single` and one line of :func:`singles`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from ..documents.fingerprint import templates_fingerprint
from ..documents.neighbours import neighbours
from ..documents.site_files import SiteFiles
from ..documents.snapshot import ComponentState, Snapshot
from ..domain.facts import IncidentFact, MaintenanceFact
from ..domain.happenings import ComponentPast
from ..domain.series import DEFAULT, Series
from ..domain.year_month import Month
from ..state import current_settings
from ..storage.apart import apart_from_host
from . import component_history, series

_TEMPLATES = tuple(
    f"statuspage/{name}.html" for name in ("incident", "maintenance", "component", "history")
)
"""Those of the pages that are not made again while nothing changes."""

MEASURED = 100
"""So many components have their response times read at once: together those may be a hundred thousand rows."""


@dataclass(frozen=True)
class Single:
    """One file.

    :param stamp: what it is made of; "": it is made each time, since it tells how long something has lasted.
    """

    name: str
    stamp: str
    render: Callable[[], bytes]


def singles(
    files: SiteFiles,
    snapshot: Snapshot,
    incidents: Sequence[IncidentFact],
    maintenances: Sequence[MaintenanceFact],
) -> Iterator[Single]:
    """The pages of all *incidents* and *maintenances*, each newest first, of the months and of the components."""
    look = _look(snapshot)
    yield from _incidents(files, look, incidents)
    yield from _maintenances(files, look, maintenances, snapshot.version)
    yield from _months(files, look, snapshot)
    yield from _components(files, look, snapshot, incidents, maintenances)


def _incidents(files: SiteFiles, look: str, incidents: Sequence[IncidentFact]) -> Iterator[Single]:
    for place, fact in enumerate(incidents):
        beside = neighbours(incidents, place)
        yield Single(
            files.path("incident", incident_id=fact.id),
            "" if fact.status.is_open else _stamp(look, fact, beside),
            partial(files.incident, fact, beside),
        )


def _maintenances(
    files: SiteFiles, look: str, maintenances: Sequence[MaintenanceFact], version: int
) -> Iterator[Single]:
    for fact in maintenances:
        yield Single(
            files.path("maintenance", maintenance_id=fact.id),
            _stamp(look, fact) if fact.status.is_over else "",
            partial(files.maintenance, fact),
        )
        yield Single(
            files.path("maintenance_ics", maintenance_id=fact.id),
            # The number of an occurrence's version in calendars is the page's.
            _stamp(look, fact, version if fact.series_id else None),
            partial(files.maintenance_ics, fact),
        )


def _months(files: SiteFiles, look: str, snapshot: Snapshot) -> Iterator[Single]:
    present = Month.of(snapshot.generated_at, ZoneInfo(snapshot.page.time_zone))
    # What can be chosen in the form.
    services = [(state.fact.slug, state.fact.name) for state in snapshot.components]
    for month, events in files.months.items():
        yield Single(
            files.path("history", month=month),
            "" if month == present else _stamp(look, present, services, events),
            partial(files.month, month),
        )


def _components(
    files: SiteFiles,
    look: str,
    snapshot: Snapshot,
    incidents: Sequence[IncidentFact],
    maintenances: Sequence[MaintenanceFact],
) -> Iterator[Single]:
    hour = f"{snapshot.generated_at.astimezone(ZoneInfo(snapshot.page.time_zone)):%Y-%m-%d %H}"
    with apart_from_host() as open_session:
        pasts = component_history.of_all(open_session(), snapshot, incidents, maintenances)
    waiting = iter(snapshot.components)
    while some := list(islice(waiting, MEASURED)):
        measured = _measured(some)
        for state in some:
            past, times = pasts[state.fact.id], measured.get(state.fact.id)
            # Uptimes move slowly: what nothing happens to is left as it is for an hour.
            made_of = (hour, state.fact, past, times, snapshot.partial_outage_weight)
            yield Single(
                files.path("component", component_slug=state.fact.slug),
                "" if _lasts(state, past) else _stamp(look, *made_of),
                partial(files.component, state, past, times),
            )


def _measured(states: Sequence[ComponentState]) -> dict[UUID, Series]:
    watched = [state.fact.id for state in states if state.check_interval is not None]
    if not watched:
        return {}
    with apart_from_host() as open_session:
        return series.of_all_watched(open_session(), watched, DEFAULT)


def _lasts(state: ComponentState, past: ComponentPast) -> bool:
    """Whether the page tells how long something has lasted by now."""
    return not state.status.is_calm or any(one.end is None for one in past.happenings)


def _look(snapshot: Snapshot) -> str:
    """What all of these pages share, as text."""
    page = replace(snapshot.page, updated_at=datetime.min)
    settings = current_settings()
    return repr(
        (
            page,
            importlib.metadata.version("Flask-StatusPage"),
            templates_fingerprint(*_TEMPLATES),
            (settings.api_dialect, settings.time_zone, settings.locales),
        )
    )


def _stamp(look: str, *made_of: object) -> str:
    return hashlib.sha256(f"{look}{made_of!r}".encode()).hexdigest()[:32]
