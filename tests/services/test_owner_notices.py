"""Who is told when a webhook is switched off, by whom, and in which words."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_statuspage.delivery.formats import formats
from flask_statuspage.domain.events import DISABLED
from flask_statuspage.errors import Conflict, Invalid
from flask_statuspage.services import (
    events,
    pages,
    redelivery,
    subscription_changes,
    subscriptions,
)
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.outbox import Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from flask_statuspage.storage.team import AuditEntry
from tests.apps import running

from . import scenes

OWNER = "owner@example.com"


def disabled(session: Session, page: Page, row: Subscription, **options: Any) -> Subscription:
    row = subscriptions.get(session, page, row.id, lock=True)
    reason = "The endpoint answered 410."
    subscriptions.disable(session, row, reason=reason, **options)
    session.commit()
    return subscriptions.get(session, page, row.id, lock=True)


def notices(session: Session) -> list[Delivery]:
    query = select(Delivery).join(Delivery.event).where(EventRow.name == DISABLED)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def mail(session: Session) -> dict[str, str]:
    """What the email format makes of the newest event of a disabled subscription."""
    query = select(EventRow).where(EventRow.name == DISABLED).order_by(EventRow.sequence.desc())
    row = session.scalars(query.limit(1)).one()
    made: dict[str, str] = json.loads(formats["email"].render(events.as_event(row)))
    return made


def test_its_owner_is_told_of_what_the_extension_disabled(session: Session, page: Page) -> None:
    """One mail to the contact waits, while all else for the webhook is cancelled; a second call does not cancel it."""
    row = scenes.webhook(session, page, contact=" Owner@Example.com ")
    assert row.contact == "Owner@example.com"
    subscriptions.send_test(session, page, row)
    row = disabled(session, page, row)
    (notice,) = notices(session)
    assert (notice.notice_to, notice.state) == ("Owner@example.com", DeliveryState.PENDING)
    assert (notice.subscription_id, notice.subject_id) == (row.id, row.id)
    others = select(Delivery.state).where(Delivery.id != notice.id)
    assert session.scalars(others).all() == [DeliveryState.CANCELLED]
    disabled(session, page, row)
    (notice,) = notices(session)
    assert notice.state is DeliveryState.PENDING


@pytest.mark.parametrize("end", ["enable", "unsubscribe", "subscribe"])
def test_what_is_not_true_any_more_is_not_mailed(session: Session, page: Page, end: str) -> None:
    """Once the subscription is armed again or over, a notice that still waits is cancelled; what was sent stays so."""
    row = scenes.webhook(session, page, contact=OWNER)
    row = disabled(session, page, row)
    (sent,) = notices(session)
    sent.state = DeliveryState.DONE
    subscriptions.enable(session, row, actor="ann")
    row = disabled(session, page, row)
    if end == "enable":
        subscriptions.enable(session, row, actor="ann")
    elif end == "unsubscribe":
        subscriptions.unsubscribe(session, row)
    else:
        wish = Wish(channel="webhook", address=row.address, contact=OWNER)
        subscriptions.subscribe(session, page, wish, proven=True)
    session.commit()
    one, other = sorted(notices(session), key=lambda notice: notice.sequence)
    assert (one.state, other.state) == (DeliveryState.DONE, DeliveryState.CANCELLED)
    assert other.reason == f"The subscription is {row.state.value}, not disabled any more."


@pytest.mark.parametrize(
    ("contact", "options"),
    [(None, {}), (OWNER, {"actor": "key ops"}), (OWNER, {"tell_owner": False})],
)
def test_nobody_is_told_of_what_a_member_did(
    session: Session, page: Page, contact: str | None, options: dict[str, Any]
) -> None:
    """A member knows; without a contact there is nobody to tell."""
    disabled(session, page, scenes.webhook(session, page, contact=contact), **options)
    assert notices(session) == []


def test_a_closed_page_mails_its_new_link_to_nobody(session: Session, page: Page) -> None:
    """Owners of webhooks who are shut out with the page's door are not told where the page is now."""
    wish = Wish(channel="webhook", address="http://127.0.0.1:9/shut-out", contact=OWNER)
    row = subscriptions.subscribe(session, page, wish)
    session.commit()
    pages.change(session, page, {"visibility": "link"}, actor=None)
    session.commit()
    session.refresh(row)
    assert row.state is SubscriptionState.DISABLED
    assert notices(session) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_a_mail_server_nobody_is_mailed(database_url: str) -> None:
    """The webhook is disabled all the same; no mail waits for a server that is not there."""
    with running(database_url, STATUSPAGE_ALLOW_PRIVATE_TARGETS=True) as app, app.app_context():
        session = scenes.current_session()
        page = pages.find(session, None)
        row = scenes.webhook(session, page, "https://127.0.0.1/hook", contact=OWNER)
        row = disabled(session, page, row)
        assert row.state is SubscriptionState.DISABLED
        assert notices(session) == []


def test_the_mail_says_what_and_why_and_how_to_go_on(session: Session, page: Page) -> None:
    """Address without its query, reason, time and the call that mends it stand in both bodies, in plain words."""
    url = "http://127.0.0.1:9/hook<b>?key=sesame"
    row = disabled(session, page, scenes.webhook(session, page, url, contact=OWNER))
    found = mail(session)
    assert found["subject"] == "[Status] Your webhook was switched off"
    since = session.scalars(select(EventRow).where(EventRow.name == DISABLED)).one().occurred_at
    for words in (
        "Address: http://127.0.0.1:9/hook<b> (webhook)",
        "Reason: The endpoint answered 410.",
        f"Since: {since:%Y-%m-%d %H:%M} UTC",
        f"POST https://status.example.com/admin/api/v1/subscriptions/{row.id}/enable",
        "ask the team behind Status",
    ):
        assert words in found["text"]
        assert escape(words) in found["html"]
    assert "sesame" not in found["text"] + found["html"]


def test_the_mail_names_another_page(session: Session, page: Page) -> None:
    """The call that enables a subscription of another page than the default one says which."""
    second = pages.create(session, name="Second")
    session.commit()
    row = disabled(session, second, scenes.webhook(session, second, contact=OWNER))
    assert f"/subscriptions/{row.id}/enable?status_page=second" in mail(session)["text"]


def test_one_call_arms_it_again(session: Session, page: Page) -> None:
    """It clears the reason and counts failures from now on; what was cancelled stays so until it is asked for."""
    row = scenes.webhook(session, page, contact=OWNER)
    subscriptions.send_test(session, page, row)
    row = disabled(session, page, row)
    first_confirmed = row.confirmed_at
    subscriptions.enable(session, row, actor="ann")
    session.commit()
    row = subscriptions.get(session, page, row.id, lock=True)
    assert (row.state, row.reason) == (SubscriptionState.ACTIVE, None)
    assert row.confirmed_at is not None
    assert first_confirmed is not None
    assert row.confirmed_at > first_confirmed
    (cancelled,) = (one for one in scenes.deliveries(session, row) if one.notice_to is None)
    assert cancelled.state is DeliveryState.CANCELLED
    redelivery.redeliver(session, page, cancelled.id, actor="ann")
    session.commit()
    assert cancelled.state is DeliveryState.PENDING


def test_a_notice_is_sent_again_only_while_it_is_true(session: Session, page: Page) -> None:
    """One that failed can be sent again while the subscription is disabled, and not afterwards."""
    row = disabled(session, page, scenes.webhook(session, page, contact=OWNER))
    (notice,) = notices(session)
    notice.state = DeliveryState.DEAD
    session.commit()
    redelivery.redeliver(session, page, notice.id, actor="ann")
    notice.state = DeliveryState.DEAD
    subscriptions.enable(session, row, actor="ann")
    session.commit()
    with pytest.raises(Conflict, match="not disabled any more"):
        redelivery.redeliver(session, page, notice.id, actor="ann")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "contact", ["", "ann", "a@b@example.com", "ä@example.com", "a\n@b.example"]
)
def test_a_contact_is_an_email_address(session: Session, page: Page, contact: str) -> None:
    """What is none is refused by name, when a webhook is made and when it is changed."""
    row = scenes.webhook(session, page, contact=OWNER)
    row = subscriptions.get(session, page, row.id, lock=True)
    for give in (
        lambda: scenes.webhook(session, page, contact=contact),
        lambda: subscription_changes.change(session, page, row, {"contact": contact}, actor="ann"),
    ):
        with pytest.raises(Invalid) as caught:
            give()
        assert [error.field for error in caught.value.errors] == ["contact"]
    session.rollback()
    assert session.scalar(select(func.count(Subscription.id))) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_mailbox_has_no_contact(session: Session, page: Page) -> None:
    """Whoever reads mail at the address itself needs no other one."""
    wish = Wish(channel="email", address=OWNER, contact=OWNER)
    with pytest.raises(Invalid) as caught:
        subscriptions.subscribe(session, page, wish, proven=True)
    assert [error.field for error in caught.value.errors] == ["contact"]


def test_the_audit_never_tells_a_contact(session: Session, page: Page) -> None:
    """It is an address, which must be gone once the subscription is; a change of it is told as such."""
    row = scenes.webhook(session, page, contact=OWNER)
    for contact in ("other@example.com", "other@example.com", None):
        row = subscriptions.get(session, page, row.id, lock=True)
        subscription_changes.change(session, page, row, {"contact": contact}, actor="ann")
        session.commit()
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert not [one for one in entries if "example.com" in f"{one.before}{one.after}"]
    changes = [(one.before, one.after) for one in entries if one.action == "change"]
    assert changes == [
        ({"contact": "(hidden)"}, {"contact": "(hidden, new)"}),
        ({"contact": "(hidden)"}, {"contact": None}),
    ]


def test_a_removed_subscription_takes_its_notice_along(session: Session, page: Page) -> None:
    """Nothing of the contact stays in deliveries or events."""
    row = disabled(session, page, scenes.webhook(session, page, contact=OWNER))
    subscriptions.remove(session, row, actor="ann")
    session.commit()
    assert notices(session) == []
    assert session.scalars(select(EventRow.data)).all() == []
