"""Whoever loses a right while what they asked for waits for others has lost it: on databases that hold rows."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from flask_statuspage.domain import totp
from flask_statuspage.domain.roles import Role
from flask_statuspage.services import members, sign_ins, team
from flask_statuspage.storage import pages
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Component
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import Member as Row
from flask_statuspage.storage.team import SecondFactor, Token
from flask_statuspage.web import own_login
from tests.console import member
from tests.console.member import ADMIN, OWNER, VIEWER, Member
from tests.servers import x as fake_x
from tests.web import console
from tests.web.site import Site, SiteMaker

pytestmark = pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)

MAL = "mal@acme.example"
BY_ANN: dict[str, Any] = {"actor": OWNER, "actor_role": Role.OWNER}


@pytest.fixture
def site(migrated_site: SiteMaker, database_url: str) -> Site:
    site = member.build(lambda **options: migrated_site(database_url, **options))
    site.take_in(MAL, "owner")
    return site


@contextmanager
def waiting(
    site: Site,
    ask: Callable[[], TestResponse],
    *,
    comes: str = r"FOR UPDATE|^UPDATE statuspage_page",
    then: Callable[[], object] = lambda: None,
) -> Iterator[list[TestResponse]]:
    """*ask* comes to hold rows only once what the ``with`` block did has been committed.

    :param comes: the first statement by which it holds what the block holds.
    :param then: what is done before the commit, while *ask* waits. Neither of the two may be in the other's way.
    """
    asks_for_rows, answers, lost = threading.Event(), [], []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if threading.get_ident() != here and re.search(comes, statement, re.DOTALL):
            asks_for_rows.set()

    def note_error(context: Any) -> None:
        lost.append(context.original_exception)

    here = threading.get_ident()
    with site.app.app_context():
        engine, session = site.db.engine, current_session()
        event.listen(engine, "before_cursor_execute", note)
        event.listen(engine, "handle_error", note_error)
        try:
            yield answers
            with ThreadPoolExecutor(1) as pool:
                answer = pool.submit(ask)
                has_come = asks_for_rows.wait(30)
                try:
                    then()
                finally:
                    # First: what did not come for rows may wait for these in another way.
                    session.commit()
                answers.append(answer.result(60))
            assert has_come
            assert lost == []
        finally:
            event.remove(engine, "before_cursor_execute", note)
            event.remove(engine, "handle_error", note_error)


def role_of(site: Site, identity: str) -> str | None:
    return next((row.role.value for row in site.rows(Row) if row.identity == identity), None)


def press(site: Site, path: str, words: str, **fields: str) -> Callable[[], TestResponse]:
    """Mal presses that button, on a page that they opened before."""
    mal = Member(site, MAL)
    form = mal.form(path, words)
    return lambda: mal.send(form, **fields)


def one(site: Site, identity: str) -> str:
    return "/team/" + next(row.id.hex for row in site.rows(Row) if row.identity == identity)


def test_a_removed_owner(site: Site) -> None:
    """They make nobody an owner on their way out, and see nothing of the team."""
    ask = press(site, one(site, VIEWER), "Save the role", role="owner")
    with waiting(site, ask) as answers:
        members.remove(current_session(), MAL, **BY_ANN)
    assert answers[0].status_code == 403
    assert OWNER not in answers[0].text
    assert role_of(site, VIEWER) == "viewer"


def test_one_who_is_less_now(site: Site) -> None:
    """What they may still do they do, with the role that they have now."""
    for role, ending in ((Role.ADMIN, 403), (Role.EDITOR, 403)):
        ask = press(site, one(site, ADMIN), "Save the role", role="owner")
        with waiting(site, ask) as answers:
            members.change_role(current_session(), MAL, role, **BY_ANN)
        assert answers[0].status_code == ending
        assert role_of(site, ADMIN) == "admin"
        assert ("Save the role" in answers[0].text) == (role is Role.ADMIN)
        if role is Role.ADMIN:
            ask = press(site, one(site, VIEWER), "Save the role", role="editor")
            with waiting(site, ask) as answers:
                members.held(current_session(), OWNER)
            assert answers[0].status_code == 303
            assert role_of(site, VIEWER) == "editor"


def test_a_key_is_not_made_by_whom_nobody_knows(site: Site) -> None:
    """Nor is one revoked."""
    ask = press(site, "/keys", "Make the key", name="back door", role="owner")
    with waiting(site, ask) as answers:
        members.remove(current_session(), MAL, **BY_ANN)
    assert answers[0].status_code == 403
    assert not site.rows(Token)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.OWNER])
def test_an_incident_of_one_who_is_gone(site: Site, role: Role) -> None:
    """What waited for the page is not told, whatever it needs: nothing is written, and nobody hears of it."""
    site.take_in("eve@acme.example", role.value)
    eve = Member(site, "eve@acme.example")
    form = eve.form("/incidents/new", "Publish")
    with waiting(site, lambda: eve.send(form, title="Lies", body="All is lost.")) as answers:
        pages.hold(current_session(), pages.default_page(current_session()).id)
        members.remove(current_session(), "eve@acme.example", **BY_ANN)
    assert answers[0].status_code == 403
    assert "All is lost." in answers[0].text  # theirs
    assert not site.rows(Incident)
    assert not site.rows(EventRow)


def test_an_account_at_x_of_one_who_is_gone(migrated_site: SiteMaker, database_url: str) -> None:
    """What X let in is given back, and kept nowhere."""
    with fake_x.running() as x:
        made = console.build(lambda **options: migrated_site(database_url, **options), x)
        ann = made.browser()
        back = ann.at_x(ann.begin())
        with waiting(made.site, partial(ann.get, back)) as answers:
            pages.hold(current_session(), pages.default_page(current_session()).id)
            members.remove(current_session(), ann.who, **BY_ANN)
        assert answers[0].status_code == 403
        assert made.kept() == ([], [])
        assert [r for r in x.receiver.requests if r.path == "/2/oauth2/revoke"]


def test_a_conflict_of_one_who_is_gone(site: Site) -> None:
    """What somebody else wrote meanwhile is not told to who was taken out of the team by then."""
    service = site.made("/components", name="Billing")
    site.take_in("eve@acme.example", "editor")
    eve = Member(site, "eve@acme.example")
    form = eve.form(f"/services/{service['id']}", "Save")
    with waiting(site, lambda: eve.send(form, name="Payments")) as answers:
        session = current_session()
        pages.hold(session, pages.default_page(session).id)
        session.get_one(Component, UUID(service["id"])).name = "Hush"
        members.remove(session, "eve@acme.example", **BY_ANN)
    assert answers[0].status_code == 403
    assert "Payments" in answers[0].text
    assert "Hush" not in answers[0].text


def revoke(session: Session) -> None:
    team.revoke(session, _token(session).id, **BY_ANN)


def expire(session: Session) -> None:
    _token(session).expires_at = utc_now()


@pytest.mark.parametrize("end", [revoke, expire])
def test_an_incident_of_a_key_that_has_ended(site: Site, end: Callable[[Session], None]) -> None:
    """The manage API looks again, too."""
    site.keys["mal"] = site.made("/tokens", name="mal", role="editor")["key"]
    assert site.ask("GET", "/incidents", role="mal").status_code == 200  # its use is noted
    body = {"title": "Lies", "body": "All is lost."}
    with waiting(site, lambda: site.ask("POST", "/incidents", body, role="mal")) as answers:
        pages.hold(current_session(), pages.default_page(current_session()).id)
        end(current_session())
    assert answers[0].status_code == 401
    assert not site.rows(Incident)


def test_a_key_is_made_while_its_maker_tells_of_an_incident(site: Site) -> None:
    """Both hold the owner and the page, the one last that the other holds first: they would wait for each other."""
    ann = Member(site, OWNER)
    ask = partial(ann.send, ann.form("/incidents/new", "Publish"), title="Slow", body="We look.")

    def make() -> None:
        team.create_token(current_session(), name="new", role=Role.EDITOR, **BY_ANN)

    with waiting(site, ask, comes=r"statuspage_member.*FOR UPDATE", then=make) as answers:
        members.hold_team(current_session())
    assert answers[0].status_code == 303
    assert [row.name for row in site.rows(Token)] == ["new"]


def test_a_key_that_is_used_again_after_a_while(site: Site) -> None:
    """That it was used is noted before anything else is held: another call with it has the page, and looks at it."""
    site.keys["mal"] = site.made("/tokens", name="mal", role="editor")["key"]  # not used so far
    body = {"title": "Slow", "body": "We look."}

    def look() -> None:
        team.renew(current_session(), _token(current_session()), lock=True)

    ask = partial(site.ask, "POST", "/incidents", body, role="mal")
    with waiting(site, ask, comes=r"^UPDATE statuspage_page", then=look) as answers:
        pages.hold(current_session(), pages.default_page(current_session()).id)
    assert answers[0].status_code == 201


def _token(session: Session) -> Token:
    return session.scalars(select(Token).where(Token.name == "mal")).one()


@pytest.mark.parametrize("own", [True, False], ids=["with a tag", "plain"])
def test_a_revoked_key(site: Site, own: bool) -> None:
    """The manage API refuses it, and nothing is done."""
    site.keys["mal"] = site.made("/tokens", name="mal", role="owner")["key"]
    url = "/members/" + one(site, VIEWER).rpartition("/")[2]
    tag = site.ask("GET", url, role="mal").headers["ETag"]
    more = {"If_Match": tag} if own else {}

    def ask() -> TestResponse:
        return site.ask("PATCH", url, {"role": "owner"}, role="mal", **more)

    with waiting(site, ask) as answers:
        members.held(current_session(), OWNER)
        revoke(current_session())
    assert answers[0].status_code == 401
    assert role_of(site, VIEWER) == "viewer"


@pytest.fixture
def linked(migrated_site: SiteMaker, database_url: str) -> tuple[Site, Member]:
    """A site, and Mal who signed in there as by a mailed link."""

    def host(app: Any) -> None:
        @app.get("/come-in")
        def come_in() -> str:
            own_login.begin(members.get(current_session(), MAL))
            return "in"

    site = migrated_site(database_url, host=host, STATUSPAGE_BUILTIN_LOGIN=True)
    site.take_in(MAL)
    site.take_in(VIEWER, "viewer")
    mal = Member(site, None)
    mal.open("/come-in")
    return site, mal


def test_one_who_was_signed_out(linked: tuple[Site, Member]) -> None:
    """A session that was ended meanwhile, after its owner's mailbox was taken over, changes nothing."""
    site, mal = linked
    form = mal.form(one(site, VIEWER), "Save the role")
    with waiting(site, lambda: mal.send(form, role="owner")) as answers:
        row = members.held(current_session(), MAL)
        sign_ins.end_all(current_session(), row, **BY_ANN)
    assert answers[0].status_code == 401
    assert role_of(site, VIEWER) == "viewer"


def test_a_second_factor_of_one_who_was_signed_out(linked: tuple[Site, Member]) -> None:
    """Turned on by such a session, it would keep the member themselves out from then on."""
    site, mal = linked
    mal.follow(mal.send(mal.form("/account", "Set up a second factor")))
    form = mal.form("/account", "Turn on the second factor")
    with site.app.app_context():
        secret = site.rows(SecondFactor)[0].secret
    code = totp.code(secret, int(time.time()) // totp.SECONDS)
    with waiting(site, lambda: mal.send(form, code=code)) as answers:
        row = members.held(current_session(), MAL)
        sign_ins.end_all(current_session(), row, **BY_ANN)
    assert answers[0].status_code == 401
    assert site.rows(SecondFactor)[0].confirmed_at is None
