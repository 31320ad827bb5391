"""Which headers of a request can be sent as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A method or the name of a header, as RFC 9110 has it."""

_HEADER_VALUE = re.compile(r"|[!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?")
_FRAMING_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise :exc:`ValueError` unless these request headers can be sent as they are.

    Refused are line breaks and other control characters, what is not Latin-1, and the headers
    that frame a message (``Content-Length``, ``Transfer-Encoding``, …) or name its host. To be
    called too when headers are saved, so that the mistake is told to whoever makes it.
    """
    for name, value in headers.items():
        if not TOKEN.fullmatch(name):
            raise ValueError("A header name has characters that are not allowed.")
        if name.lower() in _FRAMING_HEADERS:
            raise ValueError(f"The header {name} cannot be set.")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"The value of the header {name} cannot be sent.")
