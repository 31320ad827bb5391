"""The mirror behind nginx: kept by the workers, shown by a browser, standing while the site is down."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.example.example import ROOT
from tests.servers import nginx, nursery
from tests.servers.presence import started
from tests.servers.process import free_port
from tests.story.site import Site, eventually, running_site

ARTEFACTS = ROOT / "tests" / "artefacts"


@contextmanager
def web_server(site: Site, port: int) -> Iterator[None]:
    """The live site, as a process."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = nursery.Popen(
        ["-m", "flask", "--app", "site_app", "run", "--port", str(port)],
        cwd=site.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(
            lambda: _answers(f"http://127.0.0.1:{port}/status/"), within=30, what="the live site"
        )
        yield
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def site(tmp_path: Path, port: int) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    with running_site(
        folder,
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'site.db'}",
        STATUSPAGE_PAGE_URL=f"http://127.0.0.1:{port}/status",
        STATUSPAGE_MIRROR_DIR=str(tmp_path / "mirror"),
        STATUSPAGE_SMTP_URL="smtp://127.0.0.1:9",
        STATUSPAGE_EMAIL_FROM="status@site.test",
    ) as site:
        site.api("POST", "components", {"name": "Checkout"})
        site.api("POST", "pages", {"name": "Second", "slug": "second"})
        yield site


def in_nginx(stack: ExitStack, mirror: Path) -> str:
    """The URL of an nginx with the example that lies beside the files."""
    conf = (mirror / "nginx.example.conf").read_text(encoding="utf-8")
    return started(stack, "nginx", lambda: nginx.running(conf))


def test_kept_by_the_workers(site: Site, tmp_path: Path, port: int, browser: Browser) -> None:
    """A change is in the mirror within seconds; nginx serves it as the site would, also while the site is down; in a
    browser both look the same, and the mirror's form reaches the live site."""
    mirror = tmp_path / "mirror"
    with ExitStack() as stack:
        runner = site.start("run")
        eventually(lambda: (mirror / "nginx.example.conf").is_file(), within=20, what="the mirror")
        url = in_nginx(stack, mirror)
        incident = site.api(
            "POST",
            "incidents",
            # Degraded: with downtime the uptime would be another one at each look.
            {"title": "Payments fail", "components": {"checkout": "degraded_performance"}},
        )
        eventually(
            lambda: "Payments fail" in requests.get(f"{url}/", timeout=5).text,
            within=30,
            what="the change in the mirror",
        )
        with web_server(site, port):
            live = f"http://127.0.0.1:{port}/status"
            check_answers(url, live, incident["id"])
            look(browser, url, live)
        runner.terminate()
        runner.wait(20)
        assert not _answers(f"http://127.0.0.1:{port}/status/")
        answer = requests.get(f"{url}/api/v2/summary.json", timeout=5)
        assert answer.json()["incidents"][0]["name"] == "Payments fail"


def check_answers(url: str, live: str, incident_id: str) -> None:
    """The addresses of the live site lead to the same in the mirror, with the same types and rights."""
    for path in (
        "api/v2/status.json",
        "api/v2/summary.json",
        "api/v2/incidents/unresolved.json",
        "statuspage/api/v2/components.json",
        "api/feed.xml",
        "feed",
        "api/feed.atom",
        "api/calendar.ics",
        "api/incidents.csv",
        "api/v2/badge.svg",
        "api/openapi.json",
        "theme.css",
        "components/checkout/feed.xml",
        "components/checkout/feed",
        "components/checkout/api/feed.atom",
        "api/components/checkout/calendar.ics",
        "api/v2/components/checkout/uptime.svg",
        "second/api/v2/status.json",
        "second/feed",
    ):
        there, here = (requests.get(f"{base}/{path}", timeout=5) for base in (url, live))
        assert (there.status_code, here.status_code) == (200, 200), path
        assert there.content == here.content, path
        types = [answer.headers["Content-Type"].split(";")[0] for answer in (there, here)]
        assert types[0] == types[1], path
        assert there.headers["Access-Control-Allow-Origin"] == "*", path
        assert "max-age=5" in there.headers["Cache-Control"], path
        etag = there.headers["ETag"]
        again = requests.get(f"{url}/{path}", headers={"If-None-Match": etag}, timeout=5)
        assert again.status_code == 304, path
    for path in (
        *("", "docs", "subscribe", f"incidents/{incident_id}", "components/checkout"),
        *("history", f"history?month={datetime.now(UTC):%Y-%m}", "second/", "second"),
    ):
        answer = requests.get(f"{url}/{path}", timeout=5)
        assert answer.status_code == 200, path
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "no-cache" in answer.headers["Cache-Control"]
        assert "Access-Control-Allow-Origin" not in answer.headers
    for path in (".statuspage-mirror.json", "nginx.example.conf", "_headers", "nothing", "api"):
        assert requests.get(f"{url}/{path}", timeout=5).status_code in (403, 404), path


def look(browser: Browser, url: str, live: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    ARTEFACTS.mkdir(exist_ok=True)
    shots = []
    for name, base in (("live", live), ("mirror", url)):
        page.goto(f"{base}/")
        shots.append(page.locator("main").screenshot(path=ARTEFACTS / f"mirror-1-{name}.png"))
    assert shots[0] == shots[1]
    page.get_by_role("link", name="Payments fail").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Payments fail")
    assert page.url.startswith(f"{url}/incidents/")
    page.screenshot(path=ARTEFACTS / "mirror-2-incident.png")
    page.get_by_role("link", name="History", exact=True).click()
    expect(page).to_have_url(f"{url}/history.html")
    expect(page.get_by_role("link", name="Payments fail")).to_be_visible()
    page.screenshot(path=ARTEFACTS / "mirror-5-history.png", full_page=True)
    page.get_by_role("link", name="API", exact=True).click()
    expect(page).to_have_url(f"{url}/docs.html")
    page.screenshot(path=ARTEFACTS / "mirror-3-docs.png", full_page=True)
    page.get_by_role("link", name="Subscribe", exact=True).click()
    expect(page).to_have_url(f"{url}/subscribe.html")
    page.get_by_label("Email", exact=True).check()
    page.get_by_label("Email address").fill("ann@example.com")
    page.get_by_role("button", name="Subscribe").click()
    expect(page).to_have_url(f"{live}/subscribe")
    expect(page.get_by_text("ann@example.com").or_(page.get_by_text("link")).first).to_be_visible()
    page.screenshot(path=ARTEFACTS / "mirror-4-subscribed.png")
    assert troubles == []
    context.close()
