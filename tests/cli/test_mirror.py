"""`flask statuspage mirror DIR` as an operator runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flask_statuspage.jobs.queue import RedisTrigger
from tests.cli.test_commands import Shell, make_shell, migrated, shell
from tests.servers.redis import RedisServer
from tests.story.site import eventually

__all__ = ["make_shell", "migrated", "shell"]  # fixtures

CHANGE = """
    statuspage.open_incident({title!r})
    site_app.db.session.commit()
"""


def test_written_and_written_again(shell: Shell, tmp_path: Path) -> None:
    """One line tells what was done; the second time nothing is left to do."""
    place = tmp_path / "new" / "mirror"
    first = shell.output("mirror", str(place))
    found = re.fullmatch(r"(\d+) files: (\d+) written, 0 removed\.\n", first)
    assert found is not None
    assert found[1] == found[2]
    assert (place / "index.html").is_file()
    assert shell.output("mirror", str(place)) == f"{found[1]} files: 0 written, 0 removed.\n"


def test_what_cannot_be_done_is_one_line(shell: Shell, tmp_path: Path) -> None:
    """A folder with other files in it, a file in the way, and no folder at all are each told in one line."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "theirs.txt").write_text("")
    assert "holds files that are not a mirror's" in shell.complaint(
        "mirror", str(tmp_path / "full")
    )
    assert [item.name for item in (tmp_path / "full").iterdir()] == ["theirs.txt"]
    (tmp_path / "file").write_text("")
    assert "file" in shell.complaint("mirror", str(tmp_path / "file"))
    assert "cannot be written" in shell.complaint("mirror", str(tmp_path / "file" / "below"))
    assert "DIR" in shell.complaint("mirror")


def test_before_the_first_migration(make_shell: Callable[..., Shell], tmp_path: Path) -> None:
    """Without tables the command that is missing is named, and no folder is left."""
    shell = make_shell()
    assert "db upgrade" in shell.complaint("mirror", str(tmp_path / "m"))
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("kind", ["run", "worker"])
def test_workers_keep_it(
    shell: Shell, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    """With the setting, `run` alone, or worker and scheduler with Redis, follow every change by themselves; a SIGKILL
    leaves whole files, and the next ones go on."""
    place = tmp_path / "mirror"
    shell.configure(STATUSPAGE_MIRROR_DIR=str(place))
    commands = [("run",)]
    if kind == "worker":
        server: RedisServer = request.getfixturevalue("redis_server")
        shell.configure(STATUSPAGE_REDIS_URL=server.url)
        commands = [("worker",), ("scheduler",)]
    for number in range(2):
        started = [shell.start(*command) for command in commands]
        for title in (f"Fire {number}", f"Flood {number}"):
            shell.python(CHANGE.format(title=title))
            eventually(
                lambda title=title: title in page_of(place),
                within=60,
                what=f"{title} in the mirror",
            )
            assert page_of(place).endswith("</html>")
        for process in started:
            end(process)


def test_only_with_the_setting(
    make_shell: Callable[..., Shell], migrated: Path, redis_server: RedisServer
) -> None:
    """A worker without the setting does not take the mirror's queue, so that it waits for one that has the folder."""
    redis_server.start()
    redis_server.flushall()
    shell = make_shell(STATUSPAGE_REDIS_URL=redis_server.url)
    (shell.folder / "site.db").write_bytes(migrated.read_bytes())
    worker = shell.start("worker")
    trigger = RedisTrigger(redis_server.url)
    trigger("mirror")
    trigger("deliver")
    eventually(lambda: not trigger.waiting("deliver"), within=30, what="the other task")
    assert trigger.waiting("mirror") == 1
    end(worker)


def test_after_redis_lost_everything(
    shell: Shell, tmp_path: Path, redis_server: RedisServer
) -> None:
    """A trigger that Redis forgot while no worker was there is sent again: 15 s after a worker is back it is done."""
    place = tmp_path / "mirror"
    redis_server.start()
    redis_server.flushall()
    shell.configure(STATUSPAGE_MIRROR_DIR=str(place), STATUSPAGE_REDIS_URL=redis_server.url)
    scheduler, worker = shell.start("scheduler"), shell.start("worker")
    eventually(lambda: page_of(place), within=60, what="the mirror")
    end(worker)
    shell.python(CHANGE.format(title="Fire"))
    trigger = RedisTrigger(redis_server.url)
    eventually(lambda: trigger.waiting("mirror"), within=30, what="the trigger")
    redis_server.flushall()
    worker = shell.start("worker")
    eventually(lambda: "Fire" in page_of(place), within=40, what="Fire in the mirror")
    for process in (worker, scheduler):
        end(process)


def test_files_that_fail(shell: Shell, tmp_path: Path) -> None:
    """A file that cannot be kept is named in one line with exit code 1; all others are written."""
    place = tmp_path / "m"
    shell.output("mirror", str(place))
    (place / "theme.css").unlink()
    (place / "theme.css").mkdir()
    (place / "theme.css" / "theirs").write_text("")
    done = shell.run("mirror", str(place))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: 1 files could not be kept: theme.css (")
    assert "Traceback" not in done.stderr
    assert " files: 0 written, 0 removed." in done.stdout


def page_of(place: Path) -> str:
    try:
        return (place / "index.html").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def end(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
