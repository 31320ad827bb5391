"""Signing in by a mailed link: who gets one, what it opens, how often, and for how long."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import flask
import pytest
from itsdangerous import URLSafeTimedSerializer

from flask_statuspage import StatusPage
from flask_statuspage.delivery import links
from flask_statuspage.domain.roles import Role
from flask_statuspage.services import members, sign_ins
from flask_statuspage.storage import letters, sign_in_links
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.sign_in_links import SignInLink
from flask_statuspage.storage.signups import SignupAttempt
from flask_statuspage.storage.team import AuditEntry
from flask_statuspage.storage.team import Member as Row
from flask_statuspage.web import own_login
from tests.console import sign_in
from tests.console.member import ADMIN, EDITOR, OWNER, VIEWER, Member, forms_of
from tests.console.sign_in import Club, Guest, kept, path_in
from tests.servers.smtp import SmtpServer
from tests.web.site import SiteMaker


@pytest.fixture
def club(make_site: SiteMaker, smtp: SmtpServer) -> Club:
    return sign_in.build(make_site, smtp)


def is_in(browser: Member) -> bool:
    return browser.get("/").status_code == 200


def test_the_whole_way(club: Club) -> None:
    """An address, a mail, a button: the console is open, and knows who came; a button closes it."""
    ann = club.browser()
    assert ann.get("/").status_code == 401
    path = ann.mailed(EDITOR)
    assert not is_in(ann)
    answer = ann.send(ann.form_at(path))
    assert answer.headers["Location"] == "/status/admin/"
    assert EDITOR in ann.follow(answer).text
    assert club.row(EDITOR).last_seen_at is not None
    out = ann.send(ann.form("/", "Sign out"))
    assert "You are signed out." in ann.follow(out).text
    assert not is_in(ann)
    told = [(e.actor, e.action) for e in club.site.rows(AuditEntry) if e.action == "sign_in"]
    assert told == [(EDITOR, "sign_in")]


def test_the_mail(club: Club) -> None:
    """It goes to the member alone, leads to the address that the site knows itself by, and holds nothing else."""
    ann = club.browser()
    ann.client.environ_base["HTTP_HOST"] = "evil.example"
    path = ann.mailed(f" {EDITOR.upper()} ")
    (mail,) = club.smtp.messages
    assert mail.envelope_to == (EDITOR,)
    assert mail["Subject"] == "Sign in to Status"
    assert mail["List-Unsubscribe"] is None
    assert sign_in.url_in(mail).startswith("https://status.acme.example/status/admin/login/")
    html = mail.get_body(("html",))
    assert html is not None
    assert path in html.get_content()
    assert "<!-- links -->" not in html.get_content()


def test_strangers_are_told_the_same(club: Club) -> None:
    """Whether or not an address is a member's: same status, same bytes, same headers; only the member gets a mail."""
    guest, stranger = club.browser(), "eve@example.com"
    answers = {}
    for address in (EDITOR, stranger):
        answer = guest.ask(address)
        headers = {k: v for k, v in answer.headers if k not in ("Content-Length", "Date")}
        answers[address] = (answer.status_code, answer.text.replace(address, "…"), headers)
    assert answers[EDITOR] == answers[stranger]
    club.send()
    assert [mail.envelope_to for mail in club.smtp.messages] == [(EDITOR,)]


def test_what_is_no_address(club: Club) -> None:
    """It is told so, and shown again; hostile ones do no harm."""
    guest = club.browser()
    for email in (
        "",
        "ann",
        "a@b@c",
        "x" * 10_000,
        "<script>alert(1)</script>@example.com",
        "a\x00@b.de",
    ):
        answer = guest.ask(email)
        assert answer.status_code == 422
        assert "<script>alert" not in answer.text
    assert club.site.rows(SignupAttempt) == []


def test_looking_changes_nothing(club: Club) -> None:
    """Programs that follow links in mails use none up: only the button does."""
    ann = club.browser()
    path = ann.mailed(EDITOR)
    before = club.site.contents()
    for method in ("GET", "HEAD", "GET"):
        assert club.browser().open(path, method).status_code == 200
    assert club.site.contents() == before
    answer = ann.open(path)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "http" not in answer.text.partition("<form")[0].partition("</head>")[2]
    assert ann.send(ann.form_at(path)).status_code == 303


def test_a_link_works_once(club: Club) -> None:
    """Used, it opens nothing any more, in this browser or another."""
    ann, eve = club.browser(), club.browser()
    path = ann.mailed(EDITOR)
    form, second = ann.form_at(path), eve.form_at(path)
    assert ann.send(form).status_code == 303
    for browser, again in ((ann, form), (eve, second)):
        answer = browser.send(again)
        assert answer.status_code == 410
        assert "does not work any more" in answer.text
    assert eve.open(path).status_code == 410
    assert not is_in(eve)


def test_a_newer_link_leaves_older_ones(club: Club) -> None:
    """Who asks in somebody's name takes no link from them; once one is used, none works any more."""
    ann = club.browser()
    old, new = ann.mailed(EDITOR), ann.mailed(EDITOR)
    assert ann.open(new).status_code == 200
    assert ann.send(ann.form_at(old)).status_code == 303
    for path in (old, new):
        answer = club.browser().open(path)
        assert answer.status_code == 410
        assert "another one was used" in answer.text
    assert club.site.rows(SignInLink) == []


def test_nobody_is_locked_out(club: Club) -> None:
    """Whoever asks from everywhere for links in a member's name fills no mailbox, and lets them in all the same."""
    networks = [f"2001:db8:0:{number}::1" for number in range(8)]
    for origin in networks:
        eve = club.browser()
        eve.client.environ_base["REMOTE_ADDR"] = origin
        for _ in range(sign_ins.PER_NETWORK_AND_ADDRESS):
            assert eve.ask(EDITOR).status_code == 200
            club.send()
    assert len(club.smtp.messages) == sign_in_links.AT_ONCE
    ann = club.browser()
    ann.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert ann.ask(EDITOR).status_code == 200
    assert club.send() == 0
    path = path_in(club.smtp.messages[0])
    assert ann.send(ann.form_at(path)).status_code == 303
    assert is_in(ann)
    assert club.send() == 1


def test_the_next_link_comes_when_one_is_over(club: Club) -> None:
    """It waits until then, and is mailed without anybody asking again."""
    ann = club.browser()
    for _ in range(sign_in_links.AT_ONCE):
        ann.mailed(EDITOR)
    assert club.browser().ask(EDITOR).status_code == 429
    bob = club.browser()
    bob.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert bob.ask(EDITOR).status_code == 200
    assert club.send() == 0
    oldest = min(club.site.rows(SignInLink), key=lambda row: row.made_at).digest
    over = utc_now() - sign_in_links.LASTS - timedelta(seconds=5)
    club.change(lambda s: s.query(SignInLink).filter_by(digest=oldest).update({"made_at": over}))
    assert (club.send(), club.send()) == (1, 0)
    assert oldest not in {row.digest for row in club.site.rows(SignInLink)}
    assert sign_in_links.LASTS.total_seconds() == links.PASS_SECONDS


def test_a_link_that_is_too_old(club: Club, monkeypatch: pytest.MonkeyPatch) -> None:
    """After fifteen minutes it is told so, and a new one is a field away."""
    ann = club.browser()
    path = ann.mailed(EDITOR)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + links.PASS_SECONDS - 5)
    form = ann.form_at(path)
    monkeypatch.setattr(time, "time", lambda: now() + links.PASS_SECONDS + 2)
    for answer in (ann.open(path), ann.send(form)):
        assert answer.status_code == 410
        assert "it worked for 15 minutes" in answer.text
        assert "Send me a link" in answer.text


def test_links_that_are_none(club: Club) -> None:
    """Altered ones, those of another purpose or of another site, open nothing."""
    ann = club.browser()
    token = ann.mailed(EDITOR).rpartition("/")[2]
    row = club.row(EDITOR)
    with club.site.app.app_context():
        other = links.make(links.CONFIRM, links.Ticket(row.id, "x"))
    foreign = URLSafeTimedSerializer("another key", salt="flask-statuspage pass")
    wrong = [
        token[:-1],
        token[:-2] + "xx",
        f"x{token}",
        other,
        "x",
        "%ed%a0%80",
        "\x00",
        "a" * 5000,
    ]
    wrong.append(str(foreign.dumps([row.id.hex, "x"])))
    for text in wrong:
        assert ann.get(f"/login/{text}").status_code == 404, text
    assert ann.get(f"/login/{token}").status_code == 200


def test_a_form_from_elsewhere_signs_nobody_in(club: Club) -> None:
    """Without the token of this browser's session neither a link is sent, nor anybody signed in or out."""
    ann = club.browser()
    path = ann.mailed(EDITOR)
    for token in (None, "", "x"):
        data = {"email": EDITOR} | ({} if token is None else {"csrf_token": token})
        assert ann.open("/status/admin/login", "POST", data=data).status_code == 400
        assert ann.open(path, "POST", data=data).status_code == 400
    assert club.send() == 0
    assert ann.send(ann.form_at(path)).status_code == 303
    assert ann.open("/status/admin/logout", "POST").status_code == 400
    assert is_in(ann)


@pytest.mark.parametrize("csrf", ["before", "after"])
def test_a_host_wide_protection(make_site: SiteMaker, smtp: SmtpServer, csrf: str) -> None:
    """Where the host protects all its forms, whichever comes first, the way in and out is the same, over TLS too."""
    club = sign_in.build(make_site, smtp, csrf=csrf, PREFERRED_URL_SCHEME="https")
    club.site.app.config["SESSION_COOKIE_SECURE"] = True
    ann = club.browser()
    ann.client = club.site.app.test_client()
    ann.client.environ_base["wsgi.url_scheme"] = "https"
    ann.client.environ_base["HTTPS"] = "on"
    base = {"base_url": "https://status.acme.example"}

    def press(path: str, words: str, **fields: str) -> object:
        page = ann.client.get(path, **base)
        form = next(one for one in forms_of(page.text) if words in one.words)
        data = {**form.fields.to_dict(), **fields}
        return ann.client.post(form.action, data=data, **base)

    assert press("/status/admin/login", "Send me a link", email=EDITOR).status_code == 200  # type: ignore[attr-defined]
    club.send()
    path = path_in(smtp.messages[-1])
    assert press(path, "Sign in").status_code == 303  # type: ignore[attr-defined]
    assert press("/status/admin/", "Sign out").status_code == 303  # type: ignore[attr-defined]


def test_limits(club: Club) -> None:
    """Whoever asks too often is told so, whether or not the address is a member's; others are not locked out."""
    eve = club.browser()
    for address in (EDITOR, "nobody@example.com"):
        for _ in range(sign_ins.PER_NETWORK_AND_ADDRESS):
            assert eve.ask(address).status_code == 200
        answer = eve.ask(address)
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "3600"
        assert "Too many links" in answer.text
    ann = club.browser()
    ann.client.environ_base["REMOTE_ADDR"] = "192.0.2.1"
    assert ann.ask(EDITOR).status_code == 200
    for number in range(sign_ins.PER_NETWORK - 2 * sign_ins.PER_NETWORK_AND_ADDRESS):
        assert eve.ask(f"{number}@example.com").status_code == 200
    assert eve.ask("more@example.com").status_code == 429


def test_a_removed_member(club: Club) -> None:
    """Removed, they are out at once, and a link that was mailed before opens nothing; added again they begin anew."""
    ann = club.browser()
    ann.sign_in(EDITOR)
    path = ann.mailed(EDITOR)
    assert is_in(ann)
    club.change(lambda s: members.remove(s, EDITOR, actor=None, actor_role=None))
    assert not is_in(ann)
    assert club.site.rows(SignInLink) == []
    assert ann.open(path).status_code == 410
    club.change(lambda s: members.add(s, EDITOR, role=Role.OWNER, actor=None, actor_role=None))
    assert not is_in(ann)


def test_a_changed_role_counts_at_once(club: Club) -> None:
    """What somebody may do is looked up each time, not kept in the session."""
    ann = club.browser()
    ann.sign_in(VIEWER)
    assert ann.get("/team").status_code == 403
    club.change(lambda s: members.change_role(s, VIEWER, Role.ADMIN, actor=None, actor_role=None))
    assert ann.get("/team").status_code == 200
    club.change(lambda s: members.change_role(s, VIEWER, Role.EDITOR, actor=None, actor_role=None))
    assert ann.get("/team").status_code == 403


def test_signing_out_everywhere(club: Club) -> None:
    """One button ends all sessions of a member, and of nobody else."""
    ann, phone, bob = club.browser(), club.browser(), club.browser()
    ann.sign_in(EDITOR)
    phone.sign_in(EDITOR)
    bob.sign_in(ADMIN)
    answer = ann.send(ann.form("/account", "Sign out everywhere"))
    assert "You are signed out." in ann.follow(answer).text
    assert (is_in(ann), is_in(phone), is_in(bob)) == (False, False, True)


@pytest.mark.parametrize(
    ("steps", "stays"),
    [
        ([own_login.IDLE - 60], True),
        ([own_login.IDLE + 60], False),
        ([own_login.IDLE - 60] * 3, True),
        ([own_login.IDLE - 60] * 7, False),
        ([-3600], False),
    ],
    ids=[
        "nearly idle",
        "idle",
        "at work",
        "half a day",
        "a clock that goes back",
    ],
)
def test_sessions_end(
    club: Club, monkeypatch: pytest.MonkeyPatch, steps: list[float], stays: bool
) -> None:
    """After two hours without a request, and after twelve in any case."""
    ann = club.browser()
    ann.sign_in(EDITOR)
    now, gone = time.time, 0.0

    def ahead(seconds: float) -> float:
        return now() + seconds

    for step in steps:
        gone += step
        monkeypatch.setattr(time, "time", partial(ahead, gone))
        inside = ann.client.get("/status/admin/")
    assert (inside.status_code == 200) is stays


@pytest.mark.parametrize(("behind", "stays"), [(0.5, True), (50, True), (70, False)])
def test_a_server_that_is_behind(
    club: Club, monkeypatch: pytest.MonkeyPatch, behind: float, stays: bool
) -> None:
    """Half a second between two clocks signs nobody out, and leaves the note for the other server.

    Only our clock goes back here: Flask's own cookie is one server's to the second, sessions on servers are not.
    """
    ann = club.browser()
    ann.sign_in(EDITOR)

    class Behind:
        @staticmethod
        def time() -> float:
            return time.time() - behind

    monkeypatch.setattr(own_login, "time", Behind)
    assert is_in(ann) is stays
    monkeypatch.undo()
    assert is_in(ann) is stays


def test_the_hosts_session_is_the_hosts(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """Signing in and out leaves what the host keeps there; what is ours is replaced, and sealed."""
    club = sign_in.build(make_site, smtp, host=sign_in.host_with_a_cart)
    ann = club.browser()
    ann.open("/cart")
    with ann.client.session_transaction() as session:
        session[own_login.KEY] = "planted"
    ann.sign_in(EDITOR)
    inside = kept(ann)
    assert inside["cart"] == ["a book"]
    assert inside[own_login.KEY] != "planted"
    row = club.row(EDITOR)
    assert row.id.hex not in str(inside)
    assert EDITOR not in str(inside)
    ann.send(ann.form("/", "Sign out"))
    assert kept(ann)["cart"] == ["a book"]
    assert own_login.KEY not in kept(ann)


def test_notes_that_are_none(club: Club) -> None:
    """What stands in the session and is no note of ours lets nobody in, and fails nowhere."""
    ann = club.browser()
    ann.sign_in(EDITOR)
    for planted in ("x", 7, None, ["a"], {}, kept(ann)[own_login.KEY][:-3]):
        eve = club.browser()
        with eve.client.session_transaction() as session:
            session[own_login.KEY] = planted
        assert eve.get("/").status_code == 401


def test_a_session_that_has_a_name_gets_another(club: Club) -> None:
    """Where the host keeps sessions by a name, the one that somebody planted is not the one that is signed in."""
    seen = []
    interface = club.site.app.session_interface
    interface.regenerate = seen.append  # type: ignore[attr-defined]
    try:
        assert club.browser().sign_in(EDITOR).status_code == 303
    finally:
        del interface.regenerate  # type: ignore[attr-defined]
    assert len(seen) == 1


@pytest.mark.parametrize("field", [None, "xsrf"], ids=["as it comes", "named by the host"])
def test_tokens_from_before_do_not_count(
    make_site: SiteMaker, smtp: SmtpServer, field: str | None
) -> None:
    """Who planted the session that somebody signs in with knows the token of its forms, and can press none of them."""
    options = {} if field is None else {"WTF_CSRF_FIELD_NAME": field}
    club = sign_in.build(make_site, smtp, **options)
    ann = club.browser()
    planted = ann.form("/login", "Send me a link").fields["csrf_token"]
    ann.sign_in(OWNER)
    data = {"identity": "eve@example.com", "role": "owner", "csrf_token": planted}
    assert ann.open("/status/admin/team", "POST", data=data).status_code == 400
    form = ann.form("/team", "Add the member")
    assert ann.send(form, identity="new@example.com").status_code == 303


def test_without_a_key_for_sessions(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """Every page says that it is missing; none fails. Nobody can sign in, nor out."""
    club = sign_in.build(
        make_site, smtp, SECRET_KEY=None, STATUSPAGE_SECRET_KEYS="a key of the status page alone"
    )
    ann = club.browser()
    assert ann.get("/").status_code == 401
    for path in ("/login", "/account"):
        assert ann.get(path).status_code in (401, 503)
    answer = ann.open("/status/admin/login", "POST", data={"email": EDITOR})
    assert answer.status_code == 503
    assert "SECRET_KEY" in answer.text
    assert ann.open("/status/admin/logout", "POST").status_code == 503


def test_two_apps(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """A session of one site opens no other, though both have the same key and get the same cookie."""
    here, there = sign_in.build(make_site, smtp), sign_in.build(make_site, smtp)
    ann = here.browser()
    ann.sign_in(EDITOR)
    eve = there.browser()
    with eve.client.session_transaction() as session:
        session.update(kept(ann))
    assert is_in(ann)
    assert not is_in(eve)
    path = ann.mailed(EDITOR)
    assert eve.open(path).status_code == 410


def test_without_the_setting(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """There is nothing at these addresses, and a session from before opens nothing."""
    club = sign_in.build(make_site, smtp)
    ann = club.browser()
    path = ann.mailed(EDITOR)
    ann.sign_in(EDITOR)
    off = sign_in.build(make_site, smtp, STATUSPAGE_BUILTIN_LOGIN=False)
    eve = off.browser()
    for url in ("/status/admin/login", path, "/status/admin/login?next=/status/admin/"):
        assert eve.open(url).status_code == 404
    assert eve.open("/status/admin/logout", "POST").status_code == 404
    assert eve.open("/status/admin/account").status_code == 503


def test_the_hosts_login_comes_first(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """Whom the host names it alone names; where it names nobody the mailed link counts."""
    who: list[str | None] = [None]
    page = StatusPage()
    page.member_loader(lambda: who[0])
    club = sign_in.build(make_site, smtp, statuspage=page)
    ann = club.browser()
    ann.sign_in(EDITOR)
    assert EDITOR in ann.get("/").text
    who[0] = OWNER
    text = ann.get("/").text
    assert OWNER in text
    assert EDITOR not in text
    assert "Sign out</button>" not in text
    who[0] = "eve@example.com"
    assert ann.get("/").status_code == 403


def test_no_mail_no_login(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """A site that cannot send mail says so, instead of promising a link."""
    club = sign_in.build(make_site, smtp, STATUSPAGE_SMTP_URL=None, STATUSPAGE_EMAIL_FROM=None)
    answer = club.browser().ask(EDITOR)
    assert answer.status_code == 503
    assert "no mail can be sent" in answer.text


def test_a_mail_that_fails_is_tried_again(club: Club) -> None:
    """For a quarter of an hour, each time with another link; then it is given up."""
    ann = club.browser()
    club.smtp.reject_with = "451 4.3.0 later"
    ann.ask(EDITOR)
    assert (club.send(), club.send()) == (1, 0)
    club.smtp.reject_with = None
    tried = utc_now() - letters.AGAIN_AFTER - timedelta(seconds=5)
    club.change(lambda s: s.query(Row).update({"letter_tried_at": tried}))
    assert (club.send(), club.send()) == (1, 0)
    assert ann.send(ann.form_at(path_in(club.smtp.messages[-1]))).status_code == 303
    ann.ask(EDITOR)
    old = utc_now() - letters.WAITS[letters.SIGN_IN] - timedelta(seconds=5)
    club.change(lambda s: s.query(Row).update({"letter_asked_at": old}))
    assert club.send() == 0


def test_nothing_that_opens_is_kept_or_logged(club: Club, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the database nor a log has what is in the mail, before and after it was used."""
    caplog.set_level(logging.DEBUG)
    ann = club.browser()
    path = ann.mailed(EDITOR)
    token = path.rpartition("/")[2]
    with club.site.app.app_context():
        nonce = links.read_pass(token).nonce
    form = ann.form_at(path)
    for _ in range(2):
        known = str(club.site.contents()) + caplog.text
        assert token not in known
        assert nonce not in known
        ann.send(form)


HOSTILE = [
    "//evil.example/status/admin/",
    "///evil.example/status/admin/",
    "/\\evil.example/status/admin/",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example/status/admin/",
    "https:/status/admin/",
    "javascript:alert(1)",
    "/status/admin/..//evil.example",
    "/status/admin/../../evil",
    "/status/admin/%2e%2e/%2e%2e/evil",
    "/status/admin/%252e%252e/evil",
    "/status/admin/.%2e/evil",
    "/status/admin/%5cevil.example",
    "/status/admin//evil.example",
    "/status/admin/%2f%2fevil.example",
    "%2f%2fevil.example",
    "%2fstatus/admin/",
    "/%09/evil.example",
    "/\t/evil.example",
    "/status/admin/\r\nSet-Cookie: a=b",
    "/status/adminevil",
    "/status",
    "/",
    "",
    " /status/admin/",
    "/status/admin/\x00",
    "/status/admin/" + "x" * 3000,
    "//[::1",
]


@pytest.mark.parametrize("path", HOSTILE, ids=range(len(HOSTILE)))
def test_no_way_out_of_the_console(club: Club, path: str) -> None:
    """What `next` names elsewhere is ignored: whoever signs in comes to the dashboard."""
    ann = club.browser()
    page = ann.client.get("/status/admin/login", query_string={"next": path})
    assert 'name="next"' not in page.text
    form = next(one for one in forms_of(page.text) if "link" in one.words)
    ann.send(form, email=EDITOR, next=path)
    club.send()
    answer = ann.send(ann.form_at(path_in(club.smtp.messages[-1])))
    assert answer.headers["Location"] == "/status/admin/"


def test_the_way_on_is_kept(club: Club) -> None:
    """Who was on the way to a page of the console comes there, in the browser that asked."""
    ann = club.browser()
    door = ann.get("/team?status_page=main&role=owner")
    assert door.status_code == 401
    assert 'href="/status/admin/login?next=/status/admin/team?' in door.text.replace(
        "%2F", "/"
    ).replace("%3F", "?")
    page = ann.client.get(
        "/status/admin/login", query_string={"next": "/status/admin/team?role=owner"}
    )
    form = next(one for one in forms_of(page.text) if "link" in one.words)
    ann.send(form, email=OWNER)
    club.send()
    answer = ann.send(ann.form_at(path_in(club.smtp.messages[-1])))
    assert answer.headers["Location"] == "/status/admin/team?role=owner"


def test_a_form_that_was_typed_meanwhile(club: Club) -> None:
    """Whose session ended while they typed finds the way to sign in beside what they typed."""
    ann = club.browser()
    ann.sign_in(OWNER)
    form = ann.form("/team", "Add the member")
    club.change(lambda s: sign_ins.end_all(s, members.get(s, OWNER), actor=None, actor_role=None))
    answer = ann.send(form, identity="new@acme.example")
    assert answer.status_code == 401
    assert 'href="/status/admin/login"' in answer.text
    assert "new@acme.example" in answer.text


def test_pages_for_signed_in_visitors(club: Club) -> None:
    """Whoever signed in by a link may see what the host shows to those who are signed in."""
    club.site.ask("PATCH", "/pages/main", {"visibility": "signed-in"})
    ann = club.browser()
    assert ann.open("/status/").status_code == 403
    ann.sign_in(VIEWER)
    assert ann.open("/status/").status_code == 200
    assert club.browser().open("/status/").status_code == 403


def test_the_mount(make_site: SiteMaker, smtp: SmtpServer, tmp_path: Path) -> None:
    """At the root of a site the ways are the same."""
    club = sign_in.build(
        make_site, smtp, prefix=None, STATUSPAGE_PAGE_URL="https://status.acme.example"
    )
    ann: Guest = club.browser()
    assert ann.sign_in(EDITOR).headers["Location"] == "/admin/"


def test_a_link_is_not_used_up_where_the_host_names_somebody(
    make_site: SiteMaker, smtp: SmtpServer
) -> None:
    """Whom the host names it alone names: the button says so and to whom, and the link works afterwards."""
    page = StatusPage()
    page.member_loader(lambda: flask.request.headers.get("X-Who"))
    club = sign_in.build(make_site, smtp, statuspage=page)
    guest = club.browser()
    form = guest.form_at(guest.mailed(OWNER))
    guest.who = "mallory@example.com"
    answer = guest.send(guest.form_at(form.action))
    assert answer.status_code == 409
    assert "knows you as mallory@example.com" in answer.text
    guest.who = None
    assert guest.send(guest.form_at(form.action)).status_code == 303
    assert guest.get("/").status_code == 200
