"""Measure what reading costs: ``python -m benchmarks.reads``. Prints one table; nothing in it is a test."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

from tests.servers import process

from . import changes, documents, host_cost, mirror, rebuild, servers
from .load import Plan
from .table import Growth, Row, text

ROWS: dict[str, Callable[[Plan, Path], Iterable[Row | Growth]]] = {
    "documents": documents.measure,
    "mirror": mirror.measure,
    "changes": changes.measure,
    "rebuild": rebuild.by_components,
    "checks": rebuild.by_checks,
    "start": host_cost.start,
    "host": host_cost.own_page,
}


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    lacking = _lacking()
    if lacking:
        print(f"Install first: {'; '.join(lacking)}", file=sys.stderr)
        return 1
    plan = Plan(
        seconds=options.seconds or 1,
        rounds=3 if options.quick else 9,
        quick=options.quick,
        full=options.full,
    )
    found: list[Row | Growth] = [machine("before")]
    for name in options.only or ROWS:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        with process.scratch() as directory:
            found += ROWS[name](plan, directory)
    print(text([*found, machine("after")]))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reads", description=__doc__)
    parser.add_argument(
        "--seconds",
        type=int,
        choices=range(1, 61),
        metavar="1..60",
        help="of one measurement of load (default: 1)",
    )
    parser.add_argument(
        "--only", action="append", choices=list(ROWS), help="these rows; may be repeated"
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--full", action="store_true", help="10 million raw checks as well")
    return parser.parse_args(arguments)


def machine(when: str) -> Row:
    """How fast Python is here and now: rows in milliseconds mean nothing without it."""
    spent = []
    for _ in range(5):
        begun = time.process_time()
        sum(number for number in range(1_000_000))
        spent.append((time.process_time() - begun) * 1000)
    return Row(
        what=f"this machine, {when}",
        ours=f"{min(spent):.0f} to {max(spent):.0f} ms CPU",
        note=f"to sum a million numbers; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
    )


def _lacking() -> list[str]:
    """What is not installed, and how it is."""
    lacking = []
    if shutil.which("wrk") is None:
        lacking.append("wrk (Debian: apt install wrk)")
    if servers.nginx_program() is None:
        lacking.append("nginx (Debian: apt install nginx-light)")
    if find_spec("gunicorn") is None:
        lacking.append("gunicorn (pip install --group benchmarks)")
    return lacking


if __name__ == "__main__":
    sys.exit(main())
