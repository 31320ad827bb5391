"""`flask statuspage …` as an operator runs it: real processes, exit codes, one line when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from flask_statuspage.cli.doctor import CHECKS
from flask_statuspage.storage import migrate
from tests.servers import nursery
from tests.servers.http import Receiver
from tests.servers.process import free_port
from tests.servers.redis import RedisServer
from tests.servers.smtp import SmtpServer

APP = """
import json, os
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_statuspage import statuspage

db = SQLAlchemy()

def create_app():
    app = Flask(__name__)
    with open(os.path.join(os.path.dirname(__file__), "config.json")) as file:
        app.config.update(json.load(file))
    db.init_app(app)
    app.register_blueprint(statuspage, url_prefix="/status")
    return app
"""

SECONDS_TO_STOP = 8


class Shell:
    """A folder with an app in it, in which commands are run."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.folder = folder
        self.config = {
            "SECRET_KEY": "a key for tests",
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'site.db'}",
            **config,
        }
        (folder / "site_app.py").write_text(APP)
        self.configure()
        self.started: list[subprocess.Popen[str]] = []

    def configure(self, **config: Any) -> None:
        self.config.update(config)
        (self.folder / "config.json").write_text(json.dumps(self.config))

    def _options(self) -> dict[str, Any]:
        # As pytest has it: an installed package wins over the project's folder.
        path = os.pathsep.join(filter(None, sys.path))
        return {
            "cwd": self.folder,
            "env": {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "error"},
            "text": True,
            "stdin": subprocess.DEVNULL,
        }

    def _command(self, *arguments: str) -> list[str]:
        return ["-m", "flask", "--app", "site_app", "statuspage", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return nursery.run(
            self._command(*arguments), capture_output=True, timeout=60, **self._options()
        )

    def output(self, *arguments: str) -> str:
        """What a command that succeeds prints."""
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def complaint(self, *arguments: str) -> str:
        """The one line of a command that fails as it should."""
        done = self.run(*arguments)
        assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr + done.stdout
        lines = done.stderr.splitlines()
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("Error: ")
        return lines[0]

    def python(self, code: str, *arguments: str) -> str:
        """What *code* prints in a process with ``app`` in an app context, ``site_app`` and ``statuspage``."""
        lines = [
            "import sys, site_app",
            "from flask_statuspage import statuspage",
            "app = site_app.create_app()",
            "with app.app_context():",
            textwrap.indent(textwrap.dedent(code), "    "),
            "    site_app.db.session.remove()",
            "    site_app.db.engine.dispose()",
        ]
        command = ["-c", "\n".join(lines), *arguments]
        done = nursery.run(command, capture_output=True, **self._options())
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that goes on until it is stopped, and wait for its first line."""
        process = nursery.Popen(
            self._command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **self._options(),
        )
        self.started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "Stop with Ctrl-C." in line, line + process.stdout.read()
        return process

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None or group_lives(process):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def group_lives(process: subprocess.Popen[str]) -> bool:
    """Whether any process of the command's group is left."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def make_shell(tmp_path: Path) -> Iterator[Callable[..., Shell]]:
    made: list[Shell] = []

    def make(**config: Any) -> Shell:
        made.append(Shell(tmp_path, **config))
        return made[-1]

    yield make
    for shell in made:
        shell.close()


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, made by the command."""
    folder = tmp_path_factory.mktemp("migrated")
    Shell(folder).output("db", "upgrade")
    return folder / "site.db"


@pytest.fixture
def shell(make_shell: Callable[..., Shell], migrated: Path) -> Shell:
    """A folder whose app has all tables."""
    shell = make_shell()
    (shell.folder / "site.db").write_bytes(migrated.read_bytes())
    return shell


def test_a_python_that_has_imported_nothing(make_shell: Callable[..., Shell]) -> None:
    """A command starts and ends without any warning from its imports on; the others here are forked after those."""
    shell = make_shell()
    command = [sys.executable, *shell._command("db", "upgrade")]
    done = subprocess.run(command, capture_output=True, check=False, **shell._options())
    assert (done.returncode, done.stderr) == (0, "")
    assert "before: no tables" in done.stdout


def test_upgrade_and_current(make_shell: Callable[..., Shell]) -> None:
    """`db upgrade` makes the tables, a second one changes nothing, and `db current` tells the revision each time."""
    shell, head = make_shell(), migrate.head()
    assert shell.output("db", "current") == (
        f"no tables (newest is {head}: run flask statuspage db upgrade)\n"
    )
    assert "before: no tables" in shell.output("db", "upgrade")
    assert shell.output("db", "upgrade") == f"The database is at revision {head} already.\n"
    assert shell.output("db", "current") == f"{head} (newest)\n"


def test_token_create(shell: Shell) -> None:
    """`token create` prints nothing but the key, which opens the manage API, and each call makes another."""
    key = shell.output("token", "create", "deploy script", "--role", "editor").strip()
    other = shell.output("token", "create", "reading script", "--role", "viewer").strip()
    assert key.startswith("sp_")
    assert key != other
    assert len(key.split()) == 1
    code = """
        client = app.test_client()
        for key in sys.argv[1:]:
            headers = {"Authorization-Token": key}
            body = {"name": "API"}
            print(client.post("/status/admin/api/v1/components", json=body, headers=headers).status_code)
    """
    assert shell.python(code, key, other, "sp_x").split() == ["201", "403", "401"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("x", "--role", "king"), "viewer, editor, admin, owner"),
        ((" ", "--role", "viewer"), "name"),
        (("x" * 201, "--role", "viewer"), "name"),
        (("a\nb", "--role", "owner"), "name: Must not have line breaks or control characters."),
        (("a\u202eb", "--role", "viewer"), "name: Must not have line breaks"),
        (("a\udcffb", "--role", "viewer"), "name: Has a character that cannot be stored."),
    ],
)
def test_token_create_refuses(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    """A wrong role or name is one line that says what is allowed, and makes no key."""
    assert told in shell.complaint("token", "create", *arguments)
    code = """
    from flask_statuspage.storage.team import Token
    print(site_app.db.session.query(Token).count())
    """
    assert shell.python(code).strip() == "0"


def test_members(shell: Shell) -> None:
    """Members are added, listed, given another role and removed; the last owner stays."""
    assert shell.output("member", "list") == ""
    added = shell.output("member", "add", "Ann@Acme.example", "--role", "owner")
    member, way_in = added.splitlines()
    assert member == "ann@acme.example is a member now: owner."
    assert "STATUSPAGE_BUILTIN_LOGIN" in way_in
    shell.output("member", "add", "bob@acme.example", "--role", "viewer")
    changed = shell.output("member", "add", "bob@acme.example", "--role", "admin")
    assert changed.splitlines()[0] == "bob@acme.example is admin now."
    assert shell.output("member", "list").splitlines() == [
        "owner   ann@acme.example",
        "admin   bob@acme.example",
    ]
    assert "last owner" in shell.complaint("member", "remove", "ann@acme.example")
    shell.output("member", "remove", "BOB@acme.example")
    assert shell.output("member", "list").split() == ["owner", "ann@acme.example"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "ann@acme.example", "--role", "king"), "viewer, editor, admin, owner"),
        (("add", " ", "--role", "viewer"), "identity"),
        (("add", "a\nb", "--role", "viewer"), "identity"),
        (("add", "a\u202eb", "--role", "viewer"), "identity"),
        (("add", "a\udcffb", "--role", "viewer"), "identity"),
        (("remove", "eve@acme.example"), "no member 'eve@acme.example'"),
    ],
)
def test_members_refuses(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    """What cannot be done is one line that says why."""
    assert told in shell.complaint("member", *arguments)


def test_sweep(shell: Shell, receiver: Receiver) -> None:
    """`sweep` does what is due and says how much of each, also when nothing is."""
    shell.configure(STATUSPAGE_ALLOW_PRIVATE_TARGETS=True, STATUSPAGE_ALLOW_HTTP_TARGETS=True)
    assert shell.output("sweep").split() == [
        "fan_out:",
        "0",
        "deliver:",
        "0",
        "letters:",
        "0",
        "deliver_slow:",
        "0",
        "housekeep:",
        "0",
        "forget:",
        "0",
    ]
    code = """
        statuspage.subscribe(sys.argv[1], channel="webhook")
        statuspage.open_incident("Fire")
        site_app.db.session.commit()
    """
    shell.python(code, receiver.url)
    assert "deliver: 1" in shell.output("sweep")
    assert [request.method for request in receiver.requests] == ["POST"]
    assert "deliver: 0" in shell.output("sweep")


NEEDING_TABLES = (
    ("token", "create", "x", "--role", "viewer"),
    ("member", "add", "x", "--role", "viewer"),
    ("member", "list"),
    ("sweep",),
    ("run",),
)


@pytest.mark.parametrize("command", NEEDING_TABLES, ids=" ".join)
def test_without_tables(make_shell: Callable[..., Shell], command: tuple[str, ...]) -> None:
    """Before the first migration a command ends with the line that names `flask statuspage db upgrade`."""
    assert "flask statuspage db upgrade" in make_shell().complaint(*command)


def test_workers_without_tables(
    make_shell: Callable[..., Shell], redis_server: RedisServer
) -> None:
    """Worker and scheduler check the tables before they begin."""
    shell = make_shell(STATUSPAGE_REDIS_URL=redis_server.url)
    for command in ("worker", "scheduler"):
        assert "flask statuspage db upgrade" in shell.complaint(command)


@pytest.mark.parametrize(
    "command",
    [("db", "upgrade"), ("token", "create", "x", "--role", "viewer"), ("run",)],
    ids=" ".join,
)
def test_without_a_database(make_shell: Callable[..., Shell], command: tuple[str, ...]) -> None:
    """A database that cannot be reached is one line, without its password."""
    url = f"postgresql+psycopg://user:hush@127.0.0.1:{free_port()}/none"
    line = make_shell(SQLALCHEMY_DATABASE_URI=url).complaint(*command)
    assert "database" in line
    assert "hush" not in line


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("STATUSPAGE_TIME_ZONE", "Mars/Olympus", "IANA time zone"),
        ("STATUSPAGE_REDISURL", "redis://x", "did you mean STATUSPAGE_REDIS_URL"),
        ("STATUSPAGE_REDIS_URL", "http://x", "redis://"),
    ],
)
def test_wrong_setting(make_shell: Callable[..., Shell], key: str, value: str, told: str) -> None:
    """An app that does not load for a wrong setting says which one and what is allowed."""
    line = make_shell(**{key: value}).complaint("db", "current")
    assert key in line
    assert told in line


@pytest.mark.parametrize("command", ["worker", "scheduler"])
def test_without_redis_url(shell: Shell, command: str) -> None:
    """Worker and scheduler need Redis and name the setting and the command that does not."""
    line = shell.complaint(command)
    assert "STATUSPAGE_REDIS_URL" in line
    assert "flask statuspage run" in line


def test_without_redis(shell: Shell) -> None:
    """A Redis that does not answer ends the worker with one line, without its password."""
    shell.configure(STATUSPAGE_REDIS_URL=f"redis://user:hush@127.0.0.1:{free_port()}/0")
    line = shell.complaint("worker")
    assert "Redis cannot be reached" in line
    assert "hush" not in line


def failed(shell: Shell) -> dict[str, str]:
    """The checks of `doctor` that fail, with what they say."""
    done = shell.run("doctor")
    assert "Traceback" not in done.stdout + done.stderr
    found = {
        line.split()[1].rstrip(":"): line
        for line in done.stdout.splitlines()
        if line.startswith("  FAIL")
    }
    if not found:
        assert done.returncode == 0
        assert done.stderr == ""
        assert done.stdout.endswith("All well.\n")
    else:
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith(f"Error: {len(found)} of {len(CHECKS)} checks failed: ")
    return found


def test_doctor_finds_the_faults(make_shell: Callable[..., Shell]) -> None:
    """`doctor` names every fault with its remedy and ends with code 1."""
    shell = make_shell(SECRET_KEY="")
    found = failed(shell)
    assert set(found) == {"migrations", "keys", "public"}
    assert "flask statuspage db upgrade" in found["migrations"]
    assert "SECRET_KEY" in found["keys"]
    shell.configure(
        SECRET_KEY="k",
        STATUSPAGE_PAGE_URL="https://status.example.com",
        STATUSPAGE_SMTP_URL=f"smtp://127.0.0.1:{free_port()}",
        STATUSPAGE_EMAIL_FROM="status@example.com",
        STATUSPAGE_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
    )
    shell.output("db", "upgrade")
    found = failed(shell)
    assert set(found) == {"redis", "workers", "mail"}
    assert "start 'flask statuspage scheduler' and 'flask statuspage worker'" in found["workers"]
    shell.configure(
        SQLALCHEMY_DATABASE_URI=f"postgresql+psycopg://user:hush@127.0.0.1:{free_port()}/none",
    )
    done = shell.run("doctor")
    assert done.returncode == 1
    assert "FAIL database" in done.stdout
    assert "hush" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1


def until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.2)


def stopped(process: subprocess.Popen[str], number: signal.Signals, *, group: bool) -> str:
    """Stop a command and check that it goes quickly, with code 0, and leaves no process; what it printed."""
    if group:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    output, _ = process.communicate(timeout=SECONDS_TO_STOP)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert not group_lives(process)
    return output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_works_and_stops(shell: Shell, smtp: SmtpServer, number: signal.Signals) -> None:
    """`run` satisfies `doctor`, and stops cleanly on SIGTERM and on Ctrl-C."""
    shell.configure(
        STATUSPAGE_PAGE_URL="https://status.example.com",
        STATUSPAGE_SMTP_URL=f"smtp://{smtp.host}:{smtp.port}",
        STATUSPAGE_EMAIL_FROM="status@example.com",
    )
    process = shell.start("run")
    until(lambda: not failed(shell))
    stopped(process, number, group=number == signal.SIGINT)
    if number == signal.SIGTERM:
        assert set(failed(shell)) == {"workers"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_and_scheduler_stop(
    shell: Shell, redis_server: RedisServer, number: signal.Signals
) -> None:
    """With Redis a worker and a scheduler satisfy `doctor`; both stop cleanly, with all their children."""
    redis_server.start()
    redis_server.flushall()
    shell.configure(
        STATUSPAGE_PAGE_URL="https://status.example.com",
        STATUSPAGE_REDIS_URL=redis_server.url,
        STATUSPAGE_REGIONS="default,mars",
    )
    worker = shell.start("worker")
    scheduler = shell.start("scheduler")
    until(lambda: not failed(shell))
    code = """
        from flask_statuspage.services import monitors, pages
        session = site_app.db.session
        for name, region in (("Here", "default"), ("There", "mars")):
            monitors.create(session, pages.find(session, None), name=name, kind="heartbeat", regions=[region])
        session.execute(__import__("sqlalchemy").text(
            "UPDATE statuspage_region SET due_at = '2999-01-01 00:00:00.000000'"
        ))
        session.commit()
    """
    shell.python(code)
    assert "no worker was seen for region mars" in shell.run("doctor").stdout
    for process in (scheduler, worker):
        stopped(process, number, group=number == signal.SIGINT)


def test_worker_knows_its_queues(shell: Shell, redis_server: RedisServer) -> None:
    """A name that no work waits under is refused, and the right ones are listed."""
    redis_server.start()
    shell.configure(STATUSPAGE_REDIS_URL=redis_server.url)
    told = shell.complaint("worker", "--queue", "statuspage-delivery")
    assert "There is no queue 'statuspage-delivery'" in told
    assert "statuspage-deliver-slow" in told


def test_worker_says_its_queues(shell: Shell, redis_server: RedisServer) -> None:
    """A worker for one region takes that region's probes only, and says so."""
    redis_server.start()
    redis_server.flushall()
    shell.configure(STATUSPAGE_REDIS_URL=redis_server.url, STATUSPAGE_REGIONS="default,eu")
    assert "STATUSPAGE_REGIONS names default, eu" in shell.complaint("worker", "--region", "ue")
    process = nursery.Popen(
        shell._command("worker", "--region", "eu"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        **shell._options(),
    )
    shell.started.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "Working on statuspage-probe-eu. Stop with Ctrl-C.\n"
    with Redis.from_url(redis_server.url) as client:
        until(lambda: client.exists("rq:workers:statuspage-probe-eu") == 1)
    time.sleep(0.5)
    stopped(process, signal.SIGTERM, group=False)
