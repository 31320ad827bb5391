"""The app of a host as most tests make it: a Flask that keeps what the last one like it has compiled.

Hundreds of tests make an app of their own. What werkzeug and Jinja compile for each of them, anew and the same,
would take most of the time of the tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class _Templates(BytecodeCache):
    """The code of every template that was compiled in this process, by all that its code depends on."""

    def __init__(self) -> None:
        self._codes: dict[str, CodeType] = {}

    def get_bucket(
        self, environment: Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        # Jinja's own key knows one environment only: it has neither the extensions nor the options.
        key = repr((name, filename, source, _options(environment, name)))
        bucket = Bucket(environment, key, self.get_source_checksum(source))
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key] = bucket.code


def _options(environment: Environment, name: str) -> list[Any]:
    autoescape = environment.autoescape
    return [
        autoescape(name) if callable(autoescape) else autoescape,
        sorted(environment.extensions),
        sorted(environment.filters),
        sorted(environment.tests),
        environment.is_async,
        environment.optimized,
        environment.finalize,
        environment.undefined,
        environment.trim_blocks,
        environment.lstrip_blocks,
        environment.keep_trailing_newline,
        getattr(environment, "newstyle_gettext", None),
    ]


class _Rule(Rule):
    """It is taken apart, and its two functions that build addresses are made, once for all rules that read the same."""

    _parsed: dict[str, Rule] = {}
    _builders: dict[tuple[Any, ...], Any] = {}

    def _parse_rule(self, rule: str) -> Iterable[Any]:
        if self.map.converters != self.map.default_converters:
            return super()._parse_rule(rule)
        if rule not in self._parsed:
            read = Rule(rule)
            read.map = self.map
            read._parts = list(read._parse_rule(rule))
            self._parsed[rule] = read
        read = self._parsed[rule]
        self._trace += read._trace
        self._converters |= read._converters
        self.arguments |= read.arguments
        return read._parts

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        # They know their converters through the rule that they are bound to. A default is in their code only where it
        # stands in the address.
        key = (self.rule, self.subdomain, self.host, self.merge_slashes)
        key += (tuple(self.defaults or ()), append_unknown)
        if key not in self._builders:
            builder = super()._compile_builder(append_unknown)
            if any(
                is_dynamic and name in (self.defaults or ()) for is_dynamic, name in self._trace
            ):
                return builder
            self._builders[key] = builder
        return self._builders[key]


class Host(Flask):
    """Otherwise Flask as it is."""

    url_rule_class = _Rule
    jinja_options = {"bytecode_cache": _Templates()}
