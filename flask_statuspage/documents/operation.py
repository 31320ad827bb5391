"""What an API does at one place: one small value that the routes make and their description reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .document import Parameter


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What one method of one path does.

    :param name: unique and lasting; generated clients name their functions after it.
    :param path: below the mount if *role* is given, else below the page; parameters as ``<name>``.
    :param says: what it does, in one sentence. More may follow after an empty line.
    :param tag: what it is listed under.
    :param role: the smallest one that a key needs; None: it needs no key.
    :param body: the type of its JSON body; None: it has none.
    :param bare: the body may be left out.
    :param statuses: what it can answer with when all is well.
    :param answer: the type of what it answers, or of one thing of a list; None: nothing.
    :param paged: it answers with one page of a list.
    :param problems: the statuses of the problem details that it can answer with.
    :param tagged: its answer has an ``ETag``.
    :param conditional: it can be asked for only if the thing is still as it was.
    """

    name: str
    method: str
    path: str
    says: str
    tag: str
    role: str | None = None
    body: Any = None
    bare: bool = False
    statuses: tuple[int, ...] = (200,)
    answer: Any = None
    paged: bool = False
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    tagged: bool = False
    conditional: bool = False
