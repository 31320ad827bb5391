"""A site with a member of each role, and a browser for any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.console import furnished, member
from tests.console.crawl import Whole, everywhere
from tests.console.member import Member
from tests.web.conftest import make_site, migrated, migrated_site  # noqa: F401
from tests.web.site import Site, SiteMaker, build, sqlite_url

Enter = Callable[..., Member]


@pytest.fixture
def site(make_site: SiteMaker) -> Site:  # noqa: F811
    return member.build(make_site)


@pytest.fixture
def enter(site: Site) -> Enter:
    """A browser of whoever is named: ``enter(EDITOR)``."""

    def make(who: str | None = member.EDITOR) -> Member:
        return Member(site, who)

    return make


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Whole]:  # noqa: F811
    """A furnished site, all that links and forms of its console lead to, and the way back to how it was made.

    One for all tests: each of them takes it back before it looks.
    """

    def make(**options: Any) -> Site:
        url = sqlite_url(tmp_path_factory.mktemp("furnished") / "site.db")
        return build(url, migrated=migrated, **options)

    made = furnished.build(make)
    found = Whole(made, everywhere(made))
    yield found
    found.close()
    made.close()
