"""``python -m example_app``: the portal, its status page and all that belongs to it, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask

from flask_statuspage.jobs.embedded import Runner

from . import commands, create_app, private_redis, web_server
from .console import say
from .keys import Keys
from .login import CUSTOMERS
from .models import db
from .seed import ManageApi, seed

try:
    from . import mail_catcher
except ModuleNotFoundError as error:
    sys.exit(f'{error.name} is missing. Run: python -m pip install -e ".[example]"')

SUBSCRIBER = "ada@example.com"


def main() -> int:
    options = _options()
    stopping = _until_signal()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    print("Starting Juniper, a customer portal with a status page.")
    with ExitStack() as stack:
        try:
            children = _start(stack, options)
        except RuntimeError as error:
            print(f"The example could not start: {error}", file=sys.stderr)
            return 1
        while not stopping.wait(0.5):
            for name, child in children.items():
                if child.poll() is not None:
                    say("example", f"The {name} ended by itself, so the rest ends, too.")
                    return 1
        say("example", "Stopping. A few seconds, please.")
    say("example", "Stopped. Nothing is left running.")
    return 0


def _start(stack: ExitStack, options: argparse.Namespace) -> dict[str, subprocess.Popen[str]]:
    """Start everything in turn; *stack* stops it in reverse. Returns the processes to keep an eye on."""
    data = _data_folder(stack, options.data)
    keys = Keys.of(data)
    listener = stack.enter_context(web_server.listening(options.host, options.port))
    url = web_server.url_of(listener, options.host)
    redis_url = _redis(stack, wanted=not options.embedded)
    mail_port = mail_catcher.free_port()
    config = _config(data, keys, url=url, mail_port=mail_port, redis_url=redis_url)
    env = commands.environment(config)
    app = create_app(config)

    print()
    print(f"  {commands.flask('statuspage', 'db', 'upgrade', env=env)}")
    with app.app_context():
        db.create_all()  # the portal's own tables
    if not keys.api_key:
        make = ("statuspage", "token", "create", "example", "--role", "owner")
        keys = keys.with_api_key(commands.flask(*make, env=env))
        print("  A key for the manage API, shown below.")
    for one in CUSTOMERS.values():
        if one.is_staff:
            add = ("statuspage", "member", "add", one.email, "--role", "owner")
            print(f"  {commands.flask(*add, env=env)}")

    stack.enter_context(mail_catcher.running(app.extensions["mails"], mail_port))
    stack.enter_context(web_server.serving(app, listener, options.host))
    with ManageApi(f"{url}/status/admin/api/v1", keys.api_key) as api:
        seed(api, portal_url=url, secret=keys.receiver_secret, subscriber=SUBSCRIBER)
    children = _workers(stack, app, env, on_redis=redis_url is not None)
    _print_places(url, keys.api_key)
    return children


def _config(
    data: Path, keys: Keys, *, url: str, mail_port: int, redis_url: str | None
) -> dict[str, Any]:
    """What ``create_app`` needs, here and in the child processes."""
    return {
        "SECRET_KEY": keys.secret_key,
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{data / 'portal.db'}",
        "RECEIVER_SECRET": keys.receiver_secret,
        "STATUSPAGE_PAGE_URL": f"{url}/status",
        "STATUSPAGE_REDIS_URL": redis_url,
        "STATUSPAGE_SMTP_URL": f"smtp://{mail_catcher.HOST}:{mail_port}",
        "STATUSPAGE_EMAIL_FROM": "Juniper status <status@example.com>",
        # Here monitors and webhooks stay on this machine. Leave both off on a site that others use.
        "STATUSPAGE_ALLOW_HTTP_TARGETS": True,
        "STATUSPAGE_ALLOW_PRIVATE_TARGETS": True,
        "STATUSPAGE_MIN_CHECK_INTERVAL": 1,
    }


def _data_folder(stack: ExitStack, wanted: Path | None) -> Path:
    if wanted is None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portal-")))
        print(f"Data: {folder}, removed at the end. To keep it, name a folder: --data DIR")
        return folder
    wanted.mkdir(parents=True, exist_ok=True)
    print(f"Data: {wanted.resolve()}")
    return wanted.resolve()


def _redis(stack: ExitStack, *, wanted: bool) -> str | None:
    """Start a private Redis and return its URL; None, and a word about it, where there is none."""
    program = private_redis.executable() if wanted else None
    if program is None:
        reason = "none found" if wanted else "not used"
        print(f"Redis: {reason}. Scheduler and workers run inside this process.")
        return None
    try:
        url = stack.enter_context(private_redis.running(program))
    except (RuntimeError, OSError) as error:
        print(f"Redis: {program} cannot be used ({error}).")
        print("       Scheduler and workers run inside this process instead.")
        return None
    print(f"Redis: a private one, {program}")
    return url


def _workers(
    stack: ExitStack, app: Flask, env: dict[str, str], *, on_redis: bool
) -> dict[str, subprocess.Popen[str]]:
    """Start what does the work; returns the processes, none when all happens in this one."""
    if on_redis:
        return {
            command: stack.enter_context(commands.running("statuspage", command, env=env))
            for command in ("worker", "scheduler")
        }
    runner = Runner(app)
    runner.start()
    stack.callback(runner.stop)
    return {}


def _print_places(url: str, api_key: str) -> None:
    print(f"""
  Portal          {url}/   (sign in with one click)
  Status page     {url}/status/
  Mails           {url}/mail
  Webhooks        {url}/webhooks
  Operations log  {url}/operations
  Manage API      {url}/status/admin/api/v1/
  API key         {api_key}

Sign in, press "Break billing" and watch. Ctrl-C ends everything.
""")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m example_app", description="A customer portal with a status page, all of it."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=5000, help="port of the portal (%(default)s)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep database and keys in DIR")
    parser.add_argument("--embedded", action="store_true", help="use no Redis even if there is one")
    return parser.parse_args()


def _until_signal() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopping


if __name__ == "__main__":
    sys.exit(main())
