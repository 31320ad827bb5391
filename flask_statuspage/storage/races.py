"""Transactions that lost a race for locks are run again: one place for the pauses and for what counts as such."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ..errors import Race
from .session import lost_race
from .trouble import concealed

T = TypeVar("T")

PAUSES = (0.05, 0.2, 0.8)
"""Seconds before a transaction is run again, each up to twice as long at random."""


def committed(session: Session, work: Callable[[Session], T]) -> T:
    """What *work* returns, once it is committed. It is run again if it lost a race for locks."""

    def transaction() -> T:
        try:
            result = work(session)
            session.commit()
            return result
        except BaseException:
            session.rollback()
            raise

    return run_again(transaction)


def run_again(transaction: Callable[[], T], *, patience: float | None = None) -> T:
    """What *transaction* returns. One that was ended for the sake of another one is run again, a few times.

    What it raises has no parameters of statements in its text, see :func:`.trouble.concealed`.

    :param transaction: begins, commits, and has rolled back when it raises.
    :param patience: seconds after which it is not run again; None: however long it took.
    """
    try:
        return _run_again(transaction, patience)
    except Exception as error:
        concealed(error)
        raise


def _run_again(transaction: Callable[[], T], patience: float | None) -> T:
    began = time.monotonic()
    for pause in PAUSES:
        try:
            return transaction()
        except (DBAPIError, Race) as error:
            lost = isinstance(error, Race) or lost_race(error)
            late = patience is not None and time.monotonic() - began > patience
            if late or not lost:
                raise
        time.sleep(pause * (1 + random.random()))
    return transaction()
