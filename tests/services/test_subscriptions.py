"""Subscriptions: sign up, confirm, change, end, disable."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from flask_statuspage.delivery import links
from flask_statuspage.errors import (
    Conflict,
    Invalid,
    LinkError,
    LinkExpired,
    LinkInvalid,
    NotFound,
    TooMany,
)
from flask_statuspage.services import deliveries, incidents, pages, signing_secrets, subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage import throttling
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.races import committed
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.signups import SignupAttempt
from flask_statuspage.storage.subscriptions import (
    SubscribedComponent,
    Subscription,
    SubscriptionState,
)
from flask_statuspage.storage.team import AuditEntry
from tests.apps import running

from . import scenes

PENDING, ACTIVE = SubscriptionState.PENDING, SubscriptionState.ACTIVE
DISABLED, ENDED = SubscriptionState.DISABLED, SubscriptionState.ENDED
ADDRESS = "reader@example.com"


def sign_up(session: Session, page: Page, address: str = ADDRESS, **options: Any) -> Subscription:
    """A stranger asks for mail to *address*."""
    parts = {name: options.pop(name) for name in ("components", "events") if name in options}
    wish = Wish(channel="email", address=address, **parts)
    row = subscriptions.subscribe(session, page, wish, **options)
    session.commit()
    return row


def mails(session: Session) -> list[dict[str, Any]]:
    """The data of all mails with a link, oldest first."""
    query = select(EventRow.data).where(EventRow.name == "subscription.confirmation")
    return list(session.scalars(query.order_by(EventRow.sequence)))


def token_of(mail: dict[str, Any]) -> str:
    return mail["confirm_url"].rpartition("/")[2]


def signed_up(session: Session, page: Page, **options: Any) -> Subscription:
    """A reader who has confirmed."""
    sign_up(session, page, **options)
    row = subscriptions.confirm(session, token_of(mails(session)[-1]))
    session.commit()
    return row


def let_pass(session: Session, **time: float) -> None:
    """Make all that was asked and mailed so much older."""
    ago = timedelta(**time)
    for row in session.scalars(select(Subscription)):
        row.asked_at -= ago
        row.mailed_at = row.mailed_at and row.mailed_at - ago
    session.commit()


def test_a_reader_opts_in_twice(app: Flask, session: Session, page: Page) -> None:
    """A sign-up sends one link and nothing else until its owner has confirmed; then events come."""
    row = sign_up(session, page, "  Reader@Example.COM ")
    assert (row.state, row.address) == (PENDING, "Reader@example.com")
    incidents.open(session, page, title="Before")
    session.commit()
    (mail,) = mails(session)
    assert mail["confirm_url"].startswith("https://status.example.com/confirm/")
    with scenes.listening(app) as heard:
        row = subscriptions.confirm(session, token_of(mail))
        session.commit()
    assert (row.state, [event.name for event in heard]) == (ACTIVE, ["subscription.confirmed"])
    incidents.open(session, page, title="After")
    session.commit()
    assert scenes.told(session, row) == ["subscription.confirmation", "incident.created"]


def test_a_confirmation_works_once(session: Session, page: Page) -> None:
    """A link that was used is told as used, and changes nothing."""
    sign_up(session, page)
    token = token_of(mails(session)[0])
    subscriptions.confirm(session, token)
    session.commit()
    with pytest.raises(LinkExpired, match="used already"):
        subscriptions.confirm(session, token)


def test_a_used_link_does_not_come_back_to_life(session: Session, page: Page) -> None:
    """Whoever left and is signed up again by a stranger is not confirmed by the link of the first time."""
    row = signed_up(session, page)
    subscriptions.unsubscribe(session, row)
    session.commit()
    assert sign_up(session, page).state is PENDING
    with pytest.raises(LinkExpired):
        subscriptions.confirm(session, token_of(mails(session)[0]))


def test_a_newer_link_replaces_the_older(session: Session, page: Page) -> None:
    """After a second mail only its link works."""
    sign_up(session, page)
    let_pass(session, hours=1)
    sign_up(session, page)
    old, new = map(token_of, mails(session))
    with pytest.raises(LinkExpired, match="a newer one was sent"):
        subscriptions.confirm(session, old)
    assert subscriptions.confirm(session, new).state is ACTIVE


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_token_that_is_not_ours_is_refused(session: Session, page: Page) -> None:
    """Altered, invented, for another purpose or of another key: none opens anything."""
    row = sign_up(session, page)
    token = token_of(mails(session)[0])
    manage = subscriptions.manage_token(row)
    swapped = ("A" if token[-5] != "A" else "B").join([token[:-5], token[-4:]])
    for wrong in (swapped, "", "x.y.z", token[1:], manage, token + "x", "\x00é"):
        with pytest.raises(LinkInvalid):
            subscriptions.confirm(session, wrong)
    with pytest.raises(LinkInvalid):
        subscriptions.owned(session, token)
    assert row.state is PENDING


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_link_grows_old(session: Session, page: Page) -> None:
    """A confirmation link works for its days; the links to manage and unsubscribe do not age."""
    row = sign_up(session, page)
    ticket = links.Ticket(row.id, row.nonce)
    with pytest.raises(LinkExpired, match="too old"):
        links.read(links.CONFIRM, token_of(mails(session)[0]), max_age=-1)
    assert links.read(links.OWN, links.make(links.OWN, ticket)) == ticket
    assert links.CONFIRM_SECONDS == 7 * 24 * 3600


def test_a_link_whose_sign_up_was_forgotten(session: Session, page: Page) -> None:
    """The link of a sign-up that was deleted says so instead of failing."""
    row = sign_up(session, page)
    token = token_of(mails(session)[0])
    subscriptions.remove(session, row, actor="ann")
    session.commit()
    with pytest.raises(LinkError):
        subscriptions.confirm(session, token)


def test_a_stranger_changes_nothing_of_an_active_one(session: Session, page: Page) -> None:
    """Whoever types a subscribed address changes nothing; its owner is mailed a link to manage it."""
    scenes.component(session, page)
    row = signed_up(session, page)
    let_pass(session, hours=1)
    again = sign_up(session, page, components=["api"], events=["incident.resolved"])
    assert again.id == row.id
    session.expire_all()
    assert (row.state, row.events) == (ACTIVE, None)
    assert session.scalars(select(SubscribedComponent)).all() == []
    mail = mails(session)[-1]
    assert "confirm_url" not in mail
    token = mail["manage_url"].rpartition("/")[2]
    assert subscriptions.owned(session, token).id == row.id


def test_a_stranger_changes_nothing_of_a_webhook(session: Session, page: Page) -> None:
    """A webhook's secret and choices stay, and one that was switched off stays off."""
    row = scenes.webhook(session, page, secret="a secret of mine")
    wish = Wish(
        channel="webhook", address=row.address, secret="a secret of theirs", events=["monitor.down"]
    )
    subscriptions.subscribe(session, page, wish, origin="203.0.113.1")
    session.commit()
    assert (row.secret, row.events, row.state) == ("a secret of mine", None, ACTIVE)
    subscriptions.disable(session, row, reason="too slow")
    session.commit()
    subscriptions.subscribe(session, page, wish)
    session.commit()
    assert (row.secret, row.state) == ("a secret of mine", DISABLED)


def test_whoever_proves_the_address_may_change_it(session: Session, page: Page) -> None:
    """A signed-in customer needs no mail, and changes what is there."""
    scenes.component(session, page)
    row = sign_up(session, page, proven=True)
    assert (row.state, mails(session)) == (ACTIVE, [])
    sign_up(session, page, proven=True, components=["api"], events=["incident.resolved"])
    session.expire_all()
    assert row.events == ["incident.resolved"]
    assert len(session.scalars(select(SubscribedComponent)).all()) == 1


def test_one_address_gets_few_mails(session: Session, page: Page) -> None:
    """However often a stranger types an address, its owner gets a mail every twenty minutes at most."""
    for _ in range(5):
        sign_up(session, page)
    assert len(mails(session)) == 1
    let_pass(session, minutes=19)
    sign_up(session, page)
    assert len(mails(session)) == 1
    let_pass(session, minutes=21)
    sign_up(session, page)
    assert len(mails(session)) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_network_gets_so_many_sign_ups(database_url: str) -> None:
    """After so many sign-ups of an hour the next is refused; other networks are not, nor is an hour later."""
    settings = {**scenes.SETTINGS, "STATUSPAGE_SIGNUPS_PER_HOUR": 2}
    with running(database_url, **settings) as app, app.app_context():
        session = scenes.current_session()
        page = pages.find(session, None)
        for number in range(2):
            sign_up(session, page, f"a{number}@example.com", origin="203.0.113.1")
        with pytest.raises(TooMany) as caught:
            sign_up(session, page, "a3@example.com", origin="203.0.113.1")
        assert caught.value.retry_after == 3600
        session.rollback()
        sign_up(session, page, "a4@example.com", origin="203.0.113.2")
        session.execute(update(SignupAttempt).values(at=utc_now() - timedelta(hours=1)))
        sign_up(session, page, "a5@example.com", origin="203.0.113.1")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_attempts_on_a_known_address_count_as_well(database_url: str) -> None:
    """Whether an address is subscribed cannot be read off the limit, nor the limit passed within a /64."""
    settings = {**scenes.SETTINGS, "STATUSPAGE_SIGNUPS_PER_HOUR": 3}
    with running(database_url, **settings) as app, app.app_context():
        session = scenes.current_session()
        page = pages.find(session, None)
        sign_up(session, page, "known@example.com", proven=True)
        for number in range(3):
            sign_up(session, page, "known@example.com", origin=f"2001:db8::{number + 1}")
        with pytest.raises(TooMany):
            sign_up(session, page, "new@example.com", origin="2001:db8::ffff")
        session.rollback()
        sign_up(session, page, "new@example.com", origin="2001:db8:0:1::1")


@pytest.mark.parametrize("channel", ["webhook", "email"])
def test_one_address_is_never_doubled(
    app: Flask, session: Session, page: Page, channel: str
) -> None:
    """Sign-ups of one address at the same moment all succeed and make one subscription, one mail."""
    address = {"webhook": "http://127.0.0.1:9/hook", "email": ADDRESS}[channel]

    def work(other: Session, its_page: Page) -> object:
        wish = Wish(channel=channel, address=address)
        return subscriptions.subscribe(other, its_page, wish, origin="203.0.113.1").id

    done = scenes.at_once(app, *[work] * 5)
    row = session.scalars(select(Subscription)).one()
    assert done == [row.id] * 5
    assert len(mails(session)) == (channel == "email")
    assert len(scenes.names(session, "subscription.confirmed")) == (channel == "webhook")


def test_sign_ups_do_not_renew_the_page(session: Session, page: Page) -> None:
    """A sign-up changes nothing that a page shows, so rendered documents stay as they are."""
    version = page.version
    sign_up(session, page)
    assert page.version == version


def test_an_address_may_follow_several_pages(session: Session, page: Page) -> None:
    """One subscription per page and channel: the same address may have one on each page."""
    other = pages.create(session, name="Internal")
    assert sign_up(session, page).id != sign_up(session, other).id


def test_who_never_confirms_is_forgotten(session: Session, page: Page) -> None:
    """After the life of the link a sign-up is deleted with all its rows; the confirmed one stays."""
    scenes.component(session, page)
    kept = signed_up(session, page, address="kept@example.com")
    sign_up(session, page, components=["api"])
    let_pass(session, days=6, hours=23)
    assert subscriptions.forget_unconfirmed(session, utc_now()) == 0
    let_pass(session, hours=2)
    assert subscriptions.forget_unconfirmed(session, utc_now()) == 1
    session.commit()
    assert session.scalars(select(Subscription.id)).all() == [kept.id]
    assert session.scalars(select(SubscribedComponent)).all() == []
    assert session.scalars(select(Delivery.subscription_id)).all() == [kept.id]


def test_unsubscribing_ends_all(session: Session, page: Page) -> None:
    """What is still on its way is cancelled, doing it twice is fine, and coming back needs a new link."""
    row = signed_up(session, page)
    incidents.open(session, page, title="Slow")
    session.commit()
    owned = subscriptions.owned(session, subscriptions.manage_token(row))
    for _ in range(2):
        subscriptions.unsubscribe(session, owned)
        session.commit()
    assert row.state is ENDED
    states = session.scalars(select(Delivery.state)).all()
    assert set(states) == {DeliveryState.CANCELLED}
    incidents.open(session, page, title="Later")
    let_pass(session, hours=1)
    assert sign_up(session, page).state is PENDING
    assert subscriptions.confirm(session, token_of(mails(session)[-1])).id == row.id


def test_disabled_and_enabled(app: Flask, session: Session, page: Page) -> None:
    """A member switches a subscription off, which the host hears once, and on again."""
    row = scenes.webhook(session, page)
    with scenes.listening(app) as heard:
        for _ in range(2):
            row = subscriptions.get(session, page, row.id)
            subscriptions.disable(session, row, reason="too slow", actor="ann")
            session.commit()
    (event,) = heard
    assert event.name == "subscription.disabled"
    assert event.data["subscription"]["reason"] == "too slow"
    assert "secret" not in event.data["subscription"]
    incidents.open(session, page, title="Unheard")
    row = subscriptions.get(session, page, row.id)
    subscriptions.enable(session, row, actor="ann")
    incidents.open(session, page, title="Heard")
    session.commit()
    assert scenes.told(session, row) == ["incident.created"]
    assert (row.state, row.reason) == (ACTIVE, None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("choice", "state"), [("open", ACTIVE), ("approval", PENDING), ("closed", None)]
)
def test_the_site_decides_on_webhooks_of_strangers(
    database_url: str, choice: str, state: SubscriptionState | None
) -> None:
    """A stranger's webhook is active at once, waits for a member, or is refused."""
    settings = {**scenes.SETTINGS, "STATUSPAGE_WEBHOOK_SIGNUP": choice}
    with running(database_url, **settings) as app, app.app_context():
        session = scenes.current_session()
        page = pages.find(session, None)
        wish = Wish(channel="webhook", address="http://127.0.0.1:9/hook")
        if state is None:
            with pytest.raises(Invalid, match="set up by the site's team only"):
                subscriptions.subscribe(session, page, wish)
        else:
            assert subscriptions.subscribe(session, page, wish).state is state


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("wish", "fields"),
    [
        ({"channel": "pigeon", "address": "x"}, {"channel"}),
        ({"channel": "email", "address": "nobody"}, {"address"}),
        ({"channel": "email", "address": "a@b@example.com"}, {"address"}),
        ({"channel": "email", "address": "a..b@example.com"}, {"address"}),
        ({"channel": "email", "address": "a@example.com\r\nBcc: b@example.com"}, {"address"}),
        ({"channel": "email", "address": "a,b@example.com"}, {"address"}),
        ({"channel": "email", "address": "x" * 250 + "@example.com"}, {"address"}),
        ({"channel": "email", "address": ADDRESS, "format": "native"}, {"format"}),
        ({"channel": "email", "address": ADDRESS, "events": ["coffee.ready"]}, {"events"}),
        ({"channel": "email", "address": ADDRESS, "components": ["nothing"]}, {"components"}),
        ({"channel": "webhook", "address": "ftp://x", "secret": ""}, {"address", "secret"}),
        ({"channel": "webhook", "address": "http://u:p@127.0.0.1/"}, {"address"}),
        ({"channel": "webhook", "address": "http://127.0.0.1/", "secret": "x" * 201}, {"secret"}),
    ],
)
def test_a_wrong_wish_names_its_fields(
    session: Session, page: Page, wish: dict[str, Any], fields: set[str]
) -> None:
    """Every wrong field is named, and nothing is kept."""
    with pytest.raises(Invalid) as caught:
        subscriptions.subscribe(session, page, Wish(**wish))
    assert {error.field for error in caught.value.errors} == fields
    session.rollback()
    assert session.scalar(select(func.count(Subscription.id))) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_a_mail_server_there_is_no_email(database_url: str) -> None:
    """A channel that is not set up is refused; what is missing is told to members, not to strangers."""
    with running(database_url) as app, app.app_context():
        session = scenes.current_session()
        with pytest.raises(Invalid, match="STATUSPAGE_SMTP_URL is not set"):
            sign_up(session, pages.find(session, None), proven=True)
        with pytest.raises(Invalid, match="not available on this page") as refused:
            sign_up(session, pages.find(session, None))
        assert "STATUSPAGE" not in str(refused.value)


def test_a_subscription_hears_of_what_it_chose(session: Session, page: Page) -> None:
    """Only events about a chosen component, and only chosen events, reach it."""
    scenes.component(session, page)
    scenes.component(session, page, "Web")
    about_api = scenes.webhook(session, page, components=["api"])
    resolved = scenes.webhook(session, page, events=["incident.resolved"])
    for slug in ("api", "web"):
        incident = incidents.open(session, page, title=slug, affected=[slug])
        incidents.resolve(session, page, incident.id)
    session.commit()
    assert scenes.told(session, about_api) == ["incident.created", "incident.resolved"]
    assert scenes.told(session, resolved) == ["incident.resolved"] * 2


def test_a_test_message_goes_to_one(session: Session, page: Page) -> None:
    """A test reaches the one subscription, whatever it chose, and none that is switched off."""
    row = scenes.webhook(session, page, events=["monitor.down"])
    other = scenes.webhook(session, page)
    subscriptions.send_test(session, page, row)
    session.commit()
    assert (scenes.told(session, row), scenes.told(session, other)) == (["test"], [])
    row = subscriptions.get(session, page, row.id)
    subscriptions.disable(session, row, reason="off")
    with pytest.raises(Conflict, match="enable it first"):
        subscriptions.send_test(session, page, row)


def test_a_removed_subscription_leaves_nothing(session: Session, page: Page) -> None:
    """Its deliveries go with it, and it is not found any more."""
    row = scenes.webhook(session, page)
    subscriptions.send_test(session, page, row)
    session.commit()
    ident = row.id
    subscriptions.remove(session, row, actor="ann")
    session.commit()
    assert session.scalars(select(Delivery)).all() == []
    with pytest.raises(NotFound):
        subscriptions.get(session, page, ident)


def test_a_secret_is_told_once(session: Session, page: Page) -> None:
    """Rotating gives a new secret in the Standard Webhooks notation; mail has none."""
    row = scenes.webhook(session, page, secret="the older secret")
    secret = signing_secrets.rotate(session, row, actor="ann")
    session.commit()
    assert secret.startswith("whsec_")
    assert row.secret == secret
    with pytest.raises(Conflict):
        signing_secrets.rotate(session, sign_up(session, page), actor="ann")


def test_the_right_key_is_not_needed_to_open_an_incident(session: Session, page: Page) -> None:
    """A stored secret that cannot be opened holds up neither an incident nor its deliveries' rows."""
    ident = scenes.webhook(session, page, secret="a secret of mine").id
    session.connection().exec_driver_sql("UPDATE statuspage_subscription SET secret = 'broken'")
    session.commit()
    session.expunge_all()
    page = pages.find(session, None)
    incidents.open(session, page, title="Slow")
    session.commit()
    query = select(func.count(Delivery.id)).where(Delivery.subscription_id == ident)
    assert session.scalar(query) == 1


def of_all_origins(session: Session, page: Page) -> dict[str, Subscription]:
    """A subscription by each who can make one, and one that waits for its owner's word."""
    rows = {"stranger": signed_up(session, page, address="stranger@example.com")}
    rows["waiting"] = sign_up(session, page, "waiting@example.com")
    for name, actor in (("customer", "Customer@example.com"), ("member", "key ops")):
        rows[name] = sign_up(session, page, f"{name}@example.com", proven=True, actor=actor)
    return rows


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("public", "signed-in", {"stranger", "waiting"}),
        ("public", "link", {"stranger", "waiting", "customer"}),
        ("signed-in", "link", {"stranger", "waiting", "customer"}),
        ("link", "signed-in", {"stranger", "waiting"}),
        ("link", "rotated", {"stranger", "waiting", "customer"}),
        ("link", "link", set()),
        ("link", "public", set()),
        ("signed-in", "public", set()),
    ],
)
def test_who_is_shut_out_hears_no_more(
    app: Flask, session: Session, page: Page, before: str, after: str, lost: set[str]
) -> None:
    """With the page's door the subscriptions end that visitors made themselves: nothing tells them the new link."""
    page.visibility = before
    page.link_token = "an old link" if before == "link" else None
    rows = of_all_origins(session, page)
    waiting = token_of(mails(session)[-1])

    def close(**options: Any) -> int:
        if after == "rotated":
            return pages.rotate_link(session, page, actor="ann", **options)[1]
        return pages.change(session, page, {"visibility": after}, actor="ann", **options)[1]

    assert close(subscribers="keep") == 0
    session.rollback()
    assert close() == len(lost)
    session.commit()
    for name, row in rows.items():
        assert (row.state is DISABLED) == (name in lost), name
    query = select(EventRow.subject_id).where(EventRow.name == "subscription.disabled")
    assert set(session.scalars(query)) == {rows[name].id for name in lost}
    audited = select(AuditEntry).where(AuditEntry.action == "disable")
    assert {entry.subject_id for entry in session.scalars(audited)} == {rows[n].id for n in lost}
    assert {entry.actor for entry in session.scalars(audited)} <= {"ann"}
    if lost:
        with pytest.raises(LinkExpired):
            subscriptions.confirm(session, waiting)
        session.rollback()
    incident = incidents.open(session, page, title="Fire")
    session.commit()
    told = (
        select(Delivery.subscription_id)
        .join(EventRow, EventRow.id == Delivery.event_id)
        .where(EventRow.subject_id == incident.id)
    )
    assert set(session.scalars(told)) == {
        row.id for name, row in rows.items() if name not in {*lost, "waiting"}
    }


def test_a_wrong_word_about_subscribers(session: Session, page: Page) -> None:
    """It is refused by name before anything is changed."""
    for call in (
        lambda: pages.change(session, page, {"visibility": "link"}, subscribers="all", actor=None),
        lambda: pages.rotate_link(session, page, subscribers="", actor=None),
    ):
        with pytest.raises(Invalid) as caught:
            call()
        assert [error.field for error in caught.value.errors] == ["subscribers"]
    assert page.visibility == "public"


def test_a_mailbox_has_one_subscription_in_any_spelling(session: Session, page: Page) -> None:
    """Ann@ and ann@ are one person; messages go to the spelling that came first."""
    first = sign_up(session, page, "Ann@example.com")
    again = sign_up(session, page, "ANN@Example.com", proven=True)
    assert again.id == first.id
    assert again.address == "Ann@example.com"


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_leaving_while_a_worker_counts_notices(
    app: Flask, session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever leaves at that moment waits or is tried again; a program's one click is never lost."""
    row = sign_up(session, page, proven=True)
    token = subscriptions.manage_token(row)
    state = app.extensions["statuspage"]
    monkeypatch.setattr(state, "settings", replace(state.settings, notices_per_hour=2))
    for number in range(3):
        incidents.open(session, page, title=f"Number {number}")
    session.commit()
    counts, leased = throttling.hold, threading.Event()

    def slowly(db: Session, near: Any) -> None:
        leased.set()
        time.sleep(0.3)
        counts(db, near)

    monkeypatch.setattr(throttling, "hold", slowly)

    def work() -> None:
        with app.app_context():
            committed(current_session(), partial(deliveries.claim, limit=100))

    worker = threading.Thread(target=work)
    worker.start()
    assert leased.wait(10)
    answer = app.test_client().post(
        f"/status/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"}
    )
    worker.join()
    assert answer.status_code == 200
    session.rollback()
    session.expire_all()
    assert session.get_one(Subscription, row.id).state is ENDED
