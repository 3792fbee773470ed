"""Fold texts, so that two spellings that look the same to a reader become one and words can be
compared. Never show folded text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from unicodedata import category, decimal, normalize

from models.text.cleaning import normalized
from models.text.look_alikes import ALWAYS, AMONG_LATIN, SOMETIMES, named_latin, table

# Marks without which a word is still the same word. The marks of Indic scripts, Thai and kana are
# part of the spelling and stay.
_MARKS = (
    range(0x0300, 0x0370),  # Latin, Greek and Cyrillic accents
    range(0x0483, 0x048A),  # Cyrillic titlo and thousands
    range(0x0591, 0x05BE),  # Hebrew points; 05BE is a hyphen
    range(0x05BF, 0x05C8),
    range(0x0610, 0x061B),  # Arabic
    range(0x064B, 0x0660),  # Arabic harakat
    range(0x0670, 0x0671),  # Arabic superscript alef
    range(0x06D6, 0x06EE),  # Arabic Quran marks
    range(0x08D3, 0x0900),  # Arabic, extended
    range(0x1AB0, 0x1B00),
    range(0x1DC0, 0x1E00),
    range(0x20D0, 0x2100),
    range(0xFE00, 0xFE10),  # variation selectors
    range(0xFE20, 0xFE30),
    range(0xE0100, 0xE01F0),  # variation selectors
)
_TAGS = range(0xE0000, 0xE0080)  # format characters far away from the others
_UNSEEN = "\u115f\u1160\u17b4\u17b5\u2800"  # fillers that draw nothing but count as letters
_TATWEEL = "\u0640"
_PRECOMPOSED = (range(0x00C0, 0x0700), range(0x1E00, 0x2000))  # letters that such a mark changes
# Their mark makes another letter: мой is not мои; Arabic waw and yeh with hamza.
_WHOLE = "й\u0624\u0626"


def fold(text: str) -> str:
    """Return the text for comparing: without case, accents, look-alikes or invisible characters,
    and with one space for each run of white space.

    Blocked words and strangers' texts are folded in the same way. Folding twice changes nothing.
    "leet" spelling stays.
    """
    if text.isascii() and text.isalnum():
        return text.lower()
    return _plain(_letters(text), _TABLE)


@lru_cache(maxsize=64)  # several checks fold the same comment
def readings(text: str) -> tuple[str, ...]:
    """Return every way a reader may take the text: folded, and a second time if it uses signs that
    only sometimes stand for letters.

    The second reading takes flags, Canadian syllabics and the like for Latin letters, and every
    look-alike inside a word that has Latin letters. It adds matches and never replaces the first.
    """
    folded, letters = fold_text(text), _kept_letters(text)
    if letters.isascii() or not (
        _SOMETIMES.search(letters) or _has_other_letters_among_latin(letters)
    ):
        return (folded,)
    among_latin = letters
    if _LATIN.search(letters):
        among_latin = _WORD.sub(lambda word: _read_as_latin(word[0]), letters)
    return tuple(dict.fromkeys((folded, _plain(among_latin, _ALL))))


def _letters(text: str) -> str:
    if text.isascii():
        return text.lower()
    if len(text) > MOST_GROWING and len(GROWING.findall(text)) > MOST_GROWING:
        text = GROWING.sub(" ", text)
    return normalized("NFKC", text).casefold()


def _plain(letters: str, by: _Table) -> str:
    letters = by.translated(letters)
    if not letters.isascii():
        if _MAY_HAVE_MARKS.search(letters):
            letters = _STRAY.sub(r"\1", letters)
        letters = normalized("NFKC", letters)
    return " ".join(letters.split())


def _has_other_letters_among_latin(letters: str) -> bool:
    return bool(_LATIN.search(letters) and _AMONG_LATIN.search(letters))


def _read_as_latin(word: str) -> str:
    return word.translate(_AMONG) if _LATIN.search(word) else word


@lru_cache(maxsize=64)
def fold_text(text: str) -> str:
    """Fold a comment's text and remember it, because several checks ask for it."""
    return _plain(_kept_letters(text), _TABLE)


@lru_cache(maxsize=8)
def _kept_letters(text: str) -> str:
    return _letters(text)


LETTERS = 20  # shorter texts prove nothing: "Thank you!" is no campaign
# Characters that NFKC turns into more than four (up to eighteen). If a text has more than a few of
# them, they are left out.
GROWING, MOST_GROWING = re.compile("[\u3300-\u3357\u33ae\u33af\ufdfa\ufdfb]"), 50
_NO_LETTERS = re.compile(r"[\W_]+")


def says_enough(text: str) -> bool:
    """Whether the text has enough letters to compare it with others."""
    return len(_NO_LETTERS.sub("", fold(text))) >= LETTERS


class _Table(dict[int, "str | int | None"]):
    """Maps each character for `str.translate`.

    `str.translate` takes 0.2 µs for each character that a dict lacks, because the dict raises an
    exception inside. This table remembers the letters of alphabets, and skips runs of other
    characters that do not change.
    """

    def translated(self, text: str) -> str:
        if len(text) < _SHORT or text.isascii():
            return text.translate(self)
        return _MAY_CHANGE.sub(lambda run: run[0].translate(self), text)

    def __missing__(self, code: int) -> int:
        if code < _ALPHABETS:
            self[code] = code
        return code


def _table() -> dict[int, str | None]:
    """Return the replacement of each character: None removes it, a letter replaces it, and a
    missing entry keeps it.
    """
    by: dict[int, str | None] = {code: None for code in range(0x20) if not chr(code).isspace()}
    by |= dict.fromkeys((*_OF["Cf"], *_TAGS))  # zero-width, direction and other format characters
    by |= dict.fromkeys(chain.from_iterable(_MARKS)) | dict.fromkeys(map(ord, _UNSEEN + _TATWEEL))
    by |= {code: str(decimal(chr(code))) for code in _OF["Nd"]}
    by |= named_latin() | table(ALWAYS)
    bare = {code: _bare(chr(code), by) for code in chain.from_iterable(_PRECOMPOSED)}
    return by | {code: letter for code, letter in bare.items() if letter != chr(code)}


def _bare(letter: str, by: dict[int, str | None]) -> str | None:
    """Return a precomposed letter without its marks, or the letter that it looks like."""
    return (
        by.get(ord(letter), letter) if letter in _WHOLE else normalize("NFD", letter).translate(by)
    )


def _by_category() -> dict[str, list[int]]:
    """Return marks, digits and format characters of the first two planes; the planes beyond hold
    ideographs, tags and private use.
    """
    codes: dict[str, list[int]] = {"Mn": [], "Mc": [], "Me": [], "Nd": [], "Cf": []}
    for code in range(0x20000):
        if (kind := category(chr(code))) in codes:
            codes[kind].append(code)
    return codes


def _one_of(codes: Iterable[int]) -> str:
    """Return a character class written in ranges, because beyond the first plane `re` tries
    characters one after the other.
    """
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges) + "]"


_OF = _by_category()
_TABLE = _Table(_table())
_ALL = _Table(_TABLE | table(SOMETIMES))
_ALPHABETS = 0x3000  # after this come ideographs, kana and Hangul
_SHORT = 50  # characters; in shorter texts, looking for runs takes longer than it saves
_CHANGES = _one_of({*range(0x80, _ALPHABETS), *(code for code in _ALL if code < 0x10000)})[1:-1]
_MAY_CHANGE = re.compile(
    rf"[{_CHANGES}\U00010000-\U0010ffff][{_CHANGES}\U00010000-\U0010ffff\x00-\x7f]*"
)
_AMONG = table(AMONG_LATIN)
# A vowel sign, a visarga or an apostrophe that counts as a letter never belongs to a Latin word:
# viःagra, viʼagra.
_MARK_CODES = (*_OF["Mn"], *_OF["Mc"], *_OF["Me"], *range(0x02B9, 0x0300))
_STRAY = re.compile(rf"([a-z0-9]){_one_of(_MARK_CODES)}+")
_MAY_HAVE_MARKS = re.compile(
    _one_of((*(code for code in _MARK_CODES if code < 0x10000), *range(0x10000, 0x1F000)))
)
_LATIN = re.compile("[a-z]")
_WORD = re.compile(r"\w+")
_SOMETIMES = re.compile(_one_of(table(SOMETIMES)))
_AMONG_LATIN = re.compile(rf"{_one_of(_AMONG)}(?:(?=[a-z])|(?<=[a-z].))")
