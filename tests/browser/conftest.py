"""Fixtures for the real browser: it and the sites are started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.servers import browser as chromium
from tests.servers.presence import absent, started
from tests.web import conftest as web

from . import sites
from . import validator as html_validate
from .figures import Figures
from .scenario import Known
from .sites import MODULES, Served
from .validator import Validator

migrated = web.migrated

_FIGURES = pytest.StashKey[Figures]()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all: no test here asks asyncio for anything meanwhile."""
    with ExitStack() as stack:
        yield started(stack, "browser", chromium.running)


@pytest.fixture(scope="session", autouse=True)
def _npm() -> None:
    wanted = ("axe-core", "html-validate", "bootstrap", "@picocss/pico", "simpledotcss")
    missing = [name for name in wanted if not (MODULES / name).exists()]
    if missing:
        absent("npm", f"{', '.join(missing)} not installed: run `npm ci --prefix tests/browser`")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sites")


@pytest.fixture(scope="session")
def validator(folder: Path) -> Iterator[Validator]:
    with ExitStack() as stack:
        yield started(stack, "node", lambda: html_validate.running(folder))


@pytest.fixture(scope="session")
def scenario(migrated: Path, folder: Path) -> tuple[Path, Known]:
    return sites.filled(migrated, folder)


@pytest.fixture(scope="session")
def busy(scenario: tuple[Path, Known], folder: Path) -> Iterator[Served]:
    database, known = scenario
    with sites.running(sites.made(database, folder, "busy"), known) as served:
        yield served


@pytest.fixture(scope="session")
def empty(migrated: Path, folder: Path) -> Iterator[Served]:
    with sites.running(sites.made(migrated, folder, "empty")) as served:
        yield served


@pytest.fixture(scope="session")
def stale(scenario: tuple[Path, Known], folder: Path) -> Iterator[Served]:
    database, known = scenario
    with sites.running(sites.made(database, folder, "stale"), known) as served:
        sites.lose_database(served)
        yield served


@pytest.fixture(scope="session")
def find_site(request: pytest.FixtureRequest) -> Callable[[str], Served]:
    """The site of that name, which is started when it is first asked for."""

    def find(name: str) -> Served:
        served: Served = request.getfixturevalue(name)
        return served

    return find


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """What was measured; it is printed at the end."""
    return pytestconfig.stash.setdefault(_FIGURES, Figures())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    found = config.stash.get(_FIGURES, None)
    if found is not None:
        terminalreporter.section("what was measured in the browser")
        for line in found.lines():
            terminalreporter.write_line(line)
