"""What is wrong with a field is said in plain words, never in those of the library that found it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from flask_statuspage.domain.wrong_fields import field_errors
from flask_statuspage.errors import Invalid
from flask_statuspage.probing import probes
from flask_statuspage.services import configuration
from flask_statuspage.web.manage_api import operations
from tests.web.site import Site, SiteMaker
from tests.web.test_manage_api import problem

VALUES: list[Any] = [
    *(
        None,
        True,
        1,
        1.5,
        -1,
        2**40,
        10**400,
        "",
        "x",
        "x" * 20_000,
        "\x00",
        "2026-13-01T00:00:00Z",
    ),
    *([], ["x"], [1], [[]], [""], ["a"] * 2000, {}, {"a": 1}, {"a": None}, {"type": "x"}),
]
MODELS: dict[str, type[BaseModel]] = {
    **{one.body.__name__: one.body for one in operations() if one.body is not None},
    **{f"options of {kind}": probe.Options for kind, probe in probes.items()},
}
FOREIGN = re.compile(
    r"\b(should|valid|validation|input|inputs|instance|parse|parsing|dictionary|boolean|integer|string)\b",
    re.I,
)
ALLOWED = "Is no JMESPath expression"
"""The words of that language's own parser, which whoever writes in it knows."""


def told(model: type[BaseModel]) -> Iterator[str]:
    for name in model.model_fields:
        for value in VALUES:
            try:
                model.model_validate({name: value})
            except ValidationError as error:
                yield from (one.message for one in field_errors(error))


@pytest.mark.parametrize("name", MODELS)
def test_every_field_of_every_body(name: str) -> None:
    """Whatever is sent in a body or as an option, what is wrong with it is a sentence of ours."""
    for message in told(MODELS[name]):
        assert message[0].isupper(), message
        assert message.endswith("."), message
        assert message.startswith(ALLOWED) or not FOREIGN.search(message), message


def test_a_configuration() -> None:
    """A configuration as code is told the same words."""
    for line in ("slug = 1", "slug = ''", "slug = 'a'\ncolours = 5", "slug = 'a'\ngroups = 5"):
        with pytest.raises(Invalid) as caught:
            configuration.checked(configuration.read(f"[[pages]]\n{line}"))
        assert not FOREIGN.search(str(caught.value)), str(caught.value)


WRONG_MONITOR = {
    "target": "gopher://x",
    "component": "nope",
    "template": "nope",
    "depends_on": "nope",
    "slug": "A B",
    "interval": 0,
    "timeout": 900,
    "quorum": 0,
    "outage_status": "operational",
    "options": {"bogus": 1},
}
"""Each is wrong for another reason: what is named is not there, a limit, a spelling."""


def named(site: Site, method: str, path: str, body: dict[str, Any]) -> list[str]:
    """The fields that are told as wrong, one after the other."""
    answer = problem(site.ask(method, path, body), 422)
    return sorted(error["field"].partition(".")[0] for error in answer["errors"])


def test_a_monitor_of_which_everything_is_wrong(site: Site) -> None:
    """Whatever is wrong with it is named at once, when it is made and when it is changed, and nothing is saved."""
    wanted = sorted(WRONG_MONITOR)
    assert named(site, "POST", "/monitors", {"name": "Probe", **WRONG_MONITOR}) == wanted
    assert site.ask("GET", "/monitors").get_json()["total"] == 0
    site.made("/monitors", name="Probe", target="https://1.1.1.1/")
    before = site.ask("GET", "/monitors/probe").get_json()
    assert named(site, "PATCH", "/monitors/probe", WRONG_MONITOR) == wanted
    assert site.ask("GET", "/monitors/probe").get_json() == before


@pytest.mark.parametrize("way", ["POST", "PATCH"])
def test_a_forbidden_target_is_named_with_the_rest(make_site: SiteMaker, way: str) -> None:
    """What only the network tells of the target is no reason to keep silent about the others."""
    site = make_site(STATUSPAGE_ALLOW_PRIVATE_TARGETS=False)
    site.made("/monitors", name="Probe", target="https://1.1.1.1/")
    path = "/monitors" if way == "POST" else "/monitors/probe"
    body = {"name": "Other", "target": "https://127.0.0.1/", "component": "nope", "timeout": 900}
    assert named(site, way, path, body) == ["component", "target", "timeout"]
    assert named(site, way, path, {"name": "Other", "target": "https://127.0.0.1/"}) == ["target"]
    assert [one["name"] for one in site.ask("GET", "/monitors").get_json()["items"]] == ["Probe"]


@pytest.mark.parametrize("way", ["POST", "PATCH"])
def test_regions_that_are_not_there_count_for_the_quorum(site: Site, way: str) -> None:
    """Which of the regions is wrong is told, not that there are too few of them."""
    site.made("/monitors", name="Probe", target="https://1.1.1.1/")
    path = "/monitors" if way == "POST" else "/monitors/probe"
    body = {"name": "Other", "target": "https://1.1.1.1/", "regions": ["eu", "mars"], "quorum": 2}
    assert named(site, way, path, body) == ["regions"]


def test_a_component_of_which_more_is_wrong(site: Site) -> None:
    """Its group, its slug and its first day are named at once, and nothing is saved."""
    site.made("/components", name="API")
    body = {"group": "nope", "slug": "A B", "start_date": "1980-01-01"}
    assert named(site, "POST", "/components", {"name": "Web", **body}) == sorted(body)
    assert named(site, "PATCH", "/components/api", body) == sorted(body)
    (left,) = site.ask("GET", "/components").get_json()["items"]
    assert (left["name"], left["slug"], left["group"]) == ("API", "api", None)


@pytest.mark.parametrize(
    ("components", "wrong"),
    [
        (5, {"components": "Must be a list or an object."}),
        ({"billing": "bogus"}, {"components.billing": "Must be one of unknown, operational, "}),
        ([5], {"components.0": "Must be a text."}),
        ({"billing": None, "\x00": "operational"}, {"components.billing": "Must be one of"}),
    ],
    ids=["neither", "an object", "a list", "two keys"],
)
def test_what_may_be_of_two_types(site: Site, components: Any, wrong: dict[str, str]) -> None:
    """A value that is of one of the types is not told of the other; one of neither is told of both."""
    answer = problem(site.ask("POST", "/incidents", {"title": "x", "components": components}), 422)
    found = {error["field"]: error["message"] for error in answer["errors"]}
    assert len(found) == len(answer["errors"])
    for field, beginning in wrong.items():
        assert found[field].startswith(beginning), found
    assert "components" in wrong or "components" not in found
