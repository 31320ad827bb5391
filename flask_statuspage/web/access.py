"""Who stands at the console's door: one place. Who somebody is says the host's login, what they may do our table.

Where the host knows nobody, whoever signed in by a mailed link is let in, if ``STATUSPAGE_BUILTIN_LOGIN`` says so. Whom
the host knows it alone names: two logins never tell two names for one browser.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from flask import has_request_context, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..domain.rights import NEEDED, Right
from ..domain.rights import may as has_right
from ..domain.roles import Role
from ..errors import Conflict, Forbidden, NobodyThere, SetupError
from ..services import members
from ..state import current_state
from ..storage import apart
from ..storage import team as stored
from ..storage.base import utc_now
from ..storage.session import current_session
from ..storage.team import Member
from . import own_login

SEEN_AT_MOST = timedelta(hours=1)
"""How exact ``last_seen_at`` is: a write per request would cost more than it tells."""

SIGN_IN = "The console is for the team. Sign in, and it is shown."

_ROLES = "flask_statuspage.roles"
"""What was looked up in this request: roles by who asks."""


@dataclass(frozen=True)
class Visitor:
    """A member before the door. ``identity`` is as the table has it.

    :param by_link: they signed in by a mailed link, so they can sign out here.
    """

    id: UUID
    identity: str
    role: Role
    by_link: bool = False


def require(right: Right) -> Visitor:
    """Whoever asks, if their role has *right*.

    :raises SetupError: when the host registered no member loader and has no login of ours, so that nobody can be known.
    :raises NobodyThere: when nobody is signed in.
    :raises Invalid: when the loader returns what cannot be an identity.
    :raises Forbidden: for somebody who is no member, and for a role that is too low.
    """
    row, by_link = _who(right)
    visitor = _visitor(row, right, by_link=by_link)
    _note_seen(row)
    return visitor


def still(visitor: Visitor, right: Right) -> Visitor:
    """*visitor*, if they may yet, by what is said of them now, which is held until the transaction ends.

    The host's login is not asked again: its code may end the transaction of its session, and what was done in it.

    :raises NobodyThere: when their sign-in by a mailed link ended.
    :raises Forbidden: when they are no member any more, and for a role that is too low by now.
    """
    session = current_session()
    if visitor.by_link:
        row = own_login.member(session, lock=True)
        if row is None:
            raise NobodyThere(SIGN_IN)
    else:
        row = stored.member_by_id(session, visitor.id, lock=True)
        if row is None:
            raise Forbidden(
                NEEDED[right].value, None, message=_no_member(session, visitor.identity)
            )
    return _visitor(row, right, by_link=visitor.by_link)


def is_known() -> bool:
    """Whether either login knows whoever asks, member or not. What the host's loader raises goes on."""
    if current_state().member_loader():
        return True
    if own_login.note() is None:
        return False
    with apart.apart_from_host() as open_session:
        return own_login.known(open_session()) is not None


def is_member() -> bool:
    """Whether somebody of the team asks, by either login. What the host's loader raises goes on."""
    return _role() is not None


def may(right: Right) -> bool:
    """Whether somebody of the team asks whose role has *right*. What the host's loader raises goes on."""
    role = _role()
    return role is not None and has_right(role, right)


def _role() -> Role | None:
    """The role of whoever asks; None: no member.

    Looked up beside the host's transaction, once in a request, and not at all where no login knows anybody.
    """
    name = current_state().member_loader()
    if name:
        return _remembered(name, partial(members.role_of, identity=name))
    if (note := own_login.note()) is None:
        return None
    return _remembered(note, _role_by_link)


def _role_by_link(session: Session) -> Role | None:
    row = own_login.known(session)
    return None if row is None else row.role


def _remembered(who: str, look_up: Callable[[Session], Role | None]) -> Role | None:
    memory: dict[str, Role | None] = (
        request.environ.setdefault(_ROLES, {}) if has_request_context() else {}
    )
    if who not in memory:
        memory[who] = None  # a look-up that fails is not tried again: it may have taken long
        with apart.apart_from_host() as open_session:
            memory[who] = look_up(open_session())
    return memory[who]


def _visitor(row: Member, right: Right, *, by_link: bool) -> Visitor:
    """:raises Forbidden: for a role that is too low."""
    if not has_right(row.role, right):
        needed = NEEDED[right].value
        words = f"This needs the role {needed!r}; {row.identity} has {row.role.value!r}."
        raise Forbidden(needed, row.role.value, message=words)
    return Visitor(row.id, row.identity, row.role, by_link)


def _who(right: Right) -> tuple[Member, bool]:
    state = current_state()
    if not state.has_member_loader() and not own_login.is_on():
        raise SetupError(
            "The console cannot know who you are. Register your login: decorate a function that returns the email "
            "address of whoever is signed in, or None, with @statuspage.member_loader. Or let members sign in by a "
            "link in a mail: STATUSPAGE_BUILTIN_LOGIN = True."
        )
    name = state.member_loader()
    if name:
        return _named(members.spelling(name), right), False
    if own_login.is_on():
        if (row := own_login.member(current_session())) is not None:
            return row, True
        raise NobodyThere(SIGN_IN)
    if state.subscriber_loader():
        words = (
            "You are signed in, but this sign-in is not in the status page's team. Sign in as a member of the "
            "team, or ask whoever runs this site to add you."
        )
        raise Forbidden(NEEDED[right].value, None, message=words)
    raise NobodyThere("The console is for the team. Sign in to this site, then open it again.")


def _named(identity: str, right: Right) -> Member:
    session = current_session()
    row = stored.member(session, identity)
    if row is None:
        raise Forbidden(NEEDED[right].value, None, message=_no_member(session, identity))
    return row


def _no_member(session: Session, identity: str) -> str:
    words = f"{identity} is not in the status page's team."
    if stored.has_any(session, [role for role in Role if has_right(role, Right.TEAM)]):
        return f"{words} An admin or owner of the team can add you."
    # Strangers need not know how the site is run, but nobody else could add anybody.
    return (
        f"{words} Nobody can add you there yet: somebody with a shell makes the first owner by "
        f"flask statuspage member add {identity} --role {Role.OWNER.value}"
    )


def _note_seen(row: Member) -> None:
    now = utc_now()
    if row.last_seen_at is not None and now - row.last_seen_at < SEEN_AT_MOST:
        return
    # Beside the host's transaction, which may be at work; that nobody knows when they came keeps nobody out.
    with suppress(Conflict, SQLAlchemyError):
        apart.committed(lambda session: stored.note_seen(session, row.id, now))
