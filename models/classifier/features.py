"""The features of a comment: hashed pieces of words, words, pairs of words, and a few counts.

A score is a sum over columns, so the share of each column is exact and can be traced to its tokens.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from math import log1p
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.classifier.place import Place, away
from models.classifier.text import Token, read
from models.text.disguise import KINDS, disguises, letters_of_kind

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Raise this with every change in the meaning of a column: models of another layout are refused.
LAYOUT = 3
COLUMNS = 2**17
COUNTED_COLUMNS = 32  # reserved for counts; hashes use the rest
_HASHED = COLUMNS - COUNTED_COLUMNS
# Added to the square of a row's length before the row is divided by the length, because one word is
# weaker evidence than a long text. Without it, "reply" weighed as much as a whole advertisement.
PIECES_DAMPING, WORDS_DAMPING = 60.0, 10.0
SHORTEST, LONGEST = 2, 5
_AT_ONCE = 1000  # comments whose entries are sorted together
MANY = 300  # tokens; of fewer, most are words whose pieces are remembered

# None of these grows with the length of a comment: honest letters are longer than any spam message.
COUNTED = (
    "has a link",
    "number of links, up to 3",
    "has a phone number or an email address",
    "names a sum of money",
    "has numbers, up to 3",
    "share of capitals",
    "exclamation marks, up to 3",
    "share of punctuation",
    "share of repeated word pairs",
    "share of links",
    "has characters that draw nothing",
    "pictures, up to 10",
    "letters of another alphabet inside words",
    "letters of decorative alphabets",
    "words spelled letter by letter",
    "digits and signs for letters",
    "characters inside words that draw nothing",
    "accents that no language has",
)
_MOST_DISGUISED = 30  # letters; more are no stronger evidence
_PICTURE = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")
_LETTERS = re.compile(r"[^\W\d_]+")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_DRAWS_NOTHING = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064]"
)


def features(originals: Sequence[str], places: Sequence[Place | None] | None = None) -> csr_matrix:
    """Return one row per comment: float32, `COLUMNS` wide.

    Pieces and words are two blocks, each of a length below 1. `places`, if given, has one entry per
    comment.
    """
    known = [None] * len(originals) if places is None else places
    comments = [seen(original, place) for original, place in zip(originals, known, strict=True)]
    return features_of(originals, comments)


def features_of(originals: Sequence[str], comments: Sequence[Sequence[Token]]) -> csr_matrix:
    """Return the same for comments whose tokens are known."""
    # Imported here because it takes 23 MB, and a process that only explains scores needs none of
    # it.
    from scipy.sparse import csr_matrix, vstack  # noqa: PLC0415

    chunks = [
        _rows(originals[start : start + _AT_ONCE], comments[start : start + _AT_ONCE])
        for start in range(0, len(comments), _AT_ONCE)
    ]
    if len(chunks) == 1:
        return chunks[0]
    return vstack(chunks, format="csr") if chunks else csr_matrix((0, COLUMNS), dtype=np.float32)


def _rows(originals: Sequence[str], comments: Sequence[Sequence[Token]]) -> csr_matrix:
    """Put the blocks together. Sparse matrices are slow to add: for a single comment they would
    take longer than everything else, so the entries of all blocks are sorted and added up here.
    """
    from scipy.sparse import csr_matrix  # noqa: PLC0415 — as above

    blocks = (
        _damped([piece_columns(tokens) for tokens in comments], PIECES_DAMPING),
        _damped([word_columns(tokens) for tokens in comments], WORDS_DAMPING),
        _counted_entries(originals, comments),
    )
    entries = np.concatenate([block.entries for block in blocks])
    values = np.concatenate([block.values for block in blocks])
    order = np.argsort(entries, kind="stable")
    entries, values = entries[order], values[order]
    firsts = np.flatnonzero(np.diff(entries, prepend=-1))
    entries = entries[firsts]
    added = np.add.reduceat(values, firsts) if len(firsts) else values
    ends = np.searchsorted(entries, np.arange(len(comments) + 1) * COLUMNS)
    columns = (entries % COLUMNS).astype(np.int32)
    shape = (len(comments), COLUMNS)
    return csr_matrix((added, columns, ends.astype(np.int32)), shape=shape)


def seen(original: str, place: Place | None = None) -> list[Token]:
    """Return the tokens that the classifier reads: all but the links to the comment's own place."""
    tokens = read(original)
    return away(original, tokens, place) if place else tokens


def piece_columns(tokens: Sequence[Token]) -> NDArray[np.int32]:
    """Return the columns of the pieces of all tokens, in any order."""
    if len(tokens) > MANY:
        return _pieces_at_once([token.text for token in tokens])
    return np.concatenate([_NONE, *(pieces(token.text) for token in tokens)])


@lru_cache(2**14)
def pieces(word: str) -> NDArray[np.int32]:
    """Return the columns of a word's pieces. A space before and after the word counts as a
    letter.
    """
    padded = f" {_letters_of(word)} ".encode("utf-32-le")  # every letter takes four bytes
    columns = []
    for length in range(4 * SHORTEST, min(4 * LONGEST, len(padded)) + 1, 4):
        for start in range(0, len(padded) - length + 1, 4):
            hashed = crc32(padded[start : start + length])
            columns.append(hashed % _HASHED + COUNTED_COLUMNS)
    return np.array(columns, np.int32)


def _letters_of(word: str) -> str:
    """Return a Korean word letter by letter: endings change a syllable, but few of its letters."""
    return normalize("NFD", word) if _HANGUL.search(word) else word


def _pieces_at_once(words: Sequence[str]) -> NDArray[np.int32]:
    """Return the columns that `pieces` finds in these words, without a call for each piece.

    A CRC is linear: that of a piece is the exclusive or of what each of its letters makes of it,
    by the letter's place from the end, and of a constant for its length.
    """
    words = [_letters_of(word) for word in words]
    padded = np.frombuffer(f" {'  '.join(words)} ".encode("utf-32-le"), np.uint32)
    word = np.repeat(np.arange(len(words)), [len(word) + 2 for word in words])
    of_place = [_crcs_at(place, padded) for place in range(LONGEST)]
    hashes = []
    for length in range(SHORTEST, LONGEST + 1):
        starts = max(len(padded) - length + 1, 0)
        hashed = np.full(starts, crc32(bytes(4 * length)), np.uint32)
        for at in range(length):
            hashed ^= of_place[length - 1 - at][at : at + starts]
        hashes.append(hashed[word[:starts] == word[length - 1 :]])
    return (np.concatenate(hashes) % _HASHED + COUNTED_COLUMNS).astype(np.int32)


def _crcs_at(place: int, letters: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return what each letter, that many letters before the end of a piece, makes of its CRC."""
    table = _crc_table(place)
    found = table[0][letters & 0xFF] ^ table[1][letters >> 8 & 0xFF] ^ table[2][letters >> 16]
    return np.asarray(found, np.uint32)


@cache
def _crc_table(place: int) -> NDArray[np.uint32]:
    """Return the same for each value of a letter's first three bytes. The fourth is always 0."""
    behind = bytes(4 * place)
    nothing = crc32(bytes(4) + behind)
    return np.array(
        [
            [crc32(bytes([*(0,) * at, byte, *(0,) * (3 - at)]) + behind) for byte in range(256)]
            for at in range(3)
        ],
        np.uint32,
    ) ^ np.uint32(nothing)


def word_columns(tokens: Sequence[Token]) -> NDArray[np.int32]:
    """Return the columns of the words, then those of each pair of neighbours."""
    words = [token.text for token in tokens]
    return _columns([*map(_word, words), *map(_pair, words, words[1:])])


@lru_cache(2**14)
def _word(word: str) -> int:
    return crc32(f"word {word}".encode())


@lru_cache(2**16)
def _pair(one: str, other: str) -> int:
    return crc32(f"pair {one} {other}".encode())


def _columns(hashes: Sequence[int]) -> NDArray[np.int32]:
    return (np.array(hashes, np.uint32) % _HASHED + COUNTED_COLUMNS).astype(np.int32)


def counted(original: str, tokens: Sequence[Token]) -> tuple[float, ...]:
    """Return the values of `COUNTED`, each in 0–1."""
    kinds = Counter(token.kind for token in tokens)
    words = [token.text for token in tokens if token.kind == "word"]
    links, letters, pairs = kinds["link"], sum(map(str.isalpha, original)), len(words) - 1
    exclamations = sum(token.text.startswith("!") for token in tokens)
    return (
        links > 0,
        min(links, 3) / 3,
        kinds["email"] + kinds["phone"] > 0,
        kinds["money"] > 0,
        min(kinds["number"], 3) / 3,
        sum(map(str.isupper, original)) / letters if letters > 5 else 0,  # "OK" is not shouting
        min(exclamations, 3) / 3,
        kinds["marks"] / max(1, len(tokens)),
        1 - len(set(pairwise(words))) / pairs if pairs > 0 else 0,
        min(1, 4 * links / max(1, len(tokens))),
        _DRAWS_NOTHING.search(original) is not None,
        min(len(_PICTURE.findall(original)), 10) / 10,
        *_disguised(original),
    )


def _disguised(original: str) -> tuple[float, ...]:
    """Return how much of each kind of disguise a text has."""
    letters = letters_of_kind(disguises(original))
    if not letters:
        return _UNDISGUISED
    most = log1p(_MOST_DISGUISED)
    return tuple(log1p(min(letters[kind], _MOST_DISGUISED)) / most for kind in KINDS)


def spans_of_counted(original: str, tokens: Sequence[Token]) -> list[list[tuple[int, int]]]:
    """Return the spans of the original that each of `COUNTED` counts."""
    of_kind: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for token in tokens:
        of_kind[token.kind].append((token.start, token.end))
    words = [token for token in tokens if token.kind == "word"]
    times = Counter(pairwise(word.text for word in words))
    repeated = [pair for pair in pairwise(words) if times[pair[0].text, pair[1].text] > 1]
    capitals = [word for word in _LETTERS.finditer(original) if any(map(str.isupper, word[0]))]
    return [
        of_kind["link"],
        of_kind["link"],
        sorted(of_kind["email"] + of_kind["phone"]),
        of_kind["money"],
        of_kind["number"],
        [match.span() for match in capitals],
        [(token.start, token.end) for token in tokens if token.text.startswith("!")],
        of_kind["marks"],
        [(first.start, second.end) for first, second in repeated],
        of_kind["link"],
        [match.span() for match in _DRAWS_NOTHING.finditer(original)],
        [match.span() for match in _PICTURE.finditer(original)],
        *_spans_of_disguises(original),
    ]


def _spans_of_disguises(original: str) -> list[list[tuple[int, int]]]:
    found = disguises(original)
    return [[(each.start, each.end) for each in found if each.kind == kind] for kind in KINDS]


class _Block(NamedTuple):
    """Values that are not zero. An entry is the number of its row times `COLUMNS`, plus its
    column.
    """

    entries: NDArray[np.int64]
    values: NDArray[np.float32]


def _damped(columns: Sequence[NDArray[np.int32]], damping: float) -> _Block:
    """Return 1 + ln(times) for each column that occurs in a row, scaled to a length below 1. The
    more there is to read, the closer it is to 1.
    """
    starts = np.arange(len(columns)) * COLUMNS
    places = np.repeat(starts, [len(each) for each in columns]) + np.concatenate([_NONE, *columns])
    entries, times = np.unique(places, return_counts=True)
    plain = 1 + np.log(times.astype(np.float32))
    rows = entries // COLUMNS
    lengths = np.sqrt(np.bincount(rows, plain * plain, len(columns)) + damping)
    return _Block(entries, (plain / np.maximum(lengths, 1)[rows]).astype(np.float32))


def values(times: NDArray[np.int64], damping: float) -> NDArray[np.float32]:
    """Return one comment's values of a block, as in `features`, given how often each
    column occurs.
    """
    plain = 1 + np.log(times.astype(np.float32))
    length = np.sqrt((plain * plain).sum() + damping)
    return np.asarray(plain / max(length, 1), np.float32)


def _counted_entries(originals: Sequence[str], comments: Sequence[Sequence[Token]]) -> _Block:
    """Return the counts as the first columns of their rows."""
    counts = [
        counted(original, tokens) for original, tokens in zip(originals, comments, strict=True)
    ]
    block = np.array(counts, np.float32).reshape(len(comments), len(COUNTED))
    rows, columns = np.nonzero(block)
    return _Block(rows * COLUMNS + columns, block[rows, columns])


_NONE = np.array([], np.int32)
_UNDISGUISED = (0.0,) * len(KINDS)
