"""Public documents, warm, through gunicorn: ours through Flask and through the fast lane, beside a bare Flask view.

The bare view stands alone, and once more in an app with a session's key and a database, as ours does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask_statuspage.storage.session import current_engine

from . import bare, load, seed, servers, site
from .asking import Answer, ask
from .load import Figures, Plan, Target
from .servers import Server
from .table import Growth, Row, missing

FLASK_TARGET = 0.9
LANE_TARGET = 1.4

SIZES = {"": 10, "/hundred": 100, "/thousand": 1000}
"""Components of the pages of one site, by where the page is."""


@dataclass(frozen=True, eq=False)
class Document:
    """What is read: ``/status<path>`` with *headers*. With *conditional* the reader has it already."""

    name: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    conditional: bool = False


GZIP = {"Accept-Encoding": "gzip"}
SUMMARY = "/api/v2/summary.json"

DOCUMENTS = (
    Document("summary.json", SUMMARY),
    Document("page", "/"),
    Document("badge", "/api/v2/badge.svg"),
    Document("feed", "/api/feed.xml"),
    Document("summary.json, gzip", SUMMARY, GZIP),
    Document("page, gzip", "/", GZIP),
    Document("summary.json, 304", SUMMARY, conditional=True),
    Document("page, 304", "/", conditional=True),
    Document("summary.json of 100", f"/hundred{SUMMARY}"),
    Document("summary.json of 1000", f"/thousand{SUMMARY}"),
)

GROWING = ((10, "summary.json"), (100, "summary.json of 100"), (1000, "summary.json of 1000"))


def measure(plan: Plan, directory: Path) -> Iterator[Row | Growth]:
    database = f"sqlite:///{directory / 'documents.db'}"
    fill(database)
    call = f"benchmarks.site:served({database!r}"
    with ExitStack() as stack:
        flask = stack.enter_context(servers.gunicorn(f"{call})", directory))
        lane = None
        if site.has_fast_lane():
            lane = stack.enter_context(servers.gunicorn(f"{call}, fast_lane=True)", directory))
        found = {document: _found(document, flask) for document in DOCUMENTS}
        kept = directory / "answers.json"
        bare.write(
            kept, {_address(document): answer for document, (_, answer) in found.items() if answer}
        )
        call = f"benchmarks.bare:served({str(kept)!r}"
        beside = stack.enter_context(servers.gunicorn(f"{call})", directory))
        host = stack.enter_context(servers.gunicorn(f"{call}, in_host=True)", directory))
        per_second: dict[str, list[list[Figures]]] = {}
        for document, (target, answer) in found.items():
            if answer is None:
                yield missing(f"{document.name}, Flask", f"{target.path} answers 404")
                yield missing(f"{document.name}, fast lane", f"{target.path} answers 404")
                continue
            targets = [Target(at, _address(document)) for at in (beside, host)] + [target]
            if lane is not None:
                targets.append(replace(target, server=lane))
            rounds = load.in_turns(targets, plan)
            per_second[document.name] = rounds
            yield _row(f"{document.name}, Flask", answer, rounds[2], rounds[0], FLASK_TARGET)
            what = f"{document.name}, Flask; beside: in a host"
            yield _row(what, answer, rounds[2], rounds[1], FLASK_TARGET)
            if lane is None:
                yield missing(f"{document.name}, fast lane", "StatusPage has no fast_lane")
            else:
                yield _row(f"{document.name}, fast lane", answer, rounds[3], rounds[0], LANE_TARGET)
        yield from _growths(per_second)


def fill(database: str) -> None:
    """A site with pages of all :data:`SIZES`."""
    app = site.migrated(database)
    with app.app_context(), current_engine().begin() as connection:
        for place, components in SIZES.items():
            slug = place.strip("/")
            page_id = (
                seed.page(connection, slug, slug.title()) if slug else seed.default_page(connection)
            )
            seed.fill(connection, page_id, components=components, incidents=10)
    site.close(app)


def _found(document: Document, server: Server) -> tuple[Target, Answer | None]:
    """How the document is asked for, and its answer; None where there is none."""
    target = Target(server, site.PREFIX + document.path, document.headers)
    answer = ask(server.port, target.path, target.headers)
    if answer.status == 404:
        return target, None
    if document.conditional:
        target = replace(
            target, headers={**document.headers, "If-None-Match": answer.headers["Etag"]}
        )
        answer = ask(server.port, target.path, target.headers)
    wanted = 304 if document.conditional else 200
    if answer.status != wanted:
        raise RuntimeError(f"{target} answers {answer.status} instead of {wanted}")
    return target, answer


def _address(document: Document) -> str:
    """Where the bare app has the same answer: what a header asks for there is a path of its own here."""
    kind = "304" if document.conditional else document.headers.get("Accept-Encoding", "plain")
    return f"/{kind}{document.path}"


def _row(
    what: str, answer: Answer, ours: list[Figures], beside: list[Figures], target: float
) -> Row:
    found = sorted(load.ratios(ours, beside))
    return Row(
        what=what,
        ours=str(load.median(ours)),
        beside=str(load.median(beside)),
        ratio=load.middle(found),
        spread=(found[0], found[-1]),
        target=target,
        note=f"{load.cpu_ratio(ours, beside):.2f} by CPU; {len(answer.body):,} bytes",
    )


def _growths(per_second: dict[str, list[list[Figures]]]) -> Iterator[Growth]:
    for place, side in enumerate(("bare view", "bare view in a host", "Flask", "fast lane")):
        measured = [
            (size, load.median(per_second[name][place]).per_second)
            for size, name in GROWING
            if name in per_second and len(per_second[name]) > place
        ]
        if measured:
            yield Growth(f"summary.json by components, {side}", "/s", tuple(measured))
