"""What an http monitor can be told, and what it cannot."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from flask_statuspage.errors import Invalid
from tests.probing.asking_http import HTTP, LOOPBACK

BASIC = {"type": "basic", "username": "u", "password": "p"}
BEARER = {"type": "bearer", "token": "t"}

WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"method": "BREW"}, "method", "Must be one of"),
    ({"method": "get"}, "method", "Must be one of"),
    ({"method": ["GET"]}, "method", "Must be one of"),
    *(
        ({"expected_status": value}, "expected_status", "Must be a status such as 200")
        for value in ([], 99, 600, True, "20x", "9xx", [200, None], {}, [200] * 51)
    ),
    ({"colour": "red"}, "colour", "There is no such field"),
    ({"headers": []}, "headers", "Must be an object."),
    ({"headers": {"X": 5}}, "headers.X", "Must be a text."),
    ({"headers": {"X": "\x00"}}, "headers.X", "cannot be stored"),
    ({"headers": {"X": "a\r\nb: c"}}, "headers", "The value of the header X cannot be sent"),
    ({"headers": {"a b": "c"}}, "headers", "A header name has characters"),
    ({"headers": {"Host": "example.com"}}, "headers", "The header Host cannot be set"),
    ({"headers": {"X-A": "1", "x-a": "2"}}, "headers", "Names a header twice"),
    ({"headers": {f"X-{number}": "1" for number in range(21)}}, "headers", "At most 20"),
    ({"headers": {"X": "a" * 4097}}, "headers", "at most 4096 characters"),
    ({"body": "x"}, "body", "A GET has no body"),
    ({"method": "HEAD", "body": "x"}, "body", "A HEAD has no body"),
    ({"method": "POST", "body": "x" * 10_001}, "body", "At most 10000 characters"),
    ({"method": "POST", "body": "\ud800"}, "body", "cannot be stored"),
    ({"method": "POST", "body": {}}, "body", "Must be a text."),
    ({"auth": "x"}, "auth", "Must be an object."),
    ({"auth": {}}, "auth.type", "Is missing"),
    ({"auth": {"type": "digest"}}, "auth.type", "Must be one of"),
    ({"auth": {**BASIC, "username": None}}, "auth.username", "Is missing"),
    ({"auth": {**BASIC, "username": ""}}, "auth.username", "Is missing"),
    ({"auth": {**BASIC, "username": "a:b"}}, "auth.username", "cannot be sent"),
    ({"auth": {**BASIC, "password": "a\nb"}}, "auth.password", "cannot be sent"),
    ({"auth": {**BASIC, "password": None}}, "auth.password", "Is missing"),
    ({"auth": {**BASIC, "token": "t"}}, "auth.token", "no such field with the type 'basic'"),
    ({"auth": {**BEARER, "password": "p"}}, "auth.password", "no such field with the type"),
    ({"auth": {"type": "bearer"}}, "auth.token", "Is missing"),
    ({"auth": {**BEARER, "token": "a\r\nX: b"}}, "auth.token", "cannot be sent"),
    ({"auth": {**BEARER, "tokn": "t"}}, "auth.tokn", "There is no such field"),
    ({"auth": BEARER, "headers": {"authorization": "x"}}, "auth", "a header Authorization"),
    ({"keyword": 5}, "keyword", "Must be a text."),
    ({"keyword": "x" * 1001}, "keyword", "At most 1000 characters"),
    ({"keyword_absent": ["x"]}, "keyword_absent", "Must be a text."),
    *(
        ({"method": "HEAD", name: "a"}, name, "The answer to a HEAD has no body")
        for name in ("keyword", "keyword_absent", "json_condition")
    ),
    ({"json_condition": "a["}, "json_condition", "Is no JMESPath expression: Inv"),
    ({"json_condition": "a" * 501}, "json_condition", "At most 500 characters"),
    ({"json_condition": 5}, "json_condition", "Must be a text."),
    ({"follow_redirects": "yes"}, "follow_redirects", "Must be true or false."),
    ({"follow_redirects": None}, "follow_redirects", "Must be true or false."),
    ({"verify_tls": 1}, "verify_tls", "Must be true or false."),
    ({"tls_expiry_days": -1}, "tls_expiry_days", "at least 0"),
    ({"tls_expiry_days": 3651}, "tls_expiry_days", "at most 3650"),
    ({"tls_expiry_days": "14"}, "tls_expiry_days", "Must be a whole number."),
    ({"down_over_ms": 0}, "down_over_ms", "at least 1"),
    ({"down_over_ms": True}, "down_over_ms", "Must be a whole number."),
]


@pytest.mark.parametrize(("options", "field", "message"), WRONG)
def test_a_wrong_option_is_named(options: dict[str, Any], field: str, message: str) -> None:
    """Each option that cannot be used is refused by its name, with what is wrong with it."""
    with pytest.raises(Invalid) as caught:
        HTTP.check_options(options, LOOPBACK)
    (error,) = caught.value.errors
    assert error.field == f"options.{field}"
    assert message in error.message


def test_what_is_wrong_does_not_tell_secrets() -> None:
    """Neither the answer nor a traceback has what was typed."""
    with pytest.raises(Invalid) as caught:
        HTTP.check_options({"auth": {**BASIC, "password": "hunter2\n"}}, LOOPBACK)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(caught.value.__cause__)


def test_options_have_defaults() -> None:
    """GET and any 2xx, unless something else is said; a single status becomes a list, and null days are none."""
    assert HTTP.check_options({}, LOOPBACK) == {
        "method": "GET",
        "headers": {},
        "body": None,
        "auth": None,
        "expected_status": ["2xx"],
        "keyword": None,
        "keyword_absent": None,
        "json_condition": None,
        "follow_redirects": False,
        "tls_expiry_days": 14,
        "verify_tls": True,
        "down_over_ms": None,
    }
    given = {"expected_status": 204, "tls_expiry_days": None, "keyword": "", "auth": BASIC}
    found = HTTP.check_options(given, LOOPBACK)
    assert (found["expected_status"], found["tls_expiry_days"]) == ([204], 0)
    assert (found["keyword"], found["auth"]) == (None, BASIC)


def test_what_is_checked_once_is_right_for_ever() -> None:
    """Stored options can be saved again as they are."""
    given = {"method": "POST", "auth": BEARER, "body": "x", "headers": {"A": "b"}}
    found = HTTP.check_options({**given, "json_condition": "a == `1`"}, LOOPBACK)
    assert HTTP.check_options(found, LOOPBACK) == found


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jmespath a condition is refused with the extra that brings it; nothing else needs it."""
    monkeypatch.setitem(sys.modules, "flask_statuspage.probing.json_condition", None)
    monkeypatch.delattr("flask_statuspage.probing.json_condition", raising=False)
    with pytest.raises(Invalid, match=r"^options\.json_condition: .*Flask-StatusPage\[probes\]"):
        HTTP.check_options({"json_condition": "a"}, LOOPBACK)
    HTTP.check_options({"keyword": "a"}, LOOPBACK)


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        ("auth password", True),
        ("auth token", True),
        ("auth username", False),
        ("auth", False),
        ("body", False),
        ("headers", False),
        ("headers Authorization", True),
        ("headers COOKIE", True),
        ("headers Proxy-Anything", True),
        ("headers X-Api-Key", True),
        ("headers X-AuthUser", True),
        ("headers x-client-secret", True),
        ("headers Access-Token", True),
        ("headers X-Password", True),
        *(
            (f"headers {name}", True)
            for name in ("X-Jwt", "X-Pin", "X-Pass", "X-Access-Code", "X-Bearer", "X-Sid", "X-Otp")
        ),
        ("headers X-Who", True),
        ("headers X-Accept", True),
        ("headers Accept-", True),
        ("headers If-Token", True),
        ("headers Accept", False),
        ("headers accept-language", False),
        ("headers Content-Type", False),
        ("headers USER-AGENT", False),
        ("headers Range", False),
        ("headers If-None-Match", False),
        ("headers X-Requested-With", False),
    ],
)
def test_which_options_are_secret(path: str, secret: bool) -> None:
    """Passwords, tokens, and all headers but those that are known to hold no credentials."""
    assert HTTP.is_secret(tuple(path.split())) is secret
