"""The pages as HTML: one function for each template.

A host may override every template by a file of the same name in its own ``templates/statuspage/``
and choose what they extend (``STATUSPAGE_BASE_TEMPLATE``). ``urls`` is given by whoever mounts the
pages, so that templates never ask for endpoints by themselves. Times are in the page's zone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from flask import current_app, render_template
from markupsafe import Markup

from ..domain.facts import ComponentFact, IncidentFact, MaintenanceFact, ShownPage
from ..domain.markup import to_html
from ..domain.status import ComponentStatus
from ..errors import FieldError
from ..state import current_settings
from . import words
from .snapshot import Snapshot

_FOLDER = Path(__file__).absolute().parent.parent / "templates"
_OWN_TEMPLATES = frozenset(path.relative_to(_FOLDER).as_posix() for path in _FOLDER.rglob("*.html"))

# The field that an error's link leads to; errors of other fields are printed without a link.
_TARGETS = {
    "channel": "channel",
    "address": "address",
    "secret": "secret",
    "scope": "scope",
    "components": "scope",
    "events": "events",
}


class Urls(Protocol):
    """Where a page or file is: ``urls("incident", incident_id=…)``.

    Endpoints: ``home``, ``incident`` (incident_id), ``maintenance`` (maintenance_id),
    ``subscribe``, ``confirm``, ``manage`` and ``unsubscribe`` (token), ``badge``, ``summary_json``,
    ``status_json``, ``theme``, ``static`` (filename).
    """

    def __call__(self, endpoint: str, /, **values: Any) -> str: ...


@dataclass(frozen=True)
class Problem:
    """A wrong field as the summary above a form lists it; ``target`` is what its link leads to."""

    field: str
    message: str
    target: str | None


def is_impersonal() -> bool:
    """Whether the pages are made of our own templates only, so that they are the same for every visitor.

    A host's base template or override may greet whoever is signed in.
    """
    environment = current_app.jinja_env
    names = {current_settings().base_template, *_OWN_TEMPLATES}
    return all(
        (environment.get_template(name).filename or "").startswith(str(_FOLDER)) for name in names
    )


def home(snapshot: Snapshot, urls: Urls, *, stale_since: datetime | None = None) -> str:
    """The page itself.

    :param stale_since: when *snapshot* could no longer be renewed; the page then says so.
    """
    return _render(
        "home",
        snapshot.page,
        urls,
        here="home",
        snapshot=snapshot,
        banner=words.banner(snapshot),
        sections=words.sections(snapshot),
        days=words.past_days(snapshot),
        stale_since=stale_since,
    )


def incident(
    snapshot: Snapshot, fact: IncidentFact, urls: Urls, *, stale_since: datetime | None = None
) -> str:
    """One incident with all its updates, newest first."""
    until = fact.resolved_at or snapshot.generated_at
    return _render(
        "incident",
        snapshot.page,
        urls,
        snapshot=snapshot,
        incident=fact,
        lasted=words.duration(fact.started_at, until),
        stale_since=stale_since,
    )


def maintenance(
    snapshot: Snapshot, fact: MaintenanceFact, urls: Urls, *, stale_since: datetime | None = None
) -> str:
    """One maintenance with its window and all its updates, newest first."""
    return _render(
        "maintenance",
        snapshot.page,
        urls,
        snapshot=snapshot,
        maintenance=fact,
        is_overrun=fact.is_overrun(snapshot.generated_at),
        stale_since=stale_since,
    )


def banner_box(snapshot: Snapshot, urls: Urls) -> Markup:
    """A short note for a host's page; empty unless something is wrong, or maintenance is going on or near."""
    shown = words.banner(snapshot)
    calm = (ComponentStatus.OPERATIONAL, ComponentStatus.UNKNOWN)
    if shown.status in calm and not snapshot.open_incidents:
        near = words.near_maintenance(snapshot)
        if near is None:
            return Markup("")
        shown = words.announcement(near, ZoneInfo(snapshot.page.time_zone))
    return Markup(_render("_banner", snapshot.page, urls, snapshot=snapshot, banner=shown))


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
    return _render(
        "subscribe",
        page,
        urls,
        here="subscribe",
        components=components,
        channels=[(name, words.CHANNELS[name]) for name in channels],
        channel=typed if typed in channels else next(iter(channels), None),
        address=values.get("address") or known_email or "",
        scope=values.get("scope") or ("some" if chosen else "all"),
        chosen=chosen,
        problems=_problems(form_errors),
        csrf_token=csrf_token,
        action=action or urls("subscribe"),
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
    html = _render(
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
    return _render("subscribe_done", page, urls, channel=channel, needs_approval=needs_approval)


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
    return _render(
        "confirm",
        page,
        urls,
        address=address,
        services=services,
        csrf_token=csrf_token,
        action=urls("confirm", token=token),
    )


def confirmed(page: ShownPage, urls: Urls, *, address: str, manage_url: str | None = None) -> str:
    """The answer to a confirmation."""
    return _render("confirmed", page, urls, address=address, manage_url=manage_url)


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
) -> str:
    """What one subscription wants to hear of, to be changed or ended.

    Fields that it posts: ``scope``, ``components`` (slugs), ``events`` (names) and ``csrf_token``.

    :param offered_events: those of :data:`.words.EVENTS` that can be chosen.
    :param values: the choice now: ``components`` and ``events``.
    :param saved: whether to say that the choice was saved.
    """
    chosen = _chosen(values.get("components"))
    return _render(
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
        action=urls("manage", token=token),
        unsubscribe_url=urls("unsubscribe", token=token),
    )


def unsubscribe(
    page: ShownPage, urls: Urls, *, token: str, address: str, csrf_token: str | None = None
) -> str:
    """Asks whether to end a subscription; only the button does."""
    return _render(
        "unsubscribe",
        page,
        urls,
        address=address,
        csrf_token=csrf_token,
        action=urls("unsubscribe", token=token),
    )


def unsubscribed(page: ShownPage, urls: Urls, *, address: str) -> str:
    """The answer to the end of a subscription."""
    return _render("unsubscribed", page, urls, address=address)


def error(
    page: ShownPage | None,
    urls: Urls,
    *,
    title: str,
    message: str,
    next_url: str | None = None,
    next_label: str = "Go to the current status",
) -> str:
    """Something that cannot be shown or done, with one way on.

    :param page: None where there is no page either.
    :param next_url: where *next_label* leads; the page without it.
    """
    return _render(
        "error",
        page,
        urls,
        title=title,
        message=message,
        next_url=next_url or urls("home"),
        next_label=next_label,
    )


def _render(
    template: str, page: ShownPage | None, urls: Urls, *, here: str | None = None, **context: Any
) -> str:
    settings = current_settings()
    zone = ZoneInfo(page.time_zone if page else settings.time_zone)
    return render_template(
        f"statuspage/{template}.html",
        base_template=settings.base_template,
        heading_level=settings.heading_level,
        page=page,
        urls=urls,
        here=here,
        words=words,
        zone=zone.key,
        moment=partial(words.moment, zone=zone),
        markdown=_markdown,
        **context,
    )


def _markdown(text: str) -> Markup:
    return Markup(to_html(text))


def _chosen(values: Collection[str] | None) -> frozenset[str]:
    return frozenset(values or ())


def _problems(errors: Iterable[FieldError]) -> tuple[Problem, ...]:
    return tuple(
        Problem(field, error.message, _TARGETS.get(field))
        for error in errors
        for field in (error.field.partition(".")[0],)
    )
