"""Documents become text: JSON as every dialect serves it."""

from __future__ import annotations

import json
from collections.abc import Mapping

JsonObject = Mapping[str, object]
"""A document of any dialect; what is in it, its own type says."""


def dumps(document: JsonObject) -> bytes:
    """*document* as it is served: UTF-8 JSON without ASCII escapes and without needless spaces."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()
