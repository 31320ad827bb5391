"""The longest names that a member and a key may have: what they do is written down, on databases that count letters."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import insert, select

from flask_statuspage import StatusPage
from flask_statuspage.domain.ids import new_id
from flask_statuspage.services.members import MAX_IDENTITY
from flask_statuspage.storage import migrate
from flask_statuspage.storage.base import Base, utc_now
from flask_statuspage.storage.team import AuditEntry
from tests.console.member import Member
from tests.web.site import Site, SiteMaker
from tests.web.test_manage_api import WINDOW

strict = pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)

KEY = "ü" * 200
ANN = "ü" * (MAX_IDENTITY - 13) + "@acme.example"


@pytest.fixture
def site(migrated_site: SiteMaker, database_url: str) -> Site:
    page = StatusPage()
    page.member_loader(lambda: ANN)
    return migrated_site(database_url, statuspage=page)


@strict
def test_a_key_with_the_longest_name(site: Site) -> None:
    """It makes and changes things of every kind that keeps who did it."""
    made = site.made("/tokens", name=KEY, role="owner")
    site.keys["owner"] = made["key"]
    site.made("/components", name="API")
    assert site.ask("PUT", "/components/api/status", {"status": "major_outage"}).status_code == 200
    incident = site.made("/incidents", title="Down", body="It is down.", impact="major")
    site.made(f"/incidents/{incident['id']}/updates", body="Still.")
    site.made("/maintenances", **{"title": "Deploy", **WINDOW})
    site.made("/subscriptions", channel="email", address="ann@acme.example")
    found = site.ask("GET", f"/audit?actor=key {KEY}").get_json()
    assert found["total"] >= 5


@strict
def test_a_member_with_the_longest_identity(site: Site) -> None:
    """They do in the console what others do."""
    assert len(ANN) == MAX_IDENTITY
    site.take_in(ANN)
    ann = Member(site)
    answer = ann.send(ann.form("/services/new", "Make the service"), name="API")
    assert answer.status_code == 303, answer.text
    assert ANN in {row.actor for row in site.rows(AuditEntry)}


def test_there_and_back(site: Site) -> None:
    """The tables go back to what they were, with long names cut, and forward again."""
    table = AuditEntry.__table__
    named = [one.name for one in Base.metadata.sorted_tables if "actor" in one.columns]
    with site.app.app_context():
        engine = site.db.engine
        values = {"at": utc_now(), "action": "create", "subject": "x", "subject_id": new_id()}
        with engine.begin() as connection:
            connection.execute(insert(table).values(actor=ANN, **values))

        def step(name: str, revision: str) -> list[int | None]:
            config = migrate._config()
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                getattr(command, name)(config, revision)
            with engine.connect() as connection:
                look = site.db.inspect(connection)
                return [
                    column["type"].length
                    for one in named
                    for column in look.get_columns(one)
                    if column["name"] == "actor"
                ]

        back, forth = step("downgrade", "0012"), step("upgrade", "head")
        assert len(forth) == 7
        if engine.dialect.name == "sqlite":
            assert back == forth
        else:
            assert set(back) == {200}
            assert set(forth) == {260}
            with engine.connect() as connection:
                assert connection.scalar(select(table.c.actor)) == ANN[:200]
