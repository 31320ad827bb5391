"""What nobody sends by accident, in every part of an address that strangers can fill: no 500, no control character."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule

from tests.web.site import Site

HTML = {"Accept": "text/html,*/*;q=0.8"}
JSON = {"Accept": "application/json"}

HOSTILE = {
    "NUL": "%00",
    "NUL within": "2026-11%00",
    "escape": "%1b%5b2J",
    "line breaks": "a%0d%0aSet-Cookie:%20b=c",
    "C1 control": "%c2%9b31m",
    "line separator": "a%e2%80%a8b",
    "surrogate": "%ed%a0%80",
    "no UTF-8": "%ff%fe",
    "overlong": "a" * 10_000,
    "override": "%e2%80%aegnp.exe",
    "isolate": "%e2%81%a7x",
    "markup": "%3Cscript%3E%22%27",
}

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

QUERIES = {
    "home": ("action", "lang"),
    "history": ("month", "component", "lang"),
    "component": ("range", "region", "lang"),
    "subscribe": ("components", "lang"),
    "widget": ("theme", "hide", "lang"),
    "manage": ("saved", "confirmed", "lang"),
}
"""The parameters of each page; documents are asked with all of theirs at once."""

DOCUMENT = ("page", "days", "label", "style", "lang", "v")


def public_rules(site: Site) -> Iterator[Rule]:
    """The routes that answer to GET below the page, but for those of members."""
    for rule in site.app.url_map.iter_rules():
        is_ours = rule.endpoint.startswith("statuspage.")
        of_members = any(part in rule.endpoint for part in (".manage.", ".console."))
        if is_ours and not of_members and "GET" in (rule.methods or ()):
            yield rule


def filled(rule: Rule, hostile: str) -> Iterator[str]:
    """The rule's address with *hostile* in each of its gaps in turn, the others filled well."""
    good = {
        "page_slug": "main",
        "component_slug": "api",
        "filename": "icon.svg",
        "rest": "v2/status.json",
    }
    gaps = re.findall(r"<(?:\w+:)?(\w+)>", rule.rule)
    for wrong in gaps or [""]:
        yield re.sub(
            r"<(?:\w+:)?(\w+)>",
            lambda gap, wrong=wrong: hostile if gap[1] == wrong else good.get(gap[1], "x"),
            rule.rule,
        )


def require_clean(site: Site, url: str) -> None:
    for headers in (HTML, JSON):
        answer = site.client.get(url, headers=headers)
        assert answer.status_code < 500, url[:200]
        text = answer.get_data(as_text=True)
        found = CONTROL.search(text)
        assert found is None, (url[:200], text[max(0, found.start() - 80) : found.end() + 20])
        for name, value in answer.headers:
            assert not CONTROL.search(value), (url[:200], name)
        assert "<script>\"'" not in text, url[:200]
        answer.close()


@pytest.mark.parametrize("kind", HOSTILE)
def test_in_the_path(site: Site, kind: str) -> None:
    """In every gap of every public path: a clean answer, never an error of ours."""
    site.made("/components", name="API")
    rules = [rule for rule in public_rules(site) if rule.arguments]
    assert len(rules) > 60
    for rule in rules:
        for url in filled(rule, HOSTILE[kind]):
            require_clean(site, url)


@pytest.mark.parametrize("kind", HOSTILE)
def test_in_the_query(site: Site, kind: str) -> None:
    """In every parameter of every public page and document, and in the name of one."""
    site.made("/components", name="API")
    rules = [rule for rule in public_rules(site) if "page_slug" not in rule.arguments]
    rules += [rule for rule in public_rules(site) if rule.defaults]
    assert len(rules) > 30
    for rule in rules:
        (url, *_) = filled(rule, "api")
        sent = [f"{name}={HOSTILE[kind]}" for name in QUERIES.get(rule.endpoint[11:], ())]
        for query in (*sent, "&".join(f"{name}={HOSTILE[kind]}" for name in DOCUMENT)):
            require_clean(site, f"{url}?{query}&{HOSTILE[kind]}=1")


@pytest.mark.parametrize("kind", ["NUL", "NUL within", "escape", "override", "overlong"])
@pytest.mark.parametrize("field", ["month", "component"])
def test_what_the_history_refuses(site: Site, kind: str, field: str) -> None:
    """400 with the form, in which what was sent stands on one line without what cannot be shown."""
    answer = site.get(f"/history?{field}={HOSTILE[kind]}", headers=HTML)
    assert answer.status_code == 400
    assert "There is a problem" in answer.text
    assert not CONTROL.search(answer.text)
    assert len(answer.text) < 30_000
