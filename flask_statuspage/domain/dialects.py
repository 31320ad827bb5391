"""Words of published dialects that documents and deliveries share; a table that only one of them needs stands there."""

from __future__ import annotations

from .incident import IncidentStatus
from .maintenance import MaintenanceStatus
from .status import ComponentStatus, Impact

NATIVE_STATUS = {
    ComponentStatus.OPERATIONAL: "up",
    ComponentStatus.DEGRADED_PERFORMANCE: "degraded",
    ComponentStatus.PARTIAL_OUTAGE: "partial_outage",
    ComponentStatus.MAJOR_OUTAGE: "down",
    ComponentStatus.UNDER_MAINTENANCE: "maintenance",
    ComponentStatus.UNKNOWN: "unknown",
}
"""``status`` of a component in the native API and webhook (FacioTech)."""

STATUSGATOR_STATUS = {
    ComponentStatus.OPERATIONAL: "up",
    ComponentStatus.DEGRADED_PERFORMANCE: "warn",
    ComponentStatus.PARTIAL_OUTAGE: "warn",
    ComponentStatus.MAJOR_OUTAGE: "down",
    ComponentStatus.UNDER_MAINTENANCE: "maintenance",
    ComponentStatus.UNKNOWN: "up",
}
"""The status of a service or a component in StatusGator's webhook; levels of subscriptions are told in it, too."""

STATUSPAGE_COMPONENT = {status: status.value for status in ComponentStatus} | {
    ComponentStatus.UNKNOWN: "operational"
}
"""``status`` of a component at Statuspage (Atlassian); there is no word for one that was never checked."""

STATUSPAGE_INDICATOR = {
    ComponentStatus.OPERATIONAL: "none",
    ComponentStatus.DEGRADED_PERFORMANCE: "minor",
    ComponentStatus.PARTIAL_OUTAGE: "major",
    ComponentStatus.MAJOR_OUTAGE: "critical",
    ComponentStatus.UNDER_MAINTENANCE: "maintenance",
    ComponentStatus.UNKNOWN: "none",
}
"""``status.indicator`` of a page at Statuspage."""

STATUSPAGE_DESCRIPTION = {
    "none": "All Systems Operational",
    "minor": "Partially Degraded Service",
    "major": "Partial System Outage",
    "critical": "Major System Outage",
    "maintenance": "Service Under Maintenance",
}
"""``status.description`` of a page at Statuspage, by its indicator."""

STATUSPAGE_INCIDENT = {status: status.value for status in IncidentStatus}

STATUSPAGE_MAINTENANCE = {status: status.value for status in MaintenanceStatus} | {
    MaintenanceStatus.CANCELLED: "completed"
}
"""``status`` of a maintenance at Statuspage; there is no word for one that was cancelled."""

STATUSPAGE_IMPACT = {impact: impact.value for impact in Impact}

STATUSPAGE_MAINTENANCE_IMPACT = "maintenance"
