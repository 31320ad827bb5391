"""What the lists of the manage API are narrowed by."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import tables
from tests.web.site import Site, SiteMaker, sqlite_url
from tests.web.test_manage_api import HOOK, problem

SLACK = "https://1.0.0.1/services/T0/B0/xyzsecret"


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def filled(request: pytest.FixtureRequest, make_site: SiteMaker, tmp_path: Path) -> Site:
    """A site with some of everything, on each kind of database."""
    url = sqlite_url(tmp_path / "lists.db")
    if request.param != "sqlite":
        url = request.getfixturevalue(f"{request.param}_server").create_database()
    tables.fill(url)
    site: Site = make_site(url=url, STATUSPAGE_SLACK_HOSTS="1.0.0.1")
    site.made("/component-groups", name="Platform")
    site.made("/components", name="API", group="Platform", description="100% of it")
    site.made("/components", name="Web_Shop")
    site.made("/components", name="Old")
    site.ask("PUT", "/components/web-shop/status", {"status": "partial_outage"})
    site.made("/monitors", name="Probe", target=HOOK, component="api")
    site.made("/monitors", name="Job", kind="heartbeat")
    site.ask("POST", "/monitors/job/pause")
    day = "2026-03-0{}T00:00:00Z"
    for title, slug, number in (("Fire", "api", 1), ("Flood", "web-shop", 2), ("Frost", "old", 3)):
        site.made(
            "/incidents",
            title=title,
            components=[slug],
            started_at=day.format(number),
            resolved_at=day.format(number + 1),
            status="resolved",
            impact="minor" if slug == "api" else "critical",
        )
    site.made("/incidents", title="Draft", visibility="draft")
    site.ask("PATCH", "/components/old", {"archived": True})
    for title, slug, year in (("New disks", "api", 2036), ("New roof", "web-shop", 2037)):
        site.made(
            "/maintenances",
            title=title,
            components=[slug],
            scheduled_start=f"{year}-01-01T00:00:00Z",
            scheduled_end=f"{year}-01-01T01:00:00Z",
        )
    site.made("/subscriptions", channel="email", address="ann@acme.example", components=["api"])
    site.made("/subscriptions", channel="email", address="bob@acme.example")
    site.made(
        "/subscriptions",
        channel="webhook",
        address=HOOK,
        contact="Cleo@acme.example",
        components=["web-shop"],
    )
    site.made("/subscriptions", channel="slack", address=SLACK, components=["web-shop"])
    hook = site.ask("GET", "/subscriptions?channel=webhook").get_json()["items"][0]["id"]
    site.ask("POST", f"/subscriptions/{hook}/disable")
    for identity, role in (("ann@acme.example", "owner"), ("bob@acme.example", "viewer")):
        site.made("/members", identity=identity, role=role)
    return site


FOUND: list[tuple[str, str, list[str]]] = [
    ("/components", "status=partial_outage", ["Web_Shop"]),
    ("/components", "group=Platform", ["API"]),
    ("/components", "search=0%25+of", ["API"]),
    ("/components", "search=WEB_", ["Web_Shop"]),
    ("/components", "search=_P", []),
    ("/components", "archived=true&search=old", ["Old"]),
    ("/monitors", "component=api", ["Probe"]),
    ("/monitors", "kind=heartbeat", ["Job"]),
    ("/monitors", "paused=false", ["Probe"]),
    ("/monitors", "verdict=unknown&paused=true", ["Job"]),
    ("/monitors", "search=1.1.1", ["Probe"]),
    ("/incidents", "component=api", ["Fire"]),
    ("/incidents", "impact=critical", ["Frost", "Flood"]),
    ("/incidents", "since=2026-03-02T00:00:00Z&until=2026-03-03T00:00:00Z", ["Flood"]),
    ("/incidents", "search=F", ["Draft", "Frost", "Flood", "Fire"]),
    ("/incidents", "search=f&status=resolved&until=2026-03-02T00:00:00Z", ["Fire"]),
    ("/incidents", "status=open&visibility=draft", ["Draft"]),
    ("/maintenances", "component=web-shop", ["New roof"]),
    ("/maintenances", "since=2036-06-01T00:00:00Z", ["New roof"]),
    ("/maintenances", "until=2036-06-01T00:00:00Z&status=open", ["New disks"]),
    ("/maintenances", "search=DISK", ["New disks"]),
    ("/subscriptions", "channel=email", ["bob@acme.example", "ann@acme.example"]),
    ("/subscriptions", "state=disabled", [HOOK]),
    ("/subscriptions", "component=api", ["bob@acme.example", "ann@acme.example"]),
    ("/subscriptions", "search=ANN@", ["ann@acme.example"]),
    ("/subscriptions", "search=cleo", [HOOK]),
    ("/subscriptions", f"search={SLACK}", ["https://1.0.0.1/…"]),
    ("/subscriptions", "search=xyzsecret", []),
    ("/subscriptions", "channel=pigeon", []),
    ("/members", "role=viewer", ["bob@acme.example"]),
    ("/tokens", "role=owner&revoked=false", ["owner"]),
]


def test_lists_are_narrowed(filled: Site) -> None:
    """Each filter gives what it says, alone and with others, with a total that fits, on each database."""
    for path, query, wanted in FOUND:
        answer = filled.ask("GET", f"{path}?{query}")
        assert answer.status_code == 200, answer.text
        listed = answer.get_json()
        names = [
            next(item[name] for name in ("title", "address", "identity", "name") if name in item)
            for item in listed["items"]
        ]
        assert (names, listed["total"]) == (wanted, len(wanted)), (path, query)
    (old,) = filled.ask("GET", "/components?archived=true").get_json()["items"]
    listed = filled.ask("GET", f"/incidents?component={old['id']}").get_json()
    assert [item["title"] for item in listed["items"]] == ["Frost"]


def test_a_component_that_is_not_there(site: Site) -> None:
    """A component or group that the page does not have is 422 and named, not an empty list."""
    for path in ("/monitors", "/incidents", "/maintenances", "/subscriptions"):
        wrong = problem(site.ask("GET", f"{path}?component=nothing"), 422)
        assert [error["field"] for error in wrong["errors"]] == ["component"], path
    wrong = problem(site.ask("GET", "/components?group=nothing"), 422)
    assert [error["field"] for error in wrong["errors"]] == ["group"]
    for value in ("", "+", "x" * 201, "%00"):
        wrong = problem(site.ask("GET", f"/incidents?search={value}"), 422)
        assert [error["field"] for error in wrong["errors"]] == ["search"]


def test_deliveries_are_narrowed(site: Site) -> None:
    """By channel, event and time, besides subscription and state."""
    site.made("/components", name="API")
    site.made("/subscriptions", channel="webhook", address=HOOK)
    site.made("/subscriptions", channel="email", address="ann@acme.example")
    site.made("/incidents", title="Fire", components=["api"])
    swept = site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert swept.exit_code == 0, swept.output

    def found(query: str) -> set[str]:
        items = site.ask("GET", f"/deliveries?{query}").get_json()["items"]
        return {item["event"] for item in items}

    assert found("channel=webhook") >= {"incident.created"}
    every = site.ask("GET", "/deliveries?event=incident.created").get_json()["total"]
    hooks = site.ask("GET", "/deliveries?event=incident.created&channel=webhook").get_json()
    assert (every, hooks["total"]) == (2, 1)
    assert found("event=incident.created") == {"incident.created"}
    assert found("until=2020-01-01T00:00:00Z") == set()
    assert found("since=2020-01-01T00:00:00Z&event=incident.resolved") == set()
