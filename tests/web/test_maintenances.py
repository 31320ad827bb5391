"""Maintenance from outside: the manage API writes it, page, JSON and webhooks show it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.maintenances import Maintenance
from flask_statuspage.storage.outbox import Delivery
from flask_statuspage.storage.session import current_session
from tests.web.site import Site
from tests.web.test_manage_api import problem

HOOK = "http://127.0.0.1:9/hook"


def _at(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="seconds")


def _planned(site: Site, **values: Any) -> dict[str, Any]:
    body = {"title": "New disks", "scheduled_start": _at(60), "scheduled_end": _at(120)}
    made: dict[str, Any] = site.made("/maintenances", **{**body, **values})
    return made


def _listed(site: Site, path: str = "") -> list[str]:
    answer = site.json(f"/api/v2/scheduled-maintenances{path}.json")
    return [item["name"] for item in answer["scheduled_maintenances"]]


def test_from_plan_to_end(site: Site) -> None:
    """Each step shows at once in the lists, the component, the page and the maintenance's own page."""
    site.made("/components", name="API")
    made = _planned(site, components=["api"], body="We **replace** disks.")
    path = f"/maintenances/{made['id']}"
    assert (_listed(site), _listed(site, "/upcoming"), _listed(site, "/active")) == (
        ["New disks"],
        ["New disks"],
        [],
    )
    home = site.get("/").text
    assert "Scheduled maintenance" in home
    assert "<strong>replace</strong>" in home
    assert site.json("/api/v2/summary.json")["scheduled_maintenances"][0]["component"] == "API"

    assert site.ask("POST", f"{path}/start").status_code == 200
    assert _listed(site, "/upcoming") == []
    assert _listed(site, "/active") == ["New disks"]
    assert site.json("/api/v2/components.json")["components"][0]["status"] == "maintenance"
    assert site.json("/api/v2/status.json")["status"]["indicator"] == "maintenance"
    assert "Maintenance in progress: API" in site.get("/").text

    body = {"status": "verifying", "body": "Disks are in."}
    assert site.ask("POST", f"{path}/updates", body).status_code == 201
    own = site.get(f"/maintenance/{made['id']}").text
    assert "Verifying" in own
    assert "Disks are in." in own

    done = site.ask("POST", f"{path}/complete", {"body": "All new."}).get_json()
    assert done["status"] == "completed"
    assert done["ended_at"] is not None
    assert _listed(site, "/active") == []
    assert _listed(site) == ["New disks"]
    assert site.json("/api/v2/components.json")["components"][0]["status"] == "up"
    assert "All new." in site.get(f"/maintenance/{made['id']}").text


def test_fields_in_and_out(site: Site) -> None:
    """What was sent comes back, in the same words."""
    site.made("/components", name="API")
    made = _planned(
        site,
        scheduled_start="2036-01-07T03:00:00+01:00",
        scheduled_end="2036-01-07T04:00:00+01:00",
        components=["api"],
        auto_start=False,
        auto_complete=False,
        remind_before=[30, 60],
        rrule="FREQ=WEEKLY;COUNT=4",
        exceptions=["2036-01-14"],
    )
    shown = site.ask("GET", f"/maintenances/{made['id']}").get_json()
    assert shown == made
    expected = {
        "title": "New disks",
        "status": "scheduled",
        "scheduled_start": "2036-01-07T02:00:00+00:00",
        "scheduled_end": "2036-01-07T03:00:00+00:00",
        "auto_start": False,
        "auto_complete": False,
        "remind_before": [60, 30],
        "rrule": "FREQ=WEEKLY;COUNT=4",
        "exceptions": ["2036-01-14"],
        "overrun": False,
    }
    assert {name: shown[name] for name in expected} == expected
    assert [component["slug"] for component in shown["components"]] == ["api"]


def test_settings_say_when_to_remind(site: Site) -> None:
    """Without a wish of its own a maintenance reminds as the settings say."""
    assert _planned(site)["remind_before"] == [1440, 60]
    assert _planned(site, remind_before=[])["remind_before"] == []


def test_a_moved_window_is_one_webhook(site: Site) -> None:
    """Start and end in one PATCH are one event, and the same PATCH again is none."""
    site.made("/subscriptions", channel="webhook", address=HOOK)
    made = _planned(site)
    change = {"scheduled_start": _at(200), "scheduled_end": _at(300)}
    for _ in range(2):
        assert site.ask("PATCH", f"/maintenances/{made['id']}", change).status_code == 200
    told = site.ask("GET", "/deliveries").get_json()["items"]
    assert sorted(item["event"] for item in told) == [
        "maintenance.scheduled",
        "maintenance.updated",
    ]


def test_wrong_steps_are_conflicts(site: Site) -> None:
    """409 with the present state, and nothing changes."""
    made = _planned(site)
    path = f"/maintenances/{made['id']}"
    assert site.ask("POST", f"{path}/cancel", {"body": "Not needed."}).status_code == 200
    for step in ("start", "complete", "cancel"):
        assert "is cancelled" in problem(site.ask("POST", f"{path}/{step}"), 409)["detail"]
    problem(site.ask("PATCH", path, {"scheduled_end": _at(500)}), 409)
    wrong = problem(site.ask("POST", f"{path}/updates", {"status": "in_progress"}), 422)
    assert [error["field"] for error in wrong["errors"]] == ["status"]
    assert "Cancelled" in site.get(f"/maintenance/{made['id']}").text


def test_lists_can_be_narrowed(site: Site) -> None:
    """?status= shows one kind only; a status that does not exist is named."""
    first = _planned(site)
    site.ask("POST", f"/maintenances/{first['id']}/cancel", {})
    second = _planned(site)
    listed = site.ask("GET", "/maintenances?status=scheduled").get_json()
    assert [item["id"] for item in listed["items"]] == [second["id"]]
    going_on = _planned(site)
    site.made(f"/maintenances/{going_on['id']}/start")
    verifying = _planned(site)
    site.made(f"/maintenances/{verifying['id']}/updates", status="verifying")
    over = _planned(site)
    site.made(f"/maintenances/{over['id']}/start")
    site.made(f"/maintenances/{over['id']}/complete")
    listed = site.ask("GET", "/maintenances?status=open").get_json()
    expected = {row["id"] for row in (second, going_on, verifying)}
    assert {item["id"] for item in listed["items"]} == expected
    wrong = problem(site.ask("GET", "/maintenances?status=late"), 422)
    assert [error["field"] for error in wrong["errors"]] == ["status"]


def test_an_update_is_taken_back(site: Site) -> None:
    """One that no reader needs any more goes, with an event for host code; the audit keeps its text."""
    site.made("/subscriptions", channel="webhook", address=HOOK)
    path = f"/maintenances/{_planned(site)['id']}"
    site.made(f"{path}/updates", body="Wrong window.")
    site.made(f"{path}/updates", body="In order.")
    told = site.ask("GET", "/deliveries").get_json()["total"]
    wrong = site.ask("GET", path).get_json()["updates"][1]
    assert site.ask("DELETE", f"{path}/updates/{wrong['id']}").status_code == 204
    left = [update["body"] for update in site.ask("GET", path).get_json()["updates"]]
    assert left[:1] == ["In order."]
    assert (len(left), "Wrong window." in left) == (2, False)
    assert site.ask("GET", "/deliveries").get_json()["total"] == told
    entry = site.ask("GET", "/audit?action=delete_update").get_json()["items"][0]
    assert entry["before"]["body"] == "Wrong window."
    started = site.made(f"{path}/start")
    telling = started["updates"][0]["id"]
    detail = problem(site.ask("DELETE", f"{path}/updates/{telling}"), 409)["detail"]
    assert detail == "No other update tells that it is in_progress; edit this one."
    problem(site.ask("DELETE", f"{path}/updates/{telling}", role="viewer"), 403)


def test_delete(site: Site) -> None:
    """It is gone from everywhere, and its pending notices with it."""
    site.made("/subscriptions", channel="webhook", address=HOOK)
    made = _planned(site)
    assert site.ask("DELETE", f"/maintenances/{made['id']}").status_code == 204
    assert _listed(site) == []
    assert site.get(f"/maintenance/{made['id']}").status_code == 404
    problem(site.ask("GET", f"/maintenances/{made['id']}"), 404)
    assert [delivery.state.value for delivery in site.rows(Delivery)] == ["cancelled"]


def test_an_overrun_is_shown(site: Site) -> None:
    """What is still going on after its planned end says so."""
    made = _planned(site, scheduled_start=_at(-90), scheduled_end=_at(60), status="in_progress")
    assert not made["overrun"]
    with site.app.app_context():
        row = current_session().get_one(Maintenance, UUID(made["id"]))
        row.scheduled_end = utc_now() - timedelta(seconds=1)  # as an hour later
        current_session().commit()
    assert site.ask("GET", f"/maintenances/{made['id']}").get_json()["overrun"]
    site.app.extensions["statuspage"].documents.__init__()  # as after the 15 s of the cache
    assert site.json("/api/v2/scheduled-maintenances/active.json")["scheduled_maintenances"][0][
        "overrun"
    ]
    assert "longer than planned" in site.get("/").text
    assert "Longer than planned" in site.get(f"/maintenance/{made['id']}").text


def test_pages_do_not_mix(site: Site) -> None:
    """A maintenance belongs to one page; under another's slug it is not found."""
    site.made("/pages", name="Second")
    made = _planned(site, page="second")
    assert _listed(site) == []
    assert site.get(f"/maintenance/{made['id']}").status_code == 404
    assert site.get(f"/second/maintenance/{made['id']}").status_code == 200
    problem(site.ask("GET", f"/maintenances/{made['id']}"), 404)
    assert site.ask("GET", f"/maintenances/{made['id']}?status_page=second").status_code == 200


def test_hostile_texts_are_escaped(site: Site) -> None:
    """Titles and bodies cannot bring markup into the page."""
    made = _planned(site, title="<script>alert(1)</script>", body="<img src=x onerror=alert(1)>")
    for path in ("/", f"/maintenance/{made['id']}"):
        html = site.get(path).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "&lt;script&gt;" in html
