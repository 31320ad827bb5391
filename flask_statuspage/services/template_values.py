"""What the placeholders of a template stand for, for one incident or maintenance."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from ..documents.words import Words, words_of
from ..domain.placeholders import check_value
from ..errors import Invalid
from ..storage import components as stored
from ..storage.base import utc_now
from ..storage.components import Component
from ..storage.pages import Page
from ..storage.templates import Template
from . import addresses, components, facts

TIMES = {"incident": ("started_at",), "maintenance": ("scheduled_start", "scheduled_end")}
"""The times that each kind is told."""


OF_COMPONENTS = ("component", "components")
"""The placeholders that name what an incident or maintenance is about."""


def chosen(
    session: Session, page: Page, template: Template, idents: Collection[str] | None
) -> list[Component]:
    """The components with those slugs or ids; None: the template's, without archived ones.

    :raises Invalid: naming ``components`` and the one that does not exist.
    """
    if idents is not None:
        return components.named(session, page, idents)
    living = stored.find(session, page.id, template.components) if template.components else []
    return sorted(living, key=lambda component: template.components.index(str(component.id)))


def of(
    page: Page,
    template: Template,
    values: Mapping[str, str],
    chosen: Collection[Component],
    told: Mapping[str, datetime | None],
) -> dict[str, str]:
    """The value of each placeholder; one that nobody gave a value is left out.

    :param values: for the template's own placeholders.
    :param told: the times of :data:`TIMES` as far as they are known, aware. An incident without one began now.
    :raises Invalid: naming ``values.<name>`` or the time that is wrong.
    """
    own = {name: default for name, default in template.placeholders.items() if default is not None}
    return {
        **own,
        **_given(template, values),
        **_built_in(page, chosen),
        **_times(template.kind, told, words_of(facts.shown_page(page))),
    }


def _given(template: Template, values: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in values.items():
        if name not in template.placeholders:
            known = ", ".join(sorted(template.placeholders)) or "none"
            message = f"The template has no such placeholder of its own. Known: {known}."
            raise Invalid.field(f"values.{name}", message)
        check_value(value, field=f"values.{name}")
    return values


def _built_in(page: Page, chosen: Collection[Component]) -> dict[str, str]:
    fact = facts.page(page)
    names = ", ".join(component.name for component in chosen)
    # Never a page's secret link: any key may render, and the text is for people who are there already.
    url = addresses.known_url(page)
    return {**dict.fromkeys(OF_COMPONENTS, names), "page": fact.name, "page_url": url}


def _times(kind: str, told: Mapping[str, datetime | None], words: Words) -> dict[str, str]:
    if kind == "incident":
        return {"started_at": _text("started_at", told.get("started_at") or utc_now(), words)}
    found = {name: _text(name, at, words) for name in TIMES[kind] if (at := told.get(name))}
    start, end = told.get("scheduled_start"), told.get("scheduled_end")
    if start is not None:
        found["started_at"] = found["scheduled_start"]
    if start is not None and end is not None:
        if end <= start:
            raise Invalid.field("scheduled_end", "Must lie after the start.")
        found["duration"] = words.duration(start, end)
    return found


def _text(field: str, when: datetime, words: Words) -> str:
    if when.tzinfo is None:
        raise Invalid.field(field, "Must have a time zone.")
    try:
        return words.moment(when).text
    except OverflowError as error:
        raise Invalid.field(field, f"Cannot be told in the zone {words.zone.key}.") from error
