"""RSS and Atom: read back by feedparser, and held against what validators ask."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import struct_time
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings

from flask_statuspage.documents import feeds
from flask_statuspage.documents.snapshot import Snapshot
from flask_statuspage.documents.words import words_of
from flask_statuspage.domain.facts import IncidentFact, MaintenanceFact
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus

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
)
from .feed_checks import checked_atom, checked_rss, rfc_822, text
from .hostile import TEXTS

FORMATS = [feeds.rss, feeds.atom]
Format = Callable[[Snapshot], bytes]

API = component_state(1, "API & <Gateway>")
OTHER = component_state(2, "Website")
INCIDENT = incident_fact(
    1,
    "Requests fail <b>",
    "monitoring",
    "major",
    started_at=ago(hours=2),
    components=(affected(API),),
    updates=(
        update_fact(2, "monitoring", "A *fix* is in place & watched", ago(minutes=30)),
        update_fact(1, "investigating", "We look into it", ago(hours=2)),
    ),
)
MAINTENANCE = maintenance_fact(
    1,
    "Database upgrade",
    start=datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    end=datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    components=(affected(OTHER),),
    updates=(update_fact(3, "scheduled", "It is short", ago(hours=1), kind=MaintenanceStatus),),
)
SNAPSHOT = snapshot_of(API, OTHER, incidents=(INCIDENT,), maintenances=(MAINTENANCE,))


def read(data: bytes) -> Any:
    parsed = feedparser.parse(data)
    assert parsed.bozo is False or parsed.bozo == 0, parsed.get("bozo_exception")
    return parsed


def instant(parsed: struct_time) -> datetime:
    return datetime(*parsed[:6], tzinfo=UTC)


def html(entry: Any) -> str:
    return str(entry.content[0].value if "content" in entry else entry.description)


@pytest.mark.parametrize("render", FORMATS)
def test_feedparser_reads_what_was_written(render: Format) -> None:
    """Title, link, id, dates and content of each entry come back, the one with the latest news first."""
    parsed = read(render(SNAPSHOT))
    incident, maintenance = parsed.entries
    assert (incident.id, maintenance.id) == (
        f"urn:uuid:{INCIDENT.id}",
        f"urn:uuid:{MAINTENANCE.id}",
    )
    assert incident.link == f"https://status.example.com/incidents/{INCIDENT.id}"
    assert maintenance.link == f"https://status.example.com/maintenance/{MAINTENANCE.id}"
    assert maintenance.title == "Maintenance: Database upgrade"
    when = incident.published_parsed if render is feeds.rss else incident.updated_parsed
    assert instant(when) == ago(minutes=30)
    content = html(incident)
    assert "Affected: API &amp; &lt;Gateway&gt;" in content
    assert "<p>A <em>fix</em> is in place &amp; watched</p>" in content
    assert content.index("<strong>Monitoring</strong>, 19 Feb 2026, 17:00 UTC") < content.index(
        "<strong>Investigating</strong>, 19 Feb 2026, 15:30 UTC"
    )
    assert [tag.term for tag in incident.tags] == ["Incident", "API & <Gateway>"]
    assert [tag.term for tag in maintenance.tags] == ["Maintenance", "Website"]


@pytest.mark.parametrize("render", FORMATS)
def test_a_title_is_text(render: Format) -> None:
    """What a title has of HTML is text of it, escaped once."""
    assert b"<title>Requests fail &lt;b&gt;</title>" in render(SNAPSHOT)


@pytest.mark.parametrize(("render", "name"), [(feeds.rss, "feed.xml"), (feeds.atom, "feed.atom")])
def test_the_feed_of_a_page(render: Format, name: str) -> None:
    """It has the page's title, the language of its words, and links to the page and to itself."""
    page = page_fact(locale="de-AT", name="Acme & Söhne")
    feed = read(render(replace(SNAPSHOT, page=page))).feed
    assert (feed.title, feed.language) == ("Acme & Söhne", "de")
    links = {link.rel: link.href for link in feed.links}
    assert links == {
        "alternate": "https://status.example.com",
        "self": f"https://status.example.com/api/{name}",
    }
    assert instant(feed.updated_parsed) == ago(minutes=30)
    for locale in (None, "pt-BR"):  # there are no words in Portuguese
        other = replace(SNAPSHOT, page=page_fact(locale=locale))
        assert read(render(other)).feed.language == "en"


@pytest.mark.parametrize(("render", "name"), [(feeds.rss, "feed.xml"), (feeds.atom, "feed.atom")])
def test_the_feed_of_a_component(render: Format, name: str) -> None:
    """It is named after the component, has an address of its own, and tells only of that component."""
    parsed = read(render(SNAPSHOT.about(OTHER)))
    assert parsed.feed.title == "FacioTech Status: Website"
    own = [link.href for link in parsed.feed.links if link.rel == "self"]
    assert own == [f"https://status.example.com/components/service-2/{name}"]
    assert [entry.id for entry in parsed.entries] == [f"urn:uuid:{MAINTENANCE.id}"]


def test_the_feeds_of_a_page_and_a_component_have_different_ids() -> None:
    """Two Atom feeds never share an id; that of a page does not change with its name."""
    ids = [read(feeds.atom(shown)).feed.id for shown in (SNAPSHOT, SNAPSHOT.about(API))]
    assert len(set(ids)) == 2
    renamed = replace(SNAPSHOT, page=page_fact(name="Another"))
    assert read(feeds.atom(renamed)).feed.id == ids[0]


@pytest.mark.parametrize("render", FORMATS)
def test_times_are_of_the_pages_zone(render: Format) -> None:
    """People read times on the page's clock, machines in UTC; a window over a change of the clock names both."""
    berlin = replace(SNAPSHOT, page=page_fact(time_zone="Europe/Berlin"))
    incident, maintenance = read(render(berlin)).entries
    assert "<strong>Monitoring</strong>, 19 Feb 2026, 18:00 CET" in html(incident)
    window = "Window: 29 Mar 2026, 01:30 CET to 29 Mar 2026, 03:30 CEST"
    assert window in html(maintenance)


@pytest.mark.parametrize("render", FORMATS)
def test_an_update_brings_an_entry_up_again(render: Format) -> None:
    """An update changes the date and the content of its entry, neither its id nor its title."""
    older = replace(MAINTENANCE, updates=())
    before = snapshot_of(API, incidents=(INCIDENT,), maintenances=(older,))
    resolved = update_fact(9, "resolved", "All is well", NOW)
    told = incident_fact(
        1,
        INCIDENT.title,
        "resolved",
        started_at=INCIDENT.started_at,
        updates=(resolved, *INCIDENT.updates),
    )
    after = replace(before, incidents=(told,))
    was, now_is = (read(render(shown)).entries[0] for shown in (before, after))
    assert (was.id, was.title, was.link) == (now_is.id, now_is.title, now_is.link)
    date = "published_parsed" if render is feeds.rss else "updated_parsed"
    assert (instant(was[date]), instant(now_is[date])) == (ago(minutes=30), NOW)
    assert "All is well" in html(now_is)


def test_an_entry_of_atom_keeps_the_date_of_its_first_update() -> None:
    """``published`` stays with the first word while ``updated`` goes on."""
    entry = read(feeds.atom(SNAPSHOT)).entries[0]
    assert instant(entry.published_parsed) == ago(hours=2)


def test_a_moved_window_is_news_and_a_mended_word_is_none() -> None:
    """A window that was changed gets a new date without any update; mended texts keep the old one."""

    def dated(fact: IncidentFact | MaintenanceFact) -> datetime:
        only = {"incidents": (), "maintenances": ()}
        only |= {"incidents" if isinstance(fact, IncidentFact) else "maintenances": (fact,)}
        return instant(read(feeds.atom(snapshot_of(**only))).entries[0].updated_parsed)  # type: ignore[arg-type]

    moved = replace(MAINTENANCE, revision=1, updated_at=ago(minutes=2))
    assert dated(moved) == ago(minutes=2)
    assert dated(replace(MAINTENANCE, updated_at=ago(minutes=2))) == ago(hours=1)
    mended = tuple(replace(update, updated_at=NOW) for update in INCIDENT.updates)
    assert dated(replace(INCIDENT, updates=mended, updated_at=NOW)) == ago(minutes=30)


def test_cancelled_maintenance_says_so() -> None:
    """The state stands in the content, not in the title."""
    gone = replace(MAINTENANCE, status=MaintenanceStatus.CANCELLED, title="Maintenance of disks")
    entry = read(feeds.rss(snapshot_of(maintenances=(gone,)))).entries[0]
    assert entry.title == "Maintenance of disks"
    assert "Status: Cancelled" in html(entry)


@pytest.mark.parametrize("count", [0, 1, 500])
def test_feeds_of_any_size_are_valid(count: int) -> None:
    """With none, one and 500 entries both feeds pass the checks and hold all of them in order of their dates."""
    incidents = tuple(
        incident_fact(
            1000 + number,
            f"Incident {number}",
            "resolved",
            updates=(update_fact(number, "resolved", "Over.", ago(hours=(number * 37) % 501)),),
        )
        for number in range(count)
    )
    snapshot = snapshot_of(API, incidents=incidents)
    items, entries = checked_rss(feeds.rss(snapshot)), checked_atom(feeds.atom(snapshot))
    assert len(items) == len(entries) == count
    dates = [rfc_822(text(item, "pubDate")) for item in items]
    assert dates == sorted(dates, reverse=True)
    for render in FORMATS:
        assert len(read(render(snapshot)).entries) == count


@pytest.mark.parametrize("render", FORMATS)
def test_the_same_snapshot_gives_the_same_bytes(render: Format) -> None:
    """No feed has the present moment in it; an empty one is as old as the page's last change."""
    later = replace(SNAPSHOT, generated_at=NOW + timedelta(days=1), version=8)
    assert render(SNAPSHOT) == render(later)
    changed = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    empty = snapshot_of(page=page_fact(updated_at=changed))
    assert instant(read(render(empty)).feed.updated_parsed) == changed.replace(microsecond=0)


@pytest.mark.parametrize("render", FORMATS)
def test_addresses_in_markdown_stay_whole(render: Format) -> None:
    """A link of an update leads where it was meant to, and a relative one nowhere."""
    body = "[docs](https://example.com/?a=1&b=2) [path](/x) <https://example.org/>"
    fact = incident_fact(1, "Down", updates=(update_fact(1, "investigating", body, NOW),))
    content = html(read(render(snapshot_of(incidents=(fact,)))).entries[0])
    assert 'href="https://example.com/?a=1&amp;b=2"' in content
    assert 'href="https://example.org/"' in content
    assert 'href="/x"' not in content


@settings(deadline=None)
@given(title=TEXTS, body=TEXTS, name=TEXTS, page=TEXTS)
def test_hostile_text_breaks_no_feed(title: str, body: str, name: str, page: str) -> None:
    """Whatever was typed, both feeds are well-formed, pass the checks, and have the entries they should."""
    state = component_state(1, name)
    incident = incident_fact(
        1,
        title,
        components=(affected(state),),
        updates=(update_fact(1, "investigating", body, NOW),),
    )
    snapshot = snapshot_of(
        state,
        page=page_fact(name=page),
        incidents=(incident,),
        maintenances=(maintenance_fact(1, title, components=(affected(state),)),),
    )
    for shown in (snapshot, snapshot.about(state)):
        items, entries = checked_rss(feeds.rss(shown)), checked_atom(feeds.atom(shown))
        assert len(items) == len(entries) == 2


@pytest.mark.parametrize("render", FORMATS)
def test_control_characters_are_taken_out(render: Format) -> None:
    """XML cannot hold them, not even as references; what stands around them stays, in contents as well."""
    fact = incident_fact(
        1,
        "Do\x00wn\r\nagain\ufffe",
        updates=(update_fact(1, "investigating", "a\x0bb&#12;c", NOW),),
    )
    entry = read(render(snapshot_of(incidents=(fact,)))).entries[0]
    assert entry.title == "Down again"
    assert "<p>abc</p>" in html(entry)


def test_libraries_are_imported_late() -> None:
    """A process that never writes a feed or calendar does not load the libraries for them."""
    code = (
        "import sys; import flask_statuspage.documents.feeds, flask_statuspage.documents.calendar; "
        "sys.exit(bool({'feedgenerator', 'icalendar'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.parametrize("render", FORMATS)
def test_the_words_of_a_feed_are_in_the_pages_language(render: Format) -> None:
    """States, kinds and times are in it; what people wrote stays as it is."""
    feed = read(render(replace(SNAPSHOT, page=page_fact(locale="de"))))
    said = " ".join(html(entry) for entry in feed.entries)
    assert words_of(page_fact(locale="de")).state(IncidentStatus.MONITORING) in said
    assert "<strong>Monitoring</strong>" not in said
    assert "Requests fail" in feed.entries[0].title
