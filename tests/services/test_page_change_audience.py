"""Whom the message of a page and transaction reaches, at which level, and what it costs where it reaches nobody."""

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
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.services import (
    components,
    events,
    incidents,
    maintenances,
    subscriptions,
)
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription

from . import scenes

DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
DOWN = ComponentStatus.MAJOR_OUTAGE


@pytest.fixture
def gator(session: Session, page: Page) -> Subscription:
    """A subscription in StatusGator's format to all of the page."""
    return scenes.webhook(session, page, format="statusgator")


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
    (row,) = scenes.events(session, PAGE_CHANGE)
    assert len(row.data["change"]["changes"]) == how_many
    assert len(asked) <= 14, asked


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
