"""Documents of configuration: one that has everything, and any that may be."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.services import configuration
from flask_statuspage.storage.base import Base

RICH = '''
[[pages]]
slug = "main"
default = true
name = 'Zürich "Nord" ☂'
url = "https://status.example.com"
time_zone = "Europe/Zurich"
locale = "de-CH"
visibility = "public"
logo = "/static/logo.svg"
header = """
# Willkommen

* erstens \\\\ "zweitens"
* drittens"""
footer = "\\u00a9 Example"

[pages.colours]
primary = "#112233"
dark-primary = "#223344"

[[pages.groups]]
name = "Zuletzt im Alphabet, zuerst auf der Seite"

[[pages.groups]]
name = "Anfang"
description = "Zeile 1\\r\\nZeile 2"

[[pages.components]]
slug = "web"
name = "Website"
group = "Anfang"
start_date = 2024-02-29

[[pages.components]]
slug = "api"
name = "API <b>&amp;"
description = """
Zwei Zeilen,
dies ist die zweite."""
group = "Anfang"
only_show_if_degraded = true
showcase = false

[[pages.components]]
slug = "alone"
name = "日本語"

[[pages.monitors]]
slug = "api"
name = "API answers"
component = "api"
kind = "http"
target = "https://api.example.com/health?q=%20"
interval = 30
timeout = 2.5
regions = ["us", "eu"]
quorum = 2
failure_threshold = 2
recovery_threshold = 1
degraded_over_ms = 800
outage_status = "partial_outage"
open_incident = false
degraded_threshold = 4
template = "Datenbank"
depends_on = "measure"
escalation_intervals = [300, 900]

[pages.monitors.options]
method = "HEAD"
expected_status = ["2xx", 401]

[[pages.monitors]]
slug = "measure"
name = "Only measured"
target = "https://www.example.com/"

[[pages.templates]]
kind = "incident"
name = "Datenbank"
title = "Störung: {{ component }}"
body = """
{{ what }} ist seit {{ started_at }} gestört.

'Ticket': {{ ticket }}"""
status = "identified"
impact = "major"
components = ["web", "api"]
placeholders = { what = "Die \\"Datenbank\\"", ticket = { required = true } }

[[pages.templates]]
kind = "maintenance"
name = "Datenbank"
title = "Arbeiten"

[[pages]]
slug = "internal"
name = "Intern"
visibility = "link"
'''

LISTS = ("groups", "components", "monitors", "templates")


PAGE = """
[[pages]]
slug = "main"
"""


def changes(session: Session, text: str, **options: Any) -> list[str]:
    """Apply and commit; what was done, in words."""
    found = configuration.apply(session, configuration.read(text), actor="cli", **options)
    session.commit()
    return [f"{change.action} {change.kind} {change.name}" for change in found]


def dumped(session: Session) -> str:
    session.rollback()
    return configuration.write(configuration.dump(session))


def everything(session: Session) -> dict[str, list[str]]:
    """Every row of every table."""
    session.rollback()
    return {
        table.name: sorted(map(repr, session.execute(select(table)).all()))
        for table in Base.metadata.sorted_tables
    }


def said(document: dict[str, Any]) -> dict[Any, dict[str, Any]]:
    """Every entry of a document by its place and name, without the entries below it."""
    found: dict[Any, dict[str, Any]] = {}
    for page in document["pages"]:
        found[page["slug"]] = {key: value for key, value in page.items() if key not in LISTS}
        for kind in LISTS:
            for entry in page.get(kind, []):
                name = entry.get("slug") or (entry.get("kind"), entry["name"])
                found[page["slug"], kind, name] = entry
    return found


def kept(wanted: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """*wanted* as a dump has it where *there* is dumped: regions sorted, options completed."""
    found = dict(wanted)
    if "regions" in found:
        found["regions"] = sorted(found["regions"])
    if "options" in found:
        found["options"] = {**there["options"], **found["options"]}
    return found


PRINTED = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
TITLES = st.text(PRINTED, min_size=1, max_size=12).filter(lambda text: text.strip() == text)
MARKS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00{}")
PROSE = st.text(MARKS | st.sampled_from('\r\n\t"\\'), max_size=60)
SLUGS = st.from_regex(r"[a-z0-9]{1,5}(-[a-z0-9]{1,3})?", fullmatch=True)


def entries(key: str, names: Any, always: Any, **sometimes: Any) -> Any:
    """Entries that *key* tells apart, as a dump would have them: what is empty is left out."""
    entry = st.fixed_dictionaries({key: names, **always}, optional=sometimes)
    lists = st.lists(entry, max_size=4, unique_by=lambda item: item[key])
    return lists.map(
        lambda items: [
            {name: value for name, value in item.items() if value not in ("", [], {})}
            for item in items
        ]
    )


@st.composite
def pages(draw: st.DrawFn, slug: str) -> dict[str, Any]:
    groups = draw(entries("name", TITLES, {}, description=PROSE))
    components = draw(
        entries(
            "slug",
            SLUGS,
            {"name": TITLES},
            description=PROSE,
            group=st.sampled_from(["", *(item["name"] for item in groups)]),
            only_show_if_degraded=st.booleans(),
            showcase=st.booleans(),
            start_date=st.dates(date(2000, 1, 1), date(2020, 1, 1)),
        )
    )
    slugs = [item["slug"] for item in components]
    monitors = entries(
        "slug",
        SLUGS,
        {"name": TITLES, "target": st.just("https://www.example.com/")},
        component=st.sampled_from(["", *slugs]),
        interval=st.integers(1, 86_400),
        timeout=st.floats(0.1, 120),
        regions=st.lists(
            st.sampled_from(["ap", "default", "eu", "mars", "us"]),
            min_size=1,
            max_size=3,
            unique=True,
        ),
        degraded_over_ms=st.integers(1, 600_000),
        open_incident=st.booleans(),
        options=st.sampled_from([{}, {"method": "HEAD"}, {"expected_status": ["3xx", 204]}]),
    )
    templates = entries(
        "name",
        SLUGS,
        {"kind": st.sampled_from(["incident", "maintenance"]), "title": SLUGS},
        body=st.text(st.sampled_from('aä\n"\\'), max_size=20).map(str.strip),
        components=st.lists(st.sampled_from(slugs), unique=True) if slugs else st.just([]),
    )
    return {
        "slug": slug,
        "name": draw(TITLES),
        "groups": groups,
        "components": components,
        "monitors": draw(monitors),
        "templates": draw(templates),
    }


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    more = draw(st.lists(SLUGS.map("p-{}".format), max_size=2, unique=True))
    return {"pages": [draw(pages(slug)) for slug in ["main", *more]]}
