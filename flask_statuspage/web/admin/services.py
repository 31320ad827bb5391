"""The pages "Services": components and groups, their order, and what leaves the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...documents.console import services as documents
from ...domain.rights import Right
from ...domain.status import ComponentStatus, Source
from ...errors import NotFound
from ...services import archive, components, groups, ordering, seen_statuses
from ...storage import components as stored
from ...storage.components import Component, ComponentGroup, Condition
from ...storage.session import database_now
from ..manage_api.components import ComponentChange, NewComponent
from ..manage_api.groups import GroupChange, NewGroup
from . import reading
from .desk import Desk
from .visit import Done, Visit

FLAGS = ("showcase", "only_show_if_degraded")
NOTICES = {
    "service": "The service is saved.",
    "service-new": "The service is on the page.",
    "service-removed": "The service is off the page.",
    "service-restored": "The service is back on the page.",
    "group": "The group is saved.",
    "group-removed": "The group is deleted. Its services stay.",
}


def add_routes(desk: Desk) -> None:
    desk.area("services", "Services", Right.SEE, NOTICES)
    desk.page("/services", "services", show, right=Right.SEE)
    arrange = Right.ARRANGE
    desk.form("/services/new", "service_new", show_new, create, right=arrange)
    desk.form("/services/<ident>", "service", show_one, change, right=arrange)
    desk.action("/services/<ident>/move/<way>", "service_move", move, right=arrange, back=show)
    desk.action("/services/<ident>/remove", "service_remove", remove, right=arrange, back=show_one)
    desk.action("/services/<ident>/restore", "service_restore", restore, right=arrange, back=show)
    desk.form("/groups/new", "group_new", show_new_group, create_group, right=arrange)
    desk.form("/groups/<ident>", "group", show_group, change_group, right=arrange)
    desk.action("/groups/<ident>/move/<way>", "group_move", move_group, right=arrange, back=show)
    desk.action(
        "/groups/<ident>/remove", "group_remove", remove_group, right=arrange, back=show_group
    )


def show(visit: Visit, **_: str) -> str:
    rows = visit.session.scalars(stored.of_page(visit.page.id)).all()
    now = database_now(visit.session)
    seen = seen_statuses.of(visit.session, visit.page.id, rows, now)
    conditions = stored.said_of(visit.session, [row.id for row in rows])
    notes = {row.id: _note(conditions[row.id]) for row in rows}
    places: list[ComponentGroup | None] = [None, *_groups(visit)]
    sections = [
        documents.GroupSection(
            id=str(place.id) if place else None,
            name=place.name if place else None,
            services=[
                _line(row, seen[row.id], notes[row.id])
                for row in rows
                if row.group_id == (place.id if place else None)
            ],
        )
        for place in places
    ]
    archived = visit.session.scalars(stored.archived(visit.page.id)).all()
    return documents.services(
        visit.room("services"),
        sections=[section for section in sections if section.services or section.id],
        archived=[_line(row, row.status) for row in archived],
    )


def show_new(visit: Visit) -> str:
    values = dict.fromkeys(("name", "slug", "description", "group", "start_date"), "")
    return _form(visit, None, visit.to("service_new"), values, ["showcase"])


def create(visit: Visit) -> Done:
    values = _values(visit)
    if not values["slug"]:
        del values["slug"]
    made = components.create(
        visit.session,
        visit.page,
        **_with_group(visit, reading.checked(NewComponent, values)),
        actor=visit.actor,
    )
    return Done("services", "service-new", {"_anchor": f"s-{made.slug}"})


def show_one(visit: Visit, ident: str) -> str:
    row = components.get(visit.session, visit.page, ident)
    return _form(
        visit,
        row.name,
        visit.to("service", ident=row.id),
        _present(row),
        [flag for flag in FLAGS if getattr(row, flag)],
        remove_url=visit.to("service_remove", ident=row.id),
        has_past=archive.has_history(visit.session, row),
    )


def change(visit: Visit, ident: str) -> Done:
    row = components.get(visit.session, visit.page, ident)
    visit.hold(row)
    reading.check_seen(visit.sent, _present(row), what="this service")
    values = reading.checked(ComponentChange, _values(visit))
    components.change(visit.session, visit.page, row, _with_group(visit, values), actor=visit.actor)
    return Done("services", "service", {"_anchor": f"s-{row.slug}"})


def move(visit: Visit, ident: str, way: str) -> Done:
    row = components.get(visit.session, visit.page, ident)
    ordering.move_component(visit.session, visit.page, row, down=_is_down(way), actor=visit.actor)
    return Done("services", None, {"_anchor": f"s-{row.slug}"})


def remove(visit: Visit, ident: str) -> Done:
    row = components.get(visit.session, visit.page, ident)
    archive.remove(visit.session, visit.page, row, actor=visit.actor)
    return Done("services", "service-removed")


def restore(visit: Visit, ident: str) -> Done:
    row = components.get(visit.session, visit.page, ident, even_archived=True)
    row = archive.restore(visit.session, visit.page, row, actor=visit.actor)
    return Done("services", "service-restored", {"_anchor": f"s-{row.slug}"})


def show_new_group(visit: Visit) -> str:
    values = {"name": "", "description": ""}
    return documents.group(
        visit.room("services"), name=None, url=visit.to("group_new"), values=values
    )


def create_group(visit: Visit) -> Done:
    values = reading.checked(NewGroup, _group_values(visit))
    group = groups.create(visit.session, visit.page, **values, actor=visit.actor)
    return Done("services", "group", {"_anchor": f"g-{group.id}"})


def show_group(visit: Visit, ident: str) -> str:
    group = groups.get(visit.session, visit.page, ident)
    return documents.group(
        visit.room("services"),
        name=group.name,
        url=visit.to("group", ident=group.id),
        values={"name": group.name, "description": group.description},
        remove_url=visit.to("group_remove", ident=group.id),
    )


def change_group(visit: Visit, ident: str) -> Done:
    group = groups.get(visit.session, visit.page, ident)
    visit.hold(group)
    present = {"name": group.name, "description": group.description}
    reading.check_seen(visit.sent, present, what="this group")
    values = reading.checked(GroupChange, _group_values(visit))
    groups.change(visit.session, visit.page, group, values, actor=visit.actor)
    return Done("services", "group", {"_anchor": f"g-{group.id}"})


def move_group(visit: Visit, ident: str, way: str) -> Done:
    group = groups.get(visit.session, visit.page, ident)
    ordering.move_group(visit.session, visit.page, group, down=_is_down(way), actor=visit.actor)
    return Done("services", None, {"_anchor": f"g-{group.id}"})


def remove_group(visit: Visit, ident: str) -> Done:
    group = groups.get(visit.session, visit.page, ident)
    groups.remove(visit.session, visit.page, group, actor=visit.actor)
    return Done("services", "group-removed")


def _form(
    visit: Visit,
    name: str | None,
    url: str,
    values: dict[str, str],
    ticked: list[str],
    remove_url: str | None = None,
    *,
    has_past: bool = False,
) -> str:
    return documents.service(
        visit.room("services"),
        name=name,
        url=url,
        values=values,
        ticked=ticked,
        groups=[(str(group.id), group.name) for group in _groups(visit)],
        remove_url=remove_url,
        has_past=has_past,
    )


def _values(visit: Visit) -> dict[str, Any]:
    return {
        "name": reading.words(visit.sent, "name"),
        "slug": reading.words(visit.sent, "slug").strip(),
        "description": reading.words(visit.sent, "description"),
        **reading.optional(visit.sent, "group", "start_date"),
        **reading.flags(visit.sent, *FLAGS),
    }


def _group_values(visit: Visit) -> dict[str, Any]:
    return {name: reading.words(visit.sent, name) for name in ("name", "description")}


def _with_group(visit: Visit, values: dict[str, Any]) -> dict[str, Any]:
    ident = values.pop("group", None)
    group = groups.named(visit.session, visit.page, ident) if ident else None
    return {**values, "group_id": group.id if group else None}


def _present(row: Component) -> dict[str, str]:
    return {
        "name": row.name,
        "slug": row.slug,
        "description": row.description,
        "group": str(row.group_id or ""),
        "start_date": str(row.start_date or ""),
        **{flag: "yes" if getattr(row, flag) else "" for flag in FLAGS},
    }


def _groups(visit: Visit) -> Sequence[ComponentGroup]:
    return visit.session.scalars(stored.groups_of(visit.page.id)).all()


def _note(conditions: Iterable[Condition]) -> str:
    """What a person wrote beside the status that they said."""
    return next((one.note for one in conditions if one.source is Source.MANUAL), "")


def _line(row: Component, seen: ComponentStatus, note: str = "") -> documents.ServiceLine:
    notes = ["only shown while something is wrong"] if row.only_show_if_degraded else []
    notes += [] if row.showcase else ["uptime is not shown"]
    return documents.ServiceLine(
        id=str(row.id), slug=row.slug, name=row.name, status=seen, note=note, notes=notes
    )


def _is_down(way: str) -> bool:
    if way not in ("up", "down"):
        raise NotFound("direction", way)
    return way == "down"
