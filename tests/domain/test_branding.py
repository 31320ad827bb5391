"""Logos and locales: which are taken, and in which form."""

from __future__ import annotations

import pytest

from flask_statuspage.domain import branding


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://cdn.example.com/logo.svg", "https://cdn.example.com"),
        ("https://CDN.example.com:8443/a/b.png?v=2#x", "https://cdn.example.com:8443"),
        ("https://127.0.0.1/logo.png", "https://127.0.0.1"),
        ("https://xn--bcher-kva.example/l.svg", "https://xn--bcher-kva.example"),
        ("https://localhost", "https://localhost"),
        ("/static/logo.svg", None),
        ("/logo.svg?v='\"><script>", None),
        ("/", None),
    ],
)
def test_logos(text: str, origin: str | None) -> None:
    """https URLs of hosts that a policy can name, and paths on the same host."""
    assert branding.is_logo(text)
    assert branding.logo_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "logo.svg",
        "//evil.example/x.svg",
        "/\\evil.example/x.svg",
        "\\\\evil.example/x.svg",
        "/\t/evil.example/x.svg",
        "/a b.svg",
        "/a\u00a0b.svg",
        "/a\u202eb.svg",
        "/a\x7fb.svg",
        "http://x.example/x.svg",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "https:/x.example",
        "https:x.example",
        "https://",
        "https:///x",
        "https://u@x.example/",
        "https://u:p@x.example/",
        "https://x.example;script-src/",
        "https://x.example,y.example/",
        "https://*.example/",
        "https://*/",
        "https://'self'/",
        "https://[::1]/",
        "https://[::1",
        "https://bücher.example/",
        "https://x.example\\@y.example/",
        "https://x.example:port/",
        "https://x..example/",
        "/" + "x" * 500,
    ],
)
def test_no_logos(text: str) -> None:
    """Nothing that a browser reads as another host, or a policy as more than one host."""
    assert not branding.is_logo(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("pt-br", "pt-BR"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("sl-ROZAJ", "sl-rozaj"),
        ("de-1996", "de-1996"),
        ("ast", "ast"),
    ],
)
def test_locales(text: str, kept: str) -> None:
    """Languages in the case that BCP 47 recommends."""
    assert branding.locale(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "d",
        "de_DE",
        "german",
        "de-",
        "-de",
        "de--DE",
        "de-D",
        "de DE",
        "de\n",
        "dé",
        "x-klingon",
        "de" + "-abcde" * 6,
        "٣٣",
        '"><b>',
    ],
)
def test_no_locales(text: str) -> None:
    """Other shapes are none."""
    assert branding.locale(text) is None
