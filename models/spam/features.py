"""What the classifier sees of a comment: hashed pieces of words, words and pairs of words, and a
few things counted.

Everything is a sum of columns, so that each column's share in a score can be told exactly and led
back to its tokens.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from models.spam.page import Context, away
from models.spam.text import Token, read

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Raise it with every change of what a column means: a model of another layout is refused, not
# misread.
LAYOUT = 2
COLUMNS = 2**17
COUNTED_COLUMNS = 32  # the first ones; the rest is for hashes
_HASHED = COLUMNS - COUNTED_COLUMNS
# Added to the square of a row's length before the row is divided by it: of a single word nobody can
# be as sure as of a letter. Without it "reply" weighed as much as a whole advertisement.
PIECES_DAMPING, WORDS_DAMPING = 60.0, 10.0
SHORTEST, LONGEST = 2, 5

# None of them grows with length, for a reader's letter is longer than any text message that was
# ever spam.
COUNTED = (
    "has a link",
    "number of links, up to 3",
    "has a phone number or an email address",
    "names a sum of money",
    "has numbers, up to 3",
    "share of capitals",
    "exclamation marks, up to 3",
    "share of punctuation",
    "share of pairs of words that are said again",
    "share of links",
    "has characters that draw nothing",
    "pictures, up to 10",
)
_PICTURE = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")
_LETTERS = re.compile(r"[^\W\d_]+")
_DRAWS_NOTHING = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064]"
)


def features(
    originals: Sequence[str], contexts: Sequence[Context | None] | None = None
) -> csr_matrix:
    """One row a comment: float32, `COLUMNS` wide. Pieces and words are two blocks, each of a length
    below 1.

    `contexts`, where given, has one for each text.
    """
    known = [None] * len(originals) if contexts is None else contexts
    comments = [seen(original, context) for original, context in zip(originals, known, strict=True)]
    parts = _damped_rows([piece_columns(tokens) for tokens in comments], PIECES_DAMPING)
    words = _damped_rows([word_columns(tokens) for tokens in comments], WORDS_DAMPING)
    counts = [
        counted(original, tokens) for original, tokens in zip(originals, comments, strict=True)
    ]
    return (
        parts
        + words
        + _left_columns(np.array(counts, np.float32).reshape(len(comments), len(COUNTED)))
    )


def seen(original: str, context: Context | None = None) -> list[Token]:
    """What the classifier reads of a comment."""
    tokens = read(original)
    return away(original, tokens, context) if context else tokens


def piece_columns(tokens: Sequence[Token]) -> NDArray[np.int32]:
    """The columns of the pieces, one token after the other."""
    return np.concatenate([_NONE, *(pieces(token.text) for token in tokens)])


@lru_cache(2**14)
def pieces(word: str) -> NDArray[np.int32]:
    """The columns of a word's pieces, a blank before and after it counted as letters."""
    padded = f" {word} ".encode("utf-32-le")  # four bytes a letter, whatever the alphabet
    lengths = range(4 * SHORTEST, min(4 * LONGEST, len(padded)) + 1, 4)
    cut = [
        padded[at : at + length]
        for length in lengths
        for at in range(0, len(padded) - length + 1, 4)
    ]
    return np.array(
        [crc32(piece) % _HASHED + COUNTED_COLUMNS for piece in cut], np.int32
    )  # as `_columns`, for few


def word_columns(tokens: Sequence[Token]) -> NDArray[np.int32]:
    """The columns of the words, and then of each two that follow one another."""
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
    """The values of `COUNTED`, each in 0–1."""
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
    )


def spans_of_counted(original: str, tokens: Sequence[Token]) -> list[list[tuple[int, int]]]:
    """Where each of `COUNTED` stands in the original."""
    of_kind: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for token in tokens:
        of_kind[token.kind].append((token.start, token.end))
    words = [token for token in tokens if token.kind == "word"]
    twice = Counter(pairwise(word.text for word in words))
    return [
        of_kind["link"],
        of_kind["link"],
        sorted(of_kind["email"] + of_kind["phone"]),
        of_kind["money"],
        of_kind["number"],
        [match.span() for match in _LETTERS.finditer(original) if any(map(str.isupper, match[0]))],
        [(token.start, token.end) for token in tokens if token.text.startswith("!")],
        of_kind["marks"],
        [
            (one.start, other.end)
            for one, other in pairwise(words)
            if twice[one.text, other.text] > 1
        ],
        of_kind["link"],
        [match.span() for match in _DRAWS_NOTHING.finditer(original)],
        [match.span() for match in _PICTURE.finditer(original)],
    ]


def _damped_rows(columns: Sequence[NDArray[np.int32]], damping: float) -> csr_matrix:
    """Rows of 1 + ln(times) at the columns named, then scaled to a length that nears 1 the more
    there is to read.
    """
    # 23 MB, which whoever explains a score does without
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    ends = np.cumsum([0, *map(len, columns)])
    indices = np.concatenate([_NONE, *columns])
    rows = csr_matrix(
        (np.ones(len(indices), np.float32), indices, ends), shape=(len(columns), COLUMNS)
    )
    rows.sum_duplicates()
    rows.data = 1 + np.log(rows.data)
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1).A1 + damping)
    rows.data /= np.repeat(np.maximum(lengths, 1), np.diff(rows.indptr))
    return rows


def values(times: NDArray[np.int64], damping: float) -> NDArray[np.float32]:
    """One comment's values of a block, as in `features`, from how often each of its columns occurs."""
    plain = 1 + np.log(times.astype(np.float32))
    length = np.sqrt((plain * plain).sum() + damping)
    return np.asarray(plain / max(length, 1), np.float32)


def _left_columns(values: NDArray[np.float32]) -> csr_matrix:
    """The values as the first columns of an otherwise empty matrix."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415 — as above

    narrow = csr_matrix(values)
    narrow.resize(len(values), COLUMNS)
    return narrow


_NONE = np.array([], np.int32)
