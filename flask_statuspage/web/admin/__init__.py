"""The console: what members do in a browser. Each file has the routes of one of its rooms."""

from __future__ import annotations

from flask import Blueprint

from ...services.addresses import CONSOLE
from . import integrations, x_sign_in


def make_blueprint() -> Blueprint:
    """A fresh blueprint with every route; a child of each status page blueprint."""
    blueprint = Blueprint("console", __name__, url_prefix=CONSOLE)
    for room in (integrations, x_sign_in):
        room.add_routes(blueprint)
    return blueprint
