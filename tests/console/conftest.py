"""A site with a member of each role, and a browser for any of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.console import member
from tests.console.member import Member
from tests.web.conftest import make_site, migrated, migrated_site  # noqa: F401
from tests.web.site import Site, SiteMaker

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
