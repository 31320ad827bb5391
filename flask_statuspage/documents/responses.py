"""The response times on the page itself: the chart of one service, and which others there are."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.facts import ComponentFact
from .charts import Chart, chart
from .snapshot import Snapshot
from .words import Words


@dataclass(frozen=True)
class ShownResponse:
    """The one chart of a page that has many services.

    :param others: the other services that are checked.
    """

    fact: ComponentFact
    chart: Chart
    others: tuple[ComponentFact, ...]


def response(snapshot: Snapshot, words: Words) -> ShownResponse | None:
    """What a page shows of response times; None: nothing was measured lately."""
    told = snapshot.response
    state = snapshot.component(told.slug) if told else None
    drawn = chart(told.series, words) if told else None
    if state is None or drawn is None:
        return None
    return ShownResponse(
        fact=state.fact,
        chart=drawn,
        others=tuple(
            one.fact
            for one in snapshot.components
            if one is not state and one.check_interval is not None
        ),
    )
