"""From pending deliveries to parcels that are ready to be sent. What became of them is :mod:`.outcomes`'.

Between the two lies the network; no transaction is open there. The caller commits.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery import wording
from ..delivery.channels import channels
from ..delivery.formats import Posting, formats
from ..delivery.parcel import Parcel
from ..domain.events import CONFIRMATION, STATES
from ..domain.facts import plain
from ..domain.reader import Reader
from ..domain.retry import MOST_LOSSES, STALE_AFTER, SUPERSEDED_AFTER
from ..errors import SetupError
from ..state import current_settings
from ..storage import claims, endpoints, neighbours, session, subscription_secrets, threads
from ..storage.claims import Lane
from ..storage.encryption import reveal
from ..storage.outbox import Delivery, DeliveryState
from ..storage.pages import Page
from ..storage.subscriptions import SubscriptionState
from . import addresses, events, facts, lag, outcomes, pacing, redelivery, throttle
from .pacing import NOTICE_CHANNEL, format_of, policy_of

logger = logging.getLogger(__name__)

UPDATES = frozenset({"incident.updated", "maintenance.updated"})
"""Events that a later one about the same subject makes needless."""


@dataclass(frozen=True)
class Claimed:
    """A batch of leased deliveries.

    :param count: how many were leased; 0: nothing is due. What must not be sent any more is finished already.
    :param parcels: what is to be sent.
    :param limits: calls at once, of those endpoints that gave trouble.
    """

    count: int
    parcels: list[Parcel]
    limits: dict[str, int]


def claim(
    db: Session, *, limit: int, lane: Lane = Lane.FAST, avoid: Collection[str] = ()
) -> Claimed:
    """Lease at most *limit* due deliveries of *lane* and make them ready to be sent.

    :param avoid: endpoints that have enough to do.
    """
    # Whoever waited for the lock on a subscription must see the calls that were noted meanwhile.
    session.begin_read_committed(db)
    now, began = session.database_now(db), time.monotonic()
    lease = timedelta(seconds=current_settings().lease_seconds)
    rows = claims.claim(db, now, lease=lease, limit=limit, lane=lane, avoid=avoid)
    if not rows:
        return Claimed(0, [], {})
    preparing = _Preparing(db, now, lease_ends=began + lease.total_seconds(), lane=lane, rows=rows)
    wanted = throttle.share_out(db, preparing.wanted(rows), now)
    waiting = pacing.over_rate(db, wanted, now)
    waiting |= pacing.too_close(db, [row for row in wanted if row.id not in waiting], now)
    claims.finish_each(
        db,
        [
            {"id": row.id, "attempts": row.attempts - 1, "due_at": waiting[row.id]}
            for row in wanted
            if row.id in waiting
        ],
    )
    parcels = [preparing.parcel(row) for row in wanted if row.id not in waiting]
    ready = [parcel for parcel in parcels if parcel is not None]
    return Claimed(len(rows), ready, endpoints.limits(db, {parcel.endpoint for parcel in ready}))


def any_due(db: Session, *, lane: Lane = Lane.FAST) -> bool:
    return claims.any_due(db, session.database_now(db), lane=lane)


class _Preparing:
    """What the deliveries of one batch have in common."""

    def __init__(
        self,
        db: Session,
        now: datetime,
        *,
        lease_ends: float,
        lane: Lane,
        rows: Sequence[Delivery],
    ) -> None:
        self._db = db
        self._now = now
        self._lease_ends = lease_ends
        ids = {row.subscription_id for row in rows}
        self._secrets = subscription_secrets.sealed_secrets(db, ids)
        late = now - timedelta(seconds=SUPERSEDED_AFTER)
        self._superseded = neighbours.superseded(
            db,
            [
                row.id
                for row in rows
                # One that just came is sent although another one follows it closely: nothing is gained by leaving out.
                if row.event.name in UPDATES and (row.attempts > 1 or row.due_at < late)
            ],
        )
        self._overtaken = neighbours.overtaken(
            db,
            {
                row.id: row.event.component_ids
                for row in rows
                if row.event.name in STATES and row.attempts > 1
            },
        )
        # One that was on its way when what it tells of was deleted could not be cancelled then.
        self._withdrawn = redelivery.withdrawn(db, [row.id for row in rows if row.attempts > 1])
        # Due since its event occurred, or since a member asked for it again.
        old = now - timedelta(seconds=STALE_AFTER)
        stale = {row.id for row in rows if row.attempts == 1 and row.due_at < old}
        # One that had to wait for its turn behind another is not to blame.
        self._stale = stale - neighbours.followed_one_since(db, stale, old)
        self._replies = threads.sent_before(db, {row.id for row in rows if _replies(row)})
        self._bodies: dict[tuple[UUID, str, int, Reader], str] = {}
        self._ready_since = {} if lane is Lane.SLOW else lag.ready_since(db, rows, now)

    def wanted(self, rows: Sequence[Delivery]) -> list[Delivery]:
        """Those that are to be sent; the others are finished here."""
        wanted: list[Delivery] = []
        dropped: dict[str, list[UUID]] = defaultdict(list)
        for row in rows:
            reason = self._reason_to_drop(row)
            if reason is not None:
                dropped[reason].append(row.id)
            elif row.losses > max(MOST_LOSSES, len(policy_of(row).delays)):
                outcomes.give_up(self._db, row, "Every attempt ended with its worker.", self._now)
            else:
                wanted.append(row)
        for reason, ids in dropped.items():
            claims.finish_all(
                self._db,
                ids,
                state=DeliveryState.CANCELLED,
                reason=reason,
                finished_at=self._now,
            )
        return wanted

    def parcel(self, delivery: Delivery) -> Parcel | None:
        """None after finishing one that cannot be worded or signed."""
        urls = self._urls(delivery)
        try:
            body, sent = self._worded(delivery, urls)
        except wording.TooLong:
            outcomes.give_up(self._db, delivery, "The message is too long.", self._now)
            return None
        except Exception as error:
            name = format_of(delivery)
            logger.exception(
                "status page: format %s could not word event %s", name, delivery.event.name
            )
            reason = f"The format could not word this event ({type(error).__name__})."
            outcomes.give_up(self._db, delivery, reason, self._now)
            return None
        try:
            secret, previous = self._live_secrets(delivery)
            address = delivery.notice_to or delivery.subscription.target
        except SetupError as error:
            # Unsigned it must not go out, and the others must not wait for it.
            logger.error("status page: delivery %s waits: %s", delivery.id, error)
            reason = "Its secret cannot be opened with the site's keys."
            policy = policy_of(delivery).with_lost(delivery.losses)
            outcomes.postpone(self._db, delivery, policy, reason, self._now)
            return None
        return self._packed(delivery, address, body, sent, secret, previous, urls)

    def _reason_to_drop(self, delivery: Delivery) -> str | None:
        subscription, event = delivery.subscription, delivery.event
        if delivery.notice_to is None:
            asked = event.name == CONFIRMATION and subscription.state is SubscriptionState.PENDING
            if subscription.state is not SubscriptionState.ACTIVE and not asked:
                return f"The subscription is {subscription.state.value}."
            if subscription.format not in formats or subscription.channel not in channels:
                return f"The format {subscription.format!r} is not installed."
            if not formats[subscription.format].words(event.name):
                return f"The format {subscription.format!r} has no words for this event."
        elif subscription.state is not SubscriptionState.DISABLED:
            return f"The subscription is {subscription.state.value} again."
        if delivery.id in self._superseded:
            return "A later update took its place."
        if delivery.id in self._overtaken:
            return "A later message about the same has arrived."
        if delivery.id in self._withdrawn:
            return redelivery.why_withdrawn(event.name)
        if delivery.id in self._stale:
            return throttle.TOO_OLD
        return None

    def _worded(self, delivery: Delivery, urls: Mapping[str, str]) -> tuple[str, str]:
        """The body to keep, and what is sent of it now."""
        format, size = formats[format_of(delivery)], policy_of(delivery).size
        body = self._body(delivery, size) if delivery.body is None else delivery.body
        if format.complete is None:
            return body, _sendable(body)
        posting = Posting(
            retry=delivery.attempts - 1,
            unsubscribe_url=urls.get("unsubscribe", ""),
            manage_url=urls.get("manage", ""),
        )
        sent = format.complete(body, posting)
        excess = len(sent.encode()) - size
        if excess > 0 and delivery.body is None:
            body = self._body(delivery, len(body.encode()) - excess)
            sent = format.complete(body, posting)
        return body, _sendable(sent)

    def _body(self, delivery: Delivery, size: int) -> str:
        name = format_of(delivery)
        reader = self._reader(delivery) if formats[name].render_for else wording.ANYBODY
        key = (delivery.event_id, name, size, reader)
        if key not in self._bodies:
            event = events.as_event(delivery.event)
            self._bodies[key] = wording.worded(formats[name], event, size=size, reader=reader)
        return self._bodies[key]

    def _reader(self, delivery: Delivery) -> Reader:
        subscription = delivery.subscription
        page = facts.page(self._db.get_one(Page, subscription.page_id))
        return Reader(
            locale=subscription.locale or page.locale or wording.ANYBODY.locale,
            time_zone=subscription.time_zone or page.time_zone,
        )

    def _live_secrets(self, delivery: Delivery) -> tuple[str | None, str | None]:
        if delivery.notice_to is not None:
            return None, None
        current, previous = self._secrets.get(delivery.subscription_id, (None, None))
        until = delivery.subscription.previous_until
        lives = until is not None and until > self._now
        return reveal(current), reveal(previous) if lives else None

    def _packed(
        self,
        delivery: Delivery,
        address: str,
        body: str,
        sent: str,
        secret: str | None,
        previous: str | None,
        urls: dict[str, str],
    ) -> Parcel:
        subscription = delivery.subscription
        is_notice = delivery.notice_to is not None
        channel = NOTICE_CHANNEL if is_notice else subscription.channel
        assert delivery.lease_token is not None
        return Parcel(
            delivery_id=delivery.id,
            subscription_id=subscription.id,
            lease=delivery.lease_token,
            attempt=delivery.attempts,
            channel=channel,
            format=format_of(delivery),
            address=address,
            event_name=delivery.event.name,
            subject_id=delivery.subject_id,
            body=sent,
            kept_body=body,
            secret_address=subscription.sealed_address is not None and not is_notice,
            is_notice=is_notice,
            secret=secret,
            previous_secret=previous,
            policy=policy_of(delivery).with_lost(delivery.losses),
            endpoint=delivery.endpoint or channels[channel].endpoint(subscription.address),
            lease_ends=self._lease_ends,
            reply_to=self._replies.get(delivery.id),
            ready_since=self._ready_since.get(delivery.id),
            manage_url=urls.get("manage") if channels[channel].needs_confirmation else None,
            unsubscribe_url=urls.get("unsubscribe")
            if channels[channel].needs_confirmation
            else None,
        )

    def _urls(self, delivery: Delivery) -> dict[str, str]:
        """Signed links, where the format or the channel has a place for them."""
        subscription = delivery.subscription
        if delivery.notice_to is not None or delivery.event.name == CONFIRMATION:
            return {}
        is_needed = formats[subscription.format].complete is not None
        if not is_needed and not channels[subscription.channel].needs_confirmation:
            return {}
        page = self._db.get_one(Page, subscription.page_id)
        return {
            purpose: addresses.ticket_url(page, purpose, subscription.id, subscription.nonce)
            for purpose in ("manage", "unsubscribe")
        }


def _replies(delivery: Delivery) -> bool:
    channel = delivery.subscription.channel
    is_step = delivery.in_order and delivery.notice_to is None
    return is_step and channel in channels and channels[channel].replies


def described(delivery: Delivery) -> dict[str, object]:
    """The fields of a delivery as the API shows them."""
    fields = (
        "id",
        "subscription_id",
        "state",
        "attempts",
        "due_at",
        "held",
        "finished_at",
        "reason",
    )
    return {
        **{name: plain(getattr(delivery, name)) for name in fields},
        "event": delivery.event.name,
        "created_at": plain(delivery.created_at),
    }


def _sendable(text: str) -> str:
    """*text*, if it can be sent and kept: what a format of another package makes need not be."""
    text.encode()
    if "\x00" in text:
        raise ValueError("a NUL stands in the body")
    return text
