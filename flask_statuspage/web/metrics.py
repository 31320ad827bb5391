"""``/metrics``: what is measured, for whoever has a key of the manage API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..documents import metrics as documents
from ..domain.roles import Role
from ..errors import StatusPageError
from ..services import lag
from ..storage.session import database_now
from . import failures
from .manage_api.door import authorized

if TYPE_CHECKING:
    from prometheus_client.core import Metric


def add_routes(blueprint: Blueprint) -> None:
    """It is about all pages, so there is one, at the mount itself."""
    blueprint.add_url_rule("/metrics", "metrics", metrics)


def metrics() -> Response:
    try:
        session = authorized(Role.VIEWER).session
        now = database_now(session)
        families = [family for measured in MEASURED for family in measured(session, now)]
        session.commit()  # when the key was last used
    except (StatusPageError, SQLAlchemyError) as error:
        return failures.as_problem(error)
    response = Response(documents.text(families), content_type=documents.CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _deliveries(session: Session, now: datetime) -> Iterable[Metric]:
    return documents.of_deliveries(lag.measure(session, now), lag.unaddressed(session, now))


MEASURED: tuple[Callable[[Session, datetime], Iterable[Metric]], ...] = (_deliveries,)
