"""When the scheduler has the mirror written: after changes, once for a burst, and now and then without one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flask_statuspage.jobs import schedule, tasks
from flask_statuspage.jobs.schedule import Debounce, Scheduler
from flask_statuspage.storage import leases
from flask_statuspage.storage.session import current_session
from tests.story.site import Site, running_site


class Follower:
    """A clock that is asked once a second, and somebody who follows whenever it says so."""

    def __init__(self) -> None:
        self.clock = Debounce(patience=3, retry_after=10)
        self.followed: object = None
        self.works = True
        self.told = [now for now in range(2) if self.ticks("first", now)]

    def ticks(self, state: object, now: float) -> bool:
        due = self.clock.is_due(state, now, followed=state == self.followed)
        if due and self.works:
            self.followed = state
        return due


@pytest.fixture
def follower() -> Follower:
    follower = Follower()
    assert follower.told == [1]
    return follower


def test_quiet_until_something_changes(follower: Follower) -> None:
    """Nothing is due while nothing changes, until what was done does not count any more."""
    assert [now for now in range(2, 301) if follower.ticks("first", now)] == []
    follower.followed = None
    assert [now for now in range(301, 620) if follower.ticks("first", now)] == [301]


def test_a_change_is_followed_after_a_quiet_tick(follower: Follower) -> None:
    """A change is followed at the tick after it, once."""
    assert [
        now for now in range(2, 100) if follower.ticks("first" if now < 10 else "second", now)
    ] == [11]


def test_a_burst_is_followed_once(follower: Follower) -> None:
    """Changes at two ticks in a row are followed once, when they are over."""
    states = {10: "a", 11: "b"}
    due = []
    state = "first"
    for now in range(2, 60):
        state = states.get(now, state)
        if follower.ticks(state, now):
            due.append((now, state))
    assert due == [(12, "b")]


def test_endless_changes_are_followed_too(follower: Follower) -> None:
    """Something that changes at every tick is followed every few seconds."""
    assert [now for now in range(10, 22) if follower.ticks(now, now)] == [13, 17, 21]


def test_back_to_what_it_was(follower: Follower) -> None:
    """A state that comes back before it was followed needs nothing."""
    assert not follower.ticks("second", 10)
    assert not any(follower.ticks("first", now) for now in range(11, 60))


def test_nobody_follows(follower: Follower) -> None:
    """Who does not do it is told again every ten seconds, and at once of the next change, until it is done."""
    follower.works = False
    assert [now for now in range(10, 45) if follower.ticks("second", now)] == [11, 21, 31, 41]
    assert [now for now in range(45, 50) if follower.ticks("third", now)] == [46]
    follower.works = True
    assert [now for now in range(50, 90) if follower.ticks("third", now)] == [56]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    url = f"sqlite:///{tmp_path / 'site.db'}"
    with running_site(
        folder, SQLALCHEMY_DATABASE_URI=url, STATUSPAGE_MIRROR_DIR=str(tmp_path / "m")
    ) as site:
        yield site


class Ticks:
    """A scheduler whose clock is moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.works = True
        self.woken = 0
        monkeypatch.setattr(schedule.time, "monotonic", lambda: self.now)
        self.scheduler = Scheduler(self._wake)

    def _wake(self, task: str) -> None:
        if task == "mirror":
            self.woken += 1
            if self.works:
                tasks.run(task)

    def __call__(self, count: int) -> int:
        """How often the mirror's task was woken in *count* ticks."""
        self.woken = 0
        for _ in range(count):
            self.now += 1
            assert self.scheduler.tick()
        return self.woken


def test_the_scheduler_wakes_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst of changes, whoever made them, is one wake of the task; a change during it another one."""
    with site.app.app_context():
        ticks = Ticks(monkeypatch)
        assert ticks(3) == 1  # nothing was written yet
        for number in range(20):
            site.api("POST", "components", {"name": f"C {number}"})
        assert ticks(10) == 1
        site.api("POST", "incidents", {"title": "Fire"})
        assert ticks(10) == 1
        assert ticks(20) == 0
        ticks.scheduler.stop()
        assert Ticks(monkeypatch)(20) == 0  # another scheduler knows what was written


def test_a_wake_that_is_lost(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nobody writes, another wake follows within 15 seconds, whichever scheduler leads; then they end."""
    with site.app.app_context():
        ticks = Ticks(monkeypatch)
        ticks(3)
        ticks.works = False
        site.api("POST", "incidents", {"title": "Fire"})
        assert ticks(3) == 1
        assert ticks(15) >= 1
        assert ticks(45) >= 3
        ticks.scheduler.stop()
        other = Ticks(monkeypatch)
        assert other(15) == 1
        assert other(60) == 0
        other.scheduler.stop()


def test_measurements_are_followed_in_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written counts for five minutes, by the database's clock."""
    with site.app.app_context():
        ticks = Ticks(monkeypatch)
        assert ticks(3) == 1
        earlier = timedelta(minutes=4, seconds=30)
        for due in (0, 1):
            session = current_session()
            row = session.get(leases.Lease, "mirror")
            assert row is not None
            assert row.until is not None
            row.until -= earlier
            session.commit()
            assert ticks(5) == due
        ticks.scheduler.stop()


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
