"""Fits the classifier to labelled comments: Naive Bayes scales the columns, a logistic regression
weighs them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from models.spam.features import COUNTED_COLUMNS, features
from models.spam.model import SpamModel, probability
from models.spam.place import Place
from models.spam.training.corpus import Row, deduplicated, groups
from models.text.language import detect

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Pages: TypeAlias = Mapping[str, Collection[str]]
T = TypeVar("T")

_SMOOTHING = 0.1  # added to each column's count before the ratio
_PLAIN_STRENGTH, _SCALED_STRENGTH = 100.0, 10.0  # scikit-learn's C
_TOLERANCE = (
    1e-4  # of the solver; a hundred times coarser ranks almost the same, and moves F1 by .002
)
_CALIBRATION_FOLDS = 5
_TOO_SMALL = 1e-4  # a weight that no score would notice; as zeros they compress
_ACQUAINTED_ROWS = (
    4  # so many of either kind, and what scores clearly well in that language is let through
)
_LANGUAGE_ROWS, _LANGUAGE_SHARE = (
    200,
    0.1,
)  # so many rows, or such a share, and a language counts as seen


class Untrainable(ValueError):
    """Too few rows of one kind to learn from."""


class Trained(NamedTuple):
    """A model, the rows it learned from, and their log-odds by models that had not seen them or
    their thread.
    """

    model: SpamModel
    rows: list[Row]
    held_out: Floats


def train(
    rows: Sequence[Row],
    weights: Mapping[str, float] | None = None,
    *,
    pages: Pages | None = None,
    calibrated: bool = True,
    each: Callable[[Iterable[T]], Iterable[T]] = iter,
) -> Trained:
    """A calibrated model of the rows, repeats counted once.

    `weights` says how much a source counts (1 where it is not named), `pages` the addresses of a
    thread's page; `each` may watch the steps go by. Probabilities are true for comments of which as
    many are spam as of the rows; to compare ranks alone, `calibrated=False` saves five sixths of
    the time. Raises Untrainable.
    """
    rows = deduplicated(rows)
    spam = np.array([row.spam for row in rows], bool)
    if min(spam.sum(), (~spam).sum()) < _CALIBRATION_FOLDS:
        few = f"{spam.sum()} spam and {(~spam).sum()} ham without repeats"
        raise Untrainable(f"{few}: at least {_CALIBRATION_FOLDS} of each are needed")
    matrix = features([row.text for row in rows], places(rows, pages))
    weight = np.array([(weights or {}).get(row.source, 1.0) for row in rows])
    even = weight * _evening(rows)
    scores = (
        _held_out(matrix, spam, even, _folds(rows), each)
        if calibrated
        else np.full(len(rows), np.nan)
    )
    slope, shift = platt(scores, spam, weight) if calibrated else (1.0, 0.0)
    line = fit(matrix, spam, even)
    known, acquainted = _languages(rows), _acquainted(rows)
    pruned, intercept = _pruned(slope * line.weights), slope * line.intercept + shift
    model = SpamModel(pruned, intercept, known, acquainted=set(acquainted).difference(known))
    return Trained(model, rows, slope * scores + shift)


class Fitted(NamedTuple):
    """A line through the columns; not calibrated yet."""

    weights: Floats
    intercept: float

    def scores(self, matrix: csr_matrix) -> Floats:
        return np.asarray(matrix @ self.weights + self.intercept, float)


def fit(matrix: csr_matrix, spam: Flags, weight: Floats) -> Fitted:
    """The mean of two logistic regressions, which is linear like each of them.

    One sees the columns as they are, the other scaled by their log-count ratio (Wang & Manning
    2012), which trusts rare tell-tale words more. They err on different comments: on five videos
    the mean ranks better than either.
    """
    plain = _regression(matrix, spam, weight, _PLAIN_STRENGTH)
    scale = _log_count_ratio(matrix, spam, weight)
    scaled = _regression(matrix.multiply(scale).tocsr(), spam, weight, _SCALED_STRENGTH)
    return Fitted(
        (plain.weights + scaled.weights * scale) / 2, (plain.intercept + scaled.intercept) / 2
    )


def _regression(matrix: csr_matrix, spam: Flags, weight: Floats, strength: float) -> Fitted:
    """Fitted on the columns that occur: a few comments fill few of them, and the others would only
    take time.
    """
    used = np.unique(matrix.indices)
    classifier = LogisticRegression(C=strength, solver="liblinear", tol=_TOLERANCE, random_state=0)
    classifier.fit(matrix[:, used], spam, sample_weight=weight)
    weights = np.zeros(matrix.shape[1])
    weights[used] = classifier.coef_[0]
    return Fitted(weights, float(classifier.intercept_[0]))


def _log_count_ratio(matrix: csr_matrix, spam: Flags, weight: Floats) -> Floats:
    """How many times likelier a column is in one class than in the other, as a logarithm; 1 for
    what is counted.
    """
    in_spam, in_ham = (_SMOOTHING + matrix[kind].T @ weight[kind] for kind in (spam, ~spam))
    ratio = np.abs(np.log(in_spam / in_spam.sum()) - np.log(in_ham / in_ham.sum()))
    ratio[:COUNTED_COLUMNS] = 1
    return np.asarray(ratio, float)


def _evening(rows: Sequence[Row]) -> Floats:
    """What makes each source half spam and half ham, so that no source's habits become the odds of
    spam.
    """
    sizes = Counter(row.source for row in rows)
    halves = Counter((row.source, row.spam) for row in rows)
    return np.array([sizes[row.source] / (2 * halves[row.source, row.spam]) for row in rows])


def _folds(rows: Sequence[Row]) -> NDArray[np.int64]:
    """A fold's number for each row, a thread never divided."""
    names = groups(rows, _CALIBRATION_FOLDS)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names]) % _CALIBRATION_FOLDS


def places(rows: Sequence[Row], pages: Pages | None) -> list[Place | None]:
    """Return the place of each row: the page of its thread, if `pages` names it."""
    known = {thread: Place(page=addresses) for thread, addresses in (pages or {}).items()}
    return [known.get(row.thread) for row in rows]


def _held_out(
    matrix: csr_matrix,
    spam: Flags,
    weight: Floats,
    fold: NDArray[np.int64],
    each: Callable[[Iterable[T]], Iterable[T]],
) -> Floats:
    """Every row's log-odds by a model that has not seen its fold."""
    scores = np.zeros(len(spam))
    for number in each(np.unique(fold)):
        out = fold == number
        if len(set(spam[~out])) == 2:
            scores[out] = fit(matrix[~out], spam[~out], weight[~out]).scores(matrix[out])
    return scores


def platt(scores: Floats, spam: Flags, weight: Floats) -> tuple[float, float]:
    """Slope and shift that make log-odds of scores: Platt 1999, by Newton steps, his smoothed
    targets for 0 and 1.
    """
    positive, negative = weight[spam].sum(), weight[~spam].sum()
    target = np.where(spam, (positive + 1) / (positive + 2), 1 / (negative + 2))
    design = np.stack([scores, np.ones_like(scores)], axis=1)
    line = np.array([1.0, 0.0])
    for _ in range(50):
        expected = probability(design @ line)
        gradient = design.T @ (weight * (expected - target))
        curvature = (
            design * (weight * expected * (1 - expected))[:, None]
        ).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        line = line - step
        if np.abs(step).max() < 1e-9:
            break
    return float(line[0]), float(line[1])


def _pruned(coefficients: Floats) -> NDArray[np.float32]:
    return np.where(np.abs(coefficients) < _TOO_SMALL, 0, coefficients).astype(np.float32)


def _languages(rows: Sequence[Row]) -> list[str]:
    """The languages with enough rows of both kinds; where a row does not say, the detector does."""
    silent = iter(detect([row.text for row in rows if not row.lang]))
    counts = Counter((row.lang or next(silent), row.spam) for row in rows)
    enough = min(_LANGUAGE_ROWS, _LANGUAGE_SHARE * len(rows)) / 2
    both = {
        language
        for language, _ in counts
        if min(counts[language, True], counts[language, False]) >= enough
    }
    return sorted(both - {"und"})


def _acquainted(rows: Sequence[Row]) -> list[str]:
    """Those with a few rows of both kinds, by what the corpus says: of so few the detector might be
    wrong about all.
    """
    counts = Counter((row.lang, row.spam) for row in rows if row.lang)
    return sorted(
        {
            lang
            for lang, _ in counts
            if min(counts[lang, True], counts[lang, False]) >= _ACQUAINTED_ROWS
        }
    )
