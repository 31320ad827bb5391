"""The pages and forms of people who subscribe: sign up, confirm, choose, leave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.events import COMPONENT_EVENTS, INCIDENT_EVENTS, MAINTENANCE_EVENTS, REMINDER
from ..domain.facts import ComponentFact, ShownPage
from ..errors import FieldError
from ..translation import said
from .channel_words import ChannelWords, channel_words, format_word
from .form_problems import absent, problems_of
from .reading import Reading, reading
from .rendering import Frame, Urls, render
from .words import EVENTS as EVENTS

_READING = frozenset({"locale", "time_zone"})

CHOICE = (*INCIDENT_EVENTS, *MAINTENANCE_EVENTS, REMINDER, *COMPONENT_EVENTS)
"""The events that a visitor can choose from before it is known which format tells them."""

FEW_SERVICES = 8
"""So many services are one list in a form, each with the name of its group behind it."""

_FEEDS = (
    ("feed", "RSS"),
    ("atom", "Atom"),
    ("calendar", said("Calendar (iCalendar)")),
)


@dataclass(frozen=True)
class Way:
    """A channel as a form offers it; ``formats`` are pairs of a name and its words, if there is a choice."""

    name: str
    words: ChannelWords
    formats: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ServiceGroup:
    """Services as a form offers them; without a name where they are not put into groups."""

    name: str
    components: tuple[ComponentFact, ...]


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
    frame: Frame,
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
) -> str:
    """The form to subscribe with.

    Fields that it posts: ``channel``, ``<channel>_address`` and ``<channel>_format`` for each channel, ``secret``,
    ``scope`` (``all`` or ``some``), ``components`` (slugs, repeated), ``events_scope`` (``usual`` or ``some``),
    ``events`` (names, repeated) and ``csrf_token`` where one was given.

    :param channels: which of :data:`.channel_words.CHANNELS` can be chosen; without one the page says that.
    :param formats: those that a channel's messages can be written in, where there is a choice.
    :param usual: the events that somebody gets who chooses none.
    :param values: what was typed before, by the names above, or ``address`` for the channel that was chosen.
        A secret is never printed again. Whoever sent a ``locale`` or ``time_zone``, which a form of the host's may
        ask for, is shown the fields for them.
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
    words = frame.words(page)
    return render(
        "subscribe",
        page,
        frame,
        here="subscribe",
        services=services_of(components),
        ways=ways_of(channels, formats or {}),
        channel=channel,
        addresses=addresses,
        chosen_formats={
            name: values.get(f"{name}_format") or values.get("format") for name in channels
        },
        scope=values.get("scope") or ("some" if chosen else "all"),
        chosen=chosen,
        events=[(name, words.event(name)) for name in CHOICE],
        events_scope=values.get("events_scope") or ("some" if values.get("events") else "usual"),
        chosen_events=_chosen(values.get("events")) or _chosen(usual),
        feeds=_feeds(frame.urls, [fact for fact in components if fact.slug in chosen]),
        reading=reading(values.get("locale"), values.get("time_zone"))
        if _READING.intersection(values)
        else None,
        problems=problems_of(form_errors, absent=absent(components, channels)),
        csrf_token=csrf_token,
        action=action or frame.urls("subscribe"),
        standing=standing,
        known_email=known_email,
    )


def subscribe_done(
    page: ShownPage, frame: Frame, *, channel: str, is_asked: bool, needs_approval: bool = False
) -> str:
    """The answer to a sign-up; the same whether or not the address was known before.

    :param is_asked: its owner has to confirm it first.
    :param needs_approval: a member has to.
    """
    return render(
        "subscribe_done",
        page,
        frame,
        way=channel_words(channel),
        is_asked=is_asked,
        needs_approval=needs_approval,
    )


def confirm(
    page: ShownPage,
    frame: Frame,
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
        frame,
        address=address,
        services=services,
        csrf_token=csrf_token,
        action=frame.urls("confirm", token=token),
    )


def enter_code(
    page: ShownPage,
    frame: Frame,
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
        frame,
        code=code,
        problems=problems_of(form_errors),
        action=frame.urls("confirm", token=token),
    )


def manage(
    page: ShownPage,
    frame: Frame,
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
    words = frame.words(page)
    return render(
        "manage",
        page,
        frame,
        address=address,
        services=services_of(components),
        scope=values.get("scope") or ("some" if chosen else "all"),
        chosen=chosen,
        events=[(name, words.event(name)) for name in offered_events],
        events_scope=values.get("events_scope") or "some",
        chosen_events=_chosen(values.get("events")),
        problems=problems_of(form_errors),
        csrf_token=csrf_token,
        saved=saved,
        confirmed=confirmed,
        is_active=is_active,
        can_return=can_return,
        reading=reading,
        action=frame.urls("manage", token=token),
        unsubscribe_url=frame.urls("unsubscribe", token=token),
    )


def unsubscribe(
    page: ShownPage, frame: Frame, *, token: str, address: str, csrf_token: str | None = None
) -> str:
    """Asks whether to end a subscription; only the button does."""
    return render(
        "unsubscribe",
        page,
        frame,
        address=address,
        csrf_token=csrf_token,
        action=frame.urls("unsubscribe", token=token),
    )


def unsubscribed(page: ShownPage, frame: Frame, *, address: str) -> str:
    """The answer to the end of a subscription."""
    return render("unsubscribed", page, frame, address=address)


def ways_of(channels: Sequence[str], formats: Mapping[str, Sequence[str]]) -> list[Way]:
    """The channels as a form offers them, each with the formats that can be chosen, if there is a choice."""
    return [
        Way(
            name,
            channel_words(name),
            tuple((other, format_word(other)) for other in offered) if len(offered) > 1 else (),
        )
        for name in channels
        for offered in (formats.get(name, ()),)
    ]


def services_of(components: Sequence[ComponentFact]) -> list[ServiceGroup]:
    """The services in the order of the page; by their groups where they are many."""
    names = {fact.group or "" for fact in components}
    if len(components) <= FEW_SERVICES or names == {""}:
        return [ServiceGroup("", tuple(components))] if components else []
    grouped: dict[str, list[ComponentFact]] = {}
    for fact in components:
        grouped.setdefault(fact.group or "", []).append(fact)
    return [ServiceGroup(name, tuple(facts)) for name, facts in grouped.items()]


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
