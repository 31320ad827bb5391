"""Every form of the console, as it stands on its pages: it is reached, has a token, and does nothing without it."""

from __future__ import annotations

import time

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from tests.console.crawl import Whole, send, unreached
from tests.console.knowing import POSTS, accepted, needed
from tests.console.member import Member

LATE = 3600 + 60
"""Seconds after which no token counts any more, and a minute."""


def test_every_route_is_come_to(whole: Whole) -> None:
    """To every route of the desk a link or a form leads."""
    assert unreached(whole.site, whole.found) == []


def test_every_form_has_a_token(whole: Whole) -> None:
    """No form of any page posts without one, and no link carries one."""
    assert [form.action for form in whole.found.posting if "csrf_token" not in form.names] == []
    got = [form.page for form in whole.found.forms if form.method == "GET"]
    assert got
    bare = [f for f in whole.found.forms if f.method == "GET" and "csrf_token" in f.names]
    assert bare == []


def token(browser: Member, *, age: int) -> str:
    """The token that this browser was given *age* seconds ago."""

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time()) - age

    browser.token()
    with browser.client.session_transaction() as session:
        raw = session["csrf_token"]
    config = browser.site.app.config
    key = config.get("WTF_CSRF_SECRET_KEY", config["SECRET_KEY"])
    return str(URLSafeTimedSerializer(key, salt="wtf-csrf-token", signer=Signer).dumps(raw))


@pytest.mark.parametrize("endpoint", POSTS)
def test_without_its_token_a_form_does_nothing(whole: Whole, endpoint: str) -> None:
    """Without a token, with that of another session and with one of long ago: 400, and nothing is changed."""
    whole.restore()
    form = whole.forms(endpoint)[0]
    owner, elsewhere = Member(whole.site, form.who), Member(whole.site, form.who)
    typed = needed(whole, form)
    owner.token()
    before = whole.site.contents()
    for wrong in (None, elsewhere.token(), token(owner, age=LATE)):
        answer = send(owner, form, {**typed, "csrf_token": wrong})
        assert answer.status_code == 400, (wrong, answer.text)
        assert whole.site.contents() == before, wrong


@pytest.mark.parametrize("endpoint", POSTS)
def test_with_its_token_a_form_does_something(whole: Whole, endpoint: str) -> None:
    """The same form, with the same values and its own token, is accepted: so the token it was that was refused."""
    accepted(whole, endpoint)


def test_age_alone_makes_a_token_late(whole: Whole) -> None:
    """One that is made the same way and is not old counts."""
    whole.restore()
    form = whole.forms("group_new")[0]
    owner = Member(whole.site, form.who)
    assert send(owner, form, {"csrf_token": token(owner, age=60)}).status_code == 303
