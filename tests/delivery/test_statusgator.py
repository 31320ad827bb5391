"""StatusGator's webhook, field for field as documented."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from flask_statuspage.delivery.formats import formats, statusgator
from flask_statuspage.domain.dialects import STATUSGATOR_STATUS
from flask_statuspage.domain.events import PAGE_CHANGE, UPSTREAM_CHANGE
from flask_statuspage.domain.status import ComponentStatus

from .facts import PAGE, event

GATOR = formats["statusgator"]

# From "Integrating StatusGator with Webhooks", as it stands there.
DOCUMENTED = """
{
   "component_status_changes" : [
      {
        "group_name": null,
        "name": "Apps",
        "last_status": "up",
        "current_status": "warn"
      }
   ],
   "component_statuses" : [
      {
         "group_name" : null,
         "name" : "Apps",
         "status" : "warn"
      },
      {
         "group_name" : null,
         "name" : "Data",
         "status" : "up"
      },
      {
         "group_name" : null,
         "name" : "Tools",
         "status" : "up"
      }
   ],
   "current_status" : "warn",
   "details" : "Some users are experiencing deployment delays",
   "favicon_url" : "https://favicons.statusgator.com/heroku.ico",
   "home_page_url" : "https://www.heroku.com",
   "last_status" : "up",
   "message" : "Application deployment performance",
   "occurred_at" : "2022-01-20T10:52:30-04:00",
   "service_name" : "Heroku",
   "slug" : "heroku",
   "status_page_url" : "https://status.heroku.com"
}
"""


def part(name: str, status: str = "operational", group: str | None = None) -> dict[str, Any]:
    return {"id": name, "name": name, "group": group, "status": status}


def step(name: str, previous: str, status: str, group: str | None = None) -> dict[str, Any]:
    return {**part(name, status, group), "previous_status": previous, "told": True}


def change_data(**changes: Any) -> dict[str, Any]:
    return {
        "previous_status": "operational",
        "status": "degraded_performance",
        "components": [part("Apps", "degraded_performance"), part("Data"), part("Tools")],
        "changes": [step("Apps", "operational", "degraded_performance")],
        "title": "Application deployment performance",
        "text": "Some users are experiencing deployment delays",
        **changes,
    }


def body(page: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    fact = event(PAGE_CHANGE, change=change_data(**changes))
    if page is not None:
        fact = replace(fact, data={**fact.data, "page": page})
    return dict(json.loads(GATOR.render(fact)))


def test_the_documented_example() -> None:
    """What stands in StatusGator's document comes out of the same facts: every key, value and their order."""
    told = statusgator.shape(
        service_name="Heroku",
        slug="heroku",
        status_page_url="https://status.heroku.com",
        home_page_url="https://www.heroku.com",
        favicon_url="https://favicons.statusgator.com/heroku.ico",
        last_status=ComponentStatus.OPERATIONAL,
        current_status=ComponentStatus.DEGRADED_PERFORMANCE,
        message="Application deployment performance",
        details="Some users are experiencing deployment delays",
        components=change_data()["components"],
        changes=change_data()["changes"],
        occurred_at=datetime(2022, 1, 20, 10, 52, 30, tzinfo=timezone(timedelta(hours=-4))),
    )
    documented = json.loads(DOCUMENTED)
    assert told == documented
    assert list(told) == list(documented)
    for key in ("component_status_changes", "component_statuses"):
        assert list(told[key][0]) == list(documented[key][0])


def test_a_page_literally() -> None:
    """The page is the service; its time has an offset, and every string is there."""
    assert body(changes=[]) == {
        **json.loads(DOCUMENTED),
        "component_status_changes": [],
        "favicon_url": "https://status.example.com/favicon.ico",
        "home_page_url": "https://status.example.com/",
        "occurred_at": "2026-02-19T17:30:05+00:00",
        "service_name": "FacioTech Status",
        "slug": "main",
        "status_page_url": "https://status.example.com",
    }


def test_an_upstream_service_literally() -> None:
    """Heroku as a monitor saw it, in the document's own words, and not the page that watches it."""
    service = {
        **change_data(),
        "name": "Heroku",
        "slug": "heroku",
        "status_page_url": "https://status.heroku.com",
        "home_page_url": "https://www.heroku.com",
        "favicon_url": "https://favicons.statusgator.com/heroku.ico",
    }
    told = json.loads(GATOR.render(event(UPSTREAM_CHANGE, upstream=service)))
    assert told == {**json.loads(DOCUMENTED), "occurred_at": "2026-02-19T17:30:05+00:00"}
    back = {**service, "previous_status": "degraded_performance", "status": "operational"}
    back = {**back, "title": None, "text": "", "changes": [], "components": []}
    told = json.loads(GATOR.render(event(UPSTREAM_CHANGE, upstream=back)))
    assert (told["message"], told["details"]) == ("All systems operational",) * 2
    assert (told["last_status"], told["current_status"]) == ("warn", "up")


def test_no_other_format_words_it() -> None:
    """Only a format that tells a service as a whole has words for another service's page."""
    assert [name for name in formats if formats[name].words(UPSTREAM_CHANGE)] == ["statusgator"]


@pytest.mark.parametrize(
    ("url", "logo", "home", "favicon"),
    [
        ("https://a.b/status", None, "https://a.b/", "https://a.b/favicon.ico"),
        ("https://a.b/status", "/static/logo.svg", "https://a.b/", "https://a.b/static/logo.svg"),
        ("http://a.b:8000", "https://c.d/l.png", "http://a.b:8000/", "https://c.d/l.png"),
    ],
)
def test_addresses(url: str, logo: str | None, home: str, favicon: str) -> None:
    """Home is the site that the page lies in, the icon the page's logo or that site's own."""
    told = body({**PAGE, "url": url, "logo": logo})
    assert (told["home_page_url"], told["favicon_url"], told["status_page_url"]) == (
        home,
        favicon,
        url,
    )


@pytest.mark.parametrize("status", list(ComponentStatus))
def test_every_status_has_its_word(status: ComponentStatus) -> None:
    """Each status leaves in one of StatusGator's four words."""
    words = ["up", "up", "maintenance", "warn", "warn", "down"]
    assert STATUSGATOR_STATUS[status] == words[status.severity]
    told = body(status=status.value, components=[part("A", status.value, "G")])
    assert told["current_status"] == words[status.severity]
    assert told["component_statuses"] == [
        {"group_name": "G", "name": "A", "status": words[status.severity]}
    ]


def test_only_changes_of_their_words_are_listed() -> None:
    """A change for which StatusGator has one word is none; all others keep their order."""
    told = body(
        changes=[
            step("A", "degraded_performance", "partial_outage"),
            step("B", "unknown", "operational"),
            step("C", "major_outage", "under_maintenance", "G"),
            step("D", "operational", "major_outage"),
        ]
    )
    assert told["component_status_changes"] == [
        {
            "group_name": "G",
            "name": "C",
            "last_status": "down",
            "current_status": "maintenance",
        },
        {"group_name": None, "name": "D", "last_status": "up", "current_status": "down"},
    ]


@pytest.mark.parametrize(
    ("status", "components", "message"),
    [
        ("operational", [part("A")], "All systems operational"),
        ("unknown", [part("A", "unknown")], "All systems operational"),
        ("partial_outage", [part("A", "partial_outage"), part("B")], "Partial outage: A"),
        (
            "major_outage",
            [part("A", "partial_outage"), *(part(n, "major_outage") for n in "BCD")],
            "Major outage: B and 2 more",
        ),
        ("under_maintenance", [part("A", "under_maintenance")], "Maintenance in progress: A"),
        ("degraded_performance", [], "Degraded performance"),
    ],
)
def test_without_an_incident_the_page_is_told_in_a_sentence(
    status: str, components: list[dict[str, Any]], message: str
) -> None:
    """Message and details are texts even where nobody has written one."""
    told = body(status=status, components=components, title=None, text="")
    assert (told["message"], told["details"]) == (message, message)


def test_an_incident_without_a_text() -> None:
    """Its title serves as the details."""
    assert body(text="")["details"] == "Application deployment performance"


def test_hostile_texts_stay_texts() -> None:
    """Whatever somebody typed comes back as it was, and adds no field."""
    hostile = '"},"slug":"x"\u2028\x07</script>\\ 😀'
    told = body(
        {**PAGE, "name": hostile},
        title=hostile,
        text=hostile,
        components=[part(hostile, group=hostile)],
        changes=[step(hostile, "operational", "major_outage", hostile)],
    )
    assert list(told) == list(json.loads(DOCUMENTED))
    assert (told["message"], told["details"], told["service_name"]) == (hostile,) * 3
    assert told["component_statuses"][0]["group_name"] == hostile
    assert told["component_status_changes"][0]["name"] == hostile
    assert told["slug"] == "main"


def test_a_test_changes_nothing() -> None:
    """A test says in StatusGator's own shape that the service is up as before, and what it is."""
    told = json.loads(GATOR.render(event("test", message="This is a test.")))
    assert list(told) == list(json.loads(DOCUMENTED))
    assert (told["last_status"], told["current_status"]) == ("up", "up")
    assert (told["component_statuses"], told["component_status_changes"]) == ([], [])
    assert (told["message"], told["details"]) == ("Test message", "This is a test.")


def test_wording_is_pure() -> None:
    """The same event gives the same bytes, and is not touched."""
    fact = event(PAGE_CHANGE, change=change_data())
    before = deepcopy(fact)
    assert GATOR.render(fact) == GATOR.render(fact)
    assert fact == before


def test_the_documented_policy() -> None:
    """200 only; twenty retries from seconds to over a day within 24 days; five times not reached disable."""
    policy = GATOR.policy
    assert [code for code in range(100, 600) if policy.is_success(code)] == [200]
    assert len(policy.delays) == 20
    assert sum(policy.delays) == pytest.approx(24 * 86400, rel=0.01)
    assert policy.delays[0] < 10
    assert policy.delays[-1] > 86400
    assert list(policy.delays) == sorted(set(policy.delays))
    assert policy.delay_after(20) == policy.delays[-1]
    assert policy.delay_after(21) is None
    assert (policy.disable_after_unreached, policy.disable_after_failed) == (5, None)


def test_what_it_is_sent_for() -> None:
    """One message stands for the changes of components, the only thing that can be chosen; levels begin with "any"."""
    assert GATOR.per_transaction
    assert GATOR.unasked == GATOR.offered == {"component.status_change"}
    assert GATOR.levels == ("any", "warn", "down")
    assert GATOR.channels == {"webhook"}
    assert GATOR.sign("secret", b"{}") == {}
