"""Maintenance in the console: found, scheduled once by the page's clock, previewed without a trace."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flask_statuspage.storage.outbox import Delivery
from tests.console import member
from tests.console.conftest import Enter
from tests.console.member import EDITOR, VIEWER, Form, Member, forms_of
from tests.web.site import Site, SiteMaker

BERLIN = ZoneInfo("Europe/Berlin")
SCRIPT = '<script>alert("x")</script>'


def planned(site: Site) -> list[dict[str, Any]]:
    """All maintenance of the page as the manage API tells it, the latest window first."""
    found: list[dict[str, Any]] = site.ask("GET", "/maintenances").get_json()["items"]
    return found


def schedule_form(member: Member, query: str = "") -> Form:
    return member.form(f"/maintenance/new{query}", "Services under maintenance")


def ahead(**span: float) -> str:
    """A time to come, as a field of the page in Berlin takes it."""
    return f"{datetime.now(BERLIN) + timedelta(**span):%Y-%m-%dT%H:%M}"


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return member.build(make_site, STATUSPAGE_TIME_ZONE="Europe/Berlin")


@pytest.fixture
def berlin(site: Site) -> Site:
    """The page by the clock of Berlin, with two services and a subscriber."""
    site.made("/components", name="API")
    group = site.made("/component-groups", name="Customers")
    site.made("/components", name="Billing", group=group["id"])
    site.made("/subscriptions", channel="email", address="reader@example.com")
    return site


WINTER = {"scheduled_start": "2030-01-05T02:00", "scheduled_end": "2030-01-05T04:30"}


def test_maintenance_is_scheduled(berlin: Site, enter: Enter) -> None:
    """Title, text, services and the window by the page's clock stand on the public page."""
    ann = enter(EDITOR)
    form = schedule_form(ann)
    assert form.fields.getlist("remind_before") == ["1440", "60"]
    changes = {"components": ["billing"], "remind_before": ["60"]}
    page = ann.follow(ann.send(form, title="Disks", body="We **swap** them.", **WINTER, **changes))
    assert "The maintenance is scheduled." in page.text
    assert "5 Jan 2030, 02:00 CET" in page.text
    assert "5 Jan 2030, 01:00 UTC" in page.text
    (row,) = planned(berlin)
    assert (row["title"], row["status"]) == ("Disks", "scheduled")
    assert row["scheduled_start"] == "2030-01-05T01:00:00+00:00"
    assert row["scheduled_end"] == "2030-01-05T03:30:00+00:00"
    assert [one["slug"] for one in row["components"]] == ["billing"]
    assert (row["auto_start"], row["auto_complete"], row["remind_before"]) == (True, True, [60])
    assert "<strong>swap</strong>" in berlin.get(f"/maintenance/{row['id']}").text


def test_without_a_start_it_begins_now(berlin: Site, enter: Enter) -> None:
    """An empty start begins it at once, also where nothing is to begin by itself."""
    ann = enter(EDITOR)
    changes = {"scheduled_end": ahead(hours=2), "components": ["api"], "auto_start": None}
    page = ann.follow(ann.send(schedule_form(ann), title="Disks", **changes))
    assert "The maintenance has begun." in page.text
    assert planned(berlin)[0]["status"] == "in_progress"
    api = berlin.ask("GET", "/components/api").get_json()
    assert api["status"] == "under_maintenance"


def test_a_form_sent_twice_schedules_once(berlin: Site, enter: Enter) -> None:
    """A second press leads to the same maintenance, and subscribers hear of one; with another text it is refused."""
    ann = enter(EDITOR)
    form = schedule_form(ann)
    changes = {"title": "Disks", "components": ["api"], **WINTER}
    answers = [ann.send(form, **changes) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert len(planned(berlin)) == 1
    assert len(berlin.rows(Delivery)) == 1
    answer = ann.send(form, **{**changes, "title": "Cables"})
    assert answer.status_code == 409
    assert "has planned the maintenance &#39;Disks&#39; already" in answer.text
    assert len(planned(berlin)) == 1
    again = next(one for one in forms_of(answer.text) if "Services" in one.words)
    assert again.fields["title"] == "Cables"
    assert again.fields["id"] != form.fields["id"]


def test_a_preview_saves_nothing(berlin: Site, enter: Enter) -> None:
    """The preview tells both clocks, how often it comes and who is told; the database stays as it was."""
    ann = enter(EDITOR)
    form = schedule_form(ann)
    before = berlin.contents()
    changes = {"title": "Disks", "body": "We **swap**.", "repeat": "FREQ=WEEKLY;INTERVAL=2"}
    answer = ann.send(form, **changes, **WINTER, preview="yes")
    assert answer.status_code == 200
    for words in (
        "02:00 CET",
        "01:00 UTC",
        "Every 2 weeks",
        "1 by email",
        "<strong>swap</strong>",
        "2 h 30 min",
    ):
        assert words in answer.text
    assert berlin.contents() == before
    again = next(one for one in forms_of(answer.text) if "Services" in one.words)
    assert (again.fields["body"], again.fields["id"]) == ("We **swap**.", form.fields["id"])
    assert again.fields["repeat"] == "FREQ=WEEKLY;INTERVAL=2"
    assert ann.send(again).status_code == 303
    answer = ann.send(schedule_form(ann), **changes, **WINTER, notify=None, preview="yes")
    assert "Nobody will be told. “Notify subscribers” is not ticked." in answer.text


def test_a_window_in_the_way_is_refused_with_words(berlin: Site, enter: Enter) -> None:
    """Two windows on one service at the same time are a mistake: it is named, and what was typed stays."""
    ann = enter(EDITOR)
    ann.send(schedule_form(ann), title="Disks", components=["api"], **WINTER)
    answer = ann.send(
        schedule_form(ann), title="Cables", body="Mine", components=["api", "billing"], **WINTER
    )
    assert answer.status_code == 422
    words = (
        "Overlaps &#39;Disks&#39; on the same service, which is planned from 5 Jan 2030, 02:00 CET "
        "to 5 Jan 2030, 04:30 CET."
    )
    assert words in answer.text
    assert ">\nMine</textarea>" in answer.text
    assert len(planned(berlin)) == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"title": " "}, "Title: Is missing."),
        ({"scheduled_end": ""}, "End (Europe/Berlin): Is missing."),
        ({"scheduled_end": "2030-01-05T02:00"}, "End (Europe/Berlin): Must lie after the start."),
        ({"scheduled_start": "2030-03-31T02:30"}, "leaves this time out"),
        ({"scheduled_start": "soon"}, "Start (Europe/Berlin): Must be a date and time"),
        ({"scheduled_end": "2031-01-05T02:00"}, "A window may last 92 days at most."),
        ({"scheduled_start": "2020-01-05T02:00", "scheduled_end": "2020-01-05T04:00"}, "future"),
        ({"components": ["nothing"]}, "Services under maintenance:"),
        ({"remind_before": ["soon"]}, "Remind subscribers: Choose some of the list."),
        ({"repeat": "own"}, "Rule: Write the rule"),
        ({"rrule": "FREQ=WEEKLY"}, "How often: Choose"),
        ({"repeat": "own", "rrule": "FREQ=HOURLY"}, "Rule:"),
        ({"repeat": "FREQ=WEEKLY", "exceptions": "soon"}, "Days without it:"),
        ({"exceptions": "2030-01-12"}, "Days without it: It takes place once"),
        ({"body": "\x00"}, "Message:"),
        ({"title": "x" * 10_000}, "Title:"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "says",
)
def test_what_cannot_be_is_refused(
    berlin: Site, enter: Enter, typed: dict[str, Any], words: str
) -> None:
    """Each wrong field is named, what was typed stays, and nothing is saved."""
    ann = enter(EDITOR)
    form = schedule_form(ann)
    before = berlin.contents()
    answer = ann.send(form, **{"title": "Disks", "body": "Mine", **WINTER, **typed})
    assert answer.status_code == 422
    assert words in answer.text
    assert berlin.contents() == before
    if "body" not in typed:
        assert ">\nMine</textarea>" in answer.text


def test_a_series_is_scheduled(berlin: Site, enter: Enter) -> None:
    """A rule of one's own counts with the days that it leaves out."""
    ann = enter(EDITOR)
    changes = {
        "repeat": "own",
        "rrule": "FREQ=WEEKLY;BYDAY=SA",
        "exceptions": "2030-01-12\r\n2030-01-19\r\n",
    }
    page = ann.follow(ann.send(schedule_form(ann), title="Disks", **WINTER, **changes))
    assert "Every week" in page.text
    (row,) = planned(berlin)
    assert row["rrule"] == "FREQ=WEEKLY;BYDAY=SA"
    assert row["exceptions"] == ["2030-01-12", "2030-01-19"]


def test_a_template_fills_the_form(berlin: Site, enter: Enter) -> None:
    """A template that tells the times asks for them first; loaded, its services are ticked and its words filled in."""
    made = berlin.made(
        "/templates",
        kind="maintenance",
        name="Disks",
        title="Disks of {{ components }}",
        body="From {{ scheduled_start }}, for {{ duration }}.",
        components=["billing"],
    )
    ann = enter(EDITOR)
    asked = ann.get(f"/maintenance/new?template={made['id']}")
    assert asked.status_code == 200
    assert "There is no value for the placeholder" in asked.text
    times = "&".join(f"{name}={at}" for name, at in WINTER.items())
    form = schedule_form(ann, f"?template={made['id']}&{times}")
    assert form.fields["title"] == "Disks of Billing"
    assert form.fields["body"] == "From 5 Jan 2030, 02:00 CET, for 2 h 30 min."
    assert form.fields.getlist("components") == ["billing"]
    assert form.fields["scheduled_start"] == WINTER["scheduled_start"]
    assert ann.send(form).status_code == 303
    assert planned(berlin)[0]["title"] == "Disks of Billing"


def test_the_list_is_narrowed_and_paged(berlin: Site, enter: Enter) -> None:
    """What is open comes first, the next window on top; all, a service and words are looked for; 25 on a page."""
    for number in range(26):
        berlin.made(
            "/maintenances",
            title=f"Window {number:02}",
            body=f"Rack {number:02}",
            components=["billing"] if number % 2 else ["api"],
            scheduled_start=f"2030-02-{number + 1:02}T01:00:00Z",
            scheduled_end=f"2030-02-{number + 1:02}T02:00:00Z",
        )
    over = berlin.made(
        "/maintenances",
        title="Done long ago",
        status="completed",
        scheduled_start="2020-01-01T01:00:00Z",
        scheduled_end="2020-01-01T02:00:00Z",
    )
    vic = enter(VIEWER)
    first = vic.get("/maintenance").text
    assert first.index("Window 00") < first.index("Window 24")
    assert "Window 25" not in first
    assert "Schedule maintenance" not in first
    assert "Window 25" in vic.get("/maintenance?page=2").text
    assert over["title"] not in first
    assert over["title"] in vic.get("/maintenance?state=all&page=2").text
    assert "Window 03" in vic.get("/maintenance?q=rack+03").text
    assert "Window 04" not in vic.get("/maintenance?q=rack+03").text
    only = vic.get("/maintenance?component=api").text
    assert "Window 00" in only
    assert "Window 01" not in only
    for hostile in ("page=x", "page=99999999999999", "q=%00", "component=%ed%a0%80", "state=x"):
        assert vic.get(f"/maintenance?{hostile}").status_code == 200


def test_what_was_typed_is_text(berlin: Site, enter: Enter) -> None:
    """A script in any field is shown, never run, and can be preceded by nobody's markup."""
    ann = enter(EDITOR)
    form = schedule_form(ann)
    changes = {"title": SCRIPT, "body": SCRIPT, **WINTER}
    answers = [
        ann.send(form, **changes, preview="yes"),
        ann.send(form, **changes, rrule=SCRIPT, exceptions=SCRIPT, repeat=SCRIPT),
        ann.follow(ann.send(form, **changes)),
        ann.get("/maintenance"),
        ann.get(f"/maintenance?q={SCRIPT}"),
    ]
    for answer in answers:
        assert SCRIPT not in answer.text
        assert "&lt;script&gt;" in answer.text


def test_a_sign_in_that_ended_keeps_the_text(berlin: Site, enter: Enter) -> None:
    """What was typed comes back after signing in again, and the same form plans one maintenance."""
    ann = enter(EDITOR)
    form = schedule_form(ann)
    ann.who = None
    answer = ann.send(form, title="Disks", body="Long <text>", components=["api"], **WINTER)
    assert answer.status_code == 401
    (kept,) = forms_of(answer.text)
    ann.who = EDITOR
    shown = ann.send(kept)
    assert shown.status_code == 400
    again = next(one for one in forms_of(shown.text) if "Services" in one.words)
    assert again.fields["body"] == "Long <text>"
    assert again.fields.getlist("components") == ["api"]
    assert ann.send(again).status_code == 303
    assert [row["title"] for row in planned(berlin)] == ["Disks"]


def test_a_time_beyond_all_calendars(site: Site, enter: Enter) -> None:
    """An address with a time that no clock of the page can show is answered with what is wrong."""
    made = site.made("/templates", kind="maintenance", name="Disks", title="Disks", body="Work.")
    ann = enter(EDITOR)
    for start in ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-12:00"):
        shown = ann.get(f"/maintenance/new?template={made['id']}&scheduled_start={start}")
        assert shown.status_code == 200
        assert "Must lie between the years 1900 and 9998." in shown.text


def test_one_that_is_extended_into_another_names_its_end(berlin: Site, enter: Enter) -> None:
    """Its start stays, so the form has no such field; programs are told the same by RFC 3339."""
    ann = enter(EDITOR)
    ann.send(schedule_form(ann), title="Disks", components=["api"], **WINTER)
    before = {"scheduled_start": "2030-01-04T22:00:00Z", "scheduled_end": "2030-01-05T00:00:00Z"}
    row = berlin.made("/maintenances", title="Cables", components=["api"], **before)
    berlin.made(f"/maintenances/{row['id']}/start")
    form = ann.form(f"/maintenance/{row['id']}/edit", "Save")
    answer = ann.send(form, scheduled_end="2030-01-05T03:00")
    assert answer.status_code == 422
    way = '<a href="#f-scheduled_end">End (Europe/Berlin): Overlaps &#39;Disks&#39; on the same service,'
    assert way in answer.text
    assert "planned from 5 Jan 2030, 02:00 CET to 5 Jan 2030, 04:30 CET." in answer.text
    late = {"scheduled_end": "2030-01-05T02:00:00+00:00"}
    (wrong,) = berlin.ask("PATCH", f"/maintenances/{row['id']}", late).get_json()["errors"]
    assert wrong == {
        "field": "scheduled_end",
        "message": "Overlaps 'Disks' on the same component, which is planned from 2030-01-05T01:00+00:00 to "
        "2030-01-05T03:30+00:00.",
    }


def test_one_that_would_pass_the_next_says_when_that_begins(berlin: Site, enter: Enter) -> None:
    """By the page's clock, as all times of the form."""
    window = {"scheduled_start": "2030-01-05T01:00:00Z", "scheduled_end": "2030-01-05T03:00:00Z"}
    row = berlin.made("/maintenances", title="Disks", rrule="FREQ=WEEKLY", **window)
    ann = enter(EDITOR)
    form = ann.form(f"/maintenance/{row['id']}/edit", "Save")
    move = {"scheduled_start": "2030-01-13T02:00", "scheduled_end": "2030-01-13T04:00"}
    answer = ann.send(form, **move)
    assert answer.status_code == 422
    assert "The next occurrence begins at 12 Jan 2030, 02:00 CET;" in answer.text
