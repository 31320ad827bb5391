"""``deliveries`` (read), ``deliveries/<id>/attempts`` and ``redeliver``, one or all that failed since a time"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from ...domain.rights import Right
from ...errors import NotFound
from ...services import deliveries, redelivery
from ...storage import delivery_log, lists, pages
from ...storage.outbox import Delivery, DeliveryState
from ..idents import uuid_of
from .answering import told
from .call import Call
from .door import Door
from .fields import Body, Instant
from .reading import asked, choice, identifier, instant
from .subscriptions import CHANNEL
from .things import Thing

SUBSCRIPTION = identifier("subscription", "Only those to the subscription with this id.")
STATE = choice("state", [state.value for state in DeliveryState], "Only those in this state.")
SINCE = instant("since", "Only those that were written at this time or later.")
UNTIL = instant("until", "Only those that were written before this time.")
EVENT = choice("event", redelivery.SENT_EVENTS, "Only those that tell of an event with this name.")
FILTERS = (SUBSCRIPTION, CHANNEL, STATE, EVENT, SINCE, UNTIL)


class Redelivery(Body):
    """Which ones are sent again: those that were given up at ``since`` or later, of one subscription or of all."""

    subscription: UUID | None = None
    since: Instant


@dataclass(frozen=True, kw_only=True)
class DeliveryAnswer:
    """One event on its way to one subscription.

    :param attempts: how many there were so far.
    :param due_at: when the next attempt is due.
    :param held: it waits, or waited, because its reader had their share for that hour.
    :param reason: why it ended, if it did not arrive.
    :param event: the event's name.
    """

    id: UUID
    subscription_id: UUID
    state: DeliveryState
    attempts: int
    due_at: datetime
    held: bool
    finished_at: datetime | None
    reason: str | None
    event: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class AttemptAnswer:
    """One try to deliver. ``code`` and ``answer`` are the receiver's.

    :param kind: the class of what failed: ``dns``, ``connect``, ``tls``, ``timeout``, ``refused_address``,
        ``protocol``, ``status`` or ``channel``; None on success.
    :param error: the same in words.
    """

    number: int
    started_at: datetime
    milliseconds: int | None
    code: int | None
    kind: str | None
    error: str | None
    answer: str | None


@dataclass(frozen=True, kw_only=True)
class RedeliveryAnswer:
    """``redelivered`` is how many are on their way again."""

    redelivered: int


def add_routes(door: Door) -> None:
    route = partial(door.route, right=Right.DELIVERIES, answer=DeliveryAnswer)
    one = "/deliveries/<ident>"
    door.thing("deliveries", Thing((DeliveryAnswer,), show, _hold))
    route("GET", "/deliveries", index, paged=True, parameters=FILTERS)
    again = partial(route, body=Redelivery, status=202, answer=RedeliveryAnswer)
    again("POST", "/deliveries/redeliver", redeliver_failed)
    route("GET", one, show)
    route("GET", f"{one}/attempts", list_attempts, answer=AttemptAnswer, paged=True)
    route("POST", f"{one}/redeliver", redeliver, status=202)


def index(call: Call) -> dict[str, Any]:
    """List deliveries, newest first."""
    state = asked(STATE)
    query = lists.deliveries(
        call.page.id,
        subscription_id=asked(SUBSCRIPTION),
        channel=asked(CHANNEL),
        state=DeliveryState(state) if state else None,
        event=asked(EVENT),
        since=asked(SINCE),
        until=asked(UNTIL),
    )
    return call.listed(query, _described)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a delivery."""
    return _described(_get(call, ident))


def list_attempts(call: Call, ident: str) -> dict[str, Any]:
    """List the attempts of a delivery."""
    return call.listed(delivery_log.attempts_of(_get(call, ident).id), partial(told, AttemptAnswer))


def redeliver(call: Call, ident: str) -> dict[str, Any]:
    """Send a delivery once more, with the same id and body and all its retries."""
    redelivery.redeliver(call.session, call.page, _get(call, ident).id, actor=call.actor)
    return _described(_get(call, ident))


def redeliver_failed(call: Call) -> dict[str, Any]:
    """Send all deliveries once more that were given up since a time.

    At most 10,000 at once, those that were given up first: where so many are redelivered, ask again for the rest.
    What tells of an incident or a maintenance that was deleted is left out, and so is what goes to subscriptions that
    are not active; where one is named, that is a conflict.
    """
    body: Redelivery = call.body
    count = redelivery.redeliver_failed(
        call.session,
        call.page,
        since=body.since,
        subscription_id=body.subscription,
        actor=call.actor,
    )
    return told(RedeliveryAnswer, {"redelivered": count})


def _described(delivery: Delivery) -> dict[str, Any]:
    return told(DeliveryAnswer, deliveries.described(delivery))


def _get(call: Call, ident: str) -> Delivery:
    delivery_id = uuid_of(ident, "delivery")
    delivery = call.session.scalar(delivery_log.log(call.page.id).where(Delivery.id == delivery_id))
    if delivery is None:
        raise NotFound("delivery", ident)
    return delivery


def _hold(call: Call, ident: str) -> None:
    which = _get(call, ident).id
    pages.hold(
        call.session, call.page.id
    )  # which the service holds, too, and before all deliveries
    call.session.get(Delivery, which, with_for_update=True, populate_existing=True)
