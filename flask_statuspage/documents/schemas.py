"""Types as JSON Schema (draft 2020-12), in the form in which OpenAPI 3.1 takes it in.

Dataclasses, TypedDicts and pydantic models are described once under their own name, whoever refers to them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

Mode = Literal["validation", "serialization"]
"""Whether a type is what is sent to us, or what we answer."""

Schema = dict[str, Any]

_TEMPLATE = "#/components/schemas/{model}"

_NONE = re.compile(r"\bNone\b")
_ROLE = re.compile(r":\w+:`~?[.]*(?:[\w.]+[.])?(\w+)`")
_PARAMETER = re.compile(r"^:param (\w+): *(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
_FIELD_LIST = re.compile(r"^:", re.MULTILINE)


def describe(
    wanted: Iterable[tuple[Any, Mode]],
) -> tuple[dict[tuple[Any, Mode], Schema], dict[str, Schema]]:
    """The schema of each wanted type, and the shared ones by their names, for ``components.schemas``.

    Classes are described by their docstrings: what stands before ``:param`` describes the whole, each ``:param`` the
    field of its name, also in subclasses.
    """
    inputs = [(type_, mode, TypeAdapter(type_)) for type_, mode in dict.fromkeys(wanted)]
    found, rest = TypeAdapter.json_schemas(
        inputs, ref_template=_TEMPLATE, schema_generator=_Generator
    )
    shared = dict(sorted(rest.get("$defs", {}).items()))
    for schema in shared.values():
        if (
            "description" in schema
        ):  # older versions of pydantic add a TypedDict's own at the very end
            schema["description"] = markdown(schema["description"])
    return dict(found), shared


def markdown(text: str) -> str:
    """A docstring in CommonMark, which OpenAPI's descriptions are in, and in JSON's words."""
    return _NONE.sub("null", _ROLE.sub(r"`\1`", text).replace("``", "`"))


class _Generator(GenerateJsonSchema):
    """Pydantic's schemas without their noise, and true of what we answer."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """A title would only repeat the field's name."""
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        """What is answered is whole: a default of its class does not leave a field out."""
        if self.mode == "serialization" and field["type"] == "dataclass-field":
            return True
        return super().field_is_required(field, total)

    def default_schema(self, schema: Any) -> Schema:
        if self.mode == "serialization":
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def dataclass_schema(self, schema: Any) -> Schema:
        return _documented(super().dataclass_schema(schema), schema["cls"])

    def model_schema(self, schema: Any) -> Schema:
        return _documented(super().model_schema(schema), schema["cls"])

    def typed_dict_schema(self, schema: Any) -> Schema:
        return _documented(super().typed_dict_schema(schema), schema.get("cls"))

    def enum_schema(self, schema: Any) -> Schema:
        return _documented(super().enum_schema(schema), schema.get("cls"))


def _documented(made: Schema, cls: type | None) -> Schema:
    """*made* with the words of the class's docstring, which pydantic finds for some kinds of class only."""
    made = {name: value for name, value in made.items() if name != "description"}
    properties = made.get("properties", {})
    for base in reversed(cls.__mro__ if cls else ()):
        for name, says in _PARAMETER.findall(_docs(base)):
            if name in properties:
                words = " ".join(says.split())
                properties[name]["description"] = markdown(words[:1].upper() + words[1:])
    if cls and (says := _FIELD_LIST.split(_docs(cls))[0].strip()):
        made["description"] = markdown(says)
    return made


def _docs(cls: type) -> str:
    """The class's own docstring; none where only its signature stands, as :mod:`dataclasses` writes it."""
    docs = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
    return "" if docs.startswith(f"{cls.__name__}(") else docs
