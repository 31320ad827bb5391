"""The files of our pages over HTTP: kept for ever under an address that carries their mark, asked for again else."""

from __future__ import annotations

from functools import lru_cache

from flask import Response, request

from ..documents import assets
from ..errors import NotFound
from .ready import Ready, Variants

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
}


def answer(filename: str, *, kept: str = ASK_AGAIN, everywhere: bool = False) -> Response:
    """The file, compressed for whom accepts that.

    :param kept: how long a cache may keep it under an address without its mark.
    :param everywhere: pages of other sites may use it, those that are apart from all others too.
    """
    mark = assets.mark(filename)
    if mark is None:
        raise NotFound("file", filename)
    if request.args.get("v") == mark:
        kept = FOR_EVER
    variants = _variants(filename, mark, kept, everywhere)
    environ = request.environ
    chosen = variants.choose(environ)
    if variants.is_known(environ):
        return Ready(b"", 304, chosen.unchanged)
    return Ready(chosen.body, 200, chosen.headers)


@lru_cache(maxsize=64)
def _variants(filename: str, mark: str, kept: str, everywhere: bool) -> Variants:
    headers = [("Cache-Control", kept), ("X-Content-Type-Options", "nosniff")]
    if everywhere:
        headers.append(("Cross-Origin-Resource-Policy", "cross-origin"))
    return Variants(
        assets.read(filename) or b"",
        etag=mark,
        last_modified=None,
        content_type=_TYPES[filename.rpartition(".")[2]],
        headers=headers,
    )
