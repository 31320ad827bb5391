"""Texts that are kept ready for incidents and maintenance."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Select, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..domain.ids import new_id
from .base import Base, Json, Key, LongText, Name, Word, utc_now


class Template(Base):
    """``kind`` is ``incident`` or ``maintenance``. ``components`` are ids of the page's components as text.

    ``placeholders`` are the template's own ones, each with its default or None: then a value must be given.
    """

    __tablename__ = "statuspage_template"
    __table_args__ = (UniqueConstraint("page_id", "kind", "name"),)

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("statuspage_page.id"))
    kind: Mapped[str] = mapped_column(Word)
    name: Mapped[str] = mapped_column(Name)
    title: Mapped[str] = mapped_column(Name)
    body: Mapped[str] = mapped_column(LongText, default="")
    status: Mapped[str | None] = mapped_column(Word)
    impact: Mapped[str | None] = mapped_column(Word)
    components: Mapped[list[str]] = mapped_column(Json, default=list)
    placeholders: Mapped[dict[str, str | None]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


def of_page(page_id: UUID, kind: str | None = None) -> Select[Template]:
    query = select(Template).where(Template.page_id == page_id)
    query = query.order_by(Template.kind, Template.name, Template.id)
    return query.where(Template.kind == kind) if kind else query


def by_name(session: Session, page_id: UUID, name: str, kind: str | None = None) -> list[Template]:
    """Those that the database takes for *name*: at most one of each kind. MariaDB does not tell "a" from "A"."""
    return list(session.scalars(of_page(page_id, kind).where(Template.name == name)))


def locked(session: Session, template_id: UUID) -> Template | None:
    """The template as it is now, held until the transaction ends."""
    query = select(Template).where(Template.id == template_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def forget(session: Session, page_id: UUID) -> None:
    """Delete the page's templates."""
    session.execute(
        delete(Template).where(Template.page_id == page_id),
        execution_options={"synchronize_session": False},
    )
