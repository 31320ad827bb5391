"""Run a callback once the surrounding transaction is durable, or just before it becomes so.

A released savepoint is not durable: its callbacks move up to the transaction around it and are forgotten if that one
rolls back. Listeners are attached to the one session at hand, never to ``Session`` as a class.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary, WeakSet

from flask import Flask, current_app
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

Callback = Callable[[], object]
Closing = Callable[[Session], object]


@dataclass
class _Waiting:
    app: Flask
    callbacks: dict[Hashable, Callback] = field(default_factory=dict)
    closing: dict[Hashable, Closing] = field(default_factory=dict)
    durable: bool = False


_waiting: WeakKeyDictionary[SessionTransaction, _Waiting] = WeakKeyDictionary()

_holding: WeakSet[SessionTransaction] = WeakSet()
"""Outermost transactions that locked rows of ours."""


def on_commit(
    session: Session | scoped_session[Session], callback: Callback, *, key: Hashable = None
) -> None:
    """Call *callback* after the outermost commit of *session*, in a fresh app context; never after a rollback.

    Callbacks run in the order of their registration. One that raises is logged and stops neither the others nor the
    host's ``commit()``; what is to end the process (``SystemExit``) comes out of that once all of them have run.

    :param key: of callbacks with the same key only the first runs, once per transaction.
    """
    _waiting_in(session).callbacks.setdefault(object() if key is None else key, callback)


def call_all(callbacks: Iterable[Callback], what: str) -> None:
    """Call each of *callbacks*. One that raises, of whatever kind it is, keeps no other from being called.

    Errors are logged. What is none (``SystemExit``, ``KeyboardInterrupt``, a timeout of gevent) is not for us to keep,
    as a signal handler raises it in whatever runs: the first one is raised in the end.

    :param what: what a callback is, for the log.
    """
    ending: BaseException | None = None
    for callback in callbacks:
        try:
            callback()
        except Exception:
            current_app.logger.exception("status page: %s failed", what)
        except BaseException as error:
            ending = ending or error
    if ending is not None:
        raise ending


def before_commit(session: Session, callback: Closing, *, key: Hashable) -> None:
    """Call *callback* within the outermost transaction of *session* just before its commit, in a fresh app context.

    It is given the session and may write; what it raises fails the commit, as an error of the change itself would.

    Forgotten like those of :func:`on_commit` when the transaction or savepoint at hand is rolled back.
    """
    _waiting_in(session).closing.setdefault(key, callback)


def closing(session: Session, key: Hashable) -> Closing | None:
    """What was registered as *key* with :func:`before_commit` in the open transaction or savepoint or one around it."""
    transaction = _innermost(session)
    while transaction is not None:
        if (waiting := _waiting.get(transaction)) and (callback := waiting.closing.get(key)):
            return callback
        transaction = transaction.parent
    return None


def note_lock(session: Session | scoped_session[Session]) -> None:
    """Note that the open transaction of *session* holds rows of ours until its end, whatever it changes."""
    # The outermost one: MariaDB keeps a savepoint's locks when it is rolled back.
    if isinstance(session, scoped_session):  # the host's ``db.session`` itself
        session = session()
    if outermost := session.get_transaction():
        _holding.add(outermost)


def holds_ours(session: Session) -> bool:
    """Whether the open transaction of *session* has changed or locked something of ours."""
    if session.get_transaction() in _holding:
        return True
    transaction = _innermost(session)
    while transaction is not None and transaction not in _waiting:
        transaction = transaction.parent
    return transaction is not None


def _waiting_in(session: Session | scoped_session[Session]) -> _Waiting:
    if isinstance(session, scoped_session):  # the host's ``db.session`` itself
        session = session()
    for name, listener in _LISTENERS.items():
        if not event.contains(session, name, listener):
            event.listen(session, name, listener)
    transaction = _innermost(session) or session.begin()
    return _waiting.setdefault(transaction, _Waiting(current_app._get_current_object()))  # type: ignore[attr-defined]


def _innermost(session: Session) -> SessionTransaction | None:
    return session.get_nested_transaction() or session.get_transaction()


def _close(session: Session) -> None:
    transaction = _innermost(session)
    if transaction is None or transaction.parent is not None:
        return  # a savepoint is released
    if waiting := _waiting.get(transaction):
        with waiting.app.app_context():
            while waiting.closing:
                # Removed first: what it writes is flushed, and a commit within must not come here again.
                waiting.closing.pop(next(iter(waiting.closing)))(session)


def _note_commit(session: Session) -> None:
    transaction = _innermost(session)
    if transaction is not None and (waiting := _waiting.get(transaction)):
        waiting.durable = True


def _settle(session: Session, transaction: SessionTransaction) -> None:
    waiting = _waiting.pop(transaction, None)
    if waiting is None or not waiting.durable:
        return
    if transaction.parent is not None:
        outer = _waiting.setdefault(transaction.parent, _Waiting(waiting.app))
        for key, callback in waiting.callbacks.items():
            outer.callbacks.setdefault(key, callback)
        for key, closer in waiting.closing.items():
            outer.closing.setdefault(key, closer)
        return
    with waiting.app.app_context():
        call_all(waiting.callbacks.values(), "a callback after commit")


_LISTENERS: dict[str, Callable[..., None]] = {
    "before_commit": _close,
    "after_commit": _note_commit,
    "after_transaction_end": _settle,
}
