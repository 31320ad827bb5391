"""The mirror when something is wrong: a document or a template that fails, a kill, a stop, odd addresses."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask, request
from jinja2 import DictLoader

from flask_statuspage.documents import catalogue
from flask_statuspage.documents.snapshot import Snapshot
from flask_statuspage.services import mirror, overview
from flask_statuspage.services.mirror_examples import origin
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.folder import Outcome
from flask_statuspage.storage.session import current_engine, current_session
from tests.servers import nursery
from tests.services.test_mirror import LIVE, files, site, write
from tests.web.conftest import make_site, migrated
from tests.web.site import Site, SiteMaker

__all__ = ["make_site", "migrated", "site"]  # fixtures


def override(site: Site, **templates: str) -> None:
    """Let the host have templates of its own, as after a restart."""
    site.app.jinja_loader = DictLoader(
        {f"statuspage/{name}.html": text for name, text in templates.items()}
    )
    site.app.__dict__.pop("jinja_env", None)


def with_document(
    monkeypatch: pytest.MonkeyPatch, render: Callable[[Snapshot], bytes], *, name: str = "theme"
) -> None:
    """Another package's document in the place of one of ours."""
    documents = catalogue.documents("native")
    monkeypatch.setitem(documents, name, replace(documents[name], render=render))


def broken(snapshot: Snapshot) -> bytes:
    raise ZeroDivisionError("of another package")


def test_a_document_that_fails(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A document that cannot be made is logged and counted; its file stays as it was, and all others are written."""
    place = tmp_path / "m"
    site.made("/pages", name="Moonshot", slug="moon")
    write(site, place)
    before = (place / "theme.css").read_bytes()
    with_document(monkeypatch, broken)
    site.made("/incidents", title="Fire")
    site.ask("PATCH", "/pages/moon", {"visibility": "signed-in"})
    outcome = write(site, place)
    assert outcome.failures == {"theme.css": "ZeroDivisionError: of another package"}
    assert "ZeroDivisionError" in caplog.text
    assert (place / "theme.css").read_bytes() == before
    assert "Fire" in (place / "index.html").read_text(encoding="utf-8")
    assert "Fire" in (place / "api/feed.atom").read_text(encoding="utf-8")
    assert not (place / "moon").exists()


@pytest.mark.parametrize("name", ["home", "incident", "docs", "subscribe"])
def test_a_template_that_fails(site: Site, tmp_path: Path, name: str) -> None:
    """So does a page whose template is broken, or lacks one that it needs."""
    place = tmp_path / "m"
    write(site, place)
    everything = set(files(place))
    for text in ("{% include 'nowhere.html' %}", "{{ 1 / 0 }}", "{% if %}"):
        override(site, **{name: text})
        outcome = write(site, place)
        assert len(outcome.failures) == (2 if name == "incident" else 1)
        assert set(files(place)) == everything


def test_a_page_that_fails(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that cannot be read keeps its files; other pages are written, and those of private ones removed."""
    place = tmp_path / "m"
    for slug in ("first", "moon", "second"):
        site.made("/pages", name=slug.title(), slug=slug)
    write(site, place)
    site.ask("PATCH", "/pages/moon", {"visibility": "link"})
    site.ask("PATCH", "/pages/second", {"name": "Renamed"})
    first = {path for path in files(place) if path.startswith("first/")}
    read = overview.snapshot

    def snapshot(session: object, page: object) -> Snapshot:
        if page.slug == "first":  # type: ignore[attr-defined]
            raise LookupError("this page")
        return read(session, page)  # type: ignore[arg-type]

    monkeypatch.setattr(overview, "snapshot", snapshot)
    assert set(write(site, place).failures) == {"first/index.html"}
    assert {path for path in files(place) if path.startswith("first/")} == first
    assert "Renamed" in (place / "second/index.html").read_text(encoding="utf-8")
    assert not (place / "moon").exists()


KILLED = """
import os, signal, sys
from dataclasses import replace
from flask_statuspage.documents import catalogue
from flask_statuspage.services import mirror
from tests.web.site import build

def kill(snapshot):
    os.kill(os.getpid(), signal.SIGKILL)

documents = catalogue.documents("native")
documents["calendar"] = replace(documents["calendar"], render=kill)
site = build(url=sys.argv[1])
with site.app.app_context():
    mirror.write(sys.argv[2])
"""


def test_killed_before_the_page_went_private(site: Site, tmp_path: Path) -> None:
    """A first run gets SIGKILL in the middle, then the page is made private: the next run removes what was there."""
    place = tmp_path / "m"
    site.ask("PATCH", "/pages/main", {"name": "Moonshot"})
    url = site.app.config["SQLALCHEMY_DATABASE_URI"]
    done = nursery.run(
        ["-c", KILLED, url, str(place)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "Moonshot" in (place / "index.html").read_text(encoding="utf-8")
    site.ask("PATCH", "/pages/main", {"visibility": "signed-in"})
    assert write(site, place).removed > 5
    assert not (place / "index.html").exists()
    assert not any(b"Moonshot" in file.read_bytes() for file in place.rglob("*") if file.is_file())


def test_removed_before_anything_is_made(site: Site, tmp_path: Path) -> None:
    """When the first page is made, nothing of a private page is there any more."""
    place = tmp_path / "m"
    site.made("/pages", name="Moonshot", slug="moon")
    write(site, place)
    site.ask("PATCH", "/pages/moon", {"visibility": "signed-in"})
    seen = []
    override(site, home="{{ look() }}")
    site.app.jinja_env.globals["look"] = lambda: seen.append((place / "moon").exists())
    write(site, place)
    assert seen == [False]


def stopped(site: Site, place: Path, after: int) -> Outcome:
    """A run that is told to stop after so many files."""
    left = iter(range(after))
    with site.app.app_context():
        return mirror.write(str(place), stopping=lambda: next(left, None) is None)


def test_a_run_that_is_told_to_stop(site: Site, tmp_path: Path) -> None:
    """It stops between two files, loses none, and pages take turns, so that each is reached at last."""
    place = tmp_path / "m"
    site.made("/pages", name="Moonshot", slug="moon")
    site.made("/pages", name="Second", slug="second")
    write(site, place)
    everything = set(files(place))
    for slug in ("main", "moon", "second"):
        site.ask("PATCH", f"/pages/{slug}", {"name": f"Renamed {slug}"})
    for prefix in ("", "moon/", "second/"):
        outcome = stopped(site, place, 3)
        assert (outcome.complete, outcome.written) == (False, 3)
        assert "Renamed" in (place / f"{prefix}index.html").read_text(encoding="utf-8")
        assert set(files(place)) == everything
    gone = site.ask("GET", "/incidents").get_json()["items"][0]["id"]
    site.ask("DELETE", f"/incidents/{gone}")
    site.ask("PATCH", "/pages/moon", {"visibility": "signed-in"})
    assert stopped(site, place, 3).complete is False
    assert not (place / "moon").exists()
    assert (place / f"incidents/{gone}.html").exists()
    assert write(site, place).complete is True
    assert not (place / f"incidents/{gone}.html").exists()


def test_no_transaction_while_files_are_made(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection is held while documents are made, and the transaction of whoever calls is left alone."""
    held = []

    def look(snapshot: Snapshot) -> bytes:
        held.append(current_engine().pool.checkedout())  # type: ignore[attr-defined]
        return b""

    with_document(monkeypatch, look)
    write(site, tmp_path / "m")
    assert held == [0]
    with site.app.app_context():
        site.statuspage.open_incident("Not committed")
        session = current_session()
        mirror.write(str(tmp_path / "other"))
        assert session.in_transaction()
        session.rollback()
    assert "Not committed" not in (tmp_path / "other" / "index.html").read_text(encoding="utf-8")


def test_files_of_others(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the site's owner put there is not written over, and one document may not stand in another's way."""
    place = tmp_path / "m"
    write(site, place)
    (place / "robots.txt").write_text("theirs", encoding="utf-8")
    documents = catalogue.documents("native")
    other = replace(documents["theme"], name="other", paths=("robots.txt", "api", "../out.txt"))
    monkeypatch.setitem(documents, "other", other)
    for _ in range(2):
        assert set(write(site, place).failures) == {"robots.txt", "api", "../out.txt"}
    assert (place / "robots.txt").read_text(encoding="utf-8") == "theirs"
    assert not (tmp_path / "out.txt").exists()


HOME = """
{% extends base_template %}
{% block content %}{{ url_for('shop') }} {{ request.endpoint }} {{ request.blueprint }} {{ request.path }}
{{ request.host_url }} {{ from_ours }} {{ url_for('statuspage.docs') }}{% endblock %}
"""


@pytest.mark.parametrize("root", ["/", "/app"])
def test_a_host_that_looks_at_the_request(make_site: SiteMaker, tmp_path: Path, root: str) -> None:
    """A host's template finds the request that a reader's browser would make, whatever path a proxy puts before it."""

    def host(app: Flask) -> None:
        app.add_url_rule("/shop", "shop", lambda: "")
        contexts = app.template_context_processors["statuspage"]
        contexts.append(lambda: {"from_ours": f"seen {request.view_args}"})

    site = make_site(STATUSPAGE_PAGE_URL=LIVE, APPLICATION_ROOT=root, host=host)
    site.made("/pages", name="Second", slug="second")
    override(site, home=HOME)
    write(site, tmp_path / "m")
    prefix = root.rstrip("/")
    for path, slug in (("", None), ("second/", "second")):
        text = (tmp_path / "m" / f"{path}index.html").read_text(encoding="utf-8")
        assert f"{prefix}/shop statuspage.home statuspage /status/{path}\n" in text
        assert "https://status.acme.example/ seen" in text.replace("&#39;", "'")
        assert f"seen {{'page_slug': {slug!r}}} {prefix}/status/docs" in text.replace("&#39;", "'")


def test_a_mount_whose_path_is_not_known(make_site: SiteMaker, tmp_path: Path) -> None:
    """Below a part of the host's that only a request tells, pages are written all the same."""
    site = make_site(STATUSPAGE_PAGE_URL=LIVE, prefix="/<language>/status")
    with site.app.app_context():
        assert mirror.write(str(tmp_path / "m")).failures == {}


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://status.example.com/x", "https://status.example.com"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://[2001:db8::1]:8443/s", "https://[2001:db8::1]:8443"),
        ("https://Bücher.example", "https://xn--bcher-kva.example"),
        ("https://user:pass@a.example/", "https://a.example"),
        ('https://a";return/', None),
        ("https://a$uri.example", None),
        ("https://a;b.example", None),
        ("https://a'b.example", None),
        ("https://a b.example", None),
        ("https://a\n.example", "https://a.example"),  # as browsers read it
        ("https://a..example", None),
        ("https://a:x/", None),
        ("https://[::1/", None),
        ("ftp://a.example", None),
        ("", None),
    ],
)
def test_origins(url: str, written: str | None) -> None:
    """Only an origin of harmless characters is written into the configuration of a web server."""
    assert origin(url) == written


def test_an_address_with_odd_characters(make_site: SiteMaker, tmp_path: Path) -> None:
    """It breaks neither example, nor the mirror; nor does the name of the folder."""
    site = make_site(STATUSPAGE_PAGE_URL='https://a";return 301 $uri;}.example/s')
    place = tmp_path / 'm"; $x'
    assert write(site, place).failures == {}
    for name in ("nginx.example.conf", "_headers"):
        text = (place / name).read_text(encoding="utf-8")
        policies = re.findall(r"Content-Security-Policy:? ?(.*)", text)
        assert len(policies) == 1
        assert "return" not in policies[0]
        assert "form-action 'self'; base-uri" in policies[0]
    assert 'root "/the/folder";' in (place / "nginx.example.conf").read_text(encoding="utf-8")


def test_headers_of_pages_and_documents(site: Site, tmp_path: Path) -> None:
    """In `_headers`, what other sites may read and keep is what is not a page, as behind nginx and on the live site."""
    write(site, tmp_path / "m")
    rules: dict[str, list[str]] = {}
    for line in (tmp_path / "m" / "_headers").read_text(encoding="utf-8").splitlines():
        if line.startswith("/"):
            rules[line] = found = []
        elif line.startswith("  "):
            found.append(line.strip().partition(":")[0])
    assert set(rules.pop("/*")) == {"Content-Security-Policy", "X-Content-Type-Options"}
    ends = tuple(pattern.removeprefix("/*") for pattern in rules)
    for names in rules.values():
        assert set(names) == {"Content-Type", "Cache-Control", "Access-Control-Allow-Origin"}
    for path in files(tmp_path / "m"):
        if path not in ("nginx.example.conf", "_headers"):
            assert path.endswith(ends) is not path.endswith(".html"), path


def test_old_pages_follow_templates(site: Site, tmp_path: Path) -> None:
    """What is over is rendered again when the host overrides a template, or one that it includes, and only then."""
    place = tmp_path / "m"
    write(site, place)
    over = next(
        item["id"]
        for item in site.ask("GET", "/incidents").get_json()["items"]
        if item["status"] == "resolved"
    )
    page = place / f"incidents/{over}.html"
    incident = "{% include 'statuspage/part.html' %}"
    seen = []
    for part in ("one", "one", "two"):
        override(site, incident=incident, part=part)
        write(site, place)
        seen.append((page.read_text(encoding="utf-8"), os.stat(page).st_mtime_ns))
    assert [text for text, _ in seen] == ["one", "one", "two"]
    assert seen[0] == seen[1]


def note(site: Site, outcome: Outcome) -> tuple[bool, bool]:
    """Whether the state is written after *outcome*, now and two minutes later."""
    with site.app.app_context():
        session = current_session()
        state = mirror.state_of_pages(session)
        mirror.note_written(session, state, outcome)
        session.commit()
        now = mirror.is_written(session, state)
        later = utc_now() + timedelta(minutes=2)
        lasts = mirror.LASTS
        return now, mirror.leases.is_noted(session, "mirror", state, later, lasts=lasts)


def test_what_is_noted(site: Site) -> None:
    """A run counts for five minutes, one with failures for one, one that was stopped not at all; a change ends all."""
    assert note(site, Outcome(complete=False)) == (False, False)
    assert note(site, Outcome()) == (True, True)
    assert note(site, Outcome(failures={"a": "b"})) == (True, False)
    site.made("/incidents", title="Fire")
    with site.app.app_context():
        session = current_session()
        assert not mirror.is_written(session, mirror.state_of_pages(session))
