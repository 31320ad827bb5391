"""What the host's own templates may call. Nothing here breaks the host's page."""

from __future__ import annotations

from collections.abc import Collection

from flask import current_app
from markupsafe import Markup

from .documents import page as documents
from .documents import sign_up
from .documents.snapshot import Snapshot
from .state import State, current_state
from .web import subscribe, visits
from .web.mounts import PageUrls


def statuspage_banner(page: str | None = None) -> Markup:
    """For host templates: a short box when something is wrong, else nothing. It never breaks the host's page.

    Of a page that is not public only those learn who may see it; of one that is seen by link, members.
    """
    state = current_state()
    try:
        found = _for_visitor(state, page)
        return documents.banner_box(*found) if found else Markup("")
    except Exception:  # whatever a loader or a template of the host raises, too
        current_app.logger.exception("status page: no banner")
        return Markup("")


def statuspage_subscribe_form(components: Collection[str] = (), page: str | None = None) -> Markup:
    """For host templates: a form that subscribes the customer to *components* (slugs; none: everything).

    Empty while the database does not answer, and for a visitor who may not see the page: it never breaks the host's
    page.
    """
    state = current_state()
    try:
        found = _for_visitor(state, page)
        if found is None:
            return Markup("")
        snapshot, urls = found
        email = state.subscriber_loader()
        return sign_up.subscribe_box(
            snapshot.page,
            urls,
            email=email,
            components=list(components),
            csrf_token=subscribe.csrf_token() if email else None,
        )
    except Exception:  # whatever a loader or a template of the host raises, too
        current_app.logger.exception("status page: no subscribe form")
        return Markup("")


def _for_visitor(state: State, slug: str | None) -> tuple[Snapshot, PageUrls] | None:
    """The page's snapshot and URLs for whom the host's template is made; None: not for this visitor."""
    snapshot = visits.snapshot_for_host(slug)
    if not visits.shows_to_visitor(snapshot.page):
        return None
    return snapshot, visits.urls_for_host(snapshot.page, slug)
