"""Fits the classifier to labelled comments: Naive Bayes scales the columns, a logistic regression weighs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from models.language import detect
from models.spam.corpus import Row, deduplicated, groups
from models.spam.features import COUNTED_COLUMNS, features
from models.spam.model import SpamModel, probability

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
T = TypeVar("T")

_SMOOTHING = 0.1  # added to each column's count before the ratio
_STRENGTH = 3.0  # scikit-learn's C
_CALIBRATION_FOLDS = 5
_TOO_SMALL = 1e-4  # a weight that no score would notice; as zeros they compress
_LANGUAGE_ROWS, _LANGUAGE_SHARE = 200, 0.1  # so many rows, or such a share, and a language counts as seen


class Untrainable(ValueError):
    """Too few rows of one kind to learn from."""


class Trained(NamedTuple):
    """A model, the rows it learned from, and their log-odds by models that had not seen them or their thread."""

    model: SpamModel
    rows: list[Row]
    held_out: Floats


def train(
    rows: Sequence[Row],
    weights: Mapping[str, float] | None = None,
    *,
    each: Callable[[Iterable[T]], Iterable[T]] = iter,
) -> Trained:
    """A calibrated model of the rows, repeats counted once.

    `weights` says how much a source counts (1 where it is not named); `each` may watch the steps go by. Probabilities
    are true for comments of which as many are spam as of the rows. Raises Untrainable.
    """
    rows = deduplicated(rows)
    spam = np.array([row.spam for row in rows], bool)
    if min(spam.sum(), (~spam).sum()) < _CALIBRATION_FOLDS:
        few = f"{spam.sum()} spam and {(~spam).sum()} ham without repeats"
        raise Untrainable(f"{few}: at least {_CALIBRATION_FOLDS} of each are needed")
    matrix = features([row.text for row in rows])
    weight = np.array([(weights or {}).get(row.source, 1.0) for row in rows])
    even = weight * _evening(rows)
    scores = _held_out(matrix, spam, even, _folds(rows), each)
    slope, shift = platt(scores, spam, weight)
    classifier = fit(matrix, spam, even)
    calibrated = _pruned(slope * classifier.coef_[0]), slope * float(classifier.intercept_[0]) + shift
    return Trained(SpamModel(*calibrated, _languages(rows)), rows, slope * scores + shift)


def fit(matrix: csr_matrix, spam: Flags, weight: Floats) -> LogisticRegression:
    """A logistic regression on columns scaled by their log-count ratio (Wang & Manning 2012), the scale folded back in.

    On five videos it raised the recall at 1 % false positives from .80 to .86 over the plain regression.
    """
    scale = _log_count_ratio(matrix, spam, weight)
    classifier = LogisticRegression(C=_STRENGTH, solver="liblinear", random_state=0)
    classifier.fit(matrix.multiply(scale).tocsr(), spam, sample_weight=weight)
    classifier.coef_ = classifier.coef_ * scale
    return classifier


def _log_count_ratio(matrix: csr_matrix, spam: Flags, weight: Floats) -> Floats:
    """How many times likelier a column is in one class than in the other, as a logarithm; 1 for what is counted."""
    in_spam, in_ham = (_SMOOTHING + matrix[kind].T @ weight[kind] for kind in (spam, ~spam))
    ratio = np.abs(np.log(in_spam / in_spam.sum()) - np.log(in_ham / in_ham.sum()))
    ratio[:COUNTED_COLUMNS] = 1
    return np.asarray(ratio, float)


def _evening(rows: Sequence[Row]) -> Floats:
    """What makes each source half spam and half ham, so that no source's habits become the odds of spam."""
    sizes = Counter(row.source for row in rows)
    halves = Counter((row.source, row.spam) for row in rows)
    return np.array([sizes[row.source] / (2 * halves[row.source, row.spam]) for row in rows])


def _folds(rows: Sequence[Row]) -> NDArray[np.int64]:
    """A fold's number for each row, a thread never divided."""
    names = groups(rows, _CALIBRATION_FOLDS)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names]) % _CALIBRATION_FOLDS


def _held_out(
    matrix: csr_matrix, spam: Flags, weight: Floats, fold: NDArray[np.int64], each: Callable[[Iterable[T]], Iterable[T]]
) -> Floats:
    """Every row's log-odds by a model that has not seen its fold."""
    scores = np.zeros(len(spam))
    for number in each(np.unique(fold)):
        out = fold == number
        if len(set(spam[~out])) == 2:
            scores[out] = fit(matrix[~out], spam[~out], weight[~out]).decision_function(matrix[out])
    return scores


def platt(scores: Floats, spam: Flags, weight: Floats) -> tuple[float, float]:
    """Slope and shift that make log-odds of scores: Platt 1999, by Newton steps, his smoothed targets for 0 and 1."""
    positive, negative = weight[spam].sum(), weight[~spam].sum()
    target = np.where(spam, (positive + 1) / (positive + 2), 1 / (negative + 2))
    design = np.stack([scores, np.ones_like(scores)], axis=1)
    line = np.array([1.0, 0.0])
    for _ in range(50):
        expected = probability(design @ line)
        gradient = design.T @ (weight * (expected - target))
        curvature = (design * (weight * expected * (1 - expected))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        line = line - step
        if np.abs(step).max() < 1e-9:
            break
    return float(line[0]), float(line[1])


def _pruned(coefficients: Floats) -> NDArray[np.float32]:
    return np.where(np.abs(coefficients) < _TOO_SMALL, 0, coefficients).astype(np.float32)


def _languages(rows: Sequence[Row]) -> list[str]:
    """The languages with enough rows; where a row does not say, the detector does."""
    silent = detect([row.text for row in rows if not row.lang])
    counts = Counter([row.lang for row in rows if row.lang] + silent)
    enough = min(_LANGUAGE_ROWS, _LANGUAGE_SHARE * len(rows))
    return sorted(language for language, count in counts.items() if count >= enough and language != "und")
