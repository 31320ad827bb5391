"""What the sites hold that are looked at: much of everything, in several scripts, its times counted back from now."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from flask_statuspage.domain.latency import Histogram
from flask_statuspage.domain.status import ComponentStatus, Source
from flask_statuspage.domain.tally import Tally
from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.probing import CheckResult
from flask_statuspage.services import monitoring
from flask_statuspage.storage import rollups
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.components import Component, StatusInterval
from flask_statuspage.storage.monitors import Monitor, MonitorRegion
from flask_statuspage.storage.rollups import DAY, FINE, HOUR, Place
from flask_statuspage.storage.session import current_session
from tests.web.site import Site

DAYS = 90
LONG = "Rechtsschutzversicherungsgesellschaftenverzeichnisdienst"
BODY = (
    "We see **failing requests** to `POST /v2/payments` and are looking for the cause.\n\n"
    "* Reading works.\n* Writing fails for [some customers](https://acme.example/regions).\n\n"
    "> The bank has confirmed it.\n"
)
GROUPS: dict[str, tuple[str, ...]] = {
    "Website": ("Shop", "Checkout", "Search", "خدمة الدفع"),
    "API": ("REST API", "Webhooks", LONG, "Sign-in & accounts"),
    "אזורים": ("Europe (Frankfurt)", "US East (Virginia)", "アジア・東京", "Mail"),
}
BAD = (
    ComponentStatus.DEGRADED_PERFORMANCE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.MAJOR_OUTAGE,
    ComponentStatus.UNDER_MAINTENANCE,
)


@dataclass
class Known:
    """The ids of what a test visits, by what it is."""

    incidents: dict[str, str] = field(default_factory=dict)
    maintenances: dict[str, str] = field(default_factory=dict)


def fill(site: Site, *, services: int = 12) -> Known:
    """Give the page of *site* groups of four services with 90 days of history, events, and a monitor with figures."""
    now = utc_now().replace(microsecond=0)
    slugs = list(_components(site, services))
    known = Known()
    _past_incidents(site, slugs, now, known)
    _open_incidents(site, slugs, now, known)
    _maintenances(site, slugs, now, known)
    monitor = site.made(
        "/monitors",
        name="Shop, front page",
        component=slugs[0],
        target="https://shop.acme.example/",
        interval=60,
    )
    with site.app.app_context():
        session = current_session()
        _histories(session, now)
        _figures(session, monitor["id"], now)
        session.commit()
    return known


def _components(site: Site, services: int) -> Iterator[str]:
    names = [(group, name) for group, members in GROUPS.items() for name in members]
    names += [(f"Region {n // 4}", f"Service {n}") for n in range(len(names), services)]
    groups: dict[str, str] = {}
    for place, (group, name) in enumerate(names[:services]):
        if group not in groups:
            body = {"name": group, "position": len(groups)}
            if not groups:
                body["description"] = "What customers see of us."
            groups[group] = site.made("/component-groups", **body)["id"]
        description = "Cards, transfers and what else moves money." if place % 3 == 1 else ""
        made = site.made(
            "/components",
            name=name,
            description=description,
            group=groups[group],
            position=place,
            slug=f"service-{place}",
        )
        yield made["slug"]


def _open_incidents(site: Site, slugs: list[str], now: datetime, known: Known) -> None:
    made = site.made(
        "/incidents",
        title="Payments fail for some cards",
        impact="major",
        body=BODY,
        components={slugs[1]: "partial_outage", slugs[4]: "degraded_performance"},
        started_at=_text(now - timedelta(hours=3)),
        next_update_due=_text(now + timedelta(hours=1)),
    )
    known.incidents["open"] = made["id"]
    path = f"/incidents/{made['id']}/updates"
    site.made(path, status="identified", body="The bank's certificate has ended.\n\n" + BODY)
    site.made(path, status="monitoring", body="A new certificate is in place.")
    made = site.made(
        "/incidents",
        title="تعذر تسجيل الدخول لبعض العملاء",
        impact="minor",
        body="نحن نبحث عن السبب.",
        components={slugs[7]: "degraded_performance"},
        started_at=_text(now - timedelta(minutes=40)),
    )
    known.incidents["rtl"] = made["id"]


def _past_incidents(site: Site, slugs: list[str], now: datetime, known: Known) -> None:
    for number in range(14):
        begun = now - timedelta(days=2 + 6 * number, hours=number)
        made = site.made(
            "/incidents",
            title=f"Elevated errors on the REST API, wave {number + 1}",
            impact=("minor", "major", "critical")[number % 3],
            body=BODY,
            status="resolved",
            components={slugs[number % len(slugs)]: "operational"},
            started_at=_text(begun),
            resolved_at=_text(begun + timedelta(minutes=35 + number)),
        )
        known.incidents.setdefault("resolved", made["id"])
    report = "## What happened\n\n1. A deploy.\n2. No rollback.\n\n" + BODY
    site.made(f"/incidents/{known.incidents['resolved']}/postmortem", body=report)


def _maintenances(site: Site, slugs: list[str], now: datetime, known: Known) -> None:
    now = now.replace(second=0)
    made = site.made(
        "/maintenances",
        title="Billing database upgrade",
        body="Invoices may come late. " + BODY,
        components=[slugs[-1]],
        scheduled_start=_text(now - timedelta(minutes=30)),
        scheduled_end=_text(now + timedelta(hours=2)),
    )
    site.made(f"/maintenances/{made['id']}/start", body="It begins.")
    known.maintenances["now"] = made["id"]
    made = site.made(
        "/maintenances",
        title="New switches in Frankfurt",
        body=BODY,
        components=slugs[2:5],
        scheduled_start=_text(now + timedelta(days=3)),
        scheduled_end=_text(now + timedelta(days=3, hours=4)),
    )
    known.maintenances["upcoming"] = made["id"]
    made = site.made(
        "/maintenances",
        title="Weekly window",
        components=[slugs[5]],
        scheduled_start=_text(now + timedelta(days=1)),
        scheduled_end=_text(now + timedelta(days=1, minutes=45)),
        rrule="FREQ=WEEKLY",
    )
    known.maintenances["recurring"] = made["id"]


def _histories(session: Session, now: datetime) -> None:
    """Published history before what happened while the rows were made; the fourth service is younger than the rest."""
    dice = random.Random(8)
    rows: list[dict[str, Any]] = []
    for place, component in enumerate(session.scalars(select(Component).order_by(Component.slug))):
        days = 20 if place == 3 else DAYS + 10
        begun = now - timedelta(days=days)
        first = select(StatusInterval.started_at).where(StatusInterval.component_id == component.id)
        end = session.scalars(first.order_by(StatusInterval.started_at)).first() or now
        component.start_date = begun.date()
        start = begun
        for number in range(0 if place == 0 else 9):
            down = begun + timedelta(days=days) * (number + dice.random() * 0.8) / 9
            up = min(down + timedelta(minutes=dice.randint(2, 600)), end)
            rows.append(_interval(component, ComponentStatus.OPERATIONAL, start, down))
            rows.append(_interval(component, dice.choice(BAD), down, up))
            start = up
        rows.append(_interval(component, ComponentStatus.OPERATIONAL, start, end))
    session.execute(insert(StatusInterval), rows)
    session.execute(update(Component).values(created_at=now - timedelta(days=DAYS + 10)))


def _interval(
    component: Component, status: ComponentStatus, start: datetime, end: datetime
) -> dict[str, Any]:
    return {
        "component_id": component.id,
        "status": status,
        "started_at": start,
        "ended_at": end,
        "source": Source.MONITOR,
    }


def _figures(session: Session, monitor_id: str, now: datetime) -> None:
    """What the checks of 90 days amount to, with a gap and a failure in it, and a last check that went well."""
    monitor = session.scalars(select(Monitor)).one()
    assert str(monitor.id) == monitor_id
    result = CheckResult(
        monitor_id=monitor.id,
        region="default",
        at=now,
        outcome=Verdict.UP,
        milliseconds=87,
        code=200,
    )
    monitoring.record(session, [result])
    region = session.scalars(select(MonitorRegion.id)).one()
    news = {
        Place(region, span, start): _tally(start, span)
        for span, days in ((FINE, 7), (HOUR, DAYS), (DAY, DAYS))
        for start in range(_floor(now - timedelta(days=days), span), _floor(now, span), span)
        if span == DAY or start // HOUR % 50 > 3  # some hours without any check
    }
    rollups.add_all(session, news)


def _tally(start: int, span: int) -> Tally:
    count = span // 60
    down = count // 2 if start // HOUR % 97 == 0 else 0
    slow = 80 + start // HOUR * 37 % 160
    times = [slow, slow * 2, slow * 5]
    return Tally(
        up=count - down,
        down=down,
        ms_count=len(times),
        ms_sum=sum(times),
        ms_min=times[0],
        ms_max=times[-1],
        histogram=Histogram.of(times),
    )


def _floor(instant: datetime, span: int) -> int:
    return int(instant.timestamp()) // span * span


def _text(instant: datetime) -> str:
    return instant.isoformat()
