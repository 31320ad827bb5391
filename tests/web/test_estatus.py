"""Scripts that were written for eStatus.io's REST API go on working against ours."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from werkzeug.test import TestResponse

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.storage.components import Component, Condition
from flask_statuspage.storage.outbox import EventRow
from flask_statuspage.storage.team import AuditEntry
from tests.servers.wsgi import serving
from tests.web.queries import Queries
from tests.web.site import API, Site, SiteMaker

LIST = "/service/services/list/"
PUT = "/service/put/api/major_outage/"
NOBODY = "00000000-0000-0000-0000-000000000000"

SCRIPT = """
set -eu
BASE="$1/status/admin/api/v1"
ID=$(curl -sf -H "Authorization-Token: $2" "$BASE/service/services/list/" |
     sed 's/.*"id": "\\([^"]*\\)", "name": "Mail".*/\\1/')
curl -sf -X PUT -H "Authorization-Token: $2" "$BASE/service/put/$ID/Partial%20Outage/"
"""
"""What someone writes who has read the vendor's document: two URLs, one header, no body, no parser."""

WRITTEN = (
    ("operational", "operational"),
    ("Operational", "operational"),
    ("MAJOR_OUTAGE", "major_outage"),
    ("Partial%20Outage", "partial_outage"),
    ("Partial+Outage", "partial_outage"),
    ("partial-outage", "partial_outage"),
    ("Degraded%20Performance", "degraded_performance"),
    ("%20under__maintenance%20", "under_maintenance"),
    ("unknown", "unknown"),
)


@pytest.fixture
def furnished(site: Site) -> Site:
    """A site with two services, one of them in a group."""
    site.made("/component-groups", name="Core")
    site.made("/components", name="API", description="What programs use", group="Core")
    site.made("/components", name="Mail")
    return site


@pytest.fixture
def outside(furnished: Site) -> Iterator[str]:
    """The base URL of the manage API, over real HTTP."""
    with serving(furnished.app) as url:
        yield f"{url}{furnished.prefix}{API}"


def statuses(site: Site) -> dict[str, str]:
    return {row.slug: row.status.value for row in site.rows(Component)}


def problem(answer: TestResponse, status: int) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    return answer.get_json()


def test_the_list(furnished: Site) -> None:
    """Every service of the page is there at once, in the page's order, each with what a script needs of it."""
    first, second = furnished.ask("GET", LIST, role="viewer").get_json()["services"]
    rows = {row.slug: row for row in furnished.rows(Component)}
    assert {**second, "since": ""} == {
        "id": str(rows["api"].id),
        "slug": "api",
        "name": "API",
        "status": "operational",
        "description": "What programs use",
        "group": "Core",
        "since": "",
    }
    assert (first["name"], first["group"]) == ("Mail", None)
    furnished.ask("DELETE", "/components/mail")
    for number in range(120):
        furnished.made("/components", name=f"C{number}")
    with Queries(furnished) as queries:
        assert len(furnished.ask("GET", LIST).get_json()["services"]) == 121
    assert len([one for one in queries.sent if "statuspage_component" in one]) == 1


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_status_is_a_persons_word(furnished: Site, method: str) -> None:
    """It shows at once, is told, is audited under the key's name, and said again it tells nobody anything."""
    answer = furnished.ask(method, PUT, role="editor")
    assert answer.status_code == 200
    assert (answer.get_json()["slug"], answer.get_json()["status"]) == ("api", "major_outage")
    assert statuses(furnished) == {"api": "major_outage", "mail": "operational"}
    furnished.ask(method, PUT, role="editor")
    events = [row.name for row in furnished.rows(EventRow)]
    assert events.count("component.status_change") == 1
    (entry,) = [row for row in furnished.rows(AuditEntry) if row.action == "set_status"]
    assert (entry.actor, entry.subject) == ("key editor", "component")
    assert entry.after["said"] == "major_outage"


def test_the_worst_still_shows(furnished: Site) -> None:
    """A service that an incident holds down is not well because a script says so, and the answer tells."""
    furnished.made("/incidents", title="Fire", components={"api": "major_outage"})
    answer = furnished.ask("PUT", "/service/put/api/operational/")
    assert answer.get_json()["status"] == "major_outage"
    words = {row.source.value: row.status.value for row in furnished.rows(Condition)}
    assert words == {"incident": "major_outage", "manual": "operational"}


@pytest.mark.parametrize(("written", "status"), WRITTEN, ids=[one[0] for one in WRITTEN])
@pytest.mark.parametrize("end", ["/", ""], ids=["slash", "no slash"])
def test_how_statuses_may_be_written(furnished: Site, written: str, status: str, end: str) -> None:
    """Case does not matter, nor what stands between the words, nor a slash at the end."""
    answer = furnished.ask("PUT", f"/service/put/api/{written}{end}")
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["status"] == status


def test_every_status_can_be_set(furnished: Site) -> None:
    """Each status that the list can show can be put."""
    for status in ComponentStatus:
        answer = furnished.ask("PUT", f"/service/put/api/{status.value}/")
        assert answer.get_json()["status"] == status.value


@pytest.mark.parametrize(
    "written", ["down", "partialoutage", "1", "major_outage_", "%C3%B6", "null"]
)
def test_another_status_is_refused(furnished: Site, written: str) -> None:
    """It is 422 with all that are allowed, and nothing changes."""
    before = furnished.contents()
    answer = furnished.ask("PUT", f"/service/put/api/{written}/")
    (error,) = problem(answer, 422)["errors"]
    assert error["field"] == "status"
    for status in ComponentStatus:
        assert status.value in error["message"]
    assert furnished.contents() == before


def test_by_id_and_slug(furnished: Site) -> None:
    """A service is named by its id, in whatever case, or its slug; what is not there is 404, whatever the status."""
    (ident,) = [str(row.id) for row in furnished.rows(Component) if row.slug == "mail"]
    for name in (ident, ident.upper(), "mail"):
        assert furnished.ask("PUT", f"/service/put/{name}/major_outage/").status_code == 200
    for name in (NOBODY, "nothing", "%00", "7"):
        problem(furnished.ask("PUT", f"/service/put/{name}/operational/"), 404)
    problem(furnished.ask("PUT", f"/service/put/{NOBODY}/nonsense/"), 404)
    furnished.ask("PATCH", "/components/mail", {"archived": True})
    problem(furnished.ask("PUT", f"/service/put/{ident}/operational/"), 404)


def test_who_may(furnished: Site) -> None:
    """Without a key, or with a wrong one, it is 401; a viewer reads and may not write; nothing changes."""
    url = f"{furnished.prefix}{API}"
    before = furnished.contents()
    for headers in ({}, {"Authorization-Token": "x"}, {"Authorization-Token": ""}):
        for method, path in (("GET", LIST), ("PUT", PUT), ("POST", PUT), ("GET", PUT)):
            answer = furnished.client.open(url + path, method=method, headers=headers)
            problem(answer, 401)
    bearer = {"Authorization": f"Bearer {furnished.key('viewer')}"}
    before = furnished.contents()
    assert furnished.client.get(url + LIST, headers=bearer).status_code == 200
    for method in ("PUT", "POST"):
        problem(furnished.client.open(url + PUT, method=method, headers=bearer), 403)
    assert furnished.contents() == before
    bearer = {"Authorization": f"Bearer {furnished.key('editor')}"}
    assert furnished.client.put(url + PUT, headers=bearer).status_code == 200


def test_get_writes_only_where_it_is_allowed(make_site: SiteMaker) -> None:
    """By default GET is 405 and leaves all as it was; with the setting it writes, for whoever may, and HEAD never."""
    for allowed in (False, True):
        site = make_site(STATUSPAGE_ESTATUS_GET_WRITES=allowed)
        site.made("/components", name="API")
        site.key("viewer")
        before = site.contents()
        refused = site.ask("HEAD", PUT)
        assert refused.status_code == 405
        if not allowed:
            answer = site.ask("GET", PUT)
            assert "GET" in problem(answer, 405)["detail"]
            assert answer.headers["Allow"] == "POST, PUT"
            assert site.contents() == before
            continue
        assert site.contents() == before
        problem(site.ask("GET", PUT, role="viewer"), 403)
        problem(site.ask("GET", "/service/put/api/nonsense/"), 422)
        assert site.contents() == before
        answer = site.ask("GET", PUT.rstrip("/"))
        assert answer.get_json()["status"] == "major_outage"
        assert answer.headers["Cache-Control"] == "no-store"
        assert statuses(site) == {"api": "major_outage"}
    for path, methods in ((LIST, "GET, HEAD"), (PUT, "POST, PUT")):
        answer = site.ask("DELETE", path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, methods)
        for asked in (path, path.rstrip("/")):
            answer = site.client.options(f"{site.prefix}{API}{asked}")
            told = sorted([*methods.split(", "), "OPTIONS"])
            assert (answer.status_code, answer.headers["Allow"]) == (204, ", ".join(told))


def test_other_pages(furnished: Site) -> None:
    """``?status_page=`` names another page, also one that visitors cannot see; services of one are not on another."""
    furnished.made("/pages", name="Inside", visibility="signed-in")
    furnished.made("/components", name="Payroll", page="inside")
    listed = furnished.ask("GET", f"{LIST}?status_page=inside").get_json()["services"]
    assert [one["slug"] for one in listed] == ["payroll"]
    path = "/service/put/payroll/partial_outage/"
    problem(furnished.ask("PUT", path), 404)
    problem(furnished.ask("PUT", f"{path}?status_page=nothing"), 404)
    answer = furnished.ask("PUT", f"{path}?status_page=inside")
    assert answer.get_json()["status"] == "partial_outage"


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl in PATH")
def test_a_script_as_published(furnished: Site, outside: str) -> None:
    """Bash and curl with the vendor's URLs and header find a service by its name and change its status."""
    root = outside.removesuffix(f"{furnished.prefix}{API}")
    arguments = ["bash", "-c", SCRIPT, "bash", root, furnished.key("editor")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert '"status": "partial_outage"' in done.stdout
    assert statuses(furnished)["mail"] == "partial_outage"


def test_bodies_are_not_read(furnished: Site, outside: str) -> None:
    """None, an empty one, a form and broken JSON are all the same; the connection serves the next request."""
    with requests.Session() as client:
        client.headers["Authorization-Token"] = furnished.key("editor")
        sent: tuple[dict[str, Any], ...] = (
            {},
            {"data": b""},
            {"data": {"a": "b"}},
            {"data": b"{", "headers": {"Content-Type": "application/json"}},
        )
        for method in ("PUT", "POST"):
            for options in sent:
                answer = client.request(method, outside + PUT, **options)
                assert answer.status_code == 200, answer.text
                assert answer.json()["status"] == "major_outage"
        listed = client.get(outside + LIST.rstrip("/"), allow_redirects=False)
        assert listed.status_code == 200
