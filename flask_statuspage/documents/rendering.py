"""Templates become pages here: what every page is given, and which templates the pages are made of.

A host may override every template by a file of the same name in its own ``templates/statuspage/``
and choose what they extend (``STATUSPAGE_BASE_TEMPLATE``). ``urls`` is given by whoever mounts the
pages, so that templates never ask for endpoints by themselves. Times are in the page's zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from flask import current_app, render_template
from markupsafe import Markup, escape

from ..domain.facts import ShownPage
from ..domain.markup import to_html
from ..state import current_settings
from ..translation import Said
from .icons import SHAPES
from .words import Words, words_in

OWN_BASE = "statuspage/base.html"

_PARTS = "statuspage/_parts.html"
_IN_HOST = "statuspage/_in_host.html"

_FOLDER = Path(__file__).absolute().parent.parent / "templates"
_OWN_TEMPLATES = frozenset(path.relative_to(_FOLDER).as_posix() for path in _FOLDER.rglob("*.html"))


class Urls(Protocol):
    """Where a page or file is: ``urls("incident", incident_id=…)``.

    Endpoints: ``home``, ``history``, ``incident`` (incident_id), ``maintenance`` and ``maintenance_ics``
    (maintenance_id), ``component`` (component_slug), ``docs``, ``openapi``, ``live``, ``widget``, ``widget_js``,
    ``widget_json``, ``subscribe``, ``confirm``, ``manage`` and ``unsubscribe`` (token), ``static`` (filename), and
    every document of the catalogue by its name (component_slug where it is about one). Other values become the query.
    """

    def __call__(self, endpoint: str, /, **values: Any) -> str: ...


@dataclass(frozen=True)
class LanguageLink:
    """The same page in another language; ``name`` is what its speakers call it."""

    tag: str
    name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where, for whom and in what a page is shown: what is the same for all pages.

    :param language: of the reader; one of :data:`~..translation.LANGUAGES`.
    :param languages: the page in each language that is offered, this one too; none: there is no choice.
    :param stale_since: when the snapshot could no longer be renewed; the page then says so.
    :param standalone: in our own base template, whatever the settings say.
    """

    urls: Urls
    language: str = "en"
    languages: Sequence[LanguageLink] = ()
    stale_since: datetime | None = None
    standalone: bool = False

    def words(self, page: ShownPage | None) -> Words:
        """The reader's language, with the clock of *page*."""
        return words_in(self.language, page.time_zone if page else current_settings().time_zone)


def is_impersonal() -> bool:
    """Whether the pages are made of our own templates only, so that they are the same for every visitor.

    A host's base template or override may greet whoever is signed in.
    """
    environment = current_app.jinja_env
    loader = environment.loader
    if loader is None or not loader.has_source_access:
        return False
    names = {current_settings().base_template, *_OWN_TEMPLATES}
    # Found, but not compiled: the first visitor would wait for templates that this page is not made of.
    files = (loader.get_source(environment, name)[1] for name in names)
    return all((file or "").startswith(str(_FOLDER)) for file in files)


def render(
    template: str,
    page: ShownPage | None,
    frame: Frame,
    *,
    here: str | None = None,
    **context: Any,
) -> str:
    """One template as HTML.

    Beside *context* a template has ``t``, ``tn`` and ``tp`` (``gettext``, ``ngettext``, ``pgettext``: gaps are escaped
    unless they are markup), ``say`` (of a message that was made elsewhere, see :class:`~..translation.Said`),
    ``words``, ``moment`` (of an instant), ``names`` (of many names, each for itself), ``markdown`` (of a text),
    ``urls``, ``page``, ``zone`` and what the layout needs. A host's base template has none of them: it finds what it
    finds on the host's own pages, whatever that is called.

    :param here: the endpoint, where the navigation leads there.
    """
    settings = current_settings()
    words = frame.words(page)
    is_ours = frame.standalone or settings.base_template == OWN_BASE
    parts: dict[str, Markup] = {}
    text = render_template(
        f"statuspage/{template}.html",
        base_template=OWN_BASE if is_ours else _PARTS,
        statuspage_parts=parts,
        heading_level=1 if frame.standalone else settings.heading_level,
        page=page,
        frame=frame,
        urls=frame.urls,
        here=here,
        shapes=SHAPES,
        words=words,
        language=words.language,
        direction=words.direction,
        t=partial(_filled, words.gettext),
        tn=partial(_filled, words.ngettext),
        tp=partial(_filled, words.pgettext),
        say=partial(_said, words),
        names=partial(_names, words),
        stale_since=frame.stale_since,
        zone=words.zone.key,
        moment=words.moment,
        markdown=_markdown,
        **context,
    )
    if not parts:  # a template that stands by itself
        return text
    return render_template(_IN_HOST, statuspage_base=settings.base_template, statuspage_parts=parts)


def _filled(say: Callable[..., str], *message: Any, **gaps: Any) -> str | Markup:
    """A message as markup, in which only what is markup in *gaps* is so. The message itself is text."""
    said = say(*message)
    if not gaps:
        return said
    # Not Markup.format, which is a formatter in Python: pages have hundreds of messages.
    filled = str(escape(said)).format(**{name: escape(value) for name, value in gaps.items()})
    return Markup(filled)


def _said(words: Words, message: str) -> str | Markup:
    """*message* in the reader's language. What somebody typed, which fills its gaps, has a direction of its own."""
    if not isinstance(message, Said) or not message.gaps:
        return words.said(message)
    gaps = {name: _gap(words, gap) for name, gap in message.gaps.items()}
    return _filled(words.gettext, message.message, **gaps)


def _gap(words: Words, gap: Any) -> Any:
    if isinstance(gap, tuple):
        return Markup(escape(words.separator)).join(_gap(words, one) for one in gap)
    if isinstance(gap, Said):
        return _said(words, gap)
    return Markup("<bdi>{}</bdi>").format(gap) if isinstance(gap, str) else gap


def _names(words: Words, names: Iterable[str]) -> Markup:
    """Names that somebody typed, each in a direction of its own."""
    return Markup(escape(words.separator)).join(
        Markup("<bdi>{}</bdi>").format(one) for one in names
    )


def _markdown(text: str) -> Markup:
    return Markup(to_html(text))
