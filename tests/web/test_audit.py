"""The audit: every write through any door leaves an entry, which can be read, and tells no secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import update

from flask_statuspage.delivery import links
from flask_statuspage.storage.outbox import Delivery, DeliveryState, EventRow
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from flask_statuspage.storage.team import AuditEntry
from tests.servers import http
from tests.servers.http import Answer, Receiver
from tests.web.routes import ROUTES
from tests.web.site import OPEN, Furnished, Site, SiteMaker, furnished
from tests.web.test_manage_api import NOBODY, WINDOW, problem

ANN = "ann@example.com"
SECRET = "a secret that nobody may read"


def entries(site: Site) -> list[AuditEntry]:
    return sorted(site.rows(AuditEntry), key=lambda row: row.id)


def fresh(site: Site, write: Callable[[], Any]) -> list[AuditEntry]:
    """The entries that *write* left."""
    count = len(entries(site))
    write()
    return entries(site)[count:]


# Every route of the manage API that writes


@dataclass(frozen=True)
class Write:
    """A call that succeeds on a furnished site. ``at`` stands for `<ident>`, ``update`` for `<update_ident>`; "<hook>"
    for the webhook's id, and so on.

    :param states: which of the states the entry must have: before, after or both.
    :param first: calls that make it possible.
    """

    action: str
    body: dict[str, Any] | None = None
    at: str = ""
    update: str = ""
    states: str = "both"
    first: tuple[tuple[str, str, dict[str, Any] | None], ...] = ()


MADE, CHANGED, GONE = "after", "both", "before"

WRITES: dict[tuple[str, str], Write] = {
    ("POST", "/pages"): Write("create", {"name": "Third"}, states=MADE),
    ("PATCH", "/pages/<ident>"): Write("change", {"name": "Other"}, at="second"),
    ("DELETE", "/pages/<ident>"): Write("delete", at="second", states=GONE),
    ("POST", "/pages/<ident>/rotate-link"): Write(
        "rotate_link", at="second", first=(("PATCH", "/pages/second", {"visibility": "link"}),)
    ),
    ("POST", "/component-groups"): Write("create", {"name": "New"}, states=MADE),
    ("PATCH", "/component-groups/<ident>"): Write("change", {"name": "New"}, at="Platform"),
    ("DELETE", "/component-groups/<ident>"): Write("delete", at="Platform", states=GONE),
    ("PUT", "/component-groups/order"): Write("order_groups", {"groups": ["Edge"]}),
    ("POST", "/components"): Write("create", {"name": "New"}, states=MADE),
    ("PATCH", "/components/<ident>"): Write("change", {"description": "New"}, at="api"),
    ("DELETE", "/components/<ident>"): Write("delete", at="idle", states=GONE),
    ("PUT", "/components/<ident>/status"): Write(
        "set_status", {"status": "major_outage"}, at="idle"
    ),
    ("PUT", "/components/order"): Write("order_components", {"components": ["idle"]}),
    ("PUT", "/service/put/<ident>/<status>/"): Write("set_status", at="idle"),
    ("POST", "/service/put/<ident>/<status>/"): Write("set_status", at="idle"),
    ("POST", "/monitors"): Write("create", {"name": "New", "target": "<target>"}, states=MADE),
    ("PATCH", "/monitors/<ident>"): Write("change", {"interval": 5}, at="probe"),
    ("DELETE", "/monitors/<ident>"): Write("delete", at="probe", states=GONE),
    ("POST", "/monitors/<ident>/run"): Write("run", at="probe", states=MADE),
    ("POST", "/monitors/<ident>/pause"): Write("pause", at="probe"),
    ("POST", "/monitors/<ident>/resume"): Write(
        "resume", at="probe", first=(("POST", "/monitors/probe/pause", None),)
    ),
    ("POST", "/monitors/<ident>/rotate-token"): Write(
        "rotate_token",
        at="job",
        first=(("POST", "/monitors", {"name": "Job", "kind": "heartbeat"}),),
    ),
    ("POST", "/incidents"): Write("create", {"title": "New"}, states=MADE),
    ("PATCH", "/incidents/<ident>"): Write("edit", {"title": "New"}, at="<incident>"),
    ("POST", "/incidents/<ident>/updates"): Write(
        "update", {"status": "identified", "body": "Found."}, at="<incident>"
    ),
    ("POST", "/incidents/<ident>/resolve"): Write("update", {}, at="<incident>"),
    ("DELETE", "/incidents/<ident>"): Write("delete", at="<incident>", states=GONE),
    ("PATCH", "/incidents/<ident>/updates/<update_ident>"): Write(
        "edit_update", {"body": "Mended."}, at="<incident>", update="<said>"
    ),
    ("DELETE", "/incidents/<ident>/updates/<update_ident>"): Write(
        "delete_update",
        at="<incident>",
        update="<said>",
        states=GONE,
        first=(("POST", "/incidents/<incident>/updates", {"body": "More."}),),
    ),
    ("POST", "/incidents/<ident>/reopen"): Write(
        "reopen", {}, at="<incident>", first=(("POST", "/incidents/<incident>/resolve", None),)
    ),
    ("POST", "/incidents/<ident>/postmortem"): Write(
        "update",
        {"body": "Why."},
        at="<incident>",
        first=(("POST", "/incidents/<incident>/resolve", None),),
    ),
    ("POST", "/maintenances"): Write("create", WINDOW, states=MADE),
    ("PATCH", "/maintenances/<ident>"): Write("edit", {"title": "New"}, at="<maintenance>"),
    ("DELETE", "/maintenances/<ident>"): Write("delete", at="<maintenance>", states=GONE),
    ("POST", "/maintenances/<ident>/start"): Write("update", at="<maintenance>"),
    ("POST", "/maintenances/<ident>/complete"): Write(
        "update", at="<maintenance>", first=(("POST", "/maintenances/<maintenance>/start", None),)
    ),
    ("POST", "/maintenances/<ident>/cancel"): Write("update", at="<maintenance>"),
    ("POST", "/maintenances/<ident>/updates"): Write(
        "update", {"body": "News."}, at="<maintenance>"
    ),
    ("PATCH", "/maintenances/<ident>/updates/<update_ident>"): Write(
        "edit_update", {"body": "Mended."}, at="<maintenance>", update="<announced>"
    ),
    ("DELETE", "/maintenances/<ident>/updates/<update_ident>"): Write(
        "delete_update",
        at="<maintenance>",
        update="<announced>",
        states=GONE,
        first=(("POST", "/maintenances/<maintenance>/updates", {"body": "More."}),),
    ),
    ("POST", "/templates"): Write(
        "create", {"kind": "incident", "name": "New", "title": "New"}, states=MADE
    ),
    ("PATCH", "/templates/<ident>"): Write("change", {"title": "New"}, at="Outage"),
    ("DELETE", "/templates/<ident>"): Write("delete", at="Outage", states=GONE),
    ("POST", "/subscriptions"): Write(
        "create", {"channel": "webhook", "address": "<target>/new"}, states=MADE
    ),
    ("PATCH", "/subscriptions/<ident>"): Write(
        "change", {"events": ["incident.created"], "secret": SECRET}, at="<hook>"
    ),
    ("DELETE", "/subscriptions/<ident>"): Write("delete", at="<hook>", states=GONE),
    ("POST", "/subscriptions/<ident>/test"): Write("test", at="<hook>", states=MADE),
    ("POST", "/subscriptions/<ident>/enable"): Write(
        "enable", at="<hook>", first=(("POST", "/subscriptions/<hook>/disable", None),)
    ),
    ("POST", "/subscriptions/<ident>/disable"): Write("disable", at="<hook>"),
    ("POST", "/subscriptions/<ident>/rotate-secret"): Write("rotate_secret", at="<hook>"),
    ("POST", "/deliveries/<ident>/redeliver"): Write("redeliver", at="<delivery>"),
    ("POST", "/deliveries/redeliver"): Write(
        "redeliver_failed", {"subscription": "<hook>", "since": "2026-01-01T00:00:00Z"}, states=MADE
    ),
    ("POST", "/members"): Write(
        "create", {"identity": "eve@example.com", "role": "viewer"}, states=MADE
    ),
    ("PATCH", "/members/<ident>"): Write("change", {"role": "editor"}, at="<member>"),
    ("DELETE", "/members/<ident>"): Write("delete", at="<member>", states=GONE),
    ("POST", "/tokens"): Write("create", {"name": "deploy", "role": "viewer"}, states=MADE),
    ("PATCH", "/tokens/<ident>"): Write("change", {"name": "Deploy"}, at="<key>"),
    ("DELETE", "/tokens/<ident>"): Write("revoke", at="<key>", states=GONE),
}

SUBJECTS = {
    "service": "component",
    "pages": "page",
    "component-groups": "component-group",
    "components": "component",
    "monitors": "monitor",
    "incidents": "incident",
    "maintenances": "maintenance",
    "templates": "template",
    "subscriptions": "subscription",
    "deliveries": "delivery",
    "members": "member",
    "tokens": "token",
}


def furnish(site: Site, receiver: Receiver) -> dict[str, str]:
    """What the calls above need; what stands for the words in angle brackets."""
    site.made("/pages", name="Second")
    for name in ("Platform", "Edge"):
        site.made("/component-groups", name=name, position=1 if name == "Platform" else 2)
    for name in ("API", "Idle"):
        site.made("/components", name=name, group="Platform" if name == "API" else None)
    site.made("/monitors", name="Probe", target=receiver.url, component="api")
    incident = site.made("/incidents", title="Fire", components=["api"])
    maintenance = site.made("/maintenances", **WINDOW)
    site.made("/templates", kind="incident", name="Outage", title="Down")
    hook = site.made(
        "/subscriptions", channel="webhook", address=receiver.url, secret="s3cr3t of sixteen"
    )
    site.made(f"/subscriptions/{hook['id']}/test")
    swept = site.app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert swept.exit_code == 0, swept.output
    (delivery,) = site.ask("GET", "/deliveries").get_json()["items"]
    with site.app.app_context():  # as if its attempts had been in vain
        current_session().execute(update(Delivery).values(state=DeliveryState.DEAD))
        current_session().commit()
    return {
        "<incident>": incident["id"],
        "<said>": incident["updates"][0]["id"],
        "<maintenance>": maintenance["id"],
        "<announced>": maintenance["updates"][0]["id"],
        "<hook>": hook["id"],
        "<member>": site.made("/members", identity="bob@example.com", role="viewer")["id"],
        "<key>": site.made("/tokens", name="build", role="viewer")["id"],
        "<delivery>": delivery["id"],
        "<target>": receiver.url,
    }


@pytest.fixture(scope="module")
def furnished_once(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[Furnished[dict[str, str]]]:
    with http.receiver() as receiver:
        folder = tmp_path_factory.mktemp("audit")
        yield furnished(folder, migrated, lambda site: furnish(site, receiver), **OPEN)


@pytest.fixture
def full(
    make_site: SiteMaker, furnished_once: Furnished[dict[str, str]]
) -> tuple[Site, dict[str, str]]:
    """A furnished site of its own, and what stands for the words in angle brackets."""
    return furnished_once.site(make_site, **OPEN), furnished_once.things


def filled(value: Any, things: dict[str, str]) -> Any:
    text = json.dumps(value)
    for name, thing in things.items():
        text = text.replace(name, thing)
    return json.loads(text)


def check(entry: AuditEntry, states: str) -> None:
    assert isinstance(entry.subject_id, UUID)
    assert (entry.before is not None) == (states in (CHANGED, GONE)), entry.before
    assert (entry.after is not None) == (states in (CHANGED, MADE)), entry.after
    if states == CHANGED:
        assert entry.before, "says nothing of what was there"
        assert entry.before != entry.after
    for state in (entry.before, entry.after):
        if states != CHANGED and state is not None:
            assert state


def test_the_table_of_writes_is_whole() -> None:
    """Every route of the manage API that can write is in the table above, so that none escapes the audit."""
    reads = {("POST", "/templates/<ident>/render")}
    assert set(WRITES) == {route for route in ROUTES if route[0] != "GET"} - reads


@pytest.mark.parametrize("route", WRITES, ids=" ".join)
def test_every_write_through_the_api(
    full: tuple[Site, dict[str, str]], route: tuple[str, str]
) -> None:
    """A call that succeeds leaves an entry with who, what, to what, and the states before and after."""
    write = WRITES[route]
    site, things = full
    for method, path, body in write.first:
        assert site.ask(method, filled(path, things), body).status_code < 300
    method, path = route
    path = path.replace("<ident>", filled(write.at, things))
    path = path.replace("<update_ident>", filled(write.update, things))
    path = path.replace("<status>", "major_outage")
    entry, *others = fresh(
        site, lambda: _succeeds(site.ask(method, path, filled(write.body, things)))
    )
    if entry.actor == "system":  # what followed from it by itself was written first
        entry = next(one for one in others if one.actor != "system")
    assert (entry.actor, entry.action) == ("key owner", write.action)
    others_subjects = {"/component-groups/order": "page", "/components/order": "page"}
    others_subjects["/deliveries/redeliver"] = "subscription"
    subject = others_subjects.get(path) or SUBJECTS[path.split("/")[1]]
    assert entry.subject == subject
    check(entry, write.states)
    if write.states == CHANGED and subject in ("component", "component-group", "monitor"):
        assert entry.before is not None
        assert entry.after is not None
        assert set(entry.before) == set(entry.after)
        assert all(entry.before[name] != entry.after[name] for name in entry.after)


def _succeeds(answer: Any) -> None:
    assert answer.status_code < 400, answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/component-groups/Platform", {"name": "Platform"}),
        ("PATCH", "/components/api", {"name": "API", "showcase": True, "start_date": None}),
        ("PATCH", "/components/api", {"archived": False}),
        ("PATCH", "/components/api", {}),
        ("PATCH", "/monitors/probe", {"component": "api", "name": "Probe"}),
        ("PATCH", "/pages/second", {"name": "Second"}),
        ("PUT", "/components/idle/status", {"status": None}),
        ("PUT", "/components/order", {"components": ["idle", "api"]}),
        ("POST", "/subscriptions/<hook>/enable", None),
        ("PATCH", "/subscriptions/<hook>", {"events": None}),
        ("PATCH", "/members/<member>", {"role": "viewer"}),
        ("PATCH", "/tokens/<key>", {"name": "build", "expires_at": None}),
        ("GET", "/audit", None),
        ("GET", "/components/api/history", None),
    ],
)
def test_what_changes_nothing_leaves_no_entry(
    full: tuple[Site, dict[str, str]], method: str, path: str, body: dict[str, Any] | None
) -> None:
    """Reads, and writes of what is so already, are not in the audit, and no event either."""
    site, things = full
    site.ask("PUT", "/components/order", {"components": ["idle", "api"]})
    told = len(site.rows(EventRow))
    left = fresh(site, lambda: _succeeds(site.ask(method, filled(path, things), body)))
    assert [(entry.action, entry.after) for entry in left] == []
    assert len(site.rows(EventRow)) == told


# The other doors


def pending(site: Site) -> Subscription:
    answer = site.post("/subscribe", json={"channel": "email", "address": ANN})
    assert answer.status_code == 202, answer.text
    (row,) = site.rows(Subscription)
    return row


def test_what_visitors_do(site: Site) -> None:
    """Sign-up, confirmation, choice and end are the subscriber's own doing, and the address is in none of them."""
    site.made("/components", name="API")
    (signed_up,) = fresh(site, lambda: pending(site))
    (row,) = site.rows(Subscription)
    confirm = f"/confirm/{site.token(links.CONFIRM, row)}"
    (confirmed,) = fresh(site, lambda: _succeeds(site.post(confirm)))
    (row,) = site.rows(Subscription)
    own = site.token(links.OWN, row)
    choice = {"scope": "some", "components": ["api"], "events": ["incident.created"]}
    (chosen,) = fresh(site, lambda: site.post(f"/manage/{own}", data=choice))
    assert fresh(site, lambda: site.post(f"/manage/{own}", data=choice)) == []
    (ended,) = fresh(site, lambda: _succeeds(site.post(f"/unsubscribe/{own}")))
    assert fresh(site, lambda: site.post(f"/unsubscribe/{own}")) == []
    for entry, action, states in (
        (signed_up, "create", MADE),
        (confirmed, "confirm", CHANGED),
        (chosen, "change", CHANGED),
        (ended, "unsubscribe", CHANGED),
    ):
        assert (entry.actor, entry.action) == ("subscriber", action)
        assert (entry.subject, entry.subject_id) == ("subscription", row.id)
        check(entry, states)
    assert signed_up.after["state"] == "pending"
    assert (confirmed.before, confirmed.after) == ({"state": "pending"}, {"state": "active"})
    assert chosen.after["events"] == ["incident.created"]
    assert ended.after["state"] == "ended"


def test_a_visitor_comes_back(site: Site) -> None:
    """A second sign-up of one address is a change of the first one; a stranger's of somebody's own leaves nothing."""
    row = pending(site)
    body = {"channel": "email", "address": ANN, "events": ["incident.created"]}
    (again,) = fresh(site, lambda: site.post("/subscribe", json=body))
    assert (again.action, again.before) == ("change", {"events": None})
    assert fresh(site, lambda: site.post("/subscribe", json=body)) == []
    (row,) = site.rows(Subscription)
    site.post(f"/confirm/{site.token(links.CONFIRM, row)}")
    assert fresh(site, lambda: pending(site)) == []


def test_a_signed_in_customer_is_not_named_by_address(make_site: SiteMaker) -> None:
    """Who is known to the host by the address itself is called a subscriber, since the address may have to go."""
    site = make_site()
    site.statuspage.subscriber_loader(lambda: ANN)
    page = site.get("/subscribe").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert token
    data = {"channel": "email", "address": ANN, "csrf_token": token}
    (entry,) = fresh(site, lambda: site.post("/subscribe", data=data))
    assert (entry.actor, entry.action) == ("subscriber", "create")
    assert entry.after["state"] == "active"


def test_what_host_code_does(site: Site) -> None:
    """The host's calls leave entries in its own transaction; what it rolls back leaves none."""
    site.made("/components", name="API")

    def in_app(work: Callable[[], Any], *, end: str = "commit") -> Callable[[], None]:
        def call() -> None:
            with site.app.app_context():
                work()
                getattr(site.db.session, end)()

        return call

    page = site.statuspage
    works: list[tuple[Callable[[], Any], str, str, str]] = [
        (
            lambda: page.set_status("api", "major_outage", note="x"),
            "set_status",
            "component",
            "both",
        ),
        (lambda: page.open_incident("Fire", components=["api"]), "create", "incident", MADE),
        (lambda: page.subscribe(ANN), "create", "subscription", MADE),
    ]
    for work, action, subject, states in works:
        assert fresh(site, in_app(work, end="rollback")) == []
        (entry,) = fresh(site, in_app(work))
        assert (entry.actor, entry.action, entry.subject) == ("host", action, subject)
        check(entry, states)


def test_a_key_made_on_the_command_line(site: Site) -> None:
    """Making a key is audited without the key, and shown to every page's admins since it opens them all."""
    made: list[str] = []

    def create() -> None:
        arguments = ["statuspage", "token", "create", "ci", "--role", "editor"]
        result = site.app.test_cli_runner().invoke(args=arguments)
        assert result.exit_code == 0, result.output
        made.append(result.output.strip())

    (entry,) = fresh(site, create)
    assert (entry.actor, entry.action, entry.subject) == ("command line", "create", "token")
    assert entry.after == {"name": "ci", "role": "editor", "expires_at": None}
    site.made("/pages", name="Second")
    for query in ("", "&status_page=second"):
        listed = site.ask("GET", f"/audit?subject=token&actor=command%20line{query}").get_json()
        assert [item["id"] for item in listed["items"]] == [entry.id]
    assert made[0] not in str(site.contents())


# Secrets


def test_no_secret_is_in_the_audit(site: Site, receiver: Receiver) -> None:
    """Neither addresses, secrets of webhooks, links, nor keys, whatever is done with them."""
    things = furnish(site, receiver)
    hook = f"/subscriptions/{things['<hook>']}"
    own = site.made(
        "/subscriptions", channel="webhook", address=f"{receiver.url}/own", secret=SECRET
    )
    secrets = {"s3cr3t of sixteen", own["secret"]}
    secrets.add(site.made(f"{hook}/rotate-secret")["secret"])
    site.ask("PATCH", hook, {"secret": f"{SECRET} 2"})
    made = site.made("/subscriptions", channel="webhook", address=f"{receiver.url}/made")
    again = site.made("/subscriptions", channel="webhook", address=f"{receiver.url}/made")
    assert again["secret"] is None, "the second wish changes nothing, so it leaves no entry either"
    secrets |= {made["secret"], SECRET}
    for path in ("disable", "enable", "test"):
        site.made(f"{hook}/{path}")
    row = pending_email(site)
    secrets |= {row.nonce, site.token(links.CONFIRM, row), site.token(links.OWN, row)}
    site.post(f"/confirm/{site.token(links.CONFIRM, row)}")
    row = next(one for one in site.rows(Subscription) if one.channel == "email")
    secrets |= {row.nonce, site.token(links.OWN, row)}
    site.post(f"/unsubscribe/{site.token(links.OWN, row)}")
    site.ask("DELETE", hook)
    secrets |= {site.key(), ANN, f"{receiver.url}/own"}
    for number in range(1, 4):
        kept = site.ask("GET", f"/audit?subject=subscription&per_page=100&page={number}").text
        kept += str([(one.actor, one.before, one.after) for one in entries(site)])
        for secret in secrets:
            assert secret not in kept
    rotations = [one for one in entries(site) if one.action == "rotate_secret"]
    assert [(one.before, one.after) for one in rotations] == [
        ({"secret": "(hidden)"}, {"secret": "(hidden, new)"})
    ]
    doubles = [one for one in entries(site) if str(one.subject_id) == made["id"]]
    assert [(one.action, one.after.get("secret")) for one in doubles] == [("create", "(hidden)")]


def pending_email(site: Site) -> Subscription:
    site.post("/subscribe", json={"channel": "email", "address": ANN})
    return next(one for one in site.rows(Subscription) if one.channel == "email")


def test_who_is_switched_off_by_a_gone_receiver(site: Site, receiver: Receiver) -> None:
    """What the extension does by itself is the system's doing."""
    receiver.answer = Answer(status=410)
    hook = site.made("/subscriptions", channel="webhook", address=receiver.url)
    site.made(f"/subscriptions/{hook['id']}/test")
    (entry,) = fresh(site, lambda: site.app.test_cli_runner().invoke(args=["statuspage", "sweep"]))
    assert (entry.actor, entry.action) == ("system", "disable")
    assert (entry.before["state"], entry.after["state"]) == ("active", "disabled")


# Reading


def test_the_audit_is_read_newest_first(site: Site) -> None:
    """Each entry has all its fields, in pages, newest first; a small role may not read it."""
    for name in ("A", "B", "C"):
        site.made("/component-groups", name=name)
    site.ask("PATCH", "/component-groups/A", {"description": "New"})
    body = site.ask("GET", "/audit?subject=component-group&per_page=3").get_json()
    assert (body["total"], len(body["items"])) == (4, 3)
    first = body["items"][0]
    assert {**first, "id": 0, "at": "", "subject_id": ""} == {
        "id": 0,
        "at": "",
        "actor": "key owner",
        "action": "change",
        "subject": "component-group",
        "subject_id": "",
        "before": {"description": ""},
        "after": {"description": "New"},
    }
    assert datetime.fromisoformat(first["at"]).tzinfo is not None
    ids = [item["id"] for item in body["items"]]
    rest = site.ask("GET", "/audit?subject=component-group&per_page=3&page=2").get_json()
    assert [*ids, *(item["id"] for item in rest["items"])] == sorted(
        (one.id for one in entries(site) if one.subject == "component-group"), reverse=True
    )
    problem(site.ask("GET", "/audit", role="editor"), 403)


def test_filters_narrow_it_together(site: Site) -> None:
    """Subject, id, actor, action and time each narrow the list, and all of them together."""
    group = site.made("/component-groups", name="A")
    site.ask("POST", "/component-groups", {"name": "B"}, role="editor")
    site.made("/components", name="API")
    rows = entries(site)
    middle = rows[-2].at

    def found(query: str) -> list[str]:
        items = site.ask("GET", f"/audit?{query}").get_json()["items"]
        return [item["subject"] + " " + item["actor"] for item in reversed(items)]

    assert found("actor=key%20editor") == ["component-group key editor"]
    assert found("action=create&subject=component") == ["component key owner"]
    assert found(f"subject_id={group['id']}") == ["component-group key owner"]
    assert found(f"subject_id={group['id']}&subject=component") == []
    assert found(f"subject_id={NOBODY}") == []
    since = quote(middle.isoformat())
    assert found(f"since={since}") == ["component-group key editor", "component key owner"]
    assert found(f"since={since}&action=create&subject=component") == ["component key owner"]
    assert "component-group key editor" not in found(f"until={since}")
    assert found(
        f"since={since}&until={quote((middle + timedelta(microseconds=1)).isoformat())}"
    ) == ["component-group key editor"]


def test_another_pages_entries_are_its_own(site: Site) -> None:
    """Each page has its own audit; what belongs to none is in all of them."""
    site.made("/pages", name="Second")
    site.made("/components", name="Here")
    site.made("/components", name="There", page="second")

    def names(query: str) -> list[str]:
        items = site.ask("GET", f"/audit?subject=component{query}").get_json()["items"]
        return [item["after"]["name"] for item in items]

    assert names("") == ["Here"]
    assert names("&status_page=second") == ["There"]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
def test_wrong_filters(database_url: str, migrated_site: SiteMaker) -> None:
    """A filter that cannot be meant is 422 and named; one that finds nothing is an empty list."""
    site = migrated_site(database_url)
    for name, values in {
        "since": ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "%00", "9" * 400],
        "until": ["0", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z"],
        "subject_id": ["", "x", "%00", "1" * 31],
        "subject": ["%00", "", "zz", "Incident"],
        "actor": ["a%00", ""],
        "action": ["%00", "", "+"],
        "page": ["0"],
        "per_page": ["101"],
    }.items():
        for value in values:
            wrong = problem(site.ask("GET", f"/audit?{name}={value}"), 422)
            assert [error["field"] for error in wrong["errors"]] == [name], value
    for query in ("subject=account", "actor=%F0%9F%92%A5", "action=" + "x" * 5000):
        assert site.ask("GET", f"/audit?{query}").get_json()["items"] == []
