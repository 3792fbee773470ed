"""Rows of numbers of which most are 0. Scoring needs no more than this, so a process that only
scores comments does not import scipy, which takes 23 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class Sparse(NamedTuple):
    """Each of `values` stands in its row and column. Several in the same place add up."""

    height: int
    rows: NDArray[np.integer]
    columns: NDArray[np.int32]
    values: NDArray[np.float32]

    def dot(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return for each row the sum of its values, each times the weight of its column."""
        products = self.values * weights[self.columns]
        return np.bincount(self.rows, products, self.height).astype(float, copy=False)

    def chosen(self, which: Sequence[int]) -> Sparse:
        """Return these rows, which must be different, in this order."""
        numbers = np.full(self.height, -1)
        numbers[list(which)] = np.arange(len(which))
        rows = numbers[self.rows]
        kept = rows >= 0
        return Sparse(len(which), rows[kept], self.columns[kept], self.values[kept])

    def first_columns(self, count: int) -> Sparse:
        """Return the values of only so many columns."""
        kept = self.columns < count
        return Sparse(self.height, self.rows[kept], self.columns[kept], self.values[kept])

    def matrix(self, width: int) -> csr_matrix:
        """Return the same for scipy."""
        from scipy.sparse import csr_matrix  # noqa: PLC0415

        shape = (self.height, width)
        return csr_matrix((self.values, (self.rows, self.columns)), shape=shape)


def stacked(parts: Sequence[Sparse]) -> Sparse:
    """Return the rows of all parts, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(part.height for part in parts)])
    rows = [part.rows + start for part, start in zip(parts, starts, strict=False)]
    return Sparse(
        int(starts[-1]),
        np.concatenate([np.empty(0, np.int64), *rows]),
        np.concatenate([np.empty(0, np.int32), *(part.columns for part in parts)]),
        np.concatenate([np.empty(0, np.float32), *(part.values for part in parts)]),
    )
