"""Subscribers in the console: found, added, asked again, changed by two, switched off, deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from flask_statuspage.domain.opt_out import STOPPED
from flask_statuspage.jobs import tasks
from flask_statuspage.services import subscriptions, suppressions
from flask_statuspage.storage import suppressions as stored_suppressions
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState, get
from flask_statuspage.storage.team import AuditEntry
from tests.console import member
from tests.console.conftest import Enter
from tests.console.member import ADMIN, OWNER, Form, Member, forms_of
from tests.servers.sms_gateway import SmsGateway
from tests.servers.smtp import Mail, SmtpServer
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker

SCRIPT = '<script>alert("x")</script>'


def subscribed(site: Site, address: str = "ann@example.com", **more: Any) -> dict[str, Any]:
    return site.made("/subscriptions", channel="email", address=address, **more)


def told(site: Site, ident: str) -> Any:
    return site.ask("GET", f"/subscriptions/{ident}").get_json()


def work(site: Site, do: Callable[[Any], object]) -> None:
    """Do something in a transaction of its own."""
    with site.app.app_context():
        do(current_session())
        current_session().commit()


def signed_up(site: Site, address: str = "ann@example.com") -> Subscription:
    """Somebody who signed up on the page, and has not confirmed."""
    answer = site.post("/subscribe", json={"channel": "email", "address": address})
    assert answer.status_code == 202, answer.text
    return next(row for row in site.rows(Subscription) if row.address == address)


def later(site: Site, minutes: int) -> None:
    """Let the last message to everybody be so many minutes older."""

    def age(session: Any) -> None:
        for row in session.scalars(select(Subscription)):
            row.mailed_at -= timedelta(minutes=minutes)

    work(site, age)


def the_one(session: Any) -> Subscription:
    """The only subscription there is."""
    row = get(session, session.scalars(select(Subscription.id)).one())
    assert row is not None
    return row


def scope(ann: Member, ident: str) -> Form:
    return ann.form(f"/subscribers/{ident}", "Kinds of news")


def entries(site: Site, ident: Any) -> list[tuple[str, str]]:
    """What the log has of a subscription: action and actor."""
    found = [row for row in site.rows(AuditEntry) if str(row.subject_id) == str(ident)]
    return [(row.action, row.actor) for row in found]


# The list


def test_the_list_tells_who_is_subscribed(site: Site, enter: Enter) -> None:
    """Address, channel, state, services and language of each; counts per state lead to those in it."""
    site.made("/components", name="API")
    subscribed(site, components=["api"], locale="de")
    gone = subscribed(site, "bob@example.com")
    site.ask("POST", f"/subscriptions/{gone['id']}/disable")
    signed_up(site, "eve@example.com")
    ann = enter(ADMIN)
    page = ann.get("/subscribers").text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "ann@example.com Email API de since" in text
    assert re.search(
        r"bob@example.com Email All services since .* Switched off Disabled by a", text
    )
    for words in ("Active 1", "Pending 1", "Switched off 1", "Unsubscribed 0"):
        assert words in text
    only = ann.get("/subscribers?state=pending").text
    assert "eve@example.com" in only
    assert "bob@example.com" not in only


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=NN@ex", {"ann"}),
        ("search=%25", set()),
        ("channel=webhook", {"hook"}),
        ("channel=email", {"ann", "bob"}),
        ("component=api", {"ann", "hook"}),
        ("component=web", {"bob", "hook"}),
        ("component=nothing", {"ann", "bob", "hook"}),
        ("channel=nothing&state=nothing", {"ann", "bob", "hook"}),
        ("state=silenced", {"bob"}),
        ("state=active&search=example.com&channel=email", {"ann"}),
        ("before=00000000-0000-7000-8000-000000000000", set()),
        ("search=%00&page=x", {"ann", "bob", "hook"}),
    ],
)
def test_the_list_is_narrowed(make_site: SiteMaker, query: str, found: set[str]) -> None:
    """By a part of the address, channel, state and service; what is none of the choice narrows nothing."""
    site = member.build(make_site, STATUSPAGE_ALLOW_PRIVATE_TARGETS=True)
    site.made("/components", name="API")
    site.made("/components", name="Web")
    subscribed(site, components=["api"])
    subscribed(site, "bob@example.com", components=["web"])
    site.made("/subscriptions", channel="webhook", address="https://127.0.0.1/hook")

    def bounce(session: Any) -> None:
        suppressions.suppress_address(session, "email", "bob@example.com", "No such mailbox.")

    work(site, bounce)
    page = Member(site, ADMIN).get(f"/subscribers?{query}").text
    names = {"ann": "ann@example.com", "bob": "bob@example.com", "hook": "https://127.0.0.1/hook"}
    assert {name for name, address in names.items() if f"<bdi>{address}</bdi>" in page} == found


def test_a_long_list_has_pages_and_no_query_for_each_row(site: Site, enter: Enter) -> None:
    """Thirty take as many statements as one; the way on keeps what was looked for."""
    site.made("/components", name="API")
    subscribed(site, components=["api"])
    ann = enter(ADMIN)
    ann.get("/subscribers")
    with Queries(site) as few:
        ann.get("/subscribers")
    for number in range(29):
        subscribed(site, f"reader{number}@example.com", components=["api"])
    with Queries(site) as many:
        page = ann.get("/subscribers?channel=email").text
    assert len(many.sent) == len(few.sent)
    assert page.count('class="sp-row-line"') == 25
    (older,) = re.findall(r'href="([^"]+)">Next', page)
    assert "channel=email" in older
    last = ann.open(unescape(older)).text
    assert last.count('class="sp-row-line"') == 5
    shown = [set(re.findall(r"<bdi>([^<]+@example.com)</bdi>", text)) for text in (page, last)]
    assert (len(shown[0] | shown[1]), shown[0] & shown[1]) == (30, set())
    (newer,) = re.findall(r'href="([^"]+)">← Previous', last)
    assert ann.open(unescape(newer)).text.count('class="sp-row-line"') == 25


def test_the_dashboard_leads_here(site: Site, enter: Enter) -> None:
    """Its tile is a way for those who may go there; an editor sees the number only."""
    subscribed(site)
    way = '<a href="/status/admin/subscribers">Subscribers</a>'
    assert f"<dt>{way}</dt>" in enter(ADMIN).get("/").text
    looked = enter(member.EDITOR).get("/").text
    assert "<dt>Subscribers</dt>" in looked
    assert way not in looked


def test_what_others_wrote_is_text(site: Site, enter: Enter) -> None:
    """Names of services, reasons and what is searched for run nowhere."""
    made = site.made("/components", name=SCRIPT)
    subscription = subscribed(site, components=[made["slug"]])
    with site.app.app_context():
        row = the_one(current_session())
        row.state, row.reason, row.locale = SubscriptionState.DISABLED, SCRIPT, '"><b>'
        row.actor = SCRIPT
        current_session().commit()
    ann = enter(ADMIN)
    for path in (
        "/subscribers",
        f"/subscribers/{subscription['id']}",
        '/subscribers?search="><script>',
        "/subscribers/new",
    ):
        page = ann.get(path).text
        assert '<h1 class="sp-h1">' in page
        assert "<script>alert" not in page
        assert '"><script>' not in page
        assert '"><b>' not in page
    assert SCRIPT in unescape(ann.get("/subscribers").text)


def test_a_secret_address_is_not_shown(make_site: SiteMaker) -> None:
    """Of Slack's webhooks only where they lead; the whole address finds them."""
    site = member.build(make_site, STATUSPAGE_SLACK_HOSTS="1.1.1.1")
    address = "https://1.1.1.1/services/T0/B0/topsecret"
    made = site.made("/subscriptions", channel="slack", address=address)
    ann = Member(site, ADMIN)
    for path in ("/subscribers", f"/subscribers/{made['id']}"):
        page = ann.get(path).text
        assert "https://1.1.1.1/…" in page
        assert "topsecret" not in page
    assert "<bdi>https://1.1.1.1/…</bdi>" in ann.get(f"/subscribers?search={address}").text
    assert "1.1.1.1" not in ann.get("/subscribers.csv").text


# Added


def new(ann: Member, **typed: Any) -> Any:
    form = ann.form("/subscribers/new", "Add the subscriber")
    return ann.send(form, **{"channel": "email", "how": "confirmed", **typed})


def test_one_is_added_who_has_agreed(site: Site, enter: Enter) -> None:
    """Active at once, and the log says by whom."""
    site.made("/components", name="API")
    ann = enter(ADMIN)
    answer = new(ann, address=" Bob@Example.COM ", components=["api"], locale="de")
    page = ann.follow(answer)
    assert "The subscriber is added." in page.text
    (row,) = site.rows(Subscription)
    assert (row.address, row.state, row.locale) == (
        "Bob@example.com",
        SubscriptionState.ACTIVE,
        "de",
    )
    assert entries(site, row.id) == [("create", ADMIN)]
    assert f"by {ADMIN}" in page.text
    assert f"Added by {ADMIN}" in page.text


def test_one_is_added_who_is_asked(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """Their mail has a link, which makes the subscription active: then the page says how."""
    site = member.build(make_site, STATUSPAGE_SMTP_URL=f"smtp://127.0.0.1:{smtp.port}")
    ann = Member(site, ADMIN)
    page = ann.follow(new(ann, address="bob@example.com", how="ask"))
    assert "is on its way" in page.text
    (row,) = site.rows(Subscription)
    assert row.state is SubscriptionState.PENDING
    assert "Never" in page.text
    confirm(site, *delivered(site, smtp))
    page = ann.get(f"/subscribers/{row.id}")
    assert "by its owner, with the link or the code that was sent" in page.text
    assert told(site, str(row.id))["state"] == "active"
    assert "The question whether they want it" in page.text
    assert "Delivered" in page.text


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"address": "nobody"}, "address", "This is not an email address"),
        ({"address": ""}, "address", "Address: Is missing."),
        ({"channel": "webhook", "address": "https://example.com"}, "channel", "Must be one of"),
        ({"channel": "x\r\ny"}, "channel", "Must be one of"),
        ({"channel": "sms", "address": "+4917123456"}, "channel", "sms is not available"),
        ({"locale": "gibberish!"}, "locale", "Must be a language"),
        ({"components": ["nothing"]}, "components", "There is no component"),
        ({"how": "no"}, "how", "Choose one of the list"),
        ({"address": "a\x00@example.com"}, "address", "cannot be stored"),
    ],
)
def test_what_is_wrong_is_named_at_its_field(
    site: Site, enter: Enter, typed: dict[str, Any], field: str, words: str
) -> None:
    """With the words of the API, and nothing is written."""
    site.made("/components", name="API")
    before = site.contents()
    answer = new(enter(ADMIN), **{"address": "bob@example.com", **typed})
    assert answer.status_code == 422
    assert words in unescape(answer.text)
    assert f'href="#f-{field}"' in answer.text
    assert f'id="f-{field}"' in answer.text
    assert site.contents() == before


@pytest.mark.parametrize("how", ["ask", "confirmed"])
@pytest.mark.parametrize("state", ["active", "pending", "disabled"])
def test_one_who_is_there_is_not_added_again(
    site: Site, enter: Enter, state: str, how: str
) -> None:
    """Nor is anything changed for them."""
    if state == "pending":
        signed_up(site)
    else:
        made = subscribed(site)
        if state == "disabled":
            site.ask("POST", f"/subscriptions/{made['id']}/disable")
    before = site.contents()
    answer = new(enter(ADMIN), address="ANN@example.com", how=how)
    assert answer.status_code == 422
    assert 'href="#f-address"' in answer.text
    assert site.contents() == before


def test_one_who_left_is_asked_not_brought_back(site: Site, enter: Enter) -> None:
    """Whoever unsubscribed decides themselves."""
    signed_up(site)

    def end(session: Any) -> None:
        subscriptions.unsubscribe(session, the_one(session))

    work(site, end)
    ann = enter(ADMIN)
    answer = new(ann, address="ann@example.com")
    assert answer.status_code == 422
    assert "Its owner unsubscribed" in answer.text
    assert site.rows(Subscription)[0].state is SubscriptionState.ENDED
    assert new(ann, address="ann@example.com", how="ask").status_code == 303
    assert site.rows(Subscription)[0].state is SubscriptionState.PENDING


@pytest.mark.parametrize(
    ("reason", "age", "how", "status", "words"),
    [
        (STOPPED, 9, "confirmed", 422, "answered STOP"),
        (STOPPED, 9, "ask", 422, "answered STOP"),
        ("No such mailbox.", 0, "confirmed", 422, "No such mailbox."),
        ("No such mailbox.", 0, "ask", 422, "No such mailbox."),
        ("No such mailbox.", 9, "confirmed", 422, "Send a confirmation instead."),
        ("No such mailbox.", 9, "ask", 303, ""),
    ],
)
def test_a_silenced_address_is_refused(
    site: Site, enter: Enter, reason: str, age: int, how: str, status: int, words: str
) -> None:
    """With why. One that bounced days ago may be asked whether it is there by now."""

    def silence(session: Any) -> None:
        at = utc_now() - timedelta(days=age)
        stored_suppressions.add(session, "email", "bob@example.com", reason, at)

    work(site, silence)
    before = site.contents()
    answer = new(enter(ADMIN), address="bob@example.com", how=how)
    assert answer.status_code == status
    assert words in answer.text
    assert (site.contents() == before) is (status == 422)


# Asked again


def delivered(site: Site, smtp: SmtpServer) -> tuple[Mail, ...]:
    """The mails that workers send now."""
    before = len(smtp.messages)
    with site.app.app_context():
        tasks.run("deliver")
    return tuple(smtp.messages[before:])


def link_in(mail: Mail) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    found = re.search(r"https?://\S+/confirm/\S+", part.get_content())
    assert found, part.get_content()
    return urlsplit(found[0]).path.removeprefix("/status")


def confirm(site: Site, mail: Mail, status: int = 200) -> None:
    answer = site.post(link_in(mail))
    assert answer.status_code in (status, 303), answer.text


def test_a_confirmation_is_sent_again(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """Only to one that waits; the new link works, the old one does not, and the log says who did it."""
    site = member.build(make_site, STATUSPAGE_SMTP_URL=f"smtp://127.0.0.1:{smtp.port}")
    site.made("/components", name="API")
    row = signed_up(site)
    (first,) = delivered(site, smtp)
    later(site, 21)
    ann = Member(site, ADMIN)
    path = f"/subscribers/{row.id}"
    page = ann.follow(ann.send(ann.form(path, "Send the confirmation again")))
    assert "is on its way" in page.text
    (second,) = delivered(site, smtp)
    assert second.envelope_to == ("ann@example.com",)
    assert site.get(link_in(first)).status_code == 410
    confirm(site, second)
    assert told(site, str(row.id))["state"] == "active"
    assert ("ask", ADMIN) in entries(site, row.id)
    assert "Send the confirmation again" not in ann.get(path).text
    assert ann.post(f"{path}/resend", {}).status_code == 409
    assert delivered(site, smtp) == ()


def test_confirmations_are_sent_as_seldom_as_at_a_sign_up(
    make_site: SiteMaker, smtp: SmtpServer
) -> None:
    """Three an hour to one address, and so many from one network as may sign up from there."""
    site = member.build(
        make_site,
        STATUSPAGE_SMTP_URL=f"smtp://127.0.0.1:{smtp.port}",
        STATUSPAGE_SIGNUPS_PER_HOUR=2,
    )
    row = signed_up(site)
    ann = Member(site, ADMIN)
    path = f"/subscribers/{row.id}"
    form = ann.form(path, "Send the confirmation again")
    answer = ann.send(form)
    assert answer.status_code == 429
    assert "can be sent in 20 minutes" in answer.text or "can be sent in 19" in answer.text
    assert len(delivered(site, smtp)) == 1
    later(site, 21)
    assert ann.send(form).status_code == 303
    later(site, 21)
    answer = ann.send(form)
    assert answer.status_code == 429
    assert "Too many sign-ups" in answer.text
    assert len(delivered(site, smtp)) == 1


def test_a_text_is_sent_again(make_site: SiteMaker, gateway: SmsGateway) -> None:
    """A phone gets another code."""
    site = member.build(make_site, **gateway.settings, STATUSPAGE_ALLOW_PRIVATE_TARGETS=True)
    ann = Member(site, ADMIN)
    number = "+14155552671"
    assert new(ann, channel="sms", address=number, how="ask").status_code == 303
    (row,) = site.rows(Subscription)
    later(site, 21)
    assert ann.send(ann.form(f"/subscribers/{row.id}", "Send the conf")).status_code == 303
    with site.app.app_context():
        tasks.run("deliver")
    first, second = gateway.texts
    assert {first.to, second.to} == {number}
    assert first.body != second.body


def test_a_text_is_tested(make_site: SiteMaker, gateway: SmsGateway) -> None:
    """A test leads to its delivery, which says what the gateway answered; who is switched off gets none."""
    site = member.build(make_site, **gateway.settings, STATUSPAGE_ALLOW_PRIVATE_TARGETS=True)
    ann = Member(site, ADMIN)
    assert new(ann, channel="sms", address="+14155552671", how="confirmed").status_code == 303
    (row,) = site.rows(Subscription)
    button = ann.form(f"/subscribers/{row.id}", "Send a test")
    sent = ann.send(button)
    assert "The test is on its way." in ann.follow(sent).text
    with site.app.app_context():
        tasks.run("deliver")
    (text,) = gateway.texts
    assert text.to == "+14155552671"
    assert "201" in ann.follow(sent).text
    assert ann.send(ann.form(f"/subscribers/{row.id}", "Switch off")).status_code == 303
    refused = ann.send(button)
    assert refused.status_code == 409
    assert "enable it first" in refused.text


def test_nothing_is_sent_again_where_nothing_may_be(site: Site, enter: Enter) -> None:
    """An address that bounced is not asked on the same day."""
    row = signed_up(site)
    later(site, 21)

    def silence(session: Any) -> None:
        stored_suppressions.add(session, "email", row.address, "No such mailbox.", utc_now())

    work(site, silence)
    ann = enter(ADMIN)
    path = f"/subscribers/{row.id}"
    assert "Nothing is sent to this address on any page" in ann.get(path).text
    answer = ann.send(ann.form(path, "Send the confirmation again"))
    assert answer.status_code == 422
    assert "No such mailbox. It can be asked a day after that." in answer.text


# Changed


def test_what_one_gets_is_changed(site: Site, enter: Enter) -> None:
    """Services, events and language, as PATCH does; nothing ticked means all and the usual."""
    for name in ("API", "Web"):
        site.made("/components", name=name)
    made = subscribed(site)
    ann = enter(ADMIN)
    answer = ann.send(
        scope(ann, made["id"]),
        components=["web", "api"],
        events=["incident.created"],
        locale="pt-br",
    )
    page = ann.follow(answer)
    assert "What the subscriber gets is saved." in page.text
    now = told(site, made["id"])
    assert (len(now["components"]), now["events"], now["locale"]) == (
        2,
        ["incident.created"],
        "pt-BR",
    )
    form = scope(ann, made["id"])
    assert form.fields.getlist("components") == ["api", "web"]
    assert ann.send(form, components=[], events=[], locale="").status_code == 303
    now = told(site, made["id"])
    assert (now["components"], now["events"], now["locale"]) == ([], None, None)
    assert entries(site, made["id"])[1:] == [("change", ADMIN), ("change", ADMIN)]


def test_of_two_changes_nothing_is_overwritten(site: Site, enter: Enter) -> None:
    """The second one gets 409 with what is so now, then may save; what it did not touch follows the first."""
    for name in ("API", "Web"):
        site.made("/components", name=name)
    made = subscribed(site)
    ann, bob = enter(ADMIN), enter(OWNER)
    first, second = (scope(who, made["id"]) for who in (ann, bob))
    assert ann.send(first, components=["api"], locale="de").status_code == 303
    answer = bob.send(second, components=["web"])
    assert answer.status_code == 409
    assert "components is “api” now" in answer.text
    assert told(site, made["id"])["locale"] == "de"
    again = next(form for form in forms_of(answer.text) if "Kinds of news" in form.words)
    assert again.fields.getlist("components") == ["web"]
    assert bob.send(again).status_code == 303
    now = told(site, made["id"])
    assert (len(now["components"]), now["locale"]) == (1, "de")
    assert scope(ann, made["id"]).fields.getlist("components") == ["web"]


def test_a_service_that_left_the_page_stays_chosen(site: Site, enter: Enter) -> None:
    """Saving the language does not make somebody hear of all services who chose one that is archived."""
    site.made("/components", name="API")
    site.made("/components", name="Old")
    made = subscribed(site, components=["old"])
    site.ask("DELETE", "/components/old")
    ann = enter(ADMIN)
    assert "it chose 1 service that has left the page" in ann.get(f"/subscribers/{made['id']}").text
    assert ann.send(scope(ann, made["id"]), locale="de").status_code == 303
    now = told(site, made["id"])
    assert (len(now["components"]), now["locale"]) == (1, "de")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"locale": "gibberish!"}, "locale"),
        ({"components": ["nothing"]}, "components"),
        ({"events": ["nothing"]}, "events"),
    ],
)
def test_a_wrong_change_is_named(
    site: Site, enter: Enter, typed: dict[str, Any], field: str
) -> None:
    """At its field, and nothing is written."""
    site.made("/components", name="API")
    made = subscribed(site)
    ann = enter(ADMIN)
    form = scope(ann, made["id"])
    before = site.contents()
    answer = ann.send(form, **typed)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert f'id="f-{field}"' in answer.text
    assert site.contents() == before


def test_a_refused_button_leaves_the_form_filled(site: Site, enter: Enter) -> None:
    """Beside "not now" the form has what is so, else the next "Save" would wipe it out."""
    site.made("/components", name="API")
    row = signed_up(site)
    ann = enter(ADMIN)
    ann.send(scope(ann, str(row.id)), components=["api"], locale="de")
    answer = ann.send(ann.form(f"/subscribers/{row.id}", "Send the confirmation again"))
    assert answer.status_code == 429
    again = next(form for form in forms_of(answer.text) if "Kinds of news" in form.words)
    assert again.fields.getlist("components") == ["api"]
    assert again.fields["locale"] == "de"


def test_one_is_switched_off_and_on_and_deleted(site: Site, enter: Enter) -> None:
    """Each with a notice and an entry in the log; nothing of a deleted one stays."""
    made = subscribed(site)
    ann = enter(ADMIN)
    path = f"/subscribers/{made['id']}"
    page = ann.follow(ann.send(ann.form(path, "Switch off")))
    assert "The subscription is switched off." in page.text
    assert told(site, made["id"])["reason"] == "Disabled by a member."
    page = ann.follow(ann.send(ann.form(path, "Enable")))
    assert "The subscription is active." in page.text
    assert told(site, made["id"])["state"] == "active"
    page = ann.follow(ann.send(ann.form(path, "Delete the subscription")))
    assert "The subscription is deleted" in page.text
    assert ann.get(path).status_code == 404
    assert [action for action, _ in entries(site, made["id"])] == [
        "create",
        "disable",
        "enable",
        "delete",
    ]
    assert "ann@example.com" not in str(site.contents())


def test_one_of_another_page_is_not_found(site: Site, enter: Enter) -> None:
    """Under another status page there is no such subscription, neither to see nor to change."""
    site.made("/components", name="API")
    made = subscribed(site)
    site.made("/pages", name="Other", slug="other")
    ann = enter(ADMIN)
    path = f"/subscribers/{made['id']}"
    assert ann.get(f"{path}?status_page=other").status_code == 404
    for way in ("", "/resend", "/enable", "/disable", "/remove"):
        assert ann.post(f"{path}{way}", {"status_page": "other"}).status_code == 404
    assert "ann@example.com" not in ann.get("/subscribers?status_page=other").text
    assert "ann@example.com" not in ann.get("/subscribers.csv?status_page=other").text
    assert told(site, made["id"])["state"] == "active"


def test_what_was_sent_last(site: Site, enter: Enter) -> None:
    """The ten newest deliveries with their states; a page of deliveries is linked only where there is one."""
    made = subscribed(site)
    for number in range(12):
        site.made("/incidents", title=f"I{number}", body="x")
    page = enter(ADMIN).get(f"/subscribers/{made['id']}").text
    assert page.count("<div>A new incident<p") == 10
    assert "Waiting" in page
    areas = {rule.endpoint for rule in site.app.url_map.iter_rules()}
    is_there = "statuspage.console.deliveries" in areas
    assert ("All deliveries to it" in page) is is_there


def test_a_bounced_address_tells_why(site: Site, enter: Enter) -> None:
    """State, reason and since when; a member who switches it on lifts it."""
    made = subscribed(site)

    def bounce(session: Any) -> None:
        suppressions.suppress(session, the_one(session), "The mailbox is unknown.")

    work(site, bounce)
    ann = enter(ADMIN)
    path = f"/subscribers/{made['id']}"
    page = ann.get(path).text
    assert page.count("The mailbox is unknown.") == 2
    assert "Bounced or stopped</a> <strong>1<" in ann.get("/subscribers").text
    assert ann.send(ann.form(path, "Enable")).status_code == 303
    assert "Bounced or stopped</a> <strong>0<" in ann.get("/subscribers").text
