"""Host apps for the tests: Flask, flask-sqlalchemy, the status page under /status, tables migrated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from flask_statuspage import StatusPage
from flask_statuspage.storage.base import Base
from flask_statuspage.storage.migrate import upgrade
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_engine
from tests import tables
from tests.host import Host

PAGE_URL = "https://status.example.com"


def make_app(database_url: str, *, statuspage: StatusPage | None = None, **config: Any) -> Flask:
    """A host on *database_url*, migrated. Its engine stays open: see :func:`running` and :func:`close`."""
    app = Host("host")
    app.config.update(
        SECRET_KEY="a key for tests",
        SQLALCHEMY_DATABASE_URI=database_url,
        STATUSPAGE_PAGE_URL=PAGE_URL,
    )
    if database_url.startswith("sqlite"):
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"timeout": 30}}
    app.config.update(config)
    SQLAlchemy().init_app(app)
    app.register_blueprint(statuspage or StatusPage(), url_prefix="/status")
    if database_url == "sqlite://":  # in memory: nobody else comes to the app's own connection
        with app.app_context():
            upgrade(current_engine())
    else:
        tables.fill(database_url)
    return app


def close(app: Flask) -> None:
    """Close the app's connections, so that none is left to the garbage collector."""
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()


@contextmanager
def running(database_url: str, **config: Any) -> Iterator[Flask]:
    """:func:`make_app`, closed at the end."""
    app = make_app(database_url, **config)
    try:
        yield app
    finally:
        close(app)


class Hosts:
    """One migrated host per kind of database for many tests, emptied after each of them.

    Migrations take longer than most tests; a test that is about the database itself makes its own.
    """

    def __init__(self, url_of: Callable[[str], str], **config: Any) -> None:
        self._url_of = url_of
        self._config = config
        self._apps: dict[str, Flask] = {}

    @contextmanager
    def of(self, kind: str) -> Iterator[Flask]:
        """The host on *kind* ("sqlite", "postgresql", "mariadb"), as if it were new."""
        if kind not in self._apps:
            self._apps[kind] = make_app(self._url_of(kind), **self._config)
        app = self._apps[kind]
        try:
            yield app
        finally:
            empty(app)

    def close(self) -> None:
        for app in self._apps.values():
            close(app)


def empty(app: Flask) -> None:
    """Delete every row but the default page, which becomes as the migrations made it."""
    page = Page.__table__
    fresh = {c.name: None for c in page.columns if c.nullable} | {
        "slug": "main",
        "visibility": "public",
        "version": 1,
    }
    with app.app_context(), current_engine().begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if table is not page:
                connection.execute(table.delete())
        connection.execute(page.delete().where(~page.c.is_default))
        connection.execute(page.update().values(fresh))


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    """A host on each kind of database in turn; a ``conftest.py`` imports this fixture to offer it."""
    with running(database_url) as app:
        yield app
