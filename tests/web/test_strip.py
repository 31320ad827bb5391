"""`statuspage_strip` in a host's own templates."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import Flask, render_template_string
from sqlalchemy import text

from flask_statuspage.documents import strips
from tests.documents.pages import by_class, parsed_fragment, text_of
from tests.web.site import Site, SiteMaker


def portal(app: Flask) -> None:
    @app.get("/orders")
    def orders() -> str:
        return render_template_string(
            "<main>{{ statuspage_strip('checkout') }}{{ statuspage_strip('search') }}</main>"
        )

    @app.get("/wrong")
    def wrong() -> str:
        return render_template_string(
            "[{{ statuspage_strip('nothing') }}{{ statuspage_strip(7) }}"
            "{{ statuspage_strip('checkout', page='nowhere') }}]"
        )


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    site = make_site(host=portal)
    for name in ("Checkout", "Search"):
        site.made("/components", name=name)
    return site


def test_strips_in_a_hosts_page(site: Site) -> None:
    """Two on one page: each with its name, status and days, with what makes it look and work, and without ids."""
    site.made("/incidents", title="Payments fail", impact="major", components=["checkout"])
    html = site.client.get("/orders").text
    tree = parsed_fragment(html)
    boxes = list(by_class(tree, "sp-inset"))
    assert [text_of(next(box.iter("bdi"))) for box in boxes] == ["Checkout", "Search"]
    assert "Partial outage" in text_of(boxes[0])
    assert "1 day with events" in text_of(boxes[0])
    assert "Payments fail" in text_of(boxes[0])
    assert "Payments fail" not in text_of(boxes[1])
    assert [e for e in tree.iter() if e.get("id")] == []
    sheets = [e.get("href") or "" for e in tree.iter("link")]
    scripts = [e.get("src") or "" for e in tree.iter("script")]
    for url in (*sheets, *scripts, "/status/components/checkout"):
        with site.client.get(url) as answer:
            assert answer.status_code == 200, url
    assert len(sheets) == len(scripts) == 2


def test_a_strip_is_worked_out_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every view of a host's page shows the same strip, until something changes."""
    counted: list[str] = []
    real = strips._uptime_strip

    def count(*given: Any) -> Any:
        counted.append(given[1].fact.slug)
        return real(*given)

    monkeypatch.setattr(strips, "_uptime_strip", count)
    first = site.client.get("/orders").text
    assert site.client.get("/orders").text == first
    assert sorted(counted) == ["checkout", "search"]
    site.made("/incidents", title="Payments fail", impact="major", components=["checkout"])
    assert "Payments fail" in site.client.get("/orders").text
    assert len(counted) == 4


def test_what_there_is_not(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Another service's name, another page's or no name at all: nothing, and the log says so."""
    with caplog.at_level(logging.WARNING):
        assert site.client.get("/wrong").text == "[]"
    assert "no component 'nothing' for a strip" in caplog.text


def test_without_a_database(site: Site) -> None:
    """The host's page is there, and its transaction is as it was."""
    with site.app.app_context(), site.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE statuspage_page RENAME TO hidden"))
    assert site.client.get("/orders").text == "<main></main>"


def test_uptime_that_is_not_shown(site: Site) -> None:
    """A service that is not for show is named with its status, and has no strip."""
    site.ask("PATCH", "/components/search", {"showcase": False})
    tree = parsed_fragment(site.client.get("/orders").text)
    first, second = by_class(tree, "sp-inset")
    assert list(by_class(first, "sp-uptime"))
    assert not list(by_class(second, "sp-uptime"))
    assert text_of(second) == "Search Operational"


def test_home_page(site: Site) -> None:
    """The page itself has a strip for each service that is for show, made in one go with the rest of it."""
    html = site.get("/").text
    assert html.count('class="sp-uptime"') == 2
    assert html.count('href="/status/components/') == 2
