"""Keeps the monitors that the site's code declares as it says."""

from __future__ import annotations

import logging
from functools import partial

from ..errors import Invalid
from ..services import declared
from ..state import Declaration, current_state
from ..storage.races import committed
from ..storage.session import current_session
from ..storage.trouble import worded

logger = logging.getLogger(__name__)


class Declaring:
    """Tells what stands in the way once, and again when it was away meanwhile."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def run(self) -> None:
        """Look at every declaration of the app once. Nothing is raised."""
        found, places = set(), set()
        for declaration in current_state().declarations():
            place = declaration.page, declaration.slug
            if place in places:  # else each would undo what the other says
                trouble = f"{declaration.slug!r} is the slug of another check or watch."
            else:
                trouble = _sync(declaration) or ""
            places.add(place)
            if trouble:
                found.add((declaration.target, trouble))
        for target, trouble in sorted(found - self._told):
            logger.warning("status page: the monitor of %r is not as declared. %s", target, trouble)
        self._told = found


def _sync(declaration: Declaration) -> str | None:
    try:
        return committed(current_session(), partial(declared.sync, declaration=declaration))
    except Invalid as error:  # its transaction is rolled back by now
        return str(error)
    except Exception as error:  # also of the database: the scheduler itself must go on
        return worded(error)
