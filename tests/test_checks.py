"""``@statuspage.check``: functions of the site as monitors, whatever they do."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select, text

from flask_statuspage import Degraded, StatusPage
from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Invalid
from flask_statuspage.jobs.declaring import Declaring
from flask_statuspage.outgoing import limit
from flask_statuspage.probing import CheckResult, ProbeOrder
from flask_statuspage.probing import callable as callable_probe
from flask_statuspage.services import monitoring
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.session import current_session

from .apps import close, make_app

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = make_app(f"sqlite:///{tmp_path / 'host.db'}")
    yield app
    close(app)


@pytest.fixture
def page(app: Flask) -> StatusPage:
    owner: StatusPage = app.extensions["statuspage"].owner
    return owner


def ask(app: Flask, target: str, *, timeout: float = 5, slow: int | None = None) -> CheckResult:
    """What a worker finds that is to call the function *target*."""
    order = ProbeOrder(
        monitor_id=new_id(),
        region="default",
        kind="callable",
        target=target,
        timeout=timeout,
        degraded_over_ms=slow,
        asked_at=datetime.now(UTC),
    )
    with app.app_context():
        return monitoring.ask(order)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(None, UP), (True, UP), ("pong", UP), (1, UP), (False, DOWN), (0, DOWN), ("", DOWN)],
)
def test_what_it_answers(app: Flask, page: StatusPage, answer: object, outcome: Verdict) -> None:
    """None and what is true are up, all else that is false is down."""
    page.check("Search")(lambda: answer)
    result = ask(app, "search")
    assert (result.outcome, result.error) == (outcome, None if outcome is UP else "Answered no")
    assert result.milliseconds is not None


def test_the_function_stays_what_it_is(page: StatusPage) -> None:
    """The site goes on calling it as before."""

    def ping() -> str:
        return "pong"

    assert page.check("Ping")(ping) is ping


def test_it_runs_inside_of_the_app(app: Flask, page: StatusPage) -> None:
    """It has the app, its database and a session of its own that is gone afterwards."""
    seen: list[object] = []

    @page.check("Inside")
    def inside() -> None:
        session = current_app.extensions["sqlalchemy"].session
        session.execute(text("SELECT 1"))
        seen.extend([current_app._get_current_object(), session()])

    assert ask(app, "inside").outcome is UP
    assert seen[0] is app
    assert not seen[1].in_transaction()
    with app.app_context():
        assert app.extensions["sqlalchemy"].session() is not seen[1]


@pytest.mark.parametrize("raised", [RuntimeError("password=hunter2"), SystemExit("hunter2")])
def test_what_it_raises_is_named_and_not_told(
    app: Flask, page: StatusPage, caplog: pytest.LogCaptureFixture, raised: BaseException
) -> None:
    """Everybody may read the name of the class; the message and where it came from are in the site's log."""

    @page.check("Search")
    def search() -> None:
        raise raised

    result = ask(app, "search")
    assert (result.outcome, result.error) == (DOWN, f"Failed: {type(raised).__name__}")
    assert "hunter2" not in repr(result)
    assert "hunter2" in caplog.text
    assert "in search" in caplog.text


def test_it_can_say_that_it_is_degraded(app: Flask, page: StatusPage) -> None:
    """A check that works badly says so by an exception, or by its time."""

    @page.check("Search")
    def search() -> None:
        raise Degraded("replica 2 is missing")

    result = ask(app, "search")
    assert (result.outcome, result.error) == (DEGRADED, "Reported as degraded")
    page.check("Slow")(lambda: time.sleep(0.05))
    result = ask(app, "slow", slow=10)
    assert (result.outcome, result.error) == (DEGRADED, "Slower than 10 ms")


def test_what_it_leaves_behind_is_taken_back(app: Flask, page: StatusPage) -> None:
    """Half of its work was committed when it failed: that stays, the rest does not, and nothing stays locked."""
    db: SQLAlchemy = app.extensions["sqlalchemy"]
    with app.app_context():
        db.session.execute(text("CREATE TABLE host (name TEXT)"))
        db.session.commit()

    @page.check("Half")
    def half() -> None:
        db.session.execute(text("INSERT INTO host VALUES ('kept')"))
        db.session.commit()
        db.session.execute(text("INSERT INTO host VALUES ('lost')"))
        raise LookupError

    assert ask(app, "half").error == "Failed: LookupError"
    with app.app_context():
        db.session.execute(text("INSERT INTO host VALUES ('after')"))
        db.session.commit()
        assert db.session.scalars(text("SELECT name FROM host")).all() == ["kept", "after"]


def test_what_hangs_costs_its_time_and_one_thread(app: Flask, page: StatusPage) -> None:
    """It is down when its time is over; while it still hangs it is not called again, others are."""
    over, calls = threading.Event(), []

    @page.check("Hangs")
    def hangs() -> None:
        calls.append(1)
        over.wait(20)

    page.check("Fine")(lambda: True)
    began, threads = time.monotonic(), threading.active_count()
    for _ in range(5):
        result = ask(app, "hangs", timeout=0.2)
        assert (result.outcome, result.error) == (DOWN, "No answer in time")
    assert time.monotonic() - began < 5
    assert len(calls) == 1
    assert threading.active_count() <= threads + 1
    assert ask(app, "fine").outcome is UP
    over.set()
    ends = time.monotonic() + 5
    while ask(app, "hangs", timeout=0.5).outcome is not UP:
        assert time.monotonic() < ends
    assert len(calls) >= 2


def test_two_calls_at_once_are_no_hang(app: Flask, page: StatusPage) -> None:
    """A check that takes its time is called from two regions at once."""
    both = threading.Barrier(2)

    @page.check("Both")
    def meet() -> None:
        both.wait(5)

    results: list[CheckResult] = []
    threads = [threading.Thread(target=lambda: results.append(ask(app, "both"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [result.outcome for result in results] == [UP, UP]


def test_a_worker_without_the_code_does_not_know(app: Flask) -> None:
    """A worker of an older deployment says nothing of what it does not have."""
    result = ask(app, "search")
    assert (result.outcome, result.error) == (UNKNOWN, "This worker's code does not have it")


def _asynchronous() -> Callable[[], object]:
    async def check() -> None: ...

    return check


def _generating() -> Callable[[], object]:
    def check() -> Iterator[int]:
        yield 1

    return check


@pytest.mark.parametrize("function", [_asynchronous(), _generating()])
def test_what_returns_too_early_is_no_check(
    page: StatusPage, function: Callable[[], object]
) -> None:
    """A coroutine or a generator is always true, so it would always be up."""
    with pytest.raises(TypeError, match="returns before its work is done"):
        page.check("Async")(function)


class _Asynchronous:
    async def __call__(self) -> bool:
        return False


class _Awaitable:
    def __await__(self) -> Iterator[None]:
        yield


@pytest.mark.parametrize(
    "function",
    [
        lambda: _asynchronous()(),
        _Asynchronous(),
        _Awaitable,
        lambda: _generating()(),
    ],
)
def test_what_only_shows_when_it_is_called(
    app: Flask, page: StatusPage, function: Callable[[], object]
) -> None:
    """What was only begun is not healthy, and leaves no warning that nobody waited for it."""
    page.check("Search")(function)
    result = ask(app, "search")
    assert (result.outcome, result.error) == (DOWN, "Returned before its work was done")


def test_whether_it_is_true_is_asked_inside(app: Flask, page: StatusPage) -> None:
    """That may be code of the site, too: it has the app, and what it raises is the check's failure."""
    seen: list[object] = []

    class Answer:
        def __bool__(self) -> bool:
            seen.append(current_app._get_current_object())
            raise KeyError("secret")

    page.check("Search")(Answer)
    assert ask(app, "search").error == "Failed: KeyError"
    assert seen == [app]


def test_what_was_not_called_is_not_down(
    app: Flask, page: StatusPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where too many others hang in a worker, it does not know how this one is."""
    over = threading.Event()
    monkeypatch.setattr(limit, "MOST_ABANDONED", limit._hanging("callable") + 1)
    page.check("Hangs")(lambda: over.wait(20))
    page.check("Fine")(lambda: True)
    assert ask(app, "hangs", timeout=0.1).outcome is DOWN
    result = ask(app, "fine")
    assert (result.outcome, result.error) == (UNKNOWN, "Too many checks hang in this worker")
    over.set()
    ends = time.monotonic() + 5
    while ask(app, "fine").outcome is not UP:
        assert time.monotonic() < ends


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_does_not_inherit_what_hangs(app: Flask, page: StatusPage) -> None:
    """The thread that hangs is the parent's: the child calls the function itself, whoever held a lock meanwhile."""
    over, parent = threading.Event(), os.getpid()
    page.check("Hangs")(lambda: os.getpid() != parent or over.wait(20))
    assert ask(app, "hangs", timeout=0.1).outcome is DOWN
    with callable_probe._turning, limit._turning:
        child = os.fork()
        if not child:
            threading.Timer(10, os._exit, [2]).start()  # instead of waiting for ever
            os._exit(0 if ask(app, "hangs").outcome is UP else 1)
    assert os.waitpid(child, 0)[1] == 0
    over.set()


def test_looking_how_many_hang_while_others_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that look how many hang are not disturbed by those that add to them."""
    over, added = threading.Event(), threading.Event()

    class Slow(threading.Thread):
        """While it is looked at another call begins to hang."""

        def is_alive(self) -> bool:
            if threading.current_thread() is threading.main_thread() and not added.is_set():
                late.start()
                added.wait(0.3)
            return super().is_alive()

    def hang() -> None:
        with pytest.raises(limit.Late):
            limit.within(0.01, lambda: over.wait(20), cut=added.set, kind="many")

    late = threading.Thread(target=hang)
    first = Slow(target=lambda: over.wait(20), daemon=True)
    first.start()
    limit._abandoned["many"].add(first)
    assert limit.within(5, lambda: "done", cut=over.set, kind="many") == "done"
    late.join(5)
    assert added.is_set()
    over.set()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "…"}, "slug"),
        ({"slug": "No Slug"}, "slug"),
        ({"page": "No Slug"}, "page"),
        ({"every": 0}, "every"),
        ({"every": 1.5}, "every"),
        ({"every": True}, "every"),
    ],
)
def test_wrong_arguments(page: StatusPage, values: dict[str, object], field: str) -> None:
    """They are named where the code stands, not when the scheduler comes by."""
    with pytest.raises(Invalid) as caught:
        page.check(**{"name": "Search", **values})
    assert caught.value.errors[0].field == field


def test_two_checks_do_not_share_a_slug(page: StatusPage) -> None:
    """The second one would take the first one's place unseen; the same function once more is no second one."""

    def first() -> None: ...
    def second() -> None: ...

    page.check("Search")(first)
    page.check("Search")(first)
    with pytest.raises(Invalid, match="'search' is the slug of another check"):
        page.check("Search")(second)
    page.check("Search", page="other")(second)


def test_two_apps_have_their_own(tmp_path: Path) -> None:
    """What is declared within an app's context is that app's; all else is every app's."""
    shared = StatusPage()
    shared.check("Everywhere")(lambda: True)
    apps = []
    for name in ("one", "two"):
        app = Flask(name)
        app.config.update(
            SECRET_KEY="a key", SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / name}.db"
        )
        SQLAlchemy().init_app(app)
        app.register_blueprint(shared)
        with app.app_context():
            shared.check("Own")(lambda name=name: current_app.name == name)
        apps.append(app)
    with apps[0].app_context():
        shared.check("Only one")(lambda: True)
    for app in apps:
        assert ask(app, "everywhere").outcome is UP
        assert ask(app, "own").outcome is UP
    assert ask(apps[0], "only-one").outcome is UP
    assert ask(apps[1], "only-one").outcome is UNKNOWN
    for app in apps:
        close(app)


def test_the_scheduler_makes_the_monitor(app: Flask, page: StatusPage) -> None:
    """It is there with what the code says, and due at once."""
    page.check("Search index", every=45, failure_threshold=2, timeout=3.5)(lambda: True)
    with app.app_context():
        Declaring().run()
        (row,) = current_session().scalars(select(Monitor)).all()
        assert (row.slug, row.name, row.kind) == ("search-index", "Search index", "callable")
        assert (row.interval, row.timeout, row.failure_threshold) == (45, 3.5, 2)


def test_an_error_of_the_context_is_the_checks(
    app: Flask, page: StatusPage, caplog: pytest.LogCaptureFixture
) -> None:
    """What the host does at the end of a context may fail, too, and stops no worker."""
    page.check("Search")(lambda: True)

    @app.teardown_appcontext
    def broken(error: BaseException | None) -> None:
        if threading.current_thread().name == "statuspage-within":
            raise ValueError("teardown")

    with caplog.at_level(logging.ERROR):
        assert ask(app, "search").error == "Failed: ValueError"
