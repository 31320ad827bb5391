"""The validator is awake; what it says of the pages, `test_pages.py` asks."""

from __future__ import annotations

import pytest

from .validator import Validator


@pytest.mark.parametrize(
    ("html", "rule"),
    [
        ("<p style='color: red'>x</p>", "no-inline-style"),
        ("<label>x</label><input type='text' id='a'>", "input-missing-label"),
        ("<p id='a'>x</p><p id='a'>y</p>", "no-dup-id"),
        ("<p><div>x</div></p>", "close-order"),
        ("<ul><p>x</p></ul>", "element-permitted-content"),
        ("<input type='text' aria-label='x' required='1'>", "attribute-allowed-values"),
        ("<p>x</p>", None),
    ],
)
def test_what_is_wrong_is_found(validator: Validator, html: str, rule: str | None) -> None:
    """Each of these is reported; what is right is not."""
    page = f"<!DOCTYPE html><html lang='en'><head><title>x</title></head><body>{html}</body></html>"
    found = validator.found_in(page.encode())
    if rule is None:
        assert found == []
    else:
        assert any(rule in message for message in found), found
