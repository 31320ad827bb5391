"""Whatever the description allows, and what it does not, is answered as described: never by an error of the server.

Its requests are made by schemathesis, which brings so much along that this has a tox environment of its own, ``fuzz``.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.conftest import make_site, migrated
from tests.web.site import Site, SiteMaker
from tests.web.test_manage_api import full

__all__ = ["make_site", "migrated"]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 6
"""Requests for each operation and mode: about half a minute of work in all."""

ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""What takes things away comes last."""


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site with one of each thing, whose keys and sign-ups have no limit."""
    made = make_site(STATUSPAGE_API_RATE=0, STATUSPAGE_SIGNUPS_PER_HOUR=100_000)
    full(made)
    made.made("/members", identity="bob@acme.example", role="viewer")
    made.made("/tokens", name="deploy", role="viewer")
    return made


def known(site: Site, path: str) -> list[str]:
    """What the first parameter of *path* may really be."""
    parts = path.partition("/admin/api/v1/")[2].split("/")
    if len(parts) < 2 or "{" not in parts[1]:
        return ["api"] if "{component_slug}" in path else []
    items = site.ask("GET", f"/{parts[0]}").get_json()["items"]
    own = "owner"  # the key that asks must stay
    return [item["id"] for item in items if item.get("name") != own]


def ask(operation: Any, mode: GenerationMode, site: Site) -> set[int]:
    """Make requests of *operation*, right ones or wrong ones, and check the answers; returns their statuses."""
    idents = known(site, operation.path)
    headers = {"Accept-Encoding": "identity"}  # nothing unpacks what a WSGI app answers
    if "/admin/api/" in operation.path:
        headers["Authorization-Token"] = site.key()
    statuses = set()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(generation_mode=mode),
        ident=st.sampled_from([*idents, *idents, None]),
    )
    def send(case: Case, ident: str | None) -> None:
        if ident is not None and case.path_parameters:
            case.path_parameters[next(iter(case.path_parameters))] = ident
        answer = case.call(headers=headers)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    send()
    return statuses


@pytest.mark.parametrize("mode", list(GenerationMode), ids=[mode.value for mode in GenerationMode])
def test_every_operation_is_as_described(
    site: Site, mode: GenerationMode, caplog: pytest.LogCaptureFixture
) -> None:
    """Every operation of both APIs: no 5xx, each answer with a status, type, headers and body that is described."""
    caplog.set_level(logging.CRITICAL)  # what is refused by a constraint is logged, and answered
    document = site.json("/api/openapi.json")
    schema = schemathesis.openapi.from_dict(document)
    schema.app = site.app
    found = [result.ok() for result in schema.get_all_operations()]
    found.sort(key=lambda one: ORDER.index(one.method.upper()))
    asked, failed = set(), {}
    for operation in found:
        try:
            asked |= ask(operation, mode, site)
        except Unsatisfiable:
            # It takes nothing that could be wrong.
            assert mode is GenerationMode.NEGATIVE, operation.label
        except (Exception, FailureGroup) as error:
            failed[operation.label] = getattr(error, "exceptions", error)
    assert failed == {}
    described = sum(
        method.upper() in ORDER for item in document["paths"].values() for method in item
    )
    assert len(found) == described
    assert asked >= ({200, 201, 204} if mode is GenerationMode.POSITIVE else {422})
