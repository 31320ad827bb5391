"""Component groups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..errors import Invalid, NotFound
from ..storage import components as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component, ComponentGroup
from ..storage.pages import Page
from . import audit, facts

_audit = partial(audit.of, subject="component-group")


def create(
    session: Session,
    page: Page,
    *,
    name: str,
    description: str = "",
    position: int = 0,
    actor: str | None = None,
) -> ComponentGroup:
    pages.touch(session, page.id, utc_now())
    group = ComponentGroup(page_id=page.id, name=name, description=description, position=position)
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
    pages.touch(session, page.id, utc_now())
    before = plain(facts.group(group))
    for name, value in values.items():
        setattr(group, name, value)
    group.updated_at = utc_now()
    session.flush()
    was, now_is = audit.difference(before, plain(facts.group(group)))
    _audit(session, "change", group, actor, before=was, after=now_is)
    return group


def remove(session: Session, page: Page, group: ComponentGroup, *, actor: str | None) -> None:
    """Delete a group; its components stay, without a group."""
    pages.touch(session, page.id, utc_now())
    _audit(session, "delete", group, actor, before=plain(facts.group(group)))
    for component in session.scalars(select(Component).where(Component.group_id == group.id)):
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
