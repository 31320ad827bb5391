"""What the types of JSON documents say beyond Python's: formats, and the words that a text may be.

The documents are plain dicts; their ``TypedDict`` classes are for mypy, and for ``pydantic.TypeAdapter``, which makes
the JSON Schema of an API's description of them. No adapter is made on import: a web process has no need of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339, in UTC."""

Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
"""``YYYY-MM-DD``."""

Identifier = Annotated[str, Field(json_schema_extra={"format": "uuid"})]

Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]

Markdown = Annotated[str, Field(json_schema_extra={"contentMediaType": "text/markdown"})]


@dataclass(frozen=True)
class OneOf:
    """Beside ``str`` in an ``Annotated``: the text is one of *words*. See :func:`one_of`."""

    words: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return handler.generate_schema(Literal.__getitem__(self.words))


def one_of(words: Iterable[str]) -> OneOf:
    """The words of a mapping table or an enumeration, each once, so that no type repeats what the table says."""
    return OneOf(tuple(dict.fromkeys(str(word) for word in words)))
