"""Worst-of, the page's status, and what an incident's impact stands for."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.status import (
    ComponentStatus,
    Impact,
    Source,
    Word,
    page_status,
    shown,
    worst,
)

UNKNOWN = ComponentStatus.UNKNOWN
OPERATIONAL = ComponentStatus.OPERATIONAL
MAINTENANCE = ComponentStatus.UNDER_MAINTENANCE
DEGRADED = ComponentStatus.DEGRADED_PERFORMANCE
PARTIAL = ComponentStatus.PARTIAL_OUTAGE
MAJOR = ComponentStatus.MAJOR_OUTAGE

MILDEST_FIRST = [UNKNOWN, OPERATIONAL, MAINTENANCE, DEGRADED, PARTIAL, MAJOR]


def test_statuses_rank_as_the_page_shows_them() -> None:
    """Maintenance is worse than operational only, and unknown never hides anything."""
    assert sorted(ComponentStatus, key=lambda status: status.severity) == MILDEST_FIRST


@pytest.mark.parametrize(("mild", "severe"), list(itertools.combinations(MILDEST_FIRST, 2)))
def test_the_more_severe_of_two_is_shown(mild: ComponentStatus, severe: ComponentStatus) -> None:
    """Worst-of takes the more severe status, in whatever order they come."""
    assert worst([mild, severe]) is worst([severe, mild]) is severe


def test_worst_of_nothing_is_unknown() -> None:
    """Where nothing is said, nothing is known."""
    assert worst([]) is UNKNOWN


@pytest.mark.parametrize(
    ("components", "impacts", "expected"),
    [
        ([], [], OPERATIONAL),
        ([UNKNOWN, UNKNOWN], [], UNKNOWN),
        ([UNKNOWN, OPERATIONAL], [], OPERATIONAL),
        ([OPERATIONAL, MAINTENANCE], [], MAINTENANCE),
        ([DEGRADED, MAINTENANCE], [], DEGRADED),
        ([OPERATIONAL], [Impact.NONE], OPERATIONAL),
        ([OPERATIONAL], [Impact.MINOR], DEGRADED),
        ([OPERATIONAL], [Impact.MAJOR], PARTIAL),
        ([OPERATIONAL], [Impact.CRITICAL], MAJOR),
        ([MAJOR], [Impact.MINOR], MAJOR),
        ([DEGRADED], [Impact.MINOR, Impact.CRITICAL], MAJOR),
        ([], [Impact.NONE], OPERATIONAL),
        ([], [Impact.MAJOR], PARTIAL),
        ([UNKNOWN], [Impact.MINOR], DEGRADED),
    ],
)
def test_page_is_as_bad_as_its_worst_part(
    components: list[ComponentStatus], impacts: list[Impact], expected: ComponentStatus
) -> None:
    """The page shows its worst component, raised to the floor of every open incident."""
    assert page_status(components, impacts) is expected


@pytest.mark.parametrize(
    ("statuses", "impact"),
    [
        ([], Impact.NONE),
        ([UNKNOWN], Impact.NONE),
        ([OPERATIONAL, MAINTENANCE], Impact.NONE),
        ([OPERATIONAL, DEGRADED], Impact.MINOR),
        ([DEGRADED, PARTIAL], Impact.MAJOR),
        ([MAJOR, DEGRADED], Impact.CRITICAL),
    ],
)
def test_impact_follows_the_worst_component(
    statuses: list[ComponentStatus], impact: Impact
) -> None:
    """The impact of an incident is what its worst component amounts to."""
    assert Impact.of(statuses) is impact


def test_floor_and_impact_agree() -> None:
    """An incident whose components are at the floor of an impact has that impact."""
    assert [Impact.of([impact.floor]) for impact in Impact] == list(Impact)
    assert sorted(Impact, key=lambda impact: impact.severity) == list(Impact)


# What a component shows of all that is said

START = datetime(2026, 1, 1, tzinfo=UTC)


def word(source: Source, status: ComponentStatus, *, second: int = 0, reference: str = "") -> Word:
    return Word(source, status, START + timedelta(seconds=second), reference)


word_lists = st.lists(
    st.builds(
        word,
        st.sampled_from(Source),
        st.sampled_from(ComponentStatus),
        second=st.integers(0, 3),
        reference=st.sampled_from(["", "a", "b"]),
    ),
    max_size=8,
    unique_by=lambda said: (said.source, said.reference),
)


def expected(words: list[Word]) -> ComponentStatus | None:
    """The rule in its plainest form, on statuses alone."""
    in_work = any(said.source == "maintenance" for said in words)
    counting = [said.status for said in words if not (in_work and said.source == "monitor")]
    return worst(counting) if counting else None


@given(word_lists)
def test_the_worst_word_that_counts_is_shown(words: list[Word]) -> None:
    """What is shown was said, counts, and is as bad as the worst that counts."""
    word_shown = shown(words)
    assert (word_shown.status if word_shown else None) is expected(words)
    if word_shown is None:
        assert words == []
    else:
        assert word_shown in words


@given(word_lists, st.randoms(use_true_random=False))
def test_the_order_of_words_does_not_matter(words: list[Word], chance: object) -> None:
    """The same words give the same source, in whatever order a database returns them."""
    shuffled = list(words)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shown(shuffled) == shown(words)
    assert shown(iter(words)) == shown(words)


@given(word_lists)
def test_when_one_falls_silent_the_next_counts(words: list[Word]) -> None:
    """One after the other the shown word is taken away: it never gets worse, unless a maintenance ends, and nobody is
    passed over."""
    left, order = list(words), []
    while (current := shown(left)) is not None:
        left.remove(current)
        following = shown(left)
        if following is not None and current.source is not Source.MAINTENANCE:
            assert following.status.severity <= current.status.severity
        order.append(current)
    assert sorted(order, key=repr) == sorted(words, key=repr)


@given(word_lists)
def test_silence_of_another_changes_nothing(words: list[Word]) -> None:
    """Taking away a word that is not shown leaves the shown one, unless it was the last maintenance."""
    current = shown(words)
    for index, other in enumerate(words):
        if other != current and other.source is not Source.MAINTENANCE:
            assert shown([*words[:index], *words[index + 1 :]]) == current


@given(word_lists)
def test_maintenance_hides_monitors_and_nobody_else(words: list[Word]) -> None:
    """While a maintenance has a word, it is as if no monitor had one; people and incidents still count."""
    upkeep = word(Source.MAINTENANCE, MAINTENANCE, reference="m")
    others = [said for said in words if said.source is not Source.MONITOR]
    assert shown([*words, upkeep]) == shown([*others, upkeep])
    result = shown([*words, upkeep])
    assert result is not None
    for said in others:
        assert result.status.severity >= said.status.severity


@pytest.mark.parametrize("status", ComponentStatus)
def test_a_monitor_counts_again_after_maintenance(status: ComponentStatus) -> None:
    """What a monitor says meanwhile is kept, and shown when the window is over."""
    monitor = word(Source.MONITOR, status, reference="m")
    upkeep = word(Source.MAINTENANCE, MAINTENANCE, reference="w")
    assert shown([monitor, upkeep]) == upkeep
    assert shown([monitor]) == monitor


@pytest.mark.parametrize(
    ("words", "index"),
    [
        (
            [word(Source.MONITOR, MAJOR, second=1), word(Source.INCIDENT, MAJOR, second=2)],
            0,
        ),
        ([word(Source.MONITOR, MAJOR), word(Source.INCIDENT, MAJOR)], 1),
        ([word(Source.INCIDENT, MAJOR), word(Source.MANUAL, MAJOR)], 1),
        ([word(Source.MANUAL, UNKNOWN), word(Source.MONITOR, OPERATIONAL, second=5)], 1),
        ([word(Source.MONITOR, PARTIAL, reference="b"), word(Source.MONITOR, PARTIAL)], 1),
    ],
)
def test_who_is_named_when_several_say_the_same(words: list[Word], index: int) -> None:
    """The one who said it first; at the same instant a person before an incident before a monitor."""
    assert shown(words) == words[index]
