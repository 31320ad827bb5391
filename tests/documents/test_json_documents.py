"""What the JSON dialects have in common: their types are true of what they serve, and describe it to others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from pydantic import TypeAdapter, ValidationError

from flask_statuspage.documents import native_api, statuspage_api
from flask_statuspage.documents.json_text import dumps
from flask_statuspage.documents.snapshot import Snapshot

from .conftest import component_state, incident_fact, maintenance_fact, snapshot_of
from .snapshots import patient, snapshots

NAMES = (
    "status",
    "summary",
    "components",
    "incidents",
    "unresolved_incidents",
    "scheduled_maintenances",
    "upcoming_maintenances",
    "active_maintenances",
)
Render = Callable[[Snapshot], Any]
RENDERS: list[Render] = [
    getattr(module, name) for module in (native_api, statuspage_api) for name in NAMES
]
DOCUMENTS = [
    pytest.param(render, id=f"{render.__module__.rpartition('.')[2]}.{render.__name__}")
    for render in RENDERS
]


@cache
def adapter(render: Render) -> TypeAdapter[Any]:
    """What pydantic makes of the type that *render* says it returns."""
    return TypeAdapter(get_type_hints(render)["return"])


def objects_in(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object that *schema* describes."""
    yield schema
    yield from schema.get("$defs", {}).values()


@given(snapshots())
@patient
def test_every_document_is_of_its_type(snapshot: Snapshot) -> None:
    """Whatever a page shows, a document has exactly the fields, types and words that its type promises."""
    for render in RENDERS:
        document = render(snapshot)
        # Fields that the type does not know would be missing on the left.
        assert adapter(render).validate_python(document, strict=True) == document


@given(snapshots())
@patient
def test_every_document_reads_back(snapshot: Snapshot) -> None:
    """Whatever is in a name, the bytes are UTF-8 JSON that says the same."""
    for render in RENDERS:
        document = render(snapshot)
        assert json.loads(dumps(document).decode()) == document


@pytest.mark.parametrize("render", DOCUMENTS)
def test_documents_hold_only_plain_data(render: Render) -> None:
    """Texts are texts, not members of enumerations that happen to be some."""
    snapshot = snapshot_of(
        component_state(1, "Portal"),
        incidents=(incident_fact(1, "Fire"),),
        maintenances=(maintenance_fact(1, "Disks"), maintenance_fact(2, "Cables", "verifying")),
    )

    def walk(value: Any) -> None:
        assert type(value) in (dict, list, str, int, float, bool, type(None)), repr(value)
        for part in value.values() if isinstance(value, dict) else ():
            walk(part)
        for part in value if isinstance(value, list) else ():
            walk(part)

    walk(render(snapshot))


@pytest.mark.parametrize("render", DOCUMENTS)
def test_every_object_is_described(render: Render) -> None:
    """The schema names and explains every object, says which fields there are and that all are always there."""
    schema = adapter(render).json_schema()
    for shape in objects_in(schema):
        assert shape["description"], shape["title"]
        optional = {"components"} if shape["title"] == "StatuspageComponent" else set()
        assert set(shape["required"]) == set(shape["properties"]) - optional, shape["title"]


@pytest.mark.parametrize("render", DOCUMENTS)
def test_times_are_described_as_times(render: Render) -> None:
    """Whoever makes a client of the schema gets times for times, and ids for ids."""
    for shape in objects_in(adapter(render).json_schema()):
        for name, field in shape["properties"].items():
            kinds = [kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
            formats = {kind.get("format") for kind in kinds}
            if name.endswith(("_at", "scheduled_for", "scheduled_until", "last_check")) and kinds:
                assert formats == {"date-time"}, name
            if name == "id" or (name.endswith("_id") and kinds):
                assert formats == {"uuid"}, name


@pytest.mark.parametrize(
    ("render", "path", "words"),
    [
        (
            statuspage_api.components,
            ("StatuspageComponent", "status"),
            "operational degraded_performance partial_outage major_outage under_maintenance",
        ),
        (
            statuspage_api.status,
            ("StatuspageStatus", "indicator"),
            "none minor major critical maintenance",
        ),
        (
            statuspage_api.incidents,
            ("StatuspageIncident", "status"),
            "investigating identified monitoring resolved postmortem",
        ),
        (
            statuspage_api.scheduled_maintenances,
            ("StatuspageMaintenance", "status"),
            "scheduled in_progress verifying completed",
        ),
        (
            native_api.components,
            ("NativeComponent", "status"),
            "up degraded partial_outage down maintenance unknown",
        ),
        (
            native_api.status,
            ("NativeStatus", "indicator"),
            "operational degraded partial_outage major_outage maintenance unknown",
        ),
    ],
)
def test_words_are_listed(render: Render, path: tuple[str, str], words: str) -> None:
    """The schema lists the words that a field may hold, and no others."""
    shape, field = path
    found = adapter(render).json_schema()["$defs"][shape]["properties"][field]
    assert (found["type"], set(found["enum"])) == ("string", set(words.split()))


def test_a_word_of_another_dialect_is_refused() -> None:
    """A document with a word that was never published is not of its type."""
    document: Any = statuspage_api.status(snapshot_of())
    document["status"]["indicator"] = "operational"
    with pytest.raises(ValidationError, match=r"status\.indicator"):
        adapter(statuspage_api.status).validate_python(document, strict=True)


def test_dumps_is_compact_utf8() -> None:
    """JSON leaves as UTF-8 without escapes or spaces, and reads back as it was."""
    document = {"name": "Zürich 東京", "uptime_percent": 100.0, "group": None}
    data = dumps(document)
    assert data == '{"name":"Zürich 東京","uptime_percent":100.0,"group":null}'.encode()
    assert json.loads(data) == document


def test_what_json_does_not_know_is_refused() -> None:
    """No reader gets ``NaN``, which many cannot read."""
    with pytest.raises(ValueError, match="JSON compliant"):
        dumps({"uptime_percent": float("nan")})
