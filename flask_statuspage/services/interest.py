"""Whom of a page's subscribers an event concerns: one rule, for whoever writes deliveries and whoever only counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from uuid import UUID

from ..delivery.channels import channels
from ..delivery.formats import Format, formats
from ..domain.audience import Change, Interest, Newly, begins_for, concerns
from ..domain.events import BEGINNINGS, COMPONENT_EVENTS, PAGE_CHANGE, UPSTREAM_CHANGE
from ..storage.subscriptions import Subscription


def interested(
    name: str,
    component_ids: Iterable[UUID],
    candidates: Iterable[Subscription],
    *,
    changes: Sequence[Change] = (),
    newly: Newly = False,
) -> Iterator[Subscription]:
    """Those of *candidates* whom the event *name* on *component_ids* concerns.

    :param candidates: active ones. Only what they chose is read of them.
    :param changes: what changed, where the event is about statuses; for formats that know severities.
    :param newly: for whom it is the beginning of what it is about.
    """
    about = frozenset(component_ids)
    for subscription in candidates:
        if subscription.format not in formats or subscription.channel not in channels:
            continue  # its package is not installed any more; doctor tells
        if _concerns(name, about, subscription, changes, newly):
            yield subscription


def _concerns(
    name: str,
    about: Collection[UUID],
    subscription: Subscription,
    changes: Sequence[Change],
    newly: Newly,
) -> bool:
    format = formats[subscription.format]
    chosen = _name_in(format, name)
    if chosen is None:
        return False
    interest = Interest(
        frozenset(item.component_id for item in subscription.chosen),
        None if subscription.events is None else frozenset(subscription.events),
        (subscription.level or format.levels[0]) if format.levels else None,
    )
    if begins_for(name, about, interest, newly) and format.words(name):
        # Whoever hears of beginnings hears of this one, by whatever name it goes.
        beginning = BEGINNINGS[name]
        if concerns(beginning, about, interest, unasked=format.unasked, changes=changes):
            return True
    return concerns(chosen, about, interest, unasked=format.unasked, changes=changes)


def _name_in(format: Format, name: str) -> str | None:
    """The name under which subscriptions in *format* choose the event *name*; None: it does not go to them."""
    if name in (PAGE_CHANGE, UPSTREAM_CHANGE):
        return COMPONENT_EVENTS[0] if format.per_transaction else None
    if format.per_transaction and name in COMPONENT_EVENTS:
        return None
    return name
