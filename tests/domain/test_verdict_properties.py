"""What holds of verdicts whatever results come in."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.verdict import (
    CALM,
    DOUBLINGS,
    Streak,
    Thresholds,
    Verdict,
    is_milder,
    quorum_verdict,
)

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN
KNOWN = (UP, DEGRADED, DOWN)

thresholds = st.builds(
    Thresholds,
    failure=st.integers(1, 6),
    recovery=st.integers(1, 6),
    degraded=st.none() | st.integers(1, 6),
)
runs = st.lists(st.tuples(st.sampled_from(list(Verdict)), st.integers(1, 40)), max_size=25)
"""Results as runs of equal ones: single random ones would hardly ever reach a threshold."""


def spread(of: list[tuple[Verdict, int]]) -> list[Verdict]:
    return [outcome for outcome, length in of for _ in range(length)]


def streaks(outcomes: list[Verdict], limits: Thresholds) -> list[Streak]:
    """The memory before the first result and after each."""
    found = [Streak()]
    for outcome in outcomes:
        found.append(found[-1].after(outcome, limits))
    return found


def reached(of: list[tuple[Verdict, int]], limits: Thresholds) -> Streak:
    return streaks(spread(of), limits)[-1]


@given(runs, thresholds)
def test_nothing_goes_down_without_enough_failures_in_a_row(
    of: list[tuple[Verdict, int]], limits: Thresholds
) -> None:
    """Where the verdict becomes "down", so many of the latest results that say anything failed."""
    outcomes = spread(of)
    for number, (before, after) in enumerate(pairwise(streaks(outcomes, limits)), 1):
        if after.verdict is DOWN and before.verdict is not DOWN:
            said = [outcome for outcome in outcomes[:number] if outcome is not UNKNOWN]
            assert said[-limits.failure :] == [DOWN] * limits.failure


@given(runs, thresholds)
def test_nothing_recovers_without_enough_good_results_in_a_row(
    of: list[tuple[Verdict, int]], limits: Thresholds
) -> None:
    """Where the verdict leaves "down", at least as many of the latest results as the threshold did not fail."""
    outcomes = spread(of)
    for number, (before, after) in enumerate(pairwise(streaks(outcomes, limits)), 1):
        if before.verdict is DOWN and after.verdict is not DOWN:
            said = [outcome for outcome in outcomes[:number] if outcome is not UNKNOWN]
            assert len(said) >= limits.recovery
            assert DOWN not in said[-limits.recovery :]


@given(runs, thresholds)
def test_a_worse_result_never_makes_a_milder_verdict(
    of: list[tuple[Verdict, int]], limits: Thresholds
) -> None:
    """From the same memory, "up" leads to nothing worse than "degraded" does, and that to nothing worse than "down"."""
    streak = reached([(UP, 1), *of], limits)
    verdicts = [streak.after(outcome, limits).verdict for outcome in KNOWN]
    assert all(not is_milder(worse, better) for better, worse in pairwise(verdicts))


@given(st.lists(st.sampled_from(KNOWN), max_size=60), st.data(), thresholds)
def test_worse_results_never_make_a_milder_verdict_of_what_does_not_flap(
    outcomes: list[Verdict], data: st.DataObject, limits: Thresholds
) -> None:
    """If each result is as bad as another sequence's or worse, so is the verdict, as long as neither fell twice."""
    worse = [
        data.draw(st.sampled_from(KNOWN[KNOWN.index(outcome) :]), label="at least as bad")
        for outcome in outcomes
    ]
    first = [streaks([UP, *some], limits)[1:] for some in (outcomes, worse)]
    pairs = zip(*first, strict=True)
    for milder, other in pairs:
        if milder.falls > 1 or other.falls > 1:
            break
        assert not is_milder(other.verdict, milder.verdict)


@given(runs, thresholds, st.sampled_from(KNOWN))
def test_constant_results_are_believed_in_bounded_time(
    of: list[tuple[Verdict, int]], limits: Thresholds, outcome: Verdict
) -> None:
    """Whatever was before: after so many equal results the verdict is theirs, and stays so."""
    enough = max(limits.failure, limits.degraded or 0, limits.recovery << DOUBLINGS)
    streak = reached(of, limits)
    after = streaks_from(streak, [outcome] * (enough + 30), limits)
    assert {one.verdict for one in after[enough:]} == {outcome}


def streaks_from(streak: Streak, outcomes: list[Verdict], limits: Thresholds) -> list[Streak]:
    found = [streak]
    for outcome in outcomes:
        found.append(found[-1].after(outcome, limits))
    return found


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 140)), max_size=40),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_flapping_changes_the_verdict_seldom(
    cycles: list[tuple[int, int]], failure: int, recovery: int
) -> None:
    """However a target flaps, the falls among *n* results are at most four, and one for each failure threshold and six
    recovery thresholds."""
    limits = Thresholds(failure, recovery)
    outcomes = [
        outcome
        for more, good in cycles
        for outcome in [DOWN] * (failure + more) + [UP] * min(good, 24 * recovery)
    ]
    found = [one.verdict for one in streaks(outcomes, limits)]
    falls = sum(after is DOWN and before is not DOWN for before, after in pairwise(found))
    assert falls <= 4 + len(outcomes) / (failure + 6 * recovery)


@given(runs, thresholds)
def test_a_target_that_just_recovers_each_time_waits_longer_and_longer(
    of: list[tuple[Verdict, int]], limits: Thresholds
) -> None:
    """With each further fall the recovery takes twice as many good results, up to sixteen times as many."""
    streak, waited = Streak().after(UP, limits), []
    for _ in range(7):
        for _ in range(limits.failure):
            streak = streak.after(DOWN, limits)
        assert streak.verdict is DOWN
        good = 0
        while streak.verdict is not UP:
            streak, good = streak.after(UP, limits), good + 1
        waited.append(good)
    assert waited == [limits.recovery * times for times in (1, 2, 4, 8, 16, 16, 16)]
    assert streak.is_flapping


@given(thresholds)
def test_what_flaps_does_not_leave_down_sooner_by_being_slow(limits: Thresholds) -> None:
    """After the third fall four times as many results must have been answered before it is degraded."""
    fall, rise = [DOWN] * limits.failure, [UP] * (2 * limits.recovery)
    streak = streaks([UP, *fall, *rise, *fall, *rise, *fall], limits)[-1]
    after = streaks_from(streak, [DEGRADED] * (4 * limits.recovery), limits)
    assert [one.verdict for one in after] == [DOWN] * (4 * limits.recovery) + [DEGRADED]


@given(thresholds, st.integers(1, 10), st.integers(1, 10))
def test_a_usual_incident_is_not_slowed(limits: Thresholds, slow: int, failing: int) -> None:
    """Up, degraded, down, degraded, up: each turn takes its threshold, and nothing is called flapping."""
    degraded = limits.degraded or limits.failure
    outcomes = [UP] + [DEGRADED] * (degraded + slow) + [DOWN] * (limits.failure + failing)
    outcomes += [DEGRADED] * limits.recovery
    streak = streaks(outcomes, limits)[-1]
    assert (streak.verdict, streak.swings) == (DEGRADED, 2)
    after = streaks_from(streak, [UP] * limits.recovery, limits)
    assert [one.verdict for one in after] == [DEGRADED] * limits.recovery + [UP]
    assert not after[-1].is_flapping


@given(runs, thresholds)
def test_a_calm_run_is_forgiven(of: list[tuple[Verdict, int]], limits: Thresholds) -> None:
    """After a long run of good results a target that flapped counts as any other."""
    streak = streaks_from(reached(of, limits), [UP] * (CALM * limits.recovery), limits)[-1]
    assert (streak.verdict, streak.swings, streak.is_flapping) == (UP, 0, False)


@given(runs, thresholds)
def test_what_could_not_find_out_changes_nothing(
    of: list[tuple[Verdict, int]], limits: Thresholds
) -> None:
    """Without its unknown results a sequence leads to the very same memory."""
    known = [(outcome, length) for outcome, length in of if outcome is not UNKNOWN]
    assert reached(of, limits) == reached(known, limits)


@given(runs, thresholds)
def test_swings_tell_the_direction(of: list[tuple[Verdict, int]], limits: Thresholds) -> None:
    """Their number is odd while the last turn was for the worse, so what is down has an odd one."""
    for before, after in pairwise(streaks(spread(of), limits)):
        if after.verdict is DOWN:
            assert after.swings % 2 == 1
        if after.verdict is UP:
            assert after.swings % 2 == 0
        assert after.swings in (0, before.swings, before.swings + 1)


@given(runs, thresholds)
def test_after_a_gap_only_an_outage_is_remembered(
    of: list[tuple[Verdict, int]], limits: Thresholds
) -> None:
    """What was well is not known; what was down needs its whole recovery, and no run goes on."""
    streak = reached(of, limits)
    anew = streak.anew()
    if streak.verdict is DOWN:
        assert anew == Streak(DOWN, swings=streak.swings)
    else:
        assert anew == Streak()


@given(st.lists(st.sampled_from(list(Verdict)), max_size=8), st.integers(1, 8))
def test_a_worse_region_never_makes_a_milder_whole(regions: list[Verdict], quorum: int) -> None:
    """Where one region's verdict worsens, that of all does not get better."""
    whole = quorum_verdict(regions, quorum)
    for number, verdict in enumerate(regions):
        if verdict is not UNKNOWN:
            for worse in KNOWN[KNOWN.index(verdict) :]:
                changed = [*regions[:number], worse, *regions[number + 1 :]]
                assert not is_milder(quorum_verdict(changed, quorum), whole)


def test_failures_count_for_degraded_too() -> None:
    """Fewer failures than it takes to be down may be enough to be degraded, if the monitor says so."""
    limits = Thresholds(failure=3, degraded=2)
    found = [one.verdict for one in streaks([UP, DOWN, DOWN, DOWN], limits)]
    assert found[1:] == [UP, UP, DEGRADED, DOWN]
    rare = replace(limits, degraded=5)
    assert reached([(UP, 1), (DEGRADED, 4)], rare).verdict is UP
    assert reached([(UP, 1), (DEGRADED, 5)], rare).verdict is DEGRADED
