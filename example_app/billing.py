"""The customer's invoices."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from .login import login_required
from .models import is_broken
from .services import ButtonForm, add_routes, out_of_order

INVOICES = (
    ("2026-118", "1 Nov 2026", "€ 228.00", "Open", "Team plan, 12 seats"),
    ("2026-104", "1 Oct 2026", "€ 228.00", "Paid", "Team plan, 12 seats"),
    ("2026-091", "1 Sep 2026", "€ 190.00", "Paid", "Team plan, 10 seats"),
)
"""Number, date, amount, state, what for."""

blueprint = Blueprint("billing", __name__, url_prefix="/billing")
add_routes(blueprint)


@blueprint.get("/")
@login_required
def page() -> ResponseReturnValue:
    if is_broken("billing"):
        return out_of_order("billing")
    return render_template("portal/billing.html", invoices=INVOICES, form=ButtonForm())
