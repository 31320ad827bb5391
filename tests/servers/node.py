"""A program for Node.js on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests

from . import process


@contextmanager
def running(script: str, *arguments: str) -> Iterator[str]:
    """The URL of a web server that *script* opens on the port of its first argument; *arguments* follow.

    It ends without a slash. The script must answer GET.
    """
    executable = process.program("node") or process.program("nodejs")
    if executable is None:
        raise process.Absent("no node in PATH")
    with process.scratch() as directory:
        port = process.free_port()
        path = directory / "server.js"
        path.write_text(script, encoding="utf-8")
        url = f"http://127.0.0.1:{port}"
        child = process.Process(
            [executable, str(path), str(port), *arguments],
            directory=directory,
            ready=lambda: requests.get(url, timeout=5).close(),
        )
        try:
            child.start()
            yield url
        finally:
            child.stop()
