"""What a Statuspage elsewhere tells: liberal with what is missing, strict with what is wrong, bounded in everything."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.foreign import Node
from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.markup import MAX_CHARACTERS, has_control
from flask_statuspage.domain.source_page import MAX_COMPONENTS, MAX_UPDATES, SourcePage, read
from flask_statuspage.domain.status import ComponentStatus, Impact
from flask_statuspage.errors import Invalid

AT = "2026-02-19T17:30:00.123Z"
MOMENT = datetime(2026, 2, 19, 17, 30, 0, 123000, UTC)


def incident(**more: Any) -> dict[str, Any]:
    return {"id": "i1", "name": "Fire", "status": "investigating", "created_at": AT, **more}


def maintenance(**more: Any) -> dict[str, Any]:
    return {"id": "m1", "name": "Cables", "status": "scheduled", "created_at": AT, **more}


def component(**more: Any) -> dict[str, Any]:
    return {"id": "c1", "name": "API", **more}


def page(
    *,
    components: Any = (),
    incidents: Any = (),
    maintenances: Any = (),
    summary: Any = None,
) -> SourcePage:
    return read(
        summary={} if summary is None else summary,
        components={"components": list(components)},
        incidents={"incidents": list(incidents)},
        maintenances={"scheduled_maintenances": list(maintenances)},
    )


def refusal(**documents: Any) -> tuple[str, str]:
    """Where something is wrong, and what."""
    with pytest.raises(Invalid) as raised:
        page(**documents)
    (error,) = raised.value.errors
    return error.field, error.message


def test_the_least_that_a_page_may_tell() -> None:
    """Everything but id, name, status and time may be missing."""
    found = page(components=[component()], incidents=[incident()], maintenances=[maintenance()])
    (api,), (fire,), (cables,) = found.components, found.incidents, found.maintenances
    assert (api.status, api.group_id, api.position) == (ComponentStatus.OPERATIONAL, None, 1)
    assert (api.showcase, api.start_date, api.only_show_if_degraded) == (None, None, None)
    assert (fire.impact, fire.started_at, fire.resolved_at) == (Impact.NONE, MOMENT, None)
    assert (fire.updates, fire.components) == ((), ())
    assert cables.scheduled_start == cables.scheduled_end == MOMENT
    assert (cables.started_at, cables.ended_at) == (None, None)


def test_null_is_as_good_as_missing() -> None:
    """Real pages write null where they have nothing."""
    nothing = dict.fromkeys(
        ("impact", "started_at", "monitoring_at", "resolved_at", "components", "incident_updates")
    )
    assert page(incidents=[incident(**nothing)]) == page(incidents=[incident()])
    update = {"id": "u1", "status": None, "body": None, "affected_components": None}
    found = page(incidents=[incident(incident_updates=[update])]).incidents[0].updates[0]
    assert (found.status, found.body, found.at) == (IncidentStatus.INVESTIGATING, "", MOMENT)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-19T17:30:00.123Z",
        "2026-02-19T17:30:00.123000Z",
        "2026-02-19T17:30:00.123000000Z",
        "2026-02-19T18:30:00.123+01:00",
        "2026-02-19T18:30:00.123+0100",
        "2026-02-19t10:30:00.123-07:00",
        "2026-02-19 17:30:00.123 Z",
        "2026-02-19T17:30:00.123",
    ],
)
def test_times_as_pages_write_them(text: str) -> None:
    """Milliseconds, microseconds, Z, offsets: one instant in UTC."""
    assert page(incidents=[incident(started_at=text)]).incidents[0].started_at == MOMENT


@pytest.mark.parametrize(
    "value",
    [
        *("", "now", "2026-02-19", "2026-13-01T00:00:00Z", "2026-W08-4T00:00:00Z"),
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1901-01-01T00:00:00Z"),
        *(1771522200, True, [AT]),
    ],
)
def test_times_that_are_none(value: Any) -> None:
    """What is no time, or outside of what every database keeps, is named."""
    assert refusal(incidents=[incident(started_at=value)])[0] == "incidents[0].started_at"


@pytest.mark.parametrize(
    ("documents", "place"),
    [
        ({"components": [component(name=7)]}, "components[0].name"),
        ({"components": [component(name=" \x00 ")]}, "components[0].name"),
        ({"components": [component(), component()]}, "components[1].id"),
        ({"components": [component(), component(id="C1")]}, "components[1].id"),
        ({"components": [{"name": "API"}]}, "components[0].id"),
        ({"components": [component(id="a b")]}, "components[0].id"),
        ({"components": [component(id="x" * 151)]}, "components[0].id"),
        ({"components": [component(id=True)]}, "components[0].id"),
        ({"components": [component(status="broken")]}, "components[0].status"),
        ({"components": [component(status={})]}, "components[0].status"),
        ({"components": [component(position="1")]}, "components[0].position"),
        ({"components": [component(position=2**31)]}, "components[0].position"),
        ({"components": [component(position=1.5)]}, "components[0].position"),
        ({"components": [component(showcase="yes")]}, "components[0].showcase"),
        ({"components": [component(group="false")]}, "components[0].group"),
        ({"components": [component(start_date="31.01.2026")]}, "components[0].start_date"),
        ({"components": [component(start_date=20260131)]}, "components[0].start_date"),
        ({"components": [component(group_id=[])]}, "components[0].group_id"),
        ({"components": ["API"]}, "components[0]"),
        ({"components": [component(description=["x"])]}, "components[0].description"),
        ({"incidents": [incident(), incident(id="i2", impact=["major"])]}, "incidents[1].impact"),
        ({"incidents": [incident(impact="huge")]}, "incidents[0].impact"),
        ({"incidents": [incident(status=None)]}, "incidents[0].status"),
        ({"incidents": [incident(status="scheduled")]}, "incidents[0].status"),
        ({"incidents": [incident(created_at=None)]}, "incidents[0].created_at"),
        ({"incidents": [incident(components={"id": "c1"})]}, "incidents[0].components"),
        ({"incidents": [incident(components=[None])]}, "incidents[0].components[0]"),
        (
            {"incidents": [incident(incident_updates=[{"id": "u", "body": 1}])]},
            "incidents[0].incident_updates[0].body",
        ),
        (
            {"incidents": [incident(incident_updates=[{"body": "x"}])]},
            "incidents[0].incident_updates[0].id",
        ),
        (
            {
                "incidents": [
                    incident(
                        incident_updates=[
                            {"id": "u", "affected_components": [{"code": "c", "new_status": 3}]}
                        ]
                    )
                ]
            },
            "incidents[0].incident_updates[0].affected_components[0].new_status",
        ),
        (
            {"maintenances": [maintenance(scheduled_until="soon")]},
            "scheduled_maintenances[0].scheduled_until",
        ),
        (
            {"summary": {"incidents": [incident(impact=1)]}},
            "summary.incidents[0].impact",
        ),
        ({"summary": []}, "summary.json"),
    ],
)
def test_the_place_of_what_is_wrong_is_named(documents: dict[str, Any], place: str) -> None:
    """A wrong type or word never passes, however deep it stands."""
    assert refusal(**documents)[0] == place


@pytest.mark.parametrize("name", ["components", "incidents", "maintenances"])
@pytest.mark.parametrize("document", [None, [], "x", 3, {}])
def test_documents_that_are_something_else(name: str, document: Any) -> None:
    """An answer that is JSON but not the page's is refused by the name of its file or list."""
    documents: dict[str, Any] = {
        "summary": {},
        "components": {"components": []},
        "incidents": {"incidents": []},
        "maintenances": {"scheduled_maintenances": []},
    }
    with pytest.raises(Invalid) as raised:
        read(**{**documents, name: document})
    listed = "scheduled_maintenances" if name == "maintenances" else name
    file = f"{listed.replace('_', '-')}.json"
    assert raised.value.errors[0].field == (listed if document == {} else file)


def test_everything_is_bounded() -> None:
    """Lists that are too long are refused before they are read, texts are cut and marked."""
    many = [component(id=f"c{number}") for number in range(MAX_COMPONENTS + 1)]
    assert refusal(components=many)[0] == "components"
    updates = [{"id": f"u{number}"} for number in range(MAX_UPDATES + 1)]
    assert refusal(incidents=[incident(incident_updates=updates)]) == (
        "incidents[0].incident_updates",
        f"Has {MAX_UPDATES + 1} entries; at most {MAX_UPDATES} are read.",
    )
    found = page(
        incidents=[incident(name="n" * 300, incident_updates=[{"id": "u", "body": "b" * 20_000}])]
    ).incidents[0]
    assert found.title == "n" * 199 + "…"
    assert len(found.updates[0].body) == MAX_CHARACTERS
    assert found.updates[0].body.endswith("b…")


def test_texts_that_no_database_keeps() -> None:
    """Control characters and halves of surrogate pairs are replaced in names and bodies."""
    update = {"id": "u", "body": "One\r\ntwo\x00\x1b[31m\ud800\tthree "}
    found = page(incidents=[incident(name="A\r\nB\ud83d \x85C", incident_updates=[update])])
    assert found.incidents[0].title == "A B\ufffd C"
    assert found.incidents[0].updates[0].body == "One\ntwo[31m\ufffd\tthree"


@given(st.text(min_size=1))
def test_any_name_becomes_one_line(text: str) -> None:
    """Whatever stands there is refused, or is a line that titles may be."""
    try:
        name = Node({"name": text}).line("name", at_most=20)
    except Invalid:
        return
    assert 0 < len(name) <= 20
    assert not has_control(name)
    name.encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    *("id", "name", "status", "components", "incidents", "incident_updates"),
                    *("affected_components", "code", "created_at", "impact", "new_status"),
                )
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["incidents", "components"]), json_values), json_values)
def test_any_json_is_read_or_refused(document: dict[str, Any], deeper: Any) -> None:
    """No document ends in any other error than the one that names the place."""
    known = {"scheduled_maintenances": [maintenance(incident_updates=deeper)]}
    for documents in (
        (document, document, document, known),
        (deeper, {"components": []}, {"incidents": deeper}, known),
    ):
        with suppress(Invalid):
            read(
                summary=documents[0],
                components=documents[1],
                incidents=documents[2],
                maintenances=documents[3],
            )


def test_the_times_of_an_incident_that_are_not_told() -> None:
    """They are taken from its updates: the first of them, "monitoring" and the last "resolved"."""
    updates = [
        {"id": str(minute), "status": status, "created_at": f"2026-02-19T17:{minute}:00Z"}
        for minute, status in (
            (50, "resolved"),
            (45, "investigating"),
            (40, "resolved"),
            (35, "monitoring"),
            (20, "investigating"),
        )
    ]
    (found,) = page(incidents=[incident(status="resolved", incident_updates=updates)]).incidents
    assert [update.id for update in found.updates] == ["20", "35", "40", "45", "50"]
    assert (found.started_at.minute, found.resolved_at and found.resolved_at.minute) == (20, 50)
    assert found.monitoring_at is not None
    assert found.monitoring_at.minute == 35


def test_two_updates_of_one_instant_keep_their_order() -> None:
    """They are listed newest first."""
    updates = [{"id": "later", "created_at": AT}, {"id": "earlier", "created_at": AT}]
    (found,) = page(incidents=[incident(incident_updates=updates)]).incidents
    assert [update.id for update in found.updates] == ["earlier", "later"]


def test_what_an_open_incident_says_of_components() -> None:
    """The latest word of its updates; how the component is now where no update names it; nothing once over."""
    updates = [
        {"id": "2", "created_at": "2026-02-19T18:00:00Z"}
        | {"affected_components": [{"code": "c1", "new_status": "degraded_performance"}]},
        {"id": "1", "created_at": "2026-02-19T17:00:00Z"}
        | {"affected_components": [{"code": "c1", "new_status": "major_outage"}, {"code": None}]},
    ]
    named = [{"id": "c1", "status": "operational"}, {"id": "c2", "status": "partial_outage"}]
    row = incident(incident_updates=updates, components=named)
    (found,) = page(incidents=[row]).incidents
    assert dict(found.components) == {
        "c1": ComponentStatus.DEGRADED_PERFORMANCE,
        "c2": ComponentStatus.PARTIAL_OUTAGE,
    }
    (over,) = page(incidents=[row | {"status": "resolved"}]).incidents
    assert set(dict(over.components).values()) == {ComponentStatus.OPERATIONAL}


def test_a_window_is_never_reversed() -> None:
    """A maintenance whose end is missing or before its start has none of its own."""
    rows = [
        maintenance(scheduled_for=AT, scheduled_until="2026-02-18T00:00:00Z"),
        maintenance(id="m2", status="completed", scheduled_for=AT, resolved_at="2026-02-20T00:00Z"),
    ]
    first, second = page(maintenances=rows).maintenances
    assert first.scheduled_start == first.scheduled_end == MOMENT
    assert second.scheduled_end == second.ended_at == datetime(2026, 2, 20, tzinfo=UTC)
    assert second.status is MaintenanceStatus.COMPLETED


def test_what_both_documents_have_is_taken_from_the_longer() -> None:
    """The summary only adds what the lists do not reach any more."""
    short = {"incidents": [incident(name="Old words"), incident(id="i2", name="More")]}
    found = page(incidents=[incident()], summary=deepcopy(short)).incidents
    assert [row.title for row in found] == ["Fire", "More"]
