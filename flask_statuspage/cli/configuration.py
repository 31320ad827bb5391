"""``flask statuspage apply`` and ``flask statuspage dump``"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import IO, Any

import click

from ..errors import Conflict, Invalid
from ..services import audit, configuration
from ..services.configuration import Change
from ..storage.migrate import require_current
from ..storage.session import current_engine, current_session
from .group import statuspage_cli

SIGNS = {"create": "+", "change": "~", "remove": "-"}
MAX_SHOWN = 60


@statuspage_cli.command("dump")
def dump() -> None:
    """Print pages, groups, components, monitors and templates as TOML, for "apply".

    Passwords, tokens and headers with credentials are printed as ********, which "apply" takes for "as it is"; a new
    site must be given them. What stands in a target, a body or another header is printed as it is: if that is
    confidential, treat the output as a secret.

    Incidents, statuses, subscriptions, keys, and whether a monitor is paused are no part of it. Nor is the secret
    address of a page with the visibility "link"; a page that is made from the file gets one of its own.
    """
    require_current(current_engine())
    document = configuration.dump(current_session())
    click.echo(configuration.write(document), nl=False)


@statuspage_cli.command("apply")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only print what would be changed.")
@click.option("--prune", is_flag=True, help="Remove what FILE does not name.")
def apply(file: IO[bytes], dry_run: bool, prune: bool) -> None:
    """Make pages, groups, components, monitors and templates as the TOML in FILE says ("-": standard input).

    Everything or nothing is done. Pages, components and monitors are known by their slug, groups by their name,
    templates by kind and name. A key that is left out leaves what is there as it is, and gives something new its
    default; "" takes an optional value away. Groups and components stand on the page in the order of the file, unless
    one of them gives a "position".

    With --prune, what is not named is removed from the pages that FILE names, and so is every other page that is
    empty. Components keep their history. Without it nothing is removed.
    """
    require_current(current_engine())
    session = current_session()
    try:
        document = configuration.read(file.read())
        targets = configuration.targets(session, document)
        session.rollback()  # no transaction is open while the network is asked
        configuration.vet(targets)
        changes = configuration.apply(
            session, document, prune=prune, dry_run=dry_run, actor=audit.SHELL
        )
        if dry_run:
            session.rollback()
        else:
            session.commit()
    except Invalid as error:
        lines = (f"{item.field}: {item.message}" for item in error.errors)
        raise click.ClickException("\n".join(map(_printable, lines))) from error
    except Conflict as error:
        raise click.ClickException(_printable(str(error))) from error
    for change in changes:
        click.echo(_line(change))
    click.echo(_summary(changes, dry_run=dry_run))


def _line(change: Change) -> str:
    head = f"{SIGNS[change.action]} {change.kind} {_printable(change.name)}"
    if change.action != "change":
        return head
    before, after = change.before or {}, change.after or {}
    return f"{head}: " + ", ".join(_difference(key, before[key], after[key]) for key in after)


def _difference(key: str, before: Any, after: Any) -> str:
    if key == "secrets":
        return ", ".join(f"options.{_printable(name)} changes" for name in after)
    if key == "options":  # They may hold credentials, which must not stand in a log.
        return ", ".join(f"options.{name} changes" for name in _unlike(before, after))
    if key == "target":  # as do queries of URLs
        before, after = _without_query(before), _without_query(after)
    return f"{key} {_shown(before)} → {_shown(after)}"


def _without_query(target: Any) -> Any:
    if not isinstance(target, str):
        return target
    address, mark, _ = target.partition("?")
    return f"{address}?…" if mark else address


def _unlike(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [
        _printable(name)
        for name in sorted({*before, *after})
        if (name in before, before.get(name)) != (name in after, after.get(name))
    ]


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, str):
        text = (
            value
            if value.isprintable() and " " not in value
            else json.dumps(value, ensure_ascii=False)
        )
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    text = _printable(text)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _printable(text: str) -> str:
    """*text* without what a terminal would obey."""
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)


def _summary(changes: list[Change], *, dry_run: bool) -> str:
    if not changes:
        return "Nothing to change."
    count = Counter(change.action for change in changes)
    words = f"{count['create']} created, {count['change']} changed, {count['remove']} removed"
    return f"{words} (dry run: nothing was written)." if dry_run else f"{words}."
