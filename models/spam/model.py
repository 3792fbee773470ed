"""The fitted classifier: log-odds and probabilities of being spam, and the file it is kept in."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.spam.features import COLUMNS, LAYOUT, features
from models.spam.file import model_path
from models.spam.page import Context

_BATCH = 1000  # comments at once: more gain no speed, only memory


class UnusableModel(ValueError):
    """The file is no model of ours, or one for other features; says what to do."""


class SpamModel:
    """A logistic regression over `features()`. Linear: the log-odds are the intercept plus each
    column's share.

    `weights` has a number for each column; `languages` are the ISO 639-1 codes it learned,
    `acquainted` those it has read a little of; `version` names the file, and is empty before
    saving.
    """

    def __init__(
        self,
        weights: NDArray[np.float32],
        intercept: float,
        languages: Iterable[str],
        version: str = "",
        acquainted: Iterable[str] = (),
    ) -> None:
        self.weights = weights.astype(np.float64)  # so that an explanation adds up to the score
        self.intercept = intercept
        self.languages, self.acquainted = frozenset(languages), frozenset(acquainted)
        self.version = version

    def log_odds(
        self, texts: Sequence[str], contexts: Sequence[Context | None] | None = None
    ) -> NDArray[np.float64]:
        """ln(p / (1 - p)) of each text being spam, calibrated. `contexts`, where given, has one for
        each text.
        """
        known = [None] * len(texts) if contexts is None else contexts
        batches = [slice(at, at + _BATCH) for at in range(0, len(texts), _BATCH)]
        scores = [
            features(texts[batch], known[batch]) @ self.weights + self.intercept
            for batch in batches
        ]
        return np.concatenate([np.empty(0), *scores])

    def probabilities(
        self, texts: Sequence[str], contexts: Sequence[Context | None] | None = None
    ) -> NDArray[np.float64]:
        """The probability in 0–1 of each text being spam."""
        return probability(self.log_odds(texts, contexts))

    def save(self, path: Path) -> None:
        """Write the file and take its version; who loads it meanwhile gets the old one or the new."""
        data = self.to_bytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.new")
        unfinished.write_bytes(data)
        unfinished.replace(path)
        self.version = version_of(data)

    def to_bytes(self) -> bytes:
        """The file: a zip of arrays and JSON, no pickle in it; the model in it is scikit-learn's
        own.
        """
        import skops.io  # noqa: PLC0415 — with scikit-learn 90 MB, for those who train
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

        classifier = LogisticRegression()
        classifier.classes_, classifier.n_features_in_ = np.array([False, True]), len(self.weights)
        weights = self.weights.astype(np.float32)
        classifier.coef_, classifier.intercept_ = weights[np.newaxis], np.array([self.intercept])
        languages = {"languages": sorted(self.languages), "acquainted": sorted(self.acquainted)}
        content = {"layout": LAYOUT, **languages, "classifier": classifier}
        return bytes(skops.io.dumps(content, compression=zipfile.ZIP_DEFLATED))

    @classmethod
    def load(cls, path: Path) -> SpamModel:
        """Read what `save` wrote. Raises UnusableModel, or FileNotFoundError."""
        return cls.from_bytes(path.read_bytes(), str(path))

    @classmethod
    def from_bytes(cls, data: bytes, path: str) -> SpamModel:
        """As `load`; `path` is what an error calls it."""
        try:
            with zipfile.ZipFile(BytesIO(data)) as archive:
                content = json.loads(archive.read("schema.json"))["content"]
                if (layout := _value(content["layout"], archive)) != LAYOUT:
                    raise UnusableModel(
                        f"{path} was trained for features {layout}, these are {LAYOUT}: train "
                        "it again."
                    )
                learned = content["classifier"]["content"]["content"]
                [weights], [intercept] = (
                    _value(learned[name], archive) for name in ("coef_", "intercept_")
                )
                languages = _value(content["languages"], archive)
                acquainted = (
                    _value(content["acquainted"], archive) if "acquainted" in content else ()
                )
            if weights.shape != (COLUMNS,):
                raise ValueError(f"it has weights of the shape {weights.shape}")
            return cls(
                weights.astype(np.float32),
                float(intercept),
                languages,
                version_of(data),
                acquainted,
            )
        except UnusableModel:
            raise
        except Exception as error:
            raise UnusableModel(
                f"{path} is no spam model: {error}. `greenroom train` writes one."
            ) from error


def _value(node: Any, archive: zipfile.ZipFile) -> Any:
    """What skops wrote, read without it: with scikit-learn it takes 90 MB and seconds to import,
    and would make objects of what the file names. Here a file can only hold text, numbers and
    arrays of numbers.
    """
    match node:
        case {"__loader__": "JsonNode", "content": content}:
            return json.loads(content)
        case {"__loader__": "ListNode", "content": content}:
            return [_value(each, archive) for each in content]
        case {"__loader__": "NdArrayNode", "type": "numpy", "file": name}:
            return np.load(BytesIO(archive.read(name)), allow_pickle=False)
    raise ValueError(f"it holds a {node['__loader__']}")


def version_of(data: bytes) -> str:
    """A model file's name for itself: the start of its SHA-256."""
    return sha256(data).hexdigest()[:12]


def probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logistic function, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * log_odds))


@cache
def base_model() -> SpamModel:
    """The model that comes with Greenroom, or the one `GREENROOM_SPAM_MODEL` names; read once a
    process.
    """
    return SpamModel.load(model_path())
