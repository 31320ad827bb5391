"""The pages "Templates" and one template."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import request

from ...documents.console import templates as documents
from ...documents.console.templates import Example, TemplateRow, TemplateView
from ...domain.rights import Right
from ...errors import FieldError, Invalid, Problems
from ...services import template_sight, templates
from ...services.template_sight import mark
from ...storage import templates as stored
from ...storage.session import database_now
from ...storage.templates import Template
from ..idents import uuid_of
from ..manage_api.templates import NewTemplate, TemplateChange
from . import reading, telling
from .desk import Desk
from .lists import listed
from .visit import Done, Visit

FIELDS = ("name", "title", "body", "placeholders", "status", "impact")
"""The fields that follow what somebody else has changed, if nobody touched them."""

NOTICES = {
    "template_made": "The template is saved.",
    "template_changed": "The template is changed.",
    "template_deleted": "The template is deleted. What was made of it stays.",
}


def add_routes(desk: Desk) -> None:
    desk.area("templates", "Templates", Right.SEE, NOTICES)
    desk.page("/templates", "templates", index, right=Right.SEE)
    desk.form("/templates/new", "template_new", show_new, make, right=Right.TELL)
    one = "/templates/<template_id>"
    desk.form(one, "template", show, change, right=Right.SEE, doing=Right.TELL)
    desk.action(f"{one}/delete", "template_delete", delete, right=Right.TELL, back=show)


def index(visit: Visit) -> str:
    kind = request.args.get("kind", "")
    kind = kind if kind in templates.STATUSES else ""
    rows, pager = listed(visit, stored.of_page(visit.page.id, kind or None), "templates", kind=kind)
    return documents.templates(
        visit.room("templates"),
        rows=[
            TemplateRow(id=row.id, kind=row.kind, name=row.name, title=row.title) for row in rows
        ],
        kind=kind,
        pager=pager,
    )


def show_new(visit: Visit) -> str:
    asked = request.values.get("kind", "")
    kind = asked if asked in templates.STATUSES else TemplateView.kind
    return documents.template(
        visit.room("templates"),
        TemplateView(kind=kind),
        services=telling.names(visit),
        example=visit.found,
    )


def make(visit: Visit) -> Done | None:
    values = reading.checked(NewTemplate, {**_read(visit), "kind": visit.sent.get("kind", "")})
    made = templates.create(visit.session, visit.page, **values, actor=visit.actor)
    return _kept(visit, made, "template_made")


def show(visit: Visit, template_id: str) -> str:
    template = _get(visit, template_id)
    view = _view(visit, template)
    typed = visit.typed
    has_changed = typed is not None and typed.get("seen", mark(template)) != mark(template)
    if has_changed:
        telling.follow(visit, {name: getattr(view, name) for name in FIELDS})
    return documents.template(
        visit.room("templates"),
        view,
        services=telling.names(visit),
        example=visit.found,
        now=view if has_changed else None,
        mark=mark(template),
    )


def change(visit: Visit, template_id: str) -> Done | None:
    template = _get(visit, template_id)
    values = reading.checked(TemplateChange, _read(visit))
    if values["placeholders"] == placeholders_in(as_lines(template.placeholders)):
        del values["placeholders"]  # a default of several lines, which no form can show, stays
    template = template_sight.change(
        visit.session,
        visit.page,
        template,
        values,
        seen=visit.sent.get("seen", ""),
        actor=visit.actor,
    )
    return _kept(visit, template, "template_changed")


def delete(visit: Visit, template_id: str) -> Done:
    templates.remove(visit.session, visit.page, _get(visit, template_id), actor=visit.actor)
    return Done("templates", "template_deleted")


def _kept(visit: Visit, template: Template, notice: str) -> Done | None:
    if "preview" not in visit.sent:
        return Done("template", notice, {"template_id": template.id})
    visit.found = _example(visit, template)
    return None


def _example(visit: Visit, template: Template) -> Example:
    """What *template* amounts to now; of a maintenance, for tomorrow. It was not saved, and will not be."""
    values = {
        name: f"[{name}]" for name, default in template.placeholders.items() if default is None
    }
    times: dict[str, Any] = {}
    if template.kind == "maintenance":
        start = database_now(visit.session).replace(minute=0, second=0, microsecond=0)
        start += timedelta(days=1)
        times = {"scheduled_start": start, "scheduled_end": start + timedelta(hours=2)}
    rendered = templates.render(
        visit.session, visit.page, template, values=values, leaves_open=True, **times
    )
    names = dict(telling.names(visit))
    return Example(
        title=rendered.title,
        body=rendered.body,
        state=rendered.status,
        services=[names[slug] for slug in rendered.components],
        values=values,
    )


def _get(visit: Visit, template_id: str) -> Template:
    return templates.get(visit.session, visit.page, str(uuid_of(template_id, "template")))


def _read(visit: Visit) -> dict[str, Any]:
    """What was typed, but for the kind, as the manage API would get it."""
    typed, problems = visit.sent, Problems()
    values: dict[str, Any] = {
        **{name: reading.words(typed, name).strip() for name in ("name", "title")},
        "body": reading.words(typed, "body").rstrip(),
        **reading.optional(typed, "status", "impact"),
        "components": reading.chosen(typed.getlist("components")),
    }
    problems.found += [
        FieldError(name, "Is missing.") for name in ("name", "title") if not values[name]
    ]
    with problems.gathered():
        values["placeholders"] = placeholders_in(reading.words(typed, "placeholders"))
    problems.tell()
    return values


def placeholders_in(text: str) -> dict[str, str | None]:
    """A template's own placeholders, a line each: ``name``, or ``name = default``.

    :raises Invalid: for a name that stands twice.
    """
    found: dict[str, str | None] = {}
    for line in filter(str.strip, text.split("\n")):
        name, equals, default = line.partition("=")
        if name.strip() in found:
            raise Invalid.field("placeholders", f"{name.strip()[:60]!r} stands twice.")
        found[name.strip()] = default.strip() if equals else None
    return found


def as_lines(own: Mapping[str, str | None]) -> str:
    """The same the other way round. A default has no line breaks in a form."""
    return "\n".join(
        name if default is None else f"{name} = {' '.join(default.splitlines())}"
        for name, default in own.items()
    )


def _view(visit: Visit, template: Template) -> TemplateView:
    told = templates.described(template, templates.slugs(visit.session, visit.page))
    return TemplateView(
        id=template.id,
        kind=template.kind,
        name=template.name,
        title=template.title,
        body=template.body,
        status=template.status or "",
        impact=template.impact or "",
        components=told["components"],
        placeholders=as_lines(template.placeholders),
    )
