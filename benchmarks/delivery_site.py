"""The host with subscriptions, and its workers as real processes."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.jobs.queue import RedisTrigger, connect, rq_queue
from flask_statuspage.services import events
from flask_statuspage.state import state_of
from flask_statuspage.storage import leases
from flask_statuspage.storage.endpoints import Endpoint
from flask_statuspage.storage.outbox import Attempt, Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_engine, current_session
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState, digest
from tests.servers import postgresql, process, redis
from tests.servers.postgresql import PostgresqlServer

from . import seed, servers, site
from .servers import cpu_of_tree

COMPONENTS = 20
SECRET = "whsec_" + "c2VjcmV0LW9mLXRoaXJ0eS10d28tcmFuZG9tLWJ5dGVz"
PATIENCE = 90.0


@dataclass(frozen=True)
class Machinery:
    """A private PostgreSQL and Redis, shared by all sites of one run."""

    postgresql: PostgresqlServer
    redis_url: str
    _trees: list[int] = field(default_factory=list)

    def database_cpu(self) -> float:
        return cpu_of_tree(self.postgresql.pid)


@contextmanager
def machinery() -> Iterator[Machinery]:
    with postgresql.running() as database, redis.running() as broker:
        yield Machinery(database, broker.url)


class DeliverySite:
    """A host on an empty database of its own."""

    def __init__(self, machinery: Machinery, directory: Path, **config: Any) -> None:
        self._redis_url = machinery.redis_url
        self._directory = directory
        self._url = machinery.postgresql.create_database()
        self._config = {
            "STATUSPAGE_ALLOW_PRIVATE_TARGETS": True,
            "STATUSPAGE_ALLOW_HTTP_TARGETS": True,
            "STATUSPAGE_REDIS_URL": machinery.redis_url,
            **config,
        }
        self._numbers = itertools.count(1)
        self.app: Flask = site.migrated(self._url, config=self._config)
        # Who wakes whom is the measurement's business.
        state_of(self.app).wake = lambda task: None
        with self.app.app_context(), current_engine().begin() as connection:
            self.page_id = seed.default_page(connection)
            seed.fill(connection, self.page_id, components=COMPONENTS, incidents=5)

    def close(self) -> None:
        site.close(self.app)

    def wake(self, task: str) -> None:
        RedisTrigger(self._redis_url)(task)

    def wait_until_idle(self, queue: str) -> None:
        """Until no trigger waits and no worker of *queue* is at work."""
        waiting = rq_queue(queue, connect(self._redis_url))
        waiting.empty()
        ends, quiet = time.monotonic() + PATIENCE, 0
        # More than once: a job is in neither place while a worker takes it.
        while (quiet := 0 if waiting.started_job_registry.count else quiet + 1) < 10:
            if time.monotonic() > ends:
                raise RuntimeError(f"the workers of {queue} do not come to rest")
            time.sleep(0.05)

    def subscribe(self, urls: Sequence[str], *, policy: dict[str, Any] | None = None) -> None:
        """A signed native webhook for each of *urls*."""
        now = datetime.now(UTC)
        rows = [
            {
                "id": new_id(),
                "page_id": self.page_id,
                "channel": "webhook",
                "address": url,
                "address_digest": digest(url),
                "format": "native",
                "secret": SECRET,
                "policy": policy,
                "state": SubscriptionState.ACTIVE,
                "nonce": new_id().hex,
                "confirmed_at": now,
            }
            for url in urls
        ]
        with self.app.app_context(), current_engine().begin() as connection:
            connection.execute(insert(Subscription), rows)

    def member(self) -> None:
        """Make a key for :meth:`open_incident`."""
        command = ["statuspage", "token", "create", "benchmark", "--role", "owner"]
        self._key = self.app.test_cli_runner().invoke(args=command).output.strip()
        self._client = self.app.test_client()

    def open_incident(self) -> None:
        """As a member does, by the manage API."""
        answer = self._client.post(
            f"{site.PREFIX}/admin/api/v1/incidents",
            json={"title": "Cranes stand still", "body": seed.BODY, "components": ["component-0"]},
            headers={"Authorization-Token": self._key},
        )
        if answer.status_code != 201:
            raise RuntimeError(f"no incident: {answer.status_code} {answer.text}")

    def tell(self, *, title: str = "Cranes stand still") -> tuple[UUID, float]:
        """Write an event about an incident with one component and one update; its id and the time of its commit.

        With more subscriptions than are served in the transaction itself, :meth:`expand` has to follow.
        """
        subject = new_id()
        with self.app.app_context():
            session = current_session()
            page = session.get_one(Page, self.page_id)
            row = events.record(
                session, page, "incident.created", subject_id=subject, data=_facts(subject, title)
            )
            event_id = row.id
            session.commit()
            return event_id, time.time()

    def expand(self) -> list[float]:
        """Write the deliveries that wait to be written, as the task does; the seconds of each page."""
        took = []
        with self.app.app_context():
            while True:
                begun = time.monotonic()
                session = current_session()
                count = events.expand_waiting(session)
                session.commit()
                if not count:
                    return took
                took.append(time.monotonic() - begun)

    def ask(self, work: Callable[[Session], Any]) -> Any:
        with self.app.app_context():
            session = current_session()
            try:
                return work(session)
            finally:
                session.rollback()

    def body(self) -> str:
        """The bytes of the latest event as the native format words them."""
        from flask_statuspage.delivery.formats import formats

        def word(session: Session) -> str:
            query = select(EventRow).order_by(EventRow.sequence.desc()).limit(1)
            return formats["native"].render(events.as_event(session.scalars(query).one()))

        return self.ask(word)

    def wait_until_done(self, count: int) -> None:
        """Until so many deliveries are noted as done; raises when others failed."""
        ends = time.monotonic() + PATIENCE
        query = select(func.count()).where(Delivery.state == DeliveryState.DONE)
        while self.ask(lambda session: session.scalar(query)) < count:
            if time.monotonic() > ends:
                raise RuntimeError("deliveries were not done in time")
            time.sleep(0.02)
        failed = select(func.count()).where(Attempt.kind.is_not(None))
        if number := self.ask(lambda session: session.scalar(failed)):
            raise RuntimeError(f"{number} attempts failed; see the receiver")

    def plight(self) -> str:
        """How things stand, for an error's message: deliveries, endpoints in trouble, and what the children said."""
        queries = (
            select(Delivery.state, Delivery.attempts, func.count()).group_by(
                Delivery.state, Delivery.attempts
            ),
            select(Attempt.kind, Attempt.code, func.count()).group_by(Attempt.kind, Attempt.code),
            select(Endpoint.name, Endpoint.is_slow, Endpoint.milliseconds, Endpoint.rests_until),
        )
        rows = [row for query in queries for row in self.ask(lambda s, q=query: s.execute(q).all())]
        waiting = rq_queue("statuspage-deliver", connect(self._redis_url))
        told = [f"triggers: {waiting.count}, in work: {waiting.started_job_registry.count}"]
        logs = sorted(self._directory.glob("child-*/output.log"))
        said = [log.read_text(errors="replace")[-1500:] for log in logs]
        return "\n".join([*map(repr, rows), *told, *said])

    @contextmanager
    def working(self, *queues: str, scheduler: bool = False) -> Iterator[list[int]]:
        """A ``flask statuspage worker`` for each of *queues*, ready for work; their process ids."""
        commands = [["worker", "--queue", queue] for queue in queues]
        if scheduler:
            commands.append(["scheduler"])
        with ExitStack() as stack:
            pids = []
            for command in commands:
                child = self._child(command)
                stack.enter_context(servers.running_process(child))
                pids.append(child.pid)
            ends = time.monotonic() + 30
            while self.ask(_workers) < len(queues):
                if time.monotonic() > ends:
                    raise RuntimeError(f"the workers did not start:\n{self.plight()}")
                time.sleep(0.05)
            time.sleep(0.5)  # RQ's own start after the sign of life
            yield pids

    def _child(self, command: Sequence[str]) -> process.Process:
        number = next(self._numbers)
        folder = self._directory / f"child-{self._url.rpartition('/')[2]}-{number}"
        folder.mkdir()
        config = folder / "config.json"
        config.write_text(json.dumps({"url": self._url, "config": self._config}))
        app = f"benchmarks.delivery_site:made({str(config)!r})"
        program = [sys.executable, "-m", "flask", "--app", app, "statuspage", *command]
        return process.Process(program, directory=folder, ready=lambda: None)


def made(config: str) -> Flask:
    """The host for a worker, of the file *config*."""
    read = json.loads(Path(config).read_text())
    return site.make(read["url"], config=read["config"])


def _workers(session: Session) -> int:
    now = datetime.now(UTC)
    seen = leases.seen_since(session, now.replace(year=now.year - 1))
    return sum(pulse.kind.startswith("worker") for pulse in seen)


def _facts(subject: UUID, title: str) -> dict[str, Any]:
    """What :mod:`flask_statuspage.services.facts` says of an incident, with one component and two updates."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    component = {"id": str(new_id()), "slug": "cranes", "name": "Cranes", "status": "major_outage"}
    updates = [
        {"id": str(new_id()), "status": "investigating", "body": seed.BODY, "created_at": at}
        for _ in range(2)
    ]
    return {
        "incident": {
            "id": str(subject),
            "title": title,
            "status": "investigating",
            "impact": "major",
            "components": [component],
            "started_at": at,
            "resolved_at": None,
            "url": f"https://status.fjordwerk.example/incidents/{subject}",
            "next_update_due": None,
            "updates": updates,
        }
    }
