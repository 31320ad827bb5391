"""``flask statuspage check-theme``"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from ..documents.theme import defaults
from ..domain import colours, contrast
from ..domain.contrast import Pair, Sheet
from ..errors import NotFound
from ..services import facts
from ..storage import pages as stored
from ..storage.migrate import require_current
from ..storage.session import current_engine, current_session
from .group import statuspage_cli


@statuspage_cli.command("check-theme")
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--page", "slug", metavar="SLUG", help="Only this page; with FILE: its colours first."
)
def check_theme(file: Path | None, slug: str | None) -> None:
    """Compute the contrast of all colours that stand on each other on a page, by WCAG 2.2 (AA).

    Without FILE: of each page with its own colours. With a FILE: of the tokens in it, which is a stylesheet of the site
    (--sp-bg: #…) or JSON as the manage API takes a page's colours. Exit code 1: a pair fails, or cannot be computed.
    """
    failed = checked = 0
    for name, sheet in _sheets(file, slug):
        for scheme in contrast.SCHEMES:
            click.echo(f"{name}, {scheme}:")
            for pair in contrast.pairs(sheet, scheme):
                click.echo(_line(pair))
                checked += 1
                failed += not pair.is_fine
    if failed:
        raise click.ClickException(f"{failed} of {checked} pairs fail.")
    click.echo(f"All {checked} pairs are fine.")


def _sheets(file: Path | None, slug: str | None) -> Iterator[tuple[str, Sheet]]:
    """What is to be checked, each with its name."""
    base = defaults()
    pages = _brands(slug) if slug is not None or file is None else {}
    if file is None:
        for name, brand in pages.items():
            yield name, base.branded(brand)
        return
    for brand in pages.values():
        base = base.branded(brand)
    yield file.name, _with_file(base, file)


def _brands(slug: str | None) -> dict[str, dict[str, str]]:
    """The colours of the page *slug*, or of all pages, by their names.

    :raises NotFound: when there is no such page.
    """
    require_current(current_engine())
    rows = current_session().scalars(stored.all_pages())
    found = [facts.shown_page(row) for row in rows if slug is None or row.slug == slug]
    if slug is not None and not found:
        raise NotFound("page", slug)
    return {f"{page.name} ({page.slug})": dict(page.colours) for page in found}


def _with_file(base: Sheet, file: Path) -> Sheet:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from error
    if not text.lstrip().startswith(("{", "[", '"')):
        sheet = contrast.read(text)
        names = sorted(_names(sheet) - _names(base))
        if unknown := [name for name in names if name.startswith("--sp-")]:
            raise click.ClickException(f"There is no token {', '.join(unknown)}.")
        if not _names(sheet) & _names(base):
            raise click.ClickException(
                f"{file} sets no token, such as --sp-bg: there is nothing to check."
            )
        return base.under(sheet)
    try:
        given = json.loads(text)
    except ValueError as error:
        raise click.ClickException(f"{file} is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise click.ClickException(f"{file} is no JSON object of tokens and their colours.")
    if not given:
        raise click.ClickException(f"{file} sets no token, such as bg: there is nothing to check.")
    wrong = [
        f"{name!r}"
        for name, colour in given.items()
        if name not in colours.TOKENS or not colours.is_colour(colour)
    ]
    if wrong:
        raise click.ClickException(
            f"{', '.join(wrong)}: no token with #rgb or #rrggbb. Tokens are {', '.join(colours.TOKENS)}."
        )
    return base.branded(given)


def _names(sheet: Sheet) -> set[str]:
    return {*sheet.both, *sheet.light, *sheet.dark}


def _line(pair: Pair) -> str:
    state = "ok  " if pair.is_fine else "FAIL"
    shown = f"{pair.front or 'nothing'} on {pair.ground or 'nothing'}"
    if pair.ratio is None:
        return f"  {state}  {pair.what}: {shown} cannot be computed; write #rgb or #rrggbb"
    ratio = int(pair.ratio * 100) / 100  # never rounded up to what is asked for
    return f"  {state}  {pair.what}: {shown}, {ratio:.2f}:1, at least {pair.least:g}:1"
