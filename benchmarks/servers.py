"""gunicorn and nginx as children on loopback ports."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import process

from .asking import ask

ROOT = Path(__file__).absolute().parent.parent


@dataclass(frozen=True)
class Server:
    """A running server: its port, and its first process."""

    port: int
    pid: int

    def cpu(self) -> float:
        """The CPU that it and its children have used, in seconds."""
        return sum(_cpu(pid) for pid in (self.pid, *_children(self.pid)))


def cpu_of_tree(pid: int) -> float:
    """The CPU of a process and all that descend from it, those that have ended and were waited for too, in seconds."""
    try:
        return _cpu(pid, ended=True) + sum(cpu_of_tree(child) for child in _children(pid))
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it ended meanwhile, and counts with its parent


@contextmanager
def gunicorn(app: str, directory: Path, *, workers: int = 2, threads: int = 4) -> Iterator[Server]:
    """The app of the factory call *app*, as ``benchmarks.site:served('sqlite:///…')``."""
    port = process.free_port()
    scratch = directory / f"gunicorn-{port}"
    scratch.mkdir()
    child = process.Process(
        [
            *(sys.executable, "-m", "gunicorn", "--pythonpath", str(ROOT)),
            *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
            *("--workers", str(workers), "--threads", str(threads)),
            # Nobody is sent away in the middle of a measurement.
            *("--keep-alive", "75", "--graceful-timeout", "2", "--log-level", "warning"),
            app,
        ],
        directory=scratch,
        ready=lambda: ask(port, "/"),
    )
    with running_process(child):
        yield Server(port, child.pid)


@contextmanager
def nginx(folders: Sequence[Path], directory: Path) -> Iterator[list[Server]]:
    """nginx with one worker, serving each of *folders* on a port of its own."""
    program = nginx_program()
    assert program is not None  # reads.py has looked for it
    ports = [process.free_port() for _ in folders]
    scratch = directory / f"nginx-{ports[0]}"
    scratch.mkdir()
    configuration = scratch / "nginx.conf"
    configuration.write_text(_configuration(dict(zip(ports, folders, strict=True)), scratch))
    child = process.Process(
        [program, "-p", str(scratch), "-e", "stderr", "-c", str(configuration)],
        directory=scratch,
        ready=lambda: [ask(port, "/") for port in ports],
    )
    with running_process(child):
        yield [Server(port, child.pid) for port in ports]


def nginx_program() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def running_process(child: process.Process) -> Iterator[None]:
    child.start()
    try:
        yield
    finally:
        child.stop()


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def _cpu(pid: int, *, ended: bool = False) -> float:
    """Of all threads of one process, in seconds.

    :param ended: and of its children that it has waited for.
    """
    # After the program's name, which may hold spaces, come the third field and the rest; see proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")


def _configuration(folders: dict[int, Path], scratch: Path) -> str:
    # Started by root it would otherwise read the files as somebody who may not.
    user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"  {kind}_temp_path {scratch / kind};" for kind in kinds)
    servers = "\n".join(
        f"  server {{ listen 127.0.0.1:{port}; root {folder}; }}"
        for port, folder in folders.items()
    )
    return f"""{user}
daemon off;
worker_processes 1;
pid {scratch / "nginx.pid"};
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  types {{ text/html html; application/json json; image/svg+xml svg; application/xml xml; }}
{temporary}
{servers}
}}
"""
