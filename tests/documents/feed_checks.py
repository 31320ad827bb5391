"""What the W3C's feed validator asks of a feed, for an offline test."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import html5lib

ATOM = "{http://www.w3.org/2005/Atom}"
RFC_822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d\d:\d\d:\d\d [+-]\d{4}"
)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
URN = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def checked_rss(data: bytes) -> list[Element]:
    """The items of an RSS document that is as it should be."""
    root = ElementTree.fromstring(data)
    assert root.tag == "rss"
    assert root.get("version") == "2.0"
    (channel,) = root
    assert channel.tag == "channel"
    for name in ("title", "link", "description", "language", "lastBuildDate", "generator"):
        assert text(channel, name)
    (own,) = channel.findall(f"{ATOM}link")
    assert own.get("rel") == "self"
    check_absolute(own.attrib["href"])
    check_absolute(text(channel, "link"))
    assert LANGUAGE.fullmatch(text(channel, "language"))
    rfc_822(text(channel, "lastBuildDate"))
    items = channel.findall("item")
    for item in items:
        check_absolute(text(item, "link"))
        assert text(item, "title")
        assert RFC_822.fullmatch(text(item, "pubDate"))
        guid = item.find("guid")
        assert guid is not None
        assert guid.get("isPermaLink") == "false"
        assert URN.fullmatch(guid.text or "")
        check_html(text(item, "description"))
    check_unique([text(item, "guid") for item in items])
    return items


def checked_atom(data: bytes) -> list[Element]:
    """The entries of an Atom document that is as it should be."""
    feed = ElementTree.fromstring(data)
    assert feed.tag == f"{ATOM}feed"
    assert LANGUAGE.fullmatch(feed.attrib["{http://www.w3.org/XML/1998/namespace}lang"])
    for name in ("title", "id", "updated", "generator"):
        assert text(feed, f"{ATOM}{name}")
    assert text(feed, f"{ATOM}author/{ATOM}name")
    links = {link.attrib["rel"]: link.attrib["href"] for link in feed.findall(f"{ATOM}link")}
    assert set(links) == {"self", "alternate"}
    for href in links.values():
        check_absolute(href)
    rfc_3339(text(feed, f"{ATOM}updated"))
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        (link,) = entry.findall(f"{ATOM}link")
        assert link.get("rel") == "alternate"
        check_absolute(link.attrib["href"])
        assert text(entry, f"{ATOM}title")
        assert URN.fullmatch(text(entry, f"{ATOM}id"))
        published, updated = (
            rfc_3339(text(entry, f"{ATOM}{name}")) for name in ("published", "updated")
        )
        assert published <= updated
        content = entry.find(f"{ATOM}content")
        assert content is not None
        assert content.get("type") == "html"
        check_html(content.text or "")
    check_unique([text(feed, f"{ATOM}id"), *(text(entry, f"{ATOM}id") for entry in entries)])
    return entries


def text(element: Element, path: str) -> str:
    (found,) = element.findall(path)
    assert found.text is not None, path
    return found.text


def rfc_822(value: str) -> datetime:
    assert RFC_822.fullmatch(value)
    return parsedate_to_datetime(value)


def rfc_3339(value: str) -> datetime:
    assert RFC_3339.fullmatch(value)
    return datetime.fromisoformat(value)


def check_absolute(url: str) -> None:
    parts = urlsplit(url)
    assert parts.scheme in ("http", "https"), url
    assert parts.netloc, url


def check_html(content: str) -> None:
    """No script, no event handler, no address that is relative."""
    for element in html5lib.parseFragment(content, namespaceHTMLElements=False).iter():
        assert element.tag not in ("script", "style", "iframe", "object", "img", "meta", "base")
        for name, value in element.attrib.items():
            assert name in ("href", "rel", "start")
            if name == "href":
                assert urlsplit(value).scheme in ("http", "https", "mailto"), value


def check_unique(ids: list[str]) -> None:
    assert len(ids) == len(set(ids))
