"""What `doctor` says of kinds of monitors that workers like it cannot ask."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flask_statuspage.cli.doctor import CHECKS, Fault
from flask_statuspage.services import monitors
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_session
from tests.apps import running

pytest.importorskip("icmplib")


def test_a_missing_package_of_a_kind_in_use_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only kinds that there are monitors of matter: their extra, or the plug-in that is gone, is named."""
    with running(f"sqlite:///{tmp_path / 'statuspage.db'}") as app, app.app_context():
        session = current_session()
        assert CHECKS["probes"]() == "there are no monitors"
        page = default_page(session)
        monitors.create(session, page, name="Host", kind="ping", target="8.8.8.8")
        monitors.create(session, page, name="Port", kind="tcp", target="8.8.8.8:53")
        depth = monitors.create(session, page, name="Depth", kind="tcp", target="8.8.4.4:53")
        session.commit()
        monkeypatch.setitem(sys.modules, "dns", None)
        assert CHECKS["probes"]() == "this process can ask ping, tcp"
        monkeypatch.setitem(sys.modules, "icmplib", None)
        depth.kind = "depth"
        session.commit()
        with pytest.raises(Fault) as caught:
            CHECKS["probes"]()
    said = str(caught.value)
    assert "depth (no installed package brings it); ping (" in said
    assert "Flask-StatusPage[probes]" in said
    assert "tcp" not in said
