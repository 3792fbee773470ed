"""Fits the base model to labelled comments: Naive Bayes scales the columns, and a logistic
regression weighs them.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import log
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from models.classifier.features import COUNTED_COLUMNS, features
from models.classifier.model import CountsAlone, Floats, LinearModel, Weights, probability
from models.classifier.place import Place
from models.classifier.training.corpus import Row, deduplicated, groups
from models.text.language import detect

Flags: TypeAlias = NDArray[np.bool_]
Pages: TypeAlias = Mapping[str, Collection[str]]  # the addresses of each thread's page
T = TypeVar("T")

_SMOOTHING = 0.1  # added to the count of each column before the ratio is taken
# A tolerance of the solver. A hundred times coarser ranks almost the same, but moves F1 by .002.
_TOLERANCE = 1e-4
_MOST_STEPS = 100  # of the solver; more move no AUC by .001
_CALIBRATION_FOLDS = 5
_SPAM_SHARE_ELSEWHERE = 0.2  # in languages that are not learned
_TOO_SMALL = 1e-4  # smaller weights change no score that anyone would notice, and zeros compress
# A language counts as learned with this many rows, or this share of all, half of them of each kind.
_LANGUAGE_ROWS, _LANGUAGE_SHARE = 200, 0.1
# It counts as acquainted with this many rows of each kind: then only clearly good comments pass.
_ACQUAINTED_ROWS = 4
_NEWTON_STEPS, _HALVINGS = 50, 30


class Untrainable(ValueError):
    """Raised if there are too few rows of one kind to learn from."""


class Trained(NamedTuple):
    """A model, the rows that it learned from, and their log-odds by models that had seen neither
    them nor their thread.
    """

    model: LinearModel
    rows: list[Row]
    held_out: Floats


def train(  # noqa: PLR0913 — all but the rows have defaults
    rows: Sequence[Row],
    weights: Mapping[str, float] | None = None,
    *,
    pages: Pages | None = None,
    calibrated: bool = True,
    counts_too: bool = False,
    each: Callable[[Iterable[T]], Iterable[T]] = iter,
) -> Trained:
    """Return a calibrated model of the rows. Repeated texts count once.

    `weights` says how much a source counts (1 if it is not named), and `each` may show progress.
    The probabilities are right for comments with the same share of spam as the rows.
    `calibrated=False` takes a sixth of the time, and is enough to compare ranks. `counts_too` adds
    the model for languages that are not learned. Raises Untrainable.
    """
    rows = deduplicated(rows)
    spam = np.array([row.spam for row in rows], bool)
    _check_enough(spam)
    matrix = features([row.text for row in rows], places(rows, pages))
    weight = np.array([(weights or {}).get(row.source, 1.0) for row in rows])
    balanced = weight * balance(rows)
    held_out, slope, shift = np.full(len(rows), np.nan), 1.0, 0.0
    if calibrated:
        scores = _held_out(matrix, spam, balanced, _folds(rows), each)
        slope, shift = platt(scores, spam, weight)
        held_out = slope * scores + shift
    line = fit(matrix, spam, balanced)
    languages = learned_languages(rows)
    model = LinearModel(
        without_tiny(slope * line.weights),
        slope * line.intercept + shift,
        languages,
        acquainted=acquainted_languages(rows) - languages,
        counts_alone=_counts_alone(matrix, spam, weight, rows) if counts_too else None,
    )
    return Trained(model, rows, held_out)


def train_on_counts(
    rows: Sequence[Row], weights: Mapping[str, float] | None = None, *, pages: Pages | None = None
) -> CountsAlone:
    """Return a calibrated model that reads no words, of rows without repeats.

    Its probabilities are right where one comment in five is spam. It knows too little to be trusted
    with the larger share of the corpora: there, one link would be enough to hold a comment.
    """
    spam = np.array([row.spam for row in rows], bool)
    matrix = features([row.text for row in rows], places(rows, pages))
    weight = np.array([(weights or {}).get(row.source, 1.0) for row in rows])
    return _counts_alone(matrix, spam, weight, rows)


def _counts_alone(
    matrix: csr_matrix, spam: Flags, weight: Floats, rows: Sequence[Row]
) -> CountsAlone:
    counts = matrix[:, :COUNTED_COLUMNS].tocsr()
    balanced = weight * balance(rows)
    held_out = _held_out(counts, spam, balanced, _folds(rows), iter)
    slope, shift = platt(held_out, spam, weight)
    line = fit(counts, spam, balanced)
    shift += _log_odds(_SPAM_SHARE_ELSEWHERE) - _log_odds(weight[spam].sum() / weight.sum())
    return CountsAlone(slope * line.weights, slope * line.intercept + shift)


def _log_odds(share: float) -> float:
    return log(share / (1 - share))


def _check_enough(spam: Flags) -> None:
    kinds = int(spam.sum()), int((~spam).sum())
    if min(kinds) < _CALIBRATION_FOLDS:
        raise Untrainable(
            f"{kinds[0]} spam and {kinds[1]} ham without repeats: at least {_CALIBRATION_FOLDS} of "
            "each are needed"
        )


class Strengths(NamedTuple):
    """scikit-learn's C of the two regressions of `fit`, and its solver: "lbfgs" is faster for very
    many rows. With `plain` 0, only the scaled columns count.
    """

    plain: float = 100.0
    scaled: float = 10.0
    solver: str = "liblinear"


_STRENGTHS = Strengths()


class Fitted(NamedTuple):
    """A linear score of the columns, not calibrated yet."""

    weights: Floats
    intercept: float

    def scores(self, matrix: csr_matrix) -> Floats:
        return np.asarray(matrix @ self.weights + self.intercept, float)


def fit(
    matrix: csr_matrix, spam: Flags, weight: Floats, strengths: Strengths = _STRENGTHS
) -> Fitted:
    """Return the mean of two logistic regressions, which is linear like each of them.

    One sees the columns as they are. The other sees them scaled by their log-count ratio (Wang &
    Manning 2012), which trusts rare tell-tale words more. They err on different comments: on five
    videos, the mean ranks better than either.
    """
    scale = _log_count_ratio(matrix, spam, weight)
    scaled = regression(
        matrix.multiply(scale).tocsr(), spam, weight, strengths.scaled, strengths.solver
    )
    unscaled = scaled._replace(weights=scaled.weights * scale)
    if not strengths.plain:
        return unscaled
    plain = regression(matrix, spam, weight, strengths.plain, strengths.solver)
    return Fitted(
        (plain.weights + unscaled.weights) / 2, (plain.intercept + unscaled.intercept) / 2
    )


def regression(
    matrix: csr_matrix, spam: Flags, weight: Floats, strength: float, solver: str = "liblinear"
) -> Fitted:
    """Fit only the columns that occur. A few comments fill few of them, and the empty ones cost
    time.
    """
    used = np.unique(matrix.indices)
    classifier = LogisticRegression(
        C=strength, solver=solver, tol=_TOLERANCE, max_iter=_MOST_STEPS, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(matrix[:, used], spam, sample_weight=weight)
    weights = np.zeros(matrix.shape[1])
    weights[used] = classifier.coef_[0]
    return Fitted(weights, float(classifier.intercept_[0]))


def _log_count_ratio(matrix: csr_matrix, spam: Flags, weight: Floats) -> Floats:
    """Return the absolute log ratio of each column's shares in spam and in ham; 1 for counts."""
    in_spam, in_ham = (_SMOOTHING + matrix[kind].T @ weight[kind] for kind in (spam, ~spam))
    ratio = np.abs(np.log(in_spam / in_spam.sum()) - np.log(in_ham / in_ham.sum()))
    ratio[:COUNTED_COLUMNS] = 1
    return np.asarray(ratio, float)


def balance(rows: Sequence[Row], family: Callable[[str], str] = str) -> Floats:
    """Return weights that make each family of sources half spam and half ham. Otherwise the style
    of a source with much spam would itself become evidence of spam. A source is its own family.
    """
    families = [family(row.source) for row in rows]
    sizes = Counter(families)
    kinds = Counter((name, row.spam) for name, row in zip(families, rows, strict=True))
    return np.array(
        [
            sizes[name] / (2 * kinds[name, row.spam])
            for name, row in zip(families, rows, strict=True)
        ]
    )


def _folds(rows: Sequence[Row]) -> NDArray[np.int64]:
    """Return the number of each row's fold. A thread is never divided."""
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
    """Return each row's score by a model that has not seen its fold."""
    scores = np.zeros(len(spam))
    for number in each(np.unique(fold)):
        out = fold == number
        if len(set(spam[~out])) == 2:
            scores[out] = fit(matrix[~out], spam[~out], weight[~out]).scores(matrix[out])
    return scores


def platt(scores: Floats, spam: Flags, weight: Floats) -> tuple[float, float]:
    """Return the slope and the shift that turn scores into log-odds.

    This is Platt's method (1999) with his smoothed targets for 0 and 1. Newton's steps are halved
    until they help (Lin, Lin & Weng 2007): on scores that separate the classes well, a full step
    from a poor start leads away from the minimum.
    """
    positive, negative = weight[spam].sum(), weight[~spam].sum()
    target = np.where(spam, (positive + 1) / (positive + 2), 1 / (negative + 2))
    design = np.stack([scores, np.ones_like(scores)], axis=1)

    def loss(line: Floats) -> float:
        log_odds = design @ line
        return float((weight * (np.logaddexp(0, log_odds) - target * log_odds)).sum())

    line = np.array([1.0, 0.0])
    for _ in range(_NEWTON_STEPS):
        expected = probability(design @ line)
        gradient = design.T @ (weight * (expected - target))
        variance = weight * expected * (1 - expected)
        curvature = (design * variance[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        step = _halved(step, line, loss)
        line = line - step
        if np.abs(step).max() < 1e-9:
            break
    return float(line[0]), float(line[1])


def _halved(step: Floats, line: Floats, loss: Callable[[Floats], float]) -> Floats:
    """Return the step, halved until it lowers the loss. Close to the minimum, rounding may raise
    it.
    """
    at_most = loss(line) * (1 + 1e-12)
    for _ in range(_HALVINGS):
        if loss(line - step) <= at_most:
            break
        step = step / 2
    return step


def without_tiny(weights: Floats, least: float = _TOO_SMALL) -> Weights:
    """Return the weights as they are stored, with zeros for those nearer to 0 than `least`."""
    return np.where(np.abs(weights) < least, 0, weights).astype(np.float32)


def learned_languages(rows: Sequence[Row]) -> set[str]:
    """Return the languages with enough rows of both kinds. The detector fills in for rows that do
    not name theirs.
    """
    detected = iter(detect([row.text for row in rows if not row.lang]))
    counts = Counter((row.lang or next(detected), row.spam) for row in rows)
    enough = min(_LANGUAGE_ROWS, _LANGUAGE_SHARE * len(rows)) / 2
    return _with_both_kinds(counts, enough) - {"und"}


def acquainted_languages(rows: Sequence[Row]) -> set[str]:
    """Return the languages with a few rows of both kinds. Only rows that name their language count:
    with so few, the detector might be wrong about all of them.
    """
    counts = Counter((row.lang, row.spam) for row in rows if row.lang)
    return _with_both_kinds(counts, _ACQUAINTED_ROWS)


def _with_both_kinds(counts: Counter[tuple[str, bool]], enough: float) -> set[str]:
    languages = {language for language, _ in counts}
    return {
        language
        for language in languages
        if min(counts[language, True], counts[language, False]) >= enough
    }
