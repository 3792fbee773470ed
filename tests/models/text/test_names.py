"""Two spellings of a name that look the same to a reader are one name."""

from __future__ import annotations

import pytest

from models.text.names import MOST, folded_name, name_key


@pytest.mark.parametrize(
    "name",
    [
        "Ann Reed",
        "ANN  reed",
        "Ánn Réed",
        "Аnn Rееd",  # with Cyrillic letters
        "Ann-Reed",
        "ann_reed",
        "“Ann Reed” ✓",
        "A\u200bnn Reed",
    ],
)
def test_spellings_of_one_name(name: str) -> None:
    assert folded_name(name) == "ann reed"


@pytest.mark.parametrize("name", ["Ann", "Ann B. Reed", "Reed Ann", "Anna Reed", "✓", ""])
def test_other_names(name: str) -> None:
    assert folded_name(name) != "ann reed"


@pytest.mark.parametrize("name", ["AnnReed", "A n n Reed", "Ann\u200bReed", "a.n.n-r.e.e.d"])
def test_spaces_make_no_other_name(name: str) -> None:
    assert name_key(name) == name_key("Ann Reed")


def test_vowel_signs_belong_to_their_word() -> None:
    assert len(folded_name("राकेश").split()) == 1


def test_a_folded_name_fits_its_column() -> None:
    assert len(folded_name("㎏" * 80 + "ﷺ" * 80)) <= MOST
