"""Texts with placeholders: a small part of Jinja's language, rendered in its sandbox.

A text may have ``{{ name }}``, ``{% if … %}`` with ``elif`` and ``else``, comparisons, ``and``, ``or``, ``not``, ``in``
and the filters of :data:`FILTERS`. All values are text. Whatever else Jinja knows is refused when a text is saved, so
that a template can neither loop nor reach anything, and costs little whoever wrote it. Comments and ``{% raw %}`` leave
nothing but text behind and may be used.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ..errors import Invalid
from .markup import MAX_CHARACTERS, has_control, is_storable

_COMMON = ("component", "components", "page", "page_url", "started_at")

BUILT_IN: dict[str, tuple[str, ...]] = {
    "incident": _COMMON,
    "maintenance": (*_COMMON, "scheduled_start", "scheduled_end", "duration"),
}
"""The kinds of templates, each with the placeholders that need no value from anybody."""

FILTERS = {"upper": 0, "lower": 0, "trim": 0, "default": 2, "d": 2}
"""The filters, each with how many arguments it takes at most. None makes a text much longer than it was."""

LIMITS = {"title": 200, "body": MAX_CHARACTERS}
"""Characters of each field, before and after rendering."""

MAX_OWN = 30
MAX_VALUE = 2_000
"""Characters of one value or default."""

_MAX_DEPTH = 20
_MAX_NUMBER = 10**12
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RESERVED = {"and", "else", "elif", "false", "if", "in", "is", "none", "not", "or", "self", "true"}
_PLAIN = {nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.Operand}
_PLAIN |= {nodes.And, nodes.Or, nodes.Not, nodes.Scope}
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.For: "a loop",
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.With: "{% with %}",
    nodes.Macro: "a macro",
    nodes.CallBlock: "{% call %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.Block: "{% block %}",
    nodes.Extends: "{% extends %}",
    nodes.Include: "{% include %}",
    nodes.Import: "{% import %}",
    nodes.FromImport: "{% from %}",
    nodes.ScopedEvalContextModifier: "{% autoescape %}",
    nodes.Call: "a call",
    nodes.Getattr: "a part of a value",
    nodes.Getitem: "a part of a value",
    nodes.Test: "a test with 'is'",
    nodes.CondExpr: "an 'if' within a value",
    nodes.Concat: "'~'",
    nodes.List: "a list outside of 'in'",
    nodes.Tuple: "a list outside of 'in'",
    nodes.Dict: "a mapping",
    **dict.fromkeys((nodes.Add, nodes.Sub, nodes.Mul, nodes.Div), "arithmetic"),
    **dict.fromkeys((nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Neg, nodes.Pos), "arithmetic"),
}


class _Missing(StrictUndefined):
    """A name without a value: fine for ``default``, else an error that names it."""

    def __init__(self, hint: str | None = None, *arguments: object, **options: object) -> None:
        hint = f"There is no value for the placeholder {str(options.get('name'))!r}."
        super().__init__(hint, *arguments, **options)  # type: ignore[arg-type]


class Open(str):
    """What stands where a value is still to come. Written it is ``[name]``; to a template that asks whether there is
    one, or has another text for it, it is empty.
    """

    __slots__ = ()

    def __new__(cls, name: str) -> Open:
        return super().__new__(cls, f"[{name}]")

    def __bool__(self) -> bool:
        return False


def is_name(text: str) -> bool:
    """Whether *text* can be a placeholder's name: a small letter, then up to 39 of ``a-z 0-9 _``; no word of Jinja."""
    return _NAME.fullmatch(text) is not None and text not in _RESERVED


def check_own(own: Mapping[str, str | None], *, field: str = "placeholders") -> None:
    """Check a template's own placeholders, each with its default.

    :raises Invalid: naming *field*, with the placeholder that is wrong.
    """
    if len(own) > MAX_OWN:
        raise Invalid.field(field, f"At most {MAX_OWN} placeholders.")
    for name, default in own.items():
        if not is_name(name):
            raise Invalid.field(
                field,
                f"{_short(name)} cannot be a name: a small letter, then at most 39 small letters, digits "
                "and underscores; no word of the template language.",
            )
        if any(name in built_in for built_in in BUILT_IN.values()):
            raise Invalid.field(field, f"{name!r} is built in.")
        if default is not None:
            check_value(default, field=f"{field}.{name}")


def check_value(value: str, *, field: str) -> None:
    """:raises Invalid: naming *field*, when *value* is too long or cannot be kept."""
    if len(value) > MAX_VALUE:
        raise Invalid.field(field, f"At most {MAX_VALUE} characters.")
    _check_storable(value, field)


def names_in(text: str, *, field: str = "body") -> set[str]:
    """The names that *text* asks for.

    :raises Invalid: naming *field*, when *text* has something that is not allowed.
    """
    return set(_lines_of_names(_parsed(text, field), field))


def check(text: str, *, field: str, known: Collection[str]) -> None:
    """Check a text that is to be saved.

    :param field: ``title`` or ``body``.
    :param known: the placeholders that there are.
    :raises Invalid: naming *field*, with the placeholder that there is not, or with what is not allowed and its line.
    """
    for name, line in _lines_of_names(_parsed(text, field), field).items():
        if name not in known:
            known_ones = ", ".join(sorted(known)) or "none"
            message = f"There is no placeholder {_short(name)} (line {line}). Known: {known_ones}."
            raise Invalid.field(field, message)


def render(text: str, values: Mapping[str, str], *, field: str) -> str:
    """*text* with *values* in the place of their names.

    :param field: ``title`` or ``body``; a title is one line without spaces around it.
    :raises Invalid: naming *field*, with the placeholder that has no value, or with what is wrong with the result.
    """
    tree = _parsed(text, field)
    for name, line in _lines_of_names(tree, field).items():
        if not is_name(name):
            raise Invalid.field(field, f"There is no placeholder {_short(name)} (line {line}).")
    result = ""
    try:
        # Piece by piece, so that a result that is too long is never held as a whole.
        for piece in _environment().from_string(tree).generate(dict(values)):
            result += piece
            if len(result) > LIMITS[field]:
                raise Invalid.field(field, f"Becomes longer than {LIMITS[field]} characters.")
    except UndefinedError as error:
        raise Invalid.field(field, str(error)) from error
    except TypeError as error:
        raise Invalid.field(field, "Compares a text with something else.") from error
    except RecursionError as error:
        raise Invalid.field(field, "Is nested too deeply.") from error
    _check_storable(result, field)
    return _as_title(result) if field == "title" else result


def _as_title(text: str) -> str:
    if has_control(text.strip()):
        raise Invalid.field("title", "Must not have line breaks or control characters.")
    if not text.strip():
        raise Invalid.field("title", "Becomes empty.")
    return text.strip()


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    # Newlines stay as they are typed: in Markdown they mean something.
    environment = ImmutableSandboxedEnvironment(
        undefined=_Missing, autoescape=False, keep_trailing_newline=True
    )
    environment.globals.clear()
    environment.tests.clear()
    for name in set(environment.filters) - set(FILTERS):
        del environment.filters[name]
    return environment


def _parsed(text: str, field: str) -> nodes.Template:
    if len(text) > LIMITS[field]:
        raise Invalid.field(field, f"At most {LIMITS[field]} characters.")
    _check_storable(text, field)
    try:
        return _environment().parse(text)
    except TemplateSyntaxError as error:
        message = f"Line {error.lineno}: {(error.message or 'not understood')[:200].rstrip('.')}."
        raise Invalid.field(field, message) from error
    except RecursionError as error:
        raise Invalid.field(field, "Is nested too deeply.") from error
    except ValueError as error:  # Python refuses to read numbers of thousands of digits
        raise Invalid.field(field, "Has a number that is too large.") from error


def _lines_of_names(tree: nodes.Template, field: str) -> dict[str, int]:
    """Each name with the line where it stands first; raises for every node that is not allowed."""
    found: dict[str, int] = {}
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise Invalid.field(field, f"Line {node.lineno}: nested too deeply.")
        if isinstance(node, nodes.Name):
            found.setdefault(node.name, node.lineno)
        else:
            _check_node(node, field)
            parts = [(part, depth + 1) for part in _parts(node)]
            waiting += reversed(parts)  # in the order in which they are written
    return found


def _parts(node: nodes.Node) -> Iterator[nodes.Node]:
    for part in node.iter_child_nodes():
        is_in = isinstance(node, nodes.Operand) and node.op in ("in", "notin")
        if is_in and isinstance(part, nodes.List | nodes.Tuple):
            yield from part.items
        else:
            yield part


def _check_node(node: nodes.Node, field: str) -> None:
    if type(node) in _PLAIN:
        return
    if isinstance(node, nodes.Compare):
        problem = _wrong_with_comparison(node)
    elif isinstance(node, nodes.Filter):
        problem = _wrong_with_filter(node)
    elif isinstance(node, nodes.Const):
        problem = _wrong_with_constant(node.value)
    else:
        problem = f"{_REFUSED.get(type(node), type(node).__name__)} is not allowed"
    if problem:
        raise Invalid.field(field, f"Line {node.lineno}: {problem}.")


def _wrong_with_comparison(node: nodes.Compare) -> str:
    sides = [node.expr, *(operand.expr for operand in node.ops)]
    if any(isinstance(side, nodes.Const) and not isinstance(side.value, str) for side in sides):
        return "all values are text, so compare with a text, such as '1'"
    return ""


def _wrong_with_filter(node: nodes.Filter) -> str:
    if node.name not in FILTERS:
        return f"the filter {_short(node.name)} is not allowed, only {', '.join(sorted(FILTERS))}"
    named = node.kwargs or node.dyn_args or node.dyn_kwargs
    if named or len(node.args) > FILTERS[node.name]:
        return f"the filter {node.name!r} takes at most {FILTERS[node.name]} plain arguments"
    return ""


def _wrong_with_constant(value: object) -> str:
    if isinstance(value, str):
        plain = is_storable(value) and not has_control(value)
        return "" if plain else "a text must not have control characters"
    if isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        return "" if value < _MAX_NUMBER else "a number is too large"
    return "'none' is not allowed"


def _check_storable(text: str, field: str) -> None:
    if not is_storable(text):
        raise Invalid.field(field, "Has a character that cannot be stored.")


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:60] + "…")
