"""On their way: every parcel comes back, and none holds up another."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from flask_statuspage.config import Settings
from flask_statuspage.delivery.parcel import Failure, Outcome, Parcel
from flask_statuspage.delivery.sending import Sending
from flask_statuspage.domain.retry import Policy
from tests.lacking import no_descriptors
from tests.servers.http import Answer, Receiver

from .facts import LOOPBACK, parcel, uuid


def sent(
    parcels: list[Parcel], settings: Settings = LOOPBACK, *, lasts: float = 60
) -> dict[Parcel, Outcome | None]:
    ends = time.monotonic() + lasts
    back = {}
    with closing(Sending(settings, share=8)) as sending:
        own = {replace(one, lease_ends=ends): one for one in parcels}
        sending.add(own)
        while sending.open:
            back.update({own[one]: outcome for one, outcome in sending.collect(within=0.05)})
    return back


def test_every_parcel_comes_back_once(receiver: Receiver) -> None:
    """More parcels than threads: each is sent once and has its outcome."""
    settings = replace(LOOPBACK, worker_threads=4)
    parcels = [parcel(delivery_id=uuid(n), address=f"{receiver.url}/{n}") for n in range(30)]
    outcomes = sent(parcels, settings)
    assert all(outcome and outcome.delivered for outcome in outcomes.values())
    assert set(outcomes) == set(parcels)
    paths = Counter(request.path for request in receiver.requests)
    assert paths == Counter(f"/{n}" for n in range(30))


def test_one_that_hangs_holds_up_no_other(receiver: Receiver) -> None:
    """The others are back long before the one that hangs has spent its time."""
    receiver.answer = lambda request: Answer(hang=request.path == "/0")
    parcels = [
        parcel(delivery_id=uuid(n), address=f"{receiver.url}/{n}", policy=Policy(timeout=4))
        for n in range(10)
    ]
    started = time.monotonic()
    back = []
    with closing(Sending(LOOPBACK, share=8)) as sending:
        sending.add(parcels)
        while sending.open:
            arrived = sending.collect(within=0.05)
            back += [(one.address, time.monotonic() - started) for one, _ in arrived]
    assert back[-1][0].endswith("/0")
    assert back[-2][1] < 3
    assert back[-1][1] >= 3.9


def test_what_could_outlast_its_lease_is_not_sent(receiver: Receiver) -> None:
    """A parcel whose deadline lies behind the end of the lease comes back unsent."""
    outcomes = sent([parcel(address=receiver.url, policy=Policy(timeout=10))], lasts=9)
    assert list(outcomes.values()) == [None]
    assert receiver.requests == []


def test_a_channel_that_is_not_set_up_any_more(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Mail without a mail server fails and comes back; the webhooks beside it are sent."""
    mail = [parcel(delivery_id=uuid(n), channel="email", format="email") for n in range(3)]
    outcomes = sent([*mail, parcel(address=receiver.url)])
    assert len(outcomes) == 4
    assert {outcomes[one].error for one in mail} == {"The channel failed: AssertionError"}  # type: ignore[union-attr]
    assert {outcomes[one].kind for one in mail} == {Failure.CHANNEL}  # type: ignore[union-attr]
    assert outcomes[parcel(address=receiver.url)] is not None
    assert "channel email failed" in caplog.text


def test_a_parcel_that_cannot_be_sent_is_a_failure(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """A body that no channel can encode fails alone, and is logged."""
    bad, good = parcel(body="\ud800", address=receiver.url), parcel(address=receiver.url)
    outcomes = sent([bad, good])
    assert outcomes[bad] == Outcome(
        error="The channel failed: UnicodeEncodeError", kind=Failure.CHANNEL
    )
    assert outcomes[good].delivered  # type: ignore[union-attr]
    assert "channel webhook failed" in caplog.text


def test_an_empty_batch() -> None:
    """Nothing to send is nothing to wait for."""
    assert sent([]) == {}


def test_endpoints_that_hang_leave_room_for_others(receiver: Receiver) -> None:
    """What waits behind calls that hang is no reason to ask for no further parcels."""
    receiver.answer = Answer(hang=True)
    settings = replace(LOOPBACK, worker_threads=4)
    policy = Policy(timeout=6)
    with closing(Sending(settings, share=8)) as sending:
        for endpoint in range(4):
            sending.add(
                parcel(
                    delivery_id=uuid(100 * endpoint + n),
                    address=f"{receiver.url}/{n}",
                    endpoint=f"hangs-{endpoint}:1",
                    policy=policy,
                )
                for n in range(5)
            )
            sending.collect(within=0.05)
        while sending.stuck < 8:
            sending.collect(within=0.05)
        assert sending.room > 0
        receiver.answer = Answer(status=200)
        good = parcel(delivery_id=uuid(999), address=receiver.url, endpoint="good:1")
        sending.add([good])
        began = time.monotonic()
        back: list[Parcel] = []
        while good not in back:
            back += [one for one, _ in sending.collect(within=0.05)]
        assert time.monotonic() - began < 3


def test_an_endpoint_that_stays_silent_is_left_alone(receiver: Receiver) -> None:
    """After five timeouts in a row what waits for it comes back unsent: no attempt is spent on it."""
    receiver.answer = Answer(hang=True)
    parcels = [
        parcel(
            delivery_id=uuid(n), address=receiver.url, endpoint="x:1", policy=Policy(timeout=0.3)
        )
        for n in range(40)
    ]
    outcomes = sent(parcels)
    tried = [outcome for outcome in outcomes.values() if outcome is not None]
    assert len(outcomes) == 40
    assert 5 <= len(tried) <= 7
    assert {outcome.kind for outcome in tried} == {Failure.TIMEOUT}
    assert len(receiver.requests) == len(tried)


def test_closing_gives_back_what_waits(receiver: Receiver) -> None:
    """Whoever is told to stop waits for what is in flight, and sends nothing more."""
    receiver.answer = Answer(delay=2)
    sending = Sending(LOOPBACK, share=8)
    parcels = [parcel(delivery_id=uuid(n), address=receiver.url, endpoint="x:1") for n in range(30)]
    sending.add(parcels)
    began = time.monotonic()
    while len(receiver.requests) < 2:
        time.sleep(0.01)
    back = dict(sending.close())
    assert time.monotonic() - began < 8
    assert set(back) == set(parcels)
    assert sum(outcome is not None for outcome in back.values()) == 2
    assert sending.open == 0


def test_a_slow_second_lane_has_its_threads(receiver: Receiver) -> None:
    """Calls that take longer than a second are not counted as threads: others begin beside them."""
    receiver.answer = Answer(delay=2.5)
    settings = replace(LOOPBACK, worker_threads=2)
    parcels = [
        parcel(delivery_id=uuid(n), address=receiver.url, endpoint=f"slow-{n}:1") for n in range(6)
    ]
    began = time.monotonic()
    outcomes = sent(parcels, settings)
    assert all(outcome and outcome.delivered for outcome in outcomes.values())
    assert time.monotonic() - began < 6.5, "one after the other by two it would take 7.5 s"


def test_authorities_that_cannot_be_read_are_not_the_endpoints_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The attempt failed by the channel, will be retried, and the log names the file."""
    gone = str(tmp_path / "gone.pem")
    settings = replace(LOOPBACK, ca_file=gone)
    (outcome,) = sent([parcel(address="https://127.0.0.1:9/hook")], settings).values()
    assert outcome is not None
    assert (outcome.kind, outcome.error) == (Failure.CHANNEL, "The channel failed: CannotCall")
    assert (outcome.final, outcome.ends_subscription) == (False, False)
    assert gone in caplog.text


def test_without_descriptors_no_endpoint_is_blamed(receiver: Receiver) -> None:
    """Nothing was sent, and it is tried again."""
    parcels = [parcel(address=receiver.url)]
    with no_descriptors():
        (outcome,) = sent(parcels).values()
    assert outcome is not None
    assert (outcome.kind, outcome.final) == (Failure.CHANNEL, False)
    assert receiver.requests == []
