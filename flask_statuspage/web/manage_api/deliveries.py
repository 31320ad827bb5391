"""``deliveries`` (read), ``deliveries/<id>/attempts`` and ``redeliver``"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from ...domain.roles import Role
from ...errors import NotFound
from ...services import deliveries, redelivery
from ...storage import outbox
from ...storage.outbox import Delivery, DeliveryState
from ..idents import uuid_of
from .answering import told
from .door import Call, Door
from .reading import asked, identifier

SUBSCRIPTION = identifier("subscription", "Only those to the subscription with this id.")


@dataclass(frozen=True, kw_only=True)
class DeliveryAnswer:
    """One event on its way to one subscription.

    :param attempts: how many there were so far.
    :param due_at: when the next attempt is due.
    :param reason: why it ended, if it did not arrive.
    :param event: the event's name.
    """

    id: UUID
    subscription_id: UUID
    state: DeliveryState
    attempts: int
    due_at: datetime
    finished_at: datetime | None
    reason: str | None
    event: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class AttemptAnswer:
    """One try to deliver. ``code`` and ``answer`` are the receiver's, ``error`` is the kind of what failed."""

    number: int
    started_at: datetime
    milliseconds: int | None
    code: int | None
    error: str | None
    answer: str | None


def add_routes(door: Door) -> None:
    route = partial(door.route, role=Role.ADMIN, answer=DeliveryAnswer)
    one = "/deliveries/<ident>"
    route("GET", "/deliveries", index, paged=True, parameters=(SUBSCRIPTION,))
    route("GET", one, show)
    route("GET", f"{one}/attempts", list_attempts, answer=AttemptAnswer, paged=True)
    route("POST", f"{one}/redeliver", redeliver, status=202)


def index(call: Call) -> dict[str, Any]:
    """List deliveries, newest first."""
    return call.listed(outbox.log(call.page.id, asked(SUBSCRIPTION)), _described)


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a delivery."""
    return _described(_get(call, ident))


def list_attempts(call: Call, ident: str) -> dict[str, Any]:
    """List the attempts of a delivery."""
    return call.listed(outbox.attempts_of(_get(call, ident).id), partial(told, AttemptAnswer))


def redeliver(call: Call, ident: str) -> dict[str, Any]:
    """Send a delivery once more."""
    delivery = _get(call, ident)
    redelivery.redeliver(call.session, call.page, delivery.id, actor=call.actor)
    return _described(delivery)


def _described(delivery: Delivery) -> dict[str, Any]:
    return told(DeliveryAnswer, deliveries.described(delivery))


def _get(call: Call, ident: str) -> Delivery:
    delivery_id = uuid_of(ident, "delivery")
    delivery = call.session.scalar(outbox.log(call.page.id).where(Delivery.id == delivery_id))
    if delivery is None:
        raise NotFound("delivery", ident)
    return delivery
