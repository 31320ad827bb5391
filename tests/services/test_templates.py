"""Templates: kept, checked when saved, and what they render to."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.errors import Conflict, Invalid, NotFound
from flask_statuspage.services import archive, components, incidents, pages, templates
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.team import AuditEntry
from flask_statuspage.storage.templates import Template

from . import scenes

NOON = datetime(2026, 2, 19, 17, 30, tzinfo=UTC)

once = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For rules that no database has a part in."""


def template(session: Session, page: Page, **options: Any) -> Template:
    row = templates.create(
        session, page, **{"kind": "incident", "name": "Outage", "title": "Trouble", **options}
    )
    session.commit()
    return row


def kept(session: Session) -> list[Template]:
    query = select(Template).order_by(Template.name)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def audited(session: Session) -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.subject == "template").order_by(AuditEntry.id)
    return list(session.scalars(query))


def test_a_life_with_its_audit(session: Session, page: Page) -> None:
    """A template is made, changed and deleted; each write tells what was and what is, and shows nothing to readers."""
    api = scenes.component(session, page)
    scenes.component(session, page, "Web")
    version = page.version
    made = template(
        session,
        page,
        body="In {{ region }}.",
        status="identified",
        impact="major",
        components=["web", str(api.id)],
        placeholders={"region": None, "unused": "x"},
        actor="ann",
    )
    assert made.components[1] == str(api.id)
    changes = {"title": " Big trouble ", "components": ["api"], "impact": None}
    templates.change(session, page, made, changes, actor="ben")
    templates.change(session, page, made, {"title": "Big trouble", "impact": None}, actor="ben")
    templates.change(session, page, made, {}, actor="ben")
    templates.remove(session, page, made, actor="eve")
    session.commit()
    assert kept(session) == []
    entries = audited(session)
    assert [(entry.actor, entry.action) for entry in entries] == [
        *(("ann", "create"), ("ben", "change"), ("eve", "delete"))
    ]
    assert entries[0].after is not None
    assert entries[0].after["placeholders"] == {"region": None, "unused": "x"}
    assert entries[1].before == {
        "title": "Trouble",
        "components": ["web", "api"],
        "impact": "major",
    }
    assert entries[1].after == {"title": "Big trouble", "components": ["api"], "impact": None}
    assert entries[2].before is not None
    assert entries[2].before["title"] == "Big trouble"
    session.refresh(page)
    assert page.version == version


def test_names_are_one_of_a_kind(app: Flask, session: Session, page: Page) -> None:
    """A name stands once for each page and kind, also when it is given in a change; the other kind may have it, too."""
    first = template(session, page, name="Outage")
    second = template(session, page, name="Other")
    template(session, page, name="Outage", kind="maintenance")
    elsewhere = pages.create(session, name="Second")
    template(session, elsewhere, name="Outage")
    with pytest.raises(Conflict, match="'Outage' is taken"):
        templates.create(session, page, kind="incident", name=" Outage ", title="x")
    with pytest.raises(Conflict, match="'Outage' is taken"):
        templates.change(session, page, second, {"name": "Outage"}, actor=None)
    templates.change(session, page, first, {"name": "Outage", "title": "y"}, actor=None)
    session.commit()
    assert [row.name for row in kept(session)] == ["Other", "Outage", "Outage", "Outage"]


def test_two_create_one_name(app: Flask, session: Session, page: Page) -> None:
    """Of several that want one name at once one gets it, and the others are told so."""

    def create(session: Session, page: Page) -> str:
        return templates.create(session, page, kind="incident", name="Same", title="x").name

    session.rollback()
    done = scenes.at_once(app, *[create] * 4)
    assert sorted(type(item).__name__ for item in done) == ["Conflict"] * 3 + ["str"], done
    assert [row.name for row in kept(session)] == ["Same"]
    assert len(audited(session)) == 1


def test_two_take_one_name(app: Flask, session: Session, page: Page) -> None:
    """The same for changes, and for one who began to read before the name was taken."""
    late = template(session, page, name="A")
    other = template(session, page, name="B").id
    assert page.slug  # the transaction has begun to read

    def rename(session: Session, page: Page) -> None:
        row = templates.get(session, page, str(other))
        templates.change(session, page, row, {"name": "Same"}, actor=None)

    assert late.name == "A"
    scenes.elsewhere(app, rename)
    with pytest.raises(Conflict, match="'Same' is taken"):
        templates.change(session, page, late, {"name": "Same"}, actor=None)
    session.rollback()
    assert [row.name for row in kept(session)] == ["A", "Same"]


def test_two_changes_at_once_both_stand(app: Flask, session: Session, page: Page) -> None:
    """Two who change different fields undo nothing of each other's, and the audit tells each one's own."""
    ident = str(template(session, page).id)

    def change(**values: Any) -> Any:
        def work(session: Session, page: Page) -> None:
            row = templates.get(session, page, ident)
            templates.change(session, page, row, values, actor=None)

        return work

    session.rollback()
    done = scenes.at_once(app, change(title="New"), change(body="Text"))
    assert done == [None, None]
    [row] = kept(session)
    assert (row.title, row.body) == ("New", "Text")
    changed = [set(entry.after or {}) for entry in audited(session) if entry.action == "change"]
    assert sorted(map(sorted, changed)) == [["body"], ["title"]]


def test_a_change_looks_at_what_is_there_now(app: Flask, session: Session, page: Page) -> None:
    """A placeholder that another one began to use meanwhile cannot be taken away."""
    row = template(session, page, placeholders={"region": None})
    ident = str(row.id)

    def use(session: Session, page: Page) -> None:
        row = templates.get(session, page, ident)
        templates.change(session, page, row, {"body": "{{ region }}"}, actor=None)

    assert row.body == ""
    scenes.elsewhere(app, use)
    with pytest.raises(Invalid, match=r"body: .*'region'"):
        templates.change(session, page, row, {"placeholders": {}}, actor=None)


def test_a_change_waits_for_the_one_before(app: Flask, session: Session, page: Page) -> None:
    """Between what a change has read and what it writes nobody else changes the template."""
    row = template(session, page, placeholders={"region": None})
    ident = str(row.id)

    def use(session: Session, page: Page) -> None:
        row = templates.get(session, page, ident)
        templates.change(session, page, row, {"body": "{{ region }}"}, actor=None)

    with ThreadPoolExecutor(1) as pool:
        others: list[Future[None]] = []

        def meanwhile(*_: object) -> None:
            others.append(pool.submit(scenes.elsewhere, app, use))
            wait(others, timeout=1)

        event.listen(session, "before_flush", meanwhile, once=True)
        templates.change(session, page, row, {"placeholders": {}}, actor=None)
        session.commit()
        with pytest.raises(Invalid, match=r"body: .*'region'"):
            others[0].result(30)
    [row] = kept(session)
    assert (row.body, row.placeholders) == ("", {})


def test_one_removes_what_another_changes(app: Flask, session: Session, page: Page) -> None:
    """A template that is gone by now is not found, and does not come back."""
    row = template(session, page)
    ident = str(row.id)

    def remove(session: Session, page: Page) -> None:
        templates.remove(session, page, templates.get(session, page, ident), actor=None)

    assert row.title == "Trouble"
    scenes.elsewhere(app, remove)
    with pytest.raises(NotFound):
        templates.change(session, page, row, {"title": "x"}, actor=None)
    session.rollback()
    assert kept(session) == []


def test_a_page_takes_its_templates_along(session: Session, page: Page) -> None:
    """Templates keep no page alive: they are deleted with it, those of other pages stay."""
    template(session, page, name="Stays")
    second = pages.create(session, name="Second")
    template(session, second, name="Goes")
    pages.remove(session, second, actor=None)
    session.commit()
    assert [row.name for row in kept(session)] == ["Stays"]


def test_found_by_id_and_name(session: Session, page: Page) -> None:
    """A template answers to its id and its exact name on its own page; a name of both kinds needs the kind."""
    outage = template(session, page, name="Outage")
    both = template(session, page, name="Both")
    other = template(session, page, name="Both", kind="maintenance")
    second = pages.create(session, name="Second")
    for ident in (str(outage.id), "Outage"):
        assert templates.get(session, page, ident) is outage
        assert templates.get(session, page, ident, kind="incident") is outage
        for where, kind in ((second, None), (page, "maintenance")):
            with pytest.raises(NotFound):
                templates.get(session, where, ident, kind=kind)
    for ident in ("outage", "Outage ", "", str(new_id())):
        with pytest.raises(NotFound):
            templates.get(session, page, ident)
    with pytest.raises(Conflict):
        templates.get(session, page, "Both")
    assert templates.get(session, page, "Both", kind="incident") is both
    assert templates.get(session, page, str(other.id)) is other


@once
@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"kind": "postmortem"}, "kind", "incident, maintenance"),
        ({"name": "  "}, "name", "empty"),
        ({"name": "a\nb"}, "name", "line breaks"),
        ({"name": "x" * 201}, "name", "At most 200"),
        ({"title": " "}, "title", "empty"),
        ({"title": "a\nb"}, "title", "line breaks"),
        ({"title": "x" * 201}, "title", "At most 200"),
        ({"body": "x" * 10_001}, "body", "At most 10000"),
        ({"body": "\0"}, "body", "stored"),
        (
            {"title": "{{ regoin }}"},
            "title",
            "'regoin' (line 1). Known: component, components, page",
        ),
        ({"body": "a\n{{ regoin }}"}, "body", "'regoin' (line 2)"),
        ({"body": "{{ duration }}"}, "body", "'duration'"),
        ({"body": "{% for x in page %}{% endfor %}"}, "body", "a loop is not allowed"),
        ({"title": "{{ page"}, "title", "Line 1: "),
        ({"status": "postmortem"}, "status", "investigating, identified, monitoring, resolved"),
        ({"status": "scheduled"}, "status", "investigating"),
        ({"kind": "maintenance", "status": "completed"}, "status", "scheduled, in_progress"),
        ({"kind": "maintenance", "impact": "major"}, "impact", "Only incidents"),
        ({"impact": "huge"}, "impact", "none, minor, major, critical"),
        ({"components": ["nope"]}, "components", "'nope'"),
        ({"placeholders": {"page": "x"}}, "placeholders", "'page' is built in"),
        ({"placeholders": {"Region": "x"}}, "placeholders", "'Region' cannot be a name"),
    ],
)
def test_what_is_wrong_is_named(
    session: Session, page: Page, fields: dict[str, Any], field: str, reason: str
) -> None:
    """Each wrong field is named with the reason, in a new template and in a change, and nothing stays."""
    row = (
        template(session, page, kind=fields.get("kind", "incident"), name="Old")
        if ("kind" not in fields or fields["kind"] in templates.STATUSES)
        else None
    )
    before = len(audited(session))
    with pytest.raises(Invalid) as error:
        template(session, page, **{"name": "New", **fields})
    assert [item.field for item in error.value.errors] == [field]
    assert reason in str(error.value)
    session.rollback()
    if row is not None:
        changes = {name: value for name, value in fields.items() if name != "kind"}
        with pytest.raises(Invalid) as error:
            templates.change(session, page, row, changes, actor=None)
        assert [item.field for item in error.value.errors] == [field]
        assert reason in str(error.value)
        session.rollback()
    assert len(audited(session)) == before


@once
def test_a_change_is_checked_as_a_whole(session: Session, page: Page) -> None:
    """A placeholder cannot be taken away from a text that uses it, and the kind stays what it is."""
    row = template(session, page, body="{{ region }}", placeholders={"region": None})
    with pytest.raises(Invalid, match=r"body: .*'region'"):
        templates.change(session, page, row, {"placeholders": {}}, actor=None)
    with pytest.raises(Invalid, match="kind"):
        templates.change(session, page, row, {"kind": "maintenance"}, actor=None)
    new = {"placeholders": {"place": "eu"}, "body": "{{ place }}"}
    templates.change(session, page, row, new, actor=None)
    assert templates.render(session, page, row).body == "eu"


@once
def test_every_built_in_placeholder(session: Session, page: Page) -> None:
    """Components, page, its URL and the times in the page's zone are there by themselves."""
    scenes.component(session, page)
    scenes.component(session, page, "Web")
    page.name, page.time_zone = "Acme", "Europe/Berlin"
    text = "{{ component }}|{{ components }}|{{ page }}|{{ page_url }}|{{ started_at }}"
    row = template(session, page, body=text, components=["web", "api"])
    assert templates.render(session, page, row, started_at=NOON).body == (
        "Web, API|Web, API|Acme|https://status.example.com|19 Feb 2026, 18:30 CET"
    )
    chosen = templates.render(session, page, row, components=["api"], started_at=NOON)
    assert chosen.body.startswith("API|API|Acme|")
    assert chosen.components == ("api",)
    assert templates.render(session, page, row, components=[]).body.startswith("||Acme|")
    now = templates.render(session, page, row).body
    # By the clock of the page: on New Year's Eve its year is another one than UTC's.
    year = utc_now().astimezone(ZoneInfo("Europe/Berlin")).year
    assert f"|{year}" not in now  # a readable time, day first
    assert str(year) in now
    text = "{{ started_at }}|{{ scheduled_start }}|{{ scheduled_end }}|{{ duration }}"
    window = template(session, page, kind="maintenance", body=text)
    end = NOON + timedelta(minutes=72)
    assert (
        templates.render(session, page, window, scheduled_start=NOON, scheduled_end=end).body
        == "19 Feb 2026, 18:30 CET|19 Feb 2026, 18:30 CET|19 Feb 2026, 19:42 CET|1 h 12 min"
    )
    with pytest.raises(
        Invalid, match="body: There is no value for the placeholder 'scheduled_end'"
    ):
        templates.render(session, page, window, scheduled_start=NOON)
    with pytest.raises(Invalid, match="body: There is no value for the placeholder 'started_at'"):
        templates.render(session, page, window)


@once
def test_own_placeholders(session: Session, page: Page) -> None:
    """A value wins over the default; without both the placeholder is named; a strange value is refused."""
    own = {"region": "everywhere", "ticket": None}
    row = template(session, page, body="{{ region }} {{ ticket }}", placeholders=own)
    rendered = templates.render(session, page, row, values={"ticket": "{{ page }} & 5"})
    assert rendered.body == "everywhere {{ page }} & 5"
    both = {"ticket": "5", "region": "eu"}
    assert templates.render(session, page, row, values=both).body == "eu 5"
    with pytest.raises(Invalid, match="body: There is no value for the placeholder 'ticket'"):
        templates.render(session, page, row)
    for values, named in (
        ({"regoin": "x"}, "values.regoin"),
        ({"page": "x"}, "values.page"),
        ({"ticket": "x" * 2001}, "values.ticket"),
        ({"ticket": "\ud800"}, "values.ticket"),
    ):
        with pytest.raises(Invalid) as error:
            templates.render(session, page, row, values=values)
        assert [item.field for item in error.value.errors] == [named]


@once
def test_wrong_times(session: Session, page: Page) -> None:
    """Times must have a zone, be in order, and belong to the kind."""
    incident = template(session, page)
    window = template(session, page, kind="maintenance")
    naive = NOON.replace(tzinfo=None)
    for row, times, field in (
        (incident, {"started_at": naive}, "started_at"),
        (incident, {"scheduled_start": NOON}, "scheduled_start"),
        (incident, {"scheduled_end": NOON}, "scheduled_end"),
        (window, {"started_at": NOON}, "started_at"),
        (window, {"scheduled_start": naive}, "scheduled_start"),
        (window, {"scheduled_end": naive}, "scheduled_end"),
        (window, {"scheduled_start": NOON, "scheduled_end": NOON}, "scheduled_end"),
    ):
        with pytest.raises(Invalid) as error:
            templates.render(session, page, row, **times)
        assert [item.field for item in error.value.errors] == [field]
    page.time_zone = "Asia/Tokyo"
    with pytest.raises(Invalid, match="started_at"):
        templates.render(session, page, incident, started_at=datetime.max.replace(tzinfo=UTC))


@once
def test_status_impact_and_components(session: Session, page: Page) -> None:
    """They are told as the services take them; archived components are left out, whatever their slug was."""
    scenes.component(session, page)
    web = scenes.component(session, page, "Web")
    row = template(
        session, page, status="monitoring", impact="minor", components=["web", "api"],
        title="{{ component }}",
    )  # fmt: skip
    assert templates.render(session, page, row) == templates.Rendered(
        title="Web, API",
        body="",
        status=IncidentStatus.MONITORING,
        impact=Impact.MINOR,
        components=("web", "api"),
    )
    components.change(session, page, web, {"slug": "site"}, actor=None)
    assert templates.render(session, page, row).components == ("site", "api")
    archive.remove(session, page, web, actor=None)
    assert templates.render(session, page, row).components == ("api",)
    assert templates.described(row, templates.slugs(session, page))["components"] == ["api"]
    templates.change(session, page, row, {"body": "x"}, actor=None)
    window = template(session, page, kind="maintenance", status="in_progress")
    assert templates.render(session, page, window).status is MaintenanceStatus.IN_PROGRESS
    plain = templates.render(session, page, template(session, page, name="Plain"))
    assert (plain.status, plain.impact, plain.components) == (None, None, ())


def test_an_incident_made_of_a_template(session: Session, page: Page) -> None:
    """What a template fills in opens an incident as if a person had typed it."""
    scenes.component(session, page)
    template(
        session, page, title="{{ component }} in {{ region }}", body="Since {{ started_at }}.",
        status="identified", impact="major", components=["api"], placeholders={"region": "eu"},
    )  # fmt: skip
    fields = templates.fill(session, page, "incident", "Outage", {}, {"started_at": NOON})
    made = incidents.open(session, page, affected=fields.pop("components"), **fields)
    assert (made.title, made.status) == ("API in eu", IncidentStatus.IDENTIFIED)
    assert (made.impact, made.started_at) == (Impact.MAJOR, NOON)
    assert made.updates[0].body == "Since 19 Feb 2026, 17:30 UTC."
    assert [item.status for item in made.affected] == [ComponentStatus.PARTIAL_OUTAGE]


@once
def test_what_is_given_wins(session: Session, page: Page) -> None:
    """Fields that were said stand; a text that was said is not rendered; nothing is added that nobody said."""
    scenes.component(session, page)
    scenes.component(session, page, "Web")
    row = template(
        session, page, title="{{ ticket }}", body="About {{ component }}.", status="identified",
        impact="major", components=["api"], placeholders={"ticket": None},
    )  # fmt: skip
    given = {
        "title": "Said",
        "status": IncidentStatus.MONITORING,
        "impact": None,
        "components": {"web": ComponentStatus.MAJOR_OUTAGE},
        "notify": False,
    }
    filled = templates.fill(session, page, "incident", str(row.id), {}, given)
    assert filled == {**given, "body": "About Web."}
    with pytest.raises(Invalid, match="title: There is no value for the placeholder 'ticket'"):
        templates.fill(session, page, "incident", "Outage", {}, {})
    with pytest.raises(Invalid, match="components"):
        templates.fill(session, page, "incident", "Outage", {"ticket": "5"}, {"components": ["x"]})
    template(session, page, name="Plain", kind="maintenance", body="{{ duration }}")
    times = {"scheduled_start": NOON, "scheduled_end": NOON + timedelta(hours=1)}
    filled = templates.fill(session, page, "maintenance", "Plain", {}, times)
    assert filled == {**times, "title": "Trouble", "body": "1 h"}
    for ident, kind in (("Outage", "maintenance"), ("Plain", "incident"), ("nope", "incident")):
        with pytest.raises(Invalid) as error:
            templates.fill(session, page, kind, ident, {}, {})
        assert [item.field for item in error.value.errors] == ["template"]
