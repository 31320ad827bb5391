"""The files of pages: small on the wire, kept for ever under an address that changes with them."""

from __future__ import annotations

import gzip
import re

import pytest

from flask_statuspage.documents.assets import FOLDER

from .site import Site, SiteMaker

FOR_EVER = "public, max-age=31536000, immutable"


def addresses(site: Site) -> list[str]:
    """Of all files that the page is shown with."""
    return re.findall(r'(?:href|src)="(/status/assets/[^"]+)"', site.get("/").text)


def test_pages_name_files_by_their_mark(site: Site) -> None:
    """Each file of the page is answered as one that never changes under that address."""
    found = addresses(site)
    assert {re.split("[/?]", address)[3] for address in found} == {
        "statuspage.css",
        "statuspage.js",
        "icon.svg",
    }
    for address in found:
        answer = site.client.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["Cache-Control"] == FOR_EVER, address
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("query", ["", "?v=", "?v=000000000000", "?v=%F0%9F%92%A5"])
def test_other_addresses_are_asked_for_again(site: Site, query: str) -> None:
    """Without the mark of the file as it is nobody keeps it, so that an old page gets no new file for ever."""
    answer = site.get(f"/assets/statuspage.css{query}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


def test_files_are_compressed_and_conditional(site: Site) -> None:
    """Whoever accepts gzip gets it, and who has the file is told so."""
    plain = site.get("/assets/statuspage.js")
    zipped = site.get("/assets/statuspage.js", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(zipped.data) == plain.data == (FOLDER / "statuspage.js").read_bytes()
    assert zipped.headers["Vary"] == "Accept-Encoding"
    again = site.get("/assets/statuspage.js", headers={"If-None-Match": plain.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "name", ["nothing.css", "../config.py", "%2e%2e/config.py", "a/b.css", "💥"]
)
def test_no_other_file(site: Site, name: str) -> None:
    """Only what lies in the folder is a file of the pages."""
    assert site.get(f"/assets/{name}").status_code == 404


def test_marks_below_any_address(make_site: SiteMaker) -> None:
    """Pages under a slug name the same files, at their one address."""
    site = make_site()
    site.made("/pages", name="Second", slug="second")
    assert addresses(site)[0] in site.get("/second/").text


def test_script_size() -> None:
    """The script has at most 4 KB on the wire."""
    assert len(gzip.compress((FOLDER / "statuspage.js").read_bytes())) <= 4 * 1024


def test_the_script_makes_no_markup_from_strings() -> None:
    """No sink of Trusted Types and nothing that a strict policy refuses is in any script."""
    for script in FOLDER.glob("*.js"):
        refused = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval\(|new Function|srcdoc|"
            r"setAttribute\(\"style|cssText",
            script.read_text(encoding="utf-8"),
        )
        assert refused == [], script.name
