"""Sites with monitors, for the tests of the console: targets on this machine, and results as a worker brings them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.jobs.declaring import Declaring
from flask_statuspage.probing import CheckResult
from flask_statuspage.services import monitoring
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.session import current_session
from tests.console import member
from tests.web.site import Site, SiteMaker


def build(make_site: SiteMaker, **options: Any) -> Site:
    """A site whose monitors may ask this machine, from two regions."""
    return member.build(
        make_site,
        STATUSPAGE_ALLOW_PRIVATE_TARGETS=True,
        STATUSPAGE_ALLOW_HTTP_TARGETS=True,
        STATUSPAGE_REGIONS="default,eu",
        STATUSPAGE_MIN_CHECK_INTERVAL=1,
        **options,
    )


def declare(site: Site, name: str) -> None:
    """Let the site's code watch the requests of a blueprint: the monitor is ``<name>-requests``."""
    site.statuspage.watch(name)
    with site.app.app_context():
        Declaring().run()


def record(
    site: Site,
    ident: str,
    *outcomes: Verdict,
    region: str = "default",
    at: datetime | None = None,
    milliseconds: int | None = 12,
    error: str = "No answer in time",
) -> None:
    """Results of a monitor, a second apart, the last one at *at*; None: now."""
    last = at or utc_now()
    with site.app.app_context():
        for number, outcome in enumerate(outcomes, 1 - len(outcomes)):
            is_down = outcome is Verdict.DOWN
            result = CheckResult(
                monitor_id=UUID(ident),
                region=region,
                outcome=outcome,
                at=last + timedelta(seconds=number),
                milliseconds=None if is_down else milliseconds,
                code=None if is_down else 200,
                error=error if is_down else None,
            )
            monitoring.record(current_session(), [result])
        current_session().commit()


def monitor(site: Site, ident: str) -> dict[str, Any]:
    """A monitor as the manage API tells of it."""
    answer = site.ask("GET", f"/monitors/{ident}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found
