"""The web server of the example. For a real site take gunicorn, uWSGI or another that is made for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

TRIES = 20
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
"""Addresses that mean "all of this machine", and where to find ourselves then."""


class QuietHandler(WSGIRequestHandler):
    """Prints no line per request: the monitors ask all the time."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket on *port*, or on the next free one.

    :raises RuntimeError: when none can be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in (*range(port, min(port + TRIES, 65536)), 0):
        try:
            listener = socket.create_server((host, candidate), family=family)
        except OSError as error:
            reason = error.strerror
            continue
        with listener:
            if candidate != port:
                print(f"Port {port} is taken; using {listener.getsockname()[1]} instead.")
            yield listener
        return
    raise RuntimeError(f"no port of {host} can be listened to: {reason}")


def url_of(listener: socket.socket, host: str) -> str:
    """Where programs on this machine reach *listener*."""
    name = ANY.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}"


@contextmanager
def serving(app: Flask, listener: socket.socket, host: str) -> Iterator[None]:
    """Answer requests while the block lasts, each in a thread: a page and the monitors do not wait for each other."""
    options: dict[str, Any] = {"threaded": True, "request_handler": QuietHandler}
    server = make_server(host, listener.getsockname()[1], app, fd=listener.fileno(), **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
