"""How good log-odds are, in the three figures that the project goes by."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, precision_recall_curve, roc_auc_score, roc_curve

_UNKNOWN = float("nan")


class Figures(NamedTuple):
    """On so many rows: AUC, F1 at probability 0.5, and the share of spam found when 1 % of ham may
    be called spam.
    """

    rows: int
    auc: float
    f1: float
    recall: float


def figures(spam: NDArray[np.bool_], log_odds: NDArray[np.float64]) -> Figures:
    """Not-a-number where there is only one kind."""
    if len(set(spam)) < 2:
        return Figures(len(spam), _UNKNOWN, _UNKNOWN, _UNKNOWN)
    false, true, _ = roc_curve(spam, log_odds)
    auc, f1 = roc_auc_score(spam, log_odds), f1_score(spam, log_odds > 0, zero_division=0.0)
    return Figures(len(spam), float(auc), float(f1), float(true[false <= 0.01].max()))


def best_f1(spam: NDArray[np.bool_], log_odds: NDArray[np.float64]) -> float:
    """F1 at the threshold where it is highest."""
    if len(set(spam)) < 2:
        return _UNKNOWN
    precision, recall, _ = precision_recall_curve(spam, log_odds)
    return float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-9)))


def mean(results: Sequence[Figures]) -> Figures:
    """Each of them counts the same, however many rows it has; those with only one kind don't."""
    known = [result for result in results if not isnan(result.auc)]
    if not known:
        return Figures(sum(result.rows for result in results), _UNKNOWN, _UNKNOWN, _UNKNOWN)
    auc, f1, recall = np.array([result[1:] for result in known]).mean(axis=0).tolist()
    return Figures(sum(result.rows for result in results), auc, f1, recall)
