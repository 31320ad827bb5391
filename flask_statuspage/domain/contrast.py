"""Whether everything can be read in a set of style tokens: all pairs of colours that stand on each other on a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .colours import DARK_PREFIX, LEAST, contrast, is_colour

TONES = ("operational", "degraded", "partial", "major", "maintenance", "unknown")
WHITE = "#ffffff"
LEAST_GRAPHICS = 3.0
"""The contrast of graphics and of the outlines of fields that WCAG asks for at level AA."""

SCHEMES = ("light", "dark")

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"[{};]")
_DECLARATION = re.compile(r"\s*(--[\w-]+)\s*:\s*(.+?)\s*(?:!important\s*)?", re.DOTALL)
_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,\s*(.+?)\s*)?\)", re.DOTALL)
_DEPTH = 10
"""So many variables may lead to one another."""


@dataclass
class Sheet:
    """The custom properties that a stylesheet sets, ``--sp-bg`` and any other, by where they count."""

    both: dict[str, str] = field(default_factory=dict)
    light: dict[str, str] = field(default_factory=dict)
    dark: dict[str, str] = field(default_factory=dict)

    def of(self, scheme: str) -> dict[str, str]:
        """Those of ``light`` or ``dark``."""
        return self.both | (self.dark if scheme == "dark" else self.light)

    def under(self, other: Sheet) -> Sheet:
        """With the rules of *other* winning over these, as those of a host do over ours."""
        return Sheet(
            both=self.both | other.both,
            light=self.light | other.both | other.light,
            dark=self.dark | other.both | other.dark,
        )

    def branded(self, colours: Mapping[str, str]) -> Sheet:
        """With the tokens of a page's brand, of which those without ``dark-`` count where dark has none of its own."""
        light = {f"--sp-{n}": c for n, c in colours.items() if not n.startswith(DARK_PREFIX)}
        dark = {
            f"--sp-{name.removeprefix(DARK_PREFIX)}": colour
            for name, colour in colours.items()
            if name.startswith(DARK_PREFIX)
        }
        return Sheet(both=self.both | light, light=dict(self.light), dark=self.dark | dark)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two colours that stand on each other. ``ratio`` is None where one of them cannot be read."""

    what: str
    front: str
    ground: str
    least: float
    ratio: float | None

    @property
    def is_fine(self) -> bool:
        return self.ratio is not None and self.ratio >= self.least


def read(css: str) -> Sheet:
    """The custom properties of a stylesheet; a rule counts for the scheme that it, or what it stands in, names."""
    sheet = Sheet()
    around: list[str] = []
    start = 0
    text = _COMMENT.sub(" ", css)
    for mark in _TOKEN.finditer(text):
        part, start = text[start : mark.start()], mark.end()
        if mark[0] == "{":
            around.append(part)
            continue
        if found := _DECLARATION.fullmatch(part):
            _place(sheet, " ".join(around))[found[1]] = found[2]
        if mark[0] == "}" and around:
            around.pop()
    return sheet


def pairs(sheet: Sheet, scheme: str) -> Iterator[Pair]:
    """All pairs of a page in ``light`` or ``dark``."""
    values = sheet.of(scheme)
    for front in ("text", "muted", "link"):
        for ground in ("bg", "surface"):
            yield _pair(values, front, ground, LEAST)
    yield _pair(values, WHITE, "primary", LEAST)
    for tone in TONES:
        for ground in ("bg", "surface", f"{tone}-tint"):
            yield _pair(values, f"{tone}-text", ground, LEAST)
        yield _pair(values, "text", f"{tone}-tint", LEAST)
        yield _pair(values, WHITE, f"{tone}-solid", LEAST)
        yield _pair(values, f"{tone}-bar", "bg", LEAST_GRAPHICS)
    for graphic in ("control", "focus"):
        yield _pair(values, graphic, "bg", LEAST_GRAPHICS)


def _place(sheet: Sheet, around: str) -> dict[str, str]:
    if "@media print" in around or "forced-colors" in around:
        return {}  # looked at nowhere: paper and chosen colours are no scheme of the page
    # "not light" is dark: rules for visitors whose system is dark leave out what was chosen to be light.
    if "dark" in around:
        return sheet.dark
    return sheet.light if "light" in around else sheet.both


def _pair(values: Mapping[str, str], front: str, ground: str, least: float) -> Pair:
    colours = [one if one == WHITE else _resolved(values, f"--sp-{one}") for one in (front, ground)]
    return Pair(
        what=f"{'white' if front == WHITE else front} on {ground}",
        front=colours[0],
        ground=colours[1],
        least=least,
        ratio=contrast(*colours) if all(map(is_colour, colours)) else None,
    )


def _resolved(values: Mapping[str, str], name: str) -> str:
    """The value of a property, with the variables that it is made of followed as far as they are known."""
    value = values.get(name, "")
    for _ in range(_DEPTH):
        found = _VARIABLE.fullmatch(value)
        if found is None:
            break
        value = values.get(found[1]) or found[2] or ""
    return value
