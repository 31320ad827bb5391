"""Who stands at the console's door: one place. Who somebody is says the host's login, what they may do our table."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.roles import Role
from ..errors import Forbidden, NobodyThere, SetupError
from ..services import members
from ..state import current_state
from ..storage.session import current_session


@dataclass(frozen=True)
class Visitor:
    """A member before the door. ``identity`` is as the table has it."""

    identity: str
    role: Role


def require(needed: Role) -> Visitor:
    """Whoever asks, if they may do what *needed* may.

    :raises SetupError: when the host registered no member loader, so that nobody can be known.
    :raises NobodyThere: when nobody is signed in.
    :raises Invalid: when the loader returns what cannot be an identity.
    :raises Forbidden: for somebody who is no member, and for a role that is too low.
    """
    state = current_state()
    if not state.has_member_loader():
        raise SetupError(
            "The console cannot know who you are. Register your login: decorate a function that returns the email "
            "address of whoever is signed in, or None, with @statuspage.member_loader."
        )
    name = state.member_loader()
    if not name or not name.strip():
        if state.subscriber_loader():
            words = (
                "You are signed in, but this sign-in is not in the status page's team. Sign in as a member of the "
                "team, or ask whoever runs this site to add you."
            )
            raise Forbidden(needed.value, None, message=words)
        raise NobodyThere("The console is for the team. Sign in to this site, then open it again.")
    identity = members.spelling(name)
    role = members.role_of(current_session(), identity)
    if role is None:
        words = (
            f"{identity} is not in the status page's team. Somebody with a shell can add you: "
            f"flask statuspage member add {identity} --role {needed.value}"
        )
        raise Forbidden(needed.value, None, message=words)
    if not role.reaches(needed):
        words = f"This needs the role {needed.value!r}; {identity} has {role.value!r}."
        raise Forbidden(needed.value, role.value, message=words)
    return Visitor(identity, role)
