"""What the log has of a request whose statement the database could not do."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from flask_statuspage.storage import team
from flask_statuspage.storage.session import current_engine

from .site import Site


def test_a_failed_request_is_logged_without_what_it_asked_for(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """The traceback has the statement, and not the digest of the key that was looked up."""
    digest = team.digest(site.key())
    with site.app.app_context(), current_engine().begin() as connection:
        connection.execute(text("ALTER TABLE statuspage_token RENAME COLUMN digest TO gone"))
    assert site.ask("GET", "/monitors").status_code == 503
    assert "the database failed" in caplog.text
    assert "statuspage_token" in caplog.text
    assert digest not in caplog.text
