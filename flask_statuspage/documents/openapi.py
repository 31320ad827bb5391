"""The description of the public and the manage API: OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0).

It is built from the values that the routes are made of, so that it says what they do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from . import schemas
from .document import Document, Parameter
from .openapi_words import (
    ABOUT,
    ASKING,
    HEADERS,
    PATH_PARAMETERS,
    PROBLEM_HEADERS,
    PROBLEMS,
    RATE,
    SCHEMES,
    SECURITY,
)
from .operation import Operation
from .schemas import Mode, Schema, markdown

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class FieldProblem:
    """``field`` is dotted where it is nested."""

    field: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Problem details as RFC 9457 has them. ``errors`` names every field or parameter that is wrong."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldProblem, ...]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One page of a list: its items, how many there are on all pages together, and which page this is."""

    items: tuple[Any, ...]
    total: int
    page: int
    per_page: int


def build(
    *,
    title: str,
    server_url: str,
    documents: Iterable[Document],
    operations: Iterable[Operation],
    version: str,
    mount_url: str | None = None,
) -> dict[str, Any]:
    """The whole description as plain data.

    :param server_url: of the page, without a slash at its end.
    :param version: of this description, which is the package's.
    :param mount_url: where the manage API is found, if the page is not at the mount itself.
    """
    documents, operations = tuple(documents), tuple(operations)
    writer = _Writer(documents, operations)
    paths: dict[str, Any] = {}
    for document in documents:
        paths.setdefault(_template(document.paths[0]), {})["get"] = writer.reading(document)
    for operation in operations:
        item = paths.setdefault(_template(operation.path), {})
        item[operation.method.lower()] = writer.operation(operation)
        if mount_url is not None and operation.role is not None:
            item["servers"] = [{"url": mount_url}]
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": ABOUT},
        "servers": [{"url": server_url}],
        "tags": [{"name": name} for name in dict.fromkeys(writer.tags)],
        "paths": paths,
        "components": writer.components(),
    }


_CONVERTED = re.compile(r"<(?:[^<>:]+:)?(\w+)>")


def _template(path: str) -> str:
    """A path as OpenAPI writes it, from one as routes are declared."""
    return "/" + _CONVERTED.sub(r"{\1}", path).lstrip("/")


class _Writer:
    """Writes operations down, and what they share only once."""

    def __init__(self, documents: tuple[Document, ...], operations: tuple[Operation, ...]) -> None:
        wanted: list[tuple[Any, Mode]] = [(Problem, "serialization"), (Listed, "serialization")]
        wanted += [(one.model, "serialization") for one in documents if one.model is not None]
        wanted += [(one.answer, "serialization") for one in operations if one.answer is not None]
        wanted += [(one.body, "validation") for one in operations if one.body is not None]
        self._found, self._schemas = schemas.describe(wanted)
        uses = Counter(id(item) for one in operations for item in one.parameters)
        self._shared = {
            item.name: item for one in operations for item in one.parameters if uses[id(item)] > 1
        }
        paths = [*(one.paths[0] for one in documents), *(one.path for one in operations)]
        self._in_paths = {name for path in paths for name in _CONVERTED.findall(path)}
        self.tags = [*["documents"][: len(documents)], *(one.tag for one in operations)]

    def components(self) -> dict[str, Any]:
        path_parameters = {
            name: {
                "name": name,
                "in": "path",
                "required": True,
                "description": PATH_PARAMETERS.get(name, name),
                "schema": {"type": "string"},
            }
            for name in sorted(self._in_paths)
        }
        shared = {name: _parameter(item) for name, item in self._shared.items()}
        asking = {name: {"name": name, "in": "header", **said} for name, said in ASKING.items()}
        return {
            "schemas": self._schemas,
            "parameters": {**path_parameters, **shared, **asking},
            "headers": {
                name: {"description": says, "schema": {"type": "string"}}
                for name, says in HEADERS.items()
            },
            "responses": {
                name: {
                    "description": says,
                    "headers": _headers(*PROBLEM_HEADERS.get(status, ())),
                    "content": {PROBLEM_TYPE: {"schema": self._answered(Problem)}},
                }
                for status, (name, says) in PROBLEMS.items()
            },
            "securitySchemes": SCHEMES,
        }

    def reading(self, document: Document) -> dict[str, Any]:
        """A GET of *document*."""
        problems = [403, 404, 503]
        parameters = [_parameter(item) for item in document.parameters]
        if parameters:
            problems.append(400)
        headers = ["ETag", "Last-Modified", "Cache-Control"]
        content_type = document.content_type.partition(";")[0].strip()
        known = document.model is not None
        schema = self._answered(document.model) if known else {"type": "string"}
        also = [f"`/{path}`" for path in document.paths[1:]]
        responses = {
            "200": {
                "description": "The document.",
                "headers": _headers(*headers, *(["Link"] if document.paged else [])),
                "content": {content_type: {"schema": schema}},
            },
            "304": {
                "description": "It is as it was when it was last asked for.",
                "headers": _headers(*headers),
            },
        }
        return {
            "operationId": document.name,
            **_words(document.says, f"Also at {', '.join(also)}." if also else ""),
            "tags": ["documents"],
            "parameters": [*self._path_parameters(document.paths[0]), *parameters],
            "responses": {**responses, **_problem_responses(problems)},
        }

    def operation(self, operation: Operation) -> dict[str, Any]:
        needs = f"Needs a key with the role `{operation.role}`." if operation.role else ""
        written: dict[str, Any] = {
            "operationId": operation.name,
            **_words(operation.says, needs),
            "tags": [operation.tag],
            "parameters": [
                *self._path_parameters(operation.path),
                *(self._query_parameter(item) for item in operation.parameters),
                *({"$ref": f"#/components/parameters/{name}"} for name in _asking(operation)),
            ],
            "responses": {
                **{str(status): self._answer(operation, status) for status in operation.statuses},
                **_unchanged(operation),
                **_problem_responses(operation.problems),
            },
        }
        if operation.body is not None:
            written["requestBody"] = {
                "required": not operation.bare,
                "content": {JSON_TYPE: {"schema": self._found[operation.body, "validation"]}},
            }
        if operation.role is not None:
            written["security"] = SECURITY
            written["x-required-role"] = str(operation.role)
        return written

    def _answer(self, operation: Operation, status: int) -> dict[str, Any]:
        answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        headers = [*RATE] if operation.role is not None else []
        headers += ["Link"] if operation.paged else []
        headers += ["ETag"] if operation.tagged else []
        headers += ["Location"] if operation.role is not None and status == 201 else []
        if headers:
            answer["headers"] = _headers(*headers)
        if operation.answer is None:
            return answer
        schema = self._answered(operation.answer)
        if operation.paged:
            items = {"type": "object", "properties": {"items": {"items": schema}}}
            schema = {"allOf": [self._answered(Listed), items]}
        answer["content"] = {JSON_TYPE: {"schema": schema}}
        return answer

    def _answered(self, answer: Any) -> Schema:
        return self._found[answer, "serialization"]

    def _query_parameter(self, item: Parameter) -> dict[str, Any]:
        if self._shared.get(item.name) is item:
            return {"$ref": f"#/components/parameters/{item.name}"}
        return _parameter(item)

    def _path_parameters(self, path: str) -> list[dict[str, Any]]:
        names = _CONVERTED.findall(path)
        return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _words(says: str, more: str) -> dict[str, str]:
    """The first line is the summary; the rest and *more* describe."""
    summary, _, rest = markdown(says).strip().partition("\n")
    description = "\n\n".join(part for part in (rest.strip(), more) if part)
    return {"summary": summary, **({"description": description} if description else {})}


def _parameter(item: Parameter) -> dict[str, Any]:
    described = {"description": markdown(item.says), "schema": item.schema}
    needed = {"required": True} if item.required else {}
    return {"name": item.name, "in": "query", **needed, **described}


def _asking(operation: Operation) -> Iterable[str]:
    """The headers that say how *operation* is asked for."""
    if operation.role is not None and operation.method == "POST":
        yield "Idempotency-Key"
    if operation.conditional:
        yield "If-Match"
    if operation.tagged and operation.method == "GET":
        yield "If-None-Match"


def _unchanged(operation: Operation) -> dict[str, Any]:
    if not operation.tagged or operation.method != "GET":
        return {}
    told = {"description": "It is as `If-None-Match` has it.", "headers": _headers("ETag")}
    return {"304": told}


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _problem_responses(statuses: Iterable[int]) -> dict[str, Any]:
    return {
        str(status): {"$ref": f"#/components/responses/{PROBLEMS[status][0]}"}
        for status in sorted(statuses)
    }
