"""The second factor: set up, asked for, used once, guessed at, lost, and taken away."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from flask_statuspage.domain import totp
from flask_statuspage.services import members, second_factors, sign_ins
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import AuditEntry, SecondFactor
from flask_statuspage.web import own_login
from tests.console import sign_in
from tests.console.member import ADMIN, EDITOR, OWNER, Form, Member
from tests.console.sign_in import Club, Guest
from tests.servers.smtp import SmtpServer
from tests.web.site import SiteMaker


@pytest.fixture
def club(make_site: SiteMaker, smtp: SmtpServer) -> Club:
    return sign_in.build(make_site, smtp)


class Phone:
    """An app that knows a secret, and a clock that tests set on."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def code(self, steps: int = 0) -> str:
        return totp.code(self.secret, int(time.time()) // totp.SECONDS + steps)


def secret_on(browser: Guest) -> str:
    found = re.search(r'class="sp-secret"[^>]*>([A-Z2-7 ]+)<', browser.get("/account").text)
    assert found
    return found[1].replace(" ", "")


def codes_in(text: str) -> list[str]:
    return re.findall(r"<code dir=\"ltr\">([0-9a-f-]{19})</code>", text)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds by which the time is ahead: the first item."""
    ahead, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + ahead[0])
    return ahead


@pytest.fixture
def ann(club: Club) -> Guest:
    guest = club.browser()
    guest.sign_in(EDITOR)
    return guest


def set_up(guest: Guest, clock: list[float]) -> tuple[Phone, list[str]]:
    """Turn it on; the next half minute has begun afterwards."""
    assert guest.send(guest.form("/account", "Set up a second factor")).status_code == 303
    phone = Phone(secret_on(guest))
    answer = guest.send(guest.form("/account", "Turn on"), code=phone.code())
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    clock[0] += totp.SECONDS
    return phone, codes_in(answer.text)


def test_the_whole_way(club: Club, ann: Guest, clock: list[float]) -> None:
    """Set up with an app, confirmed by a code; from then on the link alone opens nothing."""
    ann.send(ann.form("/account", "Set up a second factor"))
    phone = Phone(secret_on(ann))
    assert f"otpauth://totp/Status%3A{EDITOR.replace('@', '%40')}" in ann.get("/account").text
    wrong = ann.send(ann.form("/account", "Turn on"), code="000000")
    assert wrong.status_code == 422
    assert "This code is wrong" in wrong.text
    assert club.site.rows(SecondFactor)[0].confirmed_at is None
    clock[0] += totp.SECONDS
    on = ann.send(ann.form("/account", "Turn on"), code=phone.code())
    assert len(set(codes_in(on.text))) == second_factors.RECOVERY_CODES
    assert "The second factor is on." in on.text
    clock[0] += totp.SECONDS
    page = ann.get("/account").text
    assert phone.secret not in page.replace(" ", "")
    assert codes_in(page) == []

    bob = club.browser()
    path = bob.mailed(EDITOR)
    form = bob.form_at(path)
    for code in ("", "123456"):
        answer = bob.send(form, code=code)
        assert answer.status_code == 422
        assert "This code is wrong" in answer.text
    assert bob.get("/").status_code == 401
    assert bob.send(form, code=phone.code()).status_code == 303
    assert bob.get("/").status_code == 200


def test_what_is_kept(club: Club, ann: Guest, clock: list[float]) -> None:
    """The database has the secret sealed and the written codes as digests; the log has neither."""
    phone, codes = set_up(ann, clock)
    known = str(club.site.contents())
    assert phone.secret not in known
    assert not [code for code in codes if code in known or code.replace("-", "") in known]
    actions = [row.action for row in club.site.rows(AuditEntry)]
    assert "second_factor_on" in actions


def test_a_code_counts_once(club: Club, ann: Guest, clock: list[float]) -> None:
    """Who watches somebody type a code cannot use it, not even under a link of their own."""
    phone, _ = set_up(ann, clock)
    bob, eve = club.browser(), club.browser()
    code = phone.code()
    path = bob.mailed(EDITOR)
    assert bob.send(bob.form_at(path), code=code).status_code == 303
    path = eve.mailed(EDITOR)
    assert eve.send(eve.form_at(path), code=code).status_code == 422
    assert eve.send(eve.form_at(path), code=phone.code(-1)).status_code == 422
    clock[0] += totp.SECONDS
    assert eve.send(eve.form_at(path), code=phone.code()).status_code == 303


def test_guesses_void_the_link(club: Club, ann: Guest, clock: list[float]) -> None:
    """After five wrong codes the right one does not help either; a new link does."""
    phone, _ = set_up(ann, clock)
    eve = club.browser()
    path = eve.mailed(EDITOR)
    form = eve.form_at(path)
    answers = [eve.send(form, code=f"00000{n}").status_code for n in range(sign_ins.WRONG_CODES)]
    assert answers == [422] * (sign_ins.WRONG_CODES - 1) + [410]
    assert eve.send(form, code=phone.code()).status_code == 410
    path = eve.mailed(EDITOR)
    assert eve.send(eve.form_at(path), code=phone.code()).status_code == 303


def test_codes_that_were_written_down(club: Club, ann: Guest, clock: list[float]) -> None:
    """Each lets in once, however it is typed; new ones replace the old ones."""
    phone, codes = set_up(ann, clock)
    bob = club.browser()
    for typed in (codes[0], codes[1].replace("-", " ").upper()):
        path = bob.mailed(EDITOR)
        assert bob.send(bob.form_at(path), code=typed).status_code == 303
    path = bob.mailed(EDITOR)
    assert bob.send(bob.form_at(path), code=codes[0]).status_code == 422
    assert "wrote down 6 can still be used" in ann.get("/account").text
    renewed = codes_in(ann.send(ann.form("/account", "Get new codes"), code=phone.code()).text)
    assert len(renewed) == second_factors.RECOVERY_CODES
    path = bob.mailed(EDITOR)
    assert bob.send(bob.form_at(path), code=codes[2]).status_code == 422
    assert bob.send(bob.form_at(path), code=renewed[0]).status_code == 303


def test_it_is_turned_off_by_a_code(club: Club, ann: Guest, clock: list[float]) -> None:
    """Who finds an open laptop cannot: it needs a code, of which only so many are tried in an hour."""
    phone, codes = set_up(ann, clock)
    form = ann.form("/account", "Turn off")
    form.action = "/status/admin/account/off"
    assert ann.send(form, code="000000").status_code == 422
    assert len(club.site.rows(SecondFactor)) == 1
    page = ann.follow(ann.send(form, code=codes[0]))
    assert "The second factor is off." in page.text
    assert club.site.rows(SecondFactor) == []
    assert club.browser().sign_in(EDITOR).status_code == 303
    assert phone.secret


def test_only_so_many_codes_an_hour(club: Club, ann: Guest, clock: list[float]) -> None:
    """Wrong codes on the page are counted, whatever they were for; then the right one is refused, too."""
    phone, _ = set_up(ann, clock)
    form = ann.form("/account", "Turn off")
    for _ in range(second_factors.ATTEMPTS_PER_HOUR - 1):
        assert ann.send(form, code="000000").status_code == 422
    answer = ann.send(form, code=phone.code())
    assert answer.status_code == 429
    assert "Too many codes" in answer.text


def test_links_give_no_further_guesses(club: Club, ann: Guest, clock: list[float]) -> None:
    """However many links somebody gets, an hour has ten codes; the log tells of each that was wrong."""
    phone, codes = set_up(ann, clock)
    eve, asked = club.browser(), 0
    for _ in range(3):
        path = eve.mailed(EDITOR)
        form = eve.form_at(path)
        for _ in range(sign_ins.WRONG_CODES - 1):
            answer = eve.send(form, code="000000")
            asked += 1
            over = asked > second_factors.ATTEMPTS_PER_HOUR - 1  # one set it up
            assert answer.status_code == (429 if over else 422)
    assert answer.headers["Retry-After"] == "3600"
    assert "Too many codes" in answer.text
    assert eve.send(form, code=codes[0]).status_code == 429
    assert ann.send(ann.form("/account", "Turn off"), code=phone.code()).status_code == 429
    told = [row for row in club.site.rows(AuditEntry) if row.action == "wrong_code"]
    assert len(told) == second_factors.ATTEMPTS_PER_HOUR - 1
    assert {(row.subject_id, row.before, row.after) for row in told} == {
        (club.row(EDITOR).id, None, None)
    }


def test_wrong_codes_on_the_page_are_in_the_log(club: Club, ann: Guest, clock: list[float]) -> None:
    """One that is right leaves its own entry."""
    _, codes = set_up(ann, clock)
    form = ann.form("/account", "Turn off")
    form.action = "/status/admin/account/off"
    for code in ("000000", "111111", codes[0]):
        ann.send(form, code=code)
    told = [row.action for row in club.site.rows(AuditEntry) if row.subject == "member"]
    assert told.count("wrong_code") == 2
    assert told.count("second_factor_off") == 1


def test_only_an_owner_resets_it(club: Club, ann: Guest, clock: list[float]) -> None:
    """An admin cannot take somebody's second factor; an owner can, and the member signs in by the link alone."""
    set_up(ann, clock)
    row = club.row(EDITOR)
    bob, owner = club.browser(), club.browser()
    bob.sign_in(ADMIN)
    assert "Turn off the second factor" not in bob.get(f"/team/{row.id.hex}").text
    assert bob.post(f"/team/{row.id.hex}/reset", {}).status_code == 403
    owner.sign_in(OWNER)
    assert "with second factor" in owner.get("/team").text
    form = owner.form(f"/team/{row.id.hex}", "Turn off the second factor")
    assert "second factor is off" in owner.follow(owner.send(form)).text
    assert owner.send(form).status_code == 409
    assert club.browser().sign_in(EDITOR).status_code == 303


def test_a_removed_member_leaves_no_secret(club: Club, ann: Guest, clock: list[float]) -> None:
    """With the member their second factor goes, which the log says; of one that was begun only it says nothing."""
    set_up(ann, clock)
    bob = club.browser()
    bob.sign_in(ADMIN)
    bob.send(bob.form("/account", "Set up a second factor"))
    for identity in (EDITOR, ADMIN):
        club.change(lambda s, who=identity: members.remove(s, who, actor=None, actor_role=None))
    assert club.site.rows(SecondFactor) == []
    told = [row.before for row in club.site.rows(AuditEntry) if row.action == "delete"]
    assert told == [
        {"identity": EDITOR, "role": "editor", "second_factor": True},
        {"identity": ADMIN, "role": "admin"},
    ]


def test_it_is_begun_again(club: Club, ann: Guest, clock: list[float]) -> None:
    """Before it is confirmed another key can be had; once it is on, none can, and nothing is asked before."""
    ann.send(ann.form("/account", "Set up a second factor"))
    first = secret_on(ann)
    assert club.browser().sign_in(EDITOR).status_code == 303
    ann.send(ann.form("/account", "Begin again"))
    assert secret_on(ann) != first
    again, twice = ann.form("/account", "Begin again"), ann.form("/account", "Turn on")
    phone = Phone(secret_on(ann))
    assert ann.send(twice, code=Phone(first).code()).status_code == 422
    clock[0] += totp.SECONDS
    assert ann.send(twice, code=phone.code()).status_code == 200
    clock[0] += totp.SECONDS
    for form in (again, twice):
        answer = ann.send(form, code=phone.code())
        assert answer.status_code == 409
        assert "is on already" in answer.text


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_codes_typed_at_once(migrated_site: SiteMaker, database_url: str) -> None:
    """As many are let through as one after the other, whatever the databases say of what others just did."""

    def host(app: Flask) -> None:
        @app.get("/come-in")
        def come_in() -> str:
            own_login.begin(members.get(current_session(), OWNER))
            return "in"

    site = migrated_site(
        database_url,
        host=host,
        STATUSPAGE_BUILTIN_LOGIN=True,
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 20},
    )
    site.take_in(OWNER)
    more = 4
    browsers = [Member(site, None) for _ in range(second_factors.ATTEMPTS_PER_HOUR + more)]
    for browser in browsers:
        browser.open("/come-in")
    browsers[0].send(browsers[0].form("/account", "Set up a second factor"))
    forms = [browser.form("/account", "Turn on") for browser in browsers]
    start = threading.Barrier(len(browsers))

    def guess(browser: Member, form: Form) -> int:
        start.wait(30)
        return browser.send(form, code="000000").status_code

    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = list(pool.map(guess, browsers, forms))
    assert sorted(answers) == [422] * second_factors.ATTEMPTS_PER_HOUR + [429] * more
