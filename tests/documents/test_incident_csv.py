"""Incidents as CSV: read back by the csv module, harmless in a spreadsheet, streamed."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given, settings

from flask_statuspage.documents.incident_csv import (
    COLUMNS,
    ROWS_PER_CHUNK,
    document,
    stream,
)
from flask_statuspage.domain.cells import defused, is_formula
from flask_statuspage.domain.facts import IncidentFact

from .conftest import NOW, affected, ago, component_state, incident_fact, snapshot_of, update_fact
from .hostile import TEXTS

PAGE_URL = "https://status.example.com"
API = component_state(1, "API, v2")
SITE = component_state(2, "Website")


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(data.decode(), newline=""), strict=True))


def original(cell: str) -> str:
    """What was typed: the apostrophe in front of a formula is not part of it."""
    return cell[1:] if cell.startswith("'") and is_formula(cell[1:]) else cell


def test_a_row_per_incident() -> None:
    """Every column is there, in words and times that a person can read."""
    closed = incident_fact(
        1,
        'The "API" is slow',
        "resolved",
        "major",
        started_at=ago(hours=3),
        resolved_at=ago(minutes=89),
        components=(affected(API), affected(SITE)),
        updates=(
            update_fact(2, "resolved", "Fixed.\nReally.", ago(minutes=89)),
            update_fact(1, "investigating", "We look", ago(hours=3)),
        ),
    )
    still = incident_fact(2, "Störung 🔥", started_at=NOW)
    first, second = rows(document(snapshot_of(incidents=(closed, still))))
    assert first == {
        "id": str(closed.id),
        "name": 'The "API" is slow',
        "status": "resolved",
        "impact": "major",
        "components": "API, v2; Website",
        "started_at": "2026-02-19T14:30:00+00:00",
        "resolved_at": "2026-02-19T16:01:00+00:00",
        "duration_minutes": "91",
        "updates": "2",
        "latest_update_at": "2026-02-19T16:01:00+00:00",
        "latest_update": "Fixed.\nReally.",
        "url": f"{PAGE_URL}/incidents/{closed.id}",
    }
    assert second["name"] == "Störung 🔥"
    assert (second["resolved_at"], second["duration_minutes"]) == ("", "")
    assert (second["updates"], second["latest_update"]) == ("0", "")


def test_rfc_4180() -> None:
    """Lines end in CRLF, the last one too; quotes are doubled; there is no byte order mark, and always a header."""
    header = ",".join(COLUMNS).encode() + b"\r\n"
    assert document(snapshot_of()) == header
    data = document(snapshot_of(incidents=(incident_fact(1, 'a "b", c'),)))
    assert data.startswith(header)
    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n") == 2
    assert b',"a ""b"", c",' in data


def test_a_clock_that_went_back_makes_no_negative_duration() -> None:
    """A duration is never below zero: a minus sign would be a formula's mark besides."""
    fact = incident_fact(1, "Blip", "resolved", started_at=NOW, resolved_at=ago(minutes=5))
    assert rows(document(snapshot_of(incidents=(fact,))))[0]["duration_minutes"] == "0"


@pytest.mark.parametrize(
    "typed",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\tplain",
        "\rplain",
        "  =1",
        "\n=1",
        "\xa0=1",
        "\ufeff=1",
        "\u200b=1",
        "\ufffe\U000e0020-1",
        "\x00=1",
        '"=1',
        "'=1",
        " \"' @x",
        "\uff1d1",
        "=cmd|' /C calc'!A0",
    ],
)
def test_formulas_are_defused(typed: str) -> None:
    """What a spreadsheet could run gets an apostrophe in front, and loses nothing by it."""
    assert defused(typed) == f"'{typed}"
    fact = incident_fact(1, typed, updates=(update_fact(1, "investigating", typed, NOW),))
    (row,) = rows(document(snapshot_of(incidents=(fact,))))
    assert (row["name"], row["latest_update"]) == (f"'{typed}", f"'{typed}")


@pytest.mark.parametrize("typed", ["", "API down", "a=b", "'quoted'", "1-2", "é", "(=)", "5 + 5"])
def test_plain_text_stays_as_it_is(typed: str) -> None:
    """Only cells that begin like a formula are touched."""
    assert defused(typed) == typed


@settings(deadline=None)
@given(title=TEXTS, name=TEXTS, body=TEXTS)
def test_hostile_text_comes_back(title: str, name: str, body: str) -> None:
    """Every cell holds what was typed, and none begins as a formula does, however it is hidden."""
    fact = incident_fact(
        1,
        title,
        components=(affected(component_state(1, name)),),
        updates=(update_fact(1, "investigating", body, NOW),),
    )
    (row,) = rows(document(snapshot_of(incidents=(fact,))))
    assert set(row) == set(COLUMNS)
    assert original(row["name"]) == title
    assert original(row["components"]) == name
    assert original(row["latest_update"]) == body
    for cell in row.values():
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        shown = "".join(
            c for c in cell if unicodedata.category(c)[0] not in "ZC" and c not in "\"'`"
        )
        if shown.startswith(("=", "+", "-", "@")):
            assert cell.startswith("'")


def test_rows_leave_while_incidents_come() -> None:
    """The header is sent before the first incident is read, and never more than a chunk of rows is held back."""
    read = 0

    def incidents() -> Iterator[IncidentFact]:
        nonlocal read
        for number in range(10 * ROWS_PER_CHUNK + 1):
            read += 1
            yield incident_fact(number, f"Incident {number}")

    chunks = stream(incidents(), page_url=PAGE_URL)
    assert next(chunks).decode().strip() == ",".join(COLUMNS)
    assert read == 0
    sent = 0
    for chunk in chunks:
        assert chunk.endswith(b"\r\n")
        sent += chunk.count(b"\r\n")
        assert read - sent < ROWS_PER_CHUNK
    assert sent == read == 10 * ROWS_PER_CHUNK + 1


def test_the_document_is_the_joined_stream() -> None:
    """Streamed or whole, the bytes are the same, and 500 incidents are 500 rows."""
    incidents = tuple(incident_fact(number, f"Incident {number}") for number in range(500))
    snapshot = snapshot_of(incidents=incidents)
    whole = document(snapshot)
    assert whole == b"".join(stream(iter(incidents), page_url=PAGE_URL))
    assert [row["name"] for row in rows(whole)] == [fact.title for fact in incidents]
    later = replace(snapshot, generated_at=ago(days=-1), version=9)
    assert document(later) == whole
