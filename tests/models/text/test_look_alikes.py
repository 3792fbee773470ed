"""The tables of letters that look like Latin ones."""

from __future__ import annotations

import unicodedata

import pytest

from models.text.look_alikes import ALWAYS, AMONG_LATIN, SOMETIMES, named_latin, table


@pytest.mark.parametrize("pairs", [ALWAYS, SOMETIMES, AMONG_LATIN])
def test_every_letter_has_one_target(pairs: dict[str, str]) -> None:
    letters = "".join(pairs)
    assert len(letters) == len(set(letters))
    assert len(table(pairs)) == len(letters)


@pytest.mark.parametrize("pairs", [ALWAYS, SOMETIMES, AMONG_LATIN])
def test_a_letter_is_listed_as_folding_leaves_it(pairs: dict[str, str]) -> None:
    """Otherwise no folded text would ever contain it."""
    for letter in "".join(pairs):
        folded = unicodedata.normalize("NFKC", letter).casefold()
        assert letter in {folded, letter.casefold()}, unicodedata.name(letter)


def test_the_ordinary_words_of_greek_stay_apart() -> None:
    """If two letters had one target, two words would become one."""
    (targets,) = (targets for letters, targets in ALWAYS.items() if letters.startswith("α"))
    assert len(targets) == len(set(targets))


@pytest.mark.parametrize(("variant", "letter"), [("ⱱ", "v"), ("ɍ", "r"), ("ᴛ", "t"), ("ꞓ", "c")])
def test_a_variant_of_a_latin_letter_is_found_by_its_name(variant: str, letter: str) -> None:
    assert named_latin()[ord(variant)] == letter


def test_a_letter_whose_name_names_no_other_is_left_alone() -> None:
    assert ord("ə") not in named_latin()
