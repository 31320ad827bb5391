"""How long messages wait before they set out, measured against the target of their channel.

It counts from the commit of the event to the start of the first attempt. Of what could not be sent at once it counts
from when it could: of one that was held since its place opened, of one behind another about the same subject since
that one was finished, of a redelivery since it was asked for, beyond a subscription's rate since its turn. What goes to
endpoints that answer slowly or not at all is left out: they set the pace, not the workers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery.channels import channels
from ..domain.lag import ChannelLag
from ..storage import lag as stored
from ..storage.outbox import Delivery

WINDOW = timedelta(hours=1)

PROMPT = timedelta(seconds=5)
"""Whoever comes this soon need not be asked whether it waited behind another."""

MOST_MILLISECONDS = 2**31 - 1


def ready_since(db: Session, leased: Sequence[Delivery], now: datetime) -> dict[UUID, datetime]:
    """Since when each of *leased* that has its first attempt now could have had it."""
    first = {row.id: row.due_at for row in leased if row.attempts - row.losses == 1}
    late = [ident for ident, due_at in first.items() if now - due_at > PROMPT]
    return first | stored.turn_came(db, late)


def milliseconds(ready_since: datetime | None, started_at: datetime) -> int | None:
    """How long an attempt waited; None: it is not measured."""
    if ready_since is None:
        return None
    waited = round((started_at - ready_since).total_seconds() * 1000)
    return min(max(waited, 0), MOST_MILLISECONDS)


def measure(db: Session, now: datetime) -> list[ChannelLag]:
    """The lag of every channel that is installed, over the last hour and now, in four statements."""
    targets = {name: channel.target_seconds for name, channel in channels.items()}
    hour_ago = now - WINDOW
    tried = stored.attempts(db, hour_ago, {name: target * 1000 for name, target in targets.items()})
    finished = stored.finished(db, hour_ago)
    pending = stored.pending(db, now)
    untried = [name for name, what in pending.items() if what.untried and name in targets]
    oldest = stored.oldest_waiting(db, untried, now)
    return [
        _of_channel(
            name,
            target,
            tried.get(name) or stored.Tried({}, 0, 0, 0, 0),
            finished=finished.get(name, {}),
            pending=pending.get(name),
            waiting=oldest.get(name),
            now=now,
        )
        for name, target in targets.items()
    ]


def in_use(db: Session, now: datetime) -> list[ChannelLag]:
    """The same of those channels that somebody is subscribed by, or that something was sent by within the hour."""
    used = stored.channels_in_use(db)
    return [lag for lag in measure(db, now) if lag.channel in used or lag.count or lag.pending]


def unaddressed(db: Session, now: datetime) -> float:
    """Seconds that the oldest event waits whose deliveries are not all written yet; 0.0: there is none."""
    return _seconds(stored.oldest_unaddressed(db), now)


def _of_channel(
    name: str,
    target: float,
    tried: stored.Tried,
    *,
    finished: Mapping[str, int],
    pending: stored.Pending | None,
    waiting: datetime | None,
    now: datetime,
) -> ChannelLag:
    return ChannelLag(
        channel=name,
        target=target,
        count=tried.messages,
        mean=tried.waited / tried.messages / 1000 if tried.messages else 0.0,
        longest=tried.longest / 1000,
        late=tried.late,
        waiting=_seconds(waiting, now),
        pending=pending.deliveries if pending else 0,
        held=pending.held if pending else 0,
        oldest=_seconds(pending.since if pending else None, now),
        attempts=tuple(sorted(tried.outcomes.items())),
        finished=tuple(sorted(finished.items())),
    )


def _seconds(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
