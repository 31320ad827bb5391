"""Conditions in JMESPath: what is wrong with one is said when it is saved, and none takes all of a worker's memory."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from flask_statuspage.probing.json_condition import TooLarge, Unfit, compiled, is_met


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("a[", "Is no JMESPath expression: Invalid jmespath expression: Incomplete expression"),
        ("a b", "Is no JMESPath expression: "),
        ("@@", "Is no JMESPath expression: Unexpected token: @: Parse error at column 1"),
        ('"\\u"', "Is no JMESPath expression: Bad jmespath expression: Invalid"),
        ("lenght(a)", "Is no JMESPath expression: there is no function lenght()"),
        ("a[?foo(b)]", "Is no JMESPath expression: there is no function foo()"),
        ("length(a, b)", "Is no JMESPath expression: length() takes 1 arguments"),
        ("contains(a)", "Is no JMESPath expression: contains() takes 2 arguments"),
        ("merge()", "Is no JMESPath expression: merge() takes 1 arguments"),
        ("!" * 499 + "a", "Is nested too deeply"),
        ("[@,@][]|" * 7 + "@", "Makes too many lists and objects of its own"),
    ],
)
def test_a_bad_expression_is_refused(expression: str, message: str) -> None:
    """With what is wrong with it, and where if the package knows."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        compiled(expression)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "expression",
    [
        "a",
        "a[0:2:-1]",
        "merge(a, b, c)",
        "not_null(a, b, `1`)",
        "[a, b, c] == ['x', 'y', 'z']",
        "[a, b] == [`1`, `2`] && {a: a, b: b}.c == 'x'",
        "sort_by(items, &age)[-1].age > `5`",
        "length(items[?state != 'ok' && starts_with(name, 'db')]) == `0`",
    ],
)
def test_a_usual_expression_is_accepted(expression: str) -> None:
    """What conditions are made of, with slices, projections, filters and functions of any number of arguments."""
    compiled(expression)


DOUBLED = "[@,@][]|" * 6


@pytest.mark.parametrize(
    ("expression", "document"),
    [
        ("map(&map(&map(&@, @), @), [@, @])", [[0] * 1000] * 400),
        (DOUBLED + "@", [1] * 300_000),
        ("to_string([" * 30 + "@" + "])" * 30, '"' * 1000),
        ("join(sep, list)", {"sep": "x" * 100_000, "list": ["y"] * 100_000}),
    ],
)
def test_no_expression_takes_a_workers_memory(expression: str, document: Any) -> None:
    """Steps without end, lists that double, texts that are quoted over and over or join many: all are given up."""
    text = json.dumps(document).encode()
    started = time.process_time()
    with pytest.raises(TooLarge):
        is_met(expression, text)
    assert time.process_time() - started < 10


def test_what_does_not_fit_is_not_false() -> None:
    """A function of the wrong kind of value is told apart from a condition that is not met."""
    with pytest.raises(Unfit):
        is_met("length(a) > `1`", b'{"a": 5}')
    assert not is_met("length(a) > `1`", b'{"a": [5]}')
