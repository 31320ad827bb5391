"""What deliveries wait for, as the log tells it. On three databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_statuspage.domain.ids import new_id
from flask_statuspage.domain.pace import BREAK_AFTER, Call
from flask_statuspage.storage import endpoints, waiting
from flask_statuspage.storage.outbox import Delivery, DeliveryState
from flask_statuspage.storage.session import database_now

from .test_claims import subscribe, tell

SILENT = Call(milliseconds=10_000, timed_out=True)


def told(session: Session) -> list[Delivery]:
    """Three events about one subject, to each of two subscriptions; the deliveries in their order."""
    rows, subject = subscribe(session, 2), new_id()
    for _ in range(3):
        tell(session, rows, subject)
    query = select(Delivery).order_by(Delivery.sequence, Delivery.subscription_id)
    return list(session.scalars(query))


def test_those_behind_lead_to_the_first_one_of_their_subscription(session: Session) -> None:
    """Not to the one before them, which waits itself; once the first one has ended the next one is first."""
    first, second, third = (told(session)[at : at + 2] for at in (0, 2, 4))
    ids = [row.id for row in (*first, *second, *third)]
    now = database_now(session)
    assert waiting.behind(session, ids, now) == {
        **{row.id: first[at].id for at, row in enumerate(second)},
        **{row.id: first[at].id for at, row in enumerate(third)},
    }
    assert waiting.behind(session, [third[0].id], now) == {third[0].id: first[0].id}
    first[0].state = DeliveryState.DONE
    session.commit()
    found = waiting.behind(session, ids, now)
    assert found[third[0].id] == second[0].id
    assert second[0].id not in found
    assert found[third[1].id] == first[1].id
    assert waiting.behind(session, [], now) == {}


def test_an_endpoint_rests_until_it_is_called_again(session: Session) -> None:
    """Of those that are asked for only the ones that rest now are named."""
    now = database_now(session)
    endpoints.note(session, {"slow:443": [SILENT] * BREAK_AFTER, "old:443": [SILENT]}, now, most=8)
    session.commit()
    found = waiting.resting(session, {"slow:443", "old:443", "other:443"}, now)
    assert list(found) == ["slow:443"]
    assert found["slow:443"] > now
    later = found["slow:443"] + timedelta(seconds=1)
    assert waiting.resting(session, {"slow:443"}, later) == {}
