"""Nobody is sent more notices an hour than ``STATUSPAGE_NOTICES_PER_HOUR``; what goes beyond is told in one digest.

The share belongs to a recipient, one address of one channel: whoever follows three pages has one mailbox. A digest
belongs to one subscription, as what it tells, its links and its reader's language do; it takes one place of the share.

A notice takes a place in every hour in which it is tried, however often. What finds no place is put back and *held*
until the next one opens; then all that waits for its subscription by that time is told at once. A redelivery is a
notice like any other, whoever asks for it: the share is promised to its reader.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery.channels import channels
from ..delivery.formats import formats
from ..domain import digest
from ..domain.events import DIGEST
from ..domain.retry import STALE_AFTER
from ..state import current_settings
from ..storage import claims, throttling
from ..storage.outbox import Delivery, DeliveryState
from ..storage.pages import Page
from ..storage.session import in_pages
from ..storage.subscriptions import Subscription
from ..storage.throttling import WINDOW, Counted, Recipient, Waiting
from . import events
from .pacing import NEAR

TOLD = "Told in a digest."
TOO_OLD = "The event was too old at its first attempt."

SETTING_OUT = timedelta(seconds=5)
"""How much later than it was taken up a notice may be tried: its place opens that much later, too."""

FOLLOWING = timedelta(minutes=1)
"""How much later those come that one of their subscription goes before."""

Group = list[Delivery]
"""Deliveries to one subscription that take one place: one, or what a digest would tell."""


def share_out(db: Session, leased: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """Those of *leased* that may be sent now. The others are put back, or told in digests, which are due at once.

    :param leased: just leased by this transaction, in the order of their sequence.
    """
    theirs: dict[Recipient, list[Delivery]] = defaultdict(list)
    for row in leased:
        if _is_counted(row):
            theirs[_recipient(row)].append(row)
    if not theirs:
        return list(leased)
    limit = current_settings().notices_per_hour
    counts = throttling.counts(db, theirs, now)  # *leased* among them
    near = {
        recipient
        for recipient, rows in theirs.items()
        if counts.get(recipient, 0) * NEAR > limit or any(row.held for row in rows)
    }
    if not near:
        return list(leased)
    # Near the limit workers count one after the other, as each might see too late what others took up.
    throttling.hold(db, near)
    counted = throttling.counted(db, near, now)
    refused: list[tuple[Delivery, datetime]] = []
    placed: list[Group] = []
    for recipient in near:
        granted, waiting = _placed(theirs[recipient], counted.get(recipient, {}), limit, now)
        placed += granted
        refused += waiting
    held = _put_back(db, refused, now)
    folded = _fold(db, [group for group in placed if any(row.held for row in group)], limit, now)
    sent = [row for row in leased if row.id not in held and row.id not in folded]
    throttling.let_go(db, [row.id for row in sent if row.held])
    return sent


def _is_counted(row: Delivery) -> bool:
    """Whether somebody reads it and did not ask for it."""
    return (
        row.notice_to is None
        and channels[row.subscription.channel].for_people
        and row.event.name not in digest.UNCOUNTED
    )


def _recipient(row: Delivery) -> Recipient:
    return Recipient(row.subscription.channel, row.subscription.address_digest)


def _placed(
    rows: Sequence[Delivery], counted: Counted, limit: int, now: datetime
) -> tuple[list[Group], list[tuple[Delivery, datetime]]]:
    """Which of one recipient's *rows* find a place, and the others, each with when the next place opens."""
    # One that was tried within the hour has its place, and so has a digest since it was written.
    asking = [row for row in rows if counted.get(row.id) is None and row.event.name != DIGEST]
    asked = {row.id for row in asking}
    taken = [at for delivery_id, at in counted.items() if delivery_id not in asked]
    groups = _groups(asking)
    room = max(0, limit - len(taken))
    granted, refused = groups[:room], groups[room:]
    ends = sorted([at or now + SETTING_OUT for at in taken] + [now + SETTING_OUT] * len(granted))
    if not refused:
        return granted, []
    # So many must leave the hour before there is one place less than the limit.
    opens = ends[len(ends) - limit] + WINDOW
    return granted, [(row, opens) for group in refused for row in group]


def _put_back(
    db: Session, refused: Sequence[tuple[Delivery, datetime]], now: datetime
) -> set[UUID]:
    """Hold what found no place; returns what that was.

    Of each subscription one comes first, which tells the others or lets them follow: came all at once, several workers
    would each write a digest of a few.
    """
    if not refused:
        return set()
    held = {row.id for row, _ in refused}
    first = throttling.next_held(db, {row.subscription_id for row, _ in refused}, now, but=held)
    changes = []
    for row, opens in sorted(refused, key=lambda pair: pair[0].sequence):
        ahead = first.get(row.subscription_id)
        follows = ahead is not None and abs(ahead - opens) <= FOLLOWING / 2
        if not follows:
            first[row.subscription_id] = opens
        due_at = opens + FOLLOWING if follows else opens
        changes.append({"id": row.id, "attempts": row.attempts - 1, "due_at": due_at, "held": True})
    claims.finish_each(db, changes)
    return held


def _groups(rows: Sequence[Delivery]) -> list[Group]:
    """*rows* by the places that they take, those first that were held: they have waited for it."""
    by_subscription: dict[UUID, Group] = defaultdict(list)
    for row in rows:
        by_subscription[row.subscription_id].append(row)
    waited, new = [], []
    for group in by_subscription.values():
        if any(row.held for row in group):
            waited.append(group)
        else:
            new += [[row] for row in group]
    return [*waited, *sorted(new, key=lambda group: group[0].sequence)]


def _fold(db: Session, groups: Sequence[Group], limit: int, now: datetime) -> set[UUID]:
    """Write a digest of each of *groups* and of what waits beside it, unless it is one alone; returns what is told.

    Digests and the end of what they tell are one transaction: killed at any moment, either all is told by one or
    waits as before.
    """
    if not groups:
        return set()
    pending = throttling.pending(db, {group[0].subscription_id for group in groups})
    old = now - timedelta(seconds=STALE_AFTER)
    beside = [_foldable(group, pending[group[0].subscription_id], old) for group in groups]
    locked = throttling.lock_free(db, [one.id for ones in beside for one in ones])
    folded: set[UUID] = set()
    told: list[tuple[Subscription, list[int]]] = []
    for group, ones in zip(groups, beside, strict=True):
        whole: list[Delivery | Waiting] = [*group, *_in_order(ones, locked)]
        if len(whole) > 1:
            folded.update(one.id for one in whole)
            told.append((group[0].subscription, sorted(one.sequence for one in whole)))
    for some in in_pages(folded, throttling.AT_ONCE):
        claims.finish_all(db, some, state=DeliveryState.CANCELLED, reason=TOLD, finished_at=now)
    _write(db, told, limit)
    return folded


def _foldable(group: Group, pending: Sequence[Waiting], old: datetime) -> list[Waiting]:
    """What is pending beside *group* for the same subscription and may be told with it, in its order.

    What is due since before *old* is left to the line, which knows whether it is too old, but for what waited behind
    one that is told.
    """
    mine = {row.id for row in group}
    format = formats[group[0].subscription.format]
    told = {row.subject_id for row in group}
    busy: set[UUID] = set()
    found = []
    for one in pending:
        if one.id in mine:
            continue
        if one.attempts == 0 and one.due_at < old and one.subject_id not in told:
            busy.add(one.subject_id)  # what follows it must not be told before it
        elif (
            one.subject_id not in busy
            and one.event_name not in digest.UNCOUNTED
            and one.event_name != DIGEST
            and format.words(one.event_name)
        ):
            told.add(one.subject_id)
            found.append(one)
    return found


def _in_order(ones: Sequence[Waiting], locked: Collection[UUID]) -> list[Waiting]:
    """Those of *ones* that are locked, but for what follows one that a worker has in hand: it comes after that."""
    busy: dict[UUID, int] = {}
    for one in ones:
        if one.id not in locked:
            busy.setdefault(one.subject_id, one.sequence)
    return [
        one
        for one in ones
        if one.id in locked and one.sequence < busy.get(one.subject_id, one.sequence + 1)
    ]


def _write(db: Session, told: Sequence[tuple[Subscription, list[int]]], limit: int) -> None:
    """Write the digests.

    :param told: the numbers of the events that are folded for each subscription, oldest first.
    """
    most = digest.MOST_LISTED
    rows = throttling.told_by(db, {number for _, numbers in told for number in numbers[-most:]})
    events.record_each_for(
        db,
        DIGEST,
        [
            (
                db.get_one(Page, subscription.page_id),
                subscription,
                digest.data(
                    limit,
                    [events.as_event(rows[number]) for number in numbers[-most:]],
                    more=len(numbers[:-most]),
                ),
            )
            for subscription, numbers in told
        ],
    )
