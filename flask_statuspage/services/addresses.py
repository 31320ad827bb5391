"""Public URLs for messages and documents.

They never come from a request's ``Host`` header: whoever sends one could plant links in other people's mail. Set
``STATUSPAGE_PAGE_URL`` (or the page's own ``url``); without it Flask's ``SERVER_NAME`` serves, and at last localhost.
"""

from __future__ import annotations

from uuid import UUID

from flask import current_app

from ..delivery import links
from ..state import current_settings, current_state
from ..storage.pages import Page

MANAGE_API = "/admin/api/v1"
"""Where the manage API stands below the mount."""

SMS_INBOUND = "/sms/inbound"
"""Where texts come in, below the mount."""
HEARTBEAT = "/heartbeat"
"""Where jobs report, below the mount."""
CONSOLE = "/admin"
"""Where the console stands below the mount."""


def page_url(page: Page) -> str:
    """The public URL of *page*, without a slash at the end.

    That of a page with visibility ``link`` lets whoever has it in: it is for the page's readers only.
    """
    base = known_url(page)
    return f"{base}/{page.link_token}" if page.visibility == "link" else base


def known_url(page: Page) -> str:
    """The URL of *page* as anybody may know it: that of a page with visibility ``link`` ends before its token."""
    if page.url:
        return page.url.rstrip("/")
    base = current_settings().page_url or mounted_url()
    return base if page.is_default or page.visibility == "link" else f"{base}/{page.slug}"


def mounted_url() -> str:
    """Where Flask would find the default page by its own configuration."""
    config = current_app.config
    adapter = current_app.url_map.bind(
        config["SERVER_NAME"] or "localhost",
        script_name=config["APPLICATION_ROOT"],
        url_scheme=config["PREFERRED_URL_SCHEME"],
    )
    return adapter.build(f"{current_state().mounts[0]}.home", force_external=True).rstrip("/")


def manage_api_url(page: Page, path: str) -> str:
    """The URL of something of *page* in the manage API; *path* begins with a slash."""
    query = "" if page.is_default else f"?status_page={page.slug}"
    return f"{current_settings().page_url or mounted_url()}{MANAGE_API}{path}{query}"


def api_url() -> str:
    """Where the manage API is, without a slash at the end."""
    return f"{current_settings().page_url or mounted_url()}{MANAGE_API}"


def sms_inbound_url() -> str:
    """Where the SMS gateway is told to post what comes in; it signs this URL, too."""
    return f"{current_settings().page_url or mounted_url()}{SMS_INBOUND}"


def heartbeat_url(token: str) -> str:
    """Where the job reports whose monitor has that token. Whoever knows it can report."""
    return f"{current_settings().page_url or mounted_url()}{HEARTBEAT}/{token}"


def console_url(path: str) -> str:
    """The URL of something in the console; *path* begins with a slash. All pages share it."""
    return f"{current_settings().page_url or mounted_url()}{CONSOLE}{path}"


def is_guessed() -> bool:
    """Whether links lead to localhost because nobody said where the page is."""
    return not current_settings().page_url and not current_app.config["SERVER_NAME"]


def incident_url(page: Page, incident_id: UUID, *, known: bool = False) -> str:
    """:param known: as anybody may know it, see :func:`known_url`."""
    return f"{known_url(page) if known else page_url(page)}/incidents/{incident_id}"


def maintenance_url(page: Page, maintenance_id: UUID, *, known: bool = False) -> str:
    """:param known: as anybody may know it, see :func:`known_url`."""
    return f"{known_url(page) if known else page_url(page)}/maintenance/{maintenance_id}"


def ticket_url(page: Page, path: str, subscription_id: UUID, nonce: str) -> str:
    """A signed link for one subscriber: *path* is ``confirm``, ``manage`` or ``unsubscribe``."""
    purpose = links.CONFIRM if path == "confirm" else links.OWN
    token = links.make(purpose, links.Ticket(subscription_id, nonce))
    return f"{page_url(page)}/{path}/{token}"
