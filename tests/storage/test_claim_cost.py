"""A claim reads what it takes, not all that is due. On PostgreSQL, which counts the rows that a transaction read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from flask_statuspage.storage import claims
from flask_statuspage.storage.session import current_session, database_now

from .test_claims import LEASE, claim, subscribe, tell

DUE = 2000
TAKEN = 10
READ_FOR_EACH = 8
"""The claim, who is before it in line, the lease, and the row as it is then; twice, for rows that changed since."""


def rows_read(session: Session) -> int:
    """Rows of deliveries that this transaction has read so far."""
    query = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'statuspage_delivery'"
    return session.scalar(text(query)) or 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_claim_reads_the_rows_that_it_takes_however_many_are_due(app: Flask) -> None:
    """A burst that the database's statistics know nothing of costs each claim no more than a few deliveries do."""
    with app.app_context():
        session = current_session()
        tell(session, subscribe(session, DUE))
        assert len(claim(session, limit=TAKEN)) == TAKEN
        # Long after: a claim passes over what others hold.
        now = database_now(session) + timedelta(hours=1)
        before = rows_read(session)
        assert len(claims.claim(session, now, lease=LEASE, limit=TAKEN)) == TAKEN
        assert rows_read(session) - before <= READ_FOR_EACH * TAKEN
