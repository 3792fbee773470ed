"""Identifiers sort by creation time, and have one spelling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from models.identifiers import first_id, is_id, new_id

AT = datetime(2026, 11, 28, 12, 0, 0, 123_000, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def test_a_new_identifier_is_a_uuid_of_version_7_in_its_usual_spelling() -> None:
    made = new_id()
    assert is_id(made)
    assert (UUID(made).version, len(made)) == (7, 36)


def test_identifiers_sort_as_they_were_made_and_none_comes_twice() -> None:
    made = [new_id() for _ in range(1000)]
    assert sorted(set(made)) == made


def test_the_first_identifier_of_a_millisecond_is_that_moments() -> None:
    first = UUID(first_id(AT))
    assert first.int >> 80 == int(AT.timestamp() * 1000)
    assert first.version == 7


def test_first_identifiers_sort_between_earlier_and_later_ones() -> None:
    before = datetime.now(UTC) - MILLISECOND
    made = new_id()
    after = datetime.now(UTC) + MILLISECOND
    assert first_id(before) < made < first_id(after)


def test_first_identifiers_of_two_milliseconds_sort_like_these() -> None:
    moments = [AT + n * MILLISECOND for n in range(-2, 3)]
    assert sorted(map(first_id, moments)) == [first_id(at) for at in moments]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("01946b3e-0000-7000-8000-000000000000", True),
        ("01946B3E-0000-7000-8000-000000000000", False),  # upper case
        ("01946b3e000070008000000000000000", False),  # without hyphens
        ("{01946b3e-0000-7000-8000-000000000000}", False),
        ("urn:uuid:01946b3e-0000-7000-8000-000000000000", False),
        ("01946b3e-0000-7000-8000-00000000000", False),  # one digit short
        ("01946b3e-0000-7000-8000-00000000000g", False),
        (" 01946b3e-0000-7000-8000-000000000000", False),
        ("", False),
    ],
)
def test_only_the_canonical_spelling_is_an_identifier(text: str, is_one: bool) -> None:
    assert is_id(text) is is_one
