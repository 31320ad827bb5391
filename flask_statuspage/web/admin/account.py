"""The page "Your sign-in": what a member who signs in by a mailed link does about it."""

from __future__ import annotations

from collections.abc import Callable

from ...documents.console import account as documents
from ...domain import totp
from ...domain.rights import Right
from ...errors import NotFound
from ...services import facts, members, pages, second_factors, sign_ins
from ...storage.team import Member
from .. import own_login
from . import reading
from .desk import Desk
from .visit import Done, Told, Visit


def add_routes(desk: Desk) -> None:
    desk.notices |= {
        "factor_off": "The second factor is off. You sign in by the link alone.",
        "everywhere": "All sessions that began with a mailed link have ended.",
    }
    desk.page("/account", "account", show, right=Right.SEE)
    for path, endpoint, do in (
        ("begin", "factor_begin", begin),
        ("confirm", "factor_confirm", confirm),
        ("renew", "factor_renew", renew),
        ("off", "factor_off", turn_off),
        ("sign-out", "leave_everywhere", leave_everywhere),
    ):
        desk.action(f"/account/{path}", endpoint, do, right=Right.SEE, back=show)


def show(visit: Visit) -> str:
    row = members.get(visit.session, _own(visit))
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
    code = _code(visit)
    second_factors.turn_off(visit.session, _held(visit), code)
    return Done("account", "factor_off")


def leave_everywhere(visit: Visit) -> Done:
    sign_ins.end_all(visit.session, _held(visit), actor=visit.actor, actor_role=visit.member.role)
    return Done("login", "out") if visit.member.by_link else Done("account", "everywhere")


def _written_down(visit: Visit, do: Callable[..., list[str]]) -> Told:
    code = _code(visit)
    codes = do(visit.session, _held(visit), code)
    return Told(lambda visit: documents.recovery(visit.room("account"), codes=codes))


def _code(visit: Visit) -> str:
    """What was typed, once it is counted: that stays, whatever becomes of it."""
    second_factors.count_attempt(visit.session, visit.member.id)
    visit.session.commit()
    return reading.words(visit.sent, "code")


def _held(visit: Visit) -> Member:
    return members.held(visit.session, _own(visit))


def _own(visit: Visit) -> str:
    """:raises NotFound: where nobody signs in here."""
    if not own_login.is_on():
        raise NotFound("account", "")
    return visit.member.id.hex
