"""The sign-up in a host's page: it comes back with its outcome, knows its customer, and leads nowhere else."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask, render_template_string, session
from werkzeug.test import TestResponse

from flask_statuspage.delivery import links
from flask_statuspage.delivery.formats import formats
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.subscriptions import Subscription
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ANN = "ann@example.com"
HOOK = "https://1.1.1.1/hook"
SECRET_HOOK = "https://hooks.slack.com/services/T1/B1/abcdef"


def portal_host(app: Flask) -> None:
    @app.get("/login/<path:address>")
    def login(address: str) -> str:
        session["email"] = address
        return address

    @app.route("/portal/<path:name>", methods=["GET", "POST"])
    def portal(name: str) -> str:
        return render_template_string(
            "<main>{{ statuspage_subscribe_form(components=['checkout']) }}</main><hr>"
            "{{ statuspage_subscribe_form(channels=['webhook', 'email'], events=['incident.created']) }}"
        )

    @app.post("/only-by-post")
    def only_by_post() -> str:
        return render_template_string("{{ statuspage_subscribe_form() }}")

    @app.get("/shop")
    def shop() -> str:
        return render_template_string("{{ statuspage_subscribe_form(components=['search']) }}")

    @app.get("/shop-or-hook")
    def shop_or_hook() -> str:
        return render_template_string(
            "{{ statuspage_subscribe_form(components=['search'], channels=['email', 'webhook']) }}"
        )

    @app.get("/by-text")
    def by_text() -> str:
        return render_template_string("{{ statuspage_subscribe_form(channels=['sms']) }}")

    @app.get("/odd")
    def odd() -> str:
        return render_template_string(
            "[{{ statuspage_subscribe_form(channels=request.args.getlist('channel')) }}]"
        )


@pytest.fixture(params=[None, "before"], ids=["without CSRFProtect", "with CSRFProtect"])
def portal(request: pytest.FixtureRequest, make_site: SiteMaker) -> Site:
    """A portal with forms in its pages; customers can sign in, nobody has yet."""
    site = make_site(host=portal_host, csrf=request.param)
    site.statuspage.subscriber_loader(lambda: session.get("email"))
    for name in ("Checkout", "Search"):
        site.made("/components", name=name)
    return site


def fields_of(html: str, number: int = 0) -> dict[str, Any]:
    """What a browser would send of one of the forms in *html*, with nothing typed or ticked."""
    form = re.findall(r"<form.*?</form>", html, re.DOTALL)[number]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        named = re.search(r'name="([^"]*)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if named and ('type="radio"' not in tag or "checked" in tag):
            text = unescape(value[1]) if value else ""
            if named[1] in ("components", "events"):
                found.setdefault(named[1], []).append(text)
            else:
                found.setdefault(named[1], text)
    return found


def sent(site: Site, path: str, number: int = 0, **typed: str) -> TestResponse:
    """Open *path*, fill in a form of it and send it, as a browser does."""
    fields = {**fields_of(site.client.get(path).text, number), **typed}
    return site.post("/subscribe", data=fields, headers=HTML)


def shown(site: Site, answer: TestResponse) -> str:
    """The host's page that *answer* leads back to."""
    assert answer.status_code == 303, answer.text
    page = site.client.get(answer.headers["Location"].partition("#")[0])
    assert page.status_code == 200
    return page.text


def test_it_comes_back_to_its_page_and_says_so(portal: Site) -> None:
    """A stranger is told to look into the inbox where the form stands; query and path of the page are kept."""
    answer = sent(portal, "/portal/a%20b?x=1&y=%C3%A4", email_address="bob@example.com")
    back = urlsplit(answer.headers["Location"])
    assert (back.scheme, back.netloc, back.path, back.fragment) == (
        "",
        "",
        "/portal/a%20b",
        "sp-box",
    )
    assert parse_qsl(back.query)[:2] == [("x", "1"), ("y", "ä")]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "bob" not in answer.headers["Location"]
    html = shown(portal, answer)
    assert re.search(r'role="status"[^>]*>.*?Check your inbox', html, re.DOTALL)
    assert "bob@example.com" not in fields_of(html, 1).values()
    (row,) = portal.rows(Subscription)
    assert (row.state.value, row.events) == ("pending", None)
    # Sent once more, the query does not grow.
    again = sent(portal, answer.headers["Location"].partition("#")[0], email_address="x")
    assert again.headers["Location"].count("statuspage_subscribed") == 1


def test_errors_are_shown_in_place(portal: Site) -> None:
    """What is wrong stands where the form is, by the form that was sent, with what was typed."""
    answer = sent(portal, "/portal/a", email_address="<b>no address")
    first, _, second = shown(portal, answer).partition("<hr>")
    assert 'role="alert"' in first
    assert "This is not an email address" in first
    assert 'aria-invalid="true"' in first
    assert 'aria-describedby="sp-box-email-address-hint sp-box-email-address-problem"' in first
    assert fields_of(first)["email_address"] == "<b>no address"
    assert "role=" not in second.replace('role="group"', "")
    answer = sent(portal, "/portal/a", 1, webhook_address="ftp://1.1.1.1/")
    assert answer.headers["Location"].endswith("#sp-box-2")
    first, _, second = shown(portal, answer).partition("<hr>")
    assert 'role="alert"' in second
    assert "alert" not in first
    assert fields_of(second)["webhook_address"] == "ftp://1.1.1.1/"
    assert fields_of(second)["channel"] == "webhook"
    nothing = shown(portal, sent(portal, "/portal/a"))
    assert "Enter an email address." in nothing
    assert portal.rows(Subscription) == []


def test_a_host_chooses_ways_and_events(portal: Site) -> None:
    """The form offers the channels that the host names, and subscribes to the events that it names."""
    answer = sent(portal, "/portal/a", 1, channel="webhook", webhook_address=HOOK)
    assert "it is subscribed now" in shown(portal, answer)
    (row,) = portal.rows(Subscription)
    assert (row.channel, row.events) == ("webhook", ["incident.created"])


def test_channels_that_cannot_be_had(portal: Site) -> None:
    """A name that is no channel for visitors is left out; without any the host's page has no form."""
    assert portal.client.get("/odd?channel=pigeon").text == "[]"
    html = portal.client.get("/odd?channel=pigeon&channel=webhook").text
    assert fields_of(html)["channel"] == "webhook"


def test_too_many_are_told_in_place(make_site: SiteMaker) -> None:
    """Beyond the limit the page says so, and keeps what was typed."""
    site = make_site(host=portal_host, STATUSPAGE_SIGNUPS_PER_HOUR=1)
    site.made("/components", name="Checkout")
    sent(site, "/portal/a", email_address="a@example.com")
    html = shown(site, sent(site, "/portal/a", email_address="b@example.com"))
    assert "Too many sign-ups" in html
    assert fields_of(html)["email_address"] == "b@example.com"
    assert len(site.rows(Subscription)) == 1


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/a\\b",
    "javascript:alert(1)",
    "evil",
    "",
    " /portal/a",
    "/portal/a\r\nX-Header: y",
    "/portal/a\x00",
    "/\tevil.example",
    "/portal/ä",
    "/" + "x" * 3000,
]


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: ascii(path)[:20])
@pytest.mark.parametrize("address", ["bob@example.com", "wrong"])
def test_it_leads_nowhere_else(make_site: SiteMaker, path: str, address: str) -> None:
    """What is no path of this site is not followed: the answer is our own page, as without it."""
    site = make_site()
    data = {"channel": "email", "address": address, "return_to": path, "form": "sp-box"}
    answer = site.post("/subscribe", data=data, headers=HTML)
    assert answer.status_code == (200 if address != "wrong" else 422)
    assert "Location" not in answer.headers


def test_the_name_of_a_form_is_not_taken_as_it_comes(make_site: SiteMaker) -> None:
    """A name that no form of ours has becomes that of the first one."""
    data = {"channel": "email", "address": ANN, "return_to": "/a#b", "form": 'x"><script>'}
    answer = make_site().post("/subscribe", data=data, headers=HTML)
    assert re.fullmatch(r"/a\?statuspage_subscribed=[\w=-]+#sp-box", answer.headers["Location"])


def test_programs_are_answered_as_ever(portal: Site) -> None:
    """JSON is answered with JSON: a field of the portal's forms is none there."""
    body = {"channel": "webhook", "address": HOOK}
    assert portal.post("/subscribe", json=body).status_code == 201
    assert portal.post("/subscribe", json={**body, "return_to": "/a"}).status_code == 422


def test_old_altered_and_foreign_outcomes_are_ignored(
    portal: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outcome is shown for ten minutes, to whom it was for, and only if it was made here."""
    plain = portal.client.get("/portal/a").text
    path = sent(portal, "/portal/a", email_address="wrong").headers["Location"].partition("#")[0]
    assert "alert" in portal.client.get(path).text
    for other in (path[:-3], path.replace("subscribed=g", "subscribed=h"), path.partition("=")[0]):
        assert portal.client.get(other).text == plain
    for junk in ("=x", "=%00", "=%ff", "=" + "A" * 5000, "=%F0%9F%98%80"):
        assert portal.client.get(path.partition("=")[0] + junk).text == plain
    somebody = portal.app.test_client()
    somebody.get(f"/login/{ANN}")
    assert "alert" not in somebody.get(path).text
    real = time.time
    with monkeypatch.context() as later:
        later.setattr(time, "time", lambda: real() + 601)
        assert "alert" not in portal.client.get(path).text
    with monkeypatch.context() as later:
        later.setattr(time, "time", lambda: real() + 580)
        assert "alert" in portal.client.get(path).text


def test_a_secret_is_not_carried_back(portal: Site) -> None:
    """A secret that was typed is neither in the URL nor in the page that it leads to."""
    typed = {
        "channel": "webhook",
        "webhook_address": "ftp://1.1.1.1/",
        "secret": "hush hush hush hush",
    }
    answer = sent(portal, "/portal/a", 1, **typed)
    assert "hush" not in shown(portal, answer)
    data = {
        "channel": "slack",
        "address": SECRET_HOOK,
        "return_to": "/portal/a",
        "form": "sp-box-2",
    }
    answer = portal.post("/subscribe", data=data | {"components": "nope"}, headers=HTML)
    assert "abcdef" not in shown(portal, answer)


def test_a_page_that_was_posted_to(portal: Site) -> None:
    """After a POST to the host's page the outcome is shown by its GET; where there is none, on our own pages."""
    if "csrf" in portal.app.extensions:
        portal.app.config["WTF_CSRF_CHECK_DEFAULT"] = (
            False  # the host's own form is not what is looked at
        )
    html = portal.client.post("/portal/a?x=1", data={"y": "2"}).text
    assert fields_of(html)["return_to"] == "/portal/a?x=1"
    assert "return_to" not in fields_of(portal.client.post("/only-by-post").text)


def test_a_host_below_a_prefix(portal: Site) -> None:
    """Where the whole site stands below a path, the way back leads there."""
    html = portal.client.get("/portal/a", base_url="http://localhost/site").text
    assert fields_of(html)["return_to"] == "/site/portal/a"


def test_what_is_no_channel_is_not_carried_back(portal: Site) -> None:
    """The address of the way back stays short, whatever was sent as a channel."""
    data = {"channel": "x" * 300_000, "address": ANN, "return_to": "/portal/a", "form": "sp-box"}
    answer = portal.post("/subscribe", data=data, headers=HTML)
    assert answer.status_code == 303
    assert len(answer.headers["Location"]) < 4000


def test_a_code_is_asked_for_in_place(make_site: SiteMaker) -> None:
    """A number's sign-up comes back to the host's page, too, with a link to the form for the code."""
    texts = {"ACCOUNT": "AC1", "TOKEN": "a token", "FROM": "+15005550006"}
    site = make_site(
        host=portal_host, **{f"STATUSPAGE_SMS_{name}": value for name, value in texts.items()}
    )
    html = shown(site, sent(site, "/by-text", sms_address="+4917123456789"))
    assert "Check your phone" in html
    link = re.search(r'href="(/status/confirm/[^"]+)">Enter the code', html)
    assert link
    assert 'autocomplete="one-time-code"' in site.client.get(link[1]).text


# Customers


def sign_in(site: Site, address: str = ANN) -> None:
    site.client.get(f"/login/{address}")


def test_a_customer_is_subscribed_at_once(portal: Site) -> None:
    """A signed-in customer presses the button, comes back, is subscribed without a mail, and sees what to."""
    sign_in(portal)
    html = shown(portal, sent(portal, "/portal/a"))
    first = html.partition("<hr>")[0]
    assert "You are subscribed." in first
    assert "You receive updates on <bdi>Checkout</bdi>" in first
    assert "<form" not in first
    (row,) = portal.rows(Subscription)
    assert (row.state.value, row.actor, row.address) == ("active", ANN, ANN)
    assert not [one for one in portal.rows(EventRow) if one.name == "subscription.confirmation"]
    manage = re.search(r'href="(/status/manage/[^"]+)"', first)
    assert manage
    assert ANN in portal.client.get(manage[1]).text


def test_a_customer_adds_a_service(portal: Site) -> None:
    """The form of another page adds its service to what the customer has; nothing is doubled and nothing is lost."""
    sign_in(portal)
    sent(portal, "/portal/a")
    token = portal.token(links.OWN, portal.rows(Subscription)[0])
    chosen = {"components": ["checkout"], "scope": "some", "events": ["incident.resolved"]}
    portal.post(f"/manage/{token}", data=chosen)
    html = portal.client.get("/shop").text
    assert "You receive updates on <bdi>Checkout</bdi>" in html
    html = shown(portal, sent(portal, "/shop"))
    assert "<bdi>Checkout</bdi>, <bdi>Search</bdi>" in html
    (row,) = portal.rows(Subscription)
    assert row.events == ["incident.resolved"]
    items = portal.ask("GET", "/subscriptions").get_json()["items"]
    assert len(items[0]["components"]) == 2


def test_a_choice_of_ways_adds_too(portal: Site) -> None:
    """A form with several channels and one in an older tab add to what the customer has, never take from it."""
    sign_in(portal)
    older = fields_of(portal.client.get("/shop-or-hook").text)
    sent(portal, "/portal/a")
    sent(portal, "/shop-or-hook")
    assert shown(portal, sent(portal, "/portal/a")).count("<bdi>Search</bdi>") == 1
    answer = portal.post("/subscribe", data={**older, "events_scope": "some", "events": []})
    html = shown(portal, portal.post("/subscribe", data=older, headers=HTML))
    assert answer.status_code in (201, 422)
    assert "<bdi>Checkout</bdi>, <bdi>Search</bdi>" in portal.client.get("/shop").text
    (row,) = portal.rows(Subscription)
    assert row.events is None
    assert "You are subscribed." in html
    data = {**older, "events_scope": "some", "events": ["component.status_change"]}
    portal.post("/subscribe", data=data, headers=HTML)
    (row,) = portal.rows(Subscription)
    assert set(row.events) == formats["email"].unasked | {"component.status_change"}


def test_everything_stays_everything(portal: Site) -> None:
    """Whoever is subscribed to all services, also later ones, is so after the form of one of them was sent."""
    sign_in(portal)
    older = fields_of(portal.client.get("/shop").text)
    portal.post("/subscribe", data={**older, "scope": "all"}, headers=HTML)
    portal.post("/subscribe", data=older, headers=HTML)
    assert "You receive updates on all services" in portal.client.get("/shop").text


def test_somebody_else_does_not_see_it(portal: Site) -> None:
    """What a customer has is shown to nobody else, and not while it is somebody's unconfirmed sign-up."""
    portal.post("/subscribe", json={"channel": "email", "address": ANN})
    sign_in(portal)
    assert "You receive" not in portal.client.get("/portal/a").text
    sent(portal, "/portal/a")
    assert "You receive" in portal.client.get("/portal/a").text
    sign_in(portal, "bob@example.com")
    assert "You receive" not in portal.client.get("/portal/a").text
    assert "You receive" not in portal.app.test_client().get("/portal/a").text


@pytest.mark.parametrize("token", [None, "", "forged"])
def test_a_forged_form_is_a_strangers(portal: Site, token: str | None) -> None:
    """A POST from another site with the customer's cookie changes nothing of theirs; it is told what strangers are."""
    sign_in(portal)
    sent(portal, "/portal/a")
    before = portal.contents()["statuspage_subscription_component"]
    forged = {"channel": "email", "address": ANN, "scope": "all", "return_to": "/portal/a"}
    forged |= {} if token is None else {"csrf_token": token}
    headers = {**HTML, "Origin": "https://evil.example", "Referer": "https://evil.example/"}
    answer = portal.post("/subscribe", data=forged, headers=headers)
    assert "Check your inbox" in shown(portal, answer)
    assert portal.contents()["statuspage_subscription_component"] == before


def test_the_page_form_knows_the_customer(portal: Site) -> None:
    """What a customer chose before is chosen in the page's form, and changed at once; strangers see nothing of it."""
    sign_in(portal)
    sent(portal, "/portal/a")
    html = portal.get("/subscribe").text
    assert "You receive updates on <bdi>Checkout</bdi> by email." in html
    assert re.search(r'value="checkout" checked', html)
    assert not re.search(r'value="search" checked', html)
    token = fields_of(html)["csrf_token"]
    data = {
        "channel": "email",
        "email_address": ANN.upper().replace("ANN", "ann"),
        "scope": "some",
        "components": ["search"],
        "csrf_token": token,
    }
    answer = portal.post("/subscribe", data=data, headers=HTML)
    assert answer.status_code == 303
    assert "<bdi>Search</bdi> by email" in portal.get("/subscribe").text
    assert len(portal.rows(Subscription)) == 1
    stranger = portal.app.test_client().get("/status/subscribe").text
    assert "You receive" not in stranger
    assert " checked> <span><bdi>Search" not in stranger


def test_hints_are_true_for_customers(portal: Site) -> None:
    """A customer's own address needs no link, and only what is chosen for email takes the place of what there is."""
    assert "We send a link to confirm it." in portal.get("/subscribe").text
    sign_in(portal)
    sent(portal, "/portal/a")
    for html in (portal.get("/subscribe").text, portal.client.get("/shop-or-hook").text):
        assert "We send a link to confirm it." not in html
        assert "To an address that is not your own" in html
    assert "If you choose email here" in portal.get("/subscribe").text


def test_it_never_breaks_the_hosts_page(portal: Site) -> None:
    """Whatever the loader raises, the host's page stands, without the form."""

    def broken() -> str:
        raise RuntimeError("the login is away")

    portal.statuspage.subscriber_loader(broken)
    answer = portal.client.get("/portal/a")
    assert answer.status_code == 200
    assert "<form" not in answer.text
