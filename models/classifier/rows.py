"""The features of a batch of comments, computed once for all models that score it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from models.classifier.features import AT_ONCE, features_of, sparse_features
from models.classifier.place import Place, away
from models.classifier.sparse import Sparse, stacked
from models.classifier.text import read


class Rows:
    """One row of features per comment. Nothing is computed before a model asks for it.

    The base models read a comment without the links to its own place, a site's own model reads it
    as it was written. Few comments have such links, so both mostly read the same rows.
    """

    def __init__(self, texts: Sequence[str], places: Sequence[Place]) -> None:
        self._texts, self._places = texts, places
        self._differ: list[int] = []  # comments with links to their own place

    @cached_property
    def in_place(self) -> Sparse:
        """The features without the links to the comment's own page and site."""
        starts = range(0, len(self._texts), AT_ONCE)
        return stacked([self._some(slice(start, start + AT_ONCE)) for start in starts])

    def _some(self, which: slice) -> Sparse:
        """Read a few comments. The tokens of many would take a lot of memory, and time, too."""
        texts = self._texts[which]
        written = [read(text) for text in texts]
        left = list(map(away, texts, written, self._places[which]))
        pairs = zip(written, left, strict=True)
        self._differ += [
            which.start + at for at, (all_, few) in enumerate(pairs) if len(few) < len(all_)
        ]
        return features_of(texts, left)

    @cached_property
    def as_written(self) -> Sparse:
        """The features with all links."""
        in_place, others = self.in_place, self._differ
        if not others:
            return in_place
        added = sparse_features([self._texts[at] for at in others])
        rows = list(range(len(self._texts)))
        for number, at in enumerate(others):
            rows[at] = len(self._texts) + number
        return stacked([in_place, added]).chosen(rows)
