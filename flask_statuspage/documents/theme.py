"""The colours of a page's brand as a stylesheet: the policy of our pages allows no style within them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ..domain.colours import DARK, DARK_PREFIX, LIGHT, is_colour
from ..domain.contrast import Sheet, read
from .snapshot import Snapshot

LAYER = "flask-statuspage-tokens"
"""The layer of the tokens in ``statuspage.css``: later rules of it win, and any rule of the host wins over it."""

_SHEET = Path(__file__).absolute().parent.parent / "static" / "statuspage.css"
_DARK_BY_SYSTEM = '.sp:not([data-theme="light"], [data-theme="light"] *)'
_DARK_BY_CHOICE = '.sp:is([data-theme="dark"], [data-theme="dark"] *)'


def stylesheet(snapshot: Snapshot) -> bytes:
    """``theme.css``: the tokens that the page sets; empty if it sets none. Loaded after ``statuspage.css``."""
    given = {name: colour for name, colour in snapshot.page.colours if is_colour(colour)}
    light = {name: given[name] for name in LIGHT if name in given}
    dark = {name: given[DARK_PREFIX + name] for name in DARK if DARK_PREFIX + name in given}
    rules = []
    if light:
        rules.append(_rule(".sp", light))
    if dark:
        rules.append(f"@media (prefers-color-scheme: dark) {{\n{_rule(_DARK_BY_SYSTEM, dark)}}}\n")
        rules.append(_rule(_DARK_BY_CHOICE, dark))
    sheet = f"@layer {LAYER} {{\n{''.join(rules)}}}\n" if rules else ""
    # Around the page's own boxes the body shows.
    for scheme, colours in (("light", light), ("dark", dark)):
        if "bg" in colours:
            body = f"body.sp-body {{ background: {colours['bg']}; }}\n"
            sheet += f"@media (prefers-color-scheme: {scheme}) {{\n{body}}}\n"
    return sheet.encode()


@cache
def defaults() -> Sheet:
    """The tokens as ``statuspage.css`` has them."""
    return read(_SHEET.read_text(encoding="utf-8"))


def _rule(selector: str, colours: dict[str, str]) -> str:
    tokens = " ".join(f"--sp-{name}: {colour};" for name, colour in colours.items())
    return f"{selector} {{ {tokens} }}\n"
