"""What the host's own templates may call. Nothing here breaks the host's page."""

from __future__ import annotations

from collections.abc import Collection

from flask import current_app
from markupsafe import Markup

from .documents import page as documents
from .documents import strips
from .documents.rendering import Frame
from .documents.snapshot import Snapshot
from .state import State, current_state
from .web import forms, portal_form, shown, visits


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


def statuspage_subscribe_form(
    components: Collection[str] = (),
    page: str | None = None,
    *,
    channels: Collection[str] = ("email",),
    events: Collection[str] | None = None,
) -> Markup:
    """For host templates: a form that subscribes whoever reads the page, who comes back to it and sees the outcome.

    Empty while the database does not answer, where none of the channels can be had, and for a visitor who may not see
    the page: it never breaks the host's page.

    :param components: slugs; none: everything.
    :param channels: names such as ``email``, ``sms`` or ``webhook``; members-only ones are left out.
    :param events: names such as ``incident.created``; None: what is usual for the channel.
    """
    state = current_state()
    try:
        found = _for_visitor(state, page)
        if found is None:
            return Markup("")
        customer = state.subscriber_loader()
        return portal_form.box(
            *found,
            components=list(components),
            channels=list(channels),
            events=None if events is None else list(events),
            csrf_token=forms.csrf_token() if customer else None,
        )
    except Exception:  # whatever a loader or a template of the host raises, too
        current_app.logger.exception("status page: no subscribe form")
        return Markup("")


def statuspage_strip(component: str, page: str | None = None) -> Markup:
    """For host templates: one service, how it is, and its last days with a list of those with events.

    Empty where there is no such service, while the database does not answer, and for a visitor who may not see the
    page: it never breaks the host's page. A service whose uptime is not shown has no strip there either.

    :param component: its slug.
    """
    state = current_state()
    try:
        found = _for_visitor(state, page)
        if found is None:
            return Markup("")
        snapshot, frame = found
        shown = snapshot.component(component)
        if shown is None:
            current_app.logger.warning("status page: no component %r for a strip", component)
            return Markup("")
        return strips.strip_box(snapshot, shown, frame)
    except Exception:  # whatever a loader or a template of the host raises, too
        current_app.logger.exception("status page: no strip")
        return Markup("")


def _for_visitor(state: State, slug: str | None) -> tuple[Snapshot, Frame] | None:
    """The page's snapshot and frame for whom the host's template is made; None: not for this visitor."""
    snapshot = visits.snapshot_for_host(slug)
    if not visits.shows_to_visitor(snapshot.page):
        return None
    return snapshot, shown.frame_for_host(snapshot.page, slug)
