"""What stands beside us: a Flask app whose views return bytes that it holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response
from flask_sqlalchemy import SQLAlchemy

from .asking import Answer


def write(path: Path, answers: dict[str, Answer]) -> None:
    """Keep *answers*, by paths with queries, for :func:`served`."""
    kept = {}
    for number, (address, answer) in enumerate(answers.items()):
        body = path.with_suffix(f".{number}")
        body.write_bytes(answer.body)
        kept[address] = {"status": answer.status, "headers": _headers(answer), "body": str(body)}
    path.write_text(json.dumps(kept))


def served(answers: str, *, in_host: bool = False) -> Flask:
    """One view for each answer in the file *answers*: status, bytes, and the headers these need.

    :param in_host: with a secret key and Flask-SQLAlchemy, for which each request of a host with sessions pays.
    """
    app = Flask("bare")
    if in_host:
        app.config.update(SECRET_KEY="a key for benchmarks", SQLALCHEMY_DATABASE_URI="sqlite://")
        SQLAlchemy().init_app(app)
    for number, (address, kept) in enumerate(json.loads(Path(answers).read_text()).items()):
        body = Path(kept["body"]).read_bytes()
        app.add_url_rule(address, f"view_{number}", _view(kept["status"], kept["headers"], body))
    return app


def _view(status: int, headers: dict[str, str], body: bytes) -> Callable[[], Any]:
    def view() -> Response:
        return Response(body, status, headers=headers)

    return view


def _headers(answer: Answer) -> dict[str, str]:
    names = ("Content-Type", "Content-Encoding")
    return {name: answer.headers[name] for name in names if name in answer.headers}
