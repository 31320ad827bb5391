"""What goes together: formats with levels, formats for members only, and what each of them can word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_statuspage.delivery.formats import formats
from flask_statuspage.domain.events import COMPONENT_EVENTS, Event
from flask_statuspage.errors import Invalid
from flask_statuspage.services import events, subscription_changes, subscriptions, wishes
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage.outbox import Delivery, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from flask_statuspage.storage.team import AuditEntry

from . import scenes

LEVELS = ("any", "warn", "down")
HOOK = "http://127.0.0.1:9/hook"


@pytest.fixture(autouse=True)
def _further_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that knows severities and words changes of components only, and one that is for the team alone."""
    native = formats["native"]
    only = frozenset(COMPONENT_EVENTS)
    added = {
        "graded": replace(native, name="graded", levels=LEVELS, unasked=only, offered=only),
        "inside": replace(native, name="inside", members_only=True),
    }
    monkeypatch.setattr(formats, "_all", {**formats._loaded(), **added})


def wish(**options: Any) -> Wish:
    return Wish(channel="webhook", address=HOOK, **options)


def refused(call: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        call()
    return [error.field for error in caught.value.errors]


def of_member(session: Session, page: Page, **options: Any) -> Subscription:
    row = subscriptions.subscribe(session, page, wish(**options), proven=True, actor="key ops")
    session.commit()
    return subscriptions.get(session, page, row.id, lock=True)


@pytest.mark.parametrize("level", [None, *LEVELS])
def test_a_level_of_the_format_is_kept(session: Session, page: Page, level: str | None) -> None:
    """Each level that the format knows is stored, and shown in the audit; none means its first one."""
    row = of_member(session, page, format="graded", level=level)
    assert (row.level, subscriptions.described(row)["level"]) == (level, level)
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.subject == "subscription"))
    assert entry.after is not None
    assert entry.after["level"] == level


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("format", "level"), [("graded", "DOWN"), ("graded", ""), ("native", "any"), ("native", "")]
)
def test_a_level_that_the_format_does_not_know(
    session: Session, page: Page, format: str, level: str
) -> None:
    """It is refused by name, of a stranger and of a member, together with whatever else is wrong."""
    asked = wish(format=format, level=level)
    assert refused(lambda: subscriptions.subscribe(session, page, asked)) == ["level"]
    assert refused(lambda: wishes.vet(replace(asked, secret="short"))) == ["level", "secret"]
    session.rollback()
    assert session.scalar(select(func.count(Subscription.id))) == 0


def test_a_change_leaves_nothing_impossible(session: Session, page: Page) -> None:
    """A format that does not know the level or the events is taken only with a change of those; nothing is dropped."""
    row = of_member(session, page, format="graded", level="down", events=list(COMPONENT_EVENTS))
    policy = {"timeout": 5.0}

    def change(**values: Any) -> Subscription:
        found = subscriptions.get(session, page, row.id, lock=True)
        subscription_changes.change(session, page, found, values, actor="key ops")
        session.commit()
        return found

    assert refused(lambda: change(format="native")) == ["level"]
    session.rollback()
    found = change(format="native", level=None, policy=policy)
    assert (found.format, found.level, found.policy) == ("native", None, policy)
    change(events=["incident.created"])
    assert refused(lambda: change(format="graded")) == ["events"]
    session.rollback()
    assert refused(lambda: change(level="down")) == ["level"]
    session.rollback()
    found = change(format="graded", level="warn", events=None)
    # The policy is no matter of the format: it goes on to count.
    assert (found.format, found.level, found.events) == ("graded", "warn", None)
    assert found.policy == policy


def test_a_policy_is_replaced_as_a_whole(session: Session, page: Page) -> None:
    """What a new policy does not name is the format's again; null and an empty one take it away."""
    row = of_member(session, page, policy={"timeout": 5, "rate": 7})
    for given, kept in (
        ({"size": 5000}, {"size": 5000}),
        ({}, None),
        ({"rate": 9}, {"rate": 9}),
        (None, None),
    ):
        row = subscriptions.get(session, page, row.id, lock=True)
        subscription_changes.change(session, page, row, {"policy": given}, actor="key ops")
        session.commit()
        assert row.policy == kept
    query = select(AuditEntry).where(AuditEntry.action == "change").order_by(AuditEntry.id)
    first = session.scalars(query).first()
    assert first is not None
    assert first.before == {"policy": {"timeout": 5.0, "rate": 7}}
    assert first.after == {"policy": {"size": 5000}}


def test_what_the_team_sees_is_not_for_strangers(session: Session, page: Page) -> None:
    """A stranger and a signed-in customer cannot have such a format, nor hear of its name; a member can."""
    asked = wish(format="inside")
    for call in (
        lambda: subscriptions.subscribe(session, page, asked),
        lambda: subscriptions.subscribe(session, page, asked, origin="192.0.2.1"),
        lambda: wishes.vet(replace(asked, by_visitor=True)),
        lambda: subscriptions.subscribe(
            session, page, replace(asked, by_visitor=True), proven=True, actor="ann@example.com"
        ),
    ):
        with pytest.raises(Invalid) as caught:
            call()
        (error,) = caught.value.errors
        assert error.field == "format"
        assert "graded" in error.message
        assert "inside" not in error.message
        session.rollback()
    assert session.scalar(select(func.count(Subscription.id))) == 0
    assert of_member(session, page, format="inside").format == "inside"


def test_a_visitor_cannot_take_a_members_policy_away(session: Session, page: Page) -> None:
    """A customer who signs up once more keeps what a member set; one who comes back after the end begins without."""
    asked = Wish(channel="email", address="ann@example.com", by_visitor=True)
    row = subscriptions.subscribe(session, page, replace(asked, policy=None), proven=True)
    session.commit()
    row = subscriptions.get(session, page, row.id, lock=True)
    subscription_changes.change(session, page, row, {"policy": {"rate": 5}}, actor="key ops")
    subscriptions.subscribe(session, page, asked, proven=True)
    session.commit()
    assert row.policy == {"rate": 5}
    subscriptions.unsubscribe(session, row)
    session.commit()
    subscriptions.subscribe(session, page, asked, proven=True)
    session.commit()
    assert (row.policy, row.state) == (None, SubscriptionState.ACTIVE)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_format_words_a_test(session: Session, page: Page) -> None:
    """A test event reaches a subscription of each format, and holds what the format needs to word it."""
    scenes.component(session, page)
    others = {name for name in formats if formats[name].channels.isdisjoint({"email", "webhook"})}
    for name in set(formats) - others:
        channel = min(formats[name].channels)
        address = "ann@example.com" if channel == "email" else f"{HOOK}/{name}"
        asked = Wish(channel=channel, address=address, format=name)
        row = subscriptions.subscribe(session, page, asked, proven=True, actor="key ops")
        ident = subscriptions.send_test(session, page, row, actor="key ops")
        session.commit()
        event: Event = events.as_event(
            session.scalars(select(EventRow).where(EventRow.id == ident)).one()
        )
        assert formats[name].render(event)
        told = select(Delivery.event_id).where(Delivery.subscription_id == row.id)
        assert session.scalars(told).all() == [ident]
