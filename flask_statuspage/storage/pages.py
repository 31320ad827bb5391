"""Pages, and the version that goes up with every visible change."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Select, String, Text, false, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from ..domain.ids import MAX_SLUG, new_id
from ..state import current_state
from .base import Base, Json, Key, Name, Word, utc_now
from .on_commit import note_lock, on_commit


class Page(Base):
    """A status page. ``name``, ``url``, ``time_zone`` and ``locale`` are None where the settings speak for it.

    ``visibility`` is ``public``, ``signed-in`` or ``link``; the last one answers under ``link_token`` only, which is
    None for the others. ``colours``
    are style tokens by name, ``header`` and ``footer`` Markdown.
    """

    __tablename__ = "statuspage_page"
    __table_args__ = (Index("uq_statuspage_page_link_token", "link_token", unique=True),)

    id: Mapped[UUID] = mapped_column(Key, primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(MAX_SLUG), unique=True)
    is_default: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str | None] = mapped_column(Name)
    url: Mapped[str | None] = mapped_column(String(500))
    time_zone: Mapped[str | None] = mapped_column(Name)
    locale: Mapped[str | None] = mapped_column(Word)
    visibility: Mapped[str] = mapped_column(Word, default="public")
    link_token: Mapped[str | None] = mapped_column(String(64))
    logo: Mapped[str | None] = mapped_column(String(500))
    colours: Mapped[dict[str, str] | None] = mapped_column(Json(none_as_null=True))
    header: Mapped[str | None] = mapped_column(Text)
    footer: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


def all_pages() -> Select[Page]:
    return select(Page).order_by(Page.is_default.desc(), Page.name, Page.slug)


def default_page(session: Session) -> Page:
    """The page at the root. The first migration makes it."""
    return session.scalars(all_pages().limit(1)).one()


def by_slug(session: Session, slug: str) -> Page | None:
    return session.scalar(select(Page).where(Page.slug == slug))


def version_of(
    session: Session, address: str | None, *, hidden: bool = False
) -> tuple[UUID, int] | None:
    """Id and version of the page that answers at *address* in one small query; None where no page does.

    :param address: None for the root; else a slug or, for a page with visibility ``link``, its token.
    :param hidden: by slug also a page that answers to its token only. For whoever checks the reader in another way.
    """
    query = select(Page.id, Page.version, Page.slug, Page.visibility, Page.link_token)
    if address is None:
        query = query.order_by(Page.is_default.desc()).limit(1)
    else:
        query = query.where(or_(Page.slug == address, Page.link_token == address))
    for row in session.execute(query):
        by_link = row.visibility == "link"
        # Compared here as well: MariaDB finds a token in any case.
        if address is None or row.slug == address:
            answers = hidden or not by_link
        else:
            answers = by_link and row.link_token == address
        if answers:
            return row.id, row.version
    return None


def versions(session: Session) -> dict[UUID, int]:
    """The versions of all pages by their ids."""
    return {row.id: row.version for row in session.execute(select(Page.id, Page.version))}


def begin_writing(session: Session) -> None:
    """Begin the transaction with a write that changes nothing.

    SQLite locks no rows: its one writer is the lock, which must be held before anything is read. Elsewhere this
    locks nothing.
    """
    session.execute(
        update(Page).where(false()).values(version=Page.version),
        execution_options={"synchronize_session": False},
    )


def hold(session: Session, page_id: UUID) -> None:
    """Hold the page's row until the transaction ends, without changing what the page shows."""
    session.execute(
        update(Page).where(Page.id == page_id).values(version=Page.version),
        execution_options={"synchronize_session": False},
    )
    note_lock(session)


def hold_all(session: Session) -> None:
    """Hold every page: for what is about an address wherever it is subscribed, or will be at this moment."""
    begin_writing(session)
    session.scalars(select(Page.id).order_by(Page.id).with_for_update(key_share=True)).all()
    note_lock(session)


def touch(session: Session, page_id: UUID, now: datetime) -> None:
    """Raise the version and hold the page's row until the transaction ends.

    Every use case that changes what a page shows calls this first, so changes of one page follow each other on all
    databases, and on SQLite the transaction is a writing one before anything is read.
    """
    session.execute(
        update(Page).where(Page.id == page_id).values(version=Page.version + 1, updated_at=now),
        execution_options={"synchronize_session": False},
    )
    note_lock(session)
    on_commit(session, current_state().page_changed, key="statuspage page changed")
    if page := session.identity_map.get(session.identity_key(Page, page_id)):
        session.expire(page, ["version", "updated_at"])
