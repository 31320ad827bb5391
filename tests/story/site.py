"""A host site for whole-process tests: an app module on disk, its workers as real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from flask.testing import FlaskClient

from flask_statuspage.storage.session import current_engine
from tests import tables
from tests.servers import nursery

ROOT = Path(__file__).parents[2]
T = TypeVar("T")

APP = '''
"""The host's app: it writes down every signal that reaches it, in whatever process that is."""

import json, os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from flask_statuspage import StatusPage, signals

HERE = os.path.dirname(__file__)
db = SQLAlchemy()
# Not the package's own one: checks that another site in the process of the tests declares on that would be this site's.
statuspage = StatusPage()


def create_app():
    app = Flask(__name__)
    with open(os.path.join(HERE, "config.json")) as file:
        app.config.update(json.load(file))
    db.init_app(app)
    app.register_blueprint(statuspage, url_prefix="/status")

    def note(sender, event):
        with open(os.path.join(HERE, "signals.txt"), "a") as file:
            file.write(event.name + "\\n")

    for signal in signals.BY_EVENT.values():
        signal.connect(note, app, weak=False)
    return app
'''


class Site:
    """The host site in *folder*: its app in this process, and its commands as processes."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.folder = folder
        (folder / "site_app.py").write_text(APP)
        (folder / "config.json").write_text(json.dumps(config))
        module = self._load()
        self.app, self.statuspage = module.create_app(), module.statuspage
        tables.fill(self.app.config["SQLALCHEMY_DATABASE_URI"])
        self.client: FlaskClient = self.app.test_client()
        self.key = self.run("token", "create", "tests", "--role", "owner").strip()
        self._processes: list[subprocess.Popen[bytes]] = []

    def _load(self) -> ModuleType:
        module = ModuleType("site_app")
        module.__file__ = str(self.folder / "site_app.py")
        exec(compile(APP, module.__file__, "exec"), module.__dict__)
        return module

    def run(self, *arguments: str) -> str:
        """Run a ``flask statuspage`` command in this process and return what it prints."""
        result = self.app.test_cli_runner().invoke(args=["statuspage", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a ``flask statuspage`` command as a process of its own group."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with (self.folder / "log.txt").open("ab") as log:
            process = nursery.Popen(
                ["-m", "flask", "--app", "site_app", "statuspage", *arguments],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL a command with all its children, as a power cut would.

        By session: RQ puts each job's process in a group of its own.
        """
        self.signal(process, signal.SIGKILL)
        process.wait()

    def signal(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """Send a signal to a command and all its children."""
        for pid in session_of(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill(process)
                raise
        with self.app.app_context():
            current_engine().dispose()

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Call the manage API; any answer but 2xx fails the test."""
        response = self.client.open(
            f"/status/admin/api/v1/{path}",
            method=method,
            json=body,
            headers={"Authorization-Token": self.key},
        )
        assert 200 <= response.status_code < 300, response.text
        return response.get_json(silent=True)

    def public(self, path: str) -> Any:
        response = self.client.get(f"/status/api/v2/{path}")
        assert response.status_code == 200, response.text
        return response.get_json() if path.endswith(".json") else response.text

    def page(self) -> str:
        response = self.client.get("/status/")
        assert response.status_code == 200
        return response.text

    def signals(self) -> list[str]:
        """The events whose signals reached host code, in any process."""
        file = self.folder / "signals.txt"
        return file.read_text().split() if file.exists() else []

    def log(self) -> str:
        file = self.folder / "log.txt"
        return file.read_text(errors="replace") if file.exists() else ""

    def confirm(self, mail: str) -> None:
        """Follow the confirmation link of a mail's text, and press the button."""
        found = re.search(r"/status/confirm/\S+", mail)
        assert found is not None, mail
        assert self.client.get(found[0]).status_code == 200
        assert self.client.post(found[0]).status_code == 303


def session_of(leader: int) -> list[int]:
    """The pids of a command and all its children."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(ProcessLookupError, PermissionError):
                if os.getsid(int(entry.name)) == leader:
                    found.append(int(entry.name))
    return found


@contextmanager
def running_site(folder: Path, **config: Any) -> Iterator[Site]:
    """A migrated site whose targets may be on loopback."""
    site = Site(
        folder,
        {
            "SECRET_KEY": "a key for tests",
            "STATUSPAGE_PAGE_URL": "http://site.test/status",
            "STATUSPAGE_ALLOW_HTTP_TARGETS": True,
            "STATUSPAGE_ALLOW_PRIVATE_TARGETS": True,
            "STATUSPAGE_MIN_CHECK_INTERVAL": 1,
            **config,
        },
    )
    try:
        yield site
    except BaseException:
        print(site.log())
        raise
    finally:
        site.close()


def eventually(look: Callable[[], T], *, within: float, what: str) -> T:
    """The first true answer of *look*, asked for at most *within* seconds."""
    ends = time.monotonic() + within
    while True:
        answer = look()
        if answer:
            return answer
        assert time.monotonic() < ends, f"{what}: not within {within} s"
        time.sleep(0.1)
