"""RQ workers as RQ needs them: one queue a process, the app imported before the fork, children that are restarted.

A worker that listens to two queues loses jobs at a graceful stop; Redis dying in the middle of a job ends a worker. So
the command keeps one child for each queue, and starts it again when it ends.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Sequence
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
from ..storage.session import current_engine, release_session
from .queue import connect, rq_queue
from .schedule import Heartbeat

logger = logging.getLogger(__name__)

RESTART_SECONDS = 1.0
GRACE_SECONDS = 60.0
"""How long a job in work may go on after SIGTERM; its leases run out by themselves if it is cut."""

_fork = multiprocessing.get_context("fork")


class StatusPageWorker(Worker):  # type: ignore[misc,unused-ignore]
    """A worker whose forked jobs never share a database connection with it."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        # The parent goes on using its sockets; the child must not close them, only forget them.
        current_engine().dispose(close=False)
        super().main_work_horse(job, queue)


def supervise(app: Flask, url: str, queues: Sequence[str]) -> None:
    """Keep one child for each of *queues* until SIGTERM or SIGINT."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    children: dict[str, Any] = {}
    started: dict[str, float] = {}
    while not stopping.is_set():
        for name in queues:
            child = children.get(name)
            if child is not None and child.is_alive():
                continue
            if child is not None:
                logger.warning(
                    "status page: the worker of %s ended (%s); restarting", name, child.exitcode
                )
            if time.monotonic() - started.get(name, -RESTART_SECONDS) < RESTART_SECONDS:
                continue
            started[name] = time.monotonic()
            children[name] = _fork.Process(target=work, args=(app, url, name), name=name)
            children[name].start()
        stopping.wait(0.5)
    _end(children.values())


def _end(children: Any) -> None:
    living = [child for child in children if child.is_alive()]
    for child in living:
        child.terminate()
    ends = time.monotonic() + GRACE_SECONDS
    for child in living:
        child.join(max(0.0, ends - time.monotonic()))
        if child.is_alive():
            child.kill()
            child.join()


def work(app: Flask, url: str, queue: str) -> None:
    """Listen to one queue in this process until it is told to stop."""
    with app.app_context():
        current_engine().dispose(close=False)
        _beat_in_background(app, queue)
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


def _beat_in_background(app: Flask, queue: str) -> None:
    def beat() -> None:
        heartbeat = Heartbeat(f"worker {queue}")
        with app.app_context():
            while True:
                try:
                    heartbeat.beat()
                except SQLAlchemyError as error:
                    logger.warning("status page: no sign of life can be left: %s", error)
                finally:
                    release_session()
                time.sleep(1.0)

    threading.Thread(target=beat, name="statuspage-heartbeat", daemon=True).start()
