"""Whatever is killed, frozen or restarted: every event reaches every receiver that can take it; the log is true."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from tests.servers import postgresql, redis
from tests.servers.presence import started
from tests.story.chaos import tally
from tests.story.chaos.mischief import Mischief
from tests.story.chaos.receivers import HEALTHY, Crowd, crowd
from tests.story.chaos.tally import Announcement, Member
from tests.story.site import Site, eventually, running_site

LEASE = 40
DRAINED_WITHIN = 150.0
TIMEOUT = 3.0
INCIDENTS = 26
PAUSE = 0.5

GUESTS = [
    *[("well", "every")] * 24,
    *[("well", "billing")] * 3,
    *[("well", "search")] * 3,
    *[("flaky", "every")] * 3,
    *[("mending", "every")] * 2,
    *[("flooding", "every")] * 2,
    *[("failing", "every")] * 2,
    *[("redirecting", "every")] * 2,
    *[("hanging", "created")] * 2,
    *[("dripping", "created")] * 2,
    *[("gone", "every")] * 2,
]
"""The manner of each receiver and what it wants to hear of."""

DELAYS = {
    "mending": [5, 10, 20, 30, 30, 30],
    "flaky": [1, 2, 4],
    "well": None,
    "flooding": None,
}
"""None: those of the format, three. An attempt that ended with its worker costs none of them."""

FEW_DELAYS = [1, 2]


@pytest.fixture
def database() -> Iterator[postgresql.PostgresqlServer]:
    """A server of its own, as it crashes, which keeps what was committed when it does."""
    with ExitStack() as stack:
        yield started(stack, "postgresql", lambda: postgresql.running(synchronous_commit="on"))


@pytest.fixture
def broker() -> Iterator[redis.RedisServer]:
    with ExitStack() as stack:
        yield started(stack, "redis", redis.running)


def test_nothing_is_lost_whatever_dies(
    tmp_path: Path,
    database: postgresql.PostgresqlServer,
    broker: redis.RedisServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of 2,000 deliveries under kills, a freeze and restarts none is lost, doubled without a reason or misdirected."""
    began = time.monotonic()
    url = database.create_database()
    with ExitStack() as stack:
        guests = stack.enter_context(crowd([manner for manner, _ in GUESTS]))
        site = stack.enter_context(
            running_site(
                tmp_path,
                SQLALCHEMY_DATABASE_URI=url,
                STATUSPAGE_REDIS_URL=broker.url,
                STATUSPAGE_LEASE_SECONDS=LEASE,
            )
        )
        look = create_engine(url, poolclass=NullPool)
        members = _subscribe(site, guests)
        mischief = Mischief(
            site,
            guests,
            database=database,
            redis=broker,
            look=look,
            steady=[member.subscription for member in members if member.manner == "well"],
        )
        stack.callback(mischief.end)
        announced = _announce(site, mischief, guests)
        eventually(mischief.thaw_if_overtaken, within=2 * LEASE, what="the freeze is overtaken")
        calm = time.monotonic()
        _drain(look, members)
        drained = time.monotonic()
        mischief.stop()

        told = _with_wants(members, announced)
        result = tally.taken(
            look,
            members=told,
            requests=guests.requests(),
            disturbances=mischief.done,
            timeout=TIMEOUT,
        )
        figures = {
            "deliveries": len(result.deliveries),
            "attempts logged": result.logged,
            "attempts that ended with their worker": result.unlogged,
            "requests received": len(result.requests),
            "doubles": f"{result.doubles} (of {result.exposed} requests met by a disturbance)",
            "lost": result.lost,
            "worker groups killed": mischief.kills,
            "disturbances": tally.kinds(mischief.done),
            "seconds from an answer to its note": f"{result.longest_note:.2f}",
            "seconds to drain": f"{drained - calm:.0f}",
            "seconds in all": f"{time.monotonic() - began:.0f}",
        }
        with capsys.disabled():
            print("\n\nDeliveries under chaos\n" + tally.table(figures))
        problems = [*result.problems(), *mischief.problems()]
        assert not problems, "\n".join([f"{len(problems)} problems", *problems[:50]])
        assert len(result.deliveries) >= 2000
        assert mischief.kills >= 15
        assert result.lost == 0


def _subscribe(site: Site, guests: Crowd) -> list[Member]:
    for name in ("Billing", "Search"):
        site.api("POST", "components", {"name": name})
    members = []
    for place, (manner, wish) in enumerate(GUESTS):
        told = site.api(
            "POST",
            "subscriptions",
            {
                "channel": "webhook",
                "address": guests.url(place),
                "components": [wish] if wish in ("billing", "search") else [],
                "events": ["incident.created"]
                + (["incident.resolved"] if wish != "created" else []),
                "policy": _policy(manner),
            },
        )
        members.append(
            Member(subscription=told["id"], manner=manner, secret=told["secret"], wants=frozenset())
        )
    return members


def _policy(manner: str) -> dict[str, Any]:
    delays = DELAYS.get(manner, FEW_DELAYS)
    return {"timeout": TIMEOUT} | ({} if delays is None else {"delays": delays})


def _announce(site: Site, mischief: Mischief, guests: Crowd) -> list[tuple[Announcement, str]]:
    """Open and resolve incidents, each in its own transaction, with mischief between; returns all that was told."""
    plan: dict[int, Callable[[], None]] = {
        **dict.fromkeys((2, 4, 13, 18, 20, 25, 30, 34, 38, 42, 46), mischief.kill_sending),
        **dict.fromkeys((22, 36, 50), mischief.kill_all),
        6: mischief.crash_database,
        9: mischief.flush_redis,
        11: mischief.freeze_sending,
        27: mischief.restart_redis,
        28: guests.mend,
    }
    told: list[tuple[Announcement, str]] = []
    open_ones: list[tuple[str, str]] = []
    about = cycle(("billing", "search"))
    for step in range(2 * INCIDENTS):
        # Resolved some steps after it was opened, so that several are on their way at once.
        if step % 2 == 0 or step < 4:
            component = next(about)
            opened = site.api(
                "POST",
                "incidents",
                {"title": f"Incident {step}", "impact": "major", "components": [component]},
            )
            open_ones.append((opened["id"], component))
            told.append((("incident.created", opened["id"]), component))
        else:
            told.append(_resolve(site, *open_ones.pop(0)))
        if step == 0:
            eventually(guests.busy, within=60, what="the workers are there")
        time.sleep(PAUSE)
        plan.get(step, lambda: None)()
        mischief.thaw_if_overtaken()
    told += [_resolve(site, *left) for left in open_ones]
    return told


def _resolve(site: Site, incident: str, component: str) -> tuple[Announcement, str]:
    site.api("POST", f"incidents/{incident}/resolve", {"body": "It is over."})
    return ("incident.resolved", incident), component


def _with_wants(members: list[Member], announced: list[tuple[Announcement, str]]) -> list[Member]:
    """The members with what each of them is to hear, by what it chose."""

    def wanted(wish: str, announcement: Announcement, component: str) -> bool:
        if wish == "created":
            return announcement[0] == "incident.created"
        return wish in ("every", component)

    return [
        replace(
            member,
            wants=frozenset(
                about for about, component in announced if wanted(wish, about, component)
            ),
        )
        for member, (_, wish) in zip(members, GUESTS, strict=True)
    ]


def _drain(look: Engine, members: list[Member]) -> None:
    """Wait until nothing is on its way to a healthy receiver any more."""
    query = text(
        "SELECT count(*) FROM statuspage_delivery"
        " WHERE state = 'pending' AND subscription_id = ANY(CAST(:healthy AS uuid[]))"
    )
    healthy = [member.subscription for member in members if member.manner in HEALTHY]

    def drained() -> bool:
        with look.connect() as connection:
            return connection.scalar(query, {"healthy": healthy}) == 0

    eventually(drained, within=DRAINED_WITHIN, what="healthy receivers have got all")
