"""Sign up, confirm, change, end: what visitors, programs, mail scanners and other sites can and cannot do."""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, session

from flask_statuspage.delivery import links
from flask_statuspage.services import subscriptions
from flask_statuspage.storage import subscriptions as stored
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOOK = "https://1.1.1.1/hook"
ANN = "ann@example.com"


def only(site: Site) -> Subscription:
    """The one subscription there is."""
    (row,) = site.rows(Subscription)
    return row


def pending(site: Site, **fields: Any) -> Subscription:
    """Ann's sign-up, not confirmed yet."""
    answer = site.post("/subscribe", json={"channel": "email", "address": ANN, **fields})
    assert answer.status_code == 202, answer.text
    return only(site)


def active(site: Site) -> Subscription:
    """Ann's subscription, confirmed."""
    token = site.token(links.CONFIRM, pending(site))
    assert site.post(f"/confirm/{token}").status_code == 303
    return only(site)


def errors(answer: Any) -> dict[str, str]:
    return {error["field"]: error["message"] for error in answer.get_json()["errors"]}


# Programs


def test_the_published_request(site: Site) -> None:
    """FacioTech's documented POST makes an active native webhook and answers JSON without a cookie or token."""
    answer = site.client.post(
        "/status/?action=subscribe",
        data=f"type=webhook&url={HOOK}",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 201
    assert answer.get_json()["success"] is True
    assert answer.get_json()["state"] == "active"
    assert "Set-Cookie" not in answer.headers
    row = only(site)
    assert (row.channel, row.address, row.format) == ("webhook", HOOK, "native")
    assert row.state.value == "active"


def test_the_published_request_to_another_page(site: Site) -> None:
    """The same POST below a page's slug subscribes to that page."""
    page = site.made("/pages", name="Second", slug="second")
    answer = site.post("/second?action=subscribe", data={"type": "webhook", "url": HOOK})
    if answer.status_code == 308:  # the address without its slash
        answer = site.post("/second/?action=subscribe", data={"type": "webhook", "url": HOOK})
    assert answer.status_code == 201
    assert str(only(site).page_id) == page["id"]


def test_secret_is_kept_encrypted_and_never_told(site: Site) -> None:
    """A secret that was sent signs later; it is in no answer and not readable in the database."""
    secret = "a very secret secret"
    answer = site.post(
        "/?action=subscribe", data={"type": "webhook", "url": HOOK, "secret": secret}
    )
    assert answer.status_code == 201
    assert secret not in answer.text
    with site.app.app_context():
        assert site.db.session.query(Subscription).one().secret == secret
    assert secret not in str(site.contents())
    assert secret not in site.ask("GET", "/subscriptions").text


@pytest.mark.parametrize("kind", ["json", "data"])
def test_json_and_form_say_the_same(site: Site, kind: str) -> None:
    """JSON and form sign-ups at /subscribe take the same fields and answer programs alike."""
    site.made("/components", name="API")
    fields = {
        "channel": "webhook",
        "address": HOOK,
        "components": ["api"],
        "events": ["incident.created", "incident.resolved"],
    }
    answer = site.post("/subscribe", **{kind: fields})
    assert answer.status_code == 201
    assert answer.get_json()["channel"] == "webhook"
    row = only(site)
    assert row.events == ["incident.created", "incident.resolved"]
    described = site.ask("GET", "/subscriptions").get_json()["items"][0]
    assert len(described["components"]) == 1


def test_lists_in_one_form_field(site: Site) -> None:
    """A form may name several components in one field with commas between them."""
    site.made("/components", name="API")
    site.made("/components", name="Web")
    data = {"type": "webhook", "url": HOOK, "components": "api, web"}
    assert site.post("/subscribe", data=data).status_code == 201
    assert len(site.ask("GET", "/subscriptions").get_json()["items"][0]["components"]) == 2


def test_the_answer_does_not_tell_who_is_subscribed(site: Site) -> None:
    """Whoever types an address gets the same answer whether it is new, pending or subscribed, and changes nothing."""
    site.made("/components", name="API")
    fresh = site.post("/subscribe", json={"channel": "email", "address": "new@example.com"})
    active_row = next(row for row in [*site.rows(Subscription)] if row.address == "new@example.com")
    again = site.post("/subscribe", json={"channel": "email", "address": "new@example.com"})
    token = site.token(links.CONFIRM, active_row)
    confirmed = site.post(f"/confirm/{token}")
    assert confirmed.status_code == 303
    before = site.contents()["statuspage_subscription_component"]
    known = site.post(
        "/subscribe",
        json={"channel": "email", "address": "new@example.com", "components": ["api"]},
    )
    answers = [(answer.status_code, answer.data) for answer in (fresh, again, known)]
    assert len(set(answers)) == 1
    assert site.contents()["statuspage_subscription_component"] == before
    assert only(site).state.value == "active"


PRIVATE = [
    "https://127.0.0.1/hook",
    "https://10.0.0.1/hook",
    "https://[::1]/hook",
    "https://localhost/hook",
    "https://169.254.169.254/latest/meta-data",
]
BAD_URLS = [
    "nonsense",
    "http://1.1.1.1/hook",
    "ftp://1.1.1.1/hook",
    "https://user:password@1.1.1.1/hook",
    "https://1.1.1.1:8080/hook",
    "https://1.1.1.1/hook#fragment",
    "https://",
    "javascript:alert(1)",
    "https://1.1.1.1/" + "x" * 5000,
    "https://1.1.1.1/\x00",
    "https://1.1.1.1/\r\nX-Header: y",
]


@pytest.mark.parametrize("url", PRIVATE + BAD_URLS)
def test_an_address_that_cannot_be_used(make_site: SiteMaker, url: str) -> None:
    """A bad or private URL is 422 and names the address, in JSON and as FacioTech's form; nothing is written."""
    site = make_site()
    site.get("/")
    before = site.contents()
    for answer in (
        site.post("/subscribe", json={"channel": "webhook", "address": url}),
        site.post("/?action=subscribe", data={"type": "webhook", "url": url}),
    ):
        assert answer.status_code == 422
        assert answer.mimetype == "application/problem+json"
        assert set(errors(answer)) <= {"address", "url"}
        assert "resolve" not in answer.text.lower()
    assert site.contents() == before


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, {"channel", "address"}),
        ({"channel": "webhook"}, {"address"}),
        ({"address": HOOK}, {"channel"}),
        ({"channel": "pigeon", "address": "roof"}, {"channel"}),
        ({"channel": "email", "address": "not an address"}, {"address"}),
        ({"channel": "email", "address": "a@b@c"}, {"address"}),
        ({"channel": "email", "address": "x" * 300 + "@example.com"}, {"address"}),
        ({"channel": "email", "address": "ann@example.com\r\nBcc: bob@example.com"}, {"address"}),
        ({"channel": "webhook", "address": HOOK, "components": ["nope"]}, {"components"}),
        ({"channel": "webhook", "address": HOOK, "components": "api"}, {"components"}),
        ({"channel": "webhook", "address": HOOK, "components": [1]}, {"components"}),
        ({"channel": "webhook", "address": HOOK, "components": {"a": 1}}, {"components"}),
        ({"channel": "webhook", "address": HOOK, "components": ["\x00"]}, {"components"}),
        ({"channel": "webhook", "address": HOOK, "components": ["\ud800"]}, {"components"}),
        ({"channel": "webhook", "address": HOOK, "components": ["x"] * 70_000}, {"components"}),
        ({"channel": "webhook", "address": HOOK, "events": ["no.such"]}, {"events"}),
        ({"channel": "webhook", "address": HOOK, "events": [[]]}, {"events"}),
        ({"channel": "webhook", "address": HOOK, "format": "xml"}, {"format"}),
        ({"channel": "webhook", "address": HOOK, "format": "email"}, {"format"}),
        ({"channel": "webhook", "address": HOOK, "secret": "x" * 201}, {"secret"}),
        ({"channel": "webhook", "address": HOOK, "secret": "\ud800"}, {"secret"}),
        ({"channel": "webhook", "address": HOOK, "secret": "\x00"}, {"secret"}),
        ({"channel": "webhook", "address": HOOK, "secret": ["x"]}, {"secret"}),
        ({"channel": ["webhook"], "address": 5}, {"channel", "address"}),
        ({"channel": "email", "address": "a\ud800@example.com"}, {"address"}),
        ({"channel": "email", "address": "a\x00@example.com"}, {"address"}),
        (
            {"channel": "webhook", "address": "bad", "format": "xml", "secret": "x" * 300},
            {"address", "format", "secret"},
        ),
    ],
    ids=lambda value: str(sorted(value))[:40],
)
def test_every_wrong_field_is_named(site: Site, fields: dict[str, Any], named: set[str]) -> None:
    """Bad input is 422 with each wrong field by its name, and leaves no row."""
    before = site.contents()
    answer = site.post("/subscribe", json=fields)
    assert answer.status_code == 422, answer.text
    assert set(errors(answer)) == named
    assert site.contents() == before


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"", "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"channel": "\xff"}', "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b'{"a":' * 50_000, "application/json", 400),
        (b"channel=webhook", "text/plain", 422),
        (b"<subscribe/>", "application/xml", 422),
        (b"channel=webhook", "multipart/form-data", 422),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x", 422),
        (b"channel=%ff%fe&address=%ff", "application/x-www-form-urlencoded", 422),
        (b"type=webhook&url=%00", "application/x-www-form-urlencoded", 422),
        (
            b'{"channel": "webhook", "address": "https://1.1.1.1/' + b"x" * 1_000_000 + b'"}',
            "application/json",
            422,
        ),
        (b"", "", 422),
    ],
)
def test_unreadable_bodies(site: Site, body: bytes, content_type: str, status: int) -> None:
    """Bodies that are not what they say, or far too big, are refused with problem details and leave no row."""
    before = site.contents()
    for path in ("/subscribe", "/?action=subscribe"):
        answer = site.post(path, data=body, content_type=content_type)
        assert answer.status_code == status, answer.text[:300]
        assert answer.mimetype == "application/problem+json"
        assert answer.get_json()["detail"]
    assert site.contents() == before


def test_a_form_of_a_megabyte(site: Site) -> None:
    """A form of a megabyte is refused, whatever limit the host's Flask has."""
    before = site.contents()
    body = b"type=webhook&url=https://1.1.1.1/" + b"x" * 1_000_000
    answer = site.post("/subscribe", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (413, 422)
    assert site.contents() == before


def test_post_without_the_action(site: Site) -> None:
    """A POST to the page itself without ?action=subscribe is 422 and says what is missing."""
    for path in ("/", "/?action=unsubscribe"):
        answer = site.post(path, data={"type": "webhook", "url": HOOK})
        assert answer.status_code == 422
        assert "action" in answer.text
    assert site.rows(Subscription) == []


@pytest.mark.parametrize("kind", ["json", "data"])
def test_too_many_sign_ups(make_site: SiteMaker, kind: str) -> None:
    """Beyond the limit of an hour a network address gets 429 with Retry-After; another address goes on."""
    site = make_site(STATUSPAGE_SIGNUPS_PER_HOUR=2)

    def sign_up(number: int, **options: Any) -> Any:
        body = {"channel": "webhook", "address": f"{HOOK}/{number}"}
        return site.post("/subscribe", **{kind: body}, **options)

    assert [sign_up(number).status_code for number in range(2)] == [201, 201]
    refused = sign_up(2)
    assert refused.status_code == 429
    assert refused.mimetype == "application/problem+json"
    assert int(refused.headers["Retry-After"]) > 0
    page = sign_up(2, headers=HTML) if kind == "data" else refused
    assert page.status_code == 429
    assert page.headers["Retry-After"]
    if kind == "data":
        assert "Too many sign-ups" in page.text
        assert f'value="{HOOK}/2"' in page.text
    assert len(site.rows(Subscription)) == 2
    elsewhere = sign_up(3, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 201


def test_the_origin_is_not_kept_in_clear(site: Site) -> None:
    """The network address of a visitor is nowhere in the database."""
    body = {"channel": "webhook", "address": HOOK}
    site.post("/subscribe", json=body, environ_base={"REMOTE_ADDR": "192.0.2.77"})
    assert "192.0.2.77" not in str(site.contents())


@pytest.mark.parametrize(
    ("signup", "status", "state"), [("approval", 201, "pending"), ("closed", 422, None)]
)
def test_webhook_sign_up_can_be_limited(
    make_site: SiteMaker, signup: str, status: int, state: str | None
) -> None:
    """With 'approval' a webhook waits for a member, with 'closed' it is refused and not offered."""
    site = make_site(STATUSPAGE_WEBHOOK_SIGNUP=signup)
    answer = site.post("/?action=subscribe", data={"type": "webhook", "url": HOOK})
    assert answer.status_code == status
    if state is None:
        assert set(errors(answer)) == {"channel"}
        assert 'value="webhook"' not in site.get("/subscribe").text
    else:
        assert answer.get_json()["state"] == state
        assert only(site).state.value == state
        html = site.post("/subscribe", data={"channel": "webhook", "address": HOOK}, headers=HTML)
        assert "approved" in html.text


def test_without_mail_there_is_no_email_channel(make_site: SiteMaker) -> None:
    """Without a mail server the form does not offer email, and a sign-up by email names the channel."""
    site = make_site(STATUSPAGE_SMTP_URL=None)
    assert 'type="email"' not in site.get("/subscribe").text
    answer = site.post("/subscribe", json={"channel": "email", "address": ANN})
    assert answer.status_code == 422
    assert set(errors(answer)) == {"channel"}


# People


def test_form_and_its_answer(site: Site) -> None:
    """A person fills in the form and is told to look into the inbox; the answer is a page that nobody caches."""
    site.made("/components", name="API")
    form = site.get("/subscribe", headers=HTML)
    assert form.headers["Cache-Control"] == "no-store"
    assert 'name="components" value="api"' in form.text
    answer = site.post(
        "/subscribe",
        data={"channel": "email", "address": ANN, "scope": "some", "components": "api"},
        headers=HTML,
    )
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert "Check your inbox" in answer.text
    assert only(site).state.value == "pending"


def test_mistakes_in_the_form(site: Site) -> None:
    """A wrong form comes back with what was typed, each mistake by its field, and without the secret."""
    site.made("/components", name="API")
    typed = {
        "channel": "webhook",
        "address": "http://<b>bad",
        "secret": "hush hush hush hush",
        "scope": "some",
        "components": "api",
    }
    answer = site.post("/subscribe", data=typed, headers=HTML)
    assert answer.status_code == 422
    assert answer.mimetype == "text/html"
    assert 'id="sp-webhook-address-problem"' in answer.text
    assert 'value="http://&lt;b&gt;bad"' in answer.text
    assert re.search(r'value="api"\s+checked', answer.text)
    assert re.search(r'value="webhook"[^>]*checked', answer.text)
    assert "hush hush hush hush" not in answer.text
    nothing = site.post("/subscribe", data={"channel": "email", "scope": "some"}, headers=HTML)
    assert nothing.status_code == 422
    assert "Choose at least one service." in nothing.text
    assert 'id="sp-email-address-problem"' in nothing.text
    assert "Enter an email address." in nothing.text
    assert site.rows(Subscription) == []


def test_form_of_the_published_route_for_people(site: Site) -> None:
    """The published POST from a browser's form answers with a page."""
    data = {"type": "webhook", "url": HOOK}
    answer = site.post("/?action=subscribe", data=data, headers=HTML)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"


def test_only_post_confirms(site: Site) -> None:
    """GET and HEAD of a confirmation link show and change nothing; POST confirms; the link works once."""
    row = pending(site)
    path = f"/confirm/{site.token(links.CONFIRM, row)}"
    before = site.contents()
    page = site.get(path, headers=HTML)
    assert page.status_code == 200
    assert ANN in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    head = site.client.head(site.prefix + path)
    assert (head.status_code, head.data) == (200, b"")
    assert site.client.options(site.prefix + path).status_code == 200
    assert site.contents() == before
    done = site.post(path, headers=HTML)
    assert done.status_code == 303
    assert done.headers["Location"].startswith("/status/manage/")
    assert done.headers["Cache-Control"] == "no-store"
    chosen = site.client.get(done.headers["Location"], headers=HTML)
    assert re.search(r'role="status"[^>]*>.*?You are subscribed', chosen.text, re.DOTALL)
    assert 'name="events"' in chosen.text
    assert only(site).state.value == "active"
    for answer in (site.post(path, headers=HTML), site.get(path, headers=HTML)):
        assert answer.status_code == 410
        assert "used already" in answer.text
    assert only(site).state.value == "active"
    # Nor does it work for a later sign-up of the same address.
    assert site.post(f"/unsubscribe/{site.token(links.OWN, only(site))}").status_code == 200
    assert pending(site).state.value == "pending"
    assert site.post(path, headers=HTML).status_code == 410
    assert only(site).state.value == "pending"


def test_links_that_were_altered(site: Site) -> None:
    """A link that this site did not make, or made for another purpose, is 404 and changes nothing."""
    row = pending(site)
    token = site.token(links.CONFIRM, row)
    before = site.contents()
    # Not the last letter, of whose bits two say nothing.
    flipped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    owner = site.token(links.OWN, row)
    for path in (
        f"/confirm/{flipped}",
        f"/confirm/{token[:20]}",
        f"/confirm/{owner}",
        f"/manage/{token}",
        f"/unsubscribe/{token}",
        "/unsubscribe/%00",
        "/manage/%ff",
        "/confirm/" + "x" * 5000,
    ):
        for method in ("GET", "POST", "HEAD"):
            answer = site.client.open(site.prefix + path, method=method, headers=HTML)
            assert answer.status_code == 404, (method, path)
    assert site.contents() == before


def test_a_link_that_is_too_old(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A confirmation link older than a week is 410 for GET and POST; a younger one still works."""
    row = pending(site)
    week = links.CONFIRM_SECONDS

    def signed(age: int) -> str:
        now = time.time()
        with monkeypatch.context() as past:
            past.setattr(time, "time", lambda: now - age)
            return site.token(links.CONFIRM, row)

    for method in ("GET", "POST"):
        path = f"{site.prefix}/confirm/{signed(week + 60)}"
        answer = site.client.open(path, method=method, headers=HTML)
        assert answer.status_code == 410
        assert "too old" in answer.text
    assert only(site).state.value == "pending"
    assert site.post(f"/confirm/{signed(week - 60)}").status_code == 303


def test_a_newer_link_replaces_the_older_one(site: Site) -> None:
    """After a second confirmation mail the first link is 410."""
    row = pending(site)
    old = site.token(links.CONFIRM, row)
    with site.app.app_context():
        stored = site.db.session.query(Subscription).one()
        stored.mailed_at = None  # as if the pause between two mails were over
        site.db.session.commit()
    new = site.token(links.CONFIRM, pending(site))
    assert new != old
    assert site.post(f"/confirm/{old}").status_code == 410
    assert site.post(f"/confirm/{new}").status_code == 303


def test_one_click_unsubscribe(site: Site) -> None:
    """A mail program's POST (RFC 8058) ends the subscription, without cookies and without a redirect; again is fine."""
    path = f"/unsubscribe/{site.token(links.OWN, active(site))}"
    before = site.contents()
    assert site.get(path, headers=HTML).status_code == 200
    assert site.client.head(site.prefix + path).status_code == 200
    assert site.contents() == before
    mail_program = site.app.test_client(use_cookies=False)
    for _ in range(2):
        answer = mail_program.post(site.prefix + path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "Location" not in answer.headers
        assert "Set-Cookie" not in answer.headers
        assert only(site).state.value == "ended"


def test_choosing_components_and_events(site: Site) -> None:
    """The owner of a link sees the present choice, changes it and is told that it is saved."""
    for name in ("API", "Web"):
        site.made("/components", name=name)
    path = f"/manage/{site.token(links.OWN, active(site))}"
    shown = site.get(path, headers=HTML)
    assert shown.status_code == 200
    assert ANN in shown.text
    choice = {"scope": "some", "components": ["web"], "events": ["incident.created"]}
    saved = site.post(path, data=choice, headers=HTML)
    assert saved.status_code == 303
    after = site.client.get(saved.headers["Location"], headers=HTML)
    assert "Your choice is saved." in after.text
    assert re.search(r'value="web"\s+checked', after.text)
    assert not re.search(r'value="api"\s+checked', after.text)
    assert only(site).events == ["incident.created"]
    choice = {"scope": "all", "components": ["web"], "events": ["incident.created"]}
    everything = site.post(path, data=choice, headers=HTML)
    assert everything.status_code == 303
    assert site.ask("GET", "/subscriptions").get_json()["items"][0]["components"] == []


def held(ident: UUID) -> Subscription:
    row = stored.get(current_session(), ident, lock=True)
    assert row is not None
    return row


@pytest.mark.parametrize("channel", ["email", "webhook"])
def test_a_subscription_that_is_off(site: Site, channel: str) -> None:
    """Its owner reads that nothing is sent and what brings it back, not what a mail server said."""
    address = ANN if channel == "email" else "https://1.1.1.1/hook"
    made = site.made("/subscriptions", channel=channel, address=address)
    with site.app.app_context():
        row = held(UUID(made["id"]))
        subscriptions.disable(current_session(), row, reason="550 5.1.1 raw words of a server")
        current_session().commit()
    html = site.get(f"/manage/{site.token(links.OWN, only(site))}?confirmed=1").text
    assert "At the moment nothing is sent to" in html
    assert "Messages go to" not in html
    assert "You are subscribed" not in html
    assert "raw words" not in html
    assert ("Subscribe again to hear from us" in html) == (channel == "email")


@pytest.mark.parametrize(
    ("reason", "way"),
    [
        ("unsubscribed", "Subscribe again to hear of changes"),
        ("Its owner answered STOP.", "Answer START to one of our texts"),
    ],
)
def test_the_way_back_of_one_that_ended(site: Site, reason: str, way: str) -> None:
    """The link to a subscription that has ended says how to begin again, and its button does not promise a link."""
    token = site.token(links.OWN, active(site))
    with site.app.app_context():
        row = held(only(site).id)
        subscriptions.unsubscribe(current_session(), row, reason=reason)
        current_session().commit()
    answer = site.get(f"/manage/{token}", headers=HTML)
    assert answer.status_code == 410
    assert way in answer.text
    assert ">Subscribe again</a>" in answer.text
    assert "Get a new link" not in answer.text


def test_words_of_mistakes_in_language_and_clock(site: Site) -> None:
    """The page names the field and what was typed."""
    token = site.token(links.OWN, active(site))
    data = {"scope": "all", "events_scope": "usual", "time_zone": "Foo", "locale": "<b>"}
    html = site.post(f"/manage/{token}", data=data, headers=HTML).text
    assert "There is no time zone “<bdi>Foo</bdi>”; write it such as Europe/Berlin." in html
    assert "There is no language “<bdi>&lt;b&gt;</bdi>”" in html


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "some"},
        {"scope": "some", "components": ["nope"]},
        {"components": 5},
        {"components": [{}]},
        {"components": ["\x00"]},
        {"components": ["\ud800"]},
        {"events": ["no.such"]},
        {"events": [[]]},
        {"events": "incident.created"},
    ],
)
def test_mistakes_in_the_choice(site: Site, body: dict[str, Any]) -> None:
    """A wrong choice in JSON is 422 and changes nothing."""
    path = f"/manage/{site.token(links.OWN, active(site))}"
    before = site.contents()
    answer = site.post(path, json=body)
    assert answer.status_code == 422, answer.text
    assert site.contents() == before


@pytest.mark.parametrize(
    "body",
    [{"scope": "some"}, {"components": "nope"}, {"components": "\x00"}, {"events": "no.such"}],
)
def test_mistakes_in_the_form_of_the_choice(site: Site, body: dict[str, str]) -> None:
    """The form says what is wrong with a choice and changes nothing."""
    path = f"/manage/{site.token(links.OWN, active(site))}"
    before = site.contents()
    answer = site.post(path, data=body, headers=HTML)
    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert site.contents() == before


# Signed-in customers


def with_customer(app: Flask) -> None:
    @app.get("/login/<path:address>")
    def login(address: str) -> str:
        session["email"] = address
        return address


@pytest.fixture
def portal(make_site: SiteMaker) -> Site:
    """A site whose customers sign in; Ann is."""
    site = make_site(host=with_customer)
    site.statuspage.subscriber_loader(lambda: session.get("email"))
    site.client.get(f"/login/{ANN}")
    return site


def csrf_of(site: Site) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', site.get("/subscribe").text)
    assert found
    return found[1]


def test_a_signed_in_customer_needs_no_mail(portal: Site) -> None:
    """With the form's token a customer's own address is active at once, the page says so, and no mail is sent."""
    assert f'value="{ANN}"' in portal.get("/subscribe").text
    data = {"channel": "email", "address": ANN, "csrf_token": csrf_of(portal)}
    answer = portal.post("/subscribe", data=data, headers=HTML)
    assert answer.status_code == 303
    manage = answer.headers["Location"]
    assert manage.startswith("/status/manage/")
    assert "You are subscribed" in portal.client.get(manage).text
    assert only(portal).state.value == "active"
    assert only(portal).actor == ANN
    assert not [row for row in portal.rows(EventRow) if row.name == "subscription.confirmation"]


def test_a_signed_in_customer_in_json(portal: Site) -> None:
    """A script of the host's own page with the token gets 201 and the true state."""
    body = {"channel": "email", "address": ANN, "csrf_token": csrf_of(portal)}
    answer = portal.post("/subscribe", json=body)
    assert answer.status_code == 201
    assert answer.get_json()["state"] == "active"


@pytest.mark.parametrize("token", [None, "", "forged", "of another session"])
@pytest.mark.parametrize("path", ["/subscribe", "/?action=subscribe"])
def test_another_site_cannot_act_as_the_customer(
    portal: Site, path: str, token: str | None
) -> None:
    """A POST that carries the customer's cookie but no genuine token is a stranger's: it waits for the mail."""
    if token == "of another session":
        stranger = portal.app.test_client()
        stranger.get("/login/bob@example.com")
        page = stranger.get("/status/subscribe").text
        token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    data = {"channel": "email", "address": ANN}
    if token is not None:
        data["csrf_token"] = token
    headers = {"Origin": "https://evil.example", "Referer": "https://evil.example/"}
    answer = portal.post(path, data=data, headers=headers)
    assert answer.status_code == 202
    row = only(portal)
    assert row.state.value == "pending"
    assert row.actor is None


def test_a_customer_speaks_for_the_own_address_only(portal: Site) -> None:
    """Another address typed by a signed-in customer needs its owner's confirmation."""
    data = {"channel": "email", "address": "bob@example.com", "csrf_token": csrf_of(portal)}
    assert "Check your inbox" in portal.post("/subscribe", data=data, headers=HTML).text
    assert only(portal).state.value == "pending"


def test_strangers_get_no_token_and_no_cookie(portal: Site) -> None:
    """Whoever is not signed in gets a form without a token, and no cookie for it."""
    answer = portal.app.test_client().get("/status/subscribe")
    assert "csrf_token" not in answer.text
    assert "Set-Cookie" not in answer.headers
