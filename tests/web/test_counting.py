"""The site's own requests are counted: completely, once, and at no risk for them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Blueprint, Flask, abort
from sqlalchemy import func, select, text

from flask_statuspage import StatusPage
from flask_statuspage.domain.latency import Histogram
from flask_statuspage.errors import Invalid
from flask_statuspage.jobs.declaring import Declaring
from flask_statuspage.services import components
from flask_statuspage.storage import traffic
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.traffic import Traffic
from flask_statuspage.web import counting
from flask_statuspage.web.counting import Counter
from tests.apps import close, make_app
from tests.story.site import ROOT

Count = tuple[int, int]


def blueprint(name: str = "shop") -> Blueprint:
    """A part of the site that answers well, badly, or not at all."""
    made = Blueprint(name, __name__, url_prefix=f"/{name}", static_folder="host")

    @made.get("/")
    def fine() -> str:
        return "fine"

    @made.get("/<int:code>")
    def other(code: int) -> tuple[str, int]:
        return "other", code

    @made.get("/abort/<int:code>")
    def aborted(code: int) -> str:
        abort(code)

    @made.get("/crash")
    def crash() -> str:
        raise LookupError("gone")

    return made


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = make_app(f"sqlite:///{tmp_path / 'host.db'}")
    yield app
    counter(app).stop()
    close(app)


@pytest.fixture
def page(app: Flask) -> StatusPage:
    owner: StatusPage = app.extensions["statuspage"].owner
    return owner


def counter(app: Flask) -> Counter:
    found: Counter = app.extensions["statuspage"].traffic
    return found


def get(app: Flask, *paths: str) -> list[int]:
    client = app.test_client()
    return [client.get(path).status_code for path in paths]


def counted(app: Flask) -> dict[str, Count]:
    """Requests and errors by name, of what is written by now."""
    counter(app).write(everything=True)
    with app.app_context():
        query = select(Traffic.name, func.sum(Traffic.requests), func.sum(Traffic.errors))
        rows = current_session().execute(query.group_by(Traffic.name)).all()
        return {name: (int(requests), int(errors)) for name, requests, errors in rows}


@contextmanager
def away(app: Flask) -> Iterator[None]:
    """Meanwhile the database does not take counts."""

    def rename(old: str, new: str) -> None:
        with app.app_context():
            current_session().execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
            current_session().commit()

    rename("statuspage_traffic", "gone")
    yield
    rename("gone", "statuspage_traffic")


def test_nothing_is_installed_where_nothing_is_watched(app: Flask) -> None:
    """A site without a watch has no hook, no thread and no row of it."""
    before = {name: list(found) for name, found in app.url_value_preprocessors.items()}
    app.register_blueprint(blueprint())
    get(app, "/shop/")
    assert {name: list(found) for name, found in app.url_value_preprocessors.items()} == before
    assert counter(app)._thread is None
    assert counted(app) == {}


def test_every_answer_counts_once(app: Flask, page: StatusPage) -> None:
    """From 500 on and exceptions are failures; what the visitor got wrong is none."""
    app.register_blueprint(blueprint())
    page.watch("shop")
    paths = [
        "/shop/",
        "/shop/404",
        "/shop/abort/403",
        "/shop/503",
        "/shop/abort/502",
        "/shop/crash",
    ]
    assert get(app, *paths) == [200, 404, 403, 503, 502, 500]
    assert counted(app) == {"shop": (6, 3)}
    with app.app_context():
        took = [Histogram.read(row) for row in current_session().scalars(select(Traffic.histogram))]
    assert sum(len(one) for one in took) == 6


def test_an_exception_that_goes_through_counts_once(app: Flask, page: StatusPage) -> None:
    """Where the server sees the exception itself, as in a debugger, it is a failure all the same."""
    app.register_blueprint(blueprint())
    page.watch("shop")
    app.testing = True
    with pytest.raises(LookupError):
        get(app, "/shop/crash")
    assert counted(app) == {"shop": (1, 1)}


def test_a_host_that_breaks_the_answer_has_failed(app: Flask, page: StatusPage) -> None:
    """A view that works is of no use where the host's after_request fails; it counts as one failure."""
    app.register_blueprint(blueprint())
    page.watch("shop")

    @app.after_request
    def broken(response: object) -> object:
        raise ValueError

    assert get(app, "/shop/") == [500]
    assert counted(app) == {"shop": (1, 1)}


def test_a_host_that_answers_first_is_counted(app: Flask, page: StatusPage) -> None:
    """Also what a before_request of the host refuses is an answer of that blueprint."""
    app.register_blueprint(blueprint())

    @app.before_request
    def refuse() -> tuple[str, int]:
        return "no", 500

    page.watch("shop")
    assert get(app, "/shop/") == [500]
    assert counted(app) == {"shop": (1, 1)}


def test_other_requests_are_not_counted(app: Flask, page: StatusPage) -> None:
    """Not other blueprints, not paths that nothing answers, not static files, not the status page."""
    app.register_blueprint(blueprint())
    app.register_blueprint(blueprint("other"))
    page.watch("shop")
    assert get(app, "/other/", "/shop/nothing/here", "/status/")[:2] == [200, 404]
    get(app, "/shop/static/x", "/nowhere")
    assert counted(app) == {}


def test_nested_blueprints_count_for_all_that_hold_them(app: Flask, page: StatusPage) -> None:
    """A watch of the outer one counts the inner one, too, whether it names it or is given the blueprint."""
    outer, inner = blueprint("outer"), blueprint("inner")
    outer.register_blueprint(inner)
    nested = StatusPage("nested")
    app.register_blueprint(outer)
    page.watch(outer)
    page.watch("inner")
    assert get(app, "/outer/", "/outer/inner/", "/outer/inner/500") == [200, 200, 500]
    assert counted(app) == {"outer": (3, 1), "inner": (2, 1)}
    with pytest.raises(Invalid, match="The status page itself is not watched"):
        page.watch(nested)


def test_a_watch_before_the_blueprint_and_one_later(app: Flask, page: StatusPage) -> None:
    """The order of the site's lines does not matter, as long as they come before its first request."""
    page.watch("shop")
    app.register_blueprint(blueprint())
    assert get(app, "/shop/") == [200]
    app.config["X"] = 1
    page.watch("late")
    assert counted(app) == {"shop": (1, 0)}


def test_a_watch_that_comes_too_late_says_so(
    app: Flask, page: StatusPage, caplog: pytest.LogCaptureFixture
) -> None:
    """After the first request Flask takes no more hooks: the log tells, and requests are answered."""
    app.register_blueprint(blueprint())
    get(app, "/shop/")
    page.watch("shop")
    assert "watch() came after the app's first request" in caplog.text
    assert get(app, "/shop/") == [200]
    assert counted(app) == {}


def test_two_apps_count_their_own(tmp_path: Path) -> None:
    """One status page on two apps: each has its own counts."""
    apps = []
    shared = StatusPage()
    shared.watch("shop")
    for name in ("one", "two"):
        app = make_app(f"sqlite:///{tmp_path / name}.db", statuspage=shared)
        app.register_blueprint(blueprint())
        apps.append(app)
    get(apps[0], "/shop/", "/shop/500")
    get(apps[1], "/shop/")
    assert [counted(app) for app in apps] == [{"shop": (2, 1)}, {"shop": (1, 0)}]
    for app in apps:
        counter(app).stop()
        close(app)


def test_what_a_maintenance_turns_away_is_not_counted(app: Flask, page: StatusPage) -> None:
    """Else the component would be down for one window after each maintenance."""
    app.register_blueprint(blueprint())
    page.watch("shop")
    page.protect("shop", component="shop")
    with app.app_context():
        session = current_session()
        components.create(session, default_page(session), name="Shop")
        session.commit()
        with page.maintenance("Deploy", components=["shop"]):
            assert get(app, "/shop/", "/shop/") == [503, 503]
    assert get(app, "/shop/") == [200]
    assert counted(app) == {"shop": (1, 0)}


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_many_threads_while_it_is_written(database_url: str) -> None:
    """Eight threads count while a ninth writes again and again: nothing is lost, nothing counts twice."""
    app = make_app(database_url)
    app.register_blueprint(blueprint())
    app.extensions["statuspage"].owner.watch("shop")
    over = threading.Event()

    def work() -> None:
        get(app, *["/shop/", "/shop/500"] * 50)

    def write() -> None:
        while not over.is_set():
            counter(app).write(everything=True)

    threads = [threading.Thread(target=work) for _ in range(8)]
    writer = threading.Thread(target=write)
    writer.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    over.set()
    writer.join(10)
    assert counted(app) == {"shop": (800, 400)}
    counter(app).stop()
    close(app)


FORKING = """
import os, sys
from flask import Flask, Blueprint
from flask_sqlalchemy import SQLAlchemy
from flask_statuspage import StatusPage

app = Flask("host")
app.config.update(SECRET_KEY="x", SQLALCHEMY_DATABASE_URI=sys.argv[1])
SQLAlchemy().init_app(app)
shop = Blueprint("shop", "shop")
shop.add_url_rule("/", "fine", lambda: "fine")
app.register_blueprint(shop)
page = StatusPage()
page.watch("shop")
app.register_blueprint(page, url_prefix="/status")

def ask(times):
    client = app.test_client()
    for _ in range(times):
        assert client.get("/").status_code == 200

ask(10)
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        ask(20)
        sys.exit(0)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
ask(5)
"""


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_processes_that_fork_and_end(database_url: str) -> None:
    """A server that forks its workers after it has counted: each writes its own at its end, none its parent's."""
    app = make_app(database_url)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", FORKING, database_url]
    done = subprocess.run(command, env=environment, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 0
    assert counted(app) == {"shop": (10 + 3 * 20 + 5, 0)}
    close(app)


def test_a_database_that_is_away_loses_nothing(
    app: Flask, page: StatusPage, caplog: pytest.LogCaptureFixture
) -> None:
    """Counting goes on, one line is logged, and all is written once it is back."""
    app.register_blueprint(blueprint())
    page.watch("shop")

    with away(app):
        for _ in range(3):
            assert get(app, "/shop/", "/shop/500") == [200, 500]
            counter(app).write(everything=True)
    assert caplog.text.count("traffic waits for the database") == 1
    get(app, "/shop/")
    assert counted(app) == {"shop": (7, 3)}


class Clock:
    """This machine's clock, so many seconds ahead."""

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead

    def time(self) -> float:
        return time.time() + self.ahead

    def __getattr__(self, name: str) -> object:
        return getattr(time, name)


def test_what_waits_too_long_is_forgotten(
    app: Flask, page: StatusPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No window asks for what is older than an hour, so memory is bounded."""
    app.register_blueprint(blueprint())
    page.watch("shop")
    clock = Clock(-3700)
    monkeypatch.setattr(counting, "time", clock)
    with away(app):
        for seconds in (-3700, -3500):
            clock.ahead = seconds
            assert get(app, "/shop/") == [200]
            counter(app).write(everything=True)
        clock.ahead = 0
        counter(app).write(everything=True)
    assert counted(app) == {"shop": (1, 0)}


def test_one_bad_row_holds_up_no_other(
    app: Flask, page: StatusPage, caplog: pytest.LogCaptureFixture
) -> None:
    """What the database refuses is dropped and told; all else of the process is written."""
    for name in ("shop", "bad", "other"):
        app.register_blueprint(blueprint(name))
        page.watch(name)
    with app.app_context():
        current_session().execute(
            text(
                "CREATE TRIGGER refuse BEFORE INSERT ON statuspage_traffic WHEN NEW.name = 'bad' "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        )
        current_session().commit()
    get(app, "/shop/", "/bad/", "/other/")
    assert counted(app) == {"shop": (1, 0), "other": (1, 0)}
    assert caplog.text.count("traffic of 'bad' is lost") == 1
    assert counted(app) == {"shop": (1, 0), "other": (1, 0)}
    assert caplog.text.count("is lost") == 1


def test_two_of_one_name_are_counted_apart(app: Flask, page: StatusPage) -> None:
    """Blueprints are known by where they are: two that are called the same have a monitor and counts each."""
    inner = []
    for name in ("shop", "admin"):
        outer, child = blueprint(name), blueprint("checkout")
        page.watch(child)
        outer.register_blueprint(child)
        app.register_blueprint(outer)
        inner.append(child)
    get(app, "/shop/checkout/", "/admin/checkout/500", "/admin/checkout/")
    assert counted(app) == {"shop.checkout": (1, 0), "admin.checkout": (2, 1)}
    with app.app_context():
        Declaring().run()
        rows = current_session().execute(select(Monitor.slug, Monitor.target, Monitor.name)).all()
    assert sorted(rows) == [
        ("admin-checkout-requests", "admin.checkout", "Requests to admin.checkout"),
        ("shop-checkout-requests", "shop.checkout", "Requests to shop.checkout"),
    ]
    page.watch(inner[0], slug="paying")
    page.watch(inner[0], slug="paying", window=60)
    with pytest.raises(Invalid, match="'paying' is the slug of another") as caught:
        page.watch(inner[1], slug="paying")
    assert caught.value.errors[0].field == "slug"


def test_a_clash_that_shows_late_is_told(
    app: Flask, page: StatusPage, caplog: pytest.LogCaptureFixture
) -> None:
    """Two that turn out to want one slug do not undo each other's monitor: the log says so."""
    child, outer = blueprint("checkout"), blueprint("shop")
    page.watch(child)
    page.watch("other", slug="shop-checkout-requests")
    outer.register_blueprint(child)
    app.register_blueprint(outer)
    with app.app_context():
        declaring = Declaring()
        for _ in range(2):
            declaring.run()
        assert current_session().scalars(select(Monitor.target)).all() == ["shop.checkout"]
    assert caplog.text.count("is the slug of another check or watch") == 1


def test_a_factory_that_runs_again_leaves_nothing_behind(tmp_path: Path) -> None:
    """Each app counts its own blueprint, and one that is gone is not remembered."""
    shared = StatusPage()
    apps = []

    def make(name: str) -> None:
        child = blueprint()
        shared.watch(child, slug="sales")
        app = make_app(f"sqlite:///{tmp_path / name}.db", statuspage=shared)
        app.register_blueprint(child)
        apps.append(app)

    make("one")
    make("two")
    for app in apps:
        get(app, "/shop/")
        assert counted(app) == {"shop": (1, 0)}
    shared.watch(Blueprint("lost", __name__), slug="lost")
    gc.collect()
    shared.watch("more")
    assert [one.slug for one in shared._declarations] == ["sales", "sales", "more-requests"]
    for app in apps:
        counter(app).stop()
        close(app)


HOOKS = """
import atexit, gc, os
from flask import Flask
from flask_statuspage.web import counting

hooks = []
atexit.register = lambda hook: hooks.append(hook)
os.register_at_fork = lambda **more: hooks.append(more)
for _ in range(3):
    counting.Counter(Flask("host"))
    gc.collect()
assert len(hooks) == 2, hooks
"""


def test_hooks_of_the_process_are_set_once() -> None:
    """A process that makes and forgets many apps does not pile them up."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", HOOKS], env=environment, cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == 0


def test_a_watch_while_a_request_looks_up_its_names(app: Flask, page: StatusPage) -> None:
    """What an endpoint counted for before is not remembered as what it counts for from then on."""
    app.register_blueprint(blueprint())
    page.watch("shop")
    original = counter(app)._watched

    def slow(endpoint: str | None) -> tuple[str, ...]:
        found = original(endpoint)
        page.watch("more")  # another thread does so at this moment
        return found

    counter(app)._watched = slow  # type: ignore[method-assign]
    get(app, "/shop/")
    assert counter(app)._names == {}


def test_a_commit_whose_answer_was_lost_counts_once(app: Flask) -> None:
    """The same rows are sent again, as their ids tell."""
    rows = [
        {
            "id": uuid4(),
            "name": "shop",
            "at": datetime.now(UTC),
            "requests": 4,
            "errors": 1,
            "histogram": "",
        }
    ]
    with app.app_context():
        for _ in range(2):
            traffic.add_all(current_session(), rows)
            current_session().commit()
    assert counted(app) == {"shop": (4, 1)}


def test_old_counts_go_in_portions(app: Flask) -> None:
    """What no window asks for any more is deleted, the rest stays."""
    now = datetime.now(UTC)
    rows = [
        {
            "id": uuid4(),
            "name": "shop",
            "at": now - timedelta(hours=hours),
            "requests": 1,
            "errors": 0,
            "histogram": "",
        }
        for hours in (1, 25, 26, 27)
    ]
    with app.app_context():
        session = current_session()
        traffic.add_all(session, rows)
        before = now - timedelta(days=1)
        gone = [traffic.delete_before(session, before, limit=2) for _ in range(3)]
        session.commit()
    assert gone == [2, 1, 0]
    assert counted(app) == {"shop": (1, 0)}


def test_the_thread_writes_by_itself_and_ends(
    app: Flask, page: StatusPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first counted request starts it; at the end it writes what there is."""
    app.register_blueprint(blueprint())
    page.watch("shop")
    get(app, "/shop/")
    thread = counter(app)._thread
    assert thread is not None
    assert thread.daemon
    counter(app).stop()
    assert not thread.is_alive()
    with app.app_context():
        assert current_session().scalar(select(func.sum(Traffic.requests))) == 1
    get(app, "/shop/")
    assert counter(app)._thread is not thread


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"blueprint": ""}, "blueprint"),
        ({"blueprint": 5}, "blueprint"),
        ({"blueprint": "x" * 201}, "blueprint"),
        ({"blueprint": "shop\0"}, "blueprint"),
        ({"blueprint": Blueprint("x" * 201, __name__)}, "blueprint"),
        ({"window": 5}, "window"),
        ({"down_share": 2}, "down_share"),
        ({"min_requests": 0}, "min_requests"),
        ({"every": 0}, "every"),
        ({"slug": "No"}, "slug"),
    ],
)
def test_wrong_arguments(page: StatusPage, values: dict[str, object], field: str) -> None:
    """They are named where the code stands."""
    with pytest.raises(Invalid) as caught:
        page.watch(**{"blueprint": "shop", **values})
    assert caught.value.errors[0].field == field
