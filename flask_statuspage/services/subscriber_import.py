"""Many subscribers at once, from a file: all of it is looked at before anything is written, and all or nothing is.

Nobody is brought back: whoever unsubscribed, was switched off, or whose address is silenced is passed over and counted,
as is whoever is subscribed already, whose choices stay as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from ..domain.events import CONFIRMATION
from ..domain.ids import new_id
from ..domain.subscriber_lines import MAX_PROBLEMS, Line, Problem, read
from ..errors import Invalid
from ..storage import components, pages, subscriber_list
from ..storage import subscriptions as stored
from ..storage.base import utc_now
from ..storage.pages import Page
from ..storage.session import in_pages
from ..storage.subscriptions import SubscribedComponent, Subscription, SubscriptionState
from . import audit, confirmations, events, import_ledger, subscription_log, subscriptions, wishes
from .wishes import Wish

ADDED = (SubscriptionState.PENDING, SubscriptionState.ACTIVE)
"""Lines in these states are added; those in the others tell of somebody who is not to be written to."""

AT_ONCE = 500
"""Subscriptions that one statement writes."""

_COLUMN = {"components": "services", "locale": "language"}


@dataclass(kw_only=True)
class Counts:
    """What becomes of the lines.

    :param doubles: the address stands above already.
    :param known: it is subscribed already, or waits for its owner's word.
    :param unsubscribed: its owner ended the subscription; *off*: it is switched off here.
    :param silenced: nothing may be sent there: it bounced, or its owner said STOP.
    :param unwanted: the file itself says that it is disabled or ended.
    """

    active: int = 0
    pending: int = 0
    doubles: int = 0
    known: int = 0
    unsubscribed: int = 0
    off: int = 0
    silenced: int = 0
    unwanted: int = 0

    @property
    def added(self) -> int:
        return self.active + self.pending


@dataclass(frozen=True)
class _Asked:
    """What a line asks for by the rules of every sign-up, with all that is wrong with it."""

    line: Line
    wish: Wish
    state: SubscriptionState
    problems: Sequence[Problem]


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A file that was read; which services there are, and who is known, is not yet looked up."""

    text: str = field(repr=False)
    usual: SubscriptionState
    asked: Sequence[_Asked] = field(repr=False)
    problems: Sequence[Problem]


@dataclass(frozen=True)
class _Newcomer:
    wish: Wish
    digest: str
    component_ids: tuple[UUID, ...]
    state: SubscriptionState


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a file amounts to. ``mark`` is another one when the file, or what comes of it, is.

    Of more than :data:`~..domain.subscriber_lines.MAX_PROBLEMS` problems it has the first ones. With any, nothing is
    counted.
    """

    counts: Counts
    problems: Sequence[Problem]
    mark: str
    newcomers: Sequence[_Newcomer] = field(repr=False)


def look(text: str, *, usual: SubscriptionState) -> Looked:
    """Read a file and check its lines by all rules that need no database: what takes time, and holds nobody up.

    :param text: see :mod:`~..domain.subscriber_lines`.
    :param usual: the state of lines that name none.
    """
    lines, problems = read(text)
    asked: list[_Asked] = []
    for line in lines:
        if len(problems) >= MAX_PROBLEMS:
            break
        found = _asked(line, usual)
        problems += found.problems
        asked.append(found)
    return Looked(text=text, usual=usual, asked=asked, problems=problems)


def plan(session: Session, page: Page, looked: Looked) -> Plan:
    """What becomes of the lines on *page*, without writing anything."""
    problems = list(looked.problems)
    services = _services(session, page)
    checked: list[_Newcomer] = []
    for one in looked.asked:
        if len(problems) >= MAX_PROBLEMS:
            break
        ids = [services.get(name.lower()) for name in one.line.services]
        problems += [
            Problem(line=one.line.number, column="services", words=words)
            for name, found in zip(one.line.services, ids, strict=True)
            if found is None and (words := f"There is no service {name[:80]!r} on this page.")
        ][: MAX_PROBLEMS - len(problems)]
        component_ids = tuple(dict.fromkeys(found for found in ids if found))
        checked.append(
            _Newcomer(one.wish, stored.digest(one.wish.address), component_ids, one.state)
        )
    problems.sort(key=lambda one: one.line)
    counts, newcomers = Counts(), list[_Newcomer]()
    if not problems:
        counts, newcomers = _sorted(session, page, checked)
    seen = hashlib.sha256(repr((looked.text, looked.usual.value, asdict(counts))).encode())
    return Plan(
        counts=counts,
        problems=problems,
        mark=seen.hexdigest()[:32],
        newcomers=newcomers,
    )


def hold(session: Session, page: Page) -> None:
    """Keep the page's subscriptions, and what silences addresses, as they are until the transaction ends.

    It must see what is committed by then, see :func:`~..storage.session.begin_read_committed`.
    """
    pages.hold(session, page.id)


def carry_out(session: Session, page: Page, plan: Plan, *, actor: str | None) -> None:
    """Add everybody who is to be added; those that are pending are asked by a message.

    :param plan: made while the page was held by :func:`hold`.
    :raises Invalid: naming ``text`` when a line is wrong: nothing is written then.
    """
    if plan.problems:
        raise Invalid.field("text", "There are mistakes in it.")
    for some in in_pages(plan.newcomers, AT_ONCE):
        rows = [_row(page, one, actor) for one in some]
        # Looked at before they are written: then the database need not be asked for each of them.
        after = {row.id: subscription_log.kept(row) for row in rows}
        session.add_all(rows)
        session.flush()
        audit.record_all(
            session,
            actor=actor,
            action=import_ledger.ACTION,
            subject=subscription_log.SUBJECT,
            page_id=page.id,
            after=after,
        )
        active = [row for row in rows if row.state is SubscriptionState.ACTIVE]
        described = [(row.id, {"subscription": subscriptions.described(row)}) for row in active]
        events.record_all(session, page, "subscription.confirmed", described)
        asked = [row for row in rows if row.state is SubscriptionState.PENDING]
        events.record_each_for(
            session,
            CONFIRMATION,
            [(page, row, confirmations.question(page, row)) for row in asked],
        )


def _services(session: Session, page: Page) -> dict[str, UUID]:
    """Ids of the page's services by slug and id, archived ones too: whoever chose one hears of it once it is back."""
    queries = (components.archived(page.id), components.of_page(page.id))
    rows = [row for query in queries for row in session.scalars(query)]
    return {str(row.id): row.id for row in rows} | {row.slug: row.id for row in rows}


def _asked(line: Line, usual: SubscriptionState) -> _Asked:
    wrong: list[tuple[str, str]] = []
    allowed = wishes.channels_of_people()
    state = usual
    if line.state:
        try:
            state = SubscriptionState(line.state)
        except ValueError:
            words = ", ".join(SubscriptionState)
            wrong.append(("state", f"{line.state[:40]!r} is none of {words}."))
    wish = Wish(
        channel=line.channel,
        address=line.address,
        events=line.events or None,
        locale=line.language or None,
    )
    if line.channel not in allowed:
        wrong.append(("channel", f"{line.channel[:40]!r} is none of {', '.join(allowed)}."))
    else:
        try:
            wish = wishes.checked(wish)
        except Invalid as error:
            wrong += [(_COLUMN.get(e.field, e.field), str(e.message)) for e in error.errors]
    problems = [Problem(line=line.number, column=column, words=words) for column, words in wrong]
    return _Asked(line, wish, state, problems[:MAX_PROBLEMS])


def _sorted(
    session: Session, page: Page, checked: Sequence[_Newcomer]
) -> tuple[Counts, list[_Newcomer]]:
    counts, newcomers = Counts(), list[_Newcomer]()
    for channel in dict.fromkeys(one.wish.channel for one in checked):
        here = [one for one in checked if one.wish.channel == channel]
        first = {one.digest: one for one in reversed(here)}
        # Whoever is said to have left anywhere in the file has left.
        left = {one.digest for one in here if one.state not in ADDED}
        known = subscriber_list.known(session, page.id, channel, first)
        silenced = subscriber_list.silenced(session, channel, first)
        counts.doubles += len(here) - len(first)
        for digest in dict.fromkeys(one.digest for one in here):
            one = first[digest]
            if digest in left:
                counts.unwanted += 1
            elif known.get(digest) is SubscriptionState.ENDED:
                counts.unsubscribed += 1
            elif known.get(digest) is SubscriptionState.DISABLED:
                counts.off += 1
            elif digest in known:
                counts.known += 1
            elif digest in silenced:
                counts.silenced += 1
            else:
                newcomers.append(one)
                counts.active += one.state is SubscriptionState.ACTIVE
                counts.pending += one.state is SubscriptionState.PENDING
    return counts, newcomers


def _row(page: Page, one: _Newcomer, actor: str | None) -> Subscription:
    now, wish = utc_now(), one.wish
    assert wish.format is not None
    is_active = one.state is SubscriptionState.ACTIVE
    row = Subscription(
        id=new_id(),
        page_id=page.id,
        channel=wish.channel,
        address=wish.address,
        address_digest=one.digest,
        format=wish.format,
        events=None if wish.events is None else sorted(wish.events),
        locale=wish.locale,
        state=one.state,
        nonce=confirmations.new_nonce(),
        actor=actor,
        asked_at=now,
        mailed_at=None if is_active else now,
        confirmed_at=now if is_active else None,
        created_at=now,
        updated_at=now,
        chosen=[SubscribedComponent(component_id=ident) for ident in one.component_ids],
    )
    # There is no secret, which nobody need look up in the database.
    set_committed_value(row, "is_signed", False)
    return row
