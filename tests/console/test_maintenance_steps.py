"""One maintenance in the console: told, begun, ended, moved and mended; nothing told meanwhile is written over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from flask_statuspage.storage.maintenances import Maintenance
from flask_statuspage.storage.outbox import Delivery, EventRow
from flask_statuspage.storage.session import current_session
from tests.console.conftest import Enter
from tests.console.member import ADMIN, EDITOR, VIEWER, Form, forms_of
from tests.web.site import Site

WINDOW = {"scheduled_start": "2030-01-05T02:00:30Z", "scheduled_end": "2030-01-05T04:00:00Z"}


@pytest.fixture
def planned(site: Site) -> dict[str, Any]:
    """A series of windows on the API, with a subscriber who was told."""
    for name in ("API", "Billing"):
        site.made("/components", name=name)
    site.made("/subscriptions", channel="email", address="reader@example.com")
    return site.made(
        "/maintenances",
        title="Disks",
        body="We swap them.",
        components=["api"],
        rrule="FREQ=WEEKLY",
        remind_before=[90, 60],
        **WINDOW,
    )


def now(site: Site, row: dict[str, Any]) -> Any:
    return site.ask("GET", f"/maintenances/{row['id']}").get_json()


def at(row: dict[str, Any], step: str = "") -> str:
    return f"/maintenance/{row['id']}{step}"


def status(site: Site) -> str:
    return str(site.ask("GET", "/components/api").get_json()["status"])


def form_in(html: str, words: str) -> Form:
    return next(form for form in forms_of(html) if words in form.words)


def events(site: Site) -> list[str]:
    return [row.name for row in site.rows(EventRow) if row.name.startswith("maintenance.")]


def test_one_that_starts_after_its_planned_end_is_not_over_at_once(
    site: Site, enter: Enter
) -> None:
    """The page says that it lasts as long as planned from now on, and so it does; before its end none says so."""
    begins = datetime.now(UTC) + timedelta(hours=1)
    row = site.made(
        "/maintenances",
        title="Disks",
        scheduled_start=begins.isoformat(),
        scheduled_end=(begins + timedelta(hours=1)).isoformat(),
        auto_start=False,
    )
    ann, late = enter(EDITOR), "lasts as long as planned from now on"
    assert late not in ann.get(at(row, "/start")).text
    with site.app.app_context():
        times = {
            "scheduled_start": begins - timedelta(hours=9),
            "scheduled_end": begins - timedelta(hours=8),
        }
        current_session().execute(update(Maintenance).values(**times))
        current_session().commit()
    assert late in ann.get(at(row, "/start")).text
    ann.send(ann.form(at(row, "/start"), "Start now"))
    found = now(site, row)
    assert found["status"] == "in_progress"
    lasts = datetime.fromisoformat(found["scheduled_end"]) - datetime.fromisoformat(
        found["started_at"]
    )
    assert lasts == timedelta(hours=1)


def test_a_maintenance_is_told_begun_verified_and_completed(
    site: Site, enter: Enter, planned: dict[str, Any]
) -> None:
    """Each step says its own, and the services are under maintenance while it goes on."""
    ann = enter(EDITOR)
    page = ann.follow(ann.send(ann.form(at(planned), "Post update"), body="Bring **tea**."))
    assert "The update is posted." in page.text
    assert now(site, planned)["status"] == "scheduled"
    for step, words, state, seen in (
        ("/start", "Start now", "in_progress", "under_maintenance"),
        ("/verify", "Verifying", "verifying", "under_maintenance"),
        ("/complete", "Complete", "completed", "operational"),
    ):
        assert f'href="/status/admin{at(planned, step)}"' in ann.get(at(planned)).text
        assert ann.send(ann.form(at(planned, step), words), body=step).status_code == 303
        assert now(site, planned)["status"] == state
        assert status(site) == seen
    bodies = [update["body"] for update in now(site, planned)["updates"]]
    assert bodies == ["/complete", "/verify", "/start", "Bring **tea**.", "We swap them."]
    assert "editor@acme.example" in ann.get(at(planned)).text


@pytest.mark.parametrize("series", [True, False], ids=["series", "one"])
def test_one_or_the_whole_series_is_cancelled(
    site: Site, enter: Enter, planned: dict[str, Any], series: bool
) -> None:
    """Without the tick the next one stays planned."""
    ann = enter(EDITOR)
    form = ann.form(at(planned, "/cancel"), "Cancel the whole series")
    assert "series" not in form.fields
    page = ann.follow(ann.send(form, series="yes" if series else None))
    assert "The maintenance is cancelled." in page.text
    assert now(site, planned)["status"] == "cancelled"
    left = site.ask("GET", "/maintenances?status=open").get_json()["items"]
    assert len(left) == (0 if series else 1)


@pytest.mark.parametrize(
    ("step", "words", "typed"),
    [
        ("", "Post update", {"body": "Mine"}),
        ("/start", "Start now", {"body": "Mine"}),
        ("/cancel", "Cancel the maintenance", {"body": "Mine"}),
        ("/edit", "Save", {"title": "Mine"}),
        ("/delete", "Delete for good", {"title": "Theirs"}),
        ("/updates/{update}", "Save", {"body": "Mine"}),
        ("/updates/{update}", "Delete the update", {}),
    ],
    ids=["update", "start", "cancel", "edit", "delete", "mend", "take back"],
)
def test_whoever_saw_another_maintenance_changes_nothing(
    site: Site,
    enter: Enter,
    planned: dict[str, Any],
    step: str,
    words: str,
    typed: dict[str, str],
) -> None:
    """Whatever is done, what was told and changed meanwhile stops it: 409, both texts, and a second press does it."""
    site.made(f"/maintenances/{planned['id']}/updates", body="More.")
    path = at(planned, step.format(update=planned["updates"][0]["id"]))
    bob = enter(ADMIN)
    form = bob.form(path, words)
    site.ask("PATCH", f"/maintenances/{planned['id']}", {"title": "Theirs"})
    site.made(f"/maintenances/{planned['id']}/updates", body="News of theirs")
    before = site.contents()
    answer = bob.send(form, **typed)
    assert answer.status_code == 409
    assert "<bdi>Theirs</bdi>" in answer.text
    assert "News of theirs" in answer.text
    assert all(value in answer.text for value in typed.values())
    assert site.contents() == before
    assert bob.send(form_in(answer.text, words)).status_code == 303


def test_what_nobody_touched_follows_the_other_member(
    site: Site, enter: Enter, planned: dict[str, Any]
) -> None:
    """The second press keeps what the other one changed elsewhere in the form."""
    bob = enter(ADMIN)
    form = bob.form(at(planned, "/edit"), "Save")
    theirs = {
        "scheduled_end": "2030-01-05T05:00:00+00:00",
        "components": ["api", "billing"],
        "auto_start": False,
        "remind_before": [30],
        "exceptions": ["2030-01-12"],
    }
    assert site.ask("PATCH", f"/maintenances/{planned['id']}", theirs).status_code == 200
    answer = bob.send(form, title="Mine")
    assert answer.status_code == 409
    assert bob.send(form_in(answer.text, "Save")).status_code == 303
    told = now(site, planned)
    assert told["title"] == "Mine"
    assert [one["slug"] for one in told["components"]] == theirs.pop("components")
    assert {name: told[name] for name in theirs} == theirs


def test_a_step_sent_twice_is_told_once(site: Site, enter: Enter, planned: dict[str, Any]) -> None:
    """A second press says nothing more and frightens nobody."""
    ann = enter(EDITOR)
    for number, (step, words) in enumerate(
        (("", "Post update"), ("/start", "Start now"), ("/complete", "Complete")), start=2
    ):
        form = ann.form(at(planned, step), words)
        assert [ann.send(form, body="So.").status_code for _ in range(2)] == [303, 303]
        assert len(now(site, planned)["updates"]) == number
    answer = ann.send(ann.form(at(planned, "/complete"), "Complete"), body="Again.")
    assert answer.status_code == 409
    assert "It is completed already." in answer.text


def test_an_update_that_says_nothing_is_refused(
    site: Site, enter: Enter, planned: dict[str, Any]
) -> None:
    """No update is written, and nobody believes that one was."""
    ann = enter(EDITOR)
    answer = ann.send(ann.form(at(planned), "Post update"), body=" ")
    assert answer.status_code == 422
    assert "nothing new" in answer.text
    assert len(now(site, planned)["updates"]) == 1


@pytest.mark.parametrize("step", ["", "/start", "/cancel", "/edit"], ids=lambda step: step or "-")
def test_a_preview_of_a_step_saves_nothing(
    site: Site, enter: Enter, planned: dict[str, Any], step: str
) -> None:
    """What readers would see is shown with the count; the database stays as it was."""
    ann = enter(EDITOR)
    form = ann.form(at(planned, step), "Preview and count")
    before = site.contents()
    typed = {"title": "Cables"} if step == "/edit" else {"body": "It **is**."}
    answer = ann.send(form, **typed, preview="yes")
    assert answer.status_code == 200
    assert "1 by email" in answer.text
    assert ("Cables" if step == "/edit" else "<strong>is</strong>") in answer.text
    assert site.contents() == before


def test_a_window_that_moves_is_told_once(
    site: Site, enter: Enter, planned: dict[str, Any]
) -> None:
    """Title, services and window change together in one message; the form as it was changes nothing."""
    ann = enter(EDITOR)
    form = ann.form(at(planned, "/edit"), "Save")
    assert form.fields.getlist("remind_before") == ["90", "60"]
    assert (form.fields["repeat"], form.fields["rrule"]) == ("FREQ=WEEKLY", "")
    before = site.contents()
    assert ann.send(form).status_code == 303
    assert site.contents() == before
    changes = {"title": "Cables", "components": ["api", "billing"]}
    page = ann.follow(
        ann.send(
            form, scheduled_start="2030-01-06T02:00", **changes, scheduled_end="2030-01-06T04:00"
        )
    )
    assert "The maintenance is changed." in page.text
    told = now(site, planned)
    assert told["scheduled_start"] == "2030-01-06T02:00:00+00:00"
    assert told["remind_before"] == [90, 60]
    assert [one["slug"] for one in told["components"]] == ["api", "billing"]
    assert events(site) == ["maintenance.scheduled", "maintenance.updated"]
    assert len(site.rows(Delivery)) == 2


def test_readers_of_a_service_that_is_taken_off_are_counted_and_told(
    site: Site, enter: Enter, planned: dict[str, Any]
) -> None:
    """The preview has as many as there are messages then."""
    for slug in ("api", "billing"):
        address = f"{slug}@example.com"
        site.made("/subscriptions", channel="email", address=address, components=[slug])
    ann = enter(EDITOR)
    form = ann.form(at(planned, "/edit"), "Save")
    assert "3 by email" in ann.send(form, components=["billing"], preview="yes").text
    assert ann.send(form, components=["billing"]).status_code == 303
    assert len(site.rows(Delivery)) == 1 + 3


def test_readers_hear_nothing_of_what_they_do_not_see(
    site: Site, enter: Enter, planned: dict[str, Any]
) -> None:
    """How it is run and how often it comes is changed without a message, and the preview says so."""
    ann = enter(EDITOR)
    form = ann.form(at(planned, "/edit"), "Save")
    changes = {"repeat": "FREQ=MONTHLY", "remind_before": [], "auto_complete": None}
    assert "Readers see nothing" in ann.send(form, **changes, preview="yes").text
    assert ann.send(form, **changes).status_code == 303
    told = now(site, planned)
    assert (told["rrule"], told["remind_before"], told["auto_complete"]) == (
        "FREQ=MONTHLY",
        [],
        False,
    )
    assert len(site.rows(Delivery)) == 1
    answer = ann.send(ann.form(at(planned, "/edit"), "Save"), title="Disk", notify=None)
    assert answer.status_code == 303
    assert len(site.rows(Delivery)) == 1


def test_what_has_begun_or_is_over_is_mended(
    site: Site, enter: Enter, planned: dict[str, Any]
) -> None:
    """Of one that goes on the end and the services are changed, of one that is over the title."""
    ann = enter(EDITOR)
    ann.send(ann.form(at(planned, "/start"), "Start now"))
    form = ann.form(at(planned, "/edit"), "Save")
    assert "repeat" not in form.fields
    assert (
        ann.send(form, scheduled_end="2030-01-05T06:00", components=["billing"]).status_code == 303
    )
    told = now(site, planned)
    assert told["scheduled_end"] == "2030-01-05T06:00:00+00:00"
    assert told["rrule"] == "FREQ=WEEKLY"
    assert status(site) == "operational"
    ann.send(ann.form(at(planned, "/complete"), "Complete"))
    form = ann.form(at(planned, "/edit"), "Save")
    assert "components" not in form.fields
    assert ann.send(form, title="New disks").status_code == 303
    assert now(site, planned)["title"] == "New disks"
    assert ann.send(ann.form(at(planned, "/edit"), "Save"), title=" ").status_code == 422


def test_the_order_of_services_stays(site: Site, enter: Enter, planned: dict[str, Any]) -> None:
    """Who mends the title does not put the services into the order of the page."""
    site.ask("PATCH", f"/maintenances/{planned['id']}", {"components": ["billing", "api"]})
    ann = enter(EDITOR)
    assert ann.send(ann.form(at(planned, "/edit"), "Save"), title="New").status_code == 303
    assert [one["slug"] for one in now(site, planned)["components"]] == ["billing", "api"]


def test_an_update_is_mended_and_taken_back(
    site: Site, enter: Enter, planned: dict[str, Any]
) -> None:
    """A typing error is mended without a notice; the only update cannot be taken back."""
    ann = enter(EDITOR)
    path = at(planned, f"/updates/{planned['updates'][0]['id']}")
    assert ann.send(ann.form(path, "Save"), body="We swap all.").status_code == 303
    assert now(site, planned)["updates"][0]["body"] == "We swap all."
    assert len(site.rows(Delivery)) == 1
    answer = ann.send(ann.form(path, "Delete the update"))
    assert answer.status_code == 409
    assert "at least one update" in answer.text
    site.made(f"/maintenances/{planned['id']}/updates", body="Wrong.")
    latest = at(planned, f"/updates/{now(site, planned)['updates'][0]['id']}")
    assert ann.send(ann.form(latest, "Delete the update")).status_code == 303
    assert [one["body"] for one in now(site, planned)["updates"]] == ["We swap all."]


def test_a_deletion_needs_the_title(site: Site, enter: Enter, planned: dict[str, Any]) -> None:
    """Nothing is deleted by a slip of the finger; that a series ends with it is said before."""
    ann = enter(EDITOR)
    assert "series, which ends with it" in ann.get(at(planned, "/delete")).text
    form = ann.form(at(planned, "/delete"), "Delete for good")
    for wrong in ("", "disks", "Disks!"):
        assert ann.send(form, title=wrong).status_code == 422
    page = ann.follow(ann.send(form, title=" Disks "))
    assert "The maintenance is deleted." in page.text
    assert site.ask("GET", f"/maintenances/{planned['id']}").status_code == 404


def test_a_viewer_sees_no_buttons(enter: Enter, planned: dict[str, Any]) -> None:
    """Who may only look gets the facts and no form."""
    page = enter(VIEWER).get(at(planned))
    assert "We swap them." in page.text
    assert "90 minutes before" in page.text
    assert "Every week" in page.text
    assert forms_of(page.text) == []
    assert "Start now" not in page.text


def test_a_maintenance_of_another_page_is_not_found(
    site: Site, enter: Enter, planned: dict[str, Any]
) -> None:
    """Under another status page there is none of its ids, whatever is done with them; a new form cannot take one."""
    site.made("/pages", name="Other", slug="other")
    ann = enter(EDITOR)
    before = site.contents()
    update = f"/updates/{planned['updates'][0]['id']}"
    words = {"status_page": "other", "title": "Disks", "body": "Mine"}
    for step in (
        "",
        "/update",
        "/start",
        "/verify",
        "/complete",
        "/cancel",
        "/edit",
        "/delete",
        update,
    ):
        assert ann.get(at(planned, f"{step}?status_page=other")).status_code == 404
        if step:
            assert ann.post(at(planned, step), words).status_code == 404
    assert ann.post(at(planned, f"{update}/delete"), words).status_code == 404
    form = ann.form("/maintenance/new?status_page=other", "Services under")
    answer = ann.send(
        form,
        title="Disks",
        body="We swap them.",
        id=planned["id"],
        scheduled_start="2030-01-05T02:00",
        scheduled_end="2030-01-05T04:00",
    )
    assert answer.status_code == 409
    assert site.contents() == before
