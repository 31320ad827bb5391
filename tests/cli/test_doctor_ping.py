"""What `doctor` says of pings, where the test itself decides whether the machine allows them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers import namespace
from tests.servers.presence import absent
from tests.servers.process import Absent

pytest.importorskip("icmplib")

PROGRAM = """
import json, tempfile
from pathlib import Path
from flask_statuspage.cli.doctor import CHECKS, Fault
from flask_statuspage.services import monitors
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_session
from tests.apps import running

def told():
    try:
        return [True, CHECKS["pings"]()]
    except Fault as fault:
        return [False, str(fault)]

def allow(groups):
    Path("/proc/sys/net/ipv4/ping_group_range").write_text(groups)

with tempfile.TemporaryDirectory() as folder:
    with running(f"sqlite:///{folder}/statuspage.db") as app, app.app_context():
        session = current_session()
        allow("1 0")
        said = {"without monitors": told()}
        page = default_page(session)
        monitors.create(session, page, name="Host", kind="ping", target="8.8.8.8")
        session.commit()
        said["forbidden"] = told()
        allow("0 0")
        said["allowed"] = told()
print(json.dumps(said))
"""


def test_a_site_that_pings_is_told_whether_it_can() -> None:
    """Only monitors of the kind matter; where the machine forbids pings the line says what to set."""
    try:
        said: dict[str, Any] = namespace.told(PROGRAM)
    except Absent as error:
        absent("network", str(error))
    assert said["without monitors"] == [True, "no monitor of this kind"]
    assert said["allowed"] == [True, "this machine allows them"]
    passes, fault = said["forbidden"]
    assert not passes
    assert "net.ipv4.ping_group_range='0 2147483647'" in fault
