"""A client of an API that is written from the API's own description while the program runs: one function for each
operation, called as the description calls it, with the arguments that it describes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin

import requests
from jsonschema import Draft202012Validator
from openapi_schema_validator import oas31_format_checker

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: Any
    url: str

    @property
    def next(self) -> str | None:
        """The next page of a list (RFC 8288)."""
        found = re.search(r'<([^>]+)>; rel="next"', self.headers.get("Link", ""))
        return urljoin(self.url, found[1]) if found else None


class Refused(Exception):
    """The API answered problem details."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.body["detail"])


class Client:
    """Functions by the names of operations. What is not described is a :class:`TypeError`; what the API answers against
    its description is an :class:`AssertionError`.

    :param document: OpenAPI 3.1.
    :param key: sent in the way that the description says.
    """

    def __init__(self, document: dict[str, Any], key: str) -> None:
        self._document = document
        self._session = requests.Session()
        scheme = document["components"]["securitySchemes"]["token"]
        assert (scheme["type"], scheme["in"]) == ("apiKey", "header")
        self._session.headers[scheme["name"]] = key
        self.operations = {
            operation["operationId"]: (path, method, item)
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        }

    def __getattr__(self, name: str) -> Callable[..., Answer]:
        path, method, item = self.operations[name]
        operation = item[method]
        server = item.get("servers", self._document["servers"])[0]["url"]
        parameters = {
            re.sub(r"\W", "_", one["name"]).lower(): one
            for one in map(self._resolved, operation.get("parameters", ()))
        }

        def call(*, body: Any = None, **arguments: Any) -> Answer:
            if unknown := arguments.keys() - parameters.keys():
                raise TypeError(f"{name} has no {unknown}")
            url, query, headers = server + path, {}, {}
            for key, one in parameters.items():
                if key not in arguments:
                    if one.get("required"):
                        raise TypeError(f"{name} needs {key}")
                    continue
                value = arguments[key]
                if one["in"] == "path":
                    url = url.replace(f"{{{one['name']}}}", quote(str(value), safe=""))
                else:
                    (query if one["in"] == "query" else headers)[one["name"]] = value
            if body is not None:
                described = operation["requestBody"]["content"]["application/json"]["schema"]
                self._check(described, body, TypeError)
            return self._sent(operation, method, url, params=query, headers=headers, json=body)

        call.__doc__ = operation["summary"]
        return call

    def follow(self, name: str, url: str) -> Answer:
        """Another page of what the operation *name* answered."""
        _, method, item = self.operations[name]
        return self._sent(item[method], method, url)

    def close(self) -> None:
        self._session.close()

    def _sent(self, operation: dict[str, Any], method: str, url: str, **options: Any) -> Answer:
        with self._session.request(method, url, timeout=20, **options) as response:
            described = operation["responses"].get(str(response.status_code))
            assert described is not None, (response.status_code, response.text)
            described = self._resolved(described)
            body = None
            if "content" in described:
                kind = response.headers["Content-Type"].partition(";")[0]
                body = response.json()
                self._check(described["content"][kind]["schema"], body, AssertionError)
            else:
                assert response.content == b""
            for header in described.get("headers", ()):
                assert header in response.headers, (operation["operationId"], header)
            answer = Answer(response.status_code, response.headers, body, response.url)
        if answer.status >= 400:
            raise Refused(answer)
        return answer

    def _resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in value:
            found: Any = self._document
            for part in value["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            value = found
        return value

    def _check(self, schema: Any, value: Any, error: type[Exception]) -> None:
        whole = {**schema, "components": self._document["components"]}
        found = Draft202012Validator(whole, format_checker=oas31_format_checker)
        for wrong in found.iter_errors(value):
            raise error(f"{wrong.json_path}: {wrong.message}")
