"""How much a comment reads like spam, by the base model. Only the body: a name says too little."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from models.evidence import Evidence, Outcome
from worker.checks.candidate import Candidate
from worker.checks.language import name_of


def check(batch: Sequence[Candidate]) -> list[Evidence]:
    """`score` is the probability in 0–1 by the model that `version` names; one call scores the whole batch."""
    from models.spam.model import base_model  # noqa: PLC0415 — a model that does not load takes no other check down

    model = base_model()
    judged = [candidate.language == "und" or candidate.language in model.languages for candidate in batch]
    texts = [candidate.body for candidate in compress(batch, judged)]
    scores = iter(model.probabilities(texts) if texts else ())
    return [
        _scored(float(next(scores)), model.version) if known else _abstained(candidate.language, model.version)
        for candidate, known in zip(batch, judged, strict=True)
    ]


def _scored(score: float, version: str) -> Evidence:
    outcome = Outcome.FOUND if score >= 0.5 else Outcome.CLEAR
    return Evidence(check="spam", outcome=outcome, detail=_words(score), score=score, version=version)


def _words(score: float) -> str:
    if score >= 0.9:
        return f"spam score {score:.2f}: reads like spam"
    if score >= 0.5:
        return f"spam score {score:.2f}: reads more like spam than not"
    if score >= 0.2:
        return f"spam score {score:.2f}: reads a little like spam"
    return f"reads like an ordinary comment ({score:.2f})"


def _abstained(language: str, version: str) -> Evidence:
    detail = f"the model has not learned {name_of(language)} yet, so it does not judge this comment"
    return Evidence(check="spam", outcome=Outcome.ABSTAINED, detail=detail, version=version)
