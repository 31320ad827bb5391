"""A folder that is kept equal to what is given."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from flask_statuspage.errors import SetupError
from flask_statuspage.storage.folder import Outcome, held
from flask_statuspage.storage.folder_list import JOURNAL, LIST, LOCK
from tests.servers import nursery


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
        assert folder.finish() == Outcome(files=1, written=0, removed=0)
    with held(place) as folder:
        assert folder.stamp("a") == "x"


@pytest.mark.parametrize("text", ["", "{", "[]", "nonsense", '{"a": "x"}', '{"a": [1]}'])
def test_a_broken_list_is_told(tmp_path: Path, text: str) -> None:
    """Without a usable list nobody knows what is ours: the error says what to do, and nothing is touched."""
    place = tmp_path / "m"
    fill(place, a=b"1", b=b"2")
    (place / LIST).write_text(text)
    with pytest.raises(
        SetupError, match=r"cannot be read\. Empty .*m, and the mirror is made anew"
    ):
        fill(place, a=b"3")
    assert contents(place) == {"a": b"1", "b": b"2"}


KILLED = """
import os, signal, sys
from pathlib import Path
from flask_statuspage.storage.folder import held

with held(Path(sys.argv[1])) as folder:
    folder.write("a", b"1", owner="one")
    folder.write("sub/b", b"2", owner="two")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_in_the_middle(place: Path) -> None:
    command = ["-c", KILLED, str(place)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = nursery.run(command, env=environment, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_what_a_killed_run_left_is_known(tmp_path: Path) -> None:
    """The files of a run that got SIGKILL before its end are ours: removed when they are gone, or of others."""
    place = tmp_path / "m"
    killed_in_the_middle(place)
    assert set(contents(place)) == {"a", "sub/b"}
    with held(place) as folder:
        folder.remove_all_but({"one"})
        assert set(contents(place)) == {"a"}
        assert folder.finish() == Outcome(files=0, written=0, removed=2)
    assert contents(place) == {}
    assert {item.name for item in place.iterdir()} == {LIST, LOCK}


def test_what_a_killed_run_changed_is_known(tmp_path: Path) -> None:
    """A file that a killed run wrote anew is that of its new owner, and its old stamp does not count any more."""
    place = tmp_path / "m"
    with held(place) as folder:
        folder.write("a", b"0", owner="before", stamp="x")
        folder.write("sub/b", b"0", owner="two", stamp="y")
        folder.finish()
    killed_in_the_middle(place)
    with held(place) as folder:
        assert folder.stamp("sub/b") == ""
        folder.remove_all_but({"before", "two"})
        assert set(contents(place)) == {"sub/b"}
        folder.finish()


def test_a_journal_that_was_cut_short(tmp_path: Path) -> None:
    """Half a line at the journal's end spoils neither what stands before it nor what comes after it."""
    place = tmp_path / "m"
    killed_in_the_middle(place)
    with (place / JOURNAL).open("ab") as journal:
        journal.write(b'\n["one", "c')
    killed_in_the_middle(place)
    with held(place) as folder:
        folder.write("late", b"1", owner="two")
        assert json.loads((place / JOURNAL).read_bytes().splitlines()[-1]) == ["two", "late"]
        assert folder.finish() == Outcome(files=1, written=1, removed=2)


def test_owners(tmp_path: Path) -> None:
    """At once and before anything is written, what belongs to others is removed; what is nobody's stays."""
    place = tmp_path / "m"
    with held(place) as folder:
        folder.write("a/x", b"1", owner="one")
        folder.write("b/x", b"1", owner="two")
        folder.write("c", b"1")
        folder.finish()
    with held(place) as folder:
        folder.remove_all_but({"two"})
        assert set(contents(place)) == {"b/x", "c"}
        assert not (place / "a").exists()
        folder.keep_all("two")
        assert folder.finish() == Outcome(files=1, written=0, removed=2)


def test_what_is_left_to_the_next_run(tmp_path: Path) -> None:
    """A run that was not completed removes nothing, and forgets nothing: the next one does it."""
    place = tmp_path / "m"
    fill(place, a=b"1", b=b"2", c=b"3")
    with held(place) as folder:
        folder.write("a", b"x")
        folder.write("d", b"4")
        outcome = folder.finish(complete=False)
    assert outcome == Outcome(files=4, written=2, removed=0, complete=False)
    assert set(contents(place)) == {"a", "b", "c", "d"}
    assert fill(place, a=b"x", b=b"2") == Outcome(files=2, written=0, removed=2)


def test_a_file_that_is_not_ours_is_not_written_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody's file under a name of ours stays, is logged and counted, and holds up no other."""
    place = tmp_path / "m"
    fill(place, a=b"1")
    (place / "robots.txt").write_bytes(b"theirs")
    (place / "link").symlink_to(tmp_path / "nowhere")
    for _ in range(2):
        outcome = fill(place, **{"robots.txt": b"ours", "link": b"ours", "z": b"1"})
        assert set(outcome.failures) == {"robots.txt", "link"}
        assert outcome.files == 1
    assert (place / "robots.txt").read_bytes() == b"theirs"
    assert not (tmp_path / "nowhere").exists()
    assert "robots.txt" in caplog.text
    (place / "robots.txt").unlink()
    assert "robots.txt" not in fill(place, **{"robots.txt": b"ours"}).failures


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "a//b", "./a", "", LIST, "a\\b"])
def test_names_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    """A name that is absolute or climbs is neither written nor, when somebody put it into the list, removed."""
    place = tmp_path / "m"
    with held(place) as folder:
        folder.write(name, b"1")
        assert set(folder.finish().failures) == {name}
    victims = [tmp_path / "x", place / "b"]
    for victim in victims:
        victim.write_bytes(b"theirs")
    listed = {found: ["", ""] for found in (name, str(victims[0]), "../x", "a/../b")}
    (place / LIST).write_text(json.dumps(listed))
    assert fill(place) == Outcome()
    assert all(victim.read_bytes() == b"theirs" for victim in victims)


def test_folders_that_are_links_are_refused(tmp_path: Path) -> None:
    """Nothing is written or removed through a symbolic link in the mirror; the mirror itself may be one."""
    place, elsewhere = tmp_path / "m", tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "old").write_bytes(b"theirs")
    fill(place, sub__old=b"ours")
    (place / "sub" / "old").unlink()
    (place / "sub").rmdir()
    (place / "sub").symlink_to(elsewhere)
    outcome = fill(place, **{"sub/new": b"1", "sub/deep/a": b"1", "sub/deep/b": b"1", "c": b"1"})
    assert set(outcome.failures) == {"sub/new", "sub/deep/a", "sub/deep/b", "sub/old"}
    assert {item.name for item in elsewhere.rglob("*")} == {"deep", "old"}
    (place / "sub").unlink()
    assert fill(place, c=b"1").failures == {}
    (tmp_path / "alias").symlink_to(place)
    assert fill(tmp_path / "alias", c=b"1", d=b"1") == Outcome(files=2, written=1, removed=0)


def test_a_file_where_a_folder_is_to_be(tmp_path: Path) -> None:
    """Names that cannot both exist: the second one fails, run after run, and all else is written."""
    place = tmp_path / "m"
    for _ in range(2):
        outcome = fill(place, x=b"1", x__y=b"2", y__z=b"3", y=b"4", z=b"5")
        assert set(outcome.failures) == {"x/y", "y"}
    assert contents(place) == {"x": b"1", "y/z": b"3", "z": b"5"}
    assert fill(place, x__y=b"2").failures != {}  # the file is removed at the end of this run
    assert fill(place, x__y=b"2").failures == {}


def test_a_full_disk(small_disk: Path) -> None:
    """On a full disk the old files stay whole, what must go goes, and the next run is as if nothing had been."""
    place = small_disk / "m"
    with held(place) as folder:
        folder.write("a", b"1", owner="one")
        folder.write("b", b"2" * 100_000, owner="two")
        folder.finish()
    fill_up(small_disk)
    with held(place) as folder:
        folder.write("a", b"3" * 500_000, owner="one")
        folder.write("c/d", b"3" * 500_000, owner="one")
        assert (place / "a").read_bytes() == b"1"
        folder.remove_all_but({"one"})
        assert set(contents(place)) == {"a"}
        fill_up(small_disk)
        with pytest.raises(SetupError, match="No space left"):
            folder.finish()
    (small_disk / "filler").unlink()
    with held(place) as folder:
        folder.write("a", b"4", owner="one")
        assert folder.finish().failures == {}
    assert contents(place) == {"a": b"4"}


def fill_up(disk: Path) -> None:
    with suppress(OSError), (disk / "filler").open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_the_callers_errors_are_its_own(tmp_path: Path) -> None:
    """An OSError of whoever holds the folder is not taken for one of the folder."""
    with pytest.raises(FileNotFoundError, match="a template"), held(tmp_path / "m"):
        raise FileNotFoundError("a template")
