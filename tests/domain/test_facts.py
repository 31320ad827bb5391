"""Facts as plain data."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

from flask_statuspage.domain.facts import AffectedFact, GroupFact, plain
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.domain.verdict import Verdict

MOMENT = datetime(2026, 2, 19, 17, 30, tzinfo=UTC)
GROUP = GroupFact(
    id=UUID(int=1), name="Core", description="", position=3, created_at=MOMENT, updated_at=MOMENT
)


def test_a_fact_becomes_a_dict_of_its_fields() -> None:
    """A dataclass becomes a dict in the order of its fields, with its id as text."""
    assert plain(GROUP) == {
        "id": "00000000-0000-0000-0000-000000000001",
        "name": "Core",
        "description": "",
        "position": 3,
        "created_at": "2026-02-19T17:30:00+00:00",
        "updated_at": "2026-02-19T17:30:00+00:00",
    }
    assert list(plain(GROUP))[:4] == ["id", "name", "description", "position"]


def test_nested_values_become_plain_too() -> None:
    """Tuples, dicts, enums, dates and facts in facts are plain data that JSON can hold."""
    affected = AffectedFact(
        id=UUID(int=2), slug="api", name="API", group=None, status=ComponentStatus.MAJOR_OUTAGE
    )
    data = plain({"a": (affected, [Impact.NONE]), "b": date(2026, 2, 19), "c": Verdict.UP})
    assert data["a"][0]["status"] == "major_outage"
    assert type(data["a"][0]["status"]) is str
    assert (data["a"][1], data["b"], data["c"]) == (["none"], "2026-02-19", "up")
    assert json.loads(json.dumps(data)) == data


def test_times_are_rfc_3339_in_utc() -> None:
    """An instant leaves with whole seconds and the offset +00:00, whatever zone it was given in."""
    berlin = timezone(timedelta(hours=2))
    assert plain(datetime(2026, 2, 19, 17, 30, 1, 999, tzinfo=UTC)) == "2026-02-19T17:30:01+00:00"
    assert plain(datetime(2026, 2, 19, 19, 30, tzinfo=berlin)) == "2026-02-19T17:30:00+00:00"


def test_plain_values_stay_as_they_are() -> None:
    """Text, numbers, truth and nothing need no change."""
    assert plain([None, True, 1, 1.5, "ä"]) == [None, True, 1, 1.5, "ä"]
