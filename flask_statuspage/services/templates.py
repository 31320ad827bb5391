"""Templates: texts that are kept ready for incidents and maintenance, and what they render to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..domain import placeholders
from ..domain.facts import plain
from ..domain.incident import OPEN, IncidentStatus
from ..domain.maintenance import MaintenanceStatus
from ..domain.markup import has_control
from ..domain.status import Impact
from ..errors import Conflict, Invalid, NotFound
from ..storage import monitor_ties, pages
from ..storage import templates as stored
from ..storage.base import utc_now
from ..storage.components import Component
from ..storage.pages import Page
from ..storage.templates import Template
from . import audit, components, template_values
from .template_values import TIMES

MAX_NAME = 200

STATUSES: dict[str, Collection[StrEnum]] = {
    "incident": [status for status in IncidentStatus if status in OPEN | {IncidentStatus.RESOLVED}],
    "maintenance": (MaintenanceStatus.SCHEDULED, MaintenanceStatus.IN_PROGRESS),
}
"""The statuses that a template of each kind can begin with."""

_FIELDS = ("name", "title", "body", "status", "impact", "components", "placeholders")

_audit = partial(audit.of, subject="template")


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a template amounts to. ``components`` are slugs; ``status`` and ``impact`` None: it does not say."""

    title: str
    body: str
    status: IncidentStatus | MaintenanceStatus | None
    impact: Impact | None
    components: tuple[str, ...]


def get(session: Session, page: Page, ident: str, *, kind: str | None = None) -> Template:
    """The template of *page* with that id or name.

    :raises NotFound: when there is none.
    :raises Conflict: when templates of both kinds have that name and *kind* does not say which one is meant.
    """
    try:
        template = session.get(Template, UUID(ident))
        found = [template] if template and template.page_id == page.id else []
    except ValueError:
        found = [row for row in stored.by_name(session, page.id, ident) if row.name == ident]
    found = [row for row in found if kind in (None, row.kind)]
    if not found:
        raise NotFound("template", ident)
    if len(found) > 1:
        raise Conflict(f"Two templates are named {ident!r}; say the kind or use the id.")
    return found[0]


def held(session: Session, page: Page, template: Template) -> Template:
    """*template* as it is now; nobody else changes it until the transaction ends."""
    pages.hold(session, page.id)
    found = stored.locked(session, template.id)
    if found is None or found.page_id != page.id:
        raise NotFound("template", template.id)
    return found


def create(
    session: Session,
    page: Page,
    *,
    kind: str,
    name: str,
    title: str,
    body: str = "",
    status: str | None = None,
    impact: str | None = None,
    components: Collection[str] = (),
    placeholders: Mapping[str, str | None] | None = None,
    actor: str | None = None,
) -> Template:
    """A new template.

    :param kind: ``incident`` or ``maintenance``; it cannot change later.
    :param components: slugs or ids.
    :param placeholders: the template's own ones, each with its default; None: a value must be given each time.
    :raises Invalid: naming the field, for title and body with the placeholder that there is not.
    :raises Conflict: when the name is taken by another template of this kind.
    """
    check_kind(kind)
    pages.hold(session, page.id)
    fields: dict[str, Any] = {
        "name": name,
        "title": title,
        "body": body,
        "status": status,
        "impact": impact,
        "components": components,
        "placeholders": placeholders or {},
    }
    fields = _checked(session, page, kind, fields)
    _check_free(session, page, kind, fields["name"])
    now = utc_now()
    template = Template(page_id=page.id, kind=kind, created_at=now, updated_at=now, **fields)
    with _alone_with_its_name(session, kind, name):
        session.add(template)
    _audit(session, "create", template, actor, after=described(template, slugs(session, page)))
    return template


def change(
    session: Session,
    page: Page,
    template: Template,
    values: Mapping[str, Any],
    *,
    actor: str | None,
) -> Template:
    """Change some of ``name title body status impact components placeholders``; errors as in :func:`create`."""
    for name in values:
        if name not in _FIELDS:
            raise Invalid.field(name, "Cannot be changed.")
    template = held(session, page, template)
    known = slugs(session, page)
    before = described(template, known)
    kept = {name: getattr(template, name) for name in _FIELDS if name != "components"}
    fields = _checked(session, page, template.kind, {**kept, **values})
    if fields["name"] != template.name:
        _check_free(session, page, template.kind, fields["name"], template.id)
    with _alone_with_its_name(session, template.kind, fields["name"]):
        for name, value in fields.items():
            setattr(template, name, value)
    was, now_is = audit.difference(before, described(template, known))
    if now_is:
        template.updated_at = utc_now()
        session.flush()
        _audit(session, "change", template, actor, before=was, after=now_is)
    return template


def remove(session: Session, page: Page, template: Template, *, actor: str | None) -> None:
    """Delete a template; what was made of it stays."""
    monitor_ties.lock_using(session, template.id)  # before the page, as everywhere
    template = held(session, page, template)
    before = described(template, slugs(session, page))
    _audit(session, "delete", template, actor, before=before)
    monitor_ties.forget_template(session, template.id)
    session.delete(template)
    session.flush()


def render(
    session: Session,
    page: Page,
    template: Template,
    *,
    values: Mapping[str, str] | None = None,
    components: Collection[str] | None = None,
    started_at: datetime | None = None,
    scheduled_start: datetime | None = None,
    scheduled_end: datetime | None = None,
    leaves_open: bool = False,
) -> Rendered:
    """What *template* amounts to.

    :param values: for its own placeholders; those with a default need none.
    :param components: slugs or ids; None: the template's.
    :param started_at: of an incident, aware; None: now.
    :param scheduled_start: of a maintenance, aware, as ``scheduled_end``.
    :param leaves_open: no component is one that is still to be chosen: ``[component]`` stands in its place.
    :raises Invalid: naming ``title`` or ``body`` with the placeholder that has no value, or the argument that is wrong.
    """
    told = {
        "started_at": started_at,
        "scheduled_start": scheduled_start,
        "scheduled_end": scheduled_end,
    }
    for name, instant in told.items():
        if instant is not None and name not in TIMES[template.kind]:
            raise Invalid.field(name, f"Has no meaning for a template of kind {template.kind!r}.")
    chosen = template_values.chosen(session, page, template, components)
    filled = template_values.of(page, template, values or {}, chosen, told)
    if leaves_open and not chosen:
        filled |= {name: placeholders.Open(name) for name in template_values.OF_COMPONENTS}
    status, impact = _status(template), template.impact
    return Rendered(
        title=placeholders.render(template.title, filled, field="title"),
        body=placeholders.render(template.body, filled, field="body"),
        status=status,
        impact=Impact(impact) if impact else None,
        components=tuple(component.slug for component in chosen),
    )


def fill(
    session: Session,
    page: Page,
    kind: str,
    ident: str,
    values: Mapping[str, str],
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """The fields of a new incident or maintenance that is made of a template.

    :param ident: the template's id or name.
    :param values: for the template's own placeholders.
    :param given: what was said besides; it wins, and a text that it has is not rendered. Its components and times are
        what the placeholders tell.
    :returns: *given* with what the template adds of ``title body status impact components`` (slugs); what neither
        says is left out.
    :raises Invalid: naming ``template``, when there is none; else as :func:`render`.
    """
    try:
        template = get(session, page, ident, kind=kind)
    except NotFound as error:
        message = f"There is no template {ident!r} of kind {kind!r} on this page."
        raise Invalid.field("template", message) from error
    named = given.get("components")
    chosen = template_values.chosen(session, page, template, None if named is None else list(named))
    told = {name: given.get(name) for name in TIMES[kind]}
    filled = template_values.of(page, template, values, chosen, told)
    fields: dict[str, Any] = {
        name: placeholders.render(getattr(template, name), filled, field=name)
        for name in ("title", "body")
        if name not in given
    }
    if template.status:
        fields["status"] = _status(template)
    if template.impact:
        fields["impact"] = Impact(template.impact)
    if chosen:
        fields["components"] = [component.slug for component in chosen]
    return {**fields, **given}


def slugs(session: Session, page: Page) -> dict[str, str]:
    """The slugs of the page's components by their ids, without archived ones."""
    query = select(Component.id, Component.slug)
    query = query.where(Component.page_id == page.id, Component.archived_at.is_(None))
    return {str(row.id): row.slug for row in session.execute(query)}


def described(template: Template, slugs: Mapping[str, str]) -> dict[str, Any]:
    """*template* as plain data; *slugs* are those of its page."""
    return {
        "id": str(template.id),
        "kind": template.kind,
        "name": template.name,
        "title": template.title,
        "body": template.body,
        "status": template.status,
        "impact": template.impact,
        "components": [slugs[ident] for ident in template.components if ident in slugs],
        "placeholders": dict(template.placeholders),
        "created_at": plain(template.created_at),
        "updated_at": plain(template.updated_at),
    }


def check_kind(kind: str) -> None:
    """:raises Invalid: naming ``kind``."""
    if kind not in STATUSES:
        raise Invalid.field("kind", f"Must be one of {', '.join(STATUSES)}.")


def _checked(session: Session, page: Page, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """*fields* as they are kept."""
    status, impact = fields["status"], fields["impact"]
    if status is not None and status not in STATUSES[kind]:
        raise Invalid.field("status", f"Must be one of {', '.join(STATUSES[kind])}.")
    if impact is not None and kind != "incident":
        raise Invalid.field("impact", "Only incidents have an impact.")
    if impact is not None and impact not in list(Impact):
        raise Invalid.field("impact", f"Must be one of {', '.join(Impact)}.")
    own = dict(fields["placeholders"])
    placeholders.check_own(own)
    known = {*placeholders.BUILT_IN[kind], *own}
    for field in ("title", "body"):
        placeholders.check(fields[field], field=field, known=known)
    checked = {
        "name": _line("name", fields["name"]),
        "title": _line("title", fields["title"]),
        "body": fields["body"],
        "status": status and str(status),
        "impact": impact and str(impact),
        "placeholders": own,
    }
    if "components" in fields:
        found = components.named(session, page, fields["components"])
        checked["components"] = [str(component.id) for component in found]
    return checked


def _line(field: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid.field(field, "Must not be empty.")
    if has_control(text):
        raise Invalid.field(field, "Must not have line breaks or control characters.")
    if len(text) > MAX_NAME:
        raise Invalid.field(field, f"At most {MAX_NAME} characters.")
    return text


def _check_free(
    session: Session, page: Page, kind: str, name: str, but: UUID | None = None
) -> None:
    if any(row.id != but for row in stored.by_name(session, page.id, name, kind)):
        raise _taken(kind, name)


@contextmanager
def _alone_with_its_name(session: Session, kind: str, name: str) -> Iterator[None]:
    # The check before it does not see what was committed after this transaction began to read.
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        raise _taken(kind, name) from error


def _taken(kind: str, name: str) -> Conflict:
    return Conflict(f"The name {name!r} is taken by another template of kind {kind!r}.")


def _status(template: Template) -> IncidentStatus | MaintenanceStatus | None:
    if not template.status:
        return None
    of_incident = template.kind == "incident"
    return (IncidentStatus if of_incident else MaintenanceStatus)(template.status)
