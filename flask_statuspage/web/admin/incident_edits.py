"""One incident afterwards: publish a draft, mend it and its updates, take an update back, delete it."""

from __future__ import annotations

from dataclasses import asdict, replace

from ...documents.console import incident as documents
from ...documents.console.incident import Editable, IncidentView, Line
from ...documents.console.telling import Preview
from ...domain.rights import Right
from ...errors import Invalid, NotFound, Problems
from ...services import incident_sight
from ...storage import monitors as stored_monitors
from ...storage.incidents import IncidentUpdate
from ..idents import uuid_of
from ..manage_api.incidents import IncidentChange, IncidentUpdateChange
from . import reading, telling
from .desk import Desk
from .incident import get, seen, view
from .visit import Done, Visit

NOTICES = {
    "edited": "The incident is changed.",
    "mended": "The update is changed.",
    "taken_back": "The update is deleted.",
}


def add_routes(desk: Desk) -> None:
    desk.notices |= NOTICES
    one = "/incidents/<incident_id>"
    may_tell = {"right": Right.TELL}
    desk.form(f"{one}/publish", "incident_publish", show_publish, publish, **may_tell)
    desk.form(f"{one}/edit", "incident_edit", show_edit, edit, **may_tell)
    desk.form(f"{one}/delete", "incident_delete", show_delete, delete, **may_tell)
    written = f"{one}/updates/<update_id>"
    desk.form(written, "incident_mend", show_mend, mend, **may_tell)
    desk.action(f"{written}/delete", "incident_take_back", take_back, back=show_mend, **may_tell)


def show_publish(visit: Visit, incident_id: str) -> str:
    incident = get(visit, incident_id)
    fact = view(visit, incident)
    preview = Preview(
        title=fact.fact.title,
        impact=fact.fact.impact,
        update=fact.fact.updates[0],
        recipients=telling.count(
            visit, "incident.created", telling.ids(fact.fact, "incident.created")
        ),
    )
    return documents.publish(visit.room("incidents"), fact, preview=preview)


def publish(visit: Visit, incident_id: str) -> Done:
    incident_sight.edit(
        visit.session,
        visit.page,
        get(visit, incident_id).id,
        {"visibility": "published"},
        seen=seen(visit),
        actor=visit.actor,
        notify="notify" in visit.sent,
    )
    return Done("incident", "published", {"incident_id": incident_id})


def show_edit(visit: Visit, incident_id: str) -> str:
    incident = get(visit, incident_id)
    monitors = visit.session.scalars(stored_monitors.of_page(visit.page.id)).all()
    slugs = {monitor.id: monitor.slug for monitor in monitors}
    now = Editable(
        title=incident.title,
        impact=incident.impact.value if incident.impact_set else "",
        monitor=slugs.get(incident.monitor_id, "") if incident.monitor_id else "",
    )
    shown = view(visit, incident)
    if shown.has_changed:
        late = None if incident.status.is_open else telling.typed_anew(visit, "next_update_due")
        if late is not None:
            shown = replace(shown, too_late=[("Next update by", late or "empty")])
        due = telling.minute(incident.next_update_due, telling.zone(visit))
        telling.follow(visit, {**asdict(now), "next_update_due": due})
    return documents.edit(
        visit.room("incidents"),
        shown,
        now,
        monitors=[(monitor.slug, monitor.name) for monitor in monitors],
    )


def edit(visit: Visit, incident_id: str) -> Done:
    typed, problems = visit.sent, Problems()
    incident = get(visit, incident_id)
    values: dict[str, object] = {**reading.optional(typed, "impact", "monitor")}
    values["title"] = reading.words(typed, "title").strip()
    if (
        "next_update_due" in typed
    ):  # whether or not it is open by now: nothing is dropped and called saved
        with problems.gathered():
            values["next_update_due"] = telling.instant(
                typed, "next_update_due", telling.zone(visit), incident.next_update_due
            )
    if not values["title"]:
        problems.found += Invalid.field("title", "Is missing.").errors
    else:
        with problems.gathered():
            values = reading.checked(IncidentChange, values)
    problems.tell()
    incident_sight.edit(
        visit.session,
        visit.page,
        incident.id,
        values,
        seen=seen(visit),
        actor=visit.actor,
        notify="notify" in typed,
    )
    return Done("incident", "edited", {"incident_id": incident_id})


def show_delete(visit: Visit, incident_id: str) -> str:
    return documents.delete(visit.room("incidents"), view(visit, get(visit, incident_id)))


def delete(visit: Visit, incident_id: str) -> Done:
    incident_sight.remove(
        visit.session,
        visit.page,
        get(visit, incident_id).id,
        title=reading.words(visit.sent, "title"),
        seen=seen(visit),
        actor=visit.actor,
    )
    return Done("incidents", "deleted", {"state": "all"})


def show_mend(visit: Visit, incident_id: str, update_id: str) -> str:
    shown = view(visit, get(visit, incident_id))
    line = _line(shown, update_id)
    if shown.has_changed:
        at = telling.minute(line.update.created_at, telling.zone(visit))
        telling.follow(visit, {"body": line.update.body, "created_at": at})
    return documents.mend(visit.room("incidents"), shown, line)


def mend(visit: Visit, incident_id: str, update_id: str) -> Done:
    typed, problems = visit.sent, Problems()
    incident = get(visit, incident_id)
    update = _update(incident.updates, update_id)
    values: dict[str, object] = {"body": reading.words(typed, "body").rstrip()}
    with problems.gathered():
        at = telling.instant(typed, "created_at", telling.zone(visit), update.created_at)
        if at is None:
            raise Invalid.field("created_at", "Is missing.")
        if at != update.created_at.isoformat():
            values["created_at"] = at
    with problems.gathered():
        values = reading.checked(IncidentUpdateChange, values)
    problems.tell()
    incident_sight.edit_update(
        visit.session,
        visit.page,
        incident.id,
        update.id,
        values,
        seen=seen(visit),
        actor=visit.actor,
        notify="notify" in typed,
    )
    return Done("incident", "mended", {"incident_id": incident_id})


def take_back(visit: Visit, incident_id: str, update_id: str) -> Done:
    incident = get(visit, incident_id)
    incident_sight.remove_update(
        visit.session,
        visit.page,
        incident.id,
        _update(incident.updates, update_id).id,
        seen=seen(visit),
        actor=visit.actor,
    )
    return Done("incident", "taken_back", {"incident_id": incident_id})


def _update(rows: list[IncidentUpdate], update_id: str) -> IncidentUpdate:
    wanted = uuid_of(update_id, "update")
    for row in rows:
        if row.id == wanted:
            return row
    raise NotFound("update", update_id)


def _line(shown: IncidentView, update_id: str) -> Line:
    wanted = uuid_of(update_id, "update")
    for line in shown.lines:
        if line.update.id == wanted:
            return line
    raise NotFound("update", update_id)
