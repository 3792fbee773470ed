"""Words in disguise, and ordinary words that only look like one."""

from __future__ import annotations

import pytest

from models.judgement.disguises import (
    across_blanks,
    joined,
    may_stand_for_letters,
    parts,
    rare_across_blanks,
    skeletons,
    spelled_out,
    undigited,
)


def test_a_text_has_plain_words_and_odd_chunks() -> None:
    assert parts('the "ferry", it\'s late-ish, v1agra') == (
        ["the", "ferry", "it", "s", "late", "ish", "v1agra"],
        ["it's", "late-ish,", "v1agra"],
    )


def test_an_underscore_is_a_sign() -> None:
    assert parts("via_gra").odd == ["via-gra"]


@pytest.mark.parametrize(
    ("chunk", "word"), [("via-gra", "viagra"), ("vi.ag.ra*", "agra"), ("cas*ino", "casino")]
)
def test_signs_inside_a_word_are_read_over(chunk: str, word: str) -> None:
    assert word in joined(chunk)


@pytest.mark.parametrize(
    ("chunk", "word"),
    [
        ("she'll", "shell"),  # a contraction
        ("l'oro", "loro"),  # an elision
        ("pen.is", "penis"),  # a full stop before an everyday word ends a sentence
        ("https://a.example/pen-is", "penis"),  # in an address, a hyphen is a space
        ("word", "word"),  # nothing is joined
    ],
)
def test_signs_that_belong_there_join_no_words(chunk: str, word: str) -> None:
    assert word not in joined(chunk)


def test_words_are_joined_across_one_or_two_blanks() -> None:
    assert across_blanks(["vi", "ag", "ra"]) == {"viag", "agra", "viagra"}
    assert across_blanks(["alone"]) == set()


def test_everyday_words_are_not_joined_across_blanks() -> None:
    assert rare_across_blanks(["the", "pen", "is"]) == set()
    assert "viagra" in rare_across_blanks(["via", "gra"])
    assert "casino" in rare_across_blanks(["cas", "ino"])
    # Three pieces are joined only if all of them are short.
    assert rare_across_blanks(["casi", "nox", "yz"]) == {"casinox", "noxyz"}


def test_single_letters_spell_a_word_out() -> None:
    assert list(spelled_out(["buy", "v", "i", "a", "g", "r", "a", "now"])) == ["viagra"]
    assert list(spelled_out(["c", "a", "s", "h"])) == ["cash"]
    assert list(spelled_out(["a", "b", "c"])) == []


@pytest.mark.parametrize(
    ("word", "reading"),
    [("c4sino", "casino"), ("ca$ino", "casino"), ("casino2", "casino"), ("v!agra", "viagra")],
)
def test_digits_and_signs_are_read_as_letters(word: str, reading: str) -> None:
    assert reading in undigited(word)


@pytest.mark.parametrize("word", ["50s", "4th", "10km", "mp3", "a4", "plain", "2026"])
def test_numbers_with_a_letter_or_two_and_plain_words_are_what_they_are(word: str) -> None:
    assert undigited(word) == frozenset()


def test_a_text_is_looked_at_for_digits_only_if_one_touches_a_letter() -> None:
    assert may_stand_for_letters("c4sino")
    assert may_stand_for_letters("$pam")
    assert not may_stand_for_letters("in 2026 for 5 $")


def test_a_loud_end_is_no_letter() -> None:
    assert skeletons("cas1no! now!") == ["casino", "now"]
