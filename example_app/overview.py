"""The first page after signing in, with the buttons that break things."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template
from flask.typing import ResponseReturnValue

from .login import login_required
from .models import is_broken
from .services import SERVICES, ButtonForm

ABOUT = {
    "billing": "Invoices and payments",
    "search": "Answers from the help centre",
}

blueprint = Blueprint("overview", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.get("/")
@login_required
def home() -> ResponseReturnValue:
    services = [
        {"slug": slug, "name": name, "about": ABOUT[slug], "broken": is_broken(slug)}
        for slug, name in SERVICES.items()
    ]
    return render_template("portal/overview.html", services=services, form=ButtonForm())


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """The portal itself: it answers, so it works."""
    return {"service": "portal", "working": True}
