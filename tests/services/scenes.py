"""What the tests of the services set up and read back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from flask_statuspage import signals
from flask_statuspage.domain.events import Event
from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import CheckResult
from flask_statuspage.services import components, monitors, subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.storage import outbox
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Component, StatusInterval
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.outbox import Delivery, EventRow
from flask_statuspage.storage.pages import Page, default_page
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription

SETTINGS = {
    "STATUSPAGE_ALLOW_HTTP_TARGETS": True,
    "STATUSPAGE_ALLOW_PRIVATE_TARGETS": True,
    "STATUSPAGE_REGIONS": "default,ap,eu,mars,us",
    "STATUSPAGE_MIN_CHECK_INTERVAL": 1,
    "STATUSPAGE_SMTP_URL": "smtp://127.0.0.1:9",
    "STATUSPAGE_EMAIL_FROM": "Status <status@example.com>",
    "STATUSPAGE_SMS_URL": "http://127.0.0.1:9/Messages.json",
    "STATUSPAGE_SMS_ACCOUNT": "AC1",
    "STATUSPAGE_SMS_TOKEN": "a token",
    "STATUSPAGE_SMS_FROM": "+15005550006",
}

T = TypeVar("T")
numbers = count(1)


def component(session: Session, page: Page, name: str = "API", **options: Any) -> Component:
    row = components.create(session, page, name=name, **options)
    session.commit()
    return row


def webhook(session: Session, page: Page, url: str | None = None, **options: Any) -> Subscription:
    """An active webhook."""
    url = url or f"http://127.0.0.1:9/{next(numbers)}"
    wish = Wish(channel="webhook", address=url, **options)
    row = subscriptions.subscribe(session, page, wish, proven=True)
    session.commit()
    return row


def monitor(session: Session, page: Page, name: str = "M", **options: Any) -> Monitor:
    """A monitor that turns with each result, unless told otherwise."""
    options = {"failure_threshold": 1, "recovery_threshold": 1, **options}
    row = monitors.create(session, page, name=name, target="http://127.0.0.1:9/", **options)
    session.commit()
    return row


def result(
    of: Monitor,
    outcome: Verdict,
    *,
    seconds: float = 0,
    region: str = "default",
    error: str | None = "No answer in time",
) -> CheckResult:
    """A result that was asked for *seconds* from now."""
    return CheckResult(
        monitor_id=of.id,
        region=region,
        outcome=outcome,
        at=utc_now() + timedelta(seconds=seconds),
        milliseconds=120,
        code=None if outcome is Verdict.DOWN else 200,
        error=None if outcome is Verdict.UP else error,
    )


def shown(session: Session, row: Component) -> ComponentStatus:
    """The status in the database, past all that the session remembers."""
    return session.execute(select(Component.status).where(Component.id == row.id)).scalar_one()


def history(session: Session, row: Component) -> list[StatusInterval]:
    query = select(StatusInterval).where(StatusInterval.component_id == row.id)
    query = query.order_by(StatusInterval.started_at, StatusInterval.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def events(session: Session, name: str = "") -> list[EventRow]:
    """The events in the order in which they were told, but for those of subscriptions themselves.

    :param name: only those whose name begins so.
    """
    query = select(EventRow).where(EventRow.name.startswith(name)).order_by(EventRow.sequence)
    if not name:
        query = query.where(~EventRow.name.startswith("subscription."))
    return list(session.scalars(query.execution_options(populate_existing=True)))


def names(session: Session, prefix: str = "") -> list[str]:
    return [event.name for event in events(session, prefix)]


def told(session: Session, subscription: Subscription) -> list[str]:
    """The names of the events that have a delivery to *subscription*."""
    query = select(EventRow.name).join(Delivery, Delivery.event_id == EventRow.id)
    query = query.where(Delivery.subscription_id == subscription.id).order_by(EventRow.sequence)
    return list(session.scalars(query))


def message(session: Session, page: Page, *to: Subscription) -> EventRow:
    """An event of its own subject with a delivery to each of *to*, due a moment ago: SQLite tells milliseconds only."""
    data = {"page": {"name": "Acme", "url": "https://status.example.com"}, "message": "hello"}
    row = EventRow(page_id=page.id, name="test", subject_id=new_id(), data=data)
    session.add(row)
    session.flush()
    due = utc_now() - timedelta(milliseconds=2)
    outbox.add_deliveries(session, row, [(one.id, "127.0.0.1:9") for one in to], due)
    session.commit()
    return row


def delivery(session: Session, subscription: Subscription) -> Delivery:
    """The one delivery to *subscription*, as it is now."""
    query = select(Delivery).where(Delivery.subscription_id == subscription.id)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def deliveries(session: Session, subscription: Subscription) -> list[Delivery]:
    """All deliveries to *subscription* with their events, as they are now."""
    query = select(Delivery).join(Delivery.event).options(contains_eager(Delivery.event))
    query = query.where(Delivery.subscription_id == subscription.id).order_by(Delivery.sequence)
    return list(session.scalars(query.execution_options(populate_existing=True)))


@contextmanager
def listening(app: Flask) -> Iterator[list[Event]]:
    """The events of all signals of *app* meanwhile."""
    heard: list[Event] = []

    def receive(sender: Flask, event: Event) -> None:
        heard.append(event)

    for signal in signals.BY_EVENT.values():
        signal.connect(receive, app)
    try:
        yield heard
    finally:
        for signal in signals.BY_EVENT.values():
            signal.disconnect(receive, app)


def elsewhere(app: Flask, work: Callable[[Session, Page], T]) -> T:
    """Do *work* and commit it in another thread with a session of its own, and wait for it."""

    def one() -> T:
        with app.app_context():
            session = current_session()
            done = work(session, default_page(session))
            session.commit()
            return done

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(one).result(30)


def at_once(app: Flask, *works: Callable[[Session, Page], T]) -> list[T | Exception]:
    """Do each of *works* in a thread and session of its own, started together; errors are returned."""
    barrier = threading.Barrier(len(works))

    def one(work: Callable[[Session, Page], T]) -> T | Exception:
        with app.app_context():
            session = current_session()
            barrier.wait()
            try:
                done = work(session, default_page(session))
                session.commit()
            except Exception as error:
                session.rollback()
                return error
            return done

    with ThreadPoolExecutor(len(works)) as pool:
        done = [future.result(60) for future in [pool.submit(one, work) for work in works]]
    current_session().rollback()  # so that the test looks at what is there now
    return done


def since(instant: datetime) -> float:
    """Seconds from *instant* to now."""
    return (utc_now() - instant).total_seconds()
