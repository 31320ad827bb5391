"""Each server starts, answers a real client, and leaves nothing running behind it."""

from __future__ import annotations

import asyncio
import os
import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import redis as redis_client
import requests
import sqlalchemy
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.servers import browser, http, mariadb, node, postgresql, redis, smtp
from tests.servers.http import Answer, Receiver, Target
from tests.servers.presence import started
from tests.servers.smtp import SmtpServer

T = TypeVar("T")


def test_redis_answers_and_comes_back_empty_after_a_crash() -> None:
    """Redis answers on its port and its socket, and a killed one starts again on the same port."""
    with leaving_no_process("redis", redis.running) as server:
        with redis_client.Redis.from_url(server.socket_url) as client:
            client.set("key", "value")
        with redis_client.Redis.from_url(server.url) as client:
            assert client.get("key") == b"value"
            server.kill()
            with pytest.raises(redis_client.ConnectionError):
                client.ping()
            server.start()
            assert client.get("key") is None
            client.set("key", "value")
            server.flushall()
            assert client.get("key") is None


@pytest.mark.parametrize(
    ("name", "running"), [("postgresql", postgresql.running), ("mariadb", mariadb.running)]
)
def test_database_server_gives_a_fresh_database_per_call(
    name: str, running: Callable[[], AbstractContextManager]
) -> None:
    """A database server makes separate databases, keeps them over a restart, and drops them."""
    with leaving_no_process(name, running) as server:
        first, second = server.create_database(), server.create_database()
        assert first != second
        query(
            first, "CREATE TABLE note (words VARCHAR(20))", "INSERT INTO note VALUES ('Grüße 🟢')"
        )
        server.restart()
        assert query(first, "SELECT words FROM note") == "Grüße 🟢"
        with pytest.raises(sqlalchemy.exc.DBAPIError):
            query(second, "SELECT words FROM note")
        server.drop_database(first)
        with pytest.raises(sqlalchemy.exc.OperationalError):
            query(first, "SELECT 1")


def test_postgresql_keeps_over_a_crash_what_was_committed() -> None:
    """With `synchronous_commit` on, rows are there again after a stop without any farewell."""
    with leaving_no_process(
        "postgresql", lambda: postgresql.running(synchronous_commit="on")
    ) as server:
        url = server.create_database()
        query(url, "CREATE TABLE note (words VARCHAR(20))", "INSERT INTO note VALUES ('kept')")
        server.crash()
        with pytest.raises(sqlalchemy.exc.OperationalError):
            query(url, "SELECT words FROM note")
        server.start()
        assert query(url, "SELECT words FROM note") == "kept"


def test_database_url_names_an_empty_database_of_each_kind(database_url: str) -> None:
    """The fixture's URL opens a database of the kind asked for, without any table."""
    engine = create_engine(database_url, poolclass=NullPool)
    assert sqlalchemy.inspect(engine).get_table_names() == []


def test_smtp_keeps_what_it_accepts(smtp: SmtpServer) -> None:
    """An accepted message is kept with the addresses of its envelope."""
    deliver(smtp, "Database is down")
    mail = smtp.wait_for(lambda mail: mail["Subject"] == "Database is down")
    assert mail.envelope_from == "status@example.org"
    assert mail.envelope_to == ("reader@example.org",)
    assert mail.get_content() == "Grüße\r\n"


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_smtp_refuses_with_the_answer_it_was_given(smtp: SmtpServer, command: str) -> None:
    """A refusal reaches the client with its code, and nothing is kept."""
    smtp.reject_with, smtp.reject_at = "451 later", command
    with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError), match="later"):
        deliver(smtp, "Database is down")
    assert smtp.messages == []


def test_target_answers_as_it_was_last_told(target: Target) -> None:
    """A path's status, body and pace change while the server runs, and its requests count."""
    url = target.set("/health", Answer(status=503, body=b"down"))
    with requests.Session() as session:
        assert session.get(url).status_code == 503
        target.set("/health", Answer(body=b"up", drip=0.05))
        began = time.monotonic()
        assert session.get(url + "?region=eu").text == "up"
        assert time.monotonic() - began >= 0.1
        target.set("/health", Answer(delay=5))
        with pytest.raises(requests.ReadTimeout):
            session.get(url, timeout=0.2)
        target.set("/health", Answer(status=204))
        assert session.get(url).content == b""
        assert session.head(target.url).headers["Content-Length"] == "2"
    assert target.count("/health") == 4
    assert target.count("/") == 1


def test_receiver_records_requests_exactly(receiver: Receiver) -> None:
    """A receiver keeps method, path, headers and bytes, and may decide its answer per request."""
    receiver.answer = lambda request: Answer(
        status=429 if len(receiver.requests) == 1 else 202, headers={"Retry-After": "7"}
    )
    with requests.Session() as session:
        first = session.post(receiver.url + "/hook?a=1", data=b"\x00{}", headers={"X-Id": "é"})
        second = session.post(receiver.url + "/hook?a=2", data=b"")
    assert (first.status_code, first.headers["Retry-After"]) == (429, "7")
    assert second.status_code == 202
    received = receiver.wait_for(lambda request: request.path == "/hook?a=1")
    assert (received.method, received.body) == ("POST", b"\x00{}")
    assert received.headers["x-id"] == "é"
    with pytest.raises(TimeoutError, match="2 came"):
        receiver.wait_for(lambda request: request.path == "/other", timeout=0.05)


@pytest.mark.parametrize("running", [http.target, http.receiver, smtp.running])
def test_a_server_in_a_thread_ends_with_a_client_still_connected(
    running: Callable[[], AbstractContextManager],
) -> None:
    """Neither a kept-alive connection nor one left hanging holds up the end or leaves a thread."""
    before = set(threading.enumerate())
    with requests.Session() as session, smtplib.SMTP(local_hostname="localhost") as mail:
        with running() as server:
            if isinstance(server, SmtpServer):
                mail.connect(server.host, server.port)
            else:
                session.get(server.url)
                hanging = threading.Thread(target=hang, args=[server], daemon=True)
                hanging.start()
                server.wait_for(lambda request: request.path == "/hang")
        mail.close()
    if not isinstance(server, SmtpServer):
        hanging.join(5)
    assert set(threading.enumerate()) == before


def test_node_serves_a_script() -> None:
    """Node.js runs a server with its arguments and is gone afterwards."""
    script = """
        const [port, word] = process.argv.slice(2);
        require('http').createServer((req, res) => res.end(word)).listen(Number(port), '127.0.0.1');
    """
    running = partial(node.running, script, "Grüße")
    with leaving_no_process("node", running) as url:
        assert requests.get(url, timeout=10).content.decode() == "Grüße"


def test_browser_shows_a_page_and_gives_the_event_loop_back(target: Target) -> None:
    """Chromium renders a page and runs its script; afterwards the thread may run a loop again."""
    body = b"<title>up</title><p id=a></p><script>a.textContent = 1 + 1</script>"
    url = target.set("/", Answer(body=body, headers={"Content-Type": "text/html"}))
    with leaving_no_process("browser", browser.running) as chromium:
        page = chromium.new_page()
        page.goto(url)
        assert page.title() == "up"
        assert page.text_content("#a") == "2"
    assert asyncio.run(asyncio.sleep(0, "free")) == "free"


@contextmanager
def leaving_no_process(name: str, running: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """Enter `running`; at the end none of the processes that it had started may be alive."""
    before = descendants()
    with ExitStack() as stack:
        server = started(stack, name, running)
        children = descendants() - before
        assert children
        yield server
        children |= descendants() - before
    deadline = time.monotonic() + 5
    while left := children & set(processes()):
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def descendants() -> set[int]:
    """The pids of the living processes below this one."""
    parents = processes()
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def processes() -> dict[int, int]:
    """Each living process's pid and its parent's; one that only waits to be reaped is dead."""
    found = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = file.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found[int(file.parent.name)] = int(parent)
    return found


def query(url: str, *statements: str) -> object:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            result = connection.execute(text(statement))
        return result.scalar() if result.returns_rows else None


def deliver(server: SmtpServer, subject: str) -> None:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"], message["To"] = "Status <status@example.org>", "reader@example.org"
    message.set_content("Grüße\n")
    with smtplib.SMTP(server.host, server.port, local_hostname="localhost") as client:
        client.send_message(message)


def hang(server: Target | Receiver) -> None:
    if isinstance(server, Target):
        server.set("/hang", Answer(hang=True))
    else:
        server.answer = Answer(hang=True)
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url + "/hang")
