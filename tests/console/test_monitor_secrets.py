"""Secrets among the options of a monitor: what was typed of them comes back in no answer, and what is kept stays."""

from __future__ import annotations

import json
import re
import time
from typing import Annotated, Any

import pytest
from pydantic import ConfigDict, Field

from flask_statuspage.probing import ProbeOptions, probes
from flask_statuspage.services import monitor_options
from flask_statuspage.storage.monitors import Monitor
from tests.console import watching
from tests.console.conftest import Enter
from tests.console.member import ADMIN, EDITOR, Form, Member, forms_of
from tests.console.test_monitor_kinds import OddProbe, Strange
from tests.web.site import Site, SiteMaker

TARGET = "http://127.0.0.1:9/"
MASK = "********"
TYPED = {
    "options.auth.type": "bearer",
    "options.auth.token": "sk-token",
    "options.headers": "Accept: text/html\r\nX-Key: sk-key\r\nAuthorization: Bearer sk-line\r\nsk-alone\r\n"
    "X-Typo sk-typo\r\nX Other: sk-other\r\n: sk-nameless",
    "options.keyword": "Welcome",
    "options.keyword_absent": "Sorry",
}
TOLD = ["Accept: text/html", "X-Key:", "Authorization:", ":", ":", ":", ":"]
NOTE = "The secret that you typed here is not shown again."


class OpenOptions(ProbeOptions):
    """Whose model has no schema, so that all of them are one field."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="allow")

    strange: Annotated[Strange | None, Field(exclude=True)] = None


class OpenProbe(OddProbe):
    kind = "open"
    Options = OpenOptions


@pytest.fixture
def site(make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch) -> Site:
    found = {**dict(probes.items()), "odd": OddProbe(), "open": OpenProbe()}
    monkeypatch.setattr(probes, "_all", found)
    return watching.build(make_site)


def secrets(site: Site) -> dict[str, Any]:
    """What is kept of the only monitor's, opened."""
    (row,) = site.rows(Monitor)
    with site.app.app_context():
        return monitor_options.secrets(row)


def again(html: str, words: str) -> Form:
    return next(one for one in forms_of(html) if words in one.words)


def marked(html: str) -> list[str]:
    """The fields that say that their secret is not shown again, by name."""
    found = re.findall(rf'id="f-([^"]+)-left-out">{re.escape(NOTE)}', html)
    return sorted(found)


def lines(form: Form) -> list[str]:
    return form.fields["options.headers"].splitlines()


def made(site: Site, **options: Any) -> None:
    site.made("/monitors", name="Front", target=TARGET, options=options)


def test_the_sign_in_ends_while_somebody_types(site: Site, enter: Enter) -> None:
    """The page that keeps the form has all but the secrets; continued and saved, the monitor has what was typed."""
    made(site, keyword="Welcome", headers={"X-Key": "old"}, auth={"type": "bearer", "token": "was"})
    ann, nobody = enter(EDITOR), enter(None)
    form = ann.form("/monitors/front/edit", "Save")
    headers = {"options.headers": "Accept: text/html\nX-Key: sk-key"}
    token = {"options.auth.token": "sk-token", "options.keyword_absent": "Sorry"}
    answer = nobody.send(form, interval=70, **headers, **token)
    assert answer.status_code == 401
    assert "sk-" not in answer.text
    assert "<bdi>Options.auth.token</bdi>" in answer.text
    assert "<bdi>Options.headers</bdi>" in answer.text
    looked_at = ann.send(again(answer.text, "Continue"))
    assert looked_at.status_code == 400
    assert "sk-" not in looked_at.text
    shown = again(looked_at.text, "Save")
    assert lines(shown) == ["Accept: text/html", "X-Key:"]
    assert marked(looked_at.text) == ["options.auth.token", "options.headers"]
    assert ann.send(shown).status_code == 303
    now = watching.monitor(site, "front")
    assert (now["interval"], now["options"]["keyword"]) == (70, "Welcome")
    assert now["options"]["keyword_absent"] == "Sorry"
    assert now["options"]["headers"] == {"Accept": "text/html", "X-Key": MASK}
    assert secrets(site) == {"headers.X-Key": "old", "auth.token": "was"}


def test_a_form_that_comes_back_twice(site: Site, enter: Enter) -> None:
    """Continued too early it is kept again, and still says what is not there; a name that is no secret's says
    nothing."""
    made(site)
    ann, nobody = enter(EDITOR), enter(None)
    form = ann.form("/monitors/front/edit", "Save")
    once = nobody.send(form, **{"options.auth.token": "sk-token"})
    twice = nobody.send(again(once.text, "Continue"), left_out=["options.auth.token", "name", "x"])
    assert "<bdi>Options.auth.token</bdi>." in twice.text
    assert marked(ann.send(again(twice.text, "Continue")).text) == ["options.auth.token"]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("http://u:URLPW@127.0.0.1/", "http://127.0.0.1/"),
        ("http://URLPW@127.0.0.1/?a=b", "http://127.0.0.1/?a=b"),
        ("http://u:URLPW/x@y@127.0.0.1/", "http://127.0.0.1/"),
        ("u:URLPW@127.0.0.1", "127.0.0.1"),
        ("http:\\\\u:URLPW@127.0.0.1/", "http:\\\\127.0.0.1/"),
        ("http://127.0.0.1:80/@ann", None),
        ("http://[::1]:80/@ann", None),
        ("http://127.0.0.1/?to=ann@example.com:x", None),
    ],
)
def test_a_password_in_an_address(site: Site, enter: Enter, target: str, told: str | None) -> None:
    """It comes back neither with the form nor with the page that keeps it; the rest of the address does."""
    ann, nobody = enter(EDITOR), enter(None)
    form = ann.form("/monitors/new?kind=http", "Make the monitor")
    typed = {"name": "Front", "target": target, "timeout": "soon"}
    wrong, kept = ann.send(form, **typed), nobody.send(form, **typed)
    assert (wrong.status_code, kept.status_code) == (422, 401)
    shown = ann.send(again(kept.text, "Continue"))
    for answer in (wrong, kept, shown):
        assert "URLPW" not in answer.text
        back = again(answer.text, "Continue" if answer is kept else "Make the monitor")
        assert back.fields["target"] == (told or target)
    for answer in (wrong, shown):
        assert marked(answer.text) == (["target"] if told else [])


def test_blanks_before_an_address_cost_nothing(site: Site, enter: Enter) -> None:
    """Nobody need be signed in to send as many as a body may have; looking for a password in them must stay quick."""
    nobody = enter(None)
    before = time.process_time()
    for path, name in (("/monitors/new", "target"), ("/integrations/new", "address")):
        answer = nobody.open(
            f"{site.prefix}/admin{path}", method="POST", data={"kind": "http", name: " " * 60_000}
        )
        assert answer.status_code == 401
    assert time.process_time() - before < 5


def test_a_field_of_json_sent_many_times_costs_little(site: Site, enter: Enter) -> None:
    """Only the first one counts when it is read, so only that one is searched for the names of secrets."""
    words = " ".join(f"{n:x}" for n in range(16, 115))
    data = {"kind": "open", "options": [words] * 4000}
    before = time.process_time()
    url = f"{site.prefix}/admin/monitors/new"
    assert enter(None).open(url, method="POST", data=data).status_code == 401
    assert time.process_time() - before < 5


def test_two_members_type_secrets(site: Site, enter: Enter) -> None:
    """The second one hears of it, types theirs once more and has it; who types none, or the same one, goes on."""
    made(site, auth={"type": "bearer", "token": "was"})
    ann, bob, eve = enter(EDITOR), enter(ADMIN), enter(EDITOR)
    mine, theirs, none = (one.form("/monitors/front/edit", "Save") for one in (ann, bob, eve))
    own = {"options.auth.token": "sk-ann"}
    assert bob.send(theirs, **own | {"options.auth.token": "sk-bob"}).status_code == 303
    answer = ann.send(mine, **own)
    assert answer.status_code == 409
    assert "Somebody else changed a secret of this monitor meanwhile" in answer.text
    assert "sk-" not in answer.text
    assert secrets(site)["auth.token"] == "sk-bob"
    assert eve.send(none).status_code == 303
    assert secrets(site)["auth.token"] == "sk-bob"
    more = again(answer.text, "Save")
    assert ann.send(more, **own).status_code == 303
    assert secrets(site)["auth.token"] == "sk-ann"
    assert bob.send(theirs, **own).status_code == 303  # the same, sent by another one


def test_a_form_that_was_wrong_says_what_it_saw(site: Site, enter: Enter) -> None:
    """Shown again for another reason, also for that somebody changed something else, it still hears of the secret."""
    made(site, auth={"type": "bearer", "token": "was"})
    ann, bob = enter(EDITOR), enter(ADMIN)
    mine, theirs = (one.form("/monitors/front/edit", "Save") for one in (ann, bob))
    bobs = {"name": "Door", "options.auth.token": "sk-bob"}
    assert bob.send(theirs, **bobs).status_code == 303
    own = {"name": "Gate", "options.auth.token": "sk-ann"}
    for status, interval in ((409, 70), (422, "soon"), (409, 70)):
        answer = ann.send(mine, **own, interval=interval)
        assert answer.status_code == status
        assert secrets(site)["auth.token"] == "sk-bob"
        mine = again(answer.text, "Save")
    assert "Somebody else changed a secret of this monitor meanwhile" in answer.text
    assert ann.send(mine, **own).status_code == 303
    assert secrets(site)["auth.token"] == "sk-ann"


def test_a_secret_is_taken_away_meanwhile(site: Site, enter: Enter) -> None:
    """Typed over, it would come back."""
    made(site, auth={"type": "bearer", "token": "was"})
    ann, bob = enter(EDITOR), enter(ADMIN)
    form = ann.form("/monitors/front/edit", "Save")
    bare = bob.form("/monitors/front/edit", "Save")
    assert bob.send(bare, **{"options.auth.type": ""}).status_code == 303
    answer = ann.send(form, **{"options.auth.token": "sk-ann"})
    assert answer.status_code == 409
    assert secrets(site) == {}


def test_the_monitor_is_deleted_meanwhile(site: Site, enter: Enter) -> None:
    """The page with what was typed has all but the secrets."""
    made(site)
    ann = enter(EDITOR)
    form = ann.form("/monitors/front/edit", "Save")
    assert site.ask("DELETE", "/monitors/front").status_code == 204
    answer = ann.send(form, **TYPED)
    assert answer.status_code == 404
    assert "sk-" not in answer.text
    assert "Accept: text/html\nX-Key:\nAuthorization:\n" in answer.text
    assert "Welcome</textarea>" in answer.text
    assert "Secrets are left out of: <bdi>Options.auth.token</bdi>" in answer.text


@pytest.mark.parametrize("status", [422, 409, 400])
def test_the_form_is_shown_again(site: Site, enter: Enter, status: int) -> None:
    """Whatever is wrong: of secrets the names come back, and the fields say so."""
    made(site, keyword="Welcome")
    ann, wrong = enter(EDITOR), {}
    form = ann.form("/monitors/front/edit", "Save")
    if status == 422:
        wrong = {"interval": "soon"}
    elif status == 409:
        bob = enter(ADMIN)
        assert bob.send(bob.form("/monitors/front/edit", "Save"), interval=80).status_code == 303
        wrong = {"interval": "90"}
    else:
        form.fields["csrf_token"] = "old"
    answer = ann.send(form, **TYPED, **wrong)
    assert answer.status_code == status
    assert "sk-" not in answer.text
    assert lines(again(answer.text, "Save")) == TOLD
    assert again(answer.text, "Save").fields["options.keyword_absent"] == "Sorry"
    for field in ("options.headers", "options.auth.token"):
        assert f'<p class="sp-hint" id="f-{field}-left-out">{NOTE}' in answer.text
        place = answer.text.index(f' id="f-{field}" name')
        assert f"f-{field}-left-out" in answer.text[place : answer.text.index(">", place)]
    assert answer.text.count(NOTE) == 2


def test_a_mask_and_a_harmless_header_stay_as_they_are(site: Site, enter: Enter) -> None:
    """What is not typed as a secret is not taken for one, and no field says that it was."""
    made(site, headers={"X-Key": "old"})
    ann = enter(EDITOR)
    form = ann.form("/monitors/front/edit", "Save")
    headers = f"X-Key: {MASK}\nAccept: a: b\nX-Empty:\nReferer without"
    answer = ann.send(form, interval="soon", **{"options.headers": headers})
    assert lines(again(answer.text, "Save")) == headers.splitlines()
    assert NOTE not in answer.text


def test_no_secret_begins_without_a_value(site: Site, enter: Enter) -> None:
    """A name whose value was left out is refused until it is typed, where nothing is kept of it."""
    made(site)
    ann = enter(EDITOR)
    form = ann.form("/monitors/front/edit", "Save")
    refused = ann.send(form, **{"options.headers": "Accept:\nX-Key:"})
    assert refused.status_code == 422
    assert "Line 2: type the value of &#39;X-Key&#39;, which is a secret." in refused.text
    assert watching.monitor(site, "front")["options"]["headers"] == {}
    shown = again(refused.text, "Save")
    assert ann.send(shown, **{"options.headers": "Accept:\nX-Key: new"}).status_code == 303
    assert secrets(site) == {"headers.X-Key": "new"}


def test_another_way_to_sign_in_needs_its_secret(site: Site, enter: Enter) -> None:
    """A password that was not kept does not become none: it must be typed again."""
    made(site, auth={"type": "bearer", "token": "was"})
    ann, basic = enter(EDITOR), {"options.auth.type": "basic", "options.auth.username": "ann"}
    form = ann.form("/monitors/front/edit", "Save")
    kept = enter(None).send(form, **basic, **{"options.auth.password": "sk-1"})
    shown = again(ann.send(again(kept.text, "Continue")).text, "Save")
    assert ann.send(shown).status_code == 422
    assert secrets(site) == {"auth.token": "was"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"api_key": "sk-1", "x": [1]}', '{"api_key": "********", "x": [1]}'),
        ('{"spot": {"pin": "sk-1", "x": 2}}', '{"spot": {"pin": "********", "x": 2}}'),
        ('{"spot": {"pin": "********", "x": 2}}', None),
        ('{"note": "nothing"}', None),
        ("{'note': 'nothing'}", None),
        ("{'api_key': 'sk-1'}", "{}"),
        ('{"spot": {"pin": "sk-1" "x": 2}}', "{}"),
        (" ".join(f"word{n}" for n in range(101)) + " sk-1", "{}"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_secrets_in_json(site: Site, enter: Enter, text: str, told: str | None) -> None:
    """A mask stands in their place; where nobody knows what is one, what the form showed before."""
    ann: Member = enter(EDITOR)
    site.made("/monitors", name="M", kind="open", target="x")
    form = ann.form("/monitors/m/edit", "Save")
    answer = ann.send(form, interval="soon", options=text)
    assert answer.status_code == 422
    assert "sk-1" not in answer.text
    shown = again(answer.text, "Save").fields["options"]
    if told is None:
        assert shown == text
    else:
        assert json.loads(shown) == json.loads(told)
    assert (NOTE in answer.text) is (told is not None)


def test_fields_of_another_kind_are_taken_for_secrets(site: Site, enter: Enter) -> None:
    """Of an option that the kind does not have nobody knows what it is; the kind's own come back."""
    nobody = enter(None)
    fields = {"name": "M", "kind": "odd", "options.api_key": "sk-1", "options.text": "fine"}
    fields |= {"options.auth.token": "sk-2", "options.spot.pin": "sk-3", "options.keys": "sk-4"}
    answer = nobody.open("/status/admin/monitors/new", method="POST", data=fields)
    assert answer.status_code == 401
    assert "sk-" not in answer.text
    assert again(answer.text, "Continue").fields["options.text"] == "fine"
