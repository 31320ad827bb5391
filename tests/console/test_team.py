"""The page "Team": members are added, changed and removed, by whoever may, and the last owner stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flask_statuspage.domain.roles import Role
from flask_statuspage.services import members
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import AuditEntry
from flask_statuspage.storage.team import Member as Row
from tests.console import sign_in
from tests.console.conftest import Enter
from tests.console.member import ADMIN, EDITOR, OWNER, VIEWER, forms_of
from tests.servers.smtp import SmtpServer
from tests.web.queries import Queries
from tests.web.site import Site, SiteMaker


def role(site: Site, identity: str) -> str | None:
    return next((row.role.value for row in site.rows(Row) if row.identity == identity), None)


def ident(site: Site, identity: str) -> str:
    return str(next(row.id.hex for row in site.rows(Row) if row.identity == identity))


def path(site: Site, identity: str) -> str:
    return f"/team/{ident(site, identity)}"


def test_a_members_life(site: Site, enter: Enter) -> None:
    """Added with a role, seen in the list, given another role, removed; each by an entry in the log."""
    ann = enter(OWNER)
    form = ann.form("/team", "Add the member")
    page = ann.follow(ann.send(form, identity=" New@Acme.example ", role="editor"))
    assert "The member is added." in page.text
    assert "new@acme.example" in page.text
    one = path(site, "new@acme.example")
    page = ann.follow(ann.send(ann.form(one, "Save the role"), role="admin"))
    assert "The role is changed." in page.text
    assert role(site, "new@acme.example") == "admin"
    page = ann.follow(ann.send(ann.form(f"{one}/remove", "Remove from the team")))
    assert "The member is removed" in page.text
    assert role(site, "new@acme.example") is None
    told = [
        (row.actor, row.action)
        for row in sorted(site.rows(AuditEntry), key=lambda row: row.id)
        if row.subject == "member" and row.actor == OWNER
    ]
    assert told == [(OWNER, "create"), (OWNER, "change"), (OWNER, "delete")]


def test_what_is_typed_wrongly(site: Site, enter: Enter) -> None:
    """It is told where it stands, what was typed is kept, and nobody is added."""
    ann = enter(OWNER)
    form = ann.form("/team", "Add the member")
    for identity, status in (("", 422), ("x" * 300, 422), ("a\x00b", 422), (EDITOR, 409)):
        answer = ann.send(form, identity=identity)
        assert answer.status_code == status, identity
    hostile = '"><script>alert(1)</script>@acme.example'
    answer = ann.send(form, identity=hostile, role="emperor")
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert len(site.rows(Row)) == len(Role)
    ann.send(form, identity=hostile, role="viewer")
    for shown in ("/team", path(site, hostile), "/"):
        assert "<script>alert" not in ann.get(shown).text


def test_fields_that_the_form_has_not(site: Site, enter: Enter) -> None:
    """Whatever else is posted sets nothing."""
    ann = enter(OWNER)
    form = ann.form("/team", "Add the member")
    ann.send(form, identity="new@acme.example", id="x", sessions="9", letter="sign_in", page="2")
    row = next(row for row in site.rows(Row) if row.identity == "new@acme.example")
    assert (row.sessions, row.letter, row.last_seen_at) == (0, None, None)


def test_the_last_owner_stays(site: Site, enter: Enter) -> None:
    """They are neither made less nor removed, and the page says why."""
    ann = enter(OWNER)
    one = path(site, OWNER)
    for answer in (
        ann.send(ann.form(one, "Save the role"), role="viewer"),
        ann.send(ann.form(f"{one}/remove", "Leave the team")),
    ):
        assert answer.status_code == 409
        assert "is the last owner" in answer.text
    assert role(site, OWNER) == "owner"


def test_a_member_is_asked_before_they_leave(site: Site, enter: Enter) -> None:
    """The page of each member only leads to another one, which says what it means; then they are out."""
    bob = enter(ADMIN)
    one = path(site, ADMIN)
    page = bob.get(one)
    assert [form.words for form in forms_of(page.text) if "Leave" in form.words] == []
    assert f'href="/status/admin{one}/remove"' in page.text
    asked = bob.get(f"{one}/remove").text
    assert "you cannot let yourself in again" in asked
    assert role(site, ADMIN) == "admin"
    answer = bob.send(bob.form(f"{one}/remove", "Leave the team"))
    assert role(site, ADMIN) is None
    gone = bob.open(answer.headers["Location"])
    assert gone.status_code == 403
    assert "An admin or owner of the team can add you." in gone.text
    other = enter(OWNER).get(f"{path(site, EDITOR)}/remove").text
    assert "They can be added again." in other
    assert "editor@acme.example" in other


def test_nobody_reaches_above_their_role(site: Site, enter: Enter) -> None:
    """An admin is offered no role above admin, and neither gives, changes nor takes one."""
    site.made("/components", name="API")
    bob = enter(ADMIN)
    text = bob.get("/team").text
    assert "above your role" in text
    assert 'value="owner"' not in text[text.index("Add a member") :]
    owner = path(site, OWNER)
    assert "only owners change it" in bob.get(owner).text
    assert "only owners change it" in bob.get(f"{owner}/remove").text
    assert forms_of(bob.get(f"{owner}/remove").text) == []
    tried = [
        ("/team", {"identity": "eve@acme.example", "role": "owner"}),
        (path(site, EDITOR), {"role": "owner"}),
        (path(site, ADMIN), {"role": "owner"}),
        (owner, {"role": "viewer"}),
        (f"{owner}/remove", {}),
    ]
    before = site.contents()
    for where, data in tried:
        answer = bob.post(where, data)
        assert answer.status_code == 403, where
        assert "above yours" in answer.text
    assert site.contents() == before
    assert bob.post(path(site, EDITOR), {"role": "admin"}).status_code == 303


@pytest.mark.parametrize("who", [VIEWER, EDITOR])
def test_others_see_nothing(site: Site, enter: Enter, who: str) -> None:
    """Viewers and editors are neither shown the way nor the pages."""
    vic = enter(who)
    assert "/admin/team" not in vic.get("/").text
    for where in ("/team", "/keys", path(site, OWNER)):
        answer = vic.get(where)
        assert answer.status_code == 403
        assert OWNER not in answer.text


def test_two_change_one_role(site: Site, enter: Enter) -> None:
    """Who saw another role changes nothing, and sees what it is now."""
    ann, bob = enter(OWNER), enter(ADMIN)
    one = path(site, VIEWER)
    first, second = ann.form(one, "Save the role"), bob.form(one, "Save the role")
    assert ann.send(first, role="editor").status_code == 303
    answer = bob.send(second, role="admin")
    assert answer.status_code == 409
    assert "is editor now" in answer.text
    assert role(site, VIEWER) == "editor"


def test_members_that_are_not_there(site: Site, enter: Enter) -> None:
    """They are 404, whatever stands in their place."""
    site.made("/components", name="API")
    ann = enter(OWNER)
    for one in ("00000000-0000-4000-8000-000000000000", "x", "%00", OWNER):
        assert ann.get(f"/team/{one}").status_code == 404
        assert ann.post(f"/team/{one}/remove", {}).status_code == 404


def test_when_they_were_last_seen(site: Site, enter: Enter) -> None:
    """It is noted once an hour, whatever they look at, and only for those who are let in."""
    bob = enter(EDITOR)
    long_ago = utc_now() - timedelta(hours=2)
    with site.app.app_context():
        current_session().query(Row).update({"last_seen_at": long_ago})
        current_session().commit()

    def seen(identity: str) -> object:
        return next(row.last_seen_at for row in site.rows(Row) if row.identity == identity)

    assert bob.get("/team").status_code == 403
    assert seen(EDITOR) == long_ago
    bob.get("/")
    first = seen(EDITOR)
    assert first != long_ago
    with Queries(site) as queries:
        bob.get("/")
    assert seen(EDITOR) == first
    assert not [one for one in queries.sent if one.startswith("UPDATE")]
    assert seen(VIEWER) == long_ago


def test_many_members(site: Site, enter: Enter) -> None:
    """They come in pages, by role too, and more of them cost no more queries."""
    ann = enter(OWNER)
    ann.get("/team")
    with Queries(site) as few:
        ann.get("/team")
    with site.app.app_context():
        for number in range(60):
            members.add(
                current_session(),
                f"m{number:02}@acme.example",
                role=Role.VIEWER,
                actor=None,
                actor_role=None,
            )
        current_session().commit()
    with Queries(site) as many:
        first = ann.get("/team").text
    assert len(many.sent) == len(few.sent)
    assert "Next →" in first
    assert "viewer@acme.example" not in first
    second = ann.get("/team?page=3").text
    assert "viewer@acme.example" in second
    assert "← Previous" in second
    assert "m00@" not in ann.get("/team?role=owner").text
    for number in ("0", "-1", "x", "99999999999", "%00", "1e3"):
        assert ann.get(f"/team?page={number}&role=%00").status_code == 200


def test_an_invitation(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """Who is added may be mailed that they are, with the way in; by that mail alone nobody gets in."""
    club = sign_in.build(make_site, smtp)
    ann = club.browser()
    ann.sign_in(OWNER)
    form = ann.form("/team", "Add the member")
    for identity in ("bob", "bob@"):
        answer = ann.send(form, identity=identity)
        assert answer.status_code == 422
        assert "not an email address" in answer.text
    page = ann.follow(ann.send(form, identity="bob@acme.example", role="editor", invite="yes"))
    assert "A mail that tells them so" in page.text
    assert club.send() == 1
    mail = smtp.messages[-1]
    assert mail.envelope_to == ("bob@acme.example",)
    assert "Welcome to the team" in mail["Subject"]
    assert sign_in.url_in(mail) == "https://status.acme.example/status/admin/"
    bob = club.browser()
    assert bob.open(sign_in.path_in(mail)).status_code == 401
    assert bob.sign_in("bob@acme.example").status_code == 303


def test_a_member_is_signed_out(make_site: SiteMaker, smtp: SmtpServer) -> None:
    """Somebody else's sessions end by a button; nobody ends those of who is above them."""
    club = sign_in.build(make_site, smtp)
    club.site.made("/components", name="API")
    ann, bob = club.browser(), club.browser()
    ann.sign_in(OWNER)
    bob.sign_in(ADMIN)
    refused = bob.post(f"{path(club.site, OWNER)}/sign-out", {})
    assert refused.status_code == 403
    answer = ann.send(ann.form(path(club.site, ADMIN), "Sign this member out"))
    assert "signed out everywhere" in ann.follow(answer).text
    assert bob.get("/").status_code == 401
    assert ann.get("/").status_code == 200
