"""Templates are read without what only their authors need, and say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import FileSystemLoader

import flask_statuspage
from flask_statuspage.documents.template_files import tightened

from .site import Site, SiteMaker

TEMPLATES = Path(flask_statuspage.__file__).parent / "templates"
BLOCKS = "title|section|article|div|p|ul|ol|li|details|table|tbody|tr|td|th"
PATHS = ("/", "/history", "/subscribe", "/docs", "/components/shop", "/incidents/{incident}")


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("  <p>\n\t<b>x</b>\n", "<p>\n<b>x</b>\n"),
        ("{% if x %}\n  y\n  {% endif %}\nz\n", "{% if x -%}\ny\n{% endif -%}\nz\n"),
        ("{%- if x %}\ny\n{%- endif -%}\nz\n", "{%- if x -%}\ny\n{%- endif -%}\nz\n"),
        ("{# a note #}\nx\n", "{# a note -#}\nx\n"),
        ("{# a note\n   of two lines #}\nx\n", "{# a note\nof two lines -#}\nx\n"),
        ("a {% if x %}\nb{% endif %}\nc\n", "a {% if x %}\nb{% endif %}\nc\n"),
        ("{% if x %}<b>y</b>{% endif %}\nz\n", "{% if x %}<b>y</b>{% endif %}\nz\n"),
        ("{% if x %} {% endif %}\nz\n", "{% if x %} {% endif %}\nz\n"),
        ("{{ x }}\n  {{ y }}\n", "{{ x }}\n{{ y }}\n"),
    ],
)
def test_margins_and_lines_of_statements_go(source: str, read: str) -> None:
    """Blanks at the beginning of a line go, and the end of a line that holds a statement only; no line is lost."""
    assert tightened(source) == read
    assert read.count("\n") == source.count("\n")


def test_pages_say_the_same(make_site: SiteMaker) -> None:
    """But for how much space there is in a place, a page is what its templates say, and shorter."""
    tight, loose = _pages(make_site()), _pages(_with_plain_templates(make_site()))
    assert [_spaced(page) for page in tight] == [_spaced(page) for page in loose]
    assert sum(map(len, tight)) < 0.97 * sum(map(len, loose))


def _with_plain_templates(site: Site) -> Site:
    site.statuspage.jinja_loader = FileSystemLoader(TEMPLATES)
    return site


def _pages(site: Site) -> list[str]:
    group = site.made("/component-groups", name="Website")
    site.made("/components", name="Shop", slug="shop", group=group["id"])
    site.made("/components", name="Mail", slug="mail")
    event = {"title": "Cards fail", "impact": "major", "body": "We look\n\n    at it"}
    incident = site.made("/incidents", components={"shop": "major_outage"}, **event)
    site.made(f"/incidents/{incident['id']}/updates", status="identified", body="It is *that*.")
    answers = [site.get(path.format(incident=incident["id"])) for path in PATHS]
    assert [answer.status_code for answer in answers] == [200] * len(PATHS)
    return [answer.text for answer in answers]


def _spaced(page: str) -> str:
    """Without ids, times and space that shows nowhere: beyond one blank, and any around what is a block."""
    page = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|v=\w+|csrf_token\" value=\"[^\"]*", "", page)
    page = re.sub(r"\s+", " ", re.sub(r"\d+", "0", page)).strip()
    return re.sub(rf" ?(</?(?:{BLOCKS})\b[^>]*>) ?", r"\1", page)
