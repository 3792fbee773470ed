"""The features of a comment: hashed pieces of words, words, pairs of words, and a few counts.

A score is a sum over columns, so the share of each column is exact and can be traced to its tokens.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import chain, pairwise
from math import log1p
from string import ascii_letters, ascii_uppercase
from typing import TYPE_CHECKING
from unicodedata import normalize
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.classifier.place import Place, away
from models.classifier.sparse import Sparse, stacked
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
AT_ONCE = 100  # comments whose columns are sorted together; more are slower, and need more memory
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
    """Return one row per comment for scipy: float32, `COLUMNS` wide."""
    return sparse_features(originals, places).matrix(COLUMNS)


def sparse_features(
    originals: Sequence[str], places: Sequence[Place | None] | None = None
) -> Sparse:
    """Return one row per comment.

    Pieces and words are two blocks, each of a length below 1. `places`, if given, has one entry per
    comment.
    """
    known = [None] * len(originals) if places is None else places
    comments = [seen(original, place) for original, place in zip(originals, known, strict=True)]
    return features_of(originals, comments)


def features_of(originals: Sequence[str], comments: Sequence[Sequence[Token]]) -> Sparse:
    """Return the same for comments whose tokens are known."""
    return stacked(
        [
            _features(originals[start : start + AT_ONCE], comments[start : start + AT_ONCE])
            for start in range(0, len(comments), AT_ONCE)
        ]
    )


def _features(originals: Sequence[str], comments: Sequence[Sequence[Token]]) -> Sparse:
    hashed, of_counts = _hashed(comments), _of_counts(originals, comments)
    return Sparse(
        len(comments),
        np.concatenate([hashed.rows, of_counts.rows]),
        np.concatenate([hashed.columns, of_counts.columns]),
        np.concatenate([hashed.values, of_counts.values]),
    )


def seen(original: str, place: Place | None = None) -> list[Token]:
    """Return the tokens that the classifier reads: all but the links to the comment's own place."""
    tokens = read(original)
    return away(original, tokens, place) if place else tokens


def piece_columns(tokens: Sequence[Token]) -> NDArray[np.int32]:
    """Return the columns of the pieces of all tokens, in any order."""
    return np.frombuffer(_packed_pieces([token.text for token in tokens]), np.int32)


def pieces(word: str) -> NDArray[np.int32]:
    """Return the columns of a word's pieces. A space before and after the word counts as a
    letter.
    """
    return np.frombuffer(_packed(word), np.int32)


def _packed_pieces(words: Sequence[str]) -> bytes:
    if len(words) > MANY:
        return _pieces_at_once(words).tobytes()
    return b"".join(map(_packed, words))


@lru_cache(2**14)
def _packed(word: str) -> bytes:
    """Return the same as the bytes of an array: many small arrays take long to join."""
    padded = f" {_letters_of(word)} ".encode("utf-32-le")  # every letter takes four bytes
    columns = []
    for length in range(4 * SHORTEST, min(4 * LONGEST, len(padded)) + 1, 4):
        for start in range(0, len(padded) - length + 1, 4):
            hashed = crc32(padded[start : start + length])
            columns.append(hashed % _HASHED + COUNTED_COLUMNS)
    return array("i", columns).tobytes()


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
    return _columns(_hashes([token.text for token in tokens]))


def _hashes(words: Sequence[str]) -> list[int]:
    """Return the hashes of the words and pairs. The hash of a pair continues that of its first
    word.
    """
    if not words:
        return []
    alone, before, after = zip(*map(_word, words), strict=True)
    return [*alone, *map(crc32, after[1:], before)]


@lru_cache(2**14)
def _word(word: str) -> tuple[int, int, bytes]:
    """Return the hashes of a word alone and as the first of a pair, and what it adds as the second
    one.
    """
    written = word.encode()
    return crc32(b"word " + written), crc32(b"pair " + written), b" " + written


def _columns(hashes: Sequence[int]) -> NDArray[np.int32]:
    return (np.array(hashes, np.uint32) % _HASHED + COUNTED_COLUMNS).astype(np.int32)


def counted(original: str, tokens: Sequence[Token]) -> tuple[float, ...]:
    """Return the values of `COUNTED`, each in 0–1."""
    kinds = Counter([token.kind for token in tokens])
    words = [token.text for token in tokens if token.kind == "word"]
    links, pairs = kinds["link"], len(words) - 1
    is_ascii, exclamations = original.isascii(), 0
    if "!" in original or not is_ascii:  # other signs fold to "!"
        exclamations = sum(token.text.startswith("!") for token in tokens)
    return (
        links > 0,
        min(links, 3) / 3,
        kinds["email"] + kinds["phone"] > 0,
        kinds["money"] > 0,
        min(kinds["number"], 3) / 3,
        _share_of_capitals(original),
        min(exclamations, 3) / 3,
        kinds["marks"] / max(1, len(tokens)),
        1 - len(set(pairwise(words))) / pairs if pairs > 0 else 0,
        min(1, 4 * links / max(1, len(tokens))),
        not is_ascii and _DRAWS_NOTHING.search(original) is not None,
        0 if is_ascii else min(len(_PICTURE.findall(original)), 10) / 10,
        *_disguised(original),
    )


def _share_of_capitals(original: str) -> float:
    """Return the share of capitals among the letters."""
    in_ascii = original.encode("ascii", "ignore")
    letters = len(in_ascii.translate(None, _NO_LETTERS))
    capitals = len(in_ascii.translate(None, _NO_CAPITALS))
    if len(in_ascii) < len(original):
        others = _ASCII.sub("", original)
        letters += sum(map(str.isalpha, others))
        capitals += sum(map(str.isupper, others))
    return capitals / letters if letters > 5 else 0  # "OK" is not shouting


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


def _hashed(comments: Sequence[Sequence[Token]]) -> Sparse:
    """Return the columns of pieces, words and pairs. Each comment has a block of pieces, and one of
    words.

    A column has the value 1 + ln(times). Each block is scaled to a length below 1: the more there
    is to read, the closer to 1.
    """
    texts = [[token.text for token in tokens] for tokens in comments]
    of_pieces, of_words = list(map(_packed_pieces, texts)), list(map(_hashes, texts))
    sizes = [*(len(packed) // 4 for packed in of_pieces), *map(len, of_words)]
    columns = [np.frombuffer(b"".join(of_pieces), np.int32), _columns(list(chain(*of_words)))]
    blocks = np.arange(len(sizes), dtype=np.int32)
    places = np.repeat(blocks * COLUMNS, sizes) + np.concatenate(columns)
    places.sort()
    is_first = np.ones(len(places), bool)
    np.not_equal(places[1:], places[:-1], out=is_first[1:])
    firsts = np.append(np.flatnonzero(is_first), len(places))
    plain = 1 + np.log(np.diff(firsts).astype(np.float32))
    places = places[is_first]
    block = places // COLUMNS
    damping = np.repeat([PIECES_DAMPING, WORDS_DAMPING], len(comments))
    lengths = np.sqrt(np.bincount(block, plain * plain, len(sizes)) + damping)
    return Sparse(
        len(comments),
        block % len(comments),
        places % COLUMNS,
        (plain / np.maximum(lengths, 1)[block]).astype(np.float32),
    )


def values(times: NDArray[np.int64], damping: float) -> NDArray[np.float32]:
    """Return one comment's values of a block, as in `features`, given how often each
    column occurs.
    """
    plain = 1 + np.log(times.astype(np.float32))
    length = np.sqrt((plain * plain).sum() + damping)
    return np.asarray(plain / max(length, 1), np.float32)


def _of_counts(originals: Sequence[str], comments: Sequence[Sequence[Token]]) -> Sparse:
    """Return the counts as the first columns of their rows."""
    counts = np.array(list(map(counted, originals, comments)), np.float32)
    rows, columns = np.nonzero(counts)
    return Sparse(len(comments), rows, columns.astype(np.int32), counts[rows, columns])


_UNDISGUISED = (0.0,) * len(KINDS)
_ASCII = re.compile("[\x00-\x7f]+")
_NO_LETTERS = bytes(set(range(0x80)) - set(ascii_letters.encode()))
_NO_CAPITALS = bytes(set(range(0x80)) - set(ascii_uppercase.encode()))
