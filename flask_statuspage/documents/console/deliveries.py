"""The pages "Deliveries", one delivery, and sending again what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from .pager import Pager
from .room import Room, shown

STATES = {
    "pending": "Pending",
    "done": "Delivered",
    "dead": "Failed",
    "cancelled": "Cancelled",
}
"""The states of deliveries by their names in the API, in words."""

FILTERS = ("state", "channel", "event", "subscription", "since", "until")


@dataclass(frozen=True, kw_only=True)
class AttemptView:
    """One try to deliver.

    :param seconds: how long it took; None: nobody noted it.
    :param code: of the receiver's answer.
    :param kind: the class of a failure; None: it arrived. ``error``: the same in words.
    :param answer: what the receiver said, without secrets.
    """

    number: int
    at: datetime
    seconds: float | None
    code: int | None
    kind: str | None
    error: str | None
    answer: str | None = None


@dataclass(frozen=True, kw_only=True)
class DeliveryView:
    """One event on its way to one subscription.

    :param event: the event's name.
    :param target: the address; of one that is a secret only where it leads. The owner's mailbox where ``is_notice``.
    :param state: its name in the API.
    :param attempts: how many there were since it was sent the last time.
    :param next_at: when the next attempt is due, of one that is pending.
    :param is_being_sent: a worker has it in hand.
    :param is_held: it waits because its reader had their share for the hour.
    :param reason: why it ended, if it did not arrive.
    :param last: the last attempt.
    :param obstacle: why it cannot be sent again now, in words; empty: it can.
    """

    id: UUID
    subscription_id: UUID
    event: str
    channel: str
    target: str
    is_notice: bool
    state: str
    attempts: int
    created_at: datetime
    finished_at: datetime | None
    next_at: datetime | None
    is_being_sent: bool
    is_held: bool
    reason: str | None
    last: AttemptView | None
    obstacle: str

    @property
    def word(self) -> str:
        return STATES[self.state]


class Wait(Protocol):
    """What a delivery waits for besides its time: an earlier one that goes first, an endpoint that rests until then, or
    a worker, as none was heard of.
    """

    @property
    def behind(self) -> UUID | None: ...
    @property
    def rests_until(self) -> datetime | None: ...
    @property
    def is_unworked(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What can be looked for: names of channels and of events, each with its word."""

    channels: Sequence[tuple[str, str]]
    events: Sequence[tuple[str, str]]


def deliveries(
    room: Room,
    *,
    rows: Sequence[DeliveryView],
    asked: Mapping[str, str],
    choice: Choice,
    subscription: str | None,
    pager: Pager,
    waits: Mapping[UUID, Wait],
) -> str:
    """The log, newest first.

    :param asked: what is looked for, as typed, by :data:`FILTERS`.
    :param subscription: the address of the one that is looked for.
    :param waits: by the ids of those that wait for more than their time.
    """
    return shown(
        room,
        "deliveries",
        waits=waits,
        rows=rows,
        asked=asked,
        looked_for={name: value for name, value in asked.items() if value},
        choice=choice,
        states=STATES,
        subscription=subscription,
        pager=pager,
    )


def delivery(
    room: Room,
    view: DeliveryView,
    *,
    attempts: Sequence[AttemptView],
    pager: Pager,
    wait: Wait | None,
) -> str:
    """One delivery with its attempts, oldest first. Its button posts ``ended``, when it had ended as it is shown."""
    return shown(room, "delivery", view=view, attempts=attempts, pager=pager, wait=wait)


def redeliver(
    room: Room,
    *,
    count: int,
    at_most: int,
    asked: Mapping[str, str],
    subscription: str | None,
    shown_at: datetime,
) -> str:
    """Asks whether all that failed are to be sent again. Its form posts the filter and ``shown``, the instant.

    :param count: how many they are, counted no further than one more than *at_most*, which are sent at once.
    """
    return shown(
        room,
        "deliveries_redeliver",
        count=count,
        at_most=at_most,
        looked_for={name: value for name, value in asked.items() if value},
        subscription=subscription,
        shown_at=shown_at,
    )
