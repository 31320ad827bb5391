"""In which language and by which clock a subscriber reads: what a form has to offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..domain import clock
from ..domain.markup import one_line
from ..translation import LANGUAGES


@dataclass(frozen=True, kw_only=True)
class Reading:
    """
    :param locale: what is chosen or was typed; empty: the page's. So is ``time_zone``.
    :param languages: what can be chosen: names by tag.
    :param zones: the zones that are proposed; another one may be typed.
    """

    locale: str
    time_zone: str
    languages: Mapping[str, str]
    zones: tuple[str, ...]


def reading(locale: str | None, time_zone: str | None) -> Reading:
    """The choice that there is beside the present one, which stays in it: ``de-AT`` must not become ``de`` by being
    shown."""
    present = one_line(locale or "")
    languages = LANGUAGES
    if present and present not in LANGUAGES:
        languages = {present: present, **LANGUAGES}
    return Reading(
        locale=present,
        time_zone=one_line(time_zone or ""),
        languages=languages,
        zones=clock.zones(),
    )
