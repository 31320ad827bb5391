"""The pages that make a monitor, change and delete it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import request

from ...documents.console import monitor as pages
from ...documents.console import monitor_form as documents
from ...documents.console.monitor_form import MonitorForm
from ...documents.console.monitor_words import KINDS
from ...domain.rights import Right
from ...errors import Conflict, Invalid, Problems
from ...probing import probes
from ...services import heartbeats, monitor_fields, monitor_options, monitors
from ...services.monitor_fields import DEFAULT_REGION, OUTAGES
from ...state import current_settings
from ...storage import monitor_list
from ...storage import templates as stored_templates
from ...storage.monitors import Monitor
from ..manage_api.monitors import MonitorChange, MonitorFields, NewMonitor
from . import monitor_values, option_fields, option_secrets, reading, telling
from .desk import Desk
from .kept import Hiding
from .monitor import held
from .option_shapes import defaults_of, shapes_of
from .visit import Done, Visit

OTHERS = (
    "Somebody else changed a secret of this monitor meanwhile. Nothing was saved. Type yours once more and press the "
    "button again to save it instead of theirs."
)


def add_routes(desk: Desk) -> None:
    one, watch = "/monitors/<ident>", Right.WATCH
    secret = Hiding(option_secrets.without_secrets, option_secrets.may_hide)
    desk.form("/monitors/new", "monitor_new", show_new, create, right=watch, secret=secret)
    desk.form(f"{one}/edit", "monitor_edit", show_edit, change, right=watch, secret=secret)
    desk.form(f"{one}/delete", "monitor_delete", show_delete, delete, right=watch)


def show_new(visit: Visit) -> str:
    kind = _asked_kind()
    if kind not in _kinds():
        return documents.choose_kind(visit.room("monitors"), kinds=_kinds())
    usual, known = probes[kind].thresholds, current_settings().regions
    values = MonitorFields().model_dump(mode="json") | {
        "name": "",
        "slug": "",
        "kind": kind,
        "interval": max(MonitorFields().interval, probes[kind].intervals[0]),
        "regions": [DEFAULT_REGION if DEFAULT_REGION in known else known[0]],
        "failure_threshold": usual.failure,
        "recovery_threshold": usual.recovery,
        "options": defaults_of(kind),
    }
    return _form(visit, None, kind, values)


def create(visit: Visit) -> Done:
    typed = visit.sent
    kind = reading.words(typed, "kind")
    monitor_fields.refuse_new(kind)
    if kind not in probes:
        raise Invalid.field("kind", f"Must be one of {', '.join(probes)}.")
    shapes, options = shapes_of(kind), defaults_of(kind)
    values = reading.checked(NewMonitor, monitor_values.read(typed, shapes, options, is_new=True))
    problems = Problems()
    with visit.outside(), problems.gathered():
        monitors.vet(kind, values.get("target", ""))
    with problems.gathered():
        made = monitors.create(visit.session, visit.page, **values, actor=visit.actor)
    problems.tell()
    notice = "heartbeat_made" if made.kind == heartbeats.KIND else "monitor_made"
    return Done("monitor", notice, {"ident": made.id})


def show_edit(visit: Visit, ident: str) -> str:
    row = monitors.get(visit.session, visit.page, ident)
    kind = _asked_kind() or row.kind
    return _form(visit, row, kind if kind in _kinds() else row.kind, _described(visit, row))


def change(visit: Visit, ident: str) -> Done:
    typed = visit.sent
    row = monitors.get(visit.session, visit.page, ident)
    kind = reading.words(typed, "kind") or row.kind
    if kind not in probes:
        raise Invalid.field("kind", f"Must be one of {', '.join(probes)}.")
    target = reading.words(typed, "target").strip() or row.target
    if (kind, target) != (row.kind, row.target):
        with visit.outside():
            monitors.vet(kind, target)
    row = held(visit, ident)
    is_declared = monitor_fields.is_declared(row)
    shapes, described = shapes_of(kind), _described(visit, row)
    own = shapes if kind == row.kind else None
    monitor_values.check_seen(
        typed,
        monitor_values.texts(described, own),
        monitor_values.ticks(shapes, is_declared=is_declared),
    )
    values = monitor_values.read(
        typed,
        shapes,
        described["options"] if own else defaults_of(kind),
        is_new=False,
        is_declared=is_declared,
    )
    # Nobody sees whether a secret is another one by now; the same one, sent twice, is none.
    if (
        own
        and "options" in values
        and reading.words(typed, "was.secrets") != monitor_options.mark(row)
        and monitor_options.are_replaced(row, probes[kind], values["options"])
    ):
        raise Conflict(OTHERS)
    values = reading.checked(MonitorChange, values)
    monitors.change(visit.session, visit.page, row, values, actor=visit.actor)
    return Done("monitor", "monitor_changed", {"ident": row.id})


def show_delete(visit: Visit, ident: str) -> str:
    row = monitors.get(visit.session, visit.page, ident)
    return pages.delete(
        visit.room("monitors"),
        ident=row.id,
        name=row.name,
        is_declared=monitor_fields.is_declared(row),
    )


def delete(visit: Visit, ident: str) -> Done:
    row = held(visit, ident, dependants=True)
    if reading.words(visit.sent, "name").split() != row.name.split():
        raise Invalid.field("name", "This is not the name of the monitor.")
    monitors.remove(visit.session, visit.page, row, actor=visit.actor)
    return Done("monitors", "monitor_deleted")


def _form(visit: Visit, row: Monitor | None, kind: str, values: dict[str, Any]) -> str:
    """:param values: those of *row*, or of a new monitor, described as the manage API does."""
    is_declared = row is not None and monitor_fields.is_declared(row)
    shapes = shapes_of(kind)
    is_own = row is None or kind == row.kind
    options = values["options"] if is_own else defaults_of(kind)
    present = monitor_values.texts(values, shapes if is_own else None)
    if row is not None and visit.typed is not None:
        monitor_values.follow(visit, present, monitor_values.ticks(shapes, is_declared=is_declared))
    seen: dict[str, str] = {}
    if row is not None:
        mark = telling.seen(visit, "secrets", monitor_options.mark(row), told=OTHERS)
        seen = present | {"secrets": mark}
    return documents.form(
        visit.room("monitors"),
        MonitorForm(
            kind=kind,
            name=row.name if row else None,
            url=visit.to("monitor_edit", ident=row.id) if row else visit.to("monitor_new"),
            values=present,
            present=seen,
            options=[] if is_declared else option_fields.fields(kind, shapes, options),
            regions=list(dict.fromkeys((*current_settings().regions, *values["regions"]))),
            outages=OUTAGES,
            services=_with(telling.names(visit), values["component"]),
            templates=_with(list(_templates(visit)), values["template"]),
            parents=[
                (slug, name)
                for ident, slug, name in monitor_list.names(visit.session, visit.page.id)
                if row is None or ident != row.id
            ],
            kinds=() if is_declared else _kinds(),
            back_url=visit.to("monitor", ident=row.id) if row else visit.to("monitors"),
            is_declared=is_declared,
            is_other_kind=not is_own,
            has_target=kind != heartbeats.KIND,
        ),
    )


def _described(visit: Visit, row: Monitor) -> dict[str, Any]:
    names = monitor_fields.names(visit.session, visit.page, [row])
    return monitor_fields.described(row, names)


def _asked_kind() -> str:
    return request.values.get("kind", "")


def _kinds() -> list[str]:
    """Those that members make monitors of, the usual ones first."""
    known = [kind for kind in KINDS if kind in probes]
    others = [kind for kind in probes if kind not in KINDS]
    return [kind for kind in (*known, *others) if not probes[kind].declared]


def _templates(visit: Visit) -> Iterator[tuple[str, str]]:
    rows = visit.session.scalars(stored_templates.of_page(visit.page.id, "incident"))
    return ((row.name, row.name) for row in rows)


def _with(choice: Sequence[tuple[str, str]], present: str | None) -> list[tuple[str, str]]:
    """*choice* with what is chosen already, which may have gone from it: saving must not choose another one."""
    if present is None or present in dict(choice):
        return list(choice)
    return [*choice, (present, present)]
