"""A kind of monitor that another package brings, from its entry point to its result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage.probing import probes
from tests.story.site import Site, running_site

PLUGIN = '''
"""What another package may ship: a kind that reads how deep a file is."""

from contextlib import contextmanager
from pathlib import Path

from flask_statuspage.domain.verdict import Thresholds, Verdict
from flask_statuspage.errors import Invalid
from flask_statuspage.probing import Finding, Probe, ProbeOptions


class DepthOptions(ProbeOptions):
    at_most: int = 5


class DepthProbe(Probe):
    kind = "depth"
    Options = DepthOptions
    thresholds = Thresholds(failure=1, recovery=1)
    intervals = (1, 60)

    def normalise(self, target, settings):
        if not target.startswith("/"):
            raise Invalid.field("target", "Must be a path.")
        return target

    @contextmanager
    def open(self, settings):
        yield self

    def ask(self, order):
        depth = int(Path(order.target).read_text())
        if depth > order.options["at_most"]:
            return Finding(outcome=Verdict.DOWN, code=depth, error="Too deep")
        return Finding(outcome=Verdict.UP, code=depth)


probe = DepthProbe()
'''
ENTRY_POINTS = """
[flask_statuspage.probes]
depth = depths:probe
unfinished = depths:DepthProbe
shattered = shards:probe
tcp = depths:probe
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site beside which the package is installed, as a process finds it that starts now."""
    plugin = tmp_path / "plugin"
    facts = plugin / "depths-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: depths\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(ENTRY_POINTS)
    (plugin / "depths.py").write_text(PLUGIN)
    (plugin / "shards.py").write_text("raise RuntimeError('this package is broken')\n")
    monkeypatch.syspath_prepend(plugin)
    monkeypatch.setattr(probes, "_all", None)
    with running_site(tmp_path, SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'a.db'}") as site:
        yield site


def refused(site: Site, body: dict[str, Any]) -> list[dict[str, str]]:
    """What the manage API says is wrong with a monitor."""
    answer = site.client.post(
        "/status/admin/api/v1/monitors",
        json={"name": "M", **body},
        headers={"Authorization-Token": site.key},
    )
    assert answer.status_code == 422, answer.text
    errors: list[dict[str, str]] = answer.get_json()["errors"]
    return errors


def test_a_kind_of_another_package(site: Site, tmp_path: Path) -> None:
    """Its monitors are made, checked by a worker and judged like others; what it does not like is a 422."""
    well = tmp_path / "well.txt"
    well.write_text("3")
    body = {"kind": "depth", "target": str(well), "interval": 1}
    made = site.api("POST", "monitors", {"name": "Well", "component": None, **body})
    assert made["options"] == {"at_most": 5}
    assert (made["kind"], made["target"]) == ("depth", str(well))
    assert site.start("sweep").wait(60) == 0
    # A slow machine may have made a second one by the time that the first was due again.
    check = site.api("GET", "monitors/well/checks")["items"][-1]
    assert (check["outcome"], check["code"], check["error"]) == ("up", 3, None)
    assert site.api("PATCH", "monitors/well", {"options": {"at_most": 2}})["verdict"] == "up"
    assert site.api("POST", "monitors/well/run")["error"] == "Too deep"
    assert site.api("GET", "monitors/well")["verdict"] == "down"
    wrong = {
        "target": {**body, "target": "well.txt"},
        "options.at_most": {**body, "options": {"at_most": "deep"}},
        "options.at_least": {**body, "options": {"at_least": 1}},
        "interval": {**body, "interval": 61},
    }
    for field, one in wrong.items():
        assert [error["field"] for error in refused(site, one)] == [field]


def test_what_cannot_be_used_is_logged_and_is_no_kind(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A module that fails to import and an object that is no probe harm nobody; our own kinds stay ours."""
    for kind in ("shattered", "unfinished"):
        (error,) = refused(site, {"kind": kind, "target": "/"})
        assert error["field"] == "kind"
        assert "depth" in error["message"]
        assert kind not in error["message"]
    logged = [record.getMessage() for record in caplog.records]
    assert sorted(line for line in logged if "entry point" in line) == [
        "status page: entry point depths:DepthProbe failed to load",
        "status page: entry point shards:probe failed to load",
    ]
    assert "this package is broken" in caplog.text
    assert probes["tcp"].kind == "tcp"
    site.api("POST", "monitors", {"name": "Port", "kind": "tcp", "target": "127.0.0.1:1"})
