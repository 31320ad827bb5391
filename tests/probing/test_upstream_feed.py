"""What the feeds of status pages tell, in the styles of several providers, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_statuspage.domain.status import ComponentStatus
from flask_statuspage.domain.upstream import UpstreamState
from flask_statuspage.probing.upstream_feed import read
from flask_statuspage.probing.upstream_xml import MAX_ENTRIES, plain
from flask_statuspage.probing.upstream_xml import read as read_xml

from .test_upstream_documents import CAPTURES, DEGRADED, DOWN, MAINTENANCE, PARTIAL, UP

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def capture(name: str) -> UpstreamState:
    return read((CAPTURES / name).read_bytes(), NOW)


def rss(*items: str) -> bytes:
    return f'<rss version="2.0"><channel><title>P</title>{"".join(items)}</channel></rss>'.encode()


def item(
    title: str, text: str = "", *, hours: float | None = 1, guid: str = "", more: str = ""
) -> str:
    """An entry of *hours* ago."""
    at = "" if hours is None else format_datetime(NOW - timedelta(hours=hours))
    dated = f"<pubDate>{at}</pubDate>" if at else ""
    described = f"<description>{escape(text)}</description>"
    return f"<item><title>{escape(title)}</title><guid>{guid}</guid>{dated}{described}{more}</item>"


def test_the_style_of_aws() -> None:
    """Each word is an entry of its own; the newest of one place counts, and one title may stand over two places."""
    state = capture("aws.rss")
    assert (state.name, state.url) == (
        "Corvus Web Services Service Status",
        "http://status.corvus.example/",
    )
    assert [(one.title, one.status) for one in state.news] == [("Increased Error Rates", DEGRADED)]
    assert state.news[0].text.endswith("in the EU-WEST-3 Region.")
    assert state.components == ()


def test_the_style_of_google_cloud() -> None:
    """The title begins with the state; entries of one incident have its address."""
    state = capture("google_cloud.atom")
    (news,) = state.news
    assert (news.title, news.status) == ("europe-west9: network service disruption", DOWN)
    assert news.text.endswith("Packets are lost on <all> routes.")
    assert state.status is DOWN


def test_the_style_of_statuspage() -> None:
    """The text lists the updates, the newest first; planned work is maintenance."""
    state = capture("statuspage.atom")
    assert state.name == "Halvorsen Cloud Status"
    assert [(one.title, one.text, one.status) for one in state.news] == [
        (
            "Application deployment performance",
            "Identified - Some users are experiencing deployment delays.",
            DEGRADED,
        ),
        ("Database upgrade", "In progress - Work has begun.", MAINTENANCE),
    ]
    assert (capture("statuspage.rss").status, capture("statuspage.rss").news) == (UP, ())


@pytest.mark.parametrize(
    ("title", "text", "hours", "goes_on"),
    [
        ("Errors", "<strong>Investigating</strong> - We look.", 1, True),
        (
            "Errors",
            "<p>Mar 2</p><p><b>Resolved</b> - Done.</p><p><b>Update</b> - Hm.</p>",
            1,
            False,
        ),
        ("Errors", "Status: Monitoring", 300, True),
        ("Errors", "Status: Monitoring", 24 * 14 + 1, False),
        ("Errors", "Something is wrong.", 23, True),
        ("Errors", "Something is wrong.", 25, False),
        ("Errors", "Something is wrong.", None, False),
        ("Errors", "Investigating.", None, True),
        ("[Resolved] Errors", "Investigating - We look.", 1, False),
        ("RESOLVED: Errors", "", 1, False),
        ("Errors", "This was resolved soon after it was identified.", 1, True),
        ("Errors", "[14:00 UTC] Completed.", 1, False),
        ("Upgrade", "Scheduled - Tomorrow.", 1, False),
        ("Newcastle: errors", "Status: Fixed", 1, False),
        ("New-Orleans is down", "Status: Fixed", 1, False),
    ],
)
def test_whether_it_goes_on(title: str, text: str, hours: float | None, goes_on: bool) -> None:
    """The title's state counts, else that of the first line that begins with one; without any it goes on for a day."""
    state = read(rss(item(title, text, hours=hours)), NOW)
    assert bool(state.news) is goes_on


@pytest.mark.parametrize(
    ("title", "text", "status"),
    [
        ("Errors", "", DEGRADED),
        ("Major outage of mail", "", DOWN),
        ("Service disruption: mail", "", DOWN),
        ("Partial outage", "", PARTIAL),
        ("Mail outage", "", PARTIAL),
        ("Mail", "Impact: Major outage", DOWN),
        ("Mail", "Severity: critical", DOWN),
        ("Mail", "Impact: minor", DEGRADED),
        ("Mail", "Impact: None", UP),
        ("Mail", "We have a major outage.", DEGRADED),
        ("Maintenance of a major outage", "Status: In progress", MAINTENANCE),
    ],
)
def test_how_bad_it_is(title: str, text: str, status: ComponentStatus) -> None:
    """Its title, or a line that is there to say so, tells; else it is degraded performance and no more."""
    assert read(rss(item(title, text)), NOW).status is status


def test_the_newest_word_counts_wherever_it_stands() -> None:
    """Entries of one incident, here of one title, are one: the latest by its time says how it is."""
    told = [
        item("Investigating: Errors", hours=3, guid="a"),
        item("Resolved: Errors", hours=1, guid="c"),
        item("Update: Errors", hours=2, guid="b"),
        item("Update: Others", hours=2, guid="d"),
    ]
    for order in (told, told[::-1]):
        assert [one.title for one in read(rss(*order), NOW).news] == ["Others"]


def test_a_component_of_a_feed() -> None:
    """Entries that name it in their title, category or a line of their own count; where none does it is fine."""
    body = rss(
        item("Errors of Mail", guid="1"),
        item("Slow", guid="2", more="<category>DNS</category>"),
        item("Odd", "Affected: Web, Shop", guid="3"),
        item("Emailing", "It is about Backups", guid="4"),
    )
    state = read(body, NOW)
    named = {name: [one.title for one in state.narrowed(name).news] for name in ("mail", "DNS")}
    assert named == {"mail": ["Errors of Mail"], "DNS": ["Slow"]}
    assert [one.title for one in state.narrowed("shop").news] == ["Odd"]
    assert state.narrowed("Backups").status is UP


def test_a_feed_without_entries_is_fine() -> None:
    """Feeds tell only what is wrong."""
    assert read(rss(), NOW).status is UP
    assert (
        read(b'<feed xmlns="http://www.w3.org/2005/Atom"><title>P</title></feed>', NOW).name == "P"
    )


LAUGHS = (
    b'<!DOCTYPE rss [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;">' % (c + 1, c, c) for c in range(97, 120))
    + b"]><rss><channel><title>&x;</title></channel></rss>"
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<html><body><p>Status</p></body></html>",
        b"<rss><channel>",
        b"<feed><title>no namespace</title></feed>",
        b"<!DOCTYPE rss><rss><channel/></rss>",
        b'<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss><channel/></rss>',
        b'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><rss><channel>&e;</channel></rss>',
        LAUGHS,
        b"<rss><channel><title>&undefined;</title></channel></rss>",
        b"<rss>" + b"<a>" * 200 + b"</a>" * 200 + b"</rss>",
        b"<rss><channel>" + b"<a/>" * 100_000 + b"</channel></rss>",
        b'<?xml version="1.0" encoding="klingon"?><rss/>',
        b'<?xml version="1.0" encoding="utf-7"?><rss/>',
    ],
)
def test_what_is_no_feed(body: bytes) -> None:
    """Another kind of XML, a broken one, and every document type are refused before anything is expanded."""
    with pytest.raises(ValueError, match=r"^It |multi-byte"):
        read(body, NOW)


def test_more_than_is_read_is_left() -> None:
    """Entries beyond the first five hundred, and the rest of a long text, are dropped."""
    many = rss(*(item(f"Update: {n}", "x" * 30_000, guid=str(n)) for n in range(MAX_ENTRIES + 5)))
    news = read(many, NOW).news
    assert len(news) == MAX_ENTRIES
    assert all(len(one.text) <= 4_000 for one in news)


def test_tags_are_dropped() -> None:
    """What they hold stays; blocks and line breaks begin lines."""
    assert plain("<p>a<br/>b &amp; <b>c</b></p>") == "a\nb & c"


LONG = [
    *("<", "<a ", "<!--", "&", "<p", "</", "a", ":feed:", "x.", "_1", "1", " ", "new: ", "["),
    *("status: ", "affected ", "- ", "&#", "impact"),
]


@pytest.mark.parametrize("piece", LONG)
@pytest.mark.parametrize("begin", ["<", "", ":feed:", "_", "["])
def test_no_text_takes_long(begin: str, piece: str) -> None:
    """However a text goes on, twice of it takes about twice the time: nobody's feed stops a worker."""
    assert is_linear(lambda size: plain(begin + piece * (size // len(piece))))


@pytest.mark.parametrize("piece", LONG)
def test_no_feed_takes_long(piece: str) -> None:
    """Feeds whose titles, texts, ids and dates all go on like that, too."""

    def body(size: int) -> bytes:
        said = escape(piece * (size // len(piece)))
        rest = f"<link>{said}</link><pubDate>{said}</pubDate><category>{said}</category>"
        return rss(*(item(said, said, hours=None, guid=said, more=rest) for _ in range(4)))

    assert is_linear(lambda size: read(body(size), NOW))


def is_linear(call: Callable[[int], object], *, size: int = 10_000) -> bool:
    """Whether *call* takes at most three times as long with twice as much, but for what is hard to measure."""
    return taken(call, 2 * size) < 3 * taken(call, size) + 0.05


def taken(call: Callable[[int], object], size: int) -> float:
    times = []
    for _ in range(2):
        began = time.thread_time()
        call(size)
        times.append(time.thread_time() - began)
        if times[0] > 1:
            break
    return min(times)


def test_a_feed_is_read_to_an_end() -> None:
    """Beyond the first million characters long texts are cut, titles stay; what is too long for an address is
    dropped."""
    feed = read_xml(rss(*(item("t" * 400, "x" * 20_000) for _ in range(80))))
    lengths = [len(one.text("description")) for one in feed.entries]
    assert lengths == [20_000] * 50 + [500] * 30 or lengths == [20_000] * 49 + [500] * 31
    assert {len(one.text("title")) for one in feed.entries} == {400}
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><link href="https://a.example/%s"/></feed>'
    assert read_xml((atom % "").encode()).links == ["https://a.example/"]
    assert read_xml((atom % ("x" * 500)).encode()).links == [""]


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("arn:a_1700000000", "arn:a_1700000099", True),
        ("arn:a_17", "arn:a_18", False),
        ("tag:x,2026:feed:AbC.1", "tag:x,2026:feed:AbC.2", True),
        ("tag:x,2026:feed:AbC.1", "tag:x,2026:feed:AbD.1", False),
        ("tag:x,2026:feed:A.b.1", "tag:x,2026:feed:A.b.2", False),
        ("a.1", "a.2", False),
    ],
)
def test_which_ids_are_of_one_incident(first: str, second: str, alike: bool) -> None:
    """Those of AWS that differ in their time, and those of Google Cloud that differ in their update."""
    told = [item(title, guid=guid) for title, guid in (("Some", first), ("Other", second))]
    assert len(read(rss(*told), NOW).news) == (1 if alike else 2)


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60)), max_size=5))
def test_any_text_is_read(told: list[tuple[str, str]]) -> None:
    """Whatever stands in titles and texts, a well-formed feed is read."""
    fit = [("".join(filter(str.isprintable, one)) for one in pair) for pair in told]
    assert read(rss(*(item(*pair) for pair in fit)), NOW).status in ComponentStatus
