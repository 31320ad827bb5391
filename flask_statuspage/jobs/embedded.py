"""The same tasks in threads of one process: a small site needs no Redis."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from ..state import state_of
from . import tasks
from .schedule import TICK_SECONDS, Scheduler

logger = logging.getLogger(__name__)


class Runner:
    """Runs scheduler and workers until :meth:`stop`. While it runs, commits of this process wake it at once."""

    def __init__(self, app: Flask, *, threads: int = 6) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="statuspage")
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._again: dict[str, bool] = {}  # tasks that run, and whether they were woken meanwhile
        self._clock = threading.Thread(target=self._tick, name="statuspage-clock", daemon=True)

    def start(self) -> None:
        state_of(self._app).wake = self.wake
        self._clock.start()

    def stop(self) -> None:
        """End after the tasks that run; blocks until then."""
        self._stopping.set()
        self._clock.join()
        self._pool.shutdown()

    def wait(self) -> None:
        """Block until :meth:`stop` is called from elsewhere."""
        while not self._stopping.wait(0.5):
            pass

    def wake(self, task: str) -> None:
        """Run *task* soon; one that runs already is run once more afterwards. Nothing is raised: whoever committed a
        change is not to hear of it when there is no thread for the task, which stays due."""
        with self._lock:
            if self._stopping.is_set():
                return
            if task in self._again:
                self._again[task] = True
                return
            try:
                self._pool.submit(self._run, task)
            except RuntimeError as error:  # it is being shut down, or the machine refuses a thread
                logger.warning("status page: task %s could not be begun: %s", task, error)
            else:
                self._again[task] = False

    def _run(self, task: str) -> None:
        again = True
        while again:
            try:
                with self._app.app_context():
                    tasks.run(task, stopping=self._stopping.is_set)
            except BaseException:
                # No thread of the pool is the main one: what would end the process there (a receiver that exits, say)
                # is but the end of one run here. What was not done stays due; the next tick wakes the task again.
                logger.exception("status page: task %s failed", task)
            with self._lock:
                # Not there where the pool had no thread for it at first: it keeps what it could not begin.
                again = self._again.pop(task, False) and not self._stopping.is_set()
                if again:
                    self._again[task] = False

    def _tick(self) -> None:
        with self._app.app_context():
            Scheduler(self.wake).run(self._stopping, every=TICK_SECONDS)
