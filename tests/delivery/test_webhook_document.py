"""docs/webhooks.md says what is true: its table is the formats', its examples are what is sent, its code verifies."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest

from flask_statuspage.delivery import signing
from flask_statuspage.delivery.formats import formats
from tests.example.example import ROOT

from .facts import event, incident_data, monitor_data

DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
BODY = '{"text":"Grüße"}'.encode()


def section(name: str) -> str:
    return DOCUMENT.split(f"\n## {name}\n")[1].split("\n## ")[0]


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", section(name), re.MULTILINE | re.DOTALL)


def function(name: str) -> Callable[..., bool]:
    """The one function of a section's Python block."""
    (code,) = blocks(name, "python")
    namespace: dict[str, object] = {}
    exec(code, namespace)
    return next(  # type: ignore[return-value]
        value for key, value in namespace.items() if key.startswith("is_")
    )


def shape(value: object) -> object:
    if isinstance(value, dict):
        return [(key, shape(item)) for key, item in value.items()]
    return [shape(item) for item in value[:1]] if isinstance(value, list) else None


@pytest.mark.parametrize("name", [name for name in formats if "webhook" in formats[name].channels])
def test_the_table_is_the_policies(name: str) -> None:
    """Each format of webhooks has its row: what counts as received, the timeout, how many retries, the signature."""
    found = re.search(rf"^\| `{name}` \|(.*)\|$", DOCUMENT, re.MULTILINE)
    assert found is not None
    _, received, timeout, retries, signature = (cell.strip() for cell in found[1].split(" |"))
    policy = formats[name].policy
    assert received == {range(200, 201): "200", range(200, 300): "any 2xx"}[policy.success]
    assert timeout == f"{policy.timeout:g} s"
    assert retries.partition(":")[0] == str(len(policy.delays))
    headers = formats[name].sign("a secret of mine", BODY)
    assert signature == "".join(f"`{header}`" for header in headers)


def test_the_examples_are_what_is_sent() -> None:
    """Each format's example has the keys of a real body, in their order."""
    incident = event("incident.created", incident=incident_data())
    down = event("monitor.down", monitor=monitor_data())
    for name, known in (("native", incident), ("statusmate", incident), ("statuspageone", down)):
        example = json.loads(blocks(name, "json")[0])
        assert shape(example) == shape(json.loads(formats[name].render(known)))


@pytest.mark.parametrize("name", ["native", "statuspageone"])
def test_the_code_verifies_what_is_sent(name: str) -> None:
    """The few lines of a format accept its signature and nothing else."""
    genuine = function(name)
    (signature,) = formats[name].sign("a secret of mine", BODY).values()
    assert genuine("a secret of mine", BODY, signature)
    assert not genuine("a secret of mine", BODY + b" ", signature)
    assert not genuine("a secret of yours", BODY, signature)


def test_the_code_for_standard_webhooks() -> None:
    """The lines for Standard Webhooks accept one of several signatures and nothing else."""
    genuine = function("statusmate")
    secret, now = signing.new_secret(), int(time.time())
    right = signing.standard_signature(secret, "msg_1", now, BODY)
    wrong = signing.standard_signature(signing.new_secret(), "msg_1", now, BODY)
    for signatures in (right, f"{wrong} {right}", f"{right} {wrong}"):
        assert genuine(secret, BODY, "msg_1", str(now), signatures)
    assert not genuine(secret, BODY, "msg_1", str(now), wrong)
    assert not genuine(secret, BODY, "msg_2", str(now), right)
    assert not genuine(secret, BODY + b" ", "msg_1", str(now), right)
