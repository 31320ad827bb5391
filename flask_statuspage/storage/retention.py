"""What is too old to be kept, deleted in small batches so that nobody waits long for a lock.

Each batch is found without a lock, and by an index; only the rows that go are locked, by their keys. On MariaDB a
statement that looked for them would lock the gaps between them, too, where new rows are written.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Delete, delete, exists, func, select
from sqlalchemy.orm import Session

from .endpoints import Endpoint
from .outbox import Attempt, Delivery, EventRow
from .pages import begin_writing


def delete_deliveries(session: Session, before: datetime, *, limit: int) -> int:
    """Delete at most *limit* deliveries that ended before that instant, with their attempts; returns how many went."""
    begin_writing(session)
    old = select(Delivery.id).where(Delivery.finished_at < before)
    found = session.scalars(old.order_by(Delivery.finished_at).limit(limit)).all()
    # One that somebody sends again at this moment stays, and keeps its attempts.
    held = select(Delivery.id, Delivery.finished_at).where(Delivery.id.in_(found))
    ids = [
        ident
        for ident, finished_at in session.execute(held.with_for_update(skip_locked=True))
        if finished_at is not None and finished_at < before
    ]
    if ids:
        _run(session, delete(Attempt).where(Attempt.delivery_id.in_(ids)))
        _run(session, delete(Delivery).where(Delivery.id.in_(ids)))
    return len(ids)


def delete_events(session: Session, before: datetime, *, limit: int) -> int:
    """Delete at most *limit* events older than that instant that no delivery tells any more; returns how many went.

    The newest one stays, whatever its age: from it SQLite counts on, and an event's number must not come twice.
    """
    begin_writing(session)
    newest = select(func.max(EventRow.sequence)).scalar_subquery()
    query = (
        select(EventRow.sequence)
        .where(
            EventRow.occurred_at < before,
            EventRow.fanned_out_at.is_not(None),
            EventRow.sequence != newest,
            ~exists().where(Delivery.event_id == EventRow.id),
        )
        .order_by(EventRow.occurred_at)
        .limit(limit)
    )
    sequences = session.scalars(query).all()
    if sequences:
        _run(session, delete(EventRow).where(EventRow.sequence.in_(sequences)))
    return len(sequences)


def delete_endpoints(session: Session, before: datetime, *, limit: int) -> int:
    """Forget at most *limit* endpoints that nothing was noted of since that instant; returns how many."""
    query = select(Endpoint.name).where(Endpoint.updated_at < before)
    names: Collection[str] = session.scalars(query.order_by(Endpoint.updated_at).limit(limit)).all()
    if names:
        # The instant once more: one that is called at this moment stays.
        _run(
            session, delete(Endpoint).where(Endpoint.name.in_(names), Endpoint.updated_at < before)
        )
    return len(names)


def _run(session: Session, statement: Delete) -> None:
    session.execute(statement, execution_options={"synchronize_session": False})
