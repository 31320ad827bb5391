"""Templates from outside: incidents and maintenance that begin with one."""

from __future__ import annotations

from typing import Any

from tests.web.site import Site
from tests.web.test_manage_api import WINDOW, problem


def _template(site: Site, kind: str = "incident", **values: Any) -> None:
    body = {
        "kind": kind,
        "name": "Outage",
        "title": "{{ component }} fails in {{ region }}",
        "body": "{{ page }}: since {{ started_at }}. {{ contact }}",
        "components": ["api"],
        "placeholders": {"region": None, "contact": "Call us."},
    }
    site.made("/templates", **{**body, **values})


def test_an_incident_from_a_template(site: Site) -> None:
    """Title, body, status, impact and components come from it; what is sent besides wins."""
    site.made("/components", name="API")
    site.made("/components", name="Web")
    _template(site, status="identified", impact="major")
    made = site.made("/incidents", template="Outage", values={"region": "Europe"})
    assert made["title"] == "API fails in Europe"
    assert made["status"] == "identified"
    assert made["impact"] == "major"
    assert [(c["slug"], c["status"]) for c in made["components"]] == [("api", "partial_outage")]
    body = made["updates"][0]["body"]
    assert body.startswith("Status: since ")
    assert body.endswith(" UTC. Call us.")
    own = site.made(
        "/incidents",
        template="Outage",
        values={"region": "Asia"},
        components=["web"],
        impact="minor",
        body="Mine.",
    )
    assert (own["title"], own["impact"]) == ("Web fails in Asia", "minor")
    assert own["updates"][0]["body"] == "Mine."


def test_a_maintenance_from_a_template(site: Site) -> None:
    """Its window can stand in its text."""
    site.made("/components", name="API")
    window = "{{ scheduled_start }} to {{ scheduled_end }}, {{ duration }}"
    _template(site, "maintenance", title="Work on {{ component }}", body=window, placeholders={})
    times = {name: WINDOW[name] for name in ("scheduled_start", "scheduled_end")}
    made = site.made("/maintenances", template="Outage", **times)
    assert made["title"] == "Work on API"
    assert made["updates"][0]["body"] == "1 Jan 2036, 00:00 UTC to 1 Jan 2036, 02:00 UTC, 2 h"
    assert [component["slug"] for component in made["components"]] == ["api"]


def test_what_a_template_lacks_is_named(site: Site) -> None:
    """A value that is missing or unknown, a template that is not there: 422 with the field, and no incident."""
    site.made("/components", name="API")
    _template(site)
    for body, field in (
        ({"template": "Outage"}, "title"),  # where the value is missing
        ({"template": "Outage", "values": {"region": "x", "nobody": "y"}}, "values.nobody"),
        ({"template": "Nothing"}, "template"),
        ({}, "title"),
        ({"title": "x", "values": {"region": "y"}}, "values"),
    ):
        wrong = problem(site.ask("POST", "/incidents", body), 422)
        assert [error["field"] for error in wrong["errors"]] == [field], wrong
    wrong = problem(site.ask("POST", "/maintenances", {**WINDOW, "template": "Outage"}), 422)
    assert [error["field"] for error in wrong["errors"]] == ["template"]
    assert site.ask("GET", "/incidents").get_json()["total"] == 0


def test_a_wrong_placeholder_is_named_when_it_is_saved(site: Site) -> None:
    """The name that nobody knows stands in the message, and a loop is refused as such."""
    for text, word in (
        ("{{ regoin }}", "regoin"),
        ("{% for x in component %}{{ x }}{% endfor %}", "loop"),
    ):
        body = {"kind": "incident", "name": "Outage", "title": "T", "body": text}
        wrong = problem(site.ask("POST", "/templates", body), 422)
        assert wrong["errors"][0]["field"] == "body"
        assert word in wrong["errors"][0]["message"]
