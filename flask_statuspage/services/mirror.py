"""The static mirror: every public page and document as files, so that they stand while the site is down."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app, render_template
from sqlalchemy.orm import Session

from ..documents.policy import content_security_policy
from ..documents.site_files import SiteFiles
from ..documents.snapshot import Snapshot
from ..domain.branding import logo_origin
from ..domain.facts import IncidentFact, MaintenanceFact, ShownPage
from ..state import current_settings, current_state
from ..storage import folder as folders
from ..storage import maintenances as stored_maintenances
from ..storage import pages as stored
from ..storage.folder import Folder, Outcome
from . import facts, overview, wishes

ASSETS = Path(__file__).absolute().parent.parent / "static"

EXAMPLES = {"nginx.example.conf": "mirror_nginx.conf", "_headers": "mirror_headers.txt"}
"""How to serve the files: for nginx, and for hosts of static sites that read ``_headers``."""


def write(session: Session, path: str) -> Outcome:
    """Make the folder *path* hold what the public pages show now. Only reads the database; ends its transaction.

    :raises SetupError: when the folder cannot be used.
    """
    with folders.held(Path(path)) as folder:
        shown = []
        for page in session.scalars(stored.all_pages()):
            if page.visibility != "public":
                continue
            snapshot = overview.snapshot(session, page)
            # As if somebody had asked for the page: templates of the host may look at the request.
            with current_app.test_request_context(base_url=f"{snapshot.page.url}/"):
                _write_page(session, folder, snapshot, "" if page.is_default else f"{page.slug}/")
            shown.append(snapshot.page)
        session.rollback()
        for asset in ASSETS.iterdir():
            folder.write(f"assets/{asset.name}", asset.read_bytes())
        for name, template in EXAMPLES.items():
            folder.write(name, _example(template, shown, Path(path).absolute()).encode())
        return folder.finish()


def _example(template: str, shown: Sequence[ShownPage], folder: Path) -> str:
    live = {_origin(page.url) for page in shown}
    logos = {origin for page in shown if page.logo and (origin := logo_origin(page.logo))}
    policy = content_security_policy(images=sorted(live | logos), forms=sorted(live))
    return render_template(f"statuspage/{template}", folder=folder, policy=policy)


def _write_page(session: Session, folder: Folder, snapshot: Snapshot, prefix: str) -> None:
    files = SiteFiles(snapshot, folder=prefix, dialect=current_settings().api_dialect)
    incidents = list(chain.from_iterable(overview.all_incidents(snapshot)))
    for name, content in (
        *files.documents(current_state().describe_api(snapshot)),
        *files.streamed(incidents),
        *files.pages(channels=wishes.offered_channels()),
    ):
        folder.write(name, content)
    look = _look(snapshot)
    for incident in incidents:
        name = files.path("incident", incident_id=incident.id)
        # What is open says how long it has lasted.
        stamp = "" if incident.status.is_open else _stamp(look, incident)
        _write_one(folder, name, stamp, partial(files.incident, incident))
    for row in session.scalars(stored_maintenances.of_page(snapshot.page.id)):
        maintenance = facts.maintenance(row)
        name = files.path("maintenance", maintenance_id=maintenance.id)
        stamp = _stamp(look, maintenance) if maintenance.status.is_over else ""
        _write_one(folder, name, stamp, partial(files.maintenance, maintenance))


def _write_one(folder: Folder, name: str, stamp: str, render: Callable[[], bytes]) -> None:
    """Of what is over there may be thousands; it is rendered again only if it is not what its file was made of."""
    if stamp and folder.stamp(name) == stamp:
        folder.keep(name)
    else:
        folder.write(name, render(), stamp=stamp)


def _look(snapshot: Snapshot) -> str:
    """What all pages share, as text."""
    page = replace(snapshot.page, updated_at=datetime.min)
    return repr((page, importlib.metadata.version("Flask-StatusPage")))


def _stamp(look: str, fact: IncidentFact | MaintenanceFact) -> str:
    return hashlib.sha256(f"{look}{fact!r}".encode()).hexdigest()[:32]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
