"""What other sites show of a page: a frame, and a script that makes a badge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask, Response, request
from playwright.sync_api import Browser, Page, expect

from flask_statuspage.documents.assets import FOLDER
from tests.documents.test_stylesheet import TONES, tokens
from tests.servers.wsgi import serving

from .site import Site, SiteMaker


def policy(answer: Any) -> dict[str, str]:
    """The directives of an answer's Content Security Policy."""
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return dict(part.partition(" ")[::2] for part in parts)


def test_frame_page(site: Site) -> None:
    """One line with the way to the page, for frames of any site and without a cookie; other pages cannot be framed."""
    site.made("/components", name="API", status="partial_outage")
    answer = site.get("/widget")
    assert "<title>Partial outage: API " in answer.text
    assert re.search(r'<a href="/status/" target="_blank" rel="noopener">', answer.text)
    assert policy(answer)["frame-ancestors"] == "*"
    assert policy(answer)["default-src"] == "'none'"
    assert "X-Frame-Options" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert policy(site.get("/"))["frame-ancestors"] == "'none'"


def test_frame_ancestors(make_site: SiteMaker) -> None:
    """The setting says which sites may, also where the pages stand in a host's base template."""
    site = make_site(STATUSPAGE_FRAME_ANCESTORS="self,https://www.acme.example")
    assert policy(site.get("/widget"))["frame-ancestors"] == "'self' https://www.acme.example"


def test_theme_and_hiding(site: Site) -> None:
    """The address settles the colours, and hides what has nothing to tell; the title stays for who reads it."""
    assert 'data-theme="dark"' in site.get("/widget?theme=dark").text
    assert "data-theme" not in site.get("/widget").text
    hidden = site.get("/widget?hide=operational").text
    assert "<title>All systems operational" in hidden
    assert "<main" not in hidden
    site.made("/components", name="API", status="partial_outage")
    assert "<main" in site.get("/widget?hide=operational").text


@pytest.mark.parametrize("query", ["theme=blue", "hide=all", "theme=", "theme=%00", "hide=💥"])
def test_wrong_choices(site: Site, query: str) -> None:
    """What the address cannot choose is refused by a page that says what can be."""
    answer = site.get(f"/widget?{query}")
    assert answer.status_code == 400
    assert "Choose one of: " in answer.text


def test_data(site: Site) -> None:
    """Scripts of any site read it, in the language they ask for."""
    site.made("/components", name="API", status="partial_outage")
    answer = site.get("/widget.json?lang=ar")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers
    said = answer.get_json()
    assert (said["tone"], said["language"], said["direction"]) == ("partial", "ar", "rtl")
    assert site.json("/widget.json")["sentence"] == "Partial outage: API"


def test_script(site: Site) -> None:
    """The file may be used by pages that are apart from all others, and is kept for an hour."""
    answer = site.get("/widget.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cache-Control"].startswith("public, max-age=3600")


@pytest.mark.parametrize("path", ["widget", "widget.js", "widget.json"])
@pytest.mark.parametrize("visibility", ["signed-in", "link"])
def test_only_public_pages(make_site: SiteMaker, path: str, visibility: str) -> None:
    """Of a page that is not for everybody there is no widget, not even for who may see the page."""
    site = make_site()
    site.statuspage.member_loader(lambda: "ann")
    site.made("/pages", name="Team", slug="team")
    assert site.get(f"/team/{path}").status_code == 200
    site.ask("PATCH", "/pages/team", {"visibility": visibility})
    assert site.get(f"/team/{path}").status_code == 404


def test_the_badge_has_the_colours_of_the_page() -> None:
    """Text and ground of each tone in the script are the stylesheet's."""
    script = (FOLDER / "widget.js").read_text(encoding="utf-8")
    for scheme, text in zip(("light", "dark"), script.split("const DARK"), strict=True):
        colours = tokens(scheme)
        found = dict(
            (tone or "unknown", (ink, ground))
            for tone, ink, ground in re.findall(
                r'(?:data-tone="(\w+)"\]|\na) \{ --ink: (#\w+); --ground: (#\w+);', text
            )
        )
        assert found == {
            tone: (colours[f"{tone}-text"], colours[f"{tone}-tint"]) for tone in TONES
        }, scheme


STRICT = (
    "default-src 'none'; script-src {status}; connect-src {status}; frame-src {status}; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


@pytest.fixture
def elsewhere(site: Site) -> Iterator[tuple[Site, str, str]]:
    """The status page, its URL, and that of another site whose page is what ``?html=`` says, under a strict policy."""
    other = Flask("other")
    with serving(site.app) as status, serving(other) as url:

        @other.get("/")
        def page() -> Response:
            html = request.args["html"].replace("STATUS", f"{status}/status")
            answer = Response(f'<!doctype html><html lang="en"><title>Shop</title><body>{html}')
            answer.headers["Content-Security-Policy"] = STRICT.format(status=status)
            return answer

        yield site, status, url


@pytest.fixture
def visitor(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A page of a browser, and what its console complained about."""
    context = browser.new_context(viewport={"width": 300, "height": 400}, color_scheme="light")
    context.set_default_timeout(20_000)
    page, wrong = context.new_page(), []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page, wrong
    context.close()


def shown(page: Page, url: str, html: str) -> None:
    """Open the other site with *html* in it."""
    page.goto(f"{url}/?html={quote(html)}")


def test_badge_on_another_site(
    elsewhere: tuple[Site, str, str], visitor: tuple[Page, list[str]]
) -> None:
    """Under a strict policy the badge has its look, tells the status, leads to the page and breaks nothing."""
    site, status, url = elsewhere
    page, wrong = visitor
    site.made("/components", name="API", status="partial_outage")
    shown(
        page, url, '<p>Shop</p><script src="STATUS/widget.js" data-label="Status:" async></script>'
    )
    badge = page.get_by_role("link")
    expect(badge).to_have_text("Status: Partial outage: API")
    expect(badge).to_have_attribute("href", f"{status}/status/")
    expect(badge).to_have_attribute("rel", "noopener")
    expect(badge).to_have_css("background-color", "rgb(253, 238, 227)")
    assert page.locator("[aria-live]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 300
    assert page.context.cookies() == []
    assert wrong == []


def test_badge_choices(elsewhere: tuple[Site, str, str], visitor: tuple[Page, list[str]]) -> None:
    """It hides while all is well, takes the language and colours it is told, and is announced only if asked to."""
    site, _, url = elsewhere
    page, wrong = visitor
    site.made("/components", name="API")
    script = '<script src="STATUS/widget.js" data-hide-operational data-live data-lang="{}" data-theme="dark"></script>'
    shown(page, url, script.format("ar"))
    badge = page.locator("a")
    expect(badge).to_have_attribute("dir", "rtl")
    expect(badge).to_be_hidden()
    site.ask("PUT", "/components/api/status", {"status": "major_outage"})
    shown(page, url, script.format("de"))  # not what the browser may have kept for seconds
    expect(badge).to_be_visible()
    expect(badge).to_have_css("background-color", "rgb(58, 20, 26)")
    assert page.locator("[aria-live=polite]").count() == 1
    assert wrong == []


def test_a_badge_that_cannot_ask_does_not_stay(
    elsewhere: tuple[Site, str, str], visitor: tuple[Page, list[str]]
) -> None:
    """After three times without an answer it is hidden, and it comes back; taken away, it asks no more."""
    site, _, url = elsewhere
    page, _ = visitor
    site.made("/components", name="API")
    page.clock.install()
    shown(page, url, '<script src="STATUS/widget.js" data-live></script>')
    badge = page.locator("a")
    expect(badge).to_be_visible()
    page.route("**/widget.json*", lambda route: route.abort())
    for time in (1, 2, 3):
        with page.expect_event("requestfailed"):
            page.clock.run_for(60_001)
        if time < 3:
            expect(badge).to_be_visible()
    expect(badge).to_be_hidden()
    page.unroute("**/widget.json*")
    page.clock.run_for(60_001)
    expect(badge).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.evaluate("document.querySelector('script[src*=widget]').nextElementSibling.remove()")
    page.clock.run_for(300_000)
    assert asked == []


def test_badge_without_a_status(
    elsewhere: tuple[Site, str, str], visitor: tuple[Page, list[str]]
) -> None:
    """While the status cannot be read nothing is shown."""
    _, _, url = elsewhere
    page, _ = visitor
    page.route("**/widget.json*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        shown(page, url, '<script src="STATUS/widget.js"></script>')
    expect(page.locator("a")).to_be_hidden()


def test_frame_on_another_site(
    elsewhere: tuple[Site, str, str], visitor: tuple[Page, list[str]]
) -> None:
    """The frame shows its line within 200 pixels; any other page refuses to be framed."""
    site, _, url = elsewhere
    page, wrong = visitor
    site.made("/components", name="API", status="partial_outage")
    shown(page, url, '<iframe src="STATUS/widget" title="Status" width="200" height="90"></iframe>')
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("link")).to_contain_text("Partial outage: API")
    inner = page.frames[1]
    assert inner.evaluate("document.documentElement.scrollWidth") <= 200
    assert wrong == []
    with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        shown(page, url, '<iframe src="STATUS/" title="Status"></iframe>')
    expect(frame.get_by_role("link")).to_have_count(0)
