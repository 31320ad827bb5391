"""The words that people read, in their language: gettext's catalogues of the domain ``flask_statuspage``.

Marked in the code are the arguments of ``gettext``, ``ngettext``, ``pgettext``, :func:`marked`, :func:`marked_in` and
:func:`said`; in templates those of ``t``, ``tn`` and ``tp``, which are the same (a host's templates may have a
``gettext`` of their own). Babel, which only who develops needs, takes them from there; what it compiles lies beside
the sources and is shipped::

    pybabel extract --project Flask-StatusPage --no-location --no-wrap -c "Translators:" -F tests/babel.cfg \\
        -k marked -k marked_in:1c,2 -k said -k t -k tn:1,2 -k tp:1c,2 -o build/flask_statuspage.pot flask_statuspage
    pybabel update --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \\
        -D flask_statuspage -d flask_statuspage/translations -i build/flask_statuspage.pot
    pybabel compile -D flask_statuspage -d flask_statuspage/translations

A further language is one more catalogue (``pybabel init``) and one more line of :data:`LANGUAGES`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

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


def marked_in(context: str, message: str) -> tuple[str, str]:
    """The same of a message with a context: both, as :meth:`Texts.pgettext` takes them."""
    return context, message


class Said(str):
    """A sentence in English, as programs and logs have it, that can be said to people in their language as well.

    ``str()`` of it and of an exception that was raised with it are itself; whatever else is made of it is plain text.

    :param message: the sentence with its gaps, as catalogues have it. Without *gaps* it is taken as it stands.
    :param gaps: by their names; a tuple is a list of names or of other sentences.
    """

    message: str
    gaps: Mapping[str, Any]

    def __new__(cls, message: str, /, **gaps: Any) -> Said:
        filled = {name: _in_english(gap) for name, gap in gaps.items()}
        made = super().__new__(cls, message.format(**filled) if gaps else message)
        made.message, made.gaps = message, gaps
        return made

    def __str__(self) -> str:
        return self


def said(message: str, /, **gaps: Any) -> Said:
    """A sentence that Babel finds here, and that is translated where somebody reads it (:meth:`Texts.said`)."""
    return Said(message, **gaps)


def language(locale: str | None) -> str:
    """The one of :data:`LANGUAGES` that serves readers of *locale* best: itself, what it is a kind of, else English.

    :param locale: as BCP 47 writes it.
    """
    return nearest(locale, LANGUAGES) or _SOURCE


def nearest(locale: str | None, offered: Container[str]) -> str | None:
    """The one of *offered* that serves readers of *locale*: itself, or what it is a kind of; None: none does."""
    return next((tag for tag in _wider(locale or "") if tag in offered), None)


def direction(language: str) -> str:
    """``rtl`` or ``ltr``, as HTML's attribute ``dir`` has it."""
    return "rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def catalogue(locale: str | None) -> NullTranslations:
    """The words for readers of *locale*. Each file is read once, when its first reader comes."""
    return _catalogue(language(locale))


class Texts:
    """The messages of one language, with their gaps filled: ``gettext("{name} is down", name=…)``.

    :param locale: as BCP 47 writes it; the nearest of :data:`LANGUAGES` serves.
    :ivar language: the tag of the language that they are in.
    :ivar direction: ``ltr`` or ``rtl``.
    """

    def __init__(self, locale: str | None) -> None:
        self.language = language(locale)
        self.direction = direction(self.language)
        self._catalogue = catalogue(self.language)
        self.separator = self.pgettext("between the names of a list", ", ")

    def gettext(self, message: str, /, **gaps: Any) -> str:
        said = self._catalogue.gettext(message) if message else ""
        return said.format(**gaps) if gaps else said

    def ngettext(self, singular: str, plural: str, number: int, /, **gaps: Any) -> str:
        """:param number: decides which form is taken; a gap of its own where the message has one for it."""
        said = self._catalogue.ngettext(singular, plural, number)
        return said.format(**gaps) if gaps else said

    def pgettext(self, context: str, message: str, /, **gaps: Any) -> str:
        """:param context: tells translators where the message stands."""
        said = self._catalogue.pgettext(context, message)
        return said.format(**gaps) if gaps else said

    def said(self, message: str) -> str:
        """*message* in this language if it can be said in others, else as it is."""
        if not isinstance(message, Said):
            return message
        return self.gettext(
            message.message, **{name: self._gap(gap) for name, gap in message.gaps.items()}
        )

    def _gap(self, gap: Any) -> Any:
        if isinstance(gap, tuple):
            return self.separator.join(self.said(one) for one in gap)
        return self.said(gap) if isinstance(gap, str) else gap


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == _SOURCE:
        return NullTranslations()
    name = language.replace("-", "_")
    with (_FOLDER / name / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        return GNUTranslations(file)


def _in_english(gap: Any) -> Any:
    return ", ".join(gap) if isinstance(gap, tuple) else gap


def _wider(locale: str) -> Iterator[str]:
    """*locale* and what it is a kind of: ``zh-Hant-TW``, ``zh-Hant``, ``zh``."""
    while locale:
        yield locale
        locale = locale.rpartition("-")[0]
