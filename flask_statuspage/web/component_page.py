"""The page of one component."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response

from ..documents import component_page as documents
from ..documents.rendering import Frame
from ..documents.snapshot import ComponentState, Snapshot
from ..domain.happenings import ComponentPast
from ..domain.series import DEFAULT, RANGES, Series
from ..errors import FieldError, Invalid, NotFound
from ..services import component_history, series
from ..storage.session import current_session
from . import shown, visits
from .failures import BadQuery
from .mounts import page_route


def add_routes(blueprint: Blueprint) -> None:
    """Add the page of a component to *blueprint*. What programs read of one lies below the same path."""
    page_route(blueprint, "/components/<component_slug>", "component", component)


def component(page_slug: str | None, component_slug: str) -> Response:
    asked = visits.request_object().args
    kept = {name: asked[name] for name in ("range", "region") if name in asked}
    name = kept.get("range", DEFAULT)
    if name not in RANGES:
        allowed = ", ".join(RANGES)
        raise BadQuery(FieldError("range", f"{name[:40]!r} is none. Must be one of {allowed}."))
    render = partial(_rendered, component_slug, name, kept.get("region"))
    return shown.page(page_slug, render, name=component_slug, kept=kept)


def _rendered(
    component_slug: str, name: str, region: str | None, snapshot: Snapshot, frame: Frame
) -> str:
    state = snapshot.component(component_slug)
    if state is None:
        raise NotFound("component", component_slug)
    past, measured = _read(snapshot, state, name, frame)
    if measured is None:
        region = None
    try:
        return documents.component(
            snapshot, state, past, measured, frame, shown_range=name, region=region
        )
    except Invalid as error:
        raise BadQuery(*error.errors) from error


def _read(
    snapshot: Snapshot, state: ComponentState, name: str, frame: Frame
) -> tuple[ComponentPast, Series | None]:
    """The component's past and its response times; while the database is away, what the snapshot knows of them."""
    # All ranges and languages show the same year.
    key = "year", state.fact.id
    past: ComponentPast | None = snapshot.worked_out.get(key)
    if frame.stale_since is None:
        session = current_session()
        if past is None:
            past = component_history.of_year(session, snapshot, state)
            snapshot.worked_out[key] = past
        return past, series.of_watched(session, state.fact.id, name)
    response = snapshot.response
    is_known = response is not None and response.slug == state.fact.slug and name == DEFAULT
    return past or component_history.known(snapshot, state), (
        response.series if response is not None and is_known else None
    )
