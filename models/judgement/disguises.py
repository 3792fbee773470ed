"""Find listed words in disguise: with signs or a space inside, spelled letter by letter, or with
digits for letters.

Every function takes folded text. Its work grows in proportion to the length of the text, whatever
the text contains.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import add
from typing import NamedTuple
from unicodedata import category

# Letters, digits, and the marks of scripts that write vowels as marks (Python's \w does not match
# those). "_" counts as a sign, as in Markdown: `parts` turns it into a hyphen, so one character
# class describes a word.
_MARKS = "".join(chr(code) for code in range(0x0300, 0x3100) if category(chr(code)).startswith("M"))
_WORD = re.compile(rf"[\w{_MARKS}]+")
_SIGNS = re.compile(rf"[^\w{_MARKS}]+")

SPELLED_OUT = 4  # letters: "c.a.s.h" and "c a s h" are cash
_SHORT = 3  # pieces of a word with signs between; any number of single letters
SPLIT = 5  # a word needs this many letters to be looked for across a space
_MOST_PIECES, _MOST_LETTERS = 8, 60  # of a word with signs between; of single letters any number
_MANY_PIECES, _FEW_PIECES = (
    100,
    3,
)  # if a run is longer than any word, only words of few pieces are looked for
_PUNCTUATION = ".,:;!?…\"'()“”„‘’«»-–—"
_APOSTROPHES = frozenset("'’‘`´")
_CONTRACTED = frozenset(
    ["s", "t", "d", "m", "re", "ve", "ll", "em", "er", "all", "am", "n"]
)  # "she'll" is not shell
_ELIDED = frozenset(
    ["l", "d", "j", "c", "n", "m", "s", "t", "qu", "y", "o", "un", "all", "dell", "nell", "dall"]
)
_STOPS = frozenset(".,:;!?…")
# A piece that often stands alone proves nothing: "the pen is", "an us" and "for ex." contain no
# listed word. These are the most used short words of English, German, French, Spanish, Portuguese,
# Italian and the Nordic languages.
_MOST_USED = """
a ab aber about after al all als am an and any ar are as at att au auf aus aux av avec be been bei
bin bis but by can ce ces che ci come como con da dal dans das dat de dei del della dem den der des
det di did die do does dos du e ed een ein el ele elle em en er era es est esta este et ett eu ex
few foi for from get gli go got ha had har has hat have he her here het him his ho how i ich if ik
ikke il ils im in inte into io is ist it its ja je jeg just la las le lei les let leur li like lo
los lui ma mais make man mas may me med mes mi mit mon more most much must muy my na nach nas ne nel
new ni niet no non nos not nous now nun nur o ob och oder of off og old on one only ont op or os
other ou our out over own par para part pas pay pela pelo per piu por pour pro put que quella qui re
sa sans se see sein ser ses set she si sich sie sin sind so sobre som some son sono su sua sub such
sur sus ta take te tes than that the them then there they this those ti til to ton too tra tu tua
tuo two um uma un una und under une uno uns up us use van very vi vom von vor vos vous war was way
we well wer were what
when who why wie will wir with y ya yo you your zijn zu zum zur
"""
_EVERYDAY = frozenset(_MOST_USED.split())

# In a word with digits, i and l count as one letter, because the digit 1 stands for both.
_LETTER_OF = str.maketrans("0123456789@$€£¥¢!|+l", "oizeasgtbgaseiyciiti")
_EDGES = "0123456789@$€£¥¢!|+"
_LOUD_END = re.compile(r"[!|+](?![\w!|+])")
_MAY_STAND_FOR_LETTERS = re.compile(r"[a-z][0-9@$€£¥¢!|+]|[0-9@$€£¥¢][a-z]")
_SIGNED_WORD = re.compile(rf"[\w{_MARKS}@$€£¥¢!|+]+")
_LETTERS = re.compile("[a-z]")
_NUMBER = re.compile(
    r"[0-9]{2,}[a-z]{1,3}|[0-9]+[a-z]{1,2}|[a-z]{1,2}[0-9]+"
)  # 50s, 4th, 10km, a4, mp3


class Parts(NamedTuple):
    """A text's words in order, and the pieces between two spaces that are not plain words: it's,
    via-gra, v1agra.
    """

    words: list[str]
    odd: list[str]


@lru_cache(64)  # two checks ask for the parts of one comment
def parts(folded: str) -> Parts:
    words: list[str] = []
    odd: list[str] = []
    for chunk in folded.replace("_", "-").split():
        bare = chunk.strip(_PUNCTUATION)
        if bare.isalpha():
            words.append(bare)
        else:
            words += _WORD.findall(chunk)
            odd.append(chunk)
    return Parts(words, odd)


@lru_cache(2**12)
def joined(chunk: str) -> tuple[str, ...]:
    """Return words without the signs inside them: via-gra, via*gra, v.ia.gra."""
    pieces = _WORD.findall(chunk)
    if len(pieces) < 2:
        return ()
    gaps = _SIGNS.findall(chunk, chunk.index(pieces[0]))
    like_address = "/" in chunk or len(pieces) > _MOST_PIECES  # in Parts, a hyphen is a space
    most = _MOST_PIECES if len(pieces) <= _MANY_PIECES else _FEW_PIECES
    if max(map(len, pieces)) * most < SPELLED_OUT:
        return ()
    wholes = []
    for start, piece in enumerate(pieces):
        whole = piece
        for at in range(start, min(start + most, len(pieces)) - 1):
            if not _closes(pieces[at], gaps[at], pieces[at + 1], like_blank=like_address):
                break
            whole += pieces[at + 1]
            if len(whole) > _MOST_LETTERS:
                break
            if len(whole) >= SPELLED_OUT:
                wholes.append(whole)
    return tuple(wholes)


def _closes(before: str, gap: str, after: str, *, like_blank: bool) -> bool:
    """Whether two pieces may form one word. A full stop may end a sentence, so everyday words
    around it form none.
    """
    if gap in _APOSTROPHES:
        return after not in _CONTRACTED and before not in _ELIDED
    if like_blank or _STOPS.issuperset(gap):
        return before not in _EVERYDAY and after not in _EVERYDAY
    return True


def across_blanks(words: Sequence[str]) -> set[str]:
    """Join two or three words: "via gra", "vi ag ra". Most results are not words;
    `rare_across_blanks` shows which to look at.
    """
    pairs = list(map(add, words, words[1:]))
    return {*pairs, *map(add, pairs, words[2:])}


def rare_across_blanks(words: Sequence[str]) -> set[str]:
    """Do the same, but skip everyday words: join two words, or three short ones."""
    is_rare = [_are_rare([word]) for word in words]
    found = set()
    for at in range(len(words) - 1):
        if is_rare[at] and is_rare[at + 1]:
            found.add(words[at] + words[at + 1])
            triple = words[at : at + 3]
            if all(is_rare[at : at + 3]) and max(map(len, triple)) <= _SHORT:
                found.add("".join(triple))
    return found


def _are_rare(words: Sequence[str]) -> bool:
    return not any(word in _EVERYDAY or word in _CONTRACTED for word in words)


def spelled_out(words: Sequence[str]) -> list[str]:
    """Return runs of single letters: "v i a g r a", "v.i.a.g.r.a"."""
    if list(map(len, words)).count(1) < SPELLED_OUT:
        return []
    runs = "".join(word if len(word) == 1 else " " for word in words).split()
    return [run for run in runs if len(run) >= SPELLED_OUT]


def may_stand_for_letters(text: str) -> bool:
    """Whether a digit or a sign touches a letter."""
    return _MAY_STAND_FOR_LETTERS.search(text) is not None


def signed_words(text: str) -> list[str]:
    """Words, with signs that may replace their letters: vi@gra."""
    return _SIGNED_WORD.findall(text.replace("_", "-"))


def skeletons(folded: str) -> list[str]:
    """Return a text's words with their digits read as letters."""
    return _WORD.findall(skeleton(_LOUD_END.sub("", folded.replace("_", "-"))))


@lru_cache(2**12)
def undigited(word: str) -> frozenset[str]:
    """Return the readings of a word with digits, also without the digits at its ends; nothing for
    50s, 4th or mp3.
    """
    word = word.rstrip("!|+").lstrip("!|+")
    bare = word.strip(_EDGES)
    if (
        (bare == word and bare.isalpha())
        or len(_LETTERS.findall(bare)) < 2
        or _NUMBER.fullmatch(word)
    ):
        return frozenset()
    forms = (word, bare, word.lstrip(_EDGES), word.rstrip(_EDGES))
    return frozenset(map(skeleton, forms))


def skeleton(word: str) -> str:
    return word.translate(_LETTER_OF)
