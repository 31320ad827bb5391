"""Texts with placeholders: what may stand in them, what they become, and what they cost."""

from __future__ import annotations

import keyword
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flask_statuspage.domain.markup import MAX_CHARACTERS
from flask_statuspage.domain.placeholders import (
    BUILT_IN,
    FILTERS,
    MAX_OWN,
    MAX_VALUE,
    check,
    check_own,
    is_name,
    names_in,
    render,
)
from flask_statuspage.errors import Invalid

KNOWN = {"region", "ticket", "page"}


def refusal(error: pytest.ExceptionInfo[Invalid], field: str = "body") -> str:
    [only] = error.value.errors
    assert only.field == field
    return only.message


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Nothing to fill in", "Nothing to fill in"),
        ("Trouble in {{ region }}.", "Trouble in eu."),
        ("{{region}}/{{ region }}", "eu/eu"),
        ("{{ region|upper }} {{ page|lower }} [{{ odd|trim }}]", "EU acme [x]"),
        ("{{ nobody|default('everywhere') }}", "everywhere"),
        ("{{ nobody|d('x') }}{{ nobody|default }}{{ nobody|default(5) }}", "x5"),
        ("{{ empty|default('none given', true) }}", "none given"),
        ("{% if empty %}a{% elif region == 'us' %}b{% else %}c{% endif %}", "c"),
        ("{% if region == 'eu' and not empty %}yes{% endif %}", "yes"),
        ("{% if region != 'eu' or region in 'eu us' %}yes{% endif %}", "yes"),
        ("{% if region in ['eu', 'us'] %}yes{% endif %}", "yes"),
        ("{% if region in ('eu', other) %}yes{% endif %}", "yes"),
        ("{% if region not in ['us'] %}{% if true %}yes{% endif %}{% endif %}", "yes"),
        ("{% if 'a' < region <= 'f' %}yes{% endif %}", "yes"),
        ("{{ empty or 'nothing' }}", "nothing"),
        ("a\n\n{% if region %}\nb\n{% endif %}\n", "a\n\n\nb\n\n"),
        ("{# a note #}{% raw %}{{ region }}{% endraw %}", "{{ region }}"),
        ("{{ region -}}   !", "eu!"),
        ("**{{ page }}** & <b>", "**Acme** & <b>"),
        ("{{ braces }}", "{{ region }}"),
    ],
)
def test_what_a_text_becomes(text: str, result: str) -> None:
    """The allowed part of the language does what Jinja does; values are put in as they are."""
    values = {"region": "eu", "page": "Acme", "odd": " x ", "empty": "", "other": "us"}
    values["braces"] = "{{ region }}"
    names = names_in(text)
    check(text, field="body", known=names)
    assert names <= {*values, "nobody"}
    assert render(text, values, field="body") == result


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{% for x in region %}x{% endfor %}", "a loop"),
        ("{% for x in region recursive %}{{ loop(x) }}{% endfor %}", "a loop"),
        ("{% set region = 'x' %}", "{% set %}"),
        ("{% set region %}x{% endset %}", "{% set %}"),
        ("{% with region = 'x' %}x{% endwith %}", "{% with %}"),
        ("{% macro m() %}x{% endmacro %}", "a macro"),
        ("{% call region() %}x{% endcall %}", "{% call %}"),
        ("{% filter upper %}x{% endfilter %}", "{% filter %}"),
        ("{% block b %}x{% endblock %}", "{% block %}"),
        ("{% extends 'a' %}", "{% extends %}"),
        ("{% include 'a' %}", "{% include %}"),
        ("{% import 'a' as b %}", "{% import %}"),
        ("{% from 'a' import b %}", "{% from %}"),
        ("{% autoescape true %}x{% endautoescape %}", "{% autoescape %}"),
        ("{{ region() }}", "a call"),
        ("{{ region.upper() }}", "a call"),
        ("{{ region.__class__ }}", "a part of a value"),
        ("{{ region['x'] }}", "a part of a value"),
        ("{{ region[0] }}", "a part of a value"),
        ("{{ region[1:2] }}", "a part of a value"),
        ("{{ 'a'.format }}", "a part of a value"),
        ("{{ region is defined }}", "a test with 'is'"),
        ("{{ 'a' if region else 'b' }}", "an 'if' within a value"),
        ("{{ region ~ 'x' }}", "'~'"),
        ("{{ [region] }}", "a list outside of 'in'"),
        ("{{ region, page }}", "a list outside of 'in'"),
        ("{% if region == ['x'] %}{% endif %}", "a list outside of 'in'"),
        ("{% if region in [['x']] %}{% endif %}", "a list outside of 'in'"),
        ("{{ {'a': region} }}", "a mapping"),
        ("{{ 'a' * 1000000000 }}", "arithmetic"),
        ("{{ region + 'x' }}", "arithmetic"),
        ("{{ region - 'x' }}", "arithmetic"),
        ("{{ 1 / 0 }}", "arithmetic"),
        ("{{ 1 // 0 }}", "arithmetic"),
        ("{{ '%999999999s' % region }}", "arithmetic"),
        ("{{ 9 ** 9 ** 9 }}", "arithmetic"),
        ("{{ -1 }}", "arithmetic"),
        ("{{ +1 }}", "arithmetic"),
        ("{{ none }}", "'none'"),
        ("{{ region|default(none) }}", "'none'"),
        ("{{ 1e999 }}", "too large"),
        ("{{ 1000000000000 }}", "too large"),
        ("{{ '\\x00' }}", "control"),
        ("{{ '\\ud800' }}", "control"),
        ("{{ '\\n' }}", "control"),
        ("{% if region == 5 %}{% endif %}", "compare with a text"),
        ("{% if 5 < region %}{% endif %}", "compare with a text"),
        ("{% if region == true %}{% endif %}", "compare with a text"),
        ("{{ region|replace('', region) }}", "'replace'"),
        ("{{ region|center(1000000000) }}", "'center'"),
        ("{{ region|attr('upper') }}", "'attr'"),
        ("{{ region|map('upper') }}", "'map'"),
        ("{{ region|no_such_filter }}", "'no_such_filter'"),
        ("{{ region|trim('x') }}", "'trim' takes at most 0"),
        ("{{ region|default('x', true, 'y') }}", "'default' takes at most 2"),
        ("{{ region|default(default_value='x') }}", "'default' takes"),
        ("{{ region|default(*page) }}", "'default' takes"),
        ("{{ region|default(**page) }}", "'default' takes"),
        ("{{ region|default(page()) }}", "a call"),
    ],
)
def test_what_is_refused(text: str, named: str) -> None:
    """Whatever else Jinja knows is refused and named with its line: saved, read and rendered alike."""
    text = f"One.\n{text}"
    for attempt in (
        lambda: check(text, field="body", known={*KNOWN, "x"}),
        lambda: names_in(text),
        lambda: render(text, {"region": "eu", "page": "Acme"}, field="body"),
    ):
        with pytest.raises(Invalid) as error:
            attempt()
        assert named in refusal(error)
        assert "Line 2: " in refusal(error)


@pytest.mark.parametrize(
    "where", ["{{{{ {} }}}}", "{{{{ page|default({}) }}}}", "{{% if page == {} %}}{{% endif %}}"]
)
@pytest.mark.parametrize(
    "hidden",
    ["region()", "region.x", "'a' * 9", "(region or page.x)", "(not region.x)", "region|list"],
)
def test_nothing_hides(where: str, hidden: str) -> None:
    """What is refused is also found in arguments, conditions and branches."""
    for text in (
        where.format(hidden),
        f"{{% if page %}}{{% else %}}{where.format(hidden)}{{% endif %}}",
    ):
        with pytest.raises(Invalid):
            check(text, field="body", known=KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "{{",
        "{{ region",
        "{% if region %}",
        "{% endif %}",
        "{{ }}",
        "{% no_such_tag %}",
        "{# x",
        "{{ 'x }}",
        "{% for x %}",
        "{% raw %}x",
        "{{ region | }}",
        "{{ not }}",
        "{{ a b }}",
        "{% if %}{% endif %}",
    ],
)
def test_a_syntax_error_is_told_with_its_line(text: str) -> None:
    """What cannot be read is refused when it is saved, with the line."""
    with pytest.raises(Invalid) as error:
        check(f"One.\nTwo.\n{text}", field="title", known=KNOWN)
    assert "Line 3: " in refusal(error, "title")


def test_a_wrong_placeholder_is_named() -> None:
    """A name that there is not is told with its line and with those that there are."""
    with pytest.raises(Invalid) as error:
        check("{{ region }}\n{{ regoin }}\n{{ worse }}", field="title", known=KNOWN)
    message = refusal(error, "title")
    assert message == "There is no placeholder 'regoin' (line 2). Known: page, region, ticket."
    for text in (
        "{% if Region %}{% endif %}",
        "{{ regoin|default('x') }}",
        "{{ range }}",
        "{{ self }}",
    ):
        with pytest.raises(Invalid) as error:
            check(text, field="title", known=KNOWN)
        assert "There is no placeholder" in refusal(error, "title")
    with pytest.raises(Invalid) as error:
        check("{{ x }}", field="title", known=())
    assert "Known: none." in refusal(error, "title")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ticket }}",
        "{% if ticket %}{% endif %}",
        "{{ ticket|upper }}",
        "{{ not ticket }}",
        "{% if ticket == 'x' %}{% endif %}",
        "{% if 'x' in ticket %}{% endif %}",
        "{{ other|default(ticket) }}",
        "{{ region and ticket }}",
    ],
)
def test_a_placeholder_without_a_value_is_named(text: str) -> None:
    """A name that has no value is an error wherever it is used, but not where it is not reached."""
    check(text, field="body", known={*KNOWN, "other"})
    with pytest.raises(Invalid) as error:
        render(text, {"region": "eu"}, field="body")
    assert refusal(error) == "There is no value for the placeholder 'ticket'."
    unreached = f"{{% if region == 'us' %}}{text}{{% endif %}}ok"
    assert render(unreached, {"region": "eu"}, field="body") == "ok"


@pytest.mark.parametrize(
    "name", ["self", "Region", "\uff53elf", "_x", "\u043a\u043b\u044e\u0447", "x" * 41]
)
def test_odd_names_have_no_value(name: str) -> None:
    """A name that nobody can declare is refused also when a text is rendered unchecked."""
    with pytest.raises(Invalid) as error:
        render(f"{{{{ {name} }}}}", {name: "x"}, field="body")
    assert "There is no placeholder" in refusal(error)


@pytest.mark.parametrize("name", ["range", "dict", "lipsum", "cycler", "joiner", "namespace"])
def test_what_jinja_brings_along_is_not_there(name: str) -> None:
    """Jinja's own functions are names without a value, also in a text that nobody checked."""
    with pytest.raises(Invalid) as error:
        render(f"{{{{ {name} }}}}", {}, field="body")
    assert refusal(error) == f"There is no value for the placeholder {name!r}."


def test_comparing_different_things() -> None:
    """A text and a number that a default brought in cannot be ordered."""
    with pytest.raises(Invalid) as error:
        render("{% if ticket|default(5) < region %}{% endif %}", {"region": "eu"}, field="body")
    assert refusal(error) == "Compares a text with something else."


def test_bounds() -> None:
    """Text, result and title are bounded; a title is one line and not empty."""
    cases: list[tuple[str, str, dict[str, str], str]] = [
        ("title", "x" * 201, {}, "At most 200 characters."),
        ("body", "x" * (MAX_CHARACTERS + 1), {}, "At most 10000 characters."),
        ("title", "{{ a }}", {"a": "x" * 201}, "Becomes longer than 200 characters."),
        ("body", "{{ a }}" * 6, {"a": "x" * 2000}, "Becomes longer than 10000 characters."),
        (
            "title",
            "{{ a }}",
            {"a": "x\r\nBcc: y"},
            "Must not have line breaks or control characters.",
        ),
        ("title", "{{ a }}", {"a": "x\u2028y"}, "Must not have line breaks or control characters."),
        ("title", "{{ a }}", {"a": " \n"}, "Becomes empty."),
        ("title", "{% if a %}x{% endif %}", {"a": ""}, "Becomes empty."),
        ("body", "{{ a }}", {"a": "\0"}, "Has a character that cannot be stored."),
        ("body", "{{ a }}", {"a": "\ud800"}, "Has a character that cannot be stored."),
        ("body", "\ud800", {}, "Has a character that cannot be stored."),
    ]
    for field, text, values, message in cases:
        with pytest.raises(Invalid) as error:
            render(text, values, field=field)
        assert refusal(error, field) == message
    assert render("{{ a }}", {"a": "x" * 200}, field="title") == "x" * 200
    assert render("{{ a }}" * 5, {"a": "x" * 2000}, field="body") == "x" * 10_000
    assert render(" {{ a }} ", {"a": " x "}, field="title") == "x"
    assert render("{{ a }}", {"a": "x\ny"}, field="body") == "x\ny"


def test_own_placeholders() -> None:
    """Names are short and plain, none is built in, and defaults are texts that can be kept."""
    check_own({"region": "eu", "ticket": None, "a1_b": "", "x" * 40: None})
    check_own({f"p{number}": None for number in range(MAX_OWN)})
    wrong: list[tuple[dict[str, str | None], str, str]] = [
        ({f"p{number}": None for number in range(MAX_OWN + 1)}, "placeholders", "At most 30"),
        ({"region": "x" * (MAX_VALUE + 1)}, "placeholders.region", "At most 2000"),
        ({"region": "\0"}, "placeholders.region", "cannot be stored"),
        *[
            ({name: None}, "placeholders", "cannot be a name")
            for name in ("", "A", "1a", "_a", "a-b")
        ],
        *[
            ({name: None}, "placeholders", "cannot be a name")
            for name in ("a b", "x" * 41, "ä", "a\n")
        ],
        *[
            ({name: None}, "placeholders", "cannot be a name")
            for name in ("true", "not", "self", "if")
        ],
        *[
            ({name: "x"}, "placeholders", "is built in")
            for kind in BUILT_IN.values()
            for name in kind
        ],
    ]
    for own, field, reason in wrong:
        with pytest.raises(Invalid) as error:
            check_own(own)
        assert reason in refusal(error, field)


@given(st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True).filter(is_name))
@settings(deadline=None)
@example("range")
@example("loop")
@example("l_0_a")
@example("environment")
@example("context")
@example("undefined")
def test_every_name_can_be_used(name: str) -> None:
    """Whatever may be declared can be filled in: no name means something else to Jinja or Python."""
    text = f"{{{{ {name} }}}}{{{{ {name}|upper }}}}{{% if {name} %}}!{{% endif %}}"
    assert names_in(text) == {name}
    assert render(text, {name: "v"}, field="body") == "vV!"


def test_words_of_python_can_be_used() -> None:
    """The same for each of Python's own words."""
    for name in filter(is_name, keyword.kwlist):
        assert render(f"{{{{ {name} }}}}", {name: "v"}, field="body") == "v"


PIECES = [
    *(
        "{{ ",
        " }}",
        "{% ",
        " %}",
        "{%- ",
        " -%}",
        "{# ",
        " #}",
        "'",
        '"',
        "\\",
        "|",
        "(",
        ")",
        "[",
        "]",
    ),
    *(
        "{",
        "}",
        ",",
        ".",
        ":",
        "=",
        "==",
        "<",
        ">",
        "!=",
        "~",
        "+",
        "-",
        "*",
        "**",
        "/",
        "%",
        "\n",
        " ",
    ),
    *("if", "elif", "else", "endif", "for", "in", "not", "and", "or", "is", "set", "macro", "call"),
    *(
        "raw",
        "endraw",
        "include",
        "block",
        "filter",
        "default",
        "upper",
        "join",
        "region",
        "ticket",
    ),
    *(
        "x",
        "5",
        "1e9",
        "9" * 50,
        "none",
        "true",
        "'a'",
        "self",
        "\0",
        "\ud800",
        "ß",
        "{{ region }}",
    ),
]


def outcome(attempt: Callable[[], Any]) -> tuple[set[str], int]:
    """The fields that were refused, none if it was fine, and the length of what came of it."""
    try:
        return set(), len(attempt() or "")
    except Invalid as error:
        return {item.field for item in error.errors}, len(str(error))


def fine_or_invalid(text: str) -> None:
    """Check and render *text* as both fields; only Invalid may come of it, and soon."""
    values = {"region": "ß" * MAX_VALUE, "page": "Acme", "ticket": "a" * MAX_VALUE}
    for field in ("title", "body"):
        begun = time.process_time()
        for attempt in (partial(check, known=KNOWN), partial(render, values=values)):
            refused, length = outcome(partial(attempt, text, field=field))
            assert refused <= {field}
            assert length <= (1000 if refused else MAX_CHARACTERS)
        assert time.process_time() - begun < 2


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
@settings(deadline=None, max_examples=400)
def test_any_text_is_fine_or_invalid(text: str) -> None:
    """Arbitrary text, and arbitrary heaps of the language's own pieces, end with a text or with Invalid."""
    fine_or_invalid(text)


@given(st.sampled_from(PIECES), st.sampled_from(PIECES), st.sampled_from(PIECES))
@settings(deadline=None, max_examples=100)
@example("{{ ", "(", "")
@example("{{ ", "not ", "region }}")
@example("{{ region", "|upper", " }}")
@example("{{ region", " and region", " }}")
@example("{{ region", " < region", " }}")
@example("{{ ", "9", " }}")
@example("", "{% if region %}", "")
@example("", "{{region|upper|lower|upper}}", "")
@example("", "{%if region|upper|lower in ticket%}{%endif%}", "")
@example("{%if ticket in region%}", "{%elif ticket in region|upper%}", "{%endif%}")
@example("{{ '", "\\x00", "' }}")
@example("", "{{ '", "")
@example("", "{% raw %}", "")
@example("{{ ", "1_", " }}")
@example("", "{%-          ", "")
def test_long_texts_are_quick(begin: str, again: str, end: str) -> None:
    """A text of ten thousand characters is told good or bad in well under two seconds, however it is made."""
    fine_or_invalid(begin + again * ((MAX_CHARACTERS - len(begin) - len(end)) // len(again)) + end)


def test_filters_hardly_lengthen() -> None:
    """No filter makes more than three characters of one, so that no chain of them fills the memory."""
    for name in FILTERS:
        for mark in ("ß", "ΐ", "İ", "x"):
            text = f"{{{{ region|{name} }}}}"
            assert len(render(text, {"region": mark * 100}, field="body")) <= 300


def test_deep_nesting_is_refused() -> None:
    """Conditions within conditions and chains of filters end at a depth that is no burden."""
    nested = "{% if region %}" * 15 + "x" + "{% endif %}" * 15
    assert render(nested, {"region": "eu"}, field="body") == "x"
    for text in (
        "{% if region %}" * 30 + "{% endif %}" * 30,
        "{{ region" + "|upper" * 30 + " }}",
        "{{ " + "(" * 3000 + "region" + ")" * 3000 + " }}",
    ):
        with pytest.raises(Invalid) as error:
            check(text, field="body", known=KNOWN)
        assert "ested too deeply." in refusal(error)
