"""Signing in without passwords: two customers, and a session that remembers which one it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

from flask import Blueprint, Flask, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import RadioField

P = ParamSpec("P")


@dataclass(frozen=True)
class Customer:
    email: str
    name: str
    about: str
    is_staff: bool = False


CUSTOMERS = {
    customer.email: customer
    for customer in (
        Customer("ada@example.com", "Ada Okafor", "On the team; gets mails already", is_staff=True),
        Customer("grace@example.com", "Grace Lindqvist", "A customer, not subscribed yet"),
    )
}

blueprint = Blueprint("login", __name__)


class LoginForm(FlaskForm):
    customer = RadioField(choices=[(email, item.name) for email, item in CUSTOMERS.items()])


class LogoutForm(FlaskForm):
    """Only a button and its CSRF token."""


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(
        lambda: {"current_customer": current_customer(), "logout_form": LogoutForm()}
    )


def current_customer() -> Customer | None:
    """Whoever is signed in."""
    return CUSTOMERS.get(session.get("customer", ""))


def login_required(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Send visitors who are not signed in to the login page."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if current_customer() is None:
            return redirect(url_for("login.login"))
        return view(*args, **kwargs)

    return guarded


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    form = LoginForm()
    if form.validate_on_submit():
        session.clear()
        session["customer"] = form.customer.data
        return redirect(url_for("overview.home"), 303)
    return render_template("portal/login.html", form=form, customers=CUSTOMERS.values())


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    session.clear()
    return redirect(url_for("login.login"), 303)
