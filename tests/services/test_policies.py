"""What a subscription may want otherwise than its format, and the one place that checks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.retry import DAY, Policy
from flask_statuspage.errors import Invalid
from flask_statuspage.services import policies

LEAST = {"timeout": 1, "delays": [], "success": [200], "rate": 1, "size": 1_000}
LEAST |= {"disable_after_unreached": 1, "disable_after_failed": 1}
MOST = {"timeout": 30, "delays": [1.0] * 26 + [7 * DAY] * 4, "success": [200, 299], "rate": 600}
MOST |= {"size": 1_000_000, "disable_after_unreached": 100, "disable_after_failed": 1_000}
NEVER = {"disable_after_unreached": None, "disable_after_failed": None}


@pytest.mark.parametrize("changes", [LEAST, MOST, NEVER, {"success": [204, 204]}])
def test_what_lies_on_a_bound_is_kept(changes: dict[str, Any]) -> None:
    """All fields are taken up to their bounds, and what is kept is what the policy takes."""
    kept = policies.checked(changes)
    assert kept == changes
    shown = policies.described(Policy(disable_after_failed=10).adjusted(kept or {}))
    assert {name: shown[name] for name in changes if name != "success"} == {
        name: value for name, value in changes.items() if name != "success"
    }
    if "success" in changes:
        assert shown["success"] == sorted(set(changes["success"]))


@pytest.mark.parametrize("changes", [None, {}])
def test_nothing_is_no_policy(changes: Mapping[str, Any] | None) -> None:
    """Null and an empty object say that the format's own policy counts."""
    assert policies.checked(changes) is None


WRONG: list[tuple[str, Any]] = [
    *(("timeout", value) for value in (0.999, 30.001, float("nan"), float("inf"), "5", True, None)),
    *(("delays", value) for value in ([0.999], [7 * DAY + 1], [float("nan")], [True], ["1"], 5)),
    *(("delays", value) for value in ([1.0] * 31, [7 * DAY] * 4 + [3 * DAY + 1], None, "60")),
    *(("success", value) for value in ([], [199], [300], [299, 200], [200, 250, 299], [200.0])),
    *(("success", value) for value in (200, None, [True], ["200"])),
    *(("rate", value) for value in (0, 601, 1.0, True, None)),
    *(("size", value) for value in (999, 1_000_001, 5e3, None)),
    *(("disable_after_unreached", value) for value in (0, 101, True, 5.0, "5")),
    *(("disable_after_failed", value) for value in (0, 1_001, True, 5.0, "5")),
    *(("jitter", value) for value in (0.2, None)),
    ("span", 5),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_is_out_of_bounds_is_named(name: str, value: Any) -> None:
    """A value beyond its bounds, of another type or of an unknown field is refused by its dotted name."""
    with pytest.raises(Invalid) as caught:
        policies.checked({"timeout": 5, name: value})
    assert [error.field for error in caught.value.errors] == [f"policy.{name}"]


def test_all_that_is_wrong_is_named_together() -> None:
    """One answer tells all wrong fields; what is no object at all is named as a whole."""
    with pytest.raises(Invalid) as caught:
        policies.checked({"rate": 0, "size": 5, "timeout": 5})
    assert [error.field for error in caught.value.errors] == ["policy.rate", "policy.size"]
    for value in (5, "x", [], True):
        with pytest.raises(Invalid) as caught:
            policies.checked(value)
        assert [error.field for error in caught.value.errors] == ["policy"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
NAMES = st.sampled_from([*LEAST, "jitter", "x"])


@given(st.dictionaries(NAMES, ANYTHING | st.integers(0, 1_000) | st.lists(st.integers(0, 700))))
def test_whatever_is_kept_is_a_policy(changes: dict[str, Any]) -> None:
    """Any data is refused by field or makes a policy within the bounds."""
    try:
        kept = policies.checked(changes)
    except Invalid as error:
        kept = None
        named = {one.field.partition(".")[2] for one in error.errors}
    else:
        named = set()
    assert named <= set(changes)
    policy = Policy().adjusted(kept or {})
    assert 1 <= policy.timeout <= 30
    assert len(policy.delays) <= 30
    assert sum(policy.delays) <= 31 * DAY
    assert 200 <= policy.success[0] <= policy.success[-1] <= 299
