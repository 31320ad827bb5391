"""What we write is what JavaScript writes, and the document's own receiver accepts what we sign."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from flask_statuspage.delivery.channels import channels
from flask_statuspage.delivery.formats import formats
from flask_statuspage.delivery.formats.javascript import stringify
from flask_statuspage.delivery.parcel import Outcome
from tests.documents.hostile import PIECES
from tests.servers import node
from tests.servers.presence import started

from .facts import LOOPBACK, event, monitor_data, parcel

SECRET = "a secret that both sides know"
SCRIPT = Path(__file__).with_name("receiver.js").read_text(encoding="utf-8")

TEXTS = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=30)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
KEYS = TEXTS.filter(lambda key: not (key.isascii() and key.isdigit()))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ExitStack() as stack:
        yield started(stack, "node", partial(node.running, SCRIPT, SECRET))


@pytest.fixture(scope="module")
def browser_like(url: str) -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def send(url: str, body: str, *, secret: str | None = SECRET) -> Outcome:
    with channels["webhook"].open(LOOPBACK) as line:
        return line.send(parcel(address=url, body=body, format="statuspageone", secret=secret))


def rewritten(session: requests.Session, url: str, text: str) -> str:
    """``JSON.stringify(JSON.parse(text))``."""
    answer = session.post(f"{url}/stringify", data=text.encode("utf-8"), timeout=30)
    assert answer.status_code == 200
    return answer.content.decode("utf-8")


@pytest.mark.parametrize(
    ("name", "data", "handled"),
    [
        ("monitor.down", {"monitor": monitor_data()}, "incident"),
        ("monitor.recovered", {"monitor": monitor_data(verdict="up", check=None)}, "recovery"),
        ("test", {"message": "This is a test."}, "incident"),
    ],
)
def test_the_receiver_accepts_each_event(
    url: str, name: str, data: dict[str, Any], handled: str
) -> None:
    """A real delivery of each event is verified, answered with 200 and taken for what it is."""
    outcome = send(url, formats["statuspageone"].render(event(name, **data)))
    assert (outcome.code, outcome.delivered) == (200, True)
    answer = json.loads(outcome.answer or "")
    assert (answer["event_type"], answer["handled"]) == ("monitor_alert", handled)


@pytest.mark.parametrize("secret", [None, "another secret than theirs", SECRET + "x"])
def test_the_receiver_refuses_other_signatures(url: str, secret: str | None) -> None:
    """Without the secret that both sides know the answer is 401."""
    body = formats["statuspageone"].render(event("monitor.down", monitor=monitor_data()))
    outcome = send(url, body, secret=secret)
    assert (outcome.code, outcome.delivered) == (401, False)


@pytest.mark.parametrize("name", [*PIECES, "".join(PIECES), "\ud83d", "\ude00\ud83d", "a/b", "é"])
def test_the_receiver_accepts_any_name(url: str, name: str) -> None:
    """However a monitor is called, its name arrives whole and the signature is right."""
    check = {**monitor_data()["check"], "error": name, "milliseconds": 1e21, "code": 2.0}
    data = monitor_data(name=name, check=check)
    outcome = send(url, formats["statuspageone"].render(event("monitor.down", monitor=data)))
    assert outcome.code == 200
    assert json.loads(outcome.answer or "")["name"] == name


@given(value=VALUES)
@example(value=[0.0, -0.0, 1.0, -1.0, 1e20, 1e21, -1e21, 1.5e300, 1e-6, 1e-7, 1.25e-7, 5e-324])
@example(value=[2**53, 2**53 + 1, -(2**63), 12345678901234567890, 10**21, 10**22, 10**308, 10**400])
@example(value=[0.1 + 0.2, 123456.789, 9007199254740993.0, 1.7976931348623157e308, 100.0, 1200])
@example(
    value=["\u2028\u2029", "\x00\x1f\x7f\x80", '"\\/', "\ud83d", "\ude00\ud83d", "\ud83d\ude00"]
)
@example(
    value={"b": 1, "a": {"z": [], "": {}}, "-1": 0, "1.5": 0, "01": 0, "\ud800": 0, "__proto__": 1}
)
def test_javascript_writes_the_same(
    url: str, browser_like: requests.Session, value: object
) -> None:
    """Any value is written as JavaScript writes it after reading ours, and after reading Python's own."""
    ours = stringify(value)
    assert rewritten(browser_like, url, ours) == ours
    assert rewritten(browser_like, url, json.dumps(value)) == ours


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_null(number: float) -> None:
    """As `JSON.stringify(NaN)` is."""
    assert stringify([number]) == "[null]"


@pytest.mark.parametrize("key", ["0", "7", "4294967294"])
def test_keys_that_javascript_would_move_are_refused(key: str) -> None:
    """A body with such a key could not be verified by its receiver."""
    with pytest.raises(ValueError, match="move the key"):
        stringify({key: 1})


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": b"x"}, {1, 2}])
def test_only_plain_data(value: object) -> None:
    """What JSON has no word for is refused and not guessed."""
    with pytest.raises(TypeError):
        stringify(value)
