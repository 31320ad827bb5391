"""The page `docs`: its examples run as they stand, its list is what there is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib  # type: ignore[import-untyped]
import pytest

from flask_statuspage.documents import catalogue
from flask_statuspage.domain.status import ComponentStatus
from tests.servers.http import Receiver
from tests.servers.process import free_port
from tests.servers.wsgi import serving
from tests.web.site import SiteMaker


def tree(html: str) -> Element:
    found: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return found


def text_of(element: Element) -> str:
    return "".join(element.itertext())


def commands(page: Element) -> list[tuple[str, str]]:
    """Each command of the page with the answer that is printed below it."""
    found = []
    for box in page.iter("div"):
        blocks = [code for pre in box.findall("pre") for code in pre.findall("code")]
        is_example = "sp-example" in (box.get("class") or "") and bool(blocks)
        if is_example and blocks[0].get("class") == "sp-command":
            found.append((text_of(blocks[0]), text_of(blocks[1]) if blocks[1:] else ""))
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl in PATH")
def test_examples_do_what_they_say(
    make_site: SiteMaker, receiver: Receiver, tmp_path: Path
) -> None:
    """Every command of the page, run in a shell, prints what the page says it prints."""
    port = free_port()
    site = make_site(
        STATUSPAGE_PAGE_URL=f"http://127.0.0.1:{port}/status",
        STATUSPAGE_ALLOW_PRIVATE_TARGETS=True,
        STATUSPAGE_ALLOW_HTTP_TARGETS=True,
    )
    site.made("/components", name="It's <b>API</b> & co")
    with serving(site.app, port):
        found = commands(tree(site.get("/docs").text))
        assert len(found) == 4
        for command, expected in found:
            ready = command.replace("https://example.com/webhook", receiver.url)
            done = subprocess.run(
                ["sh", "-ec", ready.replace("curl ", "curl --fail-with-body ")],
                capture_output=True,
                text=True,
                cwd=tmp_path,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            if expected.startswith("{"):
                assert without_spaces(expected) == without_spaces(done.stdout)
            elif expected:
                assert done.stdout.split() == expected.split()
            else:
                assert '"success": true' in done.stdout
    (subscription,) = site.ask("GET", "/subscriptions").get_json()["items"]
    assert subscription["address"].rstrip("/") == receiver.url


def without_spaces(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("dialect", ["native", "statuspage"])
def test_every_document_is_listed(make_site: SiteMaker, dialect: str) -> None:
    """Each document of the catalogue is on the page, once, and its link leads to it."""
    site = make_site(STATUSPAGE_API_DIALECT=dialect)
    site.made("/components", name="API")
    page = tree(site.get("/docs").text)
    listed = [text_of(path) for entry in page.iter("dl") for path in entry.iter("dt")]
    listed = [path for path in listed if path.startswith("/")]
    assert len(set(listed)) == len(listed)
    paths = {
        f"/{document.paths[0].replace('<component_slug>', '{component}')}"
        for document in catalogue.documents(dialect).values()
        if document.name != "theme"
        and not (dialect == "statuspage" and document.paths[0].startswith("statuspage/"))
    }
    assert set(listed) == paths
    for link in page.iter("a"):
        address = link.get("href") or ""
        if address.startswith("/"):
            assert site.client.get(address).status_code == 200, address
    for image in page.iter("img"):
        assert site.client.get(image.get("src") or "").mimetype == "image/svg+xml"


def test_without_components_and_webhooks(make_site: SiteMaker) -> None:
    """An empty page that takes no webhooks has a page `docs`, too, which does not offer what is not there."""
    site = make_site(STATUSPAGE_WEBHOOK_SIGNUP="closed")
    html = site.get("/docs").text
    assert "action=subscribe" not in html
    assert len(commands(tree(html))) == 3


def test_another_page_has_its_own(make_site: SiteMaker) -> None:
    """Below a page's slug the examples are that page's."""
    site = make_site(STATUSPAGE_PAGE_URL="https://status.acme.example")
    site.made("/pages", name="Second", slug="second")
    assert "https://status.acme.example/second/api/v2/status.json" in site.get("/second/docs").text


def test_every_status_is_told_in_the_words_of_each_document(make_site: SiteMaker) -> None:
    """A table has each status once, as people, the native API and Statuspage's call it."""
    page = tree(make_site().get("/docs").text)
    (table,) = page.iter("table")
    rows = [[text_of(cell) for cell in row] for row in table.findall("tbody/tr")]
    assert len(rows) == len(ComponentStatus)
    assert ["Major outage", "down", "major_outage", "critical"] in rows
    assert ["Not known", "unknown", "operational", "none"] in rows
