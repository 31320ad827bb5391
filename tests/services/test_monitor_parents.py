"""Monitors that depend on another one: silent while it fails, and patient until it was asked."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.errors import Invalid
from flask_statuspage.probing import CheckResult
from flask_statuspage.services import monitor_options, monitoring, monitors, templates
from flask_statuspage.storage import monitors as stored
from flask_statuspage.storage import pages
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.session import current_engine

from . import scenes
from .scenes import result
from .watching import age, is_due, not_due, record, regions_of, verdict_of

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def family(session: Session, page: Page, **options: object) -> tuple[Monitor, Monitor]:
    """A gateway that is asked every minute and a service behind it every five seconds, both up."""
    gateway = scenes.monitor(session, page, "Gateway", interval=60, **options)
    child = scenes.monitor(session, page, "Child", interval=5, depends_on="gateway")
    record(session, result(gateway, UP, seconds=-30), result(child, UP, seconds=-5))
    not_due(session, gateway, child)
    return gateway, child


def pause(session: Session, page: Page, slug: str) -> None:
    monitors.pause(session, page, monitors.get(session, page, slug, lock=True), actor=None)
    session.commit()


def test_a_child_of_what_is_down_is_silent(session: Session, page: Page) -> None:
    """One alert tells of both; the child's failures are kept, and count again once the parent is up."""
    gateway, child = family(session, page)
    record(session, result(gateway, DOWN))
    for seconds in (1, 2, 3):
        record(session, result(child, DOWN, seconds=seconds))
    assert (verdict_of(session, gateway), verdict_of(session, child)) == (DOWN, UP)
    row = regions_of(session, child)["default"]
    assert (row.down, row.last_outcome) == (0, DOWN)
    assert row.abstained_at is not None
    assert scenes.names(session, "monitor.") == ["monitor.down"]
    record(session, result(gateway, UP, seconds=4))
    record(session, result(child, DOWN, seconds=5))
    assert verdict_of(session, child) is DOWN


@SQLITE
def test_what_works_behind_a_parent_that_is_down_counts(session: Session, page: Page) -> None:
    """Only failures are excused: a child that was down recovers whatever its parent does."""
    gateway, child = family(session, page)
    record(session, result(gateway, UP), result(child, DOWN), result(gateway, UP, seconds=1))
    record(session, result(child, DOWN, seconds=2))
    assert verdict_of(session, child) is DOWN
    record(session, result(gateway, DOWN, seconds=3), result(child, UP, seconds=4))
    assert (verdict_of(session, gateway), verdict_of(session, child)) == (DOWN, UP)


@SQLITE
def test_one_failure_of_the_parent_excuses(session: Session, page: Page) -> None:
    """The parent need not be down: its latest check failed, though its threshold is not reached."""
    gateway, child = family(session, page, failure_threshold=3)
    record(session, result(gateway, DOWN), result(child, DOWN, seconds=1))
    assert (verdict_of(session, gateway), verdict_of(session, child)) == (UP, UP)


def test_a_child_waits_for_its_parents_word(session: Session, page: Page) -> None:
    """What the parent said before the child failed is no word on it: it is asked at once, and the child turns at its
    next result."""
    gateway, child = family(session, page)
    record(session, result(child, DOWN))
    assert verdict_of(session, child) is UP
    assert is_due(session, gateway)
    record(session, result(gateway, UP, seconds=1), result(child, DOWN, seconds=5))
    assert verdict_of(session, child) is DOWN


@SQLITE
def test_a_child_whose_parent_turns_out_to_fail_stays_silent(session: Session, page: Page) -> None:
    """The answer to the question is a failure: no alert for the child, one for the parent once it is down."""
    gateway, child = family(session, page, failure_threshold=2)
    record(session, result(child, DOWN))
    record(session, result(gateway, DOWN, seconds=1))
    for seconds in (5, 10, 15):
        record(session, result(child, DOWN, seconds=seconds))
    record(session, result(gateway, DOWN, seconds=16), result(child, DOWN, seconds=20))
    assert (verdict_of(session, gateway), verdict_of(session, child)) == (DOWN, UP)
    assert scenes.names(session, "monitor.") == ["monitor.down"]


@SQLITE
def test_a_parent_that_does_not_answer_is_not_waited_for_for_ever(
    session: Session, page: Page
) -> None:
    """Its timeout and fifteen seconds are the most."""
    _, child = family(session, page, timeout=4)
    for seconds in (0, 5, 10, 15):
        record(session, result(child, DOWN, seconds=seconds))
        assert verdict_of(session, child) is UP
    record(session, result(child, DOWN, seconds=20))
    assert verdict_of(session, child) is DOWN


def test_a_parent_that_hangs_is_asked_once(session: Session, page: Page) -> None:
    """However many children fail meanwhile; once it has answered, or its time is over, it may be asked again."""
    gateway, child = family(session, page, timeout=4)
    other = scenes.monitor(session, page, "Other", interval=5, depends_on="gateway")
    record(session, result(other, UP, seconds=-5))
    record(session, result(child, DOWN))
    assert is_due(session, gateway)
    not_due(session, gateway)  # a worker takes it, and waits for an answer
    record(session, result(other, DOWN))
    record(session, result(child, DOWN, seconds=0.1))
    assert not is_due(session, gateway)
    record(session, result(gateway, UP, seconds=0.2))
    late = scenes.monitor(session, page, "Late", interval=5, depends_on="gateway")
    record(session, result(late, UP, seconds=-5))
    not_due(session, gateway)
    record(session, result(late, DOWN, seconds=0.3))
    assert is_due(session, gateway)
    not_due(session, gateway)
    session.execute(
        update(MonitorRegion)
        .where(MonitorRegion.monitor_id == gateway.id)
        .values(
            woken_at=utc_now() - timedelta(seconds=20), last_at=utc_now() - timedelta(minutes=1)
        )
    )
    session.commit()
    record(session, result(late, DOWN, seconds=0.4))
    assert is_due(session, gateway)


@SQLITE
def test_a_child_waits_for_its_parent_once(session: Session, page: Page) -> None:
    """A parent that is asked every hour, by nobody, delays it by its timeout and fifteen seconds and no more."""
    gateway = scenes.monitor(session, page, "Gateway", interval=3600, timeout=10)
    child = scenes.monitor(
        session, page, "Child", interval=5, timeout=1, depends_on="gateway", failure_threshold=3
    )
    record(session, result(gateway, UP, seconds=-600), result(child, UP, seconds=-5))
    not_due(session, gateway)
    fell = None
    for seconds in range(0, 60, 5):
        record(session, result(child, DOWN, seconds=seconds))
        if verdict_of(session, child) is DOWN:
            fell = seconds
            break
    # Three failures, a wait of 25 s from the third one on, and the next result.
    assert fell is not None
    assert fell <= 10 + 25 + 5


@SQLITE
def test_a_word_within_the_failing_run_is_enough(session: Session, page: Page) -> None:
    """A parent that answered after the child had begun to fail is not asked again."""
    gateway = scenes.monitor(session, page, "Gateway", interval=60)
    child = scenes.monitor(
        session, page, "Child", interval=60, depends_on="gateway", failure_threshold=3
    )
    record(session, result(gateway, UP, seconds=-70), result(child, UP, seconds=-180))
    not_due(session, gateway, child)
    record(session, *(result(child, DOWN, seconds=seconds) for seconds in (-120, -60, 0)))
    assert verdict_of(session, child) is DOWN
    assert not is_due(session, gateway)


@SQLITE
def test_in_one_batch_the_parent_is_heard_first(session: Session, page: Page) -> None:
    """Whatever the order in which a chain was asked: only what all depend on alerts."""
    gateway, child = family(session, page)
    leaf = scenes.monitor(session, page, "A leaf", interval=5, depends_on="child")
    record(session, result(leaf, UP, seconds=-5))
    record(
        session,
        *(result(leaf, DOWN), result(child, DOWN, seconds=1), result(gateway, DOWN, seconds=2)),
    )
    verdicts = [verdict_of(session, row) for row in (gateway, child, leaf)]
    assert verdicts == [DOWN, UP, UP]


@SQLITE
def test_a_parents_failure_in_the_same_batch_excuses(session: Session, page: Page) -> None:
    """Also where the parent had a good word within the child's failing run, and was asked a little later."""
    gateway = scenes.monitor(session, page, "Gateway", failure_threshold=3)
    child = scenes.monitor(session, page, "Child", depends_on="gateway", failure_threshold=3)
    record(session, result(gateway, UP, seconds=-70), result(child, UP, seconds=-180))
    record(session, *(result(child, DOWN, seconds=seconds) for seconds in (-120, -60)))
    record(session, result(child, DOWN), result(gateway, DOWN, seconds=1))
    assert (verdict_of(session, gateway), verdict_of(session, child)) == (UP, UP)


@SQLITE
def test_a_chain_is_silent_as_a_whole(session: Session, page: Page) -> None:
    """A parent that is excused itself still excuses: it fails, whyever."""
    gateway, child = family(session, page)
    leaf = scenes.monitor(session, page, "A leaf", interval=5, depends_on="child")
    record(session, result(leaf, UP, seconds=-5))
    record(session, result(gateway, DOWN))
    record(session, result(child, DOWN, seconds=1))
    record(session, result(leaf, DOWN, seconds=2))
    assert (verdict_of(session, child), verdict_of(session, leaf)) == (UP, UP)


@SQLITE
@pytest.mark.parametrize("how", ["pause", "remove", "silence"])
def test_a_parent_without_a_word_frees_its_children(session: Session, page: Page, how: str) -> None:
    """A parent that is paused, removed or not heard of for long excuses nobody, and nobody waits for it."""
    gateway, child = family(session, page)
    record(session, result(gateway, DOWN))
    record(session, result(child, DOWN, seconds=1))
    assert verdict_of(session, child) is UP
    if how == "pause":
        pause(session, page, "gateway")
    elif how == "remove":
        row = monitors.get(session, page, "gateway", lock=True)
        monitors.remove(session, page, row, actor=None)
        session.commit()
    else:
        age(session, gateway, 600)
    record(session, result(child, DOWN, seconds=2))
    assert verdict_of(session, child) is DOWN


@SQLITE
def test_the_parent_in_the_same_region_is_asked_first(session: Session, page: Page) -> None:
    """What fails in one region only excuses there only; where it is not asked, any region's word counts."""
    gateway = scenes.monitor(session, page, "Gateway", regions=["eu", "us"], quorum=2)
    child = scenes.monitor(session, page, "Child", regions=["ap", "eu", "us"], depends_on="gateway")
    record(session, *(result(gateway, UP, region=one, seconds=-5) for one in ("eu", "us")))
    record(session, *(result(child, UP, region=one, seconds=-5) for one in ("ap", "eu", "us")))
    record(session, result(gateway, DOWN, region="eu"), result(gateway, UP, region="us", seconds=2))
    record(session, *(result(child, DOWN, region=one, seconds=1) for one in ("ap", "eu", "us")))
    rows = regions_of(session, child)
    assert {name: row.verdict for name, row in rows.items()} == {"ap": DOWN, "eu": UP, "us": DOWN}


@SQLITE
def test_parents_cost_one_query_a_batch(session: Session, page: Page) -> None:
    """For many children of many parents as for one, and none while nothing fails."""
    children = []
    for number in range(6):
        scenes.monitor(session, page, f"G{number}")
        parent = f"g{number}"
        children.append(
            scenes.monitor(session, page, f"C{number}", depends_on=parent, failure_threshold=9)
        )
    record(session, *(result(one, UP) for one in children))
    counted: list[str] = []

    def note(connection: object, cursor: object, statement: str, *more: object) -> None:
        counted.append(statement)

    def statements(*batch: CheckResult) -> int:
        counted.clear()
        record(session, *batch)
        return len(counted)

    event.listen(current_engine(), "before_cursor_execute", note)
    try:
        well = statements(*(result(one, UP, seconds=1) for one in children))
        one = statements(result(children[0], DOWN, seconds=2))
        many = statements(*(result(one, DOWN, seconds=3) for one in children[1:]))
    finally:
        event.remove(current_engine(), "before_cursor_execute", note)
    assert one == many == well + 1


def test_children_and_parents_at_once(app: Flask, session: Session, page: Page) -> None:
    """Batches of both in many workers neither block each other for good nor lose a result."""
    gateway, child = family(session, page)
    others = [
        scenes.monitor(session, page, f"C{number}", interval=5, depends_on="gateway")
        for number in range(3)
    ]
    record(session, *(result(row, UP, seconds=-5) for row in others))
    not_due(session, gateway, child, *others)
    batches = [
        [result(gateway, DOWN, seconds=1)],
        [result(child, DOWN, seconds=1), *(result(row, DOWN, seconds=1) for row in others[:1])],
        [*(result(row, DOWN, seconds=2) for row in others[::-1])],
    ]
    works = [lambda other, its, batch=batch: monitoring.record(other, batch) for batch in batches]
    assert scenes.at_once(app, *works) == [None] * 3
    assert verdict_of(session, gateway) is DOWN
    # Whoever was recorded first waited for the gateway's word, whoever came later was excused by it.
    assert {verdict_of(session, row) for row in (child, *others)} == {UP}
    assert scenes.names(session, "monitor.") == ["monitor.down"]


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("what", ["the parent", "the template"])
def test_removing_waits_for_monitors_before_it_holds_the_page(
    app: Flask, session: Session, page: Page, what: str
) -> None:
    """Whoever records a batch holds monitors and then wants the page; one that removes must not have it by then."""
    template = templates.create(session, page, kind="incident", name="Words", title="Down")
    session.commit()
    scenes.monitor(session, page, "Gateway")
    child = scenes.monitor(session, page, "Child", depends_on="gateway", template="Words")
    template_id, child_id = template.id, child.id
    session.commit()
    held = threading.Event()

    def batch(other: Session, its_page: Page) -> None:
        stored.locked(other, [child_id])
        held.set()
        time.sleep(0.7)
        pages.touch(other, its_page.id, utc_now())

    def removal(other: Session, its_page: Page) -> None:
        assert held.wait(5)
        if what == "the parent":
            row = monitors.get(other, its_page, "gateway", lock=True, dependants=True)
            monitors.remove(other, its_page, row, actor=None)
        else:
            row = templates.get(other, its_page, str(template_id))
            templates.remove(other, its_page, row, actor=None)

    assert scenes.at_once(app, batch, removal) == [None, None]


@SQLITE
def test_a_circle_that_is_there_already_ends_the_search(session: Session, page: Page) -> None:
    """Whatever the rows say, looking for the parents of a parent comes to an end."""
    rows = [scenes.monitor(session, page, name) for name in ("A", "B", "C")]
    for row, parent in ((rows[0], rows[1]), (rows[1], rows[0])):
        row.depends_on_id = parent.id
    session.commit()
    last = monitors.get(session, page, "c", lock=True)
    with pytest.raises(Invalid, match="depends_on"):
        monitors.change(session, page, last, {"depends_on": "a"}, actor=None)
    session.rollback()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_regions_come_in_the_order_of_their_names(session: Session, page: Page) -> None:
    """Wherever the database keeps their rows, which moves with each result."""
    row = scenes.monitor(session, page, regions=["us", "eu", "ap"])
    ident = row.id
    for region in ("ap", "eu", "us", "ap"):
        record(session, result(row, UP, region=region))
        session.expire_all()
        found = stored.get(session, ident, lock=True)
        assert found is not None
        assert [one.region for one in found.regions] == ["ap", "eu", "us"]
        session.commit()


@pytest.mark.parametrize("database", ["sqlite", "mariadb"], indirect=True)
def test_the_most_secrets_that_are_allowed_can_be_stored(session: Session, page: Page) -> None:
    """Twenty long headers fit on every database."""
    headers = {f"X-Token-{number}": "t" * 4000 for number in range(20)}
    row = scenes.monitor(session, page, options={"headers": headers})
    assert monitor_options.secrets(row)["headers.X-Token-3"] == "t" * 4000


@SQLITE
def test_another_kind_begins_with_its_own_options(session: Session, page: Page) -> None:
    """Those of the kind before say nothing of it, and nobody has to take them back."""
    row = scenes.monitor(session, page, options={"method": "HEAD"})
    row = monitors.get(session, page, row.slug, lock=True)
    monitors.change(session, page, row, {"kind": "tcp", "target": "127.0.0.1:9"}, actor=None)
    assert "banner" in row.options
    assert "method" not in row.options
