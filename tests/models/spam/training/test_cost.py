"""What a score costs. How long it takes is the machine's business: only the relations are tested."""

from __future__ import annotations

import pytest

from models.spam.model import base_model
from models.spam.training import cost as cost_module
from models.spam.training.cost import cost


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

    class Counting:
        def log_odds(self, texts: list[str]) -> None:
            sizes.append(len(texts))

        def to_bytes(self) -> bytes:
            return base_model().to_bytes()

    cost(Counting(), ["text"] * 1000)  # type: ignore[arg-type]

    assert sizes.count(1) == 301  # once to warm up
    assert sizes.count(1000) == 3
