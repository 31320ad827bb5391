"""What an http monitor finds in the body of an answer."""

from __future__ import annotations

import gzip
import json
import sys
import time
import tracemalloc
import zlib
from typing import Any

import pytest

from flask_statuspage.domain.verdict import Verdict
from tests.outgoing.peer import Peer, answer_all
from tests.probing.asking_http import HTTP, LOOPBACK, ask, order
from tests.servers.http import Answer, Target

MIB = 1024 * 1024
MISSING = "The keyword is missing"
PRESENT = "The answer has the keyword that it must not have"


def html(body: str | bytes, content_type: str = "text/html", **headers: str) -> Answer:
    body = body if isinstance(body, bytes) else body.encode()
    return Answer(body=body, headers={"Content-Type": content_type, **headers})


def test_a_keyword_must_be_there(target: Target) -> None:
    """As it is written, anywhere in the body; without it the answer is none."""
    url = target.set("/", html("<p>All systems go</p>"))
    assert ask(url, keyword="systems go").outcome is Verdict.UP
    found = ask(url, keyword="Systems go")
    assert (found.outcome, found.code, found.error) == (Verdict.DOWN, 200, MISSING)


def test_a_keyword_must_not_be_there(target: Target) -> None:
    """A page that is answered with 200 may say itself that it does not work."""
    url = target.set("/", html("<p>Database error</p>"))
    found = ask(url, keyword_absent="error")
    assert (found.outcome, found.code, found.error) == (Verdict.DOWN, 200, PRESENT)
    assert ask(url, keyword_absent="Error").outcome is Verdict.UP
    assert ask(url, keyword="Database", keyword_absent="error").error == PRESENT


def test_the_status_is_told_first(target: Target) -> None:
    """An error's page has no keyword, but that is not what is wrong."""
    url = target.set("/", Answer(status=500, body=b"sorry"))
    assert ask(url, keyword="welcome").error == "Answered 500"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html; charset=utf-8", "Grüße".encode()),
        ("text/html", "Grüße".encode()),
        ("text/html; charset=iso-8859-1", "Grüße".encode("latin-1")),
        ('text/html; charset="Windows-1252"', "Grüße".encode("cp1252")),
        ("text/html; charset=utf-16", "Grüße".encode("utf-16")),
        ("text/html; charset=UTF-16BE", "Grüße".encode("utf-16-be")),
        ("text/html", b'<meta charset="latin1">' + "Grüße".encode("latin-1")),
        (
            "text/html",
            b"<meta content='text/html; charset=macintosh'>" + "Grüße".encode("macroman"),
        ),
        ("text/plain; charset=latin1", b"\xef\xbb\xbf" + "Grüße".encode()),
        ("text/html; charset=no-such-thing", "Grüße".encode()),
        ("text/html; charset=punycode", "Grüße".encode()),
        ("text/html; charset=zip", "Grüße".encode()),
        ("", "Grüße".encode()),
    ],
)
def test_a_keyword_is_found_in_every_charset(
    target: Target, content_type: str, body: bytes
) -> None:
    """The one that a byte order mark, the header or the page itself names; one that nobody knows is UTF-8."""
    url = target.set("/", html(body, content_type))
    assert ask(url, keyword="Grüße").error is None
    assert ask(url, keyword_absent="Grüße").error == PRESENT


@pytest.mark.parametrize(
    ("charset", "text"), [("shift_jis", "障害"), ("gb18030", "故障"), ("euc-kr", "장애")]
)
def test_a_keyword_in_east_asian_charsets(target: Target, charset: str, text: str) -> None:
    """Compared as texts, not as bytes."""
    url = target.set("/", html(f"<p>{text}</p>".encode(charset), f"text/html; charset={charset}"))
    assert ask(url, keyword=text).error is None


def test_bytes_that_are_no_text_are_searched(target: Target) -> None:
    """A broken character costs nothing but itself."""
    url = target.set("/", html(b"\xff\xfeok\x81", "text/plain; charset=cp1252"))
    assert ask(url, keyword="nothing").error == MISSING
    url = target.set("/", html(b"\x80\x81 fine", "text/plain; charset=cp1252"))
    assert ask(url, keyword="fine").error is None


def test_the_first_mebibyte_is_searched(target: Target) -> None:
    """What is longer is read that far: a keyword may be missing, and that another one is absent cannot be told."""
    body = b"begin" + b"x" * (MIB - 5) + b"end"
    url = target.set("/", Answer(body=body))
    assert ask(url, keyword="begin").outcome is Verdict.UP
    found = ask(url, keyword="end")
    assert found.outcome is Verdict.DOWN
    assert found.error == "The keyword is missing in the first MiB of the answer"
    assert ask(url, keyword_absent="begin").error == PRESENT
    found = ask(url, keyword_absent="end")
    assert found.outcome is Verdict.DEGRADED
    assert found.error == "The answer is too long to be searched to its end"
    target.set("/", Answer(body=body[3:]))
    assert ask(url, keyword="end").outcome is Verdict.UP
    assert ask(url, keyword_absent="nothing").outcome is Verdict.UP


def test_a_huge_body_takes_little_memory_and_time() -> None:
    """A server that never stops sending is left after the first mebibyte."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n"

    def flood(connection: Any) -> None:
        connection.read_request()
        connection.send(head)
        while True:
            connection.send(b"x" * 65536)

    with Peer(flood) as peer:
        tracemalloc.start()
        started = time.monotonic()
        found = ask(peer.url, keyword="end", timeout=20)
        assert time.monotonic() - started < 10
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found.error == "The keyword is missing in the first MiB of the answer"
    assert peak < 12 * MIB


def test_a_body_that_nobody_looks_at_is_not_read(target: Target) -> None:
    """A plain check takes a few kilobytes of a long answer, and drips of one end with its timeout."""
    url = target.set("/", Answer(body=b"x" * 200_000))
    options = HTTP.check_options({}, LOOPBACK)
    with HTTP.open(LOOPBACK) as asker:
        answers: list[int] = []
        send = asker._client.send  # type: ignore[attr-defined]

        def noted(*args: Any, **kwargs: Any) -> Any:
            answers.append(kwargs["read_limit"])
            return send(*args, **kwargs)

        asker._client = type("Noting", (), {"send": staticmethod(noted)})()  # type: ignore[attr-defined]
        assert asker.ask(order(url, options=options)).outcome is Verdict.UP
    assert answers == [16 * 1024]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("X-GZIP", gzip.compress), ("deflate", zlib.compress)],
)
def test_a_packed_answer_is_unpacked(target: Target, encoding: str, pack: Any) -> None:
    """Though nobody asked for it: some servers have nothing else."""
    url = target.set("/", html(pack(b'{"ok": true}'), **{"Content-Encoding": encoding}))
    assert ask(url, keyword="ok", json_condition="ok").error is None
    assert ask(url, keyword="no").error == MISSING
    assert target.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("br", b"\x0b\x02\x80ok\x03"), ("gzip", b"no gzip"), ("gzip, gzip", gzip.compress(b"x"))],
    ids=["unknown", "none", "twice"],
)
def test_an_answer_that_cannot_be_unpacked(target: Target, encoding: str, body: bytes) -> None:
    """Another packing, or a broken one, is an answer that nobody can read."""
    url = target.set("/", html(body, **{"Content-Encoding": encoding}))
    found = ask(url, keyword="x")
    assert (found.outcome, found.error) == (Verdict.DOWN, "The answer cannot be unpacked")
    assert ask(url).outcome is Verdict.UP


@pytest.mark.parametrize("end", [b"", b"\0" * 512, b"\x1f"])
def test_every_member_of_a_packed_answer_is_unpacked(target: Target, end: bytes) -> None:
    """A gzip may be several put together, and end in padding."""
    body = b"".join(map(gzip.compress, (b'{"ok"', b"", b": true", b"}"))) + end
    url = target.set("/", html(body, **{"Content-Encoding": "gzip"}))
    assert ask(url, keyword="true}", json_condition="ok").error is None
    assert ask(url, keyword_absent="false").error is None


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (gzip.compress(b"x" * 500)[:-9], "The answer is too long to be searched to its end"),
        (b"\x1f\x8bno member", "The answer cannot be unpacked"),
    ],
    ids=["cut", "broken"],
)
def test_a_member_that_is_not_whole(target: Target, end: bytes, error: str) -> None:
    """It is not taken for all of the answer, whichever member it is."""
    url = target.set("/", html(gzip.compress(b"ok") + end, **{"Content-Encoding": "gzip"}))
    assert ask(url, keyword_absent="no").error == error


@pytest.mark.parametrize(
    "member", [b"", b"\0" * MIB, b"\0" * 9999], ids=["empty", "as the limit", "small"]
)
def test_a_bomb_of_many_members_is_bounded(target: Target, member: bytes) -> None:
    """As many as come into the limit take neither memory nor time, and the answer is not called complete."""
    packed = gzip.compress(member)
    body = packed * ((MIB - 1) // len(packed))
    url = target.set("/", html(body, **{"Content-Encoding": "gzip"}))
    tracemalloc.start()
    used = time.process_time()
    found = ask(url, keyword_absent="end")
    used = time.process_time() - used
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.error == "The answer is too long to be searched to its end"
    assert peak < 12 * MIB
    assert used < 10


def test_a_bomb_is_unpacked_no_further_than_the_limit(target: Target) -> None:
    """Fifty times the limit never comes to be."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(bomb.compress(b"\0" * MIB) for _ in range(50)) + bomb.flush()
    url = target.set("/", html(body, **{"Content-Encoding": "gzip"}))
    tracemalloc.start()
    found = ask(url, keyword="end")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.error == "The keyword is missing in the first MiB of the answer"
    assert peak < 12 * MIB
    assert ask(url, keyword_absent="end").outcome is Verdict.DEGRADED


def said(target: Target, document: Any, condition: str) -> str | None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    url = target.set("/status", Answer(body=body, headers={"Content-Type": "application/json"}))
    found = ask(url, json_condition=condition)
    assert found.outcome is (Verdict.UP if found.error is None else Verdict.DOWN)
    return found.error


UNMET = "The condition on the JSON answer is not met"
UNFIT = "The condition does not fit the JSON answer"


@pytest.mark.parametrize(
    ("document", "condition", "error"),
    [
        ({"status": "ok"}, "status == 'ok'", None),
        ({"status": "bad"}, "status == 'ok'", UNMET),
        ({}, "status == 'ok'", UNMET),
        ({"checks": [{"up": True}, {"up": False}]}, "checks[?!up]", None),
        ({"checks": [{"up": True}]}, "checks[?!up]", UNMET),
        ({"checks": [{"up": True}]}, "length(checks[?!up]) == `0`", None),
        ({"lag": 3}, "lag < `5`", None),
        ({"lag": 7}, "lag < `5`", UNMET),
        ({"ok": True}, "ok", None),
        ({"ok": False}, "ok", UNMET),
        ({"ok": None}, "ok", UNMET),
        ({"ok": ""}, "ok", UNMET),
        ({"ok": []}, "ok", UNMET),
        ({"ok": {}}, "ok", UNMET),
        ({"ok": 0}, "ok", None),
        ([1, 2], "@", None),
        ({"n": 5}, "length(n) == `1`", UNFIT),
        (b'{"n": 1e999}', "ceil(n) > `1`", UNFIT),
        (b'{"n": NaN}', "floor(n) == `1`", UNFIT),
        ({"n": "x1"}, "contains(n, `1`)", UNFIT),
        ({"n": [1]}, "n[::0]", UNFIT),
        ({"n": [{"k": 1}, {"k": "x"}]}, "sort_by(n, &k)", UNFIT),
        (b"<html>", "ok", "The answer is not JSON"),
        (b"", "ok", "The answer is not JSON"),
        (b"\xff\xff", "ok", "The answer is not JSON"),
        (b"[" * 200_000, "ok", "The answer is not JSON"),
        (b"1" * 10_000, "ok", "The answer is not JSON"),
        (b'{"a": "' + b"x" * MIB + b'"}', "a", "The JSON answer is too long"),
        (
            [{"a": 1}] * 90_000,
            "[*].[a, a][].[@, @][]",
            "The JSON answer is too large for the condition",
        ),
    ],
)
def test_a_condition_on_json(target: Target, document: Any, condition: str, error: str) -> None:
    """True is what JMESPath takes for true; what is no JSON, or does not fit, is told apart from false."""
    assert said(target, document, condition) == error


def test_a_package_that_was_removed_says_nothing_of_the_target(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved condition that cannot be asked any more is no outage."""
    options = HTTP.check_options({"json_condition": "ok"}, LOOPBACK)
    monkeypatch.setitem(sys.modules, "flask_statuspage.probing.json_condition", None)
    monkeypatch.delattr("flask_statuspage.probing.json_condition", raising=False)
    with HTTP.open(LOOPBACK) as asker:
        found = asker.ask(order(target.set("/", Answer(body=b"{}")), options=options))
    assert (found.outcome, found.error) == (Verdict.UNKNOWN, "The package jmespath is missing")


def test_errors_have_nothing_of_the_answer(target: Target) -> None:
    """Everybody may read them: neither the body nor the address nor a condition's own text stands in one."""
    url = target.set("/hunter2", Answer(body=b'{"hunter2": "hunter2"}'))
    for options in (
        {"keyword": "hunter3"},
        {"keyword_absent": "hunter2"},
        {"json_condition": "hunter2 == 'hunter3'"},
        {"json_condition": "abs(hunter2)"},
    ):
        error = ask(url, **options).error
        assert error
        assert "hunter" not in error
        assert "127.0.0.1" not in error


def test_a_dripping_body_ends_at_the_timeout() -> None:
    """A server that sends the keyword bit by bit has as long as any other."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

    def drip(connection: Any) -> None:
        connection.read_request()
        connection.send(head)
        connection.drip(b"x" * 1000, pause=0.05)

    with Peer(drip) as peer:
        found = ask(peer.url, keyword="x", timeout=0.3)
    assert (found.outcome, found.error) == (Verdict.DOWN, "No answer in time")


def test_no_length_is_fine() -> None:
    """An answer in pieces, or one that ends with the connection, is searched like any other."""
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nkey\r\n4\r\nword\r\n0\r\n\r\n"
    )
    with Peer(answer_all(chunked)) as peer:
        assert ask(peer.url, keyword="keyword").outcome is Verdict.UP
