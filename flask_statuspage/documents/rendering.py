"""Templates become pages here: what every page is given, and which templates the pages are made of.

A host may override every template by a file of the same name in its own ``templates/statuspage/``
and choose what they extend (``STATUSPAGE_BASE_TEMPLATE``). ``urls`` is given by whoever mounts the
pages, so that templates never ask for endpoints by themselves. Times are in the page's zone.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from flask import current_app, render_template
from markupsafe import Markup

from ..domain.facts import ShownPage
from ..domain.markup import to_html
from ..state import current_settings
from . import words

OWN_BASE = "statuspage/base.html"

_FOLDER = Path(__file__).absolute().parent.parent / "templates"
_OWN_TEMPLATES = frozenset(path.relative_to(_FOLDER).as_posix() for path in _FOLDER.rglob("*.html"))


class Urls(Protocol):
    """Where a page or file is: ``urls("incident", incident_id=…)``.

    Endpoints: ``home``, ``incident`` (incident_id), ``maintenance`` (maintenance_id), ``docs``, ``openapi``,
    ``subscribe``, ``confirm``, ``manage`` and ``unsubscribe`` (token), ``static`` (filename), and every document of the
    catalogue by its name (component_slug where it is about one).
    """

    def __call__(self, endpoint: str, /, **values: Any) -> str: ...


def is_impersonal() -> bool:
    """Whether the pages are made of our own templates only, so that they are the same for every visitor.

    A host's base template or override may greet whoever is signed in.
    """
    environment = current_app.jinja_env
    names = {current_settings().base_template, *_OWN_TEMPLATES}
    return all(
        (environment.get_template(name).filename or "").startswith(str(_FOLDER)) for name in names
    )


def render(
    template: str,
    page: ShownPage | None,
    urls: Urls,
    *,
    here: str | None = None,
    standalone: bool = False,
    **context: Any,
) -> str:
    """One template as HTML.

    :param standalone: in our own base template, whatever the settings say.
    """
    settings = current_settings()
    zone = ZoneInfo(page.time_zone if page else settings.time_zone)
    return render_template(
        f"statuspage/{template}.html",
        base_template=OWN_BASE if standalone else settings.base_template,
        heading_level=1 if standalone else settings.heading_level,
        page=page,
        urls=urls,
        here=here,
        words=words,
        zone=zone.key,
        moment=partial(words.moment, zone=zone),
        markdown=_markdown,
        **context,
    )


def _markdown(text: str) -> Markup:
    return Markup(to_html(text))
