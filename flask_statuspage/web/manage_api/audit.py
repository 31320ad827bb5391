"""``audit`` (read)"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from ...domain.rights import Right
from ...services.audit import SUBJECTS
from ...storage.team import audit_log
from .answering import told
from .call import Call
from .door import Door
from .reading import asked, choice, identifier, instant, words

FILTERS = (
    choice("subject", SUBJECTS, "Only what was done to this kind of thing."),
    identifier("subject_id", "Only what was done to the thing with this id."),
    words("actor", "Only what this actor did, such as `key deploy`."),
    words("action", "Only what was done so, such as `create`."),
    instant("since", "Only what was done at this time and later."),
    instant("until", "Only what was done before this time."),
)


@dataclass(frozen=True, kw_only=True)
class AuditAnswer:
    """What somebody did: ``before`` and ``after`` hold what it changed, null where there was or is nothing."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    subject_id: UUID
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def add_routes(door: Door) -> None:
    door.route(
        "GET",
        "/audit",
        index,
        right=Right.AUDIT,
        answer=AuditAnswer,
        paged=True,
        parameters=FILTERS,
    )


def index(call: Call) -> dict[str, Any]:
    """List what was done to the page and its things, newest first.

    All filters that are given narrow the list together.
    """
    wanted = {item.name: asked(item) for item in FILTERS}
    given = {name: value for name, value in wanted.items() if value is not None}
    return call.listed(audit_log(call.page.id, **given), partial(told, AuditAnswer))
