"""No template says anything that cannot be translated: its texts are read as a browser would read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from .conftest import PACKAGE

FOLDER = PACKAGE / "templates" / "statuspage"
TEMPLATES = sorted(path for path in FOLDER.glob("*.html"))

GAP = "\ufffc"
"""Stands for whatever a template puts in, so that the rest can be read as HTML."""

SAME_EVERYWHERE = {
    "API",
    "Atom",
    "CSV",
    "JSON",
    "OpenAPI 3.1",
    "RSS",
    "UTC",
    "iCalendar",
    "/",
    "/statuspage",
}
"""Names of formats and paths, which are the same in every language."""

SPOKEN = {"alt", "aria-description", "aria-label", "aria-roledescription", "aria-valuetext"}
SPOKEN |= {"label", "placeholder", "summary", "title"}
"""Attributes that people read or hear."""

UNSAID = {"code", "script", "style"}
"""What is written for machines is the same in every language."""

TYPED = ("description", "og:description", "og:title", "og:site_name")
"""Metadata that is shown by those who link to a page."""

WORDS = re.compile(r"[^\W\d_]")
SENTENCE = re.compile(r"[A-Z][a-z]|[a-z] +[a-z]")
"""What a string in an expression looks like that is for people; names of classes, fields and shapes do not."""


class Reader(HTMLParser):
    """Collects what people read in a template."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        values = {name.strip(GAP): value or "" for name, value in attrs}
        spoken = [value for name, value in values.items() if name in SPOKEN]
        if tag == "meta" and (values.get("name") or values.get("property")) in TYPED:
            spoken.append(values.get("content", ""))
        for value in spoken:
            self._read(value)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not UNSAID.intersection(self._inside[-1:]):
            self._read(data)

    def _read(self, text: str) -> None:
        for part in text.split(GAP):
            said = " ".join(part.split())
            if WORDS.search(said) and said not in SAME_EVERYWHERE:
                self.found.append(said)


def unmarked(source: str) -> list[str]:
    """The texts of a template that stand in it as they are, whatever language its reader has."""
    tree = Environment().parse(source)
    reader = Reader()
    reader.feed("".join(_pieces(tree)))
    reader.close()
    return reader.found + [text for text in _strings(tree) if text not in SAME_EVERYWHERE]


def _pieces(tree: nodes.Template) -> Iterator[str]:
    """The template's own text in order; the branches of a condition follow each other."""
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            yield node.data if isinstance(node, nodes.TemplateData) else GAP


def _strings(tree: nodes.Template) -> Iterator[str]:
    """What expressions print, or keep to print it, without asking anybody for its translation."""
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            yield from _printed(node)
    for kept in tree.find_all(nodes.Assign):
        yield from _printed(kept.node)


def _printed(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Const):
        if isinstance(node.value, str) and SENTENCE.search(node.value):
            yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _printed(node.expr1)
        if node.expr2 is not None:
            yield from _printed(node.expr2)
    elif isinstance(
        node, nodes.Concat | nodes.Or | nodes.And | nodes.Add | nodes.Filter | nodes.Mod
    ):
        for child in node.iter_child_nodes():
            yield from _printed(child)


def test_there_are_templates_to_read() -> None:
    """The list below is not empty by mistake."""
    assert {"home.html", "base.html", "subscribe.html"} <= {path.name for path in TEMPLATES}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_text_is_marked(path: Path) -> None:
    """Whatever a visitor reads or hears of a template goes through `t`, `tn`, `tp` or `say`."""
    assert unmarked(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Go home</p>", ["Go home"]),
        ("<p>{{ name }} is down</p>", ["is down"]),
        ("{% if x %}<p{% if y %} hidden{% endif %}>Go</p>{% endif %}", ["Go"]),
        ('<img alt="A cat">', ["A cat"]),
        ('<a aria-label="{{ x }} of it" href="/Some where">·</a>', ["of it"]),
        ('<meta name="description" content="About us">', ["About us"]),
        ('{{ "Add it" if x else "Subscribe" }}', ["Add it", "Subscribe"]),
        ('{% set title = "Go" ~ " home now" %}', ["Go", " home now"]),
        ("{% macro x() %}Go{% endmacro %}", ["Go"]),
        ('<p class="Some Class">{{ t("Go home") }} · {{ say(x) }} · <b>JSON</b></p>', []),
        ('{{ t("{a} b", a=x) }}<svg viewBox="0 0 2 2"><path d="M1 2Z"/></svg>', []),
        ("<style>p { color: Red }</style>{# Go home #}", []),
        ('<pre title="See it"><code>curl the &lt;page&gt;</code> home</pre>', ["See it", "home"]),
    ],
)
def test_the_reader_sees_what_people_see(source: str, found: list[str]) -> None:
    """Texts and spoken attributes are found wherever they stand; names, classes and comments are none."""
    assert unmarked(source) == found
