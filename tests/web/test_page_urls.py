"""Links of pages are those of Flask's url_for, however many there are of one kind."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask, url_for

from flask_statuspage import StatusPage
from flask_statuspage.web.mounts import PageUrls

INCIDENTS = UUID(int=1), UUID(int=2**127)


@pytest.fixture
def app() -> Flask:
    """A host that mounts the pages under a name, and adds to every URL of theirs."""
    app = Flask(__name__)
    app.register_blueprint(StatusPage(), url_prefix="/<tenant>/status")

    @app.url_defaults
    def add(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("tenant", "fjordwerk")
        values.setdefault("theme", "sea")

    return app


@pytest.mark.parametrize("page_slug", [None, "internal"])
@pytest.mark.parametrize("language", [None, "de"])
def test_links_of_one_kind_are_what_flask_says(
    app: Flask, page_slug: str | None, language: str | None
) -> None:
    """Each leads to its own thing, with what the host adds, the page's slug and the language that was chosen."""
    with app.test_request_context("/"):
        urls = PageUrls("statuspage", page_slug, language)
        more: dict[str, Any] = {"page_slug": page_slug} if page_slug else {}
        spoken: dict[str, Any] = {"lang": language} if language else {}
        for number in INCIDENTS:
            expected = url_for("statuspage.incident", incident_id=number, **more, **spoken)
            assert urls("incident", incident_id=number) == expected
            assert str(number) in expected
            assert "theme=sea" in expected
            expected = url_for("statuspage.maintenance_ics", maintenance_id=number, **more)
            assert urls("maintenance_ics", maintenance_id=number) == expected
        for slug in ("checkout", "search-2"):
            expected = url_for("statuspage.component", component_slug=slug, **more, **spoken)
            assert urls("component", component_slug=slug) == expected


def test_what_is_no_slug_is_quoted(app: Flask) -> None:
    """A value that would have to be quoted is left to Flask, also after another one was asked for."""
    with app.test_request_context("/"):
        urls = PageUrls("statuspage", None)
        assert urls("component", component_slug="api").endswith("/components/api?theme=sea")
        link = urls("component", component_slug="a?b c#d")
        assert link == "/fjordwerk/status/components/a%3Fb%20c%23d?theme=sea"


def test_what_a_host_makes_of_a_value_is_kept(app: Flask) -> None:
    """Where a host's own function says something else of what the link is about, each link has its own."""

    @app.url_defaults
    def repeat(endpoint: str, values: dict[str, Any]) -> None:
        values["again"] = values["component_slug"].upper()

    with app.test_request_context("/"):
        urls = PageUrls("statuspage", None)
        for slug in ("api", "web"):
            assert f"again={slug.upper()}" in urls("component", component_slug=slug)
