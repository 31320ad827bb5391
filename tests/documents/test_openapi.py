"""The API's description from documents and operations made by hand; the real ones are in tests/web."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from flask_statuspage.documents.document import JSON, PAGE, SVG, Document, Parameter
from flask_statuspage.documents.openapi import build
from flask_statuspage.documents.operation import Operation


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A wheel. ``size`` None: it was not measured.

    :param size: in :class:`~some.where.Inches`, of
        the rim.
    """

    size: float | None = None


@dataclass(frozen=True, kw_only=True)
class Car:
    """A car."""

    name: str
    built_at: datetime
    wheels: tuple[Wheel, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SportsCar(Car):
    speed: int


@dataclass(frozen=True, kw_only=True)
class Wish:
    colour: str = "red"


def nothing(*_: Any, **__: Any) -> bytes:
    return b""


DAYS = Parameter(
    name="days", read=int, says="How many days.", schema={"type": "integer", "minimum": 1}
)
CARS = Document(
    name="cars_json",
    paths=("api/v2/cars.json",),
    content_type=JSON,
    render=nothing,
    says="All cars.",
    model=Car,
    parameters=(PAGE,),
    paged=True,
)
PLATE = Document(
    name="plate",
    paths=("components/<component_slug>/plate.svg", "components/<component_slug>/plate"),
    content_type=SVG,
    render=nothing,
    says="The plate of a component.",
    parameters=(DAYS,),
    of_component=True,
)
BUILD = Operation(
    name="cars_build",
    method="POST",
    path="/admin/cars/<uuid:ident>",
    says="Build a car.\n\nIt takes ``wheels``.",
    tag="cars",
    role="editor",
    body=Wish,
    bare=True,
    statuses=(201,),
    answer=SportsCar,
    parameters=(DAYS,),
    problems=(401, 422),
)
LIST = replace(
    BUILD,
    name="cars_index",
    method="GET",
    path="/admin/cars",
    says="List cars.",
    body=None,
    statuses=(200,),
    paged=True,
)
SCRAP = replace(BUILD, name="cars_remove", method="DELETE", body=None, answer=None, statuses=(204,))


def described(*, documents: Any = (CARS, PLATE), operations: Any = (BUILD, LIST, SCRAP)) -> Any:
    description = build(
        title="Acme",
        server_url="https://acme.example/status",
        documents=documents,
        operations=operations,
        version="1.2",
    )
    return json.loads(json.dumps(description))


def resolved(description: Any, thing: Any) -> Any:
    while "$ref" in thing:
        found = description
        for part in thing["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        thing = found
    return thing


@pytest.mark.parametrize(
    "only",
    [{}, {"documents": ()}, {"operations": ()}, {"documents": (), "operations": ()}],
    ids=["both", "operations", "documents", "nothing"],
)
def test_it_is_valid(only: dict[str, Any]) -> None:
    """Documents and operations, either alone or none at all make a valid description."""
    assert [
        error.message for error in OpenAPIV31SpecValidator(described(**only)).iter_errors()
    ] == []


def test_the_page_and_its_version() -> None:
    """Title, version and address are those that were given."""
    description = described()
    assert description["openapi"] == "3.1.0"
    assert description["info"]["title"] == "Acme"
    assert description["info"]["version"] == "1.2"
    assert description["servers"] == [{"url": "https://acme.example/status"}]
    assert [tag["name"] for tag in description["tags"]] == ["documents", "cars"]


def test_a_document() -> None:
    """A JSON document names its type, its caching headers and 304; it is read without a key."""
    description = described()
    get = description["paths"]["/api/v2/cars.json"]["get"]
    assert (get["operationId"], get["summary"]) == ("cars_json", "All cars.")
    assert "security" not in get
    assert set(get["responses"]) == {"200", "304", "400", "403", "404", "503"}
    answer = get["responses"]["200"]
    assert set(answer["headers"]) == {"ETag", "Last-Modified", "Cache-Control", "Link"}
    assert answer["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Car"}}
    }
    assert [item["name"] for item in get["parameters"]] == ["page"]


def test_a_document_about_a_component() -> None:
    """The slug stands in its path, its parameters in the query, and its other paths in words."""
    description = described()
    get = description["paths"]["/components/{component_slug}/plate.svg"]["get"]
    slug, days = (resolved(description, item) for item in get["parameters"])
    assert (slug["name"], slug["in"], slug["required"]) == ("component_slug", "path", True)
    assert (days["name"], days["in"], days["schema"]) == ("days", "query", DAYS.schema)
    assert "`/components/<component_slug>/plate`" in get["description"]
    assert list(get["responses"]["200"]["content"]) == ["image/svg+xml"]
    assert "400" in get["responses"]


def test_a_document_that_takes_nothing() -> None:
    """Without parameters there is none that could be wrong."""
    plain = described(documents=(replace(CARS, paged=False, parameters=()),))
    get = plain["paths"]["/api/v2/cars.json"]["get"]
    assert get["parameters"] == []
    assert "400" not in get["responses"]
    assert "Link" not in get["responses"]["200"]["headers"]


def test_an_operation() -> None:
    """An operation names its role, its body and whether that may be left out, its answer and its problems."""
    description = described()
    post = description["paths"]["/admin/cars/{ident}"]["post"]
    assert post["x-required-role"] == "editor"
    assert "`editor`" in post["description"]
    assert "It takes `wheels`." in post["description"]
    assert post["security"] == [{"bearer": []}, {"token": []}]
    assert post["requestBody"]["required"] is False
    assert post["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Wish")
    assert set(post["responses"]) == {"201", "401", "422"}
    problem = resolved(description, post["responses"]["422"])
    (kind,) = problem["content"]
    assert kind == "application/problem+json"
    schema = resolved(description, problem["content"][kind]["schema"])
    assert set(schema["properties"]) == {"type", "title", "status", "detail", "errors"}
    assert (
        "Retry-After"
        in resolved(description, {"$ref": "#/components/responses/TooMany"})["headers"]
    )


def test_an_operation_without_an_answer() -> None:
    """What answers nothing has no content."""
    delete = described()["paths"]["/admin/cars/{ident}"]["delete"]
    assert "content" not in delete["responses"]["204"]
    assert "requestBody" not in delete


def test_a_list() -> None:
    """A list has its total and the pages beside its items, and links to the others."""
    description = described()
    answer = description["paths"]["/admin/cars"]["get"]["responses"]["200"]
    assert set(answer["headers"]) == {"Link", "RateLimit", "RateLimit-Policy"}
    listed, items = answer["content"]["application/json"]["schema"]["allOf"]
    assert set(resolved(description, listed)["required"]) == {"items", "total", "page", "per_page"}
    assert items["properties"]["items"]["items"]["$ref"].endswith("/SportsCar")


def test_what_is_shared_stands_once() -> None:
    """Types and parameters that are used again are referred to, not copied."""
    description = described()
    schemas = description["components"]["schemas"]
    assert {"Car", "SportsCar", "Wheel"} <= set(schemas)
    assert schemas["Car"]["properties"]["wheels"]["items"]["$ref"].endswith("/Wheel")
    post = description["paths"]["/admin/cars/{ident}"]["post"]
    assert post["parameters"][1] == {"$ref": "#/components/parameters/days"}


def test_what_is_answered_is_whole() -> None:
    """Fields with a default in the class are always answered, inherited ones too; what is sent may leave them out."""
    schemas = described()["components"]["schemas"]
    assert schemas["Car"]["required"] == ["name", "built_at", "wheels"]
    assert schemas["SportsCar"]["required"] == ["name", "built_at", "wheels", "speed"]
    assert "required" not in schemas["Wish"]


def test_docstrings_describe() -> None:
    """Docstrings become CommonMark in JSON's words, their parameters describe the fields; a bare class says nothing."""
    schemas = described(operations=())["components"]["schemas"]
    assert schemas["Wheel"]["description"] == "A wheel. `size` null: it was not measured."
    assert schemas["Wheel"]["properties"]["size"]["description"] == "In `Inches`, of the rim."
    schemas = described()["components"]["schemas"]
    assert "description" not in schemas["SportsCar"]


def test_the_manage_api_of_another_page() -> None:
    """A page below the mount has the manage API at the mount, its own documents at its own address."""
    description = build(
        title="Second",
        server_url="https://acme.example/status/second",
        mount_url="https://acme.example/status",
        documents=(CARS,),
        operations=(LIST,),
        version="1",
    )
    assert description["paths"]["/admin/cars"]["servers"] == [
        {"url": "https://acme.example/status"}
    ]
    assert "servers" not in description["paths"]["/api/v2/cars.json"]
    assert list(OpenAPIV31SpecValidator(description).iter_errors()) == []
