"""What a form or a body does not have, nobody can set: further fields are refused by name or change nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from flask_statuspage.storage.base import Base
from flask_statuspage.web.manage_api import operations
from tests.console.crawl import Whole, send
from tests.console.knowing import POSTS, accepted, needed
from tests.console.member import Member
from tests.web.routes import smallest
from tests.web.site import API, SEEN
from tests.web.test_manage_api import NOBODY

FORGED_ID = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"
FORGED_DAY = "2001-01-01T00:00:00"
FORGED = "forged-by-a-test"
FORGED_NUMBER = "987654321"  # longer than what a time has of digits in a row

EXTRAS: dict[str, str] = {
    **dict.fromkeys(("id", "page_id", "subject_id", "group_id", "component_id"), FORGED_ID),
    **dict.fromkeys(("member_id", "key_id", "template_id", "monitor_id"), FORGED_ID),
    **dict.fromkeys(("created_at", "updated_at", "confirmed_at", "last_seen_at"), FORGED_DAY),
    **dict.fromkeys(("revoked_at", "archived_at", "started_at", "ended_at"), FORGED_DAY),
    **dict.fromkeys(("resolved_at", "scheduled_start", "until", "expires_at"), FORGED_DAY),
    **dict.fromkeys(("actor", "identity", "token", "key", "digest", "secret"), FORGED),
    **dict.fromkeys(("link_token", "nonce", "remote_id", "created_by", "letter"), FORGED),
    **dict.fromkeys(("address", "contact", "channel", "note"), FORGED),
    "role": "owner",
    "actor_role": "owner",
    "state": "active",
    "status": "resolved",
    "impact": "critical",
    "visibility": "link",
    "is_default": "yes",
    "automatic": "yes",
    "archived": "yes",
    "proven": "yes",
    "version": FORGED_NUMBER,
    "position": FORGED_NUMBER,
    "sessions": FORGED_NUMBER,
    "failures": FORGED_NUMBER,
    "page": "other",
    "kind": "maintenance",
}
"""Columns and arguments of services that a form may not have. Values that are found again stand in no row otherwise."""

MARKS = (FORGED_ID, FORGED_ID.replace("-", ""), FORGED_DAY[:10], FORGED, FORGED_NUMBER)


VARYING = {"nonce", "milliseconds", "last_ms", "rhythm"}
"""Columns of what is drawn or measured."""

_ID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9a-f]{64}")
_SECRET = re.compile(r"'(gAAAAA[\w-]+=*|[\w-]{32})'|[\w-]+\.[\w-]{6}\.[\w-]{27}(?![\w-])")
"""What is sealed, drawn, or signed."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")


def shape(contents: Mapping[str, Iterable[tuple[Any, ...]]]) -> dict[str, list[str]]:
    """The rows without what differs from one run to the next: ids, times, secrets, what is drawn or measured."""
    return {
        table: sorted(
            _SECRET.sub("*", _TIME.sub("*", _ID.sub("*", repr(_lasting(table, row)))))
            for row in rows
        )
        for table, rows in contents.items()
    }


def _lasting(table: str, row: tuple[Any, ...]) -> list[Any]:
    names = [column.name for column in Base.metadata.tables[table].columns]
    names = [name for name in names if name not in SEEN]  # as the contents have them
    return [value for name, value in zip(names, row, strict=True) if name not in VARYING]


def told_apart(whole: Whole) -> dict[str, list[str]]:
    """All rows without what differs by itself; forged ids and times are told by name."""
    contents = whole.site.contents()
    marked = [
        (table, mark)
        for table, rows in contents.items()
        for row in rows
        for mark in MARKS
        if mark in repr(row)
    ]
    assert marked == []
    return shape(contents)


@pytest.mark.parametrize("endpoint", POSTS)
def test_a_form_takes_its_own_fields_only(whole: Whole, endpoint: str) -> None:
    """Everything else that is posted with it is refused or changes nothing: the rows are those of the form alone."""
    form, answer = accepted(whole, endpoint)
    usual = told_apart(whole)
    whole.restore()
    before = told_apart(whole)
    more = {name: value for name, value in EXTRAS.items() if name not in form.names}
    forged = send(Member(whole.site, form.who), form, {**needed(whole, form), **more})
    if forged.status_code == 422:
        assert told_apart(whole) == before
    else:
        assert forged.status_code == answer.status_code, forged.text
        assert told_apart(whole) == usual


BODIES = [one for one in operations() if one.body is not None]


@pytest.mark.parametrize("operation", BODIES, ids=lambda one: f"{one.method} {one.path}")
def test_a_body_takes_its_own_fields_only(whole: Whole, operation: Any) -> None:
    """Every other field is named in a 422, and nothing is changed."""
    whole.restore()
    site = whole.site
    site.key()
    before = site.contents()
    own = set(operation.body.model_fields)
    more = {name: value for name, value in EXTRAS.items() if name not in own}
    rule = operation.path.removeprefix(API)
    path = rule
    for name in ("<ident>", "<update_ident>"):
        path = path.replace(name, NOBODY)
    body = {**(smallest(operation.method, rule) or {}), **more}
    answer = site.ask(operation.method, path, body)
    assert answer.status_code == 422, answer.text
    named = {error["field"] for error in answer.get_json()["errors"]}
    assert set(more) <= named
    assert site.contents() == before
