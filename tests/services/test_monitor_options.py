"""Secrets among the options of monitors: never shown, kept when the mask comes back, never sent elsewhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from flask_statuspage.config import Settings
from flask_statuspage.errors import Invalid, SetupError
from flask_statuspage.probing import Finding, Probe, ProbeOptions, ProbeOrder, probes
from flask_statuspage.services import configuration, monitor_options, monitoring, monitors
from flask_statuspage.services.monitor_options import MASK, origin
from flask_statuspage.storage.base import utc_now
from flask_statuspage.storage.monitors import Monitor
from flask_statuspage.storage.pages import Page
from flask_statuspage.storage.team import AuditEntry

from . import scenes

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
URL = "http://127.0.0.1:9/"
AUTH = {"type": "basic", "username": "ann", "password": "hunter2"}
HEADERS = {"X-Api-Key": "swordfish", "Accept": "text/html"}
OPTIONS = {"auth": AUTH, "headers": HEADERS}
MASKED_AUTH = {**AUTH, "password": MASK}
MASKED_HEADERS = {**HEADERS, "X-Api-Key": MASK}


def watched(session: Session, page: Page, **options: Any) -> Monitor:
    return scenes.monitor(session, page, options={**OPTIONS, **options})


def change(session: Session, page: Page, row: Monitor, **values: Any) -> Monitor:
    row = monitors.change(
        session, page, monitors.get(session, page, str(row.id), lock=True), values, actor="ann"
    )
    session.commit()
    return row


def asked(session: Session, row: Monitor) -> Mapping[str, Any]:
    """The options with which a probe would ask now."""
    session.expire_all()
    row = session.scalars(select(Monitor).where(Monitor.id == row.id)).one()
    return monitoring.order_for(row, "default", utc_now(), {}).options


def everything(session: Session) -> str:
    """Every value in every table, as it is stored."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    tables = session.scalars(text(query)).all()
    rows = [session.execute(text(f'SELECT * FROM "{name}"')).all() for name in tables]
    return json.dumps(rows, default=str)


def test_secrets_are_kept_apart(session: Session, page: Page) -> None:
    """Options show a mask in their place; whoever asks the target has them."""
    row = watched(session, page)
    session.expire_all()
    row = monitors.get(session, page, row.slug)
    assert row.options["auth"] == MASKED_AUTH
    assert row.options["headers"] == MASKED_HEADERS
    options = asked(session, row)
    assert (options["auth"], options["headers"]) == (AUTH, HEADERS)
    (order,) = monitoring.claim_due(session, "default", utc_now() + timedelta(seconds=1), limit=9)
    assert order.options == options


@SQLITE
def test_no_table_has_a_secret(
    session: Session, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the monitor's own row nor the audit of making, changing and removing it, nor a log."""
    caplog.set_level(logging.DEBUG)
    row = watched(session, page)
    row = change(session, page, row, options={"auth": {"type": "bearer", "token": "opensesame"}})
    row = change(session, page, row, options={**row.options, "method": "HEAD"})
    assert asked(session, row)["auth"]["token"] == "opensesame"
    stored = everything(session)
    row = monitors.get(session, page, row.slug, lock=True)
    monitors.remove(session, page, row, actor="ann")
    session.commit()
    stored += everything(session)
    for secret in ("hunter2", "swordfish", "opensesame"):
        assert secret not in stored
        assert secret not in caplog.text
    assert "ann" in stored


@SQLITE
def test_options_without_secrets_have_none(session: Session, page: Page) -> None:
    """Nothing is encrypted where nothing is secret; what was secret is forgotten with its option."""
    row = scenes.monitor(session, page, options={"headers": {"Accept": "text/html"}})
    assert row.secrets is None
    row = watched(session, page, body="x", method="POST")
    assert row.secrets is not None
    row = change(session, page, row, options={})
    assert row.secrets is None
    with pytest.raises(Invalid, match=r"^options\.auth\.password: .*none is stored"):
        change(session, page, row, options={"auth": MASKED_AUTH})


def test_the_mask_keeps_what_is_stored(session: Session, page: Page) -> None:
    """What was read can be sent back, beside a change of anything else; a new secret takes the old one's place."""
    row = watched(session, page)
    row = change(session, page, row, options={**row.options, "keyword": "fine"})
    assert asked(session, row)["auth"] == AUTH
    row = change(session, page, row, interval=300)
    assert asked(session, row)["headers"] == HEADERS
    new = {**AUTH, "password": "correct horse"}
    row = change(session, page, row, options={"auth": new, "headers": MASKED_HEADERS})
    assert row.options["auth"] == MASKED_AUTH
    assert asked(session, row)["auth"] == new
    assert asked(session, row)["headers"] == HEADERS


@SQLITE
def test_a_new_secret_is_audited_by_its_name(session: Session, page: Page) -> None:
    """Though the options look as before; what changes nothing is no change."""
    row = watched(session, page)
    query = select(AuditEntry).where(AuditEntry.action == "change", AuditEntry.subject == "monitor")
    change(session, page, row, options=row.options)
    assert session.scalars(query).all() == []
    before = row.updated_at
    change(session, page, row, options={**OPTIONS, "auth": {**AUTH, "password": "new"}})
    (entry,) = session.scalars(query)
    assert entry.after == {"secrets": ["auth.password"]}
    assert row.updated_at > before


@SQLITE
@pytest.mark.parametrize(
    "options",
    [
        {"auth": MASKED_AUTH},
        {"auth": {"type": "bearer", "token": MASK}},
        {"headers": {"Authorization": MASK}},
    ],
)
def test_a_mask_of_nothing_is_refused(
    session: Session, page: Page, options: dict[str, Any]
) -> None:
    """A new monitor has nothing stored, and one that is there only what was given to it."""
    path = "options.headers.Authorization" if "headers" in options else "options.auth."
    with pytest.raises(Invalid) as caught:
        watched(session, page, **options)
    assert caught.value.errors[0].field.startswith(path)
    assert "none is stored" in caught.value.errors[0].message
    session.rollback()
    row = scenes.monitor(session, page)
    with pytest.raises(Invalid, match="none is stored"):
        change(session, page, row, options=options)


@SQLITE
def test_a_mask_that_is_no_secret_is_a_text(session: Session, page: Page) -> None:
    """A page may say eight asterisks."""
    row = scenes.monitor(session, page, options={"keyword": MASK, "headers": {"Accept": MASK}})
    assert asked(session, row)["keyword"] == MASK


@SQLITE
@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:10/", "https://127.0.0.1:9/", "http://127.0.0.2:9/", "http://localhost:9/"],
)
def test_secrets_do_not_move_to_another_address(session: Session, page: Page, target: str) -> None:
    """Another scheme, host or port needs them given again, whether the mask is sent along or not."""
    row = watched(session, page)
    for values in ({"target": target}, {"target": target, "options": dict(row.options)}):
        with pytest.raises(Invalid) as caught:
            change(session, page, row, **values)
        session.rollback()
        assert {error.field: error.message for error in caught.value.errors} == {
            "options.auth.password": "Give it again: it was for another address.",
            "options.headers.X-Api-Key": "Give it again: it was for another address.",
        }
    assert asked(session, row)["auth"] == AUTH
    row = change(session, page, row, target=target, options={"auth": {**AUTH, "password": "new"}})
    assert asked(session, row)["auth"]["password"] == "new"


@SQLITE
def test_secrets_stay_with_another_path(session: Session, page: Page) -> None:
    """The same server may be asked for something else."""
    row = watched(session, page)
    row = change(session, page, row, target=URL + "elsewhere?a=1")
    assert asked(session, row)["auth"] == AUTH


def test_what_is_one_address() -> None:
    """Scheme, host and port, however they are spelled; what is no URL is its own."""
    same = "https://example.com/"
    for spelled in ("https://example.com", "HTTPS://EXAMPLE.com:443/a?b", "https://example.com./"):
        assert origin(spelled) == origin(same)
    for other in ("http://example.com/", "https://example.com:444/", "https://www.example.com/"):
        assert origin(other) != origin(same)
    assert origin("db.example.com:5432") != origin("db.example.com:5433")
    assert origin("https://[::1/") != origin("https://[::2/")
    assert origin("https://example.com:x/") != origin(same)


def document(session: Session) -> dict[str, Any]:
    return configuration.read(configuration.write(configuration.dump(session)))


@SQLITE
def test_a_dump_has_masks_and_can_be_applied(session: Session, page: Page) -> None:
    """Onto its own site it changes nothing, beside another change it keeps the secrets."""
    row = watched(session, page)
    dumped = document(session)
    assert "hunter2" not in json.dumps(dumped)
    assert configuration.apply(session, dumped) == []
    (entry,) = dumped["pages"][0]["monitors"]
    assert entry["options"]["auth"] == MASKED_AUTH
    entry["interval"] = 300
    entry["options"]["keyword"] = "fine"
    (made,) = configuration.apply(session, dumped)
    assert set(made.after or ()) == {"interval", "options"}
    assert asked(session, row)["auth"] == AUTH


@SQLITE
def test_a_dump_is_not_enough_for_another_site(session: Session, page: Page) -> None:
    """A site that has no such secret says where one is missing, and nothing is done."""
    row = watched(session, page)
    dumped = document(session)
    monitors.remove(session, page, monitors.get(session, page, row.slug, lock=True), actor=None)
    session.commit()
    with pytest.raises(Invalid) as caught:
        configuration.apply(session, dumped)
    place = "pages[0].monitors[0].options"
    assert {error.field for error in caught.value.errors} == {
        f"{place}.auth.password",
        f"{place}.headers.X-Api-Key",
    }
    session.rollback()
    assert session.scalars(select(Monitor)).all() == []


@SQLITE
def test_a_document_can_bring_a_new_secret(session: Session, page: Page) -> None:
    """It is told by its name, a second time it changes nothing, and a dry run leaves the old one."""
    row = watched(session, page)
    dumped = document(session)
    (entry,) = dumped["pages"][0]["monitors"]
    entry["options"]["auth"]["password"] = "correct horse"
    (tried,) = configuration.apply(session, dumped, dry_run=True)
    assert tried.after == {"secrets": ["auth.password"]}
    session.rollback()
    assert asked(session, row)["auth"] == AUTH
    assert configuration.apply(session, dumped) == [tried]
    session.commit()
    assert asked(session, row)["auth"]["password"] == "correct horse"
    assert configuration.apply(session, dumped) == []


@SQLITE
def test_secrets_that_cannot_be_opened_stop_no_other_check(
    app: Flask, session: Session, page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    """A monitor whose key is lost is not asked without its secrets; others are, and giving them again mends it."""
    lost, fine = watched(session, page), scenes.monitor(session, page, "Fine")
    app.config["SECRET_KEY"] = "another one"
    soon = utc_now() + timedelta(seconds=1)
    (order,) = monitoring.claim_due(session, "default", soon, limit=9)
    assert order.monitor_id == fine.id
    assert f"monitor {lost.slug} cannot be checked" in caplog.text
    session.commit()
    with pytest.raises(SetupError):
        monitoring.order_for(lost, "default", soon, {})
    with pytest.raises(Invalid, match="none is stored"):
        change(session, page, lost, options=lost.options)
    session.rollback()
    change(session, page, lost, options=OPTIONS)
    assert asked(session, lost)["auth"] == AUTH


class LoginOptions(ProbeOptions):
    login: dict[str, Any] = {}
    steps: list[dict[str, str]] = []


class LoginProbe(Probe):
    """What another package might bring."""

    kind = "login"
    Options = LoginOptions

    def is_secret(self, path: tuple[str, ...]) -> bool:
        return path == ("login",) or path[-1:] == ("typed",)

    @contextmanager
    def open(self, settings: Settings) -> Iterator[LoginProbe]:
        yield self

    def ask(self, order: ProbeOrder) -> Finding:
        raise NotImplementedError


@SQLITE
def test_another_packages_secrets_are_kept_too(
    session: Session, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it calls secret: whole tables, and values within lists."""
    monkeypatch.setitem(probes._loaded(), "login", LoginProbe())
    steps = [{"field": "user", "typed": "ann"}, {"field": "pin", "typed": ""}]
    options = {"login": {"user": "ann", "pin": 1234}, "steps": steps}
    row = scenes.monitor(session, page, kind="login", options=options)
    assert row.options == {"login": MASK, "steps": [{**steps[0], "typed": MASK}, steps[1]]}
    assert asked(session, row) == options
    row = change(session, page, row, options=dict(row.options), interval=300)
    assert asked(session, row) == options
    assert monitor_options.secrets(row) == {"login": options["login"], "steps.0.typed": "ann"}
    with pytest.raises(Invalid, match="it was for another address"):
        change(session, page, row, target="elsewhere")
