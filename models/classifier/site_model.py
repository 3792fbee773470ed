"""A site's own model: it corrects the base model's opinion by the decisions of its moderators.

It is linear, like the base model, and small, so that a worker can keep many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.classifier import context
from models.classifier.features import COLUMNS as WIDE
from models.classifier.features import COUNTED_COLUMNS, LAYOUT, sparse_features
from models.classifier.model import UnusableModel, probability
from models.classifier.sparse import Sparse

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]

TEXT_COLUMNS = 2**15  # fewer than the base model has, because a site has fewer words
_HASHES = TEXT_COLUMNS - COUNTED_COLUMNS
FORMAT = f"2.{LAYOUT}"  # the meaning of the columns; models of another format are trained again
_CLIP = 8.0  # the base model's log-odds beyond this are no stronger evidence


class Seen(NamedTuple):
    """What a site's model sees of a comment. `base` is the base model's log-odds, or None if it
    cannot judge the language.
    """

    text: str
    base: float | None
    context: Mapping[str, int]


def matrix(comments: Sequence[Seen]) -> csr_matrix:
    """Return one row per comment: its text, the base model's opinion, its context."""
    from scipy.sparse import csr_matrix, hstack  # noqa: PLC0415 — only training needs it

    text = _folded(sparse_features([comment.text for comment in comments]))
    blocks = [text.matrix(TEXT_COLUMNS), csr_matrix(_beside_text(comments))]
    return hstack(blocks, format="csr", dtype=np.float32)


def _beside_text(comments: Sequence[Seen]) -> NDArray[np.float32]:
    """Return the columns after the text: the base model's opinion and the context."""
    opinions = np.array([opinion(comment.base) for comment in comments], np.float32)
    contexts = context.columns([comment.context for comment in comments])
    return np.hstack([opinions.reshape(len(comments), 2), contexts])


COLUMNS = TEXT_COLUMNS + 2 + context.COLUMNS


def _folded(text: Sparse) -> Sparse:
    """Add up the hashed columns of the features so that they fit into `TEXT_COLUMNS`."""
    hashes = (text.columns - COUNTED_COLUMNS) % _HASHES + COUNTED_COLUMNS
    return text._replace(columns=np.where(text.columns < COUNTED_COLUMNS, text.columns, hashes))


def opinion(base: float | None) -> tuple[float, float]:
    """Return the values of the two columns after the text: the opinion, and whether
    there is none.
    """
    return (0.0, 1.0) if base is None else (float(np.clip(base, -_CLIP, _CLIP)), 0.0)


class SiteModel:
    """A linear model: `weights` has a number for each of `COLUMNS`.

    `languages` are those that it learned; it must not judge comments in others. `base` is the
    version of the base model that it was trained with; it must not be used with another.
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

    def judges(self, language: str) -> bool:
        """Whether the site's moderators taught it this language. In every other one, the base model
        keeps its say: what the model learned of some languages says nothing about another.
        """
        return language in self.languages

    def log_odds(self, comments: Sequence[Seen], text: Sparse | None = None) -> Floats:
        """Return ln(p / (1 - p)) of this site's moderators rejecting each comment. `text` are the
        features of the texts, if they are known already.
        """
        if text is None:
            text = sparse_features([comment.text for comment in comments])
        weights = self.weights.astype(float)  # so that an explanation adds up to the score
        beside: Floats = _beside_text(comments) @ weights[TEXT_COLUMNS:]
        return _folded(text).dot(weights) + beside + self.intercept

    def probabilities(self, comments: Sequence[Seen], text: Sparse | None = None) -> Floats:
        return probability(self.log_odds(comments, text))

    def text_weights(self) -> Floats:
        """Return the weight of each column of `features()`, before they are folded."""
        counted, hashed = np.split(
            self.weights[:TEXT_COLUMNS].astype(np.float64), [COUNTED_COLUMNS]
        )
        return np.concatenate([counted, np.resize(hashed, WIDE - COUNTED_COLUMNS)])

    def packed(self) -> bytes:
        """Return the model as the bytes of an `.npz` of plain arrays."""
        used = np.flatnonzero(self.weights).astype(np.uint16)
        file = BytesIO()
        np.savez_compressed(
            file,
            format=FORMAT,
            columns=used,
            weights=self.weights[used],
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
                    raise UnusableModel(
                        f"made for feature format {made_for}, but this release has {FORMAT}"
                    )
                weights = np.zeros(COLUMNS, np.float32)
                weights[arrays["columns"]] = arrays["weights"]
                return cls(
                    weights,
                    float(arrays["intercept"]),
                    arrays["languages"].tolist(),
                    str(arrays["base"]),
                    str(arrays["version"]),
                )
        except UnusableModel:
            raise
        except Exception as error:  # numpy raises many kinds for damaged bytes
            raise UnusableModel(f"this is not a site's model: {error}") from error
