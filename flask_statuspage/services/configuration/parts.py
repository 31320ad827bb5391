"""What belongs to one page: groups, components, templates and monitors, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...errors import Invalid
from .. import archive, components, groups, monitor_options, monitors, templates
from ..monitor_fields import is_declared
from .document import ComponentEntry, GroupEntry, MonitorEntry, PageEntry
from .order import positions
from .present import PresentPage
from .work import Work


@dataclass(frozen=True)
class Surplus:
    """Something that a page has and the document does not name."""

    kind: str
    ident: str
    name: str
    before: Mapping[str, Any]


@dataclass
class Parts:
    """A page as it is, as the document wants it, and its place there."""

    work: Work
    there: PresentPage
    entry: PageEntry
    place: str

    def put(self) -> None:
        self._put_groups()
        self._put_components()
        self._put_templates()
        self._put_monitors()

    def surplus(self) -> list[Surplus]:
        """What is not named, not even by another thing of the page; a monitor stands before what it watches."""
        entry, there, slug = self.entry, self.there, self.there.page.slug
        named_groups = {item.name for item in entry.groups}
        named_groups |= {item.group for item in entry.components if item.group}
        named_components = {item.slug for item in entry.components}
        named_components |= {item.component for item in entry.monitors if item.component}
        named_components |= {name for item in entry.templates for name in item.components}
        watched_by_code = {row.component_id for row in there.monitors if is_declared(row)}
        named_monitors = {item.slug for item in entry.monitors}
        named_monitors |= {item.depends_on for item in entry.monitors if item.depends_on}
        named_templates = {(item.kind, item.name) for item in entry.templates}
        named_templates |= {("incident", item.template) for item in entry.monitors if item.template}
        found = []
        for template in there.templates:
            if (template.kind, template.name) not in named_templates:
                name = f"{slug}/{template.kind}/{template.name}"
                before = there.template(template)
                found.append(Surplus("template", str(template.id), name, before))
        for monitor in there.monitors:
            if monitor.slug not in named_monitors and not is_declared(monitor):
                name, before = f"{slug}/{monitor.slug}", there.monitor(monitor)
                found.append(Surplus("monitor", str(monitor.id), name, before))
        for component in there.components:
            if component.slug not in named_components and component.id not in watched_by_code:
                name, before = f"{slug}/{component.slug}", there.component(component)
                found.append(Surplus("component", str(component.id), name, before))
        for group in there.groups:
            if group.name not in named_groups:
                name, before = f"{slug}/{group.name}", there.group(group)
                found.append(Surplus("group", str(group.id), name, before))
        return found

    def remove(self, surplus: Sequence[Surplus]) -> None:
        session, page, actor = self.work.session, self.there.page, self.work.actor

        def template(ident: str) -> None:
            templates.remove(session, page, templates.get(session, page, ident), actor=actor)

        def monitor(ident: str) -> None:
            row = monitors.get(session, page, ident, lock=True, dependants=True)
            monitors.remove(session, page, row, actor=actor)

        def component(ident: str) -> None:
            archive.remove(session, page, components.get(session, page, ident), actor=actor)

        def group(ident: str) -> None:
            groups.remove(session, page, groups.get(session, page, ident), actor=actor)

        removers: dict[str, Callable[[str], None]] = {
            "template": template,
            "monitor": monitor,
            "component": component,
            "group": group,
        }
        for item in surplus:
            remove = partial(removers[item.kind], item.ident)
            self.work.remove(item.kind, item.name, item.before, remove)

    def _put_groups(self) -> None:
        session, page, actor = self.work.session, self.there.page, self.work.actor
        rows = {row.name: row for row in self.there.groups}
        present = {row.name: (row.position, rank) for rank, row in enumerate(self.there.groups)}
        order = _in_order(self.entry.groups, [item.name for item in self.entry.groups], present)
        for number, entry in enumerate(self.entry.groups):
            made = self.work.put(
                f"{self.place}.groups[{number}]",
                f"{page.slug}/{entry.name}",
                entry,
                {**order.get(entry.name, {}), **entry.given()},
                rows.get(entry.name),
                describe=self.there.group,
                create=lambda values: groups.create(session, page, **values, actor=actor),
                change=lambda row, values: groups.change(session, page, row, values, actor=actor),
            )
            if entry.name not in rows:
                self.there.groups.append(made)

    def _put_components(self) -> None:
        session, page, actor = self.work.session, self.there.page, self.work.actor
        rows = {row.slug: row for row in self.there.components}
        order = self._order_of_components()
        for number, entry in enumerate(self.entry.components):
            made = self.work.put(
                f"{self.place}.components[{number}]",
                f"{page.slug}/{entry.slug}",
                entry,
                {**order.get(entry.slug, {}), **entry.given()},
                rows.get(entry.slug),
                describe=self.there.component,
                create=lambda values: components.create(
                    session, page, **self._with_group_id(values), actor=actor
                ),
                change=lambda row, values: components.change(
                    session, page, row, self._with_group_id(values), actor=actor
                ),
            )
            if entry.slug not in rows:
                self.there.components.append(made)

    def _order_of_components(self) -> dict[str, dict[str, int]]:
        """The order counts within a group, and among those without one."""
        present: dict[str, tuple[int, int | None]] = {}
        were = {row.slug: self.there.component(row) for row in self.there.components}
        shelves: dict[str | None, list[str]] = {}
        for rank, (slug, was) in enumerate(were.items()):
            present[slug] = (was["position"], rank)
        for entry in self.entry.components:
            was, given = were.get(entry.slug, {}), entry.given()
            group, name = given.get("group", was.get("group")), given.get("name", was.get("name"))
            shelves.setdefault(group, []).append(entry.slug)
            if was and (group, name) != (was["group"], was["name"]):
                present[entry.slug] = (was["position"], None)
        order: dict[str, dict[str, int]] = {}
        for slugs in shelves.values():
            order |= _in_order(self.entry.components, slugs, present)
        return order

    def _put_templates(self) -> None:
        session, page, actor = self.work.session, self.there.page, self.work.actor
        rows = {(row.kind, row.name): row for row in self.there.templates}
        for number, entry in enumerate(self.entry.templates):
            place = f"{self.place}.templates[{number}]"
            self._check_components(f"{place}.components", entry.components)
            made = self.work.put(
                place,
                f"{page.slug}/{entry.kind}/{entry.name}",
                entry,
                entry.given(),
                rows.get((entry.kind, entry.name)),
                describe=self.there.template,
                create=lambda values: templates.create(session, page, **values, actor=actor),
                change=lambda row, values: templates.change(
                    session, page, row, values, actor=actor
                ),
            )
            if (entry.kind, entry.name) not in rows:
                self.there.templates.append(made)

    def _put_monitors(self) -> None:
        session, page, actor = self.work.session, self.there.page, self.work.actor
        rows = {row.slug: row for row in self.there.monitors}
        for number, entry in _parents_first(self.entry.monitors):
            place = f"{self.place}.monitors[{number}]"
            self._check_components(f"{place}.component", filter(None, [entry.component]))
            row = rows.get(entry.slug)
            if row is not None and is_declared(row):
                message = "The site's code declares this monitor; leave it out."
                raise Invalid.field(f"{place}.slug", message)
            made = self.work.put(
                place,
                f"{page.slug}/{entry.slug}",
                entry,
                entry.given(),
                row,
                describe=self.there.monitor,
                create=lambda values: monitors.create(session, page, **values, actor=actor),
                change=lambda row, values: monitors.change(session, page, row, values, actor=actor),
                secrets=monitor_options.secrets,
            )
            if entry.slug not in rows:
                self.there.monitors.append(made)

    def _with_group_id(self, values: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(values)
        if "group" in values:
            name = values.pop("group")
            ids = {row.name: row.id for row in self.there.groups}
            if name is not None and name not in ids:
                raise Invalid.field("group", f"There is no group {name!r} on this page.")
            values["group_id"] = ids[name] if name is not None else None
        return values

    def _check_components(self, place: str, slugs: Iterable[str]) -> None:
        """Components are named by slug here, though the services take their ids too."""
        there = {row.slug for row in self.there.components}
        for slug in slugs:
            if slug not in there:
                raise Invalid.field(place, f"There is no component {slug!r} on this page.")


def _in_order(
    entries: Sequence[GroupEntry] | Sequence[ComponentEntry],
    keys: Sequence[str],
    present: Mapping[str, tuple[int, int | None]],
) -> dict[str, dict[str, int]]:
    """The positions of *keys* by their order, unless one of *entries* gives positions itself."""
    if any("position" in entry.model_fields_set for entry in entries):
        return {}
    return {key: {"position": value} for key, value in positions(keys, present).items()}


def _parents_first(entries: Sequence[MonitorEntry]) -> list[tuple[int, MonitorEntry]]:
    """*entries* with their places, each after the one that it depends on. Those in a circle are refused when they are
    put, wherever they stand."""
    places = {entry.slug: place for place, entry in enumerate(entries)}
    ordered: dict[int, MonitorEntry] = {}
    for place in range(len(entries)):
        # From each monitor up to one that is there already, or that is below it: then down again.
        chain: dict[int, None] = {}
        above: int | None = place
        while above is not None and above not in chain and above not in ordered:
            chain[above] = None
            parent = entries[above].depends_on
            above = places.get(parent) if parent else None
        ordered |= {one: entries[one] for one in reversed(chain)}
    return list(ordered.items())
