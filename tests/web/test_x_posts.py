"""From a member's sign-in to the posts on X, through the whole engine."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from flask_statuspage.jobs import tasks
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.outbox import Attempt, Delivery, DeliveryState
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription, SubscriptionState

from .console import PAGE_URL, Console

BODY = {"title": "Payments fail", "components": {"api": "major_outage"}, "body": "Looking."}


def work(console: Console) -> None:
    """What the workers do: all that is due."""
    with console.site.app.app_context():
        tasks.run("fan_out")
        tasks.run("deliver")


def make_due(console: Console) -> None:
    """Let the time until the next attempt pass."""
    with console.site.app.app_context():
        session = current_session()
        past = utc_now() - timedelta(seconds=1)
        pending = Delivery.state == DeliveryState.PENDING
        session.execute(update(Delivery).where(pending).values(due_at=past))
        session.commit()


def begun(console: Console) -> Subscription:
    console.site.made("/components", name="API")
    assert console.browser().sign_in().status_code == 303
    return console.kept()[1][0]


def test_one_thread_for_an_incident(console: Console) -> None:
    """Opened, updated and resolved are three posts in one thread; the token that ended in between is renewed once."""
    begun(console)
    incident = console.site.made("/incidents", **BODY)
    work(console)
    console.x.expire()
    update = {"status": "identified", "body": "It was @jack's deploy."}
    console.site.made(f"/incidents/{incident['id']}/updates", **update)
    work(console)
    console.site.made(f"/incidents/{incident['id']}/resolve", body="All is well.")
    work(console)
    one, two, three = console.x.posts
    assert (one.reply_to, two.reply_to, three.reply_to) == (None, one.id, two.id)
    assert one.text.startswith("Investigating: Payments fail\nAPI\n\nLooking.\n\n")
    assert two.text.startswith("Identified: Payments fail\nAPI\n\nIt was @\u200bjack's deploy.\n\n")
    assert three.text.startswith("Resolved: Payments fail\nAPI\n\nAll is well.\n\n")
    for post in console.x.posts:
        assert post.text.endswith(f"\n{PAGE_URL}/incidents/{incident['id']}")
        assert post.author == "1001"
    assert (console.x.refreshes, console.x.reused) == (1, 0)


def test_another_incident_is_another_thread(console: Console) -> None:
    """Each incident begins a thread of its own, and so does maintenance."""
    begun(console)
    console.site.made("/incidents", **BODY)
    console.site.made("/incidents", **{**BODY, "title": "Search fails"})
    soon = utc_now() + timedelta(days=1)
    times = {
        "scheduled_start": soon.isoformat(),
        "scheduled_end": (soon + timedelta(hours=1)).isoformat(),
    }
    console.site.made("/maintenances", title="New disks", components=["api"], **times)
    work(console)
    assert [post.reply_to for post in console.x.posts] == [None, None, None]


def test_revoked(console: Console) -> None:
    """When the access is taken away at X the subscription is off, with the reason, and the page shows it."""
    subscription = begun(console)
    console.x.revoke()
    console.site.made("/incidents", **BODY)
    work(console)
    (now,) = console.kept()[1]
    assert now.state is SubscriptionState.DISABLED
    assert now.reason == "X no longer accepts our access; sign in again."
    page = console.browser().get("/admin/integrations").text
    assert "Nothing is posted: X no longer accepts our access; sign in again." in page
    assert "Last failure" in page
    assert console.x.posts == []
    assert console.browser().sign_in().status_code == 303
    (again,) = console.kept()[1]
    assert (again.id, again.state) == (subscription.id, SubscriptionState.ACTIVE)
    console.site.made("/incidents", **{**BODY, "title": "Search fails"})
    work(console)
    assert [post.text.split("\n")[0] for post in console.x.posts] == ["Investigating: Search fails"]


def test_taken_without_an_answer(console: Console) -> None:
    """A post that X took but did not confirm is not posted twice, and counts as sent at the next attempt."""
    subscription = begun(console)
    policy = {"policy": {"timeout": 2}}
    changed = console.site.ask("PATCH", f"/subscriptions/{subscription.id}", policy)
    assert changed.status_code == 200, changed.text
    console.x.take_then_hang = 1
    console.site.made("/incidents", **BODY)
    work(console)
    assert [attempt.kind for attempt in console.site.rows(Attempt)] == ["timeout"]
    make_due(console)
    work(console)
    assert len(console.x.posts) == 1
    assert [row.state for row in console.site.rows(Delivery)] == [DeliveryState.DONE]


def test_the_test_button(console: Console) -> None:
    """The button posts a test, in the account's name."""
    begun(console)
    browser = console.browser()
    account = console.kept()[0][0]
    browser.post(f"/admin/x/{account.id}/test", data={"csrf_token": browser.token()})
    work(console)
    (post,) = console.x.posts
    assert post.text.startswith("This is a test.")
    assert post.text.endswith(PAGE_URL)
