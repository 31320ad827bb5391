"""The log is read from where a page of it begins, not from end to end. On PostgreSQL, which counts rows."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Select, insert, select, text
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import first_id, new_id
from flask_statuspage.storage import delivery_log, lists, pages
from flask_statuspage.storage.outbox import Delivery, DeliveryState, EventRow
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState

from .test_claim_cost import rows_read

EVENTS, HOOKS = 100, 400
STEP = timedelta(hours=12)
"""Between two events: the log reaches back for fifty days."""
READ = 2400
"""Rows that a page of 26 may cost, of 40,000: those that three days wrote."""

NOTHING: dict[str, Any] = dict.fromkeys(
    ("subscription_id", "channel", "state", "event", "since", "until")
)


def fill(session: Session, now: datetime) -> tuple[UUID, list[UUID]]:
    """A log of every event for every subscription; the page's id, and the subscriptions'."""
    page_id = pages.default_page(session).id
    hooks = [new_id() for _ in range(HOOKS)]
    session.execute(
        insert(Subscription),
        [
            {
                "id": ident,
                "page_id": page_id,
                "channel": "email" if number == 7 else "webhook",
                "address": f"http://127.0.0.1:9/{number}",
                "address_digest": str(number),
                "format": "native",
                "state": SubscriptionState.ACTIVE,
                "nonce": "n",
            }
            for number, ident in enumerate(hooks)
        ],
    )
    for number in range(EVENTS):
        at = now - STEP * (EVENTS - number)
        event = EventRow(page_id=page_id, subject_id=new_id(), data={}, occurred_at=at)
        event.name, event.fanned_out_at = "rare" if number == EVENTS - 4 else "incident.created", at
        session.add(event)
        session.flush()
        ids = sorted(first_id(at).int + secrets.randbits(60) for _ in hooks)
        session.execute(
            insert(Delivery),
            [
                {
                    "id": UUID(int=ident),
                    "event_id": event.id,
                    "subscription_id": to,
                    "subject_id": event.subject_id,
                    "sequence": event.sequence,
                    "state": DeliveryState.DEAD if number == 5 else DeliveryState.DONE,
                    "due_at": at,
                    "attempts": 1,
                    "losses": 0,
                    "held": False,
                    "in_order": True,
                    "created_at": at,
                    "finished_at": at,
                }
                for ident, to in zip(ids, hooks, strict=True)
            ],
        )
    session.commit()
    # Vacuumed as a real table is: else hints of fresh rows are what the planner reckons with.
    session.execute(text("ANALYZE"))
    session.commit()
    return page_id, hooks


def cost(session: Session, query: Select[Delivery]) -> tuple[int, int]:
    """How many rows *query* finds of a page of the log, and how many deliveries were read for them."""
    before = rows_read(session)
    found = len(session.scalars(query.limit(26)).all())
    return found, rows_read(session) - before


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_page_of_a_long_log_reads_little_of_it(app: Flask) -> None:
    """The first page, a late one, and what each filter finds, however rare it is and however long ago."""
    with app.app_context():
        session, now = current_session(), datetime.now(UTC)
        page_id, hooks = fill(session, now)
        old = now - timedelta(days=45)
        sought: dict[str, tuple[int, dict[str, Any]]] = {
            "all": (26, {}),
            "one subscription": (26, {"subscription_id": hooks[50]}),
            "a rare channel": (26, {"channel": "email"}),
            "a rare state": (26, {"state": DeliveryState.DEAD}),
            "a state that nothing is in": (0, {"state": DeliveryState.CANCELLED}),
            # Without a time the search for it may go far: there is no index of events' names.
            "a rare event": (26, {"event": "rare", "since": now - timedelta(days=2), "until": now}),
            "since": (0, {"since": now + timedelta(days=2)}),
            "until": (26, {"until": old}),
            "a rare state until": (26, {"state": DeliveryState.DEAD, "until": old}),
        }
        for name, (found, asked) in sought.items():
            query = lists.deliveries(page_id, **{**NOTHING, **asked})
            query = delivery_log.with_subscription(query)
            rows, read = cost(session, query)
            assert rows == found, name
            assert read <= READ, name
        query = lists.deliveries(page_id, **NOTHING)
        middle = session.scalars(select(Delivery.id).order_by(Delivery.id).offset(9000)).first()
        assert middle is not None
        assert cost(session, query.where(Delivery.id < middle)) == (26, 26)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("state", [DeliveryState.DEAD, DeliveryState.CANCELLED])
def test_sqlite_finds_what_failed_by_its_index(app: Flask, state: DeliveryState) -> None:
    """It takes an index of some rows only for a query that says in the same words which ones they are."""
    with app.app_context():
        session = current_session()
        page_id = pages.default_page(session).id
        query = lists.deliveries(page_id, **{**NOTHING, "state": state}).limit(26)
        compiled = query.compile(session.get_bind(), compile_kwargs={"render_postcompile": True})
        plan = session.connection().exec_driver_sql(
            f"EXPLAIN QUERY PLAN {compiled}", tuple("x" for _ in compiled.params)
        )
        steps = [row[3] for row in plan]
        assert any("ix_statuspage_delivery_vain (state=?)" in step for step in steps), steps
        assert not [step for step in steps if "TEMP B-TREE" in step], steps
