"""Text as an attacker, a copied mail or a tired hand types it, for hypothesis to put into every document."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = [
    "<script>alert(1)</script>",
    "]]>",
    "<![CDATA[",
    "--><!--",
    "&amp;&#12;&#x1;&lt;",
    "\r\n",
    "\r",
    "\n\n",
    "\t",
    "\x00",
    "\x0b",
    "\x1b[31m",
    "\x7f\x85\x9f",
    "\u2028\u2029",
    "\u202eevil\u2066",
    "\u200f\u05d0\u05d1",
    "\U0001f525\U0001f469\u200d\U0001f692",
    "\ufffe\uffff\ufeff",
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(A1)",
    "\uff1d1+1",
    "'\"",
    ",;:\\",
    "END:VEVENT\r\nBEGIN:VALARM",
    "[a](/path)",
    "[b](//host)",
    "[c](javascript:alert(1))",
    "![d](x.png)",
    '<a href="relative">',
    "# heading\n\n| a | b |\n|---|---|\n",
    "é" * 80,
]

TEXTS = st.lists(
    st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    max_size=6,
).map("".join)
"""Without halves of surrogate pairs: no database keeps those, so that no snapshot has them."""
