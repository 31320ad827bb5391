"""``deliveries`` (read), ``deliveries/<id>/attempts`` and ``redeliver``"""

from __future__ import annotations

from typing import Any

from ...domain.facts import plain
from ...domain.roles import Role
from ...errors import NotFound
from ...services import deliveries
from ...storage import outbox
from ...storage.outbox import Attempt, Delivery
from .door import Call, Door
from .reading import id_in_query, uuid_of


def add_routes(door: Door) -> None:
    door.route("GET", "/deliveries", index, role=Role.ADMIN)
    door.route("GET", "/deliveries/<ident>", show, role=Role.ADMIN)
    door.route("GET", "/deliveries/<ident>/attempts", list_attempts, role=Role.ADMIN)
    door.route("POST", "/deliveries/<ident>/redeliver", redeliver, role=Role.ADMIN, status=202)


def index(call: Call) -> dict[str, Any]:
    """Newest first; ``?subscription=<id>`` for one subscription."""
    query = outbox.log(call.page.id, id_in_query("subscription"))
    return call.listed(query, deliveries.described)


def show(call: Call, ident: str) -> dict[str, Any]:
    return deliveries.described(_get(call, ident))


def list_attempts(call: Call, ident: str) -> dict[str, Any]:
    return call.listed(outbox.attempts_of(_get(call, ident).id), _described_attempt)


def redeliver(call: Call, ident: str) -> dict[str, Any]:
    delivery = _get(call, ident)
    deliveries.redeliver(call.session, call.page, delivery.id, actor=call.actor)
    return deliveries.described(delivery)


def _get(call: Call, ident: str) -> Delivery:
    delivery_id = uuid_of(ident, "delivery")
    delivery = call.session.scalar(outbox.log(call.page.id).where(Delivery.id == delivery_id))
    if delivery is None:
        raise NotFound("delivery", ident)
    return delivery


def _described_attempt(attempt: Attempt) -> dict[str, Any]:
    fields = ("number", "started_at", "milliseconds", "code", "error", "answer")
    return {name: plain(getattr(attempt, name)) for name in fields}
