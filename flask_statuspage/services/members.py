"""The site's team: who belongs to it, and what each may do. Who somebody is says the host's login."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..domain.roles import Role
from ..errors import Conflict, Invalid, NotFound
from ..storage import pages, sign_in_links
from ..storage import team as stored
from ..storage.team import Member
from . import audit, ranks, second_factors

MAX_IDENTITY = 254

_BLANKS = " \t\r\n"
"""What a form or a login may leave around an identity."""

_audit = partial(audit.of, subject="member")


def add(
    session: Session, identity: str, *, role: Role, actor: str | None, actor_role: Role | None
) -> Member:
    """A new member.

    :param identity: what the host's ``member_loader`` returns for them, in any case.
    :param actor_role: see :func:`.ranks.check`, here and below.
    :raises Invalid: naming ``identity``.
    :raises Conflict: when they are a member already.
    :raises Forbidden: for a role above the actor's.
    """
    ranks.check(actor_role, role)
    identity = spelling(identity)
    if audit.is_taken(identity):
        words = "Is how the log calls the site itself or a key. Let your login know the person by another name."
        raise Invalid.field("identity", words)
    pages.begin_writing(session)
    if (there := stored.member(session, identity)) is not None:
        raise Conflict(f"{identity} is a member already, with the role {there.role.value!r}.")
    row = Member(identity=identity, role=role)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        # MariaDB takes names for the same that differ by an accent.
        raise Conflict(f"{identity} cannot be told from a member that is there already.") from error
    _audit(session, "create", row, actor, after=described(row))
    return row


def change_role(
    session: Session, ident: str, role: Role, *, actor: str | None, actor_role: Role | None
) -> Member:
    """Let a member do more or less.

    :param ident: their identity or id, here and below.
    :raises NotFound: without such a member.
    :raises Conflict: for the last owner.
    :raises Forbidden: when what they may do, or shall, is above the actor's role.
    """
    row = held(session, ident)
    ranks.check(actor_role, row.role, role)
    if row.role is role:
        return row
    if row.role is Role.OWNER:
        _check_not_last(session, row)
    before = described(row)
    row.role = role
    session.flush()
    was, now_is = audit.difference(before, described(row))
    _audit(session, "change", row, actor, before=was, after=now_is)
    return row


def remove(session: Session, ident: str, *, actor: str | None, actor_role: Role | None) -> None:
    """Take a member out of the team.

    :raises NotFound: without such a member.
    :raises Conflict: for the last owner.
    :raises Forbidden: for somebody whose role is above the actor's.
    """
    row = held(session, ident)
    ranks.check(actor_role, row.role)
    if row.role is Role.OWNER:
        _check_not_last(session, row)
    before: dict[str, Any] = described(row)
    if second_factors.is_on(row):
        before["second_factor"] = True  # it goes, too: added again, they sign in by the link alone
    _audit(session, "delete", row, actor, before=before)
    sign_in_links.void_all(session, row.id)  # SQLite deletes only what it is told to
    session.delete(row)
    session.flush()


def get(session: Session, ident: str) -> Member:
    """The member with that id or identity.

    :raises NotFound: when there is none.
    """
    row = _found(session, ident, lock=False)
    if row is None:
        raise NotFound("member", ident)
    return row


def held(session: Session, ident: str) -> Member:
    """The member, with all owners held, so that two changes cannot both leave the other's owner as the last.

    :raises NotFound: when there is none.
    """
    hold_team(session)
    row = _found(session, ident, lock=True)
    if row is None:
        raise NotFound("member", ident)
    return row


def held_alone(session: Session, member_id: UUID) -> Member:
    """The member alone, held, for what changes neither their role nor who is in the team.

    :raises NotFound: when there is none.
    """
    pages.begin_writing(session)
    row = stored.member_by_id(session, member_id, lock=True)
    if row is None:
        raise NotFound("member", str(member_id))
    return row


def hold_team(session: Session) -> None:
    """Wait until no other change of the team or its keys is at work, and keep others off until the transaction ends.

    No page may be held by then, nor is one held afterwards: whoever changes what a page shows holds it first, and who
    they are, or their key, last.
    """
    pages.begin_writing(session)
    if not stored.hold_owners(session):
        pages.hold_all(session)  # of a site without an owner nothing else is there for sure


def listed(session: Session) -> Sequence[Member]:
    """All members by their identity."""
    return session.scalars(stored.members()).all()


def role_of(session: Session, identity: str) -> Role | None:
    """What somebody may do; None: they are no member."""
    row = _named(session, identity)
    return None if row is None else row.role


def described(member: Member) -> dict[str, str]:
    return {"identity": member.identity, "role": member.role.value}


def spelling(identity: str) -> str:
    """*identity* in the one spelling that is stored: two of them are the same only if they differ by case and no more.

    :raises Invalid: naming ``identity``.
    """
    text = identity.strip(_BLANKS)
    if not 1 <= len(text) <= MAX_IDENTITY or not text.isprintable():
        raise Invalid.field(
            "identity", f"Must have 1 to {MAX_IDENTITY} characters, as your login knows the person."
        )
    lower = [letter.lower() for letter in text]
    for letter, small in zip(text, lower, strict=True):
        # The sign for Kelvin is k in lower case, and who is called by it is somebody else.
        if letter not in (small, small.upper()):
            words = f"Has {letter!r}, whose lower case is that of another letter, so that it could be taken for it."
            raise Invalid.field("identity", words)
    return "".join(lower)


def _found(session: Session, ident: str, *, lock: bool) -> Member | None:
    with suppress(ValueError):
        if (row := stored.member_by_id(session, UUID(ident), lock=lock)) is not None:
            return row
    return _named(session, ident, lock=lock)


def _named(session: Session, identity: str, *, lock: bool = False) -> Member | None:
    try:
        return stored.member(session, spelling(identity), lock=lock)
    except Invalid:
        return None  # nobody is called so


def _check_not_last(session: Session, row: Member) -> None:
    if [owner.id for owner in stored.hold_owners(session)] == [row.id]:
        raise Conflict(f"{row.identity} is the last owner. Make somebody else an owner first.")
