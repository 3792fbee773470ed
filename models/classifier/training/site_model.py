"""Fits a site's own model to its moderators' decisions, and compares it with the model in use.

Before the first decision, the site's model is the base model: its log-odds, once, and nothing else.
The weights are pulled back to that (a normal distribution around it is their prior, and the fit is
the most likely posterior), so a hundred decisions correct the base model and do not replace it. The
posterior's log-odds need no calibration. With a hundred labels, a line fitted to five small folds
cost more than it gained, and where the first labels were nearly all of one kind, it took that for
the site's habit.

Moderators decide mostly on comments that scored high, so their labels say little about all the
others. Two things keep the model from guessing there:

- A label counts for as many comments as it stands for: one over the probability that a moderator
  was asked about it, up to `MOST_WEIGHT`. If nobody knows the probability, it counts once.
- Comments that went live without a human are anchors: where no label contradicts it, the model
  should think of them what the base model does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, diags, vstack

from models.classifier import context
from models.classifier.model import Floats, probability
from models.classifier.site_model import COLUMNS, TEXT_COLUMNS, Seen, SiteModel, matrix
from models.classifier.training.base_model import Fitted, Flags, Untrainable

FIRST = 25  # labels before a site has a model of its own
FEWEST_OF_A_KIND = 3
CROSS_VALIDATED = 200  # with fewer labels, holding the newest out would leave too few
FOLDS = 5
HELD_OUT = 0.2
FEWEST_COMPARED = 10  # with fewer random labels that the current model has not seen, it can't lose
MOST_WEIGHT = 20.0  # a rare label must not decide alone
ANCHORED = 0.5  # the weight of an anchor; of a label it is at least 1
LANGUAGE_ROWS = 10
UNSURE = "und"
_LEAST = 0.005  # a probability counts as no surer than this: one mistake must not decide alone
_TOO_SMALL = 1e-4
_SOLVER = {"maxiter": 300, "gtol": 1e-3}

# How far a weight strays from its prior, as a standard deviation. See the base model's card.
_WORDS = 4.5  # the site's own words; those of a whole comment make a row of a length of about 1
_TRUST = 0.5  # the weight of the base model's opinion, around 1
_SILENCE = 4.5  # the weight of the base model having no opinion
_COUNT = 13.0  # a count; a count of one has the value .1
_UNKNOWN = 1.0  # a count that is unknown
_SHARE = 1.0  # the intercept: for a while, moderators may have been shown mostly one kind
_SPREAD = np.concatenate(
    [
        np.full(TEXT_COLUMNS, _WORDS),
        [_TRUST, _SILENCE],
        np.repeat([_COUNT, _UNKNOWN], context.COLUMNS // 2),
    ]
)
_BASE_ALONE = (np.arange(COLUMNS) == TEXT_COLUMNS).astype(float)


class Label(NamedTuple):
    """A moderator's decision on a comment, with what a model sees of the comment.

    `propensity` is the probability that a moderator would be asked about the comment; None if
    nobody knows it.
    """

    comment: str
    bad: bool
    language: str
    seen: Seen
    propensity: float | None = None

    @property
    def weight(self) -> float:
        return min(1 / self.propensity, MOST_WEIGHT) if self.propensity else 1.0

    @property
    def is_random(self) -> bool:
        return self.propensity is not None and self.propensity < 1


class Points(NamedTuple):
    """What a model is fitted to: rows, the probability of each row being bad, and its weight."""

    rows: csr_matrix
    targets: Floats
    weights: Floats

    def chosen(self, which: Flags) -> Points:
        return Points(self.rows[which], self.targets[which], self.weights[which])

    def with_more(self, others: Points | None) -> Points:
        if others is None:
            return self
        return Points(
            vstack([self.rows, others.rows], format="csr"),
            np.concatenate([self.targets, others.targets]),
            np.concatenate([self.weights, others.weights]),
        )


class SiteTrained(NamedTuple):
    """A model, with the rows it was fitted to and each row's probability by models that had not
    seen it.
    """

    model: SiteModel
    held_out: Floats
    rows: csr_matrix
    anchors: Points | None = None


class Comparison(NamedTuple):
    """Challenger against champion on `rows` random labels that neither had seen. The numbers are
    mean log losses: lower is better.
    """

    rows: int
    challenger: float
    champion: float
    how: str

    @property
    def challenger_wins(self) -> bool:
        return self.rows < FEWEST_COMPARED or self.challenger <= self.champion


def train(
    labels: Sequence[Label], base: str, made: str, anchors: Sequence[Seen] = ()
) -> SiteTrained:
    """Return a model of these decisions, given in their order in time, and of the comments that
    went live without a human.

    `base` is the version of the base model, `made` the moment of the training. Raises Untrainable.
    """
    bad = _bad(labels)
    _check_enough(bad)
    points = Points(matrix([label.seen for label in labels]), bad.astype(float), _weights(labels))
    around = _anchor_points(anchors)
    fitted = _fit(points.with_more(around))
    weights = np.where(np.abs(fitted.weights) < _TOO_SMALL, 0, fitted.weights).astype(np.float32)
    model = SiteModel(weights, fitted.intercept, _languages(labels), base)
    model.version = _version(model, made)
    held_out = _with_base(labels, model.languages, probability(_cross_validated(points, around)))
    return SiteTrained(model, held_out, points.rows, around)


def _anchor_points(anchors: Sequence[Seen]) -> Points | None:
    """Return the anchors on which the base model has an opinion, which is their target."""
    judged = [seen for seen in anchors if seen.base is not None]
    if not judged:
        return None
    targets = probability(np.array([seen.base for seen in judged], float))
    return Points(matrix(judged), targets, np.full(len(judged), ANCHORED))


def _version(model: SiteModel, made: str) -> str:
    """Name the model after its content and `made`: two trainings on the same labels give the same
    weights, but each is a model of its own.
    """
    return f"site-{sha256(model.packed() + made.encode()).hexdigest()[:12]}"


def compare(
    labels: Sequence[Label], challenger: SiteTrained, champion: Floats, unseen: Flags
) -> Comparison:
    """Compare two models on the random labels that the champion has not seen, which `unseen` marks.
    The other labels say nothing about all comments.

    `champion` has the champion's probability of each label. With 200 labels or more, the challenger
    is fitted again to all but the newest fifth, and both are compared on that fifth. With fewer, or
    with too few random labels in it, the challenger's probabilities are those of its
    cross-validation.
    """
    bad, ours, weights = _bad(labels), challenger.held_out.copy(), _weights(labels)
    first = len(labels) - int(HELD_OUT * len(labels))
    which = unseen & np.array([label.is_random for label in labels], bool)
    newest = which & (np.arange(len(labels)) >= first)
    has_few = len(labels) < CROSS_VALIDATED or newest.sum() < FEWEST_COMPARED
    if has_few or len(set(bad[:first])) < 2:
        return _comparison(bad, weights, (ours, champion), which, "in cross-validation")
    known = Points(challenger.rows[:first], bad[:first].astype(float), weights[:first])
    older = _fit(known.with_more(challenger.anchors))
    known_languages = challenger.model.languages
    newer = probability(older.scores(challenger.rows[first:]))
    ours[first:] = _with_base(labels[first:], known_languages, newer)
    how = "on the newest decisions, which neither model had seen"
    return _comparison(bad, weights, (ours, champion), newest, how)


def _comparison(
    bad: Flags, weights: Floats, both: tuple[Floats, Floats], which: Flags, how: str
) -> Comparison:
    rows = int(which.sum())
    if not rows:
        return Comparison(0, 0.0, 0.0, how)
    challenger, champion = (
        round(log_loss(bad[which], probabilities[which], weights[which]), 4)
        for probabilities in both
    )
    return Comparison(rows, challenger, champion, how)


def log_loss(bad: Flags, probabilities: Floats, weights: Floats | None = None) -> float:
    """Return the weighted mean of -ln(the probability given to what the moderators decided)."""
    given = np.clip(np.where(bad, probabilities, 1 - probabilities), _LEAST, 1)
    return float(np.average(-np.log(given), weights=weights))


def _with_base(labels: Sequence[Label], languages: Collection[str], ours: Floats) -> Floats:
    """Return the base model's probabilities of labels in other languages, which it judges alone."""
    base = probability(np.array([label.seen.base or 0.0 for label in labels], float))
    return np.where([label.language in languages for label in labels], ours, base)


def _bad(labels: Sequence[Label]) -> Flags:
    return np.array([label.bad for label in labels], bool)


def _weights(labels: Sequence[Label]) -> Floats:
    return np.array([label.weight for label in labels], float)


def _check_enough(bad: Flags) -> None:
    rejected, approved = int(bad.sum()), int((~bad).sum())
    if len(bad) < FIRST or min(rejected, approved) < FEWEST_OF_A_KIND:
        raise Untrainable(
            f"{rejected} rejected and {approved} approved: {FIRST} decisions are needed, and "
            f"{FEWEST_OF_A_KIND} of each kind"
        )


def _fit(points: Points) -> Fitted:
    """Return the most likely weights: L-BFGS on their distances from the base model alone, each
    measured in units of its spread.
    """
    rows, targets, weight = points
    used = _informative(rows)
    scaled = csr_matrix(rows[:, used] @ diags(_SPREAD[used]))
    transposed = scaled.T.tocsr()
    start = rows @ _BASE_ALONE

    def loss_and_gradient(point: Floats) -> tuple[float, Floats]:
        distances, shift = point[:-1], point[-1]
        scores = scaled @ distances + _SHARE * shift + start
        slope = weight * (probability(scores) - targets)
        loss = (weight * (np.logaddexp(0, scores) - targets * scores)).sum() + point @ point / 2
        gradient = np.append(transposed @ slope, _SHARE * slope.sum()) + point
        return float(loss), gradient

    origin = np.zeros(len(used) + 1)
    solution = minimize(loss_and_gradient, origin, jac=True, method="L-BFGS-B", options=_SOLVER).x
    weights = _BASE_ALONE.copy()
    weights[used] += _SPREAD[used] * solution[:-1]
    return Fitted(weights, float(_SHARE * solution[-1]))


def _informative(rows: csr_matrix) -> NDArray[np.int64]:
    """Return the columns that occur, without the counts that are the same on every comment: such a
    count would be a second intercept.
    """
    used = np.flatnonzero(rows.getnnz(axis=0))
    counts = rows[:, TEXT_COLUMNS + 2 :].toarray()
    same = TEXT_COLUMNS + 2 + np.flatnonzero(np.ptp(counts, axis=0) == 0)
    return np.setdiff1d(used, same)


def _cross_validated(points: Points, anchors: Points | None) -> Floats:
    """Return each row's score by a model that has not seen its fold. Every fold has its share of
    both kinds.
    """
    bad = points.targets > 0.5
    folds = min(FOLDS, int(bad.sum()), int((~bad).sum()))
    fold = np.zeros(len(bad), int)
    for kind in (bad, ~bad):
        fold[kind] = np.arange(kind.sum()) % folds
    scores = np.zeros(len(bad))
    for number in range(folds):
        out = fold == number
        model = _fit(points.chosen(~out).with_more(anchors))
        scores[out] = model.scores(points.rows[out])
    return scores


def _languages(labels: Sequence[Label]) -> list[str]:
    """Return the languages with enough labels of both kinds. With fewer, the model would judge by
    punctuation, or take a language for the mark of spam. "und" is a language like the others.
    """
    kinds = Counter((label.language or UNSURE, label.bad) for label in labels)
    known = []
    for language in sorted({language for language, _ in kinds}):
        bad, good = kinds[language, True], kinds[language, False]
        if bad + good >= LANGUAGE_ROWS and min(bad, good) >= FEWEST_OF_A_KIND:
            known.append(language)
    return known
