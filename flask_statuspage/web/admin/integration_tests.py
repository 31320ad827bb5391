"""The button "Send a test", and the page that tells what came of it.

A test goes the way of all messages: through the outbox, to a worker, which words, signs and sends it and writes the
attempt down. Sent by the web process itself it would prove another way, could hold up a visitor for as long as the
endpoint likes, and would say that all is well while no worker runs. So the page waits a moment for the attempt, and
says so where there is none.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from ...documents.console import integration as documents
from ...documents.console.integration import KINDS, TestView
from ...domain.rights import Right
from ...errors import NotFound
from ...services import subscriptions
from ...storage import integrations as stored
from ...storage.outbox import Attempt, Delivery, DeliveryState
from ...storage.session import database_now
from ...storage.subscriptions import Subscription
from ..idents import uuid_of
from .desk import Desk
from .integration import get, show_untyped
from .integrations import name_of
from .visit import Done, Visit

PATIENCE = 5.0
"""Seconds that the page waits for the attempt."""

BETWEEN = 0.1
"""Seconds between two looks."""

FRESH = timedelta(minutes=1)
"""Of an older test nothing is waited for: whoever loads the page anew must not hold a thread each time."""

OVER = (DeliveryState.DONE, DeliveryState.DEAD, DeliveryState.CANCELLED)


def add_routes(desk: Desk) -> None:
    one = "/integrations/<ident>"
    desk.action(f"{one}/test", "integration_test", send, right=Right.CONNECT, back=show_untyped)
    desk.page(f"{one}/tests/<delivery_id>", "integration_tested", show, right=Right.CONNECT)


def send(visit: Visit, ident: str) -> Done:
    return sent(visit, get(visit, ident))


def sent(visit: Visit, row: Subscription) -> Done:
    """A test is on its way to *row*: on to what comes of it."""
    event_id = subscriptions.send_test(visit.session, visit.page, row, actor=visit.actor)
    delivery_id = stored.sent_for(visit.session, event_id)
    return Done("integration_tested", None, {"ident": row.id, "delivery_id": delivery_id})


def show(visit: Visit, ident: str, delivery_id: str) -> str:
    row = get(visit, ident)
    name, known = name_of(row), str(row.id)
    view = _awaited(visit, ident, delivery_id)
    return documents.tested(
        visit.room("integrations"),
        view,
        ident=known,
        name=name,
        url=visit.to("integration_tested", ident=known, delivery_id=delivery_id),
    )


def _awaited(visit: Visit, ident: str, delivery_id: str) -> TestView:
    until = time.monotonic() + PATIENCE
    while True:
        delivery, attempt = _look(visit, ident, delivery_id)
        now = database_now(visit.session)
        is_told = attempt is not None or delivery.state in OVER
        is_late = time.monotonic() >= until or now - delivery.created_at > FRESH
        if is_told or is_late:
            return _view(delivery, attempt, now)
        visit.session.rollback()  # nothing is held meanwhile, and the next look sees what is new
        time.sleep(BETWEEN)


def _look(visit: Visit, ident: str, delivery_id: str) -> tuple[Delivery, Attempt | None]:
    which = uuid_of(delivery_id, "test")
    delivery = stored.test_sent(visit.session, uuid_of(ident, "integration"), which)
    if delivery is None:
        raise NotFound("test", delivery_id)
    return delivery, stored.last_attempt(visit.session, which)


def _view(delivery: Delivery, attempt: Attempt | None, now: datetime) -> TestView:
    goes_on = delivery.state is DeliveryState.PENDING
    due_at = delivery.due_at if goes_on and delivery.due_at > now else None
    if attempt is None:
        return TestView(
            stage=_stage(delivery, now),
            sent_at=delivery.created_at,
            error=delivery.reason or "",
            due_at=due_at,
        )
    error = attempt.error or ""
    return TestView(
        stage="failed" if attempt.kind else "delivered",
        sent_at=delivery.created_at,
        started_at=attempt.started_at,
        code=attempt.code,
        milliseconds=attempt.milliseconds,
        answer=attempt.answer,
        error=KINDS.get(attempt.kind or "", error) if attempt.kind else "",
        due_at=due_at,
    )


def _stage(delivery: Delivery, now: datetime) -> str:
    """How far a delivery is of which no attempt is written down."""
    if delivery.state is DeliveryState.CANCELLED:
        return "cancelled"
    if delivery.state is not DeliveryState.PENDING:
        return "failed"
    if delivery.lease_until is not None and delivery.lease_until > now:
        return "sending"
    return "waiting" if delivery.due_at > now else "untaken"
