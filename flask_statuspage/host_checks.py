"""What a host lets the status page see from inside: functions to call, blueprints whose requests are counted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, TypeVar
from weakref import WeakSet, ref

from flask import Blueprint, Flask, current_app
from pydantic import ValidationError

from .domain.ids import is_slug, slugify
from .domain.wrong_fields import field_errors
from .errors import Invalid
from .probing.callable import CallableProbe
from .probing.traffic import TrafficOptions, TrafficProbe
from .state import Declaration
from .web.counting import Counter
from .web.mounts import names_of

MAX_NAME = 200

Check = TypeVar("Check", bound=Callable[[], object])


class HostChecks:
    """The part of :class:`~flask_statuspage.StatusPage` that is about monitors that the site's code makes.

    They are made and kept as the code says by the scheduler, within a minute of its start. What is not said here
    members may change: thresholds, pauses, dependencies.
    """

    _declarations: list[Declaration]
    _counters: WeakSet[Counter]

    def check(
        self,
        name: str,
        *,
        every: int = 30,
        component: str | None = None,
        slug: str | None = None,
        timeout: float | None = None,
        regions: Collection[str] | None = None,
        failure_threshold: int | None = None,
        recovery_threshold: int | None = None,
        degraded_over_ms: int | None = None,
        open_incident: bool | None = None,
        page: str | None = None,
    ) -> Callable[[Check], Check]:
        """Decorate a function without parameters: it is a monitor, and stays the function that it is::

            @statuspage.check("Search index", every=30, component="search")
            def search():
                return search_client.ping()

        Workers call it in an app context of its own, at most *timeout* seconds (10) long. None or anything true means
        that it works, anything else that is false or an exception that it does not; ``flask_statuspage.Degraded``
        that it works badly. What an exception says is logged and never shown, only the name of its class is.

        Given within an app context it counts for that app only, else for every app that registers this status page.

        :param every: seconds from one call to the next.
        :param component: slug or name of the component whose status it decides; None: it only measures.
        :param slug: None: made of *name*.
        :param page: the slug of another page than the default one.
        :raises flask_statuspage.errors.Invalid: naming the argument.
        """
        _check_words(name, every, slug, page)
        slug = slug or slugify(name)[:70].rstrip("-")
        if not slug:
            raise Invalid.field("slug", "None can be made of this name; give one.")
        said = {
            "component": component,
            "timeout": timeout,
            "regions": sorted(regions) if regions is not None else None,
            "failure_threshold": failure_threshold,
            "recovery_threshold": recovery_threshold,
            "degraded_over_ms": degraded_over_ms,
            "open_incident": open_incident,
        }

        def declare(function: Check) -> Check:
            if (
                iscoroutinefunction(function)
                or isgeneratorfunction(function)
                or isasyncgenfunction(function)
            ):
                shown = getattr(function, "__qualname__", function)
                raise TypeError(f"{shown} returns before its work is done; it cannot be a check.")
            fields = {"name": name, "interval": every, "options": {}, **_given(said)}
            target = f"{page}/{slug}" if page else slug
            self._declare(
                Declaration(
                    kind=CallableProbe.kind,
                    slug=slug,
                    target=target,
                    fields=fields,
                    page=page,
                    function=function,
                    app=_this_app(),
                )
            )
            return function

        return declare

    def watch(
        self,
        blueprint: Blueprint | str,
        *,
        component: str | None = None,
        name: str | None = None,
        slug: str | None = None,
        window: int = 300,
        down_share: float = 0.5,
        degraded_share: float = 0.05,
        min_requests: int = 10,
        degraded_over_ms: int | None = None,
        every: int = 30,
        failure_threshold: int | None = None,
        recovery_threshold: int | None = None,
        open_incident: bool | None = None,
        page: str | None = None,
    ) -> None:
        """Make a monitor of the site's own requests to a blueprint, and to those nested in it.

        Answers from 500 on and exceptions are failures. Counted in each process without asking the database, and
        written every ten seconds. Call it whenever you like, before or after the blueprint is registered; a name that
        is given within an app context means a blueprint of that app.

        :param blueprint: itself, or its name (``"checkout"`` also means ``"shop.checkout"``). A blueprint itself is
            known by its full name: two of the name ``checkout`` in two others are counted apart.
        :param component: slug or name of the component whose status it decides; None: it only measures.
        :param window: seconds whose requests are judged together, 30 to 3600.
        :param down_share: share of requests that failed, from 0 to 1, from which it is down; *degraded_share* likewise.
        :param min_requests: with fewer of them in the window the verdict stays.
        :param degraded_over_ms: it is degraded while one in 20 requests takes longer.
        :raises flask_statuspage.errors.Invalid: naming the argument.
        """
        if isinstance(blueprint, HostChecks):
            raise Invalid.field("blueprint", "The status page itself is not watched.")
        if not isinstance(blueprint, Blueprint | str) or not blueprint:
            raise Invalid.field("blueprint", "Must be a Blueprint or its name.")
        target = blueprint if isinstance(blueprint, str) else blueprint.name
        if len(target) > MAX_NAME or not target.isprintable():
            message = f"Its name must be a printable text of at most {MAX_NAME} characters."
            raise Invalid.field("blueprint", message)
        options = {
            "window": window,
            "down_share": down_share,
            "degraded_share": degraded_share,
            "min_requests": min_requests,
        }
        try:
            TrafficOptions.model_validate(options)
        except ValidationError as error:
            raise Invalid(*field_errors(error)) from error
        given = {"name": name, "slug": slug}
        name = _default_name(target) if name is None else name
        _check_words(name, every, slug, page)
        said = {
            "component": component,
            "degraded_over_ms": degraded_over_ms,
            "failure_threshold": failure_threshold,
            "recovery_threshold": recovery_threshold,
            "open_incident": open_incident,
        }
        fields = {"name": name, "interval": every, "options": options, **_given(said)}
        self._declare(
            Declaration(
                kind=TrafficProbe.kind,
                slug=slug or _default_slug(target),
                target=target,
                fields=fields,
                page=page,
                # Not held: a factory makes new ones for each app.
                blueprint=blueprint if isinstance(blueprint, str) else ref(blueprint),
                app=_this_app(),
                unnamed=[field for field, value in given.items() if value is None],
            )
        )
        for counter in list(self._counters):
            counter.watch()

    def _declare(self, new: Declaration) -> None:
        """Add *new*, or put it in the place of the same one: a factory may run more than once."""
        kept = [one for one in self._declarations if not _is_over(one)]
        for one in kept:
            if _share_a_place(one, new) and _apps_meet(one, new) and self._differ(one, new):
                raise Invalid.field("slug", f"{new.slug!r} is the slug of another check or watch.")
        self._declarations[:] = [one for one in kept if not _is_same(one, new)] + [new]

    def _differ(self, one: Declaration, new: Declaration) -> bool:
        """Whether they are about two things, not about one that the code made again for another app."""
        if _origin(one) != _origin(new):
            return True
        pair = _blueprint(one), _blueprint(new)
        return pair[0] is not pair[1] and any(
            all(each is not None and names_of(counter.app, each) for each in pair)
            for counter in list(self._counters)
        )

    def _declared_for(self, app: Flask) -> list[Declaration]:
        """What counts for *app*, by the names that it has for blueprints; those that it does not have are left out."""
        found = (_settled(one, app) for one in self._declarations if one.counts_for(app))
        return [one for one in found if one is not None]

    def _count_for(self, counter: Counter) -> None:
        self._counters.add(counter)
        if any(one.kind == TrafficProbe.kind for one in self._declarations):
            counter.watch()


def _check_words(name: str, every: int, slug: str | None, page: str | None) -> None:
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME:
        raise Invalid.field("name", f"Must be a text of at most {MAX_NAME} characters.")
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise Invalid.field("every", "Must be a whole number of seconds.")
    for field, text in (("slug", slug), ("page", page)):
        if text is not None and not (isinstance(text, str) and is_slug(text)):
            raise Invalid.field(field, f"{text!r} is no slug.")


def _default_name(target: str) -> str:
    return f"Requests to {target}"[:MAX_NAME]


def _default_slug(target: str) -> str:
    return f"{slugify(target)[:60].strip('-')}-requests".lstrip("-")


def _settled(one: Declaration, app: Flask) -> Declaration | None:
    if not isinstance(one.blueprint, ref):
        return one
    blueprint = _blueprint(one)
    names = names_of(app, blueprint) if blueprint is not None else []
    if not names:
        return None
    if len(names) > 1:  # it is all of them
        return replace(one, blueprint=blueprint)
    target = names[0][-MAX_NAME:]
    fields = dict(one.fields)
    if "name" in one.unnamed:
        fields["name"] = _default_name(target)
    slug = _default_slug(target) if "slug" in one.unnamed else one.slug
    return replace(one, target=target, slug=slug, fields=fields, blueprint=blueprint)


def _blueprint(one: Declaration) -> Blueprint | None:
    return one.blueprint() if isinstance(one.blueprint, ref) else None


def _given(said: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in said.items() if value is not None}


def _this_app() -> ref[Flask] | None:
    return ref(current_app._get_current_object()) if current_app else None  # type: ignore[attr-defined]


def _origin(one: Declaration) -> tuple[object, ...]:
    """What tells one declaration from another under the same slug, though the code that makes it ran again."""
    function = one.function
    written = (getattr(function, "__module__", None), getattr(function, "__qualname__", None))
    return (one.kind, one.target, *written)


def _is_same(one: Declaration, new: Declaration) -> bool:
    app, other = (item.app() if item.app else None for item in (one, new))
    same = _blueprint(one) is _blueprint(new) and (one.page, one.slug) == (new.page, new.slug)
    return app is other and same


def _share_a_place(one: Declaration, new: Declaration) -> bool:
    if _is_open(one) or _is_open(new):
        return False  # the slug is not known yet; the scheduler tells of two that turn out to be the same
    return (one.page, one.slug) == (new.page, new.slug)


def _is_open(one: Declaration) -> bool:
    return "slug" in one.unnamed and isinstance(one.blueprint, ref)


def _is_over(one: Declaration) -> bool:
    """Whether what it is about is gone."""
    gone = isinstance(one.blueprint, ref) and one.blueprint() is None
    return gone or (one.app is not None and one.app() is None)


def _apps_meet(one: Declaration, new: Declaration) -> bool:
    app, other = (item.app() if item.app else None for item in (one, new))
    return app is None or other is None or app is other
