"""The route that jobs report to: any method, no key, no session, no word of what is wrong."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from flask_statuspage.storage.checks import Check
from flask_statuspage.storage.monitors import Monitor

from .site import Site, SiteMaker


@pytest.fixture
def path(site: Site) -> str:
    return _path(site)


def _path(site: Site) -> str:
    made = site.made("/monitors", name="Backup", kind="heartbeat", interval=3600)
    url: str = made["heartbeat_url"]
    with site.app.app_context():
        assert url.startswith(f"{site.app.config.get('STATUSPAGE_PAGE_URL') or 'http'}")
    return "/heartbeat/" + url.rpartition("/")[2]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_any_method_reports(site: Site, path: str, method: str) -> None:
    """Each counts, is answered shortly, and nothing keeps the answer."""
    answer = site.client.open(site.prefix + path, method=method)
    assert answer.status_code == 200
    assert answer.text == ("" if method == "HEAD" else "OK\n")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert [row.outcome for row in site.rows(Check)] == ["up"]


def test_start_and_fail(site: Site, path: str) -> None:
    """/fail is a failure, /start no result by itself."""
    assert site.get(f"{path}/start").status_code == 200
    assert site.rows(Check) == []
    assert site.post(f"{path}/fail").status_code == 200
    (check,) = site.rows(Check)
    assert (check.outcome, check.error) == ("down", "Reported a failure")


@pytest.mark.parametrize("wrong", ["x", "A" * 32, "A" * 33, "%00" * 32, "..", "é" * 32])
def test_others_are_not_found(site: Site, path: str, wrong: str) -> None:
    """A token that is unknown and one that cannot be any are answered alike, and change nothing."""
    before = site.contents()
    for tail in ("", "/start", "/fail"):
        answer = site.post(f"/heartbeat/{wrong}{tail}")
        assert answer.status_code in (308, 404)
        if answer.status_code == 404 and wrong != "..":
            assert answer.text == "Not found\n"
    assert site.contents() == before
    assert site.get(f"{path}/stop").status_code == 404
    assert site.contents() == before


def test_a_body_is_not_read(site: Site, path: str) -> None:
    """Whatever a job sends along is ignored, however large it says it is."""
    answer = site.post(path, data=b"log\x00" * 1_000_000)
    assert answer.status_code == 200
    answer = site.post(f"{path}/fail", data="x", headers={"Content-Length": "99999999999"})
    assert answer.status_code == 200


@pytest.mark.parametrize("csrf", ["before", "after"])
def test_host_wide_csrf_does_not_stop_it(make_site: SiteMaker, csrf: str) -> None:
    """A job has no CSRF token."""
    site = make_site(csrf=csrf)
    assert site.post(_path(site)).status_code == 200


def test_only_who_may_change_it_knows_where_to_report(site: Site, path: str) -> None:
    """Editors read the URL; viewers, the audit and the list for viewers do not hold it."""
    token = path.rpartition("/")[2]
    assert site.ask("GET", "/monitors/backup", role="editor").get_json()["heartbeat_url"]
    shown = site.ask("GET", "/monitors/backup", role="viewer")
    assert shown.get_json()["heartbeat_url"] is None
    for asked in ("/monitors/backup", "/monitors", "/audit"):
        role = "owner" if asked == "/audit" else "viewer"
        assert token not in site.ask("GET", asked, role=role).text
    assert token not in site.ask("POST", "/monitors/backup/pause").get_json().get("options", {})


def test_rotating(site: Site, path: str) -> None:
    """Editors may give it another URL; the old one leads nowhere. Other kinds have none: 409."""
    assert site.ask("POST", "/monitors/backup/rotate-token", role="viewer").status_code == 403
    answer = site.ask("POST", "/monitors/backup/rotate-token", role="editor")
    new = "/heartbeat/" + answer.get_json()["heartbeat_url"].rpartition("/")[2]
    assert site.get(path).status_code == 404
    assert site.get(new).status_code == 200
    site.made("/monitors", name="Web", target="http://127.0.0.1:9/")
    assert site.ask("POST", "/monitors/web/rotate-token").status_code == 409
    assert site.ask("GET", "/monitors/web").get_json()["heartbeat_url"] is None


def test_what_the_sites_code_makes_is_not_made_here(site: Site) -> None:
    """Kinds that only code can make are refused by name, for new monitors and for others that would change."""
    for kind in ("callable", "traffic"):
        answer = site.ask("POST", "/monitors", {"name": "M", "kind": kind, "target": "x"})
        assert answer.status_code == 422
        (error,) = answer.get_json()["errors"]
        assert (error["field"], "made by the site's code" in error["message"]) == ("kind", True)
    site.made("/monitors", name="Web", target="http://127.0.0.1:9/")
    answer = site.ask("PATCH", "/monitors/web", {"kind": "callable"})
    assert [error["field"] for error in answer.get_json()["errors"]] == ["kind"]
    assert {row.kind for row in site.rows(Monitor)} == {"http"}


def test_no_database_is_a_reason_to_try_again(site: Site, path: str) -> None:
    """A heartbeat that cannot be kept is answered 503, so that the job knows."""
    with site.app.app_context():
        for statement in ("ALTER TABLE statuspage_monitor RENAME TO gone",):
            site.db.session.execute(site.db.text(statement))
        site.db.session.commit()
    answer = site.get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_tokens_are_long(site: Site) -> None:
    """A token has at least 128 bits, and no two are alike."""
    for number in range(3):
        site.made("/monitors", name=f"J{number}", kind="heartbeat", interval=60)
    with site.app.app_context():
        tokens = site.db.session.scalars(select(Monitor.token)).all()
    assert len(set(tokens)) == 3
    assert all(len(token) * 6 >= 128 for token in tokens)
