"""Texts that are kept ready for incidents and maintenance."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Select, UniqueConstraint, select
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


def get(session: Session, template_id: UUID) -> Template | None:
    return session.get(Template, template_id)
