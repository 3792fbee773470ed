"""Each protocol of measuring on unseen comments."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from models.classifier.training.corpus import Row
from models.classifier.training.evaluation import (
    Judged,
    across,
    adaptive,
    authors_split,
    calibration,
    judge,
    leave_one_out,
)
from models.classifier.training.figures import mean
from tests.models.classifier.training.made_up_rows import THREADS, few_rows, rows


def test_every_thread_is_judged_once_by_a_model_of_the_others() -> None:
    results = leave_one_out(judge(rows()))

    assert [result.name for result in results] == sorted(THREADS)
    assert [result.raw.rows for result in results] == [20, 20, 20]
    assert all(
        result.deduplicated.rows < 20 for result in results
    )  # the threads repeat one another
    assert mean([result.raw for result in results]).auc == 1


def test_in_the_authors_split_the_first_part_of_each_class_trains() -> None:
    order = sorted(rows(), key=lambda row: int(row.text.split()[-1]) % 10 > 6)
    late = [
        row._replace(spam=not row.spam) if number >= 42 else row for number, row in enumerate(order)
    ]

    assert authors_split(rows(), pooled=True) == dict.fromkeys(THREADS, 1.0)
    assert authors_split(rows(), pooled=False) == dict.fromkeys(THREADS, 1.0)
    assert all(found < 0 for found in authors_split(late, pooled=True).values())


def test_a_kind_of_text_is_judged_by_the_others_alone() -> None:
    contrary = [row._replace(source="contrary", spam=not row.spam) for row in rows()]

    assert {name: found.auc for name, found in across([*rows(), *contrary]).items()} == {
        "own": 0,
        "contrary": 0,
    }
    assert across(rows()) == {}


def test_probabilities_that_are_true_have_no_gap() -> None:
    spam = np.array([True, False, False, False] * 25)

    true, untrue = (
        calibration(spam, np.full(100, np.log(1 / 3))),
        calibration(spam, np.full(100, np.log(9))),
    )

    assert true.brier == pytest.approx(0.1875)
    assert true.gap == pytest.approx(0)
    assert true.bins == ((pytest.approx(0.25), 0.25, 100),)
    assert untrue.gap == pytest.approx(0.65)


def timed_rows() -> list[Row]:
    """Sixty of each kind, alternating, posted in the opposite order."""
    made = []
    for number in range(60):
        for row in (few_rows()[number % 10], few_rows()[10 + number % 10]):
            at = f"2026-01-01T00:{59 - number:02}:{30 if row.spam else 10}"
            text = f"{row.text} {number} {at}"
            made.append(row._replace(text=text, at=at, thread="north"))
    return made


def judged_as(rows: list[Row], log_odds: float) -> Judged:
    """As if a base model had the same opinion of every row."""
    count = len(rows)
    spam = np.array([row.spam for row in rows])
    part = np.array([row.thread for row in rows])
    return Judged(part, spam, np.full(count, log_odds), np.zeros(count, bool))


def test_a_site_learns_from_its_first_hundred_labels() -> None:
    found = adaptive(timed_rows(), judged_as(timed_rows(), 0.0))

    assert list(found) == ["north"]
    assert found["north"].figures.rows == 20
    assert found["north"].figures.f1 == 1
    assert found["north"].false_positives == 0


def test_a_thread_with_too_few_rows_to_learn_from_is_left_out() -> None:
    assert adaptive(rows(), judged_as(rows(), 0.0)) == {}


def test_where_a_site_cannot_learn_yet_the_base_model_judges() -> None:
    """The first hundred labels are all ham."""
    order = sorted(timed_rows() * 2, key=lambda row: row.spam)
    found = adaptive(order, judged_as(order, 2.5))

    assert found["north"].figures.rows == 140
    assert found["north"].false_positives == 1  # the base model calls everything spam


def test_in_the_order_of_time_other_rows_come_first() -> None:
    early_ham = [row._replace(at=f"{'2' if row.spam else '1'} {row.at}") for row in timed_rows()]
    judged = judged_as(early_ham, 0.0)

    mixed = adaptive(early_ham, judged)["north"]
    sorted_by_time = adaptive(early_ham, judged, in_time=True)["north"]

    assert mixed.figures.auc == 1
    assert isnan(sorted_by_time.figures.auc)  # only spam is left to judge
    assert sorted_by_time.false_positives == 0


def test_other_kinds_of_text_can_train_beside() -> None:
    """ "west" is in another language, whose words only the other source knows."""

    def russian(row: Row) -> Row:
        text = "Купите дешёвые часы" if row.spam else "Старый мост на моей улице"
        return row._replace(text=f"{text} {row.text.split()[-1]}")

    strange = [russian(row) if row.thread == "west" else row for row in rows()]
    also = [russian(row)._replace(source="other", thread="") for row in few_rows()]

    [_, _, alone] = leave_one_out(judge(strange))
    [_, _, beside] = leave_one_out(judge(strange, also=also))

    assert beside.raw.f1 == 1
    assert alone.raw.f1 < 0.9


def test_the_best_f1_is_for_scores_with_a_threshold_of_their_own() -> None:
    judged = judge(rows())
    shifted = judged._replace(log_odds=judged.log_odds - 100)

    assert [result.raw.f1 for result in leave_one_out(shifted)] == [0, 0, 0]
    assert [result.raw.f1 for result in leave_one_out(shifted, best=True)] == pytest.approx([1] * 3)


def test_a_source_with_one_kind_only_trains() -> None:
    ham = [row._replace(source="letters") for row in rows() if not row.spam]
    other = [row._replace(source="other") for row in rows()]

    assert list(across([*rows(), *other, *ham])) == ["own", "other"]


def test_the_bins_hold_every_row_once() -> None:
    log_odds = np.linspace(-20, 20, 101)
    found = calibration(log_odds > 0, log_odds)

    assert sum(each.rows for each in found.bins) == 101
    assert [each.said for each in found.bins] == sorted(each.said for each in found.bins)
    assert found.brier < 0.02


def test_a_gap_is_weighed_by_its_rows() -> None:
    spam = np.array([True] * 10 + [False] * 30)
    log_odds = np.array([np.log(9)] * 10 + [np.log(1 / 3)] * 30)  # says .9 and .25

    assert calibration(spam, log_odds).gap == pytest.approx((10 * 0.1 + 30 * 0.25) / 40)
