"""Work is claimed by one worker at a time, on every database."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from uuid import UUID

from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.storage import claims, leases, outbox, pages
from flask_statuspage.storage import subscriptions as stored
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Delivery, DeliveryState, EventRow
from flask_statuspage.storage.session import current_session, database_now
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState

LEASE = timedelta(seconds=60)
WORKERS = 4
numbers = count()


def at_once(app: Flask, work: Callable[[Session], object], times: int = WORKERS) -> list[object]:
    """What *work* returns in so many threads, each with a session of its own, started together."""
    barrier = threading.Barrier(times)

    def one() -> object:
        with app.app_context():
            barrier.wait()
            return work(current_session())

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(one) for _ in range(times)]]


def subscribe(session: Session, how_many: int) -> list[UUID]:
    page = pages.default_page(session)
    rows = [
        Subscription(
            page_id=page.id,
            channel="webhook",
            address=f"https://example.com/{number}",
            address_digest=stored.digest(str(number)),
            format="native",
            state=SubscriptionState.ACTIVE,
            nonce="nonce",
        )
        for number in (next(numbers) for _ in range(how_many))
    ]
    session.add_all(rows)
    session.commit()
    return [row.id for row in rows]


def tell(
    session: Session,
    subscriptions: list[UUID],
    subject: UUID | None = None,
    *,
    endpoint: str = "example.com:443",
    name: str = "incident.updated",
) -> list[Delivery]:
    """An event with a delivery due now for each subscription; returns those in their order."""
    page = pages.default_page(session)
    event = EventRow(page_id=page.id, name=name, subject_id=subject or new_id(), data={})
    session.add(event)
    session.flush()
    places = [(one, endpoint) for one in subscriptions]
    outbox.add_deliveries(session, event, places, utc_now() - timedelta(seconds=1))
    session.commit()
    query = select(Delivery).where(Delivery.event_id == event.id).order_by(Delivery.id)
    return list(session.scalars(query))


def claim(session: Session, *, later: float = 0, limit: int = 100) -> list[Delivery]:
    """Claim and commit, *later* seconds from now."""
    now = database_now(session) + timedelta(seconds=later)
    claimed = list(claims.claim(session, now, lease=LEASE, limit=limit))
    session.commit()
    return claimed


def finish(session: Session, delivery: Delivery, token: UUID | None = None) -> bool:
    token = token or delivery.lease_token
    assert token is not None
    held = claims.still_held(session, {delivery.id: token})
    claims.finish_all(session, held, state=DeliveryState.DONE)
    session.commit()
    return bool(held)


def test_no_delivery_is_claimed_twice(app: Flask) -> None:
    """Workers that claim at the same moment share the deliveries out, in round after round."""
    with app.app_context():
        subscriptions = subscribe(current_session(), 30)
    for _ in range(12):
        with app.app_context():
            wanted = Counter(row.id for row in tell(current_session(), subscriptions))

        def work(session: Session) -> list[int]:
            mine: list[int] = []
            for _ in range(10):
                mine += [row.id for row in claim(session, limit=4)]
            return mine

        claimed: Counter[int] = Counter()
        for share in at_once(app, work):
            claimed.update(share)  # type: ignore[arg-type]
        # A worker may see nothing while others hold all that is left to be seen, so ask once more.
        with app.app_context():
            claimed.update(work(current_session()))
            current_session().execute(update(Delivery).values(state=DeliveryState.DONE))
            current_session().commit()
        assert claimed == wanted


def test_a_claim_locks_nothing_while_the_network_is_used(app: Flask) -> None:
    """After a claim was committed, another worker finds nothing, and no lock to wait for."""
    with app.app_context():
        tell(current_session(), subscribe(current_session(), 3))
        assert len(claim(current_session(), limit=2)) == 2
    with app.app_context():
        assert len(claim(current_session())) == 1
        assert claim(current_session()) == []
        assert not claims.any_due(current_session(), database_now(current_session()))


def test_an_open_claim_is_passed_over(app: Flask) -> None:
    """While one worker's claim is not yet committed, another one takes the rest and does not wait.

    On MariaDB the open claim holds all rows that it looked at; on SQLite the other waits for it.
    """
    with app.app_context():
        session = current_session()
        rows = tell(session, subscribe(session, 4))
        held = claims.claim(session, database_now(session), lease=LEASE, limit=2)
        mine = {row.id for row in held}
        with ThreadPoolExecutor(1) as pool:

            def other() -> set[UUID]:
                with app.app_context():
                    return {row.id for row in claim(current_session())}

            future = pool.submit(other)
            database = session.get_bind().dialect.name
            if database != "sqlite":
                future.result(10)
            if database == "postgresql":
                assert future.result() == {row.id for row in rows} - mine
            session.commit()
            assert future.result(20).isdisjoint(mine)


def test_a_claim_counts_the_attempt(session: Session) -> None:
    """The attempt is counted when the work is taken, so a worker that dies has used it up."""
    (row,) = tell(session, subscribe(session, 1))
    for attempt in (1, 2, 3):
        (claimed,) = claim(session, later=attempt * 100)
        assert (claimed.id, claimed.attempts) == (row.id, attempt)


def test_a_lease_that_ran_out_is_free_again(session: Session) -> None:
    """A delivery stays with its worker for the lease, not shorter and not longer."""
    tell(session, subscribe(session, 1))
    (first,) = claim(session)
    token = first.lease_token
    assert claim(session, later=58) == []
    (second,) = claim(session, later=62)
    assert second.lease_token != token


def test_who_lost_the_lease_writes_nothing(session: Session) -> None:
    """A worker that was stopped past its lease changes no row when it wakes up."""
    tell(session, subscribe(session, 1))
    (row,) = claim(session)
    lost = row.lease_token
    (row,) = claim(session, later=62)
    assert lost is not None
    assert not finish(session, row, lost)
    assert claims.still_held(session, {row.id: lost}) == set()
    session.commit()
    session.refresh(row)
    assert (row.state, row.attempts) == (DeliveryState.PENDING, 2)
    assert row.lease_token is not None
    assert finish(session, row)
    session.refresh(row)
    assert (row.state, row.lease_token) == (DeliveryState.DONE, None)


def test_what_a_dead_worker_held_is_taken_up_by_and_by(session: Session) -> None:
    """Ten at a time beside what is fresh, and one alone that was lost before; no second one while that is out."""
    tell(session, subscribe(session, 15))
    assert len(claim(session)) == 15
    tell(session, subscribe(session, 3))
    losses = Counter(row.losses for row in claim(session, later=61))
    assert losses == {0: 3, 1: 10}
    assert Counter(row.losses for row in claim(session, later=61)) == {1: 5}
    again = claim(session, later=122)
    assert Counter(row.losses for row in again) == {1: 3, 2: 1}
    assert claim(session, later=122) == []
    (suspicious,) = [row for row in again if row.losses == 2]
    assert finish(session, suspicious)
    assert [row.losses for row in claim(session, later=122)] == [2]


def test_what_waits_at_an_endpoint_is_held(app: Flask) -> None:
    """Those due for long are locked for whoever ends them; leased ones stay out, those whose lease ran out do not."""
    with app.app_context():
        session = current_session()
        subscriptions = subscribe(session, 3)
        rows = tell(session, subscriptions, endpoint="x:1")
        for row, lease in zip(rows, (None, -5, 500), strict=True):
            row.due_at = utc_now() - timedelta(hours=2)
            if lease is not None:
                row.lease_token, row.lease_until = new_id(), utc_now() + timedelta(seconds=lease)
        session.commit()
        wanted = {row.id for row in rows[:2]}
        before = utc_now() - timedelta(hours=1)
        session.commit()
        held = claims.waiting_at(session, "x:1", before, 10)
        assert {row.id for row in held} == wanted
        assert {row.event.name for row in held} == {"incident.updated"}

        def other() -> int:
            with app.app_context():
                return len(claims.waiting_at(current_session(), "x:1", before, 10))

        if session.get_bind().dialect.name != "sqlite":
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(other).result(10) == 0


def test_giving_back_costs_no_attempt(session: Session) -> None:
    """What was not sent after all is free at once and has not used up an attempt."""
    tell(session, subscribe(session, 1))
    (row,) = claim(session)
    assert row.lease_token is not None
    assert claims.still_held(session, {row.id: row.lease_token}) == {row.id}
    claims.give_back(session, [row.id])
    session.commit()
    (again,) = claim(session)
    assert (again.id, again.attempts) == (row.id, 1)


def test_one_in_flight_per_subscription_and_subject(session: Session) -> None:
    """What is told of one incident comes in order; of other incidents and to others at any time."""
    first, second = subscribe(session, 2)
    incident, other = new_id(), new_id()
    created = {row.subscription_id: row for row in tell(session, [first, second], incident)}
    resolved = {row.subscription_id: row for row in tell(session, [first, second], incident)}
    (unrelated,) = tell(session, [first], other)

    claimed = {row.id: row for row in claim(session)}
    assert set(claimed) == {created[first].id, created[second].id, unrelated.id}
    assert claim(session) == []
    assert finish(session, claimed[created[first].id])
    assert [row.id for row in claim(session)] == [resolved[first].id]


def test_a_retry_holds_up_what_follows(session: Session) -> None:
    """While an earlier delivery waits for its retry, the later ones of its subject wait too."""
    (one,) = subscribe(session, 1)
    incident = new_id()
    tell(session, [one], incident)
    (later,) = tell(session, [one], incident)
    (row,) = claim(session)
    due_at = database_now(session) + timedelta(minutes=5)
    assert row.lease_token is not None
    claims.finish_all(session, [row.id], state=DeliveryState.PENDING, due_at=due_at)
    session.commit()
    assert claim(session) == []
    assert not claims.any_due(session, database_now(session))
    (row,) = claim(session, later=301)
    assert finish(session, row)
    assert [row.id for row in claim(session)] == [later.id]


def test_a_retry_holds_up_no_other_change(session: Session) -> None:
    """Changes of a page or component go out one at a time, but none waits for the retry of another one."""
    (one,) = subscribe(session, 1)
    component = new_id()
    for _ in range(3):
        tell(session, [one], component, name="component.status_change")
    order = list(session.scalars(select(Delivery.id).order_by(Delivery.sequence)))
    for place in (0, 1):
        (row,) = claim(session)
        assert row.id == order[place]
        assert claim(session) == []
        due_at = database_now(session) + timedelta(minutes=5)
        assert row.lease_token is not None
        claims.finish_all(session, [row.id], state=DeliveryState.PENDING, due_at=due_at)
        session.commit()
        assert claims.any_due(session, database_now(session))
    (row,) = claim(session)
    assert finish(session, row)
    assert claim(session) == []
    # Both are due again, and still only one of them is in flight.
    assert [row.id for row in claim(session, later=301)] == order[:1]


def test_a_change_that_waits_for_the_rate_keeps_its_place(session: Session) -> None:
    """One that was never tried is not overtaken, whatever it waits for."""
    (one,) = subscribe(session, 1)
    component = new_id()
    for _ in range(2):
        tell(session, [one], component, name="component.status_change")
    (row,) = claim(session)
    due_at = database_now(session) + timedelta(seconds=20)
    claims.finish_each(session, [{"id": row.id, "attempts": 0, "due_at": due_at}])
    session.commit()
    assert claim(session) == []
    assert [again.id for again in claim(session, later=21)] == [row.id]


def test_the_longest_due_goes_first(session: Session) -> None:
    """A limit takes what has waited longest."""
    one, two, three = subscribe(session, 3)
    for seconds, subscription in ((5, one), (50, two), (20, three)):
        (row,) = tell(session, [subscription])
        row.due_at = utc_now() - timedelta(seconds=seconds)
        session.commit()
    assert [claim(session, limit=1)[0].subscription_id for _ in range(3)] == [two, three, one]


def test_one_scheduler_leads(app: Flask) -> None:
    """Of many that ask at the same moment one gets the lease, whether its row exists or not."""
    for name in ("a", "b", "b", "c"):
        with app.app_context():
            current_session().execute(update(leases.Lease).values(until=None, holder=None))
            current_session().commit()

        def work(session: Session, name: str = name) -> bool:
            leads = leases.take(session, name, new_id(), database_now(session), lasts=LEASE)
            session.commit()
            return leads

        assert sorted(at_once(app, work)) == [False] * (WORKERS - 1) + [True]  # type: ignore[type-var]


def taking(session: Session) -> Callable[[UUID, float], bool]:
    """Takes the scheduler's lease for ten seconds, so many seconds from now."""
    now = utc_now()

    def take(holder: UUID, seconds: float) -> bool:
        at = now + timedelta(seconds=seconds)
        leads = leases.take(session, "scheduler", holder, at, lasts=timedelta(seconds=10))
        session.commit()
        return leads

    return take


def test_a_leader_renews_and_another_waits(session: Session) -> None:
    """The holder may take its lease again; another gets it after it ran out or was given back."""
    first, second, take = new_id(), new_id(), taking(session)

    assert take(first, 0)
    assert not take(second, 5)
    assert take(first, 8)
    assert not take(second, 17)
    assert take(second, 19)
    assert not take(first, 20)
    leases.give_back(session, "scheduler", first)  # no longer its own: nothing happens
    assert not take(first, 21)
    leases.give_back(session, "scheduler", second)
    assert take(first, 22)


def test_a_lease_from_a_clock_that_was_ahead_is_over(session: Session) -> None:
    """It ends later than any that is taken now, so nobody waits for whoever took it; a little later is no sign."""
    first, second, take = new_id(), new_id(), taking(session)

    assert take(first, 7200)
    assert take(second, 0)
    assert not take(first, 1)
    # Who asked for the time before the other one did, and for the lease after it.
    assert not take(first, -9)
    assert take(first, -11)


def test_notes(app: Flask, session: Session) -> None:
    """What was noted last counts until it runs out, whoever noted it; several may do so at once."""
    first, second, now = new_id(), new_id(), utc_now()

    def is_noted(mark: UUID, seconds: float = 0) -> bool:
        at = now + timedelta(seconds=seconds)
        return leases.is_noted(session, "mirror", mark, at, lasts=timedelta(seconds=20))

    def work(session: Session) -> None:
        leases.note(session, "mirror", first, until=now + timedelta(seconds=10))
        session.commit()

    assert not is_noted(first)
    session.rollback()
    at_once(app, work)
    assert is_noted(first)
    assert not is_noted(first, 11)
    leases.note(session, "mirror", second, until=now + timedelta(seconds=20))
    session.commit()
    assert not is_noted(first)
    assert is_noted(second, 11)
    # Noted by a clock that was ahead, and was set back since.
    assert is_noted(second, -15)
    assert not is_noted(second, -25)


def test_pulses_show_who_lives(session: Session) -> None:
    """A process is seen while it beats; one that died is forgotten, one that stopped is gone."""
    alive, dead, stopped, now = new_id(), new_id(), new_id(), utc_now()
    for pulse_id, name, seconds in ((alive, "a", 0), (dead, "b", -7200), (stopped, "c", 0)):
        at = now + timedelta(seconds=seconds)
        leases.beat(session, pulse_id, kind="worker", name=name, now=at)
    session.commit()
    leases.beat(session, alive, kind="worker", name="a", now=now + timedelta(seconds=10))
    leases.stop(session, stopped)
    session.commit()
    (seen,) = leases.seen_since(session, now - timedelta(hours=1))
    assert (seen.name, seen.started_at, seen.seen_at - now) == ("a", now, timedelta(seconds=10))
    leases.forget_before(session, now - timedelta(hours=1))
    session.commit()
    assert [pulse.name for pulse in session.scalars(select(leases.Pulse))] == ["a"]
