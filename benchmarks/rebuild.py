"""What a rebuild costs: a snapshot read, HTML and summary.json made of it; by components and by raw checks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event

from flask_statuspage.documents import native_api
from flask_statuspage.documents import page as pages
from flask_statuspage.documents.json_text import dumps
from flask_statuspage.documents.rendering import Frame
from flask_statuspage.services import overview
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_engine, current_session
from flask_statuspage.web.mounts import PageUrls
from tests.servers import postgresql
from tests.servers.process import Absent

from . import seed, site
from .load import Plan
from .table import Growth, Row, missing

SIZES = (10, 100, 1000)
SIZE = 100
MILLISECONDS = 60.0
QUERIES = 25
CHECKS_RATIO = 1.1


@dataclass(frozen=True)
class Cost:
    """Of one rebuild. CPU of this process and time on the wall in milliseconds."""

    snapshot: float
    html: float
    json: float
    wall: float
    queries: int

    @property
    def cpu(self) -> float:
        return self.snapshot + self.html + self.json


def by_components(plan: Plan, directory: Path) -> Iterator[Row | Growth]:
    """Pages of several sizes with 90 days of history and 50 incidents."""
    for kind, urls in _databases(directory, len(SIZES), "components"):
        if urls is None:
            yield missing(f"rebuild, {kind}", "no initdb and postgres found")
            continue
        found = {}
        with ExitStack() as stack:
            for size, url in zip(SIZES, urls, strict=True):
                app = stack.enter_context(_filled(url, components=size))
                found[size] = _best(_costs([app], 5 if plan.quick or size > SIZE else 30)[0])
        for size, cost in found.items():
            yield Row(
                what=f"rebuild of {size:,}, {kind}",
                ours=f"{cost.cpu:.1f} ms CPU, {cost.wall:.1f} on the wall",
                beside=f"snapshot {cost.snapshot:.1f}, page {cost.html:.1f}, json {cost.json:.1f}",
                ratio=cost.cpu if size == SIZE else None,
                target=MILLISECONDS,
                at_least=False,
                unit="ms",
            )
        queries = {size: cost.queries for size, cost in found.items()}
        yield Row(
            what=f"queries of a rebuild, {kind}",
            ours=", ".join(f"{size:,}: {count}" for size, count in queries.items()),
            ratio=queries[SIZE],
            target=QUERIES,
            at_least=False,
            unit="queries",
            note="the same at all sizes" if len(set(queries.values())) == 1 else "they GROW",
        )
        measured = tuple((size, cost.cpu) for size, cost in found.items())
        yield Growth(f"rebuild by components, {kind}", "ms CPU", measured)


def by_checks(plan: Plan, directory: Path) -> Iterator[Row | Growth]:
    """The page of 100 components over tables of raw checks that differ by powers of ten."""
    most = 5 if plan.quick else 7 if plan.full else 6
    sizes = tuple(10**power for power in range(4 if most > 5 else 3, most + 1))
    for kind, urls in _databases(directory, len(sizes), "checks"):
        if urls is None:
            yield missing(f"rebuild by raw checks, {kind}", "no initdb and postgres found")
            continue
        with ExitStack() as stack:
            apps = [
                stack.enter_context(_filled(url, components=SIZE, checks=size))
                for size, url in zip(sizes, urls, strict=True)
            ]
            rounds = _costs(apps, 7 if plan.quick else 25)
        for size, costs in list(zip(sizes, rounds, strict=True))[1:]:
            ratios = sorted(a.wall / b.wall for a, b in zip(costs, rounds[0], strict=True))
            quarter = len(ratios) // 4
            yield Row(
                what=f"rebuild over {size:,} checks, {kind}",
                ours=f"{_best(costs).wall:.1f} ms on the wall",
                beside=f"{_best(rounds[0]).wall:.1f} ms over {sizes[0]:,}",
                ratio=_best(costs).wall / _best(rounds[0]).wall,
                spread=(ratios[quarter], ratios[-quarter - 1]),
                target=CHECKS_RATIO,
                at_least=False,
            )
        measured = tuple((n, _best(costs).wall) for n, costs in zip(sizes, rounds, strict=True))
        yield Growth(f"rebuild by raw checks, {kind}", "ms", measured)


def _costs(apps: list[Flask], rounds: int) -> list[list[Cost]]:
    """What a rebuild costs in each app, the apps in turns; the first round is not counted."""
    found = [[_cost(app) for app in apps] for _ in range(rounds + 1)][1:]
    return [list(of_one) for of_one in zip(*found, strict=True)]


def _cost(app: Flask) -> Cost:
    with app.test_request_context(f"{site.PREFIX}/"), _counted() as sent:
        frame = Frame(urls=PageUrls("statuspage", None))
        begun = time.perf_counter()
        began = time.process_time()
        session = current_session()
        snapshot = overview.snapshot(session, session.query(Page).filter(Page.is_default).one())
        read = time.process_time()
        pages.home(snapshot, frame).encode()
        shown = time.process_time()
        dumps(native_api.summary(snapshot))
        told = time.process_time()
        wall = time.perf_counter() - begun
    return Cost(
        snapshot=(read - began) * 1000,
        html=(shown - read) * 1000,
        json=(told - shown) * 1000,
        wall=wall * 1000,
        queries=len(sent),
    )


def _best(costs: list[Cost]) -> Cost:
    """The least of everything: what others on the machine do can only add to a time."""
    return Cost(
        snapshot=min(cost.snapshot for cost in costs),
        html=min(cost.html for cost in costs),
        json=min(cost.json for cost in costs),
        wall=min(cost.wall for cost in costs),
        queries=max(cost.queries for cost in costs),
    )


@contextmanager
def _counted() -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    engine = current_engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def _filled(url: str, *, components: int, checks: int = 0) -> Iterator[Flask]:
    app = site.migrated(url)
    try:
        with app.app_context(), current_engine().begin() as connection:
            seed.fill(connection, seed.default_page(connection), components=components)
            if checks:
                seed.checks(connection, checks)
            seed.analyse(connection)
        yield app
    finally:
        site.close(app)


def _databases(directory: Path, count: int, name: str) -> Iterator[tuple[str, list[str] | None]]:
    """Kinds of databases with URLs of empty ones; None where there is no such server."""
    yield "SQLite", [f"sqlite:///{directory / f'{name}-{number}.db'}" for number in range(count)]
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgresql.running())
        except Absent:
            yield "PostgreSQL", None
            return
        yield "PostgreSQL", [server.create_database() for _ in range(count)]
