"""What refers to a monitor, or is referred to by one: other monitors and templates."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from .monitors import Monitor


def lock_family(session: Session, monitor_id: UUID) -> None:
    """Hold the monitor and those that depend on it, in the order in which all lock them."""
    _lock(session, or_(Monitor.id == monitor_id, Monitor.depends_on_id == monitor_id))


def lock_using(session: Session, template_id: UUID) -> None:
    """Hold the monitors that take their text from that template."""
    _lock(session, Monitor.template_id == template_id)


def _lock(session: Session, which: ColumnElement[bool]) -> None:
    session.execute(select(Monitor.id).where(which).order_by(Monitor.id).with_for_update()).all()


def free_dependants(session: Session, monitor_id: UUID) -> None:
    """Let no monitor depend on that one any more."""
    children = update(Monitor).where(Monitor.depends_on_id == monitor_id)
    session.execute(children.values(depends_on_id=None))


def forget_template(session: Session, template_id: UUID) -> None:
    """Let no monitor take its text from that template any more."""
    session.execute(
        update(Monitor).where(Monitor.template_id == template_id).values(template_id=None)
    )
