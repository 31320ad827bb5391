"""``Idempotency-Key``: what is sent again is answered again, and done once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import event, update

from flask_statuspage.jobs import forgetting
from flask_statuspage.storage.components import Component
from flask_statuspage.storage.incidents import Incident
from flask_statuspage.storage.kept_answers import KeptAnswer
from flask_statuspage.storage.session import current_session
from flask_statuspage.storage.subscriptions import Subscription
from flask_statuspage.storage.team import Token
from tests.web.site import API, Site, SiteMaker
from tests.web.test_manage_api import HOOK, full, problem

three = pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "mariadb"], indirect=True)
REPLAYED = "Idempotency-Replayed"


@three
def test_what_is_sent_again_is_done_once(database_url: str, migrated_site: SiteMaker) -> None:
    """The same request is answered with the same status, headers and body, and says so."""
    site: Site = migrated_site(database_url)
    full(site)
    calls: list[tuple[str, Any]] = [
        ("/components", {"name": "Web"}),
        ("/incidents", {"title": "Flood"}),
        ("/monitors", {"name": "Other", "target": HOOK}),
        ("/subscriptions", {"channel": "webhook", "address": f"{HOOK}/2"}),
        ("/tokens", {"name": "deploy", "role": "viewer"}),
        ("/monitors/probe/pause", None),
    ]
    for path, body in calls:
        first = site.ask("POST", path, body, Idempotency_Key="one")
        assert first.status_code < 300, first.text
        assert REPLAYED not in first.headers
        before = site.contents()
        again = site.ask("POST", path, body, Idempotency_Key="one")
        assert again.headers.pop(REPLAYED) == "true"
        assert (again.status_code, again.data) == (first.status_code, first.data)
        for headers in (first.headers, again.headers):
            for name in ("RateLimit", "RateLimit-Policy"):
                del headers[name]
        assert sorted(again.headers) == sorted(first.headers)
        assert site.contents() == before
    other = site.ask("POST", "/incidents", {"title": "Flood"}, Idempotency_Key="two")
    assert other.status_code == 201
    assert len(site.rows(Incident)) == 3


def test_another_request_under_the_key(site: Site) -> None:
    """Another body or query under a used key is 422 and changes nothing; another path, holder or day is another."""
    made = site.ask("POST", "/components", {"name": "API"}, Idempotency_Key="one")
    before = site.contents()
    for path, body in (("/components", {"name": "Web"}), ("/components?x=1", {"name": "API"})):
        wrong = problem(site.ask("POST", path, body, Idempotency_Key="one"), 422)
        assert [error["field"] for error in wrong["errors"]] == ["Idempotency-Key"]
    assert site.contents() == before
    groups = site.ask("POST", "/component-groups", {"name": "API"}, Idempotency_Key="one")
    assert groups.status_code == 201
    theirs = site.ask("POST", "/components", {"name": "API"}, role="admin", Idempotency_Key="one")
    assert (theirs.status_code, REPLAYED in theirs.headers) == (201, False)
    assert theirs.get_json()["id"] != made.get_json()["id"]
    with site.app.app_context():
        old = datetime.now(UTC) - timedelta(hours=24, seconds=1)
        current_session().execute(update(KeptAnswer).values(created_at=old))
        current_session().commit()
    late = site.ask("POST", "/components", {"name": "Web"}, Idempotency_Key="one")
    assert (late.status_code, REPLAYED in late.headers) == (201, False)


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "a\x7f", "a\tb"])
def test_what_is_no_key(site: Site, key: str) -> None:
    """A key that is empty, too long or not plain ASCII is 422 and named."""
    raw = key.encode().decode("latin-1")
    for path, body in (("/components", {"name": "API"}), ("/components/x/nothing", None)):
        answer = site.ask("POST", path, body, Idempotency_Key=raw)
        if path == "/components":
            wrong = problem(answer, 422)
            assert [error["field"] for error in wrong["errors"]] == ["Idempotency-Key"]
        else:
            problem(answer, 404)
    assert site.rows(Component) == []
    longest = site.ask("POST", "/components", {"name": "API"}, Idempotency_Key="~" * 255)
    assert longest.status_code == 201


def test_what_was_refused_is_looked_at_anew(site: Site) -> None:
    """A refusal changed nothing and is not kept: once its cause is gone the same request goes through."""
    full(site)
    path = "/incidents"
    for _ in range(2):
        refused = site.ask(
            "POST", path, {"title": "Fire", "components": ["web"]}, Idempotency_Key="k"
        )
        problem(refused, 422)
        assert REPLAYED not in refused.headers
    assert site.rows(KeptAnswer) == []
    site.made("/components", name="Web")
    made = site.ask("POST", path, {"title": "Fire", "components": ["web"]}, Idempotency_Key="k")
    assert made.status_code == 201
    # Only POST has keys.
    for title in ("A", "B"):
        changed = site.ask(
            "PATCH", f"{path}/{made.get_json()['id']}", {"title": title}, Idempotency_Key="k"
        )
        assert changed.get_json()["title"] == title


def test_secrets_are_not_kept_in_clear(site: Site) -> None:
    """What an answer tells once is told again to the same request, and is nowhere in the database."""
    calls: list[tuple[str, Any, str]] = [
        ("/tokens", {"name": "deploy", "role": "viewer"}, "key"),
        ("/subscriptions", {"channel": "webhook", "address": HOOK}, "secret"),
    ]
    for path, body, name in calls:
        first = site.ask("POST", path, body, Idempotency_Key="one").get_json()[name]
        assert len(first) > 30
        assert site.ask("POST", path, body, Idempotency_Key="one").get_json()[name] == first
        assert first not in str(site.contents())
    assert (len(site.rows(Token)), len(site.rows(Subscription))) == (2, 1)
    for row in site.rows(KeptAnswer):
        assert "deploy" not in row.answer
        assert HOOK not in row.answer


def test_a_revoked_key_reads_nothing_again(site: Site) -> None:
    """What was answered is answered again only to who may still ask."""
    site.ask("POST", "/components", {"name": "API"}, role="admin", Idempotency_Key="one")
    (own,) = site.ask("GET", "/tokens?role=admin").get_json()["items"]
    site.ask("DELETE", f"/tokens/{own['id']}")
    problem(
        site.ask("POST", "/components", {"name": "API"}, role="admin", Idempotency_Key="one"), 401
    )


def test_with_a_tag_as_well(site: Site) -> None:
    """A step that was made for a certain tag is answered again, though the thing has another tag since."""
    path = f"/incidents/{site.made('/incidents', title='Fire')['id']}"
    tag = site.ask("GET", path).headers["ETag"]
    sent = {"Idempotency_Key": "one", "If_Match": tag}
    first = site.ask("POST", f"{path}/updates", {"body": "News"}, **sent)
    again = site.ask("POST", f"{path}/updates", {"body": "News"}, **sent)
    assert (first.status_code, again.status_code, again.data) == (201, 201, first.data)
    problem(site.ask("POST", f"{path}/updates", {"body": "News"}, If_Match=tag), 412)
    assert len(site.ask("GET", path).get_json()["updates"]) == 2


@three
@pytest.mark.parametrize("path", ["/incidents", "/subscriptions", "/tokens", "/monitors/probe/run"])
def test_at_the_same_moment(database_url: str, migrated_site: SiteMaker, path: str) -> None:
    """Of several requests with one key at once one is done, and all are answered with what came of it."""
    site: Site = migrated_site(database_url)
    full(site)
    body: dict[str, Any] | None = {
        "/incidents": {"title": "Flood"},
        "/subscriptions": {"channel": "webhook", "address": f"{HOOK}/2"},
        "/tokens": {"name": "deploy", "role": "viewer"},
    }.get(path)
    headers = {"Authorization-Token": site.key(), "Idempotency-Key": "one"}
    barrier, seen = Barrier(6), []

    def send() -> None:
        client = site.app.test_client()
        barrier.wait()
        answer = client.post(f"{site.prefix}{API}{path}", json=body, headers=headers)
        seen.append((answer.status_code, answer.data, answer.headers.get(REPLAYED)))

    threads = [Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(status, data) for status, data, _ in seen}) == 1, seen
    assert seen[0][0] < 300, seen
    assert sorted(str(replayed) for *_, replayed in seen) == ["None", *["true"] * 5]


@three
def test_neither_without_the_other(database_url: str, migrated_site: SiteMaker) -> None:
    """A process that dies before the commit leaves neither the change nor its answer, and it can be sent again."""
    site: Site = migrated_site(database_url)
    dead = []

    def die(connection: Any) -> None:
        kept = connection.exec_driver_sql("SELECT answer FROM statuspage_kept_answer").scalar()
        made = connection.exec_driver_sql("SELECT name FROM statuspage_component").scalar()
        if kept and made:
            dead.append(made)
            raise KeyboardInterrupt

    with site.app.app_context():
        engine = site.db.engine
    event.listen(engine, "commit", die)
    site.app.testing = True  # so that it reaches the test
    try:
        with pytest.raises(KeyboardInterrupt):
            site.ask("POST", "/components", {"name": "API"}, Idempotency_Key="one")
    finally:
        event.remove(engine, "commit", die)
    assert dead == ["API"]
    assert (site.rows(KeptAnswer), site.rows(Component)) == ([], [])
    made = site.ask("POST", "/components", {"name": "API"}, Idempotency_Key="one")
    assert (made.status_code, REPLAYED in made.headers) == (201, False)
    assert len(site.rows(KeptAnswer)) == 1


@three
def test_old_answers_go(database_url: str, migrated_site: SiteMaker) -> None:
    """What is older than a day is deleted with the other old things; the rest stays."""
    site: Site = migrated_site(database_url)
    for name in ("old", "new"):
        site.ask("POST", "/components", {"name": name}, Idempotency_Key=name)
        if name == "old":
            with site.app.app_context():
                old = datetime.now(UTC) - timedelta(hours=24, minutes=1)
                current_session().execute(update(KeptAnswer).values(created_at=old))
                current_session().commit()
    with site.app.app_context():
        assert forgetting.forget(lambda: False, budget=10) == 1
    (row,) = site.rows(KeptAnswer)
    assert row.created_at > datetime.now(UTC) - timedelta(hours=1)


def test_what_only_reads_keeps_no_answer(site: Site) -> None:
    """A POST that changes nothing can be sent again as it is, so nothing of it is kept."""
    made = site.made("/templates", kind="incident", name="T", title="T", body="B")
    for number in range(3):
        path = f"/templates/{made['id']}/render"
        answer = site.ask("POST", path, {}, role="viewer", Idempotency_Key=str(number))
        assert answer.status_code == 200
    assert site.rows(KeptAnswer) == []
