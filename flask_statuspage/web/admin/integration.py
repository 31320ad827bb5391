"""One integration: set up, changed, switched on and off, given another secret, removed."""

from __future__ import annotations

import re
from typing import Any

from flask import request

from ...delivery import signing
from ...delivery.channels import channels
from ...delivery.channels.slack import is_slacks
from ...delivery.channels.webhook import WebhookChannel
from ...delivery.formats import formats
from ...documents.console import integration as documents
from ...documents.console.integration import IntegrationView
from ...documents.console.integrations import ACCOUNTS, ENDPOINTS, READERS
from ...domain.rights import Right
from ...errors import Conflict, Invalid, NotFound
from ...services import owner_notices, signing_secrets, subscription_changes, subscriptions, wishes
from ...services.wishes import Wish
from ...state import current_settings
from ...storage import components as stored_components
from ...storage import pages as stored_pages
from ...storage import subscriptions as stored
from ...storage.base import utc_now
from ...storage.subscriptions import Subscription, SubscriptionState
from ..idents import uuid_of
from ..manage_api.subscriptions import NewSubscription, SubscriptionChange
from . import reading, telling
from .desk import Desk
from .integrations import kind_of, name_of
from .kept import Hiding, without_user
from .reading import Typed
from .visit import Done, Told, Visit

FIELDS = ("format", "level", "heard", "contact", "locale", "time_zone")
TICKS = ("events", "components")
KNOWN = "This address is set up already. Change the integration that there is; its secret can be made anew there."
OTHERS = (
    "Somebody else changed this integration meanwhile, perhaps its secret. Nothing was saved. Type the secret once "
    "more and press the button again to save it instead of theirs."
)
SLACKS = "This address leads to Slack. Set it up under Slack, where it is kept as a secret."


def add_routes(desk: Desk) -> None:
    right, one = Right.CONNECT, "/integrations/<ident>"
    hiding = Hiding(_without_secrets, ("address", "secret").__contains__)
    desk.form("/integrations/new", "integration_new", show_new, make, right=right, secret=hiding)
    desk.form(one, "integration", show, change, right=right, secret=("secret",))
    for word, do in (
        ("enable", enable),
        ("disable", disable),
        ("rotate", rotate),
        ("remove", remove),
    ):
        desk.action(f"{one}/{word}", f"integration_{word}", do, right=right, back=show_untyped)


def get(visit: Visit, ident: str, *, lock: bool = False) -> Subscription:
    """An integration; people who subscribed are none.

    :raises NotFound: unless the page has it.
    """
    which = uuid_of(ident, "integration")
    row = subscriptions.get(visit.session, visit.page, which, lock=lock)
    if row.channel not in channels or kind_of(row.channel) == READERS:
        raise NotFound("integration", ident)
    return row


def show_new(visit: Visit) -> str:
    channel = _channel_asked()
    asked = request.values.get("format", "")
    allowed = wishes.allowed_formats(channel)
    default = channels[channel].default_format
    format = asked if asked in allowed else default
    contact = owner_notices.default(channel, visit.actor) or ""
    view = IntegrationView(**_of_channel(channel), format=format, contact=contact)
    return _shown(visit, view)


def make(visit: Visit) -> Done | Told:
    typed, channel = visit.sent, _channel_asked()
    values = _values(typed)
    values |= {"channel": channel, "address": reading.words(typed, "address").strip()}
    wish = Wish(**reading.checked(NewSubscription, values))
    wishes.check(visit.session, visit.page, wish)
    is_webhook = wishes.checked(wish).channel == WebhookChannel.name
    if is_webhook and is_slacks(wish.address, current_settings()):
        raise Invalid.field("address", SLACKS)
    with visit.outside():
        wishes.vet(wish)
    stored_pages.hold(visit.session, visit.page.id)
    kept = wishes.checked(wish)
    there = stored.by_address(visit.session, visit.page.id, kept.channel, kept.address)
    if there is not None and there.state is not SubscriptionState.ENDED:
        raise Invalid.field("address", KNOWN)
    new = signing.new_secret() if kept.channel == WebhookChannel.name else None
    row = subscriptions.subscribe(
        visit.session, visit.page, wish, proven=True, actor=visit.actor, new_secret=new
    )
    ident = str(row.id)
    if new is None or kept.secret is not None:
        return Done("integration", "integration_added", {"ident": ident})
    return _told(row, new)


def show(visit: Visit, ident: str) -> str:
    row = get(visit, ident)
    present = _present(visit, row)
    if visit.typed is not None:
        telling.follow(visit, {name: present[name] for name in FIELDS})
        for name in TICKS:
            telling.follow_ticks(visit, name, present[name].split())
    changed = telling.seen(visit, "updated_at", row.updated_at.isoformat(), told=OTHERS)
    seen = [*present.items(), ("updated_at", changed)]
    return _shown(visit, _view(visit, row, present), seen=seen)


def show_untyped(visit: Visit, ident: str) -> str:
    """The page behind a button: nothing was typed into its form."""
    visit.typed = None
    return show(visit, ident)


def change(visit: Visit, ident: str) -> Done:
    row = get(visit, ident, lock=True)
    typed, present = visit.sent, _present(visit, row)
    joined = typed.copy()
    for name in TICKS:
        joined.setlist(name, [_joined(typed.getlist(name))])
    reading.check_seen(joined, present, what="this integration")
    values = _values(typed, present)
    checked = reading.checked(SubscriptionChange, values)
    # Nobody sees whether a secret is another one by now; the same one, sent twice, is none.
    if (
        (secret := values.get("secret"))
        and not signing_secrets.is_current(visit.session, row, secret)
        and reading.carried(typed, "was.updated_at") != row.updated_at
    ):
        raise Conflict(OTHERS)
    subscription_changes.change(visit.session, visit.page, row, checked, actor=visit.actor)
    return Done("integration", "integration_changed", {"ident": ident})


def enable(visit: Visit, ident: str) -> Done:
    subscriptions.enable(visit.session, get(visit, ident, lock=True), actor=visit.actor)
    return Done("integration", "integration_on", {"ident": ident})


def disable(visit: Visit, ident: str) -> Done:
    subscriptions.disable(
        visit.session,
        get(visit, ident, lock=True),
        reason="Disabled by a member.",
        actor=visit.actor,
    )
    return Done("integration", "integration_off", {"ident": ident})


def rotate(visit: Visit, ident: str) -> Told:
    row = get(visit, ident, lock=True)
    changed = reading.carried(visit.sent, "changed")
    secret = signing_secrets.rotate(visit.session, row, changed=changed, actor=visit.actor)
    return _told(row, secret)


def remove(visit: Visit, ident: str) -> Done:
    row = get(visit, ident, lock=True)
    subscriptions.remove(visit.session, row, actor=visit.actor)
    return Done("integrations", "integration_removed")


def _told(row: Subscription, secret: str) -> Told:
    ident, name, until = str(row.id), name_of(row), row.previous_until
    return Told(
        lambda visit: documents.secret_made(
            visit.room("integrations"), ident=ident, name=name, secret=secret, until=until
        )
    )


def _channel_asked() -> str:
    """:raises NotFound: for what is no channel with endpoints."""
    name = request.values.get("channel", WebhookChannel.name)
    if name not in channels or kind_of(name) != ENDPOINTS:
        raise NotFound("channel", name)
    return name


def _without_secrets(typed: Typed) -> Typed:
    """What may be shown again of what was typed for a new one."""
    left = typed.copy()
    left.poplist("secret")
    if _hides(request.values.get("channel", WebhookChannel.name), typed):
        left.poplist("address")
    elif "address" in left:
        left["address"] = without_user(left["address"])
    return left


def _hides(channel: str, typed: Typed) -> bool:
    """Whether what was typed as the address is a secret, by channel, format, or where it leads."""
    name, address = typed.get("format", ""), typed.get("address", "")
    return channel not in channels or (
        channels[channel].secret_address
        or (name in formats and formats[name].secret_address)
        or is_slacks(address, current_settings())
        or _names_slack(address)
    )


def _names_slack(text: str) -> bool:
    """Whether a host of Slack's stands in what may be no address, such as one with a typing error."""
    names = "|".join(map(re.escape, current_settings().slack_hosts))
    return bool(names) and re.search(rf"(?i)(?<![\w.-])({names})(?![\w-]|\.\w)", text) is not None


def _values(typed: Typed, present: dict[str, str] | None = None) -> dict[str, Any]:
    """What was typed, as the manage API would get it.

    :param present: what the form shows: what is the same as that is left out, and so stays as it is.
    :raises Invalid: when only some events are wanted and none is ticked.
    """
    was = present or {}
    values: dict[str, Any] = {
        name: reading.words(typed, name).strip() or None
        for name in ("format", "level", "contact", "locale", "time_zone")
        if name in typed and reading.words(typed, name).strip() != was.get(name, "")
    }
    values |= reading.some(typed, "secret")
    some = reading.words(typed, "heard") == "some"
    events = reading.chosen(typed.getlist("events"))
    has_heard = (some, _joined(events) if some else "")
    if "heard" in typed and has_heard != (was.get("heard") == "some", was.get("events", "")):
        if some and not events:
            raise Invalid.field("events", "Tick at least one event.")
        values["events"] = events if some else None
    components = reading.chosen(typed.getlist("components"))
    if _joined(components) != was.get("components", ""):
        values["components"] = components
    return values


def _present(visit: Visit, row: Subscription) -> dict[str, str]:
    """The fields of the form as they are, without what is a secret; of several values joined by spaces."""
    chosen = {item.component_id for item in row.chosen}
    here = visit.session.scalars(stored_components.of_page(visit.page.id)) if chosen else ()
    return {
        "format": row.format,
        "level": row.level or "",
        "heard": "usual" if row.events is None else "some",
        "contact": row.contact or "",
        "locale": row.locale or "",
        "time_zone": row.time_zone or "",
        "events": _joined(row.events or ()),
        "components": _joined(service.slug for service in here if service.id in chosen),
    }


def _joined(names: Any) -> str:
    return " ".join(sorted(names))


def _of_channel(channel: str) -> dict[str, Any]:
    allowed = wishes.allowed_formats(channel)
    return {
        "channel": channel,
        "formats": allowed,
        "levels": list(dict.fromkeys(level for name in allowed for level in formats[name].levels)),
        "offered": {event for name in allowed for event in formats[name].offered},
        "signs": channel == WebhookChannel.name,
        "hides_address": channels[channel].secret_address,
        "is_public": kind_of(channel) == ACCOUNTS,
    }


def _view(visit: Visit, row: Subscription, present: dict[str, str]) -> IntegrationView:
    until = row.previous_until
    return IntegrationView(
        **_of_channel(row.channel),
        format=row.format,
        level=present["level"],
        heard=present["heard"],
        contact=present["contact"],
        locale=present["locale"],
        time_zone=present["time_zone"],
        events=present["events"].split(),
        components=present["components"].split(),
        id=str(row.id),
        name=name_of(row),
        state=row.state.value,
        reason=row.reason,
        by=row.actor,
        since=row.created_at,
        changed=row.updated_at,
        signed=bool(row.is_signed),
        old_secret_until=until if until and until > utc_now() else None,
    )


def _shown(visit: Visit, view: IntegrationView, seen: Any = ()) -> str:
    return documents.integration(
        visit.room("integrations"),
        view,
        missing=channels[view.channel].available(current_settings()),
        services=telling.names(visit),
        seen=seen,
    )
