"""Measure the processor time of the base model: a score, a batch, loading its file, an explanation.

`python -m bench.judging` measures it alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from bench import texts
from bench.reading import Row
from models.classifier.explanation import explain
from models.classifier.file import BASE
from models.classifier.model import LinearModel, base_model

BATCH = 5000


def measure() -> list[Row]:
    comments = [f"{texts.text(number)} https://example.org/{number}" for number in range(BATCH)]
    model, data = base_model(), BASE.read_bytes()
    alone = median(_ms(model.log_odds, [comment]) for comment in comments[:500])
    batch = 1000 * BATCH / min(_ms(model.log_odds, comments) for _ in range(3))
    load = min(_ms(LinearModel.from_bytes, data, "base.npz") for _ in range(5))
    why = median(_ms(explain, model, comment) for comment in comments[:200])
    return [
        Row("score one comment", f"{alone:.2f} ms", alone / 2, "≤ 2 ms", alone <= 2),
        Row("score a batch", f"{batch:,.0f}/s", batch / 4000, "≥ 4,000/s", batch >= 4000),
        Row(
            "open the model's file",
            f"{load:.0f} ms, {len(data) / 1e6:.2f} MB",
            load / 50,
            "≤ 50 ms",
            load <= 50,
        ),
        Row("explain one score", f"{why:.2f} ms", why / 20, "≤ 20 ms", why <= 20),
    ]


def _ms(work: Callable[..., object], *given: object) -> float:
    started = time.process_time()
    work(*given)
    return 1000 * (time.process_time() - started)


if __name__ == "__main__":
    for row in measure():
        print(row.work, row.figure, row.bar)
