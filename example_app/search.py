"""A search through the help articles."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from .login import login_required
from .models import is_broken
from .services import ButtonForm, add_routes, out_of_order

ARTICLES = (
    "Add a colleague to your team",
    "Change the address on your invoices",
    "Download an invoice as PDF",
    "Export all your data",
    "Pay by bank transfer",
    "Sign in with your company's account",
)

blueprint = Blueprint("search", __name__, url_prefix="/search")
add_routes(blueprint)


@blueprint.get("/")
@login_required
def page() -> ResponseReturnValue:
    if is_broken("search"):
        return out_of_order("search")
    wanted = request.args.get("q", "").strip()
    found = [title for title in ARTICLES if wanted.lower() in title.lower()]
    return render_template("portal/search.html", wanted=wanted, found=found, form=ButtonForm())
