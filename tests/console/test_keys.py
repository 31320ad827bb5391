"""The page "API keys": a key is made, shown once, used, and revoked."""

from __future__ import annotations

import re
from datetime import timedelta

from flask_statuspage.domain.roles import Role
from flask_statuspage.services import team
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import AuditEntry, Token
from tests.console.conftest import Enter
from tests.console.member import ADMIN, OWNER
from tests.web.queries import Queries
from tests.web.site import API, Site


def key_in(text: str) -> str:
    found = re.search(r'id="f-key"[^>]* value="(sp_[\w-]+)"', text)
    assert found
    return found[1]


def opens(site: Site, key: str) -> bool:
    answer = site.get(f"{API}/components", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code == 200


def test_a_keys_life(site: Site, enter: Enter) -> None:
    """It is shown once, by the answer to the form alone; it works until it is revoked, and stays in the list."""
    ann = enter(OWNER)
    made = ann.send(ann.form("/keys", "Make the key"), name=" Deploy ", role="editor")
    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    key = key_in(made.text)
    assert opens(site, key)
    page = ann.get("/keys")
    assert page.headers["Cache-Control"] == "no-store"
    assert "Deploy" in page.text
    assert key not in page.text + str(site.contents()) + ann.get("/keys?show=all").text
    revoked = ann.follow(ann.send(ann.form("/keys", "Revoke")))
    assert "The key is revoked." in revoked.text
    assert not opens(site, key)
    assert "Deploy" not in revoked.text
    assert "editor, revoked" in ann.get("/keys?show=all").text
    rows = sorted(site.rows(AuditEntry), key=lambda row: row.id)
    told = [(row.actor, row.action) for row in rows if row.subject == "token"]
    assert told == [(OWNER, "create"), (OWNER, "revoke")]


def test_pressing_twice_makes_one(site: Site, enter: Enter) -> None:
    """A form that is sent again, as by loading its answer anew, makes no second key, and says what to do."""
    ann = enter(OWNER)
    form = ann.form("/keys", "Make the key")
    assert ann.send(form, name="Deploy").status_code == 200
    answer = ann.send(form, name="Deploy")
    assert answer.status_code == 409
    assert "was made already" in answer.text
    assert len(site.rows(Token)) == 1
    assert ann.send(ann.form("/keys", "Make the key"), name="Deploy, too").status_code == 200
    assert ann.send(form, name="Deploy", once="x").status_code == 422


def test_a_key_that_expires(site: Site, enter: Enter) -> None:
    """By the page's clock; a time that is over is refused, and what was typed is kept."""
    site.ask("PATCH", "/pages/main", {"time_zone": "Asia/Tokyo"})
    ann = enter(OWNER)
    form = ann.form("/keys", "Make the key")
    answer = ann.send(form, name="Old", expires_at="2020-01-01T00:00")
    assert answer.status_code == 422
    assert "Must lie ahead" in answer.text
    assert 'value="Old"' in answer.text
    key = key_in(ann.send(form, name="New", expires_at="2036-01-01T09:00").text)
    (row,) = (one for one in site.rows(Token) if one.name == "New")
    assert row.expires_at.isoformat() == "2036-01-01T00:00:00+00:00"
    assert opens(site, key)
    with site.app.app_context():
        past = utc_now() - timedelta(seconds=1)
        current_session().query(Token).filter_by(name="New").update({"expires_at": past})
        current_session().commit()
    assert not opens(site, key)
    assert "viewer, expired" in ann.get("/keys").text


def test_what_is_typed_wrongly(site: Site, enter: Enter) -> None:
    """It is told, and no key is made."""
    ann = enter(OWNER)
    form = ann.form("/keys", "Make the key")
    for fields in (
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\x00"},
        {"name": "a", "role": "emperor"},
        {"name": "a", "expires_at": "soon"},
    ):
        answer = ann.send(form, **fields)
        assert answer.status_code == 422, fields
        assert "There is a problem" in answer.text
    assert site.rows(Token) == []
    ann.send(form, name="<script>alert(1)</script>")
    assert "<script>alert" not in ann.get("/keys").text


def test_nobody_reaches_above_their_role(site: Site, enter: Enter) -> None:
    """An admin makes and revokes keys up to admin only."""
    site.made("/components", name="API")
    site.key()
    ann, bob = enter(OWNER), enter(ADMIN)
    ann.send(ann.form("/keys", "Make the key"), name="Boss", role="owner")
    row = next(row for row in site.rows(Token) if row.name == "Boss")
    assert "Revoke" not in bob.get("/keys").text
    form = bob.form("/keys", "Make the key")
    before = site.contents()
    assert bob.send(form, name="Mine", role="owner").status_code == 403
    assert bob.post(f"/keys/{row.id}/revoke", {}).status_code == 403
    assert site.contents() == before
    assert bob.send(form, name="Mine", role="admin").status_code == 200
    for one in ("x", "%00", "00000000-0000-4000-8000-000000000000"):
        assert bob.post(f"/keys/{one}/revoke", {}).status_code == 404


def test_many_keys(site: Site, enter: Enter) -> None:
    """They come in pages, newest first, and more of them cost no more queries."""
    ann = enter(OWNER)
    ann.get("/keys")
    with Queries(site) as few:
        ann.get("/keys")
    with site.app.app_context():
        for number in range(60):
            team.create_token(
                current_session(),
                name=f"k{number:02}",
                role=Role.VIEWER,
                actor=None,
                actor_role=None,
            )
        current_session().commit()
    with Queries(site) as many:
        first = ann.get("/keys").text
    assert len(many.sent) == len(few.sent)
    assert "k59" in first
    assert "k00" not in first
    assert "k00" in ann.get("/keys?page=2").text
