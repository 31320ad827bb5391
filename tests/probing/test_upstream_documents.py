"""The status pages of other services, as they publish themselves: what is read of each shape, and what is refused."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.upstream import NotThere, UpstreamState
from flask_statuspage.errors import Invalid
from flask_statuspage.probing import upstream_native, upstream_statuspage
from flask_statuspage.probing.upstream_document import MAX_TEXT

CAPTURES = Path(__file__).parents[1] / "captures"

UNKNOWN = ComponentStatus.UNKNOWN
UP = ComponentStatus.OPERATIONAL
MAINTENANCE = ComponentStatus.UNDER_MAINTENANCE
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
DOWN = ComponentStatus.MAJOR_OUTAGE


def capture(name: str) -> UpstreamState:
    read = upstream_native.read if name.startswith("native") else upstream_statuspage.read
    return read((CAPTURES / name).read_bytes())


def parts(state: UpstreamState) -> list[tuple[str | None, str, ComponentStatus]]:
    return [(one.group, one.name, one.status) for one in state.components]


def page(
    *,
    indicator: str | None = None,
    components: list[Any] | None = None,
    incidents: list[Any] | None = None,
) -> UpstreamState:
    document: dict[str, Any] = {"page": {"name": "P"}, "components": components or []}
    if indicator is not None:
        document["status"] = {"indicator": indicator}
    return upstream_statuspage.read(json.dumps({**document, "incidents": incidents or []}).encode())


def part(name: str, status: Any, **more: Any) -> dict[str, Any]:
    return {"id": name.lower(), "name": name, "status": status, **more}


def test_a_statuspage() -> None:
    """Name, address, components and the open incident with its latest text; what is only planned is left out."""
    state = capture("statuspage.json")
    assert (state.name, state.url) == ("Halvorsen Cloud", "https://status.halvorsen.example")
    assert state.status is DEGRADED
    assert parts(state) == [(None, "Apps", DEGRADED), (None, "Data", UP), (None, "Tools", UP)]
    (incident,) = state.news
    assert incident.title == "Application deployment performance"
    assert incident.text == "Some users are experiencing deployment delays."
    assert state.as_of == datetime(2026, 3, 2, 9, 41, 12, 512_000, UTC)


def test_a_statuspage_with_groups() -> None:
    """Groups are no components, but the names of them; incidents come before maintenance, the newest first."""
    state = capture("statuspage_groups.json")
    assert parts(state) == [
        ("Europe", "Edge", DOWN),
        ("Europe", "DNS", UP),
        ("Asia", "Edge", MAINTENANCE),
        (None, "Dashboard", UP),
    ]
    assert (
        state.status is PARTIAL
    )  # as the page says of itself, though one of its components is down
    assert [one.title for one in state.news] == [
        "Edge in Frankfurt unreachable",
        "Late logs",
        "New racks in Osaka",
    ]


def test_others_that_publish_the_same() -> None:
    """incident.io leaves out what it does not use, Instatus has words of its own and groups within components."""
    tessera = capture("incident_io.json")
    assert (tessera.name, tessera.status, len(tessera.components)) == ("Tessera AI", UP, 2)
    quill = capture("instatus.json")
    assert quill.status is DEGRADED
    assert parts(quill) == [("Accounts", "Login", DOWN), (None, "Search", MAINTENANCE)]
    assert [(one.title, one.status) for one in quill.news] == [("Login fails for some", DOWN)]


def test_the_native_documents() -> None:
    """FacioTech's documented fields are enough; a list of components alone says how the page is by its worst one."""
    state = capture("native.json")
    assert (state.name, state.status) == ("FacioTech Status", PARTIAL)
    assert parts(state) == [
        ("Platform Services", "Client Portal (WHMCS)", UP),
        ("Hosting", "Mail", PARTIAL),
        (None, "Backups", UNKNOWN),
    ]
    assert state.news[0].text == "Outgoing mail **waits**."
    alone = capture("native_components.json")
    assert (alone.name, alone.status) == (None, DOWN)


@pytest.mark.parametrize(
    ("wanted", "status", "title"),
    [
        ("c101", DOWN, "Edge in Frankfurt unreachable"),
        ("Europe - Edge", DOWN, "Edge in Frankfurt unreachable"),
        ("asia -  EDGE", MAINTENANCE, "New racks in Osaka"),
        ("dns", UP, None),
        ("Dashboard", UP, "Late logs"),
        ("Europe", DOWN, "Edge in Frankfurt unreachable"),
        ("Asia", MAINTENANCE, "New racks in Osaka"),
    ],
)
def test_one_component(wanted: str, status: ComponentStatus, title: str | None) -> None:
    """By id, by name, by group and name, or a whole group; with the news that are about it."""
    state = capture("statuspage_groups.json").narrowed(wanted)
    assert state.status is status
    assert [one.title for one in state.news[:1]] == ([title] if title else [])


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("Edge", "several components of that name"),
        ("C101", "no such component"),
        ("Africa - Edge", "no such component"),
        ("", "no such component"),
    ],
)
def test_a_component_that_is_not_there(wanted: str, words: str) -> None:
    """A name that fits none or several is told apart; ids have a case."""
    with pytest.raises(NotThere, match=words):
        capture("statuspage_groups.json").narrowed(wanted)


@pytest.mark.parametrize(
    ("indicator", "components", "impacts", "status"),
    [
        ("none", [], [], UP),
        ("minor", [UP, DOWN], [], DEGRADED),
        ("major", [UP], [], PARTIAL),
        ("critical", [UP], [], DOWN),
        ("maintenance", [UP], [], MAINTENANCE),
        ("none", [UP, PARTIAL], [], PARTIAL),
        ("none", [UP], ["critical"], UP),
        (None, [UP], ["critical"], DOWN),
        (None, [UP, DEGRADED], ["none"], DEGRADED),
        ("purple", [UP, DEGRADED], [], DEGRADED),
        (None, [UNKNOWN], [], UNKNOWN),
        (None, [], [], UNKNOWN),
    ],
)
def test_how_the_page_is(
    indicator: str | None,
    components: list[ComponentStatus],
    impacts: list[str],
    status: ComponentStatus,
) -> None:
    """Its own word counts; one that calls itself fine is not believed against its components; without a word the worst
    of components and incidents."""
    state = page(
        indicator=indicator,
        components=[part(f"C{n}", one.value) for n, one in enumerate(components)],
        incidents=[{"name": "I", "status": "identified", "impact": one} for one in impacts],
    )
    assert state.status is status


@pytest.mark.parametrize("word", ["great", "", None])
def test_a_word_that_nobody_knows_says_nothing(word: str | None) -> None:
    """A component with a strange word is not known, and harms none of the others."""
    state = page(indicator="none", components=[part("A", word), part("B", "Operational")])
    assert [one.status for one in state.components] == [UNKNOWN, UP]
    assert state.status is UP


def test_texts_are_bounded_and_cleaned() -> None:
    """Names and texts are cut to what is kept, and have no control characters or halves of surrogate pairs."""
    update = {"body": "x\x00\ud800y" * 5_000}
    incident = {"name": "A\n\x1b[1mB" * 200, "status": "open", "incident_updates": [update]}
    (news,) = page(indicator="minor", incidents=[incident]).news
    assert len(news.title) <= 200
    assert news.title.isprintable()
    assert len(news.text) <= MAX_TEXT
    assert "\x00" not in news.text
    news.text.encode()


DEEP = b'{"components":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"operational"',
        b"{}",
        b'{"error": "not found"}',
        b'{"page": {"name": "P"}}',
        b'{"components": NaN}',
        b'{"components": {}}',
        b'{"components": [5]}',
        b'{"components": [{"name": "A"}], "page": [] }',
        b'{"components": [{"id": "a", "name": 5, "status": "up"}]}',
        b'{"components": [{"id": "a", "name": " ", "status": "up"}]}',
        b'{"components": [{"id": "a", "name": "A", "status": {"x": 1}}]}',
        b'{"components": [], "incidents": "none"}',
        b'{"components": [], "incidents": [{"status": "open"}]}',
        b'{"status": "none"}',
        b'{"status": {"indicator": 7}}',
        b'{"components": [], "page": {"name": 1e999}}',
        DEEP,
        b'{"components": [' + b",".join([b'{"id": "a", "name": "A"}'] * 2001) + b"]}",
        b'{"components": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_status_page(body: bytes) -> None:
    """What has another shape, or is too deep or too long, is refused as a whole by both readers."""
    for read in (upstream_statuspage.read, upstream_native.read):
        with pytest.raises((ValueError, Invalid)):
            read(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
KEYS = ["page", "status", "components", "incidents", "scheduled_maintenances", "activeIncidents"]


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_whatever_it_is_it_is_read_or_refused(document: dict[str, Any]) -> None:
    """No document makes the readers fail otherwise than by refusing it."""
    for read in (upstream_statuspage.read, upstream_native.read):
        with contextlib.suppress(ValueError, Invalid):
            assert read(json.dumps(document).encode()).status in ComponentStatus
