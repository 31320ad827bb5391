from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.delivery.parcel import Outcome
from flask_statuspage.jobs import tasks
from flask_statuspage.jobs.embedded import Runner
from flask_statuspage.services import deliveries
from flask_statuspage.storage import pages
from flask_statuspage.storage.outbox import Delivery, DeliveryState
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_session
from tests.servers.http import Answer, Target
from tests.story.site import Site, eventually, running_site


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    with running_site(tmp_path, SQLALCHEMY_DATABASE_URI=database_url) as site:
        yield site


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_target_that_hangs_blinds_no_other(site: Site, target: Target) -> None:
    """While one target uses up its long timeout, another one is asked on and its failure is told."""
    slow = target.set("/slow", Answer(hang=True))
    fast = target.set("/fast", Answer(status=500))
    site.api("POST", "components", {"name": "Fast"})
    common = {"interval": 1, "failure_threshold": 3}
    site.api("POST", "monitors", {"name": "Slow", "target": slow, "timeout": 25, **common})
    body = {"name": "Fast", "target": fast, "timeout": 2, "component": "fast", **common}
    site.api("POST", "monitors", body)
    runner = Runner(site.app)
    runner.start()
    try:
        eventually(lambda: target.count("/slow"), within=30, what="the slow target is asked")
        eventually(
            lambda: site.api("GET", "monitors/fast")["verdict"] == "down",
            within=20,
            what="the fast target counts as down",
        )
        assert site.api("GET", "monitors/slow/checks")["total"] == 0
    finally:
        target.stopping.set()  # lets go of the one that hangs
        runner.stop()


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_a_transaction_that_lost_a_race_is_run_again(site: Site) -> None:
    """Of two that wait for each other the database ends one; both are committed in the end."""
    site.api("POST", "pages", {"name": "Second"})
    with site.app.app_context():
        first, second = current_session().scalars(select(Page.id).order_by(Page.slug)).all()
    meet = threading.Barrier(2)
    rounds: list[int] = []

    def work(one: UUID, other: UUID) -> None:
        tries = 0

        def both(session: Session) -> None:
            nonlocal tries
            tries += 1
            pages.hold(session, one)
            if tries == 1:
                meet.wait(10)
            pages.hold(session, other)

        with site.app.app_context():
            tasks._committed(both)
        rounds.append(tries)

    threads = [
        threading.Thread(target=work, args=pair) for pair in ((first, second), (second, first))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(rounds) == [1, 2]


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_an_outcome_that_cannot_be_noted_costs_the_others_nothing(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """When the database refuses a batch each outcome is noted alone; only the refused one is tried again."""
    for name in ("one", "two", "three"):
        address = f"http://127.0.0.1:9/{name}"
        made = site.api("POST", "subscriptions", {"channel": "webhook", "address": address})
        site.api("POST", f"subscriptions/{made['id']}/test")
    with site.app.app_context():
        parcels = deliveries.claim(current_session(), limit=10).parcels
        current_session().commit()
        # Longer than the column can say, as a channel of another package may answer.
        took = {parcels[1].delivery_id: 2**40}
        tasks._note(
            [
                (parcel, Outcome(code=200, milliseconds=took.get(parcel.delivery_id, 5)))
                for parcel in parcels
            ]
        )
        current_session().rollback()
        rows = current_session().scalars(select(Delivery))
        states = {row.id: row.state for row in rows}
    assert states.pop(parcels[1].delivery_id) is DeliveryState.PENDING
    assert list(states.values()) == [DeliveryState.DONE] * 2
    assert "could not be noted" in caplog.text
