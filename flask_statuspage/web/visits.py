"""Who may see a page: one gate before every route of a page, and one place for the headers of what is not public.

A page with visibility ``signed-in`` is for visitors whom the host's loaders know. One with visibility ``link`` answers
under its token only; whoever has the token may see it. The gate reads the snapshot that the read path holds, so it
costs no query while that is fresh, and the last known rule holds while the database is away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import Blueprint, Request, Response, request
from sqlalchemy.exc import SQLAlchemyError

from ..documents.snapshot import Snapshot
from ..domain.branding import logo_origin
from ..domain.facts import ShownPage
from ..domain.rights import Right
from ..errors import NotFound, NotSignedIn, StatusPageError
from ..services import facts
from ..state import current_state
from ..storage.apart import apart_from_host
from ..storage.pages import Page
from ..storage.session import current_session
from ..translation import said
from . import access
from .cache import DocumentCache
from .mounts import PageUrls

# Links that were mailed work whatever became of their page: what they carry is a secret of its own.
OWN_SECRET = frozenset({"confirm", "manage", "unsubscribe"})

_PAGE = "flask_statuspage.page"
_PASSED = "flask_statuspage.passed"
"""The page that this request was found to be allowed to see."""


def add_gate(blueprint: Blueprint, cache: Callable[[], DocumentCache]) -> None:
    """Stand before all routes of pages on *blueprint*, also those that are added later."""

    def check() -> None:
        asked = request_object()
        values = asked.view_args
        if values is None or "page_slug" not in values or endpoint_of(asked) in OWN_SECRET:
            return
        require(cache().snapshot(current_session, values["page_slug"]).page, asked)

    blueprint.before_request(check)


def require(page: ShownPage, asked: Request | None = None) -> None:
    """Note that this request is about *page*, and let it pass only if its visitor may see the page.

    :raises NotSignedIn: when only signed-in visitors may.
    :raises NotFound: when only its link leads there, as if there were none.
    """
    environ = (asked or request).environ
    if environ.get(_PASSED) is page:
        return
    if _may_see(page):
        environ[_PASSED] = environ[_PAGE] = page
        return
    environ.pop(_PASSED, None)  # by an older snapshot: the error must not tell what that one showed
    if page.visibility == "link":
        raise NotFound("page", address_of(request) or "/")
    environ[_PAGE] = _bare(page)
    raise NotSignedIn(said("Sign in to this site, then open the page again."))


def shown(row: Page) -> ShownPage:
    """The page as this visitor may see it: the bearer of a mailed link who may not see more learns its name."""
    page = facts.shown_page(row)
    if not _may_see(page):
        page = _bare(page)
    request.environ[_PAGE] = page
    return page


def may_see(row: Page) -> bool:
    """Whether this request's visitor may see the page."""
    return _may_see(facts.shown_page(row))


def shows_to_visitor(page: ShownPage) -> bool:
    """Whether a host's template may tell of *page*, and so its address: a secret link, to who may make one only."""
    if page.visibility == "link":
        return access.may(Right.CONFIGURE)
    return page.is_public or _is_signed_in()


def snapshot_for_host(slug: str | None) -> Snapshot:
    """The snapshot of a page that host code names, whatever its visibility; the host's session is left alone.

    :raises NotFound: without such a page.
    :raises Busy: when there is none yet and the database keeps others waiting.
    """
    state = current_state()
    with apart_from_host() as open_session:
        found: Snapshot = state.documents.snapshot_for_host(open_session, slug)
    return found


def urls_for_host(page: ShownPage, slug: str | None) -> PageUrls:
    """URLs of that page at its canonical mount."""
    return PageUrls(current_state().mounts[0], page.link_token or slug)


def note_shown(page: ShownPage) -> None:
    """Note that the answer to this request of the host shows *page*, so that its logo may be fetched."""
    request.environ[_PAGE] = page


def page_of(asked: Request) -> ShownPage | None:
    """The page that this request was found to be about."""
    page: ShownPage | None = asked.environ.get(_PAGE)
    return page


def page_seen(asked: Request) -> ShownPage | None:
    """The same, if the visitor was found to be allowed to see it. Of any other page an error tells nothing."""
    page = page_of(asked)
    return page if page is not None and asked.environ.get(_PASSED) is page else None


def turn_to_root(asked: Request) -> None:
    """Note that the answer is about the page at the root, if its visitor may see that one, and else about none."""
    environ = asked.environ
    environ.pop(_PASSED, None)
    environ.pop(_PAGE, None)
    try:
        page = current_state().documents.snapshot(current_session, None).page
        if _may_see(page):
            environ[_PASSED] = environ[_PAGE] = page
    except (StatusPageError, SQLAlchemyError):
        return  # the error that is told of counts


def image_source() -> str | None:
    """The origin that the shown page's logo comes from, unless it is this site's."""
    page: ShownPage | None = request.environ.get(_PAGE)
    return logo_source(page) if page else None


def logo_source(page: ShownPage) -> str | None:
    """The origin that the logo of *page* comes from, unless it is this site's."""
    return logo_origin(page.logo) if page.logo else None


def _may_see(page: ShownPage) -> bool:
    if page.visibility == "link":
        return page.link_token is not None and address_of(request) == page.link_token
    return page.is_public or (page.visibility == "signed-in" and _is_signed_in())


def _is_signed_in() -> bool:
    return bool(access.is_known() or current_state().subscriber_loader())


def _bare(page: ShownPage) -> ShownPage:
    return replace(page, logo=None, colours=(), header="", footer="")


def request_object() -> Request:
    """The request itself: each look through the proxy costs as much as the look-up that it is for."""
    return request._get_current_object()  # type: ignore[attr-defined,no-any-return]


def endpoint_of(asked: Request) -> str:
    """The endpoint without the names of the blueprints."""
    return (asked.endpoint or "").rpartition(".")[2]


def address_of(asked: Request) -> str | None:
    """What stands in the place of the slug: a slug, a link's token, or nothing."""
    return (asked.view_args or {}).get("page_slug")


def keep_private(response: Response, asked: Request) -> Response:
    """Answers about a page that is not public are for their one reader: 200, 304 and errors alike."""
    page: ShownPage | None = asked.environ.get(_PAGE)
    if page is None or page.is_public:
        return response
    for name in [name for name, _ in response.headers if name.startswith("Access-Control-")]:
        response.headers.remove(name)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    if page.visibility == "signed-in":
        response.vary.add("Cookie")
    return response
