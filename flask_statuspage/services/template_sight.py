"""A template is changed by somebody who looked at it before: what was changed meanwhile is never written over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from ..domain.facts import plain
from ..errors import Conflict
from ..storage.pages import Page
from ..storage.templates import Template
from . import templates

MEANWHILE = (
    "This template was changed while you wrote. Nothing of yours was saved. Both texts are below: mend yours if it "
    "needs that, and press the button again."
)


def mark(template: Template) -> str:
    """What a form carries of *template* as it was shown."""
    return str(plain(template.updated_at)) + f".{template.updated_at.microsecond}"


def change(
    session: Session,
    page: Page,
    template: Template,
    values: Mapping[str, Any],
    *,
    seen: str,
    actor: str,
) -> Template:
    """:func:`.templates.change` of a template that is still as it was shown. What is so already is fine.

    :param seen: the mark of what was shown.
    :raises Conflict: when it was changed meanwhile.
    """
    template = templates.held(session, page, template)
    if mark(template) != seen:
        now = templates.described(template, templates.slugs(session, page))
        if any(now[name] != values[name] for name in values):
            raise Conflict(MEANWHILE)
    return templates.change(session, page, template, values, actor=actor)
