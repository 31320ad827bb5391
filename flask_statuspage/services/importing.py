"""Import a status page from elsewhere: groups, components, incidents and maintenance with their updates.

Things are known again by ``origin``, so importing once more changes what changed there and makes nothing twice.
Theirs wins where the two differ, with these exceptions, in which a thing belongs to this page for good:

* slugs, and a description that theirs leaves empty;
* a component that was archived here;
* an incident or maintenance to which somebody wrote an update here (:mod:`.imported_history`).

Nothing is deleted: what is gone there stays here. Nobody is told: no event but the change of a component's status,
and this one to host code only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from ..domain.ids import new_id
from ..domain.source_page import SourceComponent, SourceGroup, SourcePage
from ..domain.status import ComponentStatus
from ..storage import imported as stored
from ..storage import maintenances, monitors, pages
from ..storage.components import Component, ComponentGroup, StatusInterval
from ..storage.pages import Page
from . import audit, facts, imported_words, maintenance_windows
from .import_ledger import Ledger
from .imported_history import History, Known
from .slugs import free_slug

SYSTEM = "statuspage"
"""The first part of an origin."""

Adopted = TypeVar("Adopted", Component, ComponentGroup)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many things the source has, and what became of all of them together."""

    components: int
    groups: int
    incidents: int
    maintenances: int
    new: int
    changed: int
    unchanged: int


def run(
    session: Session,
    page: Page,
    source: SourcePage,
    *,
    remind_before: Sequence[int] | None = None,
    actor: str | None = None,
) -> Outcome:
    """Bring *source* into *page*, all of it or, when anything raises, nothing.

    :param remind_before: minutes before the start at which subscribers are reminded of an imported maintenance; None:
        as the settings say.
    """
    reminders = maintenance_windows.reminders(remind_before)
    # Monitors before the page, as everywhere: the end of a maintenance lets them be heard again.
    monitors.lock_on(session, maintenances.maintained_on(session, page.id))
    pages.hold(session, page.id)
    ledger = Ledger(session, page, actor)
    group_rows = stored.groups(session, page.id)
    component_rows = stored.components(session, page.id, group_rows)
    groups = _groups(ledger, source.groups, group_rows)
    imported_rows = _components(ledger, source.components, component_rows, groups)
    session.flush()
    # Uptime is not imported: it counts from now on.
    session.add_all(
        StatusInterval(component_id=row.id, status=row.status, started_at=ledger.now)
        for row in imported_rows.values()
        if ledger.is_new(row.id)
    )
    rows = {row.id: row for row in (*component_rows, *imported_rows.values())}
    prefix = origin_of("")
    known = Known(
        by_id=rows,
        by_source={
            row.origin.removeprefix(prefix): row
            for row in rows.values()
            if row.origin is not None and row.origin.startswith(prefix)
        },
        origin_of=origin_of,
    )
    history = History(ledger, known, remind_before=reminders)
    history.incidents(source.incidents)
    history.maintenances(source.maintenances)
    session.flush()
    theirs = {imported_rows[item.id].id: item.status for item in source.components}
    imported_words.settle(ledger, rows.values(), theirs, history)
    ledger.write()
    new, changed, unchanged = ledger.counts()
    return Outcome(
        components=len(source.components),
        groups=len(source.groups),
        incidents=len(source.incidents),
        maintenances=len(source.maintenances),
        new=new,
        changed=changed,
        unchanged=unchanged,
    )


def origin_of(source_id: str) -> str:
    return f"{SYSTEM}:{source_id}"


def _groups(
    ledger: Ledger, theirs: Sequence[SourceGroup], rows: Sequence[ComponentGroup]
) -> dict[str, ComponentGroup]:
    """The groups by their id at the source."""
    by_origin = {row.origin: row for row in rows if row.origin}
    found = {item.id: by_origin.get(origin_of(item.id)) for item in theirs}
    _adopt(found, {item.id: (item.name, None) for item in theirs}, rows)
    result: dict[str, ComponentGroup] = {}
    for item in theirs:
        row = found[item.id]
        if row is None:
            row = ComponentGroup(
                id=new_id(),
                page_id=ledger.page.id,
                name=item.name,
                description=item.description,
                position=item.position,
                origin=origin_of(item.id),
                created_at=ledger.now,
                updated_at=ledger.now,
            )
            ledger.session.add(row)
            ledger.created("component-group", row, facts.group(row))
        else:
            values = {
                "origin": origin_of(item.id),
                "name": item.name,
                "description": item.description or row.description,
                "position": item.position,
            }
            _change(ledger, "component-group", row, values)
        ledger.saw(row)
        result[item.id] = row
    return result


def _components(
    ledger: Ledger,
    theirs: Sequence[SourceComponent],
    rows: Sequence[Component],
    groups: Mapping[str, ComponentGroup],
) -> dict[str, Component]:
    """The components by their id at the source."""
    by_origin = {row.origin: row for row in rows if row.origin}
    found = {item.id: by_origin.get(origin_of(item.id)) for item in theirs}
    group_of = {item.id: groups.get(item.group_id) if item.group_id else None for item in theirs}
    names = {
        item.id: (item.name, group.name if (group := group_of[item.id]) else None)
        for item in theirs
    }
    _adopt(found, names, [row for row in rows if row.archived_at is None])
    slugs = {row.slug for row in rows}
    result: dict[str, Component] = {}
    for item in theirs:
        row, group = found[item.id], group_of[item.id]
        if row is None:
            row = _new_component(ledger, item, group, slugs)
            slugs.add(row.slug)
        elif row.archived_at is None:
            values: dict[str, Any] = {
                "origin": origin_of(item.id),
                "name": item.name,
                "description": item.description or row.description,
                "position": item.position,
                "group_id": group.id if group else None,
            }
            for name in ("only_show_if_degraded", "showcase", "start_date"):
                if getattr(item, name) is not None:
                    values[name] = getattr(item, name)
            if row.group is not group:
                row.group = group
            _change(ledger, "component", row, values)
        ledger.saw(row)
        result[item.id] = row
    return result


def _new_component(
    ledger: Ledger, item: SourceComponent, group: ComponentGroup | None, slugs: Collection[str]
) -> Component:
    row = Component(
        id=new_id(),
        page_id=ledger.page.id,
        slug=free_slug(None, item.name, slugs, kind="component"),
        name=item.name,
        description=item.description,
        group=group,
        group_id=group.id if group else None,
        position=item.position,
        status=ComponentStatus.OPERATIONAL,
        since=ledger.now,
        only_show_if_degraded=bool(item.only_show_if_degraded),
        showcase=item.showcase is not False,
        start_date=item.start_date,
        origin=origin_of(item.id),
        created_at=ledger.now,
        updated_at=ledger.now,
    )
    ledger.session.add(row)
    ledger.created("component", row, facts.component(row))
    return row


def _adopt(
    found: dict[str, Adopted | None],
    names: Mapping[str, tuple[str, str | None]],
    rows: Sequence[Adopted],
) -> None:
    """Find for those without a row one that was made here under the same name, each at most once.

    :param names: name and group of each at the source. With several of one name the group decides.
    """
    free: dict[str, list[Adopted]] = defaultdict(list)
    for row in rows:
        if row.origin is None:
            free[row.name].append(row)
    missing = [source_id for source_id, row in found.items() if row is None]
    wanted = Counter(names[source_id][0] for source_id in missing)
    for source_id in missing:
        name, group = names[source_id]
        candidates = free[name]
        same = [row for row in candidates if _group_name(row) == group]
        if not same and wanted[name] == len(candidates) == 1:
            same = candidates
        if same:
            found[source_id] = same[0]
            free[name] = [row for row in candidates if row is not same[0]]


def _group_name(row: Component | ComponentGroup) -> str | None:
    return row.group.name if isinstance(row, Component) and row.group else None


def _change(
    ledger: Ledger,
    subject: audit.Subject,
    row: Component | ComponentGroup,
    values: Mapping[str, Any],
) -> None:
    before = {name: getattr(row, name) for name in values}
    if ledger.changed(subject, row, before, values):
        for name, value in values.items():
            setattr(row, name, value)
        row.updated_at = ledger.now
