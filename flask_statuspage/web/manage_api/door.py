"""Where a request to the manage API comes in: key, role, body, one view, commit, JSON.

A view gets a :class:`Call`, calls one service and returns plain data. Whatever it raises rolls everything back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from inspect import cleandoc
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, json, request
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.routing import Map, MapAdapter, Rule

from ...documents.document import Parameter
from ...documents.operation import Operation
from ...domain.rights import NEEDED, Right
from ...domain.wrong_fields import field_errors
from ...errors import FieldError, Invalid, NotFound, StatusPageError
from ...storage.races import run_again
from .. import answers, failures
from ..failures import Unreadable, WrongMethod, check_size
from ..storable import is_storable
from . import limits, things
from .call import PAGE, PER_PAGE, Call, address, authorized
from .fields import Body
from .reading import words
from .repeating import Answered, repeatable
from .things import Thing

PATIENCE = 5.0
"""Seconds after which a request that lost a race for locks is not run again."""

STATUS_PAGE = replace(
    words("status_page", "The slug or id of the status page, if it is not the default one."),
    schema={"type": "string"},  # no filter: without a name there is no such page, which is 404
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

REST = "missing"
"""The endpoint of whatever no route of the manage API answers."""

View = Callable[..., Any]
Rest = Callable[[Body, Collection[str]], list[FieldError]]


class Door:
    """Adds routes to the blueprint of the manage API."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self._rules: list[Rule] = []
        self._things: dict[str, Thing] = {}
        self.operations: list[Operation] = []
        blueprint.register_error_handler(StatusPageError, failures.as_problem)
        blueprint.register_error_handler(SQLAlchemyError, failures.as_problem)
        blueprint.after_request(limits.tell)

    def route(
        self,
        method: str,
        rule: str,
        view: View,
        *,
        right: Right,
        body: type[Body] | None = None,
        status: int = 200,
        bare: bool = False,
        answer: Any = None,
        paged: bool = False,
        parameters: tuple[Parameter, ...] = (),
        of_page: bool = True,
        ambiguous: bool = False,
        also: tuple[int, ...] = (),
        described: bool = True,
        ranked: bool = False,
        rest: Callable[[Call], None] | None = None,
    ) -> None:
        """Let *view* answer *method* on *rule* for keys whose role has *right*. Its docstring describes it.

        :param bare: the body may be left out, for steps that need no words.
        :param answer: the type of what *view* returns, or of the items if it is *paged*; None: it returns None.
        :param parameters: what *view* reads from the query, besides those of all lists and of all that is *of_page*.
        :param of_page: *view* asks for the status page that the call is about.
        :param ambiguous: *rule* may name several things, which is a conflict even when they are only read.
        :param also: further statuses of problem details that *view* can end in.
        :param described: False: neither OpenAPI nor ``Allow`` tells of it.
        :param ranked: what it is about may be above the role of who asks.
        :param rest: looks at the fields of a body that are right by themselves when others are not, and raises
            :exc:`Invalid` for what the service would have refused.
        """
        if paged:
            parameters += (PAGE, PER_PAGE)
        problems = {401, 429, 503}
        problems |= {403} if right is not Right.SEE or ranked else set()
        problems |= {404} if of_page or "<" in rule else set()
        problems |= {409} if method != "GET" or ambiguous else set()
        problems |= {400, 413, 422} if body is not None else set()
        problems |= {422} if parameters else set()
        problems |= set(also)

        thing = self._things.get(rule.split("/")[1])
        tagged = thing is not None and not paged and answer in thing.answers
        # A POST that only reads may come with any tag.
        is_change = method != "GET" and not (method == "POST" and right is Right.SEE)
        conditional = is_change and thing is not None and "<ident>" in rule
        problems |= {412} if is_change else set()  # what has no tag is refused with any
        problems |= {422} if method == "POST" else set()

        def respond(**arguments: Any) -> Response:
            call = authorized(right)
            _check_idents(arguments)
            if body is not None:
                call.body = _parsed(body, bare=bare, rest=rest and partial(_rest, call, rest))
            again = (
                repeatable(call) if is_change else None
            )  # else nothing is done that could be done twice
            if again is not None:
                call.guards.append(partial(again.claim, call.session))
            if is_change and things.is_conditional():
                check: Callable[[], None] = things.refuse_tags
                if thing is not None and "ident" in arguments:
                    check = partial(thing.check, call, arguments["ident"])
                call.guards.append(check)
            call.begins = bool(call.guards) or (right is Right.TEAM and method != "GET")
            # When the key was last used is noted by itself: the guards need a fresh look, and what holds a page may
            # wait for the key of another call, which would wait for the page.
            if call.begins or call.session.is_modified(call.token):
                call.session.commit()

            def transaction() -> Response:
                try:
                    if call.begins:
                        call.begin()
                    response = answered(call, view(call, **arguments))
                    if again is not None:
                        again.keep(call.session, response)
                    if is_change:
                        call.confirm()
                    call.session.commit()
                except BaseException as error:
                    call.session.rollback()
                    call.forget()
                    call.begins = True
                    if isinstance(error, Answered):
                        return error.response
                    raise
                return response

            return run_again(transaction, patience=PATIENCE)

        def answered(call: Call, result: dict[str, Any] | None) -> Response:
            if result is None:
                return Response(status=204)
            response = answers.as_json(result, status)
            if call.link:
                response.headers["Link"] = call.link
            if status == 201:
                response.headers["Location"] = _location(call, result, of_page=of_page)
            if thing is None or not tagged:
                return response
            told = answer is thing.answers[0]
            shown = result if told else thing.show(call, str(result["id"]))
            return things.mark(response, thing.tag(shown))

        name = f"{view.__module__.rpartition('.')[2]}_{view.__name__}"
        respond.__name__ = "answer"  # what host-wide CSRF protection knows these views by
        strict = not rule.endswith("/")  # with a slash at the end it also answers without
        self.blueprint.add_url_rule(
            rule,
            name,
            respond,
            methods=[method],
            strict_slashes=strict,
            # Flask would list what answers every method below: see close().
            provide_automatic_options=False,
        )
        if not described:
            return
        self._rules.append(Rule(rule, methods=[method], strict_slashes=strict))
        self.operations.append(
            Operation(
                name=name,
                method=method,
                path=f"{self.blueprint.url_prefix}{rule}",
                says=cleandoc(view.__doc__ or name),
                tag=rule.split("/")[1],
                role=NEEDED[right].value,
                body=body,
                bare=bare,
                statuses=(status if answer is not None else 204,),
                answer=answer,
                paged=paged,
                parameters=parameters + ((STATUS_PAGE,) if of_page else ()),
                problems=tuple(sorted(problems)),
                tagged=tagged,
                conditional=conditional,
            )
        )

    def thing(self, resource: str, thing: Thing) -> None:
        """Let answers about one of *resource* have its tag, and changes ask for it; the routes follow."""
        self._things[resource] = thing

    def close(self) -> None:
        """Answer every other path and method below with problem details, too, and OPTIONS with the methods of a path.

        OPTIONS needs no key: a preflight, which a host's CORS extension may let pass, has none.
        """

        @cache
        def known() -> (
            MapAdapter
        ):  # made for the first one who asks, not at the start of every process
            return Map(self._rules).bind("")

        def missing(rest: str = "") -> Response:
            # Of a path that may end in a slash or not, Werkzeug tells the methods only with it.
            paths = f"/{rest}", f"/{rest}/"
            allowed = {method for path in paths for method in known().allowed_methods(path)}
            if allowed and request.method == "OPTIONS":
                allow = ", ".join(sorted({*allowed, "OPTIONS"}))
                return Response(status=204, headers={"Allow": allow, "Cache-Control": "no-store"})
            authorized(Right.SEE)
            if allowed:
                raise WrongMethod(request.method, allowed)
            raise NotFound("resource", rest)

        for rule in ("/", "/<path:rest>"):
            self.blueprint.add_url_rule(
                rule, REST, missing, methods=METHODS, provide_automatic_options=False
            )


def _location(call: Call, result: dict[str, Any], *, of_page: bool) -> str:
    """Where what was made can be read; an update is read with what it is about."""
    url = address()
    url = url.removesuffix("/updates") if url.endswith("/updates") else f"{url}/{result['id']}"
    if of_page and not call.page.is_default:
        url += "?" + urlencode({"status_page": call.page.slug})
    return url


def _check_idents(arguments: dict[str, str]) -> None:
    """:raises NotFound: for what no database could hold, and PostgreSQL does not even look for."""
    for ident in (*arguments.values(), *request.args.getlist("status_page")):
        if not is_storable(ident):
            raise NotFound("resource", ident)


def _parsed(model: type[Body], *, bare: bool, rest: Rest | None) -> Body:
    """The body as *model*.

    :param bare: no body at all is as good as an empty object.
    :param rest: what else is wrong with a body of which some fields are.
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
        errors = list(field_errors(error))
        if rest is not None:
            errors += rest(_right_part(model, data, error), {one.field for one in errors})
        raise Invalid(*errors) from error


def _right_part(model: type[Body], data: dict[str, Any], error: ValidationError) -> Body:
    """*data* without the fields that *error* tells of."""
    wrong = {item["loc"][0] for item in error.errors() if item["loc"]}
    part = model.model_construct()
    for name in model.model_fields:  # in their order, as one may ask for another before it
        if name in data and name not in wrong:
            with suppress(ValidationError):  # it asks for another one that is wrong
                model.__pydantic_validator__.validate_assignment(part, name, data[name])
    return part


def _rest(
    call: Call, look: Callable[[Call], None], part: Body, wrong: Collection[str]
) -> list[FieldError]:
    """What *look* finds in *part*, but for fields that are known to be *wrong*."""
    call.body = part
    try:
        look(call)
    except NotFound:  # such as the page that it is about: the rest means nothing
        return []
    except Invalid as error:
        known = {field.partition(".")[0] for field in wrong}
        return [one for one in error.errors if one.field.partition(".")[0] not in known]
    return []


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The body is not JSON: {error}") from error
