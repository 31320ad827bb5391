"""Templates as they are read: without the indentation and the lines that only their authors need.

They would travel with every page. What a host overrides is read by the host's own loader, as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jinja2 import Environment, FileSystemLoader

_MARGIN = re.compile(r"^[ \t]+", re.M)
# A statement or a comment that has a line to itself; not `{% if … %}<b>{% endif %}`, after which a space may matter.
_OWN_LINE = re.compile(r"^(\{(?P<kind>[%#])(?:(?![%#]\}).)*?)[ ]?-?(?P=kind)\}\n", re.M | re.S)


class TightLoader(FileSystemLoader):
    """Reads ``*.html`` so that no line begins with blanks and none is empty because of a statement in it.

    What is written inside ``<pre>`` and ``<textarea>`` has to come from a variable, which is left as it is.
    """

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        source, filename, is_fresh = super().get_source(environment, template)
        if template.endswith(".html"):
            source = tightened(source)
        return source, filename, is_fresh


def tightened(source: str) -> str:
    """*source* with as many lines, so that messages about mistakes name the right one."""
    return _OWN_LINE.sub(r"\1 -\g<kind>}\n", _MARGIN.sub("", source))
