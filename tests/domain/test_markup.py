"""Markdown made safe."""

from __future__ import annotations

import sys
import time
from xml.etree import ElementTree

import html5lib
import pytest

from flask_statuspage.domain.markup import MAX_CHARACTERS, has_control, to_html

HARMLESS = {
    *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}


def elements(text: str) -> list[ElementTree.Element]:
    """What a browser makes of *text* rendered."""
    body = html5lib.parseFragment(to_html(text), namespaceHTMLElements=False)
    return [element for element in body.iter() if isinstance(element.tag, str)][1:]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Hello", "<p>Hello</p>\n"),
        ("**bold** *em* ~~gone~~ `x < y`", None),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. c", '<ol start="3">\n<li>c</li>\n</ol>\n'),
        ("# Title", "<h3>Title</h3>\n"),
        ("##### Deep", "<h5>Deep</h5>\n"),
        ("", ""),
        (
            "[site](https://example.com)",
            '<p><a href="https://example.com" rel="noopener noreferrer nofollow">site</a></p>\n',
        ),
        (
            "[mail](mailto:a@example.com)",
            '<p><a href="mailto:a@example.com" rel="noopener noreferrer nofollow">mail</a></p>\n',
        ),
    ],
)
def test_markdown_is_rendered(text: str, html: str | None) -> None:
    """Paragraphs, lists, headings below the page's own, and links come out as HTML."""
    if html is None:
        html = "<p><strong>bold</strong> <em>em</em> <s>gone</s> <code>x &lt; y</code></p>\n"
    assert to_html(text) == html


HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></ScRiPt>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<style>@import 'https://evil.example'</style>",
    "<a href='javascript:alert(1)' onclick='alert(1)'>x</a>",
    "<!-- --!><script>alert(1)</script> -->",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](java&NewLine;script:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](data:image/svg+xml;base64,PHN2Zz4=)",
    "[x](data:image/png;base64,iVBORw0KGgo=)",
    "[x][1]\n\n[1]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    '[x](https://a.example "title\\" onmouseover=alert(1)")',
    "[x](https://a.example/\"onmouseover='alert(1)')",
    "![x](https://tracker.example/pixel.png)",
    "![x](javascript:alert(1))",
    "![x][1]\n\n[1]: https://tracker.example/pixel.png",
    "```html\n<script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    "| a |\n|:-:|\n| <script>alert(1)</script> |",
    "\x00<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[<img src=x onerror=alert(1)>](https://a.example)",
    "[x](http://[)",
    "[x](//[)",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example><button>x</button></form>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_it_can_act(text: str) -> None:
    """A browser finds only harmless elements, links to http(s) and mail, and no other attribute."""
    for element in elements(text):
        assert element.tag in HARMLESS
        assert set(element.attrib) <= {"href", "rel", "start", "title"}
        link = element.attrib.get("href", "https:")
        assert link.startswith(("https:", "http:", "mailto:")), link


@pytest.mark.parametrize("text", HOSTILE[:9])
def test_raw_html_is_shown_as_text(text: str) -> None:
    """What a member typed as HTML is read by the reader, not by the browser."""
    shown = "".join(html5lib.parseFragment(to_html(text)).itertext())
    assert shown.strip() == text


@pytest.mark.parametrize("text", ["![x](https://a.example/i.png)", "![x][1]\n\n[1]: https://a.b/i"])
def test_an_image_becomes_a_link(text: str) -> None:
    """An image would tell its server who reads the page; only a link to it is left."""
    found = [element.tag for element in elements(text)]
    assert found == ["p", "a"]


@pytest.mark.parametrize("text", ["[x](//evil.example/a)", "[x][1]\n\n[1]: //evil.example/a"])
def test_a_link_without_a_scheme_goes_to_https(text: str) -> None:
    """`//host` looks like a path and leads elsewhere; it becomes a plain https link."""
    (link,) = [element for element in elements(text) if element.tag == "a"]
    assert link.attrib["href"] == "https://evil.example/a"


@pytest.mark.parametrize("path", ["/history", "history", "../x", "#top", "?a=1", r"/\evil.example"])
def test_a_link_to_a_path_loses_its_address(path: str) -> None:
    """A path would lead elsewhere in a mail or feed than on the page; only the link's text stays."""
    (link,) = [element for element in elements(f"[words]({path})") if element.tag == "a"]
    assert ("href" in link.attrib, link.text) == (False, "words")


def test_only_so_much_is_rendered() -> None:
    """What exceeds 10,000 characters is left out."""
    html = to_html("a" * MAX_CHARACTERS + "END")
    assert html == f"<p>{'a' * MAX_CHARACTERS}</p>\n"


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "*a ",
        "**a",
        "_a",
        "`",
        "``a",
        ">",
        "> ",
        "- ",
        "![",
        "[a](",
        "<",
        "a_",
        "&",
        "|a\n",
        "\\",
    ],
)
def test_hostile_input_takes_no_long_time(piece: str) -> None:
    """The longest allowed text of one repeated piece is rendered within two seconds."""
    text = (piece * MAX_CHARACTERS)[:MAX_CHARACTERS]
    started = time.process_time()
    to_html(text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "text",
    [
        "[" * 9_990,
        "![" * 5_000,
        "[[a]" * 2_500,
        "[" * 5_000 + "]" * 5_000,
        r"[\]" * 3_333,
        "[`]`" * 2_500,
        "[a](" * 2_500,
        "[a]: b\n\n" + "[" * 9_000,
        ("[" * 20 + "a\n\n") * 450,
        "|" + "[|" * 3_300 + "\n|" + "-|" * 1_600,
    ],
    ids=[
        *("open", "images", "some closed", "nested", "escaped", "in code", "links"),
        *("with a reference", "paragraphs", "a table"),
    ],
)
def test_brackets_that_nobody_closes_cost_little(text: str) -> None:
    """Each is looked at a few times only, and shown: counted in calls, which no busy machine makes more."""
    to_html("[warm](https://a.example)")  # what is made once
    to_html.cache_clear()
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        html = to_html(text)
    finally:
        sys.setprofile(before)
    assert 0 < calls < 100 * len(text)  # it was 330 before they were counted
    assert "[" in html


def test_links_among_many_brackets() -> None:
    """A long log full of brackets does not cost the links behind it."""
    log = "".join(f"[{number:03}] [INFO] up\n" for number in range(450))
    assert '<a href="https://a.example"' in to_html(f"{log}\n[more](https://a.example)")


@pytest.mark.parametrize(
    "codes",
    [(0x00, 0x1F), (0x7F, 0x9F), (0x2028, 0x202E), (0x2066, 0x2069)],
    ids=["C0", "DEL and C1", "line ends, embedding and override", "isolates"],
)
def test_what_no_title_may_hold(codes: tuple[int, int]) -> None:
    """Neither controls of terminals nor what turns the direction of a text, wherever they stand."""
    for code in range(codes[0], codes[1] + 1):
        for text in (f"a{chr(code)}b", f"{chr(code)}a", f"a{chr(code)}"):
            assert has_control(text), hex(code)


@pytest.mark.parametrize(
    "text",
    ["", "Störung", "عطل في الخدمة", "שלום\u200e (API)", "\u200fAPI", "a\u00a0b", "👩\u200d🚒"],
)
def test_what_a_title_may_hold(text: str) -> None:
    """Every script, spaces of all kinds, and the marks that say where a text without letters belongs."""
    assert not has_control(text)
