"""The database was restarted: the pooled connections are dead, and nobody has noticed yet."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.jobs import checking
from flask_statuspage.services import monitors
from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_engine, release_session

from . import scenes
from .scenes import result

pytestmark = pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)

OTHERS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND db = database()",
}
END = {"postgresql": "SELECT pg_terminate_backend({})", "mariadb": "KILL {}"}


def cut(database: str) -> int:
    """Have the server end all connections of the pool, as a restart does; returns how many."""
    side = create_engine(current_engine().url)
    with side.connect() as connection:
        ids = connection.scalars(text(OTHERS[database])).all()
        for ident in ids:
            connection.execute(text(END[database].format(ident)))
    side.dispose()
    return len(ids)


def open_some(how_many: int) -> None:
    """Let so many connections wait in the pool."""
    release_session()
    held = [current_engine().connect() for _ in range(how_many)]
    for one in held:
        one.close()


def test_a_result_is_kept_until_it_can_be_recorded(
    app: Flask, database: str, session: Session, page: Page
) -> None:
    """A batch whose connection was cut while the target was asked is recorded by the next one."""
    watcher = scenes.monitor(session, page)
    one = result(watcher, Verdict.DOWN)
    open_some(3)
    assert cut(database) >= 3
    record = checking.Record()
    record.add([one])
    record.close()
    assert session.scalar(select(func.count(Check.at))) == 1


@pytest.fixture
def token(session: Session, page: Page) -> str:
    """Where a job reports."""
    job = monitors.create(session, page, name="Job", kind="heartbeat", interval=60)
    session.commit()
    assert job.token is not None
    return job.token


def test_a_job_is_told_to_try_again(app: Flask, database: str, token: str) -> None:
    """Its heartbeat gets 503 and a time, once, however many connections were in the pool."""
    open_some(3)
    assert cut(database) >= 3
    client = app.test_client()
    answer = client.get(f"/status/heartbeat/{token}")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5")
    assert client.get(f"/status/heartbeat/{token}").status_code == 200


def test_the_log_does_not_learn_where_a_job_reports(
    app: Flask, database: str, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The statement that failed asked for its token, which alone is the secret."""
    open_some(3)
    assert cut(database) >= 3
    app.test_client().get(f"/status/heartbeat/{token}")
    (told,) = (line for line in caplog.records if line.name.startswith("flask_statuspage"))
    assert "a heartbeat could not be kept: OperationalError: " in told.getMessage()
    assert token not in caplog.text
