"""A process that lacks what it needs to call anybody."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_descriptors() -> Iterator[None]:
    """This process can open nothing more: no file and no socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (held[0] + 20, hard))
    try:
        try:
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in held:
            os.close(descriptor)


def no_threads_after(count: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the threads called *name* the system starts *count* and no more."""
    start, started = threading.Thread.start, []

    def start_some(self: threading.Thread) -> None:
        if self.name == name:
            if len(started) == count:
                raise RuntimeError("can't start new thread")
            started.append(self)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", start_some)
