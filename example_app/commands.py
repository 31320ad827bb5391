"""``flask …`` commands as child processes: exactly what an operator would type."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

STOP_SECONDS = 20
"""How long a worker may take to end what it is doing."""

FOLDER = Path(__file__).parent.parent
"""Where ``--app example_app`` is found."""


def environment(config: Mapping[str, Any]) -> dict[str, str]:
    """The environment in which ``create_app()`` finds *config*."""
    return {**os.environ, **{f"FLASK_{key}": json.dumps(value) for key, value in config.items()}}


def flask(*arguments: str, env: Mapping[str, str]) -> str:
    """Run a command to its end; returns the line that it prints.

    :raises RuntimeError: when it fails, with what it said.
    """
    print(f"$ flask {' '.join(arguments)}")
    done = subprocess.run(
        _command(*arguments),
        cwd=FOLDER,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip() or "it failed").splitlines()[-1])
    return done.stdout.strip()


@contextmanager
def running(*arguments: str, env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a command while the block lasts; enters when it has printed its first line.

    :raises RuntimeError: when it ends at once.
    """
    print(f"$ flask {' '.join(arguments)}")
    process = subprocess.Popen(
        _command(*arguments),
        cwd=FOLDER,
        env={**env, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches this process only, which then stops its children
    )
    assert process.stdout is not None
    passing_on = threading.Thread(target=_pass_on, args=(process.stdout,))
    try:
        first = process.stdout.readline()
        if not first:
            raise RuntimeError(f"flask {' '.join(arguments)} ended with {process.wait()}")
        print(f"  {first}", end="")
        passing_on.start()
        yield process
    finally:
        _stop(process)
        if passing_on.ident:
            passing_on.join()
        process.stdout.close()


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", "example_app", *arguments]


def _pass_on(lines: IO[str]) -> None:
    for line in lines:
        print(line, end="")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
