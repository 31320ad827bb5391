"""``flask statuspage mirror``"""

from __future__ import annotations

import click

from ..services import mirror
from ..storage.migrate import require_current
from ..storage.session import current_engine, current_session
from .group import statuspage_cli


@statuspage_cli.command("mirror")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
def write_mirror(folder: str) -> None:
    """Write every public page and document into DIR as files.

    Files that did not change are left alone, those of what is gone are removed. With STATUSPAGE_MIRROR_DIR the workers
    do this by themselves.
    """
    require_current(current_engine())
    outcome = mirror.write(current_session(), folder)
    click.echo(f"{outcome.files} files: {outcome.written} written, {outcome.removed} removed.")
