"""Every page that a visitor can come to, and how one comes there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, Response

from .sites import Served
from .views import Watched


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One page.

    :param site: which of the sites it belongs to.
    :param url: of the page, or of the form that leads to it.
    :param act: what a visitor does there until the page is shown.
    :param variant: of a page that is in the table, too, so that a wide light view and a narrow dark one are enough.
    """

    name: str
    url: Callable[[Served], str]
    site: str = "busy"
    status: int = 200
    act: Callable[[Page], object] | None = None
    variant: bool = False

    def visit(self, watched: Watched, served: Served) -> Response:
        """Go there; the answer that the page came with."""
        page, response = watched.page, None
        watched.expected = self.status
        response = page.goto(self.url(served))
        if self.act is not None:
            with page.expect_navigation() as navigation:
                self.act(page)
            response = navigation.value
        assert response is not None
        assert response.status == self.status, (self.name, response.status)
        return response


def _at(path: str) -> Callable[[Served], str]:
    return lambda served: served.url(path)


def _incident(name: str, query: str = "") -> Callable[[Served], str]:
    return lambda served: served.url(f"/incidents/{served.known.incidents[name]}{query}")


def _maintenance(name: str) -> Callable[[Served], str]:
    return lambda served: served.url(f"/maintenance/{served.known.maintenances[name]}")


def _own(page: str) -> Callable[[Served], str]:
    return lambda served: served.own_url(page)


def _send(page: Page) -> None:
    page.locator("main form button[type=submit]").first.click()


def _send_wrong(page: Page) -> None:
    page.get_by_label("Only these services").check()
    page.get_by_label("Email address").fill("nobody")
    _send(page)


def _send_address(page: Page) -> None:
    page.get_by_label("Email address").fill("ada@customer.example")
    _send(page)


def _unsubscribe(page: Page) -> None:
    page.get_by_role("button", name="Unsubscribe").click()


PAGES = [
    Entry(name="home", url=_at("/")),
    Entry(name="home_empty", url=_at("/"), site="empty", variant=True),
    Entry(name="home_stale", url=_at("/"), site="stale", variant=True),
    Entry(name="home_ar", url=_at("/?lang=ar"), variant=True),
    Entry(name="home_de", url=_at("/?lang=de"), variant=True),
    Entry(name="home_ja", url=_at("/?lang=ja"), variant=True),
    Entry(name="history", url=_at("/history")),
    Entry(name="history_of_service", url=_at("/history?component=service-4"), variant=True),
    Entry(name="history_rtl", url=_at("/history?lang=ar"), variant=True),
    Entry(name="history_empty", url=_at("/history"), site="empty", variant=True),
    Entry(name="incident", url=_incident("open")),
    Entry(name="incident_resolved", url=_incident("resolved"), variant=True),
    Entry(name="incident_rtl", url=_incident("rtl", "?lang=ar"), variant=True),
    Entry(name="maintenance", url=_maintenance("now")),
    Entry(name="maintenance_upcoming", url=_maintenance("upcoming"), variant=True),
    Entry(name="maintenance_recurring", url=_maintenance("recurring"), variant=True),
    Entry(name="component", url=_at("/components/service-0")),
    Entry(name="component_quiet", url=_at("/components/service-3"), variant=True),
    Entry(name="component_rtl", url=_at("/components/service-0?lang=ar"), variant=True),
    Entry(name="subscribe", url=_at("/subscribe")),
    Entry(name="subscribe_de", url=_at("/subscribe?lang=de"), variant=True),
    Entry(name="subscribe_rtl", url=_at("/subscribe?lang=ar"), variant=True),
    Entry(name="subscribe_errors", url=_at("/subscribe"), status=422, act=_send_wrong),
    Entry(name="subscribed", url=_at("/subscribe"), act=_send_address),
    Entry(name="confirm", url=lambda served: served.confirm_url()),
    Entry(name="confirmed", url=lambda served: served.confirm_url(), act=_send, variant=True),
    Entry(name="manage", url=_own("manage")),
    Entry(name="manage_saved", url=_own("manage"), act=_send, variant=True),
    Entry(name="unsubscribe", url=_own("unsubscribe")),
    Entry(name="unsubscribed", url=_own("unsubscribe"), act=_unsubscribe),
    Entry(name="docs", url=_at("/docs")),
    Entry(name="widget", url=_at("/widget")),
    Entry(name="not_found", url=_at("/incidents/nothing"), status=404),
    Entry(name="expired_token", url=_at("/confirm/of-long-ago"), status=404),
    Entry(name="turned_away", url=lambda served: f"{served.root}/shop/", status=503),
]

NAMES = [entry.name for entry in PAGES]
