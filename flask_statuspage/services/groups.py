"""Component groups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..errors import Conflict, Invalid, NotFound
from ..storage import components as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component, ComponentGroup
from ..storage.pages import Page
from . import audit, component_fields, facts

_audit = partial(audit.of, subject="component-group")


def create(
    session: Session,
    page: Page,
    *,
    name: str,
    description: str = "",
    position: int | None = None,
    actor: str | None = None,
) -> ComponentGroup:
    """A new group; without *position* it is the last one, as a new component is.

    :raises Conflict: when the page has one of that name: groups answer to their names.
    """
    component_fields.check({"name": name, "description": description, "position": position})
    pages.touch(session, page.id, utc_now())
    _refuse_taken(session, page, name)
    group = ComponentGroup(
        page_id=page.id,
        name=name,
        description=description,
        position=_last(session, page) + 1 if position is None else position,
    )
    session.add(group)
    session.flush()
    _audit(session, "create", group, actor, after=plain(facts.group(group)))
    return group


def change(
    session: Session,
    page: Page,
    group: ComponentGroup,
    values: Mapping[str, Any],
    *,
    actor: str | None,
) -> ComponentGroup:
    """Change some of ``name description position``.

    :raises Conflict: when another group of the page has that name.
    """
    component_fields.check(values)
    pages.touch(session, page.id, utc_now())
    group = _present(session, group)
    if values.get("name", group.name) != group.name:
        _refuse_taken(session, page, values["name"])
    before = plain(facts.group(group))
    for name, value in values.items():
        setattr(group, name, value)
    session.flush()
    was, now_is = audit.difference(before, plain(facts.group(group)))
    if now_is:
        group.updated_at = utc_now()
        session.flush()
        _audit(session, "change", group, actor, before=was, after=now_is)
    return group


def remove(session: Session, page: Page, group: ComponentGroup, *, actor: str | None) -> None:
    """Delete a group; its components stay, without a group."""
    pages.touch(session, page.id, utc_now())
    group = _present(session, group)
    _audit(session, "delete", group, actor, before=plain(facts.group(group)))
    members = select(Component).where(Component.group_id == group.id).with_for_update()
    for component in session.scalars(members.execution_options(populate_existing=True)):
        component.group_id = None
    session.flush()
    session.delete(group)
    session.flush()


def get(session: Session, page: Page, ident: str) -> ComponentGroup:
    """The group of *page* with that id or name."""
    for group in session.scalars(stored.groups_of(page.id)):
        if ident in (str(group.id), group.name):
            return group
    raise NotFound("component group", ident)


def named(session: Session, page: Page, ident: str) -> ComponentGroup:
    """The same for an input's ``group`` field.

    :raises Invalid: naming ``group``.
    """
    try:
        return get(session, page, ident)
    except NotFound as error:
        raise Invalid.field("group", str(error)) from error


def _present(session: Session, group: ComponentGroup) -> ComponentGroup:
    """*group* as it is now; the page is held already.

    :raises NotFound: when somebody else deleted it meanwhile.
    """
    query = select(ComponentGroup).where(ComponentGroup.id == group.id).with_for_update()
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("component group", group.id)
    return row


def _last(session: Session, page: Page) -> int:
    query = select(func.max(ComponentGroup.position)).where(ComponentGroup.page_id == page.id)
    return session.scalar(query) or 0


def _refuse_taken(session: Session, page: Page, name: str) -> None:
    # Compared here, as get() does: databases differ in whether case and accents count.
    names = select(ComponentGroup.name).where(ComponentGroup.page_id == page.id)
    if name in session.scalars(names.with_for_update()).all():
        raise Conflict(f"The page has a group {name!r} already.")
