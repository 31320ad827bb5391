"""The mirror behind nginx, beside a static file of the same bytes behind the same nginx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flask_statuspage.storage.session import current_engine

from . import load, seed, servers, site
from .load import Plan, Target
from .table import Row, missing

TARGET = 1.0
NOISE = 0.03
"""nginx beside itself differs by so much from run to run."""


def measure(plan: Plan, directory: Path) -> Iterator[Row]:
    static = directory / "static"
    static.mkdir()
    (static / "five.html").write_bytes(b"5 kB " * 1024)
    mirror = directory / "mirror"
    why = _make_mirror(mirror, directory)
    summary = next(mirror.rglob("summary.json"), None) if mirror.is_dir() else None
    if summary is not None:
        (static / "summary.json").write_bytes(summary.read_bytes())
    with servers.nginx([static, mirror if summary else static], directory) as (plain, mirrored):
        rounds = load.in_turns([Target(plain, "/five.html")], plan)
        yield Row(what="nginx, static 5 kB", ours="", beside=str(load.median(rounds[0])))
        if summary is None:
            yield missing("mirror behind nginx", why or "the mirror holds no summary.json")
            return
        path = f"/{summary.relative_to(mirror).as_posix()}"
        targets = [Target(mirrored, path), Target(plain, "/summary.json")]
        ours, beside = load.in_turns(targets, plan)
        found = sorted(load.ratios(ours, beside))
        yield Row(
            what="mirror behind nginx",
            ours=str(load.median(ours)),
            beside=str(load.median(beside)),
            ratio=load.middle(found),
            spread=(found[0], found[-1]),
            target=TARGET - NOISE,
            note=f"{load.cpu_ratio(ours, beside):.2f} by CPU; {summary.stat().st_size:,} bytes",
        )


def _make_mirror(folder: Path, directory: Path) -> str | None:
    """Let the command write its files; what it says when it does not."""
    app = site.migrated(f"sqlite:///{directory / 'mirror.db'}")
    with app.app_context(), current_engine().begin() as connection:
        seed.fill(connection, seed.default_page(connection), components=10)
    try:
        result = app.test_cli_runner().invoke(args=["statuspage", "mirror", str(folder)])
    finally:
        site.close(app)
    return None if result.exit_code == 0 else result.output.strip().splitlines()[-1]
