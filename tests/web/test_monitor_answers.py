"""What the manage API answers of a monitor's verdict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import CheckResult
from flask_statuspage.services import monitoring
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.monitors import MonitorRegion
from flask_statuspage.storage.session import current_session
from tests.web.site import Site, SiteMaker

UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN


def record(site: Site, ident: str, region: str, *outcomes: Verdict) -> None:
    with site.app.app_context():
        session = current_session()
        for outcome in outcomes:
            good = outcome is UP
            result = CheckResult(
                monitor_id=UUID(ident),
                region=region,
                outcome=outcome,
                at=utc_now(),
                milliseconds=12,
                code=200 if good else None,
                error=None if good else "No answer in time",
            )
            monitoring.record(session, [result])
            session.commit()


def test_verdict_votes_and_levels_are_told(make_site: SiteMaker) -> None:
    """Each region with what it found and whether it votes, whether the target flaps, how many notices went out."""
    site = make_site(STATUSPAGE_REGIONS="eu,us")
    ident = site.made(
        "/monitors",
        name="M",
        target="https://1.1.1.1/",
        regions=["eu", "us"],
        failure_threshold=1,
        recovery_threshold=1,
        escalation_intervals=[60],
    )["id"]

    def answer() -> dict[str, Any]:
        shown: dict[str, Any] = site.ask("GET", "/monitors/m").get_json()
        listed = site.ask("GET", "/monitors").get_json()["items"]
        assert listed == [shown]
        return shown

    new = answer()
    assert (new["verdict"], new["flapping"], new["notification_level"]) == ("unknown", False, 0)
    assert [one["votes"] for one in new["results"]] == [False, False]
    record(site, ident, "us", UP, UNKNOWN)
    record(site, ident, "eu", UP, DOWN, UP, DOWN)
    shown = answer()
    assert (shown["verdict"], shown["flapping"], shown["notification_level"]) == ("down", True, 1)
    eu, us = shown["results"]
    assert (eu["region"], eu["verdict"], eu["votes"], eu["outcome"]) == ("eu", "down", True, "down")
    assert (eu["milliseconds"], eu["code"], eu["error"]) == (12, None, "No answer in time")
    assert (us["region"], us["verdict"], us["votes"], us["outcome"]) == (
        "us",
        "up",
        False,
        "unknown",
    )

    with site.app.app_context():
        before = utc_now() - timedelta(hours=1)
        current_session().execute(update(MonitorRegion).values(last_at=before, abstained_at=None))
        current_session().commit()
    assert [one["votes"] for one in answer()["results"]] == [False, False]
