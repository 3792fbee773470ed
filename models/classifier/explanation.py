"""Explain a comment's score: what each word and each count adds, and where the word stands in the
text.

The classifier is linear, so nothing is estimated: the intercept and the parts add up to the
log-odds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.classifier import context, explained
from models.classifier.explained import ScoreExplained
from models.classifier.features import (
    COUNTED,
    PIECES_DAMPING,
    WORDS_DAMPING,
    counted,
    pieces,
    seen,
    spans_of_counted,
    values,
    word_columns,
)
from models.classifier.model import LinearModel
from models.classifier.place import Place
from models.classifier.site_model import TEXT_COLUMNS, Seen, SiteModel, opinion
from models.classifier.text import Token

Span: TypeAlias = tuple[int, int]
Floats: TypeAlias = NDArray[np.float64]

DECIMALS = 8  # in JSON, where the numbers still add up to 1e-6
MOST = 8  # parts shown in each direction
BASE_THINKS = "the base model's opinion"
BASE_IS_SILENT = "the base model does not know the language"


class Part(NamedTuple):
    """Adds `log_odds` to a score. `what` is a word as it stands in the text, or the name of a
    count.

    `share` is its part of everything that moved the score up or down, in 0–1. Each of `spans` is a
    place where it stands: `text[start:end]`.
    """

    what: str
    is_word: bool
    log_odds: float
    share: float
    spans: tuple[Span, ...]


class Explanation(NamedTuple):
    """The parts of a score, largest first. `intercept` is the score of an empty comment."""

    log_odds: float
    intercept: float
    parts: tuple[Part, ...]
    version: str

    def up(self, most: int = MOST) -> list[Part]:
        """Return the largest parts that make the comment look like spam."""
        return [part for part in self.parts if part.log_odds > 0][:most]

    def down(self, most: int = MOST) -> list[Part]:
        """Return the largest parts that make it look like an ordinary comment."""
        return [part for part in self.parts if part.log_odds < 0][:most]

    def as_json(self, most: int = MOST) -> ScoreExplained:
        """Return the largest parts in both directions, and the sum of the others."""
        up, down = self.up(most), self.down(most)
        listed = sum(part.log_odds for part in [*up, *down])
        return {
            "version": self.version,
            "log_odds": round(self.log_odds, DECIMALS),
            "intercept": round(self.intercept, DECIMALS),
            "up": [_as_json(part) for part in up],
            "down": [_as_json(part) for part in down],
            "rest": round(self.log_odds - self.intercept - listed, DECIMALS),
        }


def explain(
    model: LinearModel, text: str, place: Place | None = None, language: str = ""
) -> Explanation:
    """Take the base model's score of a comment apart.

    This takes a millisecond or two: do it when somebody looks, not for every comment.
    """
    intercept = model.intercept + model.shifts.get(language, 0.0)
    return _put_together(_of_text(model.weights, text, place), intercept, model.version)


def explain_counts(model: LinearModel, text: str, place: Place | None = None) -> Explanation:
    """Take the base model's score of a comment in a language that it does not know apart: it read
    no words.
    """
    assert model.counts_alone is not None, "this model scores only the languages that it knows"
    tokens = seen(text, place)
    weights = model.counts_alone.weights[: len(COUNTED)]
    of_counted = np.array(counted(text, tokens), np.float32) * weights
    parts = _named(COUNTED, of_counted, spans_of_counted(text, tokens))
    return _put_together(parts, model.counts_alone.intercept, model.version)


def explain_for_site(model: SiteModel, comment: Seen) -> Explanation:
    """Take the score of a site's own model apart. The base model's opinion is one part, and each
    count of the other checks another.
    """
    parts = [
        *_of_text(model.text_weights(), comment.text),
        *_of_opinion(model, comment.base),
        *_of_context(model, comment.context),
    ]
    return _put_together(parts, model.intercept, model.version)


def _put_together(parts: Sequence[Part], intercept: float, version: str) -> Explanation:
    moved = sum(abs(part.log_odds) for part in parts) or 1.0
    shared = [part._replace(share=abs(part.log_odds) / moved) for part in parts]
    shared.sort(key=lambda part: -part.share)
    total = intercept + sum(part.log_odds for part in shared)
    return Explanation(total, intercept, tuple(shared), version)


def _of_text(weights: Floats, text: str, place: Place | None = None) -> list[Part]:
    """Explain words and counts; `weights` has a number for each column of `features()`."""
    tokens = seen(text, place)
    of_tokens = _of_pieces(weights, tokens) + _of_words(weights, tokens)
    of_counted = np.array(counted(text, tokens), np.float32) * weights[: len(COUNTED)]
    spans = spans_of_counted(text, tokens)
    return [*_by_word(text, tokens, of_tokens), *_named(COUNTED, of_counted, spans)]


def _of_opinion(model: SiteModel, base: float | None) -> list[Part]:
    weights = model.weights[TEXT_COLUMNS : TEXT_COLUMNS + 2].astype(float)
    return _named((BASE_THINKS, BASE_IS_SILENT), np.array(opinion(base), np.float32) * weights)


def _of_context(model: SiteModel, counts: Mapping[str, int]) -> list[Part]:
    """Explain the counts of the other checks. That a count is unknown may matter, too."""
    weights = model.weights[TEXT_COLUMNS + 2 :].astype(float)
    unknown = [f"{name}: not known" for name in context.COUNTS]
    return _named([*context.COUNTS, *unknown], context.columns([counts])[0] * weights)


def _of_pieces(weights: Floats, tokens: Sequence[Token]) -> Floats:
    """Return what the pieces of each token add."""
    of_tokens = [pieces(token.text) for token in tokens]
    if not of_tokens:
        return np.zeros(0)
    added = _of_occurrences(weights, np.concatenate(of_tokens), PIECES_DAMPING)
    token_numbers = np.repeat(np.arange(len(tokens)), [len(columns) for columns in of_tokens])
    return np.asarray(np.bincount(token_numbers, added, len(tokens)), float)


def _of_words(weights: Floats, tokens: Sequence[Token]) -> Floats:
    """Return what each token adds as a word. A pair's share is split between its two words."""
    added = _of_occurrences(weights, word_columns(tokens), WORDS_DAMPING)
    words, pairs = added[: len(tokens)].copy(), added[len(tokens) :] / 2
    words[: len(pairs)] += pairs
    words[1:] += pairs
    return words


def _of_occurrences(weights: Floats, columns: NDArray[np.int32], damping: float) -> Floats:
    """Return what each occurrence of a column adds: equal shares of what the column adds."""
    unique, inverse, times = np.unique(columns, return_inverse=True, return_counts=True)
    of_column = values(times, damping) * weights[unique]
    return np.asarray((of_column / times)[inverse], float)


def _by_word(text: str, tokens: Sequence[Token], log_odds: Floats) -> Iterator[Part]:
    """Make one part of all tokens that read the same."""
    sums: dict[str, float] = defaultdict(float)
    spans: dict[str, list[Span]] = defaultdict(list)
    for token, amount in zip(tokens, log_odds.tolist(), strict=True):
        sums[token.text] += amount
        spans[token.text].append((token.start, token.end))
    for word, total in sums.items():
        start, end = spans[word][0]
        yield Part(text[start:end], True, total, 0.0, tuple(spans[word]))


def _named(
    names: Sequence[str], log_odds: Floats, spans: Sequence[Sequence[Span]] = ()
) -> list[Part]:
    """Make a part of everything that is not a word and added something."""
    places = spans or [()] * len(names)
    return [
        Part(name, False, amount, 0.0, tuple(where))
        for name, amount, where in zip(names, log_odds.tolist(), places, strict=True)
        if amount
    ]


def _as_json(part: Part) -> explained.Part:
    answer = explained.Part(
        log_odds=round(part.log_odds, DECIMALS),
        share=round(part.share, DECIMALS),
        spans=[list(span) for span in part.spans],
    )
    answer["word" if part.is_word else "feature"] = part.what
    return answer
