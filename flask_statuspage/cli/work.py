"""``flask statuspage worker | scheduler | run | sweep``"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType

import click

from ..errors import SetupError
from ..jobs import tasks
from ..jobs.declaring import Declaring
from ..jobs.embedded import Runner
from ..jobs.queue import RedisTrigger, connect, is_queue, queues_for
from ..jobs.schedule import Heartbeat, Scheduler, due_tasks
from ..services.monitor_fields import DEFAULT_REGION
from ..state import current_settings
from ..storage.migrate import require_current
from ..storage.session import current_engine, current_session, is_away, release_session
from .group import app_of_context, statuspage_cli

logger = logging.getLogger(__name__)

EVERY_SWEEP = ("fan_out", "deliver", "letters", "deliver_slow", "housekeep", "forget")
"""Tasks that a sweep does whether anything is due before it or not: what it finds itself may make them due."""


@statuspage_cli.command("worker")
@click.option("--queue", "queues", multiple=True, metavar="Q", help="Only this queue; repeatable.")
@click.option(
    "--region", metavar="R", help="Only the probes of this region, from where this worker stands."
)
def worker(queues: tuple[str, ...], region: str | None) -> None:
    """Take work from Redis, one child process for each queue."""
    url = _redis_url()
    require_current(current_engine())
    connect(url).ping()
    if unknown := [name for name in queues if not is_queue(name)]:
        raise click.BadParameter(
            f"There is no queue {unknown[0]!r}. There are {', '.join(queues_for('<region>', mirror=True))}.",
            param_hint="--queue",
        )
    if not queues:
        mirror = current_settings().mirror_dir is not None
        if region and region not in (known := current_settings().regions):
            raise click.BadParameter(
                f"STATUSPAGE_REGIONS names {', '.join(known)}.", param_hint="'--region'"
            )
        everything = queues_for(region or DEFAULT_REGION, mirror=mirror)
        queues = tuple(everything[-1:] if region else everything)
    from ..jobs.worker import Supervisor  # imports RQ's worker, which needs fork

    click.echo(f"Working on {', '.join(queues)}. Stop with Ctrl-C.")
    Supervisor(app_of_context(), url, queues).run()


@statuspage_cli.command("scheduler")
def schedule() -> None:
    """Wake the workers when something is due. Several may run: one leads."""
    url = _redis_url()
    require_current(current_engine())
    connect(url).ping()
    trigger = RedisTrigger(url)
    click.echo("Scheduling. Stop with Ctrl-C.")
    scheduler = Scheduler(lambda task: None if trigger.waiting(task) else trigger(task))
    scheduler.run(_until_signal())


@statuspage_cli.command("run")
def run() -> None:
    """Schedule and work in this one process. Needs no Redis."""
    require_current(current_engine())
    release_session()
    runner = Runner(app_of_context())
    stopping = _until_signal()
    runner.start()
    click.echo("Scheduling and working in this process. Stop with Ctrl-C.")
    stopping.wait()
    runner.stop()


@statuspage_cli.command("sweep")
def sweep() -> None:
    """Do once, here, all that is due: checks, deliveries, housekeeping. For a cron job."""
    require_current(current_engine())
    Heartbeat("sweep").beat()
    Declaring().run()
    session = current_session()
    due = {*due_tasks(session), *EVERY_SWEEP}
    if current_settings().mirror_dir:
        due.add("mirror")
    release_session()
    failed = []
    for task in sorted(due, key=lambda task: (tasks.turn(task), task)):
        try:
            count = tasks.run(task)
        except Exception as error:
            if is_away(error):
                raise
            logger.exception("status page: task %s failed", task)
            failed.append(task)
        else:
            click.echo(f"{task}: {count}")
    if failed:
        raise click.ClickException(
            f"{len(failed)} of {len(due)} tasks failed: {', '.join(failed)}."
        )


def _redis_url() -> str:
    url = current_settings().redis_url
    if url is None:
        raise SetupError(
            "STATUSPAGE_REDIS_URL is not set. Set it, or use 'flask statuspage run', which needs no Redis."
        )
    return url


def _until_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    handler: Callable[[int, FrameType | None], None] = stop
    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)
    return stopping
