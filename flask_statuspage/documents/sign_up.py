"""The pages and forms of people who subscribe: sign up, confirm, choose, leave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

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
    "scope": "scope",
    "components": "scope",
    "events": "events",
    "locale": "locale",
    "time_zone": "time-zone",
    "code": "code",
}


@dataclass(frozen=True)
class Problem:
    """A wrong field as the summary above a form lists it; ``target`` is what its link leads to."""

    field: str
    message: str
    target: str | None


def subscribe_form(
    page: ShownPage,
    urls: Urls,
    *,
    components: Sequence[ComponentFact],
    channels: Sequence[str] = ("email",),
    values: Mapping[str, Any] | None = None,
    form_errors: Iterable[FieldError] = (),
    csrf_token: str | None = None,
    action: str | None = None,
    known_email: str | None = None,
    standalone: bool = False,
) -> str:
    """The form to subscribe with.

    Fields that it posts: ``channel``, ``address``, ``secret``, ``scope`` (``all`` or ``some``),
    ``components`` (slugs, repeated) and ``csrf_token`` where one was given.

    :param channels: which of :data:`.words.CHANNELS` can be chosen; without one the page says that.
    :param values: what was typed before: ``channel``, ``address``, ``scope``, ``components``.
        A secret is never printed again.
    :param known_email: of the visitor, where the host knows it.
    """
    values = values or {}
    typed = values.get("channel")
    chosen = _chosen(values.get("components"))
    return render(
        "subscribe",
        page,
        urls,
        here="subscribe",
        components=components,
        channels=[(name, words.CHANNELS[name]) for name in channels],
        addresses=words.ADDRESSES,
        channel=typed if typed in channels else next(iter(channels), None),
        address=values.get("address") or known_email or "",
        scope=values.get("scope") or ("some" if chosen else "all"),
        chosen=chosen,
        problems=_problems(form_errors),
        csrf_token=csrf_token,
        action=action or urls("subscribe"),
        standalone=standalone,
    )


def subscribe_box(
    page: ShownPage,
    urls: Urls,
    *,
    email: str | None = None,
    components: Sequence[str] = (),
    csrf_token: str | None = None,
    action: str | None = None,
    prefix: str = "sp-box",
) -> Markup:
    """A short form for a host's page that posts to the same place as :func:`subscribe_form`.

    :param email: of the visitor, where the host knows it; asked for otherwise.
    :param components: the slugs that it subscribes to; all services without one.
    :param prefix: begins every id, for two forms on one page.
    """
    html = render(
        "_subscribe_form",
        page,
        urls,
        email=email,
        components=components,
        csrf_token=csrf_token,
        action=action or urls("subscribe"),
        prefix=prefix,
    )
    return Markup(html)


def subscribe_done(
    page: ShownPage, urls: Urls, *, channel: str, needs_approval: bool = False
) -> str:
    """The answer to a sign-up; the same whether or not the address was known before."""
    return render("subscribe_done", page, urls, channel=channel, needs_approval=needs_approval)


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
        problems=_problems(form_errors),
        action=urls("confirm", token=token),
    )


def confirmed(page: ShownPage, urls: Urls, *, address: str, manage_url: str | None = None) -> str:
    """The answer to a confirmation."""
    return render("confirmed", page, urls, address=address, manage_url=manage_url)


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
    reading: Reading | None = None,
) -> str:
    """What one subscription wants to hear of, to be changed or ended.

    Fields that it posts: ``scope``, ``components`` (slugs), ``events`` (names) and ``csrf_token``.

    :param offered_events: those of :data:`.words.EVENTS` that can be chosen.
    :param values: the choice now: ``components`` and ``events``.
    :param saved: whether to say that the choice was saved.
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
        chosen_events=_chosen(values.get("events")),
        problems=_problems(form_errors),
        csrf_token=csrf_token,
        saved=saved,
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


def _chosen(values: Collection[str] | None) -> frozenset[str]:
    return frozenset(values or ())


def _problems(errors: Iterable[FieldError]) -> tuple[Problem, ...]:
    return tuple(
        Problem(field, error.message, _TARGETS.get(field))
        for error in errors
        for field in (error.field.partition(".")[0],)
    )
