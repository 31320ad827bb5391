"""The sites that are looked at, each a real app behind a real web server: busy, empty, and without its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, render_template, send_from_directory
from werkzeug.wrappers import Response

from flask_statuspage.delivery import links
from flask_statuspage.services import subscriptions
from flask_statuspage.services.wishes import Wish
from flask_statuspage.state import current_state
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_engine, current_session
from flask_statuspage.storage.subscriptions import Subscription
from tests.servers.wsgi import serving
from tests.web.site import Site, build, sqlite_url
from tests.web.test_public import broken_file

from .scenario import Known, fill

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
PREFIX = "/status"

_numbers = count(1)


@dataclass
class Served:
    """A site on a port of this machine; ``root`` is its address without a slash at the end."""

    site: Site
    root: str
    known: Known = field(default_factory=Known)

    def url(self, path: str) -> str:
        return f"{self.root}{PREFIX}{path}"

    def subscriber(self, *, active: bool) -> Subscription:
        """A new subscription by mail, of an address that no other one has."""
        address = f"ada-{next(_numbers)}@customer.example"
        with self.site.app.app_context():
            session = current_session()
            wish = Wish(channel="email", address=address)
            row = subscriptions.subscribe(session, default_page(session), wish, proven=active)
            session.commit()
            session.refresh(row)
            session.expunge(row)
        return row

    def confirm_url(self) -> str:
        """The address that stands in a mail to somebody who has just signed up."""
        row = self.subscriber(active=False)
        return self.url(f"/confirm/{self.site.token(links.CONFIRM, row)}")

    def own_url(self, page: str) -> str:
        """``manage`` or ``unsubscribe`` of a new subscriber."""
        row = self.subscriber(active=True)
        return self.url(f"/{page}/{self.site.token(links.OWN, row)}")


def host_parts(app: Flask) -> None:
    """What the host has beside the status page: a shop, pages that embed the widget, sheets of others, a sample."""
    shop = Blueprint("shop", __name__, url_prefix="/shop")

    @shop.get("/")
    def index() -> str:
        return "<!doctype html><title>Shop</title><h1>Shop</h1>"

    app.register_blueprint(shop)

    @app.get("/vendor/<path:name>")
    def vendor(name: str) -> Response:
        return send_from_directory(MODULES, name)

    @app.get("/sample/<base>")
    def sample(base: str) -> str:
        return render_template("sample.html", base=f"{base}.html")


def made(migrated: Path, folder: Path, name: str, **config: Any) -> Site:
    """A site on a copy of the database file *migrated*."""
    options: dict[str, Any] = {
        "STATUSPAGE_PAGE_NAME": "Acme",
        "STATUSPAGE_ALLOW_PRIVATE_TARGETS": True,
        "STATUSPAGE_ALLOW_HTTP_TARGETS": True,
        "STATUSPAGE_SIGNUPS_PER_HOUR": 100_000,
        "STATUSPAGE_WEBHOOK_SIGNUP": "open",
    }
    return build(
        sqlite_url(folder / f"{name}.db"),
        migrated=migrated,
        templates=HERE / "hosts",
        host=host_parts,
        csrf="before",
        **(options | config),
    )


@contextmanager
def running(site: Site, known: Known | None = None) -> Iterator[Served]:
    """*site* behind a web server; what its shop sells is under maintenance while its mail is."""
    site.statuspage.protect("shop", component="service-11")
    with serving(site.app) as root:
        yield Served(site, root, known or Known())
    site.close()


def filled(migrated: Path, folder: Path, *, services: int = 12) -> tuple[Path, Known]:
    """A database file with the whole scenario, to be copied, and what is where in it."""
    site = made(migrated, folder, f"scenario-{services}")
    known = fill(site, services=services)
    with site.app.app_context(), current_engine().connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    site.close()
    return folder / f"scenario-{services}.db", known


def lose_database(served: Served) -> None:
    """From now on the database of the site is nonsense; what was read before is shown."""
    assert served.site.get("/").status_code == 200
    broken_file(served.site)
    with served.site.app.app_context():
        current_state().documents.expire_versions()
