"""A page's brand over HTTP: fields in and out, the stylesheet as a document, the policy for a logo from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from flask_statuspage.delivery import links
from flask_statuspage.documents.policy import content_security_policy
from flask_statuspage.storage.subscriptions import Subscription
from tests.documents.test_badge_svg import contrast
from tests.servers.wsgi import serving
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html,*/*;q=0.8"}
PICTURES = Path(__file__).parent.parent / "artefacts"

LOGO = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='220' height='60' viewBox='0 0 220 60'>"
    "<rect width='60' height='60' rx='14' fill='#7a1f5c'/>"
    "<path d='M15 42 30 14l15 28' fill='none' stroke='#fff' stroke-width='7'/>"
    "<text x='74' y='42' font-family='sans-serif' font-size='36' fill='#b14d8f'>Acme</text></svg>"
)

BRAND = {
    "name": "Acme",
    "url": "https://status.acme.example/x",
    "time_zone": "Europe/Vienna",
    "locale": "de-AT",
    "visibility": "public",
    "logo": "https://cdn.acme.example:8443/logo.svg?v=2",
    "colours": {
        "primary": "#7a1f5c",
        "link": "#7a1f5c",
        "focus": "#7a1f5c",
        "bg": "#fffaf5",
        "surface": "#fbf1ea",
        "text": "#2b1a26",
        "dark-bg": "#171015",
        "dark-surface": "#21171e",
        "dark-link": "#f0a6d6",
    },
    "header": "Is something not listed here? Call **0800 123 456**.",
    "footer": "Acme GmbH · [Imprint](https://acme.example/imprint)",
}


def test_fields_in_and_out(site: Site) -> None:
    """Every field comes back as it was sent, by POST, PATCH and GET alike; null and empty ones clear it."""
    made = site.made("/pages", slug="acme", **BRAND)
    assert {name: made[name] for name in BRAND} == BRAND
    assert site.ask("GET", "/pages/acme").get_json() == made
    again = site.ask("PATCH", "/pages/main", {**BRAND, "slug": "first"}).get_json()
    assert {name: again[name] for name in BRAND} == BRAND
    cleared = {"locale": None, "logo": None, "colours": {}, "header": "", "footer": ""}
    answer = site.ask("PATCH", "/pages/acme", cleared)
    assert {name: answer.get_json()[name] for name in cleared} == cleared
    sent_back = {name: made[name] for name in [*BRAND, "slug"]}
    version = answer.get_json()["version"]
    assert site.ask("PATCH", "/pages/acme", sent_back).get_json()["version"] == version + 1
    assert site.ask("PATCH", "/pages/acme", sent_back).get_json()["version"] == version + 1


def test_without_any_setting_up(site: Site) -> None:
    """The default page is public and has no brand: no logo, no other stylesheet, the policy as it stands."""
    (page,) = site.ask("GET", "/pages").get_json()["items"]
    assert (page["visibility"], page["locale"], page["logo"], page["colours"]) == (
        "public",
        None,
        None,
        {},
    )
    answer = site.get("/")
    assert answer.headers["Content-Security-Policy"] == content_security_policy()
    assert "<img" not in answer.text
    assert answer.text.count('rel="stylesheet"') == 1
    assert "sp-brand" not in answer.text
    assert "X-Robots-Tag" not in answer.headers
    sheet = site.get("/theme.css")
    assert (sheet.status_code, sheet.data) == (200, b"")


def test_policy_for_a_logo_from_elsewhere(site: Site) -> None:
    """Images may come from the logo's origin on the page that has it, and from nowhere else on other pages."""
    site.made("/pages", slug="acme", **BRAND)
    wide = content_security_policy().replace(
        "img-src 'self'", "img-src 'self' https://cdn.acme.example:8443"
    )
    incident = site.made("/incidents", title="Fire", page="acme")
    for path in ("/acme/", "/acme/subscribe", f"/acme/incidents/{incident['id']}"):
        answer = site.get(path, headers=HTML)
        assert answer.headers["Content-Security-Policy"] == wide, path
        assert 'src="https://cdn.acme.example:8443/logo.svg?v=2"' in answer.text
    for path in ("/", "/subscribe", "/nowhere/", "/acme/confirm/x"):
        policy = site.get(path, headers=HTML).headers["Content-Security-Policy"]
        assert policy == content_security_policy(), path
    site.ask("PATCH", "/pages/acme", {"logo": "/static/logo.svg"})
    assert site.get("/acme/").headers["Content-Security-Policy"] == content_security_policy()


def test_every_page_shows_the_brand(site: Site) -> None:
    """Also those of the sign-up and of mailed links."""
    site.made("/pages", slug="acme", **BRAND)
    site.post("/acme/subscribe", json={"channel": "email", "address": "ann@example.com"})
    confirm = site.token(links.CONFIRM, site.rows(Subscription)[0])
    shown = [
        site.get("/acme/"),
        site.get("/acme/subscribe"),
        site.post("/acme/subscribe", data={"channel": "email", "address": "?"}, headers=HTML),
        site.post("/acme/subscribe", data={"channel": "email", "address": "b@c.de"}, headers=HTML),
        site.get(f"/acme/confirm/{confirm}"),
        site.post(f"/acme/confirm/{confirm}", follow_redirects=True),
    ]
    own = site.token(links.OWN, next(r for r in site.rows(Subscription) if "ann" in r.address))
    shown += [
        site.get(f"/acme/manage/{own}"),
        site.get(f"/acme/unsubscribe/{own}"),
        site.post(f"/acme/unsubscribe/{own}"),
    ]
    for answer in shown:
        assert answer.text.count('class="sp-logo"') == 1, answer.request.path
        assert 'href="/status/acme/theme.css"' in answer.text
        assert "0800 123 456" in answer.text
        assert "https://acme.example/imprint" in answer.text


def test_the_sheet_is_a_document(site: Site) -> None:
    """It is CSS, cacheable, conditional, changes with the colours, and is another one for each page."""
    site.made("/pages", slug="acme", **BRAND)
    sheet = site.get("/acme/theme.css")
    assert sheet.mimetype == "text/css"
    assert sheet.headers["X-Content-Type-Options"] == "nosniff"
    assert "max-age=" in sheet.headers["Cache-Control"]
    assert "--sp-primary: #7a1f5c;" in sheet.text
    etag = sheet.headers["ETag"]
    same = site.get("/acme/theme.css", headers={"If-None-Match": etag})
    assert (same.status_code, same.data) == (304, b"")
    assert site.client.head("/status/acme/theme.css").headers["ETag"] == etag
    site.ask("PATCH", "/pages/acme", {"colours": {"primary": "#00c"}})
    changed = site.get("/acme/theme.css", headers={"If-None-Match": etag})
    assert "--sp-primary: #0000cc;" in changed.text
    assert site.get("/theme.css").text == ""
    assert site.get("/nowhere/theme.css").status_code == 404


def test_inside_a_hosts_template(make_site: SiteMaker, tmp_path: Path) -> None:
    """A host's own page around ours keeps its head and logo; colours, header and footer are there."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "site.html").write_text(
        "<!doctype html><title>{% block title %}{% endblock %}</title>"
        "{% block head %}{% endblock %}<main>{% block content %}{% endblock %}</main>"
    )
    site = make_site(templates=tmp_path, STATUSPAGE_BASE_TEMPLATE="site.html")
    site.made("/pages", slug="acme", **BRAND)
    answer = site.get("/acme/")
    assert "<img" not in answer.text
    assert 'href="/status/acme/theme.css"' in answer.text
    assert "0800 123 456" in answer.text
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.fixture
def address(make_site: SiteMaker) -> Iterator[str]:
    """Where a site with a branded page answers a browser."""
    site = make_site(STATUSPAGE_PAGE_URL="http://localhost")
    site.app.add_url_rule(
        "/logo.svg", "logo", lambda: (LOGO, {"Content-Type": "image/svg+xml; charset=utf-8"})
    )
    site.made("/pages", slug="acme", **{**BRAND, "logo": "/logo.svg"})
    for name, status in (("Website", "operational"), ("Checkout", "partial_outage")):
        site.made("/components", name=name, status=status, page="acme")
    site.made(
        "/incidents",
        title="Payments are slow",
        body="We see **long waits**.",
        components=["checkout"],
        page="acme",
    )
    with serving(site.app) as url:
        yield f"{url}/status/acme/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_in_a_browser(browser: Browser, address: str, width: int, scheme: str) -> None:
    """The brand's colours count in their scheme, the logo is drawn in its height, nothing overflows or is refused."""
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of two literals
    )
    try:
        page = context.new_page()
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(address)
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"brand-{width}-{scheme}.png", full_page=True)
        logo = page.locator(".sp-logo")
        assert logo.evaluate("image => image.naturalWidth") > 0
        assert logo.bounding_box()["height"] == 36  # type: ignore[index]
        look = "(name) => getComputedStyle(document.querySelector('.sp')).getPropertyValue(name)"
        dark = scheme == "dark"
        assert page.evaluate(look, "--sp-bg") == ("#171015" if dark else "#fffaf5")
        assert page.evaluate(look, "--sp-link") == ("#f0a6d6" if dark else "#7a1f5c")
        assert page.evaluate(look, "--sp-text") == ("#e8ebee" if dark else "#2b1a26")
        assert page.evaluate(look, "--sp-primary") == "#7a1f5c"
        body = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert body == ("rgb(23, 16, 21)" if dark else "rgb(255, 250, 245)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        link = page.locator(".sp-brand-end a")
        colour = link.evaluate("element => getComputedStyle(element).color")
        assert contrast(_hex(colour), _hex(body)) >= 4.5
        page.goto(f"{address}subscribe")
        page.screenshot(path=PICTURES / f"brand-subscribe-{width}-{scheme}.png", full_page=True)
        button = page.locator(".sp-primary")
        background = "element => getComputedStyle(element).backgroundColor"
        assert button.evaluate(background) == "rgb(122, 31, 92)"
        assert troubles == []
    finally:
        context.close()


def _hex(colour: str) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])
