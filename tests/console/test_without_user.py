"""An address that goes back to whoever typed it has neither a name nor a password before its host."""

from __future__ import annotations

import time

import pytest

from flask_statuspage.web.admin.kept import without_user


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("https://example.com/a?b=c@d", "https://example.com/a?b=c@d"),
        ("https://user:secret@example.com/a", "https://example.com/a"),
        ("HTTPS:\\\\user:secret@example.com", "HTTPS:\\\\example.com"),
        ("https://user:se/cr?et#@example.com/a", "https://example.com/a"),
        ("https://CORP\\user:secret@example.com/a", "https://example.com/a"),
        ("https://user@example.com", "https://example.com"),
        ("user:secret@example.com:5432", "example.com:5432"),
        ("example.com:5432/a@b", "example.com:5432/a@b"),
        ("[::1]:5432", "[::1]:5432"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("margin", ["", "  ", "\n\t "])
def test_user_and_password_are_left_out(typed: str, told: str, margin: str) -> None:
    """Whatever blanks stand in front; a slash or a question mark in a password does not hide the rest of it."""
    assert without_user(margin + typed) == margin + told


@pytest.mark.parametrize("margin", ["", "  "])
def test_an_at_sign_in_a_path_makes_no_user_of_the_host(margin: str) -> None:
    """Blanks before an address do not make its scheme and its host a name and a password."""
    typed = f"{margin}https://example.com/a/@b"
    assert without_user(typed) == typed


@pytest.mark.parametrize(
    "typed",
    [" " * 100_000, " \n" * 50_000 + "x", "a:" + "1 " * 50_000, "http://" * 20_000, "@" * 100_000],
)
def test_no_address_takes_long(typed: str) -> None:
    """Also one of blanks alone, of which nobody knows where its host would begin: it is looked at once."""
    started = time.process_time()
    without_user(typed)
    assert time.process_time() - started < 2
