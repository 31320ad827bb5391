"""``templates`` and ``templates/<id>/render``. Where a name stands for both kinds, ``?kind=`` says which."""

from __future__ import annotations

from typing import Annotated, Any

from flask import request
from pydantic import Field

from ...domain.facts import plain
from ...domain.roles import Role
from ...domain.status import Impact
from ...errors import FieldError, Invalid
from ...services import templates
from ...storage import templates as stored
from ...storage.templates import Template
from .door import Call, Door
from .fields import Body, Instant, Named, Prose, Text, Title, Word

Values = Annotated[dict[Text, Text], Field(max_length=100)]
Placeholders = Annotated[dict[Text, Text | None], Field(max_length=100)]


class NewTemplate(Body):
    """``placeholders`` are the template's own ones, each with its default or null."""

    page: Text | None = None
    kind: Word
    name: Title
    title: Title
    body: Prose = ""
    status: Word | None = None
    impact: Impact | None = None
    components: Named = Field(default_factory=list)
    placeholders: Placeholders = Field(default_factory=dict)


class TemplateChange(Body):
    name: Title = ""
    title: Title = ""
    body: Prose = ""
    status: Word | None = None
    impact: Impact | None = None
    components: Named = Field(default_factory=list)
    placeholders: Placeholders = Field(default_factory=dict)


class Rendering(Body):
    """``components`` null: the template's."""

    values: Values = Field(default_factory=dict)
    components: Named | None = None
    started_at: Instant | None = None
    scheduled_start: Instant | None = None
    scheduled_end: Instant | None = None


class Templated(Body):
    """The part of a body that may begin with a template: what it says is what the rest leaves out.

    ``template`` is a template's id or name, ``values`` are for its own placeholders.
    """

    title: Title = ""
    template: Title | None = None
    values: Values = Field(default_factory=dict)


def filled(call: Call, kind: str) -> dict[str, Any]:
    """The fields of a new *kind*, with what its template adds.

    :raises Invalid: naming ``title`` where neither says it, ``values`` without a template; else as the template does.
    """
    given = call.values("template", "values")
    if call.body.template is not None:
        return templates.fill(
            call.session, call.page, kind, call.body.template, call.body.values, given
        )
    errors = []
    if "title" not in given:
        errors.append(FieldError("title", "Is missing."))
    if call.body.values:
        errors.append(FieldError("values", "There is no template that they are for."))
    if errors:
        raise Invalid(*errors)
    return given


def add_routes(door: Door) -> None:
    door.route("GET", "/templates", index, role=Role.VIEWER)
    door.route("POST", "/templates", create, role=Role.EDITOR, body=NewTemplate, status=201)
    door.route("GET", "/templates/<ident>", show, role=Role.VIEWER)
    door.route("PATCH", "/templates/<ident>", change, role=Role.EDITOR, body=TemplateChange)
    door.route("DELETE", "/templates/<ident>", remove, role=Role.EDITOR)
    door.route("POST", "/templates/<ident>/render", render, role=Role.VIEWER, body=Rendering)


def index(call: Call) -> dict[str, Any]:
    slugs = templates.slugs(call.session, call.page)
    query = stored.of_page(call.page.id, _kind())
    return call.listed(query, lambda row: templates.described(row, slugs))


def create(call: Call) -> dict[str, Any]:
    made = templates.create(call.session, call.page, **call.values(), actor=call.actor)
    return _described(call, made)


def show(call: Call, ident: str) -> dict[str, Any]:
    return _described(call, _named(call, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    template = _named(call, ident)
    templates.change(call.session, call.page, template, call.values(), actor=call.actor)
    return _described(call, template)


def remove(call: Call, ident: str) -> None:
    templates.remove(call.session, call.page, _named(call, ident), actor=call.actor)


def render(call: Call, ident: str) -> dict[str, Any]:
    template = _named(call, ident)
    return dict(plain(templates.render(call.session, call.page, template, **call.values())))


def _described(call: Call, template: Template) -> dict[str, Any]:
    return templates.described(template, templates.slugs(call.session, call.page))


def _named(call: Call, ident: str) -> Template:
    return templates.get(call.session, call.page, ident, kind=_kind())


def _kind() -> str | None:
    kind = request.args.get("kind")
    if kind is not None:
        templates.check_kind(kind)
    return kind
