"""What a subscription wants: taken from a wish, chosen by its owner, changed by a member.

Whatever changes, format, level and events go together afterwards, or the change is refused: nothing that somebody chose
is dropped silently.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery.channels import channels
from ..delivery.channels.slack import SlackChannel, is_slacks
from ..delivery.formats import formats
from ..errors import Invalid
from ..state import current_settings
from ..storage import reformatting
from ..storage.base import utc_now
from ..storage.pages import Page
from ..storage.subscriptions import SubscribedComponent, Subscription, SubscriptionState
from . import components, owner_notices, page_fields, policies, signing_secrets, wishes
from .subscription_log import kept, kept_after, note
from .wishes import Wish

READING = ("locale", "time_zone")
"""What a subscription says of whoever reads its messages."""


def apply(
    session: Session, subscription: Subscription, wish: Wish, component_ids: Collection[UUID]
) -> bool:
    """Let *subscription* want what a checked *wish* says; returns whether it signs with another secret from now on.

    A secret that is not given stays with a subscription that goes on; one that begins anew begins without.
    """
    assert wish.format is not None
    goes_on, spoken = subscription.state is SubscriptionState.ACTIVE, subscription.format
    heard = wish.events
    if wish.adds and goes_on:
        heard = _with_events(subscription, heard)
        component_ids = _with_components(subscription, component_ids)
    subscription.format, subscription.level = wish.format, wish.level
    _keep_secret(session, subscription)
    subscription.events = None if heard is None else sorted(heard)
    # Visitors cannot ask for a policy, so theirs does not take away the one that a member gave.
    if not (wish.by_visitor and goes_on):
        subscription.policy = None if wish.policy is None else dict(wish.policy)
    subscription.contact = wish.contact
    subscription.locale = wish.locale or subscription.locale or wish.likely_locale
    subscription.time_zone = wish.time_zone or subscription.time_zone
    changed = False
    if wish.secret is not None or not goes_on:
        changed = signing_secrets.give(session, subscription, wish.secret, keep=goes_on)
    _choose_components(subscription, component_ids)
    subscription.updated_at = utc_now()
    _word_anew(session, subscription, spoken)
    return changed


def choose(
    session: Session,
    page: Page,
    subscription: Subscription,
    *,
    wanted: Collection[str],
    event_names: Collection[str] | None,
    reading: Mapping[str, str | None] | None = None,
) -> Subscription:
    """The owner chooses components (none: all) and events.

    :param reading: what is to be changed of ``locale`` and ``time_zone``; None gives a word back to the page.
    :raises Invalid: naming the field.
    """
    before = kept(subscription)
    _read(subscription, reading or {})
    _choose(session, page, subscription, wanted, event_names)
    note(session, "change", subscription, None, before=before, after=kept(subscription))
    return subscription


def change(
    session: Session,
    page: Page,
    subscription: Subscription,
    values: Mapping[str, Any],
    *,
    actor: str | None,
) -> Subscription:
    """A member changes ``components contact events format level locale policy secret time_zone``.

    ``policy`` is the whole of it: what it does not name is the format's again. The secret before a new one counts for
    another day.

    :raises Invalid: naming the field; ``level`` or ``events`` also where the format that is changed does not know what
        was chosen before.
    """
    before = kept(subscription)
    contact, spoken = subscription.contact, subscription.format
    if "format" in values:
        wishes.check_format(values["format"], subscription.channel)
        _check_place(values["format"], subscription)
        subscription.format = values["format"]
    if "level" in values:
        subscription.level = values["level"]
    wishes.check_level(subscription.level, subscription.format)
    if "policy" in values:
        subscription.policy = policies.checked(values["policy"])
    policies.check_size(subscription.policy, subscription.format)
    if "contact" in values:
        subscription.contact = owner_notices.check(values["contact"], subscription.channel)
    _read(subscription, {name: values[name] for name in READING if name in values})
    event_names = values.get("events", subscription.events)
    _choose(session, page, subscription, values.get("components"), event_names)
    resigned = False
    if "secret" in values:
        signing_secrets.check(values["secret"], subscription.channel)
        resigned = signing_secrets.give(session, subscription, values["secret"], keep=True)
    session.flush()
    _keep_secret(session, subscription)
    _word_anew(session, subscription, spoken)
    after = kept_after(subscription, before, contact=contact, resigned=resigned)
    note(session, "change", subscription, actor, before=before, after=after)
    return subscription


def _check_place(format: str, subscription: Subscription) -> None:
    """A webhook that leads to Slack must not come to what the channel of that name is for."""
    slack = SlackChannel.default_format
    if subscription.channel == SlackChannel.name or format != slack or subscription.format == slack:
        return
    if is_slacks(subscription.target, current_settings()):
        raise Invalid.field("format", "Subscribe this address by the channel slack instead.")


def _choose(
    session: Session,
    page: Page,
    subscription: Subscription,
    wanted: Collection[str] | None,
    event_names: Collection[str] | None,
) -> None:
    """:param wanted: None: the components stay, those too that have left the page."""
    wishes.check_events(event_names, subscription.format)
    if wanted is not None:
        chosen = components.named(session, page, list(wanted))
        _choose_components(subscription, [component.id for component in chosen])
    subscription.events = None if event_names is None else sorted(event_names)
    subscription.updated_at = utc_now()
    session.flush()


def _read(subscription: Subscription, reading: Mapping[str, str | None]) -> None:
    for name, value in page_fields.checked(reading).items():
        setattr(subscription, name, value)


def _with_events(subscription: Subscription, names: Collection[str] | None) -> list[str] | None:
    """What *subscription* hears of, and *names*; None: what is usual."""
    present = subscription.events
    if names is None:
        return present
    heard = formats[subscription.format].unasked if present is None else frozenset(present)
    return present if heard.issuperset(names) else sorted(heard.union(names))


def _with_components(
    subscription: Subscription, component_ids: Collection[UUID]
) -> Collection[UUID]:
    """What *subscription* is about, and these; none: all, which more cannot be added to."""
    present = [item.component_id for item in subscription.chosen]
    if not present or not component_ids:
        return []
    return list(dict.fromkeys([*present, *component_ids]))


def _choose_components(subscription: Subscription, component_ids: Collection[UUID]) -> None:
    there = {item.component_id: item for item in subscription.chosen}
    subscription.chosen = [
        there.get(component_id) or SubscribedComponent(component_id=component_id)
        for component_id in component_ids
    ]


def _word_anew(session: Session, subscription: Subscription, spoken: str | None) -> None:
    """What was worded in the format *spoken* until now must not be completed, signed and sent as another one's."""
    if spoken is None or subscription.format == spoken:
        return
    words = formats[subscription.format].words
    reason = f"The format is {subscription.format!r} now, which has no words for this event."
    reformatting.forget_bodies(session, subscription.id, words, reason, utc_now())


def _keep_secret(session: Session, subscription: Subscription) -> None:
    """Hide the address where its channel or format wants it. Another format does not bring it back to light."""
    is_secret = (
        channels[subscription.channel].secret_address or formats[subscription.format].secret_address
    )
    if not is_secret or subscription.sealed_address is not None:
        return
    address = subscription.address
    subscription.hide_address()
    session.flush()
    reformatting.hide_address(session, subscription.id, address, subscription.address)
