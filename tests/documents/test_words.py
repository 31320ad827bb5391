"""The words of a page: the banner's sentence, days, times and durations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flask_statuspage.documents import banner as banners
from flask_statuspage.documents import words
from flask_statuspage.documents.banner import Banner
from flask_statuspage.documents.listing import past_days, sections
from flask_statuspage.documents.snapshot import Snapshot
from flask_statuspage.documents.words import Words
from flask_statuspage.domain.events import PUBLIC_EVENTS
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.status import ComponentStatus, Impact

from .conftest import (
    NOW,
    affected,
    ago,
    component_state,
    incident_fact,
    maintenance_fact,
    page_fact,
    snapshot_of,
)

OPERATIONAL = ComponentStatus.OPERATIONAL
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE


ENGLISH = Words("en", ZoneInfo("UTC"))


def banner(snapshot: Snapshot) -> Banner:
    return banners.banner(snapshot, ENGLISH)


def test_every_value_has_its_word() -> None:
    """No status, impact, state or event can be reached without a word for it."""
    assert set(words.STATUSES) == set(banners.BANNERS) == set(ComponentStatus)
    assert set(words.IMPACTS) == set(Impact)
    assert set(words.STATES) == {*IncidentStatus, *MaintenanceStatus}
    assert set(words.EVENTS) == set(PUBLIC_EVENTS)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (OPERATIONAL, "All systems operational"),
        (DEGRADED, "Degraded performance: Checkout"),
        (PARTIAL, "Partial outage: Checkout"),
        (MAJOR, "Major outage: Checkout"),
        (ComponentStatus.UNDER_MAINTENANCE, "Maintenance in progress: Checkout"),
        (ComponentStatus.UNKNOWN, "Status not known"),
    ],
)
def test_sentence_names_the_service(status: ComponentStatus, sentence: str) -> None:
    """The banner says the page's status and whom it concerns."""
    shown = banner(snapshot_of(component_state(1, "Checkout", status)))
    assert (shown.sentence, shown.status) == (sentence, status)


def test_a_name_keeps_its_direction_in_the_sentence() -> None:
    """A name in Hebrew stays by itself in an English banner; one that runs as the sentence does has no marks."""
    shown = banner(snapshot_of(component_state(1, "תשלם", MAJOR)))
    assert shown.sentence == "Major outage: \u2068תשלם\u2069"


def test_worst_wins_and_the_rest_is_counted() -> None:
    """Of several services only those in the worst status count."""
    states = [component_state(n, f"S{n}", MAJOR) for n in (1, 2, 3)]
    states.insert(0, component_state(9, "S9", DEGRADED))
    assert banner(snapshot_of(*states)).sentence == "Major outage: S1 and 2 more"


def test_incident_that_raises_the_page_is_named() -> None:
    """Where no service has the page's status, the incident that causes it is told."""
    snapshot = snapshot_of(
        component_state(1, "Checkout"), incidents=(incident_fact(1, "Odd things", impact="major"),)
    )
    assert banner(snapshot).sentence == "Partial outage: Odd things"


def test_fix_under_watch() -> None:
    """While all open incidents are monitored the banner keeps the heads-up."""
    checkout = component_state(1, "Checkout", DEGRADED)
    watched = incident_fact(1, "Slow checkout", "monitoring", components=(affected(checkout),))
    snapshot = snapshot_of(checkout, component_state(2, "Mail"), incidents=(watched,))
    shown = banner(snapshot)
    assert shown.sentence == "Fix in place, monitoring: Slow checkout"
    assert shown.status is DEGRADED


def test_fix_under_watch_gives_way_to_other_trouble() -> None:
    """A second incident or another impaired service is not hidden behind a fix."""
    checkout = component_state(1, "Checkout", DEGRADED)
    watched = incident_fact(1, "Slow checkout", "monitoring", components=(affected(checkout),))
    other = snapshot_of(checkout, component_state(2, "Mail", MAJOR), incidents=(watched,))
    assert banner(other).sentence == "Major outage: Mail"
    second = snapshot_of(checkout, incidents=(watched, incident_fact(2, "Lost mails")))
    assert banner(second).sentence == "Degraded performance: Checkout"


def test_several_fixes_under_watch() -> None:
    """The gravest of several monitored incidents is named."""
    incidents = (
        incident_fact(1, "Small", "monitoring", "minor"),
        incident_fact(2, "Large", "monitoring", "critical"),
    )
    sentence = banner(snapshot_of(incidents=incidents)).sentence
    assert sentence == "Fix in place, monitoring: Large and 1 more"


def test_a_maintenance_of_the_whole_page_is_named() -> None:
    """Where no service is under maintenance, the sentence has the title of what goes on."""
    snapshot = snapshot_of(
        component_state(1, "Checkout"),
        maintenances=(maintenance_fact(1, "New disks", "in_progress"),),
        status=ComponentStatus.UNDER_MAINTENANCE,
    )
    assert banner(snapshot).sentence == "Maintenance in progress: New disks"


def test_never_green_when_the_checks_have_stopped() -> None:
    """After three missed intervals of every monitor the status is not known."""
    late = component_state(1, "Website", last_check_at=NOW - timedelta(seconds=181))
    shown = banner(snapshot_of(late, component_state(2, "Blog", measured=False)))
    assert (shown.status, shown.sentence) == (ComponentStatus.UNKNOWN, "Status not known")
    assert shown.checked_at == late.last_check_at
    in_time = replace(late, last_check_at=NOW - timedelta(seconds=180))
    assert banner(snapshot_of(in_time)).status is OPERATIONAL
    assert banner(snapshot_of(late, in_time)).status is OPERATIONAL


def test_without_monitors_nothing_goes_stale() -> None:
    """Services that people set by hand stay as they were set."""
    snapshot = snapshot_of(component_state(1, "Website", measured=False))
    assert banner(snapshot).status is OPERATIONAL


def test_services_shown_only_while_degraded() -> None:
    """Such a service appears with its trouble, and its group with it."""
    hidden = component_state(1, "Backup", only_show_if_degraded=True)
    assert sections(snapshot_of(hidden)) == ()
    shown = component_state(1, "Backup", DEGRADED, only_show_if_degraded=True)
    [section] = sections(snapshot_of(shown))
    assert (section.members, section.status) == ((shown,), DEGRADED)


def test_past_days_are_fourteen_in_the_zone_of_the_page() -> None:
    """An incident stands on the day on which it began for the page's readers."""
    late_evening = datetime(2026, 2, 17, 23, 30, tzinfo=UTC)
    over = incident_fact(1, "Over", "resolved", started_at=late_evening, resolved_at=ago(days=1))
    older = incident_fact(2, "Older", "resolved", started_at=ago(days=20), resolved_at=ago(days=19))
    still = incident_fact(3, "Open", started_at=ago(days=1))
    incidents = (still, over, older)

    def begun(zone: str) -> list[tuple[str, list[str]]]:
        snapshot = snapshot_of(incidents=incidents, page=page_fact(time_zone=zone))
        days = past_days(snapshot, Words("en", ZoneInfo(zone)))
        assert len(days) == 14
        return [(d.date.iso, [i.title for i in d.incidents]) for d in days if d.incidents]

    assert begun("UTC") == [("2026-02-18", ["Open"]), ("2026-02-17", ["Over"])]
    assert begun("Europe/Berlin") == [("2026-02-18", ["Open", "Over"])]


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "19 Feb 2026, 17:30 UTC"),
        ("America/New_York", "19 Feb 2026, 12:30 EST"),
        ("Asia/Dubai", "19 Feb 2026, 21:30 UTC+04"),
    ],
)
def test_moment_names_its_zone(zone: str, text: str) -> None:
    """A zone without letters of its own is told by its distance from UTC."""
    moment = Words("en", ZoneInfo(zone)).moment(NOW)
    assert (moment.iso, moment.text) == ("2026-02-19T17:30:00+00:00", text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "less than a minute"),
        (59, "less than a minute"),
        (60, "1 min"),
        (3600, "1 h"),
        (4320, "1 h 12 min"),
        (90_000, "1 d 1 h"),
        (86_400 + 300, "1 d 5 min"),
    ],
)
def test_duration(seconds: int, text: str) -> None:
    """At most two units, the largest that apply."""
    assert ENGLISH.duration(NOW, NOW + timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 ms"), (9_999, "9999 ms"), (10_000, "10.0 s"), (119_999, "120.0 s")],
)
def test_milliseconds(number: int, text: str) -> None:
    """How long an answer took is told in the unit that people read at once."""
    assert ENGLISH.milliseconds(number) == text


def test_a_state_on_a_page_is_no_headline_of_a_message() -> None:
    """Chips have short words of their own: what a message says by itself would repeat what the page is about."""
    german = Words("de", ZoneInfo("UTC"))
    assert german.state(IncidentStatus.RESOLVED) == "Behoben"
    assert german.gettext("Resolved") == "Störung behoben"
    assert german.state(MaintenanceStatus.CANCELLED) == "Abgesagt"


def test_units_are_joined_as_the_language_does() -> None:
    """Between hours and minutes stands what the catalogue has for it."""
    arabic = Words("ar", ZoneInfo("UTC"))
    hours, minutes = arabic.seconds(3600), arabic.seconds(12 * 60)
    assert arabic.seconds(4320) == f"{hours} و{minutes}"
