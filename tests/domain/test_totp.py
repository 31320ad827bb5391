"""Codes of an app: the vectors of RFC 6238 and RFC 4226, clocks that are wrong, and codes that were taken."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from flask_statuspage.domain import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds: int, expected: str) -> None:
    """Appendix B, SHA-1; with six digits it is their end."""
    step = seconds // totp.SECONDS
    assert totp.code(SECRET, step, digits=8) == expected
    assert totp.code(SECRET, step) == expected[-6:]


def test_the_vectors_of_rfc_4226() -> None:
    """Appendix D: the first ten counters."""
    expected = [
        "755224",
        "287082",
        "359152",
        "969429",
        "338314",
        "254676",
        "287922",
        "162583",
        "399871",
        "520489",
    ]
    assert [totp.code(SECRET, step) for step in range(10)] == expected


@pytest.mark.parametrize(
    ("off", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_clocks_that_are_wrong(off: int, taken: bool) -> None:
    """A phone may be half a minute early or late, not more."""
    found = totp.matching_step(SECRET, totp.code(SECRET, 100 + off), 100 * 30 + 29, after=0)
    assert found == (100 + off if taken else None)


def test_a_code_that_was_taken() -> None:
    """Neither it nor one before it counts again."""
    code, before = totp.code(SECRET, 100), totp.code(SECRET, 99)
    assert totp.matching_step(SECRET, code, 3000, after=99) == 100
    assert totp.matching_step(SECRET, code, 3000, after=100) is None
    assert totp.matching_step(SECRET, before, 3000, after=100) is None


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "\uff11" * 6, "\x00", "-", "\u0661" * 6]
)
def test_what_is_no_code(typed: str) -> None:
    """Nothing but six digits is looked at; blanks and hyphens among them do not matter."""
    assert totp.matching_step(SECRET, typed, 3000, after=0) is None
    code = totp.code(SECRET, 100)
    assert totp.matching_step(SECRET, f" {code[:3]} {code[3:]}", 3000, after=0) == 100


def test_secrets_and_their_address() -> None:
    """Each secret has 160 bits; apps read it, whose it is and where from, from the address."""
    one, other = totp.new_secret(), totp.new_secret()
    assert one != other
    assert len(base64.b32decode(one)) == 20
    parts = urlsplit(totp.address(one, account="ann@acme.example", issuer="Acme & Söhne: Status"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/Acme & Söhne: Status:ann@acme.example"
    assert parse_qs(parts.query) == {"secret": [one], "issuer": ["Acme & Söhne: Status"]}
