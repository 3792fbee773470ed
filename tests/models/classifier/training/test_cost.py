"""The cost of a score. Times depend on the machine, so only their relations are tested."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from models.classifier.features import COLUMNS
from models.classifier.model import Floats, LinearModel, base_model
from models.classifier.place import Place
from models.classifier.training import cost as cost_module
from models.classifier.training.cost import cost


def test_the_numbers_come_from_what_was_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1_000))
    monkeypatch.setattr(cost_module, "process_time", lambda: next(ticks) * 0.5)

    found = cost(base_model(), ["The ferry was late.", "Buy cheap pills."])

    # Each measurement reads the clock twice, so each takes half a second.
    assert found.alone_ms == 500
    assert found.load_ms == 500
    assert found.per_second == 4
    assert found.file_bytes == len(base_model().to_bytes())


def test_of_a_hundred_thousand_texts_only_some_are_scored_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    class Counting(LinearModel):
        def log_odds(
            self, texts: Sequence[str], places: Sequence[Place | None] | None = None
        ) -> Floats:
            sizes.append(len(texts))
            return np.zeros(len(texts))

    cost(Counting(np.zeros(COLUMNS, np.float32), 0.0, ["en"]), ["text"] * 1000)

    assert sizes.count(1) == 301  # once to warm up
    assert sizes.count(1000) == 3
