"""Slack's messages: literally, within Slack's limits, whatever somebody typed."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.delivery.formats import formats, mrkdwn
from flask_statuspage.delivery.formats.mrkdwn import from_markdown
from flask_statuspage.domain.status import ComponentStatus

from .facts import (
    AFFECTED,
    UPDATE,
    component_data,
    event,
    incident_data,
    maintenance_data,
    monitor_data,
)

SLACK = formats["slack"]
FOOTER = "<https://status.example.com|FacioTech Status> · 2026-02-19 17:30 UTC"


def rendered(name: str, **data: Any) -> dict[str, Any]:
    return dict(json.loads(SLACK.render(event(name, **data))))


def sections(told: dict[str, Any]) -> list[str]:
    (attachment,) = told["attachments"]
    return [block["text"]["text"] for block in attachment["blocks"] if block["type"] == "section"]


def test_an_incident_literally() -> None:
    """A fallback, the colour of its impact, the title as a link, status, components and the latest text."""
    told = rendered(
        "incident.created", incident=incident_data(next_update_due="2026-02-19T18:00:00+00:00")
    )
    assert told == {
        "text": "[FacioTech Status] Investigating: API is dówn",
        "attachments": [
            {
                "color": "#b91c1c",
                "blocks": [
                    {
                        "type": "section",
                        "text": {
                            "type": "mrkdwn",
                            "text": "*<https://status.example.com/incidents/x|Investigating: API is dówn>*",
                        },
                    },
                    {
                        "type": "section",
                        "text": {
                            "type": "mrkdwn",
                            "text": "*Status:* Investigating\n*Impact:* Critical\n"
                            "*Affected:* API (major outage), Web (major outage)\n"
                            "*Next update by:* 2026-02-19 18:00 UTC",
                        },
                    },
                    {"type": "section", "text": {"type": "mrkdwn", "text": "We are *looking*."}},
                    {"type": "context", "elements": [{"type": "mrkdwn", "text": FOOTER}]},
                ],
            }
        ],
    }


def test_an_incident_that_is_over() -> None:
    """It is green, and says nothing of an impact that it no longer has."""
    data = incident_data(
        status="resolved",
        resolved_at="2026-02-19T18:00:00+00:00",
        components=[{**AFFECTED, "status": "operational"}],
    )
    told = rendered("incident.resolved", incident=data)
    assert told["attachments"][0]["color"] == "#2e7d32"
    assert sections(told)[1] == "*Status:* Resolved\n*Affected:* API (operational)"


def test_a_maintenance() -> None:
    """Its window, the one before where it moved, and what it is about."""
    moved = {
        "scheduled_start": "2026-02-19T02:00:00+00:00",
        "scheduled_end": "2026-02-19T04:00:00+00:00",
    }
    told = rendered("maintenance.updated", maintenance=maintenance_data(moved_from=moved))
    assert told["text"] == "[FacioTech Status] Maintenance scheduled: Néw disks"
    assert told["attachments"][0]["color"] == "#1d4ed8"
    assert sections(told) == [
        "*<https://status.example.com/maintenance/x|Maintenance scheduled: Néw disks>*",
        "*Status:* Scheduled\n*Window:* 2026-02-20 02:00 UTC to 2026-02-20 04:00 UTC\n"
        "*Affected:* API\n*Before:* 2026-02-19 02:00 UTC to 2026-02-19 04:00 UTC",
        "We are *looking*.",
    ]


def test_a_component_and_a_monitor() -> None:
    """Both link to the page; a monitor's target is not told."""
    told = rendered("component.status_change", component=component_data())
    assert sections(told) == [
        "*<https://status.example.com|API: major outage>*",
        "*Status:* Major outage\n*Before:* Operational",
    ]
    down = rendered("monitor.down", monitor=monitor_data())
    assert sections(down)[1] == "*Error:* No answer in time"
    assert "api.example.com" not in json.dumps(down)
    up = rendered("monitor.recovered", monitor=monitor_data(verdict="up", check=None))
    assert sections(up) == ["*<https://status.example.com|Monitor API check has recovered>*"]
    assert [one["attachments"][0]["color"] for one in (down, up)] == ["#b91c1c", "#2e7d32"]
    again = rendered("monitor.down", monitor=monitor_data(notification_level=2))
    assert sections(again)[0] == "*<https://status.example.com|Monitor API check is still down>*"


def test_a_test() -> None:
    """A test says that it is one."""
    told = rendered("test", message="This is a test.")
    assert told["text"] == "[FacioTech Status] Test message"
    assert sections(told) == ["Test message", "This is a test."]


@pytest.mark.parametrize("status", list(ComponentStatus))
def test_every_status_has_its_colour(status: ComponentStatus) -> None:
    """No two statuses look alike."""
    colours = {
        rendered("component.status_change", component=component_data(status=one.value))[
            "attachments"
        ][0]["color"]
        for one in ComponentStatus
    }
    assert len(colours) == len(ComponentStatus)
    told = rendered("component.status_change", component=component_data(status=status.value))
    assert re.fullmatch("#[0-9a-f]{6}", told["attachments"][0]["color"])


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**bold** and __bold__", "*bold* and *bold*"),
        ("*soft* word*s", "_soft_ word*s"),
        ("2 * 3 * 4, snake_case_name", "2 * 3 * 4, snake_case_name"),
        ("~~gone~~", "~gone~"),
        ("# Head **more** #", "*Head more*"),
        ("- one\n  * two\n+ three", "• one\n  • two\n• three"),
        ("[the **log**](https://a.b/x?y=1&z=2)", "<https://a.b/x?y=1&amp;z=2|the log>"),
        ("**[log](https://a.b)**", "*<https://a.b|log>*"),
        ("<https://a.b/?x&y>", "<https://a.b/?x&amp;y>"),
        ("https://a.b/__init__/**x**", "https://a.b/__init__/*x*"),
        ("[x|y](https://a.b)", "<https://a.b|x¦y>"),
        ("[bad](javascript:alert(1))", "[bad](javascript:alert(1))"),
        ("[bad](/path)", "[bad](/path)"),
        ("![image](https://a.b/i.png)", "<https://a.b/i.png|image>"),
        ("`a**b** <c>`", "`a**b** &lt;c&gt;`"),
        ("```\n- x **y**\n```", "```\n- x **y**\n```"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("<!channel> <@U1> <#C1>", "&lt;!channel&gt; &lt;@U1&gt; &lt;#C1&gt;"),
        ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
    ],
)
def test_markdown_becomes_mrkdwn(markdown: str, expected: str) -> None:
    """What Slack can show is turned into its own marks; nobody is called by it, and no link leads elsewhere."""
    assert from_markdown(markdown, 3000) == expected


PIECES = [
    "**",
    "*",
    "_",
    "~~",
    "`",
    "```",
    "[",
    "](https://a.b/",
    ")",
    "<",
    ">",
    "&",
    "|",
    "!channel",
]
PIECES += ["@U1", "#", "- ", "\n", "x", "https://c.d/", "&lt;", "\x01", "\x02", "\u2028", "😀"]
typed = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def is_tame(text: str) -> bool:
    """Whether all that Slack obeys in *text* are links to the web."""
    left = re.sub(r"<(?:https?://|mailto:)[^<>|]*(?:\|[^<>|]*)?>", "", text)
    return not re.search("[<>]|&(?!amp;|lt;|gt;)", left)


@given(typed, st.integers(20, 200))
def test_whatever_is_typed_is_tame_and_fits(text: str, size: int) -> None:
    """No piece of Markdown calls a channel or a user, tears an entity or a link, or is longer than allowed."""
    turned = from_markdown(text, size)
    assert is_tame(turned), turned
    assert len(turned) <= size
    assert not {"\x01", "\x02"} & set(turned)


@given(typed.filter(bool))
def test_a_whole_message_is_tame(text: str) -> None:
    """Titles, names and texts alike."""
    incident = incident_data(
        title=text,
        components=[{**AFFECTED, "name": text}],
        updates=[{**UPDATE, "body": text}],
    )
    told = rendered("incident.created", incident=incident)
    assert is_tame(told["text"])
    assert all(map(is_tame, sections(told)))


def test_the_limits_of_slack() -> None:
    """The longest that can be typed stays within 3,000 characters a section, and is marked where it was cut."""
    many = [{**AFFECTED, "name": "&" * 255} for _ in range(300)]
    for body in ("&" * 10_000, "**x** " * 1600, "[a](https://b.c) " * 500, "x" * 10_000):
        incident = incident_data(
            title="&" * 255, components=many, updates=[{**UPDATE, "body": body}]
        )
        told = rendered("incident.created", incident=incident)
        assert len(told["text"]) <= 4000
        (attachment,) = told["attachments"]
        assert len(attachment["blocks"]) <= 5
        assert all(0 < len(text) <= 3000 for text in sections(told))
        assert sections(told)[-1].endswith(mrkdwn.MARK)
    assert "more" in sections(told)[1]


def test_an_update_without_words() -> None:
    """Slack refuses an empty section, so there is none."""
    silent = {**UPDATE, "body": ""}
    told = rendered("incident.updated", incident=incident_data(updates=[silent]))
    assert len(sections(told)) == 2
    told = rendered("incident.updated", incident=incident_data(updates=[UPDATE, silent]))
    assert sections(told)[2] == "We are *looking*."
    blank = {**UPDATE, "body": " \n\x01 "}
    told = rendered("incident.updated", incident=incident_data(updates=[blank]))
    assert len(sections(told)) == 2


def test_wording_is_pure() -> None:
    """The event is not touched, and gives the same message again."""
    fact = event("incident.created", incident=incident_data())
    before = deepcopy(fact)
    assert SLACK.render(fact) == SLACK.render(fact)
    assert fact == before


def test_policy_and_events() -> None:
    """200 within ten seconds, four retries; components and monitors only where they are chosen; nothing is signed."""
    policy = SLACK.policy
    assert (policy.timeout, policy.delays) == (10.0, (10.0, 60.0, 300.0, 1800.0))
    assert [code for code in (199, 200, 201, 302) if policy.is_success(code)] == [200]
    assert SLACK.unasked == {
        *(f"incident.{step}" for step in ("created", "updated", "resolved")),
        *(f"maintenance.{step}" for step in ("scheduled", "started", "updated", "completed")),
    }
    assert SLACK.offered - SLACK.unasked == {
        "incident.postmortem",
        "maintenance.reminder",
        "component.status_change",
        "monitor.down",
        "monitor.recovered",
    }
    assert SLACK.sign("secret", b"{}") == {}


def test_old_words_do_not_tell_of_a_new_step() -> None:
    """A window that the clock began has no text; the one that announced it is not shown for it."""
    announced = {**UPDATE, "status": "scheduled", "body": "Soon."}
    begun = {**UPDATE, "status": "in_progress", "body": ""}
    data = maintenance_data(status="in_progress", updates=[begun, announced])
    told = json.dumps(rendered("maintenance.started", maintenance=data))
    assert "In progress" in told
    assert "Soon." not in told
