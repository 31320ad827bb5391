"""The console's monitors on each database: made, listed, run, changed, deleted."""

from __future__ import annotations

from functools import partial

import pytest

from tests.console import watching
from tests.console.member import EDITOR, Member
from tests.servers.http import Answer, Target
from tests.web.conftest import migrated_site  # noqa: F401
from tests.web.site import SiteMaker


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_monitor_from_form_to_deletion(
    migrated_site: SiteMaker,  # noqa: F811
    database_url: str,
    target: Target,
) -> None:
    """Locks, clocks and JSON of each database; SQLite's are everywhere else."""
    site = watching.build(partial(migrated_site, database_url))
    site.made("/components", name="Shop")
    site.made("/monitors", name="Gateway", target=target.url)
    url = target.set("/health", Answer(status=500))
    ann = Member(site, EDITOR)
    form = ann.form("/monitors/new?kind=http", "Make the monitor")
    made = {"name": "Front", "target": url, "component": "shop", "failure_threshold": 1}
    secret = {"options.auth.type": "bearer", "options.auth.token": "hunter2"}
    assert "is made" in ann.follow(ann.send(form, **made, **secret)).text
    page = ann.follow(ann.send(ann.form("/monitors/front", "Run now")))
    assert "It was checked. Down, status 500, " in page.text
    assert target.requests[-1].headers["Authorization"] == "Bearer hunter2"
    assert "failures in 1 of 24 hours" in ann.get("/monitors").text
    form = ann.form("/monitors/front/edit", "Save")
    changes = {"depends_on": "gateway", "interval": 90, "regions": ["default", "eu"]}
    assert "The monitor is saved." in ann.follow(ann.send(form, **changes)).text
    now = watching.monitor(site, "front")
    assert {name: now[name] for name in changes} == changes
    assert now["options"]["auth"]["token"] == "********"
    form = ann.form("/monitors/front/delete", "Delete for good")
    assert "The monitor is deleted" in ann.follow(ann.send(form, name="Front")).text
