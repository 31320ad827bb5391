"""The pages of incidents and maintenance over HTTP: one address each, who may see them, calendars."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from flask_statuspage.state import state_of
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker
from tests.web.test_public import broken_file

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    site = make_site(
        STATUSPAGE_LOCALES="en,de",
        STATUSPAGE_PAGE_URL="https://status.acme.example/s",
        STATUSPAGE_TIME_ZONE="Asia/Tokyo",
    )
    site.made("/components", name="API")
    site.made("/components", name="Web")
    return site


def planned(site: Site, **more: Any) -> str:
    body = {
        "title": "New disks",
        "scheduled_start": SOON.isoformat(),
        "scheduled_end": (SOON + timedelta(hours=1)).isoformat(),
        **more,
    }
    ident: str = site.made("/maintenances", **body)["id"]
    return ident


def links(text: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r'href="([^"]*)"', text)]


@pytest.mark.parametrize("prefix", ["", "/main"])
@pytest.mark.parametrize("behind", ["-", "-payments-fail", "-%E2%9C%93", "-.."])
def test_one_address(site: Site, prefix: str, behind: str) -> None:
    """Whatever stands behind the id leads to the one address, at the root and under the slug, in the same language."""
    incident = site.made("/incidents", title="Payments fail")["id"]
    for start, ident, end in (
        ("/incidents/", incident, ""),
        ("/maintenance/", planned(site), ""),
        ("/maintenance/", planned(site), ".ics"),
    ):
        answer = site.get(f"{prefix}{start}{ident}{behind}{end}")
        assert answer.status_code == 301
        assert answer.headers["Location"] == f"/status{prefix}{start}{ident}{end}"
        assert site.client.get(answer.headers["Location"]).status_code == 200
    spoken = site.get(f"{prefix}/incidents/{incident}{behind}?lang=de&x=1")
    assert spoken.headers["Location"] == f"/status{prefix}/incidents/{incident}?lang=de"
    foreign = site.get(f"{prefix}/incidents/{incident}{behind}?lang=//evil.example")
    assert foreign.headers["Location"] == f"/status{prefix}/incidents/{incident}"


def test_a_prefix_before_the_app_is_kept(site: Site) -> None:
    """Behind a proxy that cuts off its own part of the path."""
    ident = site.made("/incidents", title="Payments fail")["id"]
    answer = site.get(f"/incidents/{ident}-x", environ_overrides={"SCRIPT_NAME": "/shop"})
    assert answer.headers["Location"] == f"/shop/status/incidents/{ident}"


@pytest.mark.parametrize("kind", ["incidents", "maintenance"])
@pytest.mark.parametrize("text", ["x", NOBODY, NOBODY + "x", NOBODY[:-1], "{" + NOBODY + "}", "-"])
def test_what_is_no_address(site: Site, kind: str, text: str) -> None:
    """Neither other spellings of an id nor one of nothing are found."""
    assert site.get(f"/{kind}/{text}").status_code == 404
    assert site.get(f"/{kind}/{text}.ics").status_code == 404


def test_drafts_are_not_there(site: Site) -> None:
    """Not with their title in the address, not as neighbours, not in the month."""
    first = site.made(
        "/incidents", title="First", status="resolved", started_at="2026-05-01T00:00Z"
    )
    draft = site.made(
        "/incidents",
        title="Hidden",
        status="resolved",
        started_at="2026-05-02T00:00Z",
        visibility="draft",
    )
    site.made("/incidents", title="Third", status="resolved", started_at="2026-05-03T00:00Z")
    assert site.get(f"/incidents/{draft['id']}").status_code == 404
    moved = site.get(f"/incidents/{draft['id']}-hidden", follow_redirects=True)
    assert moved.status_code == 404
    page = site.get(f"/incidents/{first['id']}").text
    assert "Third" in page
    assert "Hidden" not in page
    assert "Hidden" not in site.get("/history?month=2026-05").text


def test_incident_page(site: Site) -> None:
    """It tells other sites what it is and where, and leads to a form that has its services chosen."""
    incident = site.made(
        "/incidents",
        title="A <b> & more",
        components={"api": "major_outage", "web": "degraded_performance"},
    )["id"]
    text = site.get(f"/incidents/{incident}").text
    url = f"https://status.acme.example/s/incidents/{incident}"
    assert f'<link rel="canonical" href="{url}">' in text
    assert f'<meta property="og:url" content="{url}">' in text
    assert '<meta property="og:title" content="A &lt;b&gt; &amp; more">' in text
    assert '<meta property="og:type" content="article">' in text
    assert re.search('<meta property="og:description" content="Investigating. [^"]+">', text)
    [form] = [link for link in links(text) if "/subscribe?" in link]
    assert form == "/status/subscribe?components=api&components=web"
    chosen = site.client.get(form).text
    for slug in ("api", "web"):
        assert re.search(f'name="components" value="{slug}" checked', chosen)


def test_neighbours_cost_one_query(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old incident is read with its neighbours in a few queries, however many there are; drawn once."""
    monkeypatch.setattr(
        "flask_statuspage.web.cache.VERSION_SECONDS", 3600.0
    )  # however slow the machine is
    idents = [
        site.made(
            "/incidents", title=f"I {n}.", status="resolved", started_at=f"2026-05-{n:02}T00:00Z"
        )["id"]
        for n in range(1, 29)
    ]
    for n in range(1, 29):
        site.made(
            "/incidents", title="Later", status="resolved", started_at=f"2026-06-{n:02}T00:00Z"
        )
    site.get("/")
    with Queries(site) as queries:
        text = site.get(f"/incidents/{idents[2]}").text
    assert "I 2." in text
    assert "I 4." in text
    assert len(queries.sent) <= 6
    with Queries(site) as queries:
        site.get(f"/incidents/{idents[2]}")
    assert queries.sent == []


def test_without_a_database(site: Site) -> None:
    """What the snapshot has is shown with a note, without neighbours that it does not know; the calendar, too."""
    first = site.made(
        "/incidents", title="First", status="resolved", started_at="2026-05-01T00:00Z"
    )
    site.made("/incidents", title="Second")
    window = planned(site)
    site.get("/")
    mend = broken_file(site)
    state_of(site.app).documents.expire_versions()
    page = site.get(f"/incidents/{first['id']}")
    file = site.get(f"/maintenance/{window}.ics")
    mend()
    assert page.status_code == 200
    assert "may be out of date" in page.text
    assert "Next: <bdi>Second</bdi>" in page.text
    assert file.status_code == 200
    assert file.headers["Warning"].startswith("110 ")


def test_calendar_of_one_maintenance(site: Site) -> None:
    """A file with that window alone, cached as documents are, also of an old one and of one in a series."""
    window = planned(site, components=["api"], rrule="FREQ=WEEKLY")
    planned(site, title="Another")
    answer = site.get(f"/maintenance/{window}.ics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "max-age" in answer.headers["Cache-Control"]
    [event] = Calendar.from_ical(answer.data).walk("VEVENT")
    assert event["SUMMARY"] == "Maintenance: New disks"
    assert event["UID"] == f"{window}@status.acme.example"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (SOON, SOON + timedelta(hours=1))
    assert event["URL"] == f"https://status.acme.example/s/maintenance/{window}"
    assert "RRULE" not in event
    same = {"If-None-Match": answer.headers["ETag"]}
    assert site.get(f"/maintenance/{window}.ics", headers=same).status_code == 304
    assert site.get(f"/maintenance/{NOBODY}.ics").status_code == 404


def test_maintenance_page(site: Site) -> None:
    """The window is told by two clocks where they differ, and that it repeats; it leads to its calendar."""
    window = planned(site, rrule="FREQ=WEEKLY;INTERVAL=2")
    text = site.get(f"/maintenance/{window}").text
    assert f"{SOON.astimezone(UTC):%H:%M} UTC" in text
    assert "JST" in text
    assert "Every 2 weeks" in text
    assert "Under maintenance: all services of this page" in text
    assert f"/status/maintenance/{window}.ics" in links(text)
    assert f"/status/maintenance/{window}.ics" in links(site.get("/").text)
    assert "Affects all services of this page" in site.get("/").text
