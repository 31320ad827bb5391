from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from flask_statuspage.storage.session import current_session
from tests.apps import Hosts


@pytest.fixture(scope="package")
def hosts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hosts]:
    def url_of(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('host') / 'statuspage.db'}"
        return str(request.getfixturevalue(f"{kind}_server").create_database())

    hosts = Hosts(url_of)
    yield hosts
    hosts.close()


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database; a test names the kinds it wants with `indirect`."""
    return str(request.param)


@pytest.fixture
def app(database: str, hosts: Hosts) -> Iterator[Flask]:
    """A host as if it were new, on each kind of database in turn."""
    with hosts.of(database) as app:
        yield app


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """The host's session in an app context that lasts as long as the test."""
    with app.app_context():
        yield current_session()
