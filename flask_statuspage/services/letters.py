"""Mails to members of the team: asked for in a transaction, sent after it by a worker.

A link to sign in is made when it is sent, and stands nowhere but in the mail.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from ..delivery import letters_to_members, links
from ..delivery.channels.email import EmailChannel
from ..delivery.parcel import Outcome, Parcel
from ..domain.ids import new_id
from ..storage import letters as stored
from ..storage import pages, sign_in_links
from ..storage import team as team_stored
from ..storage.letters import INVITATION, SIGN_IN
from ..storage.session import database_now
from . import addresses, events, facts
from .pages import find

logger = logging.getLogger(__name__)

TASK = "letters"
AT_ONCE = 20
"""So many mails are looked at for one that nobody else has taken."""


@dataclass(frozen=True)
class Letter:
    """A mail that was taken, at the instant ``taken_at``. ``link`` is the digest of the one that it may bring."""

    member_id: UUID
    taken_at: datetime
    link: str
    parcel: Parcel


def ask_for_link(session: Session, identity: str) -> None:
    """Mail a link to sign in to the member of that identity, if there is one."""
    stored.ask(session, identity, SIGN_IN, database_now(session))
    events.wake_after_commit(session, TASK)


def invite(session: Session, identity: str) -> None:
    """Mail a member that they are one."""
    stored.ask(session, identity, INVITATION, database_now(session))
    events.wake_after_commit(session, TASK)


def take(session: Session) -> Letter | None:
    """Take the mail that is due longest, to be sent at once; None: there is none. From then on its link works."""
    pages.begin_writing(session)
    now = database_now(session)
    taken = (_take(session, member_id, now) for member_id in _due(session, now))
    return next((letter for letter in taken if letter is not None), None)


def note(session: Session, letter: Letter, outcome: Outcome) -> None:
    """Write down what became of a mail: one that did not leave is tried again for a while, with another link."""
    if outcome.error is not None:
        # Not to whom: what the server said may repeat it.
        logger.warning(
            "status page: a mail to member %s failed: %s", letter.member_id, outcome.error
        )
    if not outcome.delivered:
        sign_in_links.void(session, letter.link)  # it must not count among those that work
    if outcome.delivered or outcome.final:
        stored.done(session, letter.member_id, letter.taken_at)


def digest(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()


def _due(session: Session, now: datetime) -> Sequence[UUID]:
    return stored.due(session, now, limit=AT_ONCE)


def _take(session: Session, member_id: UUID, now: datetime) -> Letter | None:
    nonce = secrets.token_urlsafe(16)
    link = digest(nonce)
    kind = stored.take(session, member_id, now, link)
    row = session.get(team_stored.Member, member_id, populate_existing=True)
    if kind is None or row is None:
        return None
    page = find(session, None)
    about = {"page_name": facts.page(page).name, "page_url": addresses.known_url(page)}
    if kind == SIGN_IN:
        url = addresses.console_url(f"/login/{links.make_pass(links.Pass(member_id, nonce))}")
        body = letters_to_members.sign_in(**about, url=url, minutes=links.PASS_SECONDS // 60)
    else:
        url = addresses.console_url("/")
        body = letters_to_members.invitation(**about, url=url, role=row.role.value)
    parcel = Parcel(
        delivery_id=new_id(),
        subscription_id=member_id,
        lease=new_id(),
        attempt=1,
        channel=EmailChannel.name,
        format=EmailChannel.default_format,
        address=row.identity,
        event_name=f"member.{kind}",
        subject_id=member_id,
        body=body,
        secret=None,
        policy=letters_to_members.POLICY,
    )
    return Letter(member_id, now, link, parcel)
