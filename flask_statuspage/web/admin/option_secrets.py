"""What was typed into the form of a monitor, without its secrets: nothing of those is ever sent back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import product
from typing import Any

from werkzeug.datastructures import MultiDict

from ...probing import Probe, probes
from ...services.monitor_options import MASK
from . import reading
from .kept import without_user
from .option_shapes import Control, Path, Shape, shapes_of
from .option_values import every

WORDS = 100
"""So many different words are looked at in a text that should be JSON and is not."""

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WORD = re.compile(r"[\w-]+")


def may_hide(name: str) -> bool:
    """Whether the field of that name may hold a secret."""
    return name == "target" or name.startswith("options.") or name == "options"


def without_secrets(typed: reading.Typed) -> reading.Typed:
    """A copy of *typed*, in which of an option that is secret nothing is, and of others what is not.

    A target is there without the name and password before its host.

    What stands in the place of a secret is understood when it is sent again: a name without a value, or the mask, keeps
    what is stored; where nothing is stored, it is refused.
    """
    kind = reading.words(typed, "kind")
    shapes = {shape.name: shape for shape in every(shapes_of(kind))}
    left: reading.Typed = MultiDict()
    for name, text in typed.items(multi=True):
        if name != "options" and not name.startswith("options."):
            left.add(name, without_user(text) if name == "target" else text)
        elif (shape := shapes.get(name)) and not _is_within_secret(probes[kind], shape.path):
            if shape.control is Control.JSON and name in left:
                continue  # no form has it twice, and to search each would take long
            left.add(name, _told(probes[kind], shape, text, typed))
        # Else it is a secret, or no option of this kind, of which nobody knows.
    return left


def _is_within_secret(probe: Probe, path: Path) -> bool:
    return any(probe.is_secret(path[:length]) for length in range(1, len(path) + 1))


def _told(probe: Probe, shape: Shape, text: str, typed: reading.Typed) -> str:
    if shape.control is Control.PAIRS:
        return _lines(shape, text)
    if shape.control is not Control.JSON:
        return text
    try:
        value = json.loads(text)
        masked = _masked(probe, shape.path, value)
    except (ValueError, RecursionError):
        # Of a text that cannot be read nobody knows where its secrets are: what stood there before does instead.
        return typed.get(f"was.{shape.name}", "") if _may_tell(probe, shape.path, text) else text
    return text if masked == value else json.dumps(masked, indent=2, ensure_ascii=False)


def _lines(shape: Shape, text: str) -> str:
    """*text* with the names alone of what is secret in it."""
    lines = re.split(r"\r\n|\r|\n", text)
    told = [_line(shape, line) for line in lines]
    return text if told == lines else "\n".join(told)


def _line(shape: Shape, line: str) -> str:
    name, colon, value = (part.strip() for part in line.partition(":"))
    if not name and not value:
        return line
    named = name if colon else name.split()[0]
    if (named and not shape.hides(named)) or (colon and value == MASK):
        return line
    if colon and _HEADER.fullmatch(name):
        return f"{name}:" if value else line
    # What is no name may have the secret in it. A colon alone is refused until all of it is typed once more.
    return ":"


def _masked(probe: Probe, path: Path, value: Any) -> Any:
    """*value* with the mask in the place of each secret."""
    if path and probe.is_secret(path):
        return value if value in (None, "", [], {}) else MASK
    if isinstance(value, Mapping):
        return {name: _masked(probe, (*path, name), one) for name, one in value.items()}
    if isinstance(value, list):
        return [_masked(probe, (*path, str(n)), one) for n, one in enumerate(value)]
    return value


def _may_tell(probe: Probe, path: Path, text: str) -> bool:
    """Whether a word of *text*, alone or below another one, is the name of a secret."""
    words = list(dict.fromkeys(_WORD.findall(text)))
    if len(words) > WORDS:
        return True
    return any(probe.is_secret((*path, word)) for word in words) or any(
        probe.is_secret((*path, *pair)) for pair in product(words, repeat=2)
    )
