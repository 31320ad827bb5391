"""Write down what happened, for whom, in the transaction of the change; tell the host after its commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from .. import signals
from ..delivery.channels import channels
from ..domain.audience import Change, Newly
from ..domain.events import PAGE_CHANGE, UPSTREAM_CHANGE, Event
from ..domain.facts import plain
from ..domain.ids import new_id
from ..domain.status import ComponentStatus
from ..state import current_state
from ..storage import outbox, pages
from ..storage import subscriptions as stored
from ..storage.base import utc_now
from ..storage.on_commit import call_all, on_commit
from ..storage.outbox import EventRow
from ..storage.pages import Page
from ..storage.subscriptions import Subscription
from . import facts
from .interest import interested

INLINE = 100
"""Up to this many subscriptions get their deliveries in the transaction itself; more are expanded by a task.

Written there, a thousand make an incident's author wait nine times as long as ten.
"""


def record(
    session: Session,
    page: Page,
    name: str,
    *,
    subject_id: UUID,
    components: Iterable[UUID] = (),
    data: Mapping[str, Any],
    notify: bool = True,
    signal: bool = True,
    newly: Newly = False,
) -> EventRow:
    """Write the event *name* with its deliveries, and see to its signal after the commit.

    :param data: facts or plain data; ``page`` is added.
    :param notify: False tells host code only, no subscriber.
    :param signal: False tells subscribers only: nothing has changed since host code was told.
    :param newly: for whom it stands for a beginning, see :data:`~..domain.events.BEGINNINGS`.
    """
    if newly:
        data = {**data, "newly": newly if isinstance(newly, bool) else sorted(map(str, newly))}
    row = EventRow(
        page_id=page.id,
        name=name,
        subject_id=subject_id,
        component_ids=[str(component_id) for component_id in components],
        data=plain({"page": facts.page(page), **data}),
        occurred_at=utc_now(),
        fanned_out_at=None if notify else utc_now(),
    )
    session.add(row)
    session.flush()
    if notify:
        _address(session, row)
    if signal:
        on_commit(session, partial(_signal, as_event(row)))
    return row


def record_all(
    session: Session, page: Page, name: str, told: Sequence[tuple[UUID, Mapping[str, Any]]]
) -> None:
    """Write events of which only host code hears, one for each subject, in as few statements as for one."""
    if not told:
        return
    now, about = utc_now(), plain(facts.page(page))
    rows = [
        {
            "id": new_id(),
            "page_id": page.id,
            "name": name,
            "subject_id": subject_id,
            "component_ids": [],
            "data": {"page": about, **plain(data)},
            "occurred_at": now,
            "fanned_out_at": now,
        }
        for subject_id, data in told
    ]
    written = [as_event(row) for row in outbox.add_events(session, rows)]
    on_commit(session, partial(_signal_all, written))


def record_for(
    session: Session, page: Page, name: str, subscription: Subscription, *, data: Mapping[str, Any]
) -> EventRow:
    """Write an event that goes to *subscription* alone, whatever it chose."""
    row = record(session, page, name, subject_id=subscription.id, data=data, notify=False)
    outbox.add_deliveries(session, row, [_place(subscription)], utc_now())
    wake_after_commit(session, "deliver")
    return row


def record_each_for(
    session: Session, name: str, told: Sequence[tuple[Page, Subscription, Mapping[str, Any]]]
) -> None:
    """Write events of the extension's own life, each for one subscription alone, in as few statements as for one."""
    now = utc_now()
    rows = [
        {
            "id": new_id(),
            "page_id": page.id,
            "name": name,
            "subject_id": subscription.id,
            "component_ids": [],
            "data": plain({"page": facts.page(page), **data}),
            "occurred_at": now,
            "fanned_out_at": now,
        }
        for page, subscription, data in told
    ]
    if not rows:
        return
    places = {subscription.id: _place(subscription) for _, subscription, _ in told}
    events = outbox.add_events(session, rows)
    outbox.add_each(session, ((event, *places[event.subject_id]) for event in events), now)
    wake_after_commit(session, "deliver")


def _address(session: Session, row: EventRow) -> None:
    are_few = stored.count_active(session, row.page_id) <= INLINE
    if are_few and not outbox.waits_behind_another(session, row):
        while not expand(session, row):
            pass
        wake_after_commit(session, "deliver")
    else:
        wake_after_commit(session, "fan_out")


def expand(session: Session, row: EventRow, *, size: int = 1000) -> bool:
    """Write the deliveries of *row* for the next *size* subscriptions; True once all have been considered.

    The cursor moves in the same transaction as the deliveries are written, so a killed task repeats nothing.
    """
    candidates = stored.active_after(session, row.page_id, row.cursor, limit=size)
    event = as_event(row)
    chosen = interested(
        event.name,
        event.component_ids,
        candidates,
        changes=_changes(event),
        newly=_newly(event),
    )
    outbox.add_deliveries(session, row, map(_place, chosen), row.occurred_at)
    if candidates:
        row.cursor = candidates[-1].id
    if len(candidates) < size:
        row.fanned_out_at = utc_now()
    session.flush()
    return row.fanned_out_at is not None


def expand_waiting(session: Session) -> int:
    """Take the oldest event that waits for its deliveries one page further; returns 0 when there is none to take.

    Those of one page are taken one after the other, as their order is the order of the deliveries.
    """
    rows = session.scalars(outbox.waiting_events(1)).all()
    for row in rows:
        pages.hold(session, row.page_id)  # on SQLite this keeps a second worker out
        session.refresh(row)
        if row.fanned_out_at is None:
            expand(session, row)
            wake_after_commit(session, "deliver")
    return len(rows)


def _place(subscription: Subscription) -> tuple[UUID, str]:
    return subscription.id, channels[subscription.channel].endpoint(subscription.address)


def _newly(event: Event) -> Newly:
    told = event.data.get("newly", False)
    return told if isinstance(told, bool) else frozenset(map(UUID, told))


def _changes(event: Event) -> list[Change]:
    if event.name == PAGE_CHANGE:
        told = event.data["change"]
        steps = [(UUID(one["id"]), one) for one in told["changes"] if one["told"]]
        return [_change(None, told), *(_change(*step) for step in steps)]
    if event.name == UPSTREAM_CHANGE:
        # All of it is about the one component here that stands for that service, if there is one.
        told, place = event.data["upstream"], next(iter(event.component_ids), None)
        return [_change(place, told), *(_change(place, one) for one in told["changes"])]
    return []


def _change(component_id: UUID | None, told: Mapping[str, Any]) -> Change:
    previous, status = ComponentStatus(told["previous_status"]), ComponentStatus(told["status"])
    return Change(component_id, previous, status)


def as_event(row: EventRow) -> Event:
    """The frozen fact of a row."""
    return Event(
        id=row.id,
        sequence=row.sequence,
        name=row.name,
        page_id=row.page_id,
        occurred_at=row.occurred_at,
        subject_id=row.subject_id,
        component_ids=tuple(UUID(component_id) for component_id in row.component_ids),
        data=row.data,
    )


def wake_after_commit(session: Session, task: str) -> None:
    """Start *task* soon after the commit, once however often it was asked for."""
    on_commit(session, partial(_wake, task), key=f"statuspage wake {task}")


def _wake(task: str) -> None:
    current_state().wake(task)


def _signal_all(told: Sequence[Event]) -> None:
    call_all((partial(_signal, event) for event in told), "a signal")


def _signal(event: Event) -> None:
    """Tell the host. Each receiver is guarded on its own: one that raises must not silence the others."""
    signal = signals.BY_EVENT.get(event.name)
    if signal is None:
        return
    receivers = signal.receivers_for(current_app._get_current_object())  # type: ignore[attr-defined]
    call_all((partial(_tell, one, event) for one in receivers), f"a receiver of {event.name}")


def _tell(receiver: Callable[..., object], event: Event) -> None:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    # Each gets data of its own: what one does to it must not reach the next.
    receiver(app, event=replace(event, data=deepcopy(event.data)))
