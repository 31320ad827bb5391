"""Wake a worker through RQ. A trigger that is lost costs time: the scheduler finds what is due again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from rq import Queue

logger = logging.getLogger(__name__)

PREFIX = "statuspage"
JOB_SECONDS = 180
TRIGGER_SECONDS = 60
"""How long a trigger waits for a worker; the scheduler sends new ones while work is due."""
FAILURE_SECONDS = 3600
REST_SECONDS = 5.0
"""After a failure Redis is left alone for so long, so that a dead one does not slow every request."""

OWN_QUEUE = ("deliver", "deliver_slow", "mirror")
SHARED = {"letters": "deliver"}
"""Tasks that wait in the queue of another one: what talks to mail servers must not hold up what is on time."""


def queue_of(task: str) -> str:
    """The queue in which *task* waits: one queue has one kind of work, and a worker listens to one queue."""
    name, _, region = SHARED.get(task, task).partition(":")
    if name == "probe":
        return f"{PREFIX}-probe-{region}"
    return f"{PREFIX}-{name.replace('_', '-')}" if name in OWN_QUEUE else PREFIX


def queues_for(region: str, *, mirror: bool = False) -> list[str]:
    """The queues that a full set of workers in *region* listens to, that of its probes last.

    :param mirror: whether it keeps a mirror, whose folder is not on every machine.
    """
    here = [f"{PREFIX}-mirror"] if mirror else []
    delivering = [queue_of("deliver"), queue_of("deliver_slow")]
    return [PREFIX, *delivering, *here, f"{PREFIX}-probe-{region}"]


def all_queues(regions: Iterable[str]) -> list[str]:
    """Every queue of a site with those regions, each once. Whether a mirror is kept, another machine may know."""
    return list(dict.fromkeys(name for one in regions for name in queues_for(one, mirror=True)))


def is_queue(name: str) -> bool:
    """Whether some task waits in a queue of this name."""
    probes = queue_of("probe:")
    return name in queues_for("", mirror=True)[:-1] or (name.startswith(probes) and name != probes)


def connect(url: str) -> Redis:
    """A client that gives up fast when there is no Redis at *url*."""
    return Redis.from_url(url, socket_connect_timeout=2, health_check_interval=30)


def rq_queue(name: str, connection: Redis) -> Queue:
    """The RQ queue *name*. JSON, because whoever could write a pickle to Redis could run code here."""
    from rq import Queue  # costs 0.1 s, which a web process without Redis need not pay
    from rq.serializers import JSONSerializer

    return Queue(name, connection=connection, serializer=JSONSerializer)


class RedisTrigger:
    """``wake`` for apps with ``STATUSPAGE_REDIS_URL``. Never raises: the work itself is safe in the database."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url, socket_connect_timeout=0.5, socket_timeout=1.0, health_check_interval=30
        )
        self._rests_until = 0.0
        self._lock = threading.Lock()

    def __call__(self, task: str) -> None:
        if time.monotonic() < self._rests_until:
            return
        try:
            self._enqueue(task)
        except RedisError as error:
            self._rest()
            logger.warning("status page: Redis did not take %r, the sweep will: %s", task, error)

    def _enqueue(self, task: str) -> None:
        queue = rq_queue(queue_of(task), self._redis)
        options: dict[str, Any] = {
            "timeout": JOB_SECONDS,
            "ttl": TRIGGER_SECONDS,
            "result_ttl": 0,
            "failure_ttl": FAILURE_SECONDS,
            "description": f"statuspage {task}",
        }
        queue.enqueue_call("flask_statuspage.jobs.tasks.run", args=[task], **options)

    def waiting(self, task: str) -> int:
        """How many triggers wait in the queue of *task*; 0 when Redis does not tell."""
        try:
            return int(rq_queue(queue_of(task), self._redis).count)
        except RedisError:
            return 0

    def depths(self, queues: Iterable[str]) -> dict[str, int] | None:
        """How many triggers wait in each of *queues*, in one round trip; None when Redis does not tell."""
        if time.monotonic() < self._rests_until:
            return None
        names = list(queues)
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.llen(rq_queue(name, self._redis).key)
                return dict(zip(names, pipeline.execute(), strict=True))
        except RedisError as error:
            self._rest()
            logger.warning("status page: Redis does not tell what waits: %s", error)
            return None

    def _rest(self) -> None:
        with self._lock:
            self._rests_until = time.monotonic() + REST_SECONDS
