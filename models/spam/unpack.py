"""`python -m models.spam.unpack FILE`: a model file's weights as plain arrays on standard output."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from models.spam.model import SpamModel, UnusableModel


def main(path: Path) -> None:
    """Writes NumPy's .npz: weights, intercept, languages and version, all without pickle."""
    try:
        model = SpamModel.load(path)
    except UnusableModel as error:
        sys.exit(str(error))
    np.savez(
        sys.stdout.buffer,
        weights=model.weights.astype(np.float32),
        intercept=model.intercept,
        languages=np.array(sorted(model.languages), dtype=str),
        acquainted=np.array(sorted(model.acquainted), dtype=str),
        version=model.version,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
