"""Imports only go down, rooms of one floor do not know each other, and files stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import flask_statuspage

PACKAGE = Path(flask_statuspage.__file__).parent
NAME = "flask_statuspage"

# From the cellar up. A room may import from its own and from every lower floor.
FLOORS = (
    (
        "config",
        "config_reading",
        "config_values",
        "signals",
        "errors",
        "state",
        "registry",
        "translation",
    ),
    ("domain",),
    ("outgoing",),
    ("storage", "probing", "delivery", "documents"),
    ("services",),
    ("web", "jobs"),
    ("extension", "host", "host_api", "host_checks", "host_templates", "cli", "__init__"),
)
SHARED_FLOORS = {0, 6}  # the rooms of the cellar and of the roof do know each other
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

MAX_LINES = 350
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def ident(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """The full names of all that *path* imports."""
    package = ".".join([NAME, *path.relative_to(PACKAGE).parent.parts])
    return names_in(path.read_text(encoding="utf-8"), package)


def names_in(source: str, package: str) -> Iterator[str]:
    """The full names of all that a module of *package* imports, wherever in the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield module
            # `from . import outbox` and `from ..storage import outbox` name modules as well.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def rooms_imported(path: Path) -> set[str]:
    """The rooms that *path* imports from."""
    found = set()
    for name in imported(path):
        top, _, rest = name.partition(".")
        room = rest.partition(".")[0]
        if top == NAME and room:
            found.add(room if room in FLOOR else "__init__")
    return found


def test_every_room_has_its_floor() -> None:
    """A new room must be given a place in the house before it is built."""
    assert {room_of(path) for path in MODULES} == set(FLOOR)


def test_imports_only_go_down() -> None:
    """A module imports from its own room and from floors below it, never sideways or up."""
    offenders = []
    for path in MODULES:
        room, floor = room_of(path), FLOOR[room_of(path)]
        for other in rooms_imported(path) - {room}:
            beside = FLOOR[other] == floor and floor in SHARED_FLOORS
            if FLOOR[other] >= floor and not beside:
                offenders.append(f"{ident(path)} imports from {other}")
    assert offenders == []


def test_the_ground_floor_is_plain_python() -> None:
    """The domain knows no web framework, no database and no network."""
    foreign = {
        "flask",
        "flask_sqlalchemy",
        "sqlalchemy",
        "werkzeug",
        "requests",
        "urllib3",
        "redis",
    }
    foreign |= {"rq", "smtplib", "socket", "http", "wtforms", "flask_wtf", "alembic"}
    for path in MODULES:
        if room_of(path) == "domain":
            assert foreign.isdisjoint(name.partition(".")[0] for name in imported(path)), path


def test_only_the_guarded_client_calls_urls() -> None:
    """Whoever calls an address that somebody typed goes through `outgoing`; nobody else opens URLs."""
    openers = {"requests", "urllib3", "httpx", "aiohttp", "urllib.request", "http.client"}
    for path in MODULES:
        if room_of(path) != "outgoing":
            assert openers.isdisjoint(imported(path)), path


def test_files_are_small() -> None:
    """No file has more than 350 lines; a migration is written once and may."""
    lines = {ident(path): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    long = {name: count for name, count in lines.items() if count > MAX_LINES}
    assert {name for name in long if "/versions/" not in name} == set(), long


def test_names_say_what_is_inside() -> None:
    """No module has a name under which anything could be put."""
    for path in MODULES:
        assert EMPTY_NAMES.isdisjoint(path.relative_to(PACKAGE).with_suffix("").parts), path


def test_every_way_of_importing_is_seen() -> None:
    """The rule above is no rule unless it sees absolute, relative and late imports alike."""
    source = """
import flask_statuspage.web.cache
from flask_statuspage import jobs
from . import pages
from .. import cli
from ..services import events
def late():
    from ..documents.snapshot import Snapshot
"""
    names = set(names_in(source, "flask_statuspage.storage"))
    rooms = {name.split(".")[1] for name in names if name.startswith(NAME + ".")}
    assert rooms == {"web", "jobs", "storage", "cli", "services", "documents"}
