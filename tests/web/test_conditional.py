"""Entity tags of the manage API: what is read again only if it changed, and changed only if it did not."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import pytest

from tests.web.site import API, Site, SiteMaker
from tests.web.test_manage_api import HOOK, WINDOW, full, problem

CHANGES: dict[str, dict[str, Any]] = {
    "component-groups": {"description": "About it"},
    "components": {"description": "About it"},
    "monitors": {"interval": 30},
    "incidents": {"title": "Big fire"},
    "maintenances": {"title": "Bigger disks"},
    "templates": {"title": "All is down"},
    "subscriptions": {"events": ["incident.created"]},
    "pages": {"name": "New", "time_zone": "Europe/Berlin"},
    "members": {"role": "editor"},
    "tokens": {"name": "Deploy", "expires_at": "2036-01-01T00:00:00Z"},
}
three = pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)


def things(site: Site) -> dict[str, str]:
    """The path of one thing of each resource."""
    ids = full(site)
    ids["pages"] = site.made("/pages", name="Second")["id"]
    ids["members"] = site.made("/members", identity="bob@acme.example", role="viewer")["id"]
    ids["tokens"] = site.made("/tokens", name="deploy", role="viewer")["id"]
    return {resource: f"/{resource}/{ident}" for resource, ident in ids.items()}


@three
def test_each_thing_has_a_tag(database_url: str, migrated_site: SiteMaker) -> None:
    """GET and PATCH answer the same tag for the same thing; a change gives another one, and the old one is refused."""
    site: Site = migrated_site(database_url)
    for resource, path in things(site).items():
        got = site.ask("GET", path)
        tag = got.headers["ETag"]
        assert tag.startswith('"'), "not a strong one"
        same = site.ask("GET", path, If_None_Match=f'"other", {tag}')
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag), resource
        assert site.ask("GET", path, If_None_Match='"other"').status_code == 200
        assert site.ask("PATCH", path, {}).headers["ETag"] == tag, resource
        changed = site.ask("PATCH", path, CHANGES[resource], If_Match=tag)
        assert changed.status_code == 200, changed.text
        new = changed.headers["ETag"]
        assert new != tag
        now = site.ask("GET", path)
        assert (now.headers["ETag"], now.status_code) == (new, 200), resource
        before = site.contents()
        for wrong in ('""', tag, f"W/{new}", '"x", "y"', "", f"{tag}, W/{new}"):
            refused = site.ask("PATCH", path, CHANGES[resource], If_Match=wrong)
            assert refused.headers["ETag"] == new, resource
            assert "If-Match" in problem(refused, 412)["detail"]
        assert site.contents() == before
        for right in ("*", new, f'"x", {new}'):
            assert site.ask("PATCH", path, CHANGES[resource], If_Match=right).status_code == 200


def test_what_is_made_has_a_place_and_a_tag(site: Site) -> None:
    """201 says where the thing is read, with its page, and the tag that it is read with."""
    site.made("/pages", name="Second")
    bodies: dict[str, dict[str, Any]] = {
        "/pages": {"name": "Third"},
        "/component-groups": {"name": "Platform"},
        "/components": {"name": "API"},
        "/monitors": {"name": "Probe", "target": HOOK},
        "/incidents": {"title": "Fire"},
        "/maintenances": WINDOW,
        "/templates": {"kind": "incident", "name": "Outage", "title": "Down"},
        "/subscriptions": {"channel": "webhook", "address": HOOK},
        "/members": {"identity": "bob@acme.example", "role": "viewer"},
        "/tokens": {"name": "deploy", "role": "viewer"},
    }
    for path, body in bodies.items():
        of_page = path not in ("/pages", "/members", "/tokens")
        for where in ("main", "second") if of_page else (None,):
            made = site.ask("POST", path, {**body, "page": where} if where else body)
            assert made.status_code == 201, made.text
            location = made.headers["Location"]
            query = "?status_page=second" if where == "second" else ""
            assert location == f"/status{API}{path}/{made.get_json()['id']}{query}"
            got = site.ask("GET", location.partition(API)[2])
            assert (got.status_code, got.headers["ETag"]) == (200, made.headers["ETag"]), path
    (incident,) = site.ask("GET", "/incidents").get_json()["items"]
    path = f"/incidents/{incident['id']}"
    told = site.ask("POST", f"{path}/updates", {"body": "News"})
    assert told.headers["Location"] == f"/status{API}{path}"
    assert told.headers["ETag"] == site.ask("GET", path).headers["ETag"]


def test_steps_and_deletions_ask_too(site: Site) -> None:
    """Each step and deletion is refused with an old tag, and answers the new one where it tells of the thing."""
    paths = things(site)
    update = site.ask("GET", paths["incidents"]).get_json()["updates"][0]["id"]
    steps: list[tuple[str, str, str, Any]] = [
        ("POST", "incidents", "/updates", {"body": "News"}),
        ("PATCH", "incidents", f"/updates/{update}", {"body": "Mended"}),
        ("POST", "incidents", "/resolve", {}),
        ("POST", "incidents", "/postmortem", {"body": "Why"}),
        ("POST", "incidents", "/reopen", {}),
        ("POST", "maintenances", "/updates", {"body": "News"}),
        ("POST", "maintenances", "/start", {}),
        ("POST", "maintenances", "/complete", {}),
        ("PUT", "components", "/status", {"status": "partial_outage"}),
        ("POST", "monitors", "/pause", None),
        ("POST", "monitors", "/resume", None),
        ("POST", "subscriptions", "/disable", None),
        ("POST", "subscriptions", "/enable", None),
        ("POST", "subscriptions", "/rotate-secret", {}),
        ("DELETE", "incidents", f"/updates/{update}", None),
    ]
    for method, resource, step, body in steps:
        path = paths[resource]
        tag = site.ask("GET", path).headers["ETag"]
        problem(site.ask(method, path + step, body, If_Match='"old"'), 412)
        assert site.ask("GET", path).headers["ETag"] == tag, step
        done = site.ask(method, path + step, body, If_Match=tag)
        assert done.status_code < 300, done.text
        if method != "DELETE":
            assert done.headers["ETag"] == site.ask("GET", path).headers["ETag"] != tag, step
    for resource in ("incidents", "maintenances", "monitors", "templates", "subscriptions"):
        tag = site.ask("GET", paths[resource]).headers["ETag"]
        problem(site.ask("DELETE", paths[resource], If_Match='"old"'), 412)
        assert site.ask("DELETE", paths[resource], If_Match=tag).status_code == 204
        problem(site.ask("DELETE", paths[resource], If_Match="*"), 404)


def test_what_is_measured_refuses_no_change(site: Site) -> None:
    """A check changes a monitor's tag, but who read it before may change it; likewise a page and what is on it."""
    paths = things(site)
    path = paths["monitors"]
    before = site.ask("GET", path).headers["ETag"]
    site.ask("POST", f"{path}/run", If_Match=before)
    after = site.ask("GET", path, If_None_Match=before)
    assert (after.status_code, after.headers["ETag"] != before) == (200, True)
    assert site.ask("PATCH", path, {"interval": 90}, If_Match=before).status_code == 200
    problem(site.ask("PATCH", path, {"interval": 30}, If_Match=after.headers["ETag"]), 412)
    before = site.ask("GET", "/pages/main").headers["ETag"]
    site.made("/incidents", title="Fire")
    assert site.ask("GET", "/pages/main").headers["ETag"] != before
    assert site.ask("PATCH", "/pages/main", {"name": "New"}, If_Match=before).status_code == 200


def test_lists_have_no_tag(site: Site) -> None:
    """A list has none, so a change of it for a certain tag is refused; for any it is made."""
    things(site)
    assert "ETag" not in site.ask("GET", "/components").headers
    refused = site.ask("POST", "/components", {"name": "Web"}, If_Match='"x"')
    problem(refused, 412)
    assert "ETag" not in refused.headers
    problem(site.ask("PUT", "/components/order", {"components": ["api"]}, If_Match='"x"'), 412)
    order = site.ask("PUT", "/components/order", {"components": ["api"]}, If_Match="*")
    assert order.status_code == 200
    rendering = "/templates/Outage/render"  # changes nothing
    assert site.ask("POST", rendering, {}, If_Match='"x"').status_code == 200


@three
@pytest.mark.parametrize(
    ("resource", "field"),
    [
        ("incidents", "title"),
        ("components", "description"),
        ("monitors", "target"),
        ("subscriptions", "contact"),
        ("templates", "title"),
        ("maintenances", "title"),
        ("pages", "name"),
        ("tokens", "name"),
    ],
)
def test_of_two_at_once_one_wins(
    database_url: str, migrated_site: SiteMaker, resource: str, field: str
) -> None:
    """Of several changes at the same moment with the same tag exactly one is made; the others read that it was late."""
    site: Site = migrated_site(database_url)
    path = things(site)[resource]
    url, key = f"{site.prefix}{API}{path}", site.key()
    for turn in range(3):
        headers = {
            "Authorization-Token": key,
            "If-Match": site.ask("GET", path).headers["ETag"],
        }
        barrier, seen = Barrier(4), {}

        def change(number: int, headers: dict[str, str] = headers, turn: int = turn) -> None:
            text = f"https://1.1.1.1/{turn}/{number}" if field == "target" else f"{turn} {number}"
            text = f"a{turn}{number}@acme.example" if field == "contact" else text
            client = site.app.test_client()
            barrier.wait()  # noqa: B023
            answer = client.patch(url, json={field: text}, headers=headers)
            seen[text] = answer.status_code  # noqa: B023

        threads = [Thread(target=change, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(seen.values()) == [200, 412, 412, 412], seen
        (winner,) = [text for text, status in seen.items() if status == 200]
        assert site.ask("GET", path).get_json()[field] == winner
