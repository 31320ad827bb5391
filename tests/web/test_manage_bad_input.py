"""Bad input to the manage API: 4xx with the field's name, no row, never a 5xx."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.web.routes import ROUTES
from tests.web.site import API, Site, SiteMaker
from tests.web.test_manage_api import HOOK, NOBODY, WINDOW, full, problem

SEED = 20260219

NEW_PAGE = {"name": "New"}
NEW_GROUP = {"name": "New"}
NEW_COMPONENT = {"name": "New"}
NEW_MONITOR = {"name": "New", "target": HOOK}
NEW_INCIDENT = {"title": "New"}
NEW_MAINTENANCE = {**WINDOW, "title": "New"}
NEW_TEMPLATE = {"kind": "incident", "name": "New", "title": "New"}
NEW_SUBSCRIPTION = {"channel": "webhook", "address": HOOK + "/new"}

NOT_TEXT = [5, 1.5, True, [], {}, ["x"]]
UNSTORABLE = ["\x00", "a\x00b", "\ud800", "a\udfffb"]
NOT_TITLE = [*NOT_TEXT, *UNSTORABLE, None, "", "   ", "x" * 201, "a\x9bb", "a\u202eb", "a\u2066b"]
NOT_PROSE = [*NOT_TEXT, *UNSTORABLE, None, "x" * 10_001]
NOT_SLUG = [*NOT_TEXT, *UNSTORABLE, "", "With Space", "UPPER", "a--b", "-a", "ä", "a/b", "x" * 81]
NOT_WHOLE = ["x", "5", 1.5, True, [], {}, 10**30, -(10**30), 2**31, "\x00"]
NOT_POSITION = [*NOT_WHOLE, -1, None, 1_000_001]
NOT_FLAG = ["maybe", "yes", "no", "true", "off", "1", "", 0, 1, 1.0, 5, [], {}, None, "\x00"]
NOT_TIME = [
    5,
    "yesterday",
    "2026-01-01",
    "2026-01-01T00:00:00",
    "2026-13-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    [],
    "\x00",
]
NOT_DAY = [
    5,
    "yesterday",
    "2026-02-30",
    "2026-1-1",
    "20260101",
    "2026-01-01T00:00:00Z",
    "1989-12-31",
    "2999-01-01",
    "0000-00-00",
    "",
    [],
    "\x00",
    "\uff12026-01-01",
]
NOT_STATUS = ["up", "", 5, [], {}, "\x00", "\ud800"]
NOT_COMPONENTS = [
    5,
    "api",
    ["nope"],
    [5],
    [None],
    ["\x00"],
    ["\ud800"],
    [[]],
    {"api": "up"},
    {"nope": "operational"},
    {"\x00": "operational"},
    {"api": None},
    ["api"] * 1001,
    {f"c-{number}": "operational" for number in range(70_000)},
]
NOT_EVENTS = [5, "incident.created", ["no.such"], [5], ["\x00"], ["\ud800"], {}]
NOT_ZONE = [*NOT_TEXT, *UNSTORABLE, "", "Mars/Olympus", "../../etc/passwd", "America", "x" * 81]
NOT_URL = [
    *NOT_TEXT,
    *UNSTORABLE,
    "",
    "status.example.com",
    "ftp://x.example",
    "javascript:alert(1)",
    "https://",
    "https://x.example/?q",
    "https://x.example/#f",
    "https://x.example/\r\nX: y",
    "https://x .example/",
    "https://[::1",
    "https://x.example/" + "x" * 500,
]
NOT_LOGO = [
    *NOT_TEXT,
    *UNSTORABLE,
    "",
    "logo.svg",
    "//evil.example/logo.svg",
    "/\\evil.example/logo.svg",
    "/\tlogo.svg",
    "http://x.example/logo.svg",
    "javascript:alert(1)",
    "data:image/svg+xml,<svg/>",
    "https://",
    "https://x.example;script-src/logo.svg",
    "https://x.example'/logo.svg",
    "https://user@x.example/logo.svg",
    "https://x.example\\@y.example/logo.svg",
    "https://ä.example/logo.svg",
    "https://*/logo.svg",
    "https://*.x.example/logo.svg",
    "https://[::1]/logo.svg",
    "https://x .example/logo.svg",
    "https://x.example/\r\nX: y",
    "/" + "x" * 500,
]
NOT_COLOURS = [
    5,
    "red",
    ["#fff"],
    {"primary": "red"},
    {"primary": None},
    {"primary": 5},
    {"primary": "#ffff"},
    {"primary": "#12345g"},
    {"primary": "#123456\n"},
    {"primary": "#fff;} body { display: none"},
    {"primary": "url(https://x.example/)"},
    {"primary": "#\uff10\uff10\uff10"},
    {"primary": "#ffffff"},
    {"dark-primary": "#eeeeee"},
    {"text": "#999"},
    {"dark-bg": "#fff"},
    {"nonsense": "#fff"},
    {"--sp-bg": "#fff"},
    {"": "#fff"},
    {"\x00": "#fff"},
    {"\ud800": "#fff"},
]
NOT_NOTE = [value for value in NOT_PROSE if value is not None]
NOT_SUBSCRIBERS = [*NOT_TEXT, *UNSTORABLE, None, "", "all", "Keep"]
OF_PAGE: dict[str, list[Any]] = {
    "url": NOT_URL,
    "time_zone": NOT_ZONE,
    "locale": [*NOT_TEXT, *UNSTORABLE, "", "german", "de_DE", "d", "de-", "de-DE\n", "x" * 81],
    "visibility": [*NOT_TEXT, *UNSTORABLE, None, "", "secret", "Public", "public "],
    "logo": NOT_LOGO,
    "colours": NOT_COLOURS,
    "header": [*NOT_NOTE, "x" * 2001, "a\x1bb", "a\u2028b"],
    "footer": [*NOT_NOTE, "x" * 2001, "a\x1bb"],
}
NOT_TARGET = [
    *NOT_TEXT,
    *UNSTORABLE,
    None,
    "",
    "nonsense",
    "ftp://1.1.1.1/",
    "https://127.0.0.1/",
    "https://user:pw@1.1.1.1/",
    "https://1.1.1.1/" + "x" * 2048,
]
NESTED: Any = "x"
for _ in range(300):
    NESTED = {"x": NESTED}
NOT_OPTIONS = [
    5,
    "x",
    [],
    None,
    {"no_such": 1},
    {"verify_tls": "no"},
    {"follow_redirects": 1},
    {"method": "BREW"},
    {"method": []},
    {"method": {}},
    {"expected_status": "2yy"},
    {"expected_status": []},
    {"expected_status": [[]]},
    {"expected_status": {"a": "b"}},
    {"expected_status": 10**30},
    {"\x00": 1},
    {"\ud800": 1},
    {"headers": NESTED},
    {"headers": {"Host": "example.com"}},
    {"headers": {"X-Key": "\x00"}},
    {"headers": {"X-Key": "********"}},
    {"body": "x"},
    {"method": "POST", "body": "\ud800"},
    {"auth": {"type": "basic", "username": "a:b", "password": "x"}},
    {"auth": {"type": "bearer", "token": "********"}},
    {"method": "HEAD", "keyword": "x"},
    {"keyword_absent": "x" * 1001},
    {"json_condition": "a["},
    {"follow_redirects": 1},
    {"tls_expiry_days": -1},
    {"verify_tls": None},
    {"down_over_ms": 0},
]
NOT_SECRET = [*NOT_TEXT, *UNSTORABLE, "", "x" * 15, "\0" * 20, "x" * 201, "é" * 101]
NOT_MAILBOX = [*NOT_TEXT, *UNSTORABLE, "", "ann", "a@b@example.com", "é@example.com", "a" * 255]
NOT_POLICY: list[Any] = [
    *(5, "x", True, [], [{}], {"no_such": 1}, {"jitter": 0.5}, {"\x00": 1}, {"\ud800": 1}),
    *({"timeout": value} for value in (0.99, 30.01, "5", True, None, 1e400, 10**40, [], {})),
    *({"delays": value} for value in (5, None, {}, "x", [0.5], [604_801], [True], ["1"], [None])),
    *({"delays": value} for value in ([1] * 31, [604_800] * 5, [1e400])),
    *({"success": value} for value in ([], [199], [300], [200, 300], [299, 200], [200] * 3, 200)),
    *({"success": value} for value in ([200.5], ["200"], [True], None)),
    *({"rate": value} for value in (0, 601, 1.5, "1", True, None, 10**40)),
    *({"size": value} for value in (999, 1_000_001, 5000.5, "5000", None)),
    *({"disable_after_unreached": value} for value in (0, 101, 1.5, "5", True, [])),
    *({"disable_after_failed": value} for value in (0, 1001, 1.5, "5", True, [])),
]
NOT_LIMIT = [0, -1, 10**6]
OF_MONITOR: dict[str, list[Any]] = {
    "name": NOT_TITLE,
    "slug": NOT_SLUG,
    "target": NOT_TARGET,
    "kind": [*NOT_TEXT, *UNSTORABLE, None, "", "carrier-pigeon"],
    "component": [*NOT_TEXT, *UNSTORABLE, "nope"],
    "interval": [*NOT_WHOLE, *NOT_LIMIT, None],
    "timeout": ["x", "5", True, [], {}, None, 0, -1, 10**6, 10**400],
    "regions": [5, "eu", [], [5], ["eu", "eu"], ["Not A Region"], ["\x00"], ["\ud800"], ["r"] * 99],
    "quorum": [*NOT_WHOLE, 0, 2, None],
    "failure_threshold": [*NOT_WHOLE, 0, 101, None],
    "recovery_threshold": [*NOT_WHOLE, 0, 101, None],
    "degraded_threshold": [*NOT_WHOLE, 0, 101],
    "degraded_over_ms": [*NOT_WHOLE, 0, 600_001],
    "template": [*NOT_TEXT, *UNSTORABLE, "nope"],
    "depends_on": [*NOT_TEXT, *UNSTORABLE, "nope"],
    "escalation_intervals": [5, "x", ["x"], [5], [604_801], [60] * 21, [1.5], None],
    "outage_status": [*NOT_STATUS, None, "operational", "unknown", "under_maintenance"],
    "open_incident": NOT_FLAG,
    "options": NOT_OPTIONS,
}

NOT_RULE = [
    *NOT_TEXT,
    *UNSTORABLE,
    "",
    "weekly",
    "FREQ=SECONDLY",
    "FREQ=HOURLY;COUNT=5",
    "FREQ=DAILY",
    "FREQ=DAILY;COUNT=1001",
    "FREQ=WEEKLY;COUNT=5;UNTIL=20370101T000000Z",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=WEEKLY;BYDAY=SU",
    "FREQ=WEEKLY\r\nX:1",
    "FREQ=WEEKLY;COUNT=" + "9" * 300,
]
OF_MAINTENANCE: dict[str, list[Any]] = {
    "title": NOT_TITLE,
    "components": [value for value in NOT_COMPONENTS if not isinstance(value, dict)] + [{}, None],
    "scheduled_end": [*NOT_TIME, None, "2020-01-01T00:00:00Z", "2036-06-01T00:00:00Z"],
    "auto_start": NOT_FLAG,
    "auto_complete": NOT_FLAG,
    "remind_before": [5, "60", [0], ["x"], [None], [-5], [44_641], [2**31], list(range(1, 20))],
    "rrule": NOT_RULE,
    "exceptions": [5, "2036-01-02", [5], ["tomorrow"], ["2036-02-30"], ["\x00"], [None], None],
}
BEGINNING: dict[str, list[Any]] = {
    "body": NOT_PROSE,
    "scheduled_start": NOT_TIME,
    "status": [*NOT_STATUS, None, "cancelled", "verifying"],
    "notify": NOT_FLAG,
}
NOT_TEMPLATE_TEXT = [
    "{{ nobody }}",
    "{{ nobody|default('x') }}",
    "{% for x in page %}x{% endfor %}",
    "{% for x in page recursive %}{{ loop(x) }}{% endfor %}",
    "{% include 'Outage' %}",
    "{{ page.__class__ }}",
    "{{ 'a' * 10**9 }}",
    "{{ page|replace('', 'x') }}",
    "{{ '\\ud800' }}",
    "{{ self }}",
    "{{ duration }}",
    "{{ page",
    "{% if page %}",
    "{{ " + "(" * 150,
]
NOT_NAMED = [value for value in NOT_COMPONENTS if not isinstance(value, dict)] + [{}]
OF_TEMPLATE: dict[str, list[Any]] = {
    "name": NOT_TITLE,
    "title": [*NOT_TITLE, *NOT_TEMPLATE_TEXT],
    "body": [*NOT_PROSE, *NOT_TEMPLATE_TEXT],
    "status": [*NOT_TEXT, *UNSTORABLE, "", "up", "postmortem", "scheduled"],
    "impact": ["huge", "", 5, [], "\x00"],
    "components": [*NOT_NAMED, None],
    "placeholders": [
        *(5, "x", [], ["region"], None),
        *({name: None} for name in ("", "Region", "1x", "a b", "a.b", "x" * 41, "page", "self")),
        *({name: "x"} for name in ("\x00", "\ud800", "duration", "not")),
        *({"region": value} for value in (5, [], {}, True, "\x00", "\ud800", "x" * 2001)),
        {f"p{number}": None for number in range(31)},
        {f"p{number}": None for number in range(1000)},
    ],
}

NOT_TEMPLATE = [*NOT_TEXT, *UNSTORABLE, "", "No such template"]
NOT_VALUES = [5, "x", [], None, {"region": 5}, {"region": "\x00"}, {"region": "of no template"}]

BAD: dict[tuple[str, str], tuple[dict[str, Any], dict[str, list[Any]]]] = {
    ("POST", "/pages"): (
        NEW_PAGE,
        {"name": NOT_TITLE, "slug": [*NOT_SLUG, "admin"], **OF_PAGE},
    ),
    ("PATCH", "/pages/second"): (
        {},
        {
            "name": [value for value in NOT_TITLE if value is not None],
            "slug": [*NOT_SLUG, None, "api"],
            **OF_PAGE,
            "subscribers": NOT_SUBSCRIBERS,
        },
    ),
    ("POST", "/pages/hidden/rotate-link"): ({}, {"subscribers": NOT_SUBSCRIBERS}),
    ("POST", "/component-groups"): (
        NEW_GROUP,
        {
            "name": NOT_TITLE,
            "description": NOT_PROSE,
            # Null is the last place.
            "position": [value for value in NOT_POSITION if value is not None],
        },
    ),
    ("PATCH", "/component-groups/Platform"): (
        {},
        {"name": NOT_TITLE, "description": NOT_PROSE, "position": NOT_POSITION},
    ),
    ("POST", "/components"): (
        NEW_COMPONENT,
        {
            "page": [*NOT_TEXT, *UNSTORABLE],
            "name": NOT_TITLE,
            "slug": NOT_SLUG,
            "description": NOT_PROSE,
            "group": [*NOT_TEXT, *UNSTORABLE, "nope"],
            "position": [value for value in NOT_POSITION if value is not None],
            "status": NOT_STATUS,
            "only_show_if_degraded": NOT_FLAG,
            "showcase": NOT_FLAG,
            "start_date": NOT_DAY,
        },
    ),
    ("PATCH", "/components/api"): (
        {},
        {
            "name": NOT_TITLE,
            "slug": [*NOT_SLUG, None],
            "description": NOT_PROSE,
            "group": [*NOT_TEXT, *UNSTORABLE, "nope"],
            "position": NOT_POSITION,
            "status": NOT_STATUS,
            "only_show_if_degraded": NOT_FLAG,
            "showcase": NOT_FLAG,
            "start_date": NOT_DAY,
            "archived": NOT_FLAG,
        },
    ),
    ("PUT", "/components/api/status"): (
        {"status": "major_outage"},
        {"status": NOT_STATUS, "note": NOT_PROSE, "notify": NOT_FLAG, "until": NOT_TIME},
    ),
    ("PUT", "/components/order"): (
        {"components": ["api"]},
        {
            "page": [*NOT_TEXT, *UNSTORABLE],
            "components": [
                *(value for value in NOT_COMPONENTS if not isinstance(value, dict)),
                {"api": "operational"},
                ["api", "api"],
                None,
            ],
        },
    ),
    ("PUT", "/component-groups/order"): (
        {"groups": ["Platform"]},
        {
            "page": [*NOT_TEXT, *UNSTORABLE],
            "groups": [5, "Platform", ["nope"], [5], ["\x00"], ["Platform", "Platform"], {}, None],
        },
    ),
    ("POST", "/monitors"): (NEW_MONITOR, OF_MONITOR),
    ("PATCH", "/monitors/probe"): ({}, OF_MONITOR),
    ("POST", "/incidents"): (
        NEW_INCIDENT,
        {
            "template": NOT_TEMPLATE,
            "values": NOT_VALUES,
            "title": NOT_TITLE,
            "body": NOT_PROSE,
            "status": [*NOT_STATUS, None, "postmortem"],
            "impact": ["huge", "", 5, [], "\x00"],
            "components": [*NOT_COMPONENTS, None],
            "monitor": [*NOT_TEXT, *UNSTORABLE, "", "nope"],
            "started_at": [*NOT_TIME, "2999-01-01T00:00:00Z"],
            # Beside the status of an open incident any end is wrong.
            "resolved_at": [*NOT_TIME, "2999-01-01T00:00:00Z", "2026-01-01T00:00:00Z"],
            "next_update_due": [*NOT_TIME, "2026-01-01T00:00:00Z"],
            "visibility": ["secret", "", 5, None, "published\n"],
            "notify": NOT_FLAG,
        },
    ),
    ("PATCH", "/incidents/<incident>"): (
        {},
        {
            "title": NOT_TITLE,
            "impact": ["huge", "", 5, [], "\x00"],
            "components": NOT_COMPONENTS,
            "monitor": [*NOT_TEXT, *UNSTORABLE, "", "nope"],
            "next_update_due": [*NOT_TIME, "2026-01-01T00:00:00Z"],
            "visibility": ["secret", "", 5, None, "published\n"],
            "notify": NOT_FLAG,
        },
    ),
    ("PATCH", "/incidents/<incident>/updates/<update>"): (
        {},
        {
            "body": NOT_PROSE,
            "created_at": [*NOT_TIME, "2999-01-01T00:00:00Z", "2020-01-01T00:00:00Z"],
            "notify": NOT_FLAG,
        },
    ),
    ("POST", "/incidents/<resolved>/reopen"): (
        {},
        {
            "status": [*NOT_STATUS, None, "resolved", "postmortem"],
            "body": NOT_PROSE,
            "components": NOT_COMPONENTS,
            "impact": ["huge", "", 5, [], "\x00"],
            "next_update_due": [*NOT_TIME, "2026-01-01T00:00:00Z"],
            "notify": NOT_FLAG,
        },
    ),
    ("POST", "/incidents/<resolved>/postmortem"): (
        {"body": "What we learnt."},
        {"body": [*NOT_PROSE, "", "  "], "notify": NOT_FLAG},
    ),
    ("POST", "/incidents/<incident>/updates"): (
        {},
        {
            "status": NOT_STATUS,
            "body": NOT_PROSE,
            "components": NOT_COMPONENTS,
            "impact": ["huge", "", 5, [], "\x00"],
            "next_update_due": [*NOT_TIME, "2026-01-01T00:00:00Z"],
            "notify": NOT_FLAG,
        },
    ),
    ("POST", "/incidents/<incident>/resolve"): ({}, {"body": NOT_PROSE, "notify": NOT_FLAG}),
    ("POST", "/maintenances"): (
        NEW_MAINTENANCE,
        {**OF_MAINTENANCE, **BEGINNING, "template": NOT_TEMPLATE, "values": NOT_VALUES},
    ),
    ("PATCH", "/maintenances/<maintenance>"): (
        {},
        {**OF_MAINTENANCE, "scheduled_start": [*NOT_TIME, None]},
    ),
    **{
        ("POST", f"/maintenances/{which}/{step}"): (
            {},
            {"body": NOT_PROSE, "notify": NOT_FLAG, **more},
        )
        for which, step, more in (
            ("<maintenance>", "start", {}),
            ("<running>", "complete", {}),
            ("<maintenance>", "cancel", {"series": NOT_FLAG}),
            ("<maintenance>", "updates", {"status": NOT_STATUS}),
        )
    },
    ("PATCH", "/maintenances/<maintenance>/updates/<its update>"): (
        {"body": "Mended"},
        {"body": NOT_PROSE, "notify": NOT_FLAG},
    ),
    ("POST", "/templates"): (
        NEW_TEMPLATE,
        {**OF_TEMPLATE, "kind": [*NOT_TEXT, *UNSTORABLE, None, "", "component", "Incident"]},
    ),
    ("PATCH", "/templates/Outage"): ({}, OF_TEMPLATE),
    ("POST", "/templates/Outage/render"): (
        {},
        {
            "values": [
                *(5, "x", [], None),
                *({name: "x"} for name in ("nobody", "page", "", "\x00", "\ud800")),
                *({"region": value} for value in (5, None, [], {}, "\x00", "\ud800", "x" * 2001)),
            ],
            "components": NOT_NAMED,
            "started_at": NOT_TIME,
            "scheduled_start": [*NOT_TIME, "2026-02-19T17:30:00Z"],
            "scheduled_end": [*NOT_TIME, "2026-02-19T17:30:00Z"],
        },
    ),
    ("POST", "/subscriptions"): (
        NEW_SUBSCRIPTION,
        {
            "channel": [*NOT_TEXT, *UNSTORABLE, None, "", "pigeon", "x" * 81],
            "address": NOT_TARGET,
            "format": [*NOT_TEXT, *UNSTORABLE, "", "xml", "email"],
            "components": [value for value in NOT_COMPONENTS if not isinstance(value, dict)]
            + [{}, None],
            "events": NOT_EVENTS,
            "level": [*NOT_TEXT, *UNSTORABLE, "", "down", "x" * 81],
            "policy": NOT_POLICY,
            "contact": NOT_MAILBOX,
            "secret": NOT_SECRET,
        },
    ),
    ("PATCH", "/subscriptions/<subscription>"): (
        {},
        {
            "format": [*NOT_TEXT, *UNSTORABLE, None, "", "xml", "email"],
            "components": [value for value in NOT_COMPONENTS if not isinstance(value, dict)]
            + [{}, None],
            "events": NOT_EVENTS,
            "level": [*NOT_TEXT, *UNSTORABLE, "", "down", "x" * 81],
            "policy": NOT_POLICY,
            "contact": NOT_MAILBOX,
            "secret": [*NOT_SECRET, None],
        },
    ),
    ("POST", "/subscriptions/<subscription>/rotate-secret"): ({}, {"secret": NOT_SECRET}),
    ("POST", "/deliveries/redeliver"): (
        {"since": "2026-02-19T17:30:00Z"},
        {
            "since": [*NOT_TIME, None],
            "subscription": [*NOT_TEXT, *UNSTORABLE, "", "x", NOBODY],
        },
    ),
    ("POST", "/members"): (
        {"identity": "eve@example.com", "role": "viewer"},
        {
            "identity": [*NOT_TEXT, *UNSTORABLE, None, "", " ", "a\nb", "x" * 255],
            "role": [*NOT_TEXT, None, "", "Owner", "root"],
        },
    ),
    ("PATCH", "/members/<member>"): ({}, {"role": [*NOT_TEXT, None, "", "Owner", "root"]}),
    ("POST", "/tokens"): (
        {"name": "deploy", "role": "viewer"},
        {
            "name": [*NOT_TEXT, *UNSTORABLE, None, "", " ", "a\nb", "x" * 201],
            "role": [*NOT_TEXT, None, "", "Owner", "root"],
            "expires_at": [*NOT_TIME, "2020-01-01T00:00:00Z"],
        },
    ),
    ("PATCH", "/tokens/<key>"): (
        {},
        {
            "name": [*NOT_TEXT, *UNSTORABLE, None, "", " ", "a\nb", "x" * 201],
            "expires_at": [*NOT_TIME, "2020-01-01T00:00:00Z"],
        },
    ),
}
"""For every route with a body: one that is right, and for each of its fields what is wrong there."""


def furnished(site: Site) -> dict[str, str]:
    """One of each thing; what stands for `<incident>` and the like in the paths above."""
    ids = full(site)
    site.made("/pages", name="Second")
    site.made("/pages", name="Hidden", visibility="link")
    resolved = site.made("/incidents", title="Over", status="resolved")
    incident = site.ask("GET", f"/incidents/{ids['incidents']}").get_json()
    maintenance = site.ask("GET", f"/maintenances/{ids['maintenances']}").get_json()
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    running = site.made("/maintenances", title="Now", scheduled_end=end)
    return {
        "<incident>": incident["id"],
        "<update>": incident["updates"][0]["id"],
        "<resolved>": resolved["id"],
        "<subscription>": ids["subscriptions"],
        "<maintenance>": ids["maintenances"],
        "<running>": running["id"],
        "<member>": site.made("/members", identity="bob@example.com", role="viewer")["id"],
        "<key>": site.made("/tokens", name="build", role="viewer")["id"],
        "<its update>": maintenance["updates"][0]["id"],
    }


def at(path: str, things: dict[str, str]) -> str:
    for name, ident in things.items():
        path = path.replace(name, ident)
    return path


def send(site: Site, method: str, path: str, body: Any) -> Any:
    """Send *body* as JSON with every character escaped, so that lone surrogates pass, too."""
    return site.client.open(
        f"{site.prefix}{API}{path}",
        method=method,
        data=json.dumps(body),
        headers={"Authorization-Token": site.key(), "Content-Type": "application/json"},
    )


def test_every_route_with_a_body_is_in_the_table(site: Site) -> None:
    """The table above knows every route that takes a body."""
    bodiless = {"run", "pause", "resume", "rotate-token", "test", "enable", "disable"}
    taking = {
        (method, path.partition("/<ident>")[0].split("/")[1] + path.partition("/<ident>")[2])
        for method, path in ROUTES
        if method in ("POST", "PATCH", "PUT")
        and path.rpartition("/")[2] not in bodiless
        and path not in ("/deliveries/<ident>/redeliver", "/service/put/<ident>/<status>/")
    }
    assert len(taking) == len(BAD)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("route", BAD, ids=" ".join)
def test_each_field_of_each_body(
    database_url: str, make_site: SiteMaker, route: tuple[str, str], migrated_site: Any
) -> None:
    """A wrong value of any field is 422 with that field's name, and leaves no row."""
    site: Site = migrated_site(database_url)
    method, pattern = route
    right, wrong = BAD[route]
    things = furnished(site)
    path = at(pattern, things)
    before = site.contents()
    for field, values in wrong.items():
        for value in values:
            answer = send(site, method, path, {**right, field: value})
            assert answer.status_code == 422, (field, value, answer.text)
            named = {error["field"].partition(".")[0] for error in problem(answer, 422)["errors"]}
            assert named == {field}, (field, value, answer.text)
    assert site.contents() == before
    for name in ("no_such_field", "id", "\x00", "ключ"):
        answer = send(site, method, path, {**right, name: 1})
        assert [error["field"] for error in problem(answer, 422)["errors"]] == [name]
    problem(send(site, method, path, {**right, "\ud800": 1}), 422)
    if right:
        missing = problem(send(site, method, path, {}), 422)
        assert {error["message"] for error in missing["errors"]} == {"Is missing."}
        assert {error["field"] for error in missing["errors"]} <= set(right)
    every = problem(
        send(site, method, path, {**right, **{name: values[0] for name, values in wrong.items()}}),
        422,
    )
    assert {error["field"].partition(".")[0] for error in every["errors"]} == set(wrong)
    assert site.contents() == before
    answer = send(site, method, path, right)
    assert answer.status_code in (200, 201, 202), answer.text


PAST = "2020-01-01T00:00:00Z"
CHANGED = {"/maintenances/<maintenance>", "/incidents/<incident>"}
SEVERAL: list[tuple[str, dict[str, Any], set[str]]] = [
    ("/maintenances", {}, {"title", "scheduled_end"}),
    (
        "/maintenances",
        {"components": ["nope"], "rrule": "x"},
        {"title", "scheduled_end", "components", "rrule"},
    ),
    (
        "/maintenances",
        {**NEW_MAINTENANCE, "components": ["nope"], "rrule": "x", "exceptions": ["x"]},
        {"components", "rrule", "exceptions"},
    ),
    (
        "/maintenances",
        {"title": "x", "scheduled_end": PAST, "components": ["nope"], "remind_before": [0]},
        {"scheduled_end", "components", "remind_before"},
    ),
    (
        "/maintenances",
        {"scheduled_end": PAST, "exceptions": ["2036-01-01"], "status": "verifying"},
        {"title", "scheduled_end", "status"},
    ),
    ("/maintenances", {"template": "nope"}, {"scheduled_end"}),
    (
        "/maintenances/<maintenance>",
        {"components": ["nope"], "remind_before": [0], "scheduled_end": PAST},
        {"components", "remind_before", "scheduled_end"},
    ),
    (
        "/incidents/<incident>",
        {"monitor": "nope", "next_update_due": PAST},
        {"monitor", "next_update_due"},
    ),
    ("/incidents", {"components": ["nope"]}, {"title", "components"}),
    (
        "/incidents",
        {"title": "x", "components": ["nope"], "next_update_due": PAST},
        {"components", "next_update_due"},
    ),
    ("/incidents", {"values": {"a": "b"}, "monitor": "nope"}, {"title", "values", "monitor"}),
    (
        "/incidents",
        {"title": 5, "status": "postmortem", "components": {"nope": "operational"}},
        {"title", "status", "components"},
    ),
    (
        "/incidents",
        {"title": "x", "started_at": "2999-01-01T00:00:00Z", "resolved_at": "2999-01-01T00:00:00Z"},
        {"started_at", "resolved_at"},
    ),
    ("/incidents", {"page": "nope", "impact": "huge"}, {"title", "impact"}),
    (
        "/incidents/<incident>/updates",
        {"components": ["nope"], "next_update_due": PAST},
        {"components", "next_update_due"},
    ),
    (
        "/incidents/<resolved>/reopen",
        {"components": ["nope"], "next_update_due": PAST},
        {"components", "next_update_due"},
    ),
]


@pytest.mark.parametrize(
    ("path", "body", "fields"), SEVERAL, ids=[f"{n} {path}" for n, (path, *_) in enumerate(SEVERAL)]
)
def test_every_wrong_field_is_named_at_once(
    site: Site, path: str, body: dict[str, Any], fields: set[str]
) -> None:
    """Whoever sends several wrong fields need not come back for each, whoever it is that finds them wrong."""
    things = furnished(site)
    before = site.contents()
    method = "PATCH" if path in CHANGED else "POST"
    wrong = problem(send(site, method, at(path, things), body), 422)
    assert {error["field"].partition(".")[0] for error in wrong["errors"]} == fields, wrong
    assert len({error["field"] for error in wrong["errors"]}) == len(wrong["errors"])
    assert site.contents() == before


def anything(chance: random.Random, depth: int = 0) -> Any:
    """A JSON value that somebody might send by mistake or on purpose."""
    scalars: list[Any] = [
        None,
        True,
        False,
        0,
        -1,
        1,
        2**31,
        2**63,
        10**40,
        -(10**40),
        0.5,
        1e308,
        float("nan"),
        float("inf"),
        "",
        " ",
        "api",
        "probe",
        "Platform",
        "operational",
        "major_outage",
        "resolved",
        "critical",
        "published",
        "webhook",
        "email",
        "native",
        "incident.created",
        HOOK,
        "ann@example.com",
        "2026-01-01T00:00:00Z",
        "\x00",
        "\ud800",
        "‮bidi",
        "💥" * 60,
        "x" * 300,
        "x" * 12_000,
        "<script>alert(1)</script>",
        "'; DROP TABLE statuspage_page; --",
        "{{ 7*7 }}",
        "%s%s%n",
    ]
    kind = chance.random()
    if depth < 3 and kind < 0.15:
        return [anything(chance, depth + 1) for _ in range(chance.randrange(4))]
    if depth < 3 and kind < 0.3:
        return {
            str(anything(chance, 3)): anything(chance, depth + 1)
            for _ in range(chance.randrange(4))
        }
    return chance.choice(scalars)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
def test_random_bodies(database_url: str, migrated_site: Any) -> None:
    """Random bodies to every route are never a 5xx, and one that is refused leaves every table as it was."""
    print("seed", SEED)
    chance = random.Random(SEED)
    site: Site = migrated_site(database_url, STATUSPAGE_API_RATE=0)
    things = furnished(site)
    before = site.contents()
    for (method, pattern), (right, wrong) in BAD.items():
        for _ in range(15):
            fields = chance.sample(sorted(wrong), k=min(len(wrong), chance.randrange(1, 4)))
            body = {**right, **{name: anything(chance) for name in fields}}
            answer = send(site, method, at(pattern, things), body)
            assert answer.status_code < 500, (method, pattern, body, answer.text)
            after = site.contents()
            if answer.status_code >= 400:
                problem(answer, answer.status_code)
                assert after == before, (method, pattern, body)
            before = after
    # What went through is shown without harm, too.
    for path in ("/", "/api/v2/summary.json", "/api/v2/badge.svg", "/second/"):
        answer = site.get(path)
        assert answer.status_code in (200, 404)
        assert "<script>alert" not in answer.text or path.endswith(".json")


def test_random_bytes(make_site: SiteMaker) -> None:
    """Random bytes and broken JSON are 400 or 422 on every route, never a 5xx."""
    print("seed", SEED)
    chance = random.Random(SEED)
    site = make_site(STATUSPAGE_API_RATE=0)
    things = furnished(site)
    sound = json.dumps({**NEW_MONITOR, "options": {"method": "GET"}}).encode()
    before = site.contents()
    for method, pattern in BAD:
        for _ in range(20):
            raw = bytearray(
                sound if chance.random() < 0.5 else chance.randbytes(chance.randrange(60))
            )
            for _ in range(chance.randrange(1, 6)):
                raw.insert(chance.randrange(len(raw) + 1), chance.randrange(256))
            if pattern == "/monitors":
                raw = raw[: len(raw) // 2]
            answer = site.client.open(
                f"{site.prefix}{API}{at(pattern, things)}",
                method=method,
                data=bytes(raw),
                headers={"Authorization-Token": site.key()},
            )
            assert answer.status_code in (400, 422), (method, pattern, bytes(raw), answer.text)
            problem(answer, answer.status_code)
    assert site.contents() == before


def test_random_requests(site: Site) -> None:
    """Random methods, paths, queries and headers anywhere below the mount are never a 5xx."""
    print("seed", SEED)
    chance = random.Random(SEED)
    things = furnished(site)
    words = [
        "api", "v2", "v1", "admin", "components", "incidents", "subscribe", "confirm", "manage",
        "unsubscribe", "status.json", "badge.svg", "second", "%00", "%ff", "..", "%2e%2e", "%2f",
        "💥", "", "x" * 300, "assets", "statuspage.css", *things.values(),
    ]  # fmt: skip
    accepts = ["*/*", "text/html", "application/json", "", "nonsense;;;q=x", "\xff"]
    for _ in range(400):
        path = "/".join(chance.choice(words) for _ in range(chance.randrange(1, 6)))
        query = chance.choice(
            ["", "?page=0", "?per_page=x", "?action=subscribe", "?status_page=%00", "?style=%ff"]
        )
        with site.client.open(
            f"{site.prefix}/{path}{query}",
            method=chance.choice(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
            headers={
                "Accept": chance.choice(accepts),
                "Authorization": chance.choice(["", "Bearer", "Bearer x", f"Bearer {site.key()}"]),
                "If-None-Match": chance.choice(['"x"', "*", "W/", "\xff", ""]),
            },
            data=chance.choice([b"", b"{}", b"\xff", b"type=webhook"]),
        ) as answer:
            assert answer.status_code < 500, (path, query, answer.text)


def test_a_field_that_asks_for_a_wrong_one(site: Site) -> None:
    """Values for a template that is no text: the template is named, and nothing fails over what it would be for."""
    body = {"title": "Down", "template": 5, "values": {"service": "API"}}
    wrong = problem(site.ask("POST", "/incidents", body), 422)
    assert [error["field"] for error in wrong["errors"]] == ["template"]
