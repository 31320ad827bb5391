"""What a host puts into its own pages: the banner and the short sign-up."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from flask_statuspage.documents import page, sign_up_box
from flask_statuspage.domain.status import ComponentStatus

from .conftest import (
    FRAME,
    NOW,
    component_state,
    incident_fact,
    maintenance_fact,
    page_fact,
    snapshot_of,
)
from .pages import parsed_fragment, text_of

pytestmark = pytest.mark.usefixtures("app")


def test_banner_box_appears_only_when_something_is_wrong() -> None:
    """A host's page carries nothing while all is well or nothing is known."""
    fine = snapshot_of(component_state(1, "Website"))
    assert page.banner_box(fine, FRAME) == ""
    assert page.banner_box(replace(fine, status=ComponentStatus.UNKNOWN), FRAME) == ""
    broken = snapshot_of(component_state(1, "Checkout", ComponentStatus.MAJOR_OUTAGE))
    assert "Major outage: Checkout" in page.banner_box(broken, FRAME)
    noted = snapshot_of(
        component_state(1, "A"), incidents=(incident_fact(1, "Odd", impact="none"),)
    )
    assert "See the status page" in page.banner_box(noted, FRAME)
    planned = snapshot_of(component_state(1, "A"), maintenances=(maintenance_fact(1, "New disks"),))
    near = page.banner_box(planned, FRAME)
    assert "Maintenance from 19 Feb 2026, 19:30 UTC: New disks" in near
    far = snapshot_of(
        component_state(1, "A"),
        maintenances=(maintenance_fact(1, "New disks", start=NOW + timedelta(hours=25)),),
    )
    assert page.banner_box(far, FRAME) == ""


def test_fragments_are_not_escaped_again(app: Flask) -> None:
    """A host writes ``{{ statuspage_banner() }}`` and gets elements."""
    broken = snapshot_of(component_state(1, "Checkout", ComponentStatus.MAJOR_OUTAGE))
    boxes = (
        page.banner_box(broken, FRAME),
        sign_up_box.subscribe_box(broken.page, FRAME, email="a@b.c"),
    )
    for box in boxes:
        shown = app.jinja_env.from_string("{{ box }}", globals={"box": box}).render()
        assert re.search(r'<div class="sp sp-inset"', shown)


def test_sign_up_for_a_known_address() -> None:
    """The address that the host knows and the chosen services are sent without being asked for."""
    html = sign_up_box.subscribe_box(
        page_fact(), FRAME, email="a@b.example", components=["checkout"], csrf_token="csrf"
    )
    tree = parsed_fragment(html)
    fields = {e.get("name"): (e.get("type"), e.get("value")) for e in tree.iter("input")}
    assert fields == {
        "csrf_token": ("hidden", "csrf"),
        "channel": ("hidden", "email"),
        "shown_in": ("hidden", "en"),
        "add": ("hidden", "1"),
        "scope": ("hidden", "some"),
        "components": ("hidden", "checkout"),
        "address": ("hidden", "a@b.example"),
    }
    assert "Status updates to a@b.example" in text_of(tree)
    assert next(tree.iter("form")).get("action") == "/status/subscribe"


def test_sign_up_for_all_services_asks_for_the_address() -> None:
    """Without services it is for all of them; without an address there is a field for it."""
    tree = parsed_fragment(sign_up_box.subscribe_box(page_fact(), FRAME, prefix="mine"))
    fields = {e.get("name"): e for e in tree.iter("input")}
    assert fields["scope"].get("value") == "all"
    address = fields["email_address"]
    assert (address.get("type"), address.get("id")) == ("email", "mine-email-address")
    assert [label.get("for") for label in tree.iter("label")] == ["mine-email-address"]
