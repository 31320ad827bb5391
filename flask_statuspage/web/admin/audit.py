"""The page "Audit"."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from ...documents.console import audit as documents
from ...documents.words import words_of
from ...domain.rights import Right
from ...storage.team import audit_log, audit_subjects
from .desk import Desk
from .lists import asked, listed
from .visit import Visit

FIELDS = ("actor", "subject", "since", "until")


def add_routes(desk: Desk) -> None:
    desk.area("audit", "Audit", Right.AUDIT)
    desk.page("/audit", "audit", show, right=Right.AUDIT)


def show(visit: Visit) -> str:
    looked_for = {name: asked(name) for name in FIELDS}
    rows, pager = listed(
        visit, audit_log(visit.page.id, **_filters(visit, looked_for)), "audit", **looked_for
    )
    entries = [
        documents.Entry(
            at=row.at,
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            subject_id=str(row.subject_id),
            before=row.before,
            after=row.after,
        )
        for row in rows
    ]
    return documents.audit(
        visit.room("audit"),
        entries=entries,
        subjects=audit_subjects(visit.session),
        asked=looked_for,
        pager=pager,
    )


def _filters(visit: Visit, looked_for: dict[str, str]) -> dict[str, Any]:
    """What the log is narrowed by; what is no day narrows nothing."""
    found: dict[str, Any] = {
        name: looked_for[name] for name in ("actor", "subject") if looked_for[name]
    }
    if since := _midnight(visit, looked_for["since"]):
        found["since"] = since
    if until := _midnight(visit, looked_for["until"], after=True):
        found["until"] = until
    return found


def _midnight(visit: Visit, text: str, *, after: bool = False) -> datetime | None:
    try:
        day = date.fromisoformat(text) + timedelta(days=after)
    except (ValueError, OverflowError):
        return None
    if not 1900 <= day.year < 9999:
        return None
    return datetime.combine(day, time(), words_of(visit.shown_page).zone)
