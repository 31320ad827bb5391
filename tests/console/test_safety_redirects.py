"""Wherever the console leads after something was done: into itself, whatever a request claims of where it is from."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.console import sign_in
from tests.console.crawl import Whole, send
from tests.console.knowing import POSTS, accepted, needed
from tests.console.member import EDITOR, OWNER, Member, forms_of
from tests.servers.smtp import SmtpServer
from tests.web.site import SiteMaker

ELSEWHERE = {
    "scheme": "//evil.example",
    "backslashes": "\\\\evil.example",
    "mixed": "/\\evil.example",
    "no slashes": "https:evil.example",
    "whole": "https://evil.example/status/admin/",
    "user": "https://localhost@evil.example/",
    "script": "javascript:alert(1)",
    "tab": "/\t/evil.example",
    "dots": "/status/admin/..//evil.example",
    "encoded": "/%2f%2fevil.example",
}
"""Addresses elsewhere, as browsers may read them."""

NAMES = (
    "next",
    "back",
    "url",
    "to",
    "return_to",
    "return_url",
    "redirect",
    "redirect_uri",
    "referrer",
)
"""Fields by which sites are told where to lead to."""

OWN = "https://status.acme.example/status/admin/"
"""Where the browser is while it reads the answer."""


def forged(address: str) -> dict[str, str]:
    """Headers that say where a request comes from."""
    named = address.encode("unicode_escape").decode()
    return {
        "Referer": named,
        "Origin": "https://evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Original-URL": named,
        "Forwarded": "host=evil.example",
    }


def leads_within(answer: TestResponse) -> bool:
    """Whether the answer leads into the console, however a browser reads it."""
    location = answer.headers["Location"]
    parts = urlsplit(urljoin(OWN, location.replace("\\", "/").replace("\t", "")))
    same = (parts.scheme, parts.netloc) == ("https", "status.acme.example")
    return same and parts.path.startswith("/status/admin/") and "//" not in parts.path


@pytest.mark.parametrize("endpoint", POSTS)
def test_what_is_done_leads_into_the_console(whole: Whole, endpoint: str) -> None:
    """Headers and fields that name another site lead nowhere else than without them."""
    form, usual = accepted(whole, endpoint)
    if "Location" not in usual.headers:
        assert usual.status_code == 200  # it tells a secret, and leads nowhere
        return
    addresses, first = list(ELSEWHERE.values()), POSTS.index(endpoint)
    for turn in (first, first + 3, first + 7):
        whole.restore()
        # Each name with another address: the endpoints together try all of them with all.
        fields = {
            name: addresses[(turn + number) % len(addresses)]
            for number, name in enumerate(NAMES)
            if name not in form.names
        }
        browser = Member(whole.site, form.who)
        browser.client.environ_base["HTTP_HOST"] = "evil.example"
        claimed = forged(addresses[turn % len(addresses)])
        answer = send(browser, form, {**needed(whole, form), **fields}, **claimed)
        assert answer.status_code == 303, answer.text
        if endpoint == "x_connect":
            assert answer.headers["Location"].startswith("http://127.0.0.1:9/authorize?")
            assert "evil" not in answer.headers["Location"]
        else:
            assert leads_within(answer), answer.headers["Location"]


@pytest.mark.parametrize("endpoint", POSTS)
def test_a_status_page_is_a_name_and_no_address(whole: Whole, endpoint: str) -> None:
    """An address for the name of a status page is 404, and leads nowhere."""
    whole.restore()
    form = whole.forms(endpoint)[0]
    browser = Member(whole.site, form.who)
    token = browser.token()
    for address in ELSEWHERE.values():
        answer = send(browser, form, {"csrf_token": token, "status_page": address})
        if "?status_page=" in form.action:
            assert answer.status_code in (303, 404, 422), answer.text
            assert "Location" not in answer.headers or leads_within(answer)
        else:
            assert answer.status_code == 404, (address, answer.text)
            assert "Location" not in answer.headers


def test_pages_lead_nowhere(whole: Whole) -> None:
    """No page of the console is a redirect, whatever stands in the query."""
    whole.restore()
    owner = Member(whole.site, OWNER)
    for where, url in whole.found.places.items():
        query = "&".join(f"{name}=https%3A%2F%2Fevil.example" for name in NAMES)
        answer = owner.open(url + ("&" if "?" in url else "?") + query)
        assert answer.status_code in (200, 404), (str(where), answer.status_code)


@pytest.mark.parametrize("address", ELSEWHERE.values(), ids=list(ELSEWHERE))
def test_signing_in_leads_into_the_console(
    make_site: SiteMaker, smtp: SmtpServer, address: str
) -> None:
    """The form, the mailed link, the way out and X, with an address elsewhere wherever one could stand."""
    club = sign_in.build(make_site, smtp)
    ann = club.browser()
    shown = ann.client.get("/status/admin/login", query_string={"next": address})
    (form,) = [one for one in forms_of(shown.text) if "link" in one.words]
    assert "evil" not in shown.text
    asked = ann.client.post(
        form.action,
        data={**form.fields, "email": EDITOR, "next": address},
        headers={"Referer": forged(address)["Referer"]},
    )
    assert asked.status_code == 200
    assert club.send() == 1
    path = sign_in.path_in(smtp.messages[-1])
    assert "evil" not in sign_in.url_in(smtp.messages[-1])
    entered = ann.client.post(
        path,
        data={**ann.form_at(path).fields, **dict.fromkeys(NAMES, address)},
        headers={"Referer": forged(address)["Referer"]},
    )
    assert entered.status_code == 303
    assert leads_within(entered), entered.headers["Location"]
    back = ann.client.get(
        "/status/admin/x/callback", query_string={"state": address, "code": address}
    )
    assert "Location" not in back.headers
    (out,) = [one for one in forms_of(ann.get("/").text) if "Sign out" in one.words][:1]
    left = ann.client.post(
        out.action,
        data={**out.fields, **dict.fromkeys(NAMES, address)},
        headers={"Referer": forged(address)["Referer"]},
    )
    assert left.status_code == 303
    assert leads_within(left), left.headers["Location"]
