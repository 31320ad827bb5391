"""Who may open the console: the host's login says who it is, the table what they may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
import pytest
from sqlalchemy import delete

from flask_statuspage import StatusPage
from flask_statuspage.domain.roles import Role
from flask_statuspage.services import members
from flask_statuspage.storage import team
from flask_statuspage.storage.session import current_session
from tests.console.member import EDITOR, OWNER, Member
from tests.servers import x as fake
from tests.web.site import SiteMaker

from .console import Console

PATHS = [
    ("GET", "/admin/integrations"),
    ("GET", "/admin/x/callback?state=a&code=b"),
    ("POST", "/admin/x/connect"),
    ("POST", "/admin/x/00000000-0000-0000-0000-000000000000/disconnect"),
    ("POST", "/admin/x/00000000-0000-0000-0000-000000000000/test"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_nobody(console: Console, method: str, path: str) -> None:
    """Without an identity each route answers 401 and says to sign in."""
    for who in ("", "  "):
        answer = console.site.client.open(
            f"/status{path}", method=method, headers={"X-Who": who} if who else {}
        )
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers
        assert "Sign in to this site" in answer.text


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_stranger(console: Console, method: str, path: str) -> None:
    """Whoever is signed in, but no member, gets 403 and whom to ask: how the site is run is not theirs to know."""
    before = console.site.contents()
    answer = console.site.client.open(
        f"/status{path}", method=method, headers={"X-Who": "Eve@Acme.example"}
    )
    assert answer.status_code == 403
    assert "eve@acme.example is not in the status page&#39;s team. An admin or owner" in answer.text
    assert "flask statuspage" not in answer.text
    assert console.site.contents() == before


@pytest.mark.parametrize("role", [None, Role.EDITOR])
def test_a_stranger_where_nobody_could_add_them(
    make_console: Callable[..., Console], x: fake.FakeX, role: Role | None
) -> None:
    """Without an admin or owner the first one is made in a shell, by the command that stands there."""
    console = make_console(x, role=role or Role.VIEWER)
    if role is None:
        with console.site.app.app_context():
            current_session().execute(delete(team.Member))
            current_session().commit()
    answer = console.browser("eve@acme.example").get("/admin/integrations")
    assert answer.status_code == 403
    assert "flask statuspage member add eve@acme.example --role owner" in answer.text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_too_low_a_role(make_console: Callable[..., Console], x: fake.FakeX, role: Role) -> None:
    """A role that does not reach admin is told which is needed."""
    console = make_console(x, role=role)
    for method, path in PATHS:
        answer = getattr(console.browser(), method.lower())(path)
        assert answer.status_code == 403
        assert (
            f"This needs the role &#39;admin&#39;; ann@acme.example has &#39;{role}&#39;."
            in answer.text
        )


@pytest.mark.parametrize("who", ["ann@acme.example", " Ann@ACME.example "])
def test_a_member(console: Console, who: str) -> None:
    """A member is known in whatever case the host's login writes them; an owner may do what an admin may."""
    assert console.browser(who).get("/admin/integrations").status_code == 200
    with console.site.app.app_context():
        members.change_role(
            current_session(), "ann@acme.example", Role.OWNER, actor=None, actor_role=None
        )
        current_session().commit()
    assert console.browser(who).get("/admin/integrations").status_code == 200


def test_a_name_that_looks_alike(console: Console) -> None:
    """A customer who is called by the sign for Kelvin is not the member whose name has a K."""
    console.site.take_in("kate@acme.example")
    console.site.statuspage.member_loader(lambda: "\u212aate@acme.example")
    answer = console.site.client.get("/status/admin/integrations")
    assert answer.status_code == 422
    assert "could be taken for it" in answer.text
    console.site.statuspage.member_loader(lambda: "KATE@acme.example")
    assert console.site.client.get("/status/admin/integrations").status_code == 200


def test_a_customer_at_the_door(console: Console) -> None:
    """Whom only the loader of subscribers knows is not told to sign in, but that this sign-in is not in the team."""
    console.site.statuspage.subscriber_loader(lambda: "grace@example.com")
    answer = console.site.client.get("/status/admin/integrations")
    assert answer.status_code == 403
    assert "this sign-in is not in the status page&#39;s team" in answer.text
    assert "Sign in first" not in answer.text


def test_without_a_loader(make_site: SiteMaker) -> None:
    """Without a member loader nobody gets in, and the page says how to register one."""
    site = make_site(statuspage=StatusPage())
    answer = site.get("/admin/integrations")
    assert answer.status_code == 503
    assert "@statuspage.member_loader" in answer.text


def test_the_manage_api_is_beside_it(console: Console) -> None:
    """The console takes nothing from the manage API, whose keys open nothing here."""
    assert console.site.ask("GET", "/components").status_code == 200
    headers = {"Authorization-Token": console.site.key()}
    assert console.site.get("/admin/integrations", headers=headers).status_code == 401
    assert console.site.ask("GET", "/integrations").status_code == 404
    assert console.site.get("/admin/nothing").status_code == 404


def test_a_loader_that_returns_blanks(console: Console) -> None:
    """A name of blanks is nobody's, at the console and for pages that are for who is signed in."""
    console.site.ask("PATCH", "/pages/main", {"visibility": "signed-in"})
    console.site.statuspage.member_loader(lambda: "  ")
    assert console.browser().get("/admin/").status_code == 401
    assert console.browser().get("/").status_code == 403
    console.site.statuspage.member_loader(lambda: "customer@acme.example")
    assert console.browser().get("/").status_code == 200


@pytest.mark.parametrize("name", [5, True, b"ann@acme.example"], ids=repr)
def test_a_loader_that_returns_no_text(console: Console, name: Any) -> None:
    """The host's developer is told which function is to return what."""
    console.site.statuspage.member_loader(lambda: name)
    console.site.app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(TypeError, match=r"member_loader returned .*It has to return text"):
        console.browser().get("/admin/")


@pytest.mark.parametrize("way", ["commit", "rollback", "remove"])
def test_a_loader_that_ends_the_transaction(make_site: SiteMaker, way: str) -> None:
    """A host's login may note when somebody came, or clean up: it is asked before anything is done, not within."""
    page = StatusPage()

    @page.member_loader
    def who() -> str | None:
        getattr(flask.current_app.extensions["sqlalchemy"].session, way)()
        return flask.request.headers.get("X-Who")

    site = make_site(statuspage=page)
    site.take_in(OWNER)
    site.take_in(EDITOR, "editor")
    ann = Member(site, OWNER)
    answer = ann.send(ann.form("/incidents/new", "Publish"), title="Slow", body="We look.")
    assert answer.status_code == 303
    assert "Slow" in ann.follow(answer).text
    path = "/team/" + site.ask("GET", f"/members/{EDITOR}").get_json()["id"]
    assert ann.send(ann.form(path, "Save the role"), role="viewer").status_code == 303
    assert site.ask("GET", f"/members/{EDITOR}").get_json()["role"] == "viewer"
