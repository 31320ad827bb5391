"""Every page and fragment rendered once, and their HTML read by a strict parser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from xml.etree.ElementTree import Element

import html5lib  # type: ignore[import-untyped]

from flask_statuspage.documents import (
    api_docs,
    component_page,
    history,
    maintenance_notes,
    page,
    sign_up,
    sign_up_box,
    strips,
    widget,
)
from flask_statuspage.documents.neighbours import known
from flask_statuspage.documents.reading import reading
from flask_statuspage.documents.snapshot import ComponentState, ResponseTimes, Snapshot
from flask_statuspage.domain.events import PUBLIC_EVENTS
from flask_statuspage.domain.facts import MaintenanceFact, UpdateFact
from flask_statuspage.domain.happenings import ComponentPast, Happening
from flask_statuspage.domain.maintenance import MaintenanceStatus
from flask_statuspage.domain.months import first_day
from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.uptime import Interval
from flask_statuspage.errors import FieldError

from .conftest import (
    FRAME,
    NOW,
    affected,
    ago,
    component_state,
    group_fact,
    incident_fact,
    maintenance_fact,
    page_fact,
    series_of,
    snapshot_of,
    update_fact,
    uuid,
)


def busy_snapshot(text: str = "") -> Snapshot:
    """A page with something in every place; *text* is added to all that a person typed."""
    group = group_fact(1, f"Group {text}", description=f"About the group {text}")
    down = component_state(
        1,
        f"Checkout {text}".strip(),
        ComponentStatus.MAJOR_OUTAGE,
        group=group,
        description=f"About the service {text}",
        uptime_percent=99.5,
        history=(
            Interval(ComponentStatus.OPERATIONAL, ago(days=80), ago(days=2)),
            Interval(ComponentStatus.PARTIAL_OUTAGE, ago(days=2), ago(days=2, hours=-3)),
            Interval(ComponentStatus.OPERATIONAL, ago(days=2, hours=-3), ago(hours=2)),
            Interval(ComponentStatus.MAJOR_OUTAGE, ago(hours=2)),
        ),
    )
    fine = component_state(
        2,
        f"Website {text}",
        history=(Interval(ComponentStatus.OPERATIONAL, ago(days=100)),),
    )
    hit = affected(down, old_status=ComponentStatus.OPERATIONAL)
    updates = (
        update_fact(2, "identified", f"Second body {text}", ago(minutes=2), (hit,)),
        update_fact(1, "investigating", f"First body {text}", ago(minutes=4), (hit,)),
    )
    active = incident_fact(
        1,
        f"Payments fail {text}",
        "identified",
        "critical",
        components=(hit,),
        updates=updates,
        next_update_due=ago(minutes=-30),
    )
    over = incident_fact(
        2,
        f"Late mails {text}",
        "resolved",
        started_at=ago(days=2),
        resolved_at=ago(days=2, minutes=-42),
        components=(affected(fine),),
        updates=(update_fact(3, "resolved", f"Third body {text}", ago(days=2, minutes=-42)),),
    )
    said = update_fact(
        9, "in_progress", f"Fourth body {text}", ago(minutes=30), kind=MaintenanceStatus
    )
    late = maintenance_fact(
        1,
        f"New disks {text}",
        "in_progress",
        start=ago(hours=2),
        end=ago(hours=1),
        started_at=ago(hours=2),
        components=(affected(fine),),
        updates=(said,),
    )
    planned = maintenance_fact(2, f"New racks {text}", updates=())
    return snapshot_of(
        fine,
        down,
        groups=(group,),
        incidents=(active, over),
        maintenances=(late, planned),
        page=page_fact(name=f"Acme {text}"),
        response=ResponseTimes(slug="service-2", series=series_of([90, 110, None, 95])),
    )


def past_of(snapshot: Snapshot, state: ComponentState, *, months: int = 12) -> ComponentPast:
    """What *snapshot* knows of a component, with an outage and a repair of some months ago."""
    back = timedelta(days=31 * months - 20)
    bad = Interval(ComponentStatus.PARTIAL_OUTAGE, NOW - back, NOW - back + timedelta(hours=2))
    about = snapshot.about(state)
    happenings = [
        *map(Happening.of_incident, about.incidents),
        *map(Happening.of_maintenance, about.maintenances),
    ]
    return ComponentPast(
        history=(bad, Interval(ComponentStatus.OPERATIONAL, NOW - back + timedelta(hours=2))),
        happenings=tuple(happenings),
        since=first_day(NOW.date()),
        observed_from=NOW - timedelta(days=366),
    )


def going_on(text: str = "") -> MaintenanceFact:
    """A maintenance in progress; *text* is added to what a person typed."""
    status = MaintenanceStatus.IN_PROGRESS
    update = UpdateFact(
        id=uuid(501),
        status=status,
        body=f"Half of it is done {text}",
        components=(),
        created_at=ago(minutes=5),
        updated_at=ago(minutes=5),
    )
    return MaintenanceFact(
        id=uuid(500),
        title=f"New disks {text}",
        status=status,
        components=(),
        updates=(update,),
        scheduled_start=ago(minutes=30),
        scheduled_end=ago(minutes=-30),
        started_at=ago(minutes=30),
        ended_at=None,
        auto_start=True,
        auto_complete=True,
        remind_before=(),
        revision=0,
        rrule=None,
        exceptions=(),
        series_id=None,
        series_start=None,
        series_zone=None,
        occurrence_at=None,
        created_at=ago(minutes=30),
        updated_at=ago(minutes=5),
    )


def every_page(text: str = "") -> dict[str, str]:
    """All pages by the name of their template; *text* is in everything that somebody typed."""
    snapshot = busy_snapshot(text)
    fact = snapshot.page
    down = snapshot.components[1]
    components = [state.fact for state in snapshot.components]
    address = f"ada@example.com {text}"
    token = f"token{text}"
    wrong = [FieldError(name, f"Wrong {name} {text}") for name in ("address", "secret", "other")]
    return {
        "home": page.home(snapshot, replace(FRAME, stale_since=ago(minutes=9))),
        "docs": api_docs.docs(snapshot, FRAME, dialect="native", webhooks=True),
        "component": component_page.component(
            snapshot,
            down,
            past_of(snapshot, down),
            series_of([90, None, 95, 8000], [5, 5], names=(f"eu {text}", "us")),
            FRAME,
            region=f"eu {text}",
        ),
        "incident": page.incident(
            snapshot,
            snapshot.incidents[0],
            FRAME,
            neighbours=known(snapshot, snapshot.incidents[0]),
        ),
        "history": history_page(snapshot),
        "history, refused": history.refused(
            snapshot,
            history.known(snapshot, history.chosen(snapshot, {})),
            FRAME,
            values={"month": f"soon{text}", "component": f"none{text}"},
            form_errors=[FieldError("month", "Wrong month"), FieldError("component", "Wrong")],
        ),
        "maintenance": page.maintenance(snapshot, snapshot.maintenances[0], FRAME),
        "maintenance_503": maintenance_notes.turned_away(
            snapshot.page,
            going_on(text),
            FRAME,
            component_name=f"Checkout {text}",
            now=NOW,
            linked=True,
        ),
        "subscribe": sign_up.subscribe_form(
            fact,
            FRAME,
            components=components,
            channels=("email", "webhook"),
            formats={"webhook": ["native", f"format{text}"]},
            values={"address": address, "scope": "some", "components": ["service-1"]},
            standing=sign_up.Standing(
                services=(f"Checkout {text}",), manage_url=f"/manage{text}", covers=False
            ),
            form_errors=[*wrong, FieldError("components", "Choose one")],
            csrf_token=f"csrf{text}",
            action=f"/post{text}",
        ),
        "subscribe_done": sign_up.subscribe_done(fact, FRAME, channel="email", is_asked=True),
        "confirm": sign_up.confirm(
            fact,
            FRAME,
            token=token,
            address=address,
            services=[f"Checkout {text}"],
            csrf_token=f"csrf{text}",
        ),
        "manage": sign_up.manage(
            fact,
            FRAME,
            token=token,
            address=address,
            components=components,
            offered_events=PUBLIC_EVENTS,
            values={"components": ["service-2"], "events": ["incident.created"]},
            form_errors=[
                FieldError(name, f"Wrong {name} {text}")
                for name in ("events", "locale", "time_zone")
            ],
            csrf_token=f"csrf{text}",
            saved=True,
            reading=reading(f"de-AT{text}", f"Europe/Berlin{text}"),
        ),
        "unsubscribe": sign_up.unsubscribe(
            fact, FRAME, token=token, address=address, csrf_token=f"csrf{text}"
        ),
        "confirm_code": sign_up.enter_code(
            fact,
            FRAME,
            token=token,
            code=f"1{text}",
            form_errors=[FieldError("code", f"Wrong code {text}")],
        ),
        "widget": widget.frame_page(snapshot, FRAME, theme="dark"),
        "unsubscribed": sign_up.unsubscribed(fact, FRAME, address=address),
        "error": page.error(
            fact,
            FRAME,
            title=f"Gone {text}",
            message=f"It is gone {text}",
            next_url=f"/next{text}",
            next_label=f"Go on {text}",
        ),
    }


def history_page(snapshot: Snapshot, **asked: str) -> str:
    """The page of a month, of what the snapshot has of it."""
    choice = history.chosen(snapshot, asked)
    return history.history(snapshot, history.known(snapshot, choice), FRAME, choice=choice)


def every_fragment(text: str = "") -> dict[str, str]:
    """What stands inside a host's own pages."""
    snapshot = busy_snapshot(text)
    return {
        "_banner": page.banner_box(snapshot, FRAME),
        "_strip_box": strips.strip_box(snapshot, snapshot.components[1], FRAME),
        "_maintenance_box": maintenance_notes.box(
            snapshot.page,
            going_on(text),
            FRAME,
            component_name=f"Checkout {text}",
            now=NOW,
            linked=True,
            passing=True,
        ),
        "_subscribe_form": sign_up_box.subscribe_box(
            snapshot.page,
            FRAME,
            email=f"ada@example.com {text}",
            components=[f"slug{text}"],
            csrf_token=f"csrf{text}",
            prefix=f"p{text}",
        ),
        "_subscribe_form, known": sign_up_box.subscribe_box(
            snapshot.page,
            FRAME,
            email=f"ada@example.com {text}",
            components=[f"slug{text}"],
            events=[f"event{text}"],
            prefix="known",
            return_to=f"/portal{text}",
            said="active",
            standing=sign_up.Standing(
                services=(f"Checkout {text}",), manage_url=f"/manage{text}", covers=False
            ),
        ),
        "_subscribe_form, wrong": sign_up_box.subscribe_box(
            snapshot.page,
            FRAME,
            channels=("sms", "webhook"),
            prefix="wrong",
            values={"channel": "sms", "address": f"+1{text}"},
            form_errors=[FieldError("address", f"Wrong {text}"), FieldError("other", text)],
        ),
        "_subscribe_form, code": sign_up_box.subscribe_box(
            snapshot.page,
            FRAME,
            email=f"ada@example.com {text}",
            channels=("email", "sms"),
            prefix="code",
            values={"channel": "sms"},
            said="asked",
            code_url=f"/confirm{text}",
        ),
        "_subscribe_form, received": sign_up_box.subscribe_box(
            snapshot.page,
            FRAME,
            components=[f"slug{text}"],
            channels=("webhook",),
            prefix="received",
            said="received",
        ),
        "_subscribe_form, typed": sign_up_box.subscribe_box(
            snapshot.page, FRAME, prefix="p", action=f"/post{text}"
        ),
    }


def parsed(html: str) -> Element:
    """The tree of a whole page; any error of HTML5 fails."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree: Element = parser.parse(html)
    return tree


def parsed_fragment(html: str) -> Element:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree: Element = parser.parseFragment(html)
    return tree


def text_of(element: Element) -> str:
    """The text as a reader gets it, single spaces between words."""
    return " ".join("".join(element.itertext()).split())


def by_class(tree: Element, name: str) -> Iterator[Element]:
    return (e for e in tree.iter() if name in (e.get("class") or "").split())


def one(tree: Element, name: str) -> Element:
    """The only element of that class."""
    [element] = by_class(tree, name)
    return element
