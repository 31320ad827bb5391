"""What the description of the APIs says in words, and calls by one name wherever it comes up."""

from __future__ import annotations

from typing import Any

ABOUT = (
    "What the status page shows to everybody, and the API that manages it. Times are RFC 3339 in UTC. "
    "Errors are problem details (RFC 9457). Further fields may be added to what is answered."
)

PROBLEMS = {
    400: (
        "Unreadable",
        "The body is no JSON object, or a public document has no such value of a parameter; "
        "`errors` names the parameter.",
    ),
    401: ("Unauthorized", "No key was sent, or one that is unknown, expired or revoked."),
    403: ("Forbidden", "The role of the key is too small, or the page is not for everybody."),
    404: ("NotFound", "There is no such thing."),
    409: (
        "Conflict",
        "The thing is in a state that forbids it, or another change came in between.",
    ),
    412: (
        "Outdated",
        "The thing is none of those that `If-Match` names; `ETag` is its present one, if it has any.",
    ),
    413: ("TooLarge", "The body is too large, or does not tell its length."),
    422: ("Invalid", "A field or a parameter is wrong; `errors` names each."),
    429: ("TooMany", "Too many attempts; try again after `Retry-After`."),
    503: ("Unavailable", "The status page is not set up, or its database cannot be used."),
}

HEADERS = {
    "Link": "The first, previous, next and last page of the list (RFC 8288).",
    "ETag": "Changes with what is answered; send it back as `If-None-Match`, or as `If-Match` with a change.",
    "Location": "Where what was made can be read.",
    "Last-Modified": "When the document last changed; send it back as `If-Modified-Since`.",
    "Cache-Control": "How long the document may be kept, also while the site is away (RFC 5861).",
    "WWW-Authenticate": "`Bearer`.",
    "Retry-After": "Seconds to wait.",
    "RateLimit": "How many requests are left to the key (`r`), and for how many seconds (`t`).",
    "RateLimit-Policy": "How many requests a key has (`q`) within so many seconds (`w`).",
}

RATE = ("RateLimit", "RateLimit-Policy")

PROBLEM_HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",)}

PATH_PARAMETERS = {
    "ident": (
        "The id, a UUID. Pages, components and monitors also answer to their slug, groups and templates to their name, "
        "members to their identity."
    ),
    "update_ident": "The id of the update, a UUID.",
    "status": "A status of a component.",
    "component_slug": "The slug of the component.",
}

SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"token": []}]

SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of the manage API.",
    },
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization-Token",
        "description": "The same key in a header of its own.",
    },
}

ASKING: dict[str, dict[str, Any]] = {
    "If-Match": {
        "description": (
            "An `ETag`, several with commas between them, or `*`: the change is made only if the thing is still as it "
            "was then; else it is 412. Looked at under the lock of the change."
        ),
        "schema": {"type": "string"},
        "example": '"5f1d7c2ab3e94f0c8d6a1b2c3d4e5f60"',
    },
    "If-None-Match": {
        "description": "An `ETag`: what is as it was then is 304, without a body.",
        "schema": {"type": "string"},
    },
    "Idempotency-Key": {
        "description": (
            "A text of your own, such as a UUID. For 24 hours the same request under it gets the answer that the first "
            "one got, with `Idempotency-Replayed: true`; another request under it is 422."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
}
"""Parameters in headers."""
