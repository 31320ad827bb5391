"""What a kept folder remembers of itself: a list of its files, and a journal of those that came or changed since.

The list is JSON, ``{"<name>": ["<owner>", "<stamp>"]}``, replaced as a whole at the end of a run. The journal has one
JSON array ``["<owner>", "<name>"]`` a line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import SetupError

LIST = ".statuspage-mirror.json"
JOURNAL = ".statuspage-mirror.new"
LOCK = ".statuspage-mirror.lock"
DRAFT = ".statuspage-mirror.draft"


class Entry(NamedTuple):
    """What is known of one file."""

    owner: str = ""
    stamp: str = ""


def is_safe(name: str) -> bool:
    """Whether the file *name* lies in the folder, and is none of those that the folder itself needs."""
    if "\\" in name or "\0" in name or name in (LIST, JOURNAL, LOCK, DRAFT):
        return False
    return all(part not in ("", ".", "..") for part in name.split("/"))


def read(path: Path) -> dict[str, Entry]:
    """The files of the folder *path*, by their names; names that lead elsewhere are dropped.

    :raises SetupError: when the list cannot be read: without it nobody knows what is ours.
    """
    found = _listed(path)
    # What came later; its stamp is not known to hold.
    found |= {name: Entry(owner) for owner, name in _journal(path)}
    return {name: entry for name, entry in found.items() if is_safe(name)}


def announce(path: Path, name: str, owner: str) -> None:
    """Note that a file *name* is about to be made, or to be made of something else."""
    with open(path / JOURNAL, "ab", buffering=0) as journal:
        # First, so that a line that was cut short spoils no other.
        journal.write(b"\n" + json.dumps([owner, name]).encode())


def write(path: Path, entries: Mapping[str, Entry]) -> None:
    """Replace the list; the journal is not needed any more then."""
    put(path, path / LIST, json.dumps(entries, indent=0, sort_keys=True).encode(), safely=True)
    (path / JOURNAL).unlink(missing_ok=True)


def put(path: Path, target: Path, content: bytes, *, safely: bool = False) -> None:
    """Make *target*, a file in the folder *path*, hold *content*, at once.

    :param safely: also when the machine loses its power right afterwards.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path / DRAFT, flags, 0o666), "wb") as draft:
        draft.write(content)
        if safely:
            draft.flush()
            os.fsync(draft.fileno())
    os.replace(path / DRAFT, target)


def _listed(path: Path) -> dict[str, Entry]:
    try:
        found = json.loads((path / LIST).read_bytes())
        return {name: _entry(*entry) for name, entry in found.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise SetupError(
            f"{path / LIST}, the list of the mirror's files, cannot be read. Empty {path}, and the mirror is made anew."
        ) from error


def _entry(owner: Any, stamp: Any) -> Entry:
    return Entry(str(owner), str(stamp))


def _journal(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = (path / JOURNAL).read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            owner, name = json.loads(line)
        except (ValueError, TypeError):  # cut short: its file was not made
            continue
        yield str(owner), str(name)
