"""Fits a site's own model to its moderators' decisions, and says whether it may take the place of
the current one.

Before the first decision the site's model is the base model: its log-odds, once, and nothing else.
That is where the weights are pulled back to (a normal distribution around it is their prior, and
the fit is the likeliest of all), so a hundred decisions correct the base and do not replace it. The
posterior's log-odds need no line to calibrate them: with a hundred labels Platt's, fitted to five
small folds, cost more than it mended, and where the first labels were nearly all of one kind it
took that for the site's habit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, diags

from models.spam import context
from models.spam.model import probability
from models.spam.site import COLUMNS, TEXT_COLUMNS, Floats, Seen, SiteModel, matrix
from models.spam.training.base_model import Fitted, Untrainable

Flags = NDArray[np.bool_]

FIRST = 25  # labels before there is a model at all
FEWEST_OF_A_KIND = 3
CROSS_VALIDATED = 200  # labels below which there are too few to hold the newest out
FOLDS = 5
HELD_OUT = 0.2
FEWEST_COMPARED = 10  # with fewer that the current model has not seen there is nothing to go by
LANGUAGE_ROWS = 10
_LEAST = 0.005  # a probability counts as no surer than that: one mistake must not decide alone
_TOO_SMALL = 1e-4
_SOLVER = {"maxiter": 300, "gtol": 1e-3}

# How far a weight strays from where it is pulled back to, as a standard deviation; see the base
# model's card.
_WORDS = 4.5  # of the site's own words: a whole comment's together are at most about as long as one
_TRUST = 0.5  # of what the base model's opinion counts, around 1
_SILENCE = 4.5  # of what it means that the base model has none
_HABIT, _UNKNOWN = (
    13.0,
    1.0,
)  # of a count (the first of them has the value .1), and of one that nobody knows
_SHARE = (
    1.0  # of the intercept: what moderators were shown so far was much of one kind only for a while
)
_SPREAD = np.concatenate(
    [
        np.full(TEXT_COLUMNS, _WORDS),
        [_TRUST, _SILENCE],
        np.repeat([_HABIT, _UNKNOWN], context.COLUMNS // 2),
    ]
)
_BASE_ALONE = (np.arange(COLUMNS) == TEXT_COLUMNS).astype(float)


class Label(NamedTuple):
    """A comment that a moderator decided, with what a model is shown of it. Labels come in the
    order of decisions.
    """

    comment: str
    spam: bool
    language: str
    seen: Seen


class SiteTrained(NamedTuple):
    """A model, with the rows it was fitted to and each row's probability by models that had not
    seen it.
    """

    model: SiteModel
    held_out: Floats
    rows: csr_matrix


class Comparison(NamedTuple):
    """Challenger against champion on `rows` labels that neither had seen: mean log loss, lower is
    better.
    """

    rows: int
    challenger: float
    champion: float
    how: str

    @property
    def challenger_wins(self) -> bool:
        return self.rows < FEWEST_COMPARED or self.challenger <= self.champion


def train(labels: Sequence[Label], base: str, made: str) -> SiteTrained:
    """The model of these decisions. Raises Untrainable."""
    spam = _spam(labels)
    _check_enough(spam)
    rows = matrix([label.seen for label in labels])
    fitted = _fit(rows, spam)
    weights = np.where(np.abs(fitted.weights) < _TOO_SMALL, 0, fitted.weights).astype(np.float32)
    model = SiteModel(weights, fitted.intercept, _languages(labels), base)
    model.version = _version(model, made)
    return SiteTrained(model, probability(_cross_validated(rows, spam)), rows)


def _version(model: SiteModel, made: str) -> str:
    """Name the model after its content and `made`, the moment of the training.

    Two trainings on the same labels give the same weights, but each is a model of its own.
    """
    return f"site-{sha256(model.packed() + made.encode()).hexdigest()[:12]}"


def compare(
    labels: Sequence[Label], challenger: SiteTrained, champion: Floats, unseen: Flags
) -> Comparison:
    """Challenger and champion on the newest labels that the champion has not seen (`unseen`).

    `champion` has its probabilities of all labels. From 200 labels on the challenger is fitted once
    more, to what came before the newest fifth; below, what counts is how it did by
    cross-validation.
    """
    spam, ours = _spam(labels), challenger.held_out.copy()
    first = len(labels) - int(HELD_OUT * len(labels))
    if len(labels) < CROSS_VALIDATED or len(set(spam[:first])) < 2:
        return _comparison(spam, ours, champion, unseen, "by cross-validation")
    ours[first:] = probability(
        _fit(challenger.rows[:first], spam[:first]).scores(challenger.rows[first:])
    )
    newest = unseen & (np.arange(len(labels)) >= first)
    return _comparison(spam, ours, champion, newest, "on the newest, held out in time")


def _comparison(spam: Flags, ours: Floats, theirs: Floats, which: Flags, how: str) -> Comparison:
    rows = int(which.sum())
    if not rows:
        return Comparison(0, 0.0, 0.0, how)
    challenger, champion = (
        round(log_loss(spam[which], scores[which]), 4) for scores in (ours, theirs)
    )
    return Comparison(rows, challenger, champion, how)


def log_loss(spam: Flags, probabilities: Floats) -> float:
    """Mean surprise at what the moderators decided."""
    certain = np.clip(np.where(spam, probabilities, 1 - probabilities), _LEAST, 1)
    return float(-np.log(certain).mean())


def _spam(labels: Sequence[Label]) -> Flags:
    return np.array([label.spam for label in labels], bool)


def _check_enough(spam: Flags) -> None:
    kinds = int(spam.sum()), int((~spam).sum())
    if len(spam) < FIRST or min(kinds) < FEWEST_OF_A_KIND:
        few = f"{kinds[0]} rejected and {kinds[1]} approved"
        raise Untrainable(
            f"{few}: {FIRST} decisions are needed, and {FEWEST_OF_A_KIND} of each kind"
        )


def _fit(rows: csr_matrix, spam: Flags) -> Fitted:
    """The likeliest weights, by L-BFGS on their distances from the base model alone, each measured
    in its spread.
    """
    used = _teaching(rows)
    scaled = csr_matrix(rows[:, used] @ diags(_SPREAD[used]))
    back, start, sign = scaled.T.tocsr(), rows @ _BASE_ALONE, np.where(spam, 1.0, -1.0)

    def surprise(point: Floats) -> tuple[float, Floats]:
        distances, shift = point[:-1], point[-1]
        margin = sign * (scaled @ distances + _SHARE * shift + start)
        slope = -sign * probability(-margin)
        loss = np.logaddexp(0, -margin).sum() + point @ point / 2
        return float(loss), np.append(back @ slope, _SHARE * slope.sum()) + point

    found = minimize(
        surprise, np.zeros(len(used) + 1), jac=True, method="L-BFGS-B", options=_SOLVER
    ).x
    weights = _BASE_ALONE.copy()
    weights[used] += _SPREAD[used] * found[:-1]
    return Fitted(weights, float(_SHARE * found[-1]))


def _teaching(rows: csr_matrix) -> NDArray[np.int64]:
    """The columns that occur. A count that is the same on every comment says nothing: it is a
    second intercept.
    """
    used = np.flatnonzero(rows.getnnz(axis=0))
    counts = rows[:, TEXT_COLUMNS + 2 :].toarray()
    same = TEXT_COLUMNS + 2 + np.flatnonzero(np.ptp(counts, axis=0) == 0)
    return np.setdiff1d(used, same)


def _cross_validated(rows: csr_matrix, spam: Flags) -> Floats:
    """Each row's score by a model that has not seen its fold; every fold has its share of both
    kinds.
    """
    folds = min(FOLDS, int(spam.sum()), int((~spam).sum()))
    fold = np.zeros(len(spam), int)
    for kind in (spam, ~spam):
        fold[kind] = np.arange(kind.sum()) % folds
    scores = np.zeros(len(spam))
    for number in range(folds):
        out = fold == number
        scores[out] = _fit(rows[~out], spam[~out]).scores(rows[out])
    return scores


def _languages(labels: Sequence[Label]) -> list[str]:
    """Those with ten labels, of both kinds: from fewer it would judge by punctuation."""
    counts = Counter(label.language for label in labels)
    kinds = {(label.language, label.spam) for label in labels}
    return sorted(
        language
        for language, count in counts.items()
        if language
        and language != "und"
        and count >= LANGUAGE_ROWS
        and {(language, True), (language, False)} <= kinds
    )
