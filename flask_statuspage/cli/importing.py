"""``flask statuspage import-statuspage``"""

from __future__ import annotations

import click

from ..services import audit, importing, pages, source_documents
from ..services.importing import Outcome
from ..state import current_settings
from ..storage import pages as stored_pages
from ..storage.migrate import require_current
from ..storage.session import current_engine, current_session, release_session
from .group import statuspage_cli


@statuspage_cli.command("import-statuspage")
@click.argument("url", metavar="URL")
@click.option("--page", "slug", metavar="SLUG", help="Into this page; else into the default one.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def import_statuspage(url: str, slug: str | None, dry_run: bool) -> None:
    """Import the Statuspage at URL: groups, components, incidents and maintenance.

    Can be run again: what was imported is known by its id there, and only what changed there is changed here. Nobody
    is told.
    """
    require_current(current_engine())
    pages.find(current_session(), slug)  # a wrong slug is told before anything is fetched
    release_session()
    source = source_documents.fetch(url, current_settings())
    session = current_session()
    stored_pages.begin_writing(session)
    page = pages.find(session, slug)
    outcome = importing.run(session, page, source, actor=audit.SHELL)
    if dry_run:
        session.rollback()
    else:
        session.commit()
    click.echo(_line(outcome) + (" (dry run: nothing was written)" if dry_run else ""))


def _line(outcome: Outcome) -> str:
    things = ", ".join(
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in (
            (outcome.components, "component"),
            (outcome.groups, "group"),
            (outcome.incidents, "incident"),
            (outcome.maintenances, "maintenance"),
        )
    )
    done = f"{outcome.new} new, {outcome.changed} changed, {outcome.unchanged} unchanged"
    return f"{things}: {done}"
