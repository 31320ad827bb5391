"""What a log may have of the database's errors: what went wrong, and nothing of what a statement was about."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.races import committed
from flask_statuspage.storage.trouble import worded

from .test_due import watch

SECRET = 'it\'s a "secret"\nof two lines'


def failed(session: Session, statement: object, **values: object) -> SQLAlchemyError:
    with pytest.raises(SQLAlchemyError) as caught:
        session.execute(statement, values)  # type: ignore[call-overload]
    session.rollback()
    return caught.value


def test_a_value_that_is_there_already_is_not_told(session: Session) -> None:
    """The driver has it in its own words, as does SQLAlchemy."""
    watch(session, 2)
    error = failed(session, update(Monitor).values(token=SECRET))
    assert "two lines" in str(error)
    told = worded(error)
    assert told.startswith("IntegrityError: ")
    assert not any(word in told for word in ("it's", "secret", "two lines", "UPDATE", "\n"))


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_a_value_that_does_not_fit_is_not_told(session: Session, database: str) -> None:
    """Where the driver quotes it in the first line, nothing of the quotation is left."""
    kind = "integer" if database == "postgresql" else "datetime"
    # MariaDB reads a text as a time with a warning only, unless it is to be stored.
    session.execute(text(f"CREATE TEMPORARY TABLE odd (value {kind})"))
    put = text(f"INSERT INTO odd (value) VALUES (CAST(:value AS {kind}))")
    if database == "mariadb":
        put = text("INSERT INTO odd (value) VALUES (:value)")
    told = worded(failed(session, put, value=SECRET))
    assert "'…'" in told
    assert not any(word in told for word in ("it's", "secret", "two lines", "INSERT", "\n"))


def test_what_is_missing_is_told(session: Session) -> None:
    """A table's name is no secret, and all that helps."""
    told = worded(failed(session, text("SELECT :value FROM statuspage_nowhere"), value=SECRET))
    assert "statuspage_nowhere" in told
    assert "secret" not in told


def test_a_traceback_has_no_parameters(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever logs why their transaction failed does not log what it was about."""

    def work(session: Session) -> None:
        missing = text("SELECT 1 FROM statuspage_nowhere WHERE token = :token")
        session.execute(missing, {"token": SECRET})

    try:
        committed(session, work)
    except SQLAlchemyError:
        logging.getLogger("flask_statuspage").exception("It failed")
    assert "statuspage_nowhere" in caplog.text
    assert "two lines" not in caplog.text
    assert session.scalar(select(1)) == 1
