"""Of every form: what was typed comes back where it can be neither done nor shown in its form, its secrets do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.datastructures import MultiDict

from tests.console.conftest import Enter
from tests.console.crawl import MACHINERY, Form, Whole
from tests.console.knowing import POSTS
from tests.console.member import ADMIN, Member, forms_of
from tests.web.site import Site

SECRET = {
    "code": {"factor_confirm", "factor_renew", "factor_off"},
    "secret": {"integration", "integration_new"},
    "options.auth.password": {"monitor_new", "monitor_edit"},
    "options.auth.token": {"monitor_new", "monitor_edit"},
    "options.headers": {"monitor_new", "monitor_edit"},
}
"""Fields in which a plain word may be a secret, and the forms that they stand in."""

NOTHING = "00000000-0000-7000-8000-000000000000"
"""The id of nothing."""


def is_secret(form: Form, name: str) -> bool:
    control = next(one for one in form.controls if one.name == name and one.kind != "hidden")
    # That of a webhook is none, as long as it does not lead to Slack.
    if name == "address" and form.place.endpoint == "integration_new":
        return control.kind == "password"
    assert (control.kind != "password") or name in SECRET, f"{name}: list this field in SECRET"
    return form.place.endpoint in SECRET.get(name, ())


def forms(whole: Whole) -> Iterator[Form]:
    """One form of each sort that somebody fills something in."""
    seen = set()
    for form in whole.found.posting:
        sort = form.place.endpoint, *((one.name, one.kind) for one in form.controls)
        if sort not in seen and form.place.endpoint in POSTS and filled(form)[1]:
            seen.add(sort)
            yield form


def filled(form: Form) -> tuple[MultiDict[str, str], dict[str, str]]:
    """What *form* sends with another word in each field, and the words by the names of the fields."""
    sent, words = MultiDict[str, str](), dict[str, str]()
    for control in form.controls:
        if control.kind == "hidden":
            sent.add(control.name, control.value)
        elif control.kind != "button" and control.name not in words:
            words[control.name] = f"word{len(words)}word"
            sent.add(control.name, words[control.name])
    return sent, words


def test_the_sign_in_has_ended(whole: Whole) -> None:
    """What is no secret stands in its field of the page that keeps it; a secret stands nowhere on it."""
    for form in forms(whole):
        where = form.place.endpoint
        sent, words = filled(form)
        answer = Member(whole.site, None).open(form.action, method="POST", data=sent)
        assert answer.status_code == 401
        (again,) = (one for one in forms_of(answer.text) if "Continue" in one.words)
        for name, word in words.items():
            if is_secret(form, name):
                assert word not in answer.text, (where, name)
                assert again.fields.get(name) in (None, ":"), (where, name)
            else:
                assert again.fields.getlist(name) == [word], (where, name)
        told = {name for name, value in sent.items(multi=True) if name not in MACHINERY}
        secret = {name for name in words if is_secret(form, name)}
        assert told - secret <= set(again.fields), where


def test_the_thing_is_gone(whole: Whole) -> None:
    """The same of the page with what was typed into the form of something that somebody deleted."""
    browsers: dict[str, tuple[Member, str]] = {}
    for form in forms(whole):
        idents = [value for name, value in form.place.arguments if name.endswith(("ident", "_id"))]
        if not idents:
            continue
        url = form.action
        for ident in idents:
            url = url.replace(ident, NOTHING)
        if form.who not in browsers:
            browser = Member(whole.site, form.who)
            browsers[form.who] = browser, browser.token()
        browser, token = browsers[form.who]
        sent, words = filled(form)
        sent["csrf_token"] = token
        answer = browser.open(url, method="POST", data=sent)
        assert answer.status_code == 404, url
        for name, word in words.items():
            is_told = word in answer.text
            assert is_told is not is_secret(form, name), (form.place.endpoint, name)


def test_each_secret_was_looked_for(whole: Whole) -> None:
    """The forms above have the fields that are listed."""
    found = {(name, form.place.endpoint) for form in forms(whole) for name in form.names}
    assert {(name, one) for name, places in SECRET.items() for one in places} <= found
    assert {("options.keyword", "monitor_edit"), ("address", "integration_new")} <= found
    assert len({form.place.endpoint for form in forms(whole)}) > 25


@pytest.mark.parametrize("path", ["/", "/incidents/new"])
def test_a_service_may_have_any_name(site: Site, enter: Enter, path: str) -> None:
    """Names of fields have slugs in them, which say nothing of secrets."""
    for name in ("Keycloak", "Barcode scanner", "Secret santa", "Passwords"):
        site.made("/components", name=name)
    form = enter(ADMIN).form(path, "Keycloak")
    data = {name: "major_outage" if "." in name else "x" for name in form.fields}
    assert sum(name.startswith(("status.", "components.")) for name in data) >= 4
    answer = enter(None).open(form.action, method="POST", data=data)
    (again,) = (one for one in forms_of(answer.text) if "Continue" in one.words)
    assert {**again.fields.to_dict(), "csrf_token": "x"} == data
