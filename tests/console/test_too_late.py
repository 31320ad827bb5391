"""What was typed into a form whose fields have no meaning any more: it is told to be too late, never called saved."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.conftest import Enter
from tests.console.member import EDITOR, Form, forms_of
from tests.web.site import Site

WINDOW = {"scheduled_start": "2030-01-05T02:00:30Z", "scheduled_end": "2030-01-05T04:00:00Z"}


@pytest.fixture
def planned(site: Site) -> dict[str, Any]:
    site.made("/components", name="API")
    return site.made("/maintenances", title="Disks", body="-", components=["api"], **WINDOW)


def edit_form(html: str) -> Form:
    return next(form for form in forms_of(html) if form.action.endswith("/edit"))


@pytest.mark.parametrize(
    ("before", "meanwhile", "typed", "told"),
    [
        ("start", "complete", {"scheduled_end": "2030-01-05T06:00"}, "End: 2030-01-05T06:00"),
        ("", "start", {"scheduled_start": "2030-01-05T03:00"}, "Start: 2030-01-05T03:00"),
        (
            "",
            "start",
            {"exceptions": "2030-01-12", "repeat": "FREQ=WEEKLY"},
            "How often: Every week",
        ),
        ("", "cancel", {"components": None}, "Services under maintenance: none"),
        ("", "cancel", {"auto_start": None}, "Begin by itself at the start: no"),
        ("start", "complete", {"remind_before": ["60"]}, "Remind subscribers: 1 hour before"),
    ],
    ids=["end", "start", "rule", "services", "tick", "reminders"],
)
def test_a_maintenance_is_not_called_changed_when_it_went_on_meanwhile(
    site: Site,
    enter: Enter,
    planned: dict[str, Any],
    before: str,
    meanwhile: str,
    typed: dict[str, Any],
    told: str,
) -> None:
    """Fields that it keeps by now are answered with 409 and what was typed; the next press saves what can be."""
    url = f"/maintenances/{planned['id']}"
    if before:
        site.made(f"{url}/{before}")
    ann = enter(EDITOR)
    form = ann.form(f"/maintenance/{planned['id']}/edit", "Save")
    site.made(f"{url}/{meanwhile}")
    contents = site.contents()
    for button in ({"preview": "yes"}, {}):
        answer = ann.send(form, **typed, **button)
        assert answer.status_code == 409
        assert "Nothing of yours was saved" in answer.text
        assert told in answer.text.replace("<bdi>", "")
        assert site.contents() == contents
    again = edit_form(answer.text)
    assert ann.send(again, title="Cables").status_code == 303
    assert site.ask("GET", url).get_json()["title"] == "Cables"


def test_a_maintenance_that_went_on_says_nothing_of_fields_that_nobody_touched(
    site: Site, enter: Enter, planned: dict[str, Any]
) -> None:
    """Who changed only the title loses nothing, and is not told of the rest."""
    ann = enter(EDITOR)
    form = ann.form(f"/maintenance/{planned['id']}/edit", "Save")
    site.made(f"/maintenances/{planned['id']}/cancel")
    answer = ann.send(form, title="Cables")
    assert answer.status_code == 409
    assert "You had typed" not in answer.text
    assert ann.send(edit_form(answer.text)).status_code == 303
    assert site.ask("GET", f"/maintenances/{planned['id']}").get_json()["title"] == "Cables"


def test_an_hour_that_comes_twice_stays_the_one_that_it_is(site: Site, enter: Enter) -> None:
    """In autumn the clock shows the second hour as the first one; who does not touch it moves nothing."""
    page = site.ask("GET", "/pages").get_json()["items"][0]
    zone = {"time_zone": "Europe/Berlin"}
    assert site.ask("PATCH", f"/pages/{page['id']}", zone).status_code == 200
    window = {"scheduled_start": "2030-10-27T01:30:00Z", "scheduled_end": "2030-10-27T04:00:00Z"}
    row = site.made("/maintenances", title="Disks", body="-", components=[], **window)
    site.made(f"/maintenances/{row['id']}/start")
    ann = enter(EDITOR)
    form = ann.form(f"/maintenance/{row['id']}/edit", "Save")
    assert ann.send(form, scheduled_end="2030-10-27T06:00").status_code == 303
    now = site.ask("GET", f"/maintenances/{row['id']}").get_json()
    assert now["scheduled_start"] == "2030-10-27T01:30:00+00:00"
    assert now["scheduled_end"] == "2030-10-27T05:00:00+00:00"


def test_an_incident_is_not_called_changed_when_it_ended_meanwhile(
    site: Site, enter: Enter
) -> None:
    """A promise of the next update for one that is over by now is answered with 409 and what was typed."""
    row = site.made("/incidents", title="Down", body="-")
    ann = enter(EDITOR)
    form = ann.form(f"/incidents/{row['id']}/edit", "Save")
    site.made(f"/incidents/{row['id']}/resolve", body="Up.")
    contents = site.contents()
    answer = ann.send(form, next_update_due="2030-01-05T06:00")
    assert answer.status_code == 409
    assert "Next update by: <bdi>2030-01-05T06:00" in answer.text
    assert site.contents() == contents
    assert ann.send(edit_form(answer.text), title="It was down").status_code == 303
