"""Requests over loopback: single ones, and wrk's load in turns, so that noise meets all sides alike."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .servers import Server

CONNECTIONS = 16
WARM_UP_SECONDS = 1
MOST_SECONDS = 60

_REPORT = Path(__file__).with_name("report.lua")


@dataclass(frozen=True)
class Plan:
    """How long and how often is measured.

    :param seconds: of one measurement; wrk takes whole ones.
    :param rounds: of turns; what is reported is the median of their ratios.
    """

    seconds: int = 1
    rounds: int = 9
    quick: bool = False
    full: bool = False

    def longer(self) -> Plan:
        """The same with twice the rounds, for what differs by little."""
        return replace(self, rounds=2 * self.rounds)


@dataclass(frozen=True)
class Target:
    """What is asked for: *path* of *server*, with *headers*."""

    server: Server
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """Of one measurement: requests a second, the server's CPU for one in microseconds, percentiles in milliseconds."""

    per_second: float
    cpu: float
    p50: float
    p99: float

    def __str__(self) -> str:
        return (
            f"{self.per_second:,.0f}/s {self.cpu:,.0f} µs p50 {self.p50:.1f} p99 {self.p99:.1f} ms"
        )


def in_turns(targets: Sequence[Target], plan: Plan) -> list[list[Figures]]:
    """The figures of each target, one a round; every second round goes the other way round."""
    for target in targets:
        _measured(target, WARM_UP_SECONDS)
    found: list[list[Figures]] = [[] for _ in targets]
    for number in range(plan.rounds):
        places = range(len(targets))
        for place in places if number % 2 == 0 else reversed(places):
            found[place].append(_measured(targets[place], plan.seconds))
    return found


def median(rounds: Sequence[Figures]) -> Figures:
    return Figures(
        statistics.median(one.per_second for one in rounds),
        statistics.median(one.cpu for one in rounds),
        statistics.median(one.p50 for one in rounds),
        statistics.median(one.p99 for one in rounds),
    )


def ratios(ours: Sequence[Figures], beside: Sequence[Figures]) -> list[float]:
    """Requests a second of ours against those beside, round by round."""
    return [a.per_second / b.per_second for a, b in zip(ours, beside, strict=True)]


def cpu_ratio(ours: Sequence[Figures], beside: Sequence[Figures]) -> float:
    """The same by the servers' CPU, which others on the machine disturb less: above 1 where ours needs less."""
    return middle([b.cpu / a.cpu for a, b in zip(ours, beside, strict=True)])


def middle(values: Sequence[float]) -> float:
    return statistics.median(values)


def _measured(target: Target, seconds: int) -> Figures:
    before = target.server.cpu()
    figures = _wrk(target, seconds)
    spent = target.server.cpu() - before
    if figures["failed"]:
        raise RuntimeError(f"{figures['failed']} requests for {target.path} failed")
    if not figures["requests"]:  # a rebuild lasted longer than this
        return _measured(target, 2 * seconds)
    return Figures(
        figures["requests"] / figures["microseconds"] * 1e6,
        spent / figures["requests"] * 1e6,
        figures["p50"] / 1000,
        figures["p99"] / 1000,
    )


def _wrk(target: Target, seconds: int) -> dict[str, int]:
    """One run's figures, as report.lua names them."""
    program = shutil.which("wrk")
    assert program is not None  # reads.py has looked for it
    if seconds > MOST_SECONDS:
        raise RuntimeError(f"{target.path} is not answered")
    command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
    command += ["-s", str(_REPORT)]
    for name, value in target.headers.items():
        command += ["-H", f"{name}: {value}"]
    command.append(f"http://127.0.0.1:{target.server.port}{target.path}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    words = re.search(r"^FIGURES (.*)$", done.stdout, re.MULTILINE)
    if words is None:
        raise RuntimeError(f"wrk said:\n{done.stdout}{done.stderr}")
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", words[1])}
