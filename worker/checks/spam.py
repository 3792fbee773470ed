"""Check how much a comment reads like spam, with the site's own model if it has one, otherwise with
the base model.

The base model reads only the body, because a name says too little. A site's own model also uses the
findings of the other checks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING

from models.classifier.text import MOST_TOKENS, reads_all
from models.judgement.candidate import Candidate
from models.judgement.evidence import LITTLE_KNOWN, UNREAD, Evidence, Outcome
from worker.checks import context
from worker.checks.language import name_of

if TYPE_CHECKING:
    from models.classifier.model import LinearModel
    from models.classifier.site_model import SiteModel

_Known = Mapping[str, Mapping[str, Evidence]]


def check(batch: Sequence[Candidate], known: _Known | None = None) -> list[Evidence]:
    """Check the batch. `score` is the probability in 0–1 by the model that `version` names; one
    call scores all comments of a site.

    `known` holds the findings of the other checks, by comment and check. `counts` are those of them
    that a site's model sees, stored for later training on this comment.
    """
    # A model that does not load must not break the other checks.
    from models.classifier.model import base_model  # noqa: PLC0415

    base = base_model()
    counts = {
        candidate.id: context.counts(candidate, (known or {}).get(candidate.id, {}))
        for candidate in batch
    }
    by_model = defaultdict[int, list[Candidate]](list)
    for candidate in batch:
        by_model[id(candidate.model)].append(candidate)
    found: dict[str, Evidence] = {}
    for some in by_model.values():
        own = some[0].model
        fits = own is not None and own.base == base.version
        scored = _by_site(some, own, base, counts) if own and fits else _by_base(some, base)
        found.update({candidate.id: item for candidate, item in zip(some, scored, strict=True)})
    return [
        replace(
            found[candidate.id],
            counts=counts[candidate.id],
            found=_little_known(candidate, base) | _unread(candidate.body),
        )
        for candidate in batch
    ]


def _unread(body: str) -> dict[str, str]:
    return (
        {}
        if reads_all(body)
        else {UNREAD: f"longer than the {MOST_TOKENS:,} words and signs that the spam model reads"}
    )


def _little_known(candidate: Candidate, base: LinearModel) -> dict[str, str]:
    """Whether this is a language of which the base model learned only a little, and which this
    site's moderators did not teach, either.
    """
    own = candidate.model.languages if candidate.model else frozenset()
    if candidate.language not in base.acquainted or candidate.language in own:
        return {}
    name = name_of(candidate.language)
    return {
        LITTLE_KNOWN: (
            f"the model knows little {name}, so a lower score is enough to hold the comment"
        )
    }


def _by_base(batch: Sequence[Candidate], model: LinearModel) -> list[Evidence]:
    from models.classifier.place import on_site  # noqa: PLC0415

    judged = [_reads(model.languages | model.acquainted, candidate) for candidate in batch]
    of_these = list(compress(batch, judged))
    texts, where = (
        [candidate.body for candidate in of_these],
        [on_site(candidate.origins) for candidate in of_these],
    )
    scores = iter(model.probabilities(texts, where) if texts else ())
    return [
        _scored(float(next(scores)), model.version)
        if is_judged
        else _abstained(candidate.language, model.version)
        for candidate, is_judged in zip(batch, judged, strict=True)
    ]


def _by_site(
    batch: Sequence[Candidate],
    model: SiteModel,
    base: LinearModel,
    counts: Mapping[str, Mapping[str, int]],
) -> list[Evidence]:
    from models.classifier.opinion import opinions  # noqa: PLC0415
    from models.classifier.place import on_site  # noqa: PLC0415
    from models.classifier.site_model import Seen  # noqa: PLC0415

    judged = [
        _reads(base.languages | base.acquainted | model.languages, candidate) for candidate in batch
    ]
    of_these = list(compress(batch, judged))
    texts = [(candidate.body, candidate.language) for candidate in of_these]
    thought = opinions(base, texts, on_site(batch[0].origins))
    seen = [
        Seen(candidate.body, opinion, counts[candidate.id])
        for candidate, opinion in zip(of_these, thought, strict=True)
    ]
    scores = iter(model.probabilities(seen))
    return [
        _scored(
            float(next(scores)), model.version, ", based on decisions by this site's moderators"
        )
        if is_judged
        else _abstained(candidate.language, model.version)
        for candidate, is_judged in zip(batch, judged, strict=True)
    ]


def _reads(languages: frozenset[str], candidate: Candidate) -> bool:
    return candidate.language == "und" or candidate.language in languages


def _scored(score: float, version: str, why: str = "") -> Evidence:
    outcome = Outcome.FOUND if score >= 0.5 else Outcome.CLEAR
    return Evidence(
        check="spam", outcome=outcome, detail=_words(score) + why, score=score, version=version
    )


def _words(score: float) -> str:
    if score >= 0.9:
        return f"spam score {score:.2f}: very likely spam"
    if score >= 0.5:
        return f"spam score {score:.2f}: probably spam"
    if score >= 0.2:
        return f"spam score {score:.2f}: possibly spam"
    return f"spam score {score:.2f}: probably not spam"


def _abstained(language: str, version: str) -> Evidence:
    detail = f"the model does not know {name_of(language)} yet, so it can't score this comment"
    return Evidence(check="spam", outcome=Outcome.ABSTAINED, detail=detail, version=version)
