"""Signing in with X in the console, with a client that follows as a browser does and an X that checks what it gets."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from flask_statuspage.domain.roles import Role
from flask_statuspage.errors import Race
from flask_statuspage.services import accounts, members, pages
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from flask_statuspage.storage.team import AuditEntry
from flask_statuspage.web.admin import x_sign_in
from tests.servers import x as fake
from tests.servers.http import Answer, Received

from .console import ANN, PAGE_URL, Console


def test_signing_in(console: Console) -> None:
    """After the three legs the account is kept, encrypted, and the page is subscribed to it; the page says so."""
    answer = console.browser().sign_in()
    assert answer.status_code == 303
    page = console.browser().get(answer.location.removeprefix("/status"))
    assert "The account is connected." in page.text
    assert "<bdi>@acme</bdi>" in page.text
    assert f"by <bdi>{ANN}</bdi>" in page.text
    (account,), (subscription,) = console.kept()
    assert (account.kind, account.name, account.remote_id, account.actor) == (
        "x",
        "@acme",
        "1001",
        ANN,
    )
    assert (subscription.channel, subscription.address, subscription.state) == (
        "x",
        "@acme",
        "active",
    )
    assert subscription.contact == ANN
    raw = str(console.site.contents())
    assert not any(secret in raw for secret in console.x.secrets)


def test_public_client(make_console: Callable[..., Console]) -> None:
    """Without a secret the app names itself in the body."""
    with fake.running(confidential=False) as x:
        console = make_console(x)
        assert console.browser().sign_in().status_code == 303
        assert len(console.kept()[0]) == 1


def test_the_address_at_x(console: Console) -> None:
    """X is asked with PKCE, the four scopes and the public callback, never with the Host of a request."""
    browser = console.browser()
    token = browser.token()
    headers = {"X-Who": ANN, "Host": "evil.example"}
    data = {"csrf_token": token}
    answer = browser.client.post("/status/admin/x/connect", data=data, headers=headers)
    if answer.status_code != 303:  # the cookie belongs to the other host
        answer = browser.post("/admin/x/connect", data={"csrf_token": browser.token()})
    asked = parse_qs(urlsplit(answer.location).query)
    assert asked["redirect_uri"] == [f"{PAGE_URL}/admin/x/callback"]
    assert asked["code_challenge_method"] == ["S256"]
    assert set(asked["scope"][0].split()) == set(fake.SCOPES.split())


def test_the_verifier_is_sealed(console: Console) -> None:
    """What waits in the session tells nobody who reads the cookie the state or the verifier."""
    browser = console.browser()
    state = parse_qs(urlsplit(browser.begin()).query)["state"][0]
    with browser.client.session_transaction() as session:
        kept = session[x_sign_in.KEY]
    assert state not in kept
    assert "verifier" not in kept


def test_policy_lets_the_form_lead_to_x(console: Console) -> None:
    """The page's own policy names X's origin for forms, as browsers follow the redirect under it; nothing is inline."""
    answer = console.browser().get("/admin/integrations")
    policy = answer.headers["Content-Security-Policy"]
    assert f"form-action 'self' {console.x.url};" in policy
    assert "style=" not in answer.text
    assert not re.findall(r"<script(?![^>]* src=)", answer.text)
    assert answer.headers["Cache-Control"] == "no-store"


def refused(console: Console, answer: TestResponse, words: str, status: int = 400) -> None:
    """Told in place, and nothing is stored."""
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert "Sign in with X</button>" in answer.text
    assert console.kept() == ([], [])


def test_declined(console: Console) -> None:
    """Who says no at X is told that nothing was connected."""
    console.x.declines = True
    refused(console, console.browser().sign_in(), "not allowed to let us in")


def test_wrong_state(console: Console) -> None:
    """A state that is not the one sent is refused, and the sign-in is over by that."""
    browser = console.browser()
    path = browser.at_x(browser.begin())
    refused(
        console,
        browser.get(re.sub("state=[^&]+", "state=other", path)),
        "not begun in this browser",
    )
    refused(console, browser.get(path), "not begun in this browser")


@pytest.mark.parametrize("state", ["", "&state=%ff", "&state=%F0%9F%98%80"])
def test_missing_or_odd_state(console: Console, state: str) -> None:
    """No state, and one that is no ASCII, are wrong ones."""
    browser = console.browser()
    path = browser.at_x(browser.begin())
    refused(
        console, browser.get(re.sub("&?state=[^&]+", "", path) + state), "not begun in this browser"
    )


def test_another_browser(console: Console) -> None:
    """The address that X leads back to works in no other browser, whoever sits before it."""
    path = console.browser().at_x(console.browser().begin())
    refused(console, console.browser().get(path), "not begun in this browser")


def test_used_once(console: Console) -> None:
    """The same callback once more connects nothing."""
    browser = console.browser()
    path = browser.at_x(browser.begin())
    assert browser.get(path).status_code == 303
    again = browser.get(path)
    assert again.status_code == 400
    assert len(console.kept()[0]) == 1


def test_head_changes_nothing(console: Console) -> None:
    """A HEAD at the callback neither connects nor ends the sign-in."""
    browser = console.browser()
    path = browser.at_x(browser.begin())
    answer = browser.client.head(f"/status{path}", headers={"X-Who": ANN})
    assert answer.status_code == 204
    assert console.kept() == ([], [])
    assert browser.get(path).status_code == 303


def test_too_slow(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten minutes the answer counts no more."""
    browser = console.browser()
    path = browser.at_x(browser.begin())
    now = time.time()
    monkeypatch.setattr(x_sign_in.time, "time", lambda: now + 601)
    refused(console, browser.get(path), "longer than ten minutes")


def test_another_member(console: Console) -> None:
    """In the same browser another member cannot finish what one began."""
    with console.site.app.app_context():
        members.add(
            current_session(), "bob@acme.example", role=Role.OWNER, actor=None, actor_role=None
        )
        current_session().commit()
    browser = console.browser()
    path = browser.at_x(browser.begin())
    browser.who = "bob@acme.example"
    refused(console, browser.get(path), "Somebody else began")


@pytest.mark.parametrize("gone", ["member", "page"])
def test_what_is_gone_when_x_answers(console: Console, gone: str) -> None:
    """Who is no member any more, or whose page is deleted, while X is asked connects nothing; X is told so."""
    console.site.made("/pages", name="Inside", slug="inside")
    browser, answered = console.browser(), console.x.receiver.answer

    def answer(request: Received) -> Answer:
        if request.path.startswith("/2/users/me"):
            path = f"/members/{ANN}" if gone == "member" else "/pages/inside"
            assert console.site.ask("DELETE", path).status_code == 204
        return answered(request)

    console.site.made("/members", identity="bob@acme.example", role="owner")
    path = browser.at_x(browser.begin(status_page="inside"))
    console.x.receiver.answer = answer
    assert browser.get(path).status_code == (403 if gone == "member" else 404)
    assert console.kept() == ([], [])
    assert [r for r in console.x.receiver.requests if r.path == "/2/oauth2/revoke"]


def test_a_race_that_is_lost(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeping the account is tried again: what X has given once it gives no second time."""
    connect, lost = accounts.connect, [Race("another one was first")]

    def connected(*arguments: Any, **options: Any) -> Any:
        done = connect(*arguments, **options)
        if lost:
            raise lost.pop()
        return done

    monkeypatch.setattr(accounts, "connect", connected)
    assert console.browser().sign_in().status_code == 303
    assert [len(rows) for rows in console.kept()] == [1, 1]
    assert not [r for r in console.x.receiver.requests if r.path == "/2/oauth2/revoke"]


def test_an_account_that_cannot_be_kept(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the reason: X is told that nobody has its tokens."""

    def fail(*arguments: Any, **options: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("the disk is full"))

    monkeypatch.setattr(accounts, "connect", fail)
    assert console.browser().sign_in().status_code == 503
    assert console.kept() == ([], [])
    assert [r for r in console.x.receiver.requests if r.path == "/2/oauth2/revoke"]


def test_no_code_and_odd_errors(console: Console) -> None:
    """A missing code and an unknown error are told; what stands in the address is not printed as it is."""
    browser = console.browser()
    path = browser.at_x(browser.begin())
    refused(console, browser.get(re.sub("&?code=[^&]+", "", path)), "X sent no code")
    path = re.sub("&?code=[^&]+", "", browser.at_x(browser.begin()))
    answer = browser.get(path + "&error=%3Cscript%3Ealert(1)")
    refused(console, answer, "X could not sign you in.")
    assert "alert(1)" not in answer.text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=503, body=b"busy"), "X could not answer now (status 503)"),
        (Answer(status=200, body=b"<html>"), "could not be understood"),
        (Answer(status=200, body=b'{"token_type": "bearer"}'), "could not be understood"),
        (Answer(status=302, body=b"", headers={"Location": "https://evil.example"}), "status 302"),
        (
            Answer(status=401, body=b'{"error": "unauthorized_client"}'),
            "does not accept this site&#39;s client ID and secret",
        ),
        (Answer(status=400, body=b'{"error": "invalid_grant"}'), "X refused (invalid_grant)"),
        (
            Answer(
                body=b'{"access_token": "a", "refresh_token": "b", "token_type": "bearer", '
                b'"scope": "tweet.read"}'
            ),
            "other rights",
        ),
    ],
    ids=["503", "html", "no token", "redirect", "client", "grant", "scope"],
)
def test_bad_answers(console: Console, answer: Answer, words: str) -> None:
    """Whatever the token endpoint answers instead of tokens is told in place."""
    console.x.token_answer = answer
    refused(console, console.browser().sign_in(), words, 502)


def test_unreachable(make_console: Callable[..., Console], x: fake.FakeX) -> None:
    """An X that is not there is told in place."""
    console = make_console(x, STATUSPAGE_X_API_URL="http://127.0.0.1:9")
    refused(console, console.browser().sign_in(), "X could not be reached", 502)


def test_no_tokens_in_logs(
    console: Console, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even at the level DEBUG no token, code or secret is logged by anybody."""
    caplog.set_level(logging.DEBUG)
    assert console.browser().sign_in().status_code == 303
    assert console.x.secrets
    for secret in {*console.x.secrets, fake.CLIENT_SECRET}:
        assert secret not in caplog.text


@pytest.mark.parametrize(
    "path", ["/admin/x/connect", "/admin/x/{id}/disconnect", "/admin/x/{id}/test"]
)
def test_without_a_csrf_token(console: Console, path: str) -> None:
    """A form that is not ours does nothing, and the page says what to do."""
    browser = console.browser()
    browser.sign_in()
    before = console.site.contents()
    account = console.kept()[0][0]
    for data in ({}, {"csrf_token": "no"}, {"csrf_token": console.browser().token()}):
        answer = browser.post(path.format(id=account.id), data=data)
        assert answer.status_code == 400
        assert "open for too long" in answer.text
    assert console.site.contents() == before


@pytest.mark.parametrize("csrf", ["before", "after"])
def test_with_protection_of_the_host(
    make_console: Callable[..., Console], x: fake.FakeX, csrf: str
) -> None:
    """A host-wide CSRFProtect lets our forms through, over TLS too, where it looks at the referrer."""
    console = make_console(x, csrf=csrf)
    browser = console.browser()
    page = browser.get("/admin/integrations", base_url="https://localhost")
    assert page.headers["Referrer-Policy"] == "same-origin"
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    headers = {"X-Who": ANN, "Referer": "https://localhost/status/admin/integrations"}
    answer = browser.client.post(
        "/status/admin/x/connect",
        data={"csrf_token": token[1]},
        headers=headers,
        base_url="https://localhost",
    )
    assert answer.status_code == 303


def test_disconnecting(console: Console) -> None:
    """The tokens are gone, the subscription is kept but off; signing in again switches it on as it was."""
    browser = console.browser()
    browser.sign_in()
    account = console.kept()[0][0]
    data = {"csrf_token": browser.token()}
    answer = browser.post(f"/admin/x/{account.id}/disconnect", data=data)
    assert answer.status_code == 303
    assert (
        "Nothing is posted by it any more"
        in browser.get(answer.location.removeprefix("/status")).text
    )
    assert (console.x.access, console.x.refresh) == ({}, {})
    accounts, (subscription,) = console.kept()
    assert accounts == []
    assert (subscription.state, subscription.reason) == ("disabled", "@acme was disconnected.")
    assert console.site.ask("POST", f"/subscriptions/{subscription.id}/enable").status_code == 409
    chosen = {"events": ["incident.created"]}
    assert console.site.ask("PATCH", f"/subscriptions/{subscription.id}", chosen).status_code == 200
    browser.sign_in()
    _, (again,) = console.kept()
    assert (again.id, again.state, again.events) == (
        subscription.id,
        "active",
        ["incident.created"],
    )
    told = [
        (entry.actor, entry.action)
        for entry in console.site.rows(AuditEntry)
        if entry.subject == "account"
    ]
    assert told == [(ANN, "connect"), (ANN, "disconnect"), (ANN, "connect")]


@pytest.mark.parametrize("confidential", [True, False])
def test_disconnecting_while_x_is_away(
    make_console: Callable[..., Console], confidential: bool
) -> None:
    """What X could not be told the page says; here the account is gone all the same."""
    with fake.running(confidential=confidential) as x:
        console = make_console(x)
        browser = console.browser()
        for known in (True, False):
            browser.sign_in()
            account = console.kept()[0][0]
            if not known:
                x.revoke()
            data = {"csrf_token": browser.token()}
            answer = browser.post(f"/admin/x/{account.id}/disconnect", data=data)
            told = browser.get(answer.location.removeprefix("/status")).text
            assert "The account is disconnected." in told
            assert ("X could not be told" in told) is not known
            assert console.kept()[0] == []


def test_test_post(console: Console) -> None:
    """The button writes one test for the subscription; while it is off it is told why not."""
    browser = console.browser()
    browser.sign_in()
    account = console.kept()[0][0]
    data = {"csrf_token": browser.token()}
    answer = browser.post(f"/admin/x/{account.id}/test", data=data)
    assert answer.status_code == 303
    assert "everybody who looks at" in browser.get("/admin/integrations").text
    subscription = console.kept()[1][0]
    assert (
        console.site.ask("POST", f"/subscriptions/{subscription.id}/disable", {}).status_code == 200
    )
    answer = browser.post(f"/admin/x/{account.id}/test", data=data)
    assert answer.status_code == 409
    assert "enable it first" in answer.text


def test_renamed(console: Console) -> None:
    """An account that has another name at X stays one account, and its subscription follows the name."""
    browser = console.browser()
    browser.sign_in()
    console.x.names["1001"] = "Acme_Status"
    browser.sign_in()
    (account,), (subscription,) = console.kept()
    assert (account.name, subscription.address) == ("@acme_status", "@acme_status")


def test_name_taken_over(console: Console) -> None:
    """A name that another account has taken over belongs to that one; the tokens of the first are gone."""
    browser = console.browser()
    browser.sign_in()
    console.x.user, console.x.names["1002"] = "1002", "acme"
    browser.sign_in()
    (account,), (subscription,) = console.kept()
    assert (account.remote_id, subscription.address) == ("1002", "@acme")


def test_deleted_subscription(console: Console) -> None:
    """Nowhere is it deleted while its account is connected: the site would stay authorized at X."""
    browser = console.browser()
    browser.sign_in()
    (account,), (subscription,) = console.kept()
    refused = console.site.ask("DELETE", f"/subscriptions/{subscription.id}")
    assert (refused.status_code, refused.get_json()["detail"]) == (
        409,
        "Disconnect the account instead.",
    )
    before = console.site.contents()
    data = {"csrf_token": browser.token()}
    for area in ("subscribers", "integrations"):
        answer = browser.post(f"/admin/{area}/{subscription.id}/remove", data=data)
        assert (answer.status_code, "Disconnect the account instead." in answer.text) == (409, True)
    assert (console.site.contents(), len(console.x.refresh)) == (before, 1)
    page = f"/admin/subscribers/{subscription.id}"
    assert "Delete the subscription" not in browser.get(page).text
    assert browser.post(f"/admin/x/{account.id}/disconnect", data=data).status_code == 303
    assert (console.x.access, console.x.refresh) == ({}, {})
    assert "Delete the subscription" in browser.get(page).text
    assert (
        browser.post(f"/admin/subscribers/{subscription.id}/remove", data=data).status_code == 303
    )
    assert console.kept() == ([], [])


def test_another_page(console: Console) -> None:
    """Each status page has accounts of its own; the one callback finds the page that was meant."""
    console.site.made("/pages", name="Inside", slug="inside", visibility="link")
    answer = console.browser().sign_in(status_page="inside")
    assert answer.location.endswith("/admin/integrations?status_page=inside&done=connected")
    (account,), (subscription,) = console.kept()
    with console.site.app.app_context():
        inside = pages.get(current_session(), "inside").id
    assert account.page_id == subscription.page_id == inside
    shown = console.browser().get("/admin/integrations?status_page=inside")
    assert "<bdi>@acme</bdi>" in shown.text
    assert "private" in shown.headers["Cache-Control"]
    assert "<bdi>@acme</bdi>" not in console.browser().get("/admin/integrations").text
    assert console.browser().get("/admin/integrations?status_page=none").status_code == 404
    assert console.browser().get("/admin/integrations?status_page=%00").status_code == 404


def test_deleted_page(console: Console) -> None:
    """A page that is deleted takes its accounts with it."""
    console.site.made("/pages", name="Inside", slug="inside")
    console.browser().sign_in(status_page="inside")
    # As if the subscription had been lost by other means.
    subscription = console.kept()[1][0]
    with console.site.app.app_context():
        session = current_session()
        session.delete(session.get(Subscription, subscription.id))
        session.commit()
    assert console.site.ask("DELETE", "/pages/inside").status_code == 204
    assert console.kept() == ([], [])


def test_foreign_account(console: Console) -> None:
    """An account of another page cannot be reached through this one."""
    console.site.made("/pages", name="Inside", slug="inside")
    browser = console.browser()
    browser.sign_in(status_page="inside")
    account = console.kept()[0][0]
    data = {"csrf_token": browser.token()}
    assert browser.post(f"/admin/x/{account.id}/disconnect", data=data).status_code == 404
    assert browser.post("/admin/x/nonsense/test", data=data).status_code == 404
    assert len(console.kept()[0]) == 1


def test_not_set_up(make_console: Callable[..., Console], x: fake.FakeX) -> None:
    """Without a client ID the page says which setting is missing, and has no button."""
    console = make_console(x, STATUSPAGE_X_CLIENT_ID=None)
    page = console.browser().get("/admin/integrations").text
    assert "STATUSPAGE_X_CLIENT_ID is not set" in page
    assert "Sign in with X</button>" not in page


def test_subscribing_without_an_account(console: Console) -> None:
    """Nobody subscribes an account of X that was not connected, and no stranger any."""
    answer = console.site.ask("POST", "/subscriptions", {"channel": "x", "address": "@acme"})
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["field"] == "address"
    assert "Sign in with X first" in error["message"]
    for address in ("acme inc", "@", "@" + "a" * 16, "https://x.com/acme", "@ácme"):
        answer = console.site.ask("POST", "/subscriptions", {"channel": "x", "address": address})
        assert [error["field"] for error in answer.get_json()["errors"]] == ["address"]
