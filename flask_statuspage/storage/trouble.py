"""Errors of the database as a log may have them: without the values of a statement, among which may be secrets."""

from __future__ import annotations

import re
from typing import TypeVar

from sqlalchemy.exc import DataError, DBAPIError, StatementError

from .session import is_away

E = TypeVar("E", bound=BaseException)

_NAMES_ONLY = {1044, 1045, 1049, 1054, 1142, 1146}
"""MariaDB: access, a database, a table or a column that is not there. What these quote are names."""

_QUOTED = re.compile(r"(['\"]).*\1", re.DOTALL)


def worded(error: Exception) -> str:
    """*error* in one line: its class, and what the driver says.

    Neither the statement nor its parameters are in it, nor what a driver quotes of them: PostgreSQL has the values of a
    row in the lines after the first, MariaDB in the first one.
    """
    name = type(error).__name__
    if isinstance(error, DBAPIError) and error.orig is not None:
        text = _of_driver(error, error.orig)
    elif isinstance(error, StatementError):
        text = type(
            error.orig
        ).__name__  # a value that could not be sent: its words may be of the value
    else:
        text = str(error)
    line = next(iter(text.splitlines()), "")
    return f"{name}: {line}" if line else name


def concealed(error: E) -> E:
    """*error*, whose text and traceback, and those of what led to it, have no parameters any more."""
    one: BaseException | None = error
    seen = set()
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        if isinstance(one, StatementError):
            one.hide_parameters = True
        one = one.__cause__ or one.__context__
    return error


def _of_driver(error: DBAPIError, cause: BaseException) -> str:
    number = cause.args[0] if cause.args else None
    if not isinstance(number, int):
        text, may_quote = str(cause), isinstance(error, DataError)
    else:
        text = " ".join(map(str, cause.args))
        may_quote = number not in _NAMES_ONLY and not is_away(error)
    return _QUOTED.sub("'…'", text) if may_quote else text
