"""Whatever incidents, persons and monitors say in any order: the worst of it is shown, and told once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.domain.incident import IncidentStatus
from flask_statuspage.domain.status import ComponentStatus, worst
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.services import components, incident_edits, incidents, monitoring
from flask_statuspage.storage.components import Condition
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_session
from tests.apps import empty

from . import scenes

OPERATIONAL = ComponentStatus.OPERATIONAL
MAJOR = ComponentStatus.MAJOR_OUTAGE
SAID = [status for status in ComponentStatus if status is not ComponentStatus.UNKNOWN]
SEEN = {
    Verdict.UP: OPERATIONAL,
    Verdict.DEGRADED: ComponentStatus.DEGRADED_PERFORMANCE,
    Verdict.DOWN: MAJOR,
}

numbers = st.integers(0, 2)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.sampled_from(SAID), st.sampled_from(["published", "draft"])),
        st.tuples(st.just("update"), numbers, st.none() | st.sampled_from(SAID)),
        st.tuples(st.just("drop"), numbers),
        st.tuples(st.just("resolve"), numbers),
        st.tuples(st.just("reopen"), numbers),
        st.tuples(st.just("publish"), numbers),
        st.tuples(st.just("remove"), numbers),
        st.tuples(st.just("person"), st.none() | st.sampled_from(SAID)),
        st.tuples(st.just("monitor"), st.sampled_from(list(SEEN))),
    ),
    min_size=1,
    max_size=14,
)


class Model:
    """What every source says, kept in the simplest way that could be right."""

    def __init__(self) -> None:
        self.person: ComponentStatus | None = None
        self.monitor = ComponentStatus.UNKNOWN
        self.said: list[ComponentStatus | None] = []  # of each incident; None: of no component
        self.is_open: list[bool] = []
        self.is_shown: list[bool] = []

    @property
    def sources(self) -> list[ComponentStatus]:
        incidents = [
            said
            for said, is_open, is_shown in zip(self.said, self.is_open, self.is_shown, strict=True)
            if said is not None and is_open and is_shown
        ]
        return [self.monitor, *incidents, *([self.person] if self.person else [])]


class Run:
    """The real thing beside the model."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.page = default_page(session)
        self.component = scenes.component(session, self.page)
        self.monitor = scenes.monitor(session, self.page, component="api", open_incident=False)
        self.model = Model()
        self.ids: list = []
        self.seconds = 0

    def take(self, step: tuple) -> None:
        name, *arguments = step
        getattr(self, name)(*arguments)
        self.session.commit()

    def open(self, status: ComponentStatus, visibility: str) -> None:
        incident = incidents.open(
            self.session,
            self.page,
            title="Slow",
            affected={"api": status},
            visibility=visibility,
        )
        self.ids.append(incident.id)
        self.model.said.append(status)
        self.model.is_open.append(True)
        self.model.is_shown.append(visibility == "published")

    def update(self, number: int, status: ComponentStatus | None) -> None:
        if self._is(number, open=True):
            affected = {"api": status} if status else None
            body = "" if status else "News."
            incidents.update(
                self.session, self.page, self.ids[number], affected=affected, body=body
            )
            self.model.said[number] = status or self.model.said[number]

    def drop(self, number: int) -> None:
        if self._is(number, open=True):
            incidents.update(self.session, self.page, self.ids[number], affected=[])
            self.model.said[number] = None

    def resolve(self, number: int) -> None:
        if self._is(number, open=True):
            incidents.resolve(self.session, self.page, self.ids[number])
            self.model.is_open[number] = False

    def reopen(self, number: int) -> None:
        if self._is(number, open=False):
            status = IncidentStatus.MONITORING
            incidents.reopen(self.session, self.page, self.ids[number], status=status)
            self.model.is_open[number] = True

    def publish(self, number: int) -> None:
        if number < len(self.ids):
            publish = {"visibility": "published"}
            incident_edits.edit(self.session, self.page, self.ids[number], publish)
            self.model.is_shown[number] = True

    def remove(self, number: int) -> None:
        if number < len(self.ids):
            incident_edits.remove(self.session, self.page, self.ids.pop(number))
            for kept in (self.model.said, self.model.is_open, self.model.is_shown):
                kept.pop(number)

    def person(self, status: ComponentStatus | None) -> None:
        row = components.get(self.session, self.page, "api")
        components.set_status(self.session, self.page, row, status)
        self.model.person = status

    def monitor_sees(self, verdict: Verdict) -> None:
        self.seconds += 1
        found = scenes.result(self.monitor, verdict, seconds=self.seconds)
        monitoring.record(self.session, [found])
        self.model.monitor = SEEN[verdict]

    def _is(self, number: int, *, open: bool) -> bool:
        return number < len(self.ids) and self.model.is_open[number] is open


@contextmanager
def fresh(app: Flask) -> Iterator[Run]:
    empty(app)
    with app.app_context():
        yield Run(current_session())
        current_session().rollback()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(taken=steps)
def test_the_worst_source_is_shown_and_each_change_told_once(app: Flask, taken: list) -> None:
    """After each step: the worst word is shown, history has neither gap nor overlap, each change is one event."""
    with fresh(app) as run:
        told = len(scenes.names(run.session, "component."))
        for step in taken:
            before = scenes.shown(run.session, run.component)
            run.take(("monitor_sees", *step[1:]) if step[0] == "monitor" else step)
            after = scenes.shown(run.session, run.component)
            assert after is worst(run.model.sources), step
            said = run.session.scalars(select(Condition.status)).all()
            assert sorted(said) == sorted(run.model.sources), step
            events = scenes.events(run.session, "component.")
            assert len(events) == told + (before is not after), step
            told = len(events)
            if before is not after:
                component = events[-1].data["component"]
                assert (component["previous_status"], component["status"]) == (before, after)
        rows = scenes.history(run.session, run.component)
        assert [row.ended_at for row in rows[:-1]] == [row.started_at for row in rows[1:]]
        assert all(one.status is not two.status for one, two in pairwise(rows))
        assert (rows[-1].ended_at, rows[-1].status) == (
            None,
            scenes.shown(run.session, run.component),
        )
