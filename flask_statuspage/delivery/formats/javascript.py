"""JSON as JavaScript writes it: ``JSON.stringify`` of ECMA-262, 25.5.2.

A receiver that checks a signature against ``JSON.stringify(JSON.parse(body))`` gets the signed bytes back only if they
were written so in the first place. :func:`stringify` writes what that expression gives; it gives itself again.

JavaScript puts keys that are whole numbers (``"7"``) before all others. No body of ours has such keys, so they are
refused here and not sorted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_HALF = re.compile("[\ud800-\udfff]")
_INDEX = re.compile("0|[1-9][0-9]*")


def stringify(value: Any) -> str:
    """*value* without spaces and ASCII escapes, its keys in their order.

    :param value: plain data: dict with text keys, list, tuple, str, int, float, bool, None.
    :raises ValueError: for a key that JavaScript would move.
    :raises TypeError: for anything else than plain data.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(stringify, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_key(key)}:{stringify(item)}" for key, item in value.items()) + "}"
    raise TypeError(f"{type(value).__name__} is no plain data.")


def _key(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"The key {key!r} is no text.")
    if _INDEX.fullmatch(key):
        raise ValueError(f"JavaScript would move the key {key!r} to the front.")
    return _text(key)


def _text(text: str) -> str:
    """U+2028 and its like stand as they are; halves of surrogate pairs are escaped, for UTF-8 has no bytes for them."""
    written = json.dumps(text, ensure_ascii=False)
    if _HALF.search(written) is None:
        return written
    # Two halves side by side are one character for JavaScript.
    joined = written.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _HALF.sub(lambda half: f"\\u{ord(half.group()):04x}", joined)


def _number(number: int | float) -> str:
    """``Number::toString`` (ECMA-262, 6.1.6.1.20): all numbers are doubles, and 1.0, 1 and -0 have no point or sign."""
    try:
        double = float(number)
    except OverflowError:
        return "null"
    if not math.isfinite(double):
        return "null"
    if double == 0:
        return "0"
    # Both languages take the fewest digits that give the same double back; only where the point goes differs.
    parts = Decimal(repr(double)).normalize().as_tuple()
    digits = "".join(map(str, parts.digits))
    assert isinstance(parts.exponent, int)  # a string for infinity and NaN only
    return "-" * parts.sign + _placed(digits, len(digits) + parts.exponent)


def _placed(digits: str, point: int) -> str:
    """*digits* with the point before the digit number *point*, or with an exponent where that gets long."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}e{point - 1:+d}"
