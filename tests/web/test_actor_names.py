"""Names in the log mean one actor each: keys that count, members, and the site itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

import flask_statuspage
from flask_statuspage.domain.roles import Role
from flask_statuspage.errors import Invalid
from flask_statuspage.services import audit, members, team
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import Token
from tests.console import member
from tests.console.member import OWNER, Member
from tests.web.site import API, Site, SiteMaker
from tests.web.test_manage_api import problem


def test_a_name_that_a_key_has(site: Site) -> None:
    """No other key that counts gets it, in whatever case; one that was revoked gives it back."""
    first = site.made("/tokens", name="Deploy", role="viewer")
    second = site.made("/tokens", name="build", role="viewer")
    for name in ("Deploy", " deploy ", "DEPLOY"):
        for method, path, body in (
            ("POST", "/tokens", {"name": name, "role": "viewer"}),
            ("PATCH", f"/tokens/{second['id']}", {"name": name}),
        ):
            before = site.contents()
            (error,) = problem(site.ask(method, path, body), 422)["errors"]
            assert error["field"] == "name"
            assert "Another key has this name" in error["message"]
            assert site.contents() == before
    same = {"name": "deploy", "expires_at": "2036-01-01T00:00:00Z"}
    assert site.ask("PATCH", f"/tokens/{first['id']}", same).status_code == 200
    assert site.ask("DELETE", f"/tokens/{first['id']}").status_code == 204
    assert site.ask("PATCH", f"/tokens/{second['id']}", {"name": "deploy"}).status_code == 200


def test_in_the_console(make_site: SiteMaker) -> None:
    """It is told at the field, and what was typed stays."""
    site = member.build(make_site)
    ann = Member(site, OWNER)
    assert ann.send(ann.form("/keys", "Make the key"), name="deploy").status_code == 200
    answer = ann.send(ann.form("/keys", "Make the key"), name="Deploy", role="admin")
    assert answer.status_code == 422
    assert "Another key has this name" in answer.text
    assert 'value="Deploy"' in answer.text
    assert len(site.rows(Token)) == 1


def test_two_keys_at_once(migrated_site: SiteMaker, database_url: str) -> None:
    """Asked for at the same moment by several keys, one gets the name."""
    site = migrated_site(database_url)
    site.key()
    keys = [site.made("/tokens", name=f"maker {n}", role="owner")["key"] for n in range(4)]
    start = Barrier(len(keys))

    def make(key: str) -> int:
        client = site.app.test_client()
        start.wait(30)
        body = {"name": "deploy", "role": "viewer"}
        url = f"{site.prefix}{API}/tokens"
        return client.post(url, json=body, headers={"Authorization-Token": key}).status_code

    with ThreadPoolExecutor(len(keys)) as pool:
        answers = sorted(pool.map(make, keys))
    assert answers == [201, *[422] * (len(keys) - 1)]


NAMES = ["key deploy", " KEY Deploy", "System", "command line", "host"]


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_called_like_the_site(site: Site, name: str) -> None:
    """What the log calls keys, the shell and the site's code by is no member's identity."""
    (error,) = problem(site.ask("POST", "/members", {"identity": name, "role": "viewer"}), 422)[
        "errors"
    ]
    assert error["field"] == "identity"
    assert "the log calls" in error["message"]
    with site.app.app_context():
        with pytest.raises(Invalid):
            members.add(current_session(), name, role=Role.OWNER, actor=None, actor_role=None)
        assert members.listed(current_session()) == []


def _actors() -> Iterator[tuple[str, str]]:
    """File and text of every actor that the code names by a text of its own."""
    for path in sorted(Path(flask_statuspage.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "actor":
                for part in ast.walk(node.value):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield path.name, part.value


def test_every_actor_of_ours_is_known(site: Site) -> None:
    """No code calls the site by a name that somebody else could have."""
    assert list(_actors()) == []
    assert all(audit.is_taken(name) for name in (audit.SYSTEM, audit.HOST, audit.SHELL, "key x"))
    with site.app.app_context():
        token, _ = team.create_token(
            current_session(), name="x", role=Role.OWNER, actor=None, actor_role=None
        )
        assert audit.is_taken(audit.KEY + token.name)
