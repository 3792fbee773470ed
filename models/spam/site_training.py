"""Fits a site's own model to its moderators' decisions, and says whether it may take the place of the current one."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from models.spam.model import probability
from models.spam.site import COLUMNS, FORMAT, TEXT_COLUMNS, Floats, Seen, SiteModel, matrix
from models.spam.training import Untrainable, platt

Flags = NDArray[np.bool_]

FIRST = 25  # labels before there is a model at all
FEWEST_OF_A_KIND = 3
CROSS_VALIDATED = 200  # labels below which there are too few to hold the newest out
FOLDS = 5
HELD_OUT = 0.2
FEWEST_COMPARED = 10  # with fewer that the current model has not seen there is nothing to go by
LANGUAGE_ROWS = 10
_STRENGTH = 30.0  # scikit-learn's C; 3, 10 and 30 were tried on the videos of the YouTube comments, from the 50th on
_LEAST = 0.005  # a probability counts as no surer than that: one mistake must not decide alone
_TOO_SMALL = 1e-4


class Label(NamedTuple):
    """A comment that a moderator decided, with what a model is shown of it. Labels come in the order of decisions."""

    comment: str
    spam: bool
    language: str
    seen: Seen


class SiteTrained(NamedTuple):
    """A model, its file, and each label's probability by models that had not seen it; what it learned from, and the
    line that makes log-odds of scores.
    """

    model: SiteModel
    file: bytes
    sha256: str
    held_out: Floats
    rows: csr_matrix
    line: tuple[float, float]


class Comparison(NamedTuple):
    """Challenger against champion on `rows` labels that neither had seen: mean log loss, lower is better."""

    rows: int
    challenger: float
    champion: float
    how: str

    @property
    def challenger_wins(self) -> bool:
        return self.rows < FEWEST_COMPARED or self.challenger <= self.champion


def train(labels: Sequence[Label], base: str, made: str) -> SiteTrained:
    """A calibrated model of these decisions. Raises Untrainable."""
    spam = _spam(labels)
    _check_enough(spam)
    rows = matrix([label.seen for label in labels])
    scores = _cross_validated(rows, spam)
    slope, shift = _calibration(scores, spam)
    classifier = _fit(rows, spam)
    weights = (slope * classifier.coef_[0]).astype(np.float32)
    weights[np.abs(weights) < _TOO_SMALL] = 0
    classifier.coef_, classifier.intercept_ = weights[np.newaxis], slope * classifier.intercept_ + shift
    model = SiteModel(weights, float(classifier.intercept_[0]), _languages(labels), base)
    file = _file(classifier, model, made)
    digest = sha256(file).hexdigest()
    model.version = f"site-{digest[:12]}"
    return SiteTrained(model, file, digest, probability(slope * scores + shift), rows, (slope, shift))


def compare(labels: Sequence[Label], challenger: SiteTrained, champion: Floats, unseen: Flags) -> Comparison:
    """Challenger and champion on the newest labels that the champion has not seen (`unseen`).

    `champion` has its probabilities of all labels. From 200 labels on the challenger is fitted once more, to what came
    before the newest fifth; below, what counts is how it did by cross-validation.
    """
    spam, ours = _spam(labels), challenger.held_out.copy()
    first = len(labels) - int(HELD_OUT * len(labels))
    if len(labels) < CROSS_VALIDATED or len(set(spam[:first])) < 2:
        return _comparison(spam, ours, champion, unseen, "by cross-validation")
    slope, shift = challenger.line
    earlier = _fit(challenger.rows[:first], spam[:first])
    ours[first:] = probability(slope * earlier.decision_function(challenger.rows[first:]) + shift)
    newest = unseen & (np.arange(len(labels)) >= first)
    return _comparison(spam, ours, champion, newest, "on the newest, held out in time")


def _comparison(spam: Flags, ours: Floats, theirs: Floats, which: Flags, how: str) -> Comparison:
    rows = int(which.sum())
    if not rows:
        return Comparison(0, 0.0, 0.0, how)
    challenger, champion = (round(log_loss(spam[which], scores[which]), 4) for scores in (ours, theirs))
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
        raise Untrainable(f"{few}: {FIRST} decisions are needed, and {FEWEST_OF_A_KIND} of each kind")


def _fit(rows: csr_matrix, spam: Flags) -> LogisticRegression:
    """By its dual, which is four times as fast where there are more columns than rows, as here."""
    classifier = LogisticRegression(C=_STRENGTH, solver="liblinear", dual=True, tol=1e-2, max_iter=2000, random_state=0)
    classifier.fit(rows, spam)
    return classifier


def _cross_validated(rows: csr_matrix, spam: Flags) -> Floats:
    """Each row's score by a model that has not seen its fold; every fold has its share of both kinds."""
    folds = min(FOLDS, int(spam.sum()), int((~spam).sum()))
    fold = np.zeros(len(spam), int)
    for kind in (spam, ~spam):
        fold[kind] = np.arange(kind.sum()) % folds
    scores = np.zeros(len(spam))
    for number in range(folds):
        out = fold == number
        scores[out] = _fit(rows[~out], spam[~out]).decision_function(rows[out])
    return scores


def _calibration(scores: Floats, spam: Flags) -> tuple[float, float]:
    """Platt's line; where it would turn the scores round they say nothing, and only the share of spam counts."""
    slope, shift = platt(scores, spam, np.ones(len(spam)))
    return (slope, shift) if slope > 0 else (0.01, float(np.log((spam.sum() + 1) / ((~spam).sum() + 1))))


def _languages(labels: Sequence[Label]) -> list[str]:
    """Those with ten labels, of both kinds: from fewer it would judge by punctuation."""
    counts = Counter(label.language for label in labels)
    kinds = {(label.language, label.spam) for label in labels}
    return sorted(
        language
        for language, count in counts.items()
        if language and language != "und" and count >= LANGUAGE_ROWS and {(language, True), (language, False)} <= kinds
    )


def _file(classifier: LogisticRegression, model: SiteModel, made: str) -> bytes:
    """As the base model's: a zip of arrays and JSON, no pickle in it; `made` tells it from its twins."""
    import skops.io  # noqa: PLC0415

    content = {
        "format": FORMAT,
        "made": made,
        "base": model.base,
        "languages": sorted(model.languages),
        "classifier": classifier,
    }
    return bytes(skops.io.dumps(content, compression=zipfile.ZIP_DEFLATED))


def load(file: bytes) -> SiteModel:
    """The model of a file. A type that skops does not know by itself is never loaded."""
    import skops.io  # noqa: PLC0415

    content: Mapping[str, Any] = skops.io.loads(file, trusted=[])
    classifier = content["classifier"]
    assert content["format"] == FORMAT
    assert classifier.coef_.shape == (1, COLUMNS)
    version = f"site-{sha256(file).hexdigest()[:12]}"
    intercept = float(classifier.intercept_[0])
    return SiteModel(classifier.coef_[0].astype(np.float32), intercept, content["languages"], content["base"], version)


def words_weighed(model: SiteModel) -> int:
    """How many of the text's columns have a weight."""
    return int(np.count_nonzero(model.weights[:TEXT_COLUMNS]))
