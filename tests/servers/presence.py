"""What happens to a test whose server is not installed: it is skipped, unless that is forbidden.

STATUSPAGE_TEST_REQUIRE holds the names that must not be skipped, with commas between them: redis,
postgresql, mariadb, browser, nginx, node, npm (what tests/browser brings from there).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import NoReturn, TypeVar

import pytest

from .process import Absent

T = TypeVar("T")


def started(stack: ExitStack, name: str, running: Callable[[], AbstractContextManager[T]]) -> T:
    """Enter `running` on `stack`; without its program the test ends here."""
    try:
        return stack.enter_context(running())
    except Absent as error:
        reason = str(error)
    absent(name, reason)


def absent(name: str, reason: str) -> NoReturn:
    """Skip the test, or fail it where the server is required."""
    required = os.environ.get("STATUSPAGE_TEST_REQUIRE", "").split(",")
    if name in (word.strip() for word in required):
        pytest.fail(f"{name} is in STATUSPAGE_TEST_REQUIRE: {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")
