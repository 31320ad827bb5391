"""When the scheduler has the mirror written: after changes, once for a burst, and now and then without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_statuspage.jobs import schedule, tasks
from flask_statuspage.jobs.schedule import Restless, Scheduler
from tests.story.site import Site, running_site


@pytest.fixture
def clock() -> Restless:
    clock = Restless(patience=3, again_after=300)
    assert not clock.is_due("first", 0)
    assert clock.is_due("first", 1)
    return clock


def test_quiet_until_something_changes(clock: Restless) -> None:
    """Nothing is due while nothing changes, until it is time for another look."""
    assert [now for now in range(2, 620) if clock.is_due("first", now)] == [301, 601]


def test_a_change_is_followed_after_a_quiet_tick(clock: Restless) -> None:
    """A change is followed at the tick after it, once."""
    assert [
        now for now in range(2, 100) if clock.is_due("first" if now < 10 else "second", now)
    ] == [11]


def test_a_burst_is_followed_once(clock: Restless) -> None:
    """Changes at two ticks in a row are followed once, when they are over."""
    states = {10: "a", 11: "b"}
    due = []
    state = "first"
    for now in range(2, 60):
        state = states.get(now, state)
        if clock.is_due(state, now):
            due.append((now, state))
    assert due == [(12, "b")]


def test_endless_changes_are_followed_too(clock: Restless) -> None:
    """Something that changes at every tick is followed every few seconds."""
    assert [now for now in range(10, 22) if clock.is_due(now, now)] == [13, 17, 21]


def test_back_to_what_it_was(clock: Restless) -> None:
    """A state that comes back before it was followed needs nothing."""
    assert not clock.is_due("second", 10)
    assert not any(clock.is_due("first", now) for now in range(11, 60))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    url = f"sqlite:///{tmp_path / 'site.db'}"
    with running_site(
        folder, SQLALCHEMY_DATABASE_URI=url, STATUSPAGE_MIRROR_DIR=str(tmp_path / "m")
    ) as site:
        yield site


def test_the_scheduler_wakes_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst of changes, whoever made them, is one wake of the task; a change during it another one."""
    clock = [100.0]
    monkeypatch.setattr(schedule.time, "monotonic", lambda: clock[0])
    woken: list[str] = []
    with site.app.app_context():
        scheduler = Scheduler(woken.append)

        def ticks(count: int) -> int:
            woken.clear()
            for _ in range(count):
                clock[0] += 1
                assert scheduler.tick()
            return woken.count("mirror")

        assert ticks(3) == 1  # at its start
        for number in range(20):
            site.api("POST", "components", {"name": f"C {number}"})
        assert ticks(10) == 1
        site.api("POST", "incidents", {"title": "Fire"})
        assert ticks(10) == 1
        assert ticks(20) == 0
        scheduler.stop()


def test_the_task_writes(site: Site, tmp_path: Path) -> None:
    """The task writes the folder of the setting and says how many files changed; the sweep does it too."""
    with site.app.app_context():
        assert tasks.run("mirror") > 20
    site.api("POST", "incidents", {"title": "Fire"})
    assert "mirror: " in site.run("sweep")
    assert "Fire" in (tmp_path / "m" / "index.html").read_text()


def test_without_a_folder_nothing(tmp_path: Path) -> None:
    """Without the setting neither scheduler nor sweep knows of a mirror."""
    with running_site(tmp_path, SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'x.db'}") as site:
        assert "mirror" not in site.run("sweep")
        woken: list[str] = []
        with site.app.app_context():
            scheduler = Scheduler(woken.append)
            for _ in range(3):
                scheduler.tick()
            assert "mirror" not in woken
            assert tasks.run("mirror") == 0
            scheduler.stop()
