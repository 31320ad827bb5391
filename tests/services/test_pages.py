"""Pages: their fields, their link, and what the audit keeps of a change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.errors import Conflict, Invalid, NotFound
from flask_statuspage.services import addresses, pages
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.maintenances import Maintenance
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import AuditEntry

from . import scenes

BRAND: dict[str, Any] = {
    "locale": "de-AT",
    "visibility": "signed-in",
    "logo": "https://cdn.example/logo.svg",
    "colours": {"primary": "#7a1f5c", "dark-link": "#ffd0f0"},
    "header": "Call **us**.",
    "footer": "The end.",
}
PLAIN: dict[str, Any] = {
    "locale": None,
    "visibility": "public",
    "logo": None,
    "colours": None,
    "header": None,
    "footer": None,
}


def entries(session: Session) -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.subject == "page").order_by(AuditEntry.id)
    return list(session.scalars(query))


def of_brand(values: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if name in BRAND}


def test_every_field_is_kept_and_audited(session: Session) -> None:
    """What a page is made with comes back, and the audit has each field before and after a change."""
    page = pages.create(session, name="Second", actor="ann", **BRAND)
    session.commit()
    session.expire_all()
    told = pages.described(page)
    assert {name: told[name] for name in BRAND} == BRAND
    pages.change(session, page, PLAIN, actor="bob")
    session.commit()
    session.expire_all()
    told = pages.described(page)
    assert [told["colours"], told["header"], told["footer"]] == [{}, "", ""]
    made, changed = entries(session)
    assert (made.actor, made.action, of_brand(made.after)) == ("ann", "create", BRAND)
    assert (changed.actor, changed.action) == ("bob", "change")
    assert changed.before == BRAND
    assert changed.after == PLAIN


def test_the_audit_has_only_what_changed(session: Session) -> None:
    """One field changed is one field in the entry."""
    page = pages.create(session, name="Second", **BRAND)
    pages.change(session, page, {**BRAND, "footer": "Over."}, actor=None)
    entry = entries(session)[-1]
    assert (entry.before, entry.after) == ({"footer": "The end."}, {"footer": "Over."})


def test_a_change_that_changes_nothing(session: Session) -> None:
    """It leaves neither an entry nor another version, whatever form the same values come in."""
    page = pages.create(session, name="Second", **BRAND)
    session.commit()
    version, before = page.version, len(entries(session))
    for values in (
        {},
        BRAND,
        {"name": " Second ", "slug": "second", "url": None},
        {"locale": "DE-at", "header": "  Call **us**.\n"},
        {"colours": {"dark-link": "#FFD0F0", "primary": "#7A1F5C"}},
    ):
        pages.change(session, page, values, actor="ann")
        session.commit()
        session.expire_all()
        assert page.version == version, values
        assert len(entries(session)) == before


def test_values_are_kept_in_one_form(session: Session) -> None:
    """Locales and colours are normalised, empty prose and an empty set of colours are none."""
    page = pages.create(session, name="Second", locale="PT-br", colours={"primary": "#00C"})
    assert (page.locale, page.colours) == ("pt-BR", {"primary": "#0000cc"})
    pages.change(session, page, {"colours": {}, "header": " \n ", "footer": ""}, actor=None)
    assert (page.colours, page.header, page.footer) == (None, None, None)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"name": "  "}, {"name"}),
        ({"name": "a\nb"}, {"name"}),
        ({"name": "x" * 201}, {"name"}),
        ({"slug": ""}, {"slug"}),
        ({"slug": "admin"}, {"slug"}),
        ({"url": "https://x.example/?q"}, {"url"}),
        ({"url": "https://x.example/\r\nX: y"}, {"url"}),
        ({"url": "https://x.example/" + "x" * 500}, {"url"}),
        ({"time_zone": "Mars/Olympus"}, {"time_zone"}),
        ({"locale": "de_DE"}, {"locale"}),
        ({"visibility": "secret"}, {"visibility"}),
        ({"logo": "//x.example/l.svg"}, {"logo"}),
        ({"colours": {"primary": "#fff", "nope": "#000"}}, {"colours.nope"}),
        ({"colours": {"primary": "#fff", "text": "#eee"}}, {"colours.primary", "colours.text"}),
        ({"header": "x" * 2001}, {"header"}),
        ({"footer": "a\x00b"}, {"footer"}),
        ({"footer": "a\x0bb"}, {"footer"}),
        ({"locale": "", "logo": "", "visibility": ""}, {"locale", "logo", "visibility"}),
    ],
)
def test_wrong_values(session: Session, values: dict[str, Any], fields: set[str]) -> None:
    """Each wrong field is named, at once with the others, and nothing is written."""
    page = pages.create(session, name="Second", **BRAND)
    session.commit()
    told, version = pages.described(page), page.version
    with pytest.raises(Invalid) as caught:
        pages.change(session, page, values, actor=None)
    assert {error.field for error in caught.value.errors} == fields
    with pytest.raises(Invalid) as caught:
        pages.create(session, **{"name": "Third", **values})
    assert {error.field for error in caught.value.errors} >= fields
    session.commit()
    assert pages.described(page) == told
    assert page.version == version
    assert session.scalars(select(Page.slug)).all() == ["main", "second"]


def test_the_link(session: Session) -> None:
    """A page gets its link with its visibility, another one by rotation, and loses it with its visibility."""
    page = pages.create(session, name="Second", visibility="link")
    first = page.link_token
    assert first is not None
    assert len(first) == 32
    pages.change(session, page, {"name": "Other"}, actor=None)
    assert page.link_token == first
    version = page.version
    pages.rotate_link(session, page, actor="ann")
    second = page.link_token
    assert second not in (None, first)
    assert page.version > version
    pages.change(session, page, {"visibility": "public"}, actor=None)
    assert page.link_token is None
    with pytest.raises(Conflict, match="public"):
        pages.rotate_link(session, page, actor=None)
    pages.change(session, page, {"visibility": "link"}, actor=None)
    assert page.link_token not in (None, first, second)
    written = str([(entry.before, entry.after) for entry in entries(session)])
    assert not any(token in written for token in (first, second, page.link_token))


def test_where_pages_are(session: Session, page: Page) -> None:
    """A page by link is found by its token only, by whoever visits; host code finds it by its slug."""
    second = pages.create(session, name="Second", visibility="link")
    token = second.link_token
    assert token is not None
    base = addresses.page_url(page)
    assert addresses.page_url(second) == f"{base}/{token}"
    assert addresses.known_url(second) == base
    assert pages.visited(session, token) is second
    assert pages.find(session, "second") is second
    assert pages.get(session, "second") is second
    for address in ("second", token[:-1], token.swapcase(), "", "nothing"):
        with pytest.raises(NotFound):
            pages.visited(session, address)
    with pytest.raises(NotFound):
        pages.get(session, token)
    assert pages.visited(session, None) is page
    pages.change(session, page, {"visibility": "link"}, actor=None)
    for address in (None, page.slug):
        with pytest.raises(NotFound):
            pages.visited(session, address)
    pages.change(session, page, {"visibility": "signed-in"}, actor=None)
    assert pages.visited(session, None) is page


def test_two_members_hide_a_page_at_once(app: Flask, session: Session) -> None:
    """Both get the same link: the second finds the page hidden already, and writes nothing."""

    def hide(session: Session, page: Page) -> str | None:
        return pages.change(session, page, {"visibility": "link"}, actor="ann")[0].link_token

    one, other = scenes.at_once(app, hide, hide)
    assert isinstance(one, str)
    assert one == other
    assert [entry.action for entry in entries(session)] == ["change"]


def test_a_rollback_leaves_nothing(app: Flask, session: Session, page: Page) -> None:
    """A change whose transaction is rolled back leaves the page, its version and the audit as they were."""
    told, version = pages.described(page), page.version
    pages.change(session, page, {**BRAND, "visibility": "link"}, actor=None)
    pages.rotate_link(session, page, actor=None)
    session.rollback()
    assert pages.described(page) == told
    assert (page.version, page.link_token) == (version, None)
    assert entries(session) == []


def test_a_page_with_maintenance_stays(session: Session) -> None:
    """Maintenance keeps its page, as components and incidents do."""
    page = pages.create(session, name="Second")
    now = utc_now()
    row = Maintenance(
        page_id=page.id,
        title="Move",
        status=MaintenanceStatus.SCHEDULED,
        scheduled_start=now,
        scheduled_end=now + timedelta(hours=1),
    )
    session.add(row)
    session.flush()
    with pytest.raises(Conflict, match="maintenance"):
        pages.remove(session, page, actor=None)
    session.delete(row)
    session.flush()
    pages.remove(session, page, actor=None)
    assert current_session().scalar(select(Page).where(Page.slug == "second")) is None
