"""Redirects that an http monitor follows: how far, with what, and where not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from flask_statuspage.domain.verdict import Verdict
from flask_statuspage.outgoing import AddressPolicy, Client, IPAddress
from tests.probing.asking_http import ask
from tests.servers import http
from tests.servers.dns import Records, running
from tests.servers.http import Answer, Target

SECRETS: dict[str, Any] = {
    "auth": {"type": "bearer", "token": "hunter2"},
    "headers": {"Cookie": "a=hunter2", "X-Who": "hunter2", "X-Requested-With": "me"},
}


@pytest.fixture
def other() -> Iterator[Target]:
    with http.target() as site:
        yield site


def to(location: str, status: int = 302, **more: Any) -> Answer:
    return Answer(status=status, headers={"Location": location}, **more)


def test_no_redirect_is_followed_unless_told(target: Target) -> None:
    """A redirect is an answer of its own, and none that is expected."""
    url = target.set("/old", to("/new"))
    found = ask(url)
    assert (found.outcome, found.code, found.error) == (Verdict.DOWN, 302, "Answered 302")
    assert target.count("/new") == 0


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/new", "/new"),
        ("new?a=1", "/deep/new?a=1"),
        ("../new#part", "/new"),
        ("//127.0.0.1:{port}/new", "/new"),
        ("/n w/gr\u00fc\u00dfe", "/n%20w/gr%FC%DFe"),
        ("/already%20there", "/already%20there"),
    ],
)
def test_a_redirect_is_followed(target: Target, location: str, path: str) -> None:
    """Relative or not, without its fragment, and in characters that can be sent; the last answer counts."""
    url = target.set("/deep/old", to(location.format(port=target.port)))
    target.set(path.partition("?")[0], Answer(status=203))
    found = ask(url, follow_redirects=True)
    assert (found.outcome, found.code) == (Verdict.UP, 203)
    assert target.requests[1].path == path


def test_the_last_answer_decides(target: Target) -> None:
    """Its status and its body are what the monitor's conditions are about."""
    url = target.set("/old", to("/new", body=b"moved"))
    target.set("/new", Answer(status=404, body=b"gone"))
    assert ask(url, follow_redirects=True).error == "Answered 404"
    found = ask(url, follow_redirects=True, expected_status=404, keyword="gone")
    assert (found.outcome, found.code) == (Verdict.UP, 404)
    assert ask(url, follow_redirects=True, expected_status=404, keyword="moved").error


def test_five_redirects_are_followed_and_no_more(target: Target) -> None:
    """A sixth one is too many, and is not asked for."""
    for number in range(6):
        target.set(f"/{number}", to(f"/{number + 1}"))
    assert ask(target.url + "/1", follow_redirects=True).outcome is Verdict.UP
    target.clear()
    found = ask(target.url + "/0", follow_redirects=True)
    assert (found.outcome, found.code, found.error) == (Verdict.DOWN, 302, "Too many redirects")
    assert [request.path for request in target.requests] == [f"/{number}" for number in range(6)]


@pytest.mark.parametrize("ring", [["/a"], ["/a", "/b"], ["/a", "/b", "/c"]])
def test_a_circle_is_noticed(target: Target, ring: list[str]) -> None:
    """No page of it is asked for twice."""
    for here, there in zip(ring, [*ring[1:], ring[0]], strict=True):
        target.set(here, to(there))
    found = ask(target.url + "/a", follow_redirects=True)
    assert (found.outcome, found.error) == (Verdict.DOWN, "The redirects go in a circle")
    assert [request.path for request in target.requests] == ring


@pytest.mark.parametrize(
    ("status", "method", "after"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (301, "PUT", "PUT"),
        (302, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "PATCH", "PATCH"),
    ],
)
def test_methods_change_as_in_browsers(
    target: Target, status: int, method: str, after: str
) -> None:
    """What becomes a GET has no body any more, and no header about one (Fetch, 4.4)."""
    url = target.set("/old", to("/new", status))
    body = None if method == "HEAD" else "x"
    ask(
        url,
        follow_redirects=True,
        method=method,
        body=body,
        headers={"Content-Type": "text/plain", "X-Who": "me"},
    )
    second = target.requests[1]
    kept = after == method and body is not None
    assert (second.method, second.body) == (after, b"x" if kept else b"")
    assert ("Content-Type" in second.headers) is (after == method)
    assert second.headers["X-Who"] == "me"


def test_secrets_stay_with_their_origin(target: Target, other: Target) -> None:
    """Within the site they go along; another host or port gets none, and they do not come back with it."""
    target.set("/old", to("/within"))
    target.set("/within", to(other.url + "/there"))
    other.set("/there", to(target.url + "/back"))
    found = ask(target.url + "/old", follow_redirects=True, **SECRETS)
    assert found.outcome is Verdict.UP
    old, within, back = target.requests
    (there,) = other.requests
    for request in (old, within):
        assert request.headers["Authorization"] == "Bearer hunter2"
        assert request.headers["Cookie"] == "a=hunter2"
        assert request.headers["X-Who"] == "hunter2"
    for request in (there, back):
        assert "hunter2" not in str(request)
        assert request.headers["X-Requested-With"] == "me"


@pytest.mark.parametrize(("status", "method"), [(301, "PUT"), (307, "POST"), (308, "PATCH")])
def test_a_body_stays_with_its_origin(
    target: Target, other: Target, status: int, method: str
) -> None:
    """It may hold a secret: where the redirect leads to another host or port, it and what is said of it stay behind."""
    target.set("/old", to("/within", status))
    target.set("/within", to(other.url + "/there", status))
    other.set("/there", to(target.url + "/back", status))
    headers = {"Content-Type": "text/plain", "Accept": "text/html"}
    url = target.url + "/old"
    ask(url, follow_redirects=True, method=method, body="hunter2", headers=headers)
    old, within, back = target.requests
    (there,) = other.requests
    assert (old.body, within.body) == (b"hunter2", b"hunter2")
    for request in (there, back):
        assert (request.method, request.body) == (method, b"")
        assert "Content-Type" not in request.headers
        assert request.headers["Accept"] == "text/html"


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://user:pw@127.0.0.1/",
        "http://[::1",
        "http://127.1/",
        "http://\u00e9xample.com/",
    ],
)
def test_every_address_on_the_way_is_vetted(target: Target, location: str) -> None:
    """What may not be called, or is none, ends the check with words that do not name it."""
    url = target.set("/old", to(location))
    found = ask(url, follow_redirects=True)
    error = "It redirects to an address that may not be called"
    assert (found.outcome, found.error) == (Verdict.DOWN, error)


class OnlyThisOne(AddressPolicy):
    """Loopback has no public address to begin at: one address stands for them."""

    def permits(self, ip: IPAddress) -> bool:
        return str(ip) == "127.0.0.1"


@pytest.mark.parametrize("host", ["127.0.0.2", "10.0.0.1", "[::1]", "inside.example.com"])
def test_a_public_site_cannot_lead_inside(target: Target, host: str) -> None:
    """Neither to a private address nor to a name that leads to one."""
    url = target.set("/old", to(f"http://{host}:{target.port}/new"))
    with running() as names:
        names.set("inside.example.com", Records(addresses=["10.0.0.1"]))
        policy = OnlyThisOne(allow_http=True, allow_private=True)
        with Client(policy, resolver=names.resolver) as client:
            found = ask(url, client=client, follow_redirects=True)
    assert found.error == "It redirects to an address that may not be called"
    assert target.count("/new") == 0


def test_one_deadline_for_all(target: Target) -> None:
    """Each redirect has only what the ones before it left, and the time is that of all together."""
    for number in range(4):
        target.set(f"/{number}", to(f"/{number + 1}", delay=0.15))
    started = time.monotonic()
    found = ask(target.url + "/0", follow_redirects=True, timeout=0.4)
    assert time.monotonic() - started < 4
    assert (found.outcome, found.error) == (Verdict.DOWN, "No answer in time")
    assert (found.milliseconds or 0) >= 395
    found = ask(target.url + "/2", follow_redirects=True, degraded_over_ms=200)
    assert (found.outcome, found.error) == (Verdict.DEGRADED, "Slower than 200 ms")


def test_a_redirect_without_a_place_is_an_answer(target: Target) -> None:
    """Nothing is followed where nothing is said, nor for a status that is no redirect."""
    assert ask(target.set("/a", Answer(status=302)), follow_redirects=True).code == 302
    for status in (300, 304):
        url = target.set("/a", to("/b", status))
        assert ask(url, follow_redirects=True, expected_status="3xx").code == status
    assert target.count("/b") == 0
