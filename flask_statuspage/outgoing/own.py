"""Failures of this process itself, which say nothing of whom it wanted to call."""

from __future__ import annotations

import errno

LACKS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Of an :exc:`OSError`: no descriptor, buffer or memory is left, whoever is called."""

_OWN = LACKS | {errno.EADDRNOTAVAIL}  # no port is left, or no address of that family
_LONGEST_CHAIN = 20


class CannotCall(Exception):
    """This process cannot call anybody now, or nobody in that way: it can be tried again later.

    ``str()`` is a sentence for the log.
    """


def own_failure(error: BaseException | None) -> BaseException | None:
    """What *error* comes from, if that is a lack of this process's own; None: it is not."""
    for _ in range(_LONGEST_CHAIN):
        if error is None:
            break
        is_own = isinstance(error, OSError) and error.errno in _OWN
        if is_own or isinstance(error, CannotCall | MemoryError):
            return error
        error = error.__cause__ or error.__context__
    return None
