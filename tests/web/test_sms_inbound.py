"""`POST sms/inbound`: only what the gateway signed counts, and it is answered in TwiML."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from flask_statuspage import StatusPage
from flask_statuspage.services import confirmation_codes
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from flask_statuspage.storage.suppressions import Suppression
from tests.servers.sms_gateway import TOKEN, inbound, signed
from tests.web.site import Site, SiteMaker

NUMBER = "+4917123456789"
PUBLIC = "https://status.example.com/base"
URL = f"{PUBLIC}/sms/inbound"
SETTINGS = {
    "STATUSPAGE_PAGE_URL": PUBLIC,
    "STATUSPAGE_SMS_ACCOUNT": "AC1",
    "STATUSPAGE_SMS_TOKEN": TOKEN,
    "STATUSPAGE_SMS_FROM": "+15005550006",
}


@pytest.fixture
def texted(make_site: SiteMaker) -> Site:
    """A site with a gateway."""
    return make_site(**SETTINGS)


def post(site: Site, form: MultiDict[str, str], *, url: str = URL, **options: Any) -> TestResponse:
    """What the gateway posts, signed for *url*."""
    headers = options.pop("headers", None) or signed(url, form)
    return site.post("/sms/inbound", data=form, headers=headers, **options)


def text(site: Site, body: str, *, sid: str = "SM1", number: str = NUMBER, **more: Any) -> str:
    """Text *body* from *number*; returns the message in the answer, "" without one."""
    return said(post(site, inbound(number, body, sid=sid, **more)))


def said(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/xml"
    root = ElementTree.fromstring(answer.data)
    assert root.tag == "Response"
    assert [child.tag for child in root] in ([], ["Message"])
    return "".join(root.itertext())


def member_subscribes(site: Site, **fields: Any) -> TestResponse:
    return site.ask("POST", "/subscriptions", {"channel": "sms", "address": NUMBER, **fields})


def states(site: Site) -> list[SubscriptionState]:
    return [row.state for row in site.rows(Subscription)]


def test_stop_and_start(texted: Site) -> None:
    """STOP ends, START brings back; each is answered with a message."""
    assert member_subscribes(texted).status_code == 201
    assert "no more texts" in text(texted, " stop. ")
    assert states(texted) == [SubscriptionState.ENDED]
    assert "/manage/" in text(texted, "Start", sid="SM2")
    assert states(texted) == [SubscriptionState.ACTIVE]
    assert "/manage/" in text(texted, "help", sid="SM3")


def test_a_gateways_message_is_the_numbers_however_it_is_spelled(texted: Site) -> None:
    """The sender is normalised as a number that is subscribed is."""
    assert member_subscribes(texted, address="+49 171 2345 6789").status_code == 201
    text(texted, "STOP", number="+49 (171) 23456789")
    assert states(texted) == [SubscriptionState.ENDED]


def test_a_member_is_told_that_its_owner_said_stop(texted: Site) -> None:
    """Creating and enabling are 422 and name the address; nothing is written but what the STOP wrote."""
    row = member_subscribes(texted).get_json()
    text(texted, "STOP")
    before = texted.contents()
    words = "Its owner answered STOP; only START from that phone lets texts through again."
    for answer in (
        member_subscribes(texted),
        texted.ask("POST", f"/subscriptions/{row['id']}/enable"),
    ):
        assert answer.status_code == 422
        assert answer.get_json()["errors"] == [{"field": "address", "message": words}]
    assert texted.contents() == before


@pytest.mark.parametrize(
    "body",
    ["", "thanks", "Please don't stop", "<Message>&", "\x00", "STOP STOP", "é" * 1000],
)
def test_other_words_are_not_answered(texted: Site, body: str) -> None:
    """Whatever is no word is met with silence and changes nothing."""
    member_subscribes(texted)
    before = texted.contents()
    assert text(texted, body) == ""
    assert texted.contents() == before


def test_the_code_itself_as_an_answer(texted: Site) -> None:
    """Whoever answers with the code agrees as by typing it; another number of six digits is met with silence."""
    sign_up = {"channel": "sms", "address": NUMBER}
    assert texted.post("/subscribe", json=sign_up).status_code == 202
    (row,) = texted.rows(Subscription)
    with texted.app.app_context():
        code = confirmation_codes.code_of(row)
    assert text(texted, f"{(int(code) + 1) % 10**6:06}", sid="SM1") == ""
    assert text(texted, code, sid="SM2", number="+4917198765432") == ""
    assert states(texted) == [SubscriptionState.PENDING]
    assert "/manage/" in text(texted, f" {code[:3]}-{code[3:]}. ", sid="SM3")
    assert states(texted) == [SubscriptionState.ACTIVE]
    text(texted, "STOP", sid="SM4")
    texted.post("/subscribe", json=sign_up)
    (row,) = texted.rows(Subscription)
    with texted.app.app_context():
        code = confirmation_codes.code_of(row)
    assert text(texted, code, sid="SM5") == ""
    assert states(texted) == [SubscriptionState.PENDING]


@pytest.mark.parametrize(("told", "state"), [("STOP", "ended"), ("START", "active")])
def test_what_the_gateway_answered_itself_is_not_answered_twice(
    texted: Site, told: str, state: str
) -> None:
    """With OptOutType the gateway knew the word, in its owner's language: it is obeyed, and nothing is answered."""
    member_subscribes(texted)
    if told == "START":
        text(texted, "STOP")
    assert text(texted, "ARRET", sid="SM2", OptOutType=told) == ""
    assert states(texted) == [SubscriptionState(state)]


@pytest.mark.parametrize(
    "form",
    [
        inbound(NUMBER, "STOP"),
        inbound(NUMBER, ""),
        inbound(NUMBER, "STOP", Extra=["b", "a", "b"], Empty=["", ""]),
        inbound(NUMBER, "Zürich ☂ +&=%20"),
        inbound(NUMBER, "STOP", zed="1", Alpha="2", alpha="3"),
        MultiDict(),
    ],
)
def test_twilios_own_signature_is_taken(texted: Site, form: MultiDict[str, str]) -> None:
    """What Twilio's library signs and accepts is accepted: several values, empty ones, any characters."""
    headers = signed(URL, form)
    assert RequestValidator(TOKEN).validate(URL, form, headers["X-Twilio-Signature"])
    assert post(texted, form, headers=headers).status_code == 200


def signatures(form: MultiDict[str, str]) -> list[dict[str, str]]:
    """Headers that must not be taken."""
    good = signed(URL, form)["X-Twilio-Signature"]
    other = MultiDict(form)
    other["Body"] = "START"
    return [
        {},
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": good[:-2] + "A="},
        {"X-Twilio-Signature": good.lower()},
        {"X-Twilio-Signature": "\xe9"},
        signed(URL, form, token="another"),
        signed(URL, form, token=""),
        signed(URL, other),
        signed(f"{URL}?x=1", form),
        signed("https://evil.example/base/sms/inbound", form),
        signed("http://localhost/status/sms/inbound", form),
    ]


@pytest.mark.parametrize("number", range(11))
def test_what_is_not_signed_changes_nothing(texted: Site, number: int) -> None:
    """Without the gateway's signature for this URL and this form: 403, and no row is touched."""
    member_subscribes(texted)
    before = texted.contents()
    form = inbound(NUMBER, "STOP")
    headers = signatures(form)[number]
    answer = texted.post("/sms/inbound", data=form, headers=headers)
    assert answer.status_code == 403
    assert texted.contents() == before


def test_the_host_header_says_nothing(texted: Site) -> None:
    """A signature for the URL that a forged Host makes is none; the public URL counts whatever the Host is."""
    form = inbound(NUMBER, "STOP")
    forged = signed("https://evil.example/status/sms/inbound", form)
    options: dict[str, Any] = {"base_url": "https://evil.example"}
    assert post(texted, form, headers=forged, **options).status_code == 403
    assert post(texted, form, **options).status_code == 200


@pytest.mark.parametrize(
    ("page_url", "signed_url"),
    [
        ("https://a.example/s", "https://a.example/s/sms/inbound"),
        ("https://a.example/s", "https://a.example:443/s/sms/inbound"),
        ("https://a.example:443/s", "https://a.example/s/sms/inbound"),
        ("https://a.example:8443/s", "https://a.example:8443/s/sms/inbound"),
        ("https://a.example:8443/s", "https://a.example/s/sms/inbound"),
        ("http://a.example", "http://a.example:80/sms/inbound"),
    ],
)
def test_a_port_may_be_signed_or_not(make_site: SiteMaker, page_url: str, signed_url: str) -> None:
    """Twilio signs the URL with its port or without; its own validator takes both, and so do we."""
    site = make_site(**{**SETTINGS, "STATUSPAGE_PAGE_URL": page_url})
    form = inbound(NUMBER, "STOP")
    headers = signed(signed_url, form)
    signature = headers["X-Twilio-Signature"]
    assert RequestValidator(TOKEN).validate(f"{page_url}/sms/inbound", form, signature)
    assert post(site, form, headers=headers).status_code == 200


def test_a_query_is_signed_too(texted: Site) -> None:
    """Where the gateway was given a URL with a query, the query is part of what is signed."""
    form = inbound(NUMBER, "STOP")
    headers = signed(f"{URL}?line=2&x=%20", form)
    answer = texted.post("/sms/inbound?line=2&x=%20", data=form, headers=headers)
    assert answer.status_code == 200


def test_without_a_gateway_there_is_nothing_here(make_site: SiteMaker) -> None:
    """404, signed or not."""
    site = make_site(STATUSPAGE_PAGE_URL=PUBLIC)
    form = inbound(NUMBER, "STOP")
    for headers in (signed(URL, form, token=""), {}):
        assert site.post("/sms/inbound", data=form, headers=headers).status_code == 404
    assert site.rows(Suppression) == []


def test_a_registered_sender_with_a_token_takes_answers(make_site: SiteMaker) -> None:
    """Whoever sends by a function of their own sets the token, and STOP counts."""
    page = StatusPage()
    page.sms_sender(lambda number, text: None)
    site = make_site(statuspage=page, STATUSPAGE_PAGE_URL=PUBLIC, STATUSPAGE_SMS_TOKEN=TOKEN)
    assert "no more texts" in text(site, "STOP")
    assert len(site.rows(Suppression)) == 1


@pytest.mark.parametrize("csrf", ["before", "after"])
def test_a_hosts_csrf_protection_does_not_stand_before_it(make_site: SiteMaker, csrf: str) -> None:
    """The gateway has no token of a form, whichever way the host protects its own."""
    site = make_site(**SETTINGS, csrf=csrf)
    assert "no more texts" in text(site, "STOP")


@pytest.mark.parametrize(
    "number", ["", "12345", "whatsapp:+4917123456789x", "Acme", "+1", "\x00", "+49171" + "9" * 99]
)
def test_a_sender_that_is_no_number(texted: Site, number: str) -> None:
    """Short codes and names cannot be subscribed, so they have nothing to stop."""
    assert text(texted, "STOP", number=number) == ""
    assert texted.rows(Suppression) == []


def test_the_same_message_twice(texted: Site) -> None:
    """The gateway repeats what it had no answer to: nothing is done or answered a second time."""
    member_subscribes(texted)
    assert text(texted, "STOP", sid="SM1") != ""
    text(texted, "START", sid="SM2")
    before = texted.contents()
    assert text(texted, "STOP", sid="SM1") == ""
    assert texted.contents() == before


def test_answers_are_escaped(texted: Site) -> None:
    """A page's name may have any character; the answer stays XML with that name in it."""
    page = texted.ask("GET", "/pages").get_json()["items"][0]
    name = "A<b>&\"'☂ ]]>"
    with texted.app.app_context():
        row = texted.db.session.get(Page, UUID(page["id"]))
        assert row is not None
        row.name = f"{name}\x01\ud7ff"  # what no XML can hold is left out
        texted.db.session.commit()
    assert text(texted, "HELP").startswith(f"{name}\ud7ff: ")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_nothing_but_post(texted: Site, method: str) -> None:
    """A scanner that follows links reaches nothing."""
    answer = texted.client.open(f"{texted.prefix}/sms/inbound", method=method)
    assert answer.status_code == 405


def test_bodies_that_are_no_form(texted: Site) -> None:
    """JSON, multipart, rubbish and what is far too large are refused without an effect."""
    before = texted.contents()
    empty = signed(URL, MultiDict())
    for options in (
        {"json": {"From": NUMBER, "Body": "STOP"}},
        {"data": b"\xff\xfe%%%", "content_type": "application/x-www-form-urlencoded"},
        {"data": b"x" * 3_000_000, "content_type": "application/x-www-form-urlencoded"},
    ):
        answer = texted.post("/sms/inbound", headers=empty, **options)
        assert answer.status_code in (200, 403, 413)
        if answer.status_code == 200:
            assert said(answer) == ""
    assert texted.contents() == before
