"""Signing up a number: the form for the code, what programs get, and that neither tells who is subscribed."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from flask_statuspage.delivery import links
from flask_statuspage.services import confirmation_codes
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.signups import SignupAttempt
from flask_statuspage.storage.subscriptions import Subscription
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
NUMBER, OTHER = "+4917123456789", "+4917198765432"
PUBLIC = "https://status.example.com"
SETTINGS = {
    "STATUSPAGE_PAGE_URL": PUBLIC,
    "STATUSPAGE_SMS_ACCOUNT": "AC1",
    "STATUSPAGE_SMS_TOKEN": "a token",
    "STATUSPAGE_SMS_FROM": "+15005550006",
}


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site(**SETTINGS)


def sign_up(site: Site, number: str = NUMBER, **options: Any) -> TestResponse:
    """By the page's form, as a browser sends it."""
    data = {"channel": "sms", "address": number, "scope": "all"}
    return site.post("/subscribe", data=data, headers=HTML, **options)


def code(site: Site, number: str = NUMBER) -> str:
    """The code that was texted to *number*."""
    (row,) = [row for row in site.rows(Subscription) if row.address == number]
    with site.app.app_context():
        return confirmation_codes.code_of(row)


def other_than(right: str) -> str:
    return f"{(int(right) + 1) % 10**6:06}"


def questions(site: Site) -> list[dict[str, Any]]:
    return [row.data for row in site.rows(EventRow) if row.name == "subscription.confirmation"]


def state(site: Site, number: str = NUMBER) -> str:
    (row,) = [row for row in site.rows(Subscription) if row.address == number]
    return str(row.state.value)


def test_a_visitor_types_the_code(site: Site) -> None:
    """Form, redirect to the form for the code, code, redirect to the page where one chooses."""
    answer = sign_up(site)
    assert answer.status_code == 303
    assert re.fullmatch(r"/status/confirm/[\w.-]+", answer.location)
    assert "no-store" in answer.headers["Cache-Control"]
    shown = site.client.get(answer.location)
    assert shown.status_code == 200
    assert 'inputmode="numeric"' in shown.text
    assert 'autocomplete="one-time-code"' in shown.text
    assert NUMBER not in shown.text
    assert state(site) == "pending"
    right = code(site)
    done = site.client.post(answer.location, data={"code": f" {right[:3]} {right[3:]} "})
    assert done.status_code == 303
    assert "/status/manage/" in done.location
    assert state(site) == "active"
    manage = site.client.get(done.location)
    assert manage.status_code == 200
    assert NUMBER in manage.text


def test_a_wrong_code_stays_in_place(site: Site) -> None:
    """422 with the form, what was typed and the error at its field; programs get the field's name."""
    location = sign_up(site).location
    wrong = other_than(code(site))
    answer = site.client.post(location, data={"code": wrong})
    assert answer.status_code == 422
    assert f'value="{wrong}"' in answer.text
    assert 'id="sp-code-problem"' in answer.text
    assert 'href="#sp-code"' in answer.text
    told = site.client.post(location, json={"code": wrong})
    assert told.status_code == 422
    assert [error["field"] for error in told.get_json()["errors"]] == ["code"]
    assert state(site) == "pending"


@pytest.mark.parametrize(
    "typed", ["", " ", "12345", "1234567", "abcdef", "12345\x00", "١٢٣٤٥٦", "<b>'\"", "1" * 5000]
)
def test_what_is_no_code_does_not_count(site: Site, typed: str) -> None:
    """A slip of the finger is told as such and is no guess, so the right code still counts after many."""
    location = sign_up(site).location
    for _ in range(7):
        answer = site.client.post(location, data={"code": typed}, headers=HTML)
        assert answer.status_code == 422
        assert "<b>'" not in answer.text
    assert site.client.post(location, data={"code": code(site)}).status_code == 303


@pytest.mark.parametrize("body", [{}, {"code": None}, {"code": 123456}, {"code": ["1"]}, [], "x"])
def test_json_that_has_no_code(site: Site, body: Any) -> None:
    """JSON of any other shape is refused as such."""
    location = sign_up(site).location
    answer = site.client.post(location, json=body)
    assert answer.status_code in (400, 422)
    assert state(site) == "pending"


def test_too_many_guesses(site: Site) -> None:
    """The sixth is 429 with Retry-After, in the form and for programs, also with the right code."""
    location = sign_up(site).location
    right = code(site)
    for _ in range(5):
        wrong = site.client.post(location, data={"code": other_than(right)})
        assert wrong.status_code == 422
    answer = site.client.post(location, data={"code": right})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "3600"
    assert "Too many wrong codes" in answer.text
    told = site.client.post(location, json={"code": right})
    assert told.status_code == 429
    assert state(site) == "pending"


def test_programs_get_the_forms_address(site: Site) -> None:
    """202 with the URL that the code is posted to, public and whole; 200 with the one that changes."""
    answer = site.post("/subscribe", json={"channel": "sms", "address": "+49 171 2345 6789"})
    assert answer.status_code == 202
    body = answer.get_json()
    assert (body["success"], body["channel"], body["state"]) == (True, "sms", "pending")
    assert body["confirm_url"].startswith(f"{PUBLIC}/confirm/")
    path = body["confirm_url"].removeprefix(PUBLIC)
    done = site.post(path, json={"code": code(site)})
    assert done.status_code == 200
    assert done.get_json()["state"] == "active"
    manage = done.get_json()["manage_url"].removeprefix(PUBLIC)
    assert site.get(manage).status_code == 200


def test_nothing_tells_who_is_subscribed(site: Site) -> None:
    """Sign-up, form and wrong codes are alike for a new number, a pending, an active and a silent one."""
    assert (
        site.ask("POST", "/subscriptions", {"channel": "sms", "address": NUMBER}).status_code == 201
    )
    seen = set()
    for number in (NUMBER, OTHER, OTHER):
        answer = sign_up(site, number)
        claims = re.sub(r"/confirm/\S+", "/confirm/", answer.location)
        shown = site.client.get(answer.location)
        token = answer.location.rpartition("/")[2]
        texts = [shown.text.replace(token, "")]
        right = {data.get("code") for data in questions(site)}
        wrong = next(f"{n:06}" for n in range(10) if f"{n:06}" not in right)
        for _ in range(2):
            texts.append(
                site.client.post(answer.location, data={"code": wrong}).text.replace(token, "")
            )
        program = site.post("/subscribe", json={"channel": "sms", "address": number})
        body = {**program.get_json(), "confirm_url": ""}
        seen.add((answer.status_code, claims, *texts, str(body)))
    assert len(seen) == 1


def test_a_confirm_link_of_mail_is_still_one(site: Site) -> None:
    """The same path takes both kinds of links, and neither opens the other."""
    sign_up(site)
    (question,) = questions(site)
    path = question["confirm_url"].removeprefix(PUBLIC)
    assert site.get(path).status_code == 200
    assert "Confirm your subscription" in site.get(path).text
    assert site.post(path).status_code == 303
    assert state(site) == "active"


def test_scanners_change_nothing(site: Site) -> None:
    """GET and HEAD of the form count no guess and begin nothing."""
    location = sign_up(site).location
    before = site.contents()
    for _ in range(10):
        assert site.client.get(f"{location}?code={code(site)}").status_code == 200
        assert site.client.head(location).status_code == 200
    assert site.contents() == before


@pytest.mark.parametrize("kind", ["altered", "invented", "expired", "no page"])
def test_links_that_cannot_be_used(site: Site, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Altered and invented ones are 404, one older than a sign-up 410."""
    location = sign_up(site).location
    if kind == "altered":
        location = location[:-3] + ("AAA" if location[-3:] != "AAA" else "BBB")
    if kind == "invented":
        location = "/status/confirm/abc.def.ghi"
    if kind == "expired":
        monkeypatch.setattr(links, "CONFIRM_SECONDS", -1)
    if kind == "no page":
        from flask_statuspage.domain.ids import new_id

        with site.app.app_context():
            token = links.make_claim(links.Claim(new_id(), "sms", "0" * 64))
        location = f"/status/confirm/{token}"
    wanted = 410 if kind == "expired" else 404
    for answer in (
        site.client.get(location),
        site.client.post(location, data={"code": "123456"}),
        site.client.post(location, json={"code": "123456"}),
    ):
        assert answer.status_code == wanted


def test_a_number_of_a_second_page(site: Site) -> None:
    """The claim is of the page that it was made on: one code begins one subscription."""
    site.made("/pages", name="Second", slug="second")
    data = {"channel": "sms", "address": NUMBER, "scope": "all"}
    location = site.post("/second/subscribe", data=data, headers=HTML).location
    assert location.startswith("/status/second/confirm/")
    done = site.client.post(location, data={"code": code(site)})
    assert done.status_code == 303
    assert "/status/second/manage/" in done.location


@pytest.mark.parametrize(
    "number", ["", "0171 23456789", "+49 171", "nobody", "+1 200 555 0199", "\x00", "+\ud800"]
)
def test_a_number_that_is_none(site: Site, number: str) -> None:
    """422 that names the address, in the form with what was typed and for programs; nothing is written."""
    site.get("/")
    before = site.contents()
    answer = site.post("/subscribe", json={"channel": "sms", "address": number})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.get_json()["errors"]} == {"address"}
    if "\ud800" not in number:
        assert sign_up(site, number).status_code == 422
    assert site.contents() == before


def test_a_channel_that_is_not_set_up(make_site: SiteMaker) -> None:
    """Without a gateway it is not offered, and asking for it names the channel."""
    site = make_site()
    assert 'value="sms"' not in site.get("/subscribe", headers=HTML).text
    answer = site.post("/subscribe", json={"channel": "sms", "address": NUMBER})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == ["channel"]


def test_a_thousand_sign_ups_from_one_address(site: Site) -> None:
    """Twenty an hour are taken from one network; the others are 429, and nothing is texted for them."""
    statuses = []
    for number in range(1000):
        body = {"channel": "sms", "address": f"+4917{number:04}45678"}
        statuses.append(site.post("/subscribe", json=body).status_code)
    assert statuses.count(202) == 20
    assert statuses.count(429) == 980
    assert len(questions(site)) == 20


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
def test_sign_ups_at_once_are_counted(migrated_site: SiteMaker, database_url: str) -> None:
    """Many at the same moment from one network are no more than one after the other, on every database."""
    site = migrated_site(database_url)
    numbers = [f"+4917{number:04}45678" for number in range(32)]

    def one(number: str) -> int:
        client = site.app.test_client()
        body = {"channel": "email", "address": f"{number[1:]}@example.com"}
        return client.post("/status/subscribe", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(one, numbers))
    assert statuses.count(202) == 20, statuses
    assert set(statuses) <= {202, 429}


def test_one_number_is_not_texted_for_each_sign_up(make_site: SiteMaker) -> None:
    """However many networks ask, a number gets one text in twenty minutes."""
    site = make_site(**SETTINGS)
    for number in range(50):
        environ = {"REMOTE_ADDR": f"192.0.2.{number}"}
        answer = sign_up(site, environ_overrides=environ)
        assert answer.status_code == 303
    assert len(questions(site)) == 1
    assert len(site.rows(SignupAttempt)) == 100
