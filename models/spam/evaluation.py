"""How well a model does on threads it has not seen, and what a score costs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score, roc_curve

from models.spam.corpus import Row, groups, normalised
from models.spam.model import SpamModel
from models.spam.training import train

_GRAM = 5  # letters
_NEAR = 0.6  # Jaccard similarity from which a row is a near-duplicate


class Figures(NamedTuple):
    """On so many rows: AUC, F1 at probability 0.5, and the share of spam found when 1 % of ham may be called spam."""

    rows: int
    auc: float
    f1: float
    recall: float


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
    """Each thread judged by a model of all the others; five parts in place of threads where the rows name none."""
    name_of = np.array(groups(rows))
    texts, spam = [row.text for row in rows], np.array([row.spam for row in rows], bool)
    near = near_duplicates(texts, list(name_of))
    results = []
    for name in each(sorted(set(name_of))):
        out = name_of == name
        model = train([row for row, held in zip(rows, out, strict=True) if not held])
        scores = model.log_odds([text for text, held in zip(texts, out, strict=True) if held])
        fresh = ~near[out]
        results.append(Unseen(name, figures(spam[out], scores), figures(spam[out][fresh], scores[fresh])))
    return results


def mean(results: Sequence[Figures]) -> Figures:
    """Every thread counts the same, however long it is."""
    auc, f1, recall = np.array([result[1:] for result in results]).mean(axis=0)
    return Figures(sum(result.rows for result in results), auc, f1, recall)


def figures(spam: NDArray[np.bool_], log_odds: NDArray[np.float64]) -> Figures:
    """Not-a-number where only one kind is left."""
    if len(set(spam)) < 2:
        return Figures(len(spam), float("nan"), float("nan"), float("nan"))
    false, true, _ = roc_curve(spam, log_odds)
    return Figures(
        len(spam), roc_auc_score(spam, log_odds), f1_score(spam, log_odds > 0), float(true[false <= 0.01].max())
    )


def near_duplicates(texts: Sequence[str], name_of: Sequence[str]) -> NDArray[np.bool_]:
    """Whether a text shares most of its 5-letter pieces (Jaccard ≥ .6) with one of another name."""
    pieces = [_pieces(text) for text in texts]
    holders: dict[str, list[int]] = defaultdict(list)
    for number, own in enumerate(pieces):
        for piece in own:
            holders[piece].append(number)
    return np.array([_has_twin(number, pieces, holders, name_of) for number in range(len(texts))], bool)


def _has_twin(
    number: int, pieces: Sequence[set[str]], holders: dict[str, list[int]], name_of: Sequence[str]
) -> bool:
    own = pieces[number]
    shared = Counter(other for piece in own for other in holders[piece] if name_of[other] != name_of[number])
    return any(count / (len(own) + len(pieces[other]) - count) >= _NEAR for other, count in shared.items())


def _pieces(text: str) -> set[str]:
    letters = normalised(text)
    return {letters[at : at + _GRAM] for at in range(max(1, len(letters) - _GRAM + 1))}


def cost(model: SpamModel, texts: Sequence[str]) -> Cost:
    """Measured on these texts, the model warm."""
    model.log_odds(texts[:1])
    started = perf_counter()
    model.log_odds(texts)
    per_second = len(texts) / (perf_counter() - started)
    return Cost(1000 * median(_seconds(model, text) for text in texts[:300]), per_second, len(model.to_bytes()))


def _seconds(model: SpamModel, text: str) -> float:
    started = perf_counter()
    model.log_odds([text])
    return perf_counter() - started
