"""The body of an answer: unpacked within limits, and searched."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Mapping

from ..outgoing import Answer

SEARCHED = 1024 * 1024
"""As many bytes of a body are looked at, packed or not."""

_GZIP = b"\x1f\x8b"
_MOST_MEMBERS = 256
"""Of a gzip (RFC 1952, 2.2), which may be several put together. Each is read from a copy of what is left."""
_HEAD = 1024  # bytes in which HTML says how it is encoded (WHATWG HTML, 13.2.3.2)
_OF_HTML = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([A-Za-z0-9_.:-]{1,40})""", re.I)
_OF_HEADER = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_.:-]{1,40})""", re.I)
# Only what writes texts: Python knows more, and some of it (punycode, idna) takes quadratic time.
_WRITES_TEXT = re.compile(
    r"utf-(8|16|32)(-[bl]e|-sig)?|ascii|iso8859-\d{1,2}|cp\d{3,4}|koi8-[rtu]|mac-[a-z]+|big5|big5hkscs|gb2312|gbk|gb18030"
    r"|hz|euc_[a-z0-9_]+|shift_jis|shift_jis(x)?_?(2004|0213)|iso2022_[a-z0-9_]+|johab|tis-620"
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Unreadable(Exception):
    """The body is packed in a way that nobody asked for, or broken."""


def unpacked(answer: Answer) -> tuple[bytes, bool]:
    """At most :data:`SEARCHED` bytes of the body, and whether that is all of it.

    It was asked for unpacked, but some servers have nothing else.

    :raises Unreadable: when it cannot be unpacked.
    """
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity") or not answer.body:
        return answer.body, not answer.truncated
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable
    body, rest = b"", answer.body
    for _ in range(_MOST_MEMBERS):
        # 32: gzip or zlib, whichever it is. The limit is what keeps a bomb small.
        packed = zlib.decompressobj(32 + zlib.MAX_WBITS)
        try:
            body += packed.decompress(rest, SEARCHED - len(body))
        except zlib.error:
            raise Unreadable from None
        rest = packed.unused_data
        # What follows a member and is none is padding, which nobody reads.
        if not packed.eof or not rest.startswith(_GZIP):
            return body, packed.eof and not answer.truncated
        if len(body) == SEARCHED:
            break  # a limit of 0 would be none
    return body, False


def contains(body: bytes, headers: Mapping[str, str], text: str) -> bool:
    """Whether *text* stands in *body*, whatever charset that is written in."""
    charset = _charset(body, headers.get("Content-Type", ""))
    if charset in ("utf-8", "ascii"):
        return text.encode() in body
    return text in body.decode(charset, errors="replace")


def _charset(body: bytes, content_type: str) -> str:
    """As browsers find it: a byte order mark, the header, the document itself, else UTF-8."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return encoding
    if (said := _OF_HEADER.search(content_type)) and (charset := _known(said[1])):
        return charset
    if "html" in content_type.lower() and (found := _OF_HTML.search(body[:_HEAD])):
        return _known(found[1].decode()) or "utf-8"
    return "utf-8"


def _known(name: str) -> str | None:
    if name.lower() in ("iso-8859-1", "latin1", "us-ascii", "ascii"):
        return "cp1252"  # which is what such pages are written in (WHATWG Encoding, 4.2)
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return found if _WRITES_TEXT.fullmatch(found) else None
