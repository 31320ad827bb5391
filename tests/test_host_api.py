"""Maintenance from host code: a block with transactions of its own, and a plan in the host's."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, abort
from sqlalchemy import Connection, event, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from flask_statuspage import StatusPage
from flask_statuspage.domain.maintenance import MaintenanceStatus as S
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.errors import Conflict, Invalid, NotFound
from flask_statuspage.host import EARLY, STOPPED
from flask_statuspage.jobs import tasks
from flask_statuspage.services import maintenances
from flask_statuspage.state import state_of
from flask_statuspage.storage import maintenances as stored
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Component
from flask_statuspage.storage.maintenances import Maintenance, MaintenanceUpdate
from flask_statuspage.storage.outbox import Delivery, EventRow
from flask_statuspage.storage.pages import Page, default_page
from flask_statuspage.storage.session import current_engine, current_session
from flask_statuspage.storage.team import AuditEntry
from tests import apps
from tests.apps import Hosts
from tests.servers import nursery
from tests.services import scenes

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SERVERS = pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
HOUR = timedelta(hours=1)


class HostBase(DeclarativeBase):
    pass


class Order(HostBase):
    """A table of the host's."""

    __tablename__ = "host_order"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


@pytest.fixture(scope="module")
def hosts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hosts]:
    def url_of(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('host') / 'statuspage.db'}"
        return str(request.getfixturevalue(f"{kind}_server").create_database())

    # A test stops the server, on which all connections of the pool die.
    options = {"pool_pre_ping": True}
    hosts = Hosts(url_of, **scenes.SETTINGS, SQLALCHEMY_ENGINE_OPTIONS=options)
    yield hosts
    hosts.close()


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(database: str, hosts: Hosts) -> Iterator[Flask]:
    with hosts.of(database) as app:
        with app.app_context():
            HostBase.metadata.drop_all(current_engine())
            HostBase.metadata.create_all(current_engine())
        yield app


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The host's session, with the components `api` and `web` committed."""
    with app.app_context():
        session = current_session()
        for name in ("API", "Web"):
            scenes.component(session, default_page(session), name)
        yield session


@pytest.fixture
def statuspage(app: Flask) -> StatusPage:
    owner = state_of(app).owner
    assert isinstance(owner, StatusPage)
    return owner


def beside(app: Flask, work: Callable[[Session], Any]) -> Any:
    """What anybody else sees and does: *work* in another connection, committed."""
    with app.app_context(), Session(current_engine(), expire_on_commit=False) as session:
        done = work(session)
        session.commit()
        return done


def all_of(app: Flask) -> list[tuple[str, S]]:
    query = select(Maintenance).order_by(Maintenance.created_at)
    return beside(app, lambda s: [(row.title, row.status) for row in s.scalars(query)])


def words_of(app: Flask) -> list[str]:
    query = select(MaintenanceUpdate.body).order_by(
        MaintenanceUpdate.created_at, MaintenanceUpdate.number
    )
    return beside(app, lambda s: list(s.scalars(query)))


def status_of(app: Flask, slug: str) -> ComponentStatus:
    query = select(Component.status).where(Component.slug == slug)
    return beside(app, lambda s: s.scalar(query))


def orders(app: Flask) -> list[int]:
    return beside(app, lambda s: sorted(s.scalars(select(Order.id))))


# The block


def test_visitors_see_it_while_the_block_runs(
    app: Flask, session: Session, statuspage: StatusPage
) -> None:
    """It is there for others at once, tells what happens, and is over after the block; nobody had to commit."""
    hook = scenes.webhook(session, default_page(session))
    client = app.test_client()
    with statuspage.maintenance("Deploy 1.4", components=["api"], body="Rolling.") as work:
        assert all_of(app) == [("Deploy 1.4", S.IN_PROGRESS)]
        assert status_of(app, "api") is ComponentStatus.UNDER_MAINTENANCE
        assert status_of(app, "web") is ComponentStatus.OPERATIONAL
        assert "Deploy 1.4" in client.get("/status/").text
        work.update("Half of it.")
        work.update("Looking at it.", "verifying")
        assert all_of(app) == [("Deploy 1.4", S.VERIFYING)]
    assert all_of(app) == [("Deploy 1.4", S.COMPLETED)]
    assert status_of(app, "api") is ComponentStatus.OPERATIONAL
    assert words_of(app)[:3] == ["Rolling.", "Half of it.", "Looking at it."]
    expected = ["maintenance.started", "maintenance.updated", "maintenance.updated"]
    expected.append("maintenance.completed")
    session.rollback()
    assert scenes.names(session, "maintenance.") == expected
    assert scenes.told(session, hook).count("maintenance.started") == 1
    actors = set(
        session.scalars(select(AuditEntry.actor).where(AuditEntry.subject == "maintenance"))
    )
    assert actors == {"host"}


def test_a_quiet_block_notifies_nobody(
    app: Flask, session: Session, statuspage: StatusPage
) -> None:
    """With ``notify=False`` no subscriber hears of its beginning or end, neither of its component."""
    scenes.webhook(session, default_page(session))
    with statuspage.maintenance("Quiet", components=["api"], notify=False):
        pass
    assert beside(app, lambda s: list(s.scalars(select(Delivery.id)))) == []
    assert len(beside(app, lambda s: list(s.scalars(select(EventRow.id))))) >= 4


class OwnError(Exception):
    pass


@ON_SQLITE
@pytest.mark.parametrize(
    ("error", "note"),
    [
        (OwnError("the password is hunter2"), EARLY),
        (StopIteration(7), EARLY),
        (RuntimeError("generator raised StopIteration"), EARLY),
        (ExceptionGroup("several", [ValueError("one")]), EARLY),
        (KeyboardInterrupt(), STOPPED),
        (SystemExit(3), STOPPED),
        (GeneratorExit(), STOPPED),
        (asyncio.CancelledError(), STOPPED),
    ],
)
def test_an_exception_ends_it_with_a_note(
    app: Flask, session: Session, statuspage: StatusPage, error: BaseException, note: str
) -> None:
    """Whatever is raised inside goes on unchanged; the note says nothing of it to visitors."""
    with pytest.raises(type(error)) as caught, statuspage.maintenance("Deploy", components=["api"]):
        raise error
    assert caught.value is error
    assert caught.value.__context__ is None
    assert all_of(app) == [("Deploy", S.COMPLETED)]
    assert words_of(app) == ["", note]
    assert status_of(app, "api") is ComponentStatus.OPERATIONAL


def test_the_hosts_session_is_left_alone(
    app: Flask, session: Session, statuspage: StatusPage
) -> None:
    """What waits in the host's session is neither flushed nor committed nor rolled back by entering and leaving."""
    order = Order(id=1)
    session.add(order)
    with statuspage.maintenance("Deploy", components=["api"]):
        assert order in session.new
        assert orders(app) == []
    assert order in session.new
    assert all_of(app) == [("Deploy", S.COMPLETED)]
    session.commit()
    assert orders(app) == [1]


def test_a_rollback_of_the_host_inside(
    app: Flask, session: Session, statuspage: StatusPage
) -> None:
    """The host may commit and roll back inside as it likes: the maintenance neither goes nor comes with that."""
    with statuspage.maintenance("Deploy", components=["api"]):
        session.add(Order(id=1))
        session.commit()
        session.add(Order(id=2))
        session.flush()
        session.rollback()
        assert all_of(app) == [("Deploy", S.IN_PROGRESS)]
    assert all_of(app) == [("Deploy", S.COMPLETED)]
    assert orders(app) == [1]


@pytest.mark.parametrize("ending", ["commit", "rollback", "close", "error"])
def test_leaving_with_an_open_transaction(
    app: Flask, session: Session, statuspage: StatusPage, ending: str
) -> None:
    """Writes of the host's own hold up nothing on servers; on SQLite the end waits for the end of its transaction."""
    with suppress(OwnError), statuspage.maintenance("Deploy", components=["api"]):
        session.add(Order(id=1))
        session.flush()
        if ending == "error":
            raise OwnError
    waits = current_engine().dialect.name == "sqlite"
    assert all_of(app) == [("Deploy", S.IN_PROGRESS if waits else S.COMPLETED)]
    assert orders(app) == []
    getattr(session, "rollback" if ending == "error" else ending)()
    assert all_of(app) == [("Deploy", S.COMPLETED)]
    assert orders(app) == ([1] if ending == "commit" else [])
    assert words_of(app)[-1] == (EARLY if ending == "error" else "The maintenance is complete.")


def test_leaving_with_changes_of_ours_in_the_session(
    app: Flask, session: Session, statuspage: StatusPage
) -> None:
    """They hold the page, so the end follows their commit, also from within a savepoint, and waits for no lock."""
    began = time.monotonic()
    with statuspage.maintenance("Deploy", components=["api"]), session.begin_nested():
        statuspage.set_status("web", "degraded_performance")
    assert all_of(app) == [("Deploy", S.IN_PROGRESS)]
    session.commit()
    assert time.monotonic() - began < 10
    assert all_of(app) == [("Deploy", S.COMPLETED)]
    assert status_of(app, "web") is ComponentStatus.DEGRADED_PERFORMANCE


def test_entering_with_changes_of_ours_in_the_session(
    app: Flask, session: Session, statuspage: StatusPage
) -> None:
    """It would wait for itself, so it is refused at once with what to do; the changes stay, the block does not run."""
    began = time.monotonic()
    statuspage.set_status("web", "degraded_performance")
    with (
        pytest.raises(Conflict, match="not committed"),
        statuspage.maintenance("Deploy", components=["api"]),
    ):
        pytest.fail("the block ran")
    assert time.monotonic() - began < 5
    session.commit()
    assert status_of(app, "web") is ComponentStatus.DEGRADED_PERFORMANCE
    with statuspage.maintenance("Deploy", components=["api"]):
        pass
    assert all_of(app) == [("Deploy", S.COMPLETED)]


@ON_SQLITE
def test_entering_with_writes_on_sqlite(
    app: Flask, session: Session, statuspage: StatusPage
) -> None:
    """SQLite has one writer: entering while the host's session is it says so instead of "database is locked"."""
    began = time.monotonic()
    session.add(Order(id=1))
    session.flush()
    with pytest.raises(Conflict, match=r"db\.session\.commit\(\)"):
        statuspage.maintenance("Deploy", components=["api"]).__enter__()
    assert time.monotonic() - began < 5
    session.commit()
    assert orders(app) == [1]
    assert all_of(app) == []


@SERVERS
def test_entering_with_writes_on_a_server(
    app: Flask, session: Session, statuspage: StatusPage
) -> None:
    """PostgreSQL and MariaDB have many writers: the host's open transaction is no hindrance."""
    session.add(Order(id=1))
    session.flush()
    with statuspage.maintenance("Deploy", components=["api"]):
        assert all_of(app) == [("Deploy", S.IN_PROGRESS)]
    session.rollback()
    assert all_of(app) == [("Deploy", S.COMPLETED)]
    assert orders(app) == []


@contextmanager
def impatient(app: Flask) -> Iterator[None]:
    """A wait for a lock fails after two seconds, so that one for ever is seen."""
    engine = current_engine()
    settings = {
        "postgresql": "SET lock_timeout = '2s'",
        "mysql": "SET innodb_lock_wait_timeout = 2",
    }
    settings["mariadb"] = settings["mysql"]

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(settings[engine.dialect.name])

    event.listen(engine, "begin", on_begin)
    try:
        yield
    finally:
        event.remove(engine, "begin", on_begin)
        engine.dispose()


def hold_by_nothing(statuspage: StatusPage, session: Session) -> None:
    """A wait for the page's row and nothing else: a change that is refused, which the host catches."""
    incident = statuspage.open_incident("Slow", components=["web"])
    incident.resolve()
    session.commit()
    with suppress(Conflict):
        incident.resolve()
    assert session.in_transaction()


def hold_in_a_savepoint(statuspage: StatusPage, session: Session) -> None:
    """MariaDB keeps the lock of a savepoint that is rolled back."""
    incident = statuspage.open_incident("Slow", components=["web"])
    incident.resolve()
    session.commit()
    with suppress(Conflict), session.begin_nested():
        incident.resolve()
    assert session.in_transaction()


HOLDERS = pytest.mark.parametrize("hold", [hold_by_nothing, hold_in_a_savepoint])
Hold = Callable[[StatusPage, Session], None]


@SERVERS
@HOLDERS
def test_entering_while_the_session_holds_the_page(
    app: Flask, session: Session, statuspage: StatusPage, hold: Hold
) -> None:
    """A change that changed nothing locks the page all the same: the block is refused at once and does not wait."""
    with impatient(app):
        hold(statuspage, session)
        with (
            pytest.raises(Conflict, match="not committed"),
            statuspage.maintenance("Deploy", components=["api"]),
        ):
            pytest.fail("the block ran")
        session.rollback()
        with statuspage.maintenance("Deploy", components=["api"]):
            pass
    assert all_of(app) == [("Deploy", S.COMPLETED)]


@SERVERS
@HOLDERS
def test_leaving_while_the_session_holds_the_page(
    app: Flask, session: Session, statuspage: StatusPage, hold: Hold
) -> None:
    """The end waits for the host's transaction, and that one for nothing."""
    with impatient(app):
        with statuspage.maintenance("Deploy", components=["api"]):
            hold(statuspage, session)
        assert all_of(app) == [("Deploy", S.IN_PROGRESS)]
        session.rollback()
    assert all_of(app) == [("Deploy", S.COMPLETED)]


def test_a_failed_flush_inside(app: Flask, session: Session, statuspage: StatusPage) -> None:
    """The host's session is broken until its rollback; that keeps the maintenance from nothing."""
    session.add(Order(id=1))
    session.commit()
    session.expunge_all()
    session.add(Order(id=1))
    with pytest.raises(IntegrityError), statuspage.maintenance("Deploy", components=["api"]):
        session.flush()
    assert not session.is_active
    assert all_of(app) == [("Deploy", S.COMPLETED)]
    session.rollback()
    assert orders(app) == [1]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"components": ["nowhere"]}, "components"),
        ({"title": "two\nlines"}, "title"),
        ({"title": ""}, "title"),
        ({"expected": timedelta(days=400)}, "scheduled_end"),
        ({"body": "x" * 20_000}, "body"),
    ],
)
@ON_SQLITE
def test_a_failed_start(
    app: Flask, session: Session, statuspage: StatusPage, options: dict[str, Any], field: str
) -> None:
    """What cannot begin raises before the block runs, names the field and leaves nothing."""
    with pytest.raises(Invalid) as caught, statuspage.maintenance(**{"title": "Deploy", **options}):
        pytest.fail("the block ran")
    assert [error.field for error in caught.value.errors] == [field]
    assert all_of(app) == []
    with pytest.raises(NotFound):
        statuspage.maintenance("Deploy", page="elsewhere").__enter__()


@pytest.mark.parametrize("expected", [60, timedelta(0), timedelta(hours=-1), None])
def test_an_expectation_is_a_timedelta(expected: Any) -> None:
    """A bare number could be seconds or minutes; it is refused where it is written, as is no time at all."""
    with pytest.raises(Invalid, match="expected"):
        StatusPage().maintenance("Deploy", expected=expected)


@pytest.mark.parametrize("components", ["api", {"api": "major_outage"}])
def test_components_are_slugs(components: Any) -> None:
    """One text would be taken letter by letter; statuses are none of a maintenance."""
    with pytest.raises(Invalid, match="components"):
        StatusPage().maintenance("Deploy", components=components)


def test_blocks_inside_blocks(app: Flask, session: Session, statuspage: StatusPage) -> None:
    """A component has one window at a time: the inner block is refused and ends the outer one; another may begin."""
    with statuspage.maintenance("Outer", components=["api"]):
        with statuspage.maintenance("Inner", components=["web"]):
            assert all_of(app) == [("Outer", S.IN_PROGRESS), ("Inner", S.IN_PROGRESS)]
        assert all_of(app) == [("Outer", S.IN_PROGRESS), ("Inner", S.COMPLETED)]
        with pytest.raises(Invalid, match="Overlaps 'Outer' on the same component"):
            statuspage.maintenance("Again", components=["api", "web"]).__enter__()
    assert all_of(app) == [("Outer", S.COMPLETED), ("Inner", S.COMPLETED)]


def _complete(session: Session, page: Page, row: Maintenance) -> None:
    maintenances.complete(session, page, row.id, body="Done by hand.")


def _cancel(session: Session, page: Page, row: Maintenance) -> None:
    maintenances.cancel(session, page, row.id)


def _remove(session: Session, page: Page, row: Maintenance) -> None:
    maintenances.remove(session, page, row.id)


def _move_time(session: Session, page: Page, row: Maintenance) -> None:
    """Let two hours pass."""
    for name in ("scheduled_start", "scheduled_end", "next_at"):
        setattr(row, name, getattr(row, name) - timedelta(hours=2))


@pytest.mark.parametrize(
    ("meanwhile", "left"),
    [
        (_complete, [S.COMPLETED]),
        (_cancel, [S.CANCELLED]),
        (_remove, []),
        (_move_time, [S.COMPLETED]),
    ],
)
def test_over_before_the_block_is(
    app: Flask,
    session: Session,
    statuspage: StatusPage,
    meanwhile: Callable[[Session, Page, Maintenance], None],
    left: list[S],
) -> None:
    """Leaving is no error when somebody, or the clock, ended, cancelled or deleted it; and changes nothing then."""

    def work(other: Session) -> None:
        row = stored.get(other, ident)
        assert row is not None
        meanwhile(other, default_page(other), row)

    with statuspage.maintenance("Deploy", components=["api"]) as block:
        ident = block.id
        beside(app, work)
        tasks.run("timetable")
        before = words_of(app)
    assert [status for _, status in all_of(app)] == left
    assert words_of(app) == before
    assert status_of(app, "api") is ComponentStatus.OPERATIONAL


def test_the_end_can_be_moved(app: Flask, session: Session, statuspage: StatusPage) -> None:
    """Work that takes longer says so, and the clock leaves it alone."""
    with statuspage.maintenance("Deploy", components=["api"], expected=HOUR) as work:
        work.extend(timedelta(hours=2))
        row = beside(app, lambda s: s.get_one(Maintenance, work.id))
        assert row.scheduled_end - row.scheduled_start == 3 * HOUR
        assert row.next_at == row.scheduled_end


@ON_SQLITE
@pytest.mark.parametrize("error", [None, OwnError("the first one")])
def test_an_end_that_fails(
    app: Flask,
    session: Session,
    statuspage: StatusPage,
    caplog: pytest.LogCaptureFixture,
    error: Exception | None,
) -> None:
    """What was raised inside survives, and the second failure is logged; without a first one it is raised."""

    def broken() -> None:
        with statuspage.maintenance("Deploy", components=["api"]):
            with current_engine().begin() as connection:
                connection.execute(text("ALTER TABLE statuspage_maintenance_update RENAME TO gone"))
            if error is not None:
                raise error

    try:
        with pytest.raises(type(error) if error else OperationalError) as caught:
            broken()
    finally:
        with current_engine().begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO statuspage_maintenance_update"))
    if error is not None:
        assert caught.value is error
        assert "could not be completed; the clock does" in caplog.text
    assert all_of(app) == [("Deploy", S.IN_PROGRESS)]


def _stop_inside(owner: Any, server: Any) -> None:
    with owner.maintenance("Deploy", components=["api"]):
        server.stop()
        raise OwnError


def test_a_database_that_dies_inside(
    postgresql_server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The host's error survives the death of the database; the clock ends the maintenance once it is back."""
    with apps.running(postgresql_server.create_database()) as app, app.app_context():
        scenes.component(current_session(), default_page(current_session()))
        owner: Any = state_of(app).owner
        try:
            with pytest.raises(OwnError):
                _stop_inside(owner, postgresql_server)
        finally:
            postgresql_server.start()
        assert "could not be completed; the clock does" in caplog.text
        current_engine().dispose()
        assert all_of(app) == [("Deploy", S.IN_PROGRESS)]
        beside(app, lambda s: _move_time(s, default_page(s), s.scalars(select(Maintenance)).one()))
        tasks.run("timetable")
        assert all_of(app) == [("Deploy", S.COMPLETED)]


CHILD = """
import sys, time
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_statuspage import statuspage

app = Flask("host")
app.config["SQLALCHEMY_DATABASE_URI"] = sys.argv[1]
SQLAlchemy(app)
app.register_blueprint(statuspage, url_prefix="/status")
with app.app_context(), statuspage.maintenance("Deploy", components=["api"]):
    print("inside", flush=True)
    time.sleep(60)
"""


def test_a_killed_process_leaves_none_behind(app: Flask, session: Session, database: str) -> None:
    """After SIGKILL inside the block the clock ends the maintenance at its planned end, and no sooner."""
    session.rollback()
    url = current_engine().url.render_as_string(hide_password=False)
    child = nursery.Popen(
        ["-c", CHILD, url],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "inside\n"
        finally:
            child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    tasks.run("timetable")
    assert all_of(app) == [("Deploy", S.IN_PROGRESS)]
    assert status_of(app, "api") is ComponentStatus.UNDER_MAINTENANCE
    beside(app, lambda s: _move_time(s, default_page(s), s.scalars(select(Maintenance)).one()))
    tasks.run("timetable")
    assert all_of(app) == [("Deploy", S.COMPLETED)]
    assert status_of(app, "api") is ComponentStatus.OPERATIONAL


@SERVERS
def test_blocks_at_once(app: Flask, session: Session, statuspage: StatusPage) -> None:
    """Several processes enter and leave at the same time: each has its maintenance, no lock stops one for good."""
    session.rollback()
    failed: list[BaseException] = []
    barrier = threading.Barrier(6)

    def one(number: int) -> None:
        barrier.wait()
        try:
            with app.app_context():
                for turn in range(3):
                    with statuspage.maintenance(f"Deploy {number}.{turn}"):
                        pass
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert [status for _, status in all_of(app)] == [S.COMPLETED] * 18


# As a decorator, in generators, requests and commands


@ON_SQLITE
def test_as_a_decorator(app: Flask, session: Session, statuspage: StatusPage) -> None:
    """Each call of a decorated function is a maintenance of its own; what it returns and raises goes through."""

    @statuspage.maintenance("Reindex", components=["api"])
    def reindex(number: int, *, fail: bool = False) -> int:
        """Rebuild."""
        assert all_of(app)[-1] == ("Reindex", S.IN_PROGRESS)
        if fail:
            raise OwnError
        return number * 2

    assert (reindex.__name__, reindex.__doc__) == ("reindex", "Rebuild.")
    assert all_of(app) == []
    assert reindex(2) == 4
    with pytest.raises(OwnError):
        reindex(1, fail=True)
    assert all_of(app) == [("Reindex", S.COMPLETED)] * 2
    assert words_of(app)[-1] == EARLY


def in_threads(*works: Callable[[], object]) -> None:
    failed: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []


@ON_SQLITE
@pytest.mark.parametrize("use", ["decorator", "with"])
def test_two_threads_share_a_block(
    app: Flask, session: Session, statuspage: StatusPage, use: str
) -> None:
    """Whoever leaves first ends their own maintenance, not the one that was begun last."""
    session.rollback()
    block = statuspage.maintenance("Deploy")
    second_entered, first_left = threading.Event(), threading.Event()
    first_entered = threading.Event()
    query = select(Maintenance.status).order_by(Maintenance.created_at)
    seen: list[Any] = []

    def first_work() -> None:
        first_entered.set()
        assert second_entered.wait(20)

    def second_work() -> None:
        second_entered.set()
        assert first_left.wait(20)
        seen.extend(beside(app, lambda s: list(s.scalars(query))))

    def within(work: Callable[[], None]) -> None:
        with app.app_context():
            if use == "decorator":
                block(work)()
            else:
                with block:
                    work()

    def first() -> None:
        within(first_work)
        first_left.set()

    def second() -> None:
        assert first_entered.wait(20)
        within(second_work)

    in_threads(first, second)
    assert seen == [S.COMPLETED, S.IN_PROGRESS]
    assert all_of(app) == [("Deploy", S.COMPLETED)] * 2


def test_a_decorator_refuses_what_returns_early() -> None:
    """A coroutine or generator function returns before its work has begun: the maintenance would be over by then."""
    block = StatusPage().maintenance("Deploy")

    async def coroutine() -> None: ...

    def generator() -> Iterator[int]:
        yield 1

    async def both() -> Any:
        yield 1

    functions: list[Callable[[], Any]] = [coroutine, generator, both]
    for function in functions:
        with pytest.raises(TypeError, match="use 'with' inside"):
            block(function)


@ON_SQLITE
def test_in_an_async_function(app: Flask, session: Session, statuspage: StatusPage) -> None:
    """``with`` works inside a coroutine, also one that is cancelled."""

    async def deploy() -> None:
        with statuspage.maintenance("Deploy", components=["api"]):
            await asyncio.sleep(30)

    async def main() -> None:
        task = asyncio.create_task(deploy())
        await asyncio.sleep(0.2)
        assert all_of(app) == [("Deploy", S.IN_PROGRESS)]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert all_of(app) == [("Deploy", S.COMPLETED)]
    assert words_of(app)[-1] == STOPPED


@ON_SQLITE
@pytest.mark.parametrize("context", [True, False])
def test_a_generator_that_is_closed(app: Flask, statuspage: StatusPage, context: bool) -> None:
    """Closing a generator ends the maintenance inside it, also when the app context it began in is gone."""
    with app.app_context():
        scenes.component(current_session(), default_page(current_session()))

    def steps() -> Iterator[int]:
        with statuspage.maintenance("Deploy", components=["api"]):
            yield 1
            pytest.fail("it went on")

    running = steps()
    with app.app_context():
        assert next(running) == 1
        assert all_of(app) == [("Deploy", S.IN_PROGRESS)]
        if context:
            running.close()
    running.close()
    assert all_of(app) == [("Deploy", S.COMPLETED)]
    assert words_of(app)[-1] == STOPPED


def host_with_views(url: str) -> Flask:
    app = apps.make_app(url)
    owner: Any = state_of(app).owner

    @app.post("/deploy/<result>")
    def deploy(result: str) -> str:
        session = current_session()
        with owner.maintenance("Deploy", components=["api"]):
            session.add(Order(id=1))
            session.flush()
            if result == "abort":
                abort(418)
            if result == "error":
                raise OwnError
            session.commit()
        return "deployed"

    @app.cli.command("deploy")
    def command() -> None:
        with owner.maintenance("From the shell", components=["api"]):
            print(all_of(app))

    with app.app_context():
        HostBase.metadata.create_all(current_engine())
        scenes.component(current_session(), default_page(current_session()))
    return app


def test_in_a_request_and_a_command(database_url: str) -> None:
    """In a view and in a command of the host; the end of a request that failed ends the maintenance as well."""
    app = host_with_views(database_url)
    try:
        client = app.test_client()
        assert client.post("/deploy/abort").status_code == 418
        assert client.post("/deploy/error").status_code == 500
        assert orders(app) == []
        assert client.post("/deploy/fine").text == "deployed"
        assert orders(app) == [1]
        assert all_of(app) == [("Deploy", S.COMPLETED)] * 3
        assert [word for word in words_of(app) if word] == [
            EARLY,
            EARLY,
            "The maintenance is complete.",
        ]
        result = app.test_cli_runner().invoke(args=["deploy"])
        assert "('From the shell', <MaintenanceStatus.IN_PROGRESS" in result.output
        assert all_of(app)[-1] == ("From the shell", S.COMPLETED)
    finally:
        apps.close(app)


def test_sqlite_in_memory() -> None:
    """One connection for all: a block works, and never commits or discards what the host has not committed."""
    with apps.running("sqlite://", SQLALCHEMY_ENGINE_OPTIONS={}) as app, app.app_context():
        session = current_session()
        owner: Any = state_of(app).owner
        HostBase.metadata.create_all(current_engine())
        scenes.component(session, default_page(session))
        session.add(Order(id=1))
        with owner.maintenance("First", components=["api"]):
            assert session.scalar(select(Maintenance.status)) is S.IN_PROGRESS
            session.rollback()
            session.add(Order(id=2))
            session.flush()
        assert session.scalar(select(Maintenance.status)) is S.IN_PROGRESS
        session.rollback()
        assert session.scalar(select(Maintenance.status)) is S.COMPLETED
        session.add(Order(id=3))
        session.flush()
        with pytest.raises(Conflict, match="not committed"):
            owner.maintenance("Second", components=["api"]).__enter__()
        session.commit()
        assert list(session.scalars(select(Order.id))) == [3]
        assert list(session.scalars(select(Maintenance.title))) == ["First"]


# Planned in the host's transaction


def at(hours: float) -> datetime:
    return utc_now() + timedelta(hours=hours)


def test_a_plan_is_part_of_the_hosts_transaction(
    app: Flask, session: Session, statuspage: StatusPage
) -> None:
    """Nothing happens unless the host commits; then it is announced once, by the host."""
    with scenes.listening(app) as heard:
        statuspage.schedule_maintenance("Disks", at(1), at(2), components=["api"])
        session.rollback()
        assert all_of(app) == []
        assert heard == []
        plan = statuspage.schedule_maintenance(
            "Disks", at(1), at(2), components=["api"], body="New ones.", remind_before=[30]
        )
        assert all_of(app) == []
        session.commit()
    assert all_of(app) == [("Disks", S.SCHEDULED)]
    assert [event.name for event in heard] == ["maintenance.scheduled"]
    row = session.get_one(Maintenance, plan.id)
    assert (row.remind_before, row.auto_start, row.auto_complete) == ([30], True, True)


def test_the_life_of_a_plan(app: Flask, session: Session, statuspage: StatusPage) -> None:
    """Moved, begun, told of and completed by its handle, each with the host's commit and not before."""
    plan = statuspage.schedule_maintenance("Disks", at(1), at(2), components=["api"])
    session.commit()
    end = at(5).replace(microsecond=0)
    plan.move(end=end)
    session.rollback()
    assert session.get_one(Maintenance, plan.id).scheduled_end < at(3)
    plan.move(start=at(3), end=end)
    session.commit()
    assert session.get_one(Maintenance, plan.id).scheduled_end == end
    plan.start("Here we go.")
    assert status_of(app, "api") is ComponentStatus.OPERATIONAL
    session.commit()
    assert status_of(app, "api") is ComponentStatus.UNDER_MAINTENANCE
    plan.extend(HOUR).update("Going on.").update("Trying it.", "verifying")
    session.commit()
    assert session.get_one(Maintenance, plan.id).scheduled_end == end + HOUR
    plan.complete("Done.")
    session.commit()
    assert all_of(app) == [("Disks", S.COMPLETED)]
    expected = ["scheduled", "updated", "started", "updated", "updated", "updated", "completed"]
    assert scenes.names(session, "maintenance.") == [f"maintenance.{name}" for name in expected]
    with pytest.raises(Conflict):
        plan.start()
    session.rollback()
    with pytest.raises(Invalid, match="status"):
        plan.update("x", "nonsense")


def test_a_plan_is_cancelled(app: Flask, session: Session, statuspage: StatusPage) -> None:
    plan = statuspage.schedule_maintenance("Disks", at(1), at(2))
    session.commit()
    plan.cancel("Not today.")
    session.commit()
    assert all_of(app) == [("Disks", S.CANCELLED)]


@ON_SQLITE
def test_a_wrong_plan(app: Flask, session: Session, statuspage: StatusPage) -> None:
    """The services' own errors, naming the field; nothing is left in the session."""
    naive = datetime.now(UTC).replace(tzinfo=None)
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("scheduled_start", {"start": naive}),
        ("scheduled_end", {"end": at(-1), "start": at(-2)}),
        ("scheduled_end", {"end": at(1), "start": at(2)}),
        ("components", {"components": ["nowhere"]}),
        ("components", {"components": "api"}),
        ("exceptions", {"exceptions": ["2036-01-01"]}),
        ("remind_before", {"remind_before": [0]}),
    ]
    for field, options in wrong:
        with pytest.raises(Invalid) as caught:
            statuspage.schedule_maintenance(
                **{"title": "D", "start": at(1), "end": at(2), **options}
            )
        assert [error.field for error in caught.value.errors] == [field]
    session.commit()
    assert all_of(app) == []
