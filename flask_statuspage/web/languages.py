"""In which language a page is shown, and to whom else the same answer may be given.

What counts first: the visitor's own choice (``?lang=de``, which the page's links keep), what the subscription says on
the pages of one, the host's language, the page's setting, what the browser asks for, the first language offered.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlencode

from flask import Request, current_app
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.http import parse_accept_header

from ..documents.rendering import LanguageLink
from ..domain.facts import PageFact
from ..state import State, current_settings, current_state
from ..storage.session import current_session
from ..translation import LANGUAGES, nearest

logger = logging.getLogger(__name__)

PARAMETER = "lang"

MOST_ACCEPTED = 200
"""Characters of an ``Accept-Language``; nobody reads more languages than that."""


@dataclass(frozen=True)
class Spoken:
    """:param language: one of :data:`~..translation.LANGUAGES`.
    :param chosen: by the visitor; the page's links keep it.
    :param negotiated: the browser was asked, so caches have to ask as well.
    :param personal: the host may say something else to another visitor.
    """

    language: str
    chosen: bool = False
    negotiated: bool = False
    personal: bool = False


def spoken(
    asked: Request,
    page: PageFact | None,
    *,
    subscriber: str | None = None,
    for_host: bool = False,
) -> Spoken:
    """The language of the answer to *asked*.

    :param subscriber: the locale of the subscription that the page is about.
    :param for_host: it is part of a page of the host's, whose transaction is never ended here.
    """
    offered = current_settings().locales
    if len(offered) == 1:
        return Spoken(offered[0])
    environ = asked.environ
    if environ.get("QUERY_STRING") and (wanted := asked.args.get(PARAMETER)) in offered:
        return Spoken(wanted, chosen=True)
    if (found := nearest(subscriber, offered)) is not None:
        return Spoken(found)
    state = current_state()
    personal = state.has_locale_loader()
    if personal and (found := nearest(_hosts_word(state, for_host), offered)) is not None:
        return Spoken(found, personal=True)
    if page is not None and (found := nearest(page.locale, offered)) is not None:
        return Spoken(found, personal=personal)
    found = accepted(environ.get("HTTP_ACCEPT_LANGUAGE", ""), offered)
    return Spoken(found, negotiated=True, personal=personal)


def chosen(asked: Request) -> str | None:
    """What the visitor chose by a link, which the page's links keep; None: nothing that there is."""
    return choosable(asked.args.get(PARAMETER))


def choosable(language: object) -> str | None:
    """*language*, if a link can choose it."""
    offered = current_settings().locales
    return str(language) if len(offered) > 1 and language in offered else None


def accepted(header: str, offered: tuple[str, ...]) -> str:
    """The one of *offered* that an ``Accept-Language`` (RFC 9110, 12.5.4) prefers; where it names none, the first."""
    # Looked at before answers are kept: each would keep its header, too.
    return offered[0] if len(header) > MOST_ACCEPTED else _preferred(header, offered)


@lru_cache(maxsize=1024)
def _preferred(header: str, offered: tuple[str, ...]) -> str:
    tags = {tag.lower(): tag for tag in offered}
    for wanted, quality in parse_accept_header(header):
        found = nearest((_as_tag(wanted) or "").lower(), tags)
        if quality > 0 and found is not None:
            return tags[found]
    return offered[0]


def links(path: str, kept: Iterable[tuple[str, str]]) -> tuple[LanguageLink, ...]:
    """The page at *path* in each language that is offered; none where there is no choice.

    :param kept: the parameters of its query; one may come several times.
    """
    offered = current_settings().locales
    if len(offered) == 1:
        return ()
    pairs = list(kept)
    return tuple(
        LanguageLink(tag, LANGUAGES[tag], f"{quote(path)}?{urlencode([*pairs, (PARAMETER, tag)])}")
        for tag in offered
    )


def has_flask_babel() -> bool:
    """Whether the site knows its visitors' language by Flask-Babel."""
    return "babel" in current_app.extensions


def of_flask_babel() -> str | None:
    """The language that Flask-Babel has for this request."""
    from flask_babel import get_locale

    return str(get_locale() or "")


def _hosts_word(state: State, for_host: bool) -> str | None:
    """What the host says; nothing where its loader fails, such as for want of the same database."""
    try:
        return _as_tag(state.locale_loader())
    except Exception as error:
        logger.exception("status page: the host's locale loader failed")
        if isinstance(error, SQLAlchemyError) and not for_host:
            current_session().rollback()  # what it left could not be read in any more
        return None


def _as_tag(locale: str | None) -> str | None:
    """As BCP 47 writes it, what POSIX and Babel write ``pt_BR``; the parts below it are of another case there."""
    return locale.replace("_", "-") if locale else None
