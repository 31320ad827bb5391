"""A server program as a child of the tests: found, started on a free port, stopped by its pid."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Any

START_SECONDS = 60
STOP_SECONDS = 30


class Absent(Exception):
    """The server's program is not installed; the message says which one was looked for."""


class Process:
    """One program in the foreground, its output in `<directory>/output.log`.

    `ready` asks the server something and raises until it answers. `start`, `stop` and `kill` may be
    called in any order and any number of times.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        ready: Callable[[], object],
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self._command = list(command)
        self._directory = directory
        self._ready = ready
        self._user = user
        self._stop_signal = stop_signal
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError(f"{self._command[0]} is stopped and has no pid")
        return self._child.pid

    def start(self) -> None:
        if self._child is not None and self._child.poll() is None:
            return
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # An interrupt at the terminal is for the tests, which then stop the server.
                start_new_session=True,
                **surroundings(self._directory, self._user),
            )
        try:
            self._wait_until_ready(self._child)
        except BaseException:
            self.kill()
            raise

    def stop(self, number: signal.Signals | None = None) -> None:
        self._end(number or self._stop_signal)

    def kill(self) -> None:
        """End the process as a crash would, with no chance to tidy up."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.send_signal(number)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _wait_until_ready(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._ready()
            except Exception as error:
                if child.poll() is not None:
                    raise RuntimeError(
                        f"{self._command[0]} ended with {child.returncode}:\n{self._last_output()}"
                    ) from error
                if time.monotonic() > deadline:
                    raise RuntimeError(
                        f"{self._command[0]} did not answer within {START_SECONDS} s:\n"
                        f"{self._last_output()}"
                    ) from error
                time.sleep(0.02)
            else:
                return

    @property
    def _log(self) -> Path:
        return self._directory / "output.log"

    def _last_output(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]


def run(command: Sequence[str], *, directory: Path, user: str | None = None) -> None:
    """Run a set-up program to its end; its output is in the error if it fails."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **surroundings(directory, user),
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}")


def program(name: str, *folders: str) -> str | None:
    """The path of a program in PATH, else in the last of `folders` (patterns) that holds it."""
    if found := shutil.which(name):
        return found
    places = [place for folder in folders for place in sorted(glob(f"{folder}/{name}"))]
    return places[-1] if places else None


def free_port() -> int:
    """A free TCP port on loopback, below the range from which systems number client sockets.

    So no connection of the tests can take the port while its server is down for a restart.
    """
    for _ in range(100):
        port = random.randrange(20000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port on 127.0.0.1 between 20000 and 30000")


def service_user(name: str) -> str | None:
    """The account for a server that refuses to run as root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(name)
    except KeyError:
        return "nobody"
    return name


def surroundings(directory: Path, user: str | None) -> dict[str, Any]:
    """The arguments with which `subprocess` works inside `directory` only, as `user` if named."""
    arguments: dict[str, Any] = {"cwd": directory, "env": {**os.environ, "TMPDIR": str(directory)}}
    if user is not None:
        arguments |= {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    return arguments


@contextmanager
def scratch(user: str | None = None) -> Iterator[Path]:
    """A temporary directory that `user` owns and can reach."""
    parent = Path(tempfile.gettempdir()).resolve()
    if user and not all(folder.stat().st_mode & 0o001 for folder in (parent, *parent.parents)):
        parent = Path("/var/tmp")
    with tempfile.TemporaryDirectory(prefix="statuspage-", dir=parent) as name:
        if user:
            shutil.chown(name, user, pwd.getpwnam(user).pw_gid)
        yield Path(name)
