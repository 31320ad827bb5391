"""`flask statuspage apply` and `dump` as an operator runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import nursery

from .test_commands import Shell

SITE = """
[[pages]]
slug = "main"
name = "Zürich ☂"

[[pages.groups]]
name = "Core"

[[pages.components]]
slug = "api"
name = "API"
description = '''
Two lines
with "quotes"'''
group = "Core"

[[pages.monitors]]
slug = "api"
name = "API"
component = "api"
target = "https://1.1.1.1/health"
interval = 60

[pages.monitors.options]
method = "HEAD"

[[pages.templates]]
kind = "incident"
name = "Down"
title = "{{ component }} is down"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    shell.output("db", "upgrade")
    yield shell
    shell.close()


def apply(shell: Shell, text: str, *options: str) -> list[str]:
    """What `apply` prints for a file with *text*."""
    (shell.folder / "site.toml").write_text(text, encoding="utf-8")
    return shell.output("apply", "site.toml", *options).splitlines()


def refused(shell: Shell, text: str | bytes, *options: str) -> list[str]:
    """What `apply` complains about."""
    data = text if isinstance(text, bytes) else text.encode()
    (shell.folder / "site.toml").write_bytes(data)
    done = shell.run("apply", "site.toml", *options)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: ")
    return done.stderr.removeprefix("Error: ").splitlines()


def test_a_site_is_made_changed_and_pruned(shell: Shell) -> None:
    """One line for each change and one with the counts; a dry run prints the same and changes nothing.

    Options may hold credentials: their values are not printed.
    """
    made = [
        '~ page main: name nothing → "Zürich ☂"',
        "+ group main/Core",
        "+ component main/api",
        "+ template main/incident/Down",
        "+ monitor main/api",
    ]
    empty = shell.output("dump")
    dry = "4 created, 1 changed, 0 removed (dry run: nothing was written)."
    assert apply(shell, SITE, "--dry-run") == [*made, dry]
    assert shell.output("dump") == empty
    assert apply(shell, SITE) == [*made, "4 created, 1 changed, 0 removed."]
    assert apply(shell, SITE) == ["Nothing to change."]

    text = SITE.replace("interval = 60", "interval = 30").replace('"HEAD"', '"GET"')
    text = text[: text.index("[[pages.templates]]")].replace("Two lines", "Two other lines" * 9)
    changed = apply(shell, text)
    assert changed[0].startswith('~ component main/api: description "Two lines\\nwith ')
    assert max(map(len, changed)) < 200
    assert changed[1:] == [
        "~ monitor main/api: interval 60 → 30, options.method changes",
        "0 created, 2 changed, 0 removed.",
    ]
    pruned = ["- template main/incident/Down", "0 created, 0 changed, 1 removed."]
    assert apply(shell, text, "--prune") == pruned


def test_queries_of_targets_are_not_printed(shell: Shell) -> None:
    """They may hold keys, which must not stand in the log of a pipeline."""
    old = SITE.replace("/health", "/health?key=old-secret")
    apply(shell, old)
    lines = apply(shell, old.replace("old-secret", "new-secret"), "--dry-run")
    assert "secret" not in "".join(lines)
    assert "target https://1.1.1.1/health?… → https://1.1.1.1/health?…" in "".join(lines)
    (line, _) = apply(shell, old.replace("?key=old-secret", ""))
    assert line.endswith("target https://1.1.1.1/health?… → https://1.1.1.1/health")


def test_a_new_secret_is_printed_by_its_name(shell: Shell) -> None:
    """Neither the old one nor the new one, of which a dump has a mask."""
    old = SITE.replace('"HEAD"', '"HEAD"\nauth = {type = "bearer", token = "old-secret"}')
    apply(shell, old)
    (line, _) = apply(shell, old.replace("old-secret", "new-secret"))
    assert line == "~ monitor main/api: options.auth.token changes"
    dumped = shell.output("dump")
    assert "secret" not in dumped
    assert apply(shell, dumped) == ["Nothing to change."]


def test_a_dump_is_applied_to_another_site(shell: Shell, tmp_path: Path) -> None:
    """From standard output to standard input, and the other site dumps the same text."""
    apply(shell, SITE)
    text = shell.output("dump")
    for part in ("[[pages.components]]", 'name = "Zürich ☂"', 'Two lines\nwith \\"quotes\\""""'):
        assert part in text
    folder = tmp_path / "other"
    folder.mkdir()
    other = Shell(folder)
    other.output("db", "upgrade")
    options = {name: value for name, value in other._options().items() if name != "stdin"}
    done = nursery.run(other._command("apply", "-"), input=text, capture_output=True, **options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("4 created, 1 changed, 0 removed.\n")
    assert other.output("dump") == text


def test_what_is_wrong_is_a_line_each(shell: Shell) -> None:
    """Exit code 1, one line for each wrong field or for what stands in the way, and nothing is written."""
    apply(shell, SITE + '\n[[pages]]\nslug = "more"\nname = "More"\n[[pages.groups]]\nname = "G"')
    before = shell.output("dump")
    assert refused(shell, '[[pages]]\n"s\\u001b[31m\\u202e" = 1\nslug = 1') == [
        "pages[0].slug: Must be a text.",
        "pages[0].s\\x1b[31m\\u202e: There is no such key; there are slug, default, name, url, time_zone, locale, "
        "visibility, logo, colours, header, footer, groups, components, monitors, templates.",
    ]
    assert refused(shell, b"a = '\xff'") == ["TOML: Is not UTF-8 at byte 5."]
    (line,) = refused(shell, SITE.replace("https://1.1.1.1/health", "https://127.0.0.1/"))
    assert line.startswith("pages[0].monitors[0].target: The address cannot be used")
    assert refused(shell, SITE.replace('name = "API"', 'name = "Other"'), "--prune") == [
        "page more: The page 'more' still has component groups."
    ]
    assert "no-such-file" in shell.complaint("apply", "no-such-file")
    assert shell.output("dump") == before


def test_the_help_says_what_to_know(shell: Shell) -> None:
    """What is left out, what is removed, and that a dump is a secret."""
    assert "treat the output as a secret" in " ".join(shell.output("dump", "--help").split())
    said = " ".join(shell.output("apply", "--help").split())
    for promise in ("left out leaves what is there as it is", "--dry-run", "--prune"):
        assert promise in said
