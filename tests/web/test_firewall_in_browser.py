"""Our pages inside a host whose stylesheet has rules for every element: neither changes the look of the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.servers.wsgi import serving
from tests.web.site import SiteMaker

PICTURES = Path(__file__).parent.parent / "artefacts"

RUDE = """
* { letter-spacing: .07em; text-shadow: 1px 1px red; margin: 3px; padding: 2px; line-height: 2.5; }
*::before, *::after { box-sizing: content-box; color: red; }
a[href]::after { content: " (link)"; }
li::before { content: "> "; }
body { font: italic small-caps 700 22px/2 serif; text-transform: uppercase; text-align: right; word-spacing: 9px;
  text-indent: 40px; white-space: pre; hyphens: auto; cursor: wait; color: #0a0; background: #ffe; quotes: "x" "y"; }
h1, h2, h3, h4, h5, h6 { color: #c0c; font: 900 40px monospace; border-bottom: 4px solid; text-transform: lowercase; }
p, div, section, article { margin: 25px; max-width: 300px; }
button, input, select, textarea { background: #000; color: #f00; border: 5px dashed; width: 100%; height: 80px; }
input[type="checkbox"], input[type="radio"] { appearance: none; width: 60px; transform: rotate(20deg); }
a { color: #f0f; text-decoration: line-through; display: block; }
a:hover, button:hover { opacity: .2; }
ul, ol, li { list-style: square inside; padding-left: 60px; display: block; }
table, th, td { border: 3px solid #f00; border-collapse: collapse; width: 100%; padding: 30px; }
details { border: 8px solid #0ff; } summary { background: #ff0; display: inline; float: right; }
dialog { display: block; background: #0f0; }
article, nav, header, footer, aside { background: #ccf; float: left; position: relative; z-index: 7; }
label, legend, fieldset, dl, dt, dd, time, strong, code, pre, hr {
  display: inline; color: #fa0; border: 1px solid; }
svg { max-width: 12px; vertical-align: top; } img { border-radius: 50%; filter: invert(1); }
"""

# So that what follows from the room that there is says nothing about rules.
FRAME = "body { margin: 0 !important; padding: 0 !important } main { margin: 0 !important; width: 900px !important }"

BASE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{% block title %}{% endblock %}</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/frame.css">
{% if not request.args.plain %}<link rel="stylesheet" href="/rude.css">{% endif %}
{% block head %}{% endblock %}</head><body>
<main>{% block content %}{% endblock %}</main>
<aside id="host"><h2>Acme</h2><p>Text <a href="#x">link</a> <strong>strong</strong> <code>code</code></p>
<ul><li>one</li></ul><table><tr><td>cell</td></tr></table>
<form><label>Name <input name="n"></label><select><option>one</option></select><button>Go</button></form>
<details><summary>More</summary>…</details></aside></body></html>"""

LOOKS = """(root) => {
  const skipped = /^(width|height|(inline|block)-size|(perspective|transform)-origin|top|right|bottom|left|inset)/;
  const looks = {};
  let at = 0;
  for (const element of document.querySelectorAll(root)) {
    const name = element.localName + "." + (element.getAttribute("class") || "") + "#" + at++;
    for (const pseudo of ["", "::before", "::after"]) {
      const style = getComputedStyle(element, pseudo);
      if (pseudo && style.content === "none") continue;
      const found = {};
      for (const property of style) {
        if (!skipped.test(property) && !property.startsWith("--")) found[property] = style.getPropertyValue(property);
      }
      looks[name + pseudo] = found;
    }
  }
  return looks;
}"""


@pytest.fixture
def address(make_site: SiteMaker, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "rude.html").write_text(BASE, encoding="utf-8")

    def host(app: Flask) -> None:
        app.add_url_rule("/rude.css", "rude", lambda: (RUDE, {"Content-Type": "text/css"}))
        app.add_url_rule("/frame.css", "frame", lambda: (FRAME, {"Content-Type": "text/css"}))
        app.add_url_rule(
            "/alone",
            "alone",
            lambda: app.jinja_env.get_template("rude.html").render(request={"args": {}}),
        )

    site = make_site(
        templates=tmp_path,
        STATUSPAGE_BASE_TEMPLATE="rude.html",
        STATUSPAGE_HEADING_LEVEL=2,
        host=host,
    )
    site.made("/component-groups", name="Core")
    site.made("/components", name="API", group="Core", status="partial_outage")
    site.made("/components", name="Web", description="The site")
    site.made("/incidents", title="Slow answers", components=["api"], body="We `look` at **it**.")
    with serving(site.app) as url:
        yield url


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    assert set(one) == set(other), set(one) ^ set(other)
    return [
        f"{name} {prop}: {value} → {other[name].get(prop)}"
        for name, looks in one.items()
        for prop, value in looks.items()
        if other[name].get(prop) != value
    ]


@pytest.mark.parametrize("path", ["/status/", "/status/subscribe", "/status/docs"])
def test_a_hosts_sheet_changes_nothing_of_ours(browser: Browser, address: str, path: str) -> None:
    """With a host's rules for every element our pages look as without them."""
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    try:
        page.goto(f"{address}{path}?plain=1")
        plain = page.evaluate(LOOKS, ".sp, .sp :not(svg, svg *)")
        page.goto(f"{address}{path}")
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"rude-host{path.replace('/', '-')}.png", full_page=True)
        rude = page.evaluate(LOOKS, ".sp, .sp :not(svg, svg *)")
        found = differences(plain, rude)
        assert len(plain) > 40
        assert found == [], f"{len(found)}: {found[:40]}"
    finally:
        page.close()


def test_our_sheet_changes_nothing_of_the_host(browser: Browser, address: str) -> None:
    """No element of the host looks otherwise beside one of our pages than without it."""
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    try:
        page.goto(f"{address}/alone")
        alone = page.evaluate(LOOKS, "#host, #host *, html, body, main")
        page.goto(f"{address}/status/")
        assert page.locator(".sp .sp-banner").count() == 1
        beside = page.evaluate(LOOKS, "#host, #host *, html, body, main")
        assert len(alone) > 15
        assert differences(alone, beside) == []
    finally:
        page.close()
