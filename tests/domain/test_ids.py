"""Identifiers and slugs."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flask_statuspage.domain.ids import (
    MAX_SLUG,
    RESERVED_SLUGS,
    first_id,
    is_slug,
    new_id,
    slugify,
)


def test_new_ids_begin_with_the_time() -> None:
    """An id is a version 7 UUID whose first 48 bits are the milliseconds of its making."""
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert before <= made.int >> 80 <= after


def test_later_ids_sort_later() -> None:
    """Ids of different milliseconds sort in the order of their making, as numbers and as text."""
    made = []
    for _ in range(20):
        made.append(new_id())
        time.sleep(0.002)
    assert made == sorted(made)
    assert [str(one) for one in made] == sorted(str(one) for one in made)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))
@example(datetime(2004, 10, 17, 7, 1, 2, 906_000, tzinfo=UTC))  # no double has it: a hair too early
@example(datetime(4148, 1, 1, 0, 0, 0, 350_991, tzinfo=UTC))
def test_the_first_id_of_a_moment_begins_with_its_millisecond(at: datetime) -> None:
    """Exactly: of another millisecond rows would be missed, or be there that are older."""
    assert first_id(at).int >> 80 == (at - EPOCH) // timedelta(milliseconds=1)
    assert first_id(at).version == 7


def test_before_the_epoch_the_first_id_is_that_of_the_epoch() -> None:
    """No id is older."""
    assert first_id(datetime(1901, 1, 1, tzinfo=UTC)) == first_id(EPOCH)


def test_ids_of_one_moment_differ() -> None:
    """Ten thousand ids made at once are all different."""
    assert len({new_id() for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Checkout API", "checkout-api"),
        ("  Été à Paris!  ", "ete-a-paris"),
        ("a--b__c", "a-b-c"),
        ("Datenbank №2", "datenbank-no2"),
        ("🟢", ""),
        ("", ""),
        ("x" * 200, "x" * MAX_SLUG),
        ("x" * (MAX_SLUG - 1) + " y", "x" * (MAX_SLUG - 1)),
    ],
)
def test_slugify_keeps_letters_digits_and_single_hyphens(text: str, slug: str) -> None:
    """A slug is lower-case ASCII with single hyphens inside, at most 80 long, and may be empty."""
    assert slugify(text) == slug
    assert slug == "" or is_slug(slug)


@pytest.mark.parametrize(
    "text",
    ["", "-a", "a-", "a--b", "A", "a_b", "a/b", "a.b", "é", "a\n", "x" * (MAX_SLUG + 1), "a b"],
)
def test_what_cannot_stand_in_a_url_is_no_slug(text: str) -> None:
    """Anything but lower-case ASCII letters, digits and single inner hyphens is refused."""
    assert not is_slug(text)


def test_reserved_slugs_are_slugs() -> None:
    """Every name that is kept for a fixed path could otherwise be a page's slug."""
    assert all(map(is_slug, RESERVED_SLUGS))
