"""Component groups, components, what is said of them at the moment, and their published history."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    cast,
    delete,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import (
    Mapped,
    Session,
    contains_eager,
    mapped_column,
    relationship,
    selectinload,
)

from ..domain.ids import MAX_SLUG, new_id
from ..domain.status import ComponentStatus, Source, Word
from ..domain.uptime import Interval
from .base import Actor, Base, Key, Name, Origin, utc_now, words
from .base import Word as ShortText


class ComponentGroup(Base):
    __tablename__ = "statuspage_component_group"
    __table_args__ = (
        Index("uq_statuspage_component_group_origin", "page_id", "origin", unique=True),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("statuspage_page.id"), index=True)
    name: Mapped[str] = mapped_column(Name)
    description: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
    origin: Mapped[str | None] = mapped_column(Origin)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class Component(Base):
    """``status`` is what is shown: the worst of its :class:`Condition` rows, kept here for readers.

    ``start_date`` is the day from which its uptime counts, ``showcase`` whether its uptime is shown at all.
    """

    __tablename__ = "statuspage_component"
    __table_args__ = (
        UniqueConstraint("page_id", "slug"),
        Index("uq_statuspage_component_origin", "page_id", "origin", unique=True),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("statuspage_page.id"))
    group_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("statuspage_component_group.id"), index=True
    )
    slug: Mapped[str] = mapped_column(String(MAX_SLUG))
    name: Mapped[str] = mapped_column(Name)
    description: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
    status: Mapped[ComponentStatus] = mapped_column(
        words(ComponentStatus), default=ComponentStatus.OPERATIONAL
    )
    since: Mapped[datetime] = mapped_column(default=utc_now)
    only_show_if_degraded: Mapped[bool] = mapped_column(default=False)
    showcase: Mapped[bool] = mapped_column(default=True)
    start_date: Mapped[date | None]
    origin: Mapped[str | None] = mapped_column(Origin)
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    group: Mapped[ComponentGroup | None] = relationship(lazy="raise_on_sql")


class Condition(Base):
    """One source's word on a component. Which of them is shown: :func:`flask_statuspage.domain.status.shown`.

    ``reference`` tells sources of one kind apart (the id of the monitor, incident or maintenance; empty for a person).
    """

    __tablename__ = "statuspage_condition"
    __table_args__ = (UniqueConstraint("component_id", "source", "reference"),)

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    component_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_component.id", ondelete="CASCADE")
    )
    source: Mapped[Source] = mapped_column(words(Source))
    reference: Mapped[str] = mapped_column(ShortText, default="")
    status: Mapped[ComponentStatus] = mapped_column(words(ComponentStatus))
    actor: Mapped[str | None] = mapped_column(Actor)
    note: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[datetime] = mapped_column(default=utc_now)
    until: Mapped[datetime | None] = mapped_column(index=True)

    @property
    def word(self) -> Word:
        return Word(self.source, self.status, self.since, self.reference)


class StatusInterval(Base):
    """The published history: from ``started_at`` to ``ended_at`` (None: until now) a component had ``status``.

    ``source`` is what the status came from when it began, ``actor`` the person if it was one.
    """

    __tablename__ = "statuspage_status_interval"
    __table_args__ = (
        Index("ix_statuspage_status_interval_component_started", "component_id", "started_at"),
    )

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    component_id: Mapped[UUID] = mapped_column(
        ForeignKey("statuspage_component.id", ondelete="CASCADE")
    )
    status: Mapped[ComponentStatus] = mapped_column(words(ComponentStatus))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    source: Mapped[Source | None] = mapped_column(words(Source))
    actor: Mapped[str | None] = mapped_column(Actor)


def of_page(page_id: UUID) -> Select[Component]:
    """The page's components that are not archived, in the page's order, with their groups."""
    return (
        _with_groups(page_id)
        .where(Component.archived_at.is_(None))
        .order_by(
            func.coalesce(ComponentGroup.position, -1),
            ComponentGroup.name,
            ComponentGroup.id,
            Component.position,
            Component.name,
            Component.id,
        )
    )


def archived(page_id: UUID) -> Select[Component]:
    """The page's archived components, the latest first, with their groups."""
    return (
        _with_groups(page_id)
        .where(Component.archived_at.is_not(None))
        .order_by(Component.archived_at.desc(), Component.id)
    )


def _with_groups(page_id: UUID) -> Select[Component]:
    return (
        select(Component)
        .outerjoin(Component.group)
        .where(Component.page_id == page_id)
        .options(contains_eager(Component.group))
    )


def groups_of(page_id: UUID) -> Select[ComponentGroup]:
    return (
        select(ComponentGroup)
        .where(ComponentGroup.page_id == page_id)
        .order_by(ComponentGroup.position, ComponentGroup.name, ComponentGroup.id)
    )


def find(
    session: Session, page_id: UUID, wanted: Collection[str], *, even_archived: bool = False
) -> list[Component]:
    """The page's components whose slug or id is in *wanted*."""
    ids = [id_ for text in wanted if (id_ := _as_uuid(text))]
    query = _with_groups(page_id) if even_archived else of_page(page_id)
    query = query.where(or_(Component.slug.in_(wanted), Component.id.in_(ids)))
    return list(session.scalars(query))


def locked(session: Session, ids: Iterable[UUID]) -> list[Component]:
    """The components *ids* as they are now, held until the transaction ends."""
    query = (
        select(Component)
        .where(Component.id.in_(list(ids)))
        .order_by(Component.id)
        .options(selectinload(Component.group))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def conditions_of(session: Session, component_id: UUID) -> list[Condition]:
    """All that is said of a component at the moment, as it is now."""
    query = select(Condition).where(Condition.component_id == component_id).with_for_update()
    return list(session.scalars(query.execution_options(populate_existing=True)))


def said_of(
    session: Session, component_ids: Collection[UUID], *, lock: bool = False
) -> dict[UUID, list[Condition]]:
    """What is said of each of *component_ids*, in one query; with *lock* as it is now."""
    query = select(Condition).where(Condition.component_id.in_(component_ids))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    said: dict[UUID, list[Condition]] = {component_id: [] for component_id in component_ids}
    for condition in session.scalars(query.order_by(Condition.since, Condition.id)):
        said[condition.component_id].append(condition)
    return said


def spoken_of(
    session: Session, component_ids: Collection[UUID], *, source: str, reference: str
) -> set[UUID]:
    """Those of *component_ids* that the source says something of, as it is now."""
    query = select(Condition.component_id).where(
        Condition.component_id.in_(component_ids),
        Condition.source == source,
        Condition.reference == reference,
    )
    return set(session.scalars(query.with_for_update()))


def expired_conditions(now: datetime) -> Select[Condition]:
    return select(Condition).where(Condition.until <= now)


def places(session: Session, component_ids: Collection[UUID]) -> list[tuple[UUID, UUID]]:
    """Page and id of those of *component_ids* that are there, in the order of their pages."""
    query = select(Component.page_id, Component.id).where(Component.id.in_(component_ids))
    query = query.order_by(Component.page_id, Component.id)
    return [(row.page_id, row.id) for row in session.execute(query)]


def any_expired(session: Session, now: datetime) -> bool:
    """Whether a word's time is over."""
    return session.scalar(select(Condition.id).where(Condition.until <= now).limit(1)) is not None


def open_interval(session: Session, component_id: UUID) -> StatusInterval | None:
    """The interval that lasts, as it is now."""
    query = (
        select(StatusInterval)
        .where(StatusInterval.component_id == component_id, StatusInterval.ended_at.is_(None))
        .order_by(StatusInterval.started_at.desc())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(query.limit(1)).first()


def forget(session: Session, page_id: UUID) -> None:
    """Delete the page's components with their history, archived ones too."""
    _delete(session, Component.page_id == page_id)


def delete_one(session: Session, component: Component) -> None:
    """Delete a component with all that is said of it and its history."""
    _delete(session, Component.id == component.id)
    session.expunge(component)


def _delete(session: Session, which: ColumnElement[bool]) -> None:
    # Written out because SQLite cascades only where the host has switched its foreign keys on.
    ids = select(Component.id).where(which)
    for statement in (
        delete(Condition).where(Condition.component_id.in_(ids)),
        delete(StatusInterval).where(StatusInterval.component_id.in_(ids)),
        delete(Component).where(which),
    ):
        session.execute(statement, execution_options={"synchronize_session": False})


def end_history(session: Session, component_id: UUID, now: datetime) -> None:
    """Nobody says anything any more, and no status lasts."""
    session.execute(
        delete(Condition).where(Condition.component_id == component_id),
        execution_options={"synchronize_session": "fetch"},
    )
    if interval := open_interval(session, component_id):
        interval.ended_at = now


def intervals_of(component_id: UUID) -> Select[StatusInterval]:
    """The published history of one component, newest first."""
    return (
        select(StatusInterval)
        .where(StatusInterval.component_id == component_id)
        .order_by(StatusInterval.started_at.desc(), StatusInterval.id.desc())
    )


def has_past(session: Session, component_id: UUID) -> bool:
    """Whether its status has ever changed."""
    query = select(StatusInterval.id).where(StatusInterval.component_id == component_id)
    return len(session.scalars(query.limit(2).with_for_update()).all()) > 1


def histories(
    session: Session, component_ids: Collection[UUID], since: datetime
) -> dict[UUID, list[Interval]]:
    """The intervals of each of *component_ids* that reach past *since*, in no order, in one query.

    A page's history is thousands of rows with few different ids and words, so those are converted once each: as
    entities the rows would cost several times as much.
    """
    query = select(
        cast(StatusInterval.component_id, String),  # as text, also where the driver makes UUIDs
        type_coerce(StatusInterval.status, String),
        StatusInterval.started_at,
        StatusInterval.ended_at,
    ).where(
        StatusInterval.component_id.in_(component_ids),
        or_(StatusInterval.ended_at.is_(None), StatusInterval.ended_at > since),
    )
    found: dict[UUID, list[Interval]] = {component_id: [] for component_id in component_ids}
    by_key: dict[str, list[Interval]] = {}
    for key, word, start, end in session.execute(query):
        known = by_key.get(key)
        if known is None:
            known = by_key[key] = found[UUID(key)]
        known.append(Interval(_STATUSES[word], start, end))
    return found


_STATUSES = {status.value: status for status in ComponentStatus}


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
