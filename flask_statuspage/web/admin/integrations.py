"""The page "Integrations": a card for each channel of the installation, with the endpoints that the team set up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from flask import request

from ...delivery.channels import channels
from ...documents.console import integrations as documents
from ...documents.console.integrations import ChannelCard, EndpointRow, XView
from ...documents.console.pager import Pager
from ...domain.rights import Right
from ...services import accounts, addresses
from ...services.wishes import allowed_formats
from ...state import current_settings
from ...storage import accounts as stored_accounts
from ...storage import components as stored_components
from ...storage import delivery_log
from ...storage import integrations as stored
from ...storage.subscriptions import Subscription, SubscriptionState
from . import lists
from .desk import Desk
from .visit import Visit

CALLBACK = "/x/callback"
SUBSCRIBERS = "subscribers"
"""The area that looks after whoever subscribed, where there is one."""

AT_ONCE = 5
"""So many endpoints are on a card beside others; the card alone has all, a page at a time."""

NOTICES = {
    "connected": "The account is connected. Posts begin with the next event.",
    "disconnected": "The account is disconnected. Nothing is posted by it any more.",
    "left": (
        "The account is disconnected. Nothing is posted by it any more. X could not be told: end the access there, "
        "too, under the account's connected apps."
    ),
    "integration_added": "The integration is set up. It hears of the next event.",
    "integration_changed": "The integration is changed.",
    "integration_on": "The integration is on.",
    "integration_off": "The integration is off. Nothing is sent to it.",
    "integration_removed": "The integration is removed, with its log.",
}


def add_routes(desk: Desk) -> None:
    desk.area("integrations", "Integrations", Right.CONNECT, NOTICES)
    desk.page("/integrations", "integrations", show, right=Right.CONNECT)


def kind_of(channel: str) -> str:
    """What the addresses of a channel are to the console."""
    if channel in stored_accounts.KINDS:
        return documents.ACCOUNTS
    return documents.READERS if channels[channel].needs_confirmation else documents.ENDPOINTS


def name_of(row: Subscription) -> str:
    """What an integration is called: of two hidden addresses at one host the mark tells which is which."""
    return row.address if row.sealed_address is None else f"{row.address} #{row.id.hex[-6:]}"


def show(visit: Visit, **_: str) -> str:
    only = request.args.get("channel", "")
    names = [only] if only in channels else [name for name, _ in channels.items()]
    found, pagers = _endpoints(visit, names)
    rows = [row for rows in found.values() for row in rows]
    told = _rows(visit, rows)
    kinds = {name: kind_of(name) for name in names}
    visitors = stored.count_of_visitors(
        visit.session, visit.page.id, [name for name in names if kinds[name] == documents.ENDPOINTS]
    )
    cards = [
        ChannelCard(
            name=name,
            kind=kinds[name],
            missing=channels[name].available(current_settings()),
            rows=[told[row.id] for row in found.get(name, ())],
            pager=pagers.get(name, Pager()),
            list_url=visit.to("integrations", channel=name)
            if name in found and name not in pagers
            else None,
            visitors=visitors.get(name, 0),
            readers_url=_readers_url(visit, name),
        )
        for name in names
    ]
    x = _x(visit) if accounts.X in names else None
    return documents.integrations(
        visit.room("integrations"), cards=cards, x=x, only=only if only in channels else ""
    )


def _endpoints(
    visit: Visit, names: Sequence[str]
) -> tuple[dict[str, Sequence[Subscription]], dict[str, Pager]]:
    """The endpoints of each channel that has any, and the ways to all of them where not all are there."""
    found: dict[str, Sequence[Subscription]] = {}
    pagers: dict[str, Pager] = {}
    for name in names:
        if kind_of(name) != documents.ENDPOINTS:
            continue
        query = stored.of_team(visit.page.id, name)
        if len(names) == 1:
            found[name], pagers[name] = lists.listed(visit, query, "integrations", channel=name)
            continue
        rows = visit.session.scalars(query.limit(AT_ONCE + 1)).all()
        found[name] = rows[:AT_ONCE]
        if len(rows) <= AT_ONCE:
            pagers[name] = Pager()
    return found, pagers


def _rows(visit: Visit, rows: Sequence[Subscription]) -> dict[UUID, EndpointRow]:
    """What the cards say of *rows*, in as few statements as for one."""
    ids = [row.id for row in rows]
    succeeded = delivery_log.last_successes(visit.session, ids)
    failed = delivery_log.last_failures(visit.session, ids)
    services: dict[UUID, str] = {}
    if any(row.chosen for row in rows):
        here = visit.session.scalars(stored_components.of_page(visit.page.id))
        services = {service.id: service.name for service in here}
    return {row.id: _row(row, services, succeeded.get(row.id), failed.get(row.id)) for row in rows}


def _row(
    row: Subscription,
    services: Mapping[UUID, str],
    succeeded_at: datetime | None,
    failed: tuple[datetime, str] | None,
) -> EndpointRow:
    has_choice = len(allowed_formats(row.channel)) > 1
    return EndpointRow(
        id=str(row.id),
        name=name_of(row),
        format=documents.word_of_format(row.format) if has_choice else "",
        state=row.state.value,
        reason=row.reason,
        events="usual events" if row.events is None else _count(len(row.events), "event"),
        services=_named(services.get(item.component_id) for item in row.chosen) or "all services",
        succeeded_at=succeeded_at,
        failed_at=failed[0] if failed else None,
        failure=failed[1] if failed else "",
        tested=row.state is SubscriptionState.ACTIVE,
    )


def _named(names: Iterable[str | None]) -> str:
    listed = list(names)
    known = [name for name in listed if name]
    # Those that left the page stay chosen: nothing is heard of them, and the rest is not all.
    if len(known) > 3 or len(known) < len(listed):
        return _count(len(listed), "service")
    return ", ".join(known)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _readers_url(visit: Visit, channel: str) -> str | None:
    """Where whoever subscribed by *channel* is looked after."""
    if any(item.endpoint == SUBSCRIBERS and visit.may(item.right) for item in visit.areas):
        return visit.to(SUBSCRIBERS, channel=channel)
    return None


def _x(visit: Visit) -> XView:
    where = urlsplit(current_settings().x_authorize_url)
    visit.forms_lead_to.append(f"{where.scheme}://{where.netloc}")
    return XView(
        accounts=[_card(item) for item in accounts.connected(visit.session, visit.page)],
        callback_url=addresses.console_url(CALLBACK),
        is_guessed=addresses.is_guessed(),
    )


def _card(item: accounts.Connected) -> documents.AccountCard:
    subscription = item.subscription
    return documents.AccountCard(
        id=str(item.account.id),
        name=item.account.name,
        since=item.account.created_at,
        by=item.account.actor,
        state=subscription.state.value if subscription else None,
        reason=subscription.reason if subscription else None,
        subscription=str(subscription.id) if subscription else None,
        failed_at=item.failed_at,
        failure=item.failure,
    )
