"""Words of published dialects that documents and deliveries share; a table that only one of them needs stands there."""

from __future__ import annotations

from .status import ComponentStatus

NATIVE_STATUS = {
    ComponentStatus.OPERATIONAL: "up",
    ComponentStatus.DEGRADED_PERFORMANCE: "degraded",
    ComponentStatus.PARTIAL_OUTAGE: "partial_outage",
    ComponentStatus.MAJOR_OUTAGE: "down",
    ComponentStatus.UNDER_MAINTENANCE: "maintenance",
    ComponentStatus.UNKNOWN: "unknown",
}
"""``status`` of a component in the native API and webhook (FacioTech)."""
