"""Several apps in one process share one StatusPage object and nothing else."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from flask_statuspage import StatusPage, signals, statuspage
from flask_statuspage.domain.events import Event
from flask_statuspage.storage.subscriptions import Subscription
from tests.web import conftest
from tests.web.site import Site, SiteMaker

make_site = conftest.make_site
migrated = conftest.migrated


@pytest.fixture
def two(make_site: SiteMaker) -> tuple[Site, Site]:
    """Two apps around one object, with different prefixes, settings and databases."""
    shared = StatusPage()
    return (
        make_site(statuspage=shared, prefix="/status", STATUSPAGE_PAGE_NAME="One"),
        make_site(
            statuspage=shared,
            prefix="/health",
            SECRET_KEY="another key",
            STATUSPAGE_PAGE_NAME="Two",
            STATUSPAGE_PAGE_URL="https://two.example/health",
            STATUSPAGE_WEBHOOK_SIGNUP="closed",
            STATUSPAGE_SIGNUPS_PER_HOUR=1,
        ),
    )


def test_settings_do_not_mix(two: tuple[Site, Site]) -> None:
    """Each app shows its own name and URL and follows its own rules."""
    one, other = two
    pages = [site.json("/api/v2/status.json")["page"] for site in two]
    assert [page["name"] for page in pages] == ["One", "Two"]
    assert pages[1]["url"] == "https://two.example/health"
    assert one.client.get("/health/").status_code == 404
    hook = {"type": "webhook", "url": "https://1.1.1.1/hook"}
    assert one.post("/?action=subscribe", data=hook).status_code == 201
    assert other.post("/?action=subscribe", data=hook).status_code == 422


def test_data_and_caches_do_not_mix(two: tuple[Site, Site]) -> None:
    """A change in one app is seen there at once and never in the other one."""
    one, other = two
    for site in two:
        assert site.json("/api/v2/components.json") == {"components": []}
    one.made("/components", name="Only in one")
    one.made("/incidents", title="Fire", impact="critical")
    assert one.json("/api/v2/status.json")["status"]["indicator"] == "major_outage"
    assert other.json("/api/v2/summary.json")["components"] == []
    assert other.json("/api/v2/status.json")["status"]["indicator"] == "operational"
    assert "Only in one" not in other.get("/").text
    assert "Fire" not in other.get("/").text


def test_keys_do_not_mix(two: tuple[Site, Site]) -> None:
    """An API key and a mailed link of one app open nothing in the other."""
    one, other = two
    headers = {"Authorization-Token": one.key()}
    assert other.get("/admin/api/v1/components", headers=headers).status_code == 401
    one.post("/subscribe", json={"channel": "email", "address": "ann@example.com"})
    token = one.token("confirm", one.rows(Subscription)[0])
    assert one.get(f"/confirm/{token}").status_code == 200
    assert other.get(f"/confirm/{token}").status_code == 404


def test_signals_name_their_app(two: tuple[Site, Site]) -> None:
    """A receiver that is connected to one app hears nothing of the other."""
    one, other = two
    heard: list[str] = []

    def listen(sender: Flask, event: Event) -> None:
        heard.append(event.data["incident"]["title"])

    with signals.incident_created.connected_to(listen, sender=one.app):
        other.made("/incidents", title="In two")
        one.made("/incidents", title="In one")
    assert heard == ["In one"]


def test_host_code_of_both_at_once(two: tuple[Site, Site]) -> None:
    """Host code in the contexts of both apps, in many threads, reaches the database of its own app only."""
    failures: list[BaseException] = []

    def work(site: Site, title: str) -> None:
        try:
            with site.app.app_context():
                site.statuspage.open_incident(title)
                site.db.session.commit()
            assert title in site.get("/api/v2/incidents.json").text
        except BaseException as error:
            failures.append(error)

    threads = [
        threading.Thread(target=work, args=(site, f"{name} {number}"))
        for number in range(4)
        for site, name in zip(two, ("one", "two"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for site, name in zip(two, ("one", "two"), strict=True):
        shown = [item["name"] for item in site.json("/api/v2/incidents.json")["incidents"]]
        assert sorted(shown) == [f"{name} {number}" for number in range(4)]


def test_the_ready_made_object_is_one_for_all(make_site: SiteMaker) -> None:
    """`from flask_statuspage import statuspage` serves any number of apps, a new one after the first request, too."""
    first = make_site(statuspage=statuspage)
    assert first.json("/api/v2/status.json")
    second = make_site(statuspage=statuspage, prefix="/elsewhere")
    assert second.json("/api/v2/status.json")
    assert first.json("/api/v2/status.json")
