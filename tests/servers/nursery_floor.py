"""The program of the nursery: it imports what processes of the tests need, and forks one for each order it gets.

An order is a line of JSON on standard input, a socket, and three files with it; the answer is the pid.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import threading
import time
import types
import warnings
from typing import Any

# What site code and workers import beside the package, and what is imported late for good reasons.
NEEDED = (
    *("flask.cli", "flask_sqlalchemy", "flask_wtf", "rq", "rq.worker", "redis", "sqlite3"),
    *("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.mysql"),
    *("alembic.command", "alembic.script", "psycopg", "pymysql", "smtplib", "tomllib", "ssl"),
    *("werkzeug.serving", "requests", "email.message", "concurrent.futures.thread", "uuid"),
)
PACKAGES = ("cli", "jobs", "services", "storage", "delivery", "probing", "documents", "web")
# What -W put before Python's own filters.
ERROR = ("error", None, Warning, None, 0)
OWN_PATH = "import json, sys; print(json.dumps(sys.path))"


def learn() -> None:
    """Import everything, once."""
    import flask_statuspage

    for name in NEEDED:
        importlib.import_module(name)
    for name in PACKAGES:
        package = importlib.import_module(f"flask_statuspage.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." not in module.name:
                importlib.import_module(module.name)
    assert flask_statuspage.statuspage
    assert threading.active_count() == 1, "a fork takes one thread along only"


def next_order() -> dict[str, Any]:
    """Returns in a new process for each order, and in this one never: it ends when the tests do."""
    line = socket.socket(fileno=os.dup(0))
    gc.collect()
    gc.freeze()
    while True:
        text, fds = b"", []
        while not text.endswith(b"\n"):
            part, more, _, _ = socket.recv_fds(line, 65536, 3)
            if not part:
                os._exit(0)
            text += part
            fds += more
        reading, writing = os.pipe()
        between = os.fork()
        if between:
            os.close(writing)
            for fd in fds:
                os.close(fd)
            os.waitpid(between, 0)  # from here on its child is the tests'
            with os.fdopen(reading, "rb") as answer:
                line.sendall(answer.read() + b"\n")
            continue
        os.close(reading)
        if pid := os.fork():
            os.write(writing, str(pid).encode())
            os._exit(0)
        os.close(writing)
        line.close()
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
        for fd in set(fds) - {0, 1, 2}:
            os.close(fd)
        return dict(json.loads(text))


def settle(order: dict[str, Any], own_path: list[str]) -> None:
    """Be as a process that was started anew.

    :param own_path: that of a Python without PYTHONPATH.
    """
    if order["session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    os.chdir(order["cwd"])
    given = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:] = dict.fromkeys([order["cwd"], *given, *own_path])
    importlib.invalidate_caches()
    if os.environ.get("PYTHONUNBUFFERED"):
        sys.stdout.reconfigure(write_through=True, line_buffering=True)  # type: ignore[union-attr]
    option = os.environ.get("PYTHONWARNINGS", "")
    assert option in ("", "error"), option
    if not option:
        sys.warnoptions.clear()
        others = [one for one in warnings.filters if one != ERROR]
        warnings.resetwarnings()
        warnings.filters.extend(others)  # type: ignore[attr-defined]


def main() -> None:
    learn()
    start = [sys.executable, "-E", "-P", "-c", OWN_PATH]
    own_path = json.loads(subprocess.check_output(start))
    order = next_order()
    settle(order, own_path)
    kind, *arguments = order["arguments"]
    if kind not in ("-c", "-m"):  # a file in the working directory
        sys.argv[:] = order["arguments"]
        runpy.run_path(kind, run_name="__main__")
        return
    what, *arguments = arguments
    if kind == "-m":
        sys.argv[:] = [what, *arguments]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = ["-c", *arguments]
        module = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), module.__dict__)


main()
