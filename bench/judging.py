"""Measure the processor time of the base models: a comment and a batch through the checks of all
scores, loading a model's file, an explanation.

`python -m bench.judging` measures it alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

from bench import texts
from bench.reading import Row
from models.classifier.explanation import explain
from models.classifier.file import model_path
from models.classifier.model import LinearModel, base_model
from models.identifiers import new_id
from models.judgement.candidate import Candidate
from models.judgement.scores import SCORES
from models.store.database import now
from worker.checks import abuse, spam
from worker.checks.scores import Batches

BATCH = 5000


def measure() -> list[Row]:
    bodies = [f"{texts.text(number)} https://example.org/{number}" for number in range(BATCH)]
    comments = [_candidate(body) for body in bodies]
    _judge(comments[-10:])  # the first batch of a process loads the models
    alone = median(_ms(_judge, [comment]) for comment in comments[:500])
    batch = 1000 * BATCH / min(_ms(_judge, comments) for _ in range(3))
    why = median(_ms(explain, base_model(), body) for body in bodies[:200])
    return [
        Row("score one comment", f"{alone:.2f} ms", alone / 0.5, "≤ 0.5 ms", alone <= 0.5),
        Row("score a batch", f"{batch:,.0f}/s", batch / 5000, "≥ 5,000/s", batch >= 5000),
        *_files(),
        Row("explain one score", f"{why:.2f} ms", why / 20, "≤ 20 ms", why <= 20),
    ]


def _candidate(body: str) -> Candidate:
    return Candidate(new_id(), 1, 1, "Ann", "ann@example.org", body, now(), language="en")


def _judge(comments: Sequence[Candidate]) -> None:
    batches = Batches()
    for check in (spam.check, abuse.check):
        check(comments, batches)


def _files() -> list[Row]:
    """Measure opening the files of all base models, and their size."""
    files = [model_path(score).read_bytes() for score in SCORES]
    load = sum(
        min(_ms(LinearModel.from_bytes, data, "base.npz") for _ in range(5)) for data in files
    )
    size = sum(map(len, files)) / 1e6
    is_small = load <= 100 and size <= 4
    return [
        Row(
            "open the models' files",
            f"{load:.0f} ms, {size:.2f} MB",
            load / 100,
            "≤ 100 ms, 4 MB",
            is_small,
        )
    ]


def _ms(work: Callable[..., object], *given: object) -> float:
    started = time.process_time()
    work(*given)
    return 1000 * (time.process_time() - started)


if __name__ == "__main__":
    for row in measure():
        print(row.work, row.figure, row.bar)
