"""What is posted to X: words, the link, the length, and that nothing in a title works."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.delivery.formats import formats
from flask_statuspage.delivery.formats.x import BREAK
from flask_statuspage.domain.events import DIGEST
from tests.documents.hostile import TEXTS
from tests.servers.x import BARE, LINK, weighted_length

from .facts import UPDATE, component_data, event, incident_data, maintenance_data, monitor_data

FORMAT = formats["x"]
URL = "https://status.acme.com/incidents/x"


def posted(name: str, **data: Any) -> str:
    return FORMAT.render(event(name, **data))


def incident(**changes: Any) -> str:
    return posted("incident.created", incident=incident_data(url=URL, **changes))


def test_an_incident() -> None:
    """Status and title, what is affected, what was said without its Markdown, the time, the link."""
    text = incident(
        updates=[{**UPDATE, "body": "We are **looking** at [it](https://x.io).\n\n- one\n- two"}]
    )
    assert text == (
        "Investigating: API is dówn\nAPI, Web\n\nWe are looking at it.\n• one\n• two\n\n"
        f"17:30 UTC\n{URL}"
    )


def test_maintenance() -> None:
    """What is affected is told, and before its end the window too; a reminder says that it is near."""
    text = posted("maintenance.scheduled", maintenance=maintenance_data(updates=[]))
    assert text.startswith("Maintenance scheduled: Néw disks\n2026-02-20 02:00 to 04:00 UTC\nAPI")
    long = maintenance_data(scheduled_end="2026-02-21T04:00:00+00:00")
    assert "2026-02-20 02:00 to 2026-02-21 04:00 UTC" in posted(
        "maintenance.started", maintenance=long
    )
    over = maintenance_data(status="completed", ended_at="2026-02-20T03:00:00+00:00", updates=[])
    assert "Maintenance completed: Néw disks\nAPI" in posted(
        "maintenance.completed", maintenance=over
    )
    assert "Maintenance soon: Néw disks" in posted("maintenance.reminder", maintenance=long)


def test_components_and_monitors() -> None:
    """Chosen ones are told in a line; a monitor's target, which may hold a key, is not."""
    text = posted("component.status_change", component=component_data())
    assert text.startswith("API: Major outage\nBefore: Operational\n")
    text = posted("monitor.down", monitor=monitor_data(target="https://secret.example/?key=hush"))
    assert text.startswith("API check is down\n")
    assert "hush" not in text
    assert "has recovered" in posted("monitor.recovered", monitor=monitor_data(verdict="up"))
    again = posted("monitor.down", monitor=monitor_data(notification_level=2))
    assert again.startswith("API check is still down\n")


def test_test_and_digest() -> None:
    """A test says what it is; a digest lists the newest first and says how many there are."""
    assert posted("test", message="This is a test.").startswith("This is a test.\n\n17:30 UTC\n")
    notices = [
        {
            "event": "incident.updated",
            "at": "",
            "title": f"Number {n}",
            "status": "identified",
            "url": "",
        }
        for n in range(40)
    ]
    text = posted(DIGEST, notices=notices, limit=20)
    assert text.startswith(
        "40 more updates within the hour\n\nIdentified: Number 39\nIdentified: Number 38\n"
    )
    assert weighted_length(text) <= 280
    assert posted(DIGEST, notices=notices[:1], limit=20).startswith("1 more update within")


def test_events() -> None:
    """It is told what the chart says, and can have more."""
    assert FORMAT.unasked == {
        "incident.created",
        "incident.updated",
        "incident.resolved",
        "maintenance.scheduled",
        "maintenance.started",
        "maintenance.updated",
        "maintenance.completed",
    }
    assert FORMAT.members_only
    for name in ("test", DIGEST, *FORMAT.offered):
        assert FORMAT.words(name)


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("@jack it is", f"@{BREAK}jack it is"),
        ("\uff20jack and .@jill", f"\uff20{BREAK}jack and .@{BREAK}jill"),
        ("#fail $ACME", f"#{BREAK}fail ${BREAK}ACME"),
        ("evil.com and www.evil.co.uk", f"evil.{BREAK}com and www.{BREAK}evil.{BREAK}co.{BREAK}uk"),
        ("HTTPS://evil.com", f"HTTPS:{BREAK}//evil.{BREAK}com"),
        ("Version 1.4, 5 @ night, C# 100 %", "Version 1.4, 5 @ night, C# 100 %"),
        ("a\x00b\u202ec\ufeffd\ud800e", "abcde"),
    ],
)
def test_nothing_in_a_title_works(title: str, shown: str) -> None:
    """Names, topics and addresses are readable and call nobody; what X refuses is left out."""
    for text in (incident(title=title), incident(updates=[{**UPDATE, "body": title}])):
        assert shown in text


PARTS = st.lists(
    st.sampled_from(
        ["@jack", "#tag", "http://evil.com/", "evil.io", "港", "🇳🇴", "👍🏽", "word", " ", "\n", "."]
    )
).map("".join)


@given(title=TEXTS | PARTS, body=TEXTS | PARTS, name=TEXTS | PARTS, count=st.integers(0, 30))
def test_every_post_fits(title: str, body: str, name: str, count: int) -> None:
    """Whatever was written, X takes the post: short enough, with our link whole as its one address."""
    parts = [{**incident_data()["components"][0], "name": name}] * count
    text = incident(title=title, components=parts, updates=[{**UPDATE, "body": body}] * 2)
    assert text.endswith(f"UTC\n{URL}")
    rest = text.removesuffix(URL)
    assert not LINK.search(rest)
    assert not BARE.search(rest)
    assert not re.search(r"[@#\uff20\uff03]\w", rest)
    joined = len(re.findall("[\u200d\ufe0f\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff]", text))
    assert weighted_length(text) <= 280 + 2 * joined


def test_a_long_address_of_the_page() -> None:
    """An address that X takes for no link has the room that its letters need; one without room is left out."""
    url = "http://status.intranet/" + "x" * 150
    text = posted("incident.created", incident=incident_data(url=url, title="T" * 400))
    assert text.endswith(url)
    assert weighted_length(text) <= 280
    text = posted("incident.created", incident=incident_data(url=url * 2, title="T" * 400))
    assert text.endswith("17:30 UTC")
    assert weighted_length(text) <= 280


@pytest.mark.parametrize("body", [" " * 10_000 + "x", "\t" * 10_000, "x" + " \u2003" * 5_000 + "y"])
def test_blanks_take_no_long_time(body: str) -> None:
    """The longest text of blanks is looked at once, not from each of them on: in a tenth of the time that took."""
    posted_one = {**UPDATE, "body": body}
    started = time.process_time()
    for _ in range(10):
        incident(updates=[posted_one])
    assert time.process_time() - started < 1


def test_paragraphs_stand_on_one_line_each() -> None:
    """Neither empty lines nor blanks at the ends of lines are left, whatever ends a line."""
    text = incident(updates=[{**UPDATE, "body": "  One \t\r\n \n\x85\n  two.\u2003\n\nThree"}])
    assert "\n\nOne\ntwo.\nThree\n\n" in text
