"""Subscribers are walked through by an index: no batch sorts the whole page."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.services import subscriber_export
from flask_statuspage.storage import pages, subscriber_list
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState

INDEX = "ix_statuspage_subscription_page_id"


def fill(session: Session, page: Page, number: int) -> list[Any]:
    """That many subscriptions of *page*; their ids in their order."""
    ids = [new_id() for _ in range(number)]
    session.execute(
        insert(Subscription),
        [
            {
                "id": ident,
                "page_id": page.id,
                "channel": "sms" if place % 5 == 0 else "email",
                "address": f"{place}@example.com",
                "address_digest": ident.hex,
                "format": "text",
                "state": SubscriptionState.ACTIVE,
                "nonce": "n",
            }
            for place, ident in enumerate(ids)
        ],
    )
    return ids


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_no_batch_sorts_the_page(session: Session, database: str) -> None:
    """A batch of the download and a page of the list, the first and a later one, begin where the index leads."""
    page = pages.default_page(session)
    other = Page(slug="other", name="Other")
    session.add(other)
    session.flush()
    fill(session, other, 10_000)
    ids = fill(session, page, 2500)
    fill(session, other, 10_000)
    session.commit()
    session.execute(text("ANALYZE"))
    session.commit()
    if database == "postgresql":
        session.execute(text("SET LOCAL random_page_cost = 1.1"))  # as on disks that do not turn
    listed = subscriber_list.of_page(page.id)
    queries = {
        "first batch": subscriber_list.after(
            subscriber_export.people(page.id), None, limit=subscriber_export.BATCH
        ),
        "later batch": subscriber_list.after(
            subscriber_export.people(page.id), ids[999], limit=subscriber_export.BATCH
        ),
        "first page": listed.limit(26),
        "later page": listed.where(Subscription.id < ids[999]).limit(26),
        "those before": listed.where(Subscription.id > ids[999])
        .order_by(None)
        .order_by(Subscription.id)
        .limit(26),
    }
    explain = "EXPLAIN QUERY PLAN" if database == "sqlite" else "EXPLAIN"
    for name, query in queries.items():
        compiled = query.compile(
            session.get_bind(),
            compile_kwargs={"render_postcompile": True},
        )
        given = compiled.params
        values: Any = given
        if compiled.positional:
            values = tuple(_bound(given[key]) for key in compiled.positiontup or ())
        plan = session.connection().exec_driver_sql(f"{explain} {compiled}", values)
        steps = "\n".join(str(row[-1]) for row in plan)
        assert INDEX in steps, (name, steps)
        assert "B-TREE" not in steps, (name, steps)
        assert "Sort" not in steps, (name, steps)


def _bound(value: Any) -> Any:
    return value.hex if hasattr(value, "hex") else value
