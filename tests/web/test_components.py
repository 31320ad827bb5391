"""Components and groups over HTTP: where a status comes from, history, order, and the archive."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage.services import mirror
from tests.web.queries import Queries
from tests.web.site import Site
from tests.web.test_manage_api import HOOK, problem


def slugs(site: Site, query: str = "") -> list[str]:
    return [item["slug"] for item in site.ask("GET", f"/components{query}").get_json()["items"]]


def test_where_a_status_comes_from(site: Site) -> None:
    """`source` is the word that shows, null where nobody says anything; `sources` are all of them."""
    quiet = site.made("/components", name="API")
    assert (quiet["source"], quiet["sources"]) == (None, [])
    site.made("/incidents", title="Slow", components={"api": "degraded_performance"})
    until = "2099-01-01T00:00:00+00:00"
    body = {"status": "major_outage", "note": "Seen from here", "until": until}
    said = site.ask("PUT", "/components/api/status", body).get_json()
    assert said["source"] == {
        "source": "manual",
        "status": "major_outage",
        "note": "Seen from here",
        "actor": "key owner",
        "since": said["since"],
        "until": until,
    }
    assert [word["source"] for word in said["sources"]] == ["incident", "manual"]
    assert site.ask("GET", "/components").get_json()["items"] == [said]
    hushed = site.ask("PUT", "/components/api/status", {"status": None}).get_json()
    assert (hushed["source"]["source"], hushed["status"]) == ("incident", "degraded_performance")


def test_the_history_of_a_component(site: Site) -> None:
    """Intervals newest first, in pages, each with its source and person; the open one has no end."""
    site.made("/components", name="API")
    for status in ("major_outage", "operational", None, "partial_outage"):
        site.ask("PUT", "/components/api/status", {"status": status})
    body = site.ask("GET", "/components/api/history?per_page=3").get_json()
    assert (body["total"], body["page"], body["per_page"]) == (4, 1, 3)
    assert [row["status"] for row in body["items"]] == [
        "partial_outage",
        "operational",
        "major_outage",
    ]
    newest, middle, oldest = body["items"]
    assert set(newest) == {"status", "started_at", "ended_at", "source", "actor"}
    assert (newest["ended_at"], newest["source"]) == (None, "manual")
    assert newest["actor"] == "key owner"
    assert middle["ended_at"] == newest["started_at"]
    assert oldest["ended_at"] == middle["started_at"]
    (first,) = site.ask("GET", "/components/api/history?per_page=3&page=2").get_json()["items"]
    assert (first["status"], first["source"], first["actor"]) == ("operational", None, None)
    problem(site.ask("GET", "/components/api/history?page=0"), 422)


def test_archived_over_http(site: Site) -> None:
    """PATCH archives and restores, DELETE archives what has a history; the archive is a list of its own."""
    for name in ("API", "Web", "New"):
        site.made("/components", name=name)
    site.ask("PUT", "/components/web/status", {"status": "major_outage"})
    away = site.ask("PATCH", "/components/api", {"archived": True}).get_json()
    assert away["archived"] is True
    for slug in ("web", "new"):
        assert site.ask("DELETE", f"/components/{slug}").status_code == 204
    assert slugs(site) == []
    listed = site.ask("GET", "/components?archived=true").get_json()
    assert [item["name"] for item in listed["items"]] == ["Web", "API"]
    assert all(item["archived"] and item["source"] is None for item in listed["items"])
    assert "<bdi>API</bdi>" not in site.get("/").text
    assert site.json("/api/v2/components.json") == {"components": []}
    for ident in ("api", away["slug"], away["id"]):
        problem(site.ask("GET", f"/components/{ident}"), 404)
        problem(site.ask("PATCH", f"/components/{ident}", {"name": "x"}), 404)
        problem(site.ask("DELETE", f"/components/{ident}"), 404)
    assert site.ask("GET", f"/components/{away['id']}/history").get_json()["total"] == 1
    problem(site.ask("PATCH", f"/components/{away['id']}", {"archived": True, "name": "x"}), 409)
    again = site.ask("PATCH", f"/components/{away['id']}", {"archived": True})
    assert again.get_json()["archived"] is True
    body = {"archived": False, "name": "Back", "status": "partial_outage"}
    back = site.ask("PATCH", f"/components/{away['slug']}", body).get_json()
    assert (back["id"], back["slug"], back["name"]) == (away["id"], "api", "Back")
    assert (back["archived"], back["status"]) == (False, "partial_outage")
    assert slugs(site) == ["api"]
    assert slugs(site, "?archived=false") == ["api"]
    assert "Back" in site.get("/").text
    for value in ("", "1", "yes", "%00"):
        wrong = problem(site.ask("GET", f"/components?archived={value}"), 422)
        assert [error["field"] for error in wrong["errors"]] == ["archived"]


def test_what_keeps_a_component_over_http(site: Site) -> None:
    """A monitor or an open incident is named in the 409, and a slug that is taken meanwhile is one too."""
    for name in ("API", "Web"):
        site.made("/components", name=name)
    site.made("/monitors", name="Probe", target=HOOK, component="api")
    site.made("/incidents", title="Fire", components=["web"])
    before = site.contents()
    for slug, word in (("api", "monitor"), ("web", "Fire")):
        for call in (("DELETE", None), ("PATCH", {"archived": True})):
            answer = site.ask(call[0], f"/components/{slug}", call[1])
            assert word in problem(answer, 409)["detail"]
    assert site.contents() == before
    site.made("/components", name="Old")
    old = site.ask("PATCH", "/components/old", {"archived": True}).get_json()
    site.made("/components", name="Old")
    problem(site.ask("PATCH", f"/components/{old['id']}", {"archived": False}), 409)
    body = {"archived": False, "slug": "older"}
    assert site.ask("PATCH", f"/components/{old['id']}", body).get_json()["slug"] == "older"


def test_order_over_http(site: Site) -> None:
    """One call puts components or groups in order, and the page shows them so."""
    for name in ("A", "B", "C"):
        site.made("/component-groups", name=f"Group {name}")
        site.made("/components", name=name, group=f"Group {name}")
    site.made("/components", name="Order")
    ordered = site.ask("PUT", "/component-groups/order", {"groups": ["Group C"]})
    assert ordered.get_json() == {"groups": ["Group C", "Group A", "Group B"]}
    assert slugs(site) == ["order", "c", "a", "b"]
    for name in ("D", "E"):
        site.made("/components", name=name, group="Group C")
    answer = site.ask("PUT", "/components/order", {"components": ["e", "b", "d"]})
    assert answer.get_json() == {"components": ["order", "e", "d", "c", "a", "b"]}
    assert slugs(site) == ["order", "e", "d", "c", "a", "b"]
    assert [row["slug"] for row in site.json("/api/v2/components.json")["components"]] == slugs(
        site
    )
    # A component may be called "order" all the same.
    assert site.ask("GET", "/components/order").get_json()["name"] == "Order"
    assert site.ask("PUT", "/components/order/status", {"status": None}).status_code == 200


def test_groups_stand_in_the_order_in_which_they_were_made(site: Site, tmp_path: Path) -> None:
    """Until somebody orders them: on the page, in the form, in the API, in the other dialect and in the mirror."""
    names = ["Zebra", "Monkey", "Antelope"]
    for name in names:
        site.made("/component-groups", name=name)
    for number in range(9):  # so many that the form has them by their groups
        site.made("/components", name=f"Service {number}", group=names[::-1][number % 3])
    first = site.made("/component-groups", name="First", position=0)
    site.made("/components", name="Of the first", group="First")
    assert first["position"] == 0
    wanted = ["First", *names]
    listed = site.ask("GET", "/component-groups").get_json()["items"]
    assert [group["name"] for group in listed] == wanted
    with site.app.app_context():
        mirror.write(str(tmp_path / "mirror"))
    mirrored = (tmp_path / "mirror" / "index.html").read_text(encoding="utf-8")
    for html in (site.get("/").text, site.get("/subscribe").text, mirrored):
        assert re.findall(f"<bdi>({'|'.join(wanted)})</bdi>", html) == wanted
    rows = site.json("/api/v2/components.json")["components"]
    assert list(dict.fromkeys(row["group"] for row in rows)) == wanted
    other = site.json("/statuspage/api/v2/components.json")["components"]
    assert [row["name"] for row in other if row["group"]] == wanted


def test_two_groups_of_one_name(site: Site) -> None:
    """A second group of a name is 409 when it is made and when it is renamed; on another page it is not."""
    site.made("/component-groups", name="Core")
    site.made("/component-groups", name="Edge")
    problem(site.ask("POST", "/component-groups", {"name": "Core"}), 409)
    problem(site.ask("PATCH", "/component-groups/Edge", {"name": "Core"}), 409)
    assert site.ask("PATCH", "/component-groups/Edge", {"name": "Edge"}).status_code == 200
    site.made("/pages", name="Second")
    site.made("/component-groups", name="Core", page="second")


@pytest.mark.parametrize("showcase", [True, False])
def test_uptime_for_show(site: Site, showcase: bool) -> None:
    """Without showcase the page leaves the uptime out, and the JSON API keeps it."""
    made = site.made("/components", name="API", showcase=showcase, start_date="2020-01-01")
    assert (made["showcase"], made["start_date"]) == (showcase, "2020-01-01")
    assert ("% uptime" in site.get("/").text) is showcase
    (component,) = site.json("/api/v2/components.json")["components"]
    assert component["uptime_percent"] == 100.0


def test_the_list_costs_no_query_per_component(site: Site) -> None:
    """What is said of all components of a list is read in one query."""

    def cost(path: str) -> int:
        with Queries(site) as queries:
            site.ask("GET", path)
        return len(queries.sent)

    def furnish(name: str) -> None:
        site.made("/components", name=name)
        body: dict[str, Any] = {"status": "major_outage"}
        site.ask("PUT", f"/components/{name.lower()}/status", body)

    furnish("First")
    few = cost("/components")
    history = cost("/components/first/history")
    for number in range(5):
        furnish(f"C{number}")
        site.ask("PUT", "/components/first/status", {"status": ("operational", None)[number % 2]})
    assert cost("/components") == few
    assert cost("/components/first/history") == history
