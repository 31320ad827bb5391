"""What was sent, what was received and what was written down of it, and whether the three agree."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Engine, text

from tests.story.chaos.mischief import Disturbance
from tests.story.chaos.receivers import HEALTHY, Request, path_of

SLACK = 3.0
"""Seconds from an answer to its note in the log: so long a kill can still undo the note."""

LATE = 60.0
"""Seconds by which a delivery to a receiver that fails may be late at the end."""

FINAL = frozenset({"done", "dead", "cancelled"})

Announcement = tuple[str, str]
"""The name of an event and the id of its incident."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A receiver as the site knows it.

    :param wants: what it is to receive, all told.
    """

    subscription: str
    manner: str
    secret: str
    wants: frozenset[Announcement]


@dataclass
class Tally:
    """All that is known when the workers have stopped. Each of the checks yields what is wrong, in words."""

    members: Sequence[Member]
    requests: Sequence[Request]
    deliveries: Sequence[Any]
    attempts: Mapping[str, Sequence[Any]]
    states: Mapping[str, str]
    rests: Mapping[str, Any]
    now: float
    disturbances: Sequence[Disturbance]
    timeout: float

    def problems(self) -> list[str]:
        checks = (
            self._strangers,
            self._losses,
            self._doubles,
            self._log,
            self._endings,
            self._order,
        )
        return [f"{check.__name__[1:]}: {problem}" for check in checks for problem in check()]

    @property
    def doubles(self) -> int:
        """Requests that were taken beyond the first of their delivery."""
        return sum(len(taken) - 1 for taken in self._taken.values())

    @property
    def exposed(self) -> int:
        """Requests that a kill, freeze or restart met in flight or not noted yet."""
        return sum(self._was_disturbed(request) for request in self.requests)

    @property
    def lost(self) -> int:
        return sum(len(missing) for _, missing in self._missing())

    @property
    def longest_note(self) -> float:
        """Seconds from an answer until it was noted, at most, where nothing came between: SLACK must be more."""
        seconds = [0.0]
        for row in self.deliveries:
            last = (self._taken.get(str(row.id)) or [None])[-1]
            if row.state == "done" and row.attempts == len(self.attempts[str(row.id)]) and last:
                seconds.append(row.finished_at.timestamp() - (last.answered or last.arrived))
        return max(seconds)

    @property
    def logged(self) -> int:
        return sum(len(rows) for rows in self.attempts.values())

    @property
    def unlogged(self) -> int:
        """Attempts that ended with their worker: claimed, and nothing was written of them."""
        return sum(row.attempts - len(self.attempts[str(row.id)]) for row in self.deliveries)

    @cached_property
    def _by_id(self) -> dict[str, list[Request]]:
        found: dict[str, list[Request]] = defaultdict(list)
        for request in sorted(self.requests, key=lambda request: request.arrived):
            found[request.headers.get("webhook-id", "")].append(request)
        return found

    @cached_property
    def _taken(self) -> dict[str, list[Request]]:
        taken = {
            id_: [request for request in requests if request.was_taken]
            for id_, requests in self._by_id.items()
        }
        return {id_: requests for id_, requests in taken.items() if requests}

    def _was_disturbed(self, request: Request) -> bool:
        ends = (request.answered or request.arrived + self.timeout) + SLACK
        return any(
            request.arrived <= disturbance.ended and disturbance.began <= ends
            for disturbance in self.disturbances
        )

    def _strangers(self) -> Iterator[str]:
        """Each receiver gets what it wants, addressed to it and signed for it alone."""
        owners = {str(row.id): str(row.subscription_id) for row in self.deliveries}
        for request in self.requests:
            member = self.members[request.receiver]
            if (request.method, request.path) != ("POST", path_of(request.receiver)):
                yield f"{request.method} {request.path} reached receiver {request.receiver}"
            elif owners.get(request.id) != member.subscription:
                yield f"receiver {request.receiver} got delivery {request.id} of another"
            elif not _is_signed(request, member.secret):
                yield f"receiver {request.receiver} got {request.id} without its own signature"
            elif announcement_of(request) not in member.wants:
                yield f"receiver {request.receiver} did not want {announcement_of(request)}"

    def _losses(self) -> Iterator[str]:
        for place, missing in self._missing():
            yield f"receiver {place} ({self.members[place].manner}) never got {sorted(missing)}"

    def _missing(self) -> Iterator[tuple[int, set[Announcement]]]:
        got: dict[int, set[Announcement]] = defaultdict(set)
        for requests in self._taken.values():
            got[requests[0].receiver].add(announcement_of(requests[0]))
        for place, member in enumerate(self.members):
            if member.manner in HEALTHY and (missing := member.wants - got[place]):
                yield place, missing

    def _doubles(self) -> Iterator[str]:
        """One event reaches a receiver under one id and with one body, twice only if the first was disturbed."""
        ids: dict[tuple[int, Announcement], str] = {}
        for id_, requests in self._by_id.items():
            if len({request.body for request in requests}) > 1:
                yield f"{id_} came with different bodies"
            key = requests[0].receiver, announcement_of(requests[0])
            if ids.setdefault(key, id_) != id_:
                yield f"receiver {key[0]} got {key[1]} under two ids"
        for id_, taken in self._taken.items():
            for first in taken[:-1]:
                if not self._was_disturbed(first):
                    yield f"{id_} was sent again without a reason"

    def _log(self) -> Iterator[str]:
        """The log tells what was received, but for what ended with its worker."""
        for row in self.deliveries:
            id_, logged = str(row.id), self.attempts[str(row.id)]
            received = self._by_id.get(id_, [])
            answered = [attempt for attempt in logged if attempt.code is not None]
            if len({attempt.number for attempt in logged}) < len(logged):
                yield f"{id_} has two attempts of one number"
            if not len(answered) <= len(received) <= row.attempts:
                yield f"{id_}: {len(answered)} answers noted, {len(received)} received, {row.attempts} claimed"
            if row.attempts == len(logged) != len(received):
                yield f"{id_}: {len(logged)} logged, {len(received)} received, and nothing had died"
            if len(received) - len(logged) > sum(map(self._was_disturbed, received)):
                yield f"{id_}: {len(logged)} logged, {len(received)} received, too few were disturbed"
            done = [attempt for attempt in logged if attempt.code == 200]
            if done and done[0] is not logged[-1]:
                yield f"{id_} was tried again after a logged success"
            if row.state == "done" and received[-1].arrived > row.finished_at.timestamp() + 0.01:
                yield f"{id_} was sent after it was noted as done"

    def _endings(self) -> Iterator[str]:
        """Every delivery has ended or is due again; one 410 was enough."""
        manners = {member.subscription: member.manner for member in self.members}
        for row in self.deliveries:
            manner = manners[str(row.subscription_id)]
            if manner in HEALTHY and row.state != "done":
                yield f"{row.id} to a {manner} receiver is {row.state}: {row.reason}"
            elif manner == "gone" and row.state == "pending":
                yield f"{row.id} to a receiver that is gone is pending"
            elif row.state not in FINAL and self._is_forgotten(row):
                yield f"{row.id} to a {manner} receiver is {row.state} and long due"
        for place, member in enumerate(self.members):
            if member.manner != "gone":
                continue
            got = [request for request in self.requests if request.receiver == place]
            got.sort(key=lambda request: request.arrived)
            if self.states[member.subscription] != "disabled":
                yield f"receiver {place} is gone, its subscription is not"
            heard = [request for request in got if not self._was_disturbed(request)]
            noted = heard[0].arrived + SLACK if heard else self.now
            if late := sum(request.arrived > noted for request in got):
                yield f"receiver {place} was called {late} times after its 410"

    def _is_forgotten(self, row: Any) -> bool:
        """Whether it is long due, although nobody holds it, its endpoint does not rest and nothing goes before it."""
        waits_for = (row.due_at, row.lease_until, self.rests.get(row.endpoint))
        due = max(instant.timestamp() for instant in waits_for if instant is not None)
        goes_behind = any(
            other.state not in FINAL
            and other.sequence < row.sequence
            and (other.subscription_id, other.subject_id) == (row.subscription_id, row.subject_id)
            for other in self.deliveries
        )
        return bool(due + LATE < self.now) and not goes_behind

    def _order(self) -> Iterator[str]:
        """A receiver hears that an incident is resolved after it was told of it."""
        for place, member in enumerate(self.members):
            if member.manner not in HEALTHY:
                continue
            first: dict[Announcement, float] = {}
            for taken in self._taken.values():
                if taken[0].receiver == place:
                    first[announcement_of(taken[0])] = taken[0].arrived
            for (name, incident), arrived in first.items():
                created = first.get(("incident.created", incident), arrived)
                if name == "incident.resolved" and arrived < created:
                    yield f"receiver {place} heard the end of {incident} before its beginning"


def taken(
    look: Engine,
    *,
    members: Sequence[Member],
    requests: Sequence[Request],
    disturbances: Sequence[Disturbance],
    timeout: float,
) -> Tally:
    """Read what is written in the database, beside what was received."""
    with look.connect() as connection:
        deliveries = connection.execute(text("SELECT * FROM statuspage_delivery")).all()
        attempts: dict[str, list[Any]] = defaultdict(list)
        for row in connection.execute(text("SELECT * FROM statuspage_attempt ORDER BY id")):
            attempts[str(row.delivery_id)].append(row)
        states = connection.execute(text("SELECT id, state FROM statuspage_subscription"))
        endpoints = connection.execute(text("SELECT name, rests_until FROM statuspage_endpoint"))
        now = connection.scalar(text("SELECT now()"))
        return Tally(
            members=members,
            requests=requests,
            deliveries=deliveries,
            attempts=attempts,
            states={str(row.id): row.state for row in states},
            rests={row.name: row.rests_until for row in endpoints},
            now=now.timestamp(),  # type: ignore[union-attr]
            disturbances=disturbances,
            timeout=timeout,
        )


def announcement_of(request: Request) -> Announcement:
    body = json.loads(request.body)
    return body["event"], body["incident"]["id"]


def table(rows: Mapping[str, object]) -> str:
    width = max(map(len, rows))
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows.items())


def kinds(disturbances: Collection[Disturbance]) -> str:
    counts = Counter(disturbance.kind for disturbance in disturbances)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _is_signed(request: Request, secret: str) -> bool:
    """As the two published descriptions have it, without any code of the package."""
    body, headers = request.body.encode(), request.headers
    ours = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    standard = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return (
        headers.get("x-status-signature") == ours
        and f"v1,{standard}" in headers.get("webhook-signature", "").split()
    )
