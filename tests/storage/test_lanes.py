"""Slow endpoints have a lane of their own, and one that rests is left alone. On three databases."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.pace import BREAK_AFTER, Call
from flask_statuspage.storage import claims, endpoints, pages
from flask_statuspage.storage.claims import Lane
from flask_statuspage.storage.endpoints import Endpoint
from flask_statuspage.storage.outbox import Delivery
from flask_statuspage.storage.races import run_again
from flask_statuspage.storage.session import current_session, database_now

from .test_claims import LEASE, at_once, subscribe, tell

SLOW = "slow.example:443"
FAST_CALL = Call(milliseconds=20)
SLOW_CALL = Call(milliseconds=3000)
SILENT = Call(milliseconds=10_000, timed_out=True)


def noted(session: Session, name: str, *calls: Call, later: float = 0) -> list[str]:
    now = database_now(session) + timedelta(seconds=later)
    resting = endpoints.note(session, {name: calls}, now, most=8)
    session.commit()
    return resting


def taken(session: Session, lane: Lane, *, later: float = 0, **options: object) -> set[str | None]:
    """The endpoints of what a worker of *lane* gets."""
    now = database_now(session) + timedelta(seconds=later)
    rows = claims.claim(session, now, lease=LEASE, limit=100, lane=lane, **options)  # type: ignore[arg-type]
    found = {row.endpoint for row in rows}
    session.commit()
    return found


def test_a_slow_endpoint_waits_in_its_own_lane(session: Session) -> None:
    """Workers of the fast lane pass it over, those of the slow one take nothing else."""
    one, two = subscribe(session, 2)
    tell(session, [one], endpoint=SLOW)
    tell(session, [two])
    noted(session, SLOW, SLOW_CALL)
    now = database_now(session)
    assert claims.any_due(session, now)
    assert claims.any_due(session, now, lane=Lane.SLOW)
    assert taken(session, Lane.FAST) == {"example.com:443"}
    assert not claims.any_due(session, now)
    assert taken(session, Lane.SLOW) == {SLOW}
    assert not claims.any_due(session, now, lane=Lane.SLOW)


def test_one_that_is_fast_again_comes_back(session: Session) -> None:
    """Its row goes with its slowness."""
    (one,) = subscribe(session, 1)
    tell(session, [one], endpoint=SLOW)
    noted(session, SLOW, SLOW_CALL)
    assert endpoints.limits(session, {SLOW, "other:443"}) == {SLOW: 7}
    noted(session, SLOW, *[FAST_CALL] * 20)
    assert session.scalars(select(Endpoint)).all() == []
    assert taken(session, Lane.FAST) == {SLOW}


def test_a_silent_one_is_left_alone_for_a_while(session: Session) -> None:
    """After five timeouts in a row nothing is taken for it, in neither lane, until its rest is over."""
    (one,) = subscribe(session, 1)
    tell(session, [one], endpoint=SLOW)
    assert noted(session, SLOW, *[SILENT] * BREAK_AFTER) == [SLOW]
    assert taken(session, Lane.FAST) == taken(session, Lane.SLOW) == set()
    assert not claims.any_due(session, database_now(session), lane=Lane.SLOW)
    assert taken(session, Lane.SLOW, later=61) == {SLOW}
    assert endpoints.limits(session, {SLOW}) == {SLOW: 1}


def test_crowded_endpoints_are_left_to_others(session: Session) -> None:
    """A worker that has enough for one endpoint takes what there is for the others."""
    rows = subscribe(session, 3)
    tell(session, rows[:2], endpoint=SLOW)
    tell(session, rows[2:])
    session.execute(
        update(Delivery).where(Delivery.endpoint == SLOW).values(due_at=Delivery.created_at)
    )
    session.commit()
    assert taken(session, Lane.FAST, avoid=[SLOW]) == {"example.com:443"}
    assert taken(session, Lane.FAST) == {SLOW}


def test_no_endpoint_takes_a_whole_claim(session: Session) -> None:
    """Of many that are longest due for a few endpoints some are taken of each, and what is due behind them."""
    rows = subscribe(session, 3)
    for _ in range(60):
        tell(session, rows[:1], endpoint="one:443")
    for _ in range(60):
        tell(session, rows[1:2], endpoint="two:443")
    for _ in range(5):
        tell(session, rows[2:], endpoint="three:443")
    session.execute(update(Delivery).values(due_at=Delivery.created_at))
    session.commit()

    def counted(limit: int) -> Counter[str | None]:
        now = database_now(session)
        held = claims.claim(session, now, lease=LEASE, limit=limit)
        session.commit()
        return Counter(row.endpoint for row in held)

    assert counted(69) == {"one:443": 32, "two:443": 32, "three:443": 5}
    assert counted(20) == {"one:443": 20}
    assert counted(36) == {"one:443": 8, "two:443": 28}


def test_one_endpoint_alone_takes_all_there_is(session: Session) -> None:
    """Where nothing is due for others nothing is kept back."""
    rows = subscribe(session, 1)
    for _ in range(50):
        tell(session, rows)
    assert len(claims.claim(session, database_now(session), lease=LEASE, limit=100)) == 50


def test_two_workers_note_the_same_endpoint(app: Flask) -> None:
    """Neither fails when both see a new endpoint's trouble at the same moment."""
    name = f"{new_id().hex}.example:443"

    def step(session: Session, name: str, call: Call) -> None:
        try:
            pages.begin_writing(session)  # as whoever notes outcomes has written those by then
            noted(session, name, call)
        except BaseException:
            session.rollback()
            raise

    def note(session: Session) -> int:
        for _ in range(5):
            run_again(partial(step, session, name, SILENT))
            run_again(partial(step, session, f"a-{name}", SLOW_CALL))
        return 1

    assert at_once(app, note) == [1] * len(at_once(app, lambda session: 1))
    with app.app_context():
        row = current_session().get_one(Endpoint, name)
        assert row.timeouts >= BREAK_AFTER
        assert row.rests_until is not None


def test_the_claim_remembers_no_more_than_its_own(session: Session) -> None:
    """Events of a batch are read once each, with their data, however many deliveries they have."""
    rows = subscribe(session, 20)
    tell(session, rows)
    claimed = claims.claim(session, database_now(session), lease=LEASE, limit=100)
    assert len(claimed) == 20
    assert len({id(row.event) for row in claimed}) == 1
