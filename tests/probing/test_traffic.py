"""What is believed of a blueprint by what was counted of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Invalid
from flask_statuspage.probing import Finding, ProbeOrder, probes

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN
SETTINGS = Settings()


def ask(known: dict[str, Any], *, slow: int | None = None, **options: Any) -> Finding:
    order = ProbeOrder(
        monitor_id=new_id(),
        region="default",
        kind="traffic",
        target="checkout",
        timeout=10,
        degraded_over_ms=slow,
        options=probes["traffic"].check_options(options, SETTINGS),
        asked_at=datetime.now(UTC),
        known=known,
    )
    with probes["traffic"].open(SETTINGS) as asker:
        return asker.ask(order)


@pytest.mark.parametrize(
    ("requests", "errors", "outcome", "error"),
    [
        (0, 0, UNKNOWN, "Too few requests to tell"),
        (9, 9, UNKNOWN, "Too few requests to tell"),
        (10, 0, UP, None),
        (100, 4, UP, None),
        (100, 5, DEGRADED, "5 % of requests failed"),
        (100, 49, DEGRADED, "49 % of requests failed"),
        (100, 50, DOWN, "50 % of requests failed"),
        (10, 10, DOWN, "100 % of requests failed"),
    ],
)
def test_by_the_share_of_failures(
    requests: int, errors: int, outcome: Verdict, error: str | None
) -> None:
    """Half of them is down, a twentieth degraded, and of a handful nothing is said."""
    found = ask({"requests": requests, "errors": errors, "p95": 120})
    assert (found.outcome, found.error) == (outcome, error)
    assert found.milliseconds == (None if outcome is UNKNOWN else 120)


def test_by_how_long_they_take() -> None:
    """It is degraded while one in twenty takes longer than it may; failures say more than that."""
    known = {"requests": 100, "errors": 0, "p95": 801}
    assert ask(known, slow=801).outcome is UP
    found = ask(known, slow=800)
    assert (found.outcome, found.error) == (DEGRADED, "One in 20 requests is slower than 800 ms")
    assert ask({**known, "errors": 80}, slow=800).error == "80 % of requests failed"
    assert ask({"requests": 100, "errors": 0, "p95": None}, slow=800).outcome is UP


def test_shares_of_ones_own() -> None:
    """The site says which share is too much, and how many requests tell."""
    known = {"requests": 1000, "errors": 2, "p95": 1}
    found = ask(known, degraded_share=0.002, down_share=0.003)
    assert (found.outcome, found.error) == (DEGRADED, "Less than 1 % of requests failed")
    assert ask(known, degraded_share=0.001, down_share=0.002).outcome is DOWN
    assert ask({"requests": 2, "errors": 2, "p95": 1}, min_requests=2).outcome is DOWN
    assert ask({}).outcome is UNKNOWN


@pytest.mark.parametrize(
    "options",
    [
        {"window": 29},
        {"window": 3601},
        {"window": "60"},
        {"down_share": 0},
        {"down_share": 1.1},
        {"degraded_share": float("nan")},
        {"min_requests": 0},
        {"windw": 60},
    ],
)
def test_wrong_options(options: dict[str, Any]) -> None:
    """Each is named."""
    with pytest.raises(Invalid) as caught:
        probes["traffic"].check_options(options, SETTINGS)
    assert [error.field for error in caught.value.errors] == [f"options.{next(iter(options))}"]
