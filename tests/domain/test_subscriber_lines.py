"""Subscribers as lines of a CSV file, and cells that spreadsheets would take for formulas."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flask_statuspage.domain.cells import defused, is_formula, restored
from flask_statuspage.domain.subscriber_lines import MAX_LINES, MAX_PROBLEMS, Line, read


@given(st.text(st.sampled_from("'\"=+-@\t\r a\u2212")) | st.text())
@example("'\r")
@example('"\t')
@example("''=1")
def test_a_cell_comes_back_as_it_was(text: str) -> None:
    """Whatever a text begins with, what was put in front of it is taken off again; and it is no formula between."""
    cell = defused(text)
    assert restored(cell) == text
    assert not is_formula(text) or cell.startswith("'")


def test_a_whole_line() -> None:
    """Every column, in any order; words of lists stand between spaces, semicolons or commas."""
    text = 'State,ADDRESS,channel,events,language,services\r\nActive, a@x.example ,EMAIL,b;a,de,"api, web api"\r\n'
    assert read(text) == (
        [
            Line(
                number=2,
                channel="email",
                address="a@x.example",
                services=("api", "web"),
                language="de",
                state="active",
                events=("b", "a"),
            )
        ],
        [],
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n \n"], ids=["bare", "bom", "blank"])
def test_files_of_several_programs(separator: str, end: str, start: str) -> None:
    """Whatever separates cells and ends lines; blank lines are passed over."""
    lines = [f"channel{separator}address", f"email{separator}a@x.example", "", separator]
    found, problems = read(start + end.join([*lines, f"sms{separator}'+491"]))
    assert [(one.channel, one.address) for one in found] == [
        ("email", "a@x.example"),
        ("sms", "+491"),
    ]
    assert problems == []


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "There is nothing here."),
        ("\n\n", 1, "There is nothing here."),
        ("a@x.example\n", 1, "There is no column 'a@x.example'."),
        ("," * 1_000_000 + "a\n", 1, "Has 1000001 columns; there are 6."),
        (",".join(f"n{n}" for n in range(51)), 1, "Has 51 columns; there are 6."),
        ("a" * 100_000, 1, f"There is no column '{'a' * 40}'."),
        ("channel,address\nemail," + "," * 1_000_000 + "a", 2, "Has 1000002 cells, the header"),
        ("channel,state\n", 1, "The column 'address' is missing."),
        ("channel,address,address\n", 1, "The column 'address' stands twice."),
        ("channel,address\nemail\n", 2, "Has 1 cells, the header has 2."),
        ("channel,address\nemail,a,b\n", 2, "Has 3 cells, the header has 2."),
        ('channel,address\n"email,a\n', 2, "Is no CSV: unexpected end of data."),
        ('channel,address\n"a"b,c\n', 2, "Is no CSV"),
        ("channel,address\nemail,a\x00\n", 2, "Has a character that cannot be kept."),
        (f"channel,address\nemail,{'a' * 200_000}\n", 2, "Is no CSV: field larger"),
    ],
)
def test_what_cannot_be_read(text: str, line: int, words: str) -> None:
    """The line is named, counted from 1."""
    found, problems = read(text)
    assert found == []
    assert problems[0].line == line
    assert problems[0].words.startswith(words)


def test_problems_are_told_up_to_a_number() -> None:
    """What is wrong with a thousand lines more nobody reads; of a long header hardly anything is told."""
    _, problems = read("channel,address\n" + "email\n" * 5000)
    assert [one.line for one in problems] == list(range(2, MAX_PROBLEMS + 2))
    _, problems = read(",".join(f"n{n}" for n in range(100_000)))
    assert [one.words for one in problems] == [
        "Has 100000 columns; there are 6.",
        "The first line names the columns: channel, address, services, language, state, events.",
    ]
    _, problems = read(",".join(["channel", "address", *(f"n{n}" for n in range(48))]))
    assert len(problems) == 49


def test_lines_are_counted_where_they_begin() -> None:
    """A cell of several lines does not move those below it."""
    found, _ = read('channel,address\n"em\nail",a\nsms,b\n')
    assert [one.number for one in found] == [2, 4]


@pytest.mark.parametrize("more", [0, 1])
def test_a_file_has_so_many_lines(more: int) -> None:
    """One too many, and none is read."""
    found, problems = read("channel,address\n" + "email,a\n" * (MAX_LINES + more))
    assert len(found) == (0 if more else MAX_LINES)
    assert len(problems) == more
