"""The colours that a page's brand may set, and whether its words stay readable in them (WCAG 2.2, AA)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import FieldError, Invalid

LIGHT = {
    "primary": "#0b57c2",
    "link": "#0b57c2",
    "focus": "#0b57c2",
    "bg": "#ffffff",
    "surface": "#f5f6f8",
    "text": "#1b1f24",
    "muted": "#59616b",
    "border": "#d5dae0",
}
"""The stylesheet's own colours, by the tokens that a brand may set."""

DARK = {
    "primary": "#0b57c2",
    "link": "#7fb2ff",
    "focus": "#9cc4ff",
    "bg": "#11151a",
    "surface": "#1a2027",
    "text": "#e8ebee",
    "muted": "#a3acb6",
    "border": "#2e3740",
}

STATUS_WORDS = {
    "light": ("#116340", "#6b5300", "#963a08", "#a5122f", "#1f4f9c", "#59616b"),
    "dark": ("#7ed8a9", "#f0d54a", "#f79c58", "#ff8c96", "#8db4ff", "#a3acb6"),
}
"""What the names of statuses are written in. A brand does not set them, so its grounds must suit them."""

DARK_PREFIX = "dark-"
TOKENS = (*LIGHT, *(DARK_PREFIX + name for name in DARK))

LEAST = 4.5
"""The contrast of text that WCAG asks for at level AA."""

_COLOUR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.ASCII | re.IGNORECASE)


def is_colour(text: object) -> bool:
    """Whether *text* is ``#rgb`` or ``#rrggbb``."""
    return isinstance(text, str) and _COLOUR.fullmatch(text) is not None


def checked(colours: Mapping[str, str]) -> dict[str, str]:
    """*colours* (token → colour) as they are kept: ``#rrggbb``, lower case.

    :raises Invalid: naming every token that does not exist, has no colour, or makes a text unreadable.
    """
    errors = []
    for token, colour in colours.items():
        if token not in TOKENS:
            errors.append(
                FieldError(f"colours.{token}", f"There is no such token, only {', '.join(TOKENS)}.")
            )
        elif not is_colour(colour):
            errors.append(FieldError(f"colours.{token}", "Must be #rgb or #rrggbb."))
    if errors:
        raise Invalid(*errors)
    kept = {token: _long(colour) for token, colour in colours.items()}
    if unreadable := _unreadable(kept):
        raise Invalid(*unreadable)
    return kept


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _unreadable(given: Mapping[str, str]) -> list[FieldError]:
    light = LIGHT | {name: given[name] for name in LIGHT if name in given}
    dark = DARK | {"primary": light["primary"]}  # buttons look alike in both, unless told otherwise
    dark |= {name: given[DARK_PREFIX + name] for name in DARK if DARK_PREFIX + name in given}
    found: dict[str, FieldError] = {}
    for scheme, prefix, palette in (("light", "", light), ("dark", DARK_PREFIX, dark)):
        for ground in ("bg", "surface"):
            for front in ("text", "muted", "link"):
                # Whoever changed the text hears of the text; whoever changed its ground only, of that.
                blamed = next((t for t in (prefix + front, prefix + ground) if t in given), None)
                _weigh(found, blamed, palette[front], palette[ground], f"{front} on {ground}")
            blamed = prefix + ground if prefix + ground in given else None
            for word in STATUS_WORDS[scheme]:
                _weigh(found, blamed, word, palette[ground], f"the name of a status on {ground}")
        blamed = next((t for t in (prefix + "primary", "primary") if t in given), None)
        _weigh(found, blamed, "#ffffff", palette["primary"], "white on primary")
    return list(found.values())


def _weigh(
    found: dict[str, FieldError], blamed: str | None, front: str, ground: str, what: str
) -> None:
    ratio = contrast(front, ground)
    if blamed is None or blamed in found or ratio >= LEAST:
        return
    shown = int(ratio * 100) / 100  # never rounded up to what is asked for
    message = f"The contrast of {what} ({front} on {ground}) is {shown:.2f}:1; at least {LEAST}:1."
    found[blamed] = FieldError(f"colours.{blamed}", message)


def _long(colour: str) -> str:
    digits = colour[1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))


def _luminance(colour: str) -> float:
    digits = _long(colour)[1:]
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
