"""STOP, START and HELP from the owner of an address: each counts on all pages at once, whoever had signed it up.

The caller commits. A transaction that loses a race is to be run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from ..delivery import links
from ..domain.opt_out import STOPPED, Answer
from ..state import current_settings
from ..storage import pages, signups
from ..storage import subscriptions as stored
from ..storage import suppressions as stored_suppressions
from ..storage.base import utc_now
from ..storage.pages import Page, default_page
from ..storage.session import begin_read_committed
from ..storage.subscriptions import Subscription, SubscriptionState
from . import addresses, confirmation_codes, confirmations, facts, subscriptions, suppressions

MOST_NAMED = 3
"""Pages that one answer names."""

_REMEMBERED = timedelta(hours=1)
"""How long a message is known again. Gateways try again within minutes."""


def obey(
    session: Session, channel: str, address: str, answer: Answer, *, message_id: str | None = None
) -> str:
    """Do what the owner of a normalised *address* says; returns what to answer.

    :param message_id: what the gateway calls the message. The same one within an hour does nothing and has the answer
        "": a STOP that is repeated must not undo the START after it.
    """
    begin_read_committed(session)
    pages.begin_writing(session)
    if message_id and not _is_new(session, f"inbound {channel} {message_id}"):
        return ""
    if answer is Answer.STOP:
        rows = stored.at_address(session, channel, address)
        told = [row for row in rows if row.state is not SubscriptionState.ENDED]
        suppressions.stop(session, channel, address)
        return f"{_names(session, told)}: no more texts. START brings them back."
    if answer is Answer.START:
        _start(session, channel, address)
    return _standing(session, channel, address)


def take_code(
    session: Session, channel: str, address: str, code: str, *, message_id: str | None = None
) -> str:
    """Whoever answers with the code, in the place of typing it, agrees to what that code was for.

    Guesses are not counted: from the phone itself YES does the same. Returns what to answer; "" to any other number.
    """
    begin_read_committed(session)
    pages.begin_writing(session)
    if message_id and not _is_new(session, f"inbound {channel} {message_id}"):
        return ""
    rows = suppressions.hold(session, channel, address)
    meant = [row for row in rows if confirmation_codes.is_right(session, row, code)]
    for row in meant:
        subscriptions.begin(session, row)
    return _standing(session, channel, address) if meant else ""


def _is_new(session: Session, key: str) -> bool:
    now = utc_now()
    if signups.count(session, key, since=now - _REMEMBERED):
        return False
    signups.add(session, key, now)
    return True


def _start(session: Session, channel: str, address: str) -> None:
    """Begin what waits for its owner's word, and again what STOP had ended.

    Who signed the number up while it was silent asked nobody: unless its owner had agreed before, they are asked now.
    """
    rows = suppressions.hold(session, channel, address)
    was_silent = stored_suppressions.lift(session, channel, address)
    asked_since = utc_now() - timedelta(seconds=links.CONFIRM_SECONDS)
    for row in rows:
        row.mailed_at = None  # whoever signs up again now is asked at once
        is_fresh = row.asked_at >= asked_since
        if row.state is SubscriptionState.PENDING and is_fresh:
            if was_silent and row.confirmed_at is None:
                confirmations.mail_owner(session, session.get_one(Page, row.page_id), row)
            else:
                subscriptions.begin(session, row)
        # What was never confirmed is not confirmed by a START for something else long after.
        elif _was_stopped(row) and (row.confirmed_at is not None or is_fresh):
            subscriptions.begin(session, row, action="enable")
    session.flush()


def _was_stopped(row: Subscription) -> bool:
    return row.state is SubscriptionState.ENDED and row.reason == STOPPED


def _standing(session: Session, channel: str, address: str) -> str:
    """What comes to the address, how that ends, and where it is changed."""
    rows = stored.at_address(session, channel, address)
    active = [row for row in rows if row.state is SubscriptionState.ACTIVE]
    names = _names(session, active)
    if not active:
        url = addresses.known_url(default_page(session))
        return f"{names}: nothing is sent to this number. Subscribe: {url}/subscribe"
    first = active[0]
    page = session.get_one(Page, first.page_id)
    url = addresses.ticket_url(page, "manage", first.id, first.nonce)
    return f"{names}: you get status updates. STOP ends all texts. Change: {url}"


def _names(session: Session, rows: Sequence[Subscription]) -> str:
    """Of the pages that *rows* belong to, else of the page at the root, unless that is known to those with its link
    only."""
    if rows:
        told = (session.get_one(Page, row.page_id) for row in rows[:MOST_NAMED])
        return ", ".join(facts.page(page).name for page in told)
    page = default_page(session)
    return current_settings().page_name if page.visibility == "link" else facts.page(page).name
