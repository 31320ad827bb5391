"""The portal's own tables. Those of the status page are made by ``flask statuspage db upgrade``."""

from __future__ import annotations

from datetime import UTC, datetime

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of the portal's models."""


db = SQLAlchemy(model_class=Base)


class Fault(db.Model):  # type: ignore[name-defined,misc]
    """A service that somebody broke with a button; without a row it works."""

    service: Mapped[str] = mapped_column(primary_key=True)


class LogEntry(db.Model):  # type: ignore[name-defined,misc]
    """One line of the operations log."""

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


def is_broken(service: str) -> bool:
    return db.session.get(Fault, service) is not None


def set_broken(service: str, *, broken: bool) -> None:
    """Break or mend *service*. Doing either twice is fine."""
    fault = db.session.get(Fault, service)
    if broken and fault is None:
        db.session.add(Fault(service=service))
    elif not broken and fault is not None:
        db.session.delete(fault)
    db.session.commit()


def log_entries(limit: int = 100) -> list[LogEntry]:
    """The operations log, newest first."""
    return list(db.session.scalars(select(LogEntry).order_by(LogEntry.id.desc()).limit(limit)))
