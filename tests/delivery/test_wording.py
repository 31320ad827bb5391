"""Events that are too long for their receivers: what is cut, what is marked, and what stays whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_statuspage.delivery.formats import Format, formats
from flask_statuspage.delivery.wording import MARK, TooLong, worded
from flask_statuspage.domain.events import PAGE_CHANGE, UPSTREAM_CHANGE, Event
from tests.documents.hostile import TEXTS

from .facts import (
    AFFECTED,
    UPDATE,
    component_data,
    event,
    incident_data,
    maintenance_data,
    monitor_data,
    uuid,
)

WEBHOOKS = [name for name in formats if "webhook" in formats[name].channels]
URL = "https://status.heroku.com"
FIRST = ["native", "statusmate", "statuspageone"]
WHOLE = re.compile(r"https?://|\d{4}-\d\d-\d\dT|[0-9a-f]{8}-[0-9a-f]{4}-")


def updates(count: int, body: str) -> list[dict[str, Any]]:
    """Newest first, each with an id and words of its own."""
    return [
        {**UPDATE, "id": str(uuid(1000 + number)), "body": f"{number} {body}"}
        for number in reversed(range(count))
    ]


def components(count: int, name: str = "Part") -> list[dict[str, Any]]:
    return [
        {**AFFECTED, "id": str(uuid(5000 + number)), "name": f"{name} {number}"}
        for number in range(count)
    ]


def fact(name: str, *, said: list[dict[str, Any]], parts: list[dict[str, Any]], text: str) -> Event:
    """The event *name*, its title, names and messages made of *text*."""
    if name == "test":
        return event(name, message=text)
    if name in (PAGE_CHANGE, UPSTREAM_CHANGE):
        every = [
            {"id": one["id"], "name": one["name"], "group": None, "status": "operational"}
            for one in parts
        ]
        steps = [{**one, "previous_status": "major_outage", "told": True} for one in every]
        words = {"title": text[:200], "text": text}
        was = {"previous_status": "major_outage", "status": "operational"}
        told = {**was, "components": every, "changes": steps, **words}
        if name == PAGE_CHANGE:
            return event(name, change=told)
        service = {"name": text[:200], "slug": "s", "status_page_url": URL, "home_page_url": URL}
        return event(name, upstream={**told, **service, "favicon_url": URL})
    kind = name.partition(".")[0]
    made: dict[str, dict[str, Any]] = {
        "incident": incident_data(title=text[:200], updates=said, components=parts),
        "maintenance": maintenance_data(
            title=text[:200],
            updates=[{**one, "status": "scheduled"} for one in said],
            components=parts,
        ),
        "component": component_data(name=text[:200], group=text[:200], description=text),
        "monitor": monitor_data(name=text[:200], check={**monitor_data()["check"], "error": text}),
    }
    affected = [component_data(name=one["name"], description=text) for one in parts]
    return event(name, **{kind: made[kind]}, components=affected)


def told(format: Format) -> list[str]:
    """The events that a format words."""
    if format.per_transaction:
        return ["test", PAGE_CHANGE, UPSTREAM_CHANGE]
    return ["test", *sorted(format.offered)]


def leaves(value: object) -> Iterator[str]:
    """All texts in a parsed body."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)


def shape(value: object) -> object:
    """The keys of a parsed body, of lists those of the first entry."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return None


@pytest.mark.parametrize("name", WEBHOOKS)
@settings(max_examples=30)
@given(
    data=st.data(),
    size=st.integers(2_000, 1_000_000) | st.integers(2_000, 20_000),
    said=st.integers(0, 40),
    parts=st.integers(0, 60),
    text=TEXTS,
    times=st.sampled_from([1, 10, 100, 1000]),
)
def test_every_event_fits(
    name: str, data: st.DataObject, size: int, said: int, parts: int, text: str, times: int
) -> None:
    """At any size the body is valid, has the shape of the whole one, and each text in it is whole or marked."""
    format = formats[name]
    body = ((text or "words ") * times)[:10_000]
    known = fact(
        data.draw(st.sampled_from(told(format))),
        said=updates(said, body) or updates(1, ""),
        parts=components(parts, text[:100]),
        text=body,
    )
    before = json.dumps(known.data)
    full = format.render(known)
    try:
        cut = worded(format, known, size=size)
    except TooLong:
        # A format with much around its texts; what the least is, it may say itself.
        assert size < 8_000
        assert name not in FIRST
        return
    assert len(cut.encode()) <= size
    assert (cut == full) is (len(full.encode()) <= size)
    assert shape(json.loads(cut)) == shape(json.loads(full))
    if name == "slack":
        return  # it joins texts and names, and cuts to what Slack takes by itself
    whole = set(leaves(json.loads(full)))
    for text in leaves(json.loads(cut)):
        assert text in whole or MARK in text
        assert text in whole or not WHOLE.match(text)
    assert worded(format, known, size=size) == cut
    assert json.dumps(known.data) == before


@pytest.mark.parametrize("name", FIRST)
def test_two_thousand_bytes_are_enough(name: str) -> None:
    """With names and texts of the greatest length the least that is told still fits in 2 kB."""
    format = formats[name]
    for text in ("\U0001f525" * 10_000, "\x01" * 10_000, "\\" * 10_000):
        for event_name in told(format):
            known = fact(
                event_name, said=updates(50, text), parts=components(50, text[:190]), text=text
            )
            assert len(worded(format, known, size=2_000).encode()) <= 2_000


def test_what_fits_is_not_touched() -> None:
    """To the byte: one less, and something is cut."""
    known = event("incident.created", incident=incident_data(updates=updates(1, "ü" * 500)))
    whole = formats["native"].render(known)
    size = len(whole.encode())
    assert worded(formats["native"], known, size=size) == whole
    cut = json.loads(worded(formats["native"], known, size=size - 1))
    body = cut["incident"]["updates"][0]["body"]
    assert body.endswith("ü" + MARK)
    assert len(body) > 450
    assert cut == {
        **json.loads(whole),
        "incident": {
            **json.loads(whole)["incident"],
            "updates": [{**cut["incident"]["updates"][0], "body": body}],
        },
    }


def test_long_texts_are_cut_before_updates_go() -> None:
    """As long as a thousand characters of each text fit, all updates stay."""
    known = event("incident.updated", incident=incident_data(updates=updates(20, "x" * 9_000)))
    for size, length in ((100_000, 4_000), (30_000, 1_000)):
        incident = json.loads(worded(formats["native"], known, size=size))["incident"]
        assert [update["body"].split()[0] for update in incident["updates"]] == [
            str(number) for number in reversed(range(20))
        ]
        assert all(update["body"].endswith("x" + MARK) for update in incident["updates"])
        assert min(len(update["body"]) for update in incident["updates"]) >= length


def test_the_oldest_updates_go_first() -> None:
    """The newest stay in their order, as many as fit, and the last one says that there were more."""
    known = event("incident.updated", incident=incident_data(updates=updates(2_000, "y" * 80)))
    incident = json.loads(worded(formats["native"], known, size=50_000))["incident"]
    bodies = [update["body"] for update in incident["updates"]]
    assert 200 < len(bodies) < 500
    assert [body.split()[0] for body in bodies] == [
        str(number) for number in range(1_999, 1_999 - len(bodies), -1)
    ]
    assert bodies[-1].endswith(MARK)
    assert not any(MARK in body for body in bodies[:-1])
    assert incident["components"] == ["API", "Web"]


def test_components_go_last() -> None:
    """Only where nothing else helps are there fewer components, the first of them."""
    known = event(
        "incident.created",
        incident=incident_data(components=components(3_000), updates=updates(30, "z" * 5_000)),
    )
    incident = json.loads(worded(formats["native"], known, size=60_000))["incident"]
    assert len(incident["components"]) == 3_000
    incident = json.loads(worded(formats["native"], known, size=20_000))["incident"]
    assert 1_000 < len(incident["components"]) < 3_000
    assert incident["components"] == [
        f"Part {number}" for number in range(len(incident["components"]))
    ]
    assert len(incident["updates"]) == 1


def test_a_space_before_the_mark_goes() -> None:
    """A text is cut between its words where it happens to be, without a hole before the mark."""
    known = event("incident.created", incident=incident_data(updates=updates(1, "a " * 5_000)))
    for size in range(2_000, 2_100):
        incident = json.loads(worded(formats["native"], known, size=size))["incident"]
        assert incident["updates"][0]["body"].endswith("a" + MARK)


def test_a_cut_text_is_shorter() -> None:
    """No text grows by its mark, not even one that is hardly too long."""
    parts = components(1, "n" * 32)
    known = event("incident.created", incident=incident_data(components=parts, title="t" * 4_000))
    with pytest.raises(TooLong) as caught:
        worded(formats["native"], known, size=1)
    shortest = worded(formats["native"], known, size=caught.value.least)
    assert len(shortest.encode()) == caught.value.least
    incident = json.loads(shortest)["incident"]
    assert (incident["name"], incident["component"]) == ("t" * 25 + MARK, "n" * 25 + MARK)


def test_addresses_are_never_cut() -> None:
    """What has no room for its addresses is not said at all, and the error tells both sizes."""
    url = "https://status.example.com/" + "x" * 5_000
    known = event("incident.created", incident=incident_data(url=url))
    with pytest.raises(TooLong, match=r"at least 5,\d\d\d bytes; 4,000 are allowed") as caught:
        worded(formats["native"], known, size=4_000)
    assert caught.value.size == 4_000
    assert json.loads(worded(formats["native"], known, size=8_000))["incident"]["url"] == url
    target = monitor_data(target=url)
    with pytest.raises(TooLong):
        worded(formats["statuspageone"], event("monitor.down", monitor=target), size=4_000)


def test_a_megabyte_is_cut_soon() -> None:
    """The body is made a few dozen times at most, however long the event is."""
    known = event("incident.updated", incident=incident_data(updates=updates(300, "w" * 9_900)))
    made: list[int] = []

    def render(event: Event) -> str:
        made.append(1)
        return formats["native"].render(event)

    counted = Format(
        name="counted",
        channels=frozenset(),
        render=render,
        unasked=frozenset(),
        offered=frozenset(),
    )
    cut = worded(counted, known, size=1_000_000)
    assert 930_000 < len(cut.encode()) <= 1_000_000
    assert len(made) < 40
