"""Subscribers as CSV (RFC 4180), to be read by people, spreadsheets and the console's own import: UTF-8 without a byte
order mark, with a header line. Cells that look like a formula are :func:`~..domain.cells.defused`; a phone number is
one of them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from ..domain.cells import defused
from ..domain.subscriber_lines import COLUMNS, Line


def stream(batches: Iterable[Iterable[Line]]) -> Iterator[bytes]:
    """The document piece by piece: the header, then the whole lines of each batch."""
    yield _written([COLUMNS])
    for batch in batches:
        if lines := _written(map(_cells, batch)):
            yield lines


def _written(rows: Iterable[Iterable[str]]) -> bytes:
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _cells(line: Line) -> list[str]:
    cells = (
        line.channel,
        line.address,
        " ".join(line.services),
        line.language,
        line.state,
        " ".join(line.events),
    )
    return [defused(cell) for cell in cells]
