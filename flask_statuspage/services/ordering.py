"""In which order a page lists its components and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from sqlalchemy.orm import Session

from ..errors import Invalid
from ..storage import components as stored
from ..storage import pages
from ..storage.base import utc_now
from ..storage.components import Component, ComponentGroup
from ..storage.pages import Page
from . import audit


class Placed(Protocol):
    position: int


Row = TypeVar("Row", bound=Placed)


def order_components(
    session: Session, page: Page, wanted: Sequence[str], *, actor: str | None
) -> list[Component]:
    """Let the components *wanted* (slugs or ids) come first, in this order; the others follow as they were.

    Groups keep their places: the order counts within each.

    :raises Invalid: naming ``components``, for one that does not exist or comes twice.
    """
    pages.touch(session, page.id, utc_now())
    query = stored.of_page(page.id).with_for_update(of=Component)
    rows = list(session.scalars(query.execution_options(populate_existing=True)))
    by_ident = {row.slug: row for row in rows} | {str(row.id): row for row in rows}
    first = _named(wanted, by_ident, "component")
    before = {row.slug: row.position for row in rows}
    _place(first, rows)
    after = {row.slug: row.position for row in rows}
    _note(session, page, "order_components", before, after, actor=actor)
    return list(session.scalars(stored.of_page(page.id)))


def order_groups(
    session: Session, page: Page, wanted: Sequence[str], *, actor: str | None
) -> list[ComponentGroup]:
    """The same for groups, by name or id.

    :raises Invalid: naming ``groups``.
    """
    pages.touch(session, page.id, utc_now())
    query = stored.groups_of(page.id).with_for_update()
    rows = list(session.scalars(query.execution_options(populate_existing=True)))
    by_ident = {row.name: row for row in rows} | {str(row.id): row for row in rows}
    first = _named(wanted, by_ident, "group")
    before = {row.name: row.position for row in rows}
    _place(first, rows)
    after = {row.name: row.position for row in rows}
    _note(session, page, "order_groups", before, after, actor=actor)
    return list(session.scalars(stored.groups_of(page.id)))


def move_component(
    session: Session, page: Page, component: Component, *, down: bool, actor: str | None
) -> None:
    """Let *component* change places with the one before it in its group, or after it; at the end nothing happens."""
    pages.touch(session, page.id, utc_now())
    rows = list(session.scalars(stored.of_page(page.id).execution_options(populate_existing=True)))
    beside = [row for row in rows if row.group_id == component.group_id]
    moved = _moved([row.slug for row in beside], component.slug, down=down)
    others = [row.slug for row in rows if row.group_id != component.group_id]
    order_components(session, page, [*moved, *others], actor=actor)


def move_group(
    session: Session, page: Page, group: ComponentGroup, *, down: bool, actor: str | None
) -> None:
    """The same for a group."""
    pages.touch(session, page.id, utc_now())
    rows = session.scalars(stored.groups_of(page.id).execution_options(populate_existing=True))
    moved = _moved([str(row.id) for row in rows], str(group.id), down=down)
    order_groups(session, page, moved, actor=actor)


def _moved(idents: Sequence[str], ident: str, *, down: bool) -> list[str]:
    """*idents* with *ident* one place further."""
    found = list(idents)
    at = found.index(ident) if ident in found else len(found)
    to = at + (1 if down else -1)
    if at < len(found) and 0 <= to < len(found):
        found[at], found[to] = found[to], found[at]
    return found


def _named(wanted: Sequence[str], by_ident: Mapping[str, Row], kind: str) -> list[Row]:
    found = []
    for ident in wanted:
        row = by_ident.get(ident)
        if row is None:
            raise Invalid.field(f"{kind}s", f"There is no {kind} {ident!r} on this page.")
        if row in found:
            raise Invalid.field(f"{kind}s", f"Name each {kind} once, {ident!r} too.")
        found.append(row)
    return found


def _place(first: Sequence[Row], rows: Sequence[Row]) -> None:
    rest = [row for row in rows if row not in first]
    for position, row in enumerate((*first, *rest), start=1):
        row.position = position


def _note(
    session: Session,
    page: Page,
    action: str,
    before: dict[str, int],
    after: dict[str, int],
    *,
    actor: str | None,
) -> None:
    session.flush()
    was, now_is = audit.difference(before, after)
    if now_is:
        audit.record(
            session,
            actor=actor,
            action=action,
            subject="page",
            subject_id=page.id,
            page_id=page.id,
            before=was,
            after=now_is,
        )
