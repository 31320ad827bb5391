"""X's side of "Sign in with X": where its user is asked, and what a code or an old token is exchanged for.

Source of the protocol: X's "OAuth 2.0 Authorization Code Flow with PKCE" and "Users: me". A confidential client (one
with a secret) names itself by HTTP Basic, a public one by ``client_id`` in the body. Each refresh answers a new refresh
token, and the old one is dead. No transaction may be open here but the one of :mod:`.accounts`.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from ..errors import AccessRefused, AccessUnreachable, SetupError
from ..outgoing import CannotCall, SendFailed
from ..outgoing.adapter import ClientAdapter
from ..outgoing.site import operator_client
from ..state import current_settings
from ..storage.base import utc_now

logger = logging.getLogger(__name__)

SCOPE = ("tweet.read", "tweet.write", "users.read", "offline.access")
USER_AGENT = "Flask-StatusPage"
SECONDS = 10.0
"""For one call in all."""

VERIFIER_LENGTH = 64
MAX_REASON = 300
OUR_FAULT = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type"})
"""Errors that are about this site at X, not about the account: the operator mends them, nobody signs in again."""


@dataclass(frozen=True)
class Question:
    """Where X asks its user. *state* comes back with the answer, *verifier* goes with the code in it."""

    url: str
    state: str
    verifier: str


@dataclass(frozen=True)
class Tokens:
    """What lets us in. ``expires_at`` is aware; None: X did not say."""

    access: str
    refresh: str
    expires_at: datetime | None


@dataclass(frozen=True)
class Profile:
    """Who let us in: X's own id, which stays, and the name without its @, which may change."""

    id: str
    username: str


def ask(redirect_uri: str) -> Question:
    """A new question for the one who sits before the browser.

    :raises SetupError: without the settings or the extra that it takes.
    """
    with _session(redirect_uri=redirect_uri, scope=list(SCOPE)) as (session, client):
        where = current_settings().x_authorize_url
        verifier = client.create_code_verifier(VERIFIER_LENGTH)
        challenge = client.create_code_challenge(verifier, "S256")
        url, state = session.authorization_url(
            _as_https(where), code_challenge=challenge, code_challenge_method="S256"
        )
        return Question(_as_asked(url, where), state, verifier)


def exchange(code: str, verifier: str, redirect_uri: str) -> Tokens:
    """The tokens for a *code* that came back with the right state.

    :raises AccessRefused: when X does not take it.
    :raises AccessUnreachable: when X gave no answer of use.
    """
    with _session(redirect_uri=redirect_uri, scope=list(SCOPE)) as (session, _):
        secret = current_settings().x_client_secret
        told = session.fetch_token(
            _token_url(),
            code=code,
            code_verifier=verifier,
            client_secret=secret,
            include_client_id=secret is None,
        )
        return _tokens(told)


def refresh(refresh_token: str, *, seconds: float = SECONDS) -> Tokens:
    """New tokens for an old one, which is dead from then on.

    :raises AccessRefused: when X does not take it: it was used, or the account closed to us.
    :raises AccessUnreachable: when X gave no answer of use.
    """
    with _session(seconds=seconds) as (session, _):
        settings = current_settings()
        secret = settings.x_client_secret
        named = {"client_id": settings.x_client_id} if secret is None else {}
        auth = None if secret is None else (settings.x_client_id, secret)
        told = session.refresh_token(_token_url(), refresh_token=refresh_token, auth=auth, **named)
        return _tokens(told)


def profile(access_token: str) -> Profile:
    """Whose account a token opens.

    :raises AccessRefused: when X does not say.
    :raises AccessUnreachable: when X gave no answer of use.
    """
    try:
        answer = operator_client(current_settings(), USER_AGENT).send(
            "GET",
            f"{current_settings().x_api_url}/2/users/me",
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=SECONDS,
            keep=16 * 1024,
        )
    except (SendFailed, CannotCall) as failure:
        raise AccessUnreachable("X could not be reached.") from failure
    if answer.status != 200:
        _refuse(answer.status, answer.body)
    try:
        data = json.loads(answer.body)["data"]
        return Profile(str(data["id"])[:64], str(data["username"])[:40])
    except (ValueError, KeyError, TypeError) as error:
        raise AccessUnreachable("X did not say whose account it is.") from error


def give_back(refresh_token: str) -> bool:
    """Tell X that we do not want to be let in any more; returns whether X has taken it. Never raises."""
    settings = current_settings()
    if not settings.x_client_id:
        return False
    sent = {"token": refresh_token, "token_type_hint": "refresh_token"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if settings.x_client_secret is None:
        sent["client_id"] = settings.x_client_id
    else:
        pair = f"{settings.x_client_id}:{settings.x_client_secret}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    try:
        answer = operator_client(settings, USER_AGENT).send(
            "POST",
            f"{settings.x_api_url}/2/oauth2/revoke",
            headers=headers,
            body=urlencode(sent).encode(),
            timeout=SECONDS,
        )
    except (SendFailed, CannotCall, ValueError) as failure:
        logger.warning("status page: X was not told of a disconnected account: %s", failure)
        return False
    if answer.status != 200:
        logger.warning("status page: X answered %s to a disconnected account", answer.status)
    return answer.status == 200


@contextmanager
def _session(*, seconds: float = SECONDS, **options: Any) -> Iterator[tuple[Any, Any]]:
    """An OAuth session of requests-oauthlib over our own client; what goes wrong within is one of our errors."""
    settings = current_settings()
    if not settings.x_client_id:
        raise SetupError("Signing in with X needs STATUSPAGE_X_CLIENT_ID.")
    try:
        from oauthlib.oauth2 import OAuth2Error, WebApplicationClient
        from requests_oauthlib import OAuth2Session
    except ImportError as error:
        raise SetupError(
            "Signing in with X needs the extra: install Flask-StatusPage[x]."
        ) from error
    _log.addFilter(_quiet)
    client = WebApplicationClient(settings.x_client_id)
    session = OAuth2Session(client=client, **options)
    session.trust_env = False
    plain = settings.x_api_url.startswith("http:")
    sender = operator_client(settings, USER_AGENT)
    session.mount("https://", ClientAdapter(sender, timeout=seconds, plain=plain))
    for step in ("access_token_response", "refresh_token_response"):
        session.register_compliance_hook(step, _checked)
    talking = _talking.set(True)
    try:
        yield session, client
    except (SendFailed, CannotCall) as failure:
        raise AccessUnreachable("X could not be reached.") from failure
    except Warning:  # which oauthlib raises where the scope is another one
        raise AccessRefused("X gave other rights than it was asked for.") from None
    except (OAuth2Error, ValueError) as error:
        # Not its words, nor the error itself as a cause: a part of the answer may stand in them.
        name = type(error).__name__
        raise AccessUnreachable(f"X's answer could not be understood ({name}).") from None
    finally:
        _talking.reset(talking)
        session.close()


def _checked(response: Any) -> Any:
    """Look at the status first: the library only reads the body."""
    if response.status_code != 200:
        _refuse(response.status_code, response.content)
    return response


def _refuse(status: int, body: bytes) -> None:
    """Raise what an answer other than 200 means."""
    try:
        document = json.loads(body)
    except ValueError:
        document = {}
    document = document if isinstance(document, dict) else {}
    words = [
        str(document[key]) for key in ("error", "error_description", "detail") if key in document
    ]
    reason = ": ".join(words)[:MAX_REASON] or f"status {status}"
    if document.get("error") in OUR_FAULT:
        raise AccessUnreachable(f"X does not accept this site's client ID and secret ({reason}).")
    if status in (400, 401, 403):
        raise AccessRefused(f"X refused ({reason}).")
    raise AccessUnreachable(f"X could not answer now (status {status}).")


def _tokens(told: Any) -> Tokens:
    refresh_token = told.get("refresh_token")
    if not refresh_token:
        raise AccessUnreachable("X gave no refresh token; the scope offline.access is needed.")
    seconds = told.get("expires_in")
    ends = None if seconds is None else utc_now() + timedelta(seconds=float(seconds))
    return Tokens(str(told["access_token"]), str(refresh_token), ends)


def _token_url() -> str:
    return _as_https(f"{current_settings().x_api_url}/2/oauth2/token")


def _as_https(url: str) -> str:
    """*url* as oauthlib wants it. Whether plain http will do is the operator's word, see :class:`.ClientAdapter`."""
    return f"https{url.removeprefix('http')}" if url.startswith("http:") else url


def _as_asked(url: str, where: str) -> str:
    return f"http{url.removeprefix('https')}" if where.startswith("http:") else url


_log = logging.getLogger("requests_oauthlib.oauth2_session")
_talking: ContextVar[bool] = ContextVar("flask_statuspage_talking_to_x", default=False)


def _quiet(record: logging.LogRecord) -> bool:
    """Whether the library may log: it writes tokens and secrets at the level DEBUG, so not while it works for us."""
    return not _talking.get()
