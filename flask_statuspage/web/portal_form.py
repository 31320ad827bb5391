"""The sign-up inside a host's own page: it posts to us, and its outcome is shown where it stands.

The host's page is asked for again with the outcome in its query: encrypted, as it holds what was typed, and of use for
minutes only. No session and no script is needed, and the host's view need not know of it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Response, current_app, redirect, request
from markupsafe import Markup

from ..delivery.channels import channels
from ..delivery.formats import formats
from ..documents import sign_up_box as documents
from ..documents.channel_words import channel_words
from ..documents.rendering import Frame, Urls
from ..documents.sign_up import Standing
from ..documents.snapshot import Snapshot
from ..errors import FieldError, SetupError
from ..services import customers, subscriptions, wishes
from ..state import current_state
from ..storage.apart import apart_from_host
from ..storage.encryption import reveal, seal
from ..translation import Said

PARAMETER = "statuspage_subscribed"
"""Of the query of the host's page."""

MOST_SECONDS = 600
MOST_PATH = 2000  # characters
MOST_TYPED = 300  # characters of an address that come back; a longer one is none
MOST_NAMED = 20  # names in a message

_PURPOSE = "sign-up in a host's page"
_FORMS = "flask_statuspage.forms"
_PATH = re.compile(r"/(?!/)[\x21-\x5b\x5d-\x7e]*")
_PREFIX = re.compile(r"sp-box(-[0-9]{1,3})?")


@dataclass(frozen=True)
class WayBack:
    """A host's page that holds a form, and which of its forms."""

    path: str
    form: str

    def failed(self, values: Mapping[str, Any], errors: Collection[FieldError]) -> Response:
        """Back to the page, which names what is wrong and keeps what was typed."""
        channel, typed = values.get("channel"), values.get("address")
        kept = {"channel": channel if channel in channels else None}
        if isinstance(typed, str) and not channel_words(str(channel)).is_secret:
            kept["address"] = typed[:MOST_TYPED]
        told = [[one.field, _packed(one.message)] for one in errors]
        return self._go(errors=told, values=kept)

    def done(self, said: str, channel: str, *, code_url: str | None = None) -> Response:
        """Back to the page, which says so.

        :param said: ``asked``, ``waits``, ``received`` or ``active``.
        :param code_url: where a code is typed that was sent.
        """
        return self._go(said=said, values={"channel": channel}, code_url=code_url)

    def _go(self, **outcome: Any) -> Response:
        about = {
            "for": _PURPOSE,
            "at": int(time.time()),
            "who": current_state().subscriber_loader(),
        }
        token = seal(json.dumps({**about, "form": self.form, **outcome})).rstrip("=")
        path, _, query = self.path.partition("#")[0].partition("?")
        query = "&".join([*_without_ours(query), f"{PARAMETER}={token}"])
        answer = redirect(f"{path}?{query}#{self.form}", 303, Response)
        answer.headers["Cache-Control"] = "no-store"
        assert isinstance(answer, Response)
        return answer


def way_back(values: Mapping[str, Any]) -> WayBack | None:
    """Where a form of a host's page wants its outcome; None: to our own pages, also where it leads to another site."""
    path, form = values.get("return_to"), values.get("form")
    if not isinstance(path, str) or len(path) > MOST_PATH or not _PATH.fullmatch(path):
        return None
    if not isinstance(form, str) or not _PREFIX.fullmatch(form):
        form = "sp-box"
    return WayBack(path, form)


def box(
    snapshot: Snapshot,
    frame: Frame,
    *,
    components: Collection[str],
    channels: Collection[str],
    events: Collection[str] | None,
    csrf_token: str | None,
) -> Markup:
    """The form for the host's page that this request asked for; empty where none of *channels* can be had.

    :param csrf_token: for a signed-in customer.
    """
    offered = _offered(channels)
    if not offered:
        return Markup("")
    customer = current_state().subscriber_loader()
    prefix = _next_prefix()
    outcome = _outcome(prefix, customer)
    standing = None
    if offered == ["email"] and customer is not None:
        standing = _standing(snapshot, frame.urls, customer, components, events)
    return documents.subscribe_box(
        snapshot.page,
        frame,
        email=customer,
        components=list(components),
        channels=offered,
        events=events,
        csrf_token=csrf_token,
        prefix=prefix,
        return_to=_here(),
        values=outcome.get("values"),
        form_errors=[
            FieldError(field, _unpacked(message)) for field, message in outcome.get("errors", ())
        ],
        said=outcome.get("said"),
        code_url=outcome.get("code_url"),
        standing=standing,
    )


def _offered(names: Collection[str]) -> list[str]:
    offered = wishes.offered_channels()
    for name in names:
        if name not in offered:
            current_app.logger.warning("status page: a subscribe form cannot offer %r now", name)
    return [name for name in names if name in offered]


def _standing(
    snapshot: Snapshot,
    urls: Urls,
    customer: str,
    components: Collection[str],
    events: Collection[str] | None,
) -> Standing | None:
    """What the customer has, and whether that is all that the form is for."""
    with apart_from_host() as open_session:
        row = customers.subscription_of(open_session(), snapshot.page.id, customer)
        if row is None:
            return None
        chosen = {item.component_id for item in row.chosen}
        heard, token = row.events, subscriptions.manage_token(row)
        now = formats[row.format].unasked if heard is None else frozenset(heard)
    facts = [state.fact for state in snapshot.components if state.fact.id in chosen]
    slugs = [fact.slug for fact in facts]
    covers = not chosen or (bool(components) and set(components) <= set(slugs))
    if events is not None and not now.issuperset(events):
        covers = False
    return Standing(
        services=tuple(fact.name for fact in facts),
        manage_url=urls("manage", token=token),
        covers=covers,
    )


def _outcome(form: str, customer: str | None) -> dict[str, Any]:
    """What came of *form*, if this request tells; nothing of what is old, altered or meant for somebody else."""
    sealed = request.args.get(PARAMETER)
    if sealed is None:
        return {}
    try:
        found = json.loads(reveal(sealed + "=" * (-len(sealed) % 4)) or "")
    except (SetupError, ValueError):
        return {}
    if not isinstance(found, dict) or found.get("for") != _PURPOSE:
        return {}
    is_fresh = time.time() - found["at"] <= MOST_SECONDS
    return found if is_fresh and (found["form"], found["who"]) == (form, customer) else {}


def _packed(value: Any) -> Any:
    """A message and what fills its gaps, as far as an address has room: it is said where it is read."""
    if isinstance(value, Said):
        gaps = {name: _packed(gap) for name, gap in value.gaps.items()}
        return {"message": value.message, "gaps": gaps}
    if isinstance(value, tuple):
        return [_packed(one) for one in value[:MOST_NAMED]]
    return value[:MOST_TYPED] if isinstance(value, str) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict):
        return Said(
            value["message"], **{name: _unpacked(gap) for name, gap in value["gaps"].items()}
        )
    return tuple(_unpacked(one) for one in value) if isinstance(value, list) else value


def _next_prefix() -> str:
    """Forms on one page are told apart by their place on it."""
    number: int = request.environ.get(_FORMS, 0) + 1
    request.environ[_FORMS] = number
    return "sp-box" if number == 1 else f"sp-box-{number}"


def _here() -> str | None:
    """The path and query of the host's page; None where no GET leads there."""
    adapter = current_app.create_url_adapter(request) if request.url_rule else None
    if adapter is None or "GET" not in adapter.allowed_methods():
        return None
    path = quote(request.root_path.rstrip("/") + request.path, safe="!$&'()*+,/:;=@%~")
    query = quote(request.query_string, safe="!$&'()*+,/:;=?@%~")
    kept = "&".join(_without_ours(query))
    path = f"{path}?{kept}" if kept else path
    return path if len(path) <= MOST_PATH and _PATH.fullmatch(path) else None


def _without_ours(query: str) -> list[str]:
    return [pair for pair in query.split("&") if pair and pair.partition("=")[0] != PARAMETER]
