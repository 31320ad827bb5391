"""Who reads a message: in which language, and by which clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reader:
    """
    :param locale: as BCP 47 writes it: ``de``, ``pt-BR``. Where there are no words in it, English ones serve.
    :param time_zone: an IANA name.
    """

    locale: str = "en"
    time_zone: str = "UTC"
