"""What billing and search have in common: a health check, and two buttons that break and mend them."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from .console import say
from .login import login_required
from .models import is_broken, set_broken

SERVICES = {"billing": "Billing", "search": "Search"}
"""The services that can be broken, by the slugs of their components on the status page."""


class ButtonForm(FlaskForm):
    """Only a button and its CSRF token."""


def add_routes(blueprint: Blueprint) -> None:
    """Add ``/health``, ``/break`` and ``/mend`` to the blueprint of a service."""
    service = blueprint.name

    @blueprint.get("/health")
    def health() -> ResponseReturnValue:
        """What the monitor asks every two seconds."""
        if is_broken(service):
            return {"service": service, "working": False}, 503
        return {"service": service, "working": True}

    @blueprint.post("/break", endpoint="break")
    @login_required
    def break_it() -> ResponseReturnValue:
        return _switch(service, broken=True)

    @blueprint.post("/mend")
    @login_required
    def mend() -> ResponseReturnValue:
        return _switch(service, broken=False)


def out_of_order(service: str) -> ResponseReturnValue:
    """The page of a service that is broken."""
    html = render_template(
        "portal/out_of_order.html", service=service, name=SERVICES[service], form=ButtonForm()
    )
    return html, 503


def _switch(service: str, *, broken: bool) -> ResponseReturnValue:
    set_broken(service, broken=broken)
    say("portal", f"{SERVICES[service]} is {'broken' if broken else 'mended'}")
    back = "overview.home" if "overview" in request.form else f"{service}.page"
    return redirect(url_for(back), 303)
