"""What stands beside our workers: ``requests`` sessions in threads, which send the same requests and keep no record.

``python -m benchmarks.bare_pool <file>`` reads ``{"threads": …, "urls": […], "method": …, "body": …, "headers": {…}}``
and waits for lines on its standard input; at each one it sends to all the URLs once and answers with a line: the CPU
that it used.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests


class BarePool:
    """Two or more processes; :meth:`send` lets them all send at once."""

    def __init__(self, children: Sequence[subprocess.Popen[str]]) -> None:
        self._children = children

    def send(self) -> tuple[float, float]:
        """Send to all URLs once; returns seconds on the wall and of CPU."""
        begun = time.monotonic()
        for child in self._children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        used = 0.0
        for child in self._children:
            assert child.stdout is not None
            used += float(child.stdout.readline())
        return time.monotonic() - begun, used


@contextmanager
def running(
    directory: Path,
    urls: Sequence[str],
    *,
    body: str,
    headers: dict[str, str],
    processes: int,
    threads: int,
    method: str = "POST",
) -> Iterator[BarePool]:
    children = []
    try:
        for number in range(processes):
            order = directory / f"bare-{number}-{time.monotonic_ns()}.json"
            mine = {"threads": threads, "urls": urls[number::processes]}
            order.write_text(
                json.dumps({**mine, "method": method, "body": body, "headers": headers})
            )
            children.append(
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.bare_pool", str(order)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()  # it is ready
        yield BarePool(children)
    finally:
        for child in children:
            assert child.stdin is not None
            child.stdin.close()
            child.wait(30)


def main(path: str) -> None:
    order: dict[str, Any] = json.loads(Path(path).read_text())
    method, body, headers = order["method"], order["body"].encode(), order["headers"]
    mine = threading.local()

    def send(url: str) -> None:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
        answer = mine.session.request(method, url, data=body, headers=headers, timeout=10)
        answer.raise_for_status()

    with ThreadPoolExecutor(order["threads"]) as pool:
        print("ready", flush=True)
        for _ in sys.stdin:
            before = time.process_time()
            for _done in pool.map(send, order["urls"]):
                pass
            print(time.process_time() - before, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
