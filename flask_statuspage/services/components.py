"""Components: their life on a page, and a person's word on their status."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..domain.status import ComponentStatus, Source
from ..errors import Invalid, NotFound, Problems
from ..storage import components as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component, ComponentGroup, Condition, StatusInterval
from ..storage.pages import Page
from ..translation import said
from . import audit, component_fields, conditions, facts
from .slugs import free_slug

_audit = partial(audit.of, subject="component")


def get(session: Session, page: Page, ident: str, *, even_archived: bool = False) -> Component:
    """The component of *page* with that slug or id.

    :raises NotFound: when there is none.
    """
    found = stored.find(session, page.id, [ident], even_archived=even_archived)
    if not found:
        raise NotFound("component", ident)
    return found[0]


def named(
    session: Session, page: Page, idents: Collection[str], *, field: str = "components"
) -> list[Component]:
    """The components with those slugs or ids, in the order given.

    :raises Invalid: naming *field* and the first one that does not exist.
    """
    return list(dict.fromkeys(by_ident(session, page, idents, field=field).values()))


def by_ident(
    session: Session,
    page: Page,
    idents: Collection[str],
    *,
    field: str = "components",
    lock: bool = False,
) -> dict[str, Component]:
    """The same for each of *idents*.

    :param lock: as they are now, held until the transaction ends; the page is held already.
    """
    found = stored.find(session, page.id, idents) if idents else []
    known = {component.slug: component for component in found}
    known |= {str(component.id): component for component in found}
    if lock and found:
        # Archived since the transaction began, or deleted: gone all the same.
        now = stored.locked(session, [component.id for component in found])
        present = {component.id for component in now if component.archived_at is None}
        known = {ident: one for ident, one in known.items() if one.id in present}
    for ident in idents:
        if ident.lower() not in known:
            raise Invalid.field(
                field, said("There is no component {name} on this page.", name=repr(ident))
            )
    return {ident: known[ident.lower()] for ident in idents}


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
    showcase: bool = True,
    start_date: date | None = None,
    actor: str | None = None,
) -> Component:
    """A new component. Without *status* it is operational, as far as anybody knows.

    :param start_date: its uptime counts from the beginning of this day in the page's zone.
    :param showcase: whether its uptime is shown on the page.
    :raises Invalid: naming every field that is wrong.
    """
    problems, now = Problems(), utc_now()
    with problems.gathered():
        component_fields.check(
            {
                "name": name,
                "description": description,
                "position": position,
                "start_date": start_date,
            }
        )
    pages.touch(session, page.id, now)
    with problems.gathered():
        slug = free(session, page, slug, name)
    problems.tell()
    assert slug is not None  # as it was told otherwise
    component = Component(
        page_id=page.id,
        name=name,
        slug=slug,
        description=description,
        group=_group(session, page, group_id),
        position=_last(session, page) + 1 if position is None else position,
        only_show_if_degraded=only_show_if_degraded,
        showcase=showcase,
        start_date=start_date,
        status=ComponentStatus.OPERATIONAL,
        since=now,
        created_at=now,
        updated_at=now,
    )
    session.add(component)
    session.flush()
    session.add(StatusInterval(component_id=component.id, status=component.status, started_at=now))
    if status is not None:
        conditions.say(session, page, component, status, source=Source.MANUAL, actor=actor)
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
    """Change some of ``name slug description group_id position only_show_if_degraded showcase start_date``.

    :raises Invalid: naming every field that is wrong.
    """
    problems, now = Problems(), utc_now()
    with problems.gathered():
        component_fields.check(values)
    pages.touch(session, page.id, now)
    component = present(session, component)
    before = plain(facts.component(component))
    values = dict(values)
    if "slug" in values and values["slug"] != component.slug:
        with problems.gathered():
            values["slug"] = free(session, page, values["slug"], component.name)
    problems.tell()
    if "group_id" in values:
        component.group = _group(session, page, values.pop("group_id"))
    for name, value in values.items():
        setattr(component, name, value)
    session.flush()
    was, now_is = audit.difference(before, plain(facts.component(component)))
    if now_is:
        component.updated_at = now
        session.flush()
        _audit(session, "change", component, actor, before=was, after=now_is)
    return component


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
    """A person says how *component* is; None takes that word back, so that the other sources decide alone.

    Saying the same again renews note, end and name of the word.

    :param until: aware; from then on the word does not count any more.
    """
    component_fields.check({"note": note, "until": until})
    pages.touch(session, page.id, utc_now())
    component = present(session, component)
    before = _manual(session, component)
    if status is None:
        conditions.hush(session, page, [component], source=Source.MANUAL, notify=notify)
    else:
        conditions.say(
            session,
            page,
            component,
            status,
            source=Source.MANUAL,
            note=note,
            until=until,
            actor=actor,
            notify=notify,
        )
    was, now_is = audit.difference(before, _manual(session, component))
    if now_is:
        _audit(session, "set_status", component, actor, before=was, after=now_is)
    return component


def present(session: Session, component: Component) -> Component:
    """*component* as it is now, held until the transaction ends. The page is held already.

    :raises NotFound: when somebody else archived or deleted it meanwhile.
    """
    for row in stored.locked(session, [component.id]):
        if row.archived_at is None:
            return row
    raise NotFound("component", component.slug)


def free(session: Session, page: Page, slug: str | None, name: str) -> str:
    """*slug* if no other component of the page has it, or one made of *name*."""
    taken = set(session.scalars(select(Component.slug).where(Component.page_id == page.id)))
    return free_slug(slug, name, taken, kind="component")


def _manual(session: Session, component: Component) -> dict[str, Any]:
    """What is shown, and a person's word on it."""
    said: Condition | None = None
    for condition in stored.conditions_of(session, component.id):
        if condition.source is Source.MANUAL:
            said = condition
    return {
        "status": component.status.value,
        "said": said.status.value if said else None,
        "note": said.note if said else "",
        "until": plain(said.until) if said else None,
        "by": said.actor if said else None,
    }


def _group(session: Session, page: Page, group_id: UUID | None) -> ComponentGroup | None:
    if group_id is None:
        return None
    group = session.get(ComponentGroup, group_id)
    if group is None or group.page_id != page.id:
        raise Invalid.field("group", f"There is no group {str(group_id)!r} on this page.")
    return group


def _last(session: Session, page: Page) -> int:
    query = select(func.max(Component.position)).where(Component.page_id == page.id)
    return session.scalar(query) or 0
