"""The cost of a score in processor time, which does not count other work of the machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from time import process_time
from typing import NamedTuple

from models.classifier.model import LinearModel

_ALONE = 300  # comments that are scored one by one
_BATCHES, _LOADS = 3, 5  # the fastest of them counts


class Cost(NamedTuple):
    """The time to score one comment alone (median) and to load the model, in milliseconds; comments
    per second in one batch; and the size of the model file.
    """

    alone_ms: float
    load_ms: float
    per_second: float
    file_bytes: int


def cost(model: LinearModel, texts: Sequence[str]) -> Cost:
    """Measure the cost of scoring these texts with a warm model."""
    model.log_odds(texts[:1])
    alone = median(_seconds(partial(model.log_odds, [text])) for text in texts[:_ALONE])
    batch = min(_seconds(partial(model.log_odds, texts)) for _ in range(_BATCHES))
    data = model.to_bytes()
    loading = partial(LinearModel.from_bytes, data, "the model")
    load = min(_seconds(loading) for _ in range(_LOADS))
    return Cost(1000 * alone, 1000 * load, len(texts) / batch, len(data))


def _seconds(work: Callable[[], object]) -> float:
    started = process_time()
    work()
    return process_time() - started
