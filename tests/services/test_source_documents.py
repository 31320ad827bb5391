"""Fetching a Statuspage: the guard, bounds of size and time, and one clear line for all that can go wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.errors import Invalid
from flask_statuspage.outgoing.site import site_client
from flask_statuspage.services import source_documents
from flask_statuspage.services.source_documents import MAX_BYTES, fetch
from flask_statuspage.storage.base import utc_now
from tests.servers.http import Answer, Target
from tests.servers.process import free_port
from tests.servers.statuspage import FakeStatuspage

OPEN = Settings(allow_http_targets=True, allow_private_targets=True)
DOCUMENTS = ("summary", "components", "incidents", "scheduled-maintenances")


@pytest.fixture
def there(target: Target) -> Iterator[FakeStatuspage]:
    yield FakeStatuspage(target, utc_now())
    site_client(OPEN, source_documents.USER_AGENT).close()


def refusal(url: str, settings: Settings = OPEN) -> str:
    with pytest.raises(Invalid) as raised:
        fetch(url, settings)
    message = str(raised.value)
    assert message.isprintable()
    assert len(message) < 600
    return message


def test_four_requests(there: FakeStatuspage) -> None:
    """Each document is asked for once, politely."""
    page = fetch(there.url, OPEN)
    assert (len(page.components), len(page.incidents), len(page.maintenances)) == (5, 30, 4)
    assert [request.path for request in there.target.requests] == [
        f"/api/v2/{name}.json" for name in DOCUMENTS
    ]
    assert {request.headers["Accept"] for request in there.target.requests} == {"application/json"}
    assert {request.headers["User-Agent"] for request in there.target.requests} == {
        "Flask-StatusPage import"
    }


@pytest.mark.parametrize("tail", ["/", "/api/v2", "/api/v2/summary.json", " "])
def test_addresses_that_mean_the_page(there: FakeStatuspage, tail: str) -> None:
    """What people copy from a browser or a script leads to the page."""
    assert len(fetch(there.url + tail, OPEN).components) == 5


@pytest.mark.parametrize("mark", ["?page=2", "#components"])
def test_addresses_with_more_than_a_path(mark: str) -> None:
    """A query or fragment would be lost silently."""
    assert "query or fragment" in refusal(f"https://status.example.com/{mark}")


def test_private_addresses_need_permission(there: FakeStatuspage) -> None:
    """Without the settings neither loopback nor plain http is asked, not with one request."""
    assert "https://" in refusal(there.url, Settings())
    message = refusal(there.url, replace(OPEN, allow_private_targets=False))
    assert message.startswith("URL: The address")
    assert "public internet" in refusal("https://127.0.0.1/", Settings())
    assert there.target.requests == []


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("status", [404, 500, 304, 204])
def test_answers_that_are_no_document(there: FakeStatuspage, name: str, status: int) -> None:
    """Whichever of the four fails, the line names its address and the status."""
    there.target.set(f"/api/v2/{name}.json", Answer(status=status, body=b"{}"))
    message = refusal(there.url)
    assert f"/api/v2/{name}.json answered {status}." in message


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://www.fjordwerk.example/api/v2/summary.json", "https://www.fjordwerk.example"),
        ("/new/api/v2/summary.json", "/new instead"),
        ("https://x\x1bc.example/", "https://x?c.example"),
        ("http://[", "where it leads"),
        ("https://x.example/" + "y" * 3000, "…"),
    ],
)
def test_redirects_are_not_followed(there: FakeStatuspage, location: str, told: str) -> None:
    """The line says where the page is now, so that the operator decides."""
    path = "/api/v2/summary.json"
    there.target.set(path, Answer(status=301, headers={"Location": location}))
    message = refusal(there.url)
    assert "redirects; import from " in message
    assert told in message
    assert [request.path for request in there.target.requests] == [path]


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"<!doctype html><title>Hello</title>",
            b'{"incidents": [',
            b"\xff\xfe{}",
            b"{'a': 1}",
        ),
        b'{"components": NaN}',
        b'{"position": ' + b"9" * 10_000 + b"}",
        b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        b"[" * 1_000_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_answers_that_are_not_json(there: FakeStatuspage, body: bytes) -> None:
    """HTML, half an answer, another encoding, endless nesting and numbers: one line, no traceback."""
    there.answer("incidents", body)
    assert "/api/v2/incidents.json is not JSON that can be read." in refusal(there.url)


@pytest.mark.parametrize("body", [b"null", b"[]", b"7", b'"incidents"', b"[[[[]]]]"])
def test_json_that_is_no_page(there: FakeStatuspage, body: bytes) -> None:
    """JSON of another kind is named by its file."""
    there.answer("incidents", body)
    assert refusal(there.url) == "incidents.json: Must be an object."


def test_answers_that_are_too_large(there: FakeStatuspage) -> None:
    """Five megabytes are not read to their end, whatever the answer said of its length."""
    there.answer("components", b'{"components": [' + b" " * (5 * 1024 * 1024) + b"]}")
    assert f"has more than {MAX_BYTES // 1024**2} MB." in refusal(there.url)


def test_a_hundred_thousand_updates(there: FakeStatuspage) -> None:
    """They fit into an answer that may be read, and are refused before they are looked at."""
    updates = [{"id": str(number)} for number in range(100_000)]
    there.incidents[7]["incident_updates"] = updates
    there.publish()
    started = time.monotonic()
    assert "incidents[7].incident_updates: Has 100000 entries" in refusal(there.url)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("answer", [Answer(hang=True), Answer(body=b"{" * 60, drip=0.1)])
def test_answers_that_take_too_long(
    there: FakeStatuspage, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One deadline over each whole answer, also when it drips."""
    monkeypatch.setattr(source_documents, "TIMEOUT", 0.7)
    there.target.set("/api/v2/summary.json", answer)
    started = time.monotonic()
    assert "no complete answer within" in refusal(there.url)
    assert time.monotonic() - started < 5


def test_nobody_answers() -> None:
    """A refused connection is one line."""
    assert "the connection failed" in refusal(f"http://127.0.0.1:{free_port()}")


def test_authorities_that_cannot_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told as a fault of this server's, and the log names the file."""
    gone = str(tmp_path / "gone.pem")
    message = refusal("https://127.0.0.1:9", replace(OPEN, ca_file=gone))
    assert "this server cannot call it now" in message
    assert gone not in message
    assert gone in caplog.text


def test_a_byte_order_mark(there: FakeStatuspage) -> None:
    """Some servers put one before their JSON."""
    document: Any = b"\xef\xbb\xbf" + b'{"components": []}'
    there.answer("components", document)
    assert fetch(there.url, OPEN).components == ()
