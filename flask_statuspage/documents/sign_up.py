"""The pages and forms of people who subscribe: sign up, confirm, choose, leave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.events import COMPONENT_EVENTS, INCIDENT_EVENTS, MAINTENANCE_EVENTS, REMINDER
from ..domain.facts import ComponentFact, ShownPage
from ..errors import FieldError
from . import words
from .reading import Reading
from .rendering import Urls, render

# The field that an error's link leads to; errors of other fields are printed without a link.
_TARGETS = {
    "channel": "channel",
    "address": "address",
    "secret": "secret",
    "format": "format",
    "scope": "scope",
    "components": "scope",
    "events_scope": "events",
    "events": "events",
    "locale": "locale",
    "time_zone": "time-zone",
    "code": "code",
}

CHOICE = (*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, REMINDER, *COMPONENT_EVENTS)
"""The events that a visitor can choose from before it is known which format tells them."""

_FEEDS = (
    ("feed", "RSS"),
    ("atom", "Atom"),
    ("calendar", "Calendar (iCalendar)"),
)


@dataclass(frozen=True)
class Problem:
    """A wrong field as the summary above a form lists it; ``target`` is what its link leads to."""

    field: str
    message: str
    target: str | None


@dataclass(frozen=True)
class Way:
    """A channel as a form offers it; ``formats`` are pairs of a name and its words, if there is a choice."""

    name: str
    words: words.ChannelWords
    formats: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a signed-in customer's own subscription is.

    :param services: names of what it is about; none: all.
    :param manage_url: where it is changed.
    :param covers: whether it has all that the form is for.
    """

    services: tuple[str, ...]
    manage_url: str
    covers: bool


def subscribe_form(
    page: ShownPage,
    urls: Urls,
    *,
    components: Sequence[ComponentFact],
    channels: Sequence[str] = ("email",),
    formats: Mapping[str, Sequence[str]] | None = None,
    usual: Collection[str] = (),
    values: Mapping[str, Any] | None = None,
    form_errors: Iterable[FieldError] = (),
    csrf_token: str | None = None,
    action: str | None = None,
    known_email: str | None = None,
    standing: Standing | None = None,
    standalone: bool = False,
) -> str:
    """The form to subscribe with.

    Fields that it posts: ``channel``, ``<channel>_address`` and ``<channel>_format`` for each channel, ``secret``,
    ``scope`` (``all`` or ``some``), ``components`` (slugs, repeated), ``events_scope`` (``usual`` or ``some``),
    ``events`` (names, repeated) and ``csrf_token`` where one was given.

    :param channels: which of :data:`.words.CHANNELS` can be chosen; without one the page says that.
    :param formats: those that a channel's messages can be written in, where there is a choice.
    :param usual: the events that somebody gets who chooses none.
    :param values: what was typed before, by the names above, or ``address`` for the channel that was chosen.
        A secret is never printed again.
    :param known_email: of the visitor, where the host knows it.
    :param standing: of the visitor's subscription, if there is one.
    """
    values = values or {}
    typed = values.get("channel")
    channel = typed if typed in channels else next(iter(channels), None)
    chosen = _chosen(values.get("components"))
    addresses = {name: values.get(f"{name}_address") or "" for name in channels}
    if channel is not None and values.get("address"):
        addresses[channel] = values["address"]
    if "email" in addresses:
        addresses["email"] = addresses["email"] or known_email or ""
    return render(
        "subscribe",
        page,
        urls,
        here="subscribe",
        components=components,
        ways=ways_of(channels, formats or {}),
        channel=channel,
        addresses=addresses,
        chosen_formats={
            name: values.get(f"{name}_format") or values.get("format") for name in channels
        },
        scope=values.get("scope") or ("some" if chosen else "all"),
        chosen=chosen,
        events=[(name, words.EVENTS[name]) for name in CHOICE],
        events_scope=values.get("events_scope") or ("some" if values.get("events") else "usual"),
        chosen_events=_chosen(values.get("events")) or _chosen(usual),
        feeds=_feeds(urls, [fact for fact in components if fact.slug in chosen]),
        problems=problems_of(form_errors),
        csrf_token=csrf_token,
        action=action or urls("subscribe"),
        standing=standing,
        known_email=known_email,
        standalone=standalone,
    )


def subscribe_done(
    page: ShownPage, urls: Urls, *, channel: str, is_asked: bool, needs_approval: bool = False
) -> str:
    """The answer to a sign-up; the same whether or not the address was known before.

    :param is_asked: its owner has to confirm it first.
    :param needs_approval: a member has to.
    """
    return render(
        "subscribe_done",
        page,
        urls,
        way=words.channel(channel),
        is_asked=is_asked,
        needs_approval=needs_approval,
    )


def confirm(
    page: ShownPage,
    urls: Urls,
    *,
    token: str,
    address: str,
    services: Sequence[str] = (),
    csrf_token: str | None = None,
) -> str:
    """Asks whether *address* wants to be subscribed; only the button confirms.

    :param services: the names that were chosen; all of the page without one.
    """
    return render(
        "confirm",
        page,
        urls,
        address=address,
        services=services,
        csrf_token=csrf_token,
        action=urls("confirm", token=token),
    )


def enter_code(
    page: ShownPage,
    urls: Urls,
    *,
    token: str,
    code: str = "",
    form_errors: Iterable[FieldError] = (),
) -> str:
    """Asks for the code that was sent; the same whether or not one was.

    :param code: what was typed before.
    """
    return render(
        "confirm_code",
        page,
        urls,
        code=code,
        problems=problems_of(form_errors),
        action=urls("confirm", token=token),
    )


def manage(
    page: ShownPage,
    urls: Urls,
    *,
    token: str,
    address: str,
    components: Sequence[ComponentFact],
    offered_events: Sequence[str],
    values: Mapping[str, Any],
    form_errors: Iterable[FieldError] = (),
    csrf_token: str | None = None,
    saved: bool = False,
    confirmed: bool = False,
    is_active: bool = True,
    can_return: bool = False,
    reading: Reading | None = None,
) -> str:
    """What one subscription wants to hear of, to be changed or ended.

    Fields that it posts: ``scope``, ``components`` (slugs), ``events_scope`` (``usual`` or ``some``), ``events``
    (names) and ``csrf_token``.

    :param offered_events: those of :data:`.words.EVENTS` that can be chosen.
    :param values: the choice now, or the one that was wrong: ``scope``, ``components``, ``events_scope``, ``events``.
    :param saved: whether to say that the choice was saved.
    :param confirmed: whether to say that the subscription has just begun.
    :param is_active: whether anything is sent.
    :param can_return: where nothing is: whether whoever has the address may subscribe it again by themselves.
    :param reading: where people read the messages: their language and clock, posted as ``locale`` and ``time_zone``.
    """
    chosen = _chosen(values.get("components"))
    return render(
        "manage",
        page,
        urls,
        address=address,
        components=components,
        scope=values.get("scope") or ("some" if chosen else "all"),
        chosen=chosen,
        events=[(name, words.EVENTS[name]) for name in offered_events],
        events_scope=values.get("events_scope") or "some",
        chosen_events=_chosen(values.get("events")),
        problems=problems_of(form_errors),
        csrf_token=csrf_token,
        saved=saved,
        confirmed=confirmed,
        is_active=is_active,
        can_return=can_return,
        reading=reading,
        action=urls("manage", token=token),
        unsubscribe_url=urls("unsubscribe", token=token),
    )


def unsubscribe(
    page: ShownPage, urls: Urls, *, token: str, address: str, csrf_token: str | None = None
) -> str:
    """Asks whether to end a subscription; only the button does."""
    return render(
        "unsubscribe",
        page,
        urls,
        address=address,
        csrf_token=csrf_token,
        action=urls("unsubscribe", token=token),
    )


def unsubscribed(page: ShownPage, urls: Urls, *, address: str) -> str:
    """The answer to the end of a subscription."""
    return render("unsubscribed", page, urls, address=address)


def ways_of(channels: Sequence[str], formats: Mapping[str, Sequence[str]]) -> list[Way]:
    """The channels as a form offers them, each with the formats that can be chosen, if there is a choice."""
    return [
        Way(
            name,
            words.channel(name),
            tuple((other, words.format(other)) for other in offered) if len(offered) > 1 else (),
        )
        for name in channels
        for offered in (formats.get(name, ()),)
    ]


def problems_of(errors: Iterable[FieldError]) -> tuple[Problem, ...]:
    """*errors* as a form lists them."""
    return tuple(
        Problem(field, error.message, _TARGETS.get(field))
        for error in errors
        for field in (error.field.partition(".")[0],)
    )


def _feeds(urls: Urls, chosen: Sequence[ComponentFact]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a feed is about (empty: everything), and the feeds' words and URLs."""
    feeds = [("", [(word, urls(name)) for name, word in _FEEDS])]
    feeds[0][1].append(("JSON", urls("summary_json")))
    for fact in chosen:
        below = {"component_slug": fact.slug}
        feeds.append(
            (fact.name, [(word, urls(f"component_{name}", **below)) for name, word in _FEEDS])
        )
    return feeds


def _chosen(values: Collection[str] | None) -> frozenset[str]:
    return frozenset(values or ())
