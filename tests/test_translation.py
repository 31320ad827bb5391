"""The catalogues say all that the code says, and what is shipped is what was translated."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

import flask_statuspage
from flask_statuspage import translation
from flask_statuspage.translation import DOMAIN, LANGUAGES

PACKAGE = Path(flask_statuspage.__file__).parent
FOLDER = PACKAGE / "translations"
OTHERS = sorted(set(LANGUAGES) - {"en"})

METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS = {"marked": None, "said": None, "t": None, "tn": (1, 2)}
KEYWORDS |= {"marked_in": ((1, "c"), 2), "tp": ((1, "c"), 2)}

Key = tuple[str | None, str | tuple[str, ...]]
"""Context and message, or context and its singular and plural."""


def in_code() -> set[Key]:
    """What is marked in the code, as Babel finds it by the command in `translation`."""
    found = extract_from_dir(PACKAGE, method_map=METHODS, keywords={**DEFAULT_KEYWORDS, **KEYWORDS})
    return {(context, message) for _, _, message, _, context in found}


def in_syntax() -> Iterator[Key]:
    """The same as Python and Jinja themselves read it: Babel looks at tokens, and not at those inside of f-strings."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            if name in ("gettext", "marked", "said") and texts:
                yield None, texts[0]
            elif name in ("pgettext", "marked_in") and len(texts) == 2:
                yield texts[0], texts[1]
            elif name == "ngettext" and len(texts) == 2:
                yield None, (texts[0], texts[1])
    for path in PACKAGE.rglob("*.html"):
        for call in Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            name = getattr(call.node, "name", "")
            texts = [arg.value for arg in call.args if isinstance(arg, nodes.Const)]
            if name == "t" and texts:
                yield None, texts[0]
            elif name == "tp" and len(texts) == 2:
                yield texts[0], texts[1]
            elif name == "tn" and len(texts) >= 2:
                yield None, (texts[0], texts[1])


def path_of(language: str, kind: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.{kind}"


def source(language: str) -> Catalog:
    with path_of(language, "po").open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def key(message: Message) -> Key:
    found, context = message.id, message.context
    if isinstance(context, bytes):  # as Babel reads those of compiled catalogues
        context = context.decode()
    return context, found if isinstance(found, str) else tuple(found)


def texts(value: str | list[str] | tuple[str, ...]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def gaps(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text)} - {None}


def test_babel_finds_all_that_is_marked() -> None:
    """No message stands where the extraction is blind, and nothing is taken for a message that is none."""
    assert in_code() == set(in_syntax())


def test_a_catalogue_for_each_language() -> None:
    """The folder holds what the list of languages names."""
    assert sorted(path.name for path in FOLDER.iterdir()) == OTHERS


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated(language: str) -> None:
    """None is missing, empty, doubtful or left over."""
    catalogue = source(language)
    assert {key(message) for message in catalogue if message.id} == in_code()
    assert not catalogue.obsolete
    assert not catalogue.fuzzy
    for message in catalogue:
        assert not message.fuzzy, message.id
        assert all(texts(message.string)), message.id
        if message.pluralizable:
            assert len(texts(message.string)) == catalogue.num_plurals, message.id


@pytest.mark.parametrize("language", OTHERS)
def test_every_gap_is_filled(language: str) -> None:
    """A translation has the gaps of its message, neither fewer nor others.

    A form for one may do without the number as the English one does, and so may Arabic's for two.
    """
    for message in source(language):
        if not message.id:
            continue
        singular, wanted = (gaps(texts(message.id)[place]) for place in (0, -1))
        for text in texts(message.string):
            found = gaps(text)
            assert found <= wanted, message.id
            is_form = message.pluralizable and language == "ar"
            assert found in (singular, wanted) or is_form, message.id
        assert gaps(texts(message.string)[-1]) == wanted


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_shipped_is_compiled_from_its_source(language: str) -> None:
    """The compiled catalogue holds what its source does, message by message, with the same rule of plurals."""
    catalogue = source(language)
    with path_of(language, "mo").open("rb") as file:
        compiled = read_mo(file)
    said = [
        {key(message): texts(message.string) for message in one if message.id}
        for one in (catalogue, compiled)
    ]
    assert said[0] == said[1]
    words = translation.catalogue(language)
    assert words.info()["plural-forms"] == catalogue.plural_forms


def test_a_language_is_read_when_its_first_reader_comes() -> None:
    """Each file is read once; English needs none."""
    assert translation.catalogue("de-AT") is translation.catalogue("de")
    assert translation.catalogue("de").gettext("Major outage") == "Schwerer Ausfall"
    assert translation.catalogue("pt-BR") is translation.catalogue(None)
    assert translation.catalogue("en").gettext("Major outage") == "Major outage"


@pytest.mark.parametrize("name", ["../de", "de/../de", "DE", "-", "x" * 1000])
def test_a_locale_names_no_file(name: str) -> None:
    """What is no language of ours is English, whatever else it could be."""
    assert translation.language(name) == "en"
    assert translation.catalogue(name).gettext("Major outage") == "Major outage"
