"""AUC, F1 and recall, each on a handful of scores that can be counted by hand."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from models.classifier.training.figures import Figures, best_f1, figures, mean


def test_figures_are_what_their_names_say() -> None:
    spam = np.array([True, True, False, False])

    assert figures(spam, np.array([2.0, 1.0, -1.0, -2.0])) == Figures(4, 1, 1, 1)
    assert figures(spam, np.array([2.0, -1.0, 1.0, -2.0])) == Figures(4, 0.75, 0.5, 0.5)


def test_one_kind_alone_has_no_figures_and_spoils_no_mean() -> None:
    alone = figures(np.array([True, True]), np.array([1.0, 2.0]))

    assert isnan(alone.auc)
    assert mean([alone, Figures(4, 0.8, 0.7, 0.6)]) == Figures(6, 0.8, 0.7, 0.6)
    assert isnan(mean([alone]).auc)
    assert mean([alone]).rows == 2


def test_the_best_f1_is_the_one_at_the_best_threshold() -> None:
    spam = np.array([True, True, False, False])

    assert best_f1(spam, np.array([9.0, 8.0, 7.0, 6.0])) == pytest.approx(1)
    assert figures(spam, np.array([9.0, 8.0, 7.0, 6.0])).f1 == pytest.approx(2 / 3)
    assert isnan(best_f1(spam[:2], np.array([1.0, 2.0])))


def test_recall_is_what_is_found_below_the_first_of_a_hundred_false_positives() -> None:
    spam = np.array([True] * 4 + [False] * 200)
    log_odds = np.concatenate([[5.0, 4.0, 2.5, 0.0], np.linspace(-9, -1, 198), [3.0, 2.0]])

    # Two of 200 may be called spam, so everything above the third best ham is found.
    assert figures(spam, log_odds).recall == 1
    log_odds[-3] = 1.0
    assert figures(spam, log_odds).recall == 0.75


def test_equal_scores_rank_by_chance() -> None:
    assert figures(np.array([True, False]), np.zeros(2)).auc == 0.5


def test_nothing_called_spam_is_an_f1_of_zero() -> None:
    assert figures(np.array([True, False]), np.array([-1.0, -2.0])).f1 == 0


def test_a_mean_counts_each_result_once_however_many_rows_it_has() -> None:
    assert mean([Figures(2, 1.0, 0.5, 0.25), Figures(98, 0.5, 0.5, 0.75)]) == Figures(
        100, 0.75, 0.5, 0.5
    )
    assert mean([]).rows == 0
