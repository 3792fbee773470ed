"""The base model: a fitted classifier that scores comments, and the file that holds it.

The file is an `.npz` of plain arrays, so reading it needs neither scikit-learn nor pickle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.classifier.features import COLUMNS, COUNTED_COLUMNS, LAYOUT, sparse_features
from models.classifier.file import model_path
from models.classifier.place import Place
from models.classifier.sparse import Sparse
from models.judgement.scores import SPAM

Floats: TypeAlias = NDArray[np.float64]
Weights: TypeAlias = NDArray[np.float32]

_BATCH = 1000  # comments scored at once; larger batches are no faster and need more memory


class UnusableModel(ValueError):
    """Raised for a file that is not a model, or is one for other features. The message says what
    to do.
    """


class CountsAlone(NamedTuple):
    """A second, much weaker model over `COUNTED` alone. It reads no words, so it can judge
    languages that the model did not learn.
    """

    weights: Floats
    intercept: float

    def of_rows(self, rows: Sparse) -> Floats:
        """Return the log-odds of comments whose features are known."""
        return rows.first_columns(COUNTED_COLUMNS).dot(self.weights) + self.intercept


class LinearModel:
    """A logistic regression over `features()`.

    It is linear: the log-odds are the intercept plus the share of each column. `weights` has one
    number per column. `languages` are the ISO 639-1 codes that the model learned, `acquainted`
    those of which it learned only a few examples. `version` identifies what was learned; without
    one, the model is named after its content. `counts_alone` judges comments in other languages, if
    the model has it. `shifts` are added to the log-odds of comments in these languages, so that one
    threshold suits all.
    """

    def __init__(  # noqa: PLR0913, PLR0917 — everything that a model file holds
        self,
        weights: Weights,
        intercept: float,
        languages: Iterable[str],
        version: str = "",
        acquainted: Iterable[str] = (),
        counts_alone: CountsAlone | None = None,
        *,
        shifts: Mapping[str, float] | None = None,
    ) -> None:
        self.weights = weights.astype(np.float64)  # so that an explanation adds up to the score
        self.intercept = intercept
        self.languages, self.acquainted = frozenset(languages), frozenset(acquainted)
        self.counts_alone = counts_alone
        self.shifts = dict(shifts or {})
        self.version = version or self._digest()

    def log_odds(
        self,
        texts: Sequence[str],
        places: Sequence[Place | None] | None = None,
        languages: Sequence[str] | None = None,
    ) -> Floats:
        """Return the calibrated ln(p / (1 - p)) of each text being bad.

        `places` and `languages`, if given, have one entry per text.
        """
        known = [None] * len(texts) if places is None else places
        scores = [np.empty(0)]
        for start in range(0, len(texts), _BATCH):
            batch = slice(start, start + _BATCH)
            scores.append(
                self.of_rows(sparse_features(texts[batch], known[batch]), (languages or ())[batch])
            )
        return np.concatenate(scores)

    def of_rows(self, rows: Sparse, languages: Sequence[str] = ()) -> Floats:
        """Return the log-odds of comments whose features are known. `languages`, if given, has one
        entry per comment.
        """
        log_odds = rows.dot(self.weights) + self.intercept
        if self.shifts and languages:
            log_odds += [self.shifts.get(language, 0.0) for language in languages]
        return log_odds

    def probabilities(
        self,
        texts: Sequence[str],
        places: Sequence[Place | None] | None = None,
        languages: Sequence[str] | None = None,
    ) -> Floats:
        """Return the probability of each text being bad, in 0–1."""
        return probability(self.log_odds(texts, places, languages))

    def save(self, path: Path, more: Mapping[str, NDArray[np.generic]] | None = None) -> None:
        """Write the model file, with `more` arrays beside the model's. A process that loads it at
        the same time gets the old or the new one.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.new")
        unfinished.write_bytes(self.to_bytes(more))
        unfinished.replace(path)

    def to_bytes(self, more: Mapping[str, NDArray[np.generic]] | None = None) -> bytes:
        """Return the content of the model file."""
        file = BytesIO()
        np.savez_compressed(
            file,
            layout=LAYOUT,
            version=self.version,
            weights=self.weights.astype(np.float32),
            intercept=self.intercept,
            languages=_codes(self.languages),
            acquainted=_codes(self.acquainted),
            **self._of_counts(),
            **self._shifts_as_arrays(),
            **dict[str, Any](more or {}),
        )
        return file.getvalue()

    def _of_counts(self) -> dict[str, Any]:
        if self.counts_alone is None:
            return {}
        return {
            "counts_weights": self.counts_alone.weights,
            "counts_intercept": self.counts_alone.intercept,
        }

    def _shifts_as_arrays(self) -> dict[str, Any]:
        if not self.shifts:
            return {}
        languages = sorted(self.shifts)
        shifts = np.array([self.shifts[language] for language in languages], float)
        return {"shifted": _codes(languages), "shifts": shifts}

    @classmethod
    def load(cls, path: Path) -> LinearModel:
        """Read what `save` wrote. Raises UnusableModel, or FileNotFoundError."""
        return cls.from_bytes(path.read_bytes(), str(path))

    @classmethod
    def from_bytes(cls, data: bytes, path: str) -> LinearModel:
        """Read what `to_bytes` returned; error messages name `path`. Raises UnusableModel."""
        try:
            return cls._read(data, path)
        except UnusableModel:
            raise
        except Exception as error:  # numpy raises many kinds for a damaged or foreign file
            raise UnusableModel(
                f"{path} is not a spam model: {error}. `greenroom train` writes one."
            ) from error

    @classmethod
    def _read(cls, data: bytes, path: str) -> LinearModel:
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            if (layout := int(arrays["layout"])) != LAYOUT:
                raise UnusableModel(
                    f"{path} was trained for features {layout}, but this release has "
                    f"{LAYOUT}: train it again."
                )
            return cls(
                _checked(arrays["weights"]),
                float(arrays["intercept"]),
                arrays["languages"].tolist(),
                str(arrays["version"]),
                arrays["acquainted"].tolist(),
                _counts_alone(arrays),
                shifts=_shifts(arrays),
            )

    def _digest(self) -> str:
        """The start of a SHA-256 over everything that was learned."""
        digest = sha256(self.weights.astype(np.float32).tobytes())
        digest.update(repr((LAYOUT, self.intercept)).encode())
        digest.update(repr((sorted(self.languages), sorted(self.acquainted))).encode())
        if self.counts_alone is not None:
            digest.update(self.counts_alone.weights.tobytes())
            digest.update(repr(self.counts_alone.intercept).encode())
        if self.shifts:
            digest.update(repr(sorted(self.shifts.items())).encode())
        return digest.hexdigest()[:12]


def _codes(languages: Iterable[str]) -> NDArray[np.str_]:
    return np.array(sorted(languages), dtype=str)


def _counts_alone(arrays: Mapping[str, NDArray[Any]]) -> CountsAlone | None:
    if "counts_weights" not in arrays:
        return None
    weights, intercept = arrays["counts_weights"], float(arrays["counts_intercept"])
    if weights.shape != (COUNTED_COLUMNS,) or not np.isfinite([*weights, intercept]).all():
        raise ValueError("its weights of counts are damaged")
    return CountsAlone(weights.astype(np.float64), intercept)


def _shifts(arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, float]:
    """Return what is added in some languages. Models of earlier releases have none."""
    if "shifts" not in arrays:
        return {}
    return dict(zip(arrays["shifted"].tolist(), arrays["shifts"].tolist(), strict=True))


def _checked(weights: Weights) -> Weights:
    if weights.shape != (COLUMNS,) or weights.dtype != np.float32:
        raise ValueError(f"its weights are {weights.dtype} of the shape {weights.shape}")
    if not np.isfinite(weights).all():
        raise ValueError("some of its weights are not numbers")
    return weights


def probability(log_odds: Floats) -> Floats:
    """The logistic function, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * log_odds))


def base_model(score: str = SPAM) -> LinearModel:
    """Return the base model of that score: the one that ships with Greenroom, or the one that
    `GREENROOM_SPAM_MODEL` or `GREENROOM_ABUSE_MODEL` names.

    It is read once per process.
    """
    return loaded(score)


@cache
def loaded(score: str) -> LinearModel:
    """Return the same, by a name that is always given, so that no model is read twice."""
    return LinearModel.load(model_path(score))
