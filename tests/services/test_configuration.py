"""Configuration as code: what is dumped can be applied, to the same site or an empty one, and then nothing differs."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.config import Settings
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.errors import Conflict, Invalid
from flask_statuspage.probing import probes
from flask_statuspage.probing.http import HttpProbe
from flask_statuspage.services import components, configuration, groups, pages
from flask_statuspage.services.configuration.order import positions
from flask_statuspage.storage.components import ComponentGroup, of_page
from flask_statuspage.storage.pages import Page, default_page
from flask_statuspage.storage.team import AuditEntry
from tests.apps import empty

from .configurations import PAGE, RICH, changes, documents, dumped, everything, kept, said
from .scenes import at_once, component, elsewhere, monitor

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SERVERS = pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)


def start_over(app: Flask, session: Session) -> None:
    session.rollback()
    session.expunge_all()
    empty(app)


def order(session: Session, page: Page) -> list[str]:
    return [row.slug for row in session.scalars(of_page(page.id))]


def test_a_rich_document_comes_back_as_it_went_in(app: Flask, session: Session) -> None:
    """Whatever the document gives is dumped, and the dump makes the same of an empty database, to the letter."""
    assert len(changes(session, RICH)) == 11
    text = dumped(session)
    wanted, there = said(configuration.read(RICH)), said(configuration.read(text))
    assert wanted.keys() == there.keys()
    for name, entry in wanted.items():
        assert {key: there[name].get(key) for key in entry} == kept(entry, there[name])
    start_over(app, session)
    assert "Anfang" not in dumped(session)
    changes(session, text)
    assert dumped(session) == text


def test_what_is_as_the_document_says_is_left_alone(app: Flask, session: Session) -> None:
    """Applying again, or applying the dump, touches no row of any table: no version, no audit entry, no event."""
    changes(session, RICH)
    before = everything(session)
    for text in (RICH, dumped(session)):
        for prune in (False, True):
            assert changes(session, text, prune=prune) == []
            assert everything(session) == before


@SQLITE
def test_another_spelling_of_the_same_is_no_change(session: Session) -> None:
    """What a service spells otherwise, or completes, is compared as it is kept."""
    text = (
        PAGE
        + r"""
header = "  Hello\n"

[[pages.monitors]]
slug = "m"
name = "M"
target = " https://www.example.com/ "
options = { expected_status = 200 }
"""
    )
    assert changes(session, text) == ["change page main", "create monitor main/m"]
    before = everything(session)
    assert changes(session, text) == []
    assert everything(session) == before


@SQLITE
def test_left_out_is_left_alone_and_empty_is_taken_away(session: Session, page: Page) -> None:
    """A key that is not there changes nothing; an empty text takes an optional value away, whatever its type."""
    core = groups.create(session, page, name="Core")
    row = component(session, page, group_id=core.id, description="Old")
    watch = monitor(session, page, component="api", degraded_over_ms=500, interval=30)
    text = (
        PAGE
        + """
[[pages.components]]
slug = "api"
description = "New"
start_date = 2020-01-01
[[pages.monitors]]
slug = "m"
timeout = 3
"""
    )
    assert changes(session, text) == ["change component main/api", "change monitor main/m"]
    assert (row.description, row.group_id, watch.timeout) == ("New", core.id, 3)
    assert (watch.component_id, watch.degraded_over_ms, watch.interval) == (row.id, 500, 30)
    text = (
        PAGE
        + """
name = ""
[[pages.components]]
slug = "api"
group = ""
description = ""
start_date = ""
[[pages.monitors]]
slug = "m"
component = ""
degraded_over_ms = ""
"""
    )
    assert changes(session, text) == ["change component main/api", "change monitor main/m"]
    assert (row.description, row.group_id, row.start_date) == ("", None, None)
    assert (watch.component_id, watch.degraded_over_ms) == (None, None)


@SQLITE
def test_a_change_tells_what_it_changes(session: Session, page: Page) -> None:
    """Before and after hold only what differs; of what is made or removed, all. The audit names who did it."""
    row = component(session, page, description="Old")
    watch = monitor(session, page)
    text = (
        PAGE
        + """
[[pages.groups]]
name = "Core"
[[pages.components]]
slug = "api"
name = "API"
description = "New"
"""
    )
    document = configuration.read(text)
    made, changed, removed = configuration.apply(session, document, prune=True, actor="Ann")
    assert made.after == {"name": "Core", "description": "", "position": 1}
    assert (changed.before, changed.after) == ({"description": "Old"}, {"description": "New"})
    assert removed.before is not None
    assert removed.before["target"] == "http://127.0.0.1:9/"
    assert (made.before, removed.after) == (None, None)
    query = select(AuditEntry.action, AuditEntry.subject_id).where(AuditEntry.actor == "Ann")
    entries = {tuple(entry) for entry in session.execute(query)}
    assert {("change", row.id), ("delete", watch.id)} < entries
    assert len(entries) == 3


def test_a_dry_run_tells_the_same_and_writes_nothing(app: Flask, session: Session) -> None:
    """It goes all the way, and takes it back; what the host had begun goes on."""
    changes(session, RICH)
    before = everything(session)
    text = (
        PAGE
        + """
[[pages.components]]
slug = "new"
name = "New"
[[pages.components]]
slug = "web"
name = "Other"
"""
    )
    default_page(session).url = "https://host.example.com"
    document = configuration.read(text)
    planned = configuration.apply(session, document, prune=True, dry_run=True)
    session.commit()
    assert default_page(session).url == "https://host.example.com"
    default_page(session).url = "https://status.example.com"
    session.commit()
    assert everything(session) == before
    assert configuration.apply(session, document, prune=True) == planned
    assert len(planned) == 11


def test_a_refused_document_leaves_nothing(app: Flask, session: Session) -> None:
    """What stands before the mistake is taken back, and the host's transaction can go on."""
    before = everything(session)
    text = (
        RICH
        + """
[[pages.monitors]]
slug = "late"
name = "Late"
target = "https://www.example.com/"
interval = 0
"""
    )
    default_page(session).name = "The host's own"
    with pytest.raises(Invalid, match=r"^pages\[1\]\.monitors\[0\]\.interval: Must be from 1 "):
        configuration.apply(session, configuration.read(text))
    session.commit()
    assert default_page(session).name == "The host's own"
    default_page(session).name = None
    session.commit()
    assert everything(session) == before


def test_prune_removes_what_is_not_named(app: Flask, session: Session, page: Page) -> None:
    """Monitors before what they watch; components keep their history; of pages only those that are empty."""
    changes(session, RICH)
    api = components.get(session, page, "api")
    components.set_status(session, page, api, ComponentStatus.MAJOR_OUTAGE, actor=None)
    session.commit()
    text = (
        PAGE
        + """
[[pages.components]]
slug = "web"
group = "Anfang"
[[pages.monitors]]
slug = "measure"
component = "alone"
"""
    )
    assert changes(session, text) == ["change monitor main/measure"]
    assert changes(session, text, prune=True) == [
        "remove page internal",
        "remove template main/incident/Datenbank",
        "remove template main/maintenance/Datenbank",
        "remove monitor main/api",
        "remove component main/api",
        "remove group main/Zuletzt im Alphabet, zuerst auf der Seite",
    ]
    session.refresh(api)
    assert api.archived_at is not None
    assert changes(session, text, prune=True) == []
    # Named by something that is named, though not by an entry of their own.
    assert order(session, page) == ["alone", "web"]
    assert groups.get(session, page, "Anfang")
    assert changes(session, "", prune=True) == []


@SQLITE
def test_prune_spares_pages_with_something_on_them(session: Session) -> None:
    """A page that the document does not name and that is not empty stops all of it."""
    full = 'slug = "full"\ncomponents = [{slug = "c", name = "C"}]'
    changes(session, RICH.replace('slug = "internal"', full))
    before = everything(session)
    with pytest.raises(Conflict, match=r"^page full: The page 'full' still has components\.$"):
        changes(session, PAGE, prune=True)
    assert everything(session) == before


@SQLITE
def test_prune_does_not_take_what_is_still_watched(session: Session, page: Page) -> None:
    """A monitor that stays keeps the component that it watches; the message says what to do."""
    component(session, page)
    monitor(session, page, component="api")
    text = PAGE + '[[pages.monitors]]\nslug = "m"'
    with pytest.raises(Conflict, match=r"^component main/api: A monitor watches 'api'"):
        changes(session, text, prune=True)
    assert order(session, page) == ["api"]


def test_things_move_in_one_go(app: Flask, session: Session, page: Page) -> None:
    """A monitor leaves a component that goes for a new one; a new page gets the slug that the default one gives up."""
    changes(session, RICH)
    text = """
[[pages]]
slug = "main"
name = "New"
[[pages.components]]
slug = "api"
name = "API"

[[pages]]
slug = "root"
default = true
[[pages.groups]]
name = "New"
[[pages.components]]
slug = "gateway"
name = "Gateway"
group = "New"
[[pages.monitors]]
slug = "api"
component = "gateway"
"""
    assert changes(session, text, prune=True) == [
        "remove page internal",
        "change page main",
        "create page main",
        "create component main/api",
        "create group root/New",
        "create component root/gateway",
        "change monitor root/api",
        "remove template root/incident/Datenbank",
        "remove template root/maintenance/Datenbank",
        "remove monitor root/measure",
        "remove component root/alone",
        "remove component root/web",
        "remove component root/api",
        "remove group root/Zuletzt im Alphabet, zuerst auf der Seite",
        "remove group root/Anfang",
    ]
    assert (default_page(session).id, default_page(session).slug) == (page.id, "root")
    assert changes(session, text, prune=True) == []
    text = dumped(session)
    start_over(app, session)
    changes(session, text)
    assert dumped(session) == text


@SQLITE
def test_the_order_of_the_document_is_the_order_of_the_page(session: Session, page: Page) -> None:
    """New things stand where the document has them, moved ones move, and the rest is not touched."""

    def listed(*slugs: str) -> str:
        entry = '[[pages.components]]\nslug = "{0}"\nname = "{0}"\n'
        return PAGE + "".join(entry.format(slug) for slug in slugs)

    changes(session, listed("b", "a"))
    assert order(session, page) == ["b", "a"]
    assert changes(session, listed("b", "a", "c")) == ["create component main/c"]
    changes(session, listed("c", "new", "b", "a"))
    assert order(session, page) == ["c", "new", "b", "a"]
    changes(session, listed("a", "b"))
    assert [slug for slug in order(session, page) if slug in "ab"] == ["a", "b"]
    assert changes(session, listed("b", "a", "c") + "position = 0") == ["change component main/c"]
    assert order(session, page)[0] == "c"


def test_equal_positions_are_in_order_by_name(app: Flask, session: Session, page: Page) -> None:
    """Things that share a position stand as the database sorts their names; the document has them so."""
    for name in ("beta", "Alpha", "Ärger", "zulu", "éclair", "10", "_", "alpha 2"):
        groups.create(session, page, name=name)
        component(session, page, name, position=3)
    before, text = everything(session), dumped(session)
    assert changes(session, text) == []
    assert everything(session) == before
    shown = order(session, page)
    start_over(app, session)
    changes(session, text)
    assert order(session, default_page(session)) == shown


@SQLITE
def test_another_name_keeps_the_order_of_the_document(session: Session, page: Page) -> None:
    """Where equal positions were in order by the old name, the new one gets a position of its own."""
    for name in ("a", "b"):
        component(session, page, name, position=3)
    text = (
        PAGE
        + """
[[pages.components]]
slug = "a"
name = "z"
[[pages.components]]
slug = "b"
"""
    )
    assert changes(session, text) == ["change component main/a", "change component main/b"]
    assert order(session, page) == ["a", "b"]


def test_positions_move_as_little_as_they_must() -> None:
    """What stands in order stays; ties count as in order by their rank only."""
    assert positions("abc", {}) == {"a": 1, "b": 2, "c": 3}
    assert positions("abc", {"a": (0, 0), "b": (7, 1), "c": (9, 2)}) == {"a": 0, "b": 7, "c": 9}
    assert positions("anb", {"a": (1, 0), "b": (9, 1)}) == {"a": 1, "n": 2, "b": 9}
    assert positions("ab", {"a": (5, 0), "b": (5, 1)}) == {"a": 5, "b": 5}
    assert positions("ba", {"a": (5, 0), "b": (5, 1)}) == {"b": 5, "a": 6}
    assert positions("ab", {"a": (5, 0), "b": (5, None)}) == {"a": 5, "b": 6}


@SERVERS
def test_several_at_once_do_it_once(app: Flask, session: Session) -> None:
    """The others wait and find nothing left to do."""
    document = configuration.read(RICH)

    def one(session: Session, page: Page) -> int:
        session.rollback()
        return len(configuration.apply(session, document))

    assert sorted(at_once(app, one, one, one), key=str) == [0, 0, 11]


@SERVERS
def test_what_others_changed_meanwhile_counts(app: Flask, session: Session, page: Page) -> None:
    """Even for a transaction that read before, a component is compared as it is now."""
    row = component(session, page, description="Old")
    assert row.description == "Old"

    def change(session: Session, page: Page) -> None:
        there = components.get(session, page, "api")
        components.change(session, page, there, {"description": "New"}, actor=None)

    elsewhere(app, change)
    text = PAGE + '[[pages.components]]\nslug = "api"\ndescription = "Old"'
    assert changes(session, text) == ["change component main/api"]
    session.refresh(row)
    assert row.description == "Old"


def on_main(kind: str, entry: str) -> str:
    return f"pages = [{{slug = 'main', {kind} = [{{{entry}}}]}}]"


NEW_MONITOR = "slug = 'm', name = 'M', target = 'https://www.example.com/', "
NEW_TEMPLATE = "kind = 'incident', name = 'T', title = 'T', "


@SQLITE
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("page = []", "page: There is no such key; did you mean pages?"),
        ("x = 1", "x: There is no such key; there are pages."),
        ("[[pages]]\nslg = 'a'", "pages[0].slug: Is missing."),
        (
            "[[pages]]\nslug = 'a'\nslg = 'a'",
            "pages[0].slg: There is no such key; did you mean slug?",
        ),
        (
            on_main("groups", "name = 'g', positon = 1"),
            "groups[0].positon: There is no such key; did you mean position?",
        ),
        (on_main("components", "slug = 'b', descripton = ''"), "did you mean description?"),
        (
            on_main("monitors", "slug = 'b', timeot = 1"),
            "timeot: There is no such key; did you mean timeout?",
        ),
        (
            on_main("templates", NEW_TEMPLATE + "bdy = ''"),
            "bdy: There is no such key; did you mean body?",
        ),
        ("pages = [{slug = 1}]", "pages[0].slug: Must be a text."),
        ("pages = 1", "pages: Must be a list."),
        (
            on_main("components", "slug = 'b', showcase = 'no'"),
            "components[0].showcase: Must be true or false.",
        ),
        ("pages = [{slug = 'a'}]", "pages[0].name: Is missing, and this page is new."),
        ("pages = [{slug = 'A b', name = 'n'}]", "pages[0].slug: Lower-case letters"),
        (
            "pages = [{slug = 'api', name = 'n'}]",
            "pages[0].slug: 'api' is the name of a fixed path.",
        ),
        ("pages = [{slug = 'a'}, {slug = 'a'}]", "pages[1].slug: Is the same as in pages[0]."),
        (
            "pages = [{slug = 'a', default = true}, {slug = 'b', default = true}]",
            "pages[1].default: Is the same as in pages[0].",
        ),
        ("pages = [{slug = 'main', default = false}]", "pages[0].default: Which page"),
        ("pages = [{slug = 'main', time_zone = 'x'}]", "pages[0].time_zone: Must be an IANA name"),
        (r'pages = [{slug = "main", name = "a\nb"}]', "pages[0].name: Must not have line breaks"),
        (r'pages = [{slug = "main", header = "\u0000"}]', "pages[0].header: Has a character"),
        (on_main("groups", "name = ' '"), "pages[0].groups[0].name: Must not be empty."),
        (
            on_main("groups", "name = 'g'}, {name = 'g'"),
            "groups[1].name: Is the same as in pages[0].groups[0].",
        ),
        (
            on_main("components", "slug = 'c'"),
            "components[0].name: Is missing, and this component is new.",
        ),
        (
            on_main("components", "slug = 'c', name = 'C', group = 'g'"),
            "components[0].group: There is no group 'g'",
        ),
        (
            on_main("components", "slug = 'c', start_date = '2024'"),
            "components[0].start_date: Must be a date.",
        ),
        (
            on_main("monitors", "slug = 'm', name = 'M'"),
            "monitors[0].target: The address must have between",
        ),
        (
            on_main("monitors", NEW_MONITOR + "component = 'c'"),
            "monitors[0].component: There is no component 'c'",
        ),
        (
            on_main("monitors", NEW_MONITOR + "interval = true"),
            "monitors[0].interval: Must be a whole number.",
        ),
        (
            on_main("monitors", NEW_MONITOR + "quorum = 2"),
            "monitors[0].quorum: There are fewer regions",
        ),
        (on_main("monitors", NEW_MONITOR + "kind = 'x'"), "monitors[0].kind: Must be one of"),
        (
            on_main("monitors", NEW_MONITOR + "options.a = 1"),
            "monitors[0].options.a: There is no such field",
        ),
        (
            on_main("monitors", NEW_MONITOR + "options = {a = 2024-01-01}"),
            "monitors[0].options: Must be made of",
        ),
        (
            on_main("monitors", NEW_MONITOR + "options = {a = [nan]}"),
            "monitors[0].options: Must be made of",
        ),
        (
            on_main("templates", "kind = 'incident', name = 'T'"),
            "title: Is missing, and this template is new.",
        ),
        (
            on_main("templates", NEW_TEMPLATE + "components = ['c']"),
            "components: There is no component 'c'",
        ),
        (
            on_main("templates", NEW_TEMPLATE + "placeholders = {a = 1}"),
            "placeholders.a: Must be a text.",
        ),
        ("pages = [", "TOML: Invalid value (at end of document)."),
        ("a = 1\nb = \n", "TOML: Invalid value (at line 2, column 5)."),
        ("a = " + "9" * 5000, "TOML: Exceeds the limit"),
        ("a = " + "[" * 5000, "TOML: Is nested too deeply."),
    ],
)
def test_what_is_wrong_is_named_by_its_place(session: Session, text: str, message: str) -> None:
    """Mistakes of shape, of names and of the services' own rules, each at its place; and nothing is written."""
    before = everything(session)
    with pytest.raises(Invalid) as caught:
        changes(session, text)
    session.commit()
    assert message in str(caught.value)
    assert everything(session) == before


@SQLITE
def test_all_mistakes_of_shape_are_named_at_once(session: Session) -> None:
    """One error for each wrong field."""
    with pytest.raises(Invalid) as caught:
        changes(session, "pages = [{slug = 1, nme = 'a', groups = [{}]}, 3]")
    fields = {error.field for error in caught.value.errors}
    assert fields == {"pages[0].slug", "pages[0].groups[0].name", "pages[0].nme", "pages[1]"}


@SQLITE
def test_a_slug_that_is_taken_is_a_conflict(session: Session) -> None:
    """The default page cannot get the slug of another page."""
    pages.create(session, name="Other", slug="other")
    session.commit()
    with pytest.raises(
        Conflict, match=r"^pages\[0\]: The slug 'other' is taken by another page\.$"
    ):
        changes(session, "pages = [{slug = 'other', default = true}]")


@SQLITE
def test_groups_of_one_name_are_refused(session: Session, page: Page) -> None:
    """A name that two groups have does not tell which one is meant, neither to a reader nor to us."""
    session.add_all(ComponentGroup(page_id=page.id, name="Core") for _ in range(2))
    session.commit()
    with pytest.raises(Conflict, match=r"^The page 'main' has more than one group called 'Core'"):
        configuration.dump(session)
    with pytest.raises(Conflict, match="more than one group called 'Core'"):
        changes(session, PAGE)


@SQLITE
def test_an_option_that_toml_cannot_tell(session: Session, page: Page) -> None:
    """An option that is null is left out; a null within a list stops the dump with a sentence."""
    row = monitor(session, page)
    row.options = {**row.options, "body": None, "deep": {"a": None, "b": 1}}
    session.commit()
    options = configuration.dump(session)["pages"][0]["monitors"][0]["options"]
    assert options["deep"] == {"b": 1}
    assert options["expected_status"] == ["2xx"]
    assert "body" not in options
    row.options = {**row.options, "list": [1, None]}
    session.commit()
    with pytest.raises(Conflict, match="null within a list"):
        configuration.dump(session)


class Refusing(HttpProbe):
    """Another package's probe that asks nobody, and refuses what says so."""

    kind = "refusing"

    def vet(self, target: str, settings: Settings) -> None:
        if "refused" in target:
            raise Invalid.field("target", "May not be called.")


@SQLITE
def test_only_new_targets_are_asked_for(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A monitor that asks already is not vetted again; one that may not ask is named by its place."""
    monkeypatch.setitem(probes._loaded(), "refusing", Refusing())
    monitor(session, page, kind="refusing")
    text = (
        PAGE
        + """
[[pages.monitors]]
slug = "m"
target = "http://127.0.0.1:9/"
interval = 30
[[pages.monitors]]
slug = "refused"
name = "Refused"
kind = "refusing"
target = "http://127.0.0.1/refused"
[[pages.monitors]]
slug = "new"
name = "New"
target = "http://127.0.0.1:9/"
"""
    )
    document = configuration.read(text)
    wanted = configuration.targets(session, document)
    assert [(item.place, item.kind, item.target) for item in wanted] == [
        ("pages[0].monitors[1]", "refusing", "http://127.0.0.1/refused"),
        ("pages[0].monitors[2]", "http", "http://127.0.0.1:9/"),
    ]
    with pytest.raises(Invalid) as caught:
        configuration.vet(wanted)
    assert [error.field for error in caught.value.errors] == ["pages[0].monitors[1].target"]
    configuration.apply(session, document)
    assert configuration.targets(session, document) == []
    moved = document | {"pages": [{"slug": "main", "monitors": [{"slug": "m", "kind": "http"}]}]}
    assert [item.kind for item in configuration.targets(session, moved)] == ["http"]


@SQLITE
@settings(
    max_examples=25,
    deadline=None,
    # Both: what is named here takes the place of what the profile says.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=documents(), second=documents())
def test_any_document_comes_back(
    app: Flask, session: Session, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """On any state, what is applied with prune is what is dumped; then nothing changes, here and on an empty site."""
    start_over(app, session)
    changes(session, configuration.write(first))
    named = {page["slug"] for page in second["pages"]}
    emptied = [{"slug": page["slug"]} for page in first["pages"] if page["slug"] not in named]
    changes(session, configuration.write({"pages": [*emptied, *second["pages"]]}), prune=True)
    text = configuration.write(second)
    changes(session, text, prune=True)
    found = dumped(session)
    wanted, there = said(second), said(configuration.read(found))
    assert there.keys() == wanted.keys()
    # What a document leaves out stays as it is, so that only things that were not there before are as told.
    for name in wanted.keys() - said(first).keys():
        entry = wanted[name]
        assert {key: there[name].get(key) for key in entry} == kept(entry, there[name])
    before = everything(session)
    for again in (text, found):
        assert changes(session, again, prune=True) == []
    assert everything(session) == before
    start_over(app, session)
    changes(session, found)
    assert dumped(session) == found
