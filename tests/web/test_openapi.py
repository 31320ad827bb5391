"""The description of the manage API and the sign-up is what they do: every route, every answer, every refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator
from openapi_schema_validator import oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import ValidationError
from werkzeug.test import TestResponse

from flask_statuspage.documents.openapi import build
from flask_statuspage.documents.operation import Operation
from flask_statuspage.web import signup_operation
from flask_statuspage.web.failures import MAX_BODY
from flask_statuspage.web.manage_api import operations
from tests.servers.http import Receiver
from tests.web.site import API, Site, SiteMaker

OPERATIONS = (*operations(), signup_operation.OPERATION)
MANAGED = {(one.method, one.path.removeprefix(API)): one for one in operations()}
WITH_BODY = {key: one for key, one in MANAGED.items() if one.body is not None}
NOBODY = "00000000-0000-0000-0000-000000000000"
HOOK = "https://1.1.1.1/hook"
WINDOW = {
    "title": "New disks",
    "components": ["api"],
    "scheduled_start": "2036-01-01T00:00:00Z",
    "scheduled_end": "2036-01-01T02:00:00Z",
}


@dataclass(frozen=True)
class Ask:
    """One call of the manage API.

    :param of: under which name the thing was kept that the path is about; its latest update is meant by `update_ident`.
    :param keep: the name under which the answer is kept.
    :param first: a command of `flask statuspage` that runs before.
    :param conflict: it is refused for the state that the thing is in.
    """

    method: str
    rule: str
    body: Any = None
    of: str = ""
    keep: str = ""
    query: str = ""
    first: str = ""
    conflict: bool = False


ONE_PAGE = "/pages/<ident>"
ONE_GROUP = "/component-groups/<ident>"
ONE_COMPONENT = "/components/<ident>"
ONE_MONITOR = "/monitors/<ident>"
ONE_INCIDENT = "/incidents/<ident>"
ONE_MAINTENANCE = "/maintenances/<ident>"
ONE_TEMPLATE = "/templates/<ident>"
ONE_SUBSCRIPTION = "/subscriptions/<ident>"
ONE_DELIVERY = "/deliveries/<ident>"
ONE_SERVICE = "/service/put/<ident>/<status>/"
UNDESCRIBED = ("GET", API + ONE_SERVICE)
"""It answers only where a setting lets it, to scripts that are as old as that."""
ONE_MEMBER = "/members/<ident>"
ONE_TOKEN = "/tokens/<ident>"

CALLS = (
    Ask("POST", "/pages", {"name": "Second", "visibility": "link"}, keep="page"),
    Ask("GET", "/pages"),
    Ask("GET", ONE_PAGE, of="page"),
    Ask("PATCH", ONE_PAGE, {"colours": {"primary": "#0b57d0"}, "locale": "de"}, of="page"),
    Ask("POST", f"{ONE_PAGE}/rotate-link", of="page"),
    Ask("POST", f"{ONE_PAGE}/rotate-link", {"subscribers": "keep"}, of="page"),
    Ask("DELETE", ONE_PAGE, of="page"),
    Ask("POST", "/component-groups", {"name": "Platform"}, keep="group"),
    Ask("GET", "/component-groups"),
    Ask("PUT", "/component-groups/order", {"groups": ["Platform"]}),
    Ask("GET", ONE_GROUP, of="group"),
    Ask("PATCH", ONE_GROUP, {"description": "What all else runs on"}, of="group"),
    Ask(
        "POST",
        "/components",
        {"name": "API", "group": "Platform", "start_date": "2026-01-01"},
        keep="component",
    ),
    Ask("POST", "/components", {"name": "Web"}, keep="web"),
    Ask("PUT", "/components/order", {"components": ["web", "api"]}),
    Ask(
        "PUT",
        f"{ONE_COMPONENT}/status",
        {"status": "degraded_performance", "note": "Slow", "until": "2036-01-01T00:00:00Z"},
        of="component",
    ),
    Ask("GET", "/components"),
    Ask("GET", ONE_COMPONENT, of="component"),
    Ask("GET", f"{ONE_COMPONENT}/history", of="component"),
    Ask("PATCH", ONE_COMPONENT, {"archived": True}, of="web"),
    Ask("GET", "/components", query="?archived=true"),
    Ask("PATCH", ONE_COMPONENT, {"archived": False, "showcase": False}, of="web"),
    Ask(
        "POST",
        "/monitors",
        {"name": "Probe", "target": "{receiver}", "component": "api", "degraded_over_ms": 9000},
        keep="monitor",
    ),
    Ask("GET", "/monitors"),
    Ask("GET", ONE_MONITOR, of="monitor"),
    Ask("POST", f"{ONE_MONITOR}/run", of="monitor"),
    Ask("GET", f"{ONE_MONITOR}/checks", of="monitor", query="?region=default"),
    Ask("GET", f"{ONE_MONITOR}/series", of="monitor", query="?range=7d"),
    Ask("PATCH", ONE_MONITOR, {"interval": 120, "options": {"method": "HEAD"}}, of="monitor"),
    Ask("POST", f"{ONE_MONITOR}/pause", of="monitor"),
    Ask("POST", f"{ONE_MONITOR}/resume", of="monitor"),
    Ask("POST", "/monitors", {"name": "Job", "kind": "heartbeat"}, keep="heartbeat"),
    Ask("POST", f"{ONE_MONITOR}/rotate-token", of="heartbeat"),
    Ask(
        "POST",
        "/incidents",
        {"title": "Fire", "components": {"api": "major_outage"}, "monitor": "probe"},
        keep="incident",
    ),
    Ask("GET", "/incidents", query="?status=open&visibility=published&per_page=1"),
    Ask("GET", ONE_INCIDENT, of="incident"),
    Ask("PATCH", ONE_INCIDENT, {"next_update_due": "2036-01-01T00:00:00Z"}, of="incident"),
    Ask("POST", f"{ONE_INCIDENT}/updates", {"body": "Still"}, of="incident", keep="incident"),
    Ask("PATCH", f"{ONE_INCIDENT}/updates/<update_ident>", {"body": "Yes"}, of="incident"),
    Ask("DELETE", f"{ONE_INCIDENT}/updates/<update_ident>", of="incident"),
    Ask("POST", f"{ONE_INCIDENT}/resolve", of="incident"),
    Ask("POST", f"{ONE_INCIDENT}/reopen", {"status": "identified"}, of="incident"),
    Ask("POST", f"{ONE_INCIDENT}/resolve", {"body": "Out"}, of="incident"),
    Ask("POST", f"{ONE_INCIDENT}/postmortem", {"body": "Matches"}, of="incident"),
    Ask("POST", "/maintenances", {**WINDOW, "rrule": "FREQ=WEEKLY;COUNT=3"}, keep="window"),
    Ask("GET", "/maintenances", query="?status=scheduled"),
    Ask("GET", ONE_MAINTENANCE, of="window"),
    Ask("PATCH", ONE_MAINTENANCE, {"remind_before": [60, 10]}, of="window"),
    Ask("POST", f"{ONE_MAINTENANCE}/updates", {"body": "Soon"}, of="window", keep="window"),
    Ask("PATCH", f"{ONE_MAINTENANCE}/updates/<update_ident>", {"body": "Now"}, of="window"),
    Ask("DELETE", f"{ONE_MAINTENANCE}/updates/<update_ident>", of="window"),
    Ask("POST", f"{ONE_MAINTENANCE}/start", {"notify": False}, of="window"),
    Ask("POST", f"{ONE_MAINTENANCE}/complete", {"body": "Done"}, of="window"),
    Ask("DELETE", ONE_MAINTENANCE, of="window"),
    Ask(
        "POST",
        "/maintenances",
        {**WINDOW, "components": ["web"], "auto_start": False},
        keep="other window",
    ),
    Ask("POST", f"{ONE_MAINTENANCE}/cancel", {"series": True}, of="other window"),
    Ask(
        "POST",
        "/templates",
        {
            "kind": "incident",
            "name": "Outage",
            "title": "{{ region }} is down",
            "impact": "major",
            "components": ["api"],
            "placeholders": {"region": None},
        },
        keep="template",
    ),
    Ask("GET", "/templates", query="?kind=incident"),
    Ask("GET", ONE_TEMPLATE, of="template", query="?kind=incident"),
    Ask("PATCH", ONE_TEMPLATE, {"status": "identified"}, of="template"),
    Ask("POST", f"{ONE_TEMPLATE}/render", {"values": {"region": "eu"}}, of="template"),
    Ask(
        "POST",
        "/incidents",
        {"template": "Outage", "values": {"region": "us"}, "visibility": "draft"},
        keep="draft",
    ),
    Ask("DELETE", ONE_INCIDENT, of="draft"),
    Ask("DELETE", ONE_TEMPLATE, of="template"),
    Ask(
        "POST",
        "/subscriptions",
        {
            "channel": "webhook",
            "address": "{receiver}",
            "components": ["api"],
            "policy": {"timeout": 5, "delays": [60, 600.5], "success": [200, 204], "size": 5000},
            "contact": "ann@example.com",
        },
        keep="subscription",
    ),
    Ask("POST", "/subscriptions", {"channel": "email", "address": "ann@example.com"}),
    Ask("GET", "/subscriptions"),
    Ask("GET", "/recipients", query="?event=incident.created&components=api,web"),
    Ask("GET", ONE_SUBSCRIPTION, of="subscription"),
    Ask("PATCH", ONE_SUBSCRIPTION, {"events": ["incident.created"]}, of="subscription"),
    Ask(
        "PATCH",
        ONE_SUBSCRIPTION,
        {"policy": {"rate": 5, "disable_after_unreached": 5, "disable_after_failed": None}},
        of="subscription",
    ),
    Ask("POST", f"{ONE_SUBSCRIPTION}/rotate-secret", of="subscription"),
    Ask(
        "POST",
        f"{ONE_SUBSCRIPTION}/rotate-secret",
        {"secret": "a secret of my own"},
        of="subscription",
    ),
    Ask("POST", f"{ONE_SUBSCRIPTION}/disable", of="subscription"),
    Ask("POST", f"{ONE_SUBSCRIPTION}/enable", of="subscription"),
    Ask("POST", f"{ONE_SUBSCRIPTION}/test", of="subscription"),
    Ask("GET", "/deliveries", keep="delivery", first="sweep"),
    Ask("GET", ONE_DELIVERY, of="delivery"),
    Ask("GET", f"{ONE_DELIVERY}/attempts", of="delivery"),
    Ask("POST", f"{ONE_DELIVERY}/redeliver", of="delivery"),
    Ask("POST", "/deliveries/redeliver", {"since": "2026-01-01T00:00:00Z"}),
    Ask("DELETE", ONE_SUBSCRIPTION, of="subscription"),
    Ask("DELETE", ONE_MONITOR, of="monitor"),
    Ask("DELETE", ONE_COMPONENT, of="web"),
    Ask("DELETE", ONE_GROUP, of="group"),
    Ask("POST", "/members", {"identity": "ann@example.com", "role": "editor"}, keep="member"),
    Ask("GET", "/members", query="?role=editor"),
    Ask("GET", ONE_MEMBER, of="member"),
    Ask("PATCH", ONE_MEMBER, {"role": "admin"}, of="member"),
    Ask("DELETE", ONE_MEMBER, of="member"),
    Ask("POST", "/tokens", {"name": "deploy", "role": "editor"}, keep="token"),
    Ask("GET", "/tokens", query="?revoked=false&role=editor"),
    Ask("GET", ONE_TOKEN, of="token"),
    Ask("PATCH", ONE_TOKEN, {"expires_at": "2036-01-01T00:00:00Z"}, of="token"),
    Ask("DELETE", ONE_TOKEN, of="token"),
    Ask("GET", "/audit", query="?subject=incident&since=2020-01-01T00:00:00Z"),
    Ask("POST", "/components", {"name": "Mail"}, keep="service"),
    Ask("GET", "/service/services/list/"),
    Ask("PUT", ONE_SERVICE, of="service"),
    Ask("POST", ONE_SERVICE, of="service"),
)
"""Calls in an order in which each of them succeeds; together they use every operation."""

CONFLICTS = (
    Ask("GET", "/pages", keep="page"),
    Ask("DELETE", ONE_PAGE, of="page", conflict=True),
    Ask("POST", f"{ONE_PAGE}/rotate-link", of="page", conflict=True),
    Ask("POST", "/component-groups", {"name": "Platform"}),
    Ask("POST", "/component-groups", {"name": "Platform"}, conflict=True),
    Ask("POST", "/components", {"name": "API"}, keep="component"),
    Ask("POST", "/components", {"name": "Other", "slug": "api"}, conflict=True),
    Ask("POST", "/incidents", {"title": "Fire", "components": ["api"]}, keep="incident"),
    Ask("POST", f"{ONE_INCIDENT}/reopen", of="incident", conflict=True),
    Ask("DELETE", ONE_COMPONENT, of="component", conflict=True),
    Ask("POST", "/maintenances", WINDOW, keep="window"),
    Ask("POST", f"{ONE_MAINTENANCE}/complete", of="window", conflict=True),
    Ask("POST", "/templates", {"kind": "incident", "name": "Both", "title": "A"}),
    Ask("POST", "/templates", {"kind": "maintenance", "name": "Both", "title": "B"}),
    Ask("GET", "/templates/Both", conflict=True),
    Ask("POST", "/subscriptions", {"channel": "email", "address": "ann@example.com"}, keep="ann"),
    Ask("POST", f"{ONE_SUBSCRIPTION}/rotate-secret", of="ann", conflict=True),
)
"""Calls of which some meet a thing in a state that forbids them."""


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return build(
        title="Acme",
        server_url="https://acme.example/status",
        documents=(),
        operations=OPERATIONS,
        version="1",
    )


@pytest.fixture(scope="module")
def closed(description: dict[str, Any]) -> dict[str, Any]:
    """The description with every object of ours closed, so that no answer holds a field that it does not tell of."""
    schemas = {
        name: {**schema, "additionalProperties": False} if "properties" in schema else schema
        for name, schema in description["components"]["schemas"].items()
    }
    return {**description, "components": {**description["components"], "schemas": schemas}}


def validator(description: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """Checks against *schema*, whose references lead into *description*."""
    whole = {**schema, "components": description["components"]}
    return Draft202012Validator(whole, format_checker=oas31_format_checker)


def written(description: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """The operation as it is described; *path* as the route has it."""
    template = re.sub(r"<(\w+)>", r"{\1}", path)
    found: dict[str, Any] = description["paths"][template][method.lower()]
    return found


def check(description: dict[str, Any], method: str, path: str, answer: TestResponse) -> None:
    """*answer* is one that the operation is described to give: its status, headers, type and body."""
    responses = written(description, method, path)["responses"]
    assert str(answer.status_code) in responses, (method, path, answer.text)
    response = responses[str(answer.status_code)]
    if "$ref" in response:
        response = description["components"]["responses"][response["$ref"].rpartition("/")[2]]
    assert set(response.get("headers", {})) <= set(answer.headers.keys()), (method, path)
    if "content" not in response:
        assert answer.data == b""
        return
    assert list(response["content"]) == [answer.mimetype]
    schema = response["content"][answer.mimetype]["schema"]
    errors = list(validator(description, schema).iter_errors(answer.get_json()))
    assert errors == [], (method, path, answer.text)


def driven(site: Site, receiver: Receiver, calls: tuple[Ask, ...]) -> Iterator[tuple[Ask, Any]]:
    """Make *calls* one after the other, with the answer to each."""
    kept: dict[str, Any] = {}
    for call in calls:
        if call.first:
            swept = site.app.test_cli_runner().invoke(args=["statuspage", call.first])
            assert swept.exit_code == 0, swept.output
        path = call.rule
        if call.of:
            thing = kept[call.of]
            thing = thing["items"][0] if "items" in thing else thing
            path = path.replace("<ident>", str(thing["id"]))
            if "<update_ident>" in path:
                path = path.replace("<update_ident>", thing["updates"][0]["id"])
        path = path.replace("<status>", "partial_outage")
        body = call.body
        if isinstance(body, dict):
            body = {
                name: receiver.url if value == "{receiver}" else value
                for name, value in body.items()
            }
        answer = site.ask(call.method, path + call.query, body)
        if call.keep:
            kept[call.keep] = answer.get_json()
        yield call, answer


def test_the_description_is_valid(description: dict[str, Any]) -> None:
    """The validator of OpenAPI 3.1 finds no fault, neither in the whole nor in an example or default."""
    assert [error.message for error in OpenAPIV31SpecValidator(description).iter_errors()] == []


def test_every_route_is_described(site: Site, description: dict[str, Any]) -> None:
    """What the app answers below the manage API is described, method by method, and nothing else is."""
    routes = {
        (method, rule.rule.removeprefix(site.prefix))
        for rule in site.app.url_map.iter_rules()
        if rule.endpoint.startswith("statuspage.manage.") and not rule.endpoint.endswith(".missing")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (method.upper(), re.sub(r"{(\w+)}", r"<\1>", path))
        for path, item in description["paths"].items()
        for method in item
    }
    assert described == (routes | {("POST", "/subscribe")}) - {UNDESCRIBED}
    assert UNDESCRIBED in routes


def test_every_operation_has_a_name_and_a_sentence(description: dict[str, Any]) -> None:
    """Each is named once, for generated clients, and says what it does in one sentence of its own."""
    found = [one for item in description["paths"].values() for one in item.values()]
    names = [one["operationId"] for one in found]
    assert len(set(names)) == len(names) == len(OPERATIONS)
    for one in found:
        assert re.fullmatch(r"[A-Z][^.`]{10,90}\.", one["summary"]), one["summary"]
    managed = [one["summary"] for one in found if "security" in one]
    assert len(set(managed)) == len(managed)


def test_schemas_have_short_names(description: dict[str, Any]) -> None:
    """No two types have one name, which would make both long and depend on the modules they stand in."""
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in description["components"]["schemas"])


def test_the_table_uses_every_operation() -> None:
    """No operation escapes the test below."""
    assert {(call.method, call.rule) for call in CALLS} == set(MANAGED)


def test_every_answer_is_as_described(
    site: Site, receiver: Receiver, closed: dict[str, Any]
) -> None:
    """Whatever the manage API answers is described whole: status, headers, and each field with its type."""
    seen = []
    for call, answer in driven(site, receiver, CALLS):
        assert answer.status_code < 300, (call, answer.text)
        check(closed, call.method, API + call.rule, answer)
        seen.append((call.method, call.rule, answer.get_json(silent=True)))
    # Fields that are null and lists that are empty would prove little.
    listed = {rule: body for method, rule, body in seen if method == "GET" and body is not None}
    assert all(body["items"] for body in listed.values() if "items" in body), listed


def test_every_body_in_the_table_is_as_described(description: dict[str, Any]) -> None:
    """What the manage API takes in the calls above, the description takes, too."""
    for call in CALLS:
        if call.body is not None:
            schema = body_schema(description, MANAGED[call.method, call.rule])
            assert list(validator(description, schema).iter_errors(call.body)) == [], call


@pytest.mark.parametrize("key", MANAGED, ids=" ".join)
def test_refusals_are_as_described(
    site: Site, description: dict[str, Any], key: tuple[str, str]
) -> None:
    """Without a key, with a small one, of what is not there, with a wrong body or query: each status is described."""
    method, rule = key
    operation = MANAGED[key]
    path = rule.replace("<ident>", NOBODY).replace("<update_ident>", NOBODY)
    url = f"{site.prefix}{API}{path}"
    headers = {"Authorization-Token": site.key()}

    def refused(status: int, **options: Any) -> Any:
        answer = site.client.open(url, method=method, **{"headers": headers, **options})
        assert answer.status_code == status, answer.text
        check(description, method, operation.path, answer)
        return answer.get_json()

    body = next((call.body for call in CALLS if (call.method, call.rule) == key), None)
    sent = {"json": body or {}} if operation.body is not None else {}
    refused(401, headers={}, **sent)
    if operation.role != "viewer":
        refused(403, headers={"Authorization-Token": site.key("viewer")}, **sent)
    if "<ident>" in rule:
        refused(404, **sent)
    if operation.body is not None:
        refused(400, data=b"[]")
        refused(422, json={**(body or {}), "no_such_field": 1})
        refused(413, data=b"{}", environ_overrides={"CONTENT_LENGTH": str(MAX_BODY + 1)})
    is_change = method != "GET" and operation.role != "viewer"
    if is_change and not operation.conditional:  # what has no tag is not changed for a certain one
        refused(412, headers={**headers, "If-Match": '"x"'}, **sent)
    for parameter in operation.parameters:
        wrong = {**sent, "query_string": {parameter.name: "\x00"}}
        if parameter.name == "status_page":
            refused(404, **wrong)
        elif "<ident>" not in rule:
            assert [one["field"] for one in refused(422, **wrong)["errors"]] == [parameter.name]


def test_conflicts_are_as_described(
    site: Site, receiver: Receiver, description: dict[str, Any]
) -> None:
    """What meets a thing in a state that forbids it is a conflict, and described as one."""
    for call, answer in driven(site, receiver, CONFLICTS):
        assert (answer.status_code == 409) is call.conflict, (call, answer.text)
        rule = call.rule.replace("/templates/Both", ONE_TEMPLATE)
        check(description, call.method, API + rule, answer)


def body_schema(description: dict[str, Any], operation: Operation) -> dict[str, Any]:
    body = written(description, operation.method, operation.path)["requestBody"]
    found: dict[str, Any] = body["content"]["application/json"]["schema"]
    return found


def takes(operation: Operation, body: dict[str, Any]) -> bool:
    """Whether the type that the API reads *body* with takes it."""
    try:
        operation.body.model_validate(body)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("key", WITH_BODY, ids=" ".join)
def test_bodies_are_as_described(description: dict[str, Any], key: tuple[str, str]) -> None:
    """Description and API agree on the fields that a body needs, on those that it can have and on their types."""
    operation = WITH_BODY[key]
    check_body = validator(description, body_schema(description, operation))
    right = next(call.body for call in CALLS if (call.method, call.rule) == key and call.body)
    fields = operation.body.model_fields
    assert check_body.is_valid(right)
    assert not check_body.is_valid({**right, "no_such_field": 1})
    for name in fields:
        without = {field: value for field, value in right.items() if field != name}
        needed = name in right and not takes(operation, without)
        # A title may come from a template: the view, not the type of the body, knows that.
        title = name == "title" and operation.path.endswith(("/incidents", "/maintenances"))
        assert check_body.is_valid(without) is not (needed or (title and "title" in right)), name
        # Values whose types alone are wrong, or not; what stands within texts is for the API to say.
        for value in (None, {"a": None}, [None], [[]], [], {}):
            body = {**right, name: value}
            assert check_body.is_valid(body) is takes(operation, body), body
        for value in ("", "x" * 81, "x" * 20_000, -1, 2**40):
            body = {**right, name: value}
            assert check_body.is_valid(body) or not takes(operation, body), body


@pytest.mark.parametrize("resource", ["incidents", "maintenances"])
def test_a_title_or_a_template(site: Site, description: dict[str, Any], resource: str) -> None:
    """What is made from a template needs no title, all else does: the description and the API say so."""
    site.made("/components", name="API")
    kind = resource.removesuffix("s")
    site.made("/templates", kind=kind, name="Usual", title="As always")
    check_body = validator(description, body_schema(description, MANAGED["POST", f"/{resource}"]))
    times = {name: value for name, value in WINDOW.items() if name.startswith("scheduled")}
    rest = times if kind == "maintenance" else {}
    for body in ({}, {"template": None}, {"template": "Usual"}, {"title": "Fire"}):
        answer = site.ask("POST", f"/{resource}", {**rest, **body})
        assert check_body.is_valid({**rest, **body}) is (answer.status_code == 201), answer.text


def test_parameters_are_as_described(site: Site, description: dict[str, Any]) -> None:
    """Each value that a list's parameter is described to have is taken, also its default; what is not is refused."""
    for (method, rule), operation in MANAGED.items():
        if method != "GET" or "<" in rule:
            continue
        needed = "".join(
            f"&{one.name}={one.schema['enum'][0]}" for one in operation.parameters if one.required
        )
        for parameter in operation.parameters:
            schema = parameter.schema
            for value in (*schema.get("enum", ()), schema.get("default"), schema.get("maximum")):
                query = "?" if value is None else f"?{parameter.name}={quote(str(value))}"
                query += "" if value is not None and parameter.required else needed
                assert site.ask("GET", rule + query).status_code == 200, query
            if set(schema) - {"type"}:
                free = "minLength" in schema  # any text but none
                for value in ("",) if free else ("", "x", "0"):
                    wrong = site.ask("GET", f"{rule}?{parameter.name}={value}")
                    assert wrong.status_code == 422, (rule, parameter.name, value)
                    check(description, method, operation.path, wrong)


def test_the_words_name_every_parameter() -> None:
    """Whatever can be asked for in a query stands in docs/manage-api.md, too."""
    docs = (Path(__file__).parents[2] / "docs" / "manage-api.md").read_text(encoding="utf-8")
    names = {item.name for operation in MANAGED.values() for item in operation.parameters}
    assert {"page", "status_page", "kind", "since"} <= names
    assert {name for name in names if not re.search(rf"[?&]{name}=", docs)} == set()


def test_sign_ups_are_as_described(make_site: SiteMaker, closed: dict[str, Any]) -> None:
    """A program's sign-up takes what is described and answers it, also when it is refused."""
    site = make_site(STATUSPAGE_SIGNUPS_PER_HOUR=6)
    site.made("/pages", name="Closed", visibility="signed-in")
    check_body = validator(closed, body_schema(closed, signup_operation.OPERATION))

    def sent(status: int, body: Any, path: str = "/subscribe", **options: Any) -> None:
        answer = site.post(path, **({"json": body} | options))
        assert answer.status_code == status, answer.text
        check(closed, "POST", "/subscribe", answer)

    for status, body in (
        (202, {"channel": "email", "address": "ann@example.com", "events": ["incident.created"]}),
        (202, {"email": "bob@example.com", "scope": "all"}),
        (201, {"type": "webhook", "url": HOOK, "secret": "a very secret secret"}),
        (201, {"url": HOOK, "format": "native"}),
    ):
        assert check_body.is_valid(body), body
        sent(status, body)
    for body in ({}, {"channel": "email"}, {"address": "x@example.com"}, {"email": 5}):
        assert not check_body.is_valid(body), body
        sent(422, body)
    sent(400, [])
    sent(413, {}, environ_overrides={"CONTENT_LENGTH": str(MAX_BODY + 1)})
    right = {"email": "eve@example.com"}
    sent(404, right, "/nowhere/subscribe")
    sent(403, right, "/closed/subscribe")
    for number in (1, 2):
        sent(202, {"email": f"eve{number}@example.com"})
    sent(429, right)
