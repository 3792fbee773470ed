"""Divides rows into parts that are left out of training in turn, and finds near-duplicates across
parts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from models.classifier.training.base_model import Flags
from models.classifier.training.corpus import Row, groups, normalised

NEAR = 0.6  # the Jaccard similarity from which a text is a near-duplicate of another
_MOST_THREADS = 20  # leaving out more threads one by one would take too many trainings
_BUNDLES = 10
_PIECE = 5  # letters


def parts(rows: Sequence[Row]) -> list[str]:
    """Return the name of each row's part.

    A part is a thread, or several if there are many threads. With fewer than two groups, the rows
    are dealt out to five parts.
    """
    names = groups(rows)
    different = sorted(set(names))
    if len(different) < 2:
        return groups([row._replace(thread="") for row in rows])
    if len(different) <= _MOST_THREADS:
        return names
    bundles = {name: f"bundle {number % _BUNDLES + 1}" for number, name in enumerate(different)}
    return [bundles[name] for name in names]


def near_duplicates(texts: Sequence[str], part: Sequence[str]) -> Flags:
    """Return for each text whether another part has a text that is at least `NEAR` to it."""
    pieces_of = [pieces(text) for text in texts]
    holders: dict[str, list[int]] = defaultdict(list)  # the texts that each piece occurs in
    for number, own in enumerate(pieces_of):
        for piece in own:
            holders[piece].append(number)
    found = [_has_twin(number, pieces_of, holders, part) for number in range(len(texts))]
    return np.array(found, bool)


def _has_twin(
    number: int,
    pieces_of: Sequence[set[str]],
    holders: Mapping[str, Sequence[int]],
    part: Sequence[str],
) -> bool:
    own = pieces_of[number]
    shared: Counter[int] = Counter()
    for piece in own:
        shared.update(other for other in holders[piece] if part[other] != part[number])
    return any(
        both / (len(own) + len(pieces_of[other]) - both) >= NEAR for other, both in shared.items()
    )


def similarity(one: set[str], other: set[str]) -> float:
    """Return the Jaccard similarity of two texts' pieces, in 0–1."""
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def pieces(text: str) -> set[str]:
    """Return all runs of five letters of the normalised text."""
    letters = normalised(text)
    return {letters[start : start + _PIECE] for start in range(max(1, len(letters) - _PIECE + 1))}
