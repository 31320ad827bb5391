"""What the environment of a process says about proxies, passwords and certificates counts for nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.certificates import Certificate

from .peer import Peer, answer_all

PROGRAM = """
import json, sys
import requests
from flask_statuspage.outgoing import AddressPolicy, Client, SendFailed

plain, secure, own_authority = sys.argv[1:]
told = []
with Client(AddressPolicy(allow_http=True, allow_private=True)) as client:
    for url, options in [(plain, {}), (plain, {}), (secure, {}), (secure, {"verify": own_authority})]:
        try:
            told.append(client.send("POST", url, body=b"{}", timeout=5, **options).status)
        except SendFailed as failure:
            told.append(failure.kind)
json.dump(told, sys.stdout)
"""

BARE = """
import json, sys
import requests

plain, secure, own_authority = sys.argv[1:]
told = []
for url in (plain, plain, secure):
    try:
        told.append(requests.post(url, data=b"{}", timeout=1).status_code)
    except requests.RequestException as error:
        told.append(type(error).__name__)
json.dump(told, sys.stdout)
"""

COOKIE = b"HTTP/1.1 200 OK\r\nSet-Cookie: session=1; Path=/\r\nContent-Length: 2\r\n\r\nok"


def run(program: str, *arguments: str, **environment: str) -> Any:
    """What *program* tells, run in a process of its own with this environment added."""
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    clean = {name: value for name, value in os.environ.items() if name.lower() not in proxies}
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=True,
        capture_output=True,
        timeout=60,
        env={**clean, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
    )
    return json.loads(result.stdout)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a password for this machine in it."""
    netrc = tmp_path / ".netrc"
    netrc.write_text(
        "machine 127.0.0.1 login me password secret\ndefault login me password secret\n"
    )
    netrc.chmod(0o600)
    return tmp_path


def test_proxies_are_not_used(home: Path, certificate: Certificate) -> None:
    """No proxy variable diverts a request; bare requests shows that they would."""
    with (
        Peer(answer_all()) as proxy,
        Peer(answer_all()) as plain,
        Peer(answer_all(), tls=certificate.server_context) as secure,
    ):
        names = ("http_proxy", "https_proxy", "all_proxy")
        variables = {name: f"http://127.0.0.1:{proxy.port}" for name in names}
        variables |= {name.upper(): value for name, value in variables.items()}
        variables |= {"NO_PROXY": "elsewhere.example.com", "no_proxy": "elsewhere.example.com"}
        urls = (plain.url, secure.url, certificate.path)
        assert run(PROGRAM, *urls, **variables) == [200, 200, "tls", 200]
        assert proxy.accepted == 0
        run(BARE, *urls, **variables)
        assert proxy.accepted > 0


def test_passwords_and_cookies_are_not_sent(home: Path, certificate: Certificate) -> None:
    """Neither .netrc nor a cookie of an earlier answer leaks; bare requests shows that the former would."""
    with (
        Peer(answer_all(COOKIE)) as plain,
        Peer(answer_all(COOKIE), tls=certificate.server_context) as secure,
    ):
        urls = (plain.url, secure.url, certificate.path)
        variables = {"HOME": str(home), "NETRC": str(home / ".netrc")}
        assert run(PROGRAM, *urls, **variables) == [200, 200, "tls", 200]
        ours = [*plain.requests, *secure.requests]
        assert len(ours) == 3
        for request in ours:
            assert b"authorization" not in request.lower()
            assert b"cookie" not in request.lower()
        run(BARE, *urls, **variables)
        assert b"authorization" in plain.requests[-1].lower()


def test_certificates_of_the_environment_are_not_trusted(
    home: Path, certificate: Certificate
) -> None:
    """No variable adds an authority, and none makes us write the keys of a connection down."""
    log = home / "keys.txt"
    folder = str(Path(certificate.path).parent)
    variables = {
        "REQUESTS_CA_BUNDLE": certificate.path,
        "CURL_CA_BUNDLE": certificate.path,
        "SSL_CERT_FILE": certificate.path,
        "SSL_CERT_DIR": folder,
        "SSLKEYLOGFILE": str(log),
    }
    with (
        Peer(answer_all()) as plain,
        Peer(answer_all(), tls=certificate.server_context) as secure,
    ):
        urls = (plain.url, secure.url, certificate.path)
        assert run(PROGRAM, *urls, **variables) == [200, 200, "tls", 200]
        assert keys_in(log) == []
        assert run(BARE, *urls, **variables) == [200, 200, 200]
        assert keys_in(log) != []


def keys_in(log: Path) -> list[str]:
    """The lines with keys; older requests open the log, with a comment, as soon as they are imported."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [line for line in lines if not line.startswith("#")]
