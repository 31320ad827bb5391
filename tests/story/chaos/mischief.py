"""What is done to a running site: its workers killed and frozen, its Redis emptied and its database crashed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from flask_statuspage.storage.session import current_engine
from tests.servers.postgresql import PostgresqlServer
from tests.servers.redis import RedisServer
from tests.story.chaos.receivers import Crowd
from tests.story.site import Site, session_of

GROUPS = 3
STOP_SECONDS = 70.0
NOTICE_SECONDS = 20.0
ENOUGH_IN_FLIGHT = 8
ESTABLISHED = "01"
WAIT_SECONDS = 4.0
IN_TRANSACTION = "state = 'idle in transaction' AND state_change < now() - '0.3 s'::interval"
LOST_LEASE = "status page: the lease of delivery"


@dataclass(frozen=True)
class Disturbance:
    """Something that was done, from one ``time.time()`` to another, when ``in_flight`` requests were open."""

    kind: str
    began: float
    ended: float
    in_flight: int


@dataclass
class Freeze:
    """A group of workers that stands still.

    :param held: deliveries on their way to steady receivers at that moment, and the lease tokens they had.
    :param sealed: what was written of them when the group went on, after others had ended them.
    :param noticed: whether the group said, once it went on, that its leases were lost.
    """

    group: subprocess.Popen[bytes]
    began: float
    in_flight: int
    held: dict[str, str]
    sealed: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    noticed: bool = False


class Mischief:
    """Worker groups of *site* and what becomes of them.

    :param steady: the subscriptions whose receivers take everything at once.
    """

    def __init__(
        self,
        site: Site,
        crowd: Crowd,
        *,
        database: PostgresqlServer,
        redis: RedisServer,
        look: Engine,
        steady: Collection[str],
    ) -> None:
        self.done: list[Disturbance] = []
        self.kills = 0
        self.freeze: Freeze | None = None
        self._site = site
        self._crowd = crowd
        self._database = database
        self._redis = redis
        self._look = look
        self._steady = steady
        self._groups = [site.start("worker") for _ in range(GROUPS)]
        self._scheduler = site.start("scheduler")

    def kill_sending(self) -> None:
        """SIGKILL the group that has most requests open, in the middle of them."""
        with self._disturbing("kill"):
            group = self._busiest()
            self._kill(group)

    def kill_all(self) -> None:
        """SIGKILL every group but a frozen one, and the scheduler."""
        with self._disturbing("kill all"):
            for group in list(self._groups):
                if self.freeze is None or group is not self.freeze.group:
                    self._kill(group)
            self._site.kill(self._scheduler)
            self._scheduler = self._site.start("scheduler")

    def flush_redis(self) -> None:
        self._redis.flushall()

    def restart_redis(self) -> None:
        with self._disturbing("Redis restart"):
            self._redis.kill()
            time.sleep(1)
            self._redis.start()

    def crash_database(self) -> None:
        """Stop PostgreSQL at once, in the middle of requests, and start it again."""
        with self._disturbing("PostgreSQL restart"):
            self._database.crash()
            time.sleep(1)
            self._database.start()
        self._look.dispose()
        with self._site.app.app_context():
            current_engine().dispose()

    def freeze_sending(self) -> None:
        """SIGSTOP the group that has most requests open, until :meth:`thaw`."""
        assert self.freeze is None
        for _ in range(20):
            in_flight = self._wait_for_sends()
            group, began = self._busiest(), time.time()
            self._site.signal(group, signal.SIGSTOP)
            calls, held = self._open_calls(group), self._held()
            time.sleep(0.4)
            # Within a transaction it would hold its locks, and the web requests behind them, for all the time.
            if calls and held and not self._count(IN_TRANSACTION):
                self.freeze = Freeze(group, began, in_flight, held)
                return
            self._site.signal(group, signal.SIGCONT)
        raise AssertionError("no group could be frozen while it was sending")

    def thaw_if_overtaken(self) -> bool:
        """Let the frozen group go on once others have ended all that it was sending. True: nothing is frozen."""
        freeze = self.freeze
        if freeze is None or freeze.sealed:
            return True
        now = self._rows(freeze.held)
        if any(str(row.lease_token) == freeze.held[str(row.id)] for row in now):
            return False
        seals = self._seals(freeze)
        if any(seal[0] == "pending" for seal in seals.values()):
            return False
        freeze.sealed = seals
        before = self._site.log().count(LOST_LEASE)
        self._site.signal(freeze.group, signal.SIGCONT)
        ends = time.monotonic() + NOTICE_SECONDS
        while not freeze.noticed and time.monotonic() < ends:
            time.sleep(0.2)
            freeze.noticed = self._site.log().count(LOST_LEASE) > before
        # It has disturbed what was in flight when it began, and nothing that others sent meanwhile.
        self.done.append(Disturbance("freeze", freeze.began, freeze.began, freeze.in_flight))
        return True

    def problems(self) -> list[str]:
        """What the group that was frozen has written all the same when it went on, and what it should have said."""
        if self.freeze is None:
            return ["freeze: there was none"]
        now = self._seals(self.freeze)
        found = [
            f"freeze: {key} was {seal} and became {now[key]}"
            for key, seal in self.freeze.sealed.items()
            if now[key] != seal
        ]
        return found if self.freeze.noticed else [*found, "freeze: no lost lease was noticed"]

    def stop(self) -> None:
        """End all workers as they are meant to end."""
        for process in (*self._groups, self._scheduler):
            process.terminate()
        for process in (*self._groups, self._scheduler):
            process.wait(STOP_SECONDS)

    def end(self) -> None:
        """Whatever happened: nothing stays frozen."""
        if self.freeze is not None:
            self._site.signal(self.freeze.group, signal.SIGCONT)

    @contextmanager
    def _disturbing(self, kind: str) -> Iterator[None]:
        in_flight, began = self._wait_for_sends(), time.time()
        try:
            yield
        finally:
            self.done.append(Disturbance(kind, began, time.time(), in_flight))

    def _kill(self, group: subprocess.Popen[bytes]) -> None:
        self._site.kill(group)
        self.kills += 1
        self._groups.remove(group)
        self._groups.append(self._site.start("worker"))

    def _wait_for_sends(self) -> int:
        """How many requests are open once they are enough, or after some seconds."""
        ends = time.monotonic() + WAIT_SECONDS
        while len(busy := self._crowd.busy()) < ENOUGH_IN_FLIGHT and time.monotonic() < ends:
            time.sleep(0.01)
        return len(busy)

    def _busiest(self) -> subprocess.Popen[bytes]:
        """The group with most requests open to healthy receivers; not the one that is frozen."""
        frozen = self.freeze and self.freeze.group
        return max((group for group in self._groups if group is not frozen), key=self._open_calls)

    def _open_calls(self, group: subprocess.Popen[bytes]) -> int:
        return len(_sockets_from(self._crowd.busy()) & _sockets_of(group))

    def _held(self) -> dict[str, str]:
        with self._look.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT id, lease_token FROM statuspage_delivery WHERE state = 'pending'"
                    " AND lease_until > now() AND subscription_id = ANY(CAST(:steady AS uuid[]))"
                ),
                {"steady": list(self._steady)},
            )
            return {str(row.id): str(row.lease_token) for row in rows}

    def _seals(self, freeze: Freeze) -> dict[str, tuple[Any, ...]]:
        return {
            str(row.id): (row.state, row.finished_at, row.attempts, row.due_at)
            for row in self._rows(freeze.held)
        }

    def _rows(self, ids: Collection[str]) -> list[Any]:
        with self._look.connect() as connection:
            query = "SELECT * FROM statuspage_delivery WHERE id = ANY(CAST(:ids AS uuid[]))"
            return list(connection.execute(text(query), {"ids": list(ids)}))

    def _count(self, condition: str) -> int:
        with self._look.connect() as connection:
            found = connection.scalar(
                text(f"SELECT count(*) FROM pg_stat_activity WHERE {condition}")
            )
            return int(found or 0)


def _sockets_from(ports: Collection[int]) -> set[str]:
    """The inodes of this machine's connections from these ports of loopback."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == ESTABLISHED and int(fields[1].rpartition(":")[2], 16) in ports:
            found.add(fields[9])
    return found


def _sockets_of(group: subprocess.Popen[bytes]) -> set[str]:
    found = set()
    for pid in session_of(group.pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(FileNotFoundError):
                    link = os.readlink(entry)
                    if link.startswith("socket:["):
                        found.add(link[8:-1])
    return found
