"""What there is now, in the words of the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager

from ...errors import Conflict
from ...storage.components import Component, ComponentGroup
from ...storage.monitors import Monitor, MonitorRegion
from ...storage.pages import Page
from ...storage.templates import Template
from .. import monitor_fields
from .document import Document, PageEntry


@dataclass
class PresentPage:
    """A page with all that belongs to it; groups and components in the page's order."""

    page: Page
    groups: list[ComponentGroup]
    components: list[Component]
    monitors: list[Monitor]
    templates: list[Template]

    def group(self, row: ComponentGroup) -> dict[str, Any]:
        return {"name": row.name, "description": row.description, "position": row.position}

    def component(self, row: Component) -> dict[str, Any]:
        groups = {group.id: group.name for group in self.groups}
        return {
            "slug": row.slug,
            "name": row.name,
            "description": row.description,
            "group": groups.get(row.group_id) if row.group_id else None,
            "position": row.position,
            "only_show_if_degraded": row.only_show_if_degraded,
            "showcase": row.showcase,
            "start_date": row.start_date,
        }

    def monitor(self, row: Monitor) -> dict[str, Any]:
        names = {component.id: component.slug for component in self.components}
        names |= {monitor.id: monitor.slug for monitor in self.monitors}
        names |= {template.id: template.name for template in self.templates}
        values = {"slug": row.slug, "name": row.name}
        return {
            **values,
            **monitor_fields.described(row, names),
            "regions": sorted(region.region for region in row.regions),
            "options": _without_nulls(row.options),
        }

    def template(self, row: Template) -> dict[str, Any]:
        slugs = {str(component.id): component.slug for component in self.components}
        return {
            "kind": row.kind,
            "name": row.name,
            "title": row.title,
            "body": row.body,
            "status": row.status,
            "impact": row.impact,
            # Components that were taken off the page since are no longer named.
            "components": [slugs[ident] for ident in row.components if ident in slugs],
            "placeholders": dict(row.placeholders),
        }


def described(page: Page) -> dict[str, Any]:
    return {
        "slug": page.slug,
        "default": page.is_default,
        "name": page.name,
        "url": page.url,
        "time_zone": page.time_zone,
        "locale": page.locale,
        "visibility": page.visibility,
        "logo": page.logo,
        "colours": page.colours or None,
        "header": page.header or None,
        "footer": page.footer or None,
    }


def present(session: Session, *, lock: bool = False) -> list[PresentPage]:
    """All pages, the default one first.

    :param lock: as they are now, held until the transaction ends.
    """

    def rows(query: Select[Any], *, lock: bool = lock) -> list[Any]:
        if lock:
            query = query.with_for_update()
        query = query.execution_options(populate_existing=True)
        return list(session.scalars(query).unique())

    watching = (
        select(Monitor)
        .join(Monitor.regions)
        .order_by(Monitor.id, MonitorRegion.region)
        .options(contains_eager(Monitor.regions))
    )
    all_pages = select(Page).order_by(Page.id)
    held: list[Monitor] = []
    if lock:
        # Monitors before pages, as everywhere; and while every page is held, nobody changes the rest. A statement that
        # waited may not see what it waited for, so another one follows; it must not wait for monitors again.
        held = rows(watching)
        rows(all_pages)
    pages = rows(all_pages)
    late = watching.where(Monitor.id.not_in([row.id for row in held])) if held else watching
    found_monitors = sorted([*held, *rows(late, lock=False)], key=lambda row: row.slug)
    # What names another thing is read before it, so that the other one is found though nothing is locked.
    templates = rows(select(Template))
    components = rows(
        select(Component)
        .where(Component.archived_at.is_(None))
        .order_by(Component.position, Component.name, Component.slug)
    )
    groups = rows(
        select(ComponentGroup).order_by(
            ComponentGroup.position, ComponentGroup.name, ComponentGroup.id
        )
    )
    rank = {group.id: number for number, group in enumerate(groups, 1)}
    components.sort(key=lambda row: rank.get(row.group_id, 0))
    templates.sort(key=lambda row: (row.kind, row.name))
    pages.sort(key=lambda row: (not row.is_default, row.slug))
    return [
        PresentPage(
            page,
            *(
                [row for row in kind if row.page_id == page.id]
                for kind in (groups, components, found_monitors, templates)
            ),
        )
        for page in pages
    ]


def meant(entry: PageEntry, document: Document, there: list[PresentPage]) -> PresentPage | None:
    """The page of *there* that *entry* is about; None: a new one."""
    if entry.default:
        return there[0]
    # When the default page is named as such, its old slug is free for another one.
    candidates = there[1:] if any(other.default for other in document.pages) else there
    return next((page for page in candidates if page.page.slug == entry.slug), None)


def dump(session: Session) -> dict[str, Any]:
    """All pages as plain data, in full but for what is empty; positions are told by the order.

    :raises Conflict: when two groups of a page have the same name, or an option of a monitor cannot be written.
    """
    return {"pages": [_dumped(there) for there in present(session)]}


def refuse_twins(there: PresentPage) -> None:
    """:raises Conflict: when a group's name does not tell which one is meant."""
    names = [group.name for group in there.groups]
    for name in names:
        if names.count(name) > 1:
            raise Conflict(
                f"The page {there.page.slug!r} has more than one group called {name!r}; rename one of them first."
            )


def _dumped(there: PresentPage) -> dict[str, Any]:
    refuse_twins(there)
    return {
        **_written(described(there.page)),
        "groups": [_written(there.group(row)) for row in there.groups],
        "components": [_written(there.component(row)) for row in there.components],
        "monitors": [
            _written(there.monitor(row))
            for row in there.monitors
            if not monitor_fields.is_declared(row)  # they come with the site's code
        ],
        "templates": [_written(_with_required(there.template(row))) for row in there.templates],
    }


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    left_out = {"position": None, **({} if values.get("default") else {"default": None})}
    return {
        name: value
        for name, value in values.items()
        if name not in left_out and value not in (None, "", [], {})
    }


def _with_required(values: dict[str, Any]) -> dict[str, Any]:
    placeholders = {
        name: {"required": True} if value is None else value
        for name, value in values["placeholders"].items()
    }
    return {**values, "placeholders": placeholders}


def _without_nulls(value: Any) -> Any:
    """TOML has no null: an option that is null is left out, which is the same to every probe."""
    if isinstance(value, Mapping):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        if None in value:
            raise Conflict(
                "An option of a monitor has a null within a list, which TOML cannot tell."
            )
        return [_without_nulls(item) for item in value]
    return value
