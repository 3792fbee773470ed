"""How well a model does on threads it has not seen, and what a score costs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.spam.corpus import Row, groups, normalised
from models.spam.figures import Figures, figures
from models.spam.model import SpamModel
from models.spam.training import train

_MOST_THREADS = 20  # each is a training of its own
_GRAM = 5  # letters
_NEAR = 0.6  # Jaccard similarity from which a row is a near-duplicate


class Unseen(NamedTuple):
    """One thread that was left out of training: all of it, and without near-duplicates of what was trained on."""

    name: str
    raw: Figures
    deduplicated: Figures


class Cost(NamedTuple):
    """Milliseconds for a comment alone (median), comments a second in one batch, bytes of the file."""

    alone_ms: float
    per_second: float
    file_bytes: int


def leave_one_out(rows: Sequence[Row], *, each: Callable[[Iterable[str]], Iterable[str]] = iter) -> list[Unseen]:
    """Each thread judged by a model of all the others; see `parts`. Raises Untrainable."""
    part = np.array(parts(rows))
    texts, spam = [row.text for row in rows], np.array([row.spam for row in rows], bool)
    near = near_duplicates(texts, part)
    results = []
    for name in each(sorted(set(part))):
        out = part == name
        model = train([row for row, held in zip(rows, out, strict=True) if not held]).model
        scores = model.log_odds([text for text, held in zip(texts, out, strict=True) if held])
        fresh = ~near[out]
        results.append(Unseen(name, figures(spam[out], scores), figures(spam[out][fresh], scores[fresh])))
    return results


def parts(rows: Sequence[Row]) -> list[str]:
    """What is left out together: a thread, several where there are many; five parts where there are no two threads."""
    names = groups(rows)
    if len(set(names)) < 2:
        return groups([row._replace(thread="") for row in rows])
    if len(set(names)) <= _MOST_THREADS:
        return names
    bundle = {name: f"bundle {number % 10 + 1}" for number, name in enumerate(sorted(set(names)))}
    return [bundle[name] for name in names]


def near_duplicates(texts: Sequence[str], part: Sequence[str] | NDArray[np.str_]) -> NDArray[np.bool_]:
    """Whether a text shares most of its 5-letter pieces (Jaccard ≥ .6) with one of another part."""
    pieces = [_pieces(text) for text in texts]
    holders: dict[str, list[int]] = defaultdict(list)
    for number, own in enumerate(pieces):
        for piece in own:
            holders[piece].append(number)
    return np.array([_has_twin(number, pieces, holders, part) for number in range(len(texts))], bool)


def _has_twin(
    number: int,
    pieces: Sequence[set[str]],
    holders: dict[str, list[int]],
    part: Sequence[str] | NDArray[np.str_],
) -> bool:
    own = pieces[number]
    shared = Counter(other for piece in own for other in holders[piece] if part[other] != part[number])
    return any(count / (len(own) + len(pieces[other]) - count) >= _NEAR for other, count in shared.items())


def _pieces(text: str) -> set[str]:
    letters = normalised(text)
    return {letters[at : at + _GRAM] for at in range(max(1, len(letters) - _GRAM + 1))}


def cost(model: SpamModel, texts: Sequence[str]) -> Cost:
    """Measured on these texts, the model warm."""
    model.log_odds(texts[:1])
    alone = median(_seconds(model, [text]) for text in texts[:300])
    batch = min(_seconds(model, texts) for _ in range(3))  # the least disturbed by what else the machine does
    return Cost(1000 * alone, len(texts) / batch, len(model.to_bytes()))


def _seconds(model: SpamModel, texts: Sequence[str]) -> float:
    started = perf_counter()
    model.log_odds(texts)
    return perf_counter() - started
