"""``doctor`` tells of each channel in use whether its messages set out in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from flask_statuspage.cli.doctor import CHECKS
from flask_statuspage.delivery.parcel import Outcome
from flask_statuspage.domain.ids import new_id
from flask_statuspage.services import deliveries, outcomes
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Delivery, EventRow
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_session
from tests.apps import running
from tests.services import scenes


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with running(f"sqlite:///{tmp_path / 'statuspage.db'}", **scenes.SETTINGS) as app:
        yield app


def lines(app: Flask) -> list[str]:
    """What `doctor` says of lags and deliveries."""
    done = app.test_cli_runner().invoke(args=["statuspage", "doctor"])
    assert "Traceback" not in done.output
    found = [
        line for line in done.output.splitlines() if " lag " in line[:11] or "deliveries:" in line
    ]
    failed = sum("FAIL" in line for line in done.output.splitlines())
    count = len(CHECKS) + sum(" lag " in line[:11] for line in done.output.splitlines())
    assert f"{failed} of {count} checks failed" in done.output
    return found


def happen(app: Flask, *, seconds: float, how_many: int = 1, send: bool = False) -> None:
    """Messages that are due since *seconds* ago."""
    with app.app_context():
        session = current_session()
        page = default_page(session)
        for _ in range(how_many):
            scenes.message(session, page, scenes.webhook(session, page))
        due_at = utc_now() - timedelta(seconds=seconds)
        session.execute(update(Delivery).where(Delivery.state == "pending").values(due_at=due_at))
        session.commit()
        if send:
            parcels = deliveries.claim(session, limit=100).parcels
            done = Outcome(code=200, milliseconds=5)
            outcomes.note_all(session, [(parcel, done) for parcel in parcels])
            session.commit()


def test_channels_that_nobody_uses_are_not_told_of(app: Flask) -> None:
    """Without subscriptions and deliveries there is no line."""
    assert lines(app) == ["  ok   deliveries: none is due"]


def test_what_is_in_time_is_fine(app: Flask) -> None:
    """Mean and longest of the hour, the target, and what waits."""
    with app.app_context():
        session = current_session()
        scenes.webhook(session, default_page(session))
    nothing = "  ok   lag webhook: nothing was sent in the last hour (target 120 s), nothing waits"
    assert lines(app)[1:] == [nothing]
    happen(app, seconds=30, send=True)
    happen(app, seconds=10, how_many=2)
    (line,) = lines(app)[1:]
    assert line.startswith("  ok   lag webhook: 30.")
    assert " s at most in the last hour (target 120 s), the oldest one waits 1" in line


def test_one_that_waits_too_long_is_a_fault(app: Flask) -> None:
    """Nobody sends it, though it could be sent."""
    happen(app, seconds=130)
    (line,) = lines(app)[1:]
    assert line.startswith("  FAIL lag webhook: the oldest message waits 13")
    assert line.endswith(" s (target 120 s); no worker takes it")


def test_more_than_one_in_twenty_late_is_a_fault(app: Flask) -> None:
    """One of twenty may be late, two may not."""
    happen(app, seconds=1, how_many=18, send=True)
    happen(app, seconds=150, send=True)
    happen(app, seconds=1, send=True)
    assert lines(app)[1].startswith("  ok   lag webhook: ")
    happen(app, seconds=160, send=True)
    line = lines(app)[1]
    assert line.startswith("  FAIL lag webhook: 2 of 21 messages of the last hour set out too late")
    assert "(target 120 s); start more workers" in line


def test_an_event_that_nobody_addresses_is_a_fault(app: Flask) -> None:
    """Its subscribers hear nothing as long as no worker writes its deliveries."""
    with app.app_context():
        session = current_session()
        page = default_page(session)
        occurred_at = utc_now() - timedelta(minutes=5)
        row = EventRow(page_id=page.id, name="incident.created", subject_id=new_id(), data={})
        row.occurred_at = occurred_at
        session.add(row)
        session.commit()
    (line,) = lines(app)
    assert line.startswith("  FAIL deliveries: an event waits 30")
