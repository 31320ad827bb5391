"""A folder that is kept equal to what is given."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from threading import Thread

import pytest

from flask_statuspage.errors import SetupError
from flask_statuspage.storage.folder import LIST, Folder, Outcome, held


def fill(path: Path, **files: bytes) -> Outcome:
    with held(path) as folder:
        for name, content in files.items():
            folder.write(name.replace("__", "/"), content)
        return folder.finish()


def contents(path: Path) -> dict[str, bytes]:
    """All files that a web server would list."""
    return {
        str(item.relative_to(path)): item.read_bytes()
        for item in path.rglob("*")
        if item.is_file() and not item.name.startswith(".")
    }


def test_files_are_what_was_given(tmp_path: Path) -> None:
    """What is given is there, in folders that are made for it; what is not given any more is gone, folders too."""
    place = tmp_path / "deep" / "mirror"
    assert fill(place, a=b"1", sub__deep__b=b"2") == Outcome(files=2, written=2, removed=0)
    assert contents(place) == {"a": b"1", "sub/deep/b": b"2"}
    assert fill(place, a=b"3") == Outcome(files=1, written=1, removed=1)
    assert contents(place) == {"a": b"3"}
    assert not (place / "sub").exists()


def test_unchanged_files_are_not_touched(tmp_path: Path) -> None:
    """A file with the same bytes keeps its time and its inode."""
    fill(tmp_path / "m", a=b"1", b=b"2")
    before = os.stat(tmp_path / "m" / "a")
    assert fill(tmp_path / "m", a=b"1", b=b"x") == Outcome(files=2, written=1, removed=0)
    after = os.stat(tmp_path / "m" / "a")
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


def test_a_reader_never_sees_a_part(tmp_path: Path) -> None:
    """While a file is replaced again and again, whoever reads it gets one whole version."""
    versions = [bytes([number]) * 200_000 for number in range(1, 9)]
    fill(tmp_path / "m", a=versions[0])
    seen: set[bytes] = set()
    going = True

    def read() -> None:
        while going:
            seen.add((tmp_path / "m" / "a").read_bytes())

    reader = Thread(target=read)
    reader.start()
    for _ in range(10):
        for version in versions:
            fill(tmp_path / "m", a=version)
    going = False
    reader.join()
    assert seen <= set(versions)


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    """A file that somebody put into the mirror later is left alone, and its folder with it."""
    place = tmp_path / "m"
    fill(place, sub__a=b"1")
    (place / "sub" / "robots.txt").write_text("theirs")
    fill(place, b=b"1")
    assert contents(place) == {"b": b"1", "sub/robots.txt": b"theirs"}


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    """A folder that holds files and is no mirror is not written to; the error names it."""
    (tmp_path / "index.html").write_text("theirs")
    with pytest.raises(SetupError, match="holds files that are not a mirror's"):
        fill(tmp_path, **{"index.html": b"ours"})
    assert contents(tmp_path) == {"index.html": b"theirs"}
    assert [item.name for item in tmp_path.iterdir()] == ["index.html"]


def test_a_first_run_that_was_killed(tmp_path: Path) -> None:
    """After it the folder is a mirror's all the same, and the next run completes it."""
    place = tmp_path / "m"
    with held(place) as folder:
        folder.write("a", b"1")
    assert fill(place, a=b"1", b=b"2") == Outcome(files=2, written=1, removed=0)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """Where a file stands in the way the error says what the system said."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be written to"):
        fill(tmp_path / "file" / "m", a=b"1")


def test_others_may_read(tmp_path: Path) -> None:
    """The web server, another user, can read what was written."""
    before = os.umask(0o022)
    try:
        fill(tmp_path / "m", a=b"1")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(tmp_path / "m" / "a").st_mode) == 0o644


def test_one_at_a_time(tmp_path: Path) -> None:
    """Whoever comes second waits, and then sees what the first one left."""
    place = tmp_path / "m"
    order: list[str] = []

    def second() -> None:
        with held(place) as folder:
            order.append(f"second sees {folder.stamp('a')}")
            folder.finish()

    with held(place) as folder:
        folder.write("a", b"1", stamp="first")
        waiting = Thread(target=second)
        waiting.start()
        waiting.join(0.3)
        order.append("first ends")
        folder.finish()
    waiting.join()
    assert order == ["first ends", "second sees first"]


def test_stamps(tmp_path: Path) -> None:
    """A stamp comes back with the next holder, a kept file stays with it; one that was deleted has none."""
    place = tmp_path / "m"
    with held(place) as folder:
        folder.write("a", b"1", stamp="x")
        folder.write("b", b"2", stamp="y")
        folder.finish()
    (place / "b").unlink()
    with held(place) as folder:
        assert (folder.stamp("a"), folder.stamp("b"), folder.stamp("c")) == ("x", None, None)
        folder.keep("a")
        assert folder.finish() == Outcome(files=1, written=0, removed=1)
    with held(place) as folder:
        assert folder.stamp("a") == "x"


@pytest.mark.parametrize("text", ["", "{", "[]", "nonsense"])
def test_a_broken_list_is_made_anew(tmp_path: Path, text: str) -> None:
    """Without a usable list files are written again, and nothing is removed by mistake."""
    place = tmp_path / "m"
    fill(place, a=b"1", b=b"2")
    (place / LIST).write_text(text)
    fill(place, a=b"1")
    assert contents(place) == {"a": b"1", "b": b"2"}
    assert isinstance(Folder(place).stamp("a"), str)
