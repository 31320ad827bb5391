"""``/metrics``: what is measured, for whoever has a key of the manage API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..documents import metrics as documents
from ..documents import site_metrics
from ..domain.rights import Right
from ..errors import StatusPageError
from ..services import lag, measured
from ..state import current_state
from ..storage.session import database_now
from . import failures
from .manage_api.call import authorized

if TYPE_CHECKING:
    from prometheus_client.core import Metric


def add_routes(blueprint: Blueprint) -> None:
    """It is about all pages, so there is one, at the mount itself."""
    blueprint.add_url_rule("/metrics", "metrics", metrics)


def metrics() -> Response:
    try:
        session = authorized(Right.SEE).session
        now = database_now(session)
        families = [family for read in MEASURED for family in read(session, now)]
        session.commit()  # when the key was last used; and nothing is held while Redis is asked
    except (StatusPageError, SQLAlchemyError) as error:
        return failures.as_problem(error)
    families += _of_this_process()
    response = Response(documents.text(families), content_type=documents.CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _deliveries(session: Session, now: datetime) -> Iterable[Metric]:
    return documents.of_deliveries(lag.measure(session, now), lag.unaddressed(session, now))


def _components_and_monitors(session: Session, now: datetime) -> Iterable[Metric]:
    components, monitors = measured.components_and_monitors(session, now)
    return [*site_metrics.of_components(components), *site_metrics.of_monitors(monitors)]


def _checks(session: Session, now: datetime) -> Iterable[Metric]:
    return site_metrics.of_checks(measured.backlogs(session, now))


MEASURED: tuple[Callable[[Session, datetime], Iterable[Metric]], ...] = (
    _components_and_monitors,
    _checks,
    _deliveries,
)


def _of_this_process() -> Iterable[Metric]:
    """What no database knows."""
    state = current_state()
    yield from site_metrics.of_pages(state.documents.ages())
    if state.waiting_jobs is not None:
        yield from site_metrics.of_queues(state.waiting_jobs())
    yield from site_metrics.of_build(version("Flask-StatusPage"))
