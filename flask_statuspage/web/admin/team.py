"""The page "Team": members, what each may do, and letting them in and out."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from flask import request

from ...delivery.channels import channels
from ...delivery.channels.email import EmailChannel
from ...documents.console import team as documents
from ...documents.console.team import MemberRow
from ...domain.rights import Right
from ...domain.roles import Role
from ...errors import Conflict, Invalid, NotFound
from ...services import letters, members, second_factors, sign_ins
from ...state import current_settings, current_state
from ...storage import team as stored
from ...storage.team import Member
from .. import own_login
from ..idents import uuid_of
from ..manage_api.members import MemberChange, NewMember
from . import reading
from .desk import Desk
from .lists import listed
from .visit import Done, Visit

NOTICES = {
    "member_added": "The member is added.",
    "member_invited": "The member is added. A mail that tells them so is on its way.",
    "role_changed": "The role is changed. It counts at once.",
    "member_removed": "The member is removed, and signed out.",
    "signed_out": "The member is signed out everywhere.",
    "factor_reset": "The second factor is off. The member signs in by the link alone until they set it up again.",
}


def add_routes(desk: Desk) -> None:
    desk.area("team", "Team", Right.TEAM, NOTICES)
    desk.form("/team", "team", show, add, right=Right.TEAM)
    one = "/team/<member_id>"
    desk.form(one, "member", show_member, change, right=Right.TEAM)
    desk.form(f"{one}/remove", "member_remove", show_remove, remove, right=Right.TEAM)
    for path, endpoint, do in (
        ("sign-out", "member_sign_out", sign_out),
        ("reset", "member_reset", reset),
    ):
        desk.action(f"{one}/{path}", endpoint, do, right=Right.TEAM, back=show_member)


def show(visit: Visit) -> str:
    role = request.args.get("role", "")
    only = Role(role) if role in set(Role) else None
    rows, pager = listed(visit, stored.members(role=only), "team", role=only and only.value)
    with_factor = stored.with_second_factor(visit.session, [row.id for row in rows])
    return documents.team(
        visit.room("team"),
        rows=[_row(visit, row, with_factor) for row in rows],
        pager=pager,
        role=only.value if only else "",
        roles=roles_up_to(visit),
        can_mail=sign_ins.missing() is None,
        hint=(
            "As your site's login knows the person, such as an email address."
            if current_state().has_member_loader()
            else "They sign in by links that are mailed to it."
        ),
    )


def add(visit: Visit) -> Done:
    typed = visit.sent
    values = reading.checked(NewMember, reading.some(typed, "identity", "role"))
    wants_mail = "invite" in typed
    if wants_mail or not current_state().has_member_loader():
        _check_mailbox(values["identity"])
    if wants_mail and (lacks := sign_ins.missing()):
        raise Conflict(f"No mail can be sent: {lacks}")
    row = members.add(visit.session, **values, actor=visit.actor, actor_role=visit.member.role)
    if not wants_mail:
        return Done("team", "member_added")
    letters.invite(visit.session, row.identity)
    return Done("team", "member_invited")


def show_member(visit: Visit, member_id: str) -> str:
    row = _member(visit, member_id)
    is_theirs = row.id == visit.member.id
    return documents.member(
        visit.room("team"),
        row=_row(visit, row, [row.id] if second_factors.is_on(row) else []),
        ident=row.id.hex,
        roles=roles_up_to(visit) if visit.member.role.reaches(row.role) else [],
        can_reset=visit.member.role is Role.OWNER and second_factors.is_on(row) and not is_theirs,
        can_sign_out=own_login.is_on() and visit.member.role.reaches(row.role) and not is_theirs,
    )


def change(visit: Visit, member_id: str) -> Done:
    typed = visit.sent
    values = reading.checked(MemberChange, reading.some(typed, "role"))
    if "role" not in values:
        raise Invalid.field("role", "Choose a role.")
    row = members.held(visit.session, _member(visit, member_id).id.hex)
    was = reading.words(typed, "was.role")
    if was and was != row.role.value:
        raise Conflict(
            f"Somebody changed this role meanwhile: {row.identity} is {row.role.value} now. Nothing was done; look "
            "again and save."
        )
    members.change_role(
        visit.session,
        row.id.hex,
        values["role"],
        actor=visit.actor,
        actor_role=visit.member.role,
    )
    return Done("team", "role_changed")


def show_remove(visit: Visit, member_id: str) -> str:
    row = _member(visit, member_id)
    return documents.remove(
        visit.room("team"),
        row=_row(visit, row, ()),
        ident=row.id.hex,
        may=visit.member.role.reaches(row.role),
    )


def remove(visit: Visit, member_id: str) -> Done:
    row = _member(visit, member_id)
    members.remove(visit.session, row.id.hex, actor=visit.actor, actor_role=visit.member.role)
    return Done("team", "member_removed")


def sign_out(visit: Visit, member_id: str) -> Done:
    row = members.held(visit.session, _member(visit, member_id).id.hex)
    sign_ins.end_all(visit.session, row, actor=visit.actor, actor_role=visit.member.role)
    return Done("team", "signed_out")


def reset(visit: Visit, member_id: str) -> Done:
    row = members.held(visit.session, _member(visit, member_id).id.hex)
    second_factors.reset(visit.session, row, actor=visit.actor, actor_role=visit.member.role)
    return Done("team", "factor_reset")


def roles_up_to(visit: Visit) -> list[Role]:
    """The roles that who looks may give."""
    return [role for role in Role if visit.member.role.reaches(role)]


def _member(visit: Visit, ident: str) -> Member:
    row = stored.member_by_id(visit.session, uuid_of(ident, "member"))
    if row is None:
        raise NotFound("member", ident)
    return row


def _row(visit: Visit, row: Member, with_factor: Collection[UUID]) -> MemberRow:
    return MemberRow(
        identity=row.identity,
        role=row.role,
        since=row.created_at,
        last_seen=row.last_seen_at,
        url=visit.to("member", member_id=row.id.hex)
        if visit.member.role.reaches(row.role)
        else None,
        is_self=row.id == visit.member.id,
        has_second_factor=row.id in with_factor,
    )


def _check_mailbox(identity: str) -> None:
    try:
        channels[EmailChannel.name].normalise(identity, current_settings())
    except Invalid as error:
        raise Invalid.field("identity", error.errors[0].message) from error
