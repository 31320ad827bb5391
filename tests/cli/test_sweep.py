"""`flask statuspage sweep` does all that a scheduler would have others do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, select, update

from flask_statuspage.domain.pace import Call
from flask_statuspage.domain.roles import Role
from flask_statuspage.jobs import tasks
from flask_statuspage.jobs.schedule import Scheduler
from flask_statuspage.services import letters, maintenances, members, monitors, subscriptions
from flask_statuspage.storage import endpoints
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.maintenances import Maintenance
from flask_statuspage.storage.outbox import Delivery
from flask_statuspage.storage.pages import default_page
from flask_statuspage.storage.session import current_engine, current_session, database_now
from tests import apps
from tests.servers.http import Answer, Receiver, Target
from tests.servers.smtp import SmtpServer
from tests.services import scenes

ANN = "ann@acme.example"


@pytest.fixture
def app(tmp_path: Path, smtp: SmtpServer) -> Iterator[Flask]:
    """A site that can mail and keeps a mirror, with one member whose link to sign in waits to be mailed."""
    settings = {
        "STATUSPAGE_SMTP_URL": f"smtp://127.0.0.1:{smtp.port}",
        "STATUSPAGE_EMAIL_FROM": "status@acme.example",
        "STATUSPAGE_MIRROR_DIR": str(tmp_path / "mirror"),
        "STATUSPAGE_ALLOW_PRIVATE_TARGETS": True,
        "STATUSPAGE_ALLOW_HTTP_TARGETS": True,
    }
    with apps.running(f"sqlite:///{tmp_path / 'site.db'}", **settings) as app:
        with app.app_context():
            session = current_session()
            members.add(session, ANN, role=Role.OWNER, actor=None, actor_role=None)
            letters.ask_for_link(session, ANN)
            session.commit()
        yield app


def sweep(app: Flask) -> dict[str, int]:
    """What it says that it did of each task, in its order."""
    done = app.test_cli_runner().invoke(args=["statuspage", "sweep"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    lines = (line.rpartition(": ") for line in done.output.splitlines())
    return {task: int(count) for task, _, count in lines}


def test_a_mail_to_a_member_leaves(app: Flask, smtp: SmtpServer) -> None:
    """It goes out with the sweep, and holds up nothing else; the next sweep has none left."""
    assert sweep(app)["letters"] == 1
    assert [mail.envelope_to for mail in smtp.messages] == [(ANN,)]
    assert sweep(app)["letters"] == 0


def test_a_task_that_fails_holds_up_no_other(
    app: Flask, caplog: pytest.LogCaptureFixture, smtp: SmtpServer
) -> None:
    """All others are done; it is logged, named in one line, and the exit code tells cron."""

    def break_down(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("UPDATE statuspage_member"):
            raise RuntimeError("a listener of the host broke")

    with app.app_context():
        event.listen(current_engine(), "before_cursor_execute", break_down)
    done = app.test_cli_runner().invoke(args=["statuspage", "sweep"])
    assert done.exit_code == 1
    told = [line.partition(":")[0] for line in done.output.splitlines()]
    others = [task for task in tasks.TASKS if task not in ("timetable", "probe", "letters")]
    assert told == [*others, "Error"]
    assert done.output.endswith("Error: 1 of 7 tasks failed: letters.\n")
    assert "a listener of the host broke" in caplog.text
    assert smtp.messages == []


def test_every_task_has_its_place(app: Flask, target: Target, receiver: Receiver) -> None:
    """Where all is due at once the scheduler wakes every task that there is, and a sweep does each of them."""
    with app.app_context():
        make_all_due(target, receiver)
        woken: list[str] = []
        scheduler = Scheduler(woken.append)
        # The mirror waits for a moment without changes.
        assert scheduler.tick()
        assert scheduler.tick()
        scheduler.stop()
    assert {task.partition(":")[0] for task in woken} == set(tasks.TASKS)
    done = sweep(app)
    assert [task.partition(":")[0] for task in done] == list(tasks.TASKS)
    assert set(woken) == set(done)
    idle = {task for task, count in done.items() if not count}
    assert idle == {"housekeep", "forget"}


def make_all_due(target: Target, receiver: Receiver) -> None:
    session = current_session()
    page = default_page(session)
    scenes.component(session, page)
    monitors.create(session, page, name="API", target=target.set("/health", Answer(status=200)))
    soon = utc_now() + timedelta(hours=1)
    maintenances.schedule(
        session,
        page,
        title="Work",
        scheduled_start=soon,
        scheduled_end=soon + timedelta(hours=1),
        notify=False,
    )
    session.execute(update(Maintenance).values(scheduled_start=utc_now(), next_at=utc_now()))
    for host in (receiver.url, receiver.url.replace("127.0.0.1", "localhost")):
        hook = scenes.webhook(session, page, f"{host}/hook")
        subscriptions.send_test(session, page, hook)
    # Beside what is ready to be sent at both places one event waits for its deliveries.
    scenes.message(session, page).fanned_out_at = None
    slow = session.scalars(select(Delivery.endpoint).where(Delivery.endpoint.like("localhost%")))
    calls = [Call(milliseconds=3000)]
    endpoints.note(session, {str(slow.first()): calls}, database_now(session), most=8)
    session.commit()
