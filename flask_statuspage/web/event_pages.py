"""The pages of single incidents and maintenance: what mails, feeds and webhooks link to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

from flask import Blueprint, redirect
from werkzeug.wrappers import Response as BaseResponse

from ..documents import calendar
from ..documents import page as documents
from ..documents.document import CALENDAR
from ..documents.neighbours import Neighbours, known
from ..documents.rendering import Frame
from ..documents.snapshot import Snapshot
from ..domain.facts import MaintenanceFact
from ..errors import NotFound
from ..services import history_pages, overview
from ..state import current_state
from ..storage.session import current_session
from . import answers, shown
from .cache import DocumentCache
from .idents import uuid_of
from .mounts import page_route

_ID = len(str(UUID(int=0)))


def add_routes(blueprint: Blueprint) -> None:
    page_route(blueprint, "/incidents/<incident_id>", "incident", incident)
    page_route(blueprint, "/maintenance/<maintenance_id>", "maintenance", maintenance)
    page_route(blueprint, "/maintenance/<maintenance_id>.ics", "maintenance_ics", maintenance_ics)


def incident(page_slug: str | None, incident_id: str) -> BaseResponse:
    ident, has_title = _ident(incident_id, "incident")
    if has_title:
        return _moved("incident", {"incident_id": ident})
    return shown.page(page_slug, partial(_incident, ident), name=str(ident))


def maintenance(page_slug: str | None, maintenance_id: str) -> BaseResponse:
    ident, has_title = _ident(maintenance_id, "maintenance")
    if has_title:
        return _moved("maintenance", {"maintenance_id": ident})
    return shown.page(page_slug, partial(_maintenance, ident), name=str(ident))


def maintenance_ics(page_slug: str | None, maintenance_id: str) -> BaseResponse:
    ident, has_title = _ident(maintenance_id, "maintenance")
    if has_title:
        return _moved("maintenance_ics", {"maintenance_id": ident})
    cache: DocumentCache = current_state().documents
    name = f"maintenance_ics {ident}"
    found = cache.document(current_session, page_slug, name, partial(_calendar, ident))
    return answers.document(found, CALENDAR)


def _ident(text: str, kind: str) -> tuple[UUID, bool]:
    """The id in an address, and whether something stands behind it, such as a title: "<id>-payments-fail".

    :raises NotFound: also for other spellings of an id: one thing has one address.
    """
    ident = uuid_of(text[:_ID], kind)
    if str(ident) != text[:_ID].lower() or text[_ID : _ID + 1] not in ("", "-"):
        raise NotFound(kind, text)
    return ident, len(text) > _ID


def _moved(endpoint: str, values: Mapping[str, UUID]) -> BaseResponse:
    """To the one address that the thing has, whatever its title was."""
    return redirect(shown.urls()(endpoint, **values), 301)


def _incident(incident_id: UUID, snapshot: Snapshot, frame: Frame) -> str:
    found = (fact for fact in snapshot.incidents if fact.id == incident_id)
    fact = next(found, None)
    if fact is None:  # older than what a page shows; mails and webhooks link to it all the same
        fact = overview.incident(current_session(), snapshot.page.id, incident_id)
    neighbours: Neighbours | None
    if frame.stale_since is not None:
        neighbours = known(snapshot, fact)
    else:
        neighbours = history_pages.neighbours(current_session(), snapshot, fact)
    return documents.incident(snapshot, fact, frame, neighbours=neighbours)


def _maintenance(maintenance_id: UUID, snapshot: Snapshot, frame: Frame) -> str:
    return documents.maintenance(snapshot, _maintenance_of(snapshot, maintenance_id), frame)


def _calendar(maintenance_id: UUID, snapshot: Snapshot, stale: datetime | None) -> bytes:
    return calendar.one_maintenance(snapshot, _maintenance_of(snapshot, maintenance_id))


def _maintenance_of(snapshot: Snapshot, ident: UUID) -> MaintenanceFact:
    found = next((fact for fact in snapshot.maintenances if fact.id == ident), None)
    return found or overview.maintenance(current_session(), snapshot.page.id, ident)
