"""`flask statuspage import-statuspage URL` as an operator runs it, and what visitors of the page see afterwards."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.test_commands import Shell, make_shell, migrated, shell
from tests.servers.http import Answer, Target
from tests.servers.statuspage import FakeStatuspage

__all__ = ["make_shell", "migrated", "shell"]  # fixtures

ALL_NEW = "5 components, 2 groups, 30 incidents, 4 maintenances: 41 new, 0 changed, 0 unchanged"
COUNT = """
    from flask_statuspage.storage.base import Base
    from sqlalchemy import func, select
    session = site_app.db.session
    tables = Base.metadata.sorted_tables
    print(sum(session.scalar(select(func.count()).select_from(table)) for table in tables))
"""


@pytest.fixture
def there(target: Target) -> FakeStatuspage:
    return FakeStatuspage(target, datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def open_shell(shell: Shell) -> Shell:
    """A site that may call this machine."""
    shell.configure(
        STATUSPAGE_ALLOW_PRIVATE_TARGETS=True,
        STATUSPAGE_ALLOW_HTTP_TARGETS=True,
        STATUSPAGE_TIME_ZONE="UTC",
    )
    return shell


def test_import_and_what_visitors_see(open_shell: Shell, there: FakeStatuspage) -> None:
    """The imported page answers with the incidents on their days; once more changes nothing."""
    empty = open_shell.python(COUNT)
    dry = open_shell.output("import-statuspage", there.url, "--dry-run")
    assert dry == f"{ALL_NEW} (dry run: nothing was written)\n"
    assert open_shell.python(COUNT) == empty

    assert open_shell.output("import-statuspage", there.url) == f"{ALL_NEW}\n"
    full = open_shell.python(COUNT)
    again = open_shell.output("import-statuspage", there.url + "/")
    assert again.endswith(": 0 new, 0 changed, 41 unchanged\n")
    assert open_shell.python(COUNT) == full

    code = """
        client = app.test_client()
        incidents = client.get("/status/api/v2/incidents.json").json["incidents"]
        pages = {i["id"]: client.get("/status/incidents/" + i["id"]).text for i in incidents}
        import json
        print(json.dumps({
            "incidents": incidents,
            "pages": pages,
            "components": client.get("/status/api/v2/components.json").json["components"],
            "status": client.get("/status/api/v2/status.json").json["status"],
            "front": client.get("/status/").text,
        }))
    """
    seen = json.loads(open_shell.python(code))
    assert [item["name"] for item in seen["incidents"]] == [i["name"] for i in there.incidents]
    for number, item in enumerate(seen["incidents"]):
        begun = datetime.fromisoformat(item["started_at"])
        assert begun == there.now - timedelta(days=2 * number, hours=3)
        text = seen["pages"][item["id"]]
        assert begun.strftime("%Y-%m-%dT%H:%M") in text
        assert item["name"] in text
        # Their markup is shown as what it is.
        assert f"&lt;b&gt;number&lt;/b&gt; {number}" in text
        assert "<b>number" not in text
    assert seen["status"]["indicator"] == "partial_outage"
    assert {c["name"]: c["status"] for c in seen["components"]} == {
        "Website": "up",
        "Mail": "degraded",
        "API": "partial_outage",
        "Konsole für Übersee 港": "up",
        "Cranes": "maintenance",
    }
    assert "Requests 0 fail" in seen["front"]


def test_into_another_page(open_shell: Shell, there: FakeStatuspage) -> None:
    """`--page` chooses; a page that is not there is told before anything is fetched."""
    code = """
        from flask_statuspage.services import pages
        pages.create(site_app.db.session(), name="Fjordwerk")
        site_app.db.session.commit()
    """
    open_shell.python(code)
    assert "'nowhere'" in open_shell.complaint("import-statuspage", there.url, "--page", "nowhere")
    assert there.target.requests == []
    assert open_shell.output("import-statuspage", there.url, "--page", "fjordwerk")
    code = """
        client = app.test_client()
        print(len(client.get("/status/api/v2/incidents.json").json["incidents"]))
        print(len(client.get("/status/fjordwerk/api/v2/incidents.json").json["incidents"]))
    """
    assert open_shell.python(code).split() == ["0", "30"]


def test_what_goes_wrong_is_one_line(open_shell: Shell, there: FakeStatuspage) -> None:
    """An answer that is not there, one that is broken, one that is no JSON: exit code 1, and nothing is written."""
    before = open_shell.python(COUNT)
    there.incidents[29]["impact"] = 3
    there.publish()
    told = open_shell.complaint("import-statuspage", there.url)
    assert told == "Error: incidents[29].impact: Must be a text."
    there.answer("components", b"<html>")
    assert "not JSON" in open_shell.complaint("import-statuspage", there.url)
    there.target.set("/api/v2/summary.json", Answer(status=404))
    told = open_shell.complaint("import-statuspage", there.url)
    assert told == f"Error: URL: {there.url}/api/v2/summary.json answered 404."
    assert open_shell.python(COUNT) == before


def test_private_addresses_need_permission(shell: Shell, there: FakeStatuspage) -> None:
    """Without the settings this machine is not called."""
    assert "https://" in shell.complaint("import-statuspage", there.url)
    assert there.target.requests == []
