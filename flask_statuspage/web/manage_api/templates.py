"""``templates`` and ``templates/<id>/render``. Where a name stands for both kinds, ``?kind=`` says which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from flask import request
from pydantic import (
    ConfigDict,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from ...domain.rights import Right
from ...domain.status import Impact
from ...services import templates
from ...services.templates import Rendered
from ...storage import monitor_ties, pages
from ...storage import templates as stored
from ...storage.templates import Template
from .answering import told
from .call import Call
from .door import Door
from .fields import Body, Change, Instant, Named, Prose, Text, Title, Word
from .reading import asked, choice
from .things import Thing

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


class TemplateChange(Change):
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


class _Unsaid(str):
    """A text that nobody sent."""


def _titled_somehow(schema: dict[str, Any]) -> None:
    """A title is needed unless a template brings one."""
    by_template = {"required": ["template"], "properties": {"template": {"type": "string"}}}
    schema["anyOf"] = [{"required": ["title"]}, by_template]


class Templated(Body):
    """The part of a body that may begin with a template: what it says is what the rest leaves out.

    ``template`` is a template's id or name, ``values`` are for its own placeholders.
    """

    model_config = ConfigDict(json_schema_extra=_titled_somehow)

    template: Title | None = None
    # Made anew each time, so that the description has no default to tell.
    title: Title = Field(default_factory=_Unsaid, validate_default=True)
    values: Values = Field(default_factory=dict)

    @field_validator("title", mode="wrap")
    @classmethod
    def _is_said(cls, value: Any, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> str:
        if not isinstance(value, _Unsaid):
            checked: str = check(value)
            return checked
        if info.data.get("template", "") is None:
            raise ValueError("Is missing")
        return ""

    @field_validator("values")
    @classmethod
    def _has_a_template(cls, values: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if values and info.data.get("template", "") is None:
            raise ValueError("There is no template that they are for")
        return values


@dataclass(frozen=True, kw_only=True)
class TemplateAnswer:
    """A template. ``status`` and ``impact`` None: it does not say.

    :param components: the slugs of those that still are on the page.
    :param placeholders: its own ones with their defaults; None where a value must be given.
    """

    id: UUID
    kind: str
    name: str
    title: str
    body: str
    status: str | None
    impact: Impact | None
    components: list[str]
    placeholders: dict[str, str | None]
    created_at: datetime
    updated_at: datetime


KIND = choice(
    "kind",
    tuple(templates.STATUSES),
    "Only those of this kind; two of different kinds may have one name.",
)


def filled(call: Call, kind: str) -> dict[str, Any]:
    """The fields of a new *kind*, with what its template adds.

    :raises Invalid: as the template does.
    """
    given = call.values("template", "values")
    if call.body.template is not None:
        return templates.fill(
            call.session, call.page, kind, call.body.template, call.body.values, given
        )
    return given


def add_routes(door: Door) -> None:
    every, one = "/templates", "/templates/<ident>"
    door.thing("templates", Thing((TemplateAnswer,), show, _hold))
    read = partial(door.route, right=Right.SEE, answer=TemplateAnswer)
    write = partial(door.route, right=Right.TELL, answer=TemplateAnswer)
    read("GET", every, index, paged=True, parameters=(KIND,))
    write("POST", every, create, body=NewTemplate, status=201)
    read("GET", one, show, parameters=(KIND,), ambiguous=True)
    write("PATCH", one, change, body=TemplateChange, parameters=(KIND,))
    write("DELETE", one, remove, answer=None, parameters=(KIND,))
    rendering = f"{one}/render"
    read("POST", rendering, render, body=Rendering, answer=Rendered, parameters=(KIND,))


def index(call: Call) -> dict[str, Any]:
    """List the templates of the page."""
    slugs = templates.slugs(call.session, call.page)
    query = stored.of_page(call.page.id, asked(KIND))
    return call.listed(query, lambda row: told(TemplateAnswer, templates.described(row, slugs)))


def create(call: Call) -> dict[str, Any]:
    """Make a template."""
    made = templates.create(call.session, call.page, **call.values(), actor=call.actor)
    return _described(call, made)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a template."""
    return _described(call, _named(call, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Change a template; what is not sent stays."""
    template = _named(call, ident)
    templates.change(call.session, call.page, template, call.values(), actor=call.actor)
    return _described(call, template)


def remove(call: Call, ident: str) -> None:
    """Delete a template; what was made of it stays."""
    templates.remove(call.session, call.page, _named(call, ident), actor=call.actor)


def render(call: Call, ident: str) -> dict[str, Any]:
    """Show what a template amounts to, without making anything of it."""
    template = _named(call, ident)
    rendered = templates.render(call.session, call.page, template, **call.values())
    return told(Rendered, rendered)


def _described(call: Call, template: Template) -> dict[str, Any]:
    slugs = templates.slugs(call.session, call.page)
    return told(TemplateAnswer, templates.described(template, slugs))


def _named(call: Call, ident: str) -> Template:
    return templates.get(call.session, call.page, ident, kind=asked(KIND))


def _hold(call: Call, ident: str) -> None:
    if request.method == "DELETE":
        template = _named(call, ident)
        monitor_ties.lock_using(call.session, template.id)  # before the page, as everywhere
    pages.hold(call.session, call.page.id)
