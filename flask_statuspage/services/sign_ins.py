"""Signing in by a link from a mail, where the site has no login of its own: ``STATUSPAGE_BUILTIN_LOGIN``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from ..delivery import links
from ..delivery.channels import channels
from ..delivery.channels.email import EmailChannel
from ..domain.roles import Role
from ..errors import Invalid, LinkExpired, SetupError, TooMany
from ..state import current_settings
from ..storage import pages, sign_in_links
from ..storage import signups as stored
from ..storage import team as team_stored
from ..storage.base import utc_now
from ..storage.session import begin_read_committed
from ..storage.sign_in_links import SignInLink
from ..storage.team import Member
from . import audit, letters, members, ranks, second_factors, signups

WRONG_CODES = 5
"""So many wrong codes make a link useless."""

PER_NETWORK, PER_NETWORK_AND_ADDRESS = 30, 5
"""How many links may be asked for in an hour.

There is no limit for an address from everywhere, which whoever asks for somebody else's would use up. Mails to it are
spaced instead, see :mod:`..storage.sign_in_links`: whoever asks in vain has links that work in their mailbox.
"""

USED_OR_OLD = "This link does not work any more: it or another one was used, or it was taken back."

_audit = partial(audit.of, subject="member")


@dataclass(frozen=True)
class Door:
    """Before whom a link leads, and whether they need a code besides it."""

    member: Member
    link: SignInLink
    needs_code: bool


def missing() -> str | None:
    """Why nobody could sign in by a mailed link; None: nothing is in the way."""
    return channels[EmailChannel.name].available(current_settings())


def ask(session: Session, address: str, origin: str) -> None:
    """Mail a link to *address*, if it is a member's. What is done and told does not say whether it is.

    :param origin: the asker's network address.
    :raises Invalid: naming ``email``, for what is no address.
    :raises SetupError: when no mail can be sent.
    :raises TooMany: beyond what may be asked for in an hour.
    """
    if lacks := missing():
        raise SetupError(f"Nobody can sign in, as no mail can be sent: {lacks}")
    try:
        mailbox = channels[EmailChannel.name].normalise(address, current_settings())
        identity = members.spelling(mailbox)
    except Invalid as error:
        raise Invalid.field("email", error.errors[0].message) from error
    _count(session, identity, signups.network(origin))
    letters.ask_for_link(session, identity)


def look(session: Session, token: str) -> Door:
    """What a link leads to, which changes nothing.

    :raises LinkExpired: for one that is too old, or that was used, as all of a member's are by one of them.
    :raises LinkInvalid: for what is no link of ours.
    """
    return _door(session, token)


def enter(session: Session, token: str, code: str) -> Member | None:
    """Use up a link; returns who is signed in by it. None: the code was wrong, which is to be committed, too.

    :raises LinkExpired, LinkInvalid: as :func:`look` does; also when this was the last wrong code.
    :raises TooMany: when the member's codes of this hour were typed already.
    """
    begin_read_committed(session)  # codes that were typed meanwhile count
    pages.begin_writing(session)
    door = _door(session, token, lock=True)
    row, link = door.member, door.link
    if door.needs_code:
        second_factors.count_attempt(session, row)
    if door.needs_code and not second_factors.accept(session, row, code):
        second_factors.note_wrong(session, row)
        link.failures += 1
        session.flush()
        if link.failures >= WRONG_CODES:
            sign_in_links.void(session, link.digest)
        return None
    sign_in_links.void_all(session, row.id)
    row.last_seen_at = utc_now()
    session.flush()
    _audit(session, "sign_in", row, row.identity)
    return row


def end_all(session: Session, row: Member, *, actor: str | None, actor_role: Role | None) -> None:
    """Sign a member out everywhere: every session ends, and no link that was sent works.

    :raises Forbidden: for somebody whose role is above the actor's, see :func:`.ranks.check`.
    """
    ranks.check(actor_role, row.role)
    row.sessions += 1
    sign_in_links.void_all(session, row.id)
    session.flush()
    _audit(session, "sign_out", row, actor)


def _door(session: Session, token: str, *, lock: bool = False) -> Door:
    ticket = links.read_pass(token)
    row = team_stored.member_by_id(session, ticket.member_id, lock=lock)
    link = sign_in_links.find(session, ticket.member_id, letters.digest(ticket.nonce), lock=lock)
    if row is None or link is None:
        raise LinkExpired(USED_OR_OLD)
    return Door(row, link, second_factors.is_on(row))


def _count(session: Session, identity: str, network: str) -> None:
    now = utc_now()
    limits = {
        f"sign-in from {network}": PER_NETWORK,
        f"sign-in from {network} to {identity}": PER_NETWORK_AND_ADDRESS,
    }
    for key, most in limits.items():
        if stored.count(session, key, since=now - timedelta(hours=1)) >= most:
            raise TooMany(
                "Too many links to sign in were asked for. Look for the newest mail, or try again in an hour.",
                retry_after=3600,
            )
        stored.add(session, key, now)
