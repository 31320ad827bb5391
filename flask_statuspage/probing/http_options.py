"""The options of an http monitor."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from ..outgoing import check_headers
from .option_types import Text
from .probe import ProbeOptions

MAX_HEADERS = 20
MAX_HEADER = 4096
MAX_BODY = 10_000
MAX_KEYWORD = 1000
MAX_CONDITION = 500
MISSING_JMESPATH = "This needs a package that is missing: install Flask-StatusPage[probes]"

# No list of names would hold all that have credentials in them, so these are the ones that have none.
_HARMLESS_HEADER = re.compile(
    r"accept(-[a-z]+)*|cache-control|content-(disposition|encoding|language|location|type)|date|dnt"
    r"|if-(match|modified-since|none-match|range|unmodified-since)|max-forwards|origin|pragma|prefer|priority"
    r"|range|referer|save-data|sec-fetch-[a-z]+|upgrade-insecure-requests|user-agent|x-requested-with",
    re.IGNORECASE,
)


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Credential = Annotated[Text, StringConstraints(max_length=MAX_HEADER)]
Searched = Annotated[
    Annotated[Text, StringConstraints(max_length=MAX_KEYWORD)] | None,
    BeforeValidator(_none_if_empty),
]
Milliseconds = Annotated[int, Field(ge=1, le=600_000)]


class Auth(BaseModel):
    """``basic`` with ``username`` and ``password`` (RFC 7617), or ``bearer`` with ``token`` (RFC 6750)."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    type: Literal["basic", "bearer"]
    username: Annotated[Credential | None, Field(validate_default=True)] = None
    password: Annotated[Credential | None, Field(validate_default=True)] = None
    token: Annotated[Credential | None, Field(validate_default=True)] = None

    @field_validator("username", "password", "token")
    @classmethod
    def _fits(cls, value: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("type")
        if kind is None:
            return value
        if (info.field_name == "token") != (kind == "bearer"):
            if value is not None:
                raise ValueError(f"There is no such field with the type {kind!r}")
            return None
        if value is None or (not value and info.field_name != "password"):
            raise ValueError("Is missing")
        if info.field_name == "token":
            check_headers({"Authorization": f"Bearer {value}"})
        elif any(not mark.isprintable() for mark in value) or (
            info.field_name == "username" and ":" in value
        ):
            raise ValueError("Has a character that cannot be sent")
        return value

    @model_serializer
    def _given(self) -> dict[str, str]:
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in named.items() if value is not None}


class HttpOptions(ProbeOptions):
    """
    :param expected_status: statuses such as 200, or classes such as ``2xx``.
    :param body: sent as UTF-8; what it is, the header ``Content-Type`` says.
    :param keyword: text that the body must have; None, as of all conditions: it may be anything.
    :param json_condition: a JMESPath expression whose result must be true.
    :param tls_expiry_days: so many days before its end a certificate is worth a warning; 0: never.
    :param down_over_ms: an answer that took longer is none; milliseconds.
    """

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    headers: Annotated[dict[Text, Text], Field(max_length=MAX_HEADERS)] = {}
    body: Annotated[
        Annotated[Text, StringConstraints(max_length=MAX_BODY)] | None,
        BeforeValidator(_none_if_empty),
    ] = None
    auth: Auth | None = None
    expected_status: list[int | str] = ["2xx"]
    keyword: Searched = None
    keyword_absent: Searched = None
    json_condition: Annotated[
        Annotated[Text, StringConstraints(max_length=MAX_CONDITION)] | None,
        BeforeValidator(_none_if_empty),
    ] = None
    follow_redirects: bool = False
    tls_expiry_days: Annotated[int, Field(ge=0, le=3650)] = 14
    verify_tls: bool = True
    down_over_ms: Milliseconds | None = None

    @field_validator("headers")
    @classmethod
    def _headers(cls, value: dict[str, str]) -> dict[str, str]:
        check_headers(value)
        if len({name.lower() for name in value}) < len(value):
            raise ValueError("Names a header twice")
        if any(len(name) > 100 or len(text) > MAX_HEADER for name, text in value.items()):
            raise ValueError(f"A value has at most {MAX_HEADER} characters, a name 100")
        return value

    @field_validator("body")
    @classmethod
    def _sendable(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("method") in ("GET", "HEAD"):
            raise ValueError(f"A {info.data['method']} has no body")
        return value

    @field_validator("auth")
    @classmethod
    def _only_once(cls, value: Auth | None, info: ValidationInfo) -> Auth | None:
        if value is not None and "authorization" in map(str.lower, info.data.get("headers", ())):
            raise ValueError("There is a header Authorization already")
        return value

    @field_validator("expected_status", mode="before")
    @classmethod
    def _statuses(cls, value: Any) -> Any:
        listed = value if isinstance(value, list) else [value]
        if not 1 <= len(listed) <= 50 or not all(map(_is_status, listed)):
            raise ValueError(
                "Must be a status such as 200, a class such as '2xx', or a list of them"
            )
        return listed

    @field_validator("keyword", "keyword_absent", "json_condition")
    @classmethod
    def _has_a_body(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("method") == "HEAD":
            raise ValueError("The answer to a HEAD has no body")
        return value

    @field_validator("json_condition")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            from . import json_condition
        except ImportError:
            raise ValueError(MISSING_JMESPATH) from None
        json_condition.compiled(value)
        return value

    @field_validator("tls_expiry_days", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        # A null would be the default again in a document that has none.
        return 0 if value is None else value


def is_secret_header(name: str) -> bool:
    """Whether a header of that name may hold credentials: all do but those that are known for something else."""
    return _HARMLESS_HEADER.fullmatch(name) is None


def authorization(auth: Mapping[str, str]) -> str:
    """The header ``Authorization`` of the option ``auth``."""
    if auth["type"] == "bearer":
        return f"Bearer {auth['token']}"
    named = f"{auth['username']}:{auth['password']}"
    return f"Basic {b64encode(named.encode()).decode()}"


def _is_status(item: Any) -> bool:
    if isinstance(item, str):
        return len(item) == 3 and item[0] in "12345" and item[1:] == "xx"
    return isinstance(item, int) and not isinstance(item, bool) and 100 <= item <= 599
