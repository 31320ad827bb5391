"""Where a request to the manage API comes in: key, role, body, one view, commit, JSON.

A view gets a :class:`Call`, calls one service and returns plain data. Whatever it raises rolls everything back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from inspect import cleandoc
from typing import Any, TypeVar

from flask import Blueprint, Response, json, request
from pydantic import ValidationError
from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.routing import Map, MapAdapter, Rule

from ...documents.document import MAX_PAGE, Parameter
from ...documents.operation import Operation
from ...domain.roles import Role
from ...errors import FieldError, Forbidden, Invalid, NotFound, StatusPageError
from ...services import pages, team
from ...storage.pages import Page
from ...storage.races import run_again
from ...storage.session import current_session
from ...storage.team import Token
from .. import answers, failures
from ..failures import Unreadable, WrongMethod, check_size
from ..paging import links
from ..storable import is_storable
from .fields import Body
from .reading import asked, whole, words

PATIENCE = 5.0
"""Seconds after which a request that lost a race for locks is not run again."""

PAGE = whole("page", 1, MAX_PAGE, "Which page of the list.")
PER_PAGE = whole("per_page", 25, 100, "How many items a page of the list has.")
STATUS_PAGE = words(
    "status_page", "The slug or id of the status page, if it is not the default one."
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

Row = TypeVar("Row")


@dataclass
class Call:
    """One authorized request. ``body`` is the parsed body of routes that have one."""

    session: Session
    token: Token
    body: Any = None
    link: str | None = None

    @property
    def actor(self) -> str:
        return f"key {self.token.name}"

    @property
    def may_know_links(self) -> bool:
        """Whether a page's secret link may stand in the answer: it lets in, so only who may make one reads it."""
        return self.token.role.reaches(Role.ADMIN)

    @cached_property
    def page(self) -> Page:
        """The status page that the call is about: ``page`` in the body, ``?status_page=``, else the default one."""
        named = getattr(self.body, "page", None) or request.args.get("status_page")
        if named is None:
            return pages.find(self.session, None)
        return pages.get(self.session, named)

    def forget(self) -> None:
        """Read the page anew: the transaction that it was read in is over."""
        self.__dict__.pop("page", None)

    def values(self, *exclude: str) -> dict[str, Any]:
        """The fields that were sent."""
        data = self.body.model_dump(exclude_unset=True)
        return {name: value for name, value in data.items() if name not in {"page", *exclude}}

    def settle(self) -> None:
        """End the transaction before the network is used; what was read may have changed afterwards."""
        self.session.commit()

    def listed(
        self, query: Select[Row], describe: Callable[[Row], dict[str, Any]]
    ) -> dict[str, Any]:
        """One page of *query* with the total; sets the ``Link`` header (RFC 8288)."""
        number, size = asked(PAGE), asked(PER_PAGE)
        total = self.session.scalar(select(func.count()).select_from(_ids(query))) or 0
        rows = self.session.scalars(query.limit(size).offset((number - 1) * size)).unique().all()
        sent = {**request.args, "per_page": size}
        self.link = links(request.base_url, sent, number=number, size=size, total=total)
        return {
            "items": [describe(row) for row in rows],
            "total": total,
            "page": number,
            "per_page": size,
        }


def authorized(role: Role) -> Call:
    """The request of whoever has a key whose role reaches *role*.

    :raises Unauthorized: without a key, or with one that does not count.
    :raises Forbidden: when its role is too small.
    """
    session = current_session()
    token = team.authenticate(session, _key())
    if not token.role.reaches(role):
        raise Forbidden(role.value, token.role.value)
    return Call(session, token)


View = Callable[..., Any]


class Door:
    """Adds routes to the blueprint of the manage API."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self._rules: list[Rule] = []
        self.operations: list[Operation] = []
        blueprint.register_error_handler(StatusPageError, failures.as_problem)
        blueprint.register_error_handler(SQLAlchemyError, failures.as_problem)

    def route(
        self,
        method: str,
        rule: str,
        view: View,
        *,
        role: Role,
        body: type[Body] | None = None,
        status: int = 200,
        bare: bool = False,
        answer: Any = None,
        paged: bool = False,
        parameters: tuple[Parameter, ...] = (),
        of_page: bool = True,
        ambiguous: bool = False,
    ) -> None:
        """Let *view* answer *method* on *rule* for keys whose role reaches *role*. Its docstring describes it.

        :param bare: the body may be left out, for steps that need no words.
        :param answer: the type of what *view* returns, or of the items if it is *paged*; None: it returns None.
        :param parameters: what *view* reads from the query, besides those of all lists and of all that is *of_page*.
        :param of_page: *view* asks for the status page that the call is about.
        :param ambiguous: *rule* may name several things, which is a conflict even when they are only read.
        """
        if paged:
            parameters += (PAGE, PER_PAGE)
        problems = {401, 503}
        problems |= {403} if role is not Role.VIEWER else set()
        problems |= {404} if of_page or "<" in rule else set()
        problems |= {409} if method != "GET" or ambiguous else set()
        problems |= {400, 413, 422} if body is not None else set()
        problems |= {422} if parameters else set()

        def respond(**arguments: Any) -> Response:
            call = authorized(role)
            _check_idents(arguments)
            if body is not None:
                call.body = _parsed(body, bare=bare)

            def transaction() -> Any:
                try:
                    made = view(call, **arguments)
                    call.session.commit()
                except BaseException:
                    call.session.rollback()
                    call.forget()
                    raise
                return made

            result = run_again(transaction, patience=PATIENCE)
            if result is None:
                return Response(status=204)
            response = answers.as_json(result, status)
            if call.link:
                response.headers["Link"] = call.link
            return response

        name = f"{view.__module__.rpartition('.')[2]}_{view.__name__}"
        respond.__name__ = "answer"  # what host-wide CSRF protection knows these views by
        self.blueprint.add_url_rule(rule, name, respond, methods=[method])
        self._rules.append(Rule(rule, methods=[method]))
        self.operations.append(
            Operation(
                name=name,
                method=method,
                path=f"{self.blueprint.url_prefix}{rule}",
                says=cleandoc(view.__doc__ or name),
                tag=rule.split("/")[1],
                role=role.value,
                body=body,
                bare=bare,
                statuses=(status if answer is not None else 204,),
                answer=answer,
                paged=paged,
                parameters=parameters + ((STATUS_PAGE,) if of_page else ()),
                problems=tuple(sorted(problems)),
            )
        )

    def close(self) -> None:
        """Answer every other path and method below with problem details, too."""

        @cache
        def known() -> (
            MapAdapter
        ):  # made for the first one who asks, not at the start of every process
            return Map(self._rules).bind("")

        def missing(rest: str = "") -> Response:
            authorized(Role.VIEWER)
            if allowed := known().allowed_methods(f"/{rest}"):
                raise WrongMethod(request.method, allowed)
            raise NotFound("resource", rest)

        for rule in ("/", "/<path:rest>"):
            self.blueprint.add_url_rule(rule, "missing", missing, methods=METHODS)


def _check_idents(arguments: dict[str, str]) -> None:
    """:raises NotFound: for what no database could hold, and PostgreSQL does not even look for."""
    for ident in (*arguments.values(), *request.args.getlist("status_page")):
        if not is_storable(ident):
            raise NotFound("resource", ident)


def _key() -> str | None:
    if key := request.headers.get("Authorization-Token"):
        return key.strip()
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def _parsed(model: type[Body], *, bare: bool) -> Body:
    """The body as *model*.

    :param bare: no body at all is as good as an empty object.
    :raises Unreadable: when it is no JSON object.
    :raises Invalid: naming every wrong field.
    """
    check_size()
    data = _json(request.get_data() or (b"{}" if bare else b""))
    if not isinstance(data, dict):
        raise Unreadable("The body must be a JSON object.")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Invalid(*(_field_error(item) for item in error.errors())) from error


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The body is not JSON: {error}") from error


def _field_error(item: Any) -> FieldError:
    """Pydantic's finding in this API's words. The location may name a union's branch, which is no field."""
    location = [str(part) for part in item["loc"] if not str(part).startswith(("list[", "dict["))]
    field = ".".join(location) or "body"
    messages = {"missing": "Is missing.", "extra_forbidden": "There is no such field."}
    if item["type"] in ("too_long", "string_too_long") and isinstance(item["input"], str):
        return FieldError(field, f"At most {item['ctx']['max_length']} characters.")
    message = item["msg"].removeprefix("Value error, ").rstrip(".") + "."
    return FieldError(field, messages.get(item["type"], message))


def _ids(query: Select[Any]) -> Any:
    """*query* reduced to one row for each thing, for counting."""
    entity = query.column_descriptions[0]["entity"]
    return (
        query.with_only_columns(entity.id, maintain_column_froms=True)
        .order_by(None)
        .distinct()
        .subquery()
    )
