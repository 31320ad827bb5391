"""The host that is measured: a Flask site with a page of its own and the status page under ``/status``."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from flask_statuspage import StatusPage
from flask_statuspage.services import overview
from flask_statuspage.storage.migrate import upgrade
from flask_statuspage.storage.session import current_engine

PREFIX = "/status"

HOST_PAGE = f"<!doctype html><title>Fjordwerk</title>{'<p>Cranes and cables.</p>' * 200}"


def make(
    database_url: str, *, with_page: bool = True, config: Mapping[str, Any] | None = None
) -> Flask:
    """The host on a migrated database.

    :param with_page: False: the same host without the status page.
    :param config: further settings.
    """
    app = Flask("host")
    app.config.update(
        SECRET_KEY="a key for benchmarks",
        SQLALCHEMY_DATABASE_URI=database_url,
        STATUSPAGE_PAGE_URL="https://status.fjordwerk.example",
        STATUSPAGE_PAGE_NAME="Fjordwerk",
    )
    if database_url.startswith("sqlite"):
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"timeout": 30}}
    app.config.update(config or {})
    db = SQLAlchemy()
    db.init_app(app)
    app.add_url_rule("/", "host_page", lambda: HOST_PAGE)
    app.add_url_rule("/process", "process", lambda: f"{os.getpid()}.")
    if with_page:
        statuspage = StatusPage()
        app.register_blueprint(statuspage, url_prefix=PREFIX)
        words = itertools.cycle(["partial_outage", None])

        def change() -> str:
            with app.app_context():
                statuspage.set_status("component-0", next(words), notify=False)
                db.session.commit()
            return "changed"

        app.add_url_rule("/change", "change", change, methods=["POST"])
    return app


def migrated(database_url: str, *, config: Mapping[str, Any] | None = None) -> Flask:
    """The host, after it has made its tables."""
    app = make(database_url, config=config)
    with app.app_context():
        upgrade(current_engine())
    return app


def close(app: Flask) -> None:
    """Close the host's connections."""
    with app.app_context():
        app.extensions["sqlalchemy"].session.remove()
        current_engine().dispose()


def served(
    database_url: str,
    *,
    with_page: bool = True,
    fast_lane: bool = False,
    rebuilds: str | None = None,
) -> Flask:
    """The host for a web server's workers.

    :param fast_lane: answer cached documents before Flask does.
    :param rebuilds: a file to which a line ``<pid> <monotonic seconds>`` is added whenever a snapshot is read.
    """
    if rebuilds is not None:
        _note_rebuilds(Path(rebuilds))
    app = make(database_url, with_page=with_page)
    if fast_lane:
        lane: Any = next(b for b in app.blueprints.values() if isinstance(b, StatusPage))
        app.wsgi_app = lane.fast_lane(app)  # type: ignore[method-assign]
    return app


def has_fast_lane() -> bool:
    return hasattr(StatusPage, "fast_lane")


def _note_rebuilds(path: Path) -> None:
    snapshot = overview.snapshot

    def noted(*arguments: Any) -> Any:
        with path.open("a") as file:
            file.write(f"{os.getpid()} {time.monotonic()}\n")
        return snapshot(*arguments)

    overview.snapshot = noted  # type: ignore[assignment]
