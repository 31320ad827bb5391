"""Subscribers as lines of a CSV file: what the columns are, and how such a file is read.

UTF-8, a header line, then a line for each subscriber. Commas, semicolons or tabs between the cells: the header decides,
as spreadsheets of some countries write semicolons.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO

from .cells import restored
from .markup import is_storable

COLUMNS = ("channel", "address", "services", "language", "state", "events")
"""``services`` are slugs and ``events`` names, with spaces between them; empty: all services, the usual events.
``language`` is the reader's as BCP 47 writes it; empty: the page's. ``state`` is ``active``, ``pending``, ``disabled``
or ``ended``."""

NEEDED = ("channel", "address")
"""A file may leave out the others."""

MAX_LINES = 10_000
"""Subscribers in one file."""

MAX_PROBLEMS = 200
"""So many are told; whoever reads a file, or goes on with its lines, stops there."""

MAX_CELLS = 50
"""Names of columns that are told one by one when they are wrong, and cells of a line that are looked at."""

_SEPARATORS = ",;\t"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One subscriber; ``number`` is where the line begins in the file, from 1."""

    number: int
    channel: str
    address: str
    services: tuple[str, ...] = ()
    language: str = ""
    state: str = ""
    events: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with one line. ``column`` is empty where it is the line itself."""

    line: int
    column: str
    words: str


def read(text: str) -> tuple[list[Line], list[Problem]]:
    """The lines of a file, and what is wrong with it; of what cannot be read at all the first thing only.

    Of more than :data:`MAX_PROBLEMS` problems the first ones, and the lines between them.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    header = next((line for line in text.split("\n") if line.strip()), "")
    separator = max(_SEPARATORS, key=header.count)
    rows = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    names: list[str] = []
    lines: list[Line] = []
    problems: list[Problem] = []
    last = 0
    try:
        for row in rows:
            number, last = last + 1, rows.line_num
            if len(problems) >= MAX_PROBLEMS:
                break
            is_long = len(row) > MAX_CELLS
            cells = row if is_long else [restored(cell).strip() for cell in row]
            if not any(map(str.strip, cells)):
                continue
            if not names and is_long:
                names = row
                words = f"Has {len(row)} columns; there are {len(COLUMNS)}."
                problems += [Problem(line=number, column="", words=words), _naming(number)]
                break
            if not names:
                names = [cell.lower() for cell in cells]
                if problems := _wrong_names(names, number):
                    break
            elif len(lines) + len(problems) >= MAX_LINES:
                words = f"At most {MAX_LINES} subscribers at once; here are more."
                return [], [Problem(line=number, column="", words=words)]
            elif len(cells) != len(names):
                words = f"Has {len(cells)} cells, the header has {len(names)}."
                problems.append(Problem(line=number, column="", words=words))
            else:
                wrong = [n for n, cell in zip(names, cells, strict=True) if not is_storable(cell)]
                problems += [
                    Problem(line=number, column=name, words="Has a character that cannot be kept.")
                    for name in wrong
                ]
                if not wrong:
                    lines.append(_line(number, dict(zip(names, cells, strict=True))))
    except csv.Error as error:
        problems.append(Problem(line=last + 1, column="", words=f"Is no CSV: {error}."))
    if not names:
        problems.append(Problem(line=1, column="", words="There is nothing here."))
    return lines, problems


def _wrong_names(names: list[str], number: int) -> list[Problem]:
    found = [f"There is no column {name[:40]!r}." for name in names if name not in COLUMNS]
    found += [f"The column {name!r} is missing." for name in NEEDED if name not in names]
    found += [f"The column {name!r} stands twice." for name in COLUMNS if names.count(name) > 1]
    told = [Problem(line=number, column="", words=words) for words in found]
    return [*told, _naming(number)] if found else []


def _naming(number: int) -> Problem:
    words = f"The first line names the columns: {', '.join(COLUMNS)}."
    return Problem(line=number, column="", words=words)


def _line(number: int, cells: dict[str, str]) -> Line:
    return Line(
        number=number,
        channel=cells["channel"].lower(),
        address=cells["address"],
        services=_words(cells.get("services", "")),
        language=cells.get("language", ""),
        state=cells.get("state", "").lower(),
        events=_words(cells.get("events", "")),
    )


def _words(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cell.replace(";", " ").replace(",", " ").split()))
