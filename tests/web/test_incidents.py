from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from flask_statuspage.errors import Conflict, Invalid
from flask_statuspage.services import overview
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.outbox import Delivery
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.team import AuditEntry
from tests.web.site import Site

HOOK = "http://127.0.0.1:9/hook"
NOBODY = "00000000-0000-0000-0000-000000000000"
DAY = timedelta(days=1)


def _open(site: Site, **values: Any) -> dict[str, Any]:
    answer = site.ask("POST", "/incidents", {"title": "Trouble", **values})
    assert answer.status_code == 201, answer.text
    incident: dict[str, Any] = answer.get_json()
    return incident


def _names(site: Site) -> list[str]:
    answer = site.get("/api/v2/incidents.json")
    return [incident["name"] for incident in answer.get_json()["incidents"]]


def test_an_old_incident_keeps_its_page(site: Site) -> None:
    """Mails link to it: it answers also when newer ones have pushed it off the status page."""
    old = _open(site, title="The oldest", started_at="2025-01-01T00:00:00Z")
    site.ask("POST", f"/incidents/{old['id']}/resolve", {})
    for number in range(overview.NEWEST_INCIDENTS):
        incident = _open(site, title=f"Later {number}")
        site.ask("POST", f"/incidents/{incident['id']}/resolve", {})
    assert "The oldest" not in _names(site)
    page = site.get(f"/incidents/{old['id']}")
    assert page.status_code == 200
    assert "The oldest" in page.text


def test_a_draft_is_published_by_a_change(site: Site) -> None:
    """Until then nobody sees it; then it is told as a new incident, and cannot be hidden again."""
    site.ask("POST", "/subscriptions", {"channel": "webhook", "address": HOOK})
    draft = _open(site, title="Not yet", visibility="draft")
    assert _names(site) == []
    assert site.get(f"/incidents/{draft['id']}").status_code == 404
    assert site.rows(Delivery) == []
    path = f"/incidents/{draft['id']}"
    assert site.ask("PATCH", path, {"visibility": "published"}).status_code == 200
    assert _names(site) == ["Not yet"]
    told = site.ask("GET", "/deliveries").get_json()["items"]
    assert [delivery["event"] for delivery in told] == ["incident.created"]
    assert site.ask("PATCH", path, {"visibility": "draft"}).status_code == 409


def test_a_backfilled_incident_notifies_nobody(site: Site) -> None:
    """An incident with a start of its own is history: it is shown, not sent."""
    site.ask("POST", "/subscriptions", {"channel": "webhook", "address": HOOK})
    _open(site, started_at="2026-01-01T00:00:00Z")
    assert _names(site) == ["Trouble"]
    assert site.rows(Delivery) == []


def test_a_title_can_be_mended_after_the_end(site: Site) -> None:
    """A typing error is no new update, and nobody is notified of it."""
    incident = _open(site, title="Troubel")
    path = f"/incidents/{incident['id']}"
    site.ask("POST", f"{path}/resolve", {})
    answer = site.ask("PATCH", path, {"title": "Trouble"})
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["title"] == "Trouble"
    assert len(answer.get_json()["updates"]) == 2


def test_a_title_has_one_line(site: Site) -> None:
    """A line break would begin a line of its own in every mail."""
    answer = site.ask("POST", "/incidents", {"title": "One\r\nBcc: two"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == ["title"]


def test_the_sign_up_answers_without_the_slash(site: Site) -> None:
    """FacioTech's own form has none, and a client that follows no redirect must not be lost."""
    form = {"type": "webhook", "url": HOOK}
    for path in ("/status?action=subscribe", "/status/main?action=subscribe"):
        assert site.client.post(path, data=form).status_code == 201, path


def test_a_huge_body_is_refused_before_it_is_read(site: Site) -> None:
    """Nobody without a key may make the site parse megabytes."""
    answer = site.post("/subscribe", data=b"[" * 3_000_000, content_type="application/json")
    assert answer.status_code == 413


def test_an_incident_is_reopened(site: Site) -> None:
    """The page and its component are in trouble again, under the same address."""
    site.made("/components", name="API")
    incident = _open(site, components={"api": "partial_outage"})
    path = f"/incidents/{incident['id']}"
    site.made(f"{path}/resolve")
    body = {"status": "identified", "body": "It came back.", "components": {"api": "major_outage"}}
    again = site.made(f"{path}/reopen", **body)
    assert (again["status"], again["resolved_at"]) == ("identified", None)
    assert again["updates"][0]["body"] == "It came back."
    assert site.json("/api/v2/components.json")["components"][0]["status"] == "down"
    assert len(site.json("/api/v2/incidents/unresolved.json")["incidents"]) == 1
    assert site.ask("POST", f"{path}/reopen", {}).status_code == 409


def test_a_postmortem_stands_on_the_page(site: Site) -> None:
    """It is told by its own event and printed as Markdown above the course of the incident."""
    site.ask("POST", "/subscriptions", {"channel": "webhook", "address": HOOK})
    incident = _open(site)
    path = f"/incidents/{incident['id']}"
    early = site.ask("POST", f"{path}/postmortem", {"body": "Too early."})
    assert early.status_code == 409
    site.made(f"{path}/resolve")
    told = site.made(f"{path}/postmortem", body="What **we** learnt.")
    assert told["status"] == "postmortem"
    html = site.get(path).text
    assert "What <strong>we</strong> learnt." in html
    assert html.index("Postmortem") < html.index("Investigating")
    names = [one["event"] for one in site.ask("GET", "/deliveries").get_json()["items"]]
    assert names.count("incident.postmortem") == 1


def test_a_promise_is_shown_and_said_to_be_late(site: Site) -> None:
    """The next update's time is on both pages and in the JSON; once it has passed the page says so."""
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    incident = _open(site, next_update_due=soon)
    assert incident["next_update_due"] == soon
    (shown,) = site.json("/api/v2/incidents.json")["incidents"]
    assert shown["next_update_due"] == soon
    path = f"/incidents/{incident['id']}"
    for page in ("/", path):
        assert "Next update by <time" in site.get(page).text
    with site.app.app_context():
        passed = datetime.now(UTC) - timedelta(minutes=1)
        site.db.session.execute(update(Incident).values(next_update_due=passed))
        site.db.session.execute(update(Page).values(version=Page.version + 1))
        site.db.session.commit()
        site.app.extensions["statuspage"].page_changed()
    for page in ("/", path):
        html = site.get(page).text
        assert "The next update was due by <time" in html
        assert "It is late, and we are sorry." in html
    kept = site.made(f"{path}/updates", body="Here it is.")
    assert kept["next_update_due"] is None
    assert "next update" not in site.get(path).text.lower()


def test_an_update_is_mended_and_taken_back(site: Site) -> None:
    """PATCH and DELETE of one update change what readers see and mail nobody; the audit has the old text."""
    site.ask("POST", "/subscriptions", {"channel": "webhook", "address": HOOK})
    incident = _open(site, body="Loking.")
    path = f"/incidents/{incident['id']}"
    written = f"{path}/updates/{incident['updates'][0]['id']}"
    mended = site.ask("PATCH", written, {"body": "Looking."})
    assert mended.status_code == 200, mended.text
    assert mended.get_json()["updates"][0]["body"] == "Looking."
    assert "Looking." in site.get(path).text
    assert site.ask("DELETE", written).status_code == 409
    slip = site.made(f"{path}/updates", body="A slip.", notify=False)["updates"][0]
    assert site.ask("DELETE", f"{path}/updates/{slip['id']}").status_code == 204
    assert "A slip." not in site.get(path).text
    assert [row.state.value for row in site.rows(Delivery)] == ["pending"]
    kept = [row.before for row in site.rows(AuditEntry) if row.before]
    assert {"Loking.", "A slip."} <= {before.get("body") for before in kept}
    for ident in (NOBODY, "nothing", "%00"):
        assert site.ask("PATCH", f"{path}/updates/{ident}", {"body": "x"}).status_code == 404
        assert site.ask("DELETE", f"{path}/updates/{ident}").status_code == 404


def test_a_deleted_incident_leaves_the_page(site: Site) -> None:
    """Its page is 404, the documents and the component forget it, and nothing more is sent."""
    site.made("/components", name="API")
    site.ask("POST", "/subscriptions", {"channel": "webhook", "address": HOOK})
    incident = _open(site, components={"api": "major_outage"})
    path = f"/incidents/{incident['id']}"
    assert site.ask("DELETE", path).status_code == 204
    assert site.get(path).status_code == 404
    assert _names(site) == []
    assert site.json("/api/v2/components.json")["components"][0]["status"] == "up"
    states = {
        one["event"]: one["state"] for one in site.ask("GET", "/deliveries").get_json()["items"]
    }
    assert states["incident.created"] == "cancelled"
    assert site.ask("DELETE", path).status_code == 404


def test_history_sits_on_its_day(site: Site) -> None:
    """An incident with beginning and end in the past stands on the day on which it began."""
    began = datetime.now(UTC) - timedelta(days=3)
    ended = began + timedelta(minutes=90)
    incident = _open(
        site,
        title="Last week",
        status="resolved",
        started_at=began.isoformat(),
        resolved_at=ended.isoformat(),
    )
    assert incident["resolved_at"] == ended.isoformat(timespec="seconds")
    html = site.get("/").text
    day, later = (f'<time datetime="{d.date().isoformat()}"' for d in (began, began + DAY))
    assert html.index(later) < html.index(day) < html.index("Last week")
    assert "Resolved after 1 h 30 min" in html


def test_a_list_is_chosen_from(site: Site) -> None:
    """?status= takes each status and "open", ?visibility= drafts or published ones; other words are 422."""
    for number, status in enumerate(("investigating", "identified", "monitoring", "resolved")):
        _open(site, title=status, status=status, visibility="draft" if number == 1 else "published")
    over = _open(site, title="postmortem", status="resolved")
    site.made(f"/incidents/{over['id']}/postmortem", body="Learnt.")

    def listed(query: str) -> set[str]:
        answer = site.ask("GET", f"/incidents?{query}")
        assert answer.status_code == 200, answer.text
        assert answer.get_json()["total"] == len(answer.get_json()["items"])
        return {item["title"] for item in answer.get_json()["items"]}

    for status in ("investigating", "identified", "monitoring", "resolved", "postmortem"):
        assert listed(f"status={status}") == {status}
    assert listed("status=open") == {"investigating", "identified", "monitoring"}
    assert listed("visibility=draft") == {"identified"}
    assert listed("status=open&visibility=published") == {"investigating", "monitoring"}
    assert len(listed("")) == 5
    for name, word in (("status", "closed"), ("status", ""), ("visibility", "secret")):
        wrong = site.ask("GET", f"/incidents?{name}={word}")
        assert wrong.status_code == 422
        assert [error["field"] for error in wrong.get_json()["errors"]] == [name]


def test_one_incident_for_a_monitor(site: Site) -> None:
    """A second report of the same monitor is the next update of the first; links go by slug or id, or away."""
    monitor = site.made("/monitors", name="Probe", target="https://1.1.1.1/probe")
    first = _open(site, title="First", monitor="probe")
    assert (first["monitor"], first["automatic"]) == ("probe", False)
    second = _open(site, title="Second", monitor=monitor["id"], body="More.")
    assert (second["id"], second["title"]) == (first["id"], "Second")
    assert [one["body"] for one in second["updates"]] == ["More.", ""]
    other = _open(site, title="Other")
    assert other["monitor"] is None
    path = f"/incidents/{other['id']}"
    refused = site.ask("PATCH", path, {"monitor": "probe"})
    assert refused.status_code == 409
    assert first["id"] in refused.get_json()["detail"]
    assert site.ask("PATCH", f"/incidents/{first['id']}", {"monitor": None}).status_code == 200
    assert site.ask("PATCH", path, {"monitor": "probe"}).get_json()["monitor"] == "probe"
    listed = {
        item["title"]: item["monitor"] for item in site.ask("GET", "/incidents").get_json()["items"]
    }
    assert listed == {"Second": None, "Other": "probe"}


def test_components_are_changed_by_an_update(site: Site) -> None:
    """PATCH with components writes an update; what no update carries is refused beside them."""
    site.made("/components", name="API")
    incident = _open(site)
    path = f"/incidents/{incident['id']}"
    change = {"components": {"api": "major_outage"}, "title": "Big trouble"}
    changed = site.ask("PATCH", path, change).get_json()
    assert (changed["title"], len(changed["updates"])) == ("Big trouble", 2)
    assert site.ask("PATCH", path, change).get_json() == changed
    for extra in ({"visibility": "published"}, {"monitor": None}, {"impact": None}):
        refused = site.ask("PATCH", path, {**change, **extra})
        assert [error["field"] for error in refused.get_json()["errors"]] == list(extra)


def test_the_host_tells_the_whole_story(site: Site) -> None:
    """From code of the host: a promise, an update, the end, a reopening and a postmortem."""
    site.made("/components", name="API")
    with site.app.app_context():
        due = datetime.now(UTC) + timedelta(hours=1)
        incident = site.statuspage.open_incident(
            "Trouble", impact="major", components=["api"], next_update_due=due
        )
        incident.update("identified", "A bad deploy.", next_update_due=due + timedelta(hours=1))
        incident.resolve("Rolled back.")
        incident.reopen("Not for all.", status="monitoring", components={"api": "partial_outage"})
        site.db.session.commit()
        assert site.json("/api/v2/components.json")["components"][0]["status"] == "partial_outage"
        incident.resolve().postmortem("Learnt.")
        site.db.session.commit()
        with pytest.raises(Conflict):
            incident.postmortem("Learnt.").reopen().reopen()
        with pytest.raises(Invalid, match="status: 'again' is none of"):
            incident.reopen(status="again")
        site.db.session.rollback()
    shown = site.json("/api/v2/incidents.json")["incidents"][0]
    assert [update["status"] for update in shown["updates"]] == [
        *("postmortem", "resolved", "monitoring", "resolved", "identified", "investigating")
    ]
