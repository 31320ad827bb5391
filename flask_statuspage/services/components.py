"""Components: their life on a page, and a person's word on their status."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.status import ComponentStatus
from ..errors import Conflict, Invalid, NotFound
from ..storage import components as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component, ComponentGroup, StatusInterval
from ..storage.monitors import Monitor
from ..storage.pages import Page
from . import audit, conditions, facts
from .slugs import free_slug

_audit = partial(audit.of, subject="component")


def get(session: Session, page: Page, ident: str) -> Component:
    """The component of *page* with that slug or id.

    :raises NotFound: when there is none.
    """
    found = stored.find(session, page.id, [ident])
    if not found:
        raise NotFound("component", ident)
    return found[0]


def named(
    session: Session, page: Page, idents: Collection[str], *, field: str = "components"
) -> list[Component]:
    """The components with those slugs or ids, in the order given.

    :raises Invalid: naming *field* and the first one that does not exist.
    """
    found = stored.find(session, page.id, idents) if idents else []
    by_ident = {component.slug: component for component in found}
    by_ident |= {str(component.id): component for component in found}
    for ident in idents:
        if ident.lower() not in by_ident:
            raise Invalid.field(field, f"There is no component {ident!r} on this page.")
    return list(dict.fromkeys(by_ident[ident.lower()] for ident in idents))


def create(
    session: Session,
    page: Page,
    *,
    name: str,
    slug: str | None = None,
    description: str = "",
    group_id: UUID | None = None,
    position: int | None = None,
    status: ComponentStatus | None = None,
    only_show_if_degraded: bool = False,
    actor: str | None = None,
) -> Component:
    """A new component. Without *status* it is operational, as far as anybody knows."""
    now = utc_now()
    pages.touch(session, page.id, now)
    component = Component(
        page_id=page.id,
        name=name,
        slug=_free_slug(session, page, slug, name),
        description=description,
        group=_group(session, page, group_id),
        position=_last(session, page) + 1 if position is None else position,
        only_show_if_degraded=only_show_if_degraded,
        status=ComponentStatus.OPERATIONAL,
        since=now,
        created_at=now,
        updated_at=now,
    )
    session.add(component)
    session.flush()
    session.add(StatusInterval(component_id=component.id, status=component.status, started_at=now))
    if status is not None:
        conditions.say(session, page, component, status, source="manual", actor=actor)
    _audit(session, "create", component, actor, after=plain(facts.component(component)))
    return component


def change(
    session: Session,
    page: Page,
    component: Component,
    values: Mapping[str, Any],
    *,
    actor: str | None,
) -> Component:
    """Change some of ``name slug description group_id position only_show_if_degraded``."""
    now = utc_now()
    pages.touch(session, page.id, now)
    before = plain(facts.component(component))
    values = dict(values)
    if "slug" in values and values["slug"] != component.slug:
        values["slug"] = _free_slug(session, page, values["slug"], component.name)
    if "group_id" in values:
        component.group = _group(session, page, values.pop("group_id"))
    for name, value in values.items():
        setattr(component, name, value)
    component.updated_at = now
    session.flush()
    was, now_is = audit.difference(before, plain(facts.component(component)))
    _audit(session, "change", component, actor, before=was, after=now_is)
    return component


def remove(session: Session, page: Page, component: Component, *, actor: str | None) -> None:
    """Take a component off the page. Its history stays, for the incidents that name it.

    :raises Conflict: while a monitor still watches it.
    """
    now = utc_now()
    pages.touch(session, page.id, now)
    if session.scalar(select(Monitor.id).where(Monitor.component_id == component.id).limit(1)):
        raise Conflict(f"A monitor watches {component.slug!r}; delete or move the monitor first.")
    _audit(session, "delete", component, actor, before=plain(facts.component(component)))
    component.archived_at = now
    component.slug = f"{component.slug[:40]}-{component.id.hex[-12:]}"  # the slug is free again
    session.flush()


def set_status(
    session: Session,
    page: Page,
    component: Component,
    status: ComponentStatus | None,
    *,
    note: str = "",
    until: datetime | None = None,
    actor: str | None = None,
    notify: bool = True,
) -> Component:
    """A person says how *component* is; None takes that word back, so that monitors decide alone.

    :param until: aware; from then on the word does not count any more.
    """
    if until is not None and until.tzinfo is None:
        raise Invalid.field("until", "Must have a time zone.")
    if until is not None and until <= utc_now():
        raise Invalid.field("until", "Must lie in the future.")
    pages.touch(session, page.id, utc_now())
    before = component.status
    if status is None:
        conditions.hush(session, page, [component], source="manual", notify=notify)
    else:
        conditions.say(
            session,
            page,
            component,
            status,
            source="manual",
            note=note,
            until=until,
            actor=actor,
            notify=notify,
        )
    _audit(
        session,
        "set_status",
        component,
        actor,
        before={"status": before.value},
        after={"status": status and status.value, "note": note, "until": plain(until)},
    )
    return component


def _group(session: Session, page: Page, group_id: UUID | None) -> ComponentGroup | None:
    if group_id is None:
        return None
    group = session.get(ComponentGroup, group_id)
    if group is None or group.page_id != page.id:
        raise Invalid.field("group", f"There is no group {str(group_id)!r} on this page.")
    return group


def _free_slug(session: Session, page: Page, slug: str | None, name: str) -> str:
    taken = set(session.scalars(select(Component.slug).where(Component.page_id == page.id)))
    return free_slug(slug, name, taken, kind="component")


def _last(session: Session, page: Page) -> int:
    query = select(func.max(Component.position)).where(Component.page_id == page.id)
    return session.scalar(query) or 0
