"""A folder of files that is kept equal to what is given.

Files are written atomically, unchanged ones are left alone, those of what is gone are removed. A hidden list says which
files are ours, so that nothing else in the folder is ever removed or written over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ..errors import SetupError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows has no such locks; one process writes there
    fcntl = None

LIST = ".statuspage-mirror.json"
LOCK = ".statuspage-mirror.lock"
DRAFT = ".statuspage-mirror.draft"


@dataclass
class Outcome:
    """How many files there are, and how many of them were written or removed just now."""

    files: int = 0
    written: int = 0
    removed: int = 0


class Folder:
    """The folder while it is held, see :func:`held`.

    A file may carry a stamp, a short text that says what it was made of.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = _listed(path)
        self._now: dict[str, str] = {}
        self._written = 0

    def stamp(self, name: str) -> str | None:
        """The stamp that the file *name* was written with; None: it is not there."""
        stamp = self._before.get(name)
        return stamp if stamp is not None and (self._path / name).is_file() else None

    def keep(self, name: str) -> None:
        """Leave the file as it is."""
        self._now[name] = self._before[name]

    def write(self, name: str, content: bytes, *, stamp: str = "") -> None:
        """Make the file *name* hold *content*. A reader sees the old bytes or the new ones, never a part."""
        self._now[name] = stamp
        if self._replace(name, content):
            self._written += 1

    def finish(self) -> Outcome:
        """Remove the files of ours that were neither written nor kept, and note those that were."""
        gone = [name for name in self._before if name not in self._now]
        for name in gone:
            (self._path / name).unlink(missing_ok=True)
            self._remove_empty((self._path / name).parent)
        listed = json.dumps(self._now, indent=0, sort_keys=True)
        self._replace(LIST, listed.encode())
        return Outcome(files=len(self._now), written=self._written, removed=len(gone))

    def _replace(self, name: str, content: bytes) -> bool:
        target = self._path / name
        try:
            if target.stat().st_size == len(content) and target.read_bytes() == content:
                return False
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path / DRAFT
        draft.write_bytes(content)
        os.replace(draft, target)
        return True

    def _remove_empty(self, folder: Path) -> None:
        while folder != self._path:
            try:
                folder.rmdir()
            except OSError:  # not empty
                return
            folder = folder.parent


@contextmanager
def held(path: Path) -> Iterator[Folder]:
    """*path* for one process at a time; made if it is not there. Whoever comes second waits.

    :raises SetupError: when it cannot be used, or holds files that are not ours.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with open(path / LOCK, "w") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            # From here on the list is that of whoever held the folder last.
            if not (path / LIST).exists():
                if any(item.name not in (LOCK, DRAFT) for item in path.iterdir()):
                    (path / LOCK).unlink()
                    raise SetupError(
                        f"{path} holds files that are not a mirror's. Choose an empty folder for the mirror."
                    )
                # Now, so that a first run that is killed does not leave a folder that nobody owns.
                (path / LIST).write_text("{}")
            yield Folder(path)
    except OSError as error:
        raise SetupError(
            f"The mirror cannot be written to {path}: {error.strerror or error}."
        ) from error


def _listed(path: Path) -> dict[str, str]:
    try:
        found = json.loads((path / LIST).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        # Nothing is removed then but what a later list names.
        return {}
    return (
        {str(name): str(stamp) for name, stamp in found.items()} if isinstance(found, dict) else {}
    )
