"""Workers and scheduler as processes: what they do when the machine, or the site's own code, fails them."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from flask_statuspage.storage.leases import Lease
from flask_statuspage.storage.session import current_session
from tests.servers.redis import RedisServer
from tests.story.site import APP, Site, eventually, running_site, session_of

TROUBLES = """

import errno
from sqlalchemy import event
from sqlalchemy.engine import Engine

fork = os.fork


def fork_if_there_is_room():
    if os.path.exists(os.path.join(HERE, "crowded")):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    return fork()


os.fork = fork_if_there_is_room


@event.listens_for(Engine, "before_cursor_execute")
def break_down(connection, cursor, statement, *rest):
    if "statuspage_pulse" in statement and os.path.exists(os.path.join(HERE, "broken")):
        raise RuntimeError("a listener of the site broke")
"""
"""What comes over the host's app while a file of that name lies in its folder."""

QUEUES = ("statuspage", "statuspage-deliver")


@pytest.fixture
def site(tmp_path: Path, redis_server: RedisServer) -> Iterator[Site]:
    redis_server.start()
    redis_server.flushall()
    database = f"sqlite:///{tmp_path / 'site.db'}"
    with running_site(
        tmp_path, SQLALCHEMY_DATABASE_URI=database, STATUSPAGE_REDIS_URL=redis_server.url
    ) as site:
        (tmp_path / "site_app.py").write_text(APP + TROUBLES)
        yield site


def supervised(site: Site) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A supervisor, and the pids of its workers, one for each queue."""
    process = site.start("worker", *(f"--queue={name}" for name in QUEUES))

    def workers() -> list[int]:
        return sorted(set(session_of(process.pid)) - {process.pid})

    eventually(lambda: len(workers()) == len(QUEUES), within=60, what="a worker for each queue")
    return process, workers()


def test_a_machine_without_room_for_another_process(site: Site, tmp_path: Path) -> None:
    """The supervisor tries again until there is, holds no file open for it, and ends with all its workers."""
    process, (first, second) = supervised(site)
    files = Path(f"/proc/{process.pid}/fd")
    (tmp_path / "crowded").touch()
    os.kill(first, signal.SIGKILL)

    def refused() -> int:
        return site.log().count("could not be started: [Errno 11] Resource temporarily unavailable")

    eventually(lambda: refused() >= 2, within=60, what="it tries again")
    before, tries = len(list(files.iterdir())), refused()
    eventually(lambda: refused() >= tries + 3, within=60, what="it goes on trying")
    assert len(list(files.iterdir())) <= before + 1  # a connection to the database may come and go
    (tmp_path / "crowded").unlink()
    now = eventually(
        lambda: len(both := set(session_of(process.pid)) - {process.pid}) == 2 and both,
        within=60,
        what="both queues have a worker again",
    )
    assert second in now
    assert first not in now
    process.terminate()
    assert process.wait(30) == 0
    assert session_of(process.pid) == []


def test_a_supervisor_that_breaks_down_leaves_no_worker(site: Site, tmp_path: Path) -> None:
    """Whatever ends it ends its workers, and the process: whoever started it sees that, and may start it again."""
    process, _ = supervised(site)
    (tmp_path / "broken").touch()
    assert process.wait(60) == 1
    assert session_of(process.pid) == []
    assert "a listener of the site broke" in site.log()


def test_a_scheduler_goes_on_whatever_a_tick_raises(site: Site, tmp_path: Path) -> None:
    """What the site's own code raises is logged; once it is over the scheduler leads, and it ends as it should."""
    (tmp_path / "broken").touch()
    process = site.start("scheduler")
    eventually(
        lambda: process.poll() is not None or site.log().count("the scheduler failed") >= 2,
        within=60,
        what="it fails, and tries again",
    )
    assert process.poll() is None
    (tmp_path / "broken").unlink()

    def leads() -> bool:
        with site.app.app_context():
            return current_session().scalar(select(Lease.holder)) is not None

    eventually(leads, within=30, what="it leads")
    process.terminate()
    assert process.wait(30) == 0
    assert not leads()
