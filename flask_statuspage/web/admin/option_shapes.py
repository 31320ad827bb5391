"""What the options of a kind of monitor look like, read from their model: so each kind has its fields, whoever made it.

The model's JSON schema is what is read. What no plain field can show is a field of JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic.errors import PydanticUserError

from ...errors import Invalid
from ...probing import Probe, probes
from ...state import current_settings

DEEPEST = 2
"""Models within models that have fields of their own; below they are JSON."""

SEVERAL_LINES = 4096
"""Characters: a text that may be longer has several lines."""

SCALARS = frozenset({"string", "integer", "number"})
Node = Mapping[str, Any]
Path = tuple[str, ...]


def _never(name: str) -> bool:
    return False


class Control(StrEnum):
    """What kind of field an option has."""

    TICK = "tick"
    NUMBER = "number"
    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    LINES = "lines"
    PAIRS = "pairs"
    JSON = "json"
    GROUP = "group"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One option.

    :param path: empty: all options together, of a kind whose model has no schema.
    :param nullable: whether it may be null, which an empty field says.
    :param default: None also where there is none.
    :param choices: the values of a ``CHOICE``.
    :param types: the JSON types that a single value may have: of a ``NUMBER`` or ``LINE``, of the items of ``LINES``
        and of the values of ``PAIRS``.
    :param range: the smallest and the largest number.
    :param hint: what the model says of it.
    :param is_secret: it is never shown.
    :param hides: of ``PAIRS``: whether the value of that name is a secret.
    :param parts: the options of a ``GROUP``.
    """

    path: Path
    control: Control
    nullable: bool = False
    required: bool = False
    default: Any = None
    choices: tuple[Any, ...] = ()
    types: frozenset[str] = SCALARS
    range: tuple[float | None, float | None] = (None, None)
    hint: str = ""
    is_secret: bool = False
    hides: Callable[[str], bool] = field(default=_never, compare=False)
    parts: tuple[Shape, ...] = ()

    @property
    def name(self) -> str:
        """The name of its field."""
        return ".".join(("options", *self.path))


def shapes_of(kind: str) -> tuple[Shape, ...]:
    """The options of *kind*, in the order of its model; none of a kind that is not there any more."""
    if kind not in probes:
        return ()
    try:
        schema = probes[kind].Options.model_json_schema()
    except PydanticUserError:  # of a type that JSON does not know
        return (Shape(path=(), control=Control.JSON),)
    return tuple(_Reader(schema, probes[kind]).parts(schema, ()))


def defaults_of(kind: str) -> dict[str, Any]:
    """The options of a monitor of which nothing is said, as far as they have defaults."""
    found = {shape.path[0]: shape.default for shape in shapes_of(kind) if shape.path}
    try:
        return found | probes[kind].check_options({}, current_settings()) if kind in probes else {}
    except Invalid:  # some must be given, or a package is missing
        return found


class _Reader:
    """Reads the nodes of one *schema*."""

    def __init__(self, schema: Node, probe: Probe) -> None:
        self._known: Node = schema.get("$defs", {})
        self._probe = probe

    def parts(self, node: Node, path: Path) -> Iterator[Shape]:
        required = node.get("required", ())
        for name, part in node.get("properties", {}).items():
            yield self._shape(part, (*path, name), required=name in required)

    def _shape(self, node: Node, path: Path, *, required: bool) -> Shape:
        branches = [self._resolved(one) for one in node.get("anyOf", (node,))]
        rest = [one for one in branches if one.get("type") != "null"]
        facts = self._facts(rest, path)
        return Shape(
            path=path,
            nullable=len(rest) < len(branches),
            required=required,
            default=node.get("default"),
            hint=node.get("description", ""),
            is_secret=self._probe.is_secret(path),
            hides=lambda name: self._probe.is_secret((*path, name)),
            **facts,
        )

    def _facts(self, rest: list[Node], path: Path) -> dict[str, Any]:
        """What kind of field shows a value that is as one of *rest* says."""
        types = _types(rest)
        if len(rest) != 1:
            return {"control": Control.LINE, "types": types} if types else {"control": Control.JSON}
        (node,) = rest
        if choices := _choices(node):
            return {"control": Control.CHOICE, "choices": choices}
        match node.get("type"):
            case "boolean":
                return {"control": Control.TICK}
            case "integer" | "number":
                limits = node.get("minimum"), node.get("maximum")
                return {"control": Control.NUMBER, "types": types, "range": limits}
            case "string":
                is_long = node.get("maxLength", 0) > SEVERAL_LINES
                return {"control": Control.TEXT if is_long else Control.LINE, "types": types}
            case "array":
                return self._many(Control.LINES, node.get("items"))
            case "object" if "properties" in node and len(path) <= DEEPEST:
                return {"control": Control.GROUP, "parts": tuple(self.parts(node, path))}
            case "object" if "properties" not in node:
                return self._many(Control.PAIRS, node.get("additionalProperties"))
        return {"control": Control.JSON}

    def _many(self, control: Control, item: Any) -> dict[str, Any]:
        """Fields of one value a line, where each value is a plain one."""
        if not isinstance(item, Mapping):
            return {"control": Control.JSON}
        types = _types([self._resolved(one) for one in item.get("anyOf", (item,))])
        return {"control": control, "types": types} if types else {"control": Control.JSON}

    def _resolved(self, node: Node) -> Node:
        """*node* itself, or what it refers to."""
        if len(node.get("allOf", ())) == 1:
            node = {**node, **node["allOf"][0]}
        if "$ref" not in node:
            return node
        return dict(self._known.get(node["$ref"].rpartition("/")[2], {}))


def _types(nodes: list[Node]) -> frozenset[str]:
    """The types of *nodes*; none unless all are plain values."""
    types = frozenset(str(node.get("type")) for node in nodes)
    return types if types <= SCALARS else frozenset()


def _choices(node: Node) -> tuple[Any, ...]:
    return tuple(node.get("enum", ())) or ((node["const"],) if "const" in node else ())
