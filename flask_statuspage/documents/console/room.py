"""What every page of the console has around it: who is there, the ways on, what was done, what went wrong.

The console speaks English only. Its templates are in ``templates/statuspage/admin/`` and extend ``_console.html``;
their form fields are the macros of ``_fields.html``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...domain.facts import ShownPage
from ...domain.rights import Right, may
from ...domain.roles import Role
from ...errors import FieldError
from ..rendering import Frame, render
from ..repetition import repetition
from ..words import words_in


@dataclass(frozen=True)
class MenuItem:
    """A way in the menu: its endpoint, its word, and who sees it."""

    endpoint: str
    word: str
    right: Right = Right.SEE


@dataclass(frozen=True)
class OtherPage:
    """Another status page of the site, and where the console shows it."""

    name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Why a form is shown again.

    :param words: what is wrong with all of it.
    :param problems: what is wrong with which field.
    :param is_conflict: the words tell how that is by now which somebody else changed.
    """

    words: str = ""
    problems: Sequence[FieldError] = ()
    is_conflict: bool = False

    def of(self, name: str) -> list[str]:
        """What is wrong with the field of that name, or with a part of it (``components.api``)."""
        return [
            item.message
            for item in self.problems
            if item.field == name or item.field.startswith(f"{name}.")
        ]


@dataclass(frozen=True, kw_only=True)
class Undo:
    """A button beside what was done: posts *fields* to *url*."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Room:
    """Around one page of the console, for one member.

    :param to: the address of an endpoint of the console for this status page: ``to("incidents", state="open")``.
    :param menu: the ways to all areas. *here* is the endpoint of the one that this belongs to.
    :param others: the site's other status pages.
    :param slug: of the status page, which every form names; None: it is the default one.
    :param typed: what was posted and is shown again, each name with all its values; None: nothing was.
    :param left_out: the names of the fields of which something was posted that is secret, and not shown again.
    :param notice: what was done. *undo*: how it is taken back.
    :param leave_url: where one signs out; None: that is the host's.
    :param account_url: where the member looks after their own sign-in; None: that is the host's.
    """

    page: ShownPage
    frame: Frame
    to: Callable[..., str]
    menu: Sequence[MenuItem]
    here: str
    member: str
    role: Role
    csrf_token: str
    others: Sequence[OtherPage] = ()
    slug: str | None = None
    typed: Mapping[str, Sequence[str]] | None = None
    left_out: Sequence[str] = ()
    trouble: Trouble = field(default_factory=Trouble)
    notice: str | None = None
    undo: Undo | None = None
    leave_url: str | None = None
    account_url: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    """What the fields on the page are called, by their names, once they are written."""

    def labelled(self, name: str, label: str) -> str:
        """*label*, which is noted as that of the field *name*, for what is told above the form."""
        self.labels.setdefault(name, label)
        return label

    def place_of(self, problem: FieldError) -> tuple[str, str]:
        """Which field on the page is meant, and what it is called there: for ``components.api`` it may be a part."""
        name = problem.field
        while name not in self.labels and "." in name:
            name = name.rpartition(".")[0]
        label = self.labels.get(name, name.replace("_", " ").capitalize())
        part = problem.field.removeprefix(name).lstrip(".")
        return name, f"{label} ({part})" if part else label

    def may(self, right: str) -> bool:
        """Whether the member has *right*, by its value."""
        return may(self.role, Right(right))

    def seen(self, name: str, now: Any) -> Any:
        """What a form carries of a field as ``was.<name>``: how it is by *now*.

        A form that is shown again carries what it did before, until it has told that somebody else changed that: else
        the next press would write over it, and nobody would have known. A field that says the same is no matter.
        """
        if self.typed is None or self.trouble.is_conflict:
            return now
        typed, before = self.typed.get(name, ()), self.typed.get(f"was.{name}")
        same = " ".join(typed).replace("\r\n", "\n") == str(now)
        same = same or sorted(typed) == sorted(str(now).split())  # ticked boxes, in any order
        return now if same or not before else before[0]


def shown(room: Room, template: str, /, **context: Any) -> str:
    """The template ``admin/<template>.html`` as HTML, with ``room``, ``to`` and *context*.

    Besides what :func:`~..rendering.render` gives there is ``minute`` (of an instant: what a field of type
    ``datetime-local`` takes, in the page's zone), ``universal`` (of an instant: in universal time) and ``repeats`` (of
    a maintenance: how often it comes, or None).
    """
    words = room.frame.words(room.page)

    def minute(instant: datetime | None) -> str:
        return instant.astimezone(words.zone).strftime("%Y-%m-%dT%H:%M") if instant else ""

    return render(
        f"admin/{template}",
        room.page,
        room.frame,
        room=room,
        to=room.to,
        menu=[item for item in room.menu if may(room.role, item.right)],
        minute=minute,
        universal=words_in(room.frame.language, "UTC").moment,
        repeats=lambda fact: repetition(fact, words),
        **context,
    )
