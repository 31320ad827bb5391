"""From single results to verdicts: streaks in one region, quorum over several."""

from __future__ import annotations

import pytest

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.verdict import (
    Streak,
    Thresholds,
    Verdict,
    quorum_verdict,
    status_for,
)

LETTERS = {"u": Verdict.UP, "g": Verdict.DEGRADED, "d": Verdict.DOWN, "-": Verdict.UNKNOWN}


def verdicts(outcomes: str, *, failure: int = 3, recovery: int = 2) -> str:
    """The verdict after each of *outcomes*: u(p), g (degraded), d(own), - (unknown)."""
    letter = {verdict: letter for letter, verdict in LETTERS.items()}
    streak, found = Streak(), ""
    for outcome in outcomes:
        streak = streak.after(LETTERS[outcome], Thresholds(failure, recovery))
        found += letter[streak.verdict]
    return found


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ("u", "u"),
        ("ddd", "--d"),
        ("uddd", "uuud"),
        ("udduddu", "uuuuuuu"),
        ("udddu", "uuudd"),
        ("uddduu", "uuuddu"),
        ("udddududuu", "uuudddddd" + "u"),
        ("ddddduu", "--ddd" + "du"),
        ("ggg", "--g"),
        ("uggg", "uuug"),
        ("uggug", "uuuuu"),
        ("ugggu", "uuugg"),
        ("ugggugu", "uuugggg"),
        ("ugggugguu", "uuugggggu"),
        ("ugggddd", "uuugggd"),
        ("udgd", "uuug"),
        ("udgdgd", "uuuggg"),
        ("udddgg", "uuuddg"),
        ("udddgu", "uuuddg"),
        ("udddguu", "uuuddgu"),
        ("udddgd", "uuuddd"),
    ],
)
def test_verdict_turns_after_enough_results_in_a_row(outcomes: str, expected: str) -> None:
    """Three failures in a row turn a verdict down, two good ones back; flapping changes nothing."""
    assert verdicts(outcomes) == expected


@pytest.mark.parametrize(
    ("failure", "recovery", "outcomes", "expected"),
    [
        (1, 1, "udud", "udud"),
        (1, 1, "ugu", "ugu"),
        (1, 3, "duuu", "dddu"),
        (5, 1, "udddddu", "uuuuudu"),
        (2, 2, "dduu", "-ddu"),
    ],
)
def test_thresholds_are_the_monitors_own(
    failure: int, recovery: int, outcomes: str, expected: str
) -> None:
    """Each monitor says how many results it takes to believe in a failure and in a recovery."""
    assert verdicts(outcomes, failure=failure, recovery=recovery) == expected


def test_streak_counts_the_run_that_ends_now() -> None:
    """Each counter is the length of the run of its kind that ends with the latest result."""
    streak = Streak()
    for outcome in "uudgd":
        streak = streak.after(LETTERS[outcome], Thresholds(failure=9, recovery=9))
    assert (streak.down, streak.impaired, streak.answered, streak.healthy) == (1, 3, 0, 0)


@pytest.mark.parametrize(
    ("regions", "quorum", "expected"),
    [
        ("", 1, "-"),
        ("---", 2, "-"),
        ("uuu", 2, "u"),
        ("duu", 1, "d"),
        ("duu", 2, "u"),
        ("ddu", 2, "d"),
        ("dgu", 2, "g"),
        ("ggu", 2, "g"),
        ("guu", 2, "u"),
        ("ddu", 3, "u"),
        ("ddg", 3, "g"),
        ("ddd", 3, "d"),
        ("d--", 2, "d"),
        ("du-", 3, "u"),
        ("dd-", 3, "d"),
    ],
)
def test_quorum_of_regions_decides(regions: str, quorum: int, expected: str) -> None:
    """So many regions must agree; one without a result has no vote and is not waited for."""
    votes = [LETTERS[letter] for letter in regions]
    assert quorum_verdict(votes, quorum) is LETTERS[expected]


def test_verdict_becomes_the_components_status() -> None:
    """Down is shown as the status that the monitor chose for an outage, the others as themselves."""
    outage = ComponentStatus.PARTIAL_OUTAGE
    assert {verdict: status_for(verdict, outage=outage) for verdict in Verdict} == {
        Verdict.UNKNOWN: ComponentStatus.UNKNOWN,
        Verdict.UP: ComponentStatus.OPERATIONAL,
        Verdict.DEGRADED: ComponentStatus.DEGRADED_PERFORMANCE,
        Verdict.DOWN: ComponentStatus.PARTIAL_OUTAGE,
    }
