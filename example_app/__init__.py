"""A small customer portal with a status page. ``python -m example_app`` runs all of it on one machine.

What a site of your own needs from it is in :mod:`.status`; the rest is the portal that is watched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from . import backstage, billing, language, login, overview, search, status
from .models import db

__all__ = ["create_app"]


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The portal as a Flask app.

    Its configuration comes from the environment, with ``FLASK_`` before every key, then from *config*.
    """
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///portal.db"
    # Web server and workers share one SQLite file: wait for each other's writes (seconds).
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"timeout": 15}}
    app.config["STATUSPAGE_PAGE_NAME"] = "Juniper"
    app.config.from_prefixed_env()
    app.config.from_mapping(config or {})

    db.init_app(app)
    csrf = CSRFProtect(app)
    login.init_app(app)
    language.init_app(app)
    overview.init_app(app)
    for part in (billing, search):
        app.register_blueprint(part.blueprint)
    backstage.init_app(app, csrf)
    status.init_app(app)
    return app
