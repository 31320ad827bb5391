"""How the endpoints behaved that are called: slow ones have a lane of their own, silent ones are left alone a while.

An endpoint that always answers fast has no row.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, EndpointName, utc_now


class Endpoint(Base):
    """One ``host:port``.

    :ivar milliseconds: of its answers, the latest counting most.
    :ivar timeouts: in a row.
    :ivar at_once: how many calls it may have in flight.
    :ivar is_slow: its deliveries wait in the slow lane.
    :ivar rests_until: nothing is sent to it before; ``rests`` counts such breaks in a row.
    """

    __tablename__ = "statuspage_endpoint"

    name: Mapped[str] = mapped_column(EndpointName, primary_key=True)
    milliseconds: Mapped[float] = mapped_column(default=0.0)
    timeouts: Mapped[int] = mapped_column(default=0)
    at_once: Mapped[int]
    is_slow: Mapped[bool] = mapped_column(default=False)
    rests_until: Mapped[datetime | None]
    rests: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
