"""Words that look the same fold to the same, and ordinary words of every language stay apart."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.folding import fold


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("SPAM", "spam"),
        ("ѕрам", "spam"),  # Cyrillic
        ("viаgra", "viagra"),  # one Cyrillic letter
        ("ΒΕΤ", "bet"),  # Greek capitals
        ("ꓚꓮꓢꓲꓠꓳ", "casino"),  # Lisu
        ("ᴄᴀꜱɪɴᴏ", "casino"),  # small capitals
        ("ｃａｓｉｎｏ", "casino"),  # full width
        ("𝓬𝖆𝘀𝚒𝗻𝕠", "casino"),  # mathematical
        ("ⓒⓐⓢⓘⓝⓞ", "casino"),
        ("🅲🅰🆂🅸🅽🅾", "casino"),
        ("cąsînø", "casino"),
        ("c\u0336a\u0336s\u0336i\u0336n\u0336o\u0336", "casino"),  # struck through
        ("ca\u200bsi\u00adno\ufeff", "casino"),  # zero width space, soft hyphen, byte-order mark
        ("ca\u2060si\u202eno", "casino"),  # word joiner, a turn of direction
        ("  free\u00a0\u3000 money\n", "free money"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("Ёлка", "елка"),
        ("й", "и\u0306"),  # composed and decomposed
        ("ΟΔΟΣ", "οδός"),
        ("مـرحـبـا", "مرحبا"),
        ("مَرْحَبًا", "مرحبا"),
        ("أحمد", "احمد"),
        ("علی", "على"),
        ("کتاب", "كتاب"),
        ("שָׁלוֹם", "שלום"),
    ],
)
def test_two_spellings_of_one_word_fold_alike(written: str, meant: str) -> None:
    assert fold(written) == fold(meant)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("мой", "мои"),
        ("кон", "конь"),
        ("шар", "щар"),
        ("بيت", "بنت"),
        ("سوال", "سؤال"),
        ("か", "が"),
        ("कल", "काल"),
        ("กา", "กี"),
        ("שם", "שב"),
        ("σε", "οε"),
        ("sp4m", "spam"),  # leet is left to the owner's own list
        ("中国", "中國"),
    ],
)
def test_two_different_words_stay_two(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_no_two_letters_of_the_russian_alphabet_become_one_but_the_two_that_russians_mix() -> None:
    alphabet = "абвгдежзийклмнопрстуфхцчшщъыьэюя"

    assert len({fold(letter) for letter in alphabet}) == len(alphabet)
    assert fold("ё") == fold("е")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_how_a_text_was_composed_makes_no_difference(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(text) == fold(unicodedata.normalize("NFC", text))


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_plain_english_only_loses_its_case_and_spacing(text: str) -> None:
    assert fold(text) == " ".join(text.lower().split())
