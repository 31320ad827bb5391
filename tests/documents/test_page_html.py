"""The pages: valid, safe, complete, and the same inside a host's own base template."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from jinja2 import DictLoader

from flask_statuspage.config import Settings
from flask_statuspage.documents import page, sign_up
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.errors import FieldError
from flask_statuspage.state import EXTENSION, State

from .conftest import (
    FRAME,
    PACKAGE,
    ago,
    component_state,
    group_fact,
    incident_fact,
    make_app,
    page_fact,
    snapshot_of,
    update_fact,
)
from .pages import (
    busy_snapshot,
    by_class,
    every_fragment,
    every_page,
    one,
    parsed,
    parsed_fragment,
    text_of,
)

pytestmark = pytest.mark.usefixtures("app")

HOSTILE = """<img src=x onerror=alert(1)>'"><script>alert(2)</script>{{ 7 * 7 }}"""
HEADINGS = {f"h{level}": level for level in range(1, 7)}

HOST_BASE = """<!doctype html>
<html lang="de"><head><title>{% block title %}{% endblock %}</title>
<link rel="stylesheet" href="/host.css">
{% block head %}<meta name="host" content="kept">{% endblock %}
</head><body><h1>Portal</h1><main>{% block content %}{% endblock %}</main></body></html>"""


def trees() -> dict[str, Element]:
    """Every page and fragment as a tree."""
    whole = {name: parsed(html) for name, html in every_page().items()}
    return whole | {name: parsed_fragment(html) for name, html in every_fragment().items()}


def attributes(tree: Element) -> list[tuple[str, str]]:
    return [item for element in tree.iter() for item in element.attrib.items()]


def test_every_template_is_rendered_here(app: Flask) -> None:
    """A template that is added without a test of its HTML is noticed."""
    folder = PACKAGE / "templates"
    there = {f"statuspage/{path.name}" for path in (folder / "statuspage").glob("*.html")}
    every_page()
    every_fragment()
    app.jinja_loader = DictLoader({"host.html": HOST_BASE})  # type: ignore[misc]
    app.extensions[EXTENSION] = State(settings=Settings(base_template="host.html"))
    every_page()
    assert app.jinja_env.cache is not None
    assert there <= {name for _, name in app.jinja_env.cache}


def test_ids_are_unique_and_references_lead_somewhere() -> None:
    """No id is given twice; every label, description and inner link has its target."""
    for name, tree in trees().items():
        ids = [value for key, value in attributes(tree) if key == "id"]
        assert len(ids) == len(set(ids)), name
        wanted: set[str] = set()
        for key, value in attributes(tree):
            if key in ("for", "aria-labelledby", "aria-describedby"):
                wanted |= set(value.split())
            if key == "href" and value.startswith("#"):
                wanted.add(value[1:])
        assert wanted <= set(ids), name


def test_headings_descend_by_one_below_a_single_h1() -> None:
    """One h1 to a page and no level left out; an error summary may stand above the h1."""
    for name, html in every_page().items():
        tree = parsed(html)
        levels = [HEADINGS[e.tag] for e in tree.iter() if e.tag in HEADINGS]
        assert levels.count(1) == 1, name
        steps = pairwise(levels)
        assert all(after <= before + 1 for before, after in steps), (name, levels)


def test_nothing_inline_and_nothing_from_elsewhere() -> None:
    """The strict content security policy holds: no style, script, handler or foreign address."""
    for name, tree in trees().items():
        assert {"style", "iframe"}.isdisjoint({e.tag for e in tree.iter()}), name
        assert all(is_ours(script) for script in tree.iter("script")), name
        assert foreign_images(name, tree) == []
        canonical = [e.get("href") for e in tree.iter("link") if e.get("rel") == "canonical"]
        for key, value in attributes(tree):
            assert key != "style", name
            assert not key.startswith("on"), name
            if key in ("href", "src", "action"):
                assert value in canonical or value.startswith(("/status/", "/", "#")), (name, value)


def is_ours(script: Element) -> bool:
    """Whether it is the file that all pages have, and nothing besides."""
    return script.get("src") == "/status/static/statuspage.js" and not script.text


def foreign_images(name: str, tree: Element) -> list[str | None]:
    """The sources of images that are not our badges where those are shown."""
    sources = [image.get("src") for image in tree.iter("img")]
    return [
        s
        for s in sources
        if name not in ("docs", "component") or not re.match("/status/(badge|component_)", s or "")
    ]


def test_every_form_control_has_a_name_for_people() -> None:
    """Each visible input is labelled, each group of choices has a legend."""
    for name, tree in trees().items():
        labelled = {e.get("for") for e in tree.iter("label")}
        inside = {id(e) for label in tree.iter("label") for e in label.iter("input")}
        for field in tree.iter("input"):
            if field.get("type") != "hidden":
                assert id(field) in inside or field.get("id") in labelled, name
        for fieldset in tree.iter("fieldset"):
            assert text_of(next(fieldset.iter("legend"))), name


def test_what_people_typed_stays_text() -> None:
    """Markup in any text, address, token or message is shown as it was typed and does nothing."""
    pages = {name: parsed(html) for name, html in every_page(HOSTILE).items()}
    pages |= {name: parsed_fragment(html) for name, html in every_fragment(HOSTILE).items()}
    for name, tree in pages.items():
        assert all(is_ours(script) for script in tree.iter("script")), name
        assert foreign_images(name, tree) == []
        assert not [key for key, _ in attributes(tree) if key.startswith("on")], name
        values = [value for _, value in attributes(tree)]
        shown = " ".join([text_of(tree), *values])
        assert HOSTILE in shown, name
        assert "49" not in shown, name


@pytest.mark.parametrize(
    "words",
    [
        *("Acme", "Group", "About the group", "Checkout", "About the service"),
        *("Payments fail", "Second body", "First body", "Late mails"),
    ],
)
def test_home_shows_all_texts_as_typed(words: str) -> None:
    """Every text of a page reaches its reader, with its special characters."""
    assert f"{words} {HOSTILE}" in text_of(parsed(every_page(HOSTILE)["home"]))


def test_bodies_are_markdown() -> None:
    """The body of an update is rendered, and its dangerous links are not."""
    body = "It is **slow**, see [x](javascript:alert(1)) and [y](https://example.com/y)."
    fact = incident_fact(1, "Slow", updates=(update_fact(1, "investigating", body, ago()),))
    tree = parsed(page.incident(snapshot_of(incidents=(fact,)), fact, FRAME))
    prose = one(tree, "sp-prose")
    assert [e.text for e in prose.iter("strong")] == ["slow"]
    assert [e.get("href") for e in prose.iter("a")] == ["https://example.com/y"]


def test_times_are_printed_in_the_zone_of_the_page() -> None:
    """A time is readable by machines in UTC and by people in the page's zone, which is named."""
    state = component_state(1, "Website")
    snapshot = snapshot_of(state, page=page_fact(time_zone="Europe/Berlin"))
    tree = parsed(page.home(snapshot, FRAME))
    checked = next(one(tree, "sp-banner").iter("time"))
    assert checked.get("datetime") == "2026-02-19T17:30:00+00:00"
    assert checked.text == "19 Feb 2026, 18:30 CET"
    assert "Times are in Europe/Berlin." in text_of(tree)
    assert "Days begin and end by the clock of Europe/Berlin." in text_of(tree)


def test_stale_note() -> None:
    """A page that could not be renewed says so, and since when; a fresh one does not."""
    snapshot = snapshot_of(component_state(1, "Website"))
    stale = text_of(parsed(page.home(snapshot, replace(FRAME, stale_since=ago(minutes=9)))))
    note = "This page may be out of date. It shows what was known at 19 Feb 2026, 17:21 UTC."
    assert note in stale
    fresh = text_of(parsed(page.home(snapshot, FRAME)))
    assert "out of date" not in fresh


def test_measurements() -> None:
    """What was not measured is not mentioned."""
    states = (
        component_state(1, "A", response_ms=12),
        component_state(2, "B", response_ms=None),
        component_state(3, "C", measured=False),
    )
    tree = parsed(page.home(snapshot_of(*states), FRAME))
    lines = [text_of(line) for line in by_class(tree, "sp-measured")]
    assert lines == ["Response in 12 ms"]


def test_uptime_that_is_not_shown() -> None:
    """A component that is not for show has no uptime on the page, only what else was measured."""
    state = component_state(1, "A", uptime_percent=99.5, response_ms=12, showcase=False)
    tree = parsed(page.home(snapshot_of(state), FRAME))
    assert [text_of(line) for line in by_class(tree, "sp-measured")] == ["Response in 12 ms"]
    assert list(by_class(tree, "sp-uptime")) == []


def test_empty_page() -> None:
    """A page without services says so, leaves out active incidents and keeps the days."""
    text = text_of(parsed(page.home(snapshot_of(), FRAME)))
    assert "No services have been added yet." in text
    assert "Active incidents" not in text
    assert text.count("No incidents reported.") == 14


def test_groups_that_are_fine_are_folded_when_there_are_many() -> None:
    """From three groups on, only those with something wrong are open."""
    groups = tuple(group_fact(number, f"Group {number}") for number in (1, 2, 3))
    states = [component_state(g.position, f"Service {g.position}", group=g) for g in groups]
    states[1] = component_state(2, "Service 2", ComponentStatus.MAJOR_OUTAGE, group=groups[1])
    many = parsed(page.home(snapshot_of(*states, groups=groups), FRAME))
    folded = [(text_of(summary), summary.get("aria-label")) for summary in many.iter("summary")]
    assert folded[:-1] == [
        ("1 service", "1 service in Group 1"),
        ("1 service", "1 service in Group 3"),
    ]
    alone = component_state(9, "Alone")
    few = parsed(page.home(snapshot_of(alone, *states[:2], groups=groups[:2]), FRAME))
    assert [text_of(summary) for summary in few.iter("summary")] == ["How uptime is calculated"]


def test_incident_page_tells_the_course() -> None:
    """Updates stand newest first with an address each and the changes they brought."""
    snapshot = busy_snapshot()
    tree = parsed(page.incident(snapshot, snapshot.incidents[0], FRAME))
    timeline = one(tree, "sp-timeline")
    items = timeline.findall("li")
    assert [text_of(next(item.iter("h3"))) for item in items] == ["Identified", "Investigating"]
    assert [item.get("id") for item in items] == [
        f"u{update.id}" for update in snapshot.incidents[0].updates
    ]
    assert text_of(next(items[0].iter("ul"))) == "Checkout: Operational → Major outage"
    facts = {text_of(d.find("dt")): text_of(d.find("dd")) for d in one(tree, "sp-facts")}  # type: ignore[arg-type]
    assert facts["Duration so far"] == "5 min"
    over = parsed(page.incident(snapshot, snapshot.incidents[1], FRAME))
    facts = {text_of(d.find("dt")): text_of(d.find("dd")) for d in one(over, "sp-facts")}  # type: ignore[arg-type]
    assert facts["Duration"] == "42 min"


def test_maintenance_page_without_updates() -> None:
    """As an incident's, it says that there are none instead of showing an empty list."""
    snapshot = busy_snapshot()
    told = {bool(fact.updates): fact for fact in snapshot.maintenances}
    bare = parsed(page.maintenance(snapshot, told[False], FRAME))
    assert text_of(one(bare, "sp-empty")) == "No update has been written yet."
    assert list(by_class(bare, "sp-updates")) == []
    full = parsed(page.maintenance(snapshot, told[True], FRAME))
    assert len(one(full, "sp-updates").findall("li")) == len(told[True].updates)
    assert list(by_class(full, "sp-empty")) == []


def test_host_base_template(tmp_path: Path) -> None:
    """In a host's base the content is complete and styled, and its own head and h1 stay alone."""
    (tmp_path / "portal.html").write_text(HOST_BASE)
    app = make_app(tmp_path, base_template="portal.html", heading_level=2)
    own = every_page()
    with app.test_request_context():
        for name, html in every_page().items():
            if name == "widget":  # stands in a frame, and in no base
                continue
            tree = parsed(html)
            sheets = [e.get("href") for e in tree.iter("link") if e.get("rel") == "stylesheet"]
            assert sheets == ["/host.css", "/status/static/statuspage.css"], name
            assert next(tree.iter("meta")).get("name") == "host", name
            assert [text_of(e) for e in tree.iter("h1")] == ["Portal"], name
            assert len(list(tree.iter("h2"))) >= 1, name
            assert len(list(tree.iter("main"))) == 1, name
            assert text_of(one(tree, "sp-content")) == text_of(
                one(parsed(own[name]), "sp-content")
            ), name


def test_host_overrides_a_template(tmp_path: Path) -> None:
    """A file of the same name in the host's own folder wins."""
    folder = tmp_path / "statuspage"
    folder.mkdir()
    (folder / "error.html").write_text("Ours: {{ title }} | {{ page.name }} | {{ urls('home') }}")
    with make_app(tmp_path).test_request_context():
        shown = page.error(page_fact(), FRAME, title="Gone", message="It is gone")
    assert shown == "Ours: Gone | FacioTech Status | /status/home"


def test_error_without_a_page() -> None:
    """Where there is no page at all, an error still is one with a way on."""
    tree = parsed(page.error(None, FRAME, title="Nothing here", message="There is no such page."))
    assert text_of(next(tree.iter("title"))) == "Nothing here"
    assert one(tree, "sp-button").get("href") == "/status/home"


def test_form_problems_are_listed_marked_and_kept() -> None:
    """Each wrong field is in the summary with a link, marked in place, and keeps its value."""
    html = sign_up.subscribe_form(
        page_fact(),
        FRAME,
        components=[],
        values={"address": "ada@", "secret": "s3cret"},
        form_errors=[FieldError("address", "Enter an address"), FieldError("x", "Too many")],
    )
    tree = parsed(html)
    assert text_of(next(tree.iter("title"))).startswith("Error: Get status updates")
    summary = one(tree, "sp-problems")
    assert [e.get("role") for e in summary] == ["alert"]
    assert [(e.get("href"), e.text) for e in summary.iter("a")] == [
        ("#sp-email-address", "Enter an address")
    ]
    assert "Too many" in text_of(summary)
    field = next(e for e in tree.iter("input") if e.get("id") == "sp-email-address")
    assert field.get("value") == "ada@"
    assert field.get("aria-invalid") == "true"
    assert "sp-email-address-problem" in (field.get("aria-describedby") or "")
    assert "s3cret" not in html


def test_form_offers_only_the_channels_there_are() -> None:
    """One channel needs no choice and asks for just that; without any the page says so."""
    email = parsed(
        sign_up.subscribe_form(page_fact(), FRAME, components=[], known_email="a@b.example")
    )
    fields = {e.get("name"): e for e in email.iter("input")}
    assert (fields["channel"].get("type"), fields["channel"].get("value")) == ("hidden", "email")
    address = fields["email_address"]
    assert (address.get("type"), address.get("value")) == ("email", "a@b.example")
    assert "secret" not in fields
    none = parsed(sign_up.subscribe_form(page_fact(), FRAME, components=[], channels=()))
    assert list(none.iter("form")) == []
    assert "not available" in text_of(none)


def test_choices_are_kept() -> None:
    """What was chosen before is checked again, in the sign-up and in the later choice."""
    pages = every_page()
    checked = {
        name: [e.get("value") for e in parsed(pages[name]).iter("input") if "checked" in e.attrib]
        for name in ("subscribe", "manage")
    }
    assert checked["subscribe"] == ["email", "some", "service-1", "usual"]
    assert checked["manage"] == ["some", "service-2", "some", "incident.created"]


@pytest.mark.parametrize("name", ["subscribe", "confirm", "manage", "unsubscribe"])
def test_only_buttons_act(name: str) -> None:
    """Every action is a form that posts with the token it was given."""
    for form in parsed(every_page()[name]).iter("form"):
        assert form.get("method") == "post"
        tokens = [e.get("value") for e in form.iter("input") if e.get("name") == "csrf_token"]
        assert tokens == ["csrf"]
        assert [e.get("type") for e in form.iter("button")] == ["submit"]


def test_without_a_csrf_token_no_field_is_sent() -> None:
    """A host without CSRF protection gets no empty token."""
    html = sign_up.unsubscribe(page_fact(), FRAME, token="t", address="a@b.example")
    assert "csrf_token" not in html


def test_done_page_does_not_tell_who_is_subscribed() -> None:
    """The answer to a sign-up holds no address, so it is the same for a known and a new one."""
    text = text_of(
        parsed(sign_up.subscribe_done(page_fact(), FRAME, channel="email", is_asked=True))
    )
    assert "If this address is not subscribed yet" in text
    assert "approved" in sign_up.subscribe_done(
        page_fact(), FRAME, channel="webhook", is_asked=False, needs_approval=True
    )
