"""Check how abusive a comment is: insults, threats, hate, swearing, sexual remarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.judgement.candidate import Candidate
from models.judgement.evidence import Evidence
from models.judgement.scores import ABUSE
from worker.checks.scores import POSSIBLE, PROBABLE, Batch, Batches, Judged, judge, told

# What a comment may be, by attribute: in brackets behind the score, and as a sentence.
KINDS = {
    "threat": ("threat", "reads like a threat"),
    "insult": ("insult", "reads like an insult"),
    "identity_attack": ("identity attack", "reads like an attack on a group of people"),
    "sexual": ("sexual", "reads like a sexual remark"),
    "profanity": ("swearing", "contains swear words"),
}


def check(candidates: Sequence[Candidate], batches: Batches | None = None) -> list[Evidence]:
    """Check the batch. `score` is the probability in 0–1 that the comment is abusive in any way,
    `found` the kinds of abuse that it reads like.
    """
    batch = (batches or Batches()).of(candidates)
    judged = judge(ABUSE, batch)
    kinds = _kinds(batch, [at for at, each in enumerate(judged) if (each.score or 0) >= POSSIBLE])
    return [
        _evidence(candidate, each, kinds.get(at, ()))
        for at, (candidate, each) in enumerate(zip(candidates, judged, strict=True))
    ]


def _evidence(candidate: Candidate, judged: Judged, kinds: Sequence[str]) -> Evidence:
    named = judged._replace(kinds=", ".join(KINDS[kind][0] for kind in kinds))
    return told(ABUSE, candidate, named, found={kind: KINDS[kind][1] for kind in kinds})


def _kinds(batch: Batch, which: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """Return the kinds of abuse that each of those comments reads like. Most batches need no look
    at them, because most comments are harmless.
    """
    if not which:
        return {}
    from models.classifier.attributes import base_attributes  # noqa: PLC0415

    rows = batch.rows.in_place.chosen(which)
    return {
        at: [kind for kind in KINDS if of_kinds.get(kind, 0.0) >= PROBABLE]
        for at, of_kinds in zip(which, base_attributes(ABUSE).of_rows(rows), strict=True)
    }
