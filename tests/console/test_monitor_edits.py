"""Monitors made, changed and deleted in the console: every field, what is wrong, changes of two, secrets."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from sqlalchemy import QueuePool

from flask_statuspage.probing import probes
from flask_statuspage.probing.tcp import TcpProbe
from tests.console import member, watching
from tests.console.conftest import Enter
from tests.console.member import ADMIN, EDITOR, VIEWER, forms_of
from tests.servers.http import Receiver
from tests.web.site import Site, SiteMaker

MASK = "********"
TARGET = "http://127.0.0.1:9/"


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return watching.build(make_site)


def monitors(site: Site) -> Any:
    return site.ask("GET", "/monitors").get_json()["items"]


def stored(site: Site) -> dict[str, Any]:
    """All rows but the pages', whose version is counted whatever was saved."""
    return {name: rows for name, rows in site.contents().items() if name != "statuspage_page"}


def test_a_kind_is_chosen_first(site: Site, enter: Enter) -> None:
    """Those that members make; each leads to its own form. A viewer is not let in."""
    ann = enter(EDITOR)
    html = ann.get("/monitors/new").text
    kinds = re.findall(r'href="[^"]*monitors/new\?kind=(\w+)"', html)
    assert kinds == ["http", "tcp", "tls", "dns", "ping", "heartbeat", "upstream"]
    for kind in kinds:
        form = ann.form(f"/monitors/new?kind={kind}", "Make the monitor")
        assert form.fields["kind"] == kind
        assert ("target" in form.fields) == (kind != "heartbeat")
    assert enter(VIEWER).get("/monitors/new").status_code == 403


def test_every_field_is_saved(site: Site, enter: Enter) -> None:
    """What is typed into the form is what the manage API tells."""
    site.made("/components", name="Shop")
    site.made("/templates", kind="incident", name="Outage", title="Down")
    site.made("/monitors", name="Gateway", target=TARGET)
    ann = enter(EDITOR)
    form = ann.form("/monitors/new?kind=http", "Make the monitor")
    sent = ann.send(
        form,
        **{
            "name": " Front ",
            "slug": "front-door",
            "target": " http://127.0.0.1:9/x ",
            "component": "shop",
            "interval": "90",
            "timeout": "2.5",
            "regions": ["default", "eu"],
            "quorum": "2",
            "failure_threshold": "4",
            "recovery_threshold": "5",
            "degraded_threshold": "6",
            "degraded_over_ms": "700",
            "outage_status": "partial_outage",
            "open_incident": None,
            "template": "Outage",
            "depends_on": "gateway",
            "escalation_intervals": "300, 900",
            "options.method": "POST",
            "options.headers": "Accept: text/html\r\nX-Key: swordfish\r\n",
            "options.body": "a\r\nb",
            "options.auth.type": "basic",
            "options.auth.username": "ann",
            "options.auth.password": " hunter2 ",
            "options.expected_status": "200\r\n3xx",
            "options.keyword": "fine",
            "options.tls_expiry_days": "7",
            "options.verify_tls": None,
            "options.follow_redirects": "yes",
            "options.down_over_ms": "5000",
        },
    )
    page = ann.follow(sent)
    assert "The monitor is made." in page.text
    made = watching.monitor(site, "front-door")
    expected = {
        "name": "Front",
        "kind": "http",
        "target": "http://127.0.0.1:9/x",
        "component": "shop",
        "interval": 90,
        "timeout": 2.5,
        "regions": ["default", "eu"],
        "quorum": 2,
        "failure_threshold": 4,
        "recovery_threshold": 5,
        "degraded_threshold": 6,
        "degraded_over_ms": 700,
        "outage_status": "partial_outage",
        "open_incident": False,
        "template": "Outage",
        "depends_on": "gateway",
        "escalation_intervals": [300, 900],
        "options": {
            "method": "POST",
            "headers": {"Accept": "text/html", "X-Key": MASK},
            "body": "a\nb",
            "auth": {"type": "basic", "username": "ann", "password": MASK},
            "expected_status": [200, "3xx"],
            "keyword": "fine",
            "keyword_absent": None,
            "json_condition": None,
            "follow_redirects": True,
            "tls_expiry_days": 7,
            "verify_tls": False,
            "down_over_ms": 5000,
        },
    }
    assert {name: made[name] for name in expected} == expected
    assert "hunter2" not in page.text + ann.get("/monitors/front-door/edit").text


def test_an_untouched_form_changes_nothing(site: Site, enter: Enter) -> None:
    """Also what no field can show: a body with other line ends, a header with a colon in its name's place, secrets."""
    site.made(
        "/monitors",
        name="Front",
        target=TARGET,
        regions=["default", "eu"],
        escalation_intervals=[60, 120],
        timeout=0.1,
        options={
            "method": "POST",
            "body": "a\r\nb\rc ",
            "headers": {"X-Key": "swordfish", "Accept": "a: b"},
            "auth": {"type": "bearer", "token": "hunter2"},
            "expected_status": ["2xx", 404],
        },
    )
    ann = enter(EDITOR)
    form = ann.form("/monitors/front/edit", "Save")
    before = stored(site)
    assert "The monitor is saved." in ann.follow(ann.send(form)).text
    assert stored(site) == before


@pytest.mark.parametrize("kind", ["http", "heartbeat", "tcp", "tls", "dns", "ping", "upstream"])
def test_each_kind_is_made_by_its_name_and_target(site: Site, enter: Enter, kind: str) -> None:
    """Whoever fills in nothing else gets what is usual for the kind, and can save it again untouched."""
    targets = {
        "http": TARGET,
        "tcp": "127.0.0.1:9",
        "tls": "127.0.0.1:9",
        "dns": "example.com",
        "ping": "127.0.0.1",
        "upstream": TARGET,
    }
    target = targets.get(kind)
    usual = site.made(
        "/monitors", name="Usual", kind=kind, **({"target": target} if target else {})
    )
    ann = enter(EDITOR)
    form = ann.form(f"/monitors/new?kind={kind}", "Make the monitor")
    page = ann.follow(ann.send(form, name="Mine", **({"target": target} if target else {})))
    assert ("The monitor is made" in page.text) is True
    made = watching.monitor(site, "mine")
    own = {"id", "name", "slug", "created_at", "updated_at", "heartbeat_url"}
    assert {k: v for k, v in made.items() if k not in own} == {
        k: v for k, v in usual.items() if k not in own
    }
    before = stored(site)
    assert ann.send(ann.form("/monitors/mine/edit", "Save")).status_code == 303
    assert stored(site) == before


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "Must not be empty."),
        ("slug", "Not a slug!", "slug"),
        ("target", "ftp://x", "must start with https://"),
        ("target", "", 'id="f-target-problem"'),
        ("component", "nothing", "nothing"),
        ("interval", "", "Is missing"),
        ("interval", "0", "Must be from 1 to 86400"),
        ("interval", "soon", "Must be a whole number"),
        ("timeout", "x", "Must be a number"),
        *(
            ("timeout", text, "Must be a number")
            for text in ("nan", "inf", "1_0", "\uff11\uff10", "1e1", ".", "1" * 21, "2,5")
        ),
        ("quorum", "3", "There are fewer regions"),
        ("failure_threshold", "0", "Must be from 1 to 100"),
        ("regions", ["eu", "nowhere"], "There is no region"),
        ("regions", [], "Must not be empty."),
        ("outage_status", "operational", "Must be one of"),
        ("template", "nothing", "There is no template"),
        ("depends_on", "front", "It would depend on itself"),
        ("escalation_intervals", "soon", "Must be whole numbers of seconds"),
        ("escalation_intervals", "1", "each from 10"),
        ("options.method", "BREW", "Must be one of"),
        ("options.headers", "no colon", "Line 1: must be a name, a colon and a value"),
        ("options.headers", "A: 1\nA: 2", "Line 2: &#39;A&#39; stands twice"),
        ("options.expected_status", "600", "Must be a status such as"),
        ("options.expected_status", "", "Must be a status such as"),
        ("options.tls_expiry_days", "-1", "Must be at least 0."),
        ("options.tls_expiry_days", "many", "Must be a whole number."),
        ("options.keyword", "x" * 1001, "at most 1000"),
        ("options.json_condition", "[[[", "Is no JMESPath"),
        ("options.auth.username", "a:b", "cannot be sent"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_wrong_stands_at_its_field(
    site: Site, enter: Enter, field: str, value: Any, words: str
) -> None:
    """422, the words at the field, all that was typed kept but what may be a secret, and nothing saved."""
    site.made(
        "/monitors",
        name="Front",
        target=TARGET,
        options={"auth": {"type": "basic", "username": "ann", "password": "hunter2"}},
    )
    ann = enter(EDITOR)
    form = ann.form("/monitors/front/edit", "Save")
    before = site.contents()
    changes = {"escalation_intervals": "444", "options.keyword_absent": "kept <b>", field: value}
    answer = ann.send(form, **changes)
    assert answer.status_code == 422
    assert words.lower() in answer.text.lower()
    assert f'href="#f-{field}"' in answer.text
    place = answer.text.index(f'id="f-{field}"')
    around = answer.text[max(place - 1000, 0) : place + 1500]
    assert "data-wrong" in around
    again = next(one for one in forms_of(answer.text) if "Save" in one.words)
    expected = dict(form.fields.to_dict(flat=False)) | {
        name: one if isinstance(one, list) else [one] for name, one in changes.items()
    }
    typed = again.fields.to_dict(flat=False)
    expected = {k: v for k, v in expected.items() if k != "csrf_token" and v}
    if field == "options.headers":
        expected[field] = [":" if value == "no colon" else "A:\nA:"]
    if field in ("options.method", "outage_status", "component", "template", "depends_on"):
        expected.pop(field)  # none of the list can be chosen
    if field == "regions":
        expected[field] = [one for one in expected.get(field, []) if one != "nowhere"]
        expected = {k: v for k, v in expected.items() if v}
    kept = {name: typed.get(name) for name in expected}
    assert kept == expected
    assert site.contents() == before


def test_a_new_one_that_is_wrong_is_not_made(site: Site, enter: Enter) -> None:
    """The form comes back for the same kind; kinds of the code and of nobody are refused with the API's words."""
    site.made("/components", name="Shop")
    ann = enter(EDITOR)
    form = ann.form("/monitors/new?kind=tcp", "Make the monitor")
    answer = ann.send(form, name="Port", target="nowhere", **{"options.banner": "hello"})
    assert answer.status_code == 422
    again = next(one for one in forms_of(answer.text) if "Make" in one.words)
    assert (again.fields["kind"], again.fields["options.banner"]) == ("tcp", "hello")
    for kind in ("callable", "nothing"):
        refused = ann.post("/monitors/new", {"kind": kind, "name": "X", "target": "x"})
        assert refused.status_code == 422
        (error,) = site.ask("POST", "/monitors", {"name": "X", "kind": kind}).get_json()["errors"]
        assert error["message"].replace("'", "&#39;") in refused.text
        assert 'id="f-kind"' in refused.text
    assert monitors(site) == []


def test_of_two_changes_nothing_is_overwritten(site: Site, enter: Enter) -> None:
    """The second one gets 409 with what is so now; what they did not touch follows, and the next press saves."""
    site.made("/monitors", name="Front", target=TARGET, regions=["default"])
    ann, bob = enter(EDITOR), enter(ADMIN)
    first, second = (who.form("/monitors/front/edit", "Save") for who in (ann, bob))
    theirs = {
        "interval": "300",
        "regions": ["eu"],
        "open_incident": None,
        "options.method": "HEAD",
        "options.verify_tls": None,
    }
    assert ann.send(first, **theirs).status_code == 303
    answer = bob.send(second, **{"interval": "600", "options.tls_expiry_days": "3"})
    assert answer.status_code == 409
    assert "interval is “300” now" in answer.text
    assert "options.method is “HEAD” now" in answer.text
    assert watching.monitor(site, "front")["interval"] == 300
    again = next(one for one in forms_of(answer.text) if "Save" in one.words)
    assert again.fields["interval"] == "600"
    assert bob.send(again).status_code == 303
    now = watching.monitor(site, "front")
    assert (now["interval"], now["regions"], now["open_incident"]) == (600, ["eu"], False)
    assert now["options"]["method"] == "HEAD"
    assert (now["options"]["verify_tls"], now["options"]["tls_expiry_days"]) == (False, 3)


def test_secrets_stay_unless_others_are_typed(site: Site, enter: Enter, receiver: Receiver) -> None:
    """Empty means leave, for passwords and for headers; another way to sign in takes the old one's away."""
    site.made(
        "/monitors",
        name="Front",
        target=receiver.url,
        options={
            "auth": {"type": "basic", "username": "ann", "password": "hunter2"},
            "headers": {"X-Key": "swordfish"},
        },
    )
    ann = enter(EDITOR)

    def seen(**changes: Any) -> dict[str, str | None]:
        receiver.clear()
        form = ann.form("/monitors/front/edit", "Save")
        assert form.fields["options.auth.password"] == ""
        assert ann.send(form, **changes).status_code == 303
        ann.send(ann.form("/monitors/front", "Run now"))
        headers = receiver.requests[0].headers
        return {name: headers.get(name) for name in ("Authorization", "X-Key")}

    basic = "Basic YW5uOmh1bnRlcjI="
    assert seen(interval=70) == {"Authorization": basic, "X-Key": "swordfish"}
    headers = {"options.headers": "Accept: text/html\r\nX-Key:"}
    assert seen(**headers) == {"Authorization": basic, "X-Key": "swordfish"}
    assert seen(**{"options.headers": "X-Key: trout"}) == {"Authorization": basic, "X-Key": "trout"}
    other = seen(**{"options.auth.password": "other"})
    assert other["Authorization"] == "Basic YW5uOm90aGVy"
    bearer = {"options.auth.type": "bearer", "options.auth.username": "", "options.auth.token": "t"}
    assert seen(**bearer)["Authorization"] == "Bearer t"
    assert seen(**{"options.auth.type": ""})["Authorization"] is None
    assert watching.monitor(site, "front")["options"]["auth"] is None


def test_a_secret_is_not_sent_elsewhere(site: Site, enter: Enter, receiver: Receiver) -> None:
    """Whoever changes the host must type each again, and is told at its field."""
    options = {"auth": {"type": "basic", "username": "ann", "password": "hunter2"}}
    site.made("/monitors", name="Front", target=receiver.url, options=options)
    ann = enter(EDITOR)
    form = ann.form("/monitors/front/edit", "Save")
    answer = ann.send(form, target=f"http://localhost:{receiver.port}/")
    assert answer.status_code == 422
    assert 'id="f-options.auth.password-problem">Give it again' in answer.text
    target = f"http://localhost:{receiver.port}/"
    assert ann.send(form, target=target, **{"options.auth.password": "x"}).status_code == 303


def test_what_the_code_says_stays(site: Site, enter: Enter) -> None:
    """A declared monitor says so; the rest can be changed, and the API's words refuse what cannot."""
    site.made("/components", name="Shop")
    watching.declare(site, "shop")
    ann = enter(EDITOR)
    assert "The site&#39;s code declares this monitor" in ann.get(
        "/monitors/shop-requests"
    ).text.replace("site's", "site&#39;s")
    assert "declared by code" in ann.get("/monitors").text
    form = ann.form("/monitors/shop-requests/edit", "Save")
    assert not {"name", "slug", "kind", "target", "interval"} & set(form.fields)
    assert not any(name.startswith("options.") for name in form.fields)
    sent = ann.send(form, failure_threshold=7, component="shop", open_incident=None)
    assert sent.status_code == 303
    now = watching.monitor(site, "shop-requests")
    assert (now["failure_threshold"], now["component"], now["open_incident"]) == (7, "shop", False)
    form = ann.form("/monitors/shop-requests/edit", "Save")
    refused = ann.send(form, name="Mine", interval=77, **{"options.window": "60"})
    body = {"name": "Mine", "interval": 77, "options": {**now["options"], "window": 60}}
    said = site.ask("PATCH", "/monitors/shop-requests", body).get_json()["errors"]
    assert refused.status_code == 422
    for error in said:
        assert re.search(
            rf'href="#f-{error["field"]}">\w+: {error["message"].replace(chr(39), "&#39;")}<',
            refused.text,
        )
    assert [error["field"] for error in said] == ["name", "interval", "options"]
    assert watching.monitor(site, "shop-requests") == now
    assert "as long as it is declared there" in ann.get("/monitors/shop-requests/delete").text


def test_another_kind(site: Site, enter: Enter) -> None:
    """Its fields are shown, its options are those of the new kind, and saving begins anew."""
    site.made("/monitors", name="Front", target=TARGET, options={"keyword": "x"})
    ann = enter(EDITOR)
    form = ann.form("/monitors/front/edit?kind=tcp", "Save")
    assert "options.banner" in form.fields
    assert "options.keyword" not in form.fields
    wrong = ann.send(form)
    assert wrong.status_code == 422
    form = next(one for one in forms_of(wrong.text) if "Save" in one.words)
    assert ann.send(form, target="127.0.0.1:9").status_code == 303
    now = watching.monitor(site, "front")
    assert (now["kind"], now["target"], now["options"]) == ("tcp", "127.0.0.1:9", {"banner": None})


def test_a_monitor_is_deleted_by_its_name(site: Site, enter: Enter) -> None:
    """Whoever types another name deletes nothing."""
    site.made("/monitors", name="Front  door", target=TARGET, slug="front")
    site.made("/monitors", name="Behind", target=TARGET, depends_on="front")
    ann = enter(EDITOR)
    form = ann.form("/monitors/front/delete", "Delete for good")
    refused = ann.send(form, name="Front")
    assert refused.status_code == 422
    assert "This is not the name of the monitor." in refused.text
    assert len(monitors(site)) == 2
    page = ann.follow(ann.send(form, name=" Front door"))
    assert "The monitor is deleted, with its results." in page.text
    assert [(one["slug"], one["depends_on"]) for one in monitors(site)] == [("behind", None)]


def test_a_new_heartbeat_asks_for_its_address(site: Site, enter: Enter) -> None:
    """The page after it says where the address is made; nothing shows the first one."""
    ann = enter(EDITOR)
    form = ann.form("/monitors/new?kind=heartbeat", "Make the monitor")
    page = ann.follow(ann.send(form, name="Backup", **{"options.grace": "30"}))
    assert "Make its address" in page.text
    made = watching.monitor(site, "backup")
    assert made["options"] == {"grace": 30, "max_duration": None}
    assert made["heartbeat_url"].rpartition("/")[2] not in page.text


def test_fields_that_the_form_does_not_have_count_for_nothing(site: Site, enter: Enter) -> None:
    """Nobody sets a verdict, a token or another option by adding a field."""
    site.made("/monitors", name="Front", target=TARGET)
    ann = enter(EDITOR)
    form = ann.form("/monitors/front/edit", "Save")
    before = stored(site)
    odd = {"verdict": "down", "token": "x" * 32, "page_id": "y", "options.nothing": "z"}
    assert ann.send(form, **odd).status_code == 303
    assert stored(site) == before


def test_a_target_is_vetted(make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads into the site's own network is refused, when made and when changed; no transaction is open
    while the network is asked.
    """
    site = member.build(make_site)
    with site.app.app_context():
        pool = site.db.engine.pool
    assert isinstance(pool, QueuePool)
    in_use: list[int] = []

    def resolve(host: str, port: int, *, type: int) -> list[Any]:
        in_use.append(pool.checkedout())
        address = "10.0.0.1" if host.startswith("inside") else "93.184.215.14"
        return [(socket.AF_INET, type, 6, "", (address, port))]

    found = {**dict(probes.items()), "tcp": TcpProbe(resolver=resolve)}
    monkeypatch.setattr(probes, "_all", found)
    ann = member.Member(site, EDITOR)
    form = ann.form("/monitors/new?kind=tcp", "Make the monitor")
    refused = ann.send(form, name="Front", target="inside.example.com:25")
    assert refused.status_code == 422
    assert 'id="f-target-problem"' in refused.text
    assert monitors(site) == []
    assert ann.send(form, name="Front", target="outside.example.com:25").status_code == 303
    form = ann.form("/monitors/front/edit", "Save")
    asked = len(in_use)
    assert ann.send(form, interval=90).status_code == 303
    assert len(in_use) == asked  # its target is the same
    form = ann.form("/monitors/front/edit", "Save")
    assert ann.send(form, target="inside.example.com:25").status_code == 422
    assert watching.monitor(site, "front")["target"] == "outside.example.com:25"
    assert in_use == [0] * 3
