"""A private nginx that serves what a site's configuration says, on a loopback port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from . import process

FRAME = """
daemon off;
pid {directory}/nginx.pid;
error_log stderr warn;
{user}
worker_processes 1;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
{site}
}}
"""


@contextmanager
def running(site: str) -> Iterator[str]:
    """The URL of an nginx with the configuration *site*, whose ``listen 80`` becomes a free port.

    It ends without a slash.
    """
    executable = process.program("nginx", "/usr/sbin")
    if executable is None:
        raise process.Absent("no nginx in PATH or /usr/sbin")
    with process.scratch() as directory:
        port = process.free_port()
        config = directory / "nginx.conf"
        text = FRAME.format(
            directory=directory,
            # The tests' folders are for their owner only.
            user="user root;" if os.geteuid() == 0 else "",
            site=site.replace("listen 80;", f"listen 127.0.0.1:{port};"),
        )
        config.write_text(text)
        url = f"http://127.0.0.1:{port}"
        child = process.Process(
            [executable, "-c", str(config), "-p", str(directory)],
            directory=directory,
            ready=lambda: requests.get(url, timeout=5).close(),
        )
        try:
            child.start()
            yield url
        finally:
            child.stop()
