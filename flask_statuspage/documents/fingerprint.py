"""Whether pages would still be rendered as they were: a fingerprint of the templates they are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from flask import current_app
from jinja2 import Environment, TemplateError, TemplateNotFound, meta

from .rendering import OWN_BASE

_known: WeakKeyDictionary[Environment, dict[tuple[str, ...], str]] = WeakKeyDictionary()


def templates_fingerprint(*names: str) -> str:
    """A digest of the sources of the templates *names*, our own base template, and all that they refer to.

    As the app's environment finds them, so that a host's overrides count.
    """
    environment = current_app.jinja_env
    known = _known.setdefault(environment, {})
    if environment.auto_reload or names not in known:
        # Else a file that changes later is not what this process renders.
        known[names] = _digest(environment, [OWN_BASE, *names])
    return known[names]


def _digest(environment: Environment, names: Iterable[str]) -> str:
    digest = hashlib.sha256()
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        source = _source(environment, name)
        digest.update(f"{name}\0{source}\0".encode())
        waiting += sorted(filter(None, _referred(environment, source)))
    return digest.hexdigest()


def _source(environment: Environment, name: str) -> str:
    """As it is loaded here and now: what is rendered later is this, or is looked at again."""
    if environment.loader is None:
        return ""
    try:
        environment.get_template(name)
        return environment.loader.get_source(environment, name)[0]
    except (TemplateNotFound, TemplateError):  # rendering tells
        return ""


def _referred(environment: Environment, source: str) -> set[str | None]:
    try:
        return set(meta.find_referenced_templates(environment.parse(source)))
    except TemplateError:
        return set()
