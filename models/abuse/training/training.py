"""Fits the abuse model: one score for everything abusive, and a line for each kind of abuse.

Every comment belongs to one of three parts, by its text: the model learns from the first, the
thresholds are fitted on the second, and the third is only reported. So the figures of the card
describe the very file that ships.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias
from zlib import crc32

import numpy as np
from scipy.sparse import csr_matrix, vstack
from sklearn.metrics import precision_recall_curve

from models.abuse.training.sources import KINDS, family
from models.classifier.attributes import Attributes
from models.classifier.features import features
from models.classifier.model import Floats, LinearModel
from models.classifier.training.base_model import (
    Fitted,
    Flags,
    Strengths,
    balance,
    fit,
    learned_languages,
    platt,
    regression,
    without_tiny,
)
from models.classifier.training.corpus import Row, deduplicated, normalised
from models.judgement.promises import most_allowed

Each: TypeAlias = Callable[[Iterable[str]], Iterable[str]]  # may show progress

LEARNED, CALIBRATED, REPORTED = "learned", "calibrated", "reported"
_LEARNED, _CALIBRATED = 80, 88  # per cent: the first part ends, the second part ends
STRENGTHS = Strengths(plain=0, scaled=10.0, solver="lbfgs")
_OF_KINDS = 3.0
# In English, so few good comments under news are held that it is surely at most one in 50, like the
# promises that a site makes. In other languages this is the share of the good comments, which are
# mostly tweets with noisy labels.
NEWS_LANGUAGE, NEWS_ONE_IN, MOST_HELD_ELSEWHERE = "en", 50, 0.11
_OWN_WEIGHT = 3.0  # of our own sentences, which are few
_FEWEST = 120  # good comments to fit a language's own shift on
_FEWEST_OF_A_KIND = 20
_PRIOR = 0.1  # the share of abuse for which the probabilities are right
_BATCH = 5000
_TINY = 0.02
# Tweets do not teach news comments: with these, English news are judged worse (AUC .86 to .84).
TWEETS = "davidson_en"
NEWS = "civil_wiki_normalised_en"  # the only English news comments of both kinds
OWN = "own"  # the source of our own sentences
_MOST_OF_A_KIND = 7_000  # toxic or good comments of one file


class Trained(NamedTuple):
    """A model, the kinds that it tells apart, the rows without repeats, and the part of each."""

    model: LinearModel
    attributes: Attributes
    rows: list[Row]
    parts: list[str]


def part(row: Row) -> str:
    """Return the part of a row. Our own sentences are all learned, and repeats are never
    divided.
    """
    if row.source == OWN:
        return LEARNED
    number = crc32(normalised(row.text).encode()) % 100
    if number < _LEARNED:
        return LEARNED
    return CALIBRATED if number < _CALIBRATED else REPORTED


def train(rows: Sequence[Row], each: Each = iter) -> Trained:
    """Return the model of the rows. It takes some ten minutes."""
    rows = _thinned(deduplicated([row for row in rows if row.source != TWEETS]))
    parts = [part(row) for row in rows]
    matrix = matrix_of(rows)
    toxic = np.array([row.spam for row in rows], bool)
    learned = np.array([name == LEARNED for name in parts])
    calibrated = np.array([name == CALIBRATED for name in parts])
    line = fit(
        matrix[learned],
        toxic[learned],
        _weights(_where(learned, rows)),
        STRENGTHS,
    )
    model = _calibrated(line, matrix[calibrated], _where(calibrated, rows), rows)
    attributes = _attributes(matrix, rows, learned, calibrated, each)
    return Trained(model, attributes, rows, parts)


def _weights(rows: Sequence[Row]) -> Floats:
    own = np.array([row.source == OWN for row in rows])
    return np.asarray(balance(rows, family) * np.where(own, _OWN_WEIGHT, 1.0))


def matrix_of(rows: Sequence[Row]) -> csr_matrix:
    """Return the features of many rows. The tokens of all at once would fill the memory."""
    texts = [row.text for row in rows]
    starts = range(0, len(texts), _BATCH)
    return vstack([features(texts[start : start + _BATCH]) for start in starts], format="csr")


def _thinned(rows: Sequence[Row]) -> list[Row]:
    """Leave out what is too much of the largest files. The parts that are not learned stay."""
    seen: Counter[tuple[str, bool]] = Counter()
    thinned = []
    for row in rows:
        is_learned = part(row) == LEARNED
        if row.source == OWN or not is_learned or seen[row.source, row.spam] < _MOST_OF_A_KIND:
            thinned.append(row)
        seen[row.source, row.spam] += is_learned
    return thinned


def _calibrated(
    line: Fitted, matrix: csr_matrix, rows: Sequence[Row], everything: Sequence[Row]
) -> LinearModel:
    """Return the model with log-odds that are 0 at the default threshold, in each language."""
    scores, toxic = matrix @ line.weights, np.array([row.spam for row in rows], bool)
    share = np.where(toxic, _PRIOR / toxic.sum(), (1 - _PRIOR) / (~toxic).sum()) * len(rows)
    slope, _ = platt(scores, toxic, share)
    shifts = _shifts(slope * scores, rows)
    languages = learned_languages([row for row in everything if row.source != OWN])
    return LinearModel(
        without_tiny(slope * line.weights, _TINY),
        -_highest_good(slope * scores, rows),
        languages,
        acquainted=learned_languages(everything) - languages,
        shifts=shifts,
    )


def _shifts(scores: Floats, rows: Sequence[Row]) -> dict[str, float]:
    """Return what each language's scores need beside the common intercept."""
    common = _highest_good(scores, rows)
    shifts = {}
    for language in sorted({row.lang for row in rows}):
        is_news = language == NEWS_LANGUAGE
        own = [
            at
            for at, row in enumerate(rows)
            if row.lang == language and (row.source == NEWS or not is_news)
        ]
        of_language = [rows[at] for at in own]
        if sum(not row.spam for row in of_language) >= _FEWEST:
            highest = _surely_highest_good if is_news else _highest_good
            shifts[language] = common - highest(scores[own], of_language)
    return shifts


def _highest_good(scores: Floats, rows: Sequence[Row]) -> float:
    """Return the score that only `MOST_HELD_ELSEWHERE` of the good comments exceed."""
    return float(np.quantile(_of_good(scores, rows), 1 - MOST_HELD_ELSEWHERE))


def _surely_highest_good(scores: Floats, rows: Sequence[Row]) -> float:
    """Return the score that so few good comments exceed that the exact interval of their share
    stays within one in `NEWS_ONE_IN`.
    """
    good = sorted(_of_good(scores, rows))
    allowed = most_allowed(len(good), NEWS_ONE_IN) or 0
    return good[-1 - allowed]


def _of_good(scores: Floats, rows: Sequence[Row]) -> list[float]:
    return [score for score, row in zip(scores.tolist(), rows, strict=True) if not row.spam]


def _attributes(
    matrix: csr_matrix, rows: Sequence[Row], learned: Flags, calibrated: Flags, each: Each
) -> Attributes:
    """Fit a line for each kind, on the rows whose kinds are known."""
    known = np.array([row.kinds is not None for row in rows])
    lines = []
    for kind in each(KINDS):
        is_kind = np.array([kind in (row.kinds or ()) for row in rows])
        lines.append(_attribute(matrix, is_kind, known & learned, known & calibrated))
    return Attributes(
        tuple(KINDS),
        np.stack([without_tiny(line.weights, _TINY) for line in lines]),
        np.array([line.intercept for line in lines]),
    )


def _attribute(matrix: csr_matrix, is_kind: Flags, learned: Flags, calibrated: Flags) -> Fitted:
    own = is_kind[learned]
    weight = np.where(own, len(own) / (2 * own.sum()), len(own) / (2 * (~own).sum()))
    line = regression(matrix[learned], own, weight, _OF_KINDS, STRENGTHS.solver)
    scores = line.scores(matrix[calibrated])
    return line._replace(intercept=line.intercept - _best_threshold(is_kind[calibrated], scores))


def _best_threshold(is_kind: Flags, scores: Floats) -> float:
    """Return the threshold with the highest F1, or the regression's own if there are too few
    examples.
    """
    if is_kind.sum() < _FEWEST_OF_A_KIND:
        return 0.0
    precision, recall, thresholds = precision_recall_curve(is_kind, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    return float(thresholds[np.argmax(f1[:-1])])


def _where(which: Flags, rows: Sequence[Row]) -> list[Row]:
    return [row for row, is_meant in zip(rows, which, strict=True) if is_meant]
