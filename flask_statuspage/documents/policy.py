"""The Content Security Policy of our own standalone pages: no script, style or frame from elsewhere, nothing inline."""

from __future__ import annotations

from collections.abc import Iterable


def content_security_policy(
    *,
    images: Iterable[str] = (),
    forms: Iterable[str] = (),
    ancestors: Iterable[str] = ("'none'",),
) -> str:
    """The policy as one line.

    :param images: origins besides the page's own that images may come from.
    :param forms: origins besides the page's own that forms may be sent to.
    :param ancestors: who may show the page in a frame, as the policy writes it.
    """
    image_sources = " ".join(["'self'", *images])
    form_targets = " ".join(["'self'", *forms])
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src {image_sources}; connect-src 'self'; "
        f"form-action {form_targets}; base-uri 'none'; frame-ancestors {' '.join(ancestors)}; "
        "require-trusted-types-for 'script'"
    )
