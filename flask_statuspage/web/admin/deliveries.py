"""The pages "Deliveries": the log, one delivery with its attempts, and sending again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import request

from ...delivery.channels import channels
from ...documents.console import deliveries as documents
from ...documents.console.deliveries import AttemptView, Choice, DeliveryView
from ...documents.console.pager import Pager
from ...documents.console.room import Trouble
from ...domain.events import DIGEST, DISABLED
from ...domain.rights import Right
from ...errors import Conflict, FieldError, Invalid, NotFound, Problems
from ...services import redelivery, subscriptions, waits
from ...storage import delivery_log
from ...storage import lists as stored
from ...storage.outbox import Attempt, Delivery, DeliveryState
from ...storage.redelivery import Sought
from ...storage.session import database_now
from ...storage.subscriptions import Subscription, SubscriptionState
from ..idents import uuid_of
from ..storable import is_storable
from . import reading, telling
from .desk import Desk
from .lists import LONG, listed, listed_by_id
from .visit import Done, Visit

NOTICES = {
    "redelivered": "The delivery is on its way again.",
    "redelivered_all": "What had failed is on its way again.",
    "redelivered_some": (
        "As many as one press sends are on their way again, those that had failed first. Some are left: redeliver "
        "those as well."
    ),
}

EVENTS = (*redelivery.SENT_EVENTS, DIGEST, DISABLED)


def add_routes(desk: Desk) -> None:
    right, one = Right.DELIVERIES, "/deliveries/<delivery_id>"
    desk.area("deliveries", "Deliveries", right, NOTICES)
    desk.page("/deliveries", "deliveries", index, right=right)
    desk.form("/deliveries/redeliver", "deliveries_redeliver", ask_all, redeliver_all, right=right)
    desk.page(one, "delivery", show, right=right)
    desk.action(f"{one}/redeliver", "delivery_redeliver", redeliver, right=right, back=show)


def index(visit: Visit) -> str:
    asked = _asked(visit)
    visit.trouble = Trouble(problems=asked.problems)
    query = stored.deliveries(
        visit.page.id,
        subscription_id=asked.subscription.id if asked.subscription else None,
        channel=asked.texts["channel"] or None,
        state=DeliveryState(asked.texts["state"]) if asked.texts["state"] else None,
        event=asked.texts["event"] or None,
        since=asked.since,
        until=asked.until,
    )
    query = delivery_log.with_subscription(query)
    rows, pager = (
        ((), Pager())
        if asked.problems
        else listed_by_id(visit, query, Delivery.id, "deliveries", **asked.typed)
    )
    last = delivery_log.last_attempts(visit.session, [row.id for row in rows])
    now = database_now(visit.session)
    gone = redelivery.withdrawn(visit.session, [row.id for row in rows])
    return documents.deliveries(
        visit.room("deliveries"),
        rows=[_view(row, now, last.get(row.id), row.id in gone) for row in rows],
        asked=asked.typed,
        choice=Choice(
            channels=[(name, name) for name in sorted(channels)],
            events=[(name, name) for name in EVENTS],
        ),
        subscription=asked.subscription.address if asked.subscription else None,
        pager=pager,
        waits=waits.of(visit.session, rows, now),
    )


def show(visit: Visit, delivery_id: str) -> str:
    row = _get(visit, delivery_id)
    attempts, pager = listed(
        visit, delivery_log.attempts_of(row.id), "delivery", delivery_id=row.id
    )
    last = delivery_log.last_attempts(visit.session, [row.id])
    is_gone = bool(redelivery.withdrawn(visit.session, [row.id]))
    return documents.delivery(
        visit.room("deliveries"),
        _view(row, database_now(visit.session), last.get(row.id), is_gone),
        attempts=[_attempt(attempt, answer=attempt.answer) for attempt in attempts],
        pager=pager,
        wait=waits.of(visit.session, [row], database_now(visit.session)).get(row.id),
    )


def redeliver(visit: Visit, delivery_id: str) -> Done:
    which = uuid_of(delivery_id, "delivery")
    ended = reading.carried(visit.sent, "ended")
    redelivery.redeliver(visit.session, visit.page, which, ended=ended, actor=visit.actor)
    return Done("delivery", "redelivered", {"delivery_id": which})


def ask_all(visit: Visit) -> str:
    asked = _asked(visit)
    if asked.problems and visit.typed is None:
        visit.trouble = Trouble(problems=asked.problems)
    now = database_now(visit.session)
    return documents.redeliver(
        visit.room("deliveries"),
        count=_count(visit, _sought(asked, now), redelivery.AT_MOST + 1),
        at_most=redelivery.AT_MOST,
        asked=asked.typed,
        subscription=asked.subscription.address if asked.subscription else None,
        shown_at=now,
    )


def redeliver_all(visit: Visit) -> Done:
    asked = _asked(visit)
    if asked.problems:
        raise Invalid(*asked.problems)
    # What failed after the count was shown is not meant, nor what this very button has sent again already.
    sought = _sought(asked, reading.carried(visit.sent, "shown"))
    if not redelivery.redeliver_sought(visit.session, visit.page, sought, actor=visit.actor):
        raise Conflict("Nothing was left to send again: somebody was faster, or pressed twice.")
    left = {name: value for name, value in asked.typed.items() if value and name != "state"}
    notice = "redelivered_some" if _count(visit, sought, 1) else "redelivered_all"
    return Done("deliveries", notice, left)


def _count(visit: Visit, sought: Sought, at_most: int) -> int:
    return redelivery.count_sought(visit.session, visit.page, sought, at_most=at_most)


@dataclass
class _Asked:
    """What is looked for: as typed, and as it counts; with what is wrong with it, which narrows nothing."""

    typed: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)
    subscription: Subscription | None = None
    since: datetime | None = None
    until: datetime | None = None
    problems: list[FieldError] = field(default_factory=list)


def _asked(visit: Visit) -> _Asked:
    typed = {name: request.values.get(name, "").strip()[:LONG] for name in documents.FILTERS}
    typed = {name: text if is_storable(text) else "" for name, text in typed.items()}
    asked, problems = _Asked(typed), Problems()
    choices = {"state": list(documents.STATES), "channel": sorted(channels), "event": EVENTS}
    for name, choice in choices.items():
        with problems.gathered():
            asked.texts[name] = ""
            asked.texts[name] = _one_of(name, typed[name], choice)
    with problems.gathered():
        asked.subscription = _subscription(visit, typed["subscription"])
    for name in ("since", "until"):
        with problems.gathered():
            setattr(asked, name, reading.instant(_fields(typed), name, telling.zone(visit)))
    asked.problems = problems.found
    return asked


def _one_of(name: str, text: str, choice: Any) -> str:
    if text and text not in choice:
        raise Invalid.field(name, f"Must be one of {', '.join(choice)}.")
    return text


def _fields(typed: dict[str, str]) -> reading.Typed:
    return reading.Typed(typed)


def _subscription(visit: Visit, ident: str) -> Subscription | None:
    if not ident:
        return None
    try:
        return subscriptions.get(visit.session, visit.page, uuid_of(ident, "subscription"))
    except NotFound:
        raise Invalid.field("subscription", "There is no such subscription.") from None


def _sought(asked: _Asked, ended_before: datetime | None) -> Sought:
    return Sought(
        ended_before=ended_before,
        subscription_id=asked.subscription.id if asked.subscription else None,
        channel=asked.texts["channel"] or None,
        event=asked.texts["event"] or None,
        since=asked.since,
        until=asked.until,
    )


def _get(visit: Visit, delivery_id: str) -> Delivery:
    query = delivery_log.with_subscription(delivery_log.log(visit.page.id))
    which = uuid_of(delivery_id, "delivery")
    row = visit.session.scalar(query.where(Delivery.id == which))
    if row is None:
        raise NotFound("delivery", delivery_id)
    return row


def _view(row: Delivery, now: datetime, last: Attempt | None, is_gone: bool) -> DeliveryView:
    is_pending = row.state is DeliveryState.PENDING
    return DeliveryView(
        id=row.id,
        subscription_id=row.subscription_id,
        event=row.event.name,
        channel=row.subscription.channel,
        target=row.notice_to or row.subscription.address,
        is_notice=row.notice_to is not None,
        state=row.state.value,
        attempts=row.attempts,
        created_at=row.created_at,
        finished_at=row.finished_at,
        next_at=row.due_at if is_pending else None,
        is_being_sent=is_pending and row.lease_until is not None and row.lease_until > now,
        is_held=is_pending and row.held,
        reason=row.reason,
        last=_attempt(last) if last else None,
        obstacle=_obstacle(row, is_gone),
    )


def _obstacle(row: Delivery, is_gone: bool) -> str:
    """Why the service would not send it again, of the reasons that a list can tell.

    :param is_gone: what it tells of was deleted.
    """
    state = row.subscription.state
    if row.state is DeliveryState.PENDING:
        return "It is on its way."
    if is_gone:
        return redelivery.why_withdrawn(row.event.name)
    if row.notice_to is not None:
        is_so = state is SubscriptionState.DISABLED
        return "" if is_so else "The subscription is not disabled any more, as this notice says."
    return "" if state is SubscriptionState.ACTIVE else f"The subscription is {state.value}."


def _attempt(row: Attempt, answer: str | None = None) -> AttemptView:
    return AttemptView(
        number=row.number,
        at=row.started_at,
        seconds=None if row.milliseconds is None else row.milliseconds / 1000,
        code=row.code,
        kind=row.kind,
        error=row.error,
        answer=answer,
    )
