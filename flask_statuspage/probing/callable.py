"""A function of the site, called in an app context under a limit of time: ``@statuspage.check``."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import isasyncgen, isawaitable, iscoroutine, isgenerator
from weakref import WeakKeyDictionary

from flask import Flask, current_app

from ..config import Settings
from ..domain.verdict import Verdict
from ..errors import Degraded
from ..outgoing.limit import Crowded, Late, within
from ..state import current_state
from .probe import Finding, Probe, ProbeOrder

KIND = "callable"

LATE = Finding(outcome=Verdict.DOWN, error="No answer in time")
CROWDED = Finding(outcome=Verdict.UNKNOWN, error="Too many checks hang in this worker")
UNDONE = "Returned before its work was done"
NOT_HERE = Finding(outcome=Verdict.UNKNOWN, error="This worker's code does not have it")

Function = Callable[[], object]

_hanging: WeakKeyDictionary[Flask, set[str]] = WeakKeyDictionary()
_turning = threading.Lock()


class CallableProbe(Probe):
    kind = KIND
    declared = True

    @contextmanager
    def open(self, settings: Settings) -> Iterator[CallableAsker]:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        functions = {
            one.target: one.function
            for one in current_state().declarations()
            if one.kind == KIND and one.function is not None
        }
        yield CallableAsker(app, functions)


class CallableAsker:
    def __init__(self, app: Flask, functions: dict[str, Function]) -> None:
        self._app = app
        self._functions = functions

    def ask(self, order: ProbeOrder) -> Finding:
        function = self._functions.get(order.target)
        if function is None:
            return NOT_HERE
        with _turning:
            hanging = _hanging.setdefault(self._app, set())
            hangs = order.target in hanging
        if hangs:
            return LATE  # since an earlier check: one thread for it is enough
        begun, done = threading.Event(), threading.Event()

        def call() -> Finding:
            begun.set()
            try:
                return self._call(function, order)
            finally:
                with _turning:
                    done.set()
                    hanging.discard(order.target)

        try:
            return within(order.timeout, call, cut=lambda: None, kind=KIND)
        except Crowded:
            return CROWDED  # it was not called
        except Late:
            with _turning:
                if begun.is_set() and not done.is_set():
                    hanging.add(order.target)
            return LATE

    def _call(self, function: Function, order: ProbeOrder) -> Finding:
        began = time.monotonic()
        try:
            # The context's end gives back the session and rolls back what was not committed.
            with self._app.app_context():
                answer = function()
                error = _wrong(answer)
                milliseconds = round((time.monotonic() - began) * 1000)
        except Degraded as raised:
            self._app.logger.warning("status page: check %s is degraded: %s", order.target, raised)
            return Finding(
                outcome=Verdict.DEGRADED,
                milliseconds=round((time.monotonic() - began) * 1000),
                error="Reported as degraded",
            )
        except BaseException as raised:  # SystemExit, too, must not end the worker
            # Its message is for the site's log only: an error of a check may be read by everybody.
            self._app.logger.exception("status page: check %s failed", order.target)
            return Finding(
                outcome=Verdict.DOWN,
                milliseconds=round((time.monotonic() - began) * 1000),
                error=f"Failed: {type(raised).__name__}",
            )
        if error is not None:
            return Finding(outcome=Verdict.DOWN, milliseconds=milliseconds, error=error)
        limit = order.degraded_over_ms
        if limit is not None and milliseconds > limit:
            slow = f"Slower than {limit} ms"
            return Finding(outcome=Verdict.DEGRADED, milliseconds=milliseconds, error=slow)
        return Finding(outcome=Verdict.UP, milliseconds=milliseconds)


def _wrong(answer: object) -> str | None:
    """What *answer* says against the check. Asking whether it is true may be the site's code, too, and raise."""
    if iscoroutine(answer) or isgenerator(answer):
        answer.close()
        return UNDONE
    if isawaitable(answer) or isasyncgen(answer):
        return UNDONE
    return None if answer is None or answer else "Answered no"


def _forget_parent() -> None:
    """In a child process: what hangs are threads of its parent, one of which may have held the lock."""
    global _turning
    _turning = threading.Lock()
    _hanging.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)
