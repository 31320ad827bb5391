"""Monitors that the site's code declares: made, and kept as it says. Members change what it does not say."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..errors import Conflict, NotFound, Race
from ..probing import probes
from ..state import Declaration, current_settings
from ..storage import monitors as stored
from ..storage.components import Component
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.session import begin_read_committed
from . import monitor_fields, monitors, pages

ACTOR = "code"
"""Who made and changed declared monitors, in the audit."""


def sync(session: Session, declaration: Declaration) -> str | None:
    """Make the monitor that *declaration* is about as it says; nothing is written where nothing differs.

    :returns: what stands in the way, for the log of whoever runs the site; None: nothing.
    :raises Invalid: when the monitor cannot be as it is declared; nothing of it may be committed.
    :raises Race: when another process does the same; run it again.
    """
    begin_read_committed(session)
    try:
        page = pages.find(session, declaration.page)
    except NotFound as error:
        return str(error)
    fields = {"kind": declaration.kind, "target": declaration.target, **declaration.fields}
    missing = _name_component(session, page, fields)
    found = select(Monitor.id).where(Monitor.page_id == page.id, Monitor.slug == declaration.slug)
    try:
        monitor_id = session.scalar(found)
        if monitor_id is None:
            monitors.create(
                session, page, slug=declaration.slug, by_code=True, actor=ACTOR, **fields
            )
            return missing
        monitor = stored.get(session, monitor_id)
        if monitor is None:
            raise Race("The monitor went away at this moment.")
        if not monitor_fields.is_declared(monitor):
            return f"Another monitor, of kind {monitor.kind!r}, has the slug {monitor.slug!r}."
        if _differing(session, page, monitor, fields):
            _change(session, page, monitor.slug, fields)
    except IntegrityError as error:
        raise Race("Another process made the monitor at this moment.") from error
    except Conflict as error:
        raise Race(str(error)) from error
    return missing


def _change(session: Session, page: Page, slug: str, fields: dict[str, Any]) -> None:
    monitor = monitors.get(session, page, slug, lock=True)
    wanted = _differing(session, page, monitor, fields)
    if wanted:
        monitors.change(session, page, monitor, wanted, by_code=True, actor=ACTOR)


def _differing(
    session: Session, page: Page, monitor: Monitor, fields: dict[str, Any]
) -> dict[str, Any]:
    """Those of *fields* that the monitor has otherwise."""
    names = monitor_fields.names(session, page, [monitor])
    present = monitor_fields.described(monitor, names)
    probe = probes[fields["kind"]]
    options = probe.check_options(fields["options"], current_settings())
    return {
        name: value
        for name, value in {**fields, "options": options}.items()
        if not _is_same(name, present[name], value)
    }


def _is_same(name: str, present: Any, value: Any) -> bool:
    if name == "regions":  # in which order they are named says nothing
        return set(present) == set(value)
    return bool(present == value)


def _name_component(session: Session, page: Page, fields: dict[str, Any]) -> str | None:
    """Put the component's slug in the place of its slug or name; without such a one leave it out and tell so."""
    wanted = fields.pop("component", None)
    if wanted is None:
        return None
    there = select(Component.slug).where(
        Component.page_id == page.id, Component.archived_at.is_(None)
    )
    slug = session.scalar(there.where(Component.slug == wanted))
    named = [slug] if slug else session.scalars(there.where(Component.name == wanted)).all()
    if len(named) != 1:
        how_many = "more than one" if named else "no"
        return (
            f"There is {how_many} component {wanted!r} on the page {page.slug!r}: it only measures."
        )
    fields["component"] = named[0]
    return None
