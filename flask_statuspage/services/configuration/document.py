"""The document's shape: which keys there are, and what their values may look like. All else the services check."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from math import isfinite
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from ...domain.markup import MAX_CHARACTERS, has_control, is_storable
from ...domain.status import ComponentStatus
from ...domain.wrong_fields import in_words
from ...errors import FieldError, Invalid


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("Has a character that cannot be stored")
    return text


def _titled(text: str) -> str:
    if not text.strip():
        raise ValueError("Must not be empty")
    if has_control(text):
        raise ValueError("Must not have line breaks or control characters")
    return text


def _none_if_empty(value: object) -> object:
    return None if value in ("", {}) else value


def _json(value: object) -> object:
    """Options are kept as JSON, which has no dates."""
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, Mapping):
        return {_storable(str(key)): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    raise ValueError("Must be made of texts, finite numbers, booleans, lists and tables")


def _default_text(value: object) -> object:
    """A placeholder's default; ``{ required = true }``: it has none."""
    return None if value == {"required": True} else value


T = TypeVar("T")
Optional = Annotated[T | None, BeforeValidator(_none_if_empty)]
Text = Annotated[str, AfterValidator(_storable)]
Title = Annotated[Text, StringConstraints(max_length=200), AfterValidator(_titled)]
Word = Annotated[Text, StringConstraints(min_length=1, max_length=80)]
Prose = Annotated[Text, StringConstraints(max_length=MAX_CHARACTERS)]
Url = Annotated[Text, StringConstraints(max_length=500)]
Target = Annotated[Text, StringConstraints(max_length=2048)]
Position = Annotated[int, Field(ge=0, le=1_000_000)]
Whole = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Flag = Annotated[bool, Field(strict=True)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Outage = Annotated[ComponentStatus, Field(strict=False)]
Regions = Annotated[list[Word], Field(min_length=1, max_length=50), AfterValidator(sorted)]
Options = Annotated[dict[str, Any], AfterValidator(_json)]
Placeholder = Annotated[Text | None, BeforeValidator(_default_text)]


class Entry(BaseModel):
    """Base of all tables of the document. Values that are not set are left as they are."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    KIND: ClassVar[str] = ""
    NEEDED: ClassVar[tuple[str, ...]] = ("name",)
    """Without these nothing new is made."""
    BELOW: ClassVar[tuple[str, ...]] = ()
    """Keys that hold other entries."""

    def given(self) -> dict[str, Any]:
        """The values that the document gives, without the entries below."""
        return {key: getattr(self, key) for key in self.model_fields_set if key not in self.BELOW}


class GroupEntry(Entry):
    KIND = "group"

    name: Title
    description: Prose = ""
    position: Position = 0


class ComponentEntry(Entry):
    KIND = "component"

    slug: Word
    name: Title = ""
    description: Prose = ""
    group: Optional[Title] = None
    position: Position = 0
    only_show_if_degraded: Flag = False
    showcase: Flag = True
    start_date: Optional[date] = None


class MonitorEntry(Entry):
    KIND = "monitor"

    slug: Word
    name: Title = ""
    component: Optional[Word] = None
    kind: Word = "http"
    target: Target = ""
    interval: Whole = 60
    timeout: Number = 10.0
    regions: Regions = []
    quorum: Whole = 1
    failure_threshold: Whole = 3
    degraded_threshold: Optional[Whole] = None
    recovery_threshold: Whole = 2
    degraded_over_ms: Optional[Whole] = None
    outage_status: Outage = ComponentStatus.MAJOR_OUTAGE
    open_incident: Flag = True
    template: Optional[Text] = None
    depends_on: Optional[Text] = None
    escalation_intervals: list[Whole] = []
    options: Options = {}


class TemplateEntry(Entry):
    KIND = "template"
    NEEDED = ("title",)

    kind: Word
    name: Annotated[Title, StringConstraints(strip_whitespace=True)]
    title: Title = ""
    body: Prose = ""
    status: Optional[Word] = None
    impact: Optional[Word] = None
    components: list[Word] = []
    placeholders: dict[Word, Placeholder] = {}


class PageEntry(Entry):
    KIND = "page"
    BELOW = ("groups", "components", "monitors", "templates")

    slug: Word
    default: Flag = False
    name: Optional[Title] = None
    url: Optional[Url] = None
    time_zone: Optional[Word] = None
    locale: Optional[Word] = None
    visibility: Word = "public"
    logo: Optional[Url] = None
    colours: Optional[dict[Word, Text]] = None
    header: Optional[Prose] = None
    footer: Optional[Prose] = None
    groups: list[GroupEntry] = []
    components: list[ComponentEntry] = []
    monitors: list[MonitorEntry] = []
    templates: list[TemplateEntry] = []


class Document(Entry):
    pages: list[PageEntry] = []


LISTS: dict[str, type[Entry]] = {
    "pages": PageEntry,
    "groups": GroupEntry,
    "components": ComponentEntry,
    "monitors": MonitorEntry,
    "templates": TemplateEntry,
}
"""The tables that hold entries; a template's ``components`` are plain texts and no such table."""


def checked(document: Mapping[str, Any]) -> Document:
    """*document* as it may be applied.

    :raises Invalid: naming the place of everything that is wrong, such as ``pages[0].components[2].slug``.
    """
    try:
        found = Document.model_validate(dict(document))
    except ValidationError as error:
        raise Invalid(*(_field_error(item) for item in error.errors())) from error
    errors = list(_twins("pages", "slug", (page.slug for page in found.pages)))
    errors += _twins("pages", "default", (page.default or object() for page in found.pages))
    for number, page in enumerate(found.pages):
        place = f"pages[{number}]"
        errors += _twins(f"{place}.groups", "name", (entry.name for entry in page.groups))
        errors += _twins(f"{place}.components", "slug", (entry.slug for entry in page.components))
        errors += _twins(f"{place}.monitors", "slug", (entry.slug for entry in page.monitors))
        names = ((entry.kind, entry.name) for entry in page.templates)
        errors += _twins(f"{place}.templates", "name", names)
    if errors:
        raise Invalid(*errors)
    return found


def _twins(place: str, field: str, keys: Iterable[Hashable]) -> Iterable[FieldError]:
    first: dict[Hashable, int] = {}
    for number, key in enumerate(keys):
        if first.setdefault(key, number) != number:
            message = f"Is the same as in {place}[{first[key]}]."
            yield FieldError(f"{place}[{number}].{field}", message)


def _field_error(item: Any) -> FieldError:
    location = item["loc"]
    if item["type"] == "extra_forbidden":
        model: type[Entry] = Document
        for part in location:
            model = LISTS.get(str(part), model)
        near = difflib.get_close_matches(str(location[-1]), model.model_fields, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(model.model_fields)}."
        return FieldError(place_of(location), f"There is no such key; {hint}")
    return FieldError(place_of(location), in_words(item))


def place_of(location: Iterable[str | int]) -> str:
    """The place as a reader counts: ``pages[0].components[2].slug``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")
