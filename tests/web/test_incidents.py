from __future__ import annotations

from typing import Any

from flask_statuspage.services import overview
from flask_statuspage.storage.outbox import Delivery
from tests.web.site import Site

HOOK = "http://127.0.0.1:9/hook"


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
