"""The page "Team": who may open the console, and do what there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ...domain.roles import Role
from .pager import Pager
from .room import Room, shown

WHAT = (
    ("Viewer", "sees everything but readers, connections, team and log."),
    (
        "Editor",
        "also tells of incidents and maintenance, and arranges services, monitors and templates.",
    ),
    (
        "Admin",
        "also looks after readers, connections, status pages, keys, and the team up to admins.",
    ),
    ("Owner", "everything."),
)
"""What each role may do, in the order of the roles."""


@dataclass(frozen=True, kw_only=True)
class MemberRow:
    """A member as the list shows them.

    :param last_seen: to an hour; None: never.
    :param url: where they are changed; None: their role is above that of who looks.
    :param has_second_factor: a code is needed besides their link.
    """

    identity: str
    role: Role
    since: datetime
    last_seen: datetime | None
    url: str | None
    is_self: bool
    has_second_factor: bool


def team(
    room: Room,
    *,
    rows: Sequence[MemberRow],
    pager: Pager,
    role: str,
    roles: Sequence[Role],
    can_mail: bool,
    hint: str,
) -> str:
    """Fields of its form: ``identity``, ``role``, ``invite``. The filter: ``role``.

    :param role: which alone is shown; empty: all. *roles*: those that may be given.
    :param can_mail: somebody can be told by mail. *hint*: what an identity is.
    """
    return shown(
        room,
        "team",
        rows=rows,
        pager=pager,
        only=role,
        all_roles=[("", "All roles"), *((one.value, one.value.capitalize()) for one in Role)],
        roles=_choice(roles),
        what=WHAT,
        can_mail=can_mail,
        hint=hint,
    )


def member(
    room: Room,
    *,
    row: MemberRow,
    ident: str,
    roles: Sequence[Role],
    can_reset: bool,
    can_sign_out: bool,
) -> str:
    """One member. Fields of its form: ``role``, ``was.role``.

    :param can_reset: the second factor can be taken from them. *can_sign_out*: they can be signed out everywhere.
    """
    return shown(
        room,
        "member",
        row=row,
        ident=ident,
        roles=_choice(roles),
        what=WHAT,
        can_reset=can_reset,
        can_sign_out=can_sign_out,
    )


def remove(room: Room, *, row: MemberRow, ident: str, may: bool) -> str:
    """Asks whether a member is to be removed, or to leave. Its form has no fields.

    :param may: whoever looks may do it: their role reaches the member's.
    """
    return shown(room, "member_remove", row=row, ident=ident, may=may)


def _choice(roles: Sequence[Role]) -> list[tuple[str, str]]:
    return [(role.value, role.value.capitalize()) for role in roles]
