"""How a page is answered: rendered once per snapshot, language and address, for everybody who may have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from flask import Response, has_request_context, request

from ..documents.rendering import Frame
from ..documents.snapshot import Snapshot
from ..documents.words import words_of
from ..domain.facts import PageFact, ShownPage
from ..state import current_state
from ..storage.session import current_session
from . import answers, languages, visits
from .cache import DocumentCache
from .mounts import PageUrls, current_urls

HTML = "text/html; charset=utf-8"

_NOTHING: Mapping[str, str] = {}

Render = Callable[[Snapshot, Frame], str]


def page(
    page_slug: str | None,
    render: Render,
    *,
    name: str = "",
    kept: Mapping[str, str] = _NOTHING,
    content_type: str = HTML,
    is_open: bool = False,
    ancestors: Sequence[str] = (),
) -> Response:
    """The page that *render* makes, from what is kept of it if that is fresh.

    :param name: tells apart what one endpoint shows; the last part of its path, where it has one.
    :param kept: the parameters of the query that it was made by. Strangers may ask for any, so few such pages are kept.
    :param is_open: scripts of other sites may read it, as they may read any document.
    :param ancestors: which sites may show it in a frame; none: only our own policy counts, if it is one of our pages.
    """
    asked = visits.request_object()
    spoken = languages.spoken(asked, visits.page_of(asked))
    # Its links begin with where the app is, the prefix of the blueprint, and the page's name: with the path up to
    # *name*, of which there are several spellings.
    path = asked.path.rpartition("/")[0] if name else asked.path.rstrip("/")
    key = f"page {asked.root_path} {path} {asked.endpoint} {name} {spoken}"
    if kept:
        key = f"{key} {dict(kept)}"

    def made(snapshot: Snapshot, stale: datetime | None) -> bytes:
        frame = Frame(
            urls=current_urls(spoken.language if spoken.chosen else None),
            language=spoken.language,
            languages=languages.links(asked.root_path + asked.path, kept.items()),
            stale_since=stale,
        )
        return render(snapshot, frame).encode()

    cache: DocumentCache = current_state().documents
    # Only HTML is made of templates, in which a host may greet whoever is signed in.
    keep = cache.page if content_type == HTML else cache.document
    found = keep(current_session, page_slug, key, made, rare=bool(kept))
    return answers.document(
        found, content_type, is_page=not is_open, spoken=spoken, ancestors=ancestors
    )


def frame_for_host(page: ShownPage, slug: str | None) -> Frame:
    """What stands in a page of the host's, which our choice of a language must not break.

    :param slug: of the page, as the host names it.
    """
    language = words_of(page).language
    if has_request_context():
        language = languages.spoken(request, page, for_host=True).language
    return Frame(urls=visits.urls_for_host(page, slug), language=language)


def urls() -> PageUrls:
    """URLs of the page that this request is about, in the language that the visitor chose."""
    return current_urls(languages.chosen(request))


def frame(
    page: PageFact | None, *, subscriber: str | None = None, is_refused: bool = False
) -> Frame:
    """What a page that is made for one visitor stands in.

    :param subscriber: the locale of the subscription that it is about.
    :param is_refused: nothing of the query that was wrong is repeated.
    """
    spoken = languages.spoken(request, page, subscriber=subscriber)
    kept = [
        pair
        for pair in request.args.items(multi=True)
        if pair[0] != languages.PARAMETER and not is_refused
    ]
    path = request.root_path + request.path
    return Frame(
        urls=current_urls(spoken.language if spoken.chosen else None),
        language=spoken.language,
        languages=languages.links(path, kept) if request.method in ("GET", "HEAD") else (),
    )
