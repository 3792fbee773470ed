"""Check how much a comment reads like spam."""

from __future__ import annotations

from collections.abc import Sequence

from models.classifier.text import MOST_TOKENS, reads_all
from models.judgement.candidate import Candidate
from models.judgement.evidence import LITTLE_KNOWN, UNREAD, Evidence
from models.judgement.scores import SPAM
from worker.checks.language import name_of
from worker.checks.scores import Batches, judge, told


def check(candidates: Sequence[Candidate], batches: Batches | None = None) -> list[Evidence]:
    """Check the batch. `score` is the probability in 0–1 by the model that `version` names.

    `counts` are the findings of the other checks that a site's own models see, stored for later
    training on this comment, for all scores.
    """
    batch = (batches or Batches()).of(candidates)
    each = zip(candidates, judge(SPAM, batch), batch.counts, strict=True)
    return [
        told(
            SPAM,
            candidate,
            judged,
            found=_little_known(candidate) | _unread(candidate.body),
            counts=counts,
        )
        for candidate, judged, counts in each
    ]


def _unread(body: str) -> dict[str, str]:
    return (
        {}
        if reads_all(body)
        else {UNREAD: f"longer than the {MOST_TOKENS:,} words and signs that the spam model reads"}
    )


def _little_known(candidate: Candidate) -> dict[str, str]:
    """Whether this is a language of which the base model learned only a little, and which this
    site's moderators did not teach, either.
    """
    from models.classifier.model import base_model  # noqa: PLC0415 — as in `judge`

    own = candidate.models.get(SPAM)
    learned = own.languages if own else frozenset()
    if candidate.language not in base_model(SPAM).acquainted or candidate.language in learned:
        return {}
    name = name_of(candidate.language)
    return {
        LITTLE_KNOWN: (
            f"the model knows little {name}, so a lower score is enough to hold the comment"
        )
    }
