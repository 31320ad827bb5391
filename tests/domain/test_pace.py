"""How many calls an endpoint gets, learnt from its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flask_statuspage.domain.pace import BREAK_AFTER, LONGEST_REST, REST, Behaviour, Call

NOW = datetime(2026, 2, 19, 17, 30, tzinfo=UTC)
FAST, SLOW = Call(milliseconds=20), Call(milliseconds=3000)
SILENT = Call(milliseconds=10_000, timed_out=True)
NEW = Behaviour(at_once=8)


def after(known: Behaviour, *calls: Call, now: datetime = NOW) -> Behaviour:
    return known.after(calls, now, most=8)


def test_a_fast_one_is_not_remembered() -> None:
    """It keeps all its calls, and nothing of it needs a row."""
    known = after(NEW, *[FAST] * 20)
    assert (known.at_once, known.is_slow) == (8, False)
    assert known.is_unremarkable(most=8)


def test_a_slow_one_changes_lanes_and_gets_fewer_calls() -> None:
    """One answer that takes seconds is enough; each further one takes another call away, down to one."""
    known = after(NEW, SLOW)
    assert (known.is_slow, known.at_once) == (True, 7)
    assert not known.is_unremarkable(most=8)
    assert after(known, *[SLOW] * 20).at_once == 1


def test_a_single_slow_answer_of_a_fast_one_is_forgiven() -> None:
    """The average decides, not one answer; its share is back after the next."""
    known = after(NEW, FAST, SLOW)
    assert not known.is_slow
    assert after(known, FAST).is_unremarkable(most=8)


def test_it_is_fast_again_only_well_below_the_border() -> None:
    """An endpoint at the border does not change lanes with each answer."""
    known = after(NEW, Call(milliseconds=1000))
    assert known.is_slow
    border = Call(milliseconds=700)
    assert after(known, *[border] * 30).is_slow
    assert not after(known, *[FAST] * 30).is_slow


def test_a_timeout_halves_its_calls() -> None:
    """Calls at once go down fast and up slowly."""
    halves = [8]
    known = NEW
    for _ in range(4):
        known = after(known, SILENT)
        halves.append(known.at_once)
    assert halves == [8, 4, 2, 1, 1]
    assert after(known, FAST).at_once == 2


def test_five_timeouts_in_a_row_are_a_break() -> None:
    """It rests for a minute, then one call tries; each further timeout doubles the rest, up to a quarter of an hour."""
    known = after(NEW, *[SILENT] * (BREAK_AFTER - 1))
    assert known.rests_until is None
    known = after(known, SILENT)
    assert (known.rests_until, known.at_once) == (NOW + REST, 1)
    rests = []
    for _ in range(6):
        assert known.rests_until is not None
        now = known.rests_until
        known = after(known, SILENT, now=now)
        assert known.rests_until is not None
        rests.append((known.rests_until - now) / REST)
    assert rests == [2, 4, 8, 15, 15, 15]
    assert LONGEST_REST == 15 * REST


def test_calls_that_end_together_are_one_trial() -> None:
    """Eight calls in flight that all time out lead to one rest, not to a doubled one."""
    known = after(NEW, *[SILENT] * 8)
    assert (known.rests, known.rests_until) == (1, NOW + REST)


def test_an_answer_in_between_begins_anew() -> None:
    """Only timeouts in a row count."""
    known = after(NEW, *[SILENT] * 4, FAST, *[SILENT] * 4)
    assert known.rests_until is None


def test_one_that_is_back_is_fast_at_once() -> None:
    """What it was like before it fell silent says nothing of it now."""
    known = after(after(NEW, *[SILENT] * 9), FAST, now=NOW + timedelta(hours=1))
    assert (known.is_slow, known.rests, known.rests_until, known.timeouts) == (False, 0, None, 0)


@pytest.mark.parametrize("most", [1, 3, 256])
def test_the_setting_is_the_most(most: int) -> None:
    """Never more than the site allows, never less than one."""
    known = Behaviour(at_once=300).after([FAST], NOW, most=most)
    assert known.at_once == most
    assert Behaviour(at_once=1).after([SILENT], NOW, most=most).at_once == 1
