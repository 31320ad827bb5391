"""Transactions beside the host's own, which is neither flushed, committed nor rolled back.

A transaction of our own would wait for ever for what the host's session holds in the same thread, so that is looked at
first: uncommitted changes and locks of ours anywhere, and on SQLite any open transaction, since there is one writer
only (and in memory one connection for all).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar
from weakref import WeakKeyDictionary

from flask import Flask, current_app
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import StaticPool

from ..errors import Conflict
from .on_commit import holds_ours
from .races import run_again
from .session import current_engine, current_session

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds after which it is not run again: who waited so long for a lock would wait as long once more."""

COMMIT_FIRST = (
    "The session has a transaction that is not committed, and this change is committed by itself: it would wait for "
    "that one for ever. Call db.session.commit() or rollback() first."
)


@contextmanager
def apart_from_host() -> Iterator[Callable[[], Session]]:
    """Opens a session for reading while the host's view is at work, if one is needed.

    The host's transaction is neither flushed, seen nor ended.
    """
    with ExitStack() as stack:

        def open_session() -> Session:
            engine = current_engine()
            if isinstance(engine.pool, StaticPool):  # SQLite in memory: one connection for all
                return stack.enter_context(current_session().no_autoflush)
            return stack.enter_context(Session(engine))

        yield open_session


def committed(work: Callable[[Session], T]) -> T:
    """What *work* returns, once a transaction of its own is committed. One that lost a race for locks is run again.

    :raises Conflict: while :func:`host_is_in_the_way`.
    """
    if host_is_in_the_way():
        raise Conflict(COMMIT_FIRST)

    def transaction() -> T:
        with Session(current_engine()) as session:
            result = work(session)
            session.commit()
            return result

    return run_again(transaction, patience=PATIENCE)


def host_is_in_the_way() -> bool:
    """Whether the host's session holds what a transaction of our own in this thread would wait for."""
    session = current_session()
    outermost = session.get_transaction()
    if outermost is None:
        return False
    if holds_ours(session):
        return True
    engine = current_engine()
    if engine.dialect.name != "sqlite" or not outermost.is_active:
        return False
    if not session.is_active:  # only a savepoint failed
        return True
    connection = session.connection(bind_arguments={"bind": engine})
    return bool(getattr(connection.connection.driver_connection, "in_transaction", False))


Callback = Callable[[], object]

_after: WeakKeyDictionary[SessionTransaction, list[tuple[Flask, Callback]]] = WeakKeyDictionary()


def after_host(callback: Callback) -> None:
    """Call *callback* in a fresh app context once the host's transaction has ended, either way; at once without one.

    One that raises is logged.
    """
    session = current_session()
    outermost = session.get_transaction()
    if outermost is None:
        callback()
        return
    if not event.contains(session, "after_transaction_end", _ended):
        event.listen(session, "after_transaction_end", _ended)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    app.logger.warning("status page: a maintenance ends once the session's transaction does")
    _after.setdefault(outermost, []).append((app, callback))


def _ended(session: Session, transaction: SessionTransaction) -> None:
    for app, callback in _after.pop(transaction, ()):
        with app.app_context():
            try:
                callback()
            except Exception:
                app.logger.exception("status page: a change after the host's transaction failed")
