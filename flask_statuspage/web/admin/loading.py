"""Forms are filled by templates: ``?template=`` names one, ``?values.<name>=`` its own placeholders, ``?components=``
the services that it is about besides its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from ...documents.console.loading import Loaded, Placeholder
from ...documents.console.room import Trouble
from ...domain import placeholders
from ...domain.status import Impact
from ...errors import Invalid, NotFound
from ...services import templates
from ...services.template_values import OF_COMPONENTS, TIMES
from ...storage import templates as stored
from ...storage.templates import Template
from ..storable import is_storable
from . import reading, telling
from .visit import Visit


def choice(visit: Visit, kind: str) -> list[tuple[str, str]]:
    """Ids and names of the templates that a form can be filled with."""
    rows = visit.session.scalars(stored.of_page(visit.page.id, kind))
    return [(str(row.id), row.name) for row in rows]


def loaded(visit: Visit, kind: str) -> Loaded:
    """What the template that the address names fills the form with; what is wrong with it is told above the form.

    :param kind: ``incident`` or ``maintenance``, of which ``?scheduled_start=`` and ``?scheduled_end=`` tell the times.
    """
    ident = request.args.get("template", "")
    if not ident:
        return Loaded()
    if not is_storable(ident):
        raise NotFound("template", ident)
    template = templates.get(visit.session, visit.page, ident, kind=kind)
    given = {
        name: value
        for name in template.placeholders
        if (value := request.args.get(f"values.{name}", "").replace("\r\n", "\n"))
    }
    own = [
        Placeholder(name=name, value=given.get(name) or default or "")
        for name, default in template.placeholders.items()
    ]
    blank = Loaded(
        ident=str(template.id),
        placeholders=own,
        is_filled=False,
        services=telling.names(visit) if _names_services(template) else (),
        chosen=reading.chosen(request.args.getlist("components")),
    )
    try:
        times = _times(visit, kind)
        blank = replace(blank, start=times.get("scheduled_start"), end=times.get("scheduled_end"))
        is_lacking = any(
            default is None and name not in given for name, default in template.placeholders.items()
        )
        return blank if is_lacking else _filled(visit, template, given, times, blank)
    except Invalid as error:
        visit.trouble = Trouble(problems=error.errors)
        return blank


def _names_services(template: Template) -> bool:
    names = placeholders.names_in(template.title, field="title")
    return not names.union(placeholders.names_in(template.body)).isdisjoint(OF_COMPONENTS)


def _times(visit: Visit, kind: str) -> dict[str, datetime]:
    if kind != "maintenance":
        return {}
    asked: reading.Typed = MultiDict(request.args)
    zone = telling.zone(visit)
    return {
        name: at for name in TIMES[kind] if (at := reading.instant(asked, name, zone)) is not None
    }


def _filled(
    visit: Visit,
    template: Template,
    given: dict[str, str],
    times: dict[str, Any],
    blank: Loaded,
) -> Loaded:
    known = templates.slugs(visit.session, visit.page)
    own = [known[ident] for ident in template.components if ident in known]
    asked = [slug for slug in blank.chosen if slug in known.values() and slug not in own]
    rendered = templates.render(
        visit.session,
        visit.page,
        template,
        values=given,
        components=[*own, *asked],
        leaves_open=True,
        **times,
    )
    said = (rendered.impact or Impact.NONE).floor
    return replace(
        blank,
        title=rendered.title,
        body=rendered.body,
        state=rendered.status.value if rendered.status else "",
        impact=rendered.impact.value if rendered.impact else "",
        affected=dict.fromkeys(rendered.components, said),
        is_filled=True,
    )
