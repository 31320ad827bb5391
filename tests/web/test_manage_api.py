"""The manage API: who may do what, what it answers, and what it writes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import pytest
import requests
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from flask_statuspage.domain.roles import Role
from flask_statuspage.services import team
from flask_statuspage.storage.subscriptions import Subscription
from flask_statuspage.storage.team import AuditEntry, Token
from tests.servers.http import Receiver
from tests.servers.wsgi import serving
from tests.web.queries import Queries
from tests.web.routes import ROUTES, smallest
from tests.web.site import API, Site, SiteMaker

HOOK = "https://1.1.1.1/hook"
WINDOW = {
    "title": "New disks",
    "scheduled_start": "2036-01-01T00:00:00Z",
    "scheduled_end": "2036-01-01T02:00:00Z",
}
NOBODY = "00000000-0000-0000-0000-000000000000"
ROLES = ("viewer", "editor", "admin", "owner")


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem details of *answer*, checked against RFC 9457 and our own `errors`."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["type"] == "about:blank"
    assert all(set(error) == {"field", "message"} for error in body["errors"])
    return body


def full(site: Site, page: str | None = None) -> dict[str, str]:
    """One of each thing on a page, by the name of its resource, with its id."""
    where = {"page": page} if page else {}
    group = site.made("/component-groups", name="Platform", **where)
    component = site.made("/components", name="API", group="Platform", **where)
    monitor = site.made("/monitors", name="Probe", target=HOOK, component="api", **where)
    incident = site.made("/incidents", title="Fire", components=["api"], **where)
    maintenance = site.made("/maintenances", **WINDOW, components=["api"], **where)
    template = site.made(
        "/templates",
        kind="incident",
        name="Outage",
        title="Down",
        placeholders={"region": "eu"},
        **where,
    )
    subscription = site.made("/subscriptions", channel="webhook", address=HOOK, **where)
    return {
        "component-groups": group["id"],
        "components": component["id"],
        "monitors": monitor["id"],
        "incidents": incident["id"],
        "maintenances": maintenance["id"],
        "templates": template["id"],
        "subscriptions": subscription["id"],
    }


# Keys and roles


@pytest.mark.parametrize("role", ROLES)
def test_the_secret_link_is_for_admins(site: Site, role: str) -> None:
    """Below admin no answer, of whatever route that reads, holds the secret of a page that is seen by link."""
    page = site.made("/pages", name="Second", visibility="link")
    ids = full(site, "second")
    template = site.made(
        "/templates", kind="incident", name="Where", title="x", body="{{ page_url }}", page="second"
    )
    site.made("/incidents", template="Where", components=["api"], page="second")
    secret = page["link"].rpartition("/")[2]
    assert len(secret) > 20
    told = {}
    for (method, path), needed in ROUTES.items():
        if method != "GET" or ROLES.index(role) < ROLES.index(needed):
            continue
        ident = "second" if path.startswith("/pages/") else ids.get(path.split("/")[1], "nothing")
        query = "?status_page=second&event=incident.created"  # which one of them needs
        answer = site.ask("GET", path.replace("<ident>", ident) + query, role=role)
        assert answer.status_code == (404 if ident == "nothing" and "<" in path else 200), path
        told[path] = answer.text
    rendering = f"/templates/{template['id']}/render?status_page=second"
    told["render"] = site.ask("POST", rendering, {}, role=role).text
    assert f"{page['url']}" in told["render"]
    assert secret not in told["render"]
    with_secret = {path for path, text in told.items() if secret in text}
    if role in ("viewer", "editor"):
        assert with_secret == set()
    else:
        assert with_secret >= {"/pages", "/pages/<ident>", "/incidents", "/maintenances/<ident>"}


def test_a_new_link_and_old_readers(site: Site) -> None:
    """Who changes a page's door says what becomes of its readers, and reads how many it cost."""
    site.made("/pages", name="Second", slug="second")
    signed_up = {"channel": "webhook", "address": HOOK}

    def reader(address: str) -> None:
        answer = site.post(f"/{address}/subscribe", json=signed_up)
        assert answer.status_code == 201, answer.text

    def door(**body: Any) -> Any:
        answer = site.ask("PATCH", "/pages/second", body)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    reader("second")
    kept = door(visibility="link", subscribers="keep")
    assert kept["subscribers_disabled"] == 0
    rotated = site.made("/pages/second/rotate-link", subscribers="keep")
    assert (rotated["subscribers_disabled"], rotated["link"] == kept["link"]) == (0, False)
    for path in ("/pages/second", "/pages/second/rotate-link"):
        method = "PATCH" if path == "/pages/second" else "POST"
        wrong = problem(site.ask(method, path, {"subscribers": "all"}), 422)
        assert [error["field"] for error in wrong["errors"]] == ["subscribers"]
    bare = site.ask("POST", "/pages/second/rotate-link")
    assert bare.get_json()["subscribers_disabled"] == 1
    (row,) = site.ask("GET", "/subscriptions?status_page=second").get_json()["items"]
    assert (row["state"], row["reason"]) == ("disabled", "The page's link was changed.")
    assert door(name="Other")["subscribers_disabled"] == 0


def test_both_forms_of_the_key(site: Site) -> None:
    """Authorization-Token and Authorization: Bearer are the same; other schemes are none."""
    key = site.key("viewer")
    accepted = [
        {"Authorization-Token": key},
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"bearer {key}"},
        {"Authorization-Token": f" {key} "},
    ]
    for headers in accepted:
        assert site.get(API + "/pages", headers=headers).status_code == 200, headers
    refused = [
        {},
        {"Authorization-Token": ""},
        {"Authorization-Token": key + "x"},
        {"Authorization-Token": key[:-1]},
        {"Authorization-Token": "ä" * 50},
        {"Authorization-Token": "x" * 5000},
        {"Authorization": key},
        {"Authorization": f"Basic {key}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Token {key}"},
        {"Cookie": f"Authorization-Token={key}"},
    ]
    for headers in refused:
        problem(site.get(API + "/pages", headers=headers), 401)
    problem(site.get(f"{API}/pages?Authorization-Token={key}"), 401)


def test_expired_and_revoked_keys(site: Site) -> None:
    """A key that has expired or was revoked opens nothing from then on, and the answer says which."""
    now = datetime.now(UTC)
    with site.app.app_context():
        session = site.db.session
        keys = []
        for name in ("old", "new"):
            token, key = team.create_token(
                session,
                name=name,
                role=Role.OWNER,
                expires_at=now + timedelta(hours=1),
                actor=None,
                actor_role=None,
            )
            token.expires_at = now - timedelta(seconds=1) if name == "old" else token.expires_at
            keys.append(key)
        expired, lasting = keys
        session.commit()
    assert (
        "expired"
        in problem(site.get(API + "/pages", headers={"Authorization-Token": expired}), 401)[
            "detail"
        ]
    )
    headers = {"Authorization-Token": lasting}
    assert site.get(API + "/pages", headers=headers).status_code == 200
    with site.app.app_context():
        for token in site.db.session.query(Token).filter(Token.name == "new"):
            assert token.last_used_at is not None
            token.revoked_at = now
        site.db.session.commit()
    refused = problem(site.get(API + "/pages", headers=headers), 401)
    assert refused["detail"] == "This key was revoked."
    unknown = problem(site.get(API + "/pages", headers={"Authorization-Token": f"{lasting}x"}), 401)
    assert unknown["detail"] == "This key is not known."


def test_keys_are_stored_as_digests(site: Site) -> None:
    """No table holds a key itself."""
    key = site.key()
    assert key not in str(site.contents())


# Answers


def test_unknown_paths_and_methods(site: Site) -> None:
    """Unknown paths are 404 and wrong methods 405 with Allow, both as problem details."""
    for path in ("/", "/nothing", "/components/api/nothing/more", "/components/", "/%ff"):
        problem(site.ask("GET", path), 404)
    wrong = problem(site.ask("PUT", "/components", {}), 405)
    assert "GET" in wrong["detail"]
    for method, path, allowed in (
        ("PATCH", "/components", "GET, HEAD, POST"),
        ("POST", "/components/api", "DELETE, GET, HEAD, PATCH"),
        ("GET", "/components/api/status", "PUT"),
        ("DELETE", "/deliveries/x/attempts", "GET, HEAD"),
    ):
        answer = site.ask(method, path)
        problem(answer, 405)
        assert answer.headers["Allow"] == allowed
        # What no router knows is answered alike, and OPTIONS adds itself.
        for unknown in ("TRACE", "FOO"):
            answer = site.ask(unknown, path)
            assert unknown in problem(answer, 405)["detail"]
            assert answer.headers["Allow"] == allowed
        answer = site.client.options(f"{site.prefix}{API}{path}")
        assert (answer.status_code, answer.data) == (204, b"")
        assert set(answer.headers["Allow"].split(", ")) == {*allowed.split(", "), "OPTIONS"}
    for method in ("OPTIONS", "TRACE", "FOO"):
        problem(site.ask(method, "/nothing"), 404)
        problem(site.client.open(f"{site.prefix}{API}/nothing", method=method), 401)
    problem(site.client.open(f"{site.prefix}{API}/components", method="FOO"), 401)


def test_unknown_things(site: Site) -> None:
    """A thing that is not there is 404 by slug, by id and by what can be neither, with or without a body."""
    idents = ("nothing", NOBODY, "%00", "%f0%9f%92%a5", "x" * 1000, "'; DROP TABLE statuspage_page")
    for method, path in ROUTES:
        if "<ident>" not in path:
            continue
        for ident in idents:
            asked = path.replace("<ident>", ident).replace("<update_ident>", NOBODY)
            problem(site.ask(method, asked, smallest(method, path)), 404)
    for name in ("nothing", NOBODY, "%00"):
        problem(site.ask("GET", f"/components?status_page={name}"), 404)
    problem(site.ask("POST", "/components", {"name": "x", "page": "nothing"}), 404)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"5", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_object(site: Site, body: bytes) -> None:
    """An empty, broken or non-object body is 400 on every route that takes one."""
    full(site)
    main = site.ask("GET", "/pages").get_json()["items"][0]["slug"]
    headers = {"Authorization-Token": site.key(), "Content-Type": "application/json"}
    before = site.contents()
    incident = site.ask("GET", "/incidents").get_json()["items"][0]["id"]
    for method, path in (
        ("POST", "/pages"),
        ("PATCH", f"/pages/{main}"),
        ("POST", "/component-groups"),
        ("PATCH", "/component-groups/Platform"),
        ("POST", "/components"),
        ("PATCH", "/components/api"),
        ("PUT", "/components/api/status"),
        ("PUT", "/components/order"),
        ("PUT", "/component-groups/order"),
        ("POST", "/monitors"),
        ("PATCH", "/monitors/probe"),
        ("POST", "/incidents"),
        ("PATCH", f"/incidents/{incident}"),
        ("POST", f"/incidents/{incident}/updates"),
        ("POST", f"/incidents/{incident}/postmortem"),
        ("PATCH", f"/incidents/{incident}/updates/{incident}"),
        ("POST", "/templates"),
        ("PATCH", "/templates/Outage"),
        ("POST", "/templates/Outage/render"),
        ("POST", "/subscriptions"),
    ):
        url = f"{site.prefix}{API}{path}"
        problem(site.client.open(url, method=method, headers=headers, data=body), 400)
    assert site.contents() == before


def test_steps_need_no_words(site: Site) -> None:
    """What only takes a step may come without a body; a broken one is refused there, too."""
    ids = full(site)
    headers = {"Authorization-Token": site.key()}
    for path in (
        f"/incidents/{ids['incidents']}/resolve",
        f"/incidents/{ids['incidents']}/reopen",
        f"/maintenances/{ids['maintenances']}/start",
        f"/maintenances/{ids['maintenances']}/complete",
    ):
        url = f"{site.prefix}{API}{path}"
        problem(site.client.post(url, headers=headers, data=b"{"), 400)
        answer = site.client.post(url, headers=headers)
        assert answer.status_code == 200, (path, answer.text)


def test_life_of_each_thing(site: Site) -> None:
    """Pages, groups, components, monitors, incidents and subscriptions are made, read, changed and deleted."""
    site.made("/pages", name="Second", slug="second")
    ids = full(site, "second")
    names = {
        "component-groups": {"description": "About it"},
        "components": {"description": "About it"},
        "monitors": {"interval": 30},
        "incidents": {"title": "Big fire"},
        "templates": {"title": "All is down"},
        "subscriptions": {"events": ["incident.created"]},
    }
    for resource, change in names.items():
        path = f"/{resource}/{ids[resource]}?status_page=second"
        got = site.ask("GET", path)
        assert got.status_code == 200
        assert got.get_json()["id"] == ids[resource]
        listed = site.ask("GET", f"/{resource}?status_page=second").get_json()
        assert [item["id"] for item in listed["items"]] == [ids[resource]]
        changed = site.ask("PATCH", path, change)
        assert changed.status_code == 200, changed.text
        for field, value in change.items():
            assert changed.get_json()[field] == value
            assert site.ask("GET", path).get_json()[field] == value
    for resource in (
        "incidents",
        "maintenances",
        "monitors",
        "templates",
        "subscriptions",
        "components",
        "component-groups",
    ):
        path = f"/{resource}/{ids[resource]}?status_page=second"
        deleted = site.ask("DELETE", path)
        assert (deleted.status_code, deleted.data) == (204, b"")
        problem(site.ask("GET", path), 404)
    empty = site.made("/pages", name="Empty")
    assert site.ask("DELETE", f"/pages/{empty['id']}").status_code == 204
    problem(site.ask("GET", "/pages/empty"), 404)


def test_ids_and_slugs(site: Site) -> None:
    """Pages, components and monitors answer to slug and id alike, in paths, bodies and queries."""
    page = site.made("/pages", name="Second")
    ids = full(site, "second")
    assert site.ask("GET", f"/pages/{page['id']}").data == site.ask("GET", "/pages/second").data
    for where in ("second", page["id"]):
        for resource, slug in (("components", "api"), ("monitors", "probe")):
            by_id = site.ask("GET", f"/{resource}/{ids[resource]}?status_page={where}")
            by_slug = site.ask("GET", f"/{resource}/{slug}?status_page={where}")
            assert by_id.status_code == 200
            assert by_id.data == by_slug.data
    for ident in ("api", ids["components"]):
        incident = site.made("/incidents", title="Ident", page=page["id"], components=[ident])
        assert incident["components"][0]["id"] == ids["components"]


@pytest.mark.parametrize(
    ("resource", "fields"),
    [
        (
            "pages",
            {
                "name": "New",
                "slug": "new",
                "url": "https://x.example",
                "time_zone": "Europe/Berlin",
            },
        ),
        ("component-groups", {"name": "New", "description": "New", "position": 7}),
        (
            "components",
            {
                "name": "New",
                "slug": "new",
                "description": "New",
                "group": None,
                "position": 7,
                "status": "partial_outage",
                "only_show_if_degraded": True,
                "showcase": False,
                "start_date": "2024-02-29",
            },
        ),
        (
            "monitors",
            {
                "name": "New",
                "slug": "new",
                "component": None,
                "target": "https://1.1.1.1/new",
                "interval": 10,
                "timeout": 3.5,
                "regions": ["eu", "us"],
                "failure_threshold": 5,
                "recovery_threshold": 5,
                "degraded_over_ms": 900,
                "outage_status": "partial_outage",
                "open_incident": False,
                "options": {"method": "HEAD"},
            },
        ),
        (
            "incidents",
            {
                "title": "New",
                "impact": "critical",
                "monitor": "probe",
                "next_update_due": "2999-01-01T00:00:00+00:00",
            },
        ),
        (
            "templates",
            {
                "name": "New",
                "placeholders": {"region": "us"},
                "title": "New in {{ region }}",
                "body": "New",
                "status": "identified",
                "impact": "critical",
                "components": ["api"],
            },
        ),
        ("subscriptions", {"events": ["incident.resolved"]}),
    ],
)
def test_patch_changes_only_what_was_sent(
    site: Site, resource: str, fields: dict[str, Any]
) -> None:
    """Each field can be changed alone and leaves every other field as it was; an empty PATCH changes nothing."""
    site.made("/pages", name="Second")
    ids = full(site)
    path = f"/{resource}/{ids.get(resource, 'second')}"
    if resource == "pages":
        path = f"/pages/{site.ask('GET', '/pages/second').get_json()['id']}"
    moving = {
        "updated_at",
        "version",
        "since",
        "source",
        "sources",
        "updates",
        "verdict",
        "verdict_at",
    }

    def stable() -> dict[str, Any]:
        shown: dict[str, Any] = site.ask("GET", path).get_json()
        return {name: value for name, value in shown.items() if name not in moving}

    before = stable()
    empty = site.ask("PATCH", path, {})
    assert empty.status_code == 200, empty.text
    assert stable() == before
    if resource == "incidents":
        assert len(site.ask("GET", path).get_json()["updates"]) == 1
    allowed_along = {
        "slug": {"slug", "url"},
        "group": {"group", "group_id"},
        "options": {"options"},
        "regions": {"regions", "results"},
        "impact": {"impact", "components"},
    }
    for field, value in fields.items():
        before = stable()
        answer = site.ask("PATCH", path, {field: value})
        assert answer.status_code == 200, answer.text
        after = stable()
        changed = {name for name in after if after[name] != before[name]}
        assert field in changed, field
        assert changed <= allowed_along.get(field, {field}), changed


def test_paging(site: Site) -> None:
    """Lists come in pages with total and links to the others, which keep the rest of the query."""
    site.made("/pages", name="Second")
    for number in range(7):
        site.made("/components", name=f"C {number}", page="second")
    seen: list[str] = []
    url: str | None = "/components?status_page=second&per_page=3"
    relations: list[list[str]] = []
    while url:
        answer = site.ask("GET", url)
        body = answer.get_json()
        assert body["total"] == 7
        assert body["per_page"] == 3
        seen += [item["name"] for item in body["items"]]
        links = dict(
            reversed(pair) for pair in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["Link"])
        )
        relations.append(sorted(links))
        url = links.get("next", "").partition(API)[2]
    assert seen == [f"C {number}" for number in range(7)]
    assert relations == [
        ["first", "last", "next"],
        ["first", "last", "next", "prev"],
        ["first", "last", "prev"],
    ]
    beyond = site.ask("GET", "/components?status_page=second&page=99").get_json()
    assert (beyond["items"], beyond["total"]) == ([], 7)
    assert site.ask("GET", "/components?status_page=second").get_json()["per_page"] == 25
    assert site.ask("GET", "/components?per_page=100").status_code == 200


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        ({}, "/status"),
        ({"APPLICATION_ROOT": "/shop"}, "/shop/status"),
        ({"STATUSPAGE_PAGE_URL": "https://status.acme.example/"}, "https://status.acme.example"),
        ({"SERVER_NAME": "acme.example"}, "http://acme.example/status"),
    ],
    ids=["nothing", "a root of the app", "the page's address", "a server's name"],
)
def test_links_never_come_from_the_host_header(
    make_site: SiteMaker, settings: dict[str, str], base: str
) -> None:
    """They lead below the configured address; where nobody said one they are paths on the host that was asked."""
    site = make_site(**settings)
    site.made("/component-groups", name="Größe")
    # Some versions of Flask answer to no other host than the one that they are told of.
    host = settings.get("SERVER_NAME", "evil.example")
    made = site.ask("POST", "/components", {"name": "API"}, Host=host)
    assert made.headers["Location"] == f"{base}{API}/components/{made.get_json()['id']}"
    for path, query in (("/components", "?group=Gr%C3%B6%C3%9Fe"), ("/components/api/history", "")):
        answer = site.ask("GET", path + query, Host=host)
        assert f"<{base}{API}{path}?" in answer.headers["Link"]
        assert "evil" not in str(answer.headers)
    answer = site.ask("GET", "/component-groups/Gr%C3%B6%C3%9Fe", X_Forwarded_Host="evil.example")
    assert "evil" not in str(answer.headers)


def test_a_client_goes_from_page_to_page(site: Site) -> None:
    """Over real HTTP, below a host's own prefix: what `requests` finds in the header leads on from where it asked."""
    for number in range(3):
        site.made("/components", name=f"C {number}")
    site.key()
    below = DispatcherMiddleware(NotFound(), {"/sh op": site.app.wsgi_app})
    site.app.wsgi_app = below  # type: ignore[method-assign]
    with serving(site.app) as url, requests.Session() as client:
        client.headers["Authorization-Token"] = site.key()
        here = f"{url}/sh%20op{site.prefix}{API}/components?per_page=2"
        answer = client.get(here, timeout=30)
        assert len(answer.json()["items"]) == 2
        following = client.get(urljoin(answer.url, answer.links["next"]["url"]), timeout=30)
        assert [item["name"] for item in following.json()["items"]] == ["C 2"]
        made = client.post(here.partition("?")[0], json={"name": "New"}, timeout=30)
        there = client.get(urljoin(made.url, made.headers["Location"]), timeout=30)
        assert there.json()["name"] == "New"


@pytest.mark.parametrize(
    "value", ["0", "-1", "101", "x", "", "1.5", "1e1", "٣", "9" * 5000, "%00", " 1"]
)
def test_wrong_paging(site: Site, value: str) -> None:
    """A page or size that is no number in its range is 422 and named."""
    wrong = problem(site.ask("GET", f"/components?per_page={value}"), 422)
    assert [error["field"] for error in wrong["errors"]] == ["per_page"]
    if value != "101":
        wrong = problem(site.ask("GET", f"/components?page={value}"), 422)
        assert [error["field"] for error in wrong["errors"]] == ["page"]


def test_lists_cost_no_query_per_row(site: Site) -> None:
    """Every list has the same shape, and takes as many queries with many rows as with few."""
    lists = [path for method, path in ROUTES if method == "GET" and "<ident>" not in path]
    lists.remove("/recipients")  # no list
    lists.remove("/service/services/list/")  # has the shape of another API: test_estatus

    def costs() -> dict[str, int]:
        found = {}
        for path in lists:
            with Queries(site) as queries:
                body = site.ask("GET", path).get_json()
            assert set(body) == {"items", "total", "page", "per_page"}
            found[path] = len(queries.sent)
        return found

    full(site)
    few = costs()
    for number in range(6):
        site.made("/pages", name=f"Page {number}")
        site.made("/component-groups", name=f"G {number}")
        site.made("/components", name=f"C {number}", group=f"G {number}")
        site.made("/monitors", name=f"M {number}", target=HOOK, component=f"c-{number}")
        site.made("/incidents", title="Fire", components=[f"c-{number}"])
        site.made(
            "/templates", kind="incident", name=f"T {number}", title="x", components=[f"c-{number}"]
        )
        site.made(
            "/subscriptions", channel="webhook", address=f"{HOOK}/{number}", components=["api"]
        )
    assert costs() == few


def test_filters_are_never_empty(site: Site) -> None:
    """A filter that is there and says nothing is 422 and named, whatever the list."""
    for path, name in (
        ("incidents", "status"),
        ("incidents", "visibility"),
        ("maintenances", "status"),
        ("deliveries", "subscription"),
        ("components", "archived"),
        ("audit", "subject_id"),
    ):
        for value in ("", "nonsense", "%00"):
            wrong = problem(site.ask("GET", f"/{path}?{name}={value}"), 422)
            assert [error["field"] for error in wrong["errors"]] == [name], path


@pytest.mark.parametrize("value", ["", "+", "%00"])
def test_filters_that_are_words_are_never_empty(site: Site, value: str) -> None:
    """Those that may be any word, too: an empty one would find nothing and look like an answer."""
    site.made("/monitors", name="Probe", target=HOOK)
    for path, name in (
        ("audit", "subject"),
        ("audit", "actor"),
        ("audit", "action"),
        ("components", "group"),
        ("monitors", "component"),
        ("monitors", "kind"),
        ("monitors/probe/checks", "region"),
        ("subscriptions", "channel"),
        ("subscriptions", "component"),
        ("deliveries", "channel"),
        ("recipients", "components"),
    ):
        wrong = problem(site.ask("GET", f"/{path}?event=incident.created&{name}={value}"), 422)
        assert [error["field"] for error in wrong["errors"]] == [name], path


def test_an_unknown_update_is_called_one(site: Site) -> None:
    """What is missing is the update, not the thing that it would belong to."""
    ids = full(site)
    for resource in ("incidents", "maintenances"):
        for ident in (NOBODY, "nothing"):
            path = f"/{resource}/{ids[resource]}/updates/{ident}"
            for method, body in (("PATCH", {"body": "Mended."}), ("DELETE", None)):
                detail = problem(site.ask(method, path, body), 404)["detail"]
                assert detail == f"There is no update {ident!r}.", (method, path)


def test_null_is_none_for_a_pages_brand(site: Site) -> None:
    """Null takes logo, colours, header and footer away, and gives the name back to the settings."""
    brand = {"logo": "/logo.svg", "colours": {"primary": "#7a1f5c"}, "header": "A", "footer": "B"}
    none = {"logo": None, "colours": {}, "header": "", "footer": ""}
    made = site.made("/pages", name="Second", **brand)
    assert {name: made[name] for name in brand} == brand
    for name, value in none.items():
        changed = site.ask("PATCH", "/pages/second", {name: None})
        assert (changed.status_code, changed.get_json().get(name)) == (200, value), name
    assert site.ask("PATCH", "/pages/second", {"name": None}).get_json()["name"] != "Second"
    bare = site.made("/pages", name="Third", **dict.fromkeys(brand))
    assert {name: bare[name] for name in brand} == none


# Conflicts


def test_conflicts(site: Site) -> None:
    """What the present state forbids is 409 and leaves everything as it was."""
    ids = full(site)
    main = site.ask("GET", "/pages").get_json()["items"][0]["id"]
    site.made("/pages", name="Second", slug="second")
    site.made("/components", name="Taken", slug="taken")
    site.made("/monitors", name="Taken", slug="taken", target=HOOK)
    site.made("/templates", kind="incident", name="Taken", title="x")
    site.made("/templates", kind="incident", name="Both", title="x")
    site.made("/templates", kind="maintenance", name="Both", title="x")
    mail = site.made("/subscriptions", channel="email", address="ann@example.com")
    site.ask("POST", f"/incidents/{ids['incidents']}/resolve", {})
    site.ask("POST", f"/subscriptions/{ids['subscriptions']}/disable")
    site.made("/incidents", title="Watched", monitor="probe")
    second = site.made("/incidents", title="Smoke")
    still_open, only = second["id"], second["updates"][0]["id"]
    planned = site.ask("GET", f"/maintenances/{ids['maintenances']}").get_json()
    before = site.contents()
    for method, path, body in (
        ("POST", "/pages", {"name": "Second", "slug": "second"}),
        ("PATCH", f"/pages/{main}", {"slug": "second"}),
        ("DELETE", f"/pages/{main}", None),
        ("POST", "/components", {"name": "x", "slug": "taken"}),
        ("PATCH", "/components/api", {"slug": "taken"}),
        ("DELETE", "/components/api", None),
        ("POST", "/monitors", {"name": "x", "slug": "taken", "target": HOOK}),
        ("PATCH", "/monitors/probe", {"slug": "taken"}),
        ("POST", "/templates", {"kind": "incident", "name": "Taken", "title": "x"}),
        ("PATCH", "/templates/Outage", {"name": "Taken"}),
        ("DELETE", "/templates/Both", None),
        ("POST", f"/incidents/{ids['incidents']}/resolve", {}),
        ("POST", f"/incidents/{ids['incidents']}/updates", {"body": "Too late."}),
        ("PATCH", f"/incidents/{ids['incidents']}", {"visibility": "draft"}),
        ("POST", f"/incidents/{still_open}/reopen", {}),
        ("POST", f"/incidents/{still_open}/postmortem", {"body": "Too early."}),
        ("DELETE", f"/incidents/{still_open}/updates/{only}", None),
        ("DELETE", f"/maintenances/{planned['id']}/updates/{planned['updates'][0]['id']}", None),
        ("PATCH", f"/incidents/{still_open}", {"monitor": "probe"}),
        ("POST", f"/subscriptions/{ids['subscriptions']}/test", None),
        ("POST", f"/subscriptions/{mail['id']}/rotate-secret", None),
    ):
        answer = site.ask(method, path, body)
        problem(answer, 409)
        assert site.contents() == before, (method, path)
    # A status that nothing leads to is a wrong field.
    asked = (f"/incidents/{ids['incidents']}/updates", {"status": "investigating"})
    wrong = problem(site.ask("POST", *asked), 422)
    assert [error["field"] for error in wrong["errors"]] == ["status"]
    assert "reopen it first" in wrong["detail"]
    assert site.contents() == before


def test_incident_life_cycle(site: Site) -> None:
    """An incident goes through its updates to its end, and the components follow."""
    site.made("/components", name="API")
    incident = site.made(
        "/incidents", title="Fire", impact="major", components={"api": "major_outage"}, body="One."
    )
    path = f"/incidents/{incident['id']}"
    assert site.ask("GET", "/components/api").get_json()["status"] == "major_outage"
    site.made(
        f"{path}/updates", status="identified", body="Two.", components={"api": "partial_outage"}
    )
    shown = site.ask("GET", "/components/api").get_json()
    assert shown["status"] == "partial_outage"
    assert [source["source"] for source in shown["sources"]] == ["incident"]
    site.made(f"{path}/updates", status="monitoring")
    site.made(f"{path}/resolve", body="Done.")
    assert site.ask("GET", "/components/api").get_json()["status"] == "operational"
    postmortem = site.made(f"{path}/updates", status="postmortem", body="What we learnt.")
    assert postmortem["status"] == "postmortem"
    assert [update["status"] for update in postmortem["updates"]] == [
        "postmortem",
        "resolved",
        "monitoring",
        "identified",
        "investigating",
    ]


def test_a_persons_word(site: Site) -> None:
    """PUT status says how a component is until it is taken back; the sources tell who said so."""
    site.made("/components", name="API")
    body = {"status": "major_outage", "note": "Seen from here", "notify": False}
    said = site.ask("PUT", "/components/api/status", body).get_json()
    assert said["status"] == "major_outage"
    assert said["sources"][0]["actor"] == "key owner"
    assert said["sources"][0]["note"] == "Seen from here"
    past = problem(
        site.ask(
            "PUT",
            "/components/api/status",
            {"status": "operational", "until": "2020-01-01T00:00:00Z"},
        ),
        422,
    )
    assert [error["field"] for error in past["errors"]] == ["until"]
    hushed = site.ask("PUT", "/components/api/status", {"status": None}).get_json()
    assert (hushed["status"], hushed["sources"]) == ("operational", [])


# Templates


def test_templates_are_read_by_kind(site: Site) -> None:
    """A list can be asked for one kind, and a name that both kinds have for the one that is meant."""
    for kind in ("incident", "maintenance"):
        site.made("/templates", kind=kind, name="Both", title=f"Of {kind}")
        listed = site.ask("GET", f"/templates?kind={kind}").get_json()
        assert [item["title"] for item in listed["items"]] == [f"Of {kind}"]
    for kind in ("incident", "maintenance"):
        found = site.ask("GET", f"/templates/Both?kind={kind}").get_json()
        assert (found["kind"], found["title"]) == (kind, f"Of {kind}")
        rendered = site.ask("POST", f"/templates/Both/render?kind={kind}", {}).get_json()
        assert rendered["title"] == f"Of {kind}"
    assert site.ask("GET", "/templates").get_json()["total"] == 2
    for kind in ("x", "", "%00"):
        wrong = problem(site.ask("GET", f"/templates?kind={kind}"), 422)
        assert [error["field"] for error in wrong["errors"]] == ["kind"]


def test_a_template_is_rendered(site: Site) -> None:
    """`render` answers what an incident would be made of, and writes nothing; a viewer may ask."""
    site.made("/components", name="API")
    site.made("/components", name="Web")
    made = site.made(
        "/templates",
        kind="incident",
        name="Outage",
        title="{{ component }} in {{ region|upper }}",
        body="Since {{ started_at }}.{% if ticket %} See {{ ticket }}.{% endif %}",
        status="identified",
        impact="major",
        components=["api"],
        placeholders={"region": None, "ticket": ""},
    )
    assert made["components"] == ["api"]
    site.key("viewer")
    before = site.contents()
    asked = {
        "values": {"region": "eu", "ticket": "<5>"},
        "components": ["web"],
        "started_at": "2026-02-19T18:30:00+01:00",
    }
    assert site.ask("POST", "/templates/Outage/render", asked, role="viewer").get_json() == {
        "title": "Web in EU",
        "body": "Since 19 Feb 2026, 17:30 UTC. See <5>.",
        "status": "identified",
        "impact": "major",
        "components": ["web"],
    }
    missing = problem(site.ask("POST", "/templates/Outage/render", {}), 422)
    assert missing["errors"] == [
        {"field": "title", "message": "There is no value for the placeholder 'region'."}
    ]
    assert site.contents() == before


# Pages are kept apart


def test_things_of_another_page_are_out_of_reach(site: Site) -> None:
    """Whatever belongs to one page is 404 through another one, for every route, and stays as it was."""
    site.made("/pages", name="Second")
    ids = full(site, "second")
    site.made("/components", name="Here")
    before = site.contents()
    for method, path in ROUTES:
        resource = path.split("/")[1]
        if "<ident>" not in path or resource not in ids:
            continue
        for ident in (
            ids[resource],
            {"components": "api", "monitors": "probe", "templates": "Outage"}.get(
                resource, ids[resource]
            ),
        ):
            asked = path.replace("<ident>", ident).replace("<update_ident>", NOBODY)
            problem(site.ask(method, asked, smallest(method, path)), 404)
    for body, path in (
        ({"title": "x", "components": [ids["components"]]}, "/incidents"),
        ({"title": "x", "components": {ids["components"]: "operational"}}, "/incidents"),
        ({"name": "x", "target": HOOK, "component": ids["components"]}, "/monitors"),
        (
            {"channel": "webhook", "address": HOOK, "components": [ids["components"]]},
            "/subscriptions",
        ),
        ({"name": "x", "group": ids["component-groups"]}, "/components"),
        (
            {"kind": "incident", "name": "x", "title": "x", "components": [ids["components"]]},
            "/templates",
        ),
    ):
        problem(site.ask("POST", path, body), 422)
    problem(site.ask("PATCH", "/components/here", {"group": ids["component-groups"]}), 422)
    assert site.contents() == before
    for resource in ids:
        listed = site.ask("GET", f"/{resource}").get_json()["items"]
        assert ids[resource] not in [item["id"] for item in listed]


# Secrets and the audit


def test_a_secret_is_told_once(site: Site) -> None:
    """A webhook's secret is in the answer to its making and to its rotation, and nowhere else."""
    made = site.made("/subscriptions", channel="webhook", address=HOOK)
    own = site.made(
        "/subscriptions", channel="webhook", address=HOOK + "/2", secret="my very own secret"
    )
    assert own["secret"] == "my very own secret"
    rotated = site.made(f"/subscriptions/{made['id']}/rotate-secret")
    secrets = {made["secret"], own["secret"], rotated["secret"]}
    assert len(secrets) == 3
    assert all(len(secret) >= 13 for secret in secrets)
    site.ask("PATCH", f"/subscriptions/{own['id']}", {"secret": "another good secret"})
    secrets.add("another good secret")
    site.ask("POST", f"/subscriptions/{own['id']}/disable")
    site.ask("POST", f"/subscriptions/{own['id']}/enable")
    shown = site.ask("GET", "/subscriptions").text
    shown += site.ask("GET", f"/subscriptions/{made['id']}").text
    shown += site.ask("POST", f"/subscriptions/{made['id']}/test").text
    shown += str(site.contents())
    for secret in secrets:
        assert secret not in shown
    assert site.ask("GET", f"/subscriptions/{made['id']}").get_json()["signed"] is True
    with site.app.app_context():
        kept = {row.secret for row in site.db.session.query(Subscription)}
    assert kept == {rotated["secret"], "another good secret"}


def test_every_write_leaves_an_audit_entry(site: Site) -> None:
    """Each write through the API adds an entry with who, what, to what, and what changed; reads add none."""

    def last(count: int) -> AuditEntry:
        rows = sorted(site.rows(AuditEntry), key=lambda row: row.id)
        fresh = [row for row in rows[count:] if row.actor == "key owner"]
        assert fresh, "no entry was written"
        return fresh[0]

    site.key()
    writes: list[tuple[str, str, dict[str, Any] | None, str, str]] = [
        ("POST", "/pages", {"name": "Second"}, "create", "page"),
        ("PATCH", "/pages/second", {"name": "Other"}, "change", "page"),
        ("DELETE", "/pages/second", None, "delete", "page"),
        ("POST", "/component-groups", {"name": "G"}, "create", "component-group"),
        ("PATCH", "/component-groups/G", {"position": 2}, "change", "component-group"),
        ("POST", "/components", {"name": "API", "group": "G"}, "create", "component"),
        ("PATCH", "/components/api", {"description": "d"}, "change", "component"),
        ("PUT", "/components/api/status", {"status": "major_outage"}, "set_status", "component"),
        ("POST", "/monitors", {"name": "Probe", "target": HOOK}, "create", "monitor"),
        ("PATCH", "/monitors/probe", {"interval": 30}, "change", "monitor"),
        ("POST", "/monitors/probe/pause", None, "pause", "monitor"),
        ("POST", "/monitors/probe/resume", None, "resume", "monitor"),
        ("DELETE", "/monitors/probe", None, "delete", "monitor"),
        ("POST", "/incidents", {"title": "Fire"}, "create", "incident"),
        (
            *("POST", "/templates", {"kind": "incident", "name": "T", "title": "x"}),
            *("create", "template"),
        ),
        ("PATCH", "/templates/T", {"body": "{{ page }}"}, "change", "template"),
        ("DELETE", "/templates/T", None, "delete", "template"),
        ("DELETE", "/components/api", None, "archive", "component"),
        ("DELETE", "/component-groups/G", None, "delete", "component-group"),
    ]
    for method, path, body, action, subject in writes:
        count = len(site.rows(AuditEntry))
        answer = site.ask(method, path, body)
        assert answer.status_code < 300, answer.text
        entry = last(count)
        assert (entry.action, entry.subject) == (action, subject)
        assert isinstance(entry.subject_id, UUID)
        if action == "change":
            assert entry.before
            assert set(body or {}) <= set(entry.after or {})
            assert entry.before != entry.after
        if action == "delete":
            assert entry.before
    incident = site.ask("GET", "/incidents").get_json()["items"][0]["id"]
    made = site.made("/subscriptions", channel="webhook", address=HOOK)["id"]
    for path, action in (
        (f"/incidents/{incident}/updates", "update"),
        (f"/incidents/{incident}/resolve", "update"),
        (f"/incidents/{incident}/postmortem", "update"),
        (f"/incidents/{incident}/reopen", "reopen"),
        (f"/subscriptions/{made}/disable", "disable"),
        (f"/subscriptions/{made}/enable", "enable"),
        (f"/subscriptions/{made}/rotate-secret", "rotate_secret"),
    ):
        count = len(site.rows(AuditEntry))
        body = {"body": "News."} if path.startswith("/incidents") else {}
        assert site.ask("POST", path, body).status_code < 300
        assert last(count).action == action
    latest = site.ask("GET", f"/incidents/{incident}").get_json()["updates"][1]["id"]
    written = f"/incidents/{incident}/updates/{latest}"
    for method, path, action in (
        ("PATCH", f"/incidents/{incident}", "edit"),
        ("PATCH", written, "edit_update"),
        ("DELETE", written, "delete_update"),
        ("DELETE", f"/incidents/{incident}", "delete"),
    ):
        count = len(site.rows(AuditEntry))
        change = {"title": "Smoke"} if action == "edit" else {"body": "Other words."}
        answer = site.ask(method, path, change if method == "PATCH" else None)
        assert answer.status_code < 300, answer.text
        entry = last(count)
        assert (entry.action, str(entry.subject_id)) == (action, incident)
        assert entry.before
        if method == "PATCH":
            assert {**(entry.after or {}), **change} == entry.after
    count = len(site.rows(AuditEntry))
    for method, path in ROUTES:
        if method == "GET":
            site.ask("GET", path.replace("<ident>", incident))
    assert len(site.rows(AuditEntry)) == count


# Deliveries


def test_deliveries_are_read_and_sent_again(site: Site, receiver: Receiver) -> None:
    """A webhook's deliveries and attempts can be read, by page and by subscription, and be sent again."""
    subscription = site.made("/subscriptions", channel="webhook", address=receiver.url)
    site.made(f"/subscriptions/{subscription['id']}/test")
    swept = site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert swept.exit_code == 0, swept.output
    assert len(receiver.requests) == 1
    (delivery,) = site.ask("GET", f"/deliveries?subscription={subscription['id']}").get_json()[
        "items"
    ]
    assert delivery["state"] == "done"
    path = f"/deliveries/{delivery['id']}"
    assert site.ask("GET", path).get_json() == delivery
    (attempt,) = site.ask("GET", f"{path}/attempts").get_json()["items"]
    assert attempt["code"] == 200
    assert site.ask("POST", f"{path}/redeliver").status_code == 202
    site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert len(receiver.requests) == 2
    assert receiver.requests[0].headers["webhook-id"] == receiver.requests[1].headers["webhook-id"]
    wrong = problem(site.ask("GET", "/deliveries?subscription=x"), 422)
    assert [error["field"] for error in wrong["errors"]] == ["subscription"]
    assert site.ask("GET", f"/deliveries?subscription={NOBODY}").get_json()["total"] == 0
    site.made("/pages", name="Second")
    for method, tail in (("GET", ""), ("GET", "/attempts"), ("POST", "/redeliver")):
        problem(site.ask(method, f"{path}{tail}?status_page=second"), 404)


def test_a_monitor_is_asked_now(site: Site, receiver: Receiver, make_site: SiteMaker) -> None:
    """`run` asks at once, answers the result and keeps it among the checks; a private target needs the setting."""
    site.made("/monitors", name="Probe", target=receiver.url)
    result = site.made("/monitors/probe/run")
    assert (result["outcome"], result["code"]) == ("up", 200)
    (check,) = site.ask("GET", "/monitors/probe/checks").get_json()["items"]
    assert check["outcome"] == "up"
    strict = make_site()
    refused = problem(strict.ask("POST", "/monitors", {"name": "P", "target": receiver.url}), 422)
    assert [error["field"] for error in refused["errors"]] == ["target"]


def test_a_monitor_has_a_past(site: Site, receiver: Receiver) -> None:
    """A check that was made is in the list of its region and the series of a day; wrong words are refused by name."""
    site.made("/monitors", name="Probe", target=receiver.url)
    site.made("/monitors/probe/run")
    series = site.ask("GET", "/monitors/probe/series").get_json()
    assert (series["range"], series["step"], series["uptime_percent"]) == ("24h", 900, 100.0)
    (region,) = series["regions"]
    assert len(region["points"]) == 96
    assert sum(point["up"] for point in region["points"][-2:]) == 1
    assert site.ask("GET", "/monitors/probe/checks?region=default").get_json()["total"] == 1
    for path, field in (
        ("series?range=2h", "range"),
        ("series?range=", "range"),
        ("checks?region=eu", "region"),
    ):
        refused = problem(site.ask("GET", f"/monitors/probe/{path}"), 422)
        assert [error["field"] for error in refused["errors"]] == [field]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("path", ["/pages", "/components"])
def test_the_same_slug_at_once(database_url: str, migrated_site: SiteMaker, path: str) -> None:
    """Of eight requests that want one slug at the same time one gets it, and the others are 409."""
    site = migrated_site(database_url)
    headers = {"Authorization-Token": site.key()}
    site.get(API + "/pages", headers=headers)
    barrier, seen = Barrier(8), []

    def create() -> None:
        client = site.app.test_client()
        barrier.wait()
        answer = client.post(
            f"{site.prefix}{API}{path}", json={"name": "Same", "slug": "same"}, headers=headers
        )
        seen.append(answer.status_code)

    threads = [Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [201] + [409] * 7
