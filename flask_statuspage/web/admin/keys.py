"""The page "API keys": what programs need to do what members may do."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request

from ...documents.console import keys as documents
from ...documents.console.keys import KeyRow
from ...domain.ids import new_id
from ...domain.rights import Right
from ...errors import Invalid
from ...services import addresses, team
from ...storage import team as stored
from ...storage.session import database_now
from ...storage.team import Token
from ..idents import uuid_of
from ..manage_api.tokens import NewToken
from . import reading
from .desk import Desk
from .lists import listed
from .team import roles_up_to
from .visit import Done, Told, Visit

ALL = "all"


def add_routes(desk: Desk) -> None:
    desk.notices["key_revoked"] = "The key is revoked. It opens nothing any more."
    desk.form("/keys", "keys", show, make, right=Right.TEAM)
    desk.action("/keys/<key_id>/revoke", "key_revoke", revoke, right=Right.TEAM, back=_back)


def show(visit: Visit) -> str:
    shows_all = request.args.get("show") == ALL
    query = stored.tokens(revoked=None if shows_all else False)
    rows, pager = listed(visit, query, "keys", show=ALL if shows_all else None)
    now = database_now(visit.session)
    return documents.keys(
        visit.room("team"),
        rows=[_row(visit, row, now) for row in rows],
        pager=pager,
        shows_all=shows_all,
        roles=roles_up_to(visit),
        once=new_id().hex,
        api_url=_api_url(),
    )


def make(visit: Visit) -> Told:
    typed = visit.sent
    expires_at = reading.instant(typed, "expires_at", ZoneInfo(visit.shown_page.time_zone))
    values = {
        **reading.some(typed, "name", "role"),
        "expires_at": expires_at.isoformat() if expires_at else None,
    }
    token, key = team.create_token(
        visit.session,
        **reading.checked(NewToken, values),
        token_id=_once(reading.words(typed, "once")),
        actor=visit.actor,
        actor_role=visit.member.role,
    )
    name, role = token.name, token.role
    return Told(
        lambda visit: documents.made(
            visit.room("team"), name=name, role=role, key=key, api_url=_api_url()
        )
    )


def revoke(visit: Visit, key_id: str) -> Done:
    team.revoke(
        visit.session,
        uuid_of(key_id, "token"),
        actor=visit.actor,
        actor_role=visit.member.role,
    )
    return Done("keys", "key_revoked")


def _back(visit: Visit, key_id: str) -> str:
    team.get(visit.session, uuid_of(key_id, "token"))
    visit.typed = None  # nothing was typed into the form of the page
    return show(visit)


def _once(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError:
        raise Invalid.field("once", "Load the page anew, and press the button again.") from None


def _row(visit: Visit, row: Token, now: datetime) -> KeyRow:
    is_over = row.expires_at is not None and row.expires_at <= now
    state = "revoked" if row.revoked_at else "expired" if is_over else "active"
    may = state == "active" and visit.member.role.reaches(row.role)
    return KeyRow(
        name=row.name,
        role=row.role,
        made=row.created_at,
        last_used=row.last_used_at,
        expires=row.expires_at,
        state=state,
        revoke_url=visit.to("key_revoke", key_id=row.id.hex) if may else None,
    )


def _api_url() -> str:
    return addresses.api_url()
