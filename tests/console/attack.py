"""Texts by which somebody tries to put something of their own into pages, typed into every field that there is."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import html5lib  # type: ignore[import-untyped]
from werkzeug.test import TestResponse

from flask_statuspage.domain.subscriber_lines import COLUMNS
from flask_statuspage.web.manage_api import operations
from tests.console.crawl import Form, Found, Place, Whole, again, crawl, everywhere, parsed, send
from tests.console.knowing import POSTS, needed
from tests.console.member import Member
from tests.web.routes import smallest
from tests.web.site import API, Site
from tests.web.test_openapi import CALLS

TRAP = "window.__x=1"
ELEMENTS = f"<img src=x onerror={TRAP}><svg/onload={TRAP}></script><script>{TRAP}</script>"

PAYLOADS = {
    "markup": (f"zq\"'></textarea></title></select>{ELEMENTS}",),
    "markdown": (
        f'[zq](javascript:{TRAP}) <javascript:{TRAP}> ![i](x" onerror="{TRAP}) <b onclick={TRAP}> '
        f"[zq](data:text/html,<script>{TRAP}</script>) [zq][r]\n\n[r]: javascript:{TRAP}",
    ),
    "other": (
        f"javascript:{TRAP}//zq",
        f'https://evil.example/zq"><script>{TRAP}</script>',
        f"data:text/html,<script>{TRAP}</script>zq",
        "zq{{7*7}}zq ${7*7} #{7*7} <%= 7*7 %>",
        "zq\u202e\u2066gnp.<b>exe",
    ),
}
"""Bodies of the manage API get each of them in each field; the fields of forms share those of one kind."""

SHORT = f'zq"><img src=x onerror={TRAP}>'
"""For fields that hold no more."""

MARKED = re.compile(r"zq|__x|evil\.example")
"""Without any of these a page holds nothing of :data:`PAYLOADS`, and need not be read."""

EVALUATED = "zq49zq"
"""What a template would make of one of them."""

MARKDOWN = {
    *("p", "a", "strong", "em", "code", "pre", "blockquote", "ul", "ol", "li", "hr", "br", "s"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
"""Elements that somebody may write in texts."""

RUNNING = ("style", "srcdoc", "http-equiv", "background")
ATTRIBUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*(:[a-z]+)?")
"""What is no such name is left of a text that broke out of its quotes."""

LEADING = ("href", "src", "action", "formaction", "xlink:href", "data", "poster", "cite", "srcset")
FORBIDDEN = ("javascript:", "data:", "vbscript:")

TAKES_NOTHING = {
    "incident_delete",
    "maintenance_delete",
    "factor_confirm",
    "factor_renew",
    "factor_off",
    "monitor_delete",
    "subscribers_import",
}
"""Forms whose text is compared with something, and kept nowhere."""

TRIES = 8
"""Each time without the fields that were refused."""

ALIKE = 2
"""Forms of one endpoint with the same fields that are tried, where the first does not take the text."""

MOST = 5
"""Pages of each route that are looked at afterwards: lists begin with what is newest."""

FEEDS = ("/api/feed.xml", "/api/feed.atom", "/api/v2/badge.svg")
ATOM = "{http://www.w3.org/2005/Atom}"
WITH_HTML = ("description", f"{ATOM}content", f"{ATOM}summary")
"""What readers of feeds show as HTML."""

PLAIN = (
    "/api/calendar.ics",
    "/api/incidents.csv",
    "/api/v2/summary.json",
    "/widget.js",
    "/api/openapi.json",
)


@dataclass
class Vocabulary:
    """The elements that pages have where nobody attacks."""

    tags: set[str] = field(default_factory=lambda: set(MARKDOWN))

    def learn(self, pages: Iterable[str]) -> Vocabulary:
        for html in pages:
            self.tags |= {str(node.tag) for node in parsed(html).iter()}
        return self

    def dangers(self, html: str) -> list[str]:
        """What a page holds that is not ours."""
        if not MARKED.search(html):
            return []
        found = ["a template was evaluated"] if EVALUATED in html else []
        return found + [told for node in parsed(html).iter() for told in self._of(node)]

    def _of(self, node: Element) -> Iterator[str]:
        if not isinstance(node.tag, str):  # a comment
            return
        if node.tag not in self.tags:
            yield f"<{node.tag}>"
        if node.tag == "script" and ("".join(node.itertext()).strip() or not node.get("src")):
            yield "a script within the page"
        for name, value in node.attrib.items():
            if name.startswith("on") or name in RUNNING or not ATTRIBUTE.fullmatch(name):
                yield f"<{node.tag} {name}>"
            plain = re.sub(r"[\s\x00-\x20]", "", value).lower()
            if name in LEADING and plain.startswith(FORBIDDEN):
                yield f"<{node.tag} {name}={value!r}>"
            if node.tag == "script" and name == "src" and not value.startswith("/status/assets/"):
                yield f"a script from {value!r}"


@dataclass
class Attack:
    """Texts of one kind in all fields. ``taken`` are the endpoints and operations that accepted it, with the fields."""

    whole: Whole
    payloads: tuple[str, ...]
    vocabulary: Vocabulary
    taken: dict[str, set[str]] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    count: int = 0
    asked: list[tuple[Place, set[str]]] = field(default_factory=list)
    browsers: dict[str, tuple[Member, str | None]] = field(default_factory=dict)

    def look(self, answer: TestResponse, where: str) -> None:
        assert answer.status_code < 500, (where, answer.text)
        if answer.mimetype == "text/html":
            self.found += [f"{where}: {told}" for told in self.vocabulary.dangers(answer.text)]
            places = (name for name in _refused(answer.text) if "." not in name)
            self.found += [
                f"{where}: nothing is wrong at #f-{name}"
                for name in places
                if f'id="f-{name}"' not in answer.text
            ]

    def forms(self) -> None:
        """Every form of the console, until one of each kind took the text."""
        for endpoint in POSTS:
            tried = Counter[frozenset[str]]()
            for form in self.whole.forms(endpoint):
                kind = frozenset(form.names)
                tried[kind] += 1
                if tried[kind] > ALIKE:
                    continue
                now = again(self.whole.site, form)
                if now is None or not now.free:
                    continue
                if self._hidden(now):
                    now = again(self.whole.site, form)
                if endpoint not in TAKES_NOTHING and self._typed(now):
                    break
        self._lines()
        for form in self.whole.found.forms:
            if form.method == "GET" and (form.place, form.names) not in self.asked:
                self.asked.append((form.place, form.names))
                self._send(form, self._texts(form.names))

    def _lines(self) -> None:
        """In every cell of a file."""
        form = self.whole.forms("subscribers_import")[0]
        usual = {"channel": "email", "address": "sample@acme.example"}
        for name in COLUMNS:
            cells = {**dict.fromkeys(COLUMNS, ""), **usual, name: self._text()}
            text = StringIO()
            writer = csv.DictWriter(text, COLUMNS)
            writer.writeheader()
            writer.writerow(cells)
            self._send(form, {"text": text.getvalue(), "state": "active", "check": "yes"})

    def _send(self, form: Form, changes: dict[str, str]) -> TestResponse:
        browser, token = self._browser(form.who)
        answer = send(browser, form, {"csrf_token": token, **changes})
        self.look(answer, f"{form.method} {form.place}")
        return answer

    def _browser(self, who: str) -> tuple[Member, str | None]:
        """A browser of *who*, and the token of its session; None where there are no forms."""
        if who not in self.browsers:
            browser = Member(self.whole.site, who or None)
            self.browsers[who] = browser, browser.token() if who else None
        return self.browsers[who]

    def _text(self) -> str:
        """One of the texts, otherwise each time: many names must be the only ones."""
        self.count += 1
        return f"{self.payloads[self.count % len(self.payloads)]} {self.count}"

    def _texts(self, names: Iterable[str]) -> dict[str, str]:
        """A text for each field, the same one where there is no choice: some are typed twice."""
        if len(self.payloads) == 1:
            return dict.fromkeys(names, self._text())
        return {name: self._text() for name in sorted(names)}

    def _hidden(self, form: Form) -> bool:
        """Also into what nobody types: hidden fields, choices, the name of the status page. Whether that was taken."""
        names = form.names - {"csrf_token"} - {c.name for c in form.controls if c.kind == "button"}
        answer = self._send(form, self._texts(names - {"status_page"}))
        self._send(form, {"status_page": self._text()})
        return answer.status_code < 400

    def _typed(self, form: Form | None) -> bool:
        """Whether the form took the text in some field; those that refuse it get back what they had."""
        if form is None:
            return False
        visible = [control for control in form.free if control.kind != "hidden"]
        prose = {c.name for c in visible if c.kind == "textarea" or c.is_required}
        fields = {control.name for control in visible}
        long = set[str]()
        for _ in range(TRIES):
            if not fields:
                return False
            typed = self._texts(fields) | dict.fromkeys(fields & long, f"{SHORT} {self.count}")
            answer = self._send(form, {**needed(self.whole, form), **typed})
            if answer.status_code in (200, 303):
                self.taken.setdefault(form.place.endpoint, set()).update(fields)
                return True
            refused = _refused(answer.text)
            shorter = {name for name in fields if "At most" in refused.get(name, "")} - long
            long |= shorter
            if shorter:
                continue
            wrong = fields & refused.keys()
            left = fields - wrong if wrong else fields & prose
            if left == fields:
                return False
            fields = left
        return False

    def bodies(self) -> None:
        """Every text in every body of the manage API, one at a time."""
        site = self.whole.site
        for operation in operations():
            if operation.body is None:
                continue
            rule = operation.path.removeprefix(API)
            path = self._path(rule)
            usual = next(
                (c.body for c in CALLS if (c.method, c.rule) == (operation.method, rule)), {}
            )
            usual = {**(usual or smallest(operation.method, rule) or {})}
            tries = (one for text in self.payloads for one in texts(operation.body, text))
            for name, value in tries:
                answer = site.ask(operation.method, path, {**usual, name: value})
                assert answer.status_code < 500, (rule, name, answer.text)
                assert answer.mimetype in ("application/json", "application/problem+json")
                if answer.status_code < 300:
                    self.taken.setdefault(f"{operation.method} {rule}", set()).add(name)

    def _path(self, rule: str) -> str:
        """*rule* for a thing that there is."""
        if "<ident>" not in rule:
            return rule
        items = self.whole.site.ask("GET", f"/{rule.split('/')[1]}").get_json()["items"]
        thing = next((one for one in items if one.get("name") != "owner"), items[0])
        path = rule.replace("<ident>", thing["id"])
        return (
            path.replace("<update_ident>", thing["updates"][0]["id"])
            if "update_ident" in path
            else path
        )

    def pages(self) -> Found:
        """All that is shown after the attack, to the team and to everybody."""
        site = self.whole.site
        found = everywhere(site, most=MOST).add(public(site))
        for url, html in found.pages.items():
            self.found += [f"{url}: {told}" for told in self.vocabulary.dangers(html)]
        nobody = Member(site, None)
        for form in found.posting:
            if "/admin/" not in form.action:
                self._send(form, self._texts(control.name for control in form.free))
        for payload in self.payloads:
            self._asked_for(nobody, quote(payload, safe=""))
        for path in FEEDS:
            self.found += [
                f"{path}: {told}" for told in self._in_feed(nobody.open(site.prefix + path))
            ]
        for path in PLAIN:
            answer = nobody.open(site.prefix + path)
            assert answer.status_code == 200
            assert "html" not in answer.mimetype
        return found

    def _asked_for(self, nobody: Member, hostile: str) -> None:
        """A text in addresses."""
        site = self.whole.site
        for path in (
            "incidents",
            "components",
            "confirm",
            "manage",
            "maintenance",
            "admin",
            "nothing",
        ):
            self.look(nobody.open(f"{site.prefix}/{path}/{hostile}"), f"/{path}/…")
        label = nobody.open(f"{site.prefix}/api/v2/badge.svg?label={hostile}")
        self.found += [f"label: {told}" for told in self._in_feed(label)]

    def _in_feed(self, answer: TestResponse) -> Iterator[str]:
        """What is wrong with the HTML that stands as text in XML, and with XML that browsers show."""
        if answer.status_code == 400:  # too long for a label
            return
        assert answer.status_code == 200, answer.text
        tree = ElementTree.fromstring(answer.data)
        for heading in tree.findall("channel/description"):  # of a channel it is plain text
            heading.text = None
        for node in tree.iter():
            yield from (f"<{node.tag} {name}>" for name in node.attrib if name.startswith("on"))
            if str(node.tag).endswith(("}script", "}img", "}foreignObject")):
                yield f"<{node.tag}>"
            if node.text and node.tag in WITH_HTML:
                fragment: Any = html5lib.parseFragment(node.text, namespaceHTMLElements=False)
                inner = (one for child in fragment for one in child.iter())
                yield from (
                    f"{node.tag}: {told}" for one in inner for told in self.vocabulary._of(one)
                )


def _refused(html: str) -> dict[str, str]:
    """The fields that a page finds wrong, and why. What is within another one stands in brackets behind its label."""
    found = {}
    for name, label, words in re.findall(r'href="#f-([^"]+)"[^>]*>([^<:]*)(.*?)</a>', html):
        part = re.search(r"\(([^()]+)\)$", label)
        found[f"{name}.{part[1]}" if part else name] = words
        found[name] = words
    return found


def public(site: Site) -> Found:
    """The public site, as everybody sees it."""
    return crawl(Member(site, None), f"{site.prefix}/", within=f"{site.prefix}/", most=MOST)


def texts(body: Any, payload: str) -> Iterator[tuple[str, Any]]:
    """The fields of a body that take text, or text within a list or an object, with the payload in them."""
    schema = body.model_json_schema()
    for name, what in schema["properties"].items():
        kinds = [one for one in (what, *what.get("anyOf", ())) if isinstance(one, dict)]
        kinds += [schema["$defs"][one["$ref"].rpartition("/")[2]] for one in kinds if "$ref" in one]
        types = {one.get("type") for one in kinds}
        if "string" in types:
            yield name, payload
        if "array" in types:
            yield name, [payload]
        if "object" in types:
            yield name, {payload: payload}
            yield name, {"region": payload}


def run(whole: Whole, vocabulary: Vocabulary, payloads: tuple[str, ...]) -> Attack:
    """Type *payloads* everywhere, then look at everything."""
    whole.restore()
    attack = Attack(whole, payloads, vocabulary)
    attack.forms()
    attack.bodies()
    attack.pages()
    return attack
