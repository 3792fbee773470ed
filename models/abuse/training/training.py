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

Each: TypeAlias = Callable[[Iterable[str]], Iterable[str]]  # may show progress

LEARNED, CALIBRATED, REPORTED = "learned", "calibrated", "reported"
_LEARNED, _CALIBRATED = 80, 88  # per cent: the first part ends, the second part ends
STRENGTHS = Strengths(plain=0, scaled=10.0, solver="lbfgs")
_OF_KINDS = 3.0
MOST_HELD = 0.015  # of the good comments of each language; a little less than the promised 2 %
_FEWEST = 100  # good comments to fit a language's own shift on
_PRIOR = 0.1  # the share of abuse for which the probabilities are right
_BATCH = 5000
_TINY = 0.02
# Tweets do not teach news comments: with these, English news are judged worse (AUC .86 to .84).
TWEETS = "davidson_en"
OWN = "own"  # the source of our own sentences
# Files with many more rows than others, and how many of their good ones the model learns from.
_MOST_GOOD = {"wiki_talk_en": 12_000, "wiki_talk_context_en": 4_000}


class Trained(NamedTuple):
    """A model, the kinds that it tells apart, the rows without repeats, and the part of each."""

    model: LinearModel
    attributes: Attributes
    rows: list[Row]
    parts: list[str]


def part(row: Row) -> str:
    """Return the part of a row. The sentences of a template, and repeats, are never divided."""
    number = crc32((row.thread or normalised(row.text)).encode()) % 100
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
        np.asarray(balance(_where(learned, rows), family)),
        STRENGTHS,
    )
    model = _calibrated(line, matrix[calibrated], _where(calibrated, rows), rows)
    attributes = _attributes(matrix, rows, learned, calibrated, each)
    return Trained(model, attributes, rows, parts)


def matrix_of(rows: Sequence[Row]) -> csr_matrix:
    """Return the features of many rows. The tokens of all at once would fill the memory."""
    texts = [row.text for row in rows]
    starts = range(0, len(texts), _BATCH)
    return vstack([features(texts[start : start + _BATCH]) for start in starts], format="csr")


def _thinned(rows: Sequence[Row]) -> list[Row]:
    """Leave out what is too much of the largest files' good comments."""
    seen: Counter[str] = Counter()
    thinned = []
    for row in rows:
        if row.spam or seen[row.source] < _MOST_GOOD.get(row.source, len(rows)):
            thinned.append(row)
        seen[row.source] += not row.spam
    return thinned


def _calibrated(
    line: Fitted, matrix: csr_matrix, rows: Sequence[Row], everything: Sequence[Row]
) -> LinearModel:
    """Return the model with log-odds that are 0 at the default threshold, in each language."""
    scores, toxic = line.scores(matrix), np.array([row.spam for row in rows], bool)
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
        own = [at for at, row in enumerate(rows) if row.lang == language]
        of_language = [rows[at] for at in own]
        if sum(not row.spam for row in of_language) >= _FEWEST:
            shifts[language] = common - _highest_good(scores[own], of_language)
    return shifts


def _highest_good(scores: Floats, rows: Sequence[Row]) -> float:
    """Return the score that only `MOST_HELD` of the good comments exceed."""
    good = [score for score, row in zip(scores.tolist(), rows, strict=True) if not row.spam]
    return float(np.quantile(good, 1 - MOST_HELD))


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
    """Return the threshold with the highest F1, or one above all scores if there is nothing to
    find.
    """
    if not is_kind.any():
        return float(scores.max()) + 1.0
    precision, recall, thresholds = precision_recall_curve(is_kind, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    return float(thresholds[np.argmax(f1[:-1])])


def _where(which: Flags, rows: Sequence[Row]) -> list[Row]:
    return [row for row, is_meant in zip(rows, which, strict=True) if is_meant]
