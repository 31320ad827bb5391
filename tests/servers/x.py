"""A loopback X: its authorize page, token endpoint, profile and posts, as its documents describe them.

It checks what it gets and refuses what X would refuse; what it counts and normalises is written apart from the code
that is tested.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
import time
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from .http import Answer, Received, Receiver, receiver

CLIENT_ID, CLIENT_SECRET = "client-1", "hush: very secret"
SCOPES = "tweet.read tweet.write users.read offline.access"


@dataclass
class Post:
    id: str
    text: str
    author: str
    reply_to: str | None


@dataclass
class _Question:
    redirect_uri: str
    challenge: str
    user: str


@dataclass
class _Grant:
    user: str
    ends: float


@dataclass
class FakeX:
    """What a test may look at and change.

    :ivar user: who is signed in at X in the browser; ``names`` are the users' names by their ids.
    :ivar declines: the user does not let the app in.
    :ivar shows_a_page: the user sees a page and presses a link there; else X leads back at once.
    :ivar lifetime: seconds for which an access token lives.
    :ivar reused: how often a dead refresh token was sent.
    :ivar take_then_hang: the next posts that are taken, but not answered.
    :ivar suspended: users whose posts are refused.
    :ivar limited: what is answered to posts instead, such as a 429.
    :ivar token_answer: what the token endpoint answers instead.
    """

    receiver: Receiver
    confidential: bool = True
    user: str = "1001"
    names: dict[str, str] = field(default_factory=lambda: {"1001": "Acme", "1002": "Other"})
    declines: bool = False
    shows_a_page: bool = False
    lifetime: int = 7200
    reused: int = 0
    refreshes: int = 0
    take_then_hang: int = 0
    suspended: set[str] = field(default_factory=set)
    limited: Answer | None = None
    token_answer: Answer | None = None
    refresh_delay: float = 0.0
    posts: list[Post] = field(default_factory=list)
    questions: dict[str, _Question] = field(default_factory=dict)
    access: dict[str, _Grant] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._dead: set[str] = set()
        self._numbers = iter(range(1_900_000_000_000_000_001, 1_900_000_000_000_100_000))
        self.receiver.answer = self._answer

    @property
    def url(self) -> str:
        return self.receiver.url

    def settings(self, **more: Any) -> dict[str, Any]:
        secret = {"STATUSPAGE_X_CLIENT_SECRET": CLIENT_SECRET} if self.confidential else {}
        return {
            "STATUSPAGE_X_CLIENT_ID": CLIENT_ID,
            "STATUSPAGE_X_API_URL": self.url,
            "STATUSPAGE_X_AUTHORIZE_URL": f"{self.url}/i/oauth2/authorize",
            **secret,
            **more,
        }

    def expire(self) -> None:
        """End all access tokens now; the refresh tokens live on."""
        with self._lock:
            for grant in self.access.values():
                grant.ends = 0

    def revoke(self) -> None:
        """Its user takes the access away from us."""
        with self._lock:
            self.access.clear()
            self._dead |= set(self.refresh)
            self.refresh.clear()

    def delete(self, post_id: str) -> None:
        self.posts = [post for post in self.posts if post.id != post_id]

    def grant(self, user: str | None = None) -> dict[str, Any]:
        """A new pair of tokens, as the token endpoint answers it."""
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        who = user or self.user
        self.secrets |= {access, refresh}
        self.access[access] = _Grant(who, time.time() + self.lifetime)
        self.refresh[refresh] = who
        return {
            "token_type": "bearer",
            "expires_in": self.lifetime,
            "access_token": access,
            "scope": SCOPES,
            "refresh_token": refresh,
        }

    def _answer(self, request: Received) -> Answer:
        parts = urlsplit(request.path)
        views = {
            ("GET", "/i/oauth2/authorize"): self._authorize,
            ("POST", "/2/oauth2/token"): self._token,
            ("POST", "/2/oauth2/revoke"): self._revoke,
            ("GET", "/2/users/me"): self._me,
            ("POST", "/2/tweets"): self._tweet,
        }
        view = views.get((request.method, parts.path))
        with self._lock:
            answer = view(request) if view else _problem(404, "Not Found")
        return answer

    def _authorize(self, request: Received) -> Answer:
        asked = dict(parse_qsl(urlsplit(request.path).query))
        wrong = [
            name
            for name, right in {
                "response_type": asked.get("response_type") == "code",
                "client_id": asked.get("client_id") == CLIENT_ID,
                "scope": set(asked.get("scope", "").split()) == set(SCOPES.split()),
                "state": len(asked.get("state", "")) >= 16,
                "code_challenge": len(asked.get("code_challenge", "")) == 43,
                "code_challenge_method": asked.get("code_challenge_method") == "S256",
                "redirect_uri": asked.get("redirect_uri", "").startswith("http"),
            }.items()
            if not right
        ]
        if wrong:
            return _problem(400, f"wrong: {', '.join(wrong)}")
        uri, state = asked["redirect_uri"], asked["state"]
        if self.declines:
            return _redirect(uri, error="access_denied", state=state)
        code = secrets.token_urlsafe(24)
        self.secrets.add(code)
        self.questions[code] = _Question(uri, asked["code_challenge"], self.user)
        answer = _redirect(uri, state=state, code=code)
        if self.shows_a_page:
            link = f'<a href="{escape(answer.headers["Location"])}">Authorize app</a>'
            return Answer(body=link.encode(), headers={"Content-Type": "text/html"})
        return answer

    def _token(self, request: Received) -> Answer:
        if self.token_answer is not None:
            return self.token_answer
        if "x-www-form-urlencoded" not in request.headers.get("Content-Type", ""):
            return _refusal(400, "invalid_request", "Wrong content type.")
        sent = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if not self._knows_client(request, sent):
            return _refusal(401, "unauthorized_client", "Missing valid authorization header")
        if sent.get("grant_type") == "refresh_token":
            return self._refresh(sent.get("refresh_token", ""))
        question = self.questions.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            sent.get("grant_type") != "authorization_code"
            or question is None
            or question.challenge != challenge
            or question.redirect_uri != sent.get("redirect_uri")
        ):
            return _refusal(400, "invalid_request", "Value passed for the code was invalid.")
        return _json(200, self.grant(question.user))

    def _knows_client(self, request: Received, sent: Mapping[str, str]) -> bool:
        header = request.headers.get("Authorization", "")
        if not self.confidential:
            return not header and sent.get("client_id") == CLIENT_ID
        right = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        return header == f"Basic {right}" and "client_secret" not in sent

    def _refresh(self, token: str) -> Answer:
        if token in self._dead:
            self.reused += 1
        user = self.refresh.pop(token, None)
        if user is None:
            return _refusal(400, "invalid_request", "Value passed for the token was invalid.")
        self.refreshes += 1
        self._dead.add(token)
        return _json(200, self.grant(user), delay=self.refresh_delay)

    def _revoke(self, request: Received) -> Answer:
        sent = dict(parse_qsl(request.body.decode()))
        if not self._knows_client(request, sent):
            return _refusal(401, "unauthorized_client", "Missing valid authorization header")
        user = self.refresh.pop(sent.get("token", ""), None)
        if user is None:
            return _refusal(400, "invalid_request", "Value passed for the token was invalid.")
        self.access = {token: one for token, one in self.access.items() if one.user != user}
        return _json(200, {"revoked": True})

    def _user(self, request: Received) -> str | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        grant = self.access.get(token) if scheme == "Bearer" else None
        return grant.user if grant and grant.ends > time.time() else None

    def _me(self, request: Received) -> Answer:
        user = self._user(request)
        if user is None:
            return _problem(401, "Unauthorized")
        return _json(200, {"data": {"id": user, "name": "A name", "username": self.names[user]}})

    def _tweet(self, request: Received) -> Answer:
        if self.limited is not None:
            return self.limited
        user = self._user(request)
        if user is None:
            return _problem(401, "Unauthorized")
        if user in self.suspended:
            return _problem(403, "Your account is suspended and is not permitted to do this.")
        body = json.loads(request.body)
        text = unicodedata.normalize("NFC", body["text"])
        if set(body) - {"text", "reply"} or not text.strip():
            return _problem(400, "One or more parameters to your request was invalid.")
        if weighted_length(text) > 280:
            return _problem(403, "Your Tweet text is too long.")
        if any(post.text == text and post.author == user for post in self.posts):
            detail = "You are not allowed to create a Tweet with duplicate content."
            return _problem(403, detail)
        reply_to = body.get("reply", {}).get("in_reply_to_tweet_id")
        if reply_to is not None and reply_to not in {post.id for post in self.posts}:
            detail = "You attempted to reply to a Tweet that is deleted or not visible to you."
            return _problem(403, detail)
        post = Post(str(next(self._numbers)), text, user, reply_to)
        self.posts.append(post)
        if self.take_then_hang:
            self.take_then_hang -= 1
            return Answer(hang=True)
        return _json(201, {"data": {"id": post.id, "text": text}})


LINK = re.compile(r"https?://[\w.-]+\.[a-z]{2,}(?:[:/?#]\S*)?", re.IGNORECASE)
BARE = re.compile(
    r"(?<![\w@/])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|net|org|io|de|co)\b", re.IGNORECASE
)


def weighted_length(text: str) -> int:
    """How long a post is, no emoji joined: each code point for itself, each address as 23."""
    text = unicodedata.normalize("NFC", text)
    links = len(LINK.findall(text))
    rest = LINK.sub("", text)
    links += len(BARE.findall(rest))
    rest = BARE.sub("", rest)
    light = [range(0, 4352), range(8192, 8206), range(8208, 8224), range(8242, 8248)]
    return 23 * links + sum(
        1 if any(ord(letter) in span for span in light) else 2 for letter in rest
    )


def _json(status: int, body: Mapping[str, Any], *, delay: float = 0.0) -> Answer:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status=status, body=json.dumps(body).encode(), headers=headers, delay=delay)


def _problem(status: int, detail: str) -> Answer:
    return _json(
        status, {"title": "Problem", "type": "about:blank", "status": status, "detail": detail}
    )


def _refusal(status: int, error: str, description: str) -> Answer:
    return _json(status, {"error": error, "error_description": description})


def _redirect(uri: str, **values: str) -> Answer:
    return Answer(status=302, body=b"", headers={"Location": f"{uri}?{urlencode(values)}"})


@contextmanager
def running(*, confidential: bool = True) -> Iterator[FakeX]:
    with receiver() as site:
        yield FakeX(site, confidential=confidential)
