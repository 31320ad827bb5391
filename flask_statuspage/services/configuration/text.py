"""The document as TOML text."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import tomli_w

from ...errors import Invalid
from .document import LISTS


def read(text: str | bytes) -> dict[str, Any]:
    """The document of a TOML text.

    :raises Invalid: naming line and column.
    """
    try:
        return tomllib.loads(text if isinstance(text, str) else text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Invalid.field("TOML", f"Is not UTF-8 at byte {error.start}.") from error
    except RecursionError as error:
        raise Invalid.field("TOML", "Is nested too deeply.") from error
    except ValueError as error:  # numbers of thousands of digits, too
        raise Invalid.field("TOML", f"{error}.") from error


def write(document: Mapping[str, Any]) -> str:
    """*document* as a person would write it: one table for each thing, longer texts over several lines."""
    return "\n".join(_tables("pages", document["pages"]))


def _tables(path: str, entries: list[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        below = {
            name: value
            for name, value in entry.items()
            if isinstance(value, Mapping) or (name in LISTS and _of_tables(value))
        }
        lines = [f"{name} = {_value(item)}\n" for name, item in entry.items() if name not in below]
        yield f"[[{path}]]\n" + "".join(lines)
        for name, value in below.items():
            if isinstance(value, Mapping):
                yield _table(f"{path}.{name}", value)
            else:
                yield from _tables(f"{path}.{name}", value)


def _of_tables(value: list[Any]) -> bool:
    return all(isinstance(item, Mapping) for item in value)


def _table(path: str, values: Mapping[str, Any]) -> str:
    nested: Mapping[str, Any] = values
    for name in reversed(path.split(".")):
        nested = {name: nested}
    return tomli_w.dumps(nested)


def _value(value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        line = f"[{', '.join(_value(item) for item in value)}]"
        if "\n" not in line and len(line) <= 80:
            return line
    # TOML makes every line break of a text over several lines a line feed, so a carriage return must be escaped.
    lines = isinstance(value, str) and "\r" not in value
    return tomli_w.dumps({"x": value}, multiline_strings=lines).removeprefix("x = ")[:-1]
