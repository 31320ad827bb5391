"""Blinker signals for the host, sent after the change is committed.

Sender: the app. Keyword ``event``: the frozen :class:`~flask_statuspage.domain.events.Event`. Best effort: a receiver
that raises is logged and disturbs nobody; ``SystemExit`` goes on to whoever committed once all others have heard. The
extension itself never listens to them.
"""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()

component_status_changed = _signals.signal("statuspage.component-status-changed")
"""The shown status of a component changed; ``event.data["component"]`` has both statuses."""

incident_created = _signals.signal("statuspage.incident-created")
"""An incident was published, by a person or by a monitor."""

incident_updated = _signals.signal("statuspage.incident-updated")
"""An incident got an update, another status, impact or title, or its postmortem."""

incident_resolved = _signals.signal("statuspage.incident-resolved")
"""An incident is over."""

maintenance_scheduled = _signals.signal("statuspage.maintenance-scheduled")
"""A maintenance was announced."""

maintenance_started = _signals.signal("statuspage.maintenance-started")
"""A maintenance began, on time by itself or by a person."""

maintenance_updated = _signals.signal("statuspage.maintenance-updated")
"""A maintenance got an update, another window, title or components, or is being verified."""

maintenance_completed = _signals.signal("statuspage.maintenance-completed")
"""A maintenance is over, or was cancelled: ``event.data["maintenance"]["status"]`` tells which."""

monitor_went_down = _signals.signal("statuspage.monitor-went-down")
"""A monitor's verdict became "down". Notices that are repeated while it stays down do not send it."""

monitor_recovered = _signals.signal("statuspage.monitor-recovered")
"""A monitor's verdict left "down"."""

subscription_confirmed = _signals.signal("statuspage.subscription-confirmed")
"""A subscriber confirmed an address; deliveries begin."""

subscription_disabled = _signals.signal("statuspage.subscription-disabled")
"""A subscription was switched off, by its endpoint's answers or by a member."""

delivery_failed = _signals.signal("statuspage.delivery-failed")
"""A delivery was given up after its last attempt."""

BY_EVENT = {
    "component.status_change": component_status_changed,
    "incident.created": incident_created,
    "incident.updated": incident_updated,
    "incident.resolved": incident_resolved,
    "incident.postmortem": incident_updated,
    "maintenance.scheduled": maintenance_scheduled,
    "maintenance.started": maintenance_started,
    "maintenance.updated": maintenance_updated,
    "maintenance.completed": maintenance_completed,
    "monitor.down": monitor_went_down,
    "monitor.recovered": monitor_recovered,
    "subscription.confirmed": subscription_confirmed,
    "subscription.disabled": subscription_disabled,
    "delivery.failed": delivery_failed,
}
"""Which signal tells which event."""
