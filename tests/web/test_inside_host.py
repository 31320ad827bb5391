"""The pages inside a host's base template: its names, its landmarks, its language and its policy stay its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib  # type: ignore[import-untyped]
import pytest
from flask import Blueprint, Flask, request

from flask_statuspage import StatusPage
from flask_statuspage.delivery import links
from flask_statuspage.storage.subscriptions import Subscription
from tests.web.site import Site, SiteMaker

HTML = {"Accept": "text/html"}

BASE = """<!doctype html>
<html lang="{{ language.code }}"><head><meta charset="utf-8">
<title>{% block title %}{% endblock %}</title>
{% block head %}<link rel="stylesheet" href="/host.css">{% endblock %}</head>
<body><header>{{ page.title }} | {{ t("greeting") }} | {{ _("hello") }} | {{ names[0] }} | {{ urls.login }}
| {{ words }} | {{ zone }} | {{ here }} | {{ title }} | {{ message }} | {{ banner }} | {{ moment.year }}
| {{ direction }} | {{ frame }} | {{ sections }} | {{ component is defined }} | {{ snapshot is defined }}</header>
<nav aria-label="Acme">…</nav>
<h1>Acme</h1>
<main>{% block content %}{% endblock %}</main>
<footer>of Acme</footer>
{% block scripts %}<script src="/host.js"></script>{% endblock %}</body></html>"""

HEADER = (
    "Acme portal | t(greeting) | _(hello) | Ann | /login | the words of Acme | zone 7 | here | Acme"
    " | hello | wave | 1999 | up | window | three | False | False"
)


def names_of_acme() -> dict[str, Any]:
    """What a host's context processor may call its own things."""
    return {
        "language": {"code": "pl"},
        "page": {"title": "Acme portal"},
        "t": lambda key: f"t({key})",
        "_": lambda key: f"_({key})",
        "names": ["Ann"],
        "urls": {"login": "/login"},
        "words": "the words of Acme",
        "zone": "zone 7",
        "here": "here",
        "title": "Acme",
        "message": "hello",
        "banner": "wave",
        "moment": {"year": 1999},
        "direction": "up",
        "frame": "window",
        "sections": "three",
    }


def acme(app: Flask) -> None:
    app.context_processor(names_of_acme)


@pytest.fixture
def make_acme(make_site: SiteMaker, tmp_path: Path) -> Callable[..., Site]:
    """Makes sites whose pages stand in Acme's base template, with something on them."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "acme.html").write_text(BASE, encoding="utf-8")

    def make(**options: Any) -> Site:
        options.setdefault("host", acme)
        site = make_site(
            templates=tmp_path,
            STATUSPAGE_BASE_TEMPLATE="acme.html",
            STATUSPAGE_HEADING_LEVEL=2,
            **options,
        )
        site.made("/component-groups", name="Core")
        site.made("/components", name="API", group="Core", status="partial_outage")
        site.made("/components", name="Web")
        return site

    return make


def every_path(site: Site) -> list[str]:
    """The paths of all pages that a visitor can come to, errors too."""
    incident = site.made("/incidents", title="Slow answers", components=["api"], body="We look.")
    window = {"scheduled_start": "2036-01-01T00:00:00Z", "scheduled_end": "2036-01-01T02:00:00Z"}
    maintenance = site.made("/maintenances", title="New disks", components=["web"], **window)
    site.post("/subscribe", json={"channel": "email", "address": "ann@example.com"})
    row = site.rows(Subscription)[0]
    own, confirm = site.token(links.OWN, row), site.token(links.CONFIRM, row)
    return [
        "/",
        "/subscribe",
        "/docs",
        f"/incidents/{incident['id']}",
        f"/maintenance/{maintenance['id']}",
        f"/confirm/{confirm}",
        f"/manage/{own}",
        f"/unsubscribe/{own}",
        "/incidents/none",
        "/manage/none",
        "/?lang=de",
    ]


def tree_of(html: str) -> Element:
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return tree


def text_of(element: Element | None) -> str:
    assert element is not None
    return " ".join("".join(element.itertext()).split())


def test_the_hosts_names_stay_its_own(make_acme: Callable[..., Site]) -> None:
    """Whatever a host's context processors call their things, its base template finds them on every page of ours."""
    site = make_acme()
    for path in every_path(site):
        tree = tree_of(site.get(path, headers=HTML).text)
        assert text_of(tree.find(".//header")) == HEADER, path
        assert "Acme" not in text_of(tree.find(".//title")), path


def test_the_hosts_language_stays(make_acme: Callable[..., Site]) -> None:
    """The host says its own language; what is ours says which it is in, also where that is another one."""
    site = make_acme()
    for query, language in (("", "en"), ("?lang=ar", "ar")):
        tree = tree_of(site.get(f"/{query}").text)
        assert tree.get("lang") == "pl"
        [ours] = [e for e in tree.iter("div") if "sp" in (e.get("class") or "").split()]
        assert ours.get("lang") == language
        assert ours.get("dir") == ("rtl" if language == "ar" else "ltr")


LANDMARKS = {"nav": "navigation", "section": "region", "aside": "complementary", "form": "form"}


def test_one_main_and_no_landmark_twice(make_acme: Callable[..., Site]) -> None:
    """In a host's page there is one main, banner and content info, its own h1, and no two landmarks of one name."""
    site = make_acme()
    for path in every_path(site):
        tree = tree_of(site.get(path, headers=HTML).text)
        count = Counter(element.tag for element in tree.iter() if isinstance(element.tag, str))
        assert (count["main"], count["h1"]) == (1, 1), path
        assert count["header"] == count["footer"] == 1, path
        by_id = {element.get("id"): element for element in tree.iter() if element.get("id")}
        landmarks: Counter[tuple[str, str]] = Counter()
        for element in tree.iter():
            if element.tag not in LANDMARKS:
                continue
            label = element.get("aria-label")
            if labelled := element.get("aria-labelledby"):
                label = " ".join(text_of(by_id[one]) for one in labelled.split())
            if label or element.tag in ("nav", "aside"):
                landmarks[LANDMARKS[element.tag], label or ""] += 1
        assert [found for found, times in landmarks.items() if times > 1] == [], path
        levels = [int(e.tag[1]) for e in tree.iter() if e.tag in ("h1", "h2", "h3", "h4", "h5")]
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_what_the_host_puts_into_its_blocks_stays(make_acme: Callable[..., Site]) -> None:
    """Ours comes after what a host's blocks hold already: its sheet first, its script once."""
    html = make_acme().get("/").text
    assert html.index("/host.css") < html.index("statuspage.css") < html.index("</head>")
    assert html.count("/host.js") == 1


def test_nothing_but_our_own_files_is_needed(make_acme: Callable[..., Site]) -> None:
    """No policy of ours is sent inside a host's template, and pages need nothing that 'self' does not allow."""
    site = make_acme()
    for path in every_path(site):
        answer = site.get(path, headers=HTML)
        assert "Content-Security-Policy" not in answer.headers
        for element in tree_of(answer.text).iter():
            if not isinstance(element.tag, str):
                continue
            assert element.tag != "style"
            assert element.tag != "script" or (
                element.get("src") and not "".join(element.itertext())
            )
            assert not [n for n in element.attrib if n == "style" or n.startswith("on")], path
            for name in ("src", "action", "formaction"):
                assert (element.get(name) or "/").startswith("/"), (path, element.attrib)
            if element.tag == "link" and element.get("rel") == "stylesheet":
                assert (element.get("href") or "").startswith("/")


def test_a_base_without_scripts_and_head(make_site: SiteMaker, tmp_path: Path) -> None:
    """Of the blocks only content has to be there."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "bare.html").write_text(
        "<main>{% block content %}{% endblock %}</main>"
    )
    site = make_site(templates=tmp_path, STATUSPAGE_BASE_TEMPLATE="bare.html")
    html = site.get("/").text
    assert html.startswith("<main>")
    assert html.rstrip().endswith("</main>")
    assert "All systems operational" in html


def test_a_base_of_several_layers(make_site: SiteMaker, tmp_path: Path) -> None:
    """A base template may extend another one and fill its blocks."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "root.html").write_text(
        "<title>{% block title %}{% endblock %}</title>{% block side %}{% endblock %}{% block body %}{% endblock %}"
    )
    (tmp_path / "templates" / "site.html").write_text(
        "{% extends 'root.html' %}{% block side %}at the side{% endblock %}"
        "{% block body %}<main>{% block content %}{% endblock %}</main>{% endblock %}"
    )
    site = make_site(templates=tmp_path, STATUSPAGE_BASE_TEMPLATE="site.html")
    html = site.get("/").text
    assert "at the side<main>" in html
    assert "<title>All systems operational" in html


def nested(statuspage: StatusPage) -> Callable[[Flask], None]:
    """Mounts *statuspage* once more, inside another blueprint, under another name."""

    def host(app: Flask) -> None:
        acme(app)
        parent = Blueprint("area", __name__, url_prefix="/area/<region>")

        @parent.url_value_preprocessor
        def take(endpoint: str | None, values: dict[str, Any] | None) -> None:
            request.region = (values or {}).pop("region", None)  # type: ignore[attr-defined]

        @parent.url_defaults
        def give(endpoint: str, values: dict[str, Any]) -> None:
            values.setdefault("region", getattr(request, "region", "eu"))

        parent.register_blueprint(statuspage, url_prefix="/help/status", name="inner")
        app.register_blueprint(parent)

    return host


def test_two_mounts_in_the_hosts_template(make_acme: Callable[..., Site]) -> None:
    """Mounted twice, once nested and with several segments, each mount's pages link within themselves and work."""
    statuspage = StatusPage()
    site = make_acme(statuspage=statuspage, host=nested(statuspage), prefix="/a/status")
    paths = every_path(site)
    for prefix in ("/a/status", "/area/us/help/status"):
        for path in paths:
            answer = site.client.get(prefix + path, headers=HTML)
            tree = tree_of(answer.text)
            assert text_of(tree.find(".//header")) == HEADER
            ours = next(e for e in tree.iter("div") if "sp" in (e.get("class") or "").split())
            for element in ours.iter():
                for name in ("href", "action", "src"):
                    address = element.get(name) or "#"
                    if address.startswith("/"):
                        assert address.startswith(prefix + "/"), (path, address)
                        found = site.client.get(address, headers=HTML)
                        found.close()
                        assert found.status_code in (200, 404, 405), address
                        assert found.status_code == 200 or element.tag == "form" or "none" in path
