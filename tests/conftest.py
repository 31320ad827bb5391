"""Fixtures of real servers: each starts once it is first asked for."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect

# Last, not first: `tests` and `example_app` are found here, but an installed flask_statuspage wins.
sys.path.append(str(Path(__file__).parent.parent))

from tests import dialects
from tests.servers import browser as chromium
from tests.servers import certificates, http, mariadb, postgresql, redis
from tests.servers import sms_gateway as texting
from tests.servers import smtp as mail
from tests.servers.presence import started

dialects.share()

# What is imported stays, and there is a lot of it: looking through it for garbage again and again took a fifth of the
# time of the tests. Garbage in circles is still found, less often.
gc.set_threshold(100_000, 5, 5)

# Environments run side by side: how long one example takes says nothing about the code.
settings.register_profile("statuspage", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For versions of libraries: each is asked for the same things by ten examples as by a hundred.
settings.register_profile("few", settings.get_profile("statuspage"), max_examples=10)
settings.load_profile("statuspage")

# For the same reason: a page may be long in coming where two others are made meanwhile. Who finds what it expects goes
# on at once.
expect.set_options(timeout=20_000)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[redis.RedisServer]:
    with ExitStack() as stack:
        yield started(stack, "redis", redis.running)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.PostgresqlServer]:
    with ExitStack() as stack:
        yield started(stack, "postgresql", postgresql.running)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[mariadb.MariadbServer]:
    with ExitStack() as stack:
        yield started(stack, "mariadb", mariadb.running)


# Not for the session: while it runs, its event loop occupies the thread that the tests run in.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with ExitStack() as stack:
        yield started(stack, "browser", chromium.running)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificate:
    return certificates.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def smtp() -> Iterator[mail.SmtpServer]:
    with mail.running() as server:
        yield server


@pytest.fixture
def target() -> Iterator[http.Target]:
    with http.target() as site:
        yield site


@pytest.fixture
def receiver() -> Iterator[http.Receiver]:
    with http.receiver() as site:
        yield site


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database's SQLAlchemy URL; a test names the kinds it wants with `indirect`."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'statuspage.db'}"
        return
    server = request.getfixturevalue(f"{request.param}_server")
    url = server.create_database()
    yield url
    server.start()  # A test may have stopped it.
    server.drop_database(url)


@pytest.fixture
def gateway() -> Iterator[texting.SmsGateway]:
    with texting.running() as running:
        yield running
