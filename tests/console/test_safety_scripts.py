"""What members and programs write is shown as they wrote it, and is nothing else: no element, script or address."""

from __future__ import annotations

import pytest

from tests.console import attack
from tests.console.attack import LONGEST, PAYLOADS, TAKES_NOTHING, Vocabulary, public
from tests.console.crawl import Whole
from tests.console.knowing import POSTS


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
    assert len(PAYLOADS[kind][0]) <= LONGEST
    typed = {
        endpoint
        for endpoint in POSTS
        for form in whole.forms(endpoint)
        if any(control.kind != "hidden" for control in form.free)
    }
    missing = typed - set(done.taken) - TAKES_NOTHING
    assert missing == set(), "Say in tests/console/knowing.py what these need besides a text."


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
