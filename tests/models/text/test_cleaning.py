"""Text that a reader typed is made safe to store, and otherwise left unchanged."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from unicodedata import combining, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.measuring import growth
from models.text.cleaning import clean, clean_line, has_too_many_marks, is_blank, normalized
from models.text.folding import fold


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  two\r\nlines\r ", "two\nlines"),
        ("e\u0301", "é"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # a joiner is part of writing
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("שלום\u200f!", "שלום\u200f!"),  # so is a direction mark
        ("a\u202eb\u2066c\u2069", "abc"),
        ("tab\tstays\x07", "tab\tstays"),
        ("a\0b\ufeff", "ab\ufeff"),
        ("e\u202e\u0301", "é"),  # composed after the character between them was removed
    ],
)
def test_cleaning_keeps_writing_and_drops_trickery(typed: str, kept: str) -> None:
    assert clean(typed, 100) == kept


@given(st.text("e\u0301\u0323\u202e\x85\r\n \x07\u0958"))
def test_clean_text_stays_unchanged(typed: str) -> None:
    """A thread is looked up by the key in the form that was given out."""
    assert clean(clean(typed, 999), 999) == clean(typed, 999)
    assert clean_line(clean_line(typed, 999), 999) == clean_line(typed, 999)


def _descending_marks(length: int) -> str:
    """NFC sorts a letter's marks by their class one by one, so sorting these takes the square of
    their number.
    """
    return "a" + "".join(mark * (length // 3) for mark in "\u0315\u0300\u0323")


def _cleaned(text: str) -> None:
    with suppress(ValueError):
        clean(text, len(text))


@pytest.mark.parametrize(
    "work", [_cleaned, partial(normalized, "NFC"), partial(normalized, "NFKC"), fold]
)
@pytest.mark.parametrize(
    "family",
    [
        _descending_marks,
        lambda length: "\u200d".join(_descending_marks(length // 2)),
        lambda length: "\uff9e\u0300" * (length // 2),
        lambda length: ("a" + "\u0315\u0300\u0323" * 10) * (length // 31),
    ],
)
def test_marks_cost_no_more_than_their_number(
    work: Callable[[str], object], family: Callable[[int], str]
) -> None:
    found = growth(work, family, 80_000, enough=1)
    assert found.is_bounded, found


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        ("a" + 30 * "\u0301", False),
        ("a" + 31 * "\u0301", True),
        ("a" + 31 * "\u0301\u200d", True),  # a joiner between them changes nothing
        ("a" + 31 * "\u0301\u202e", True),  # and neither does a removed character
        (31 * ("a" + 30 * "\u0301"), False),
        ("\u0915" + 31 * "\u094d", True),
        ("x" + 31 * "\U0001d165", True),
        ("😀" * 50 + "👨\u200d👩\u200d👧" * 50, False),
        ("กำ" * 50, False),
    ],
)
def test_a_letter_takes_thirty_marks(text: str, is_refused: bool) -> None:
    with pytest.raises(ValueError, match="at most 30") if is_refused else nullcontext():
        clean(text, 2000)


def test_every_mark_of_unicode_is_counted_as_one() -> None:
    marks = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if combining(normalize("NFKD", chr(code))[0])
    ]
    assert [mark for mark in marks if len(normalized("NFC", "a" + mark * 50)) > 4 * 30 + 1] == []
    assert all(has_too_many_marks("a" + mark * 31) for mark in marks)


def test_a_text_far_too_long_is_refused_before_it_is_cleaned() -> None:
    assert clean("e\u0301" * 100, 100) == "é" * 100
    assert clean("ᾂ" * 100, 100) == clean(normalize("NFD", "ᾂ" * 100), 100)
    with pytest.raises(ValueError, match="at most 100 "):
        clean("\u202e" * 401, 100)


def test_a_line_is_one_line() -> None:
    assert clean_line(" Ann \n\t of  the Hill ", 80) == "Ann    of  the Hill"


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "\u200d\u200c", "\u3000"])
def test_nothing_to_see_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " . ", "\u0915\u094d", "👍", "\u200ba"])
def test_anything_that_can_be_seen_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_the_message_says_how_long_a_text_may_be() -> None:
    assert clean("a" * 1000, 1000)
    with pytest.raises(ValueError, match=r"^This is too long: at most 1,000 characters\.$"):
        clean("a" * 1001, 1000)


def test_white_space_around_a_text_does_not_count() -> None:
    assert clean("  ab  ", 2) == "ab"
