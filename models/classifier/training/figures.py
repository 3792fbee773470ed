"""The three figures by which scores are compared: AUC, F1 and recall."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

import numpy as np
from sklearn.metrics import f1_score, precision_recall_curve, roc_auc_score, roc_curve

from models.classifier.model import Floats
from models.classifier.training.base_model import Flags

FALSE_POSITIVES = 0.01  # the share of ham called spam at which recall is measured
_UNKNOWN = float("nan")


class Figures(NamedTuple):
    """The AUC, F1 at a probability of 0.5, and the share of spam found while at most 1 % of ham is
    called spam. They are NaN for rows of only one kind.
    """

    rows: int
    auc: float
    f1: float
    recall: float


def figures(spam: Flags, log_odds: Floats) -> Figures:
    """Return the figures of these scores."""
    if not _has_both_kinds(spam):
        return Figures(len(spam), _UNKNOWN, _UNKNOWN, _UNKNOWN)
    false_positives, true_positives, _ = roc_curve(spam, log_odds)
    return Figures(
        rows=len(spam),
        auc=float(roc_auc_score(spam, log_odds)),
        f1=float(f1_score(spam, log_odds > 0, zero_division=0.0)),
        recall=float(true_positives[false_positives <= FALSE_POSITIVES].max()),
    )


def best_f1(spam: Flags, log_odds: Floats) -> float:
    """Return F1 at the threshold where it is highest, or NaN for rows of only one kind."""
    if not _has_both_kinds(spam):
        return _UNKNOWN
    precision, recall, _ = precision_recall_curve(spam, log_odds)
    return float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-9)))


def mean(results: Sequence[Figures]) -> Figures:
    """Return the mean of the known figures, each counted once, and the sum of all rows."""
    rows = sum(result.rows for result in results)
    known = [result for result in results if not isnan(result.auc)]
    if not known:
        return Figures(rows, _UNKNOWN, _UNKNOWN, _UNKNOWN)
    return Figures(
        rows=rows,
        auc=float(np.mean([result.auc for result in known])),
        f1=float(np.mean([result.f1 for result in known])),
        recall=float(np.mean([result.recall for result in known])),
    )


def _has_both_kinds(spam: Flags) -> bool:
    return len(set(spam.tolist())) == 2
