"""Why a comment got its score: what each word and each counted thing adds, up or down, and where it
stands in the text.

The classifier is linear, so nothing is estimated: the intercept and the parts add up to the
log-odds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.spam import context as habits
from models.spam.features import (
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
from models.spam.model import SpamModel
from models.spam.page import Context
from models.spam.site import TEXT_COLUMNS, Seen, SiteModel, opinion
from models.spam.text import Token

Span: TypeAlias = tuple[int, int]
Floats: TypeAlias = NDArray[np.float64]

PLACES = 8  # decimals in JSON: what is read there still adds up to 1e-6
MOST = 8  # parts shown of each kind
BASE_THINKS = "what the base model thinks"
BASE_IS_SILENT = "the base model does not know the language"


class Part(NamedTuple):
    """What adds `log_odds` to a score: a word as it stands in the text, or something else weighed,
    by its name.

    `share` is its part of all that moved the score, up and down together, in 0–1. `text[start:end]`
    is each place.
    """

    what: str
    is_word: bool
    log_odds: float
    share: float
    spans: tuple[Span, ...]


class Explanation(NamedTuple):
    """A score taken apart; `intercept` is what a comment without a word would get. The weightiest
    part stands first.
    """

    log_odds: float
    intercept: float
    parts: tuple[Part, ...]
    version: str

    def up(self, most: int = MOST) -> list[Part]:
        """What makes it read like spam."""
        return [part for part in self.parts if part.log_odds > 0][:most]

    def down(self, most: int = MOST) -> list[Part]:
        """What makes it read like an ordinary comment."""
        return [part for part in self.parts if part.log_odds < 0][:most]

    def as_json(self, most: int = MOST) -> dict[str, Any]:
        """The weightiest parts of both kinds; `rest` is what the others add together, so that all
        of it adds up.
        """
        shown = [*self.up(most), *self.down(most)]
        return {
            "version": self.version,
            "log_odds": round(self.log_odds, PLACES),
            "intercept": round(self.intercept, PLACES),
            "up": [_as_json(part) for part in self.up(most)],
            "down": [_as_json(part) for part in self.down(most)],
            "rest": round(
                self.log_odds - self.intercept - sum(part.log_odds for part in shown), PLACES
            ),
        }


def explain(model: SpamModel, text: str, context: Context | None = None) -> Explanation:
    """The score of a comment, taken apart. It takes a millisecond or two: for when somebody looks,
    not for each.
    """
    return _put_together(_of_text(model.weights, text, context), model.intercept, model.version)


def explain_for_site(model: SiteModel, comment: Seen) -> Explanation:
    """The same of a site's own model: what the base model thinks is one part, each of its counts
    another.
    """
    of_text = _of_text(model.text_weights(), comment.text)
    found = [*of_text, *_of_opinion(model, comment.base), *_of_habits(model, comment.context)]
    return _put_together(found, model.intercept, model.version)


def _put_together(found: Sequence[Part], intercept: float, version: str) -> Explanation:
    moved = sum(abs(part.log_odds) for part in found) or 1.0
    parts = sorted(
        (part._replace(share=abs(part.log_odds) / moved) for part in found),
        key=lambda part: -part.share,
    )
    total = intercept + sum(part.log_odds for part in parts)
    return Explanation(total, intercept, tuple(parts), version)


def _of_text(weights: Floats, text: str, context: Context | None = None) -> list[Part]:
    """Words and counted things; `weights` has a number for each column of `features()`."""
    tokens = seen(text, context)
    of_words = zip(tokens, _of_pieces(weights, tokens) + _of_words(weights, tokens), strict=True)
    of_counted = np.array(counted(text, tokens), np.float32) * weights[: len(COUNTED)]
    return _by_word(text, of_words) + _by_name(of_counted, spans_of_counted(text, tokens))


def _of_opinion(model: SiteModel, base: float | None) -> list[Part]:
    amounts = np.array(opinion(base), np.float32) * model.weights[
        TEXT_COLUMNS : TEXT_COLUMNS + 2
    ].astype(float)
    named = zip((BASE_THINKS, BASE_IS_SILENT), amounts.tolist(), strict=True)
    return [Part(name, False, amount, 0.0, ()) for name, amount in named if amount]


def _of_habits(model: SiteModel, counts: Mapping[str, int]) -> list[Part]:
    """What the other checks counted; that something is not known may count, too."""
    amounts = habits.columns([counts])[0] * model.weights[TEXT_COLUMNS + 2 :].astype(float)
    names = (*habits.COUNTS, *(f"{name}: not known" for name in habits.COUNTS))
    return [
        Part(name, False, amount, 0.0, ())
        for name, amount in zip(names, amounts.tolist(), strict=True)
        if amount
    ]


def _of_pieces(weights: Floats, tokens: Sequence[Token]) -> Floats:
    """What each token's pieces add."""
    own = [pieces(token.text) for token in tokens]
    if not own:
        return np.zeros(0)
    of_each = _of_occurrences(weights, np.concatenate(own), PIECES_DAMPING)
    whose = np.repeat(np.arange(len(own)), [len(columns) for columns in own])
    return np.asarray(np.bincount(whose, of_each, len(own)), float)


def _of_words(weights: Floats, tokens: Sequence[Token]) -> Floats:
    """What each token adds as a word; what a pair adds is halved between its two."""
    of_each = _of_occurrences(weights, word_columns(tokens), WORDS_DAMPING)
    words, pairs = of_each[: len(tokens)].copy(), of_each[len(tokens) :] / 2
    words[: len(pairs)] += pairs
    words[1:] += pairs
    return words


def _of_occurrences(weights: Floats, columns: NDArray[np.int32], damping: float) -> Floats:
    """What each occurrence adds: those of one column share alike."""
    different, which, times = np.unique(columns, return_inverse=True, return_counts=True)
    of_column = values(times, damping) * weights[different]
    return np.asarray((of_column / times)[which], float)


def _by_word(text: str, of_tokens: Any) -> list[Part]:
    """One part for all places where the same is read."""
    sums: dict[str, float] = defaultdict(float)
    spans: dict[str, list[Span]] = defaultdict(list)
    for token, log_odds in of_tokens:
        sums[token.text] += float(log_odds)
        spans[token.text].append((token.start, token.end))
    return [
        Part(text[slice(*spans[word][0])], True, total, 0.0, tuple(spans[word]))
        for word, total in sums.items()
    ]


def _by_name(log_odds: Floats, spans: Sequence[Sequence[Span]]) -> list[Part]:
    named = zip(COUNTED, log_odds.tolist(), spans, strict=True)
    return [
        Part(name, False, amount, 0.0, tuple(places)) for name, amount, places in named if amount
    ]


def _as_json(part: Part) -> dict[str, Any]:
    numbers = {"log_odds": round(part.log_odds, PLACES), "share": round(part.share, PLACES)}
    spans = [list(span) for span in part.spans]
    return {"word" if part.is_word else "feature": part.what, **numbers, "spans": spans}
