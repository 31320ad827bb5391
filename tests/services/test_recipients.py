"""How many would be told is known before anything is sent, by the rule that sends."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as hooks
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage import StatusPage
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.errors import Invalid, NotFound
from flask_statuspage.services import components, incidents, pages, recipients, subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.state import state_of
from flask_statuspage.storage.outbox import Delivery, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription

from . import scenes

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
pytestmark = ON_SQLITE


def subscribed(session: Session, page: Page) -> None:
    """Subscriptions of every kind: some of all, some of one component, some of other events, some that wait."""
    for number, options in enumerate(
        (
            {},
            {"components": ["api"]},
            {"components": ["web"]},
            {"components": ["api", "web"]},
            {"events": ["maintenance.started"]},
            {"events": ["incident.created"], "components": ["web"]},
            {"events": ["component.status_change"], "components": ["api"]},
        )
    ):
        wish = Wish(channel="email", address=f"reader-{number}@example.com", **options)
        subscriptions.subscribe(session, page, wish, proven=True)
    waiting = Wish(channel="email", address="waiting@example.com")
    subscriptions.subscribe(session, page, waiting)
    disabled = subscriptions.subscribe(
        session, page, Wish(channel="email", address="off@example.com"), proven=True
    )
    subscriptions.disable(session, disabled, reason="enough", actor="Eve")
    for format in ("native", "statusmate", "statusgator", "statuspage"):
        scenes.webhook(session, page, format=format)
    scenes.webhook(session, page, format="statusgator", level="down")
    scenes.webhook(session, page, format="statusgator", components=["web"])
    session.commit()


def delivered(session: Session, *names: str) -> dict[str, int]:
    """How many deliveries of these events there are, by channel."""
    query = select(Subscription.channel).join(Delivery, Delivery.subscription_id == Subscription.id)
    query = query.join(EventRow, EventRow.sequence == Delivery.sequence)
    return dict(Counter(session.scalars(query.where(EventRow.name.in_(names)))))


@pytest.mark.parametrize("about", [(), ("api",), ("web",), ("api", "web")])
def test_the_count_is_what_is_sent(session: Session, page: Page, about: tuple[str, ...]) -> None:
    """Whatever components an incident is about, as many deliveries are written as were counted."""
    for name in ("API", "Web"):
        scenes.component(session, page, name)
    subscribed(session, page)
    rows = components.named(session, page, about)
    ids = [row.id for row in rows]
    counted = recipients.count(session, page, "incident.created", ids)
    affected = {slug: ComponentStatus.MAJOR_OUTAGE for slug in about}
    expected = recipients.count(session, page, "component.status_change", ids) if about else {}
    incidents.open(session, page, title="Fire", affected=affected)
    session.commit()
    assert delivered(session, "incident.created") == counted
    assert counted["email"] in (1, 3, 4, 5)
    if len(about) == 1:
        # Of an outage everybody hears who hears of changes at all.
        assert delivered(session, "component.status_change", "page.status_change") == expected


def test_pages_of_subscriptions_are_counted_in_few_statements(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two statements for each page of subscriptions, none for a subscription, and nothing of an address is read."""
    for number in range(25):
        wish = Wish(channel="email", address=f"reader-{number}@example.com")
        subscriptions.subscribe(session, page, wish, proven=True)
    session.commit()
    page_id = page.id
    session.expunge_all()
    page = session.get_one(Page, page_id)
    sent: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    monkeypatch.setattr(recipients, "AT_ONCE", 10)
    hooks.listen(session.get_bind(), "before_cursor_execute", note)
    try:
        assert recipients.count(session, page, "incident.created", []) == {"email": 25}
    finally:
        hooks.remove(session.get_bind(), "before_cursor_execute", note)
    assert len(sent) == 6
    assert not any("address" in statement for statement in sent)


def test_another_page_has_its_own(session: Session, page: Page) -> None:
    """Who subscribed to another page does not count."""
    other = pages.create(session, name="Second")
    wish = Wish(channel="email", address="ann@example.com")
    subscriptions.subscribe(session, other, wish, proven=True)
    session.commit()
    assert recipients.count(session, page, "incident.created", []) == {}
    assert recipients.count(session, other, "incident.created", []) == {"email": 1}


def test_host_code_counts_as_well(app: Flask, session: Session, page: Page) -> None:
    """`statuspage.count_recipients` takes slugs and names what is wrong."""
    statuspage = state_of(app).owner
    assert isinstance(statuspage, StatusPage)
    scenes.component(session, page, "API")
    wish = Wish(channel="email", address="ann@example.com", components=["api"])
    subscriptions.subscribe(session, page, wish, proven=True)
    session.commit()
    assert statuspage.count_recipients(event="incident.created", components=["api"]) == {"email": 1}
    assert statuspage.count_recipients(event="incident.created") == {}
    for field, options in (
        ("event", {"event": "test"}),
        ("components", {"event": "incident.created", "components": ["nothing"]}),
    ):
        with pytest.raises(Invalid) as refused:
            statuspage.count_recipients(**options)  # type: ignore[arg-type]
        assert [error.field for error in refused.value.errors] == [field]
    with pytest.raises(NotFound):
        statuspage.count_recipients(event="incident.created", page="elsewhere")
