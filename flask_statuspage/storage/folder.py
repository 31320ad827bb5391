"""A folder of files that is kept equal to what is given.

Files are written atomically, unchanged ones are left alone, those of what is gone are removed. A hidden list says which
files are ours, and whose; nothing else in the folder is ever removed or written over. The name of a new file stands in
a journal before the file is made, or is made another's, so that whoever is killed in between leaves no file that nobody
knows of.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from ..errors import SetupError
from . import folder_list
from .folder_list import DRAFT, LIST, LOCK, Entry

logger = logging.getLogger(__name__)

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows has no such locks; one process writes there
    fcntl = None

LOGGED = 10
"""Failures of one run that are logged one by one; on a full disk every file is one."""

NOT_OURS = "a file of this name is there that the mirror did not write"


@dataclass
class Outcome:
    """How many files there are, how many of them were written or removed just now, and which could not be.

    :param failures: why, by the file's name.
    :param complete: False: some were left to the next run.
    """

    files: int = 0
    written: int = 0
    removed: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    complete: bool = True


class Folder:
    """The folder while it is held, see :func:`held`. One file that fails is logged and counted, and stops no other.

    A file has an owner, a short text, "" for those that are nobody's; it may carry a stamp, a text that says what it
    was made of.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = folder_list.read(path)
        self._now: dict[str, Entry] = {}
        self._plain: set[Path] = set()  # folders that were seen to be no symbolic links
        self._written = 0
        self._removed = 0
        self._failures: dict[str, str] = {}

    def stamp(self, name: str) -> str | None:
        """The stamp that the file *name* was written with; None: it is not there."""
        entry = self._before.get(name)
        return entry.stamp if entry and (self._path / name).is_file() else None

    def keep(self, name: str) -> None:
        """Leave the file as it is."""
        if name in self._before:
            self._now[name] = self._before[name]

    def keep_all(self, owner: str) -> None:
        """Leave all files of *owner* as they are that were not written yet."""
        for name, entry in self._before.items():
            if entry.owner == owner:
                self._now.setdefault(name, entry)

    def mark(self, name: str, stamp: str) -> None:
        """Give a file that was written or kept another stamp."""
        if name in self._now:
            self._now[name] = self._now[name]._replace(stamp=stamp)

    def fail(self, name: str, why: str) -> None:
        """*name* could not be made: it counts as a failure, and the file stays as it was."""
        self._failures[name] = why
        self.keep(name)
        if len(self._failures) <= LOGGED:
            logger.error("status page: the mirror cannot write %r: %s", name, why)

    def write(self, name: str, content: bytes, *, owner: str = "", stamp: str = "") -> None:
        """Make the file *name* hold *content*. A reader sees the old bytes or the new ones, never a part."""
        if not folder_list.is_safe(name):
            self.fail(name, "it would lie elsewhere")
        elif name not in self._before and os.path.lexists(self._path / name):
            self.fail(name, NOT_OURS)
        else:
            self._write(name, content, Entry(owner, stamp))

    def _write(self, name: str, content: bytes, entry: Entry) -> None:
        try:
            self._check_parents(name)
            if self._before.get(name) != entry:
                folder_list.announce(self._path, name, entry.owner)
            changed = self._replace(name, content)
        except OSError as error:
            self.fail(name, error.strerror or str(error))
            return
        self._now[name] = entry
        self._written += changed

    def remove_all_but(self, owners: Collection[str]) -> None:
        """Remove at once the files of all others than *owners*; those that are nobody's stay."""
        for name, entry in list(self._before.items()):
            if entry.owner and entry.owner not in owners and self._remove(name):
                del self._before[name]

    def finish(self, *, complete: bool = True) -> Outcome:
        """Remove the files of ours that were neither written nor kept, and note those that were.

        :param complete: False: what was not written yet is left to the next run, and so is what is to be removed.
        :raises SetupError: when the list cannot be written; the next run knows all files nevertheless.
        """
        for name, entry in self._before.items():
            if name not in self._now and (not complete or not self._remove(name)):
                self._now[name] = entry
        try:
            folder_list.write(self._path, self._now)
        except OSError as error:
            raise _cannot(self._path, error) from error
        return Outcome(
            files=len(self._now),
            written=self._written,
            removed=self._removed,
            failures=self._failures,
            complete=complete,
        )

    def _remove(self, name: str) -> bool:
        """Remove one file of ours; False: it is still there."""
        try:
            self._check_parents(name)
            (self._path / name).unlink()
            self._removed += 1
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            pass  # somebody else removed it
        except OSError as error:
            self._failures[name] = why = error.strerror or str(error)
            logger.error("status page: the mirror cannot remove %r: %s", name, why)
            return False
        self._remove_empty((self._path / name).parent)
        return True

    def _replace(self, name: str, content: bytes) -> bool:
        target = self._path / name
        try:
            if target.stat().st_size == len(content) and target.read_bytes() == content:
                return False
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
        folder_list.put(self._path, target, content)
        return True

    def _check_parents(self, name: str) -> None:
        """Through a symbolic link a file would lie elsewhere, where nothing is ours."""
        parent = self._path
        for part in name.split("/")[:-1]:
            parent /= part
            if parent in self._plain:
                continue
            if parent.is_symlink():
                raise OSError(f"{parent.relative_to(self._path)} is a symbolic link")
            if parent.is_dir():
                self._plain.add(parent)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self._path:
            try:
                folder.rmdir()
            except OSError:  # not empty, or not there
                return
            self._plain.discard(folder)
            folder = folder.parent


@contextmanager
def held(path: Path) -> Iterator[Folder]:
    """*path* for one process at a time; made if it is not there. Whoever comes second waits.

    :raises SetupError: when it cannot be used, or holds files that are not ours.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = open(path / LOCK, "w")  # noqa: SIM115
    except OSError as error:
        raise _cannot(path, error) from error
    with lock:
        try:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            # From here on the list is that of whoever held the folder last.
            if not (path / LIST).exists():
                _claim(path)
            folder = Folder(path)
        except OSError as error:
            raise _cannot(path, error) from error
        yield folder


def _claim(path: Path) -> None:
    """Make an empty folder ours: now, so that a first run that is killed does not leave one that nobody owns."""
    if any(item.name not in (LOCK, DRAFT) for item in path.iterdir()):
        (path / LOCK).unlink()
        raise SetupError(
            f"{path} holds files that are not a mirror's. Choose an empty folder for the mirror."
        )
    (path / LIST).write_text("{}")


def _cannot(path: Path, error: OSError) -> SetupError:
    return SetupError(f"The mirror cannot be written to {path}: {error.strerror or error}.")
