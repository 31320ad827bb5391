"""Whoever is told of the end of something is told of its beginning, and the other way round."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.services import (
    incidents,
    maintenance_edits,
    maintenances,
    recipients,
    subscriptions,
)
from flask_statuspage.services.facts import incident as fact_of
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription

from . import scenes

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

DOWN = ComponentStatus.MAJOR_OUTAGE


@pytest.fixture
def services(session: Session, page: Page) -> None:
    for name in ("Website", "Shop"):
        scenes.component(session, page, name)


def reader(
    session: Session, page: Page, *components: str, channel: str = "sms", **options: Any
) -> Subscription:
    """Somebody who wants what is usual for the channel, of these services or all."""
    number = next(scenes.numbers)
    address = f"+4915112345{number:03}" if channel == "sms" else f"reader-{number}@example.com"
    wish = Wish(channel=channel, address=address, components=list(components), **options)
    row = subscriptions.subscribe(session, page, wish, proven=True)
    session.commit()
    return row


def fire(session: Session, page: Page, *slugs: str) -> Incident:
    incident = incidents.open(session, page, title="Fire", affected=dict.fromkeys(slugs, DOWN))
    session.commit()
    return incident


def bodies(session: Session, of: Subscription) -> list[str]:
    return [name for name in scenes.told(session, of) if not name.startswith("subscription.")]


@pytest.mark.usefixtures("services")
def test_a_service_that_is_taken_off(session: Session, page: Page) -> None:
    """Its readers hear that it was, and of the end; of what is told in between they do not."""
    text, mail = reader(session, page, "website"), reader(session, page, "website", channel="email")
    machine = scenes.webhook(session, page, format="statusmate", components=["website"])
    incident = fire(session, page, "website", "shop")
    incidents.update(session, page, incident.id, body="It is the shop.", affected=["shop"])
    incidents.update(session, page, incident.id, body="We look.")
    incidents.update(session, page, incident.id, body="We still look.")
    session.commit()
    incidents.resolve(session, page, incident.id, body="Over.")
    session.commit()
    begun_and_over = ["incident.created", "incident.resolved"]
    assert bodies(session, text) == begun_and_over
    told = bodies(session, mail)
    assert (told[:2], told[-1]) == (["incident.created", "incident.updated"], "incident.resolved")
    assert 3 <= len(told) < 6
    assert [name for name in bodies(session, machine) if name in begun_and_over] == begun_and_over


@pytest.mark.usefixtures("services")
def test_a_service_that_is_added(session: Session, page: Page) -> None:
    """Its readers hear of the beginning by the update that adds it; those who heard of it already hear nothing more."""
    added = reader(session, page, "shop")
    known = [reader(session, page, *chosen) for chosen in ((), ("website",), ("website", "shop"))]
    chose = reader(session, page, "shop", events=["incident.created", "incident.resolved"])
    incident = fire(session, page, "website")
    incidents.update(
        session, page, incident.id, body="Also the shop.", affected={"website": DOWN, "shop": DOWN}
    )
    incidents.update(session, page, incident.id, body="We look.")
    incidents.resolve(session, page, incident.id, body="Over.")
    session.commit()
    assert bodies(session, added) == ["incident.updated", "incident.resolved"]
    for one in known:
        assert bodies(session, one) == ["incident.created", "incident.resolved"]
    assert bodies(session, chose) == ["incident.resolved"]


@pytest.mark.usefixtures("services")
def test_an_incident_that_opens_again(session: Session, page: Page) -> None:
    """Nobody is told twice that it is over without a word in between; what is counted is what is sent."""
    text = reader(session, page, "website")
    incident = fire(session, page, "website")
    incidents.resolve(session, page, incident.id, body="Over.")
    session.commit()
    incidents.reopen(session, page, incident.id, body="Again.")
    fact = fact_of(incident)
    ids = fact.concerned(at_its_end=False)
    counted = recipients.count(session, page, "incident.updated", ids, newly=fact.newly)
    assert counted == {"sms": 1}
    incidents.update(session, page, incident.id, body="We look.")
    incidents.resolve(session, page, incident.id, body="Over.")
    session.commit()
    assert bodies(session, text) == [
        *("incident.created", "incident.resolved"),
        *("incident.updated", "incident.resolved"),
    ]


@pytest.mark.usefixtures("services")
def test_a_maintenance_that_begins_unannounced(session: Session, page: Page) -> None:
    """Its start is its announcement; one that was announced is not told by text when it starts."""
    text = reader(session, page)
    now = utc_now()
    until = now + timedelta(hours=1)
    impromptu = maintenances.schedule(
        session, page, title="Deploy", scheduled_end=until, affected=["website"]
    )
    session.commit()
    assert bodies(session, text) == ["maintenance.started"]
    maintenances.complete(session, page, impromptu.id)
    session.commit()
    planned = maintenances.schedule(
        session,
        page,
        title="Move",
        scheduled_start=now + timedelta(hours=3),
        scheduled_end=now + timedelta(hours=4),
        affected=["website"],
    )
    maintenances.start(session, page, planned.id)
    maintenances.complete(session, page, planned.id)
    session.commit()
    assert bodies(session, text)[1:] == [
        *("maintenance.completed", "maintenance.scheduled", "maintenance.completed")
    ]


@pytest.mark.usefixtures("services")
def test_a_service_that_a_window_is_not_about_any_more(session: Session, page: Page) -> None:
    """Its readers are told of the change."""
    mail = reader(session, page, "website", channel="email")
    now = utc_now()
    planned = maintenances.schedule(
        session,
        page,
        title="Move",
        scheduled_start=now + timedelta(hours=3),
        scheduled_end=now + timedelta(hours=4),
        affected=["website", "shop"],
    )
    session.commit()
    maintenance_edits.edit(session, page, planned.id, {"components": ["shop"]})
    session.commit()
    assert bodies(session, mail) == ["maintenance.scheduled", "maintenance.updated"]
    row = session.scalars(select(EventRow).where(EventRow.name == "maintenance.updated")).one()
    assert [one["slug"] for one in row.data["components"]] == ["shop"]
