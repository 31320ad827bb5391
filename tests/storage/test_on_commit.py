"""Callbacks after the outermost commit."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from flask import Flask, current_app, g
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_statuspage.storage.on_commit import (
    before_commit,
    closing,
    holds_ours,
    note_lock,
    on_commit,
)
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_session, release_session


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def tell(session: Session, told: list[str]) -> Callable[..., None]:
    """Register a callback that notes a word, in a transaction that writes something."""

    def register(word: str, **options: object) -> None:
        write(session)
        on_commit(session, lambda: told.append(word), **options)

    return register


def write(session: Session, name: str = "x") -> None:
    # A write first: sqlite3 begins its transaction with it, and savepoints then lie inside.
    session.execute(update(Page).values(name=name))


def test_it_runs_after_the_commit_and_not_before(session: Session, told: list[str], tell) -> None:
    """Neither registration nor a flush runs a callback; the commit does, once."""
    tell("a")
    session.flush()
    assert told == []
    session.commit()
    assert told == ["a"]
    write(session)
    session.commit()
    assert told == ["a"]


def test_it_runs_without_a_transaction_begun_before(session: Session, told: list[str]) -> None:
    """A callback may be the first thing that a session is asked for."""
    on_commit(session, lambda: told.append("a"))
    session.commit()
    assert told == ["a"]


def test_a_rollback_forgets_it(session: Session, told: list[str], tell) -> None:
    """What was registered in a transaction that was rolled back never runs."""
    tell("a")
    session.rollback()
    tell("b")
    session.commit()
    assert told == ["b"]


def test_a_commit_that_fails_forgets_it(session: Session, told: list[str], tell) -> None:
    """When the database refuses the flush of a commit, nothing is durable and nothing runs."""
    tell("a")
    session.add(Page(slug="main"))  # taken by the default page
    with pytest.raises(IntegrityError):
        session.commit()
    session.rollback()
    session.commit()
    assert told == []


def test_a_released_savepoint_is_not_a_commit(session: Session, told: list[str], tell) -> None:
    """A callback of a savepoint waits for the outermost commit."""
    with session.begin_nested():
        tell("a")
    assert told == []
    session.commit()
    assert told == ["a"]


def test_a_savepoint_rolled_back_forgets_only_its_own(
    session: Session, told: list[str], tell
) -> None:
    """What was registered outside the savepoint stays; what was registered inside is gone."""
    tell("before")
    savepoint = session.begin_nested()
    tell("inside")
    savepoint.rollback()
    tell("after")
    session.commit()
    assert told == ["before", "after"]


def test_a_rollback_after_a_released_savepoint_forgets_all(
    session: Session, told: list[str], tell
) -> None:
    """A released savepoint goes down with the transaction around it."""
    with session.begin_nested():
        tell("inside")
    tell("outside")
    session.rollback()
    session.commit()
    assert told == []


def test_savepoints_within_savepoints(session: Session, told: list[str], tell) -> None:
    """A callback climbs one level with each release, and falls with the first that rolls back."""
    write(session)
    with session.begin_nested():
        tell("one")
        with session.begin_nested():
            tell("two")
        savepoint = session.begin_nested()
        with session.begin_nested():
            tell("three")
        savepoint.rollback()
        with session.begin_nested():
            tell("four")
    assert told == []
    session.commit()
    assert told == ["one", "two", "four"]


def test_an_exception_in_a_savepoint(session: Session, told: list[str], tell) -> None:
    """A block that raises takes its callbacks with it, and the rest of the transaction goes on."""
    write(session)

    def fail() -> None:
        with session.begin_nested():
            tell("inside")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    tell("outside")
    session.commit()
    assert told == ["outside"]


def test_commit_with_an_open_savepoint(session: Session, told: list[str], tell) -> None:
    """A commit of the session commits its open savepoints too, and their callbacks run."""
    tell("outside")
    session.begin_nested()
    tell("inside")
    session.commit()
    assert told == ["outside", "inside"]


def test_a_begin_block_commits_at_its_end(session: Session, told: list[str], tell) -> None:
    """`with session.begin()` is an outermost commit like any other, and rolls back on an error."""
    session.rollback()
    with session.begin():
        tell("a")
        assert told == []
    assert told == ["a"]

    def fail() -> None:
        with session.begin():
            tell("b")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert told == ["a"]


def test_they_run_in_the_order_of_registration(session: Session, told: list[str], tell) -> None:
    """Order is kept, across savepoints too."""
    tell("1")
    with session.begin_nested():
        tell("2")
    tell("3")
    session.commit()
    assert told == ["1", "2", "3"]


def test_of_one_key_the_first_runs_once(session: Session, told: list[str], tell) -> None:
    """A key makes a callback single within a transaction, across savepoints, and free in the next."""
    tell("a", key="wake")
    tell("b", key="wake")
    with session.begin_nested():
        tell("c", key="wake")
        tell("d", key="other")
    session.commit()
    assert told == ["a", "d"]
    tell("e", key="wake")
    session.commit()
    assert told == ["a", "d", "e"]


def test_a_key_of_a_savepoint_rolled_back_is_free_again(
    session: Session, told: list[str], tell
) -> None:
    """A callback that was forgotten does not stand in the way of a later one with its key."""
    write(session)
    savepoint = session.begin_nested()
    tell("a", key="wake")
    savepoint.rollback()
    tell("b", key="wake")
    session.commit()
    assert told == ["b"]


def test_one_that_raises_disturbs_nobody(
    session: Session, told: list[str], tell, caplog: pytest.LogCaptureFixture
) -> None:
    """The host's commit succeeds, the change is there, and the callbacks behind it run."""
    write(session, "changed")

    def explode() -> None:
        raise RuntimeError("a receiver broke")

    on_commit(session, explode)
    tell("after")
    write(session, "changed")
    with caplog.at_level(logging.ERROR):
        session.commit()
    assert told == ["after"]
    assert "a receiver broke" in caplog.text
    assert session.scalars(select(Page.name)).one() == "changed"


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt])
def test_what_ends_the_process_waits_for_the_others(
    session: Session, told: list[str], tell, ending: type[BaseException]
) -> None:
    """The change is there and all callbacks run, then the commit passes it on; the session is as good as ever."""

    def end() -> None:
        raise ending

    on_commit(session, end)
    tell("after")
    write(session, "changed")
    with pytest.raises(ending):
        session.commit()
    assert told == ["after"]
    assert session.scalars(select(Page.name)).one() == "changed"
    tell("next")
    session.commit()
    assert told == ["after", "next"]


def test_each_runs_in_a_fresh_app_context_and_may_commit(app: Flask, session: Session) -> None:
    """A callback has its own session, sees the change, and may commit, with callbacks of its own."""
    seen = []

    def work() -> None:
        own = current_session()
        seen.append((own is session, own.scalars(select(Page.name)).one(), "mark" in g))
        write(own, "second")
        on_commit(own, lambda: seen.append("inner"))
        own.commit()

    g.mark = True
    write(session, "first")
    on_commit(session, work)
    session.commit()
    assert seen == [(False, "first", False), "inner"]
    assert current_app == app
    assert session.scalars(select(Page.name)).one() == "second"


def test_a_session_of_its_own_is_left_alone(session: Session, told: list[str], tell) -> None:
    """The commit of another session runs nothing of this one."""
    tell("a")
    session.commit()
    told.clear()
    on_commit(session, lambda: told.append("mine"))
    with Session(session.get_bind()) as other, other.begin():
        other.scalars(select(Page)).all()
    assert told == []
    session.rollback()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_end_of_a_context_without_a_commit_forgets_it(app: Flask) -> None:
    """A request that ends without a commit has told nobody, now or at a later commit."""
    told: list[str] = []
    with app.app_context():
        write(current_session())
        on_commit(current_session(), lambda: told.append("lost"))
    with app.app_context():
        write(current_session())
        current_session().commit()
        on_commit(current_session(), lambda: told.append("closed"))
        release_session()
        current_session().commit()
    assert told == []


def test_many_transactions_of_one_session(session: Session, told: list[str], tell) -> None:
    """Listeners are attached once, however many transactions a session has."""
    for number in range(5):
        tell(str(number))
        session.commit()
    assert told == list("01234")


def test_a_lock_is_noted_in_the_host_s_scoped_session(app: Flask) -> None:
    """Host code may hand over ``db.session`` itself, which is no Session but leads to one."""
    scoped = app.extensions["sqlalchemy"].session
    with app.app_context():
        scoped.execute(text("SELECT 1"))
        note_lock(scoped)
        assert holds_ours(scoped())
        scoped.rollback()
        assert not holds_ours(scoped())


def rename(session: Session) -> None:
    write(session, "closed")


def name_now(session: Session) -> str | None:
    return session.execute(select(Page.name)).scalar_one()


def test_what_is_written_before_the_commit_is_part_of_it(session: Session) -> None:
    """The callback writes in the transaction, once, and only when the outermost one ends."""
    write(session)
    with session.begin_nested():
        write(session, "inner")
        before_commit(session, rename, key="one")
        assert closing(session, "one") is rename
    assert (name_now(session), closing(session, "one")) == ("inner", rename)
    session.commit()
    assert (name_now(session), closing(session, "one")) == ("closed", None)
    write(session)
    session.commit()
    assert name_now(session) == "x"


def test_a_savepoint_takes_its_own_with_it(session: Session) -> None:
    """What was registered in a savepoint that is rolled back does not run; what is around it does."""
    calls: list[str] = []
    write(session)
    before_commit(session, lambda _: calls.append("outer"), key="outer")
    savepoint = session.begin_nested()
    before_commit(session, lambda _: calls.append("inner"), key="inner")
    assert closing(session, "outer") is not None  # seen from inside
    savepoint.rollback()
    assert closing(session, "inner") is None
    session.commit()
    assert calls == ["outer"]


def test_a_rollback_forgets_what_was_to_be_written(session: Session) -> None:
    """Nothing runs, then or at the next commit of the session."""
    calls: list[str] = []
    write(session)
    before_commit(session, lambda _: calls.append("a"), key="a")
    session.rollback()
    write(session)
    session.commit()
    assert calls == []


def test_what_is_registered_meanwhile_runs_too(app: Flask, session: Session) -> None:
    """A callback may register others, for before the commit and for after it; each key runs once, in an app context."""
    calls: list[str] = []

    def first(own: Session) -> None:
        assert own is session
        calls.append(current_app.name)
        before_commit(own, lambda _: calls.append("second"), key="second")
        on_commit(own, lambda: calls.append("after"))

    write(session)
    before_commit(session, first, key="first")
    before_commit(session, lambda _: calls.append("never"), key="first")
    session.commit()
    assert calls == [app.name, "second", "after"]


def test_what_fails_before_the_commit_fails_it(session: Session, told: list[str], tell) -> None:
    """As if the change itself had failed: nothing is written, and what waits for the commit does not run."""

    def explode(own: Session) -> None:
        raise RuntimeError("no")

    tell("after")
    write(session, "lost")
    before_commit(session, explode, key="a")
    with pytest.raises(RuntimeError, match="no"):
        session.commit()
    session.rollback()
    assert (name_now(session) != "lost", told) == (True, [])
