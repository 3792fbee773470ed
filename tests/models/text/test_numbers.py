"""Numbers that somebody typed or sent in a header."""

from __future__ import annotations

import pytest

from models.text.numbers import digits_to_int


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("999999999", 999_999_999)]
)
def test_ascii_digits_are_a_number(text: str, number: int) -> None:
    assert digits_to_int(text) == number


@pytest.mark.parametrize(
    "text", [None, "", " ", "+5", "-5", " 5", "5 ", "1_0", "5.0", "1e3", "٣", "³", "５", "1" * 10]
)
def test_any_other_text_is_none(text: str | None) -> None:
    assert digits_to_int(text) is None


def test_a_number_may_have_as_many_digits_as_the_caller_allows() -> None:
    assert digits_to_int("12345", digits=5) == 12345
    assert digits_to_int("12345", digits=4) is None
