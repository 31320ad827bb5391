"""Which texts every database can keep."""

from __future__ import annotations

from ..domain.markup import is_storable as is_storable
from ..translation import said

UNSTORABLE = said("Has a character that cannot be stored.")
