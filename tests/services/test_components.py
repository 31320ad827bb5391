"""Components and groups: their fields, their order, how they leave a page and come back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Conflict, Invalid, NotFound
from flask_statuspage.services import (
    archive,
    components,
    conditions,
    groups,
    incidents,
    monitoring,
    monitors,
    ordering,
    overview,
    pages,
    subscription_changes,
    subscriptions,
)
from flask_statuspage.storage import components as stored
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Component, Condition, StatusInterval
from flask_statuspage.storage.maintenances import MaintainedComponent, Maintenance
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.team import AuditEntry

from . import scenes

OPERATIONAL = ComponentStatus.OPERATIONAL
MAJOR = ComponentStatus.MAJOR_OUTAGE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE


def entries(session: Session, subject: str = "component") -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.subject == subject).order_by(AuditEntry.id)
    return list(session.scalars(query))


def window(
    session: Session, page: Page, component: Component, status: MaintenanceStatus
) -> Maintenance:
    """A maintenance of *component* in that status."""
    now = utc_now()
    row = Maintenance(
        page_id=page.id,
        title="Upgrade",
        status=status,
        scheduled_start=now,
        scheduled_end=now + timedelta(hours=1),
        affected=[MaintainedComponent(component=component)],
    )
    session.add(row)
    session.commit()
    return row


def restored(session: Session, page: Page, row: Component, **options: Any) -> Component:
    return archive.restore(session, page, row, actor="ann", **options)


# Fields


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", ["", "  ", "a\nb", "x" * 201]),
        ("description", ["x" * 10_001]),
        ("position", [-1, 1_000_001]),
        (
            "start_date",
            [date(1989, 12, 31), date.today() + timedelta(days=368), datetime.now(UTC)],
        ),
    ],
)
def test_what_a_field_may_not_hold(
    session: Session, page: Page, field: str, values: list[Any]
) -> None:
    """Host code and files are told the field and the reason, as the API is, and nothing is written."""
    api = scenes.component(session, page)
    for value in values:
        with pytest.raises(Invalid) as created:
            components.create(session, page, **{"name": "New", field: value})
        with pytest.raises(Invalid) as changed:
            components.change(session, page, api, {field: value}, actor=None)
        for error in (created.value, changed.value):
            assert [one.field for one in error.errors] == [field]
    session.commit()
    assert session.scalar(select(func.count(Component.id))) == 1


def test_the_fields_of_a_component(session: Session, page: Page) -> None:
    """Start date and showcase are kept by every database; the audit has what differs, and nothing for nothing."""
    api = scenes.component(session, page, start_date=date(2024, 2, 29))
    assert (api.start_date, api.showcase) == (date(2024, 2, 29), True)
    values = {"start_date": None, "showcase": False, "name": "API"}
    components.change(session, page, api, values, actor="ann")
    session.commit()
    session.expire_all()
    api = components.get(session, page, "api")
    assert (api.start_date, api.showcase) == (None, False)
    assert entries(session)[-1].before == {"start_date": "2024-02-29", "showcase": True}
    assert entries(session)[-1].after == {"start_date": None, "showcase": False}
    updated_at, count = api.updated_at, len(entries(session))
    components.change(session, page, api, values, actor="ann")
    session.commit()
    assert (api.updated_at, len(entries(session))) == (updated_at, count)


# A person's word


def test_saying_the_same_again(session: Session, page: Page) -> None:
    """The same word again is no event; the audit has an entry only for what is new about it."""
    api = scenes.component(session, page)
    until = (utc_now() + timedelta(hours=1)).replace(microsecond=0)
    components.set_status(session, page, api, MAJOR, note="Seen", actor="ann")
    session.commit()
    told, count = scenes.names(session), len(entries(session))
    components.set_status(session, page, api, MAJOR, note="Seen", actor="ann")
    session.commit()
    assert (scenes.names(session), len(entries(session))) == (told, count)
    components.set_status(session, page, api, MAJOR, note="Still", until=until, actor="bob")
    session.commit()
    assert scenes.names(session) == told
    (condition,) = session.scalars(select(Condition))
    assert (condition.note, condition.until, condition.actor) == ("Still", until, "bob")
    entry = entries(session)[-1]
    assert entry.actor == "bob"
    assert entry.before == {"note": "Seen", "until": None, "by": "ann"}
    assert entry.after == {"note": "Still", "until": until.isoformat(), "by": "bob"}
    components.set_status(session, page, api, None, actor="bob")
    components.set_status(session, page, api, None, actor="bob")
    session.commit()
    assert entries(session)[-1].before["status"] == "major_outage"
    assert entries(session)[-1].after == {
        "status": "operational",
        "said": None,
        "note": "",
        "until": None,
        "by": None,
    }
    assert len(entries(session)) == count + 2


def test_the_history_knows_where_a_status_came_from(session: Session, page: Page) -> None:
    """Each interval has the source that decided when it began, and the person if it was one."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api", open_incident=False)
    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN)])
    components.set_status(session, page, api, MAJOR, actor="ann")
    incident = incidents.open(session, page, title="Fire", affected={"api": PARTIAL})
    monitoring.record(session, [scenes.result(watcher, Verdict.UP, seconds=1)])
    components.set_status(session, page, api, None)
    components.set_status(session, page, api, MAJOR, actor="bob")
    components.set_status(session, page, api, None)
    incidents.resolve(session, page, incident.id)
    session.commit()
    rows = [(row.status.value, row.source, row.actor) for row in scenes.history(session, api)]
    assert rows == [
        ("operational", None, None),
        ("unknown", "monitor", None),
        ("major_outage", "monitor", None),  # ann's word comes later and changes nothing
        ("partial_outage", "incident", None),
        ("major_outage", "manual", "bob"),
        ("partial_outage", "incident", None),
        ("operational", "monitor", None),
    ]


def test_monitors_do_not_count_while_a_maintenance_lasts(session: Session, page: Page) -> None:
    """Its monitor cannot make a component worse than the maintenance does, an incident can; afterwards it counts."""
    api = scenes.component(session, page)
    watcher = scenes.monitor(session, page, component="api", open_incident=False)
    monitoring.record(session, [scenes.result(watcher, Verdict.UP)])
    under = ComponentStatus.UNDER_MAINTENANCE
    conditions.say(session, page, api, under, source="maintenance", reference="window")
    session.commit()
    count = len(scenes.names(session, "component."))
    monitoring.record(session, [scenes.result(watcher, Verdict.DOWN, seconds=1)])
    session.commit()
    assert scenes.shown(session, api) is under
    assert len(scenes.names(session, "component.")) == count
    incident = incidents.open(session, page, title="Fire", affected={"api": PARTIAL})
    assert scenes.shown(session, api) is PARTIAL
    incidents.resolve(session, page, incident.id)
    assert scenes.shown(session, api) is under
    conditions.hush(session, page, [api], source="maintenance", reference="window")
    session.commit()
    assert scenes.shown(session, api) is MAJOR
    assert scenes.history(session, api)[-1].source == "monitor"
    with pytest.raises(ValueError, match="gossip"):
        conditions.say(session, page, api, MAJOR, source="gossip")


# Words that expire


def expired(session: Session, row: Component) -> None:
    session.execute(
        update(Condition)
        .where(Condition.component_id == row.id)
        .values(until=utc_now() - timedelta(seconds=1))
    )
    session.commit()


def test_whether_a_word_is_over(session: Session, page: Page) -> None:
    """Only a word whose end has come is due; dropping it is audited as the extension's own doing."""
    api = scenes.component(session, page)
    assert not stored.any_expired(session, utc_now())
    until = utc_now() + timedelta(hours=1)
    components.set_status(session, page, api, MAJOR, until=until, actor="ann")
    session.commit()
    assert not stored.any_expired(session, utc_now())
    assert stored.any_expired(session, until)
    expired(session, api)
    assert conditions.expire(session) == 1
    session.commit()
    assert not stored.any_expired(session, utc_now() + timedelta(days=1))
    entry = entries(session)[-1]
    assert (entry.actor, entry.action) == ("system", "expire")
    assert (entry.before["status"], entry.before["by"]) == ("major_outage", "ann")
    assert entry.after == {"status": "operational", "said": None}


def test_two_workers_let_words_expire_at_once(app: Flask, session: Session, page: Page) -> None:
    """Each word is dropped, told and audited once, however many workers look at the same time."""
    rows = [scenes.component(session, page, f"C{number}") for number in range(5)]
    for row in rows:
        components.set_status(session, page, row, MAJOR, until=utc_now() + timedelta(hours=1))
        session.commit()
        expired(session, row)
    before = len(scenes.names(session, "component."))
    dropped = scenes.at_once(app, *[lambda other, _: conditions.expire(other)] * 4)
    assert sorted(str(count) for count in dropped) == ["0", "0", "0", "5"], dropped
    assert len(scenes.names(session, "component.")) == before + 5
    assert [entry.action for entry in entries(session)].count("expire") == 5
    assert {scenes.shown(session, row) for row in rows} == {OPERATIONAL}
    for row in rows:
        intervals = scenes.history(session, row)
        assert [one.ended_at for one in intervals[:-1]] == [two.started_at for two in intervals[1:]]


# Leaving and coming back


def test_one_without_history_is_deleted(session: Session, page: Page) -> None:
    """Nothing but the audit tells of a component that was made by mistake."""
    api = scenes.component(session, page)
    ident = api.id
    archive.remove(session, page, api, actor="ann")
    session.commit()
    assert session.scalar(select(func.count(Component.id))) == 0
    assert session.scalar(select(func.count(StatusInterval.id))) == 0
    entry = entries(session)[-1]
    assert (entry.actor, entry.action, entry.subject_id) == ("ann", "delete", ident)
    assert (entry.before["name"], entry.after) == ("API", None)
    assert scenes.component(session, page).slug == "api"


@pytest.mark.parametrize("what", ["status", "incident", "maintenance", "subscription"])
def test_one_with_history_is_archived(session: Session, page: Page, what: str) -> None:
    """A changed status, an incident, a maintenance or somebody's choice keep a component, out of every list."""
    api = scenes.component(session, page)
    if what == "status":
        components.set_status(session, page, api, MAJOR)
    elif what == "incident":
        over = IncidentStatus.RESOLVED
        incidents.open(session, page, title="Over", affected=["api"], status=over)
    elif what == "maintenance":
        window(session, page, api, MaintenanceStatus.COMPLETED)
    else:
        scenes.webhook(session, page, components=["api"])
    told = scenes.names(session)
    archive.remove(session, page, api, actor="ann")
    session.commit()
    session.expire_all()
    assert scenes.names(session) == told
    with pytest.raises(NotFound):
        components.get(session, page, "api")
    with pytest.raises(NotFound):
        components.get(session, page, str(api.id))
    assert overview.snapshot(session, page).components == ()
    (row,) = session.scalars(stored.archived(page.id))
    assert row.archived_at is not None
    assert session.scalars(select(Condition)).all() == []
    assert all(interval.ended_at for interval in scenes.history(session, row))
    entry = entries(session)[-1]
    assert entry.action == "archive"
    assert entry.before is not None
    assert entry.before["archived"] is False
    assert entry.after["archived"] is True
    assert scenes.component(session, page).slug == "api", "the slug is free again"


def test_what_is_needed_stays(session: Session, page: Page) -> None:
    """A monitor, an open incident (a draft too) and a maintenance that is not over keep a component on the page."""
    watched = scenes.component(session, page, "Watched")
    monitor = scenes.monitor(session, page, component="watched")
    burning = scenes.component(session, page, "Burning")
    draft = incidents.open(session, page, title="Fire", affected=["burning"], visibility="draft")
    planned = scenes.component(session, page, "Planned")
    upgrade = window(session, page, planned, MaintenanceStatus.SCHEDULED)
    session.commit()
    reasons = {"watched": "monitor", "burning": "'Fire'", "planned": "'Upgrade'"}
    for row in (watched, burning, planned):
        for leave in (archive.remove, archive.archive):
            with pytest.raises(Conflict, match=reasons[row.slug]):
                leave(session, page, row, actor=None)
            session.rollback()
    upgrade.status = MaintenanceStatus.IN_PROGRESS
    session.commit()
    with pytest.raises(Conflict, match="'Upgrade'"):
        archive.remove(session, page, planned, actor=None)
    session.rollback()
    monitors.remove(session, page, monitors.get(session, page, "m", lock=True), actor=None)
    assert session.get(type(monitor), monitor.id) is None
    incidents.resolve(session, page, draft.id)
    session.get_one(Maintenance, upgrade.id).status = MaintenanceStatus.CANCELLED
    session.commit()
    for slug in reasons:
        archive.remove(session, page, components.get(session, page, slug), actor=None)
    session.commit()
    assert len(session.scalars(stored.archived(page.id)).all()) == 3


def test_it_comes_back_with_its_history(session: Session, page: Page) -> None:
    """Restored, a component has its slug, is operational, and its history has a gap for the time away."""
    api = scenes.component(session, page)
    components.set_status(session, page, api, MAJOR)
    archive.archive(session, page, api, actor="ann")
    session.commit()
    told = scenes.names(session)
    assert archive.archive(session, page, api, actor="ann") is api
    api = restored(session, page, api)
    session.commit()
    assert restored(session, page, api) is api
    session.commit()
    assert (api.slug, api.status, api.archived_at) == ("api", OPERATIONAL, None)
    assert components.get(session, page, "api").id == api.id
    assert scenes.names(session) == told
    rows = scenes.history(session, api)
    assert [row.status for row in rows] == [OPERATIONAL, MAJOR, OPERATIONAL]
    assert rows[1].ended_at is not None
    assert rows[1].ended_at < rows[2].started_at == api.since
    assert rows[2].ended_at is None
    actions = [entry.action for entry in entries(session)]
    assert actions == ["create", "set_status", "archive", "restore"]
    assert entries(session)[-1].before["archived"] is True
    assert entries(session)[-1].after == {"archived": False, "slug": "api"}


def test_its_slug_is_taken_meanwhile(session: Session, page: Page) -> None:
    """It does not come back under a slug that nobody chose: that is a conflict, unless another one is named."""
    old = scenes.component(session, page)
    archive.archive(session, page, old, actor=None)
    new = scenes.component(session, page)
    assert new.slug == "api"
    session.commit()
    with pytest.raises(Conflict, match="'api'"):
        restored(session, page, old)
    session.rollback()
    with pytest.raises(Invalid, match="slug"):
        restored(session, page, old, slug="Not A Slug")
    session.rollback()
    assert restored(session, page, old, slug="old-api").slug == "old-api"
    session.commit()


def test_a_long_slug_is_archived_and_free_again(session: Session, page: Page) -> None:
    """Two components with the same longest slug can be archived one after the other."""
    longest = "x" * 80
    for _ in range(2):
        row = scenes.component(session, page, slug=longest)
        archive.archive(session, page, row, actor=None)
        session.commit()
    assert {len(row.slug) for row in session.scalars(select(Component))} == {80}


def test_nothing_is_said_of_an_archived_component(session: Session, page: Page) -> None:
    """An incident that is told later cannot make a component speak that has left the page."""
    api = scenes.component(session, page)
    over = incidents.open(
        session, page, title="Over", affected={"api": MAJOR}, status=IncidentStatus.RESOLVED
    )
    archive.archive(session, page, api, actor=None)
    session.commit()
    told = scenes.names(session)
    conditions.say(session, page, api, MAJOR, source="incident", reference=str(over.id))
    conditions.hush(session, page, [api], source="incident", reference=str(over.id))
    session.commit()
    assert (scenes.names(session), session.scalars(select(Condition)).all()) == (told, [])
    assert all(interval.ended_at for interval in scenes.history(session, api))
    with pytest.raises(NotFound):
        components.set_status(session, page, api, MAJOR)


def test_a_choice_of_an_archived_component_is_kept(session: Session, page: Page) -> None:
    """Who chose one component hears nothing while it is away, may change the events, and hears of it again."""
    api, web = scenes.component(session, page), scenes.component(session, page, "Web")
    hook = scenes.webhook(session, page, components=["api"])
    archive.archive(session, page, api, actor=None)
    session.commit()
    components.set_status(session, page, web, MAJOR)
    values = {"events": ["component.status_change"]}
    hook = subscriptions.get(session, page, hook.id, lock=True)
    subscription_changes.change(session, page, hook, values, actor="ann")
    session.commit()
    assert scenes.told(session, hook) == []
    components.set_status(session, page, restored(session, page, api), MAJOR)
    session.commit()
    assert scenes.told(session, hook) == ["component.status_change"]


def test_archived_while_an_incident_opens(app: Flask, session: Session, page: Page) -> None:
    """Either the incident is first and the component stays, or the incident finds no such component."""
    for number in range(6):
        slug = scenes.component(session, page, f"C{number}", status=PARTIAL).slug

        def leave(other: Session, its_page: Page, slug: str = slug) -> None:
            row = components.get(other, its_page, slug)
            archive.remove(other, its_page, row, actor=None)

        def burn(other: Session, its_page: Page, slug: str = slug) -> None:
            components.get(other, its_page, slug)
            incidents.open(other, its_page, title=slug, affected={slug: MAJOR})

        left, burnt = scenes.at_once(app, leave, burn)
        row = session.scalars(select(Component).where(Component.name == f"C{number}")).one()
        if left is None:
            assert isinstance(burnt, Invalid | NotFound), burnt
            assert row.archived_at is not None
        else:
            assert isinstance(left, Conflict), left
            assert (burnt, row.archived_at, row.status) == (None, None, MAJOR)


# Order


def test_the_order_of_components(session: Session, page: Page) -> None:
    """Those that are named come first in that order, the others follow as they were; saying it twice is no change."""
    for name in "ABCDE":
        scenes.component(session, page, name)
    rows = ordering.order_components(session, page, ["d", "b"], actor="ann")
    session.commit()
    assert [row.slug for row in rows] == ["d", "b", "a", "c", "e"]
    assert [state.fact.slug for state in overview.snapshot(session, page).components] == [
        *"dbace",
    ]
    (entry,) = entries(session, "page")
    assert (entry.actor, entry.action, entry.page_id) == ("ann", "order_components", page.id)
    assert (entry.before["d"], entry.after["d"]) == (4, 1)
    assert "e" not in entry.after
    ordering.order_components(session, page, ["d", "b"], actor="ann")
    ordering.order_components(session, page, [], actor="ann")
    session.commit()
    assert len(entries(session, "page")) == 1
    for wrong in (["nope"], ["a", "a"], ["a", str(rows[2].id)]):
        with pytest.raises(Invalid) as refused:
            ordering.order_components(session, page, wrong, actor="ann")
        assert [error.field for error in refused.value.errors] == ["components"]
        session.rollback()


def test_the_order_of_groups(session: Session, page: Page) -> None:
    """The same for groups, by name or id; components move with their groups."""
    rows = [groups.create(session, page, name=name) for name in "ABC"]
    for number, group in enumerate(rows):
        scenes.component(session, page, f"In {number}", group_id=group.id)
    ordered = ordering.order_groups(session, page, ["C", str(rows[0].id)], actor="ann")
    session.commit()
    assert [group.name for group in ordered] == ["C", "A", "B"]
    snapshot = overview.snapshot(session, page)
    assert [state.fact.group for state in snapshot.components] == ["C", "A", "B"]
    assert [entry.action for entry in entries(session, "page")] == ["order_groups"]
    with pytest.raises(Invalid, match="groups"):
        ordering.order_groups(session, page, ["C", "C"], actor="ann")


def test_equal_positions_keep_a_stable_order(session: Session, page: Page) -> None:
    """Components that share position and name come in the order in which they were made, in every list."""
    made = [scenes.component(session, page, "Same", position=5) for _ in range(4)]
    for _ in range(3):
        session.expire_all()
        assert [row.id for row in session.scalars(stored.of_page(page.id))] == [
            row.id for row in made
        ]


def test_one_group_of_each_name(app: Flask, session: Session, page: Page) -> None:
    """A page's groups have different names, also when two are made or renamed at once; other pages do not matter."""
    groups.create(session, page, name="Core")
    other = groups.create(session, page, name="Edge")
    groups.create(session, pages.create(session, name="Second"), name="Core")
    session.commit()
    with pytest.raises(Conflict, match="'Core'"):
        groups.create(session, page, name="Core")
    session.rollback()
    with pytest.raises(Conflict, match="'Core'"):
        groups.change(session, page, other, {"name": "Core"}, actor=None)
    session.rollback()
    groups.change(session, page, other, {"name": "Edge"}, actor=None)
    session.commit()
    assert [entry.action for entry in entries(session, "component-group")] == ["create"] * 3

    def make(another: Session, its_page: Page) -> None:
        groups.create(another, its_page, name="New")

    done = scenes.at_once(app, *[make] * 4)
    assert [one for one in done if one is None] == [None]
    assert {type(one) for one in done if one is not None} == {Conflict}


# Uptime


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        (None, None, 90.0),
        ("UTC", -4, 75.0),
        ("UTC", -20, 90.0),
        ("UTC", 1, None),
    ],
)
def test_uptime_counts_from_the_start_date(
    session: Session, page: Page, zone: str | None, start: int | None, expected: float | None
) -> None:
    """What was before a component's first day costs nothing and earns nothing."""
    today = datetime.now(UTC).date()
    first = None if start is None else today + timedelta(days=start)
    api = scenes.component(session, page, start_date=first)
    if zone:
        page.time_zone = zone
    now = utc_now()
    midnight = datetime.combine(today, datetime.min.time(), UTC)
    # Ten days of which one, from two days ago to yesterday, was an outage.
    begin, down, up = (midnight - timedelta(days=days) for days in (10, 2, 1))
    if start is None or start == -20:
        begin = now - timedelta(days=10)
        down, up = now - timedelta(days=2), now - timedelta(days=1)
    elif start == -4:
        # Four days that end at the last midnight: the rest of today is not observed.
        session.add(
            StatusInterval(component_id=api.id, status=ComponentStatus.UNKNOWN, started_at=midnight)
        )
    (row,) = [one for one in scenes.history(session, api) if one.status is OPERATIONAL]
    row.started_at, row.ended_at = begin, down
    session.add_all(
        [
            StatusInterval(component_id=api.id, status=MAJOR, started_at=down, ended_at=up),
            StatusInterval(
                component_id=api.id,
                status=OPERATIONAL,
                started_at=up,
                ended_at=midnight if start == -4 else now,
            ),
        ]
    )
    session.commit()
    (state,) = overview.snapshot(session, page).components
    assert state.uptime_percent == expected


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Tokyo", 9), ("UTC", 0), ("Etc/GMT+10", -10)])
def test_the_first_day_begins_in_the_pages_zone(
    session: Session, page: Page, zone: str, hours: int
) -> None:
    """Midnight of the start date is the page's: an outage that ends with it costs nothing, one second more does."""
    first = datetime.now(UTC).date() - timedelta(days=5)
    api = scenes.component(session, page, start_date=first)
    page.time_zone = zone
    begins = datetime.combine(first, datetime.min.time(), UTC) - timedelta(hours=hours)
    (row,) = scenes.history(session, api)
    row.status, row.started_at, row.ended_at = MAJOR, begins - timedelta(days=1), begins
    later = StatusInterval(component_id=api.id, status=OPERATIONAL, started_at=begins)
    session.add(later)
    session.commit()
    assert overview.snapshot(session, page).components[0].uptime_percent == 100.0
    row.ended_at = later.started_at = begins + timedelta(seconds=1)
    session.commit()
    assert overview.snapshot(session, page).components[0].uptime_percent == 99.99


def test_history_stays_whole_over_everything(session: Session, page: Page) -> None:
    """Whatever sources say and take back, each interval begins where the one before ended, and differs from it."""
    api = scenes.component(session, page)
    until = utc_now() + timedelta(hours=1)
    for number, status in enumerate([*ComponentStatus, None, *reversed(ComponentStatus)]):
        components.set_status(session, page, api, status, until=until)
        conditions.say(
            session,
            page,
            api,
            ComponentStatus.UNDER_MAINTENANCE if number % 3 else PARTIAL,
            source=("maintenance", "monitor", "incident")[number % 3],
        )
        if number % 2:
            conditions.hush(session, page, [api], source="maintenance")
        session.commit()
    rows = scenes.history(session, api)
    assert len(rows) > 5
    assert [one.ended_at for one in rows[:-1]] == [two.started_at for two in rows[1:]]
    assert all(one.status is not two.status for one, two in pairwise(rows))
    assert rows[-1].status is scenes.shown(session, api)
