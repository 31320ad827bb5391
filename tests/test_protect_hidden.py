"""What a protected blueprint tells of a status page that its visitor may not see: nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import request
from sqlalchemy import update

from flask_statuspage.storage.pages import Page
from tests.test_protect import BOX, Working, get, protected, shop_host
from tests.web import conftest
from tests.web.site import Site, SiteMaker

make_site = conftest.make_site
migrated = conftest.migrated

TOKEN = "sEcReT-token-of-the-page-0123456789"
LOGO = "https://images.example/logo-of-the-page.svg"
TITLE, BODY = "Move the ledger", "The ledger goes to Frankfurt."
OF_THE_PAGE: dict[str, Any] = {
    "name": "Quiet partners",
    "header": "Words above",
    "footer": "Words below",
    "colours": {"brand": "#123456"},
    "logo": LOGO,
    "slug": "quiet-page",
}
TOLD = [TOKEN, TITLE, BODY, "theme.css", LOGO, *("Quiet partners", "Words above", "Words below")]

STRANGER: dict[str, str] = {}
CUSTOMER = {"X-Customer": "ada@acme.example"}
MEMBER = {"X-Member": "grace"}
EDITOR = {"X-Member": "Ed"}
UNKNOWN = {"X-Member": "ada@acme.example"}
"""Whom the host's member loader names, too, as it does every customer."""


@pytest.fixture(params=["block", "banner"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def site(make_site: SiteMaker, mode: str) -> Site:
    return known_site(make_site, mode)


def known_site(make_site: SiteMaker, mode: str, **options: Any) -> Site:
    site = protected(make_site, mode=mode, **options)
    site.statuspage.subscriber_loader(lambda: request.headers.get("X-Customer"))
    site.statuspage.member_loader(lambda: request.headers.get("X-Member"))
    site.take_in("grace", "admin")
    site.take_in("ed", "editor")
    return site


def set_page(site: Site, visibility: str) -> None:
    values = {**OF_THE_PAGE, "visibility": visibility}
    values["link_token"] = TOKEN if visibility == "link" else None
    with site.app.app_context(), site.db.engine.begin() as connection:
        connection.execute(update(Page).values(**values, version=Page.version + 1))
    site.app.extensions["statuspage"].page_changed()


CASES = [
    ("public", STRANGER, True),
    ("public", CUSTOMER, True),
    ("public", MEMBER, True),
    ("signed-in", STRANGER, False),
    ("signed-in", CUSTOMER, True),
    ("signed-in", MEMBER, True),
    ("link", STRANGER, False),
    ("link", CUSTOMER, False),
    ("signed-in", UNKNOWN, True),
    ("link", UNKNOWN, False),
    ("link", EDITOR, False),
    ("link", MEMBER, True),
]
PASS = (MEMBER, EDITOR)


@pytest.mark.parametrize(("visibility", "who", "sees"), CASES)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_who_is_told_what(
    site: Site, mode: str, visibility: str, who: dict[str, str], sees: bool, accept: str
) -> None:
    """Component and time for everybody; title, words, names, looks and address for readers of the page."""
    set_page(site, visibility)
    with Working(site, TITLE, body=BODY):
        answer = get(site, headers={**who, "Accept": accept})
    passes = mode == "banner" or who in PASS
    assert answer.status_code == (200 if passes else 503)
    told = {text for text in TOLD if text in answer.text}
    if sees:
        assert TITLE in told
        if visibility != "link":
            assert TOKEN not in told
    else:
        assert told == set()
        assert "quiet-page" not in answer.text
        assert "Checkout" in answer.text
        assert "under maintenance" in answer.text
        assert "lanned until" in answer.text or "until" in answer.get_json()["detail"]
    assert (BOX in answer.text) == passes


@pytest.mark.parametrize("mode", ["block"], indirect=True)
@pytest.mark.parametrize(("visibility", "who", "sees"), CASES)
def test_the_logo_may_be_fetched(
    site: Site, visibility: str, who: dict[str, str], sees: bool
) -> None:
    """The policy of the 503 lets in the logo that it shows, and names no origin to whom it shows none."""
    set_page(site, visibility)
    with Working(site):
        answer = get(site, headers={**who, "Accept": "text/html"})
    if who in PASS:
        return
    policy = answer.headers["Content-Security-Policy"]
    assert ("https://images.example" in policy) == sees
    assert (LOGO in answer.text) == sees


@pytest.mark.parametrize("mode", ["block"], indirect=True)
def test_a_loader_that_fails(site: Site) -> None:
    """Whoever cannot be known is a stranger: turned away and told nothing."""

    @site.statuspage.member_loader
    def broken() -> str | None:
        raise RuntimeError("the host's own fault")

    set_page(site, "link")
    with Working(site, TITLE, body=BODY):
        answer = get(site)
    assert answer.status_code == 503
    assert [text for text in TOLD if text in answer.text] == []


def test_a_template_of_the_host(make_site: SiteMaker, tmp_path: Path) -> None:
    """One that asks for all there is gets no more either."""
    folder = tmp_path / "templates" / "statuspage"
    folder.mkdir(parents=True)
    (folder / "maintenance_503.html").write_text(
        "{{ page }} {{ page.link_token }} {{ maintenance }} {{ urls('home') }} {{ urls('theme') }}"
    )
    site = known_site(make_site, "block", templates=tmp_path, host=shop_host)
    set_page(site, "link")
    with Working(site, TITLE, body=BODY):
        answer = get(site)
    assert answer.status_code == 503
    told = [text for text in TOLD if text in answer.text and text != "theme.css"]
    assert told == []
