"""The page "Your sign-in": what a member who signs in by a mailed link does about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from ...documents.console import account as documents
from ...domain import totp
from ...domain.rights import Right
from ...errors import Invalid, NotFound
from ...services import facts, members, pages, second_factors, sign_ins
from ...storage.team import Member
from .. import own_login
from . import reading
from .desk import Desk, look_again
from .visit import Done, Told, Visit

T = TypeVar("T")

CODES = ("code",)
"""The fields that hold a code, which may be one that was written down."""


def add_routes(desk: Desk) -> None:
    desk.notices |= {
        "factor_off": "The second factor is off. You sign in by the link alone.",
        "everywhere": "All sessions that began with a mailed link have ended.",
    }
    desk.page("/account", "account", show, right=Right.SEE)
    for path, endpoint, do, secret in (
        ("begin", "factor_begin", begin, ()),
        ("confirm", "factor_confirm", confirm, CODES),
        ("renew", "factor_renew", renew, CODES),
        ("off", "factor_off", turn_off, CODES),
        ("sign-out", "leave_everywhere", leave_everywhere, ()),
    ):
        desk.action(f"/account/{path}", endpoint, do, right=Right.SEE, back=show, secret=secret)


def show(visit: Visit) -> str:
    _check_on()
    row = members.get(visit.session, visit.member.id.hex)
    factor, is_on = row.second_factor, second_factors.is_on(row)
    secret = factor.secret if factor is not None and not is_on else None
    issuer = facts.page(pages.find(visit.session, None)).name
    address = totp.address(secret, account=row.identity, issuer=issuer) if secret else None
    return documents.account(
        visit.room("account"),
        is_on=is_on,
        secret=secret,
        address=address,
        codes_left=len(factor.recovery) if factor is not None and is_on else 0,
    )


def begin(visit: Visit) -> Done:
    second_factors.begin(visit.session, _held(visit))
    return Done("account")


def confirm(visit: Visit) -> Told:
    return _written_down(visit, second_factors.confirm)


def renew(visit: Visit) -> Told:
    return _written_down(visit, second_factors.renew)


def turn_off(visit: Visit) -> Done:
    _with_code(visit, second_factors.turn_off)
    return Done("account", "factor_off")


def leave_everywhere(visit: Visit) -> Done:
    sign_ins.end_all(visit.session, _held(visit), actor=visit.actor, actor_role=visit.member.role)
    return Done("login", "out") if visit.member.by_link else Done("account", "everywhere")


def _written_down(visit: Visit, do: Callable[[Session, Member, str], list[str]]) -> Told:
    codes = _with_code(visit, do)
    return Told(lambda visit: documents.recovery(visit.room("account"), codes=codes))


def _with_code(visit: Visit, do: Callable[[Session, Member, str], T]) -> T:
    """What *do* returns for the code that was typed. That it was typed, and was wrong, stays whatever becomes of it."""
    session = visit.session
    visit.begin_anew()  # others may have typed theirs meanwhile
    second_factors.count_attempt(session, _held(visit))
    session.commit()
    try:
        return do(session, _held(visit), reading.words(visit.sent, "code"))
    except Invalid:
        session.rollback()
        second_factors.note_wrong(session, _held(visit))
        session.commit()
        raise


def _held(visit: Visit) -> Member:
    """Their own row, once it is sure that their sign-in did not end while others were waited for."""
    _check_on()
    row = members.held_alone(visit.session, visit.member.id)
    look_again(visit, Right.SEE)
    return row


def _check_on() -> None:
    """:raises NotFound: where nobody signs in here."""
    if not own_login.is_on():
        raise NotFound("account", "")
