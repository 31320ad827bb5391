"""Badges as Chromium draws them: the widths that were reckoned are those of the text."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from flask_statuspage.documents.badge import badge, component_uptime
from flask_statuspage.documents.text_metrics import text_width

from .conftest import component_state, snapshot_of

LABELS = {
    "ascii": "FacioTech Status 2.0 (EU)",
    "latin": "Łódź, Straße für Ämter, Ľudia",
    "vietnamese": "Trạng thái hệ thống Ứng Ơn",
    "greek": "Κατάσταση υπηρεσίας",
    "cyrillic": "Состояние сервиса, Ґалаґан",
    "armenian": "Ծառայության վիճակը",
    "georgian": "სერვისის სტატუსი",
    "hebrew": "מצב השירות שלנו",
    "arabic": "نظام الدفع الإلكتروني",
    "arabic with vowels": "الحَالَةُ العَامَّة",
    "persian": "وضعیت سرویس‌های پرداخت",
    "mixed": "API של השירות",
    "signs": "€ 5 — “quoted” … ₽ ₹ ₪ → №",
    "marks": "e\u0301\u0302\u0303\u200b zalgo",
}
GUESSED = {
    "chinese": "東京 ステータス 서비스",
    "emoji": "🚀 launch 👩‍🚀 🇩🇪",
    "thai": "สถานะระบบ",
    "hostile": '"><script>alert(1)</script>&amp;',
    "long": "W" * 80,
}

ALPHABETS = {
    "ascii": (0x21, 0x7E),
    "latin-1": (0xAE, 0xFF),
    "latin extended-a": (0x100, 0x17F),
    "vietnamese": (0x1EA0, 0x1EF9),
    "greek": (0x38E, 0x3A1),
    "greek, small": (0x3A3, 0x3CE),
    "cyrillic": (0x400, 0x482),
    "cyrillic extended": (0x48A, 0x525),
    "armenian": (0x531, 0x556),
    "hebrew": (0x5D0, 0x5EA),
    "georgian": (0x10D0, 0x10F0),
    "punctuation": (0x2010, 0x2026),
    "currencies": (0x20A0, 0x20B5),
}
"""First and last character of stretches that the font has as a whole."""

ADVANCES = """
texts => {
  const context = document.createElement("canvas").getContext("2d");
  context.font = '11px "DejaVu Sans"';
  return texts.map(text => context.measureText(text).width);
}
"""
NATURAL = """
() => [...document.querySelectorAll("text")].map(text => {
  text.setAttribute("font-family", "DejaVu Sans");
  const set = Number(text.getAttribute("textLength"));
  text.removeAttribute("textLength");
  const natural = text.getComputedTextLength();
  text.style.fontKerning = "none";
  return [set, natural, text.getComputedTextLength()];
})
"""
BOXES = """
() => [...document.querySelectorAll("svg")].map(svg => {
  const edge = svg.querySelectorAll("path")[1].getBoundingClientRect();
  const whole = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].map((text, index) => {
    const box = text.getBoundingClientRect();
    const [start, end] = index ? [edge.left, whole.right] : [whole.left, edge.left];
    return [box.left - start, end - box.right];
  });
})
"""
# The font is there if it is drawn whatever comes after it in the list.
HAS_FONT = """
() => {
  const context = document.createElement("canvas").getContext("2d");
  const widths = ["serif", "monospace"].map(other => {
    context.font = `40px "DejaVu Sans", ${other}`;
    return context.measureText("iiiWWW").width;
  });
  return widths[0] === widths[1];
}
"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    return browser.new_page()


def show(page: Page, *documents: bytes) -> None:
    page.set_content("<meta charset=utf-8>" + "\n".join(svg.decode() for svg in documents))


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_every_letter_is_measured(page: Page, alphabet: str) -> None:
    """Character by character, the widths are those of the font to a tenth of a pixel."""
    if not page.evaluate(HAS_FONT):
        pytest.skip("DejaVu Sans is not installed")
    first, last = ALPHABETS[alphabet]
    characters = [chr(code) for code in range(first, last + 1)]
    drawn = zip(characters, page.evaluate(ADVANCES, characters), strict=True)
    wrong = [(c, text_width(c), width) for c, width in drawn if abs(text_width(c) - width) > 0.1]
    assert wrong == []


@pytest.mark.parametrize("script", LABELS)
def test_widths_are_those_of_the_font(page: Page, script: str) -> None:
    """Left to itself, Chromium draws a text as wide as it was reckoned, but for the kerning of pairs like "Te"."""
    show(page, badge(snapshot_of(), label=LABELS[script]))
    if not page.evaluate(HAS_FONT):
        pytest.skip("DejaVu Sans is not installed")
    texts = page.evaluate(NATURAL)
    assert len(texts) == 2
    for width, natural, without_kerning in texts:
        assert width == pytest.approx(without_kerning, rel=0.02, abs=0.5)
        assert width == pytest.approx(natural, rel=0.03, abs=1)


def test_text_stays_inside(page: Page) -> None:
    """Whatever fonts there are, no text comes near the edge of its part."""
    labels = LABELS | GUESSED
    state = component_state(1, "API")
    show(
        page,
        *(badge(snapshot_of(), label=label) for label in labels.values()),
        component_uptime(snapshot_of(state).about(state), style="flat-square"),
    )
    badges = page.evaluate(BOXES)
    assert len(badges) == len(labels) + 1
    for name, texts in zip([*labels, "uptime"], badges, strict=True):
        assert len(texts) == 2, name
        assert min(room for text in texts for room in text) >= 5, name
