"""Monitors that the site's code declares: made once, kept as it says, open to members in all else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_statuspage import StatusPage
from flask_statuspage.errors import Conflict, Invalid
from flask_statuspage.jobs.declaring import Declaring
from flask_statuspage.jobs.schedule import Scheduler
from flask_statuspage.services import configuration, declared, monitors
from flask_statuspage.state import current_state
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.team import AuditEntry

from . import scenes


@pytest.fixture
def code(app: Flask) -> Iterator[StatusPage]:
    """The site's code, which declares nothing yet."""
    owner: StatusPage = app.extensions["statuspage"].owner
    yield owner
    owner._declarations.clear()


def run(session: Session, declaring: Declaring | None = None) -> None:
    (declaring or Declaring()).run()
    session.expire_all()


def only(session: Session) -> Monitor:
    return session.scalars(select(Monitor)).one()


def test_it_is_made_once(session: Session, page: Page, code: StatusPage) -> None:
    """Whoever looks again finds it as it should be and writes nothing."""
    scenes.component(session, page, "Checkout")
    code.watch("checkout", component="Checkout", window=120, degraded_over_ms=800)
    run(session)
    row = only(session)
    assert (row.kind, row.target, row.slug) == ("traffic", "checkout", "checkout-requests")
    assert (row.name, row.interval, row.degraded_over_ms) == ("Requests to checkout", 30, 800)
    assert row.options["window"] == 120
    assert row.component_id is not None
    version = session.scalar(select(Page.version))
    entries = session.scalar(select(func.count(AuditEntry.id)))
    run(session)
    assert session.scalar(select(Page.version)) == version
    assert session.scalar(select(func.count(AuditEntry.id))) == entries


def test_what_the_code_says_wins_and_the_rest_is_the_members(
    session: Session, page: Page, code: StatusPage
) -> None:
    """Another deployment changes what it states; thresholds and a pause that a member chose stay."""
    code.watch("checkout", every=30)
    run(session)
    row = monitors.get(session, page, "checkout-requests", lock=True)
    monitors.change(session, page, row, {"failure_threshold": 7, "timeout": 20.0}, actor="ann")
    monitors.pause(session, page, row, actor="ann")
    session.commit()
    code.watch("checkout", every=60, degraded_over_ms=500)
    run(session)
    row = only(session)
    assert (row.interval, row.degraded_over_ms) == (60, 500)
    assert (row.failure_threshold, row.timeout) == (7, 20.0)
    assert row.paused_at is not None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "values",
    [
        {"kind": "http", "target": "http://127.0.0.1:9/"},
        {"target": "other"},
        {"interval": 31},
        {"slug": "other"},
        {"name": "Other"},
        {"options": {"window": 60}},
    ],
)
def test_members_do_not_change_what_the_code_says(
    session: Session, page: Page, code: StatusPage, values: dict[str, object]
) -> None:
    """Each such field is named; the same value is no change."""
    code.watch("checkout")
    run(session)
    row = monitors.get(session, page, "checkout-requests", lock=True)
    with pytest.raises(Invalid) as caught:
        monitors.change(session, page, row, values, actor="ann")
    assert {error.field for error in caught.value.errors} == set(values)
    same = {"kind": "traffic", "target": "checkout", "interval": 30, "open_incident": False}
    monitors.change(session, page, row, same, actor="ann")
    assert row.open_incident is False


def test_two_processes_at_once(app: Flask, session: Session, page: Page, code: StatusPage) -> None:
    """Two schedulers that begin at the same moment make one monitor, and neither fails."""
    code.watch("checkout")
    code.check("Search")(lambda: True)
    assert scenes.at_once(app, *[lambda other, its_page: Declaring().run()] * 4) == [None] * 4
    slugs = sorted(session.scalars(select(Monitor.slug)))
    assert slugs == ["checkout-requests", "search"]


def test_trouble_is_told_once(
    session: Session, page: Page, code: StatusPage, caplog: pytest.LogCaptureFixture
) -> None:
    """A component or page that is not there is logged once, holds up nothing, and is found once it is there."""
    code.watch("checkout", component="Checkout")
    code.check("Search", page="nowhere")(lambda: True)
    code.check("Fine", every=100_000)(lambda: True)
    declaring = Declaring()
    with caplog.at_level(logging.WARNING):
        run(session, declaring)
        assert caplog.text.count("There is no component 'Checkout'") == 1
        assert caplog.text.count("There is no page 'nowhere'") == 1
        assert caplog.text.count("interval: Must be from") == 1
        assert only(session).component_id is None
        lines = len(caplog.records)
        run(session, declaring)
        assert len(caplog.records) == lines
    scenes.component(session, page, "Checkout")
    run(session, declaring)
    assert only(session).component_id is not None


def test_an_invalid_change_leaves_all_as_it_was(
    session: Session, page: Page, code: StatusPage, caplog: pytest.LogCaptureFixture
) -> None:
    """A deployment says what no monitor may have: row, page and audit stay, however often it is looked at."""

    def function() -> None: ...

    code.check("S", timeout=10)(function)
    run(session)
    version = session.scalar(select(Page.version))
    entries = session.scalar(select(func.count(AuditEntry.id)))
    code.check("S", timeout=500, every=60)(function)
    declaring = Declaring()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            run(session, declaring)
    row = only(session)
    assert (row.timeout, row.interval) == (10.0, 30)
    assert session.scalar(select(Page.version)) == version
    assert session.scalar(select(func.count(AuditEntry.id))) == entries
    assert caplog.text.count("timeout: Must be from") == 1
    code.check("S", timeout=20)(function)
    run(session, declaring)
    assert only(session).timeout == 20.0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_order_of_regions_is_no_difference(
    session: Session, page: Page, code: StatusPage
) -> None:
    """In whatever order the database hands them out, nothing is written; another set of them is a change."""

    def function() -> None: ...

    code.check("S", regions=["ap", "default", "eu"])(function)
    run(session)
    version = session.scalar(select(Page.version))
    (one,) = code._declarations
    fields = {**one.fields, "regions": ["eu", "ap", "default"]}
    code._declarations[:] = [replace(one, fields=fields)]
    run(session)
    assert session.scalar(select(Page.version)) == version
    code.check("S", regions=["ap", "eu"])(function)
    run(session)
    row = monitors.get(session, page, "s")
    assert {region.region for region in row.regions} == {"ap", "eu"}


def test_a_member_has_the_slug(
    session: Session, page: Page, code: StatusPage, caplog: pytest.LogCaptureFixture
) -> None:
    """A monitor that members made is left alone, and the log says why there is none of the code."""
    scenes.monitor(session, page, "Search")
    code.check("Search")(lambda: True)
    with caplog.at_level(logging.WARNING):
        run(session)
    assert "Another monitor, of kind 'http', has the slug 'search'" in caplog.text
    assert only(session).kind == "http"


def test_a_removed_one_comes_back_only_with_its_code(
    session: Session, page: Page, code: StatusPage
) -> None:
    """Members may remove it; while the code declares it, it is made again."""
    code.check("Search")(lambda: True)
    run(session)
    code._declarations.clear()
    run(session)
    assert only(session).slug == "search"
    monitors.remove(session, page, monitors.get(session, page, "search", lock=True), actor="ann")
    session.commit()
    run(session)
    assert session.scalars(select(Monitor)).all() == []


def test_the_leader_declares(session: Session, page: Page, code: StatusPage) -> None:
    """The scheduler that leads does it, the one that stands by does not."""
    code.check("Search")(lambda: True)
    leader, other = Scheduler(lambda task: None), Scheduler(lambda task: None)
    assert leader.tick()
    assert only(session).slug == "search"
    code.check("Later")(lambda: True)
    assert not other.tick()
    session.rollback()
    assert only(session).slug == "search"
    leader.stop()
    assert other.tick()
    session.rollback()
    assert len(session.scalars(select(Monitor)).all()) == 2
    other.stop()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_configuration_leaves_them_alone(
    session: Session, page: Page, code: StatusPage
) -> None:
    """They and the tokens of heartbeats are not in a dump, are not pruned, and a document cannot claim them."""
    scenes.component(session, page, "Engine")
    code.check("Search", component="Engine")(lambda: True)
    run(session)
    beat = monitors.create(session, page, name="Job", kind="heartbeat", depends_on="search")
    session.commit()
    token = beat.token
    document = configuration.dump(session)
    (entry,) = document["pages"][0]["monitors"]
    assert (entry["slug"], entry["depends_on"]) == ("job", "search")
    assert token not in str(document)
    assert configuration.apply(session, document, prune=True) == []
    session.commit()
    document["pages"][0]["components"] = []
    assert configuration.apply(session, document, prune=True) == []
    session.commit()
    assert {row.slug for row in session.scalars(select(Monitor))} == {"job", "search"}
    assert session.scalar(select(Monitor.token).where(Monitor.slug == "job")) == token
    document["pages"][0]["monitors"].append({"slug": "search", "interval": 60})
    with pytest.raises((Invalid, Conflict)) as caught:
        configuration.apply(session, document)
    assert "search" in str(caught.value) or "monitors[1]" in str(caught.value)
    session.rollback()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_declaration_at_a_time(session: Session, page: Page, code: StatusPage) -> None:
    """What stands in the way comes back as words for the log."""
    code.check("Search", component="nope")(lambda: True)
    (one,) = current_state().declarations()
    assert declared.sync(session, one) == (
        "There is no component 'nope' on the page 'main': it only measures."
    )
