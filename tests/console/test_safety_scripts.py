"""What members and programs write is shown as they wrote it, and is nothing else: no element, script or address."""

from __future__ import annotations

import pytest

from tests.console import attack
from tests.console.attack import PAYLOADS, TAKES_NOTHING, Vocabulary, public
from tests.console.crawl import Whole
from tests.console.knowing import POSTS

NAMES = {"name", "title", "body", "note"}
"""Fields that take any text."""

REFUSE_ALL = {"address", "locale", "was.locale"}
"""Fields that take no markup at all."""


@pytest.fixture(scope="module")
def vocabulary(whole: Whole) -> Vocabulary:
    whole.restore()
    calm = Vocabulary().learn(whole.found.pages.values())
    return calm.learn(public(whole.site).pages.values())


@pytest.mark.parametrize("kind", PAYLOADS)
def test_texts_stay_texts(whole: Whole, vocabulary: Vocabulary, kind: str) -> None:
    """Hostile texts in every field of every form and body: whatever is taken is nowhere more than text.

    Forms that one can type into keep what looks like HTML: so something is looked at.
    """
    done = attack.run(whole, vocabulary, PAYLOADS[kind])
    assert sorted(set(done.found)) == []
    if kind != "markup":
        assert done.taken
        return
    for endpoint in (one for one in POSTS if one not in TAKES_NOTHING):
        forms = whole.forms(endpoint)
        free = {c.name for form in forms for c in form.free if c.kind != "hidden"}
        taken = done.taken.get(endpoint, set())
        told = f"Say in tests/console/knowing.py what {endpoint} needs besides a text."
        assert bool(taken) == bool(free - REFUSE_ALL), told
        assert free & NAMES <= taken, told


def test_what_is_dangerous_is_found() -> None:
    """The look at pages finds elements, attributes, addresses, scripts and templates that are not ours."""
    calm = Vocabulary().learn(['<p><a href="/">x</a><script src="/status/assets/x.js"></script>'])
    for html in (
        "<p><img src=x>",
        '<p onclick="x">',
        "<a href=' java\tscript:x'>",
        '<a href="data:text/html,x">',
        "<script>x</script>",
        '<script src="https://evil.example/x.js"></script>',
        "<p>zq49zq",
        '<p style="color: red">',
    ):
        assert calm.dangers(f"{html} zq"), html
    assert calm.dangers("<p>&lt;script&gt; javascript:x <a href='/javascript:'>{{7*7}} zq") == []
