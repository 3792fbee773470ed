"""Find letters in disguise: characters that a reader takes for ordinary letters, and a filter does
not.

This reads the text as it was typed, because folding (`models/text/folding.py`) removes every trace.
It needs no word list, so it works in every language. The work is proportional to the length of the
text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

LOOK_ALIKES = "look_alikes"  # letters of another alphabet inside a word: pаypаl with a Cyrillic а
FANCY = "fancy"  # letters of an alphabet that nobody writes in: mathematical, in circles, as flags
SPELLED_OUT = "spelled_out"  # one letter at a time: b o n u s
SIGNS = "signs"  # digits and signs inside a word: v1agra
UNSEEN = "unseen"  # characters inside a word that draw nothing
MARKS = "marks"  # accents and lines that no language puts on these letters
KINDS = (LOOK_ALIKES, FANCY, SPELLED_OUT, SIGNS, UNSEEN, MARKS)

# The alphabets that share letters of the same look, with their capitals.
_ALPHABETS = {
    "Latin": "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "Greek": "\u0370-\u03ff\u1f00-\u1fff",
    "Cyrillic": "\u0400-\u0482\u048a-\u052f\u1c80-\u1c88\ua640-\ua66d\ua680-\ua69b",
    "Armenian": "\u0531-\u0556\u0561-\u0587",
    "Hebrew": "\u05d0-\u05ea",
    "Georgian": "\u10a0-\u10fa\u1c90-\u1cba",
    "Cherokee": "\u13a0-\u13fd\uab70-\uabbf",
    "Canadian": "\u1401-\u166c\u166f-\u167f",
    "runic": "\u16a0-\u16ea",
    "Coptic": "\u2c80-\u2ce4",
    "Tifinagh": "\u2d30-\u2d67",
    "Lisu": "\ua4d0-\ua4f7",
    "Deseret": "\U00010400-\U0001044f",
    "Old Italic": "\U00010300-\U0001031f",
    "Carian": "\U000102a0-\U000102d0",
    "Lycian": "\U00010280-\U0001029c",
    "Warang Citi": "\U000118a0-\U000118df",
}
_LATIN = _ALPHABETS["Latin"]
_WRITTEN_ALONE = "".join(_ALPHABETS[name] for name in ("Latin", "Greek", "Cyrillic"))
_OTHERS = "".join(letters for name, letters in _ALPHABETS.items() if name != "Latin")
_IN_ALPHABET = {name: re.compile(f"[{letters}]") for name, letters in _ALPHABETS.items()}

# Between letters these draw nothing. Arabic, Indic and other scripts need the joiners, and pictures
# of families are joined, so all of them count only inside Latin, Greek and Cyrillic words.
_NOTHING = "\u00ad\u034f\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff"
_HYPHEN = "\u00ad"  # a soft one: pages copied from a newspaper have them between syllables

_MIXED = re.compile(
    rf"[{_LATIN}][{_NOTHING}]*[{_OTHERS}]|[{_OTHERS}][{_NOTHING}]*[{_LATIN}]"
    rf"|[{_ALPHABETS['Greek']}][{_NOTHING}]*[{_ALPHABETS['Cyrillic']}]"
    rf"|[{_ALPHABETS['Cyrillic']}][{_NOTHING}]*[{_ALPHABETS['Greek']}]"
)
_WORD = re.compile(rf"[{_LATIN}{_OTHERS}][{_LATIN}{_OTHERS}{_NOTHING}]+")
# Russian keyboards lack ё and accents, so honest writers borrow these from the Latin alphabet.
_BORROWED = re.compile("[áéëíóúýÁÉËÍÓÚÝ]")
# Small letters of one alphabet that look like one of the other.
_SAME_LOOK = frozenset("aceiopxyаеосрхуіѕјһԁԛԝ")

_UNSEEN = re.compile(rf"(?<=[{_WRITTEN_ALONE}])[{_NOTHING}]+(?=[{_WRITTEN_ALONE}])")
_ANY_UNSEEN = re.compile(f"[{_NOTHING}]")
_AROUND = re.compile(rf"[{_WRITTEN_ALONE}{_NOTHING}]+")

_BLANK = "[ \u00a0\u200b\u200d\ufe0f]?"
_ENCLOSED = "\u24b6-\u24e9\u249c-\u24b5\U0001f110-\U0001f189"
_SMALL = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢᴬ-ᵛʰ-ʸˡ-ˣᶜᶠᶻ"
_FANCY = re.compile(
    rf"(?:[\U0001d400-\U0001d7cb\u2102-\u2149]{_BLANK}){{4,}}+"
    rf"|(?:[{_ENCLOSED}]{_BLANK}){{3,}}+"
    rf"|(?:[{_SMALL}]{_BLANK}){{4,}}+"
    rf"|(?:[\uff21-\uff3a\uff41-\uff5a]{_BLANK}){{4,}}+"
    rf"|[\U0001f1e6-\U0001f1ff](?:{_BLANK}[\U0001f1e6-\U0001f1ff])++"
)
_MAY_BE_FANCY = re.compile(
    rf"[{_ENCLOSED}{_SMALL}\u2102-\u2149\uff21-\uff5a\U0001d400-\U0001d7cb\U0001f1e6-\U0001f1ff]"
)
_FULL_WIDTH, _FLAG = re.compile("[\uff21-\uff5a]"), re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_WIDE_SCRIPTS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_FLAG_LETTERS = 0x1F1E6
_SHORTEST_FLAGS = 3

_PLAIN = r"[^\W\d_]"
# Single letters with the same sign between each two. A hyphen stands for "_", which Python counts
# as a letter.
_ALPHABETIC = rf"[{_WRITTEN_ALONE}\u05d0-\u05ea\u0620-\u064a]"
_BETWEEN = r"[ \u00a0.*·•|/~-]"  # a comma or plus is maths: f(a, b, c, d)
_SPELLED_OUT = re.compile(
    rf"(?<![/.=?&@])\b{_ALPHABETIC}\b({_BETWEEN}{{1,3}}){_ALPHABETIC}\b(?:\1{_ALPHABETIC}\b){{2,}}+"
)
# Letters of ASCII as "a", the signs between them as a blank, all others as "x". If this has no two
# single letters in a row, no word is spelled out. It takes a tenth of the pattern's time.
_AS_KINDS = bytes(
    ord("a") if chr(code).isalpha() else ord(" ") if chr(code) in " .*|/~-_" else ord("x")
    for code in range(0x80)
).ljust(0x100)
_TWO_ALONE = (b" a a ", b" a  a ", b" a   a ")
_DOTS = frozenset(". ")
_LETTERS_OF_AN_ABBREVIATION = 4  # at most: q.e.p.d., s.a.m.d.
_LETTER = re.compile(_PLAIN)

# Digits and signs that stand for a letter between two others. Names of things (RTX4090, h264, B2B)
# have capitals or several digits, addresses have a slash or a full stop. A "!" between two words
# is a forgotten space, so it counts only next to a single letter.
_STANDS_IN = "013456789@$€£¥!"
_BEFORE, _AFTER = rf"(?<![\w/#.:=&%?+{_STANDS_IN}-])", r"(?![\w/@=&-]|\.\w)"
_SIGNED = re.compile(
    rf"{_BEFORE}(?:[a-z]++(?:[{_STANDS_IN}]{{1,2}}+[a-z]++)++|[а-яё]++(?:[{_STANDS_IN}]{{1,2}}+[а-яё]++)++)"
    rf"[013459@$€£¥]?+{_AFTER}",
    re.IGNORECASE,
)
_FORGOTTEN_SPACE = re.compile(rf"{_PLAIN}{{2}}!+{_PLAIN}{{2}}")
_MAY_HAVE_SIGNS = re.compile(rf"[{_STANDS_IN}](?={_PLAIN})(?<={_PLAIN}.)")
_SIGN = re.compile(f"[{_STANDS_IN}]")

_MARK = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_ANY_MARK = re.compile(f"[{_MARK}]")
_PILED = re.compile(rf"[{_MARK}]{{3,}}")
_MARKED_ROW = re.compile(rf"(?:{_PLAIN}[{_MARK}]+){{3,}}+")


class Disguise(NamedTuple):
    """A word or run with letters in disguise: `text[start:end]`. `letters` is how many of them are
    disguised, `alphabets` the alphabets that a word mixes.
    """

    kind: str
    start: int
    end: int
    letters: int
    alphabets: frozenset[str] = frozenset()


@lru_cache(256)  # of a batch; the check and the features of each score ask for the same comment
def disguises(text: str) -> tuple[Disguise, ...]:
    """Return everything in disguise, ordered by kind and place."""
    found = [*_spelled_out(text), *_signs(text)]
    if not text.isascii():
        found += [*_look_alikes(text), *_fancy(text), *_unseen(text), *_marks(text)]
    return tuple(found)


def letters_of_kind(found: Iterable[Disguise]) -> Counter[str]:
    """Return how many letters are disguised in each way."""
    letters: Counter[str] = Counter()
    for disguise in found:
        letters[disguise.kind] += disguise.letters
    return letters


def _look_alikes(text: str) -> Iterator[Disguise]:
    if not _MIXED.search(text):
        return
    for match in _WORD.finditer(text):
        if _MIXED.search(match[0]):
            yield from _of_mixed_word(match)


def _of_mixed_word(match: re.Match[str]) -> Iterator[Disguise]:
    """Yield the word if it is no brand with an ending (iPhoneом) or beginning (микроUSB)."""
    letters = _BORROWED.sub("", _ANY_UNSEEN.sub("", match[0]))
    runs = [(name, "".join(run)) for name, run in groupby(letters, _alphabet)]
    sizes: Counter[str] = Counter()
    for name, run in runs:
        sizes[name] += len(run)
    main = sizes.most_common(1)[0][0]
    foreign = "".join(run for name, run in runs if name != main)
    if not foreign:
        return  # only accents are borrowed
    if len(runs) == 2 and not _is_slipped_in(runs, foreign):
        return
    alphabets = frozenset(name for name, _ in runs)
    yield Disguise(LOOK_ALIKES, match.start(), match.end(), len(foreign), alphabets)


def _is_slipped_in(runs: list[tuple[str, str]], foreign: str) -> bool:
    """Whether one small letter begins a word of another alphabet: сasino with a Cyrillic с."""
    (_, first), (_, rest) = runs
    return first == foreign and first in _SAME_LOOK and len(rest) > 2 and rest.islower()


@lru_cache(2**12)
def _alphabet(letter: str) -> str:
    return next((name for name, known in _IN_ALPHABET.items() if known.match(letter)), "")


def _fancy(text: str) -> Iterator[Disguise]:
    if not _MAY_BE_FANCY.search(text):
        return
    wide = bool(_WIDE_SCRIPTS.search(text))
    for match in _FANCY.finditer(text):
        if wide and _FULL_WIDTH.match(match[0]):
            continue  # Japanese, Chinese and Korean write abbreviations in full width
        letters = len(_MAY_BE_FANCY.findall(match[0]))
        if ord(match[0][0]) in range(_FLAG_LETTERS, _FLAG_LETTERS + 26):
            letters = _letters_that_are_no_flags(match[0])
        if letters >= _SHORTEST_FLAGS:
            yield Disguise(FANCY, match.start(), match.end(), letters)


def _letters_that_are_no_flags(run: str) -> int:
    letters = len(_MAY_BE_FANCY.findall(run))
    flags = [pair for pair in _FLAG.findall(run) if _region(pair) in _REGIONS]
    return letters - 2 * len(flags)


def _region(pair: str) -> str:
    return "".join(chr(ord(letter) - _FLAG_LETTERS + ord("A")) for letter in pair)


def _may_be_spelled_out(text: str) -> bool:
    if not text.isascii():
        return True
    kinds = text.encode().translate(_AS_KINDS)
    return any(two in kinds for two in _TWO_ALONE)


def _spelled_out(text: str) -> Iterator[Disguise]:
    if not _may_be_spelled_out(text):
        return
    for match in _SPELLED_OUT.finditer(text.replace("_", "-")):
        letters = [letter.lower() for letter in _LETTER.findall(match[0])]
        if _DOTS.issuperset(match[1]) and _is_abbreviation(match[0], match[1], letters):
            continue
        if len(set(letters)) <= len(letters) / 2 or letters == sorted(set(letters)):
            continue  # a a a a, h a h a h a; a b c d
        yield Disguise(SPELLED_OUT, match.start(), match.end(), len(letters))


def _is_abbreviation(written: str, between: str, letters: list[str]) -> bool:
    """Whether this is like q.e.p.d. or S.H.I.E.L.D."""
    return "." in between and (len(letters) <= _LETTERS_OF_AN_ABBREVIATION or written.isupper())


def _signs(text: str) -> Iterator[Disguise]:
    if not _MAY_HAVE_SIGNS.search(text):
        return
    for match in _SIGNED.finditer(text):
        letters = len(_LETTER.findall(match[0]))
        signs = len(_SIGN.findall(match[0][:-1]))  # h3ll0 or Area51: the last proves little
        if letters + signs >= 4 and signs < letters and not _FORGOTTEN_SPACE.search(match[0]):
            yield Disguise(SIGNS, match.start(), match.end(), signs)


def _unseen(text: str) -> Iterator[Disguise]:
    if not _ANY_UNSEEN.search(text):
        return
    for match in _AROUND.finditer(text):
        gaps = _UNSEEN.findall(match[0])
        if gaps and not _is_hyphenated(match[0], gaps):
            yield Disguise(UNSEEN, match.start(), match.end(), len(gaps))


def _is_hyphenated(word: str, gaps: list[str]) -> bool:
    """Whether soft hyphens divide it into syllables, of which few have only one letter."""
    if any(gap != _HYPHEN for gap in gaps):
        return False
    syllables = word.split(_HYPHEN)
    return 2 * sum(len(syllable) == 1 for syllable in syllables) <= len(syllables)


def _marks(text: str) -> Iterator[Disguise]:
    if not _ANY_MARK.search(text):
        return
    for pattern in (_MARKED_ROW, _PILED):
        for match in pattern.finditer(text):
            yield Disguise(MARKS, match.start(), match.end(), len(_LETTER.findall(match[0])) or 1)


# The two letters of every flag (Unicode's region codes with a picture).
_FLAGS = """
AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CP CR CU CV CW CX CY CZ DE DG DJ DK DM DO
DZ EA EC EE EG EH ER ES ET EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT
GU GW GY HK HM HN HR HT HU IC ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR
KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU
MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG
TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA
ZM ZW
"""
_REGIONS = frozenset(_FLAGS.split())
