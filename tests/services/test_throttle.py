"""A reader is sent so many notices an hour; what is more is told in one digest, and nothing is lost or told twice."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event as hooks
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_statuspage.delivery.channels import channels
from flask_statuspage.delivery.parcel import Failure, Outcome, Parcel
from flask_statuspage.domain.events import DIGEST
from flask_statuspage.services import (
    deliveries,
    incidents,
    outcomes,
    pages,
    redelivery,
    subscriptions,
)
from flask_statuspage.services.wishes import Wish
from flask_statuspage.state import state_of
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Attempt, Delivery, DeliveryState, EventRow
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.races import run_again
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState
from tests.servers import nursery

from . import scenes

LIMIT = 5
HOUR = timedelta(hours=1)
DONE = Outcome(code=250, milliseconds=5)
FAILED = Outcome(error="The mail server answered 451.", kind=Failure.STATUS, code=451)
TOLD = "Told in a digest."
TOO_OLD = "The event was too old at its first attempt."
PENDING, CANCELLED = DeliveryState.PENDING, DeliveryState.CANCELLED
SERVERS = pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
titles = count(1)


@pytest.fixture(autouse=True)
def share(app: Flask) -> Iterator[None]:
    """A share that is used up soon."""
    state = state_of(app)
    before = state.settings
    state.settings = replace(before, notices_per_hour=LIMIT)
    yield
    state.settings = before


def reader(session: Session, page: Page, address: str = "ann@example.com") -> Subscription:
    """An active subscription by email."""
    wish = Wish(channel="email", address=address)
    row = subscriptions.subscribe(session, page, wish, proven=True)
    session.commit()
    return row


def happen(session: Session, page: Page, how_many: int) -> list[str]:
    """So many incidents; returns their titles."""
    made = [f"Trouble {next(titles)}" for _ in range(how_many)]
    for title in made:
        incidents.open(session, page, title=title)
    session.commit()
    return made


def claim(session: Session, *, limit: int = 100) -> list[Parcel]:
    parcels = deliveries.claim(session, limit=limit).parcels
    session.commit()
    return parcels


def drain(session: Session, outcome: Outcome = DONE) -> list[Parcel]:
    """Claim and send until nothing is due, as a worker does."""
    sent: list[Parcel] = []
    while (claimed := deliveries.claim(session, limit=100)).count:
        sent += claimed.parcels
        outcomes.note_all(session, [(parcel, outcome) for parcel in claimed.parcels])
        session.commit()
    session.commit()
    return sent


def pass_time(session: Session, span: timedelta) -> None:
    """Let *span* go by, for all that the database knows of time."""
    for row in session.scalars(select(Attempt).execution_options(populate_existing=True)):
        row.started_at -= span
    query = select(Delivery).execution_options(populate_existing=True)
    for delivery in session.scalars(query):
        delivery.due_at -= span
        if delivery.lease_until is not None:
            delivery.lease_until -= span
        if delivery.finished_at is not None:
            delivery.finished_at -= span
    session.commit()


def digests(session: Session) -> list[EventRow]:
    return scenes.events(session, DIGEST)


def listed(row: EventRow) -> list[str]:
    """The titles in a digest."""
    return [notice["title"] for notice in row.data["notices"]]


def told(session: Session, sent: Sequence[Parcel]) -> Counter[str]:
    """How often each incident was told by *sent*, itself or within a digest."""
    names: Counter[str] = Counter()
    for parcel in sent:
        row = session.get_one(Delivery, parcel.delivery_id)
        event = session.get_one(EventRow, row.sequence)
        names.update(listed(event) if event.name == DIGEST else [event.data["incident"]["title"]])
    return names


def states(session: Session) -> Counter[tuple[str, str | None]]:
    query = select(Delivery.state, Delivery.reason)
    return Counter((state.value, reason) for state, reason in session.execute(query))


def test_what_goes_beyond_the_share_is_told_in_one_digest(session: Session, page: Page) -> None:
    """Of nine at once five go out; an hour later one digest tells the other four, and each was told once."""
    reader(session, page)
    made = happen(session, page, LIMIT + 4)
    first = drain(session)
    assert list(told(session, first)) == made[:LIMIT]
    waiting = session.scalars(select(Delivery).where(Delivery.state == PENDING)).all()
    assert [(row.held, row.attempts) for row in waiting] == [(True, 0)] * 4
    # One comes as soon as there is a place, and tells the others.
    dues = sorted(-scenes.since(row.due_at) - HOUR.total_seconds() for row in waiting)
    assert -30 < dues[0] < 6
    assert all(59 < due - dues[0] < 61 for due in dues[1:])

    pass_time(session, HOUR + timedelta(seconds=10))
    (parcel,) = drain(session)
    assert parcel.event_name == DIGEST
    (digest,) = digests(session)
    assert listed(digest) == made[LIMIT:]
    assert (digest.data["limit"], digest.data["more"]) == (LIMIT, 0)
    (notice, *_) = digest.data["notices"]
    assert notice["event"] == "incident.created"
    assert notice["status"] == "investigating"
    assert "/incidents/" in notice["url"]
    assert datetime.fromisoformat(notice["at"]).tzinfo is not None
    assert states(session) == {("done", None): LIMIT + 1, ("cancelled", TOLD): 4}


@ON_SQLITE
def test_one_that_waits_alone_is_sent_as_it_is(session: Session, page: Page) -> None:
    """A digest of one would only hide it."""
    reader(session, page)
    made = happen(session, page, LIMIT + 1)
    drain(session)
    pass_time(session, HOUR + timedelta(seconds=10))
    (parcel,) = drain(session)
    assert told(session, [parcel]) == {made[-1]: 1}
    assert digests(session) == []
    assert not session.scalars(select(Delivery.held)).unique().one()


@ON_SQLITE
def test_a_digest_takes_one_place(session: Session, page: Page) -> None:
    """After it one less is sent within the hour."""
    reader(session, page)
    happen(session, page, LIMIT + 2)
    drain(session)
    pass_time(session, HOUR + timedelta(seconds=10))
    happen(session, page, LIMIT)
    sent = drain(session)
    # The fresh ones that came in the same batch are no part of the digest's one place.
    assert len(sent) == LIMIT or [parcel.event_name for parcel in sent] == [DIGEST]
    pass_time(session, timedelta(seconds=1))
    happen(session, page, LIMIT)
    assert len(sent) + len(drain(session)) == LIMIT


def test_a_digest_keeps_its_place_however_late_it_arrives(session: Session, page: Page) -> None:
    """One that the mail server takes only after hours is not held, and what is new does not take its place."""
    reader(session, page)
    happen(session, page, LIMIT + 2)
    drain(session)
    pass_time(session, HOUR + timedelta(seconds=10))
    (digest,) = drain(session, FAILED)
    pass_time(session, HOUR + timedelta(seconds=10))
    waiting = update(Delivery).where(Delivery.state == PENDING)
    session.execute(waiting.values(due_at=utc_now() + HOUR))
    session.commit()
    happen(session, page, LIMIT)
    assert len(drain(session)) == LIMIT - 1
    session.execute(waiting.values(due_at=utc_now()))
    session.commit()
    assert [parcel.delivery_id for parcel in drain(session)] == [digest.delivery_id]


@ON_SQLITE
def test_the_hour_slides(session: Session, page: Page) -> None:
    """A place opens when the oldest notice leaves the hour, not at a full hour."""
    reader(session, page)
    happen(session, page, LIMIT - 1)
    drain(session)
    pass_time(session, timedelta(minutes=40))
    happen(session, page, 3)
    assert len(drain(session)) == 1
    held = session.scalars(select(Delivery).where(Delivery.held)).all()
    assert sorted(round(-scenes.since(row.due_at) / 60) for row in held) == [20, 21]
    pass_time(session, timedelta(minutes=21))
    assert [parcel.event_name for parcel in drain(session)] == [DIGEST]


def test_the_share_is_one_over_all_pages(session: Session, page: Page) -> None:
    """One mailbox has one share, whatever pages it follows; each subscription has a digest of its own."""
    other = pages.create(session, name="Second")
    first, second = reader(session, page), reader(session, other)
    ours = happen(session, page, 4)
    theirs = happen(session, other, 4)
    assert list(told(session, drain(session))) == [*ours, theirs[0]]
    happen(session, page, 2)
    assert drain(session) == []
    pass_time(session, HOUR + timedelta(seconds=10))
    sent = drain(session)
    assert {parcel.subscription_id: parcel.event_name for parcel in sent} == {
        first.id: DIGEST,
        second.id: DIGEST,
    }
    assert {row.page_id: len(row.data["notices"]) for row in digests(session)} == {
        page.id: 2,
        other.id: 3,
    }
    assert set(told(session, sent).values()) == {1}


@ON_SQLITE
def test_other_readers_and_machines_have_shares_of_their_own(session: Session, page: Page) -> None:
    """Another address is not held, and no webhook ever is."""
    ann = reader(session, page)
    hook = scenes.webhook(session, page)
    happen(session, page, LIMIT)
    bob = reader(session, page, "bob@example.com")
    happen(session, page, LIMIT)
    sent = Counter(parcel.subscription_id for parcel in drain(session))
    assert sent == {ann.id: LIMIT, bob.id: LIMIT, hook.id: 2 * LIMIT}


@ON_SQLITE
def test_what_somebody_asked_for_is_never_held(session: Session, page: Page) -> None:
    """Tests and questions for a confirmation take no place and wait for none."""
    ann = reader(session, page)
    for _ in range(LIMIT + 3):
        subscriptions.send_test(session, page, ann)
    session.commit()
    assert len(drain(session)) == LIMIT + 3
    happen(session, page, LIMIT + 1)
    assert len(drain(session)) == LIMIT
    subscriptions.send_test(session, page, ann)
    session.commit()
    assert [parcel.event_name for parcel in drain(session)] == ["test"]
    pass_time(session, HOUR + timedelta(seconds=10))
    happen(session, page, 1)
    assert "test" not in {
        notice["event"] for row in digests(session) for notice in row.data["notices"]
    }


def test_a_retry_takes_no_second_place(session: Session, page: Page) -> None:
    """One that is tried again within the hour goes out beside a used-up share."""
    reader(session, page)
    happen(session, page, LIMIT)
    assert len(drain(session, FAILED)) == LIMIT
    happen(session, page, 1)
    assert drain(session) == []
    pass_time(session, timedelta(minutes=3))
    # Nor does one that is held come before it.
    session.execute(update(Delivery).where(Delivery.held).values(due_at=utc_now()))
    session.commit()
    assert [parcel.attempt for parcel in drain(session)] == [2] * LIMIT


def test_a_retry_after_more_than_an_hour_asks_for_a_place(session: Session, page: Page) -> None:
    """However late the mail server takes them, no more than the share arrives within an hour."""
    reader(session, page)
    happen(session, page, LIMIT)
    drain(session, FAILED)
    pass_time(session, timedelta(minutes=90))
    session.execute(update(Delivery).values(due_at=utc_now() + timedelta(seconds=1)))
    session.commit()
    happen(session, page, LIMIT)
    assert len(drain(session)) == LIMIT
    session.execute(update(Delivery).where(Delivery.state == PENDING).values(due_at=utc_now()))
    session.commit()
    assert drain(session) == []
    pass_time(session, HOUR + timedelta(seconds=10))
    (digest,) = drain(session)
    assert (digest.event_name, digest.attempt) == (DIGEST, 1)


def test_what_follows_a_held_one_is_told_with_it(session: Session, page: Page) -> None:
    """Updates wait behind the first word on their incident; the digest has the whole story, in its order."""
    reader(session, page)
    happen(session, page, LIMIT)
    drain(session)
    incident = incidents.open(session, page, title="Long")
    session.commit()
    assert drain(session) == []
    incidents.update(session, page, incident.id, body="Still")
    incidents.resolve(session, page, incident.id, body="Over")
    session.commit()
    assert drain(session) == []
    pass_time(session, HOUR + timedelta(seconds=10))
    assert len(drain(session)) == 1
    (digest,) = digests(session)
    assert [notice["event"] for notice in digest.data["notices"]] == [
        "incident.created",
        "incident.updated",
        "incident.resolved",
    ]
    assert states(session) == {("done", None): LIMIT + 1, ("cancelled", TOLD): 3}


def test_what_follows_one_in_flight_is_not_told_before_it(session: Session, page: Page) -> None:
    """While the first word on an incident is on its way, a digest leaves out what follows it."""
    reader(session, page)
    happen(session, page, LIMIT - 1)
    incident = incidents.open(session, page, title="Long")
    session.commit()
    drain(session)
    happen(session, page, 2)
    drain(session)
    pass_time(session, HOUR + timedelta(seconds=10))
    incidents.update(session, page, incident.id, body="One")
    session.commit()
    session.execute(
        update(Delivery).where(Delivery.held).values(due_at=utc_now() + timedelta(seconds=60))
    )
    session.commit()
    (on_its_way,) = claim(session)
    incidents.resolve(session, page, incident.id, body="Two")
    session.execute(update(Delivery).where(Delivery.held).values(due_at=utc_now()))
    session.commit()
    (digest,) = drain(session)
    assert digest.event_name == DIGEST
    assert len(listed(*digests(session))) == 2
    outcomes.note_all(session, [(on_its_way, DONE)])
    session.commit()
    assert [parcel.event_name for parcel in drain(session)] == ["incident.resolved"]


@ON_SQLITE
def test_long_digests_list_the_latest(session: Session, page: Page) -> None:
    """Fifty are listed, the earlier ones are counted, and all of them are told."""
    reader(session, page)
    made = happen(session, page, LIMIT + 60)
    drain(session)
    pass_time(session, HOUR + timedelta(seconds=10))
    (parcel,) = drain(session)
    (digest,) = digests(session)
    assert listed(digest) == made[-50:]
    assert digest.data["more"] == 10
    assert "60 messages" in parcel.body
    assert states(session)["cancelled", TOLD] == 60


@ON_SQLITE
def test_nothing_is_held_for_so_long_that_it_counts_as_old(session: Session, page: Page) -> None:
    """A day counts from when the place opened: one that was held at 23 hours is told after it, too."""
    reader(session, page)
    happen(session, page, LIMIT)
    drain(session)
    made = happen(session, page, 2)
    pending = update(Delivery).where(Delivery.state == PENDING)
    session.execute(pending.values(due_at=utc_now() - timedelta(hours=23, minutes=50)))
    session.commit()
    assert drain(session) == []
    pass_time(session, HOUR + timedelta(seconds=10))
    assert told(session, drain(session)) == dict.fromkeys(made, 1)


def test_what_is_too_old_is_in_no_digest(session: Session, page: Page) -> None:
    """What waits beside a held one for more than a day is left out, and marked when its turn comes."""
    reader(session, page)
    happen(session, page, LIMIT)
    drain(session)
    made = happen(session, page, 2)
    drain(session)
    pass_time(session, HOUR + timedelta(seconds=10))
    (old,) = happen(session, page, 1)
    latest = select(EventRow.subject_id).order_by(EventRow.sequence.desc()).limit(1)
    about_old = update(Delivery).where(Delivery.subject_id == latest.scalar_subquery())
    session.execute(about_old.values(due_at=utc_now() - timedelta(hours=25)))
    # What a dead worker held is taken up before all that is due.
    held = session.scalars(select(Delivery).where(Delivery.held)).first()
    assert held is not None
    held.lease_token, held.lease_until = held.id, utc_now() - timedelta(seconds=1)
    session.commit()
    assert claim(session, limit=1) == []
    (digest,) = digests(session)
    assert listed(digest) == made
    sent = drain(session)
    assert old not in told(session, sent)
    assert states(session)["cancelled", TOO_OLD] == 1


@ON_SQLITE
@pytest.mark.parametrize("channel", [name for name in channels if channels[name].for_people])
def test_an_old_event_is_not_sent(session: Session, page: Page, channel: str) -> None:
    """To nobody who reads it, by whatever channel: older than a day at its first attempt it is marked, held or not."""
    row = Subscription(
        page_id=page.id,
        channel=channel,
        address="somebody",
        address_digest="0" * 64,
        format=channels[channel].default_format,
        state=SubscriptionState.ACTIVE,
        nonce="n",
    )
    session.add(row)
    session.commit()
    happen(session, page, LIMIT + 2)
    assert len(drain(session)) == LIMIT
    happen(session, page, 1)
    pending = update(Delivery).where(Delivery.state == PENDING)
    session.execute(pending.values(due_at=utc_now() - timedelta(hours=25)))
    session.commit()
    assert drain(session) == []
    assert states(session) == {("done", None): LIMIT, ("cancelled", TOO_OLD): 3}


@ON_SQLITE
@pytest.mark.parametrize("how", ["unsubscribe", "disable"])
def test_who_leaves_is_told_nothing_more(session: Session, page: Page, how: str) -> None:
    """What is held for a subscription that ends or is disabled is cancelled; no digest comes later."""
    ann = reader(session, page)
    happen(session, page, LIMIT + 2)
    drain(session)
    ann = subscriptions.get(session, page, ann.id, lock=True)
    if how == "unsubscribe":
        subscriptions.unsubscribe(session, ann)
    else:
        subscriptions.disable(session, ann, reason="enough", actor="Eve")
    session.commit()
    pass_time(session, HOUR + timedelta(seconds=10))
    assert drain(session) == []
    assert digests(session) == []


@ON_SQLITE
def test_a_redelivery_is_a_notice_like_any_other(session: Session, page: Page) -> None:
    """What a member sends again keeps to the share as well, and what a digest told may be sent again by itself."""
    ann = reader(session, page)
    happen(session, page, LIMIT + 2)
    drain(session)
    pass_time(session, HOUR + timedelta(seconds=10))
    assert len(drain(session)) == 1
    folded = session.scalars(select(Delivery).where(Delivery.reason == TOLD)).first()
    assert folded is not None
    again = redelivery.redeliver(session, page, folded.id, actor=None)
    assert not again.held
    session.commit()
    assert [parcel.delivery_id for parcel in drain(session)] == [folded.id]
    happen(session, page, LIMIT - 2)
    drain(session)
    done = next(row for row in scenes.deliveries(session, ann) if row.reason == TOLD)
    redelivery.redeliver(session, page, done.id, actor=None)
    session.commit()
    assert drain(session) == []
    assert session.get_one(Delivery, done.id).held


def claim_again(db: Session, limit: int) -> tuple[int, list[UUID]]:
    """One claim as a worker makes it: run again when it lost a race."""

    def step() -> tuple[int, list[UUID]]:
        try:
            claimed = deliveries.claim(db, limit=limit)
            db.commit()
        except BaseException:
            db.rollback()
            raise
        return claimed.count, [parcel.delivery_id for parcel in claimed.parcels]

    return run_again(step)


def test_workers_that_claim_at_once_keep_the_share_together(
    app: Flask, session: Session, page: Page
) -> None:
    """Four workers at the same moment send no more than one alone would, and write one digest of the rest."""
    other = pages.create(session, name="Second")
    reader(session, page)
    reader(session, other)
    happen(session, page, 12)
    happen(session, other, 12)
    session.rollback()

    def work(db: Session, page: Page) -> list[UUID]:
        sent: list[UUID] = []
        db.rollback()
        for _ in range(40):
            taken, ready = claim_again(db, 3)
            sent += ready
            if not taken:
                break
        return sent

    shares = scenes.at_once(app, *[work] * 4)
    assert [share for share in shares if isinstance(share, Exception)] == []
    first = [ident for share in shares for ident in share]  # type: ignore[union-attr]
    assert len(first) == len(set(first)) == LIMIT
    waiting = session.execute(
        select(Delivery.subscription_id, Delivery.due_at).where(Delivery.held)
    )
    due = sorted((due_at, whose) for whose, due_at in waiting)
    assert len(due) == 24 - LIMIT
    # One of each subscription goes before the others.
    assert len({whose for _, whose in due[:2]}) == 2
    assert due[2][0] - due[1][0] > timedelta(seconds=30)
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(first))
        .values(state=DeliveryState.DONE, lease_token=None, lease_until=None, finished_at=utc_now())
    )
    session.commit()
    pass_time(session, HOUR + timedelta(seconds=10))
    shares = scenes.at_once(app, *[work] * 4)
    assert [share for share in shares if isinstance(share, Exception)] == []
    second = [ident for share in shares for ident in share]  # type: ignore[union-attr]
    names = [row.name for row in digests(session)]
    assert names == [DIGEST] * 2
    assert len(second) == 2
    told_ones = [title for row in digests(session) for title in listed(row)]
    assert len(told_ones) == len(set(told_ones)) == 24 - LIMIT
    assert states(session)["cancelled", TOLD] == 24 - LIMIT


KILLED = """
import os, signal, sys, time
from sqlalchemy import event
from tests.apps import make_app
from tests.services.scenes import SETTINGS
from flask_statuspage.services import deliveries
from flask_statuspage.storage.session import current_engine, current_session

app = make_app(sys.argv[1], **SETTINGS, STATUSPAGE_NOTICES_PER_HOUR=int(sys.argv[2]))

def claim(last):
    \"\"\"One claim that is killed before its statement number `last`; whether anything was there to be claimed.\"\"\"
    with app.app_context():
        current_engine().dispose(close=False)
        left = last

        def die(*arguments):
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(current_engine(), "before_cursor_execute", die)
        claimed = deliveries.claim(current_session(), limit=100)
        event.listen(current_engine(), "commit", die)  # the last moment
        current_session().commit()
        os._exit(0 if claimed.count else 3)

for last in range(1, 40):
    pid = os.fork()
    if not pid:
        claim(last)
    status = os.waitpid(pid, 0)[1]
    print("killed" if os.WIFSIGNALED(status) else f"lived {os.WEXITSTATUS(status)}", flush=True)
    if not os.WIFSIGNALED(status):
        break
    time.sleep(0.1)  # the database finds out
"""


def test_whoever_is_killed_leaves_nothing_lost_or_told_twice(
    app: Flask, session: Session, page: Page
) -> None:
    """A worker that is killed before any of the statements of a claim that writes digests has done nothing at all."""
    for name in ("ann", "bob"):
        reader(session, page, f"{name}@example.com")
    made = happen(session, page, LIMIT + 3)
    drain(session)
    pass_time(session, HOUR + timedelta(seconds=10))
    url = session.get_bind().engine.url.render_as_string(hide_password=False)
    session.rollback()
    command = ["-c", KILLED, url, str(LIMIT)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = nursery.run(command, env=environment, capture_output=True, text=True)
    lines = done.stdout.split("\n")
    assert lines.count("killed") > 12, done.stderr
    assert "lived 0" in lines
    sent = drain(session)
    assert [parcel.event_name for parcel in sent] == [DIGEST] * 2
    assert told(session, sent) == dict.fromkeys(made[LIMIT:], 2)
    assert states(session) == {("done", None): 2 * LIMIT + 2, ("cancelled", TOLD): 6}


def statements_of_a_claim(session: Session) -> int:
    sent: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    hooks.listen(session.get_bind(), "before_cursor_execute", note)
    try:
        claimed = deliveries.claim(session, limit=100)
        session.commit()
    finally:
        hooks.remove(session.get_bind(), "before_cursor_execute", note)
    assert claimed.count
    outcomes.note_all(session, [(parcel, DONE) for parcel in claimed.parcels])
    session.commit()
    return len(sent)


def test_a_claim_costs_few_statements(app: Flask, session: Session, page: Page) -> None:
    """Far from the share one more than for what is not counted, near it and with digests a fixed number, however many
    there are."""
    ann = reader(session, page)
    subscriptions.send_test(session, page, ann)
    session.commit()
    without = statements_of_a_claim(session)
    subscriptions.remove(session, ann, actor=None)
    session.commit()
    state = state_of(app)
    costs: dict[str, set[int]] = {"far": set(), "near": set(), "fold": set()}
    for how_many in (3, 12):
        for number in range(how_many):
            reader(session, page, f"reader-{how_many}-{number}@example.com")
        state.settings = replace(state.settings, notices_per_hour=1000)
        happen(session, page, 1)
        costs["far"].add(statements_of_a_claim(session))
        state.settings = replace(state.settings, notices_per_hour=1)
        happen(session, page, 2)
        costs["near"].add(statements_of_a_claim(session))
        pass_time(session, HOUR + timedelta(seconds=10))
        costs["fold"].add(statements_of_a_claim(session))
        assert len(digests(session)) == how_many
        drain(session)
        for ident in session.scalars(select(Subscription.id)).all():
            row = subscriptions.get(session, page, ident, lock=True)
            subscriptions.remove(session, row, actor=None)
        session.commit()
    assert {name: len(found) for name, found in costs.items()} == dict.fromkeys(costs, 1)
    extra = {name: found.pop() - without for name, found in costs.items()}
    assert extra["far"] == 1
    assert extra["near"] <= 5
    assert extra["fold"] <= 10
