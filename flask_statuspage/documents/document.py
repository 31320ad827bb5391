"""What a public document of a page is: one small value that routes, mirror, OpenAPI and ``docs`` all read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..domain.facts import IncidentFact
from ..errors import Invalid

JSON = "application/json; charset=utf-8"
SVG = "image/svg+xml; charset=utf-8"
RSS = "application/rss+xml; charset=utf-8"
ATOM = "application/atom+xml; charset=utf-8"
CALENDAR = "text/calendar; charset=utf-8"
CSV = "text/csv; charset=utf-8; header=present"
CSS = "text/css; charset=utf-8"


def whole_number(name: str, text: str, most: int) -> int:
    """The whole number that *text* says.

    :raises Invalid: naming *name*, unless it is one from 1 to *most*, in plain digits.
    """
    # The length first: Python refuses to read numbers of thousands of digits.
    if len(text) > 9 or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise Invalid.field(name, f"Must be a whole number from 1 to {most}.")
    return int(text)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A query parameter of a document.

    :param read: the text of the query → the keyword argument for ``render``.
    :param schema: JSON Schema of its value, for OpenAPI.
    :param required: there is no answer without it.

    ``read`` raises :class:`~flask_statuspage.errors.Invalid` naming the parameter.
    """

    name: str
    read: Callable[[str], Any]
    says: str
    schema: dict[str, Any]
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Document:
    """A pure function of a snapshot, and where it is found.

    :param name: the endpoint.
    :param paths: below the page, without a slash in front; the first one is canonical. Those of a document about one
        component hold ``<component_slug>``.
    :param render: ``render(snapshot, **parameters)`` → the bytes; a document about one component is given
        ``snapshot.about(component)``.
    :param says: one sentence for readers of the API's description.
    :param model: a type that describes a JSON body.
    :param paged: its incidents are the newest of many, and ``?page=`` asks for earlier ones: :data:`PAGE` is among its
        parameters, and ``render`` is given a snapshot with that page's incidents instead of the number.
    :param of_component: it is about one component.
    :param lists_incidents: it shows incidents one by one; ``render`` of one about a component is given the newest of
        that component, not what the page's newest have of it.
    :param stream: ``stream(incidents, page_url)`` → the bytes piece by piece, for what holds all incidents, however
        many; ``render`` then has those of the snapshot only.
    """

    name: str
    paths: tuple[str, ...]
    content_type: str
    render: Callable[..., bytes]
    says: str
    model: Any = None
    parameters: tuple[Parameter, ...] = ()
    paged: bool = False
    of_component: bool = False
    lists_incidents: bool = False
    stream: Callable[[Iterable[IncidentFact], str], Iterator[bytes]] | None = None


MAX_PAGE = 1_000_000

PAGE = Parameter(
    name="page",
    read=lambda text: whole_number("page", text, MAX_PAGE),
    says="Which page of the incidents, newest first; the newest are on page 1.",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1},
)
