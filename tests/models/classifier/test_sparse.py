"""Rows without scipy: the same sums as with it."""

from __future__ import annotations

import numpy as np
import pytest

from models.classifier.sparse import Sparse, stacked

ROWS = Sparse(
    3,
    np.array([0, 2, 2, 0]),
    np.array([1, 0, 1, 1], np.int32),
    np.array([0.5, 1.0, 2.0, 0.25], np.float32),
)
DENSE = [[0, 0.75], [0, 0], [1, 2]]


def dense(rows: Sparse) -> list[list[float]]:
    numbers: list[list[float]] = rows.matrix(2).toarray().tolist()
    return numbers


def test_values_in_the_same_place_add_up() -> None:
    assert dense(ROWS) == DENSE


def test_a_row_is_summed_up_with_the_weights_of_its_columns() -> None:
    assert ROWS.dot(np.array([10.0, 100.0])).tolist() == [75, 0, 210]


@pytest.mark.parametrize("which", [[2, 0], [1], [], [0, 1, 2]])
def test_chosen_rows_come_in_the_order_in_which_they_were_named(which: list[int]) -> None:
    assert dense(ROWS.chosen(which)) == [DENSE[number] for number in which]


def test_the_first_columns_are_those_below_a_number() -> None:
    assert dense(ROWS.first_columns(1)) == [[0, 0], [0, 0], [1, 0]]


@pytest.mark.parametrize("parts", [0, 1, 3])
def test_parts_follow_one_another(parts: int) -> None:
    assert dense(stacked([ROWS] * parts)) == DENSE * parts
