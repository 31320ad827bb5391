"""The files that pages are shown with, and the mark that their addresses carry: it changes when the file does."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).absolute().parent.parent / "static"

_FILES = {path.name: path for path in FOLDER.iterdir() if path.is_file()}


def read(name: str) -> bytes | None:
    """The content of the file *name*; None: there is none."""
    path = _FILES.get(name)
    return path.read_bytes() if path else None


def mark(name: str) -> str | None:
    """A short digest of the file *name*; None: there is none."""
    path = _FILES.get(name)
    # By its time, so that whoever works on a file is not shown what it was.
    return _digest(path, path.stat().st_mtime_ns) if path else None


@lru_cache(maxsize=64)
def _digest(path: Path, changed_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
