"""Counts the site's own requests to watched blueprints, in this process, and hands the counts on in batches.

A request to another blueprint costs one look-up, a watched one a few microseconds; no database is asked while one is
answered. A thread that the first counted request starts writes what ten seconds amount to. Nothing here may take the
host down: what fails is logged.
"""

from __future__ import annotations

import atexit
import logging
import os
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from weakref import WeakSet, ref

from flask import Flask, Response, after_this_request, got_request_exception, request
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from ..domain.ids import new_id
from ..domain.latency import Histogram
from ..probing.traffic import KIND, WINDOWS
from ..state import state_of
from ..storage import traffic
from ..storage.races import committed
from ..storage.session import current_engine, current_session, database_now, in_pages
from ..storage.traffic import SECONDS
from ..storage.trouble import worded
from .mounts import is_meant, lineage

logger = logging.getLogger(__name__)

BEGAN = "flask_statuspage.began"
"""In the environ of a request that is to be counted: when it began, by ``perf_counter``, and the names."""

ANSWERED = "flask_statuspage.answered"
"""The same once it is counted as answered well."""

KEPT = timedelta(seconds=WINDOWS[1])
"""How long counts wait for a database that is away; no window asks for older ones."""

MOST_BUCKETS = 10_000
SLOWEST = 120_000  # milliseconds
JITTER = 2.0
FAREWELL = 5.0
ROWS_AT_ONCE = 500

_counters: WeakSet[Counter] = WeakSet()
_turning = threading.Lock()
_is_hooked = False


def uncount() -> None:
    """Do not count this request: what it gets for an answer says nothing of the blueprint."""
    request.environ.pop(BEGAN, None)


class _Tally:
    """What came to one name in ten seconds; ``took`` has how many requests took so many milliseconds."""

    __slots__ = ("errors", "requests", "took")

    def __init__(self) -> None:
        self.requests = self.errors = 0
        self.took: dict[int, int] = {}


class Counter:
    """Counts for one app. :meth:`watch` begins it, and is called again when more is watched."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._names: dict[str | None, tuple[str, ...]] = {}
        self._is_connected = False
        self._begin()
        _remember(self)

    def _begin(self) -> None:
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._open: dict[tuple[str, int], _Tally] = {}
        self._waiting: list[dict[str, Any]] = []
        self._is_away = False

    forget = _begin
    """In a child process: what was counted before the fork is its parent's."""

    def watch(self) -> None:
        """Count what the app's declarations watch by now."""
        self._names = {}
        if self._is_connected:
            return
        try:
            # Cheaper than signals and before_request, and it comes before all of the host's own functions.
            self.app.url_value_preprocessor(self._started)
        except AssertionError:
            self.app.logger.warning(
                "status page: watch() came after the app's first request; nothing is counted"
            )
            return
        got_request_exception.connect(self._raised, self.app)
        self._is_connected = True

    def _started(self, endpoint: str | None, values: dict[str, Any] | None) -> None:
        known = (
            self._names
        )  # another thread may begin a new one: what is found by the old belongs to the old
        names = known.get(endpoint)
        if names is None:
            names = known[endpoint] = self._watched(endpoint)
        if names:
            environ = request.environ
            environ[BEGAN] = (time.perf_counter(), names)
            after_this_request(partial(self._finished, environ))

    def _finished(self, environ: dict[str, Any], response: Response) -> Response:
        begun = environ.pop(BEGAN, None)
        if begun is not None:
            failed = response.status_code >= 500
            if not failed:
                environ[ANSWERED] = begun
            self._count(*begun, errors=failed)
        return response

    def _raised(self, sender: Flask, **details: object) -> None:
        """Nobody caught an exception of the view, or of what the host does after it."""
        environ = request.environ
        if (begun := environ.pop(BEGAN, None)) is not None:
            self._count(*begun, errors=1)
        elif (begun := environ.pop(ANSWERED, None)) is not None:
            self._count(*begun, requests=0, errors=1)

    def _count(
        self, began: float, names: tuple[str, ...], *, requests: int = 1, errors: int
    ) -> None:
        milliseconds = min(int((time.perf_counter() - began) * 1000), SLOWEST)
        at = int(time.time()) // SECONDS
        try:
            with self._lock:
                if self._thread is None:
                    self._start()
                for name in names:
                    tally = self._open.get((name, at))
                    if tally is None:
                        tally = self._new_tally(name, at)
                    tally.requests += requests
                    tally.errors += errors
                    if requests:
                        tally.took[milliseconds] = tally.took.get(milliseconds, 0) + 1
        except Exception:
            logger.exception("status page: a request could not be counted")

    def _new_tally(self, name: str, at: int) -> _Tally:
        if len(self._open) >= MOST_BUCKETS:  # only where no thread can be started
            del self._open[next(iter(self._open))]
        tally = self._open[name, at] = _Tally()
        return tally

    def _watched(self, endpoint: str | None) -> tuple[str, ...]:
        """The targets that requests to *endpoint* count for."""
        blueprint = (endpoint or "").rpartition(".")[0]
        if not blueprint or (endpoint or "").endswith(".static"):
            return ()
        state, chain = state_of(self.app), lineage(blueprint)
        if any(self.app.blueprints.get(one) is state.owner for one in chain):
            return ()  # the status page itself, inside of a watched blueprint
        watched = {
            declared.target
            for declared in state.declarations()
            if declared.kind == KIND
            and any(is_meant(self.app, declared.blueprint, one) for one in chain)
        }
        return tuple(sorted(watched))

    def _start(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=_write_for,
            args=(ref(self), self._stopping),
            name="statuspage-traffic",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Write what there is and end the thread; a request that comes afterwards starts another one."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            thread.join(FAREWELL)

    def write(self, *, everything: bool = False, last: bool = False) -> None:
        """Hand on what was counted; what cannot be written waits for the next time.

        :param everything: also of the ten seconds that are not over yet.
        :param last: the process ends, and nobody could do anything about what cannot be written.
        """
        with self._writing:
            self._waiting += self._taken(everything=everything)
            oldest = time.time() - KEPT.total_seconds()
            self._waiting = [row for row in self._waiting if row["second"] >= oldest]
            if not self._waiting:
                return
            try:
                with self.app.app_context():
                    if isinstance(current_engine().pool, StaticPool):
                        self._waiting = []  # SQLite in memory: its one connection is the requests'
                        return
                    _insert_all(self._waiting)
            except SQLAlchemyError as error:
                if not self._is_away and not last:
                    logger.warning("status page: traffic waits for the database: %s", worded(error))
                self._is_away = True
                return
            self._waiting, self._is_away = [], False

    def _taken(self, *, everything: bool) -> Iterator[dict[str, Any]]:
        now = int(time.time()) // SECONDS
        with self._lock:
            ready = [key for key in self._open if everything or key[1] < now]
            taken = [(key, self._open.pop(key)) for key in ready]
        for (name, at), tally in taken:
            took = Histogram({})
            for milliseconds, count in tally.took.items():
                one = Histogram({})
                one.add(milliseconds)
                took.merge(Histogram({bucket: count for bucket in one.counts}))
            yield {
                "id": new_id(),
                "name": name,
                "second": at * SECONDS,
                "requests": tally.requests,
                "errors": tally.errors,
                "histogram": str(took),
            }


def _insert_all(rows: list[dict[str, Any]]) -> None:
    """Write *rows*, without those that the database does not take by themselves either."""
    try:
        committed(current_session(), partial(_insert, rows=rows))
    except (DataError, IntegrityError):
        for row in rows:
            try:
                committed(current_session(), partial(_insert, rows=[row]))
            except (DataError, IntegrityError) as error:
                logger.warning("status page: traffic of %r is lost: %s", row["name"], worded(error))


def _insert(session: Session, rows: list[dict[str, Any]]) -> None:
    """Write *rows*, whose seconds are this machine's, by the database's clock."""
    ahead = (database_now(session) - datetime.now(UTC)).total_seconds()
    for some in in_pages(rows, ROWS_AT_ONCE):
        placed = []
        for row in some:
            values = dict(row)
            second = values.pop("second") + round(ahead)
            at = datetime.fromtimestamp(second // SECONDS * SECONDS, UTC)
            placed.append({**values, "at": at})
        traffic.add_all(session, placed)


def _write_for(counter: ref[Counter], stopping: threading.Event) -> None:
    """The thread: shortly after each ten seconds, at another instant in each process."""
    late = random.random() * JITTER
    while True:
        ends = stopping.wait(SECONDS - time.time() % SECONDS + late)
        found = counter()
        if found is None:
            return
        try:
            found.write(everything=ends, last=ends)
        except Exception:
            logger.exception("status page: traffic could not be written")
        if ends:
            return
        del found


def _remember(counter: Counter) -> None:
    global _is_hooked
    with _turning:
        if not _is_hooked:  # neither can be taken back
            _is_hooked = True
            atexit.register(_stop_all)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_forget_all)
        _counters.add(counter)


def _stop_all() -> None:
    with _turning:
        counters = list(_counters)
    for counter in counters:
        counter.stop()


def _forget_all() -> None:
    global _turning
    _turning = threading.Lock()  # a thread of the parent may have held it
    for counter in list(_counters):
        counter.forget()
