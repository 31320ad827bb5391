"""How often the database is asked for one page of the console."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from flask_statuspage.storage.session import current_engine
from tests.console.member import Member


def queries(member: Member, path: str) -> int:
    """How many statements it takes to show *path*, once it was shown before."""
    assert member.get(path).status_code == 200
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    with member.site.app.app_context():
        engine = current_engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        member.get(path)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert statements
    return len(statements)
