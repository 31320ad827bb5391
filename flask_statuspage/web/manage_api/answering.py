"""What views answer: dataclasses, which the API's description is made from as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ...domain.facts import plain


def told(answer: type[Any], source: object, /, **more: Any) -> dict[str, Any]:
    """*source* as plain data in the shape of *answer*, a dataclass.

    :param source: a mapping with fields of *answer*, or an object that has its other fields as attributes.
    :param more: the fields that *source* does not have.
    :raises TypeError: for a field that is not described, or one that nobody gave.
    """
    values: Mapping[str, Any]
    if isinstance(source, Mapping):
        values = source
    else:
        names = (item.name for item in fields(answer))
        values = {name: getattr(source, name) for name in names if name not in more}
    return dict(plain(answer(**values, **more)))
