"""Monitors that refer to each other and to templates, in a document in whatever order."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from flask_statuspage.errors import Invalid
from flask_statuspage.services import monitors
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.templates import Template

from .configurations import PAGE, changes, dumped, everything

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def entry(slug: str, *more: str) -> str:
    lines = [f"slug = '{slug}'", f"name = '{slug}'", "target = 'https://www.example.com/'", *more]
    return "\n".join(["[[pages.monitors]]", *lines, ""])


TEMPLATE = "[[pages.templates]]\nkind = 'incident'\nname = 'Down'\ntitle = 'Down'\n"


def test_parents_and_templates_come_first(session: Session, page: Page) -> None:
    """What is named further below is there by the time it is needed; what is dumped is applied without a change."""
    text = PAGE + entry("leaf", "depends_on = 'stem'", "template = 'Down'")
    text += entry("stem", "depends_on = 'root'") + entry("root") + TEMPLATE
    assert changes(session, text) == [
        *("create template main/incident/Down", "create monitor main/root"),
        *("create monitor main/stem", "create monitor main/leaf"),
    ]
    rows = {slug: monitors.get(session, page, slug) for slug in ("leaf", "stem", "root")}
    assert rows["leaf"].depends_on_id == rows["stem"].id
    assert rows["stem"].depends_on_id == rows["root"].id
    template = session.get(Template, rows["leaf"].template_id)
    assert template is not None
    assert template.name == "Down"
    before = everything(session)
    assert changes(session, dumped(session), prune=True) == []
    assert everything(session) == before


def test_parents_can_change_places(session: Session, page: Page) -> None:
    """A chain is turned around in one document."""
    changes(session, PAGE + entry("a", "depends_on = 'b'") + entry("b"))
    turned = PAGE + entry("a", "depends_on = ''") + entry("b", "depends_on = 'a'")
    assert changes(session, turned) == ["change monitor main/a", "change monitor main/b"]


def test_a_circle_is_refused_where_it_stands(session: Session, page: Page) -> None:
    """With the place of the monitor in the document."""
    changes(session, PAGE + entry("a") + entry("b"))
    circle = PAGE + entry("a", "depends_on = 'b'") + entry("b", "depends_on = 'a'")
    with pytest.raises(Invalid, match=r"^pages\[0\]\.monitors\[\d\]\.depends_on: It would depend"):
        changes(session, circle)
    session.rollback()
    made = PAGE + entry("c", "depends_on = 'd'") + entry("d", "depends_on = 'c'")
    with pytest.raises(Invalid, match=r"monitors\[\d\]\.depends_on: There is no monitor"):
        changes(session, made)


def test_what_a_monitor_names_is_not_pruned(session: Session, page: Page) -> None:
    """Its parent and its template stay, though the document says nothing else of them."""
    changes(
        session, PAGE + entry("a", "depends_on = 'b'", "template = 'Down'") + entry("b") + TEMPLATE
    )
    text = PAGE + entry("a", "depends_on = 'b'", "template = 'Down'")
    assert changes(session, text, prune=True) == []
    assert changes(session, PAGE + entry("a"), prune=True) == [
        "remove template main/incident/Down",
        "remove monitor main/b",
    ]
    assert monitors.get(session, page, "a").depends_on_id is None


def test_a_chain_may_be_long(session: Session, page: Page) -> None:
    """A document with more monitors one below another than Python would go down is put in order all the same."""
    size = 1200
    links = (entry(f"m{n}", f"depends_on = 'm{(n + 1) % size}'") for n in range(size))
    with pytest.raises(Invalid, match=r"monitors\[\d+\]\.depends_on: There is no monitor"):
        changes(session, PAGE + "".join(links))
