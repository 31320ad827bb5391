"""Components that leave a page, and come back.

One that has a history is archived, for the incidents and the uptime that tell of it; one without is deleted.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.ids import MAX_SLUG
from ..domain.incident import OPEN
from ..domain.status import ComponentStatus
from ..errors import Conflict, NotFound
from ..storage import components as stored
from ..storage import maintenances, pages
from ..storage.base import utc_now
from ..storage.components import Component, StatusInterval
from ..storage.incidents import AffectedComponent, Incident
from ..storage.maintenances import MaintainedComponent
from ..storage.monitors import Monitor
from ..storage.pages import Page
from ..storage.subscriptions import SubscribedComponent
from . import audit, components, facts

_audit = partial(audit.of, subject="component")


def remove(session: Session, page: Page, component: Component, *, actor: str | None) -> None:
    """Archive *component* if it has a history, else delete it.

    :raises Conflict: while a monitor watches it, or an open incident or a maintenance is about it.
    """
    component = _free(session, page, component)
    if has_history(session, component, lock=True):
        _archive(session, component, actor=actor)
        return
    _audit(session, "delete", component, actor, before=plain(facts.component(component)))
    session.flush()
    stored.delete_one(session, component)


def has_history(session: Session, component: Component, *, lock: bool = False) -> bool:
    """Whether more than its making is told of it. Deleted, the one choice of a subscription would turn into "all".

    :param lock: what tells of it is held until the transaction ends.
    """
    if stored.has_past(session, component.id):
        return True
    queries = (
        select(model.id).where(model.component_id == component.id).limit(1)
        for model in (AffectedComponent, MaintainedComponent, SubscribedComponent)
    )
    return any(
        session.scalar(query.with_for_update() if lock else query) is not None for query in queries
    )


def archive(session: Session, page: Page, component: Component, *, actor: str | None) -> Component:
    """Take *component* off the page and keep it with its history. Doing it twice is fine.

    Its slug is free again, nobody's word on it counts any more, and its history ends until :func:`restore`.

    :raises Conflict: as :func:`remove` does.
    """
    if component.archived_at is not None:
        return component
    component = _free(session, page, component)
    _archive(session, component, actor=actor)
    return component


def restore(
    session: Session,
    page: Page,
    component: Component,
    *,
    slug: str | None = None,
    actor: str | None,
) -> Component:
    """Put an archived component back on the page, operational as far as anybody knows. Doing it twice is fine.

    :param slug: None: the one that it had.
    :raises Conflict: when another component has that slug now.
    """
    now = utc_now()
    pages.touch(session, page.id, now)
    rows = stored.locked(session, [component.id])
    if not rows:
        raise NotFound("component", component.slug)
    (component,) = rows
    if component.archived_at is None:
        return component
    before = {"archived": True, "slug": component.slug}
    component.slug = components.free(session, page, slug or _former_slug(component), component.name)
    component.archived_at = None
    component.status, component.since = ComponentStatus.OPERATIONAL, now
    component.updated_at = now
    session.add(StatusInterval(component_id=component.id, status=component.status, started_at=now))
    session.flush()
    after = {"archived": False, "slug": component.slug}
    _audit(session, "restore", component, actor, before=before, after=after)
    return component


def _free(session: Session, page: Page, component: Component) -> Component:
    """*component* as it is now, after making sure that nothing needs it."""
    # Once before the page is held, where it is cheap: whoever records a check holds its monitor and waits for the page.
    _refuse_watched(session, component, _watching(component))
    pages.touch(session, page.id, utc_now())
    component = components.present(session, component)
    _refuse_watched(session, component, _watching(component).with_for_update())
    incident = session.scalar(
        select(Incident.title)
        .join(Incident.affected)
        .where(
            AffectedComponent.component_id == component.id,
            Incident.status.in_(list(OPEN)),
        )
        .order_by(Incident.started_at)
        .limit(1)
        .with_for_update(of=Incident)
    )
    if incident is not None:
        raise Conflict(
            f"The open incident {incident!r} is about {component.slug!r}; resolve it, or take the component off it."
        )
    if windows := maintenances.pending(session, page.id, [component.id]):
        raise Conflict(
            f"The maintenance {windows[0].title!r} is about {component.slug!r}; complete or cancel it, or take the "
            "component off it."
        )
    return component


def _watching(component: Component) -> Select[Monitor]:
    return select(Monitor).where(Monitor.component_id == component.id).limit(1)


def _refuse_watched(session: Session, component: Component, query: Select[Monitor]) -> None:
    if session.scalar(query.with_only_columns(Monitor.id)) is not None:
        raise Conflict(f"A monitor watches {component.slug!r}; delete or move the monitor first.")


def _archive(session: Session, component: Component, *, actor: str | None) -> None:
    now = utc_now()
    before = {"archived": False, "slug": component.slug, "status": component.status.value}
    stored.end_history(session, component.id, now)
    component.slug = f"{component.slug[: MAX_SLUG - len(_mark(component))]}{_mark(component)}"
    component.archived_at = component.updated_at = now
    session.flush()
    after = {"archived": True, "slug": component.slug, "status": None}
    _audit(session, "archive", component, actor, before=before, after=after)


def _mark(component: Component) -> str:
    """What is put behind the slug of an archived component, so that another can have it."""
    return f"-{component.id.hex[-12:]}"


def _former_slug(component: Component) -> str:
    return component.slug.removesuffix(_mark(component)).rstrip("-")
