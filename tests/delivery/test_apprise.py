"""The channel `apprise` against real targets on loopback, and what it must not reach, read, tell or be held up by."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.delivery.channels import apprise_child, channels
from flask_statuspage.delivery.channels.apprise import AppriseChannel
from flask_statuspage.delivery.channels.channel import Line
from flask_statuspage.delivery.parcel import Failure, Outcome
from flask_statuspage.domain.retry import Policy
from flask_statuspage.errors import Invalid
from tests.outgoing.peer import closed_port
from tests.servers.http import Answer, Receiver

from .facts import LOOPBACK, parcel

CHANNEL = channels["apprise"]
STRICT = Settings()
BODY = json.dumps({"title": "[Acme] API is dówn", "body": "We are *looking*.", "type": "failure"})


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    """One line for many tests, as starting Apprise takes its time."""
    with CHANNEL.open(LOOPBACK) as opened:
        yield opened


def send(line: Line, address: str, *, timeout: float = 20.0) -> Outcome:
    one = parcel(
        channel="apprise",
        format="text",
        address=address,
        body=BODY,
        secret_address=True,
        policy=Policy(timeout=timeout),
    )
    return line.send(one)


def test_a_message_arrives(line: Line, receiver: Receiver) -> None:
    """Title, text and kind reach a plain JSON receiver."""
    outcome = send(line, f"json://127.0.0.1:{receiver.port}/hook/sesame")
    assert (outcome.error, outcome.kind) == (None, None)
    (request,) = receiver.requests
    body = json.loads(request.body)
    assert (request.method, request.path) == ("POST", "/hook/sesame")
    assert (body["title"], body["type"]) == ("[Acme] API is dówn", "failure")
    assert body["message"] == "We are *looking*."


def test_gotify_takes_it(line: Line, receiver: Receiver) -> None:
    """A service with a shape and a key of its own, at a host that was typed."""
    assert send(line, f"gotify://127.0.0.1:{receiver.port}/AbCdEfGhIjKlMnO").delivered
    (request,) = receiver.requests
    assert request.path.startswith("/message")
    assert json.loads(request.body)["title"] == "[Acme] API is dówn"
    assert "AbCdEfGhIjKlMnO" in str(request.headers) + request.path


@pytest.mark.parametrize("status", [400, 404, 410, 500, 503])
def test_what_apprise_could_not_send(line: Line, receiver: Receiver, status: int) -> None:
    """It tells no more than that, so it is tried again whatever the target answered."""
    receiver.answer = Answer(status=status, body=b"sesame")
    outcome = send(line, f"json://127.0.0.1:{receiver.port}/sesame")
    assert (outcome.error, outcome.kind) == ("Apprise could not send it.", Failure.CHANNEL)
    assert (outcome.final, outcome.ends_subscription, outcome.answer) == (False, False, None)
    receiver.answer = Answer()
    assert send(line, f"json://127.0.0.1:{receiver.port}/sesame").delivered


def test_a_target_that_is_gone(line: Line) -> None:
    """Nobody listens there: a failure, in time."""
    outcome = send(line, f"json://127.0.0.1:{closed_port()}/")
    assert (outcome.delivered, outcome.kind) == (False, Failure.CHANNEL)


@pytest.mark.parametrize("answer", [Answer(hang=True), Answer(body=b"x" * 1000, drip=0.2)])
@pytest.mark.parametrize("query", ["", "?rto=60&cto=60", "?retry=5"])
def test_a_target_that_hangs(line: Line, receiver: Receiver, answer: Answer, query: str) -> None:
    """It costs the policy's timeout, whatever the address asks for, and the next message is sent."""
    receiver.answer = answer
    address = f"json://127.0.0.1:{receiver.port}/{query}"
    started = time.monotonic()
    outcome = send(line, address, timeout=4.0)
    assert time.monotonic() - started < 9
    assert (outcome.error, outcome.kind) == (
        "The endpoint did not answer in time.",
        Failure.TIMEOUT,
    )
    assert len(receiver.requests) == 1
    receiver.answer = Answer()
    assert send(line, address).delivered


def test_two_lines_do_not_wait_for_each_other(receiver: Receiver) -> None:
    """While one target hangs, another one is served."""
    receiver.answer = lambda request: Answer(hang=request.path == "/hangs")
    with CHANNEL.open(LOOPBACK) as first, CHANNEL.open(LOOPBACK) as second:
        address = f"json://127.0.0.1:{receiver.port}"
        waiting = threading.Thread(
            target=send, args=(first, f"{address}/hangs"), kwargs={"timeout": 8.0}
        )
        waiting.start()
        receiver.wait_for(lambda request: request.path == "/hangs")
        assert send(second, f"{address}/fine").delivered
        assert waiting.is_alive()
        waiting.join()


def test_a_process_serves_many_messages_and_ends_with_the_last_line(receiver: Receiver) -> None:
    """Starting Apprise for each message would be waste; leaving it behind would be worse."""
    channel = AppriseChannel()
    with ExitStack() as stack:
        lines = [stack.enter_context(channel.open(LOOPBACK)) for _ in range(2)]
        seen = set()
        for _ in range(2):
            for one in lines:
                assert send(one, f"json://127.0.0.1:{receiver.port}/").delivered
                seen |= {child._process.pid for child in channel._children._idle}
        (pid,) = seen
        (child,) = channel._children._idle
        assert child._process.poll() is None
    assert child._process.poll() is not None
    assert not Path(f"/proc/{pid}").exists()


def test_a_process_that_died_is_replaced(receiver: Receiver) -> None:
    """Whoever kills it costs one attempt."""
    channel = AppriseChannel()
    with channel.open(LOOPBACK) as one:
        address = f"json://127.0.0.1:{receiver.port}/"
        assert send(one, address).delivered
        (child,) = channel._children._idle
        child._process.kill()
        child._process.wait()
        outcome = send(one, address)
        assert (outcome.error, outcome.kind) == ("Apprise could not send it.", Failure.CHANNEL)
        assert send(one, address).delivered


# Where it must not go


@pytest.mark.parametrize("address", ["json://127.0.0.1:{port}/", "ntfy://127.0.0.1:{port}/topic"])
def test_a_private_target_is_not_called(receiver: Receiver, address: str) -> None:
    """Not even one that was saved while it was allowed."""
    with CHANNEL.open(STRICT) as one:
        outcome = send(one, address.format(port=receiver.port))
    assert (outcome.error, outcome.kind) == (
        "The endpoint could not be reached.",
        Failure.REFUSED_ADDRESS,
    )
    assert receiver.requests == []


def test_a_name_that_leads_inside_is_not_called(receiver: Receiver) -> None:
    """What counts is where the connection goes, not what the address looks like."""
    with CHANNEL.open(STRICT) as one:
        outcome = send(one, f"json://localhost:{receiver.port}/")
    assert outcome.kind is Failure.REFUSED_ADDRESS
    assert receiver.requests == []


def test_the_metadata_service_stays_closed(line: Line) -> None:
    """Also where private targets are allowed."""
    outcome = send(line, "json://169.254.169.254/latest", timeout=5.0)
    assert outcome.kind is Failure.REFUSED_ADDRESS


def test_a_redirect_is_not_followed(line: Line, receiver: Receiver) -> None:
    """Even if the address asks for it."""
    receiver.answer = Answer(status=302, headers={"Location": f"{receiver.url}/elsewhere"})
    outcome = send(line, f"json://127.0.0.1:{receiver.port}/hook?redirect=yes")
    assert not outcome.delivered
    assert [request.path for request in receiver.requests] == ["/hook"]


def test_no_proxy_and_no_netrc(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What stands in the environment of the worker leads nothing elsewhere, and stays here."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password sesame\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    with AppriseChannel().open(LOOPBACK) as one:
        assert send(one, f"json://127.0.0.1:{receiver.port}/").delivered
    assert "Authorization" not in receiver.requests[0].headers


def test_no_file_is_sent(receiver: Receiver, tmp_path: Path) -> None:
    """An address that names one is refused when it is saved and when it is sent."""
    secret = tmp_path / "secret.json"
    secret.write_text('{"text": "sesame"}')
    address = f"workflows://127.0.0.1:{receiver.port}/workflow/signature?template={secret}"
    with pytest.raises(Invalid, match="must not name a file"):
        CHANNEL.normalise(address, LOOPBACK)
    with CHANNEL.open(LOOPBACK) as one:
        outcome = send(one, address)
    assert outcome.error == "Apprise does not take the address any more."
    assert receiver.requests == []


GUARDED = """
import json, os, socket, subprocess, sys
sys.path.insert(0, {folder!r})
import apprise_child
guard = apprise_child.Guard()
sys.addaudithook(guard)
guard.allow_private = {allow_private}
results = {{}}
def attempt(name, call):
    guard.active = True
    try:
        call()
        results[name] = "done"
    except PermissionError as error:
        results[name] = "refused" if "is not allowed" in str(error) else "other"
    except OSError:
        results[name] = "done"
    finally:
        guard.active = False
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
attempt("udp", lambda: udp.sendto(b"x", ("127.0.0.1", 9)))
attempt("unix", lambda: socket.socket(socket.AF_UNIX).connect("/nowhere"))
attempt("name", lambda: socket.socket().connect(("localhost", 9)))
attempt("read", lambda: open("/etc/passwd"))
attempt("write", lambda: open({file!r}, "w"))
attempt("os.open", lambda: os.open({file!r}, os.O_CREAT | os.O_WRONLY))
attempt("remove", lambda: os.remove({file!r}))
attempt("run", lambda: subprocess.run([sys.executable, "-c", ""]))
attempt("system", lambda: os.system("true"))
attempt("own", lambda: open(os.__file__).close())
print(json.dumps(results))
"""


@pytest.mark.parametrize("allow_private", [False, True])
def test_what_the_process_may_do(tmp_path: Path, allow_private: bool) -> None:
    """Neither datagrams, sockets of this machine, names, files nor programs; Python's own files it may read."""
    folder = tmp_path / "channels" / "x"
    source = Path(apprise_child.__file__)
    folder.mkdir(parents=True)
    package = tmp_path / "outgoing"
    package.mkdir()
    ranges = source.parents[2] / "outgoing" / "ranges.py"
    (package / "ranges.py").write_text(ranges.read_text())
    (folder / "apprise_child.py").write_text(source.read_text())
    code = GUARDED.format(folder=str(folder), file=str(folder / "new"), allow_private=allow_private)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)
    here = "done" if allow_private else "refused"
    assert results == {
        "udp": here,
        "unix": here,
        "name": "refused",
        "read": "refused",
        "write": "refused",
        "os.open": "refused",
        "remove": "refused",
        "run": here,
        "system": here,
        "own": "done",
    }
    assert not (folder / "new").exists()


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nonsense",
        "nonsense://x",
        "discord://",
        "https://example.com/",
        "file:///etc/passwd",
        "discord://12\n3/abc",
        "json://" + "x" * 2100,
        "syslog://",
        "json://127.0.0.1/",
        "json://[::1]/",
        "xml://10.0.0.1/x",
        "form://localhost/x",
        "gotify://db.internal/AbCdEfGhIjKlMnO",
        "mailto://ann:secret@example.com?smtp=10.0.0.1",
        "mailto://ann:secret@127.0.0.1",
    ],
)
def test_an_address_that_cannot_be_used(address: str) -> None:
    """What Apprise does not know, what acts on this machine, what leads into our network: named, not repeated."""
    with pytest.raises(Invalid, match=r"^address: ") as caught:
        CHANNEL.normalise(address, STRICT)
    assert "secret" not in str(caught.value)
    assert "AbCd" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "slack://A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/xazOQi/#general",
        "ntfy://topic",
        "json://status.example.org:8080/x",
        "mailto://ann:secret@example.org?smtp=mail.example.org",
    ],
)
def test_an_address_that_can_be_used(address: str) -> None:
    """The cloud's services by their keys, others by the host; the case of the scheme does not matter."""
    scheme, mark, rest = address.partition("://")
    assert CHANNEL.normalise(f" {scheme.upper()}{mark}{rest} ", STRICT) == address


def test_local_services_where_private_targets_are_allowed() -> None:
    """Whoever runs the page for the own house may let it write to the own log."""
    assert CHANNEL.normalise("syslog://", LOOPBACK) == "syslog://"


def test_a_name_is_looked_up_when_it_is_saved() -> None:
    """The text is fine; where it leads is not, or nobody knows."""
    address = "json://nowhere.invalid-zone.example.org/"
    assert CHANNEL.normalise(address, STRICT) == address
    with pytest.raises(Invalid, match=r"^address: "):
        CHANNEL.vet(address, STRICT)
    CHANNEL.vet("json://127.0.0.1/", LOOPBACK)


def test_an_endpoint_tells_no_secret() -> None:
    """Only the kind of service, of the whole address as of the hidden one."""
    assert CHANNEL.endpoint("discord://4174/JHMHI8qB") == "apprise discord"
    assert CHANNEL.endpoint("discord://…") == "apprise discord"


def test_apprise_logs_no_address(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    """Neither one that is refused nor one that is sent to; what the host does with Apprise itself is logged as ever."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Invalid):
        CHANNEL.normalise("discord://opensesame", LOOPBACK)
    CHANNEL.normalise("json://ann:opensesame@127.0.0.1/", LOOPBACK)
    send(line, f"json://ann:opensesame@127.0.0.1:{closed_port()}/opensesame")
    assert "sesame" not in caplog.text
    logging.getLogger("apprise").error("the host's own")
    assert "the host's own" in caplog.text


def test_apprise_is_not_imported_before_it_is_needed() -> None:
    """A site that does not use it does not pay for it, nor does one that only asks whether it is there."""
    code = (
        "import sys; from flask_statuspage.config import Settings\n"
        "from flask_statuspage.delivery.channels import channels\n"
        "assert channels['apprise'].available(Settings()) is None\n"
        "assert 'apprise' not in sys.modules, 'imported'"
    )
    root = Path(apprise_child.__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the channel says what to install."""
    module = "flask_statuspage.delivery.channels.apprise.find_spec"
    monkeypatch.setattr(module, lambda name: None)
    assert CHANNEL.available(STRICT) == "install Flask-StatusPage[apprise]."
