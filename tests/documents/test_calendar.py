"""The calendar: what is in it, that it can be subscribed to, and that nothing typed breaks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from hypothesis import given, settings
from icalendar import Calendar

from flask_statuspage.documents.calendar import calendar
from flask_statuspage.documents.snapshot import Snapshot
from flask_statuspage.documents.time_zones import vtimezone
from flask_statuspage.domain.facts import IncidentFact, MaintenanceFact
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus

from .calendar_reader import events, parsed, utc
from .conftest import (
    NOW,
    affected,
    ago,
    component_state,
    incident_fact,
    maintenance_fact,
    page_fact,
    snapshot_of,
    update_fact,
    uuid,
)
from .hostile import TEXTS

API = component_state(1, "API, v2")
SITE = component_state(2, "Website")
WINDOW = maintenance_fact(
    1,
    "Database upgrade",
    components=(affected(API),),
    updates=(
        update_fact(2, "scheduled", "Later; not sooner", ago(hours=1), kind=MaintenanceStatus),
        update_fact(1, "scheduled", "It is short,\nwe think", ago(days=1), kind=MaintenanceStatus),
    ),
)


def of(*facts: IncidentFact | MaintenanceFact, **changes: object) -> Snapshot:
    return snapshot_of(
        API,
        SITE,
        incidents=tuple(fact for fact in facts if isinstance(fact, IncidentFact)),
        maintenances=tuple(fact for fact in facts if isinstance(fact, MaintenanceFact)),
        **changes,
    )


def test_a_maintenance_is_an_event() -> None:
    """Window in UTC, title, updates as text, address, state and categories come back from the calendar."""
    page = page_fact(time_zone="Europe/Berlin")
    (event,) = events(parsed(calendar(of(WINDOW, page=page))))
    assert event["UID"] == f"{WINDOW.id}@status.example.com"
    assert event["SUMMARY"] == "Maintenance: Database upgrade"
    assert event["DTSTART"].to_ical() == b"20260219T193000Z"
    assert event["DTEND"].to_ical() == b"20260219T203000Z"
    assert event["DESCRIPTION"] == (
        "Affected: API, v2\n\n"
        "Scheduled, 19 Feb 2026, 17:30 CET\nLater; not sooner\n\n"
        "Scheduled, 18 Feb 2026, 18:30 CET\nIt is short,\nwe think"
    )
    assert event["URL"] == f"https://status.example.com/maintenance/{WINDOW.id}"
    assert (event["STATUS"], event["TRANSP"]) == ("CONFIRMED", "TRANSPARENT")
    assert event["CATEGORIES"].to_ical() == b"Maintenance"
    assert utc(event["CREATED"].dt) == WINDOW.created_at
    assert utc(event["LAST-MODIFIED"].dt) == utc(event["DTSTAMP"].dt) == WINDOW.updated_at


def test_a_cancelled_one_says_so() -> None:
    """Its status is CANCELLED, and its title says so to readers that do not look at the status."""
    gone = replace(WINDOW, status=MaintenanceStatus.CANCELLED)
    (event,) = events(parsed(calendar(of(gone))))
    assert (event["STATUS"], event["SUMMARY"]) == ("CANCELLED", "Cancelled: Database upgrade")


def test_the_sequence_rises_with_each_change() -> None:
    """A word, a moved window (also within the same second) and the end each raise SEQUENCE; the UID stays."""
    steps = [
        replace(WINDOW, created_at=ago(hours=2), updated_at=ago(hours=2)),
        replace(WINDOW, created_at=ago(hours=2), updated_at=ago(hours=2), revision=1),
        replace(WINDOW, created_at=ago(hours=2), updated_at=ago(hours=1), revision=1),
        replace(WINDOW, created_at=ago(hours=2), updated_at=ago(minutes=5), revision=2),
    ]
    written = [events(parsed(calendar(of(step))))[0] for step in steps]
    numbers = [int(event["SEQUENCE"]) for event in written]
    assert numbers[0] == 0
    assert all(one < other for one, other in pairwise(numbers))
    assert len({str(event["UID"]) for event in written}) == 1


def test_an_incident_is_an_event() -> None:
    """One that is over lasts from its start to its end and tells its impact and state."""
    fact = incident_fact(
        1,
        "API down",
        "resolved",
        "critical",
        started_at=ago(hours=3),
        resolved_at=ago(hours=1),
        components=(affected(API), affected(SITE)),
        updates=(update_fact(1, "resolved", "Fixed", ago(hours=1)),),
    )
    (event,) = events(parsed(calendar(of(fact))))
    assert event["UID"] == f"{fact.id}@status.example.com"
    assert event["SUMMARY"] == "API down (Major outage, Resolved)"
    assert (utc(event["DTSTART"].dt), utc(event["DTEND"].dt)) == (ago(hours=3), ago(hours=1))
    assert "Affected: API, v2, Website" in event["DESCRIPTION"]
    assert "Resolved, 19 Feb 2026, 16:30 UTC\nFixed" in event["DESCRIPTION"]
    assert event["URL"] == f"https://status.example.com/incidents/{fact.id}"
    assert event["CATEGORIES"].to_ical() == b"Incident"
    assert event["TRANSP"] == "TRANSPARENT"


def test_an_open_incident_lasts_until_its_latest_update() -> None:
    """The end of an open one is its latest update, a quarter of an hour at least; it does not move with the clock."""
    told = update_fact(1, "identified", "We know", ago(hours=1))
    fact = incident_fact(1, "Slow", "identified", started_at=ago(hours=3), updates=(told,))
    (event,) = events(parsed(calendar(of(fact))))
    assert utc(event["DTEND"].dt) == ago(hours=1)
    new = incident_fact(1, "Slow", started_at=ago(hours=3))
    (event,) = events(parsed(calendar(of(new))))
    assert utc(event["DTEND"].dt) == ago(hours=3) + timedelta(minutes=15)


def test_no_event_ends_as_it_begins() -> None:
    """An end within the second of its start would be invalid: such an event lasts a minute."""
    blip = incident_fact(
        1,
        "Blip",
        "resolved",
        started_at=NOW,
        resolved_at=NOW + timedelta(milliseconds=700),
    )
    imported = replace(WINDOW, scheduled_end=WINDOW.scheduled_start)
    for event in events(parsed(calendar(of(blip, imported)))):
        assert utc(event["DTEND"].dt) - utc(event["DTSTART"].dt) == timedelta(minutes=1)


def test_a_reader_can_subscribe() -> None:
    """The head has product, version, name, address and how often to ask again; no METHOD, which needs an organizer."""
    data = calendar(of(WINDOW))
    head = parsed(data)
    assert (head["VERSION"], head["CALSCALE"]) == ("2.0", "GREGORIAN")
    assert head["PRODID"] == "-//Flask-StatusPage//Status page//EN"
    assert head["NAME"] == head["X-WR-CALNAME"] == "FacioTech Status"
    assert head["SOURCE"] == "https://status.example.com/api/calendar.ics"
    assert b"\r\nREFRESH-INTERVAL;VALUE=DURATION:PT15M\r\n" in data
    assert b"\r\nX-PUBLISHED-TTL:PT15M\r\n" in data
    assert head["UID"] == f"{uuid(1)}@status.example.com"
    assert "METHOD" not in head


def test_the_calendar_of_a_component() -> None:
    """It has the component in its name, an address of its own, and only what is about that component."""
    data = calendar(
        of(WINDOW, incident_fact(1, "Site down", components=(affected(SITE),))).about(SITE)
    )
    head = parsed(data)
    assert head["NAME"] == head["X-WR-CALNAME"] == "FacioTech Status: Website"
    assert head["SOURCE"] == "https://status.example.com/components/service-2/calendar.ics"
    assert [str(event["SUMMARY"]) for event in events(head)] == [
        "Site down (Degraded performance, Investigating)"
    ]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_an_empty_calendar_is_valid(zone: str) -> None:
    """A calendar must have a component; where nothing happens it is the page's zone."""
    head = parsed(calendar(snapshot_of(page=page_fact(time_zone=zone))))
    (component,) = head.subcomponents
    assert (component.name, component["TZID"]) == ("VTIMEZONE", zone)


def test_five_hundred_events() -> None:
    """Many events are all there, each with a UID of its own."""
    facts = [incident_fact(1000 + number, f"Incident {number}") for number in range(500)]
    found = events(parsed(calendar(of(*facts))))
    assert len({str(event["UID"]) for event in found}) == 500


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    """Nothing in it is of the moment in which it was written."""
    snapshot = of(WINDOW, incident_fact(1, "Down"))
    assert calendar(snapshot) == calendar(replace(snapshot, generated_at=NOW + timedelta(days=9)))


@settings(deadline=None)
@given(title=TEXTS, body=TEXTS, name=TEXTS, page=TEXTS)
def test_hostile_text_breaks_no_calendar(title: str, body: str, name: str, page: str) -> None:
    """Lines end in CRLF, have 75 bytes at most and no control characters; no event is there but those meant."""
    state = component_state(1, name)
    incident = replace(
        incident_fact(1, title, components=(affected(state),)),
        updates=(update_fact(1, "investigating", body, NOW),),
    )
    snapshot = snapshot_of(
        state,
        page=page_fact(name=page),
        incidents=(incident,),
        maintenances=(replace(WINDOW, title=title, components=(affected(state),)),),
    )
    data = calendar(snapshot.about(state))
    lines = data.split(b"\r\n")
    assert lines.pop() == b""
    for line in lines:
        assert len(line) <= 75
        assert not set(line.decode()) & {chr(code) for code in (*range(32), 127)} - {"\t"}
    assert [line for line in lines if line.startswith(b"BEGIN:")] == [
        b"BEGIN:VCALENDAR",
        b"BEGIN:VEVENT",
        b"BEGIN:VEVENT",
    ]
    text = parsed(data).to_ical()
    assert Calendar.from_ical(text).to_ical() == text


@pytest.mark.parametrize("status", list(IncidentStatus))
def test_every_state_has_its_word(status: IncidentStatus) -> None:
    """The title of an incident's event ends in its state."""
    (event,) = events(parsed(calendar(of(incident_fact(1, "Down", status.value)))))
    assert event["SUMMARY"].endswith(f", {status.value.capitalize()})")


ZONES = [
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Santiago",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Pacific/Apia",
    "UTC",
]


@pytest.mark.parametrize("key", ZONES)
def test_zones_are_told_as_they_are(key: str) -> None:
    """A reader that trusts the VTIMEZONE alone has the right offset at each time, also next to changes of the clock."""
    lines = vtimezone(key, 2019, 2030).to_ical().decode().replace("\r\n ", "")
    told, zone = tzical(StringIO(lines)).get(key), ZoneInfo(key)
    assert told is not None
    wall, checked = datetime(2019, 1, 2), 0
    while wall < datetime(2030, 12, 30):
        real = {wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
        if len(real) == 1:  # neither left out nor twice
            assert {wall.replace(tzinfo=told).utcoffset()} == real, wall
            checked += 1
        near = any(
            wall.replace(tzinfo=zone).utcoffset()
            != (wall + timedelta(hours=hours)).replace(tzinfo=zone).utcoffset()
            for hours in (-5, 5)
        )
        wall += timedelta(minutes=15) if near else timedelta(hours=5)
    assert checked > 10_000


def test_times_are_whole_seconds_in_utc() -> None:
    """Whatever fraction or zone a time has, the calendar has it to the second in UTC."""
    start = datetime(2026, 7, 1, 12, 0, 0, 999, tzinfo=ZoneInfo("Europe/Berlin"))
    fact = replace(WINDOW, scheduled_start=start, scheduled_end=start + timedelta(hours=1))
    (event,) = events(parsed(calendar(of(fact))))
    assert event["DTSTART"].dt == datetime(2026, 7, 1, 10, tzinfo=UTC)
