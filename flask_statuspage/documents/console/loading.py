"""What a template fills a form with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ...domain.status import ComponentStatus


@dataclass(frozen=True, kw_only=True)
class Placeholder:
    """One of a template's own placeholders and what stands for it; empty: a value must be given."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a template fills the form with.

    :param ident: the template's id; empty: none was chosen.
    :param state: a value of the form's choice; empty: the template does not say.
    :param affected: services by their slugs.
    :param placeholders: the template's own ones.
    :param services: slugs and names, to choose from, of a template whose text names them. *chosen*: slugs.
    :param start: of a maintenance, as was typed beside the template; so *end*.
    :param is_filled: False: some placeholder has no value yet, so nothing is filled in.
    """

    ident: str = ""
    title: str = ""
    body: str = ""
    state: str = ""
    impact: str = ""
    affected: Mapping[str, ComponentStatus] = field(default_factory=dict)
    placeholders: Sequence[Placeholder] = ()
    services: Sequence[tuple[str, str]] = ()
    chosen: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    is_filled: bool = True
