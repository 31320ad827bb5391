"""Configuration as code: pages with their groups, components, monitors and templates as one document.

::

    [[pages]]
    slug = "main"
    default = true

    [[pages.groups]]
    name = "Core"

    [[pages.components]]
    slug = "api"
    name = "API"
    group = "Core"

    [[pages.monitors]]
    slug = "api"
    name = "API"
    component = "api"
    target = "https://api.example.com/health"

The names are those of the manage API. Pages, components and monitors are known by their slug, groups by their name,
templates by kind and name; ``default = true`` is the page at the root, whatever its slug was. A key that is left out
leaves what is there as it is, and gives something new its default; ``""`` takes an optional value away. Groups and
components stand on the page in the order of the document, unless one of them gives a ``position``.

What belongs to the run of things (incidents, statuses, subscriptions, pauses, keys) is no part of it. Options of
monitors are, with the credentials that they may hold.
"""

from __future__ import annotations

from .applying import apply
from .changes import Change
from .document import Document, checked
from .present import dump
from .text import read, write
from .vetting import targets, vet

__all__ = ["Change", "Document", "apply", "checked", "dump", "read", "targets", "vet", "write"]
