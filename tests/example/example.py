"""`python -m example_app` as a process of its own, and a visitor who uses it like a browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import requests

import flask_statuspage
from tests.servers import process

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
STOP_SECONDS = 45
STORY_SECONDS = 30
"""Within so many seconds everybody knows that billing is broken, or mended."""


class Example:
    """A running example: its address, and the lines that it has printed so far."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.lines: list[str] = []
        self._child = child
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def told(self, pattern: str, *, within: float = STORY_SECONDS) -> re.Match[str]:
        """The first place in the output that *pattern* matches, waited for."""

        def found() -> re.Match[str] | None:
            match = re.search(pattern, self.output, re.MULTILINE)
            assert match or self._child.poll() is None, self.output
            return match

        return eventually(found, within=within, what=f"{pattern!r} in\n{self.output}")

    @property
    def url(self) -> str:
        return self.told(r"^  Portal +(http://\S+)/ ", within=START_SECONDS)[1]

    @property
    def api_key(self) -> str:
        return self.told(r"^  API key +(\S+)$")[1]

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.poll()

    def processes(self) -> set[int]:
        """The pids of the living processes below the example's own."""
        return below(self._child.pid)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send *number* and wait; returns the exit code."""
        self._child.send_signal(number)  # does nothing once it has ended
        try:
            return self._child.wait(STOP_SECONDS)
        finally:
            self._end()

    def _end(self) -> None:
        """Whatever happened: leave no process and no open pipe behind."""
        if self._child.poll() is None:
            for pid in (*self.processes(), self._child.pid):
                os.kill(pid, signal.SIGKILL)
        self._child.wait()
        self._reader.join()
        assert self._child.stdout is not None
        self._child.stdout.close()

    def _read(self) -> None:
        assert self._child.stdout is not None
        self.lines.extend(iter(self._child.stdout.readline, ""))


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Example]:
    """Start the example on a free port in *folder*, beside a link to it.

    So `flask_statuspage` is what is being tested, installed or not, and not the folder in the sources.
    """
    link = folder / "example_app"
    if not link.exists():
        link.symlink_to(ROOT / "example_app")
    package = Path(flask_statuspage.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(package), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "example_app", "--port", str(process.free_port()), *arguments]
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    example = Example(child)
    try:
        yield example
    finally:
        example.stop(signal.SIGTERM)  # so that it removes its folders, whatever the test did


class Visitor:
    """Keeps cookies and sends forms with all their hidden fields, as a browser does."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["Accept"] = "text/html"

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *details: object) -> None:
        self._session.close()

    def get(self, path: str) -> str:
        return self._session.get(self._url + path, timeout=10).text

    def read(self, path: str, headers: Mapping[str, str]) -> str:
        return self._session.get(self._url + path, headers=dict(headers), timeout=10).text

    def json(self, path: str) -> Any:
        return self._session.get(self._url + path, timeout=10).json()

    def press(self, page: str, action: str, **values: str) -> requests.Response:
        """Send the form of *page* that leads to *action*, with *values* typed in or pressed."""
        for form in re.findall(r"<form.*?</form>", self.get(page), re.DOTALL):
            target = re.search(r'action="([^"]*)"', form)
            if (unescape(target[1]) if target else page) == action:
                hidden = re.findall(r'<input[^>]*type="hidden"[^>]*>', form)
                fields = {_attribute(tag, "name"): _attribute(tag, "value") for tag in hidden}
                return self._session.post(self._url + action, data={**fields, **values}, timeout=10)
        raise AssertionError(f"{page} has no form that leads to {action}")

    def post(self, path: str, data: Mapping[str, str]) -> requests.Response:
        return self._session.post(self._url + path, data=data, timeout=10)

    def sign_in(self, email: str) -> None:
        assert "Hello, " in self.press("/login", "/login", customer=email).text

    def state(self) -> dict[str, Any]:
        """How the status page tells billing in its four forms."""
        summary = self.json("/status/api/v2/summary.json")
        components = {item["name"]: item["status"] for item in summary["components"]}
        badge = self.get("/status/api/v2/badge.svg")
        sentence = re.search(r'class="sp-sentence"[^>]*>(.*?)</p>', self.get("/status/"))
        return {
            "billing": components["Billing"],
            "others": {components["Search"], components["Customer portal"]},
            "indicator": summary["status"]["indicator"],
            "open": [incident["name"] for incident in summary["incidents"]],
            "badge": re.search(r"<title>(.*?)</title>", badge)[1],  # type: ignore[index]
            "page": re.sub("<.*?>", "", sentence[1]) if sentence else None,
        }


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


def eventually(
    ask: Callable[[], Any], *, within: float = STORY_SECONDS, what: object = "it"
) -> Any:
    """The first true answer of *ask*, waited for."""
    deadline = time.monotonic() + within
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what() if callable(what) else what}")
        time.sleep(0.1)
    return answer


def alive(pids: set[int]) -> set[int]:
    """Those of *pids* that still run; one that only waits to be reaped is dead."""
    return pids & set(_parents())


def below(pid: int) -> set[int]:
    parents, found = _parents(), {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def _parents() -> dict[int, int]:
    found = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = file.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found[int(file.parent.name)] = int(parent)
    return found
