"""The brand of a page: its stylesheet, logo, header and footer, whatever stands in them."""

from __future__ import annotations

import re

import pytest

from flask_statuspage.documents import page, sign_up, theme
from flask_statuspage.domain.colours import DARK, DARK_PREFIX, LIGHT

from .conftest import FRAME, PACKAGE, page_fact, snapshot_of
from .pages import by_class, every_page, parsed, text_of

pytestmark = pytest.mark.usefixtures("app")

HOSTILE = """<img src=x onerror=alert(1)>'"><script>alert(2)</script>{{ 7 * 7 }}"""


def css(**colours: str) -> str:
    given = tuple((name.replace("_", "-"), colour) for name, colour in colours.items())
    return theme.stylesheet(snapshot_of(page=page_fact(colours=given))).decode()


def test_no_colours_no_rules() -> None:
    """A page without colours has an empty sheet, and no page of it links to one."""
    assert css() == ""
    for name, html in every_page().items():
        assert "/status/theme" not in html, name


def test_each_token_in_its_scheme() -> None:
    """Light tokens stand in the rule for all schemes, dark ones in both rules for dark, all in the tokens' layer."""
    sheet = css(primary="#7a1f5c", dark_link="#ffd0f0")
    layer = re.fullmatch(r"@layer flask-statuspage-tokens \{\n(.*)\}\n", sheet, re.DOTALL)
    assert layer
    assert layer[1].startswith(
        ".sp { --sp-primary: #7a1f5c; }\n@media (prefers-color-scheme: dark)"
    )
    assert layer[1].count("--sp-link: #ffd0f0;") == 2
    assert "dark-" not in re.sub(r"flask-statuspage-tokens", "", sheet)


def test_rules_are_those_of_the_stylesheet() -> None:
    """The selectors of the tokens are the stylesheet's own, so that order alone decides which value counts."""
    own = (PACKAGE / "static/statuspage.css").read_text()
    assert f"@layer {theme.LAYER} {{" in own
    sheet = css(primary="#7a1f5c", dark_primary="#7a1f5c")
    selectors = re.findall(r"^(\.sp.*?) \{", sheet, re.MULTILINE)
    assert len(selectors) == 3
    for selector in selectors:
        assert f"{selector} {{" in own


def test_the_body_around() -> None:
    """The page's ground colours the body as well, in its own scheme."""
    sheet = css(bg="#fffaf0", dark_bg="#000000")
    assert "(prefers-color-scheme: light) {\nbody.sp-body { background: #fffaf0; }" in sheet
    assert "(prefers-color-scheme: dark) {\nbody.sp-body { background: #000000; }" in sheet


@pytest.mark.parametrize(
    "value",
    [
        "red",
        "#fff;} body { display: none }",
        "url(https://evil.example/)",
        "#fff}",
        "</style>",
        "",
        "#fff\n}",
        "expression(1)",
        "var(--x)",
        "#12345",
        "#ffffff\\",
    ],
)
def test_hostile_values(value: str) -> None:
    """What is no colour and what is no token does not get into the sheet, however it got into the database."""
    assert css(primary=value) == ""
    assert css(**{"bg} body{x": "#fff", value or "empty": "#fff"}) == ""
    assert "evil" not in css(primary="#7a1f5c", link=value)


def test_every_token_is_one_of_the_stylesheet() -> None:
    """Setting all of them writes each of them once for each scheme."""
    own = (PACKAGE / "static/statuspage.css").read_text()
    every = {**LIGHT, **{DARK_PREFIX + name: colour for name, colour in DARK.items()}}
    sheet = theme.stylesheet(snapshot_of(page=page_fact(colours=tuple(every.items())))).decode()
    for name in LIGHT:
        assert f"--sp-{name}: " in own
        assert sheet.count(f"--sp-{name}: ") == 3


def test_brand_on_a_page() -> None:
    """Logo with the page's name, header above and footer below the content, the sheet after our own."""
    fact = page_fact(
        logo="/static/logo.svg",
        colours=(("primary", "#7a1f5c"),),
        header="Call **0800 1**.",
        footer="[Imprint](https://acme.example/imprint)",
        locale="de-AT",
    )
    snapshot = snapshot_of(page=fact)
    for html in (
        page.home(snapshot, FRAME),
        sign_up.unsubscribed(fact, FRAME, address="ada@example.com"),
        sign_up.subscribe_form(fact, FRAME, components=[]),
    ):
        tree = parsed(html)
        [logo] = by_class(tree, "sp-logo")
        assert (logo.get("src"), logo.get("alt")) == ("/static/logo.svg", "FacioTech Status")
        assert logo.get("loading") is None
        above, below = by_class(tree, "sp-brand")
        assert text_of(above) == "Call 0800 1."
        assert text_of(below) == "Imprint"
        assert above.get("lang") == below.get("lang") == "de-AT"
        assert html.index("0800") < html.index("<h1") < html.index("Imprint")
        sheets = re.findall(r'rel="stylesheet" href="([^"]+)"', html)
        assert sheets == ["/status/static/statuspage.css", "/status/theme"]
        assert '<html lang="en" dir="ltr">' in html


def test_hostile_brand() -> None:
    """Header, footer, logo and locale are text and attributes, never markup."""
    fact = page_fact(
        name=HOSTILE, logo=f"/x{HOSTILE}", header=HOSTILE, footer=HOSTILE, locale=HOSTILE
    )
    fact_links = page_fact(header="[x](javascript:alert(1)) ![x](https://evil.example/x.png)")
    for html in (page.home(snapshot_of(page=f), FRAME) for f in (fact, fact_links)):
        tree = parsed(html)
        scripts = [(e.get("src"), e.text) for e in tree.iter("script")]
        assert scripts == [("/status/static/statuspage.js", None)]
        images = [e for e in tree.iter("img")]
        assert all(e.get("class") == "sp-logo" for e in images)
        assert not any(name.startswith("on") for e in tree.iter() for name in e.attrib)
        assert not any((e.get("href") or "").startswith("javascript") for e in tree.iter("a"))
        assert "49" not in text_of(tree)
