"""The team: who belongs to it, what each may do, and that an owner is always left."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.domain.roles import Role
from flask_statuspage.errors import Conflict, Invalid, NotFound
from flask_statuspage.services import members
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.team import AuditEntry, Member

from . import scenes

ANN, BOB = "ann@acme.example", "bob@acme.example"

sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def entries(session: Session) -> list[tuple[str, str, object, object]]:
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [
        (row.actor, row.action, row.before, row.after) for row in rows if row.subject == "member"
    ]


@sqlite
def test_a_members_life(session: Session) -> None:
    """Added, changed and removed, each with an entry; identities are kept in lower case."""
    members.add(session, f" {ANN.upper()} ", role=Role.OWNER, actor="command line", actor_role=None)
    members.add(session, BOB, role=Role.VIEWER, actor=ANN, actor_role=None)
    session.commit()
    assert [members.described(row) for row in members.listed(session)] == [
        {"identity": ANN, "role": "owner"},
        {"identity": BOB, "role": "viewer"},
    ]
    assert members.role_of(session, " Bob@acme.example") is Role.VIEWER
    assert members.role_of(session, "eve@acme.example") is None
    members.change_role(session, BOB, Role.EDITOR, actor=ANN, actor_role=None)
    members.change_role(session, BOB, Role.EDITOR, actor=ANN, actor_role=None)
    members.remove(session, BOB, actor=ANN, actor_role=None)
    session.commit()
    assert entries(session) == [
        ("command line", "create", None, {"identity": ANN, "role": "owner"}),
        (ANN, "create", None, {"identity": BOB, "role": "viewer"}),
        (ANN, "change", {"role": "viewer"}, {"role": "editor"}),
        (ANN, "delete", {"identity": BOB, "role": "editor"}, None),
    ]


@sqlite
@pytest.mark.parametrize("identity", ["", "  ", "a" * 255, "a\nb", "a\x00b"])
def test_no_identity(session: Session, identity: str) -> None:
    """What no login would return is refused by its field."""
    with pytest.raises(Invalid) as caught:
        members.add(session, identity, role=Role.ADMIN, actor=None, actor_role=None)
    assert [error.field for error in caught.value.errors] == ["identity"]


FOLDED = [
    "\u212aate",
    "\u212bsa",
    "\u2126",
    "\u03f4eo",
    "\u0130pek",
    "ma\u1e9e",
    "k\u00a0",
    "\u2003kate",
]
"""Names whose lower case is that of somebody else: signs for Kelvin, Ångström and Ohm, and so on; and odd blanks."""


@sqlite
@pytest.mark.parametrize("identity", FOLDED, ids=ascii)
def test_names_that_look_alike_are_not_one(session: Session, identity: str) -> None:
    """Two names are one member's only if they differ by case; whoever is taken for another one is nobody."""
    for name in sorted({identity.lower().strip(), "kate"}):
        members.add(session, name, role=Role.OWNER, actor=None, actor_role=None)
    assert members.role_of(session, identity) is None
    for change in (
        lambda: members.add(session, identity, role=Role.OWNER, actor=None, actor_role=None),
        lambda: members.spelling(identity),
    ):
        with pytest.raises(Invalid) as caught:
            change()
        assert [error.field for error in caught.value.errors] == ["identity"]
    with pytest.raises(NotFound):
        members.remove(session, identity, actor=None, actor_role=None)


@pytest.mark.parametrize(
    "identity", ["Ann", "ÉLISE", "ΣΟΦΙΑ", "ИВАН", "straße", "王", "Ünal.Ö"], ids=ascii
)
def test_case_does_not_matter(identity: str) -> None:
    """In any script that has it, and no other difference is lost."""
    for name in (identity, identity.upper() if "ß" not in identity else identity, f" {identity} "):
        assert members.spelling(name) == identity.lower()


@sqlite
def test_twice_and_never(session: Session) -> None:
    """A member is added once; of somebody who is none nothing can be changed."""
    members.add(session, ANN, role=Role.OWNER, actor=None, actor_role=None)
    with pytest.raises(Conflict, match="a member already, with the role 'owner'"):
        members.add(session, "Ann@Acme.example", role=Role.VIEWER, actor=None, actor_role=None)
    for change in (
        lambda: members.remove(session, BOB, actor=None, actor_role=None),
        lambda: members.change_role(session, BOB, Role.OWNER, actor=None, actor_role=None),
    ):
        with pytest.raises(NotFound):
            change()


@sqlite
def test_the_last_owner_stays(session: Session) -> None:
    """The last owner is neither removed nor made less; with another one both can be."""
    members.add(session, ANN, role=Role.OWNER, actor=None, actor_role=None)
    members.add(session, BOB, role=Role.ADMIN, actor=None, actor_role=None)
    session.commit()
    with pytest.raises(Conflict, match="last owner"):
        members.remove(session, ANN, actor=BOB, actor_role=None)
    with pytest.raises(Conflict, match="last owner"):
        members.change_role(session, ANN, Role.ADMIN, actor=ANN, actor_role=None)
    members.change_role(session, ANN, Role.OWNER, actor=ANN, actor_role=None)
    members.change_role(session, BOB, Role.OWNER, actor=ANN, actor_role=None)
    members.remove(session, ANN, actor=BOB, actor_role=None)
    session.commit()
    assert [row.identity for row in members.listed(session)] == [BOB]


def test_two_owners_remove_each_other(app: Flask, session: Session) -> None:
    """At the same moment: one of them stays."""
    for _ in range(5):
        members.add(session, ANN, role=Role.OWNER, actor=None, actor_role=None)
        members.add(session, BOB, role=Role.OWNER, actor=None, actor_role=None)
        session.commit()

        def removing(whom: str, by: str) -> object:
            return lambda db, page: members.remove(db, whom, actor=by, actor_role=None)

        scenes.at_once(app, removing(ANN, BOB), removing(BOB, ANN))  # type: ignore[arg-type]
        left = session.scalars(select(Member)).all()
        assert len(left) == 1
        session.delete(left[0])
        session.commit()


def test_an_accent_is_another_person(session: Session, page: Page) -> None:
    """Databases that take é for e let nobody in by that."""
    members.add(session, "andre@acme.example", role=Role.OWNER, actor=None, actor_role=None)
    session.commit()
    assert members.role_of(current_session(), "andré@acme.example") is None
    assert members.role_of(current_session(), "andre@acme.example") is Role.OWNER
