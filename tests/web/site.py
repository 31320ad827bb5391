"""A host's site with the status page in it: a real app on a real database, asked over WSGI."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_statuspage import StatusPage
from flask_statuspage.delivery import links
from flask_statuspage.domain.roles import Role
from flask_statuspage.services import members, team
from flask_statuspage.storage import migrate
from flask_statuspage.storage import team as stored
from flask_statuspage.storage.base import Base
from flask_statuspage.storage.session import current_engine, current_session
from tests.host import Host

API = "/admin/api/v1"

T = TypeVar("T")

SEEN = ("last_used_at", "last_seen_at")
"""Columns that say when somebody was there."""


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


@dataclass
class Site:
    """One app. ``prefix`` is where the tests expect the status page."""

    app: Flask
    db: SQLAlchemy
    statuspage: StatusPage
    prefix: str
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(self.prefix + path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.client.post(self.prefix + path, **options)

    def json(self, path: str, **options: Any) -> Any:
        """The document at *path*, as fresh as it can be."""
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def key(self, role: str = "owner") -> str:
        """A key of *role* for the manage API."""
        if role not in self.keys:
            with self.app.app_context():
                session = current_session()
                living = len(session.scalars(stored.tokens(role=Role(role), revoked=False)).all())
                name = f"{role} {living + 1}" if living else role  # another site's on this database
                self.keys[role] = team.create_token(
                    session, name=name, role=Role(role), actor=None, actor_role=None
                )[1]
                session.commit()
        return self.keys[role]

    def take_in(self, identity: str, role: str = "owner") -> None:
        """Make somebody a member of the team."""
        with self.app.app_context():
            session = current_session()
            members.add(session, identity, role=Role(role), actor=None, actor_role=None)
            session.commit()

    def ask(
        self, method: str, path: str, body: Any = None, *, role: str = "owner", **more: str
    ) -> TestResponse:
        """Ask the manage API with a key of *role*. :param more: headers, as ``If_Match``."""
        options: dict[str, Any] = {"json": body} if body is not None else {}
        headers = {"Authorization-Token": self.key(role)}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        url = f"{self.prefix}{API}{path}"
        return self.client.open(url, method=method, headers=headers, **options)

    def made(self, path: str, **body: Any) -> dict[str, Any]:
        """What a POST to the manage API made."""
        answer = self.ask("POST", path, body)
        assert answer.status_code in (200, 201, 202), answer.text
        made: dict[str, Any] = answer.get_json()
        return made

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table of ours, but for when a key was last used and a member last seen."""
        with self.app.app_context(), current_engine().connect() as connection:
            quoted = connection.dialect.identifier_preparer.quote
            found = {}
            for table in Base.metadata.sorted_tables:
                names = [quoted(c.name) for c in table.columns if c.name not in SEEN]
                query = f"SELECT {', '.join(names)} FROM {quoted(table.name)}"
                rows = connection.exec_driver_sql(query)
                found[table.name] = sorted((tuple(row) for row in rows), key=repr)
            return found

    def rows(self, model: type[Any]) -> list[Any]:
        """All rows of *model*, detached."""
        with self.app.app_context():
            rows = list(current_session().scalars(select(model)).unique())
            current_session().expunge_all()
            return rows

    def token(self, purpose: str, subscription: Any) -> str:
        """A token as it stands in a mailed link; *purpose* is ``links.CONFIRM`` or ``links.OWN``."""
        with self.app.app_context():
            return links.make(purpose, links.Ticket(subscription.id, subscription.nonce))

    def close(self) -> None:
        with self.app.app_context():
            self.db.session.remove()
            self.db.engine.dispose()


SiteMaker = Callable[..., Site]


def build(
    url: str,
    *,
    migrated: Path | None = None,
    statuspage: StatusPage | None = None,
    prefix: str | None = "/status",
    csrf: str | None = None,
    templates: Path | None = None,
    host: Callable[[Flask], None] | None = None,
    database: str = "before",
    **config: Any,
) -> Site:
    """An app with the status page.

    :param migrated: a database file that is copied, so that not every test migrates its own.
    :param csrf: whether a host-wide CSRFProtect comes ``before`` or ``after`` the blueprint.
    :param host: adds the host's own routes.
    :param database: whether ``db.init_app`` comes ``before`` or ``after`` the blueprint.
    """
    if migrated is not None:
        shutil.copyfile(migrated, url.removeprefix("sqlite:///"))
    app = Host("host", root_path=str(templates or Path(__file__).parent))
    app.config.update(
        SECRET_KEY="a key for tests",
        SQLALCHEMY_DATABASE_URI=url,
        STATUSPAGE_SMTP_URL="smtp://127.0.0.1:9",
        STATUSPAGE_EMAIL_FROM="Acme status <status@acme.example>",
    )
    app.config.update(config)
    db, page = SQLAlchemy(), statuspage or StatusPage()
    protect = CSRFProtect()
    if csrf == "before":
        protect.init_app(app)
    if database == "before":
        db.init_app(app)
    app.register_blueprint(page, url_prefix=prefix)
    if database == "after":
        db.init_app(app)
    if csrf == "after":
        protect.init_app(app)
    if host is not None:
        host(app)
    return Site(app, db, page, prefix or "")


OPEN = {
    "STATUSPAGE_ALLOW_PRIVATE_TARGETS": True,
    "STATUSPAGE_ALLOW_HTTP_TARGETS": True,
    "STATUSPAGE_REGIONS": "default,eu,us",
    "STATUSPAGE_MIN_CHECK_INTERVAL": 1,
}
"""The settings of a site whose webhooks may lead to this machine."""


@dataclass(frozen=True)
class Furnished(Generic[T]):
    """The database file of a site with something in it, to be copied, and what was said about it.

    :param keys: of the manage API, by their roles.
    """

    file: Path
    keys: dict[str, str]
    things: T

    def site(self, make_site: SiteMaker, **options: Any) -> Site:
        """A site with the same in it."""
        site: Site = make_site(migrated=self.file, **options)
        site.keys.update(self.keys)
        return site


def furnished(
    folder: Path, migrated: Path, furnish: Callable[[Site], T], **options: Any
) -> Furnished[T]:
    """Let *furnish* fill a site, once for many tests."""
    file = folder / "furnished.db"
    site = build(sqlite_url(file), migrated=migrated, **options)
    things = furnish(site)
    _into_one_file(site)
    return Furnished(file, site.keys, things)


def migrate_file(path: Path) -> Path:
    """A migrated database in *path*, as one file."""
    site = build(sqlite_url(path))
    with site.app.app_context():
        migrate.upgrade(current_engine())
    _into_one_file(site)
    return path


def _into_one_file(site: Site) -> None:
    """Close *site* and leave its SQLite database without files beside it."""
    with site.app.app_context(), current_engine().connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    site.close()
