"""Kinds of other packages have their form by their model alone: every sort of option, as text and back."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from flask_statuspage.config import Settings
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import Finding, Probe, ProbeOptions, ProbeOrder, probes
from flask_statuspage.services import monitor_options
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.web.admin.option_shapes import Control, shapes_of
from tests.console import watching
from tests.console.conftest import Enter
from tests.console.member import EDITOR, Member, forms_of
from tests.web.site import Site, SiteMaker

MASK = "********"


class Colour(enum.StrEnum):
    RED = "red"
    GREEN = "green"


class Spot(BaseModel):
    model_config = ConfigDict(extra="forbid")

    x: int = 0
    sharp: bool = False
    pin: str | None = None


class Other(BaseModel):
    level: Literal[1, 2]


class OddOptions(ProbeOptions):
    """Some of all that a model may have."""

    flag: bool = True
    maybe: bool | None = None
    count: Annotated[int, Field(ge=1, le=9, description="How <many>.")] = 3
    share: float | None = 0.5
    colour: Colour = Colour.RED
    level: Literal[1, 2, 3] = 2
    shade: Literal["dark", "light"] | None = None
    text: str = "plain"
    long: Annotated[str, Field(max_length=5000)] = ""
    either: int | str = 7
    numbers: list[int] = [1, 2]
    words: list[str] | None = None
    table: dict[str, int] = {}
    spot: Spot | None = None
    fixed: Spot = Spot()
    api_key: str | None = None
    keys: dict[str, str] = {}
    nested: list[dict[str, int]] = []
    other: Spot | Other | None = None
    anything: Any = None


class OddProbe(Probe):
    kind = "odd"
    Options = OddOptions

    def is_secret(self, path: tuple[str, ...]) -> bool:
        return path in (("api_key",), ("spot", "pin"), ("fixed", "pin"), ("keys",))

    @contextmanager
    def open(self, settings: Settings) -> Iterator[OddProbe]:
        yield self

    def ask(self, order: ProbeOrder) -> Finding:
        return Finding(outcome=Verdict.UP)


class Strange:
    """What JSON does not know."""


class StrangeOptions(ProbeOptions):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    strange: Annotated[Strange | None, Field(exclude=True)] = None
    name: str = "x"


class StrangeProbe(OddProbe):
    kind = "strange"
    Options = StrangeOptions


class BareProbe(OddProbe):
    kind = "bare"
    Options = ProbeOptions


@pytest.fixture
def site(make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch) -> Site:
    found = dict(probes.items())
    found |= {"odd": OddProbe(), "strange": StrangeProbe(), "bare": BareProbe()}
    monkeypatch.setattr(probes, "_all", found)
    return watching.build(make_site)


FULL: dict[str, Any] = {
    "flag": False,
    "maybe": True,
    "count": 9,
    "share": 0.25,
    "colour": "green",
    "level": 3,
    "shade": "dark",
    "text": " spaces ",
    "long": "a\nb",
    "either": "x",
    "numbers": [3, -4],
    "words": ["a b", "7"],
    "table": {"a": 1, "b c": 2},
    "spot": {"x": 5, "sharp": True, "pin": "1234"},
    "fixed": {"x": 6, "sharp": False, "pin": "4321"},
    "api_key": "swordfish",
    "keys": {"a": "hunter2"},
    "nested": [{"a": 1}],
    "other": {"level": 2},
    "anything": {"x": [None, True]},
}
HIDDEN = FULL | {
    "api_key": MASK,
    "keys": MASK,
    "spot": {**FULL["spot"], "pin": MASK},
    "fixed": {**FULL["fixed"], "pin": MASK},
}
TYPED = {
    "flag": None,
    "maybe": "yes",
    "count": "9",
    "share": "0.25",
    "colour": "green",
    "level": "3",
    "shade": "dark",
    "text": " spaces ",
    "long": "a\r\nb",
    "either": "x",
    "numbers": "3\r\n\r\n-4",
    "words": "a b\r\n7",
    "table": "a: 1\r\nb c: 2",
    "spot.x": "5",
    "spot.sharp": "yes",
    "spot.pin": "1234",
    "fixed.x": "6",
    "fixed.pin": "4321",
    "api_key": "swordfish",
    "keys": '{"a": "hunter2"}',
    "nested": '[{"a": 1}]',
    "other": '{"level": 2}',
    "anything": '{"x": [null, true]}',
}


def options(site: Site, ident: str = "m") -> dict[str, Any]:
    found: dict[str, Any] = watching.monitor(site, ident)["options"]
    return found


def secrets(site: Site, slug: str) -> dict[str, Any]:
    """What is kept of them, opened."""
    (row,) = (one for one in site.rows(Monitor) if one.slug == slug)
    with site.app.app_context():
        return monitor_options.secrets(row)


def save(ann: Member, **changes: Any) -> Any:
    named = {f"options.{name}": value for name, value in changes.items()}
    return ann.send(ann.form("/monitors/m/edit", "Save"), **named)


def test_every_sort_of_option_has_its_field(site: Site, enter: Enter) -> None:
    """Each by the native element for it, with what the model says of it; what none can show is JSON."""
    html = enter(EDITOR).get("/monitors/new?kind=odd").text
    for field in (
        '<input type="checkbox" id="f-options.flag" name="options.flag" value="yes" checked',
        'name="options.count" type="number" value="3" autocomplete="off" step="1" min="1" max="9"',
        'name="options.share" type="number" value="0.5" autocomplete="off" step="any"',
        '<option value="green">green</option>',
        '<option value="2" selected>2</option>',
        '<option value="" selected>None</option><option value="dark">dark</option>',
        'name="options.text" type="text" value="plain"',
        '<textarea class="sp-input" id="f-options.long"',
        'name="options.either" type="text" value="7"',
        'id="f-options.numbers" name="options.numbers" rows="4"',
        'id="f-options.spot.x" name="options.spot.x" type="number"',
        'id="f-options.api_key" name="options.api_key" type="password" value=""',
        '<textarea class="sp-input" id="f-options.keys" name="options.keys" rows="4" dir="ltr"',
        '<textarea class="sp-input" id="f-options.nested"',
        '<textarea class="sp-input" id="f-options.anything"',
        "How &lt;many&gt;.",
        "<legend>Spot</legend>",
        ">Api key</label>",
    ):
        assert field in html, field


def test_options_are_typed_and_kept(site: Site, enter: Enter) -> None:
    """What is typed is what the model gets; saved again untouched it stays, secrets too."""
    ann = enter(EDITOR)
    form = ann.form("/monitors/new?kind=odd", "Make the monitor")
    typed = {f"options.{name}": value for name, value in TYPED.items()}
    page = ann.follow(ann.send(form, name="M", target="x", **typed))
    assert options(site) == HIDDEN
    twin = site.made("/monitors", name="Twin", kind="odd", target="x", options=FULL)
    assert twin["options"] == HIDDEN
    assert secrets(site, "m") == secrets(site, "twin")
    edit = ann.get("/monitors/m/edit").text
    for secret in ("swordfish", "hunter2", "1234", "4321"):
        assert secret not in page.text + edit
    assert save(ann).status_code == 303
    assert secrets(site, "m") == secrets(site, "twin")
    assert options(site) == HIDDEN


def test_what_is_emptied_is_none(site: Site, enter: Enter) -> None:
    """Null where that may be, else empty, else what is usual; a secret goes by its box."""
    site.made("/monitors", name="M", kind="odd", target="x", options=FULL)
    ann = enter(EDITOR)
    assert 'name="clear.options.api_key"' in ann.get("/monitors/m/edit").text
    emptied = dict.fromkeys(
        ("share", "shade", "text", "long", "words", "numbers", "table", "count", "nested"), ""
    )
    form = ann.form("/monitors/m/edit", "Save")
    named = {f"options.{name}": value for name, value in emptied.items()}
    sent = ann.send(form, **named, **{"clear.options.api_key": "yes", "options.maybe": None})
    assert sent.status_code == 303
    now = options(site)
    expected = {
        "share": None,
        "shade": None,
        "text": "",
        "long": "",
        "words": None,
        "numbers": [],
        "table": {},
        "count": 3,
        "nested": [],
        "api_key": None,
        "maybe": False,
        "keys": MASK,
    }
    assert {name: now[name] for name in expected} == expected
    assert 'name="clear.options.api_key"' not in ann.get("/monitors/m/edit").text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("count", "10", "Must be at most 9."),
        ("share", "half", "Must be a number."),
        ("share", "0_1", "Must be a number."),
        ("share", "\uff11", "Must be a number."),
        ("share", "inf", "Must be a number"),
        ("numbers", "1\ntwo", "Must be a whole number."),
        ("table", "a: one", "Must be a whole number."),
        ("table", "a", "Line 1: must be a name"),
        ("nested", "[", "Must be JSON"),
        ("nested", "[" * 20_000, "Must be JSON"),
        ("level", "4", "Must be one of"),
        ("spot.x", "far", "Must be a whole number."),
        ("keys", "x", "Must be JSON"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_the_model_does_not_like(
    site: Site, enter: Enter, name: str, value: str, words: str
) -> None:
    """422 with the words at the field, what was typed kept, and nothing saved."""
    site.made("/monitors", name="M", kind="odd", target="x", options=FULL)
    ann = enter(EDITOR)
    answer = save(ann, **{name: value})
    assert answer.status_code == 422
    assert words in answer.text
    assert f'id="f-options.{name}-problem"' in answer.text
    if name not in ("level", "keys"):
        again = next(one for one in forms_of(answer.text) if "Save" in one.words)
        assert again.fields[f"options.{name}"] == value
    assert options(site) == HIDDEN


def test_a_group_that_may_be_missing(site: Site, enter: Enter) -> None:
    """Nothing filled in: it is none. Something: it is there, with what is usual."""
    site.made("/monitors", name="M", kind="odd", target="x")
    ann = enter(EDITOR)
    assert save(ann).status_code == 303
    assert options(site)["spot"] is None
    assert save(ann, **{"spot.x": "4"}).status_code == 303
    assert options(site)["spot"] == {"x": 4, "sharp": False, "pin": None}
    assert save(ann, **{"spot.x": "0"}).status_code == 303
    assert options(site)["spot"] is None


def test_a_model_without_a_schema_is_json(site: Site, enter: Enter) -> None:
    """All options are one field then; a kind without options has none."""
    ann = enter(EDITOR)
    form = ann.form("/monitors/new?kind=strange", "Make the monitor")
    assert json.loads(form.fields["options"]) == {"name": "x"}
    for wrong, words in (
        ("[", "Must be JSON"),
        ("[1]", "Must be an object"),
        ('{"a": 1}', "no such field"),
    ):
        answer = ann.send(form, name="M", target="x", options=wrong)
        assert answer.status_code == 422
        assert words in answer.text
    assert ann.send(form, name="M", target="x", options='{"name": "y"}').status_code == 303
    assert options(site) == {"name": "y"}
    assert save(ann).status_code == 303
    form = ann.form("/monitors/new?kind=bare", "Make the monitor")
    assert not any(name.startswith("options") for name in form.fields)
    assert ann.send(form, name="Bare", target="x").status_code == 303
    assert options(site, "bare") == {}


class OlderOptions(ProbeOptions):
    """Whose schema is written as older versions of pydantic do."""

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        spot = {"type": "object", "properties": {"x": {"type": "integer", "default": 0}}}
        colour = {"type": "string", "enum": ["red", "green"]}
        return {
            "$defs": {"Spot": spot, "Colour": colour},
            "properties": {
                "spot": {"allOf": [{"$ref": "#/$defs/Spot"}], "default": {"x": 0}},
                "colour": {"allOf": [{"$ref": "#/$defs/Colour"}], "default": "red"},
                "shape": {"const": "round", "enum": ["round"], "default": "round"},
            },
        }


class OlderProbe(OddProbe):
    kind = "older"
    Options = OlderOptions


def test_schemas_of_older_versions(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """References that stand in a list of one are followed, too."""
    monkeypatch.setattr(probes, "_all", {**dict(probes.items()), "older": OlderProbe()})
    spot, colour, shape = shapes_of("older")
    assert [part.control for part in spot.parts] == [Control.NUMBER]
    assert (colour.control, colour.choices, colour.default) == (
        Control.CHOICE,
        ("red", "green"),
        "red",
    )
    assert (shape.control, shape.choices) == (Control.CHOICE, ("round",))


def test_a_kind_that_is_not_there_any_more(
    site: Site, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its monitors are shown, paused, deleted, or made to be of another kind; they cannot be saved as they are."""
    site.made("/monitors", name="M", kind="odd", target="http://127.0.0.1:9/", options=FULL)
    left = {name: probe for name, probe in probes.items() if name != "odd"}
    monkeypatch.setattr(probes, "_all", left)
    ann = enter(EDITOR)
    for path in ("/monitors", "/monitors/m", "/monitors/m/edit", "/monitors/m/delete"):
        assert ann.get(path).status_code == 200
    refused = save(ann)
    assert refused.status_code == 422
    assert "Must be one of" in refused.text
    assert ann.send(ann.form("/monitors/m", "Pause")).status_code == 303
    form = ann.form("/monitors/m/edit?kind=http", "Save")
    assert ann.send(form).status_code == 303
    assert watching.monitor(site, "m")["kind"] == "http"
