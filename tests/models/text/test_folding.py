"""Words that look the same fold to the same text, and ordinary words of every language stay
distinct.
"""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text.folding import GROWING, fold, readings


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
        ("ᏙᎥᎪᎶᎡᎪ", "viagra"),  # Cherokee
        ("ꮩꭵꭺꮆꭱꭺ", "viagra"),  # Cherokee in small letters
        ("ⱱiagra", "viagra"),  # v with a right hook
        ("ʋɨȧɠɽⱥ", "viagra"),  # hooks, strokes and tails
        ("ᵥᵢₐgᵣₐ", "viagra"),  # below the line
        ("ᵛⁱᵃᵍʳᵃ", "viagra"),  # above the line
        ("🅅🄸🄰🄶🅁🄰", "viagra"),  # in squares
        ("🆅🅸🅰🅶🆁🅰", "viagra"),  # white in squares
        ("𝐯𝑖𝒂𝔤𝕣𝚊", "viagra"),
        ("ⲥⲁsⲓⲛⲟ", "casino"),  # Coptic
        ("𐐽asin𐐬", "casino"),  # Deseret
        ("𐌂𐌀𐌔𐌉𐌍𐌏", "casino"),  # Old Italic
        ("viः\u0903agra", "viagra"),  # a Devanagari visarga inside a Latin word
        ("vi\u0e31agra", "viagra"),  # a Thai vowel sign
        ("viʼagra", "viagra"),  # an apostrophe that Unicode calls a letter
        ("v١٢٣", "v123"),  # Arabic digits
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
        ("sp4m", "spam"),  # "leet" spelling is left to the owner's own list
        ("中国", "中國"),
    ],
)
def test_two_different_words_stay_two(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_no_two_letters_of_the_russian_alphabet_become_one_but_the_two_that_russians_mix() -> None:
    alphabet = "абвгдежзийклмнопрстуфхцчшщъыьэюя"

    assert len({fold(letter) for letter in alphabet}) == len(alphabet)
    assert fold("ё") == fold("е")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("🇻🇮🇦🇬🇷🇦", "viagra"),  # regional indicators
        ("🇻\u200b🇮\u200b🇦gra", "viagra"),
        ("ᐯIᗩGᖇᗩ", "viagra"),  # Canadian syllabics
        ("ᎥᏗᏕ", "ias"),  # Cherokee letters that share a look with others
        ("viagяa", "viagra"),  # a Cyrillic letter that is r only among Latin ones
        ("cаsinσ", "casino"),
        ("₳pple", "apple"),
        ("卂pple", "apple"),
    ],
)
def test_a_second_reading_takes_more_signs_for_letters(written: str, meant: str) -> None:
    assert meant in readings(written)


@pytest.mark.parametrize(
    "text", ["hello", "город", "σοφός", "שלום", "中国", "हिन्दी", "Größe", "e = mc²", "2 × 3"]
)
def test_an_ordinary_text_has_one_reading(text: str) -> None:
    assert readings(text) == (fold(text),)


@given(st.text())
def test_the_first_reading_is_the_folded_text(text: str) -> None:
    assert readings(text)[0] == fold(text)


@pytest.mark.parametrize(
    "alphabet",
    [
        "αβγδεζηθικλμνξοπρστυφχψω",
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
        "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ",
    ],
)
def test_no_two_letters_of_an_alphabet_become_one(alphabet: str) -> None:
    assert len({fold(letter) for letter in alphabet}) >= len(alphabet) - alphabet.count(
        "ї"
    ) - alphabet.count("ґ")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_how_a_text_was_composed_makes_no_difference(text: str) -> None:
    assert (
        fold(unicodedata.normalize("NFD", text))
        == fold(text)
        == fold(unicodedata.normalize("NFC", text))
    )


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_plain_english_only_loses_its_case_and_spacing(text: str) -> None:
    assert fold(text) == " ".join(text.lower().split())


def test_a_ligature_of_a_sentence_is_expanded_unless_there_are_many() -> None:
    assert fold("ﷺ") == fold("صلى الله عليه وسلم")
    assert len(fold("a ﷺ" * 2500)) <= 4 * 10_000
    assert fold("ﷺ" * 500 + "casino") == "casino"


def test_few_characters_fold_into_more_than_four() -> None:
    long = [chr(code) for code in range(sys.maxunicode + 1) if len(fold(chr(code))) > 4]
    assert all(GROWING.fullmatch(letter) for letter in long)
