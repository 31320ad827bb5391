"""Importing a Statuspage: what becomes of it here, once, again, and after it changed there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.source_page import SourcePage
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.errors import Invalid
from flask_statuspage.services import archive, components, groups, importing, incidents, overview
from flask_statuspage.services.importing import Outcome
from flask_statuspage.services.source_documents import fetch
from flask_statuspage.state import state_of
from flask_statuspage.storage import incidents as stored_incidents
from flask_statuspage.storage.base import Base, utc_now
from flask_statuspage.storage.components import Component, ComponentGroup, Condition
from flask_statuspage.storage.incidents import Incident, IncidentUpdate
from flask_statuspage.storage.maintenances import Maintenance, MaintenanceUpdate
from flask_statuspage.storage.outbox import Delivery
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_engine
from flask_statuspage.storage.team import AuditEntry
from tests.servers.http import Target
from tests.servers.statuspage import FakeStatuspage, affected, update, written

from . import scenes

OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAINTAINED = ComponentStatus.UNDER_MAINTENANCE
THINGS = 5 + 2 + 30 + 4

Import = Callable[[], Outcome]


@pytest.fixture
def there(target: Target) -> FakeStatuspage:
    return FakeStatuspage(target, utc_now().replace(microsecond=0))


@pytest.fixture
def bring(app: Flask, session: Session, page: Page, there: FakeStatuspage) -> Import:
    """Import what is there now, and commit."""

    def once() -> Outcome:
        there.publish()
        outcome = importing.run(session, page, source(app, there), actor="command line")
        session.commit()
        return outcome

    return once


def source(app: Flask, there: FakeStatuspage) -> SourcePage:
    return fetch(there.url, state_of(app).settings)


def fates(outcome: Outcome) -> tuple[int, int, int]:
    return outcome.new, outcome.changed, outcome.unchanged


def contents(session: Session) -> dict[str, list[Any]]:
    """Every row of every table of ours."""
    session.rollback()
    return {
        table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
        for table in Base.metadata.sorted_tables
    }


def one(session: Session, model: type[Any], **values: Any) -> Any:
    query = select(model).filter_by(**values).execution_options(populate_existing=True)
    return session.scalars(query).one()


def incident(session: Session, origin: str) -> Incident:
    found = stored_incidents.get(session, one(session, Incident, origin=origin).id)
    assert found is not None
    return found


def shown(session: Session, slug: str) -> ComponentStatus:
    query = select(Component.status).where(Component.slug == slug)
    return session.execute(query).scalar_one()


def said(session: Session) -> set[tuple[str, str, str]]:
    query = select(Component.slug, Condition.source, Condition.status).join(
        Component, Component.id == Condition.component_id
    )
    return {(slug, source, status.value) for slug, source, status in session.execute(query)}


def imports(session: Session) -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.action == "import").order_by(AuditEntry.id)
    return list(session.scalars(query))


def test_all_of_a_page_arrives(session: Session, page: Page, bring: Import) -> None:
    """Groups with their components, in their order and with what they tell of themselves."""
    assert bring() == Outcome(
        components=5, groups=2, incidents=30, maintenances=4, new=THINGS, changed=0, unchanged=0
    )
    snapshot = overview.snapshot(session, page)
    assert [
        (group and group.name, [state.fact.name for state in states])
        for group, states in snapshot.sections
    ] == [
        (None, ["Website", "Mail"]),
        ("Sky", ["API", "Konsole für Übersee 港"]),
        ("Yard ⚓", ["Cranes"]),
    ]
    facts = {state.fact.slug: state.fact for state in snapshot.components}
    assert facts["website"].description == "What\tyou see."
    assert str(facts["api"].start_date) == "2024-03-01"
    assert [facts[slug].showcase for slug in ("api", "konsole-fur-ubersee")] == [True, False]
    assert facts["cranes"].only_show_if_degraded
    assert one(session, Component, slug="api").origin == "statuspage:cmp0api"
    assert one(session, ComponentGroup, name="Sky").origin == "statuspage:grp0sky"


def test_incidents_keep_their_times_texts_and_statuses(
    session: Session, page: Page, bring: Import, there: FakeStatuspage
) -> None:
    """Each stands on its day with its updates, newest first, as they were told there."""
    bring()
    facts = overview.snapshot(session, page).incidents
    assert [fact.title for fact in facts] == [item["name"] for item in there.incidents]
    for fact, item in zip(facts, there.incidents, strict=True):
        assert fact.started_at == datetime.fromisoformat(item["started_at"])
        assert fact.status.value == item["status"]
        assert fact.impact.value == item["impact"]
        assert [(told.status.value, told.body) for told in fact.updates] == [
            (told["status"], told["body"] or "") for told in item["incident_updates"]
        ]
        assert [told.created_at for told in fact.updates] == [
            datetime.fromisoformat(told["display_at"]) for told in item["incident_updates"]
        ]
        assert not any(told.notified for told in fact.updates)
        assert [(c.slug, c.status) for c in fact.components] == [
            ("api", PARTIAL if fact.status.is_open else OPERATIONAL)
        ]
    assert facts[0].resolved_at is None
    assert facts[1].status is IncidentStatus.POSTMORTEM
    assert facts[2].resolved_at == facts[2].started_at + timedelta(minutes=30)
    first = facts[2].updates[-1].components[0]
    assert (first.slug, first.group, first.status, first.old_status) == (
        "api",
        "Sky",
        PARTIAL,
        OPERATIONAL,
    )


def test_maintenance_arrives_in_every_state(
    session: Session, bring: Import, there: FakeStatuspage
) -> None:
    """What is planned has a clock, what goes on has one for its end, what is over has none."""
    bring()
    rows = {
        row.status: row for row in session.scalars(select(Maintenance).order_by(Maintenance.title))
    }
    hour, now = timedelta(hours=1), there.now
    planned = rows[MaintenanceStatus.SCHEDULED]
    assert planned.scheduled_start == now + timedelta(days=3)
    assert planned.scheduled_end == planned.scheduled_start + 4 * hour
    assert planned.next_at == planned.scheduled_start - timedelta(days=1)  # the first reminder
    assert (planned.started_at, planned.ended_at, planned.auto_start) == (None, None, True)
    for status, begun in ((MaintenanceStatus.IN_PROGRESS, 1), (MaintenanceStatus.VERIFYING, 2)):
        row = rows[status]
        assert (row.started_at, row.ended_at) == (now - begun * hour, None)
        assert row.next_at == row.scheduled_end == now + (4 - begun) * hour
    over = rows[MaintenanceStatus.COMPLETED]
    assert over.next_at is None
    assert over.ended_at == over.scheduled_start + timedelta(minutes=2)
    query = select(MaintenanceUpdate).where(MaintenanceUpdate.maintenance_id == over.id)
    updates = sorted(session.scalars(query), key=lambda row: row.number)
    assert [(row.number, row.status.value) for row in updates] == [
        *((1, "scheduled"), (2, "in_progress"), (3, "verifying"), (4, "completed"))
    ]


def test_only_what_is_open_speaks_of_components(session: Session, bring: Import) -> None:
    """Resolved incidents say nothing; what is not well without a word why is said as a person would."""
    bring()
    assert said(session) == {
        ("api", "incident", "partial_outage"),
        ("cranes", "maintenance", "under_maintenance"),
        ("mail", "manual", "degraded_performance"),
    }
    statuses = {slug: shown(session, slug) for slug in ("api", "cranes", "mail", "website")}
    assert statuses == {
        "api": PARTIAL,
        "cranes": MAINTAINED,
        "mail": DEGRADED,
        "website": OPERATIONAL,
    }


def test_nobody_is_told(app: Flask, session: Session, page: Page, bring: Import) -> None:
    """No delivery at all; host code hears of present statuses only, never of history."""
    scenes.webhook(session, page, events=["component.status_change"])
    scenes.webhook(session, page)
    with scenes.listening(app) as heard:
        bring()
    assert session.scalars(select(Delivery)).all() == []
    assert sorted(event.data["component"]["slug"] for event in heard) == ["api", "cranes", "mail"]
    assert {event.name for event in heard} == {"component.status_change"}
    assert scenes.names(session, "incident.") == scenes.names(session, "maintenance.") == []


def test_each_thing_has_one_audit_entry(session: Session, page: Page, bring: Import) -> None:
    """Who, which door, and what it is now; the word on a component stands in the component's entry."""
    bring()
    entries = imports(session)
    assert len(entries) == len({entry.subject_id for entry in entries}) == THINGS
    assert {(entry.actor, entry.page_id) for entry in entries} == {("command line", page.id)}
    assert {entry.before and tuple(entry.before) for entry in entries} == {None}
    mail = one(session, Component, slug="mail")
    entry = next(entry for entry in entries if entry.subject_id == mail.id)
    assert entry.after is not None
    assert (entry.after["name"], entry.after["said"]) == ("Mail", "degraded_performance")


def test_again_changes_nothing(
    session: Session, page: Page, bring: Import, there: FakeStatuspage
) -> None:
    """A second import of the same writes no row at all, not even a page's version."""
    bring()
    before = contents(session)
    assert fates(bring()) == (0, 0, THINGS)
    assert contents(session) == before


def test_one_import_is_one_version(session: Session, page: Page, bring: Import) -> None:
    """However much arrives, the page's version goes up for it, and components keep one present each."""
    version = page.version
    bring()
    session.refresh(page)
    # One for the import, and none more for each word that it says.
    assert page.version == version + 1
    for row in session.scalars(select(Component)):
        intervals = scenes.history(session, row)
        assert [interval.ended_at for interval in intervals][-1] is None
        assert all(a.ended_at == b.started_at for a, b in pairwise(intervals))
        assert intervals[-1].status is row.status


def test_what_changed_there_changes_here(
    session: Session, page: Page, bring: Import, there: FakeStatuspage
) -> None:
    """Names, groups, places, texts, new updates, a resolved incident, a moved window: each once."""
    bring()
    entries = len(imports(session))
    website = there.component("cmp0web")
    website |= {"name": "Web site", "group_id": "grp0yard", "position": 7, "description": "New."}
    there.component("grp0yard")["name"] = "Dock"
    there.component("cmp0mail")["status"] = "operational"
    first = there.incidents[0]
    later = there.now - timedelta(minutes=1)
    first |= {"status": "resolved", "resolved_at": written(later), "name": "It was the cable"}
    first["incident_updates"].insert(
        0,
        update(
            "inc00000u9",
            "resolved",
            "Over.",
            later,
            [affected("cmp0api", "Sky - API", "partial_outage", "operational")],
        ),
    )
    there.component("cmp0api")["status"] = "operational"
    there.incidents[5]["incident_updates"][-1]["body"] = "Mended words."
    window = there.maintenances[0]
    window["scheduled_for"] = written(there.now + timedelta(days=5))
    window["scheduled_until"] = written(there.now + timedelta(days=5, hours=1))
    finished = there.maintenances[1]
    finished |= {"status": "completed", "resolved_at": written(there.now)}
    there.components.append({**website, "id": "cmp0new", "name": "New", "group_id": None})

    outcome = bring()
    assert fates(outcome) == (1, 7, THINGS - 7)
    row = one(session, Component, origin="statuspage:cmp0web")
    assert (row.name, row.slug, row.position, row.description) == ("Web site", "website", 7, "New.")
    assert session.get_one(ComponentGroup, row.group_id).name == "Dock"
    api, mail = one(session, Component, slug="api"), one(session, Component, slug="mail")
    assert (api.status, mail.status) == (OPERATIONAL, OPERATIONAL)
    assert {word[:2] for word in said(session)} == {("cranes", "maintenance")}

    resolved = incident(session, "statuspage:inc00000")
    assert (resolved.title, resolved.status, resolved.resolved_at) == (
        "It was the cable",
        IncidentStatus.RESOLVED,
        later,
    )
    assert [row.number for row in resolved.updates] == [3, 2, 1]
    assert [item.status for item in resolved.affected] == [OPERATIONAL]
    mended = incident(session, "statuspage:inc00005")
    assert [row.body for row in mended.updates][-1] == "Mended words."

    moved = one(session, Maintenance, origin="statuspage:mnt00000")
    assert moved.scheduled_start == there.now + timedelta(days=5)
    assert moved.next_at == moved.scheduled_start - timedelta(days=1)
    assert moved.revision == 1
    over = one(session, Maintenance, origin="statuspage:mnt00001")
    assert (over.status, over.ended_at, over.next_at) == (
        MaintenanceStatus.COMPLETED,
        there.now,
        None,
    )
    new = imports(session)[entries:]
    assert len(new) == 8
    changed = {entry.subject_id: entry for entry in new}[mended.id]
    assert changed.before is not None
    assert changed.after is not None
    assert list(changed.before) == list(changed.after) == [f"update {mended.updates[-1].id}"]
    assert "<b>number</b> 5" in str(changed.before)
    assert "Mended words." in str(changed.after)
    before = contents(session)
    assert fates(bring()) == (0, 0, THINGS + 1)
    assert contents(session) == before


def test_an_update_between_two_others(
    session: Session, bring: Import, there: FakeStatuspage
) -> None:
    """One that was written late about an earlier time takes its place, and all numbers follow."""
    bring()
    item = there.incidents[2]
    between = datetime.fromisoformat(item["started_at"]) + timedelta(minutes=5)
    item["incident_updates"].insert(1, update("late", "investigating", "Still looking.", between))
    assert fates(bring()) == (0, 1, THINGS - 1)
    updates = incident(session, "statuspage:inc00002").updates
    assert [(row.number, row.status.value) for row in updates] == [
        *((5, "resolved"), (4, "monitoring"), (3, "identified"), (2, "investigating")),
        (1, "investigating"),
    ]
    assert updates[3].body == "Still looking."
    assert fates(bring()) == (0, 0, THINGS)


def test_a_reopened_incident_speaks_again(
    session: Session, bring: Import, there: FakeStatuspage
) -> None:
    """Theirs wins for an incident that only they wrote to, also backwards."""
    bring()
    item = there.incidents[2]
    again = update("again", "investigating", "Again.", there.now)
    item["incident_updates"].insert(0, again)
    item |= {"status": "investigating", "resolved_at": None, "impact": "critical"}
    item["components"] = [{"id": "cmp0web", "name": "Website", "status": "major_outage"}]
    bring()
    row = incident(session, "statuspage:inc00002")
    assert (row.status, row.resolved_at) == (IncidentStatus.INVESTIGATING, None)
    assert row.impact is Impact.CRITICAL
    assert shown(session, "website") is ComponentStatus.MAJOR_OUTAGE


def test_what_is_here_under_the_name_is_taken_over(
    session: Session, page: Page, bring: Import
) -> None:
    """A component and a group made here before become the imported ones, with their slug and history."""
    mine = groups.create(session, page, name="Sky", description="Ours")
    api = scenes.component(session, page, "API", slug="our-api", description="Our words")
    mail = scenes.component(session, page, "Mail", group_id=mine.id)
    assert fates(bring()) == (THINGS - 3, 3, 0)
    session.refresh(api)
    session.refresh(mine)
    assert (api.slug, api.origin, api.description) == (
        "our-api",
        "statuspage:cmp0api",
        "Our words",
    )
    assert (api.group_id, mine.origin, mine.description) == (mine.id, "statuspage:grp0sky", "Ours")
    # Someone looks after it here: theirs says nothing of it but through incidents.
    assert shown(session, "mail") is OPERATIONAL
    assert one(session, Component, slug="mail").id == mail.id
    assert fates(bring()) == (0, 0, THINGS)


def test_names_that_are_there_twice(
    session: Session, page: Page, bring: Import, there: FakeStatuspage
) -> None:
    """With two of one name the group decides which is taken over; what stays unclear is made anew."""
    sky = groups.create(session, page, name="Sky")
    in_sky = scenes.component(session, page, "Same", group_id=sky.id)
    alone = scenes.component(session, page, "Same", slug="alone")
    base = there.component("cmp0web")
    for id_, group in (("s1", "grp0yard"), ("s2", "grp0sky"), ("s3", "grp0sky")):
        there.components.append({**base, "id": id_, "name": "Same", "group_id": group})
    bring()
    rows = {row.origin: row for row in session.scalars(select(Component).filter_by(name="Same"))}
    assert rows.pop(None).id == alone.id
    assert rows["statuspage:s2"].id == in_sky.id
    assert {row.slug for row in rows.values()} == {"same", "same-2", "same-3"}


def test_what_a_person_said_or_wrote_here_stays(
    app: Flask, session: Session, page: Page, bring: Import, there: FakeStatuspage
) -> None:
    """A person's status, an incident that is worked on here, an archived component: an import keeps off."""
    bring()
    mail, website = one(session, Component, slug="mail"), one(session, Component, slug="website")
    components.set_status(session, page, mail, PARTIAL, note="Ours", actor="me")
    archive.archive(session, page, website, actor="me")
    open_one = incident(session, "statuspage:inc00000")
    incidents.resolve(session, page, open_one.id, body="We mended it.", actor="me")
    session.commit()
    there.component("cmp0mail")["status"] = "operational"
    there.component("cmp0web")["name"] = "Renamed"
    there.incidents[0]["name"] = "Still bad"
    there.component("cmp0api")["status"] = "major_outage"
    assert fates(bring()) == (0, 0, THINGS)
    assert shown(session, "mail") is PARTIAL
    session.refresh(website)
    assert website.name == "Website"
    assert website.archived_at is not None
    row = incident(session, "statuspage:inc00000")
    assert row.status is IncidentStatus.RESOLVED
    assert shown(session, "api") is OPERATIONAL


def test_a_word_of_the_import_can_be_taken_back(
    session: Session, page: Page, bring: Import, there: FakeStatuspage
) -> None:
    """The status of a component that nobody explains is a person's to take back, and stays so."""
    bring()
    components.set_status(session, page, one(session, Component, slug="mail"), None)
    session.commit()
    assert fates(bring()) == (0, 0, THINGS)
    assert shown(session, "mail") is OPERATIONAL


def test_a_word_of_the_import_follows_theirs(
    session: Session, bring: Import, there: FakeStatuspage
) -> None:
    """It becomes worse with theirs, and ends when theirs is well or not there any more."""
    bring()
    there.component("cmp0mail")["status"] = "major_outage"
    assert fates(bring()) == (0, 1, THINGS - 1)
    assert shown(session, "mail") is ComponentStatus.MAJOR_OUTAGE
    there.components = [item for item in there.components if item["id"] != "cmp0mail"]
    outcome = bring()
    assert fates(outcome) == (0, 1, THINGS - 1)
    assert shown(session, "mail") is OPERATIONAL
    assert one(session, Component, slug="mail").archived_at is None


def test_a_maintenance_only_goes_on(
    session: Session, page: Page, bring: Import, there: FakeStatuspage
) -> None:
    """What the clock began or ended here does not go back because theirs is behind."""
    bring()
    for origin, status in (("mnt00000", "in_progress"), ("mnt00001", "completed")):
        row = one(session, Maintenance, origin=f"statuspage:{origin}")
        row.status = MaintenanceStatus(status)
        row.started_at, row.ended_at = there.now, there.now if status == "completed" else None
        clock = MaintenanceUpdate(maintenance_id=row.id, number=9, status=row.status, body="Clock")
        session.add(clock)
        session.commit()
    outcome = bring()
    assert outcome.new == 0
    statuses = {row.origin: row.status.value for row in session.scalars(select(Maintenance))}
    assert statuses["statuspage:mnt00000"] == "in_progress"
    assert statuses["statuspage:mnt00001"] == "completed"
    row = one(session, Maintenance, origin="statuspage:mnt00000")
    assert (row.started_at, row.next_at) == (there.now, row.scheduled_end)


def test_a_window_that_is_past_waits_for_theirs(
    session: Session, bring: Import, there: FakeStatuspage
) -> None:
    """One that should have begun or ended is left to theirs: the clock would tell subscribers of it."""
    late, overrun = there.maintenances[0], there.maintenances[1]
    late["scheduled_for"] = written(there.now - timedelta(hours=1))
    overrun["scheduled_until"] = written(there.now - timedelta(minutes=1))
    bring()
    for origin in ("mnt00000", "mnt00001"):
        assert one(session, Maintenance, origin=f"statuspage:{origin}").next_at is None


def test_reminders_that_are_past_are_not_sent(
    app: Flask, session: Session, page: Page, there: FakeStatuspage
) -> None:
    """Of the reminders asked for, those whose time is over count as sent."""
    there.maintenances[0]["scheduled_for"] = written(there.now + timedelta(hours=2))
    there.publish()
    importing.run(session, page, source(app, there), remind_before=[60, 1440])
    session.commit()
    row = one(session, Maintenance, origin="statuspage:mnt00000")
    assert (row.remind_before, row.reminded) == ([1440, 60], [1440])
    assert row.next_at == there.now + timedelta(hours=1)


def test_an_old_open_incident_is_found_in_the_summary(
    session: Session, bring: Import, there: FakeStatuspage
) -> None:
    """incidents.json ends after the newest; what is open stands in the summary too."""
    old = there.incidents[0] | {"id": "ancient", "name": "Ancient"}
    old["incident_updates"] = [{**item, "id": f"a{item['id']}"} for item in old["incident_updates"]]
    there.more_unresolved = [old]
    assert bring().incidents == 31
    assert incident(session, "statuspage:ancient").status.is_open


def test_components_that_are_gone_are_left_out(
    session: Session, bring: Import, there: FakeStatuspage
) -> None:
    """An incident about a deleted component keeps its words and its other components."""
    there.incidents[4]["components"].append({"id": "gone", "name": "Gone", "status": "operational"})
    bring()
    row = incident(session, "statuspage:inc00004")
    assert [item.component.slug for item in row.affected] == ["api"]


def test_into_two_pages(
    app: Flask, session: Session, page: Page, bring: Import, there: FakeStatuspage
) -> None:
    """One source may be imported into several pages, each with rows of its own."""
    bring()
    other = Page(slug="other", name="Other")
    session.add(other)
    session.flush()
    outcome = importing.run(session, other, source(app, there))
    session.commit()
    assert fates(outcome) == (THINGS, 0, 0)
    assert len(session.scalars(select(Incident)).all()) == 60


def test_a_rollback_leaves_nothing(
    app: Flask, session: Session, page: Page, there: FakeStatuspage
) -> None:
    """Until the commit nothing happened: a dry run is an import that is rolled back."""
    before = contents(session)
    with scenes.listening(app) as heard:
        assert importing.run(session, page, source(app, there)).new == THINGS
        session.rollback()
    assert contents(session) == before
    assert heard == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_broken_incident_stops_all(
    app: Flask, session: Session, page: Page, there: FakeStatuspage
) -> None:
    """All or nothing, and the place is named."""
    there.incidents[29]["impact"] = ["major"]
    there.publish()
    before = contents(session)
    with pytest.raises(Invalid) as raised:
        importing.run(session, page, source(app, there))
    assert [error.field for error in raised.value.errors] == ["incidents[29].impact"]
    assert contents(session) == before


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_two_imports_at_once(
    app: Flask, session: Session, page: Page, there: FakeStatuspage
) -> None:
    """The second waits for the first and then finds everything there."""
    pages_source = source(app, there)

    def once(session: Session, page: Page) -> Outcome:
        return importing.run(session, page, pages_source)

    outcomes = scenes.at_once(app, once, once)
    assert sorted(fates(outcome) for outcome in outcomes if isinstance(outcome, Outcome)) == [
        (0, 0, THINGS),
        (THINGS, 0, 0),
    ], outcomes
    assert len(session.scalars(select(IncidentUpdate)).all()) == 28 * 4 + 2 + 5


def test_a_large_page(app: Flask, session: Session, page: Page, there: FakeStatuspage) -> None:
    """Two thousand components take seconds, and a fixed number of statements when nothing changed."""
    base = there.component("cmp0web")
    there.components += [
        {**base, "id": f"many{number}", "name": f"Node {number % 50}"}
        for number in range(2000 - len(there.components))
    ]
    there.publish()
    started = utc_now()
    first = source(app, there)
    assert importing.run(session, page, first).new == 2000 + 34
    session.commit()
    assert scenes.since(started) < 30
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    event.listen(current_engine(), "before_cursor_execute", note)
    try:
        outcome = importing.run(session, page, first)
    finally:
        event.remove(current_engine(), "before_cursor_execute", note)
    assert fates(outcome) == (0, 0, 2034)
    assert len(sent) < 15, sent
    session.commit()
