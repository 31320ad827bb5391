"""What the host pays: its start, and its own pages, with and without the status page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from . import load, servers, site
from .load import Plan, Target
from .table import Row

MILLISECONDS = 150.0
MEGABYTES = 30.0
TARGET = 0.98


def start(plan: Plan, directory: Path) -> Iterator[Row]:
    """Import and ``register_blueprint``, in fresh processes in turns."""
    kinds = ("without", "with")
    for kind in kinds:
        _start(kind, directory)  # from now on the bytecode is there
    rounds = [[_start(kind, directory) for kind in kinds] for _ in range(5 if plan.quick else 15)]
    for name, unit, target in (
        ("milliseconds", "ms", MILLISECONDS),
        ("megabytes", "MB", MEGABYTES),
    ):
        more = sorted(ours[name] - beside[name] for beside, ours in rounds)
        # The least: what others on the machine do can only add to a start.
        beside, ours = (min(one[name] for one in of) for of in zip(*rounds, strict=True))
        yield Row(
            what=f"start of the host, {unit}",
            ours=f"{ours:.0f} {unit}",
            beside=f"{beside:.0f} {unit}",
            ratio=ours - beside,
            spread=(more[0], more[-1]),
            target=target,
            at_least=False,
            unit=unit,
            note="CPU; beside: Flask and Flask-SQLAlchemy only" if unit == "ms" else "",
        )


def own_page(plan: Plan, directory: Path) -> Iterator[Row]:
    """A constant page of the host."""
    database = f"sqlite:///{directory / 'host.db'}"
    site.close(site.migrated(database))
    call = f"benchmarks.site:served({database!r}"
    with (
        servers.gunicorn(f"{call})", directory) as ours,
        servers.gunicorn(f"{call}, with_page=False)", directory) as beside,
    ):
        rounds = load.in_turns([Target(beside, "/"), Target(ours, "/")], plan.longer())
    found = sorted(load.ratios(rounds[1], rounds[0]))
    yield Row(
        what="the host's own page",
        ours=str(load.median(rounds[1])),
        beside=str(load.median(rounds[0])),
        ratio=load.middle(found),
        spread=(found[0], found[-1]),
        target=TARGET,
        note=f"{load.cpu_ratio(rounds[1], rounds[0]):.2f} by CPU",
    )


def _start(kind: str, directory: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.start", kind]
    environment = {**os.environ, "PYTHONPATH": str(servers.ROOT)}
    environment["PYTHONPYCACHEPREFIX"] = str(directory / "bytecode")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60, env=environment
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found
