"""What was typed comes back to whoever typed it, whatever happened meanwhile, and to nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.console import member
from tests.console.conftest import Enter
from tests.console.member import ADMIN, EDITOR, OWNER, Member, forms_of
from tests.web.site import Site, SiteMaker

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://["},
    {"Origin": ""},
]
OWN = [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}]

INVITED = {"identity": "evil@attacker.example", "role": "admin"}


@pytest.fixture(autouse=True)
def component(site: Site) -> None:
    """The dashboard has a form, and so a token, where there is a service."""
    site.made("/components", name="API")


def sent(who: Member, path: str, data: dict[str, Any], headers: dict[str, str]) -> Any:
    """POST *data* as it is: no token is added."""
    login = {"X-Who": who.who} if who.who else {}
    return who.client.post(f"{who.site.prefix}/admin{path}", data=data, headers=headers | login)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_what_another_site_sent_is_not_handed_on(
    site: Site, enter: Enter, headers: dict[str, str]
) -> None:
    """It stands in no form with a genuine token, whether its sender's victim is signed in or seems not to be."""
    ann = enter(ADMIN)
    ann.token()
    answer = sent(ann, "/team", INVITED, headers)
    assert answer.status_code == 400
    assert "Another site sent this form." in answer.text
    assert "evil@attacker" not in answer.text
    nobody = enter(None)
    answer = sent(nobody, "/team", INVITED, headers)
    assert answer.status_code == 401
    assert "evil@attacker" not in answer.text
    stranger = enter("mallory@example.com")
    answer = sent(stranger, "/team", INVITED, headers)
    assert answer.status_code == 403
    assert "evil@attacker" not in answer.text


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_what_was_typed_here_comes_back(site: Site, enter: Enter, headers: dict[str, str]) -> None:
    """A form of our own whose token does not count any more is shown with what was typed in it."""
    ann = enter(ADMIN)
    ann.token()
    answer = sent(ann, "/team", INVITED, headers)
    assert answer.status_code == 400
    assert "The form was open for too long." in answer.text
    form = next(one for one in forms_of(answer.text) if "identity" in one.fields)
    assert form.fields["identity"] == INVITED["identity"]
    assert ann.send(form).status_code == 303
    kept = sent(enter(None), "/team", INVITED, headers)
    assert kept.status_code == 401
    assert INVITED["identity"] in kept.text


@pytest.mark.parametrize(
    ("path", "button", "theirs", "own"),
    [
        ("/services/{api}", "Save", {"name": "Web"}, {"name": "Gate"}),
        ("/settings", "Save", {"name": "Acme"}, {"name": "Status"}),
        ("/team/{editor}", "Save the role", {"role": "viewer"}, {"role": "owner"}),
        ("/subscribers/{bob}", "Save", {"locale": "de"}, {"locale": "fr"}),
    ],
)
def test_a_form_that_comes_back_carries_what_it_saw(
    site: Site, enter: Enter, path: str, button: str, theirs: dict[str, str], own: dict[str, str]
) -> None:
    """Shown again because it was open for too long, it does not write over what somebody else wrote meanwhile."""
    address = site.made("/subscriptions", channel="email", address="bob@example.com")
    path = path.format(
        api=site.ask("GET", "/components/api").get_json()["id"],
        editor=site.ask("GET", f"/members/{EDITOR}").get_json()["id"].replace("-", ""),
        bob=address["id"],
    )
    ann, bob = enter(OWNER), enter(ADMIN)
    form = ann.form(path, button)
    assert bob.send(bob.form(path, button), **theirs).status_code == 303
    before = site.contents()
    for status, token in ((400, {"csrf_token": ""}), (400, {"csrf_token": ""}), (409, {})):
        answer = ann.send(form, **own, **token)
        assert answer.status_code == status
        assert site.contents() == before
        form = next(one for one in forms_of(answer.text) if button in one.words)
    assert ann.send(form).status_code == 303


def test_the_thing_is_deleted_meanwhile(site: Site, enter: Enter) -> None:
    """The text of an update of an incident that somebody deletes is on the page that says so."""
    incident = site.made("/incidents", title="Fails")
    ann = enter(EDITOR)
    form = ann.form(f"/incidents/{incident['id']}", "Post update")
    assert site.ask("DELETE", f"/incidents/{incident['id']}").status_code == 204
    answer = ann.send(form, body="A <disk>\nis full.")
    assert answer.status_code == 404
    assert "somebody deleted it meanwhile" in answer.text
    assert "A &lt;disk&gt;\nis full.</textarea>" in answer.text
    assert forms_of(answer.text) == []
    assert "csrf_token" not in answer.text


def test_the_role_is_gone_meanwhile(site: Site, enter: Enter) -> None:
    """Who may look only by now is told so, and gets the text back."""
    ann = enter(EDITOR)
    form = ann.form("/incidents/new", "Publish")
    assert site.ask("PATCH", f"/members/{EDITOR}", {"role": "viewer"}).status_code == 200
    answer = ann.send(form, title="Down", body="We look at it.")
    assert answer.status_code == 403
    assert "editor" in answer.text
    assert "We look at it.</textarea>" in answer.text
    assert site.ask("GET", "/incidents").get_json()["total"] == 0


def test_no_other_site_frames_the_console(make_site: SiteMaker, tmp_path: Path) -> None:
    """Within a host's template, whose policy is the host's, no page of the console stands in another site's frame."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "bare.html").write_text("{% block content %}{% endblock %}")
    site = member.build(make_site, templates=tmp_path, STATUSPAGE_BASE_TEMPLATE="bare.html")
    for who, status in ((ADMIN, 200), (None, 401)):
        answer = Member(site, who).get("/")
        assert answer.status_code == status
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
