"""The locale files, and the plural forms that the plain pages choose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from models.locales.languages import languages
from models.locales.words import read_words, words_for


def flat(words: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in words.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


@pytest.mark.parametrize("code", languages())
def test_every_language_says_everything_with_the_same_placeholders(code):
    english, words = read_words("en"), read_words(code)
    for ours, theirs in zip(english[1:], words[1:], strict=True):
        assert list(theirs) == list(ours)
        for name in set(ours) - {"comments"}:
            assert placeholders(theirs[name]) == placeholders(ours[name]), name
            assert theirs[name].strip()


@pytest.mark.parametrize(
    ("code", "number", "expected"),
    [
        ("en", 1, "1 comment"),
        ("en", 12, "12 comments"),
        ("de", 2, "2 Kommentare"),
        ("fr", 1, "1 commentaire"),
        ("ru", 1, "1 комментарий"),
        ("ru", 3, "3 комментария"),
        ("ru", 11, "11 комментариев"),
        ("ru", 21, "21 комментарий"),
        ("he", 2, "שתי תגובות"),
        ("ar", 2, "تعليقان"),
        ("ar", 3, "3 تعليقات"),
        ("ar", 11, "11 تعليقًا"),
        ("ar", 100, "100 تعليق"),
    ],
)
def test_a_count_takes_the_plural_form_of_its_language(code, number, expected):
    assert read_words(code).counted(number) == expected


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (("de-AT",), "de"),
        (("FR",), "fr"),
        (("tlh", "es"), "es"),  # the site's language, because we don't speak the reader's
        (("../../etc/passwd",), "en"),
        ((None, None), "en"),
    ],
)
def test_the_first_language_wished_for_that_we_speak_is_spoken(wishes, expected):
    assert words_for(*wishes).code == expected
