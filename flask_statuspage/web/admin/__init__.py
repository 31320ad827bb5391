"""The console: what members do in a browser. Each file has the routes of one area, through one desk (:mod:`.desk`)."""

from __future__ import annotations

from flask import Blueprint

from ...domain.rights import Right
from ...services.addresses import CONSOLE
from . import (
    account,
    audit,
    dashboard,
    deliveries,
    incident,
    incident_edits,
    incidents,
    integration,
    integration_tests,
    integrations,
    keys,
    login,
    maintenance,
    maintenance_edits,
    maintenances,
    monitor,
    monitor_edits,
    monitors,
    services,
    settings,
    subscribers,
    subscribers_csv,
    team,
    templates,
    x_sign_in,
)
from .desk import Desk

AREAS = (
    dashboard,
    incidents,
    incident,
    incident_edits,
    maintenances,
    maintenance,
    maintenance_edits,
    services,
    monitors,
    monitor,
    monitor_edits,
    subscribers,
    subscribers_csv,
    integrations,
    integration,
    integration_tests,
    x_sign_in,
    deliveries,
    templates,
    team,
    keys,
    account,
    settings,
    audit,
)
"""In the order of the menu."""


def make_blueprint() -> Blueprint:
    """A fresh blueprint with every route; a child of each status page blueprint."""
    return _desk().blueprint


def routes() -> list[tuple[str, str, Right]]:
    """Endpoint, method and right of every route that a desk opened."""
    return _desk().routes


def _desk() -> Desk:
    desk = Desk(Blueprint("console", __name__, url_prefix=CONSOLE))
    for area in AREAS:
        area.add_routes(desk)
    login.add_routes(desk.blueprint)
    return desk
