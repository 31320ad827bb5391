"""Named plug-ins: a room's own, and those that other packages offer as entry points of its group."""

from __future__ import annotations

import logging
from collections.abc import ItemsView, Iterator
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Registry(Generic[T]):
    """Values by name. Entry points are loaded at the first look-up; one that fails to load is logged and left out.

    :param of: what every value must be an instance of.
    """

    def __init__(self, group: str, own: dict[str, T], *, of: type = object) -> None:
        self._group = group
        self._own = own
        self._type = of
        self._all: dict[str, T] | None = None

    def __getitem__(self, name: str) -> T:
        return self._loaded()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._loaded()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._loaded()))

    def items(self) -> ItemsView[str, T]:
        """Names and values, our own first and in their order."""
        return self._loaded().items()

    def _loaded(self) -> dict[str, T]:
        if self._all is None:
            found = dict(self._own)
            for entry in entry_points(group=self._group):
                try:
                    found.setdefault(entry.name, self._checked(entry.load()))
                except Exception:
                    logger.exception("status page: entry point %s failed to load", entry.value)
            self._all = found
        return self._all

    def _checked(self, value: Any) -> Any:
        if not isinstance(value, self._type):
            raise TypeError(f"{value!r} is not an instance of {self._type.__qualname__}")
        return value
