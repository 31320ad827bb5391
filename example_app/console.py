"""What the example prints: one line for each thing that happens."""

from __future__ import annotations

import sys
import time


def say(who: str, what: str, *more: str) -> None:
    """Print *what* with the time and *who* it is about; *more* lines go below, indented.

    In one piece, because several threads and workers print, and flushed, because workers print to a pipe.
    """
    lines = [f"{time.strftime('%H:%M:%S')}  {who:<8} {what}", *(f"{'':19}{line}" for line in more)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
