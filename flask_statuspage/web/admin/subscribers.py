"""The pages "Subscribers" and one of them: who is told, of what, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request
from werkzeug.datastructures import MultiDict

from ...delivery.channels import channels
from ...delivery.formats import formats
from ...documents.console import subscriber_words as words
from ...documents.console import subscribers as documents
from ...documents.console.subscribers import SILENCED, Sent, SubscriberRow, SubscriberView
from ...domain.events import PUBLIC_EVENTS
from ...domain.rights import Right
from ...errors import Invalid
from ...services import admissions, subscription_changes, subscription_log, subscriptions
from ...services.wishes import Wish, channels_of_people
from ...state import current_settings
from ...storage import accounts, delivery_log, subscriber_list
from ...storage import components as stored_components
from ...storage.integrations import sent_for
from ...storage.subscriptions import Subscription, SubscriptionState
from ..idents import uuid_of
from ..manage_api.subscriptions import NewSubscription, SubscriptionChange
from . import reading, telling
from .desk import Desk
from .lists import asked, listed_by_id
from .visit import Done, Visit

FILTERS = ("search", "channel", "state", "component")
TICKS = ("components", "events")
NEWEST = 10

NOTICES = {
    "subscriber_added": "The subscriber is added.",
    "subscriber_asked": "The subscriber is added. A message that asks for a confirmation is on its way.",
    "subscriber_changed": "What the subscriber gets is saved.",
    "subscriber_resent": "Another message that asks for a confirmation is on its way. Earlier links work no more.",
    "subscriber_tested": "The test is on its way. Load this page again to see what has come of it.",
    "subscriber_enabled": "The subscription is active.",
    "subscriber_disabled": "The subscription is switched off.",
    "subscriber_removed": "The subscription is deleted, with what was sent to it.",
}


def add_routes(desk: Desk) -> None:
    right = Right.READERS
    desk.area("subscribers", "Subscribers", right, NOTICES)
    desk.page("/subscribers", "subscribers", index, right=right)
    desk.form("/subscribers/new", "subscriber_new", show_new, create, right=right)
    one = "/subscribers/<ident>"
    desk.form(one, "subscriber", show, change, right=right)
    for way, do in {
        "resend": resend,
        "test": send_test,
        "enable": enable,
        "disable": disable,
        "remove": remove,
    }.items():
        desk.action(f"{one}/{way}", f"subscriber_{way}", do, right=right, back=show)


def index(visit: Visit) -> str:
    services = _Services.of(visit)
    looked_for = {name: asked(name) for name in FILTERS}
    rows, pager = listed_by_id(
        visit,
        subscriber_list.of_page(visit.page.id, **narrowed(visit, looked_for)),
        Subscription.id,
        "subscribers",
        **looked_for,
    )
    counts = subscriber_list.count_states(visit.session, visit.page.id)
    silenced = subscriber_list.count_silenced(visit.session, visit.page.id)
    return documents.subscribers(
        visit.room("subscribers"),
        rows=[_row(row, services) for row in rows],
        counts={**{state.value: number for state, number in counts.items()}, SILENCED: silenced},
        asked=looked_for,
        channels=list(channels),
        services=services.choice,
        pager=pager,
    )


def narrowed(visit: Visit, looked_for: Mapping[str, str]) -> dict[str, Any]:
    """What the list is narrowed by; a word that is none of the choice narrows nothing."""
    found: dict[str, Any] = {}
    if looked_for["search"]:
        found["search"] = looked_for["search"]
    if looked_for["channel"] in channels:
        found["channel"] = looked_for["channel"]
    if looked_for["state"] in set(SubscriptionState):
        found["state"] = SubscriptionState(looked_for["state"])
    elif looked_for["state"] == SILENCED:
        found["silenced"] = True
    if looked_for["component"]:
        which = [looked_for["component"]]
        for row in stored_components.find(visit.session, visit.page.id, which, even_archived=True):
            found["component_id"] = row.id
    return found


def show_new(visit: Visit) -> str:
    people = channels_of_people()
    ready = [name for name in people if channels[name].available(current_settings()) is None]
    return documents.subscriber_new(
        visit.room("subscribers"), channels=ready or people, services=telling.names(visit)
    )


def create(visit: Visit) -> Done:
    typed = visit.sent
    how = typed.get("how", "")
    if how not in dict(documents.HOW):
        raise Invalid.field("how", "Choose one of the list.")
    if not reading.words(typed, "address").strip():
        raise Invalid.field("address", "Is missing.")
    values = reading.checked(
        NewSubscription,
        {
            "channel": reading.words(typed, "channel").strip(),
            "address": reading.words(typed, "address").strip(),
            "components": reading.chosen(typed.getlist("components")),
            **reading.optional(typed, "locale"),
        },
    )
    visit.begin_anew()  # whoever waited for others counts their sign-ups, too
    made = admissions.add(
        visit.session,
        visit.page,
        Wish(**values),
        confirmed=how == "confirmed",
        origin=request.remote_addr,
        actor=visit.actor,
    )
    notice = "subscriber_added" if how == "confirmed" else "subscriber_asked"
    return Done("subscriber", notice, {"ident": made.id})


def show(visit: Visit, ident: str) -> str:
    row = _get(visit, ident)
    services = _Services.of(visit)
    present = _present(row, services)
    if visit.typed is not None:
        for name in TICKS:
            telling.follow_ticks(visit, name, present[name])
        telling.follow(visit, {"locale": row.locale or ""})
    log = delivery_log.log(visit.page.id, row.id).limit(NEWEST)
    silenced = subscriber_list.silenced(visit.session, row.channel, [row.address_digest])
    log_url = None
    if any(item.endpoint == "deliveries" for item in visit.areas):
        log_url = visit.to("deliveries", subscription=row.id)
    return documents.subscriber(
        visit.room("subscribers"),
        SubscriberView(
            row=_row(row, services),
            chosen=present["components"],
            gone=len(row.chosen) - len(present["components"]),
            events=present["events"],
            confirmed_by=_confirmed_by(visit, row),
            confirmed_at=row.confirmed_at,
            made_by=words.made_by(row.actor, is_owner=_is_owner(row)),
            contact=row.contact or "",
            silenced=next(((one.reason, one.at) for one in silenced.values()), None),
            can_be_asked=row.state is SubscriptionState.PENDING and _is_asked(row),
            sent=[
                Sent(
                    at=delivery.created_at,
                    event=words.event(delivery.event.name),
                    state=delivery.state.value,
                )
                for delivery in visit.session.scalars(log)
            ],
            log_url=log_url,
            has_account=accounts.is_behind(visit.session, row),
            **_events(row),
        ),
        services=services.choice,
    )


def change(visit: Visit, ident: str) -> Done:
    row = _get(visit, ident, lock=True)
    typed = visit.sent
    present = _present(row, _Services.of(visit))
    wanted = {name: reading.chosen(typed.getlist(name)) for name in TICKS}
    _check_seen(typed, row, present, wanted)
    values: dict[str, Any] = {
        "events": wanted["events"] or None,
        **reading.optional(typed, "locale"),
    }
    if sorted(wanted["components"]) != sorted(present["components"]):
        values["components"] = wanted["components"]  # else those stay, too, that have left the page
    subscription_changes.change(
        visit.session,
        visit.page,
        row,
        reading.checked(SubscriptionChange, values),
        actor=visit.actor,
    )
    return Done("subscriber", "subscriber_changed", {"ident": row.id})


def resend(visit: Visit, ident: str) -> Done:
    visit.begin_anew()  # whoever waited for others counts their sign-ups, too
    row = _get(visit, ident, lock=True)
    admissions.ask_again(
        visit.session, visit.page, row, origin=request.remote_addr, actor=visit.actor
    )
    return Done("subscriber", "subscriber_resent", {"ident": row.id})


def send_test(visit: Visit, ident: str) -> Done:
    """A test goes the way of all messages; its delivery has what comes of it."""
    event_id = subscriptions.send_test(
        visit.session, visit.page, _get(visit, ident, lock=True), actor=visit.actor
    )
    delivery_id = sent_for(visit.session, event_id)
    return Done("delivery", "subscriber_tested", {"delivery_id": delivery_id})


def enable(visit: Visit, ident: str) -> Done:
    row = _get(visit, ident, lock=True)
    subscriptions.enable(visit.session, row, actor=visit.actor)
    return Done("subscriber", "subscriber_enabled", {"ident": row.id})


def disable(visit: Visit, ident: str) -> Done:
    row = _get(visit, ident, lock=True)
    subscriptions.disable(visit.session, row, reason="Disabled by a member.", actor=visit.actor)
    return Done("subscriber", "subscriber_disabled", {"ident": row.id})


def remove(visit: Visit, ident: str) -> Done:
    row = _get(visit, ident, lock=True)
    subscriptions.remove(visit.session, row, actor=visit.actor)
    return Done("subscribers", "subscriber_removed")


def _get(visit: Visit, ident: str, *, lock: bool = False) -> Subscription:
    which = uuid_of(ident, "subscription")
    return subscriptions.get(visit.session, visit.page, which, lock=lock)


@dataclass(frozen=True)
class _Services:
    """All services of the page by their ids, and those to choose from: the others have left the page."""

    names: Mapping[UUID, str]
    slugs: Mapping[UUID, str]

    @classmethod
    def of(cls, visit: Visit) -> _Services:
        here = visit.session.scalars(stored_components.of_page(visit.page.id)).all()
        gone = visit.session.scalars(stored_components.archived(visit.page.id)).all()
        return cls({row.id: row.name for row in (*gone, *here)}, {row.id: row.slug for row in here})

    @property
    def choice(self) -> list[tuple[str, str]]:
        return [(slug, self.names[ident]) for ident, slug in self.slugs.items()]


def _row(row: Subscription, services: _Services) -> SubscriberRow:
    return SubscriberRow(
        id=row.id,
        channel=row.channel,
        address=row.address,
        state=row.state.value,
        reason=row.reason or "",
        services=[services.names.get(item.component_id, "?") for item in row.chosen],
        language=row.locale or "",
        since=row.created_at,
    )


def _present(row: Subscription, services: _Services) -> dict[str, list[str]]:
    """What stands in the boxes."""
    slugs = (services.slugs.get(item.component_id) for item in row.chosen)
    return {
        "components": sorted(slug for slug in slugs if slug),
        "events": sorted(row.events or ()),
    }


def _check_seen(
    typed: reading.Typed,
    row: Subscription,
    present: Mapping[str, list[str]],
    wanted: Mapping[str, list[str]],
) -> None:
    """As :func:`.reading.check_seen`, of boxes as well."""
    said: reading.Typed = MultiDict(typed)
    for name, values in wanted.items():
        said[name] = " ".join(sorted(values))
    now = {name: " ".join(values) for name, values in present.items()}
    reading.check_seen(said, {**now, "locale": row.locale or ""}, what="what this subscriber gets")


def _events(row: Subscription) -> dict[str, Any]:
    """The events to choose from and those that come unasked, with their words; none while the format is not there."""
    if row.format not in formats:
        return {"offered": [], "usual": []}
    format = formats[row.format]
    order = [name for name in PUBLIC_EVENTS if name in format.offered]
    return {
        "offered": [(name, words.event(name)) for name in order],
        "usual": [words.event(name) for name in order if name in format.unasked],
    }


def _confirmed_by(visit: Visit, row: Subscription) -> str:
    entry = subscription_log.activation(visit.session, row)
    if entry is None:
        return ""
    is_owner = entry.actor == subscription_log.SUBSCRIBER
    return words.confirmed_by(entry.action, entry.actor, is_owner=is_owner, is_asked=_is_asked(row))


def _is_owner(row: Subscription) -> bool:
    return row.actor is not None and row.actor.casefold() == row.address.casefold()


def _is_asked(row: Subscription) -> bool:
    return row.channel in channels and channels[row.channel].needs_confirmation
