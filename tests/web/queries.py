"""What an app asks its database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from tests.web.site import Site


class Queries:
    """The statements that an app sends to its database while this is entered."""

    def __init__(self, site: Site) -> None:
        with site.app.app_context():
            self._engine = site.db.engine
        self.sent: list[str] = []

    def _note(self, *arguments: Any) -> None:
        self.sent.append(arguments[2])

    def __enter__(self) -> Queries:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *error: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)
