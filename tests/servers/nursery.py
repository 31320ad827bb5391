"""Python processes that need not import everything first: forked from one that has.

``nursery.Popen`` is for ``subprocess.Popen([sys.executable, "-m" or "-c", …])``. What it makes is a process as any
other, a child of the tests with a pid of its own: it can be killed, waited for and read from. Only what happens before
its first line differs. So whatever a test says about starting, importing or being installed needs a real start.
"""

from __future__ import annotations

import atexit
import ctypes
import inspect
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)


class Popen(subprocess.Popen[Any]):
    """``Popen(arguments, …)``: as ``subprocess.Popen([sys.executable, *arguments], …)``.

    Without ``env`` it has this process's own. Its path is its working directory and ``PYTHONPATH``, as always.
    """

    def _execute_child(self, *given: Any) -> None:
        child = inspect.signature(super()._execute_child).bind(*given).arguments  # type: ignore[misc]
        # 0 to 2: what stands at -1 is this process's own.
        files = [child[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        order = {
            "arguments": [str(part) for part in child["args"]],
            "cwd": str(child["cwd"] or Path.cwd()),
            "env": dict(os.environ if child["env"] is None else child["env"]),
            "session": child["start_new_session"],
        }
        try:
            fds = [number if fd == -1 else fd for number, fd in enumerate(files)]
            self.pid = _nursery().start(order, fds)
            self._child_created = True
        finally:
            self._close_pipe_fds(*(child[name] for name in _PIPES))  # type: ignore[attr-defined]


_PIPES = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")


def run(
    arguments: list[str],
    *,
    input: Any = None,
    capture_output: bool = False,
    timeout: float | None = None,
    check: bool = False,
    **options: Any,
) -> subprocess.CompletedProcess[Any]:
    """As ``subprocess.run([sys.executable, *arguments], …)``."""
    if input is not None:
        options["stdin"] = subprocess.PIPE
    if capture_output:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Popen(arguments, **options) as process:
        try:
            output, errors = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(arguments, process.returncode, output, errors)
    if check:
        done.check_returncode()
    return done


class _Nursery:
    """The process that has imported everything, and the line to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                # -P: the modules beside it are not for the processes to come, and one is named `http`.
                [
                    sys.executable,
                    "-P",
                    "-W",
                    "error",
                    str(Path(__file__).with_name("nursery_floor.py")),
                ],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,
            )
        self._answers = self._line.makefile("r")
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl

    def start(self, order: dict[str, Any], fds: list[int]) -> int:
        """Start a process with *fds* as its first three; its pid."""
        with self._lock:
            # It is forked by a child of the nursery that ends at once: an orphan, which the nearest ancestor gets that
            # asks for orphans. So it becomes a child of this process, as if this one had forked it.
            self._adopt(True)
            try:
                socket.send_fds(self._line, [json.dumps(order).encode() + b"\n"], fds)
                answer = self._answers.readline()
            finally:
                self._adopt(False)
        if not answer:
            raise RuntimeError("the nursery has ended: it says why on standard error")
        return int(answer)

    def _adopt(self, orphans: bool) -> None:
        if self._prctl(_SUBREAPER, int(orphans), 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")

    def close(self) -> None:
        self._answers.close()
        self._line.close()
        self._process.wait(10)


_one: list[_Nursery] = []


def _nursery() -> _Nursery:
    if not _one:
        _one.append(_Nursery())
        atexit.register(_one[0].close)
    return _one[0]
