"""The words that people read, in their language: gettext's catalogues of the domain ``flask_statuspage``.

Marked in the code are the arguments of ``gettext``, ``ngettext``, ``pgettext`` and of :func:`marked`. Babel, which only
who develops needs, takes them from there; what it compiles lies beside the sources and is shipped::

    pybabel extract --project Flask-StatusPage --no-location --no-wrap -c "Translators:" -k marked \\
        -o build/flask_statuspage.pot flask_statuspage
    pybabel update --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \\
        -D flask_statuspage -d flask_statuspage/translations -i build/flask_statuspage.pot
    pybabel compile -D flask_statuspage -d flask_statuspage/translations

A further language is one more catalogue (``pybabel init``) and one more line of :data:`LANGUAGES`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

DOMAIN = "flask_statuspage"

LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "ar": "العربية",
    "ja": "日本語",
}
"""The languages that there are words in, each by its own name."""

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})

_SOURCE = "en"
_FOLDER = Path(__file__).parent / "translations"


def marked(message: str) -> str:
    """*message* itself: marks what stands in a table for Babel, and is translated where it is used."""
    return message


def language(locale: str | None) -> str:
    """The one of :data:`LANGUAGES` that serves readers of *locale* best: itself, what it is a kind of, else English.

    :param locale: as BCP 47 writes it.
    """
    return next((tag for tag in _wider(locale or "") if tag in LANGUAGES), _SOURCE)


def direction(language: str) -> str:
    """``rtl`` or ``ltr``, as HTML's attribute ``dir`` has it."""
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def catalogue(locale: str | None) -> NullTranslations:
    """The words for readers of *locale*. Each file is read once, when its first reader comes."""
    return _catalogue(language(locale))


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == _SOURCE:
        return NullTranslations()
    name = language.replace("-", "_")
    with (_FOLDER / name / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        return GNUTranslations(file)


def _wider(locale: str) -> Iterator[str]:
    """*locale* and what it is a kind of: ``zh-Hant-TW``, ``zh-Hant``, ``zh``."""
    while locale:
        yield locale
        locale = locale.rpartition("-")[0]
