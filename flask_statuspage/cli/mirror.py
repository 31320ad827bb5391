"""``flask statuspage mirror``"""

from __future__ import annotations

import click

from ..services import mirror
from ..storage.migrate import require_current
from ..storage.session import current_engine, release_session
from .group import statuspage_cli

SHOWN = 5
"""How many files that failed are named."""


@statuspage_cli.command("mirror")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
def write_mirror(folder: str) -> None:
    """Write every public page and document into DIR as files.

    Files that did not change are left alone, those of what is gone are removed. With STATUSPAGE_MIRROR_DIR the workers
    do this by themselves. Exit code 1: some files could not be kept; they are named.
    """
    require_current(current_engine())
    release_session()
    outcome = mirror.write(folder)
    click.echo(f"{outcome.files} files: {outcome.written} written, {outcome.removed} removed.")
    if outcome.failures:
        shown = [f"{name} ({why})" for name, why in list(outcome.failures.items())[:SHOWN]]
        more = ", …" if len(outcome.failures) > SHOWN else ""
        raise click.ClickException(
            f"{len(outcome.failures)} files could not be kept: {', '.join(shown)}{more}"
        )
