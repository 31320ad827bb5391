"""Which kinds of things the audit has entries about."""

from __future__ import annotations

from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.services import audit
from flask_statuspage.storage.team import audit_subjects


def test_each_kind_is_named_once(session: Session) -> None:
    """They come by their names, however many entries there are; without entries there are none."""
    assert audit_subjects(session) == []
    for subject in ("page", "component", "page", "component-group", "component"):
        audit.record(session, actor=None, action="create", subject=subject, subject_id=new_id())
    session.flush()
    assert audit_subjects(session) == ["component", "component-group", "page"]
