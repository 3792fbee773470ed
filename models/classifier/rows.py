"""The features of a batch of comments, computed once for all models that score it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix, vstack

from models.classifier.features import features_of
from models.classifier.place import Place, away
from models.classifier.text import Token, read


class Rows:
    """One row of features per comment. Nothing is computed before a model asks for it.

    The base models read a comment without the links to its own place, a site's own model reads it
    as it was written. Few comments have such links, so both mostly read the same rows.
    """

    def __init__(self, texts: Sequence[str], places: Sequence[Place]) -> None:
        self._texts, self._places = texts, places

    @cached_property
    def _as_written(self) -> list[list[Token]]:
        return [read(text) for text in self._texts]

    @cached_property
    def _in_place(self) -> list[list[Token]]:
        comments = zip(self._texts, self._as_written, self._places, strict=True)
        return [away(text, tokens, place) for text, tokens, place in comments]

    @cached_property
    def in_place(self) -> csr_matrix:
        """The features without the links to the comment's own page and site."""
        return features_of(self._texts, self._in_place)

    @cached_property
    def as_written(self) -> csr_matrix:
        """The features with all links."""
        pairs = zip(self._as_written, self._in_place, strict=True)
        others = [at for at, (all_, left) in enumerate(pairs) if len(all_) != len(left)]
        if not others:
            return self.in_place
        texts = [self._texts[at] for at in others]
        rows = np.arange(len(self._texts))
        rows[others] = len(self._texts) + np.arange(len(others))
        added = features_of(texts, [self._as_written[at] for at in others])
        return vstack([self.in_place, added], format="csr")[rows]
