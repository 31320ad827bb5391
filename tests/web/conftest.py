from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import tables
from tests.servers import x as fake
from tests.web import console as consoles
from tests.web.site import OPEN, Site, SiteMaker, build, migrate_file, sqlite_url


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables, to be copied."""
    return migrate_file(tmp_path_factory.mktemp("migrated") / "migrated.db")


@pytest.fixture
def make_site(tmp_path: Path, migrated: Path) -> Iterator[SiteMaker]:
    """Makes sites, each with a migrated SQLite database of its own unless told otherwise."""
    made: list[Site] = []
    numbers = itertools.count()

    def make(**options: Any) -> Site:
        if "url" not in options:
            options["url"] = sqlite_url(tmp_path / f"site-{next(numbers)}.db")
            options.setdefault("migrated", migrated)
        made.append(build(**options))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site whose webhooks may lead to this machine."""
    return make_site(**OPEN)


@pytest.fixture
def migrated_site(make_site: SiteMaker, migrated: Path) -> SiteMaker:
    """Makes a site with all tables on whatever database a URL names."""

    def make(url: str, **options: Any) -> Site:
        if url.startswith("sqlite"):
            return make_site(url=url, migrated=migrated, **options)
        tables.fill(url)
        return make_site(url=url, **options)

    return make


@pytest.fixture
def x() -> Iterator[fake.FakeX]:
    with fake.running() as site:
        yield site


@pytest.fixture
def make_console(make_site: SiteMaker) -> Callable[..., consoles.Console]:
    def make(x: fake.FakeX, **options: Any) -> consoles.Console:
        return consoles.build(make_site, x, **options)

    return make


@pytest.fixture
def console(make_console: Callable[..., consoles.Console], x: fake.FakeX) -> consoles.Console:
    return make_console(x)
