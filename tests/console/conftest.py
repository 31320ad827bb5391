"""A site with a member of each role, and a browser for any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.console import furnished, member
from tests.console.crawl import Whole, everywhere
from tests.console.member import Member
from tests.servers.wsgi import serving
from tests.web.conftest import make_site, migrated, migrated_site  # noqa: F401
from tests.web.site import Site, SiteMaker, build, sqlite_url

Enter = Callable[..., Member]

FINE = ("status of 422", "Autofocus processing was blocked")


@pytest.fixture
def site(make_site: SiteMaker) -> Site:  # noqa: F811
    return member.build(make_site)


@pytest.fixture
def enter(site: Site) -> Enter:
    """A browser of whoever is named: ``enter(EDITOR)``."""

    def make(who: str | None = member.EDITOR) -> Member:
        return Member(site, who)

    return make


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def phone(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """A phone, with scripts and without, whose browser notes no trouble in the end.

    ``PHONE`` of the module says ``who`` holds it, and what else about it is not as usual.
    """
    options = {"viewport": {"width": 390, "height": 844}, **request.module.PHONE}
    who = options.pop("who")
    with serving(site.app) as root:
        context = browser.new_context(
            java_script_enabled=request.param,
            extra_http_headers={"X-Who": who},
            base_url=f"{root}/status/admin/",
            **options,
        )
        context.set_default_timeout(30_000)
        page = context.new_page()
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(_trouble(message)))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        yield page
        context.close()
    assert [one for one in troubles if one] == []


def _trouble(message: ConsoleMessage) -> str:
    """What the browser complains of. That a form is not accepted is no trouble, nor who leads the keyboard to what is
    wrong first, nor what it thinks could be nicer.
    """
    is_fine = any(words in message.text for words in FINE)
    return message.text if message.type in ("error", "warning") and not is_fine else ""


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
