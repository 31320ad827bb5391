"""Lets a library that brings its own requests session send by our client: one deadline, no redirects, no proxies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from .client import Client

READ_LIMIT = 64 * 1024  # bytes


class ClientAdapter(BaseAdapter):
    """A transport of requests for ``session.mount``; what fails raises :exc:`.SendFailed`.

    :param timeout: seconds for each request in all, whatever the session says.
    :param plain: send to ``http`` what is addressed to ``https``, for libraries that insist on it.
    """

    def __init__(self, client: Client, *, timeout: float, plain: bool = False) -> None:
        super().__init__()
        self._client = client
        self._timeout = timeout
        self._plain = plain

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        url = request.url or ""
        body = request.body
        answer = self._client.send(
            request.method or "GET",
            f"http{url.removeprefix('https')}" if self._plain else url,
            headers=_own(request.headers),
            body=body.encode() if isinstance(body, str) else body,
            timeout=self._timeout,
            read_limit=READ_LIMIT,
            keep=READ_LIMIT,
        )
        response = _Whole()
        response.status_code = answer.status
        # Without a Location no session follows a redirect.
        response.headers = CaseInsensitiveDict(
            {name: value for name, value in answer.headers.items() if name.lower() != "location"}
        )
        response.fill(answer.body)
        response.encoding = "utf-8"
        response.request = request
        response.url = url
        return response

    def close(self) -> None:
        """The client's connections are the process's, not the session's."""


class _Whole(requests.Response):
    """A response whose body is there already."""

    def fill(self, body: bytes) -> None:
        self._content = body
        self._content_consumed = True

    def close(self) -> None:
        """There is nothing to give back."""


def _own(headers: Any) -> dict[str, str]:
    """The headers that the caller set: those of the connection are the client's."""
    theirs = {"connection", "content-length", "user-agent", "accept-encoding", "host"}
    return {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in headers.items()
        if name.lower() not in theirs
    }
