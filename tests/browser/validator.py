"""html-validate, which is asked about the HTML of pages as it comes over the wire, before a browser mends it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.process import Absent, program

from .sites import HERE


class Validator:
    """One process of node for all pages, which takes longer to start than to read most of them."""

    def __init__(self, child: subprocess.Popen[str], folder: Path) -> None:
        self._child = child
        self._file = folder / "page.html"

    def found_in(self, html: bytes) -> list[str]:
        """What is wrong by the standard, and of what we ask beside it: each with line, column and rule."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._file.write_bytes(html)
        self._child.stdin.write(f"{self._file}\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        assert answer, "html-validate has ended, see its message"
        found: list[str] = json.loads(answer)
        return found


@contextmanager
def running(folder: Path) -> Iterator[Validator]:
    """Until the end of the block; *folder* is where it may write."""
    node = program("node") or program("nodejs")
    if node is None:
        raise Absent("no node in PATH")
    with subprocess.Popen(
        [node, "validate.mjs"],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as child:
        yield Validator(child, folder)
        # Leaving the inner block closes its input, and it ends.
