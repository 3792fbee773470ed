"""The attributes of a base model: what kind of bad a comment is, such as an insult or a threat.

They stand in the base model's file, but are read only when a comment first needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.classifier.file import model_path
from models.classifier.model import Floats, probability
from models.classifier.sparse import Sparse


class Attributes(NamedTuple):
    """A logistic regression for each name. `weights` has a row for each, `COLUMNS` wide."""

    names: tuple[str, ...] = ()
    weights: NDArray[np.float32] | None = None
    intercepts: Floats | None = None

    def of_rows(self, rows: Sparse) -> list[Mapping[str, float]]:
        """Return the probability of each attribute, in 0–1, for each row of features."""
        if self.weights is None or self.intercepts is None:
            return [{} for _ in range(rows.height)]
        each = zip(self.weights, self.intercepts, strict=True)
        chances = [
            probability(rows.dot(weights) + intercept).tolist() for weights, intercept in each
        ]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*chances, strict=True)]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what `LinearModel.save` adds to the model's file."""
        if self.weights is None or self.intercepts is None:
            return {}
        return {
            "attributes": np.array(self.names, dtype=str),
            "attribute_weights": self.weights.astype(np.float16),  # halves the file
            "attribute_intercepts": self.intercepts,
        }

    @classmethod
    def load(cls, path: Path) -> Attributes:
        """Read the attributes from a model's file. A model may have none."""
        with np.load(path, allow_pickle=False) as arrays:
            if "attributes" not in arrays:
                return cls()
            return cls(
                tuple(arrays["attributes"].tolist()),
                arrays["attribute_weights"].astype(np.float32),
                arrays["attribute_intercepts"].astype(np.float64),
            )


@cache
def base_attributes(score: str) -> Attributes:
    """Return the attributes of that score's base model. They are read once per process."""
    return Attributes.load(model_path(score))
