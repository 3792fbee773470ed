"""A site's own model: the base model's opinion, corrected by the site's words and habits as its
moderators decided.

It is small, so that the worker can keep many. Like the base model it is linear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.spam import context
from models.spam.features import COLUMNS as WIDE
from models.spam.features import COUNTED_COLUMNS, LAYOUT, features
from models.spam.model import UnusableModel, probability

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]

TEXT_COLUMNS = (
    2**15
)  # hashes are folded onto fewer columns than the base model's: a site has fewer words
_HASHES = TEXT_COLUMNS - COUNTED_COLUMNS
FORMAT = f"2.{LAYOUT}"  # what a column means; a model of another format is learned anew
_CLIP = 8.0  # the base's log-odds: beyond e^8 it is only surer


class Seen(NamedTuple):
    """What a site's model is shown of a comment. `base` is the base model's log-odds, None where it
    does not judge.
    """

    text: str
    base: float | None
    context: Mapping[str, int]


def matrix(comments: Sequence[Seen]) -> csr_matrix:
    """One row a comment: the text's columns, the base model's opinion, the context."""
    from scipy.sparse import csr_matrix, hstack  # noqa: PLC0415 — see features.py

    text = features([comment.text for comment in comments])
    opinions = np.array([opinion(comment.base) for comment in comments], np.float32).reshape(
        len(comments), 2
    )
    beside = context.columns([comment.context for comment in comments])
    return hstack(
        [_folded(text), csr_matrix(opinions), csr_matrix(beside)], format="csr", dtype=np.float32
    )


COLUMNS = TEXT_COLUMNS + 2 + context.COLUMNS


def _folded(text: csr_matrix) -> csr_matrix:
    from scipy.sparse import csr_matrix  # noqa: PLC0415 — see features.py

    hashed = text.indices >= COUNTED_COLUMNS
    folded = np.where(
        hashed, (text.indices - COUNTED_COLUMNS) % _HASHES + COUNTED_COLUMNS, text.indices
    )
    rows = csr_matrix((text.data, folded, text.indptr), shape=(text.shape[0], TEXT_COLUMNS))
    rows.sum_duplicates()
    return rows


def opinion(base: float | None) -> tuple[float, float]:
    """The values of the two columns after the text's. No opinion is a column of its own, not an
    opinion of nought.
    """
    return (0.0, 1.0) if base is None else (float(np.clip(base, -_CLIP, _CLIP)), 0.0)


class SiteModel:
    """`weights` has a number for each of `COLUMNS`; with the intercept they make log-odds.

    `languages` are those it learned beside the base model's; `base` is the version of the base
    model whose opinion it was taught to weigh, so with another one it is no good.
    """

    def __init__(
        self,
        weights: NDArray[np.float32],
        intercept: float,
        languages: Iterable[str],
        base: str,
        version: str = "",
    ) -> None:
        self.weights, self.intercept = weights, intercept
        self.languages, self.base, self.version = frozenset(languages), base, version

    def log_odds(self, comments: Sequence[Seen]) -> Floats:
        """ln(p / (1 - p)) of each comment being what this site's moderators reject."""
        if not comments:
            return np.empty(0)
        weights = self.weights.astype(np.float64)  # so that an explanation adds up to the score
        return np.asarray(matrix(comments) @ weights + self.intercept, float)

    def probabilities(self, comments: Sequence[Seen]) -> Floats:
        return probability(self.log_odds(comments))

    def text_weights(self) -> Floats:
        """The weight of each column of `features()`, before they are folded."""
        counted, hashed = np.split(
            self.weights[:TEXT_COLUMNS].astype(np.float64), [COUNTED_COLUMNS]
        )
        return np.concatenate([counted, np.resize(hashed, WIDE - COUNTED_COLUMNS)])

    def packed(self) -> bytes:
        """Return the model as the bytes of an `.npz` of plain arrays."""
        kept = np.flatnonzero(self.weights).astype(np.uint16)
        file = BytesIO()
        np.savez_compressed(
            file,
            format=FORMAT,
            columns=kept,
            weights=self.weights[kept],
            intercept=self.intercept,
            languages=np.array(sorted(self.languages), dtype=str),
            base=self.base,
            version=self.version,
        )
        return file.getvalue()

    @classmethod
    def unpacked(cls, data: bytes) -> SiteModel:
        """Read what `packed` wrote. Raises UnusableModel."""
        try:
            with np.load(BytesIO(data), allow_pickle=False) as arrays:
                if (made_for := str(arrays["format"])) != FORMAT:
                    raise UnusableModel(f"made for features {made_for}, these are {FORMAT}")
                weights = np.zeros(COLUMNS, np.float32)
                weights[arrays["columns"]] = arrays["weights"]
                languages, base, version = (
                    arrays["languages"].tolist(),
                    str(arrays["base"]),
                    str(arrays["version"]),
                )
                return cls(weights, float(arrays["intercept"]), languages, base, version)
        except (ValueError, KeyError, OSError, IndexError) as error:
            raise UnusableModel(f"this is no site's model: {error}") from error
