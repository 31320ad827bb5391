"""Who may do what: every operation of the manage API for nobody, for every role, and for things above one's own."""

from __future__ import annotations

from typing import Any

import pytest

from flask_statuspage.domain.rights import NEEDED
from flask_statuspage.domain.roles import Role
from flask_statuspage.services import members
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import AuditEntry
from flask_statuspage.web import manage_api
from tests.web.routes import RIGHTS, UNDESCRIBED, smallest
from tests.web.site import API, Site
from tests.web.test_manage_api import NOBODY, full, problem

WHO = [None, *Role]


def test_the_table_of_routes_is_whole(site: Site) -> None:
    """Every route of the manage API is in the table, with the right that its description names."""
    routed = {
        (method, rule.rule.removeprefix(site.prefix + API))
        for rule in site.app.url_map.iter_rules()
        if rule.endpoint.startswith("statuspage.manage.") and not rule.endpoint.endswith(".missing")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (one.method, one.path.removeprefix(API)): one.role for one in manage_api.operations()
    }
    assert routed == {*RIGHTS, *UNDESCRIBED}
    assert set(described) == set(RIGHTS)
    assert described == {route: NEEDED[right].value for route, right in RIGHTS.items()}


@pytest.mark.parametrize("role", WHO, ids=[role.value if role else "nobody" for role in WHO])
def test_every_route_for_everybody(site: Site, role: Role | None) -> None:
    """Without a key all is 401, below the needed role 403, and nothing is told or written; else one gets in."""
    full(site)
    for one in Role:
        site.key(one.value)
    for (method, path), right in {**RIGHTS, **UNDESCRIBED}.items():
        before = site.contents()
        url = path.replace("<ident>", NOBODY).replace("<update_ident>", NOBODY)
        body = smallest(method, path)
        if role is None:
            answer = site.client.open(f"{site.prefix}{API}{url}", method=method, json=body)
            problem(answer, 401)
            assert "Bearer" in answer.headers["WWW-Authenticate"]
        else:
            answer = site.ask(method, url, body, role=role.value)
        if role is None or not role.reaches(NEEDED[right]):
            assert site.contents() == before
        if role is not None and not role.reaches(NEEDED[right]):
            detail = problem(answer, 403)["detail"]
            assert NEEDED[right].value in detail
            assert role.value in detail
        elif role is not None:
            assert answer.status_code not in (401, 403), (method, path, answer.text)
            assert answer.status_code < 500, (method, path, answer.text)


def test_unknown_paths_need_a_key_too(site: Site) -> None:
    """What is not there is not told apart from what is to whoever has no key."""
    for method, path in (("GET", "/no/such/thing"), ("POST", "/"), ("PUT", "/components")):
        problem(site.client.open(f"{site.prefix}{API}{path}", method=method), 401)


# Members and keys


def owners(site: Site, *identities: str) -> None:
    with site.app.app_context():
        for identity in identities:
            members.add(current_session(), identity, role=Role.OWNER, actor=None, actor_role=None)
        current_session().commit()


def test_a_members_life(site: Site) -> None:
    """Members are made, found by id and identity, changed and removed, and each leaves an entry."""
    owners(site, "ann@acme.example")
    made = site.made("/members", identity=" Bob@Acme.example", role="viewer")
    assert set(made) == {"id", "identity", "role", "created_at"}
    assert (made["identity"], made["role"]) == ("bob@acme.example", "viewer")
    for ident in (made["id"], "bob@acme.example", "BOB@acme.example"):
        assert site.ask("GET", f"/members/{ident}").get_json() == made
    changed = site.ask("PATCH", f"/members/{made['id']}", {"role": "editor"}).get_json()
    assert changed == {**made, "role": "editor"}
    assert site.ask("PATCH", "/members/bob@acme.example", {}).get_json() == changed
    listed = site.ask("GET", "/members").get_json()
    assert [row["identity"] for row in listed["items"]] == ["ann@acme.example", "bob@acme.example"]
    found = site.ask("GET", "/members?role=editor").get_json()
    assert (found["items"], found["total"]) == ([changed], 1)
    problem(site.ask("POST", "/members", {"identity": "bob@acme.example", "role": "viewer"}), 409)
    assert site.ask("DELETE", f"/members/{made['id']}").status_code == 204
    problem(site.ask("GET", f"/members/{made['id']}"), 404)
    rows = [
        row for row in site.rows(AuditEntry) if row.subject_id.hex == made["id"].replace("-", "")
    ]
    assert [(row.actor, row.action) for row in sorted(rows, key=lambda row: row.id)] == [
        ("key owner", "create"),
        ("key owner", "change"),
        ("key owner", "delete"),
    ]


def test_the_last_owner_stays(site: Site) -> None:
    """The last owner is neither made less nor removed, by whatever key."""
    owners(site, "ann@acme.example")
    path = "/members/ann@acme.example"
    assert "last owner" in problem(site.ask("PATCH", path, {"role": "admin"}), 409)["detail"]
    assert "last owner" in problem(site.ask("DELETE", path), 409)["detail"]
    owners(site, "bob@acme.example")
    assert site.ask("DELETE", path).status_code == 204


def test_a_keys_life(site: Site) -> None:
    """A key is told once, opens what its role may, is renamed, and opens nothing once it is revoked."""
    made = site.made("/tokens", name=" deploy ", role="editor", expires_at="2036-01-01T00:00:00Z")
    key, path = made.pop("key"), f"/tokens/{made['id']}"
    assert made == {
        "id": made["id"],
        "name": "deploy",
        "role": "editor",
        "expires_at": "2036-01-01T00:00:00+00:00",
        "created_at": made["created_at"],
        "last_used_at": None,
        "revoked": False,
    }
    headers = {"Authorization-Token": key}
    assert site.get(f"{API}/components", headers=headers).status_code == 200
    problem(site.get(f"{API}/tokens", headers=headers), 403)
    assert site.ask("GET", path).get_json()["last_used_at"] is not None
    changed = site.ask("PATCH", path, {"name": "Deploy", "expires_at": None}).get_json()
    assert (changed["name"], changed["expires_at"], changed["role"]) == ("Deploy", None, "editor")
    wrong = problem(site.ask("PATCH", path, {"expires_at": "2020-01-01T00:00:00Z"}), 422)
    assert [error["field"] for error in wrong["errors"]] == ["expires_at"]
    wrong = problem(site.ask("PATCH", path, {"role": "owner"}), 422)
    assert [error["field"] for error in wrong["errors"]] == ["role"]
    for _ in range(2):
        assert site.ask("DELETE", path).status_code == 204
    problem(site.get(f"{API}/components", headers=headers), 401)
    problem(site.ask("PATCH", path, {"name": "Again"}), 409)
    revoked = site.ask("GET", "/tokens?revoked=true").get_json()["items"]
    assert [(row["id"], row["revoked"]) for row in revoked] == [(made["id"], True)]
    listed = [row["name"] for row in site.ask("GET", "/tokens?revoked=false").get_json()["items"]]
    assert listed == ["owner"]
    told = site.ask("GET", "/tokens").text + site.ask("GET", "/audit").text + str(site.contents())
    assert key not in told
    rows = [row for row in site.rows(AuditEntry) if row.subject == "token" and row.before]
    assert [row.action for row in sorted(rows, key=lambda row: row.id)] == ["change", "revoke"]


def test_a_key_revokes_itself(site: Site) -> None:
    """Whoever lost a key can revoke it with nothing but that key."""
    site.key("admin")
    (own,) = site.ask("GET", "/tokens?role=admin").get_json()["items"]
    assert site.ask("DELETE", f"/tokens/{own['id']}", role="admin").status_code == 204
    problem(site.ask("GET", "/components", role="admin"), 401)


def test_nobody_reaches_above_their_role(site: Site) -> None:
    """An admin makes, changes and removes admins and below, and neither makes nor touches an owner."""
    owners(site, "ann@acme.example", "bob@acme.example")
    site.key("owner")
    (owner_key,) = site.ask("GET", "/tokens?role=owner").get_json()["items"]
    admin_key = site.made("/tokens", name="second", role="admin")["id"]
    site.made("/members", identity="cleo@acme.example", role="admin")
    site.key("admin")
    before = site.contents()
    refused: list[tuple[str, str, dict[str, Any] | None]] = [
        ("POST", "/members", {"identity": "eve@acme.example", "role": "owner"}),
        ("PATCH", "/members/cleo@acme.example", {"role": "owner"}),
        ("PATCH", "/members/ann@acme.example", {"role": "viewer"}),
        ("PATCH", "/members/ann@acme.example", {"role": "owner"}),
        ("DELETE", "/members/ann@acme.example", None),
        ("POST", "/tokens", {"name": "mine", "role": "owner"}),
        ("PATCH", f"/tokens/{owner_key['id']}", {"name": "mine"}),
        ("DELETE", f"/tokens/{owner_key['id']}", None),
    ]
    for method, path, body in refused:
        detail = problem(site.ask(method, path, body, role="admin"), 403)["detail"]
        assert detail == "This is about the role 'owner', which is above yours, 'admin'."
        assert site.contents() == before, path
    for method, path, body in (
        ("POST", "/members", {"identity": "eve@acme.example", "role": "admin"}),
        ("PATCH", "/members/cleo@acme.example", {"role": "viewer"}),
        ("DELETE", "/members/cleo@acme.example", None),
        ("POST", "/tokens", {"name": "mine", "role": "admin"}),
        ("PATCH", f"/tokens/{admin_key}", {"name": "mine, too"}),
        ("DELETE", f"/tokens/{admin_key}", None),
    ):
        assert site.ask(method, path, body, role="admin").status_code < 300, path
