"""One message per page and transaction: what it tells, and when there is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from flask_statuspage.domain.events import PAGE_CHANGE
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.services import (
    archive,
    components,
    groups,
    incidents,
    maintenances,
    monitoring,
    page_changes,
    pages,
    subscriptions,
)
from flask_statuspage.storage.base import utc_now
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
