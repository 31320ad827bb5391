"""Probe a host with ICMP echo requests, as a user without privileges."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import Field

from ..config import Settings
from ..domain.verdict import Verdict
from ..outgoing import AddressPolicy, Budget, Place, look_up, own_failure, vet_host
from .extra import needed
from .findings import NO_ANSWER, WORDS, answered, failed
from .host import HostProbe
from .probe import Asker, Finding, ProbeOptions, ProbeOrder

MOST_PAUSE = 0.2
"""Seconds between two requests: the shortest time that systems let an ordinary user's ping wait."""

FORBIDDEN = "This machine does not allow pings"


class PingOptions(ProbeOptions):
    """:param count: requests of one check.

    :param max_loss: percent of them that may stay unanswered; more make the target degraded, all of them down.
    """

    count: Annotated[int, Field(strict=True, ge=1, le=10)] = 3
    max_loss: Annotated[int, Field(strict=True, ge=0, le=99)] = 0


class PingProbe(HostProbe):
    """The target is a host."""

    kind = "ping"
    Options = PingOptions

    def check_options(self, options: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
        needed("icmplib", field="kind")
        return super().check_options(options, settings)

    def read(self, target: str, policy: AddressPolicy) -> Place:
        return vet_host(target.strip(), policy)

    def spelled(self, place: Place) -> str:
        return place.host

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Asker]:
        needed("icmplib", field="kind")
        with super().open(settings) as asker:
            yield asker

    def ask(
        self, order: ProbeOrder, place: Place, policy: AddressPolicy, budget: Budget
    ) -> Finding:
        started = time.monotonic()
        count = order.options.get("count", 3)
        for family, address in look_up(place, policy, budget, resolver=self.resolver):
            try:
                times = _echoes(family, address[0], count, budget)
            except PermissionError:
                return Finding(outcome=Verdict.UNKNOWN, error=FORBIDDEN)
            except OSError as error:
                if own_failure(error):
                    raise
                continue  # no route of this family
            return judged(order, times, count, started)
        return failed(WORDS["connect"], started)


def judged(order: ProbeOrder, times: list[float], count: int, started: float) -> Finding:
    """What it means that of *count* requests so many were answered, after *times* in milliseconds."""
    if not times:
        return failed(NO_ANSWER, started)
    loss = 100 * (count - len(times)) / count
    lossy = loss > order.options.get("max_loss", 0)
    average = sum(times) / len(times)
    return answered(order, average, warning="Answers were lost" if lossy else None)


def is_allowed() -> bool:
    """Whether this process may send ICMP echo requests. Needs the extra ``probes``."""
    icmplib = needed("icmplib", field="kind")
    try:
        icmplib.ICMPv4Socket(privileged=False).close()
    except icmplib.SocketPermissionError:
        return False
    return True


def _echoes(family: socket.AddressFamily, address: str, count: int, budget: Budget) -> list[float]:
    """How long each answer took that came, in milliseconds. Waits for all of them until the deadline.

    :raises PermissionError: the system forbids it.
    :raises OSError: nothing can be sent there.
    """
    icmplib = needed("icmplib", field="kind")
    kind = icmplib.ICMPv6Socket if family == socket.AF_INET6 else icmplib.ICMPv4Socket
    pause = min(MOST_PAUSE, budget.seconds() / (2 * count))
    waiting: dict[tuple[int, int], float] = {}
    times: list[float] = []
    try:
        with kind(privileged=False) as sock:
            for sequence in range(count):
                request = icmplib.ICMPRequest(address, secrets.randbelow(1 << 16), sequence)
                sent = time.monotonic()
                sock.send(request)
                waiting[request.id, sequence] = sent
                last = sequence == count - 1
                until = budget.deadline if last else sent + pause
                times += _answers(icmplib, sock, waiting, until)
                if not last:
                    time.sleep(max(0.0, until - time.monotonic()))
    except icmplib.SocketPermissionError as error:
        raise PermissionError("the system forbids it") from error
    except icmplib.ICMPSocketError as error:
        if not waiting and not times:
            raise OSError("nothing can be sent there") from error
    return times


def _answers(
    icmplib: Any, sock: Any, waiting: dict[tuple[int, int], float], until: float
) -> Iterator[float]:
    """The times of the answers that come *until* then; each is taken out of *waiting*."""
    while waiting and (left := until - time.monotonic()) > 0:
        try:
            # Whichever comes: with a request to match icmplib may wait twice as long.
            answer = sock.receive(timeout=left)
            answer.raise_for_status()
        except icmplib.TimeoutExceeded:
            return
        except icmplib.ICMPError:
            continue
        if (sent := waiting.pop((answer.id, answer.sequence), None)) is not None:
            yield (time.monotonic() - sent) * 1000
