"""``components``, with ``status``, ``history`` and ``components/order``"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from ...domain.facts import ComponentFact
from ...domain.rights import Right
from ...domain.status import ComponentStatus, Source
from ...errors import Conflict, Problems
from ...services import archive, components, conditions, facts, groups, ordering
from ...storage import components as stored
from ...storage import lists
from ...storage import pages as stored_pages
from ...storage.components import Component, Condition
from .answering import told
from .call import Call
from .door import Door
from .fields import Body, Change, Day, Flag, Instant, Named, Position, Prose, Text, Title, Word
from .reading import asked, choice, sought, words
from .things import Thing


class NewComponent(Body):
    """``group`` is a group's id or name."""

    page: Text | None = None
    name: Title
    slug: Word | None = None
    description: Prose = ""
    group: Text | None = None
    position: Position | None = None
    status: ComponentStatus | None = None
    only_show_if_degraded: Flag = False
    showcase: Flag = True
    start_date: Day | None = None


class ComponentChange(Change):
    name: Title = ""
    slug: Word = ""
    description: Prose = ""
    group: Text | None = None
    position: Position = 0
    status: ComponentStatus | None = None
    only_show_if_degraded: Flag = False
    showcase: Flag = True
    start_date: Day | None = None
    archived: Flag = False


class ComponentOrder(Body):
    page: Text | None = None
    components: Named


class StatusWord(Body):
    """``status`` null takes a person's word back: monitors and incidents decide alone again."""

    status: ComponentStatus | None
    note: Prose = ""
    notify: Flag = True
    until: Instant | None = None


@dataclass(frozen=True, kw_only=True)
class ConditionAnswer:
    """What one source says of a component, since when and at most until when."""

    source: Source
    status: ComponentStatus
    note: str
    actor: str | None
    since: datetime
    until: datetime | None


@dataclass(frozen=True, kw_only=True)
class ComponentAnswer(ComponentFact):
    """A component with what each source says of it; ``source`` is the one that shows.

    :param group: the group's name.
    :param since: when the shown status began.
    :param start_date: the day from which its uptime counts.
    :param showcase: whether its uptime is shown at all.
    """

    archived: bool
    source: ConditionAnswer | None
    sources: tuple[ConditionAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class ComponentOrderAnswer:
    """The slugs of all components as they stand now."""

    components: list[str]


@dataclass(frozen=True, kw_only=True)
class IntervalAnswer:
    """How long a component had one status; the last one has not ended. ``source`` is null where it is not known."""

    status: ComponentStatus
    started_at: datetime
    ended_at: datetime | None
    source: Source | None
    actor: str | None


ARCHIVED = choice("archived", ("true", "false"), "`true`: those that have left the page.")
STATUS = choice("status", tuple(ComponentStatus), "Only those with this status.")
GROUP = words("group", "Only those of the group with this id or name.")
SEARCH = sought("search", "Only those with this text in name, slug or description.")


def add_routes(door: Door) -> None:
    every, one = "/components", "/components/<ident>"
    door.thing("components", Thing((ComponentAnswer,), _show, _hold))
    read = partial(door.route, right=Right.SEE, answer=ComponentAnswer)
    write = partial(door.route, right=Right.ARRANGE, answer=ComponentAnswer)
    read("GET", every, index, paged=True, parameters=(ARCHIVED, STATUS, GROUP, SEARCH))
    write("POST", every, create, body=NewComponent, status=201)
    write("PUT", f"{every}/order", order, body=ComponentOrder, answer=ComponentOrderAnswer)
    read("GET", one, show)
    write("PATCH", one, change, body=ComponentChange)
    write("DELETE", one, remove, answer=None)
    write("PUT", f"{one}/status", say, right=Right.TELL, body=StatusWord)
    read("GET", f"{one}/history", list_history, answer=IntervalAnswer, paged=True)


def described(call: Call, component: Component) -> dict[str, Any]:
    return _described(component, stored.said_of(call.session, [component.id])[component.id])


def _described(component: Component, said: Sequence[Condition]) -> dict[str, Any]:
    """With what each source says, so that nobody wonders why another status is shown."""
    source = conditions.showing(said)
    return told(
        ComponentAnswer,
        facts.component(component),
        archived=component.archived_at is not None,
        source=told(ConditionAnswer, source) if source else None,
        sources=[told(ConditionAnswer, condition) for condition in said],
    )


def index(call: Call) -> dict[str, Any]:
    """List the components of the page in its order."""
    group, status = asked(GROUP), asked(STATUS)
    query = lists.components(
        call.page.id,
        archived=asked(ARCHIVED) == "true",
        status=ComponentStatus(status) if status else None,
        group_id=None if group is None else groups.named(call.session, call.page, group).id,
        search=asked(SEARCH),
    )
    listed = call.listed(query, lambda component: {"component": component})
    rows = [item["component"] for item in listed["items"]]
    said = stored.said_of(call.session, [row.id for row in rows])
    return {**listed, "items": [_described(row, said[row.id]) for row in rows]}


def create(call: Call) -> dict[str, Any]:
    """Make a component."""
    values, problems = call.values(), Problems()
    with problems.gathered():
        values = _with_group_id(call, values)
    with problems.gathered():
        component = components.create(call.session, call.page, **values, actor=call.actor)
    problems.tell()
    return described(call, component)


def order(call: Call) -> dict[str, Any]:
    """Put components in this order.

    Those that are not named follow in the order that they had.
    """
    rows = ordering.order_components(
        call.session, call.page, call.body.components, actor=call.actor
    )
    return told(ComponentOrderAnswer, {"components": [row.slug for row in rows]})


def show(call: Call, ident: str) -> dict[str, Any]:
    """Read a component."""
    return described(call, components.get(call.session, call.page, ident))


def change(call: Call, ident: str) -> dict[str, Any]:
    """Change, archive or restore a component; what is not sent stays."""
    values, problems = call.values("status"), Problems()
    with problems.gathered():
        values = _with_group_id(call, values)
    archived = values.pop("archived", None)
    component = components.get(call.session, call.page, ident, even_archived=archived is not None)
    if archived is False:
        slug = values.get("slug") if component.archived_at else None
        component = archive.restore(call.session, call.page, component, slug=slug, actor=call.actor)
    if component.archived_at is None:
        with problems.gathered():
            components.change(call.session, call.page, component, values, actor=call.actor)
        problems.tell()
        if "status" in call.values():
            components.set_status(
                call.session, call.page, component, call.body.status, actor=call.actor
            )
    elif call.values("archived"):
        raise Conflict("It is archived: restore it first, then change it.")
    problems.tell()
    if archived:
        component = archive.archive(call.session, call.page, component, actor=call.actor)
    return described(call, component)


def remove(call: Call, ident: str) -> None:
    """Delete a component, or archive it if it has a history."""
    component = components.get(call.session, call.page, ident)
    archive.remove(call.session, call.page, component, actor=call.actor)


def say(call: Call, ident: str) -> dict[str, Any]:
    """Say how a component is, or take that word back."""
    component = components.get(call.session, call.page, ident)
    components.set_status(
        call.session,
        call.page,
        component,
        call.body.status,
        note=call.body.note,
        until=call.body.until,
        notify=call.body.notify,
        actor=call.actor,
    )
    return described(call, component)


def list_history(call: Call, ident: str) -> dict[str, Any]:
    """List all intervals of a component, newest first; of an archived one, too."""
    component = components.get(call.session, call.page, ident, even_archived=True)
    return call.listed(stored.intervals_of(component.id), partial(told, IntervalAnswer))


def _with_group_id(call: Call, values: dict[str, Any]) -> dict[str, Any]:
    if "group" in values:
        ident = values.pop("group")
        values["group_id"] = groups.named(call.session, call.page, ident).id if ident else None
    return values


def _show(call: Call, ident: str) -> dict[str, Any]:
    return described(call, components.get(call.session, call.page, ident, even_archived=True))


def _hold(call: Call, ident: str) -> None:
    stored_pages.hold(call.session, call.page.id)
