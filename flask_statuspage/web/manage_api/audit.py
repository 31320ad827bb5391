"""``audit`` (read)"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request
from pydantic import TypeAdapter, ValidationError

from ...domain.facts import plain
from ...domain.roles import Role
from ...errors import Invalid
from ...storage.team import AuditEntry, audit_log
from ..storable import UNSTORABLE, is_storable
from .door import Call, Door
from .fields import Instant
from .reading import id_in_query

WORDS = ("subject", "actor", "action")

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


def add_routes(door: Door) -> None:
    door.route("GET", "/audit", index, role=Role.ADMIN)


def index(call: Call) -> dict[str, Any]:
    """Newest first; ``?subject= &subject_id= &actor= &action= &since= &until=`` narrow it, all together."""
    query = audit_log(
        call.page.id,
        since=_instant("since"),
        until=_instant("until"),
        subject_id=id_in_query("subject_id"),
        **{name: text for name in WORDS if (text := _text(name)) is not None},
    )
    return call.listed(query, _described)


def _described(entry: AuditEntry) -> dict[str, Any]:
    fields = ("id", "at", "actor", "action", "subject", "subject_id", "before", "after")
    return {name: plain(getattr(entry, name)) for name in fields}


def _text(name: str) -> str | None:
    text = request.args.get(name)
    if text is not None and not is_storable(text):
        raise Invalid.field(name, UNSTORABLE)
    return text


def _instant(name: str) -> datetime | None:
    text = request.args.get(name)
    try:
        return None if text is None else _INSTANT.validate_python(text)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ").rstrip(".")
        raise Invalid.field(name, f"{message}.") from error
