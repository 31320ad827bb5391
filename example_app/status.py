"""Everything the portal does for its status page: mount it, protect its parts, say who is who, listen."""

from __future__ import annotations

from flask import Flask

from flask_statuspage import statuspage
from flask_statuspage.domain.events import Event
from flask_statuspage.signals import incident_created, incident_resolved

from . import language
from .console import say
from .login import current_customer
from .models import LogEntry, db, log_entries


def init_app(app: Flask) -> None:
    """Mount the page at ``/status`` and hook two signals of this app."""
    app.register_blueprint(statuspage, url_prefix="/status")
    incident_created.connect(log_incident, sender=app)
    incident_resolved.connect(log_incident, sender=app)


# While one of them is under maintenance, its part of the portal answers 503; staff can work in it.
for part in ("billing", "search"):
    statuspage.protect(part, component=part)


# What customers get from billing, seen from inside. It only measures: the monitor of /billing/health shows it sooner.
statuspage.watch("billing", every=5, window=30, open_incident=False)


@statuspage.check("Portal database", every=10, component="portal")
def portal_database() -> None:
    """The portal has its tables and can read them; whatever this raises is an outage of the portal."""
    log_entries(limit=1)


@statuspage.member_loader
def current_member() -> str | None:
    """Who stands at the admin door: customers of the portal who belong to its staff."""
    customer = current_customer()
    return customer.email if customer and customer.is_staff else None


@statuspage.subscriber_loader
def current_subscriber() -> str | None:
    """The address of whoever is signed in. The portal knows it to be theirs, so no mail has to confirm it."""
    customer = current_customer()
    return customer.email if customer else None


@statuspage.locale_loader
def current_locale() -> str | None:
    """The language from the portal's menu; without a choice the browser's is taken."""
    return language.chosen()


def log_incident(app: Flask, event: Event) -> None:
    """Write an incident into the operations log.

    Called after the commit, in an app context of its own, and in the process that made the change:
    for a monitor's incident that is a worker. So what is to be kept goes into the database.
    """
    incident = event.data["incident"]
    word = "resolved" if incident["status"] == "resolved" else "opened"
    text = f"Incident {word}: {incident['title']}"
    db.session.add(LogEntry(text=text))
    db.session.commit()
    say("signal", f"{text} (noted in the operations log)")
