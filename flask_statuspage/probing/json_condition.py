"""Conditions on a JSON answer: JMESPath expressions (https://jmespath.org/specification.html), within limits.

A member writes the expression and a stranger the answer, and a few dozen characters can make a small document as large
as memory: ``[@,@][]`` doubles a list. So an expression may copy only so often, and asking takes only so many steps.

This module needs the package ``jmespath``; whoever imports it does so where a condition is used.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jmespath import functions, parser, visitor
from jmespath.exceptions import JMESPathError

MAX_COPIES = 64
MAX_STEPS = 500_000
MAX_ITEMS = 1_000_000
MAX_CHARACTERS = 4_000_000
_LONGEST_MESSAGE = 200
_NOT_OF_THE_KIND = (
    *(JMESPathError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
)
"""What the package raises over a value that it did not expect: not always an error of its own."""


class TooLarge(Exception):
    """The answer takes more steps or room than a condition may."""


class Unfit(Exception):
    """The answer is not of the kind that the condition asks about, such as ``length`` of a number."""


@lru_cache(maxsize=4096)
def compiled(expression: str) -> Mapping[str, Any]:
    """The syntax tree of *expression*.

    :raises ValueError: what is wrong with it, as a sentence.
    """
    try:
        tree: Mapping[str, Any] = parser.Parser().parse(expression).parsed
        nodes = list(_nodes(tree))
    except JMESPathError as error:
        said = str(error).partition("\n")[0].partition(", for expression")[0].rstrip(":. ")
        raise ValueError(f"Is no JMESPath expression: {said[:_LONGEST_MESSAGE]}") from None
    except RecursionError:
        raise ValueError("Is nested too deeply") from None
    for node in nodes:
        if node["type"] == "function_expression":
            _check_call(node["value"], len(node["children"]))
    if math.prod(map(_copies, nodes)) > MAX_COPIES:
        raise ValueError("Makes too many lists and objects of its own")
    return tree


def is_met(expression: str, document: bytes) -> bool:
    """Whether the result of *expression* on *document* is true: neither false nor null nor empty.

    :raises json.JSONDecodeError: when *document* is no JSON; other :exc:`ValueError` and :exc:`RecursionError` for what
        Python cannot read of it.
    :raises Unfit: when the condition cannot be asked about it.
    :raises TooLarge: when that takes too long.
    """
    tree, value = compiled(expression), json.loads(document)
    try:
        result = _Bounded().visit(tree, value)
    except _NOT_OF_THE_KIND:
        raise Unfit from None
    return not (result is None or result is False or result in ("", [], {}))


class _Functions(functions.Functions):  # type: ignore[misc]
    @functions.signature({"types": ["string"]}, {"types": ["array-string"]})  # type: ignore[untyped-decorator]
    def _func_join(self, separator: str, array: list[str]) -> str:
        if len(separator) * len(array) + sum(map(len, array)) > MAX_CHARACTERS:
            raise TooLarge
        return separator.join(array)


class _Bounded(visitor.TreeInterpreter):  # type: ignore[misc]
    """Evaluates an expression, and gives up when that gets out of hand."""

    def __init__(self) -> None:
        super().__init__(visitor.Options(custom_functions=_Functions()))
        self._steps = 0

    def visit(self, node: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise TooLarge
        result = super().visit(node, *args, **kwargs)
        if isinstance(result, list) and len(result) > MAX_ITEMS:
            raise TooLarge
        if isinstance(result, str) and len(result) > MAX_CHARACTERS:
            raise TooLarge
        return result


def _nodes(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield tree
    for child in tree.get("children", ()):
        if isinstance(child, Mapping):  # of a slice they are numbers
            yield from _nodes(child)


def _copies(node: Mapping[str, Any]) -> int:
    """How often a list or object that the expression makes may hold what is there once."""
    if not node["type"].startswith("multi_select"):
        return 1
    count = 0
    for child in node["children"]:
        value = child["children"][0] if child["type"] == "key_val_pair" else child
        count += value["type"] != "literal"
    return max(count, 1)


def _check_call(name: str, given: int) -> None:
    """What the package itself would only notice when it is asked."""
    call = functions.Functions.FUNCTION_TABLE.get(name)
    if call is None:
        raise ValueError(f"Is no JMESPath expression: there is no function {name}()")
    signature = call["signature"]
    variadic = bool(signature) and signature[-1].get("variadic")
    if given < len(signature) or (given > len(signature) and not variadic):
        raise ValueError(f"Is no JMESPath expression: {name}() takes {len(signature)} arguments")
