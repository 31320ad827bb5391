"""What of a page elsewhere is news, seen by one region or by several that see copies of different age."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.upstream import (
    OLDER_COPY,
    Sight,
    UpstreamComponent,
    UpstreamState,
    changes,
    component_status,
    described,
    link,
    page_word,
    seen,
)

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
WORDS = {
    "up": ComponentStatus.OPERATIONAL,
    "slow": ComponentStatus.DEGRADED_PERFORMANCE,
    "down": ComponentStatus.MAJOR_OUTAGE,
}


def observed(
    *words: str, as_of: float | None = None, target: str = "https://a.example"
) -> dict[str, Any]:
    """A page whose components are so; *as_of* seconds after the start."""
    state = UpstreamState(
        name="P",
        components=tuple(
            UpstreamComponent(name=f"C{number}", status=WORDS[word])
            for number, word in enumerate(words)
        ),
        as_of=None if as_of is None else START + timedelta(seconds=as_of),
    )
    return described(state, target=target, watched=None, told={})


class Watched:
    """A monitor's memory, and what it told so far."""

    def __init__(self, *, heard: tuple[str, ...] = ("eu", "us")) -> None:
        self.memory: dict[str, Any] | None = None
        self.told: list[str] = []
        self.heard = heard
        self.writes = 0

    def sees(
        self, seconds: float, *words: str, region: str = "eu", as_of: float | None = None
    ) -> None:
        sight = Sight(region, START + timedelta(seconds=seconds), observed(*words, as_of=as_of))
        after = seen(self.memory, sight, heard=self.heard)
        if after is not None:
            self.memory, self.writes = after, self.writes + 1
        if self.memory and self.memory["news"]:
            self.told.append(self.memory["news"]["status"])
            self.memory = {**self.memory, "told": self.memory["news"], "news": None}


DOWN, SLOW, UP = "major_outage", "degraded_performance", "operational"


def test_the_first_sight_is_no_news() -> None:
    """How the page was when the watch began is remembered, not told, and said again not even written."""
    watched = Watched()
    for seconds in range(5):
        watched.sees(seconds, "down", "up")
    assert (watched.told, watched.writes) == ([], 1)


def test_each_change_is_told_once() -> None:
    """To and back again, once each, whatever comes double or late."""
    watched = Watched()
    for seconds, word in enumerate(("up", "down", "down", "up", "slow")):
        watched.sees(10 * seconds, word)
        watched.sees(10 * seconds, word)
        watched.sees(10 * seconds - 25, "down")
    assert watched.told == [DOWN, UP, SLOW]


def test_two_regions_tell_it_once() -> None:
    """The second region that sees a change adds nothing."""
    watched = Watched()
    for seconds, word in enumerate(("up", "down", "down", "up")):
        watched.sees(30 * seconds, word, region="eu")
        watched.sees(30 * seconds + 1, word, region="us")
    assert watched.told == [DOWN, UP]


def test_an_older_copy_takes_nothing_back() -> None:
    """A region that still sees the page as it was before did not see it change: it is not told to and fro."""
    watched = Watched()
    watched.sees(0, "up", region="eu")
    watched.sees(1, "up", region="us")
    watched.sees(30, "down", region="eu")
    watched.sees(31, "up", region="us")
    watched.sees(60, "down", region="eu")
    watched.sees(61, "up", region="us")
    watched.sees(91, "down", region="us")
    assert watched.told == [DOWN]
    watched.sees(120, "up", region="us")
    assert watched.told == [DOWN, UP]


def test_a_region_that_is_gone_vouches_for_nothing() -> None:
    """Where nobody sees the page any more as it is known, another region's sight counts, changed or not."""
    watched = Watched()
    watched.sees(0, "up", region="us")
    watched.sees(1, "up", region="eu")
    watched.sees(30, "down", region="eu")
    watched.sees(31, "up", region="us")
    assert watched.told == [DOWN]
    watched.heard = ("us",)
    watched.sees(300, "up", region="us")
    assert watched.told == [DOWN, UP]


def test_a_copy_that_says_it_is_older_does_not_count() -> None:
    """Not even in the region that saw the newer one; but not for ever, as a page may be put back."""
    watched = Watched()
    watched.sees(0, "up", as_of=0)
    watched.sees(30, "down", as_of=25)
    watched.sees(60, "up", as_of=0)
    assert watched.told == [DOWN]
    watched.sees(90, "up", as_of=70)
    assert watched.told == [DOWN, UP]
    watched.sees(100 + OLDER_COPY.total_seconds(), "down", as_of=25)
    assert watched.told == [DOWN, UP, DOWN]


def test_another_page_begins_anew() -> None:
    """What was seen at another address, or of another component, is not compared."""
    memory = seen(None, Sight("eu", START, observed("up")), heard=())
    other = observed("down", target="https://b.example")
    memory = seen(memory, Sight("eu", START + timedelta(seconds=1), other), heard=("eu",))
    assert memory is not None
    assert (memory["news"], memory["told"]) == (None, other)


def test_what_came_or_went_has_not_changed() -> None:
    """A component that is new or gone is no change by itself, and is known from then on."""
    assert changes(observed("up", "up"), observed("up")) == []
    assert changes(observed("up"), observed("up", "down")) == []
    watched = Watched()
    watched.sees(0, "up")
    watched.sees(1, "up", "up")
    assert watched.told == []
    watched.sees(2, "up", "down")
    assert watched.told == [DOWN]
    (change,) = changes(observed("up", "up"), observed("up", "down"))
    assert (change["name"], change["previous_status"], change["status"]) == ("C1", UP, DOWN)


@given(
    st.lists(
        st.tuples(st.sampled_from(["eu", "us"]), st.sampled_from(list(WORDS)), st.integers(-40, 60))
    )
)
def test_no_status_is_told_twice_in_a_row(steps: list[tuple[str, str, int]]) -> None:
    """However two regions see it, late or not: each message tells another status than the one before."""
    watched, seconds = Watched(), 0
    for region, word, later in steps:
        seconds += later
        watched.sees(seconds, word, region=region)
    told = watched.told
    assert all(one != other for one, other in itertools.pairwise(told))


@given(st.lists(st.sampled_from(list(WORDS)), min_size=1))
def test_one_region_tells_all_that_it_sees(words: list[str]) -> None:
    """With one region what is told is the sequence of what was seen, without repetitions."""
    watched = Watched(heard=("eu",))
    for seconds, word in enumerate(words):
        watched.sees(seconds, word)
    expected = [b for a, b in itertools.pairwise(words) if a != b]
    assert watched.told == [WORDS[word].value for word in expected]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("operational", "operational"),
        ("UNDERMAINTENANCE", "under_maintenance"),
        ("Degraded Performance", "degraded_performance"),
        ("partial-outage", "partial_outage"),
        ("down", "major_outage"),
        ("full_outage", "major_outage"),
        ("minor", "unknown"),
        ("none", "unknown"),
        (None, "unknown"),
    ],
)
def test_words_of_components(word: str | None, status: str) -> None:
    """However a page spells them; an indicator is no word for a component."""
    assert component_status(word) == status


def test_words_of_pages() -> None:
    """Indicators of both dialects, and impacts."""
    told = {
        "none": UP,
        "minor": SLOW,
        "major": "partial_outage",
        "critical": DOWN,
        "degraded": SLOW,
    }
    assert {word: page_word(word).value for word in told} == told


@pytest.mark.parametrize(
    "url",
    [
        "",
        None,
        "ftp://a.b",
        "//a.b",
        "https://",
        "https://[::1",
        "https://a b",
        "https://ä.example",
    ],
)
def test_addresses_that_may_not_stand_in_a_message(url: str | None) -> None:
    """Only whole, printable http and https addresses are taken over from a page."""
    assert link(url) is None
    assert link("HTTPS://a.example/x?y") == "HTTPS://a.example/x?y"
