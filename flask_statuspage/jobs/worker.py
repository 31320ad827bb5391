"""RQ workers as RQ needs them: one queue a process, the app imported before the fork, children that are restarted.

A worker that listens to two queues loses jobs at a graceful stop; Redis dying in the middle of a job ends a worker. So
the command keeps one child for each queue, and starts it again when it ends.
"""

from __future__ import annotations

import logging
import mmap
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Any

from flask import Flask
from redis.exceptions import RedisError
from rq import Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from ..domain.ids import new_id
from ..storage.session import current_engine, forget_connections, release_session
from ..storage.trouble import worded
from . import tasks
from .queue import connect, rq_queue
from .schedule import Heartbeat

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.5
WAIT_SECONDS = 3
RESTART_SECONDS = 1.0
GRACE_SECONDS = 60.0
"""How long a job in work may go on after SIGTERM; its leases run out by themselves if it is cut."""

_fork = multiprocessing.get_context("fork")


class StatusPageWorker(Worker):  # type: ignore[misc,unused-ignore]
    """A worker whose forked jobs never share a database connection with it, whatever the host's code opened.

    A job learns by a shared byte that the worker was told to stop: RQ lets it go on, so it must come to its end itself.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._told_to_stop = mmap.mmap(-1, 1)
        super().__init__(*args, **kwargs)

    @property
    def dequeue_timeout(self) -> int:
        """Seconds of one wait for a job; RQ's own 15 would be the longest stop of a worker without work."""
        return WAIT_SECONDS

    def request_stop(self, signum: Any, frame: Any) -> None:
        """Note the signal before RQ raises it as an exception, which some of its own code swallows.

        Then it is acted on at the latest when the wait for a job ends, instead of never.
        """
        self._stop_requested = True
        self._told_to_stop[0] = 1
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call,unused-ignore]

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        # The parent goes on using its sockets; the child must not close them, only forget them.
        forget_connections()
        tasks.leaving = lambda: bool(self._told_to_stop[0])
        super().main_work_horse(job, queue)


class Supervisor:
    """One child process for each queue, started again whenever it ends.

    It has no threads: a lock that a thread holds at a fork stays locked in the child for ever. So it is the supervisor
    that leaves the signs of life, not the workers, and its connections are closed before each fork.
    """

    def __init__(self, app: Flask, url: str, queues: Sequence[str]) -> None:
        self._app = app
        self._url = url
        self._posts = [_Post(queue) for queue in queues]
        self._stopping = threading.Event()

    def run(self) -> None:
        """Supervise until SIGTERM or SIGINT, then let the jobs in work end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            with self._app.app_context():
                while not self._stopping.is_set():
                    for post in self._posts:
                        self._attend(post)
                    self._stopping.wait(TICK_SECONDS)
        finally:
            # Whatever ended the loop: this process could not end before its children, and nobody looked after them.
            self._end()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()

    def _attend(self, post: _Post) -> None:
        if post.child is None or not post.child.is_alive():
            if post.child is not None and not post.reported:
                logger.warning(
                    "status page: the worker of %s ended (%s); starting another",
                    post.queue,
                    post.child.exitcode,
                )
                post.reported = True
            if time.monotonic() - post.started_at >= RESTART_SECONDS:
                self._start(post)
            return
        try:
            post.heartbeat.beat()
        except SQLAlchemyError as error:
            logger.warning("status page: no sign of life can be left: %s", worded(error))
        finally:
            release_session()

    def _start(self, post: _Post) -> None:
        current_engine().dispose()
        post.started_at = time.monotonic()
        child = _fork.Process(target=work, args=(self._app, self._url, post.queue))
        try:
            _try_to_fork()
            child.start()
        except OSError as error:  # no room for one more process now; later there may be
            logger.warning(
                "status page: the worker of %s could not be started: %s", post.queue, error
            )
            return
        post.child, post.reported = child, False

    def _end(self) -> None:
        living = [post.child for post in self._posts if post.child and post.child.is_alive()]
        for child in living:
            child.terminate()
        ends = time.monotonic() + GRACE_SECONDS
        for child in living:
            child.join(max(0.0, ends - time.monotonic()))
            if child.is_alive():
                child.kill()
                child.join()
        with self._app.app_context():
            for post in self._posts:
                try:
                    post.heartbeat.stop()
                except SQLAlchemyError as error:
                    logger.warning(
                        "status page: the worker could not say goodbye: %s", worded(error)
                    )


class _Post:
    """A queue, and who works on it."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self.child: ForkProcess | None = None
        self.started_at = -RESTART_SECONDS
        self.reported = False
        self.heartbeat = Heartbeat(f"worker {queue}")


def _try_to_fork() -> None:
    """Fork once for nothing: when that fails ``Process.start`` would, and leave four files open each time.

    :raises OSError: there is no room for another process.
    """
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)


def work(app: Flask, url: str, queue: str) -> None:
    """Listen to one queue in this process until it is told to stop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # Until RQ sets its own, not the supervisor's handler, which would only note the signal.
        signal.signal(number, signal.SIG_DFL)
    with app.app_context():
        connection = connect(url)
        worker = StatusPageWorker(
            [rq_queue(queue, connection)],
            name=f"{queue}-{new_id().hex}",
            connection=connection,
            serializer=JSONSerializer,
            maintenance_interval=30,
            worker_ttl=30,
            job_monitoring_interval=10,
            log_job_description=False,
        )
        try:
            worker.work(with_scheduler=False, logging_level="WARNING")
        except RedisError as error:
            logger.warning("status page: the worker of %s lost Redis: %s", queue, error)
