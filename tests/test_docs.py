"""The README says what is true: its table is the settings', its blocks run as they stand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import click
import pytest
import requests
from blinker import Signal

import flask_statuspage
from flask_statuspage import signals
from flask_statuspage.cli import statuspage_cli
from flask_statuspage.config import PREFIX, Settings
from flask_statuspage.delivery import signing
from tests.example.example import ROOT, eventually, running
from tests.servers import nursery
from tests.servers.process import free_port

README = (ROOT / "README.md").read_text(encoding="utf-8")

EXAMPLE_LINE = (
    'python3 -m venv .venv && .venv/bin/pip install --quiet -e ".[example]" '
    "&& .venv/bin/python -m example_app"
)
TEST_LINE = "python3 -m venv .venv && .venv/bin/pip install --quiet tox && .venv/bin/tox"


def test_every_setting_is_in_the_table() -> None:
    """The README's table is derived from the settings: same keys, order, defaults and words."""
    rows = re.findall(r"^\| `(STATUSPAGE_\w+)` \| (.*?) \| (.*?) \| (.*) \|$", README, re.MULTILINE)
    assert rows == [
        (
            PREFIX + item.name.upper(),
            shown(item.default),
            item.metadata["allowed"],
            item.metadata["doc"],
        )
        for item in fields(Settings)
    ]


def test_every_signal_is_in_the_readme() -> None:
    """The README lists the signals that there are, and no other."""
    there = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    section = README[README.index("| signal |") : README.index("## The flow")]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == there


def test_every_command_is_in_the_readme() -> None:
    """Each command of `flask statuspage` is named."""
    for name in statuspage_cli.list_commands(click.Context(statuspage_cli)):
        assert f"flask statuspage {name}" in README


def test_two_commands_on_a_fresh_machine() -> None:
    """The lines that set up and run the example and the tests are each one line, in their own block."""
    assert blocks("sh")[:2] == [EXAMPLE_LINE + "\n", TEST_LINE + "\n"]


def test_links_lead_to_files() -> None:
    """Every relative link of the README leads to a file."""
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_add_it_to_your_site_runs_as_it_stands(tmp_path: Path) -> None:
    """At most 15 lines make a site whose status page answers, after the commands below them."""
    code, more = blocks("python")[:2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    (tmp_path / "app.py").write_text(code)
    commands = next(block for block in blocks("sh") if "db upgrade" in block).splitlines()
    assert commands[2:] == ["flask statuspage run &", "flask run"]
    for command in commands[:2]:
        said = flask(tmp_path, *command.split()[1:])
    key = said.strip()

    with running_command(tmp_path, "statuspage", "run"):
        port = free_port()
        url = f"http://127.0.0.1:{port}/status"
        with running_command(tmp_path, "run", "--port", str(port)), requests.Session() as client:
            assert "All systems operational" in eventually(lambda: text_of(client, f"{url}/"))
            client.headers["Authorization-Token"] = key
            made = client.post(f"{url}/admin/api/v1/components", json={"name": "Billing"})
            assert made.status_code == 201
            (tmp_path / "more.py").write_text(with_context(more))
            python(tmp_path, "more.py")
            summary = client.get(f"{url}/api/v2/incidents.json").json()
            assert [item["name"] for item in summary["incidents"]] == ["Payments fail"]


def test_is_genuine_verifies_what_is_sent() -> None:
    """The README's five lines accept the package's signature and nothing else."""
    namespace: dict[str, object] = {}
    exec(next(block for block in blocks("python") if "is_genuine" in block), namespace)
    is_genuine, body = namespace["is_genuine"], b'{"event":"incident.created"}'
    secret = signing.new_secret()
    signature = signing.status_signature(secret, body)
    assert is_genuine(secret, body, signature)  # type: ignore[operator]
    assert not is_genuine(secret, body + b" ", signature)  # type: ignore[operator]
    assert not is_genuine("another", body, signature)  # type: ignore[operator]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl in PATH")
def test_every_curl_example_is_accepted(tmp_path: Path) -> None:
    """Against the running example, each command of the README answers with 2xx."""
    block = next(block for block in blocks("sh") if block.startswith("API="))
    with running(tmp_path, "--embedded") as example:
        here = block.replace("http://127.0.0.1:5000", example.url)
        assert here != block
        lines = [
            line.replace("curl -s", "curl -s -w '\\n%{http_code}\\n'") for line in here.splitlines()
        ]
        done = subprocess.run(
            ["sh", "-c", "\n".join(lines)],
            env={**os.environ, "KEY": example.api_key},
            capture_output=True,
            text=True,
            check=True,
        )
        answers = re.findall(r"^(.*)\n(\d{3})$", done.stdout, re.MULTILINE)
        assert len(answers) == block.count("curl ")
        assert {code[0] for _, code in answers} == {"2"}, done.stdout
        assert json.loads(answers[4][0])["outcome"] == "up"
        assert example.stop() == 0


def shown(default: object) -> str:
    if default is None or default == ():
        return "not set"
    return f"`{','.join(map(str, default)) if isinstance(default, tuple) else default}`"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def with_context(code: str) -> str:
    """Host code as it would stand in a view of the site."""
    body = "".join(f"    {line}\n" for line in code.splitlines())
    return f"from app import app, db, statuspage\n\nwith app.app_context():\n{body}"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(flask_statuspage.__file__).parents[1])}


def python(folder: Path, *arguments: str) -> str:
    done = nursery.run(
        list(arguments), cwd=folder, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def flask(folder: Path, *arguments: str) -> str:
    return python(folder, "-m", "flask", *arguments)


class running_command:
    """`flask …` in *folder* while the block lasts; at the end it must stop by SIGTERM."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._folder = folder
        self._arguments = arguments

    def __enter__(self) -> None:
        self._child = nursery.Popen(
            ["-m", "flask", *self._arguments],
            cwd=self._folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __exit__(self, *details: object) -> None:
        self._child.terminate()
        try:
            self._child.wait(30)
        finally:
            self._child.kill()
            self._child.wait()


def text_of(client: requests.Session, url: str) -> str:
    try:
        return client.get(url, timeout=5).text
    except requests.ConnectionError:
        return ""
