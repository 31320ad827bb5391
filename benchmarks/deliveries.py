"""Measure what deliveries cost: ``python -m benchmarks.deliveries``. Prints one table; nothing in it is a test."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.servers import process

from . import delivery_site, fairness, fan_out, servers, steps, throughput
from .delivery_site import Machinery
from .reads import machine
from .table import Growth, Row, missing, text

SIZES = (1_000, 3_000, 10_000)
ENDPOINTS = (1, 16)
QUICK_SIZES = (300, 1_000, 3_000)


@dataclass(frozen=True)
class Plan:
    """What is measured how often.

    :param sizes: numbers of deliveries, the smallest first.
    :param endpoints: numbers of ``host:port`` that they go to; to one no more than eight go at once.
    :param rounds: of turns; what is reported is the median of their ratios.
    """

    sizes: tuple[int, ...]
    endpoints: tuple[int, ...]
    rounds: int
    quick: bool


def _throughput(plan: Plan, machinery: Machinery, directory: Path) -> Iterable[Row | Growth]:
    for endpoints in plan.endpoints:
        yield from throughput.measure(
            machinery, directory, sizes=plan.sizes, endpoints=endpoints, rounds=plan.rounds
        )


def _steps(plan: Plan, machinery: Machinery, directory: Path) -> Iterable[Row | Growth]:
    return steps.measure(machinery, directory, sizes=plan.sizes)


def _fairness(plan: Plan, machinery: Machinery, directory: Path) -> Iterable[Row | Growth]:
    seconds, rounds = (12.0, 1) if plan.quick else (40.0, plan.rounds)
    return fairness.measure(machinery, directory, seconds=seconds, rounds=rounds)


def _fan_out(plan: Plan, machinery: Machinery, directory: Path) -> Iterable[Row | Growth]:
    return fan_out.measure(machinery, directory, rounds=3 if plan.quick else 9)


ROWS: dict[str, Callable[[Plan, Machinery, Path], Iterable[Row | Growth]]] = {
    "throughput": _throughput,
    "steps": _steps,
    "fairness": _fairness,
    "fan_out": _fan_out,
}


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    # Whoever stops this stops its servers and workers too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    # Children work in folders of their own, and find this package all the same.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(servers.ROOT), *sys.path]))
    sizes = tuple(sorted(options.size or (QUICK_SIZES if options.quick else SIZES)))
    plan = Plan(
        sizes,
        tuple(options.endpoints or ENDPOINTS),
        options.rounds or (1 if options.quick else 3),
        options.quick,
    )
    found: list[Row | Growth] = [machine("before")]
    try:
        with delivery_site.machinery() as machinery:
            for name in options.only or ROWS:
                print(f"measuring: {name}", file=sys.stderr, flush=True)
                with process.scratch() as directory:
                    found += ROWS[name](plan, machinery, directory)
    except process.Absent as absent:
        found.append(missing("deliveries", str(absent)))
    print(text([*found, machine("after")]))
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deliveries", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(ROWS), help="these rows; may be repeated"
    )
    parser.add_argument(
        "--size",
        action="append",
        type=int,
        metavar="N",
        help="so many deliveries; may be repeated (default: 1000, 3000, 10000)",
    )
    parser.add_argument(
        "--endpoints",
        action="append",
        type=int,
        metavar="N",
        help="so many endpoints; may be repeated (default: 1, 16)",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="of turns (default: 3)")
    parser.add_argument("--quick", action="store_true", help="fewer deliveries, one round")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
