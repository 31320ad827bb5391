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
from tests.web.site import Site
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
