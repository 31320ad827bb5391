"""One message per page and transaction: what it tells, to whom, and when there is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event as hooks
from sqlalchemy.orm import Session

from flask_statuspage.delivery.formats import formats
from flask_statuspage.domain.events import PAGE_CHANGE
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.services import (
    archive,
    components,
    events,
    groups,
    incidents,
    maintenances,
    monitoring,
    page_changes,
    pages,
    subscriptions,
)
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription

from . import scenes

UP = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
DOWN = ComponentStatus.MAJOR_OUTAGE


@pytest.fixture
def gator(session: Session, page: Page) -> Subscription:
    """A subscription in StatusGator's format to all of the page."""
    return scenes.webhook(session, page, format="statusgator")


def change(session: Session) -> dict[str, Any]:
    """What the one message says."""
    (row,) = scenes.events(session, PAGE_CHANGE)
    return dict(row.data["change"])


def changed(session: Session) -> list[tuple[str, str, str]]:
    """Name, first and last status of each component in the one message."""
    return [(c["name"], c["previous_status"], c["status"]) for c in change(session)["changes"]]


def overall(session: Session) -> tuple[str, str]:
    told = change(session)
    return told["previous_status"], told["status"]


def test_one_message_tells_all_of_a_transaction(
    session: Session, page: Page, gator: Subscription
) -> None:
    """All components in the page's order with their groups, those that changed, and the page before and after."""
    core = groups.create(session, page, name="Core")
    scenes.component(session, page, "Web")
    scenes.component(session, page, "API", group_id=core.id)
    scenes.component(session, page, "Mail")
    incidents.open(
        session, page, title="Fire", body="It **burns**.", affected={"api": DOWN, "web": DEGRADED}
    )
    session.commit()
    assert scenes.told(session, gator) == [PAGE_CHANGE]
    told = change(session)
    assert [(c["group"], c["name"], c["status"]) for c in told["components"]] == [
        (None, "Web", "degraded_performance"),
        (None, "Mail", "operational"),
        ("Core", "API", "major_outage"),
    ]
    assert sorted(changed(session)) == [
        ("API", "operational", "major_outage"),
        ("Web", "operational", "degraded_performance"),
    ]
    assert overall(session) == ("operational", "major_outage")
    assert (told["title"], told["text"]) == ("Fire", "It **burns**.")


def test_one_message_for_each_transaction(
    session: Session, page: Page, gator: Subscription
) -> None:
    """Each commit that changes something has its own message, from where the last one ended."""
    api = scenes.component(session, page)
    for status in (DEGRADED, DOWN, None):
        components.set_status(session, page, api, status)
        session.commit()
    rows = scenes.events(session, PAGE_CHANGE)
    assert [
        (row.data["change"]["previous_status"], row.data["change"]["status"]) for row in rows
    ] == [
        ("operational", "degraded_performance"),
        ("degraded_performance", "major_outage"),
        ("major_outage", "operational"),
    ]


def test_two_changes_of_one_component_are_one(
    session: Session, page: Page, gator: Subscription
) -> None:
    """A component that changes twice is told once, from its first status to its last."""
    api = scenes.component(session, page)
    components.set_status(session, page, api, DEGRADED)
    components.set_status(session, page, api, DOWN)
    session.commit()
    assert changed(session) == [("API", "operational", "major_outage")]


def test_a_change_that_is_taken_back_is_none(
    session: Session, page: Page, gator: Subscription
) -> None:
    """A component that ends where it began is not among the changes, and alone makes no message."""
    api, web = scenes.component(session, page), scenes.component(session, page, "Web")
    components.set_status(session, page, api, DOWN)
    components.set_status(session, page, api, None)
    session.commit()
    assert scenes.events(session, PAGE_CHANGE) == []
    components.set_status(session, page, api, DOWN)
    components.set_status(session, page, web, DEGRADED)
    components.set_status(session, page, api, None)
    session.commit()
    assert changed(session) == [("Web", "operational", "degraded_performance")]
    assert overall(session) == ("operational", "degraded_performance")


def test_what_a_savepoint_takes_back_is_not_told(
    session: Session, page: Page, gator: Subscription
) -> None:
    """Changes that were rolled back with their savepoint are in no message; those around it are."""
    api, web = scenes.component(session, page), scenes.component(session, page, "Web")
    components.set_status(session, page, web, DEGRADED)
    savepoint = session.begin_nested()
    components.set_status(session, page, api, DOWN)
    savepoint.rollback()
    session.commit()
    assert changed(session) == [("Web", "operational", "degraded_performance")]
    assert overall(session) == ("operational", "degraded_performance")


def test_only_a_savepoint_that_is_rolled_back(
    session: Session, page: Page, gator: Subscription
) -> None:
    """A transaction whose only change was rolled back with its savepoint says nothing, and the next is whole."""
    api = scenes.component(session, page)
    pages.change(session, page, {"name": "Mine"}, actor=None)
    savepoint = session.begin_nested()
    components.set_status(session, page, api, DOWN)
    savepoint.rollback()
    components.set_status(session, page, api, DEGRADED)
    session.commit()
    assert changed(session) == [("API", "operational", "degraded_performance")]


def test_a_released_savepoint_counts(session: Session, page: Page, gator: Subscription) -> None:
    """Its changes are told with those of the transaction around it, in one message."""
    api, web = scenes.component(session, page), scenes.component(session, page, "Web")
    with session.begin_nested():
        components.set_status(session, page, api, DEGRADED)
    assert scenes.events(session, PAGE_CHANGE) == []
    components.set_status(session, page, web, DEGRADED)
    with session.begin_nested(), session.begin_nested():
        components.set_status(session, page, api, DOWN)
    session.commit()
    assert sorted(changed(session)) == [
        ("API", "operational", "major_outage"),
        ("Web", "operational", "degraded_performance"),
    ]


def test_a_transaction_that_is_rolled_back_says_nothing(
    session: Session, page: Page, gator: Subscription
) -> None:
    """Neither does what it noted reach the next transaction of the session."""
    api = scenes.component(session, page)
    components.set_status(session, page, api, DOWN)
    session.rollback()
    session.commit()
    assert scenes.events(session, PAGE_CHANGE) == []
    components.set_status(session, page, components.get(session, page, "api"), PARTIAL)
    session.commit()
    assert changed(session) == [("API", "operational", "partial_outage")]


def test_two_pages_in_one_transaction(session: Session, page: Page, gator: Subscription) -> None:
    """Each page has its own message, for its own subscribers."""
    other = pages.create(session, name="Other", slug="other", actor=None)
    session.commit()
    theirs = scenes.webhook(session, other, format="statusgator")
    here, there = scenes.component(session, page), scenes.component(session, other, "Disk")
    components.set_status(session, page, here, DOWN)
    components.set_status(session, other, there, DEGRADED)
    session.commit()
    told = {row.page_id: row for row in scenes.events(session, PAGE_CHANGE)}
    assert {
        page_id: [c["name"] for c in row.data["change"]["changes"]] for page_id, row in told.items()
    } == {page.id: ["API"], other.id: ["Disk"]}
    assert scenes.delivery(session, gator).event_id == told[page.id].id
    assert scenes.delivery(session, theirs).event_id == told[other.id].id


def test_a_host_transaction_is_one_message(
    session: Session, page: Page, gator: Subscription
) -> None:
    """What a host does in one transaction of its own, with several of our use cases, is told once."""
    scenes.component(session, page)
    scenes.component(session, page, "Web")
    session.rollback()
    with session.begin():
        own = session.get_one(Page, page.id)
        incident = incidents.open(session, own, title="Fire", affected={"api": DOWN})
        incidents.open(session, own, title="Smoke", affected={"web": DEGRADED})
        incidents.update(session, own, incident.id, body="Less.", affected={"api": PARTIAL})
    assert sorted(changed(session)) == [
        ("API", "operational", "partial_outage"),
        ("Web", "operational", "degraded_performance"),
    ]


def test_the_page_may_change_without_its_components(
    session: Session, page: Page, gator: Subscription
) -> None:
    """An incident's impact and a maintenance of the whole page change it: both lists of changes are empty."""
    incident = incidents.open(session, page, title="All of it", impact=Impact.MAJOR)
    session.commit()
    assert (changed(session), overall(session)) == ([], ("operational", "partial_outage"))
    assert change(session)["title"] == "All of it"
    incidents.resolve(session, page, incident.id)
    session.commit()
    last = scenes.events(session, PAGE_CHANGE)[-1].data["change"]
    assert (last["previous_status"], last["status"]) == ("partial_outage", "operational")
    assert (last["title"], last["text"]) == (None, "")
    now = utc_now()
    maintenances.schedule(
        session,
        page,
        title="New disks",
        status=MaintenanceStatus.IN_PROGRESS,
        scheduled_start=now,
        scheduled_end=now + timedelta(hours=1),
    )
    session.commit()
    last = scenes.events(session, PAGE_CHANGE)[-1].data["change"]
    assert (last["previous_status"], last["status"]) == ("operational", "under_maintenance")
    assert last["title"] == "New disks"


def test_words_alone_are_no_change(session: Session, page: Page, gator: Subscription) -> None:
    """An update that leaves the page as it is makes no message."""
    scenes.component(session, page)
    incident = incidents.open(session, page, title="Fire", affected={"api": DOWN})
    session.commit()
    incidents.update(session, page, incident.id, status=IncidentStatus.IDENTIFIED, body="Found.")
    session.commit()
    assert scenes.told(session, gator) == [PAGE_CHANGE]


def test_a_quiet_change_makes_no_message(session: Session, page: Page, gator: Subscription) -> None:
    """Neither one that nobody is to hear of, nor a first result; beside one that is told they are listed."""
    api, web = scenes.component(session, page), scenes.component(session, page, "Web")
    components.set_status(session, page, api, DOWN, notify=False)
    session.commit()
    watcher = scenes.monitor(session, page, component="web", open_incident=False)
    monitoring.record(session, [scenes.result(watcher, Verdict.UP)])
    session.commit()
    assert scenes.shown(session, web) is UP
    assert scenes.events(session, PAGE_CHANGE) == []
    components.set_status(session, page, api, PARTIAL, notify=False)
    components.set_status(session, page, web, DEGRADED)
    session.commit()
    assert sorted(changed(session)) == [
        ("API", "major_outage", "partial_outage"),
        ("Web", "operational", "degraded_performance"),
    ]
    (row,) = scenes.events(session, PAGE_CHANGE)
    assert row.component_ids == [str(web.id)]


def test_a_component_that_left_meanwhile(session: Session, page: Page, gator: Subscription) -> None:
    """It is told as changed, and is not among the components of the page any more."""
    api = scenes.component(session, page)
    scenes.component(session, page, "Web")
    components.set_status(session, page, api, DOWN)
    archive.archive(session, page, api, actor=None)
    session.commit()
    assert [c["name"] for c in change(session)["components"]] == ["Web"]
    assert changed(session) == [("API", "operational", "major_outage")]
    assert overall(session) == ("operational", "operational")


def test_other_formats_hear_of_each_component(
    session: Session, page: Page, gator: Subscription
) -> None:
    """The message stands for the single changes in its own formats only."""
    native = scenes.webhook(session, page)
    scenes.component(session, page)
    scenes.component(session, page, "Web")
    incidents.open(session, page, title="Fire", affected={"api": DOWN, "web": DOWN})
    session.commit()
    single = ["component.status_change"] * 2
    assert scenes.told(session, native) == [*single, "incident.created"]
    assert scenes.told(session, gator) == [PAGE_CHANGE]


def test_nobody_to_tell_costs_one_question(app: Flask, session: Session, page: Page) -> None:
    """Without a subscription in such a format no event is written, and the database is asked once."""
    scenes.webhook(session, page)
    rows = [scenes.component(session, page, f"C{number}") for number in range(5)]
    asked: list[str] = []

    def listen(*arguments: Any) -> None:
        asked.append(arguments[2])

    engine = session.get_bind()
    hooks.listen(engine, "before_cursor_execute", listen)
    try:
        for row in rows:
            components.set_status(session, page, row, DOWN)
        session.commit()
    finally:
        hooks.remove(engine, "before_cursor_execute", listen)
    assert len([one for one in asked if "DISTINCT" in one]) == 1
    assert scenes.events(session, PAGE_CHANGE) == []


@pytest.mark.parametrize("how_many", [1, 30])
def test_the_end_of_a_transaction_costs_the_same_however_much_it_changed(
    session: Session, page: Page, gator: Subscription, how_many: int
) -> None:
    """The page is read in a fixed number of queries before and after, not once per component."""
    scenes.webhook(session, page, format="statuspage")
    rows = [scenes.component(session, page, f"C{number}") for number in range(how_many)]
    for row in rows:
        components.set_status(session, page, row, DOWN)
    asked: list[str] = []

    def listen(*arguments: Any) -> None:
        asked.append(arguments[2])

    engine = session.get_bind()
    hooks.listen(engine, "before_cursor_execute", listen)
    try:
        session.commit()
    finally:
        hooks.remove(engine, "before_cursor_execute", listen)
    assert len(change(session)["changes"]) == how_many
    assert len(asked) <= 14, asked


def test_other_events_in_the_place_of_one_that_was_taken_back(
    session: Session, page: Page, gator: Subscription
) -> None:
    """What changes nothing that the page shows is not taken for a change, even with the number of one."""
    api, web = scenes.component(session, page), scenes.component(session, page, "Web")
    page_changes.watch(session, page)
    savepoint = session.begin_nested()
    components.set_status(session, page, api, DOWN)
    savepoint.rollback()
    row = subscriptions.get(session, page, gator.id)
    subscriptions.send_test(session, page, row)
    components.set_status(session, page, web, DEGRADED)
    session.commit()
    assert changed(session) == [("Web", "operational", "degraded_performance")]


def test_a_chosen_component(session: Session, page: Page) -> None:
    """A subscription that chose components gets the message only if one of them changed, and was to be told."""
    api, web = scenes.component(session, page), scenes.component(session, page, "Web")
    hook = scenes.webhook(session, page, format="statusgator", components=["web"])
    components.set_status(session, page, api, DOWN)
    session.commit()
    components.set_status(session, page, api, None)
    components.set_status(session, page, web, DOWN, notify=False)
    session.commit()
    incidents.open(session, page, title="All of it", impact=Impact.CRITICAL)
    session.commit()
    assert scenes.told(session, hook) == []
    components.set_status(session, page, web, PARTIAL)
    session.commit()
    assert scenes.told(session, hook) == [PAGE_CHANGE]


@pytest.mark.parametrize(("level", "heard"), [(None, 5), ("any", 5), ("warn", 4), ("down", 2)])
def test_levels(session: Session, page: Page, level: str | None, heard: int) -> None:
    """A change that stays below the subscription's level is silent."""
    hook = scenes.webhook(session, page, format="statusgator")
    hook.level = level
    api = scenes.component(session, page)
    now = utc_now()
    for status in (DEGRADED, DOWN, PARTIAL, None):
        components.set_status(session, page, api, status)
        session.commit()
    maintenances.schedule(
        session,
        page,
        title="New disks",
        status=MaintenanceStatus.IN_PROGRESS,
        affected=["api"],
        scheduled_start=now,
        scheduled_end=now + timedelta(hours=1),
    )
    session.commit()
    assert len(scenes.events(session, PAGE_CHANGE)) == 5
    assert len(scenes.told(session, hook)) == heard


def test_another_word_of_ours_is_not_always_one_of_theirs(
    session: Session, page: Page, gator: Subscription
) -> None:
    """From degraded to partly out is "warn" both times, so nobody who is told in those words hears of it."""
    api = scenes.component(session, page)
    components.set_status(session, page, api, DEGRADED)
    session.commit()
    components.set_status(session, page, api, PARTIAL)
    session.commit()
    assert len(scenes.events(session, PAGE_CHANGE)) == 2
    assert len(scenes.told(session, gator)) == 1


def test_many_subscriptions_get_it_by_the_task(
    session: Session, page: Page, gator: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the limit the message waits for the task that writes deliveries, like any event."""
    monkeypatch.setattr(events, "INLINE", 0)
    api = scenes.component(session, page)
    components.set_status(session, page, api, DOWN)
    session.commit()
    assert scenes.told(session, gator) == []
    while events.expand_waiting(session):
        session.commit()
    assert scenes.told(session, gator) == [PAGE_CHANGE]


def test_a_subscription_that_is_off_is_not_asked_for(
    session: Session, page: Page, gator: Subscription
) -> None:
    """Only active subscriptions make the message be written."""
    row = subscriptions.get(session, page, gator.id)
    subscriptions.disable(session, row, reason="by hand")
    session.commit()
    api = scenes.component(session, page)
    components.set_status(session, page, api, DOWN)
    session.commit()
    assert scenes.events(session, PAGE_CHANGE) == []


def test_the_status_of_the_page_stands_in_each_event(session: Session, page: Page) -> None:
    """For formats that tell it, all events of a transaction say how the page is at its end."""
    hook = scenes.webhook(session, page, format="statuspage")
    scenes.component(session, page)
    incidents.open(session, page, title="Fire", impact=Impact.CRITICAL, affected={"api": DEGRADED})
    session.commit()
    found = {row.name: row.data["page"].get("status") for row in scenes.events(session)}
    assert found == {"component.status_change": "major_outage", "incident.created": "major_outage"}
    assert sorted(scenes.told(session, hook)) == sorted(found)
    assert scenes.events(session, PAGE_CHANGE) == []


def test_what_is_recorded_is_what_the_format_reads(
    session: Session, page: Page, gator: Subscription
) -> None:
    """The event as services write it can be worded."""
    api = scenes.component(session, page)
    components.set_status(session, page, api, DOWN)
    session.commit()
    (row,) = scenes.events(session, PAGE_CHANGE)
    assert row.subject_id == page.id
    assert [UUID(one) for one in row.component_ids] == [api.id]
    assert '"message":"Major outage: API"' in formats["statusgator"].render(events.as_event(row))
    assert isinstance(row, EventRow)
